// What must hold of any bytes, and of any values: the codec says what the naive one says, or both refuse;
// what was decoded encodes to the same bytes; no call sees anything of another.

import {
  DM_BUFFER_FULL_FLAG,
  DM_UUID_FLAG,
  DeviceMapperSync,
  ModelKernel,
  REQUEST_CODE,
  decodeReply,
  decodeRequest,
  diffTables,
  encodeReply,
  encodeRequest,
  explainSector,
  formatConcise,
  formatTable,
  joinParameters,
  lintTable,
  parseConcise,
  parseDmModCreate,
  parseListing,
  parseTable,
  splitParameters,
  type Command,
  type ConciseDevice,
  type ModelSnapshot,
  type Request,
  type Target as LoadTarget,
} from 'devicemapper/model';
import { encodeTableLoad } from '../../bench/plain.js';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { generate } from '../differential/generate.js';
import { bytesOf as stepBytes } from '../differential/script.js';
import { DISKS, MAJOR, SLICES } from '../differential/tables.js';
import { factsOf } from '../facts.js';
import { assert } from '../harness.js';
import * as naive from '../naive.js';
import { EXPORTS, HOSTILE, Machine, names } from '../raw.js';
import { header, plainTarget, table, word, wordBytes } from '../values.js';
import type { Target } from './engine.js';

const HEADER_SIZE = 312;

const COMMANDS: readonly Command[] = [
  ...(['VERSION', 'REMOVE_ALL', 'LIST_DEVICES', 'DEV_CREATE', 'DEV_REMOVE', 'DEV_RENAME'] as const),
  ...([
    'DEV_SUSPEND',
    'DEV_STATUS',
    'DEV_WAIT',
    'TABLE_LOAD',
    'TABLE_CLEAR',
    'TABLE_DEPS',
  ] as const),
  ...(['TABLE_STATUS', 'LIST_VERSIONS', 'TARGET_MSG', 'DEV_SET_GEOMETRY', 'DEV_ARM_POLL'] as const),
  'GET_TARGET_VERSION',
];

// ── What there is to begin with ──────────────────────────────────────────────────────────────────

interface Recorded {
  readonly command: Command;
  readonly size: number;
  readonly in: string;
  readonly out: string;
  readonly errno: string | 0;
}

let recorded: readonly Recorded[] | undefined;

/** Buffers that kernels were given, or answered. */
function recordings(direction: 'in' | 'out', of?: readonly Command[]): readonly Recorded[] {
  const file = new URL('../../../../test/recordings/kernels.jsonl.gz', import.meta.url);
  recorded ??= gunzipSync(readFileSync(file))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
  const seen = new Set<string>();
  return recorded.filter((one) => {
    const { command, errno } = one;
    const wanted = of?.includes(command) !== false && (direction === 'in' || errno === 0);
    const isNew = !seen.has(command + one[direction]);
    if (wanted && isNew) seen.add(command + one[direction]);
    return wanted && isNew && one[direction].length < 4000;
  });
}

/** A buffer, zeros at its end left out but for the least that there must be. */
function bytesOf(base64: string, least = 0): Uint8Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const whole = new Uint8Array(Math.max(least, bytes.length + 1));
  whole.set(bytes);
  return whole;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

// ── Comparing ────────────────────────────────────────────────────────────────────────────────────

/** What an error says without its numbers and names: the way that the bytes took. */
function way(error: unknown): string {
  const { name, message, offset, path, line } = error as Error &
    Partial<Record<'offset' | 'path' | 'line', unknown>>;
  if (name !== 'ReplyError' && name !== 'InputError') throw error;
  if (offset === undefined && path === undefined && line === undefined) {
    throw new Error(`without a place: ${message}`);
  }
  return `refused: ${message.replaceAll(/\d+|'.*'|".*"/g, '#')}`;
}

/** Both make the same of it, or both refuse. */
function agree(ours: () => unknown, others: () => unknown): string {
  let theirs: unknown;
  let refused: unknown;
  try {
    theirs = others();
  } catch (error) {
    if (!(error instanceof naive.Refused) && !(error instanceof RangeError)) throw error;
    refused = error;
  }
  let got: unknown;
  try {
    got = ours();
  } catch (error) {
    const said = way(error);
    if (refused === undefined) throw error;
    return said;
  }
  if (refused !== undefined) throw new Error('it was taken, and is to be refused');
  if (!isDeepStrictEqual(got, theirs)) assert.equal(got, theirs);
  return 'taken';
}

// ── Replies ──────────────────────────────────────────────────────────────────────────────────────

type Query = Parameters<typeof naive.decodePayload>[0];

function reply(command: Query, payload: (reply: never) => unknown): Target {
  return {
    seeds: () => recordings('out', [command]).map(({ out }) => bytesOf(out, HEADER_SIZE)),
    check: (input) => {
      const said = agree(
        () => payload(decodeReply(command, input, { bigint: true }) as never),
        () => naive.decodePayload(command, input),
      );
      if (said !== 'taken') return said;
      // What is written again says the same, where all of it was there.
      const decoded = decodeReply(command, input, { bigint: true });
      const { flags, dataSize, dataStart } = decoded;
      if ((flags & DM_BUFFER_FULL_FLAG) !== 0 || dataSize > input.length) return 'taken: a part';
      let again: Uint8Array;
      try {
        again = encodeReply(command, {
          ...decoded,
          dataSize: undefined,
          dataStart: undefined,
        } as never);
      } catch (error) {
        // As a type that is empty.
        return `looked at, ${way(error)}`;
      }
      const twice = decodeReply(command, again, { bigint: true });
      assert.equal({ ...twice, dataSize, dataStart }, decoded);
      return `taken: ${flags & 0x10100} ${Object.values(decoded).length}`;
    },
  };
}

const plainText = (value: string): Uint8Array => naive.bytesOf(value);

const REPLIES: Readonly<Record<string, Target>> = {
  'reply-targets': reply(
    'TABLE_STATUS',
    ({ targets }: { targets: readonly { parameters: string; type: string }[] }) =>
      targets.map((target) => {
        const { startSector, length } = target as unknown as naive.PlainTarget;
        return { startSector, length, type: target.type, parameters: plainText(target.parameters) };
      }),
  ),
  'reply-devices': reply('LIST_DEVICES', ({ devices }: { devices: readonly naive.PlainDevice[] }) =>
    devices.map(({ name, dev, eventNumber, uuid }) => ({
      name,
      dev,
      eventNumber: (eventNumber as number | undefined) ?? 0,
      uuid,
    })),
  ),
  'reply-deps': reply('TABLE_DEPS', ({ deps }: { deps: readonly { dev: number }[] }) =>
    deps.map(({ dev }) => dev),
  ),
  'reply-versions': reply(
    'LIST_VERSIONS',
    ({ versions }: { versions: readonly naive.PlainVersion[] }) =>
      versions.map(({ name, version }) => ({ name, version })),
  ),
  'reply-message': reply('TARGET_MSG', ({ message }: { message: string | undefined }) => message),
  'reply-header': {
    seeds: () =>
      recordings('out')
        .filter((_, i) => i % 20 === 0)
        .map(({ out }) => bytesOf(out, HEADER_SIZE)),
    check: (input) =>
      agree(
        () => decodeReply('DEV_STATUS', input),
        () => naive.decodeHeader(input),
      ),
    property: fc.property(header, (fields) => {
      const whole = { ...fields, dataSize: 312, dataStart: 312, targetCount: 0 };
      const bytes = Uint8Array.from(naive.encodeHeader(whole));
      assert.equal(encodeRequest('DEV_STATUS', fields), bytes);
      assert.equal(decodeReply('DEV_STATUS', bytes), whole);
    }),
  },
};

// ── Requests ─────────────────────────────────────────────────────────────────────────────────────

/** The first byte says which command; what is decoded encodes to the same bytes. */
const request: Target = {
  seeds: () =>
    recordings('in').map(({ command, in: given }) => {
      const bytes = bytesOf(given, HEADER_SIZE);
      return Uint8Array.of(COMMANDS.indexOf(command), ...bytes);
    }),
  check: (input) => {
    const command = COMMANDS[(input[0] ?? 0) % COMMANDS.length]!;
    const bytes = input.subarray(1);
    let decoded: Request & { readonly dataSize: number };
    try {
      decoded = decodeRequest(command, bytes, { bigint: true });
    } catch (error) {
      return `${command} ${way(error)}`;
    }
    let again: Uint8Array;
    try {
      again = encodeRequest(command, decoded);
    } catch (error) {
      // What no caller could mean, as an empty type: it can be looked at, and not be sent.
      return `${command} looked at, ${way(error)}`;
    }
    if (command === 'VERSION') return 'VERSION';
    assert.is(again.length, decoded.dataSize);
    const sends = ['TABLE_LOAD', 'DEV_RENAME', 'DEV_SET_GEOMETRY', 'TARGET_MSG'].includes(command);
    // What follows the header of the others is room for the answer.
    const end = Math.min(again.length, sends ? bytes.length : HEADER_SIZE);
    assert.equal(again.subarray(0, end), bytes.subarray(0, end));
    return `${command} taken, ${decoded.extra === undefined ? 'as it is' : 'with more'}`;
  },
};

const load: Target = {
  seeds: () =>
    [
      '0 8 linear 8:16 0\n',
      '18446744073709551615 8 striped 2 8 8:16 0 8:32 0',
      '# a\n 0\t8  crypt aes - 0 8:16 0 # b\n8 8 zero\r\n',
      '0 1 a \\ b',
    ].map(text),
  check: (input) => {
    const targets = naive.textOf(input);
    let size = 0;
    const said = agree(
      () => {
        const bytes = encodeRequest('TABLE_LOAD', { name: 'a', targets });
        size = bytes.length;
        return bytes;
      },
      () => encodeTableLoad({ name: 'a', targets }),
    );
    return `${said} ${size}`;
  },
  property: fc.property(table, (targets) => {
    const bytes = encodeRequest('TABLE_LOAD', { name: 'a', targets });
    assert.equal(
      [...bytes.subarray(HEADER_SIZE)],
      naive.encodeChain(targets.map(plainTarget), false),
    );
    assert.equal(bytes, encodeTableLoad({ name: 'a', targets }));
  }),
};

// ── Text ─────────────────────────────────────────────────────────────────────────────────────────

const facts = (
  file: string,
): readonly { readonly lines?: string[]; readonly text?: string; readonly line?: string }[] =>
  factsOf(file) as never;

/** The same bytes as a table, a listing, and devices on one line; what was read is printed and read again. */
const texts: Target = {
  seeds: () =>
    [
      ...facts('kernel-doc-tables').map(({ lines }) => lines!.join('\n')),
      ...facts('tool-test-tables').map(({ lines = [] }) => lines.join('\n')),
      '0 1000 linear 8:16 0\\n1000 24 striped 2 8 8:16 0 8:32 x\n0 8 flakey 8:16 0 1 1 1 drop_writes',
      ...facts('real-status').map(({ line }) => line!),
      ...facts('dm-mod-create').map(({ text: boot }) => boot!),
      ...facts('legacy-dm-boot').map(({ text: boot }) => `dm="${boot!}"`),
      'a\\,b,LVM-x,3,ro,0 8 linear /dev/a\\;b 0,8 8 crypt \\\\x # no;b,,,,0 8 zero ;',
      'a b: c: 0 8 zero \nempty: \n# a\n0 8 zero # b\r\n',
    ].map(text),
  check: (input) => {
    const whole = naive.textOf(input);
    const rows = (targets: readonly naive.PlainTarget[] | readonly LoadTarget[]) =>
      targets.map(({ startSector, length, type, parameters }) => [
        BigInt(startSector),
        BigInt(length),
        type,
        typeof parameters === 'string' ? naive.line(parameters) : parameters,
      ]);
    // What the plain codec makes of the text is what is parsed, target by target.
    const said = agree(
      () => rows(parseTable(whole)),
      () => {
        try {
          const bytes = encodeTableLoad({ name: 'a', targets: whole });
          return rows(decodeRequest('TABLE_LOAD', bytes, { bigint: true }).targets);
        } catch (error) {
          // A table of no targets is one, as text.
          if ((error as Error).message === 'no target') return [];
          throw error;
        }
      },
    );
    if (said === 'taken') {
      const table = parseTable(whole);
      assert.equal(parseTable(formatTable(table)), table);
      assert.equal(parseTable(input), table);
      assert.equal(diffTables(table, table), []);
      explainSector(table, input.length);
    }
    judged(whole, input, said === 'taken');
    const listed = told(() => parseListing(whole));
    const concise = told(() => parseConcise(whole));
    if (typeof concise !== 'string') {
      const printed = told(() => formatConcise(concise as ConciseDevice[])) as string;
      if (!printed.startsWith('refused')) assert.equal(parseConcise(printed), concise);
    }
    const boot = told(() => parseDmModCreate(whole));
    return [said, listed, concise, boot]
      .map((one) => (typeof one === 'string' ? one : 'taken'))
      .join();
  },
};

/** The linter finds what cannot be parsed and no other mistake of grammar, in a text as in its bytes. */
function judged(whole: string, input: Uint8Array, isTable: boolean): void {
  const found = lintTable(whole);
  assert.is(!found.some(({ code }) => code === 'syntax'), isTable);
  for (const { from = 0, to = -1 } of found) assert.ok(from <= to && to <= whole.length);
  const inBytes = lintTable(input);
  assert.equal(
    inBytes.map(({ code, target, parameter }) => [code, target, parameter]),
    found.map(({ code, target, parameter }) => [code, target, parameter]),
  );
  for (const { from = 0, to = -1 } of inBytes) assert.ok(from <= to && to <= input.length);
  if (isTable) {
    const codes = (table: Parameters<typeof lintTable>[0]): string[] =>
      lintTable(table).map(({ code }) => code);
    // Of what stands in a line only, targets know nothing.
    const ofLines = ['literal-newline'];
    assert.equal(
      codes(parseTable(whole)),
      codes(whole).filter((code) => !ofLines.includes(code)),
    );
  }
}

// ── Words ────────────────────────────────────────────────────────────────────────────────────────

const words: Target = {
  seeds: () => ['0 /dev/sdb\\ 1', 'a\\\\b \t c', '\\', ' \u00a0 x'].map(text),
  check: (input) => {
    const plain = naive.split(input).map(naive.textOf);
    assert.equal(splitParameters(input), plain);
    // A word of blanks can be split off, by backslashes, and the kernel has no way to write it back.
    if (plain.some((part) => naive.split(naive.bytesOf(part)).length === 0)) return 'blank';
    assert.equal(splitParameters(joinParameters(plain)), plain);
    return `${Math.min(plain.length, 8)} words`;
  },
  property: fc.property(fc.array(word, { maxLength: 8 }), (parts) => {
    const bytes = parts.map(wordBytes);
    assert.equal(naive.bytesOf(joinParameters(parts)), naive.join(bytes));
  }),
};

// ── The module, and one call beside another ──────────────────────────────────────────────────────

/** Any arguments to any export: no trap, and nothing is written outside of what it was given. */
function bounds(): Target {
  const machines = new Map<string, Machine>();
  return {
    seeds: () => names.map((_, i) => Uint8Array.of(i)),
    check: (input) => {
      const name = names[(input[0] ?? 0) % names.length]!;
      let machine = machines.get(name);
      if (machine === undefined) machines.set(name, (machine = new Machine().fill(name)));
      // Three bytes change one argument: to one that is hostile, or near to what it is.
      const args = [...EXPORTS[name]!.args];
      for (let at = 1; at + 2 < input.length; at += 3) {
        const which = input[at]! % Math.max(1, args.length);
        const how = input[at + 1]!;
        const near = (args[which] ?? 0) + input[at + 2]! - 128;
        args[which] = (how & 1) === 0 ? near : HOSTILE[(how >> 1) % HOSTILE.length]! + (how >> 6);
      }
      const answer = machine.check(name, args.slice(0, EXPORTS[name]!.args.length));
      return `${name} ${answer < 0 ? answer : 'done'}`;
    },
  };
}

/** What a call makes of `bytes`, an error being told as one. */
function told(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return way(error);
  }
}

/** A second call, and one from within, change nothing of what the first one makes. */
const interleaved: Target = {
  seeds: () =>
    recordings('out', ['TABLE_STATUS', 'LIST_DEVICES'])
      .filter(({ out }) => out.length < 600)
      .map(({ out }) => bytesOf(out, HEADER_SIZE)),
  check: (input) => {
    const one = input.subarray(0, input.length >> 1);
    const other = input.subarray(input.length >> 1);
    const calls = [
      () => decodeReply('TABLE_STATUS', input, { bigint: true }),
      () => decodeReply('LIST_DEVICES', input),
      () => encodeRequest('TABLE_LOAD', { targets: naive.textOf(other) }),
      () => splitParameters(one),
      () => encodeReply('TARGET_MSG', { flags: DM_UUID_FLAG, message: naive.textOf(one) }),
    ];
    for (const first of calls) {
      const alone = told(first);
      for (const second of calls) {
        told(second);
        assert.equal(told(first), alone);
      }
    }
    const targets = [{ startSector: 0, length: 1, type: 'x', parameters: one }];
    const alone = told(() => encodeRequest('TABLE_LOAD', { targets }));
    for (const second of calls) {
      const within = {
        ...targets[0]!,
        get type(): string {
          told(second);
          return 'x';
        },
      };
      assert.equal(
        told(() => encodeRequest('TABLE_LOAD', { targets: [within] })),
        alone,
      );
    }
    return typeof alone === 'string' ? alone : 'taken';
  },
};

// ── The model ────────────────────────────────────────────────────────────────────────────────────

const RELEASES = ['5.10', '6.1', '6.12', '7.2'] as const;
/** Those of the control node, one that it does not have, and one of another driver. */
const CODES = [...Object.values(REQUEST_CODE), 0xfd12, 0xc138fe00];
/** No answer of a model takes longer, on any machine. */
const MOST_MS = 5000;

/** What a model begins with: devices with tables of many types, of which some are suspended. */
function inhabited(release: (typeof RELEASES)[number]): [ModelKernel, ModelSnapshot] {
  const kernel = new ModelKernel({ release, major: MAJOR, blockDevices: DISKS });
  const dm = new DeviceMapperSync(kernel);
  for (const { minor, disk, offset, sectors } of SLICES) {
    const name = `slice${minor}`;
    dm.createActiveDevice(name, `0 ${sectors} linear ${disk} ${offset}`, { minor });
  }
  dm.createActiveDevice('a', '0 8 linear 98:0 0\n8 8 striped 1 8 98:16 8', { uuid: 'LVM-a' });
  dm.createActiveDevice('b', '0 64 dust /dev/ubda 0 512');
  dm.loadTable('b', '0 64 zero');
  dm.createActiveDevice('c', '0 64 multipath 0 0 1 1 round-robin 0 1 1 /dev/ubda 1');
  dm.suspend('c');
  dm.createDevice('d');
  dm.sendMessage('a', '@stats_create - /2');
  return [kernel, kernel.snapshot()];
}

/** Any bytes to any request give an errno; what has come back is a request, too. */
function model(): Target {
  const kernels = new Map<string, [ModelKernel, ModelSnapshot]>();
  return {
    // Short enough that each of them is changed: what follows is room for answers.
    seeds: () =>
      generate({ kernel: '6.1', seed: 1, steps: 2000 }).flatMap((sequence) =>
        sequence.flatMap((step) => {
          if (step.do !== 'ioctl') return [];
          const code = CODES.indexOf(step.request);
          return [Uint8Array.of(Math.max(code, 0), 2, ...stepBytes(step).subarray(0, 800))];
        }),
      ),
    check: (input) => {
      const code = CODES[(input[0] ?? 0) % CODES.length]!;
      const release = RELEASES[(input[1] ?? 0) % RELEASES.length]!;
      const [kernel, snapshot] = kernels.get(release) ?? inhabited(release);
      kernels.set(release, [kernel, snapshot]);
      kernel.restore(snapshot);
      const buffer = input.slice(2);
      const begin = performance.now();
      const errnos = [code, code, REQUEST_CODE.TABLE_STATUS].map((request) => {
        const errno = kernel.ioctl(request, buffer);
        if (Number.isInteger(errno) && errno >= 0 && errno < 4096) return errno;
        throw new Error(`it answered ${errno}`);
      });
      const ms = performance.now() - begin;
      if (ms > MOST_MS) throw new Error(`it took ${Math.round(ms)} ms`);
      return `${code} ${errnos.join()}`;
    },
  };
}

export const TARGETS: Readonly<Record<string, Target>> = {
  ...REPLIES,
  request,
  load,
  texts,
  words,
  bounds: bounds(),
  interleaved,
  model: model(),
};
