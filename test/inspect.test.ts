// inspect, on buffers that are good, cut off, changed and made up: every byte is told once.

import { encodeReply, encodeRequest, inspect, type Command, type Field } from 'devicemapper/codec';
import * as fc from 'fast-check';
import { assert, suite } from './harness.js';

const Inspect = suite('inspect');

const KEY = '00112233445566778899aabbccddeeff';
const targets = [
  { startSector: 0, length: 8, type: 'linear', parameters: '8:16 0' },
  { startSector: 8, length: 2n ** 63n, type: 'crypt', parameters: `aes ${KEY} 0 8:16 0` },
];
const devices = [
  { name: 'a', dev: 64768, uuid: 'X-1', eventNumber: 3 },
  { name: 'bcd', dev: 64769, uuid: '', eventNumber: 0 },
];

const BUFFERS: readonly (readonly [Command, 'request' | 'reply', Uint8Array])[] = [
  ['TABLE_LOAD', 'request', encodeRequest('TABLE_LOAD', { name: 'x', targets })],
  ['TABLE_STATUS', 'reply', encodeReply('TABLE_STATUS', { targets, flags: 0x10 })],
  ['DEV_WAIT', 'reply', encodeReply('DEV_WAIT', { targets })],
  ['LIST_DEVICES', 'reply', encodeReply('LIST_DEVICES', { devices })],
  ['LIST_DEVICES', 'reply', encodeReply('LIST_DEVICES', { devices, version: [4, 36, 0] })],
  ['TABLE_DEPS', 'reply', encodeReply('TABLE_DEPS', { deps: [{ dev: 2064 }] })],
  [
    'LIST_VERSIONS',
    'reply',
    encodeReply('LIST_VERSIONS', {
      versions: [
        { name: 'linear', version: [1, 4, 0] },
        { name: 'zero', version: [1, 1, 0] },
      ],
    }),
  ],
  ['DEV_RENAME', 'request', encodeRequest('DEV_RENAME', { name: 'x', newName: 'y' })],
  [
    'TARGET_MSG',
    'request',
    encodeRequest('TARGET_MSG', { message: `key set ${KEY}`, dataSize: 400 }),
  ],
  ['TARGET_MSG', 'reply', encodeReply('TARGET_MSG', { message: 'well' })],
  ['DEV_STATUS', 'reply', encodeReply('DEV_STATUS', { name: 'x', dev: 64769 })],
];

/** Fields in order, each where the one before it ends, up to the end. */
function assertWhole(fields: readonly Field[], length: number): void {
  let at = 0;
  for (const { offset, size } of fields) {
    assert.is(offset, at);
    assert.ok(size > 0);
    at += size;
  }
  assert.is(at, length);
}

const named = (fields: readonly Field[], name: string): (Field['value'] | undefined)[] =>
  fields.filter((field) => field.name === name).map(({ value }) => value);

Inspect('names, values and meanings', () => {
  const bytes = encodeReply('DEV_STATUS', { name: 'data', dev: 64769, flags: 0x22 });
  const fields = inspect(bytes, { direction: 'reply', command: 'DEV_STATUS' });
  const flags = fields.find(({ name }) => name === 'flags');
  assert.equal(flags, {
    offset: 28,
    size: 4,
    name: 'flags',
    value: 0x22,
    meaning: 'DM_SUSPEND_FLAG | DM_ACTIVE_PRESENT_FLAG',
  });
  const dev = fields.find(({ name }) => name === 'dev');
  assert.equal([dev?.value, dev?.meaning], [64769, '253:1']);
  assert.equal(named(fields, 'name'), ['data']);
});

Inspect('rows with their numbers, of any size, and their texts', () => {
  const [command, direction, bytes] = BUFFERS[0]!;
  const fields = inspect(bytes, { command, direction, secrets: true });
  assert.equal(named(fields, 'sector_start'), [0, 8]);
  assert.equal(named(fields, 'length'), [8, 2n ** 63n]);
  assert.equal(named(fields, 'target_type'), ['linear', 'crypt']);
  assert.equal(named(fields, 'parameters'), ['8:16 0', `aes ${KEY} 0 8:16 0`]);
});

Inspect('keys are stars, unless they are asked for', () => {
  for (const [command, direction, bytes] of BUFFERS) {
    const told = (secrets: boolean): string =>
      inspect(bytes, { command, direction, secrets })
        .map(({ value }) => String(value))
        .join('\n');
    assert.not(told(false).includes(KEY) && command !== 'DEV_WAIT', command);
    if (told(true).includes(KEY) && command !== 'DEV_WAIT') {
      assert.ok(told(false).includes('*'.repeat(KEY.length)), command);
    }
  }
});

Inspect('without a command nothing is told behind the header', () => {
  const [, direction, bytes] = BUFFERS[0]!;
  const fields = inspect(bytes, { direction });
  assertWhole(fields, bytes.length);
  assert.is(fields.at(-1)!.name, 'unknown');
  assert.not(JSON.stringify(fields.map(({ value }) => String(value))).includes(KEY));
});

Inspect('every byte is told once: of every truncation and every change', () => {
  for (const [command, direction, bytes] of BUFFERS) {
    for (let length = 0; length <= bytes.length; length++) {
      const cut = bytes.slice(0, length);
      assertWhole(inspect(cut, { command, direction }), length);
    }
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const changed = bytes.with(at, value);
        assertWhole(inspect(changed, { command, direction, secrets: true }), bytes.length);
      }
    }
  }
});

Inspect('every byte is told once: of any bytes', () => {
  const commands = fc.constantFrom(...BUFFERS.map(([command]) => command));
  const directions = fc.constantFrom('request' as const, 'reply' as const);
  const bytes = fc.uint8Array({ maxLength: 600, size: 'max' });
  const each = fc.property(commands, directions, bytes, (command, direction, given) => {
    assertWhole(inspect(given, { command, direction }), given.length);
  });
  fc.assert(each, { numRuns: 500 });
});

Inspect.run();
