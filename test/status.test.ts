// Every Status of the module is reached through the doors, and is told in its own words.

import { Status } from '#internal';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  joinParameters,
} from 'devicemapper/codec';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { assert, suite } from './harness.js';

const target = { startSector: 0, length: 8, type: 'linear', parameters: '8:16 0' };

function load(fields: object): () => unknown {
  return () => encodeRequest('TABLE_LOAD', { targets: [{ ...target, ...fields }] });
}
function text(targets: string): () => unknown {
  return () => encodeRequest('TABLE_LOAD', { targets });
}
/** A reply of two targets, its u32 at `at` changed. */
function table(at: number, value: number): () => unknown {
  return () => decodeReply('TABLE_STATUS', changed(reply('TABLE_STATUS'), at, value));
}
function list(at: number, value: number): () => unknown {
  return () => decodeReply('LIST_DEVICES', changed(reply('LIST_DEVICES'), at, value));
}
function deps(at: number, value: number): () => unknown {
  return () => decodeReply('TABLE_DEPS', changed(reply('TABLE_DEPS'), at, value));
}

function reply(command: 'TABLE_STATUS' | 'LIST_DEVICES' | 'TABLE_DEPS'): Uint8Array {
  if (command === 'TABLE_STATUS') return encodeReply(command, { targets: [target, target] });
  const devices = [1, 2].map((dev) => ({ name: 'data', dev, uuid: 'TEST-a' }));
  return command === 'LIST_DEVICES'
    ? encodeReply(command, { devices })
    : encodeReply(command, { deps: devices });
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
}

function unending(from: number, to: number): () => unknown {
  return () => decodeReply('DEV_STATUS', encodeReply('DEV_STATUS', {}).fill(0x61, from, to));
}

/** The ways of each Status, and what they say. */
const REACHED: Readonly<Record<string, readonly (readonly [() => unknown, string])[]>> = {
  NAME_TOO_LONG: [
    [
      () => encodeRequest('DEV_STATUS', { name: 'a'.repeat(128) }),
      'name: expected at most 127 bytes, got 128; DM_NAME_LEN is 128 with its NUL',
    ],
  ],
  NAME_HAS_NUL: [
    [
      () => encodeRequest('DEV_STATUS', { name: 'a\0' }),
      'name: expected no NUL, which would end the text for the kernel',
    ],
  ],
  UUID_TOO_LONG: [
    [
      () => encodeRequest('DEV_STATUS', { uuid: 'a'.repeat(129) }),
      'uuid: expected at most 128 bytes, got 129; DM_UUID_LEN is 129 with its NUL',
    ],
  ],
  UUID_HAS_NUL: [
    [
      () => encodeRequest('DEV_STATUS', { uuid: 'a\0' }),
      'uuid: expected no NUL, which would end the text for the kernel',
    ],
  ],
  START_NOT_A_SECTOR: [
    [
      load({ startSector: -1 }),
      'targets[0].startSector: expected a number of 512-byte sectors, got -1',
    ],
  ],
  LENGTH_NOT_A_SECTOR: [
    [load({ length: 0.5 }), 'targets[0].length: expected a number of 512-byte sectors, got 0.5'],
  ],
  TYPE_EMPTY: [[load({ type: '' }), 'targets[0].type: expected a target type, got ""']],
  TYPE_TOO_LONG: [
    [
      load({ type: 'a'.repeat(16) }),
      'targets[0].type: expected at most 15 bytes, got 16; DM_MAX_TYPE_NAME is 16 with its NUL',
    ],
    [
      text(`0 8 ${'a'.repeat(16)}`),
      'line 1, column 5: expected a target type of at most 15 bytes, got "aaaaaaaaaaaaaaaa"',
    ],
  ],
  PARAMETER_EMPTY: [
    [
      load({ parameters: ['a', ''] }),
      'targets[0].parameters[1]: expected a parameter, got ""; the kernel has no way to write an empty one',
    ],
    [
      () => joinParameters(['']),
      'words[0]: expected a parameter, got ""; the kernel has no way to write an empty one',
    ],
  ],
  PARAMETER_BLANK: [
    [
      load({ parameters: [' '] }),
      'targets[0].parameters[0]: expected a parameter, got only blanks',
    ],
    [() => joinParameters(['a', ' ']), 'words[1]: expected a parameter, got only blanks'],
  ],
  PARAMETER_HAS_NUL: [
    [
      load({ parameters: ['a\0'] }),
      'targets[0].parameters[0]: expected no NUL, which would end the text for the kernel',
    ],
    [
      load({ parameters: Uint8Array.of(0) }),
      'targets[0].parameters: expected no NUL, which would end the text for the kernel',
    ],
    [
      () => joinParameters(['a\0']),
      'words[0]: expected no NUL, which would end the text for the kernel',
    ],
  ],
  LINE_NO_START: [
    [text('x 8 linear'), 'line 1, column 1: expected a number of 512-byte sectors, got "x"'],
  ],
  LINE_NO_LENGTH: [[text('0'), 'line 1, column 2: expected a number of 512-byte sectors']],
  LINE_NO_TYPE: [[text('0 8 '), 'line 1, column 5: expected a target type']],
  LINE_NUMBER_TOO_LARGE: [
    [
      text('0 18446744073709551616 linear'),
      'line 1, column 3: expected a number below 2^64, got "18446744073709551616"',
    ],
  ],
  LINE_HAS_NUL: [
    [
      text('0 8 linear a\0'),
      'line 1, column 13: expected no NUL, which would end the text for the kernel',
    ],
  ],
  HEADER_TRUNCATED: [
    [
      () => decodeReply('DEV_STATUS', new Uint8Array(304)),
      'DM_DEV_STATUS reply: expected at least the 305 bytes of a header, got 304',
    ],
    [
      () => decodeRequest('DEV_STATUS', new Uint8Array(304)),
      'offset 304: DM_DEV_STATUS request: expected at least the 305 bytes of a header, got 304',
    ],
  ],
  NAME_UNTERMINATED: [
    [unending(48, 176), 'DM_DEV_STATUS reply: name has no NUL'],
    [
      () => decodeReply('LIST_DEVICES', changed(reply('LIST_DEVICES'), 12, 328)),
      "DM_LIST_DEVICES reply: device 0 at offset 324: name has no NUL before the reply's end at 328",
    ],
  ],
  UUID_UNTERMINATED: [
    [unending(176, 305), 'DM_DEV_STATUS reply: uuid has no NUL'],
    [
      () => decodeReply('LIST_DEVICES', changed(reply('LIST_DEVICES'), 12, 344)),
      "DM_LIST_DEVICES reply: device 0 at offset 344: uuid has no NUL before the reply's end at 344",
    ],
  ],
  NEXT_UNALIGNED: [
    [
      table(332, 52),
      'DM_TABLE_STATUS reply: target 0 at offset 332: next is 52, not a multiple of 8',
    ],
    [
      list(320, 44),
      'DM_LIST_DEVICES reply: device 0 at offset 320: next is 44, not a multiple of 8',
    ],
  ],
  NEXT_OVERLAPS: [
    [
      table(332, 40),
      'DM_TABLE_STATUS reply: target 0 at offset 332: next is 40, inside this record',
    ],
    [
      list(320, 16),
      'DM_LIST_DEVICES reply: device 0 at offset 320: next is 16, inside this record',
    ],
  ],
  NEXT_BEYOND_DATA: [
    [
      table(332, 96),
      "DM_TABLE_STATUS reply: target 0 at offset 332: next is 96, past the reply's end at 407",
    ],
    [
      list(320, 4096),
      "DM_LIST_DEVICES reply: device 0 at offset 320: next is 4096, past the reply's end at 392",
    ],
  ],
  RECORD_TRUNCATED: [
    [
      table(12, 352),
      "DM_TABLE_STATUS reply: target 0 at offset 312: cut off by the reply's end at 352",
    ],
    [
      list(12, 324),
      "DM_LIST_DEVICES reply: device 0 at offset 312: cut off by the reply's end at 324",
    ],
    [
      deps(12, 319),
      "DM_TABLE_DEPS reply: dependency 0 at offset 312: cut off by the reply's end at 319",
    ],
  ],
  TYPE_UNTERMINATED: [
    [
      () => decodeReply('TABLE_STATUS', reply('TABLE_STATUS').fill(0x61, 336, 352)),
      'DM_TABLE_STATUS reply: target 0 at offset 336: target_type has no NUL',
    ],
  ],
  PARAMETERS_UNTERMINATED: [
    [
      table(12, 358),
      "DM_TABLE_STATUS reply: target 0 at offset 352: parameters have no NUL before the reply's end at 358",
    ],
  ],
  NUMBER_TOO_LARGE: [
    [
      table(316, 0x200000),
      'DM_TABLE_STATUS reply: target 0 at offset 312: a sector above 2^53 - 1; { bigint: true } decodes it',
    ],
  ],
  DEV_TOO_LARGE: [
    [list(316, 1), 'DM_LIST_DEVICES reply: device 0 at offset 312: dev is above 2^32 - 1'],
    [deps(324, 1), 'DM_TABLE_DEPS reply: dependency 0 at offset 320: dev is above 2^32 - 1'],
  ],
  COUNT_BEYOND_DATA: [
    [
      deps(312, 3),
      "DM_TABLE_DEPS reply: dependency 0 at offset 312: count is 3, past the reply's end at 336",
    ],
  ],
  TEXT_EMPTY: [
    [() => encodeRequest('DEV_RENAME', { newName: '' }), 'newName: expected a text, got ""'],
  ],
  TEXT_TOO_LONG: [
    [
      () => encodeRequest('DEV_RENAME', { newName: 'a'.repeat(128) }),
      'newName: expected at most 127 bytes, got 128; DM_NAME_LEN is 128 with its NUL',
    ],
    [
      () => encodeRequest('DEV_RENAME', { newUuid: 'a'.repeat(129) }),
      'newUuid: expected at most 128 bytes, got 129; DM_UUID_LEN is 129 with its NUL',
    ],
  ],
  TEXT_HAS_NUL: [
    [
      () => encodeRequest('DEV_RENAME', { newUuid: 'a\0' }),
      'newUuid: expected no NUL, which would end the text for the kernel',
    ],
  ],
  TEXT_UNTERMINATED: [
    [
      () => {
        const bytes = encodeReply('TARGET_MSG', { message: 'well' });
        decodeReply('TARGET_MSG', bytes.fill(0x61, 312));
      },
      'DM_TARGET_MSG reply: message has no NUL before the end at 317',
    ],
    [
      () => decodeRequest('DEV_RENAME', encodeRequest('DEV_RENAME', { newName: 'x' }).fill(1, 312)),
      'offset 312: DM_DEV_RENAME request: the new name has no NUL before the end at 314',
    ],
  ],
};

/** Between the host and the module; the doors ask for nothing that could end so. */
const INTERNAL = ['OUT_OF_BOUNDS', 'OUT_OF_MEMORY', 'OUTPUT_TOO_SMALL'];

const Statuses = suite('status');

Statuses('there is a way to each', () => {
  assert.equal([...INTERNAL, ...Object.keys(REACHED)].sort(), Object.keys(Status).sort());
});

for (const [status, ways] of Object.entries(REACHED)) {
  Statuses(`${status} is told in its words`, () => {
    for (const [call, words] of ways) {
      try {
        call();
      } catch (error) {
        assert.is((error as Error).message, words);
        continue;
      }
      assert.unreachable(words);
    }
  });
}

Statuses('what no door can reach is answered by the raw module', () => {
  const file = createRequire(import.meta.url).resolve('devicemapper/codec.wasm');
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
  const { encodeHeader, reserve } = exports as Record<string, (...args: number[]) => number>;
  assert.is(encodeHeader!(-1, 312), Status.OUT_OF_BOUNDS);
  assert.is(encodeHeader!(reserve!(312), 311), Status.OUTPUT_TOO_SMALL);
  assert.is(reserve!(-1), Status.OUT_OF_MEMORY);
});

Statuses.run();
