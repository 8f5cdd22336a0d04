// The raw module at its edges: the last size that is enough and the first that is not, the last address and
// the first behind the end, and what a failure says of its place, to the byte.

import {
  Cell,
  DEVICE_RECORD_SIZE,
  FLOAT_START,
  HEADER_SIZE,
  SAME_NAME,
  SAME_UUID,
  LINE_SIZE,
  Status,
  TARGET_INDEX_SIZE,
  TARGET_RECORD_SIZE,
  TYPE_SHIFT,
  VERSION_RECORD_SIZE,
} from '#internal';
import { assert, suite } from './harness.js';
import * as naive from './naive.js';
import { EXPORTS, LINES, Machine, MEMORY_END, RECORDS, capacityOf, names } from './raw.js';

const SLACK = 8;
const { OUT_OF_BOUNDS, OUTPUT_TOO_SMALL } = Status;
const utf8 = new TextEncoder();

/** For each export its arguments that are capacities; with those of EXPORTS, or these, just enough. */
const CAPACITIES: Readonly<Record<string, Readonly<Record<number, number | undefined>>>> = {
  encodeHeader: { 1: undefined },
  encodeTable: { 1: undefined },
  decodeTable: { 5: undefined, 7: EXPORTS.decodeTable!.args[1] },
  encodeDevices: { 1: 48 * 2 + 20 + 8 },
  decodeDevices: { 4: undefined, 6: EXPORTS.decodeDevices!.args[1] },
  encodeDependencies: { 1: undefined },
  decodeDependencies: { 4: undefined },
  encodeVersions: { 1: 2 * 24 + 11 },
  decodeVersions: { 4: undefined, 6: EXPORTS.decodeVersions!.args[1] },
  encodeString: { 1: 5 },
  encodeMessage: { 1: undefined },
  // The first target, and what the second one could need.
  encodeText: { 1: 48 + capacityOf(1, LINES.length - '# none\n0 8 linear 8:16 0\n'.length) },
  splitWords: { 3: undefined },
  joinWords: { 4: undefined },
};

/** For each export its areas: the argument that is the address, and how long the area is. */
const AREAS: Readonly<
  Record<string, Readonly<Record<number, (args: readonly number[]) => number>>>
> = {
  encodeHeader: { 0: ([, size]) => size! },
  decodeHeader: { 0: ([, size]) => size! },
  encodeTable: {
    0: ([, size]) => size!,
    2: (args) => args[3]! * TARGET_RECORD_SIZE,
    4: (args) => args[5]! * 16,
    6: (args) => args[7]!,
  },
  decodeTable: {
    0: ([, size]) => size!,
    4: (args) => args[5]! * TARGET_INDEX_SIZE,
    6: (args) => args[7]!,
  },
  encodeDevices: {
    0: ([, size]) => size!,
    2: (args) => args[3]! * DEVICE_RECORD_SIZE,
    4: (args) => args[5]!,
  },
  decodeDevices: {
    0: ([, size]) => size!,
    3: (args) => args[4]! * DEVICE_RECORD_SIZE,
    5: (args) => args[6]!,
  },
  encodeDependencies: { 0: ([, size]) => size!, 2: (args) => args[3]! * 8 },
  decodeDependencies: { 0: ([, size]) => size!, 3: (args) => args[4]! },
  encodeVersions: {
    0: ([, size]) => size!,
    2: (args) => args[3]! * VERSION_RECORD_SIZE,
    4: (args) => args[5]!,
  },
  decodeVersions: {
    0: ([, size]) => size!,
    3: (args) => args[4]! * VERSION_RECORD_SIZE,
    5: (args) => args[6]!,
  },
  encodeString: { 0: ([, size]) => size!, 2: (args) => args[3]! },
  decodeString: { 0: ([, size]) => size! },
  encodeMessage: { 0: ([, size]) => size!, 2: (args) => args[3]! },
  decodeMessage: { 0: ([, size]) => size! },
  encodeText: { 0: ([, size]) => size!, 2: (args) => args[3]! },
  splitWords: { 0: ([, size]) => size!, 2: (args) => args[3]! },
  joinWords: { 0: ([, size]) => size!, 3: (args) => args[4]! },
  scanLines: { 0: ([, size]) => size!, 2: (args) => args[3]! * LINE_SIZE },
  findSeparators: { 0: ([, size]) => size!, 2: (args) => args[3]! * 4 },
};

const Exact = suite('exact');

Exact('every export that is given an area is here', () => {
  const given = names.filter((name) => EXPORTS[name]!.args.length > 0);
  assert.equal(Object.keys(AREAS).sort(), given.sort());
});

for (const [name, capacities] of Object.entries(CAPACITIES)) {
  Exact(`${name} takes just enough room, and no less`, () => {
    for (const [at, least] of Object.entries(capacities)) {
      const machine = new Machine().fill(name);
      const index = Number(at);
      const { args } = EXPORTS[name]!;
      const enough = least ?? args[index]!;
      const expected = machine.check(name, args);
      assert.ok(expected >= 0);
      assert.is(machine.check(name, args.with(index, enough)), expected);
      assert.is(machine.check(name, args.with(index, enough - 1)), OUTPUT_TOO_SMALL);
      assert.is(machine.check(name, args.with(index, 0)), OUTPUT_TOO_SMALL);
    }
  });
}

for (const [name, areas] of Object.entries(AREAS)) {
  Exact(`${name} takes areas up to the end of memory, and none behind it`, () => {
    for (const [at, lengthOf] of Object.entries(areas)) {
      const machine = new Machine().fill(name);
      const index = Number(at);
      const { args } = EXPORTS[name]!;
      const length = lengthOf(args);
      const last = MEMORY_END - SLACK - length;
      machine.u8.copyWithin(last, args[index]!, args[index]! + length);
      machine.before.set(machine.u8);
      assert.is.not(machine.check(name, args.with(index, last)), OUT_OF_BOUNDS, `argument ${at}`);
      // By one byte, and whole but for that.
      machine.u8.copyWithin(last + 1, args[index]!, args[index]! + length);
      machine.before.set(machine.u8);
      for (const beyond of [last + 1, MEMORY_END, -8, -1]) {
        assert.is(machine.check(name, args.with(index, beyond)), OUT_OF_BOUNDS, `argument ${at}`);
      }
    }
  });
}

// ── What is read, over memory that is full of something else ─────────────────────────────────────

/** A machine whose input is `bytes`, and what it answers to `name` with `args` after the buffer's. */
function read(name: string, bytes: readonly number[], ...args: number[]): Read {
  const machine = new Machine();
  machine.u8.set(bytes, INPUT);
  const answer = machine.calls[name]!(INPUT, bytes.length, ...args);
  const view = new DataView(machine.memory.buffer);
  const cell = (which: number): number => view.getUint32(machine.cells + 4 * which, true);
  return { answer, view, cell, u8: machine.u8 };
}

interface Read {
  readonly answer: number;
  readonly view: DataView;
  readonly cell: (which: number) => number;
  readonly u8: Uint8Array;
}

const INPUT = 0x4000;
const TEXT = 0x7000;
const OUT = 0x8000;
const OUT2 = 0x9000;
const MOST = 64;

const header = naive.encodeHeader({
  ...{ version: [4, 50, 0], dataSize: 0, dataStart: HEADER_SIZE, targetCount: 2, openCount: 0 },
  ...{ flags: 0, eventNr: 0, dev: 64768, name: 'data', uuid: '' },
});

for (const minor of [36, 37, 44, 45]) {
  Exact(`the records of devices, of interface 4.${minor}`, () => {
    const devices = [
      { name: 'a', dev: 64768, uuid: 'U-1', eventNumber: 7 },
      { name: 'a-longer-name', dev: 1, uuid: '', eventNumber: 0 },
      { name: 'öäü', dev: 0xffffffff, uuid: undefined, eventNumber: 0xffffffff },
    ];
    const bytes = [...header, ...naive.encodeDevices(devices, minor)];
    const { answer, view, cell, u8 } = read(
      ...(['decodeDevices', bytes, HEADER_SIZE, OUT, MOST, OUT2, 0x800, minor] as const),
    );
    assert.is(answer, 3);
    let text = OUT2;
    for (const [i, { name, dev, uuid, eventNumber }] of devices.entries()) {
      const at = OUT + i * DEVICE_RECORD_SIZE;
      const fields = [0, 4, 8, 12, 16, 20].map((offset) => view.getUint32(at + offset, true));
      const known = minor >= 45 && uuid !== undefined;
      const own = known ? utf8.encode(uuid) : new Uint8Array(0);
      const flags = known ? (uuid === '' ? 2 : 1) : 0;
      const given = utf8.encode(name);
      assert.equal(fields, [
        ...[dev, 0, given.length, own.length],
        ...[minor >= 37 ? eventNumber : 0, flags],
      ]);
      assert.equal(u8.slice(text, (text += given.length)), given);
      assert.equal(u8.slice(text, (text += own.length)), own);
    }
    assert.is(cell(Cell.TEXT_LENGTH), text - OUT2);
    assert.is(cell(Cell.NOT_ASCII), 1);
  });
}

Exact('texts that are ASCII, and one byte that is not, at each place of a word', () => {
  const parts = (bytes: readonly number[]): number => {
    const chain = naive.encodeChain(
      [{ startSector: 0n, length: 1n, type: 'x', parameters: Uint8Array.from(bytes) }],
      true,
    );
    const all = [...header, ...chain];
    const { answer, cell } = read(
      ...(['decodeTable', all, HEADER_SIZE, 1, OUT, MOST, OUT2, 0x800, 1, 0, 0] as const),
    );
    assert.is(answer, 1);
    assert.is(cell(Cell.TEXT_LENGTH), bytes.length);
    return cell(Cell.NOT_ASCII);
  };
  for (let length = 1; length < 20; length++) {
    const plain = Array.from({ length }, () => 0x7f);
    assert.is(parts(plain), 0);
    for (let at = 0; at < length; at++)
      assert.is(parts(plain.with(at, 0x80)), 1, `${at} of ${length}`);
  }
});

Exact('an empty list has no text', () => {
  for (const name of ['decodeDevices', 'decodeVersions']) {
    const minor = name === 'decodeDevices' ? [50] : [];
    const { answer, cell } = read(name, header, HEADER_SIZE, OUT, MOST, OUT2, 0x800, ...minor);
    assert.is(answer, 0);
    assert.equal([cell(Cell.TEXT_LENGTH), cell(Cell.NOT_ASCII)], [0, 0]);
  }
});

// ── Where it went wrong ──────────────────────────────────────────────────────────────────────────

const target = { startSector: 8n, length: 8n, type: 'linear', parameters: utf8.encode('8:16 0') };
const TABLE = [...header, ...naive.encodeChain([target, target, target], true)];
const LIST = naive.encodeDevices(
  ['one', 'two', 'three'].map((name) => ({ name, dev: 5, uuid: 'u', eventNumber: 0 })),
  50,
);
const TYPES = naive.encodeVersions(
  ['linear', 'crypt', 'zero'].map((name) => ({ name, version: [1, 2, 3] as const })),
);
const SPEC = 48;
// Of each of the first two.
const DEVICE = 32;

type Broken = readonly [
  what: string,
  name: string,
  /** Bytes that stand in place of others, by offset. */
  patch: Readonly<Record<number, number>>,
  length: number,
  status: number,
  index: number,
  offset: number,
];

const table = (length = TABLE.length): number => length;
const second = HEADER_SIZE + SPEC;
const secondDevice = HEADER_SIZE + DEVICE;
const secondType = HEADER_SIZE + 24;
const BROKEN: readonly Broken[] = [
  ['start', 'decodeTable', { [second + 7]: 1 }, table(), Status.NUMBER_TOO_LARGE, 1, second],
  ['length', 'decodeTable', { [second + 15]: 1 }, table(), Status.NUMBER_TOO_LARGE, 1, second + 8],
  [
    'next',
    'decodeTable',
    { [second + 20]: 2 * SPEC + 4 },
    table(),
    Status.NEXT_UNALIGNED,
    1,
    second + 20,
  ],
  [
    'next, by a byte',
    'decodeTable',
    { [second + 20]: 2 * SPEC + 1 },
    table(),
    Status.NEXT_UNALIGNED,
    1,
    second + 20,
  ],
  [
    'next',
    'decodeTable',
    { [second + 20]: 2 * SPEC - 8 },
    table(),
    Status.NEXT_OVERLAPS,
    1,
    second + 20,
  ],
  [
    'next',
    'decodeTable',
    { [second + 20]: 3 * SPEC },
    table(),
    Status.NEXT_BEYOND_DATA,
    1,
    second + 20,
  ],
  ['spec', 'decodeTable', {}, second + SPEC + 40, Status.RECORD_TRUNCATED, 2, second + SPEC],
  [
    'NUL',
    'decodeTable',
    {},
    second + SPEC + 46,
    Status.PARAMETERS_UNTERMINATED,
    2,
    second + SPEC + 40,
  ],
  [
    ...(['type', 'decodeTable'] as const),
    Object.fromEntries(Array.from({ length: 16 }, (_, i) => [second + 24 + i, 0x61])),
    ...([table(), Status.TYPE_UNTERMINATED, 1, second + 24] as const),
  ],
  ['dev', 'decodeDevices', { [secondDevice + 4]: 1 }, 0, Status.DEV_TOO_LARGE, 1, secondDevice],
  [
    'next',
    'decodeDevices',
    { [secondDevice + 8]: 33 },
    0,
    Status.NEXT_UNALIGNED,
    1,
    secondDevice + 8,
  ],
  [
    'next',
    'decodeDevices',
    { [secondDevice + 8]: 24 },
    0,
    Status.NEXT_OVERLAPS,
    1,
    secondDevice + 8,
  ],
  [
    'next',
    'decodeDevices',
    { [secondDevice + 8]: 72 },
    0,
    Status.NEXT_BEYOND_DATA,
    1,
    secondDevice + 8,
  ],
  ['record', 'decodeDevices', {}, secondDevice + 12, Status.RECORD_TRUNCATED, 1, secondDevice],
  ['name', 'decodeDevices', {}, secondDevice + 15, Status.NAME_UNTERMINATED, 1, secondDevice + 12],
  ['tail', 'decodeDevices', {}, secondDevice + 23, Status.RECORD_TRUNCATED, 1, secondDevice + 16],
  ['uuid', 'decodeDevices', {}, secondDevice + 25, Status.UUID_UNTERMINATED, 1, secondDevice + 24],
  ['next', 'decodeVersions', { [secondType]: 33 }, 0, Status.NEXT_UNALIGNED, 1, secondType],
  ['next', 'decodeVersions', { [secondType]: 16 }, 0, Status.NEXT_OVERLAPS, 1, secondType],
  ['next', 'decodeVersions', { [secondType]: 48 }, 0, Status.NEXT_BEYOND_DATA, 1, secondType],
  ['record', 'decodeVersions', {}, secondType + 16, Status.RECORD_TRUNCATED, 1, secondType],
  ['name', 'decodeVersions', {}, secondType + 20, Status.NAME_UNTERMINATED, 1, secondType + 16],
];

for (const [what, name, patch, length, status, index, offset] of BROKEN) {
  Exact(`${name} says where its ${what} is wrong: ${status}`, () => {
    const rest = { decodeTable: [], decodeDevices: LIST, decodeVersions: TYPES }[name] ?? [];
    const bytes = name === 'decodeTable' ? TABLE.slice() : [...header, ...rest];
    for (const [at, byte] of Object.entries(patch)) bytes[Number(at)] = byte;
    const cut = bytes.slice(0, length === 0 ? undefined : length);
    const minor = name === 'decodeDevices' ? [50] : [];
    const args =
      name === 'decodeTable'
        ? [HEADER_SIZE, 3, OUT, MOST, OUT2, 0x800, 1, 0, 0]
        : [HEADER_SIZE, OUT, MOST, OUT2, 0x800, ...minor];
    const { answer, cell } = read(name, cut, ...args);
    assert.is(answer, status);
    assert.is(cell(Cell.FAIL_INDEX), index);
    assert.is(cell(Cell.FAIL_OFFSET), offset);
  });
}

Exact('the NUL of a uuid is not the first byte of the next record', () => {
  const [one, two] = [8, 9].map((size) =>
    naive.encodeDevices(
      [
        { name: 'a', dev: 1, uuid: 'u'.repeat(size), eventNumber: 0 },
        { name: 'b', dev: 2, uuid: '', eventNumber: 0 },
      ],
      50,
    ),
  ) as [number[], number[]];
  const decode = (list: number[]): number =>
    read('decodeDevices', [...header, ...list], HEADER_SIZE, OUT, MOST, OUT2, 0x800, 50).answer;
  assert.equal([one, two].map(decode), [2, 2]);
  // The first has its NUL at 32, which would do for a record.
  assert.is(one[8], 40);
  one[8] = 32;
  assert.is(decode(one), Status.NEXT_OVERLAPS);
});

Exact('an encode of targets says which one is wrong', () => {
  const RECORDS = 0x5000;
  const NAMES = 0x6000;
  const TEXT = 0x7000;
  const run = (
    change: (view: DataView, at: number, u8: Uint8Array) => void,
    size = 0x1000,
  ): readonly [number, number, number] => {
    const machine = new Machine();
    const view = new DataView(machine.memory.buffer);
    const cell = (which: number): number => view.getUint32(machine.cells + 4 * which, true);
    machine.u8.set(utf8.encode('linear\0\0\0\0\0\0\0\0\0\0zero\0\0\0\0\0\0\0\0\0\0\0\0'), NAMES);
    machine.u8.set(utf8.encode('8:16 08:16 0'), TEXT);
    for (let i = 0; i < 2; i++) {
      const at = RECORDS + i * TARGET_RECORD_SIZE;
      view.setBigUint64(at, 8n, true);
      view.setBigUint64(at + 8, 8n, true);
      view.setUint32(at + 16, 6, true);
      view.setUint32(at + 20, (i << TYPE_SHIFT) | 1, true);
    }
    change(view, RECORDS + TARGET_RECORD_SIZE, machine.u8);
    const answer = machine.calls.encodeTable!(OUT, size, RECORDS, 2, NAMES, 2, TEXT, 12, 0);
    return [answer, cell(Cell.FAIL_INDEX), cell(Cell.FAIL_OFFSET)];
  };
  assert.is(run(() => undefined)[0], 96);
  const float = (value: number, field: 0 | 8) => (view: DataView, at: number) => {
    view.setFloat64(at + field, value, true);
    view.setUint32(at + 20, (1 << TYPE_SHIFT) | 1 | (FLOAT_START << (field / 8)), true);
  };
  for (const value of [0, 2 ** 32, 2 ** 53 - 1]) {
    assert.is(run(float(value, 0))[0], 96);
    assert.is(run(float(value, 8))[0], 96);
  }
  for (const value of [-1, 0.5, 2 ** 53, 2 ** 64, NaN, Infinity, -Infinity]) {
    assert.equal(run(float(value, 0)), [Status.START_NOT_A_SECTOR, 1, 0]);
    assert.equal(run(float(value, 8)), [Status.LENGTH_NOT_A_SECTOR, 1, 0]);
  }
  const type = (bytes: string) => (_: DataView, __: number, u8: Uint8Array) => {
    u8.set(utf8.encode(bytes), NAMES + 16);
  };
  assert.equal(run(type('\0')), [Status.TYPE_EMPTY, 1, 0]);
  assert.equal(run(type('sixteen-letters-')), [Status.TYPE_TOO_LONG, 1, 15]);
  assert.is(run(type('fifteen-letters\0'))[0], 96);
  const text = (bytes: string) => (_: DataView, __: number, u8: Uint8Array) => {
    u8.set(utf8.encode(bytes), TEXT + 6);
  };
  assert.is(run(text('      '))[0], 96);
  assert.equal(run(text('8:16\0 ')), [Status.PARAMETER_HAS_NUL, 1, 4]);
  assert.is(run(text('\\\\\\\\\\\\'))[0], 48 + 56);
  const field = (offset: number, value: number) => (view: DataView, at: number) => {
    view.setUint32(at + offset, value, true);
  };
  assert.is(run(field(16, 7))[0], OUT_OF_BOUNDS);
  assert.is(run(field(20, (2 << TYPE_SHIFT) | 1))[0], OUT_OF_BOUNDS);
});

Exact('a text says where its lines are wrong', () => {
  const run = (text: string): readonly [number, number] => {
    const machine = new Machine();
    const bytes = utf8.encode(text);
    machine.u8.set(bytes, INPUT);
    const answer = machine.calls.encodeText!(OUT, 0x2000, INPUT, bytes.length);
    const view = new DataView(machine.memory.buffer);
    return [answer, view.getUint32(machine.cells + 4 * Cell.FAIL_OFFSET, true)];
  };
  const good = '0 8 zero\n';
  const wrong: readonly (readonly [string, number, number])[] = [
    ['x 8 zero\n', Status.LINE_NO_START, 0],
    ['8x 8 zero\n', Status.LINE_NO_START, 0],
    ['-8 8 zero\n', Status.LINE_NO_START, 0],
    ['8\n', Status.LINE_NO_LENGTH, 1],
    ['8 x zero\n', Status.LINE_NO_LENGTH, 2],
    ['8  8\n', Status.LINE_NO_TYPE, 4],
    ['8 8 \n', Status.LINE_NO_TYPE, 4],
    ['8 8 sixteen-letters- a\n', Status.TYPE_TOO_LONG, 4],
    ['8 8 ze\0ro\n', Status.LINE_HAS_NUL, 6],
    ['8 8 zero a\0b\n', Status.LINE_HAS_NUL, 10],
    ['8 8 zero a \0\n', Status.LINE_HAS_NUL, 11],
    ['18446744073709551616 8 zero\n', Status.LINE_NUMBER_TOO_LARGE, 0],
    ['8 18446744073709551616 zero\n', Status.LINE_NUMBER_TOO_LARGE, 2],
    ['8 99999999999999999999999 zero\n', Status.LINE_NUMBER_TOO_LARGE, 2],
  ];
  for (const [line, status, offset] of wrong) {
    assert.equal(run(line), [status, offset], line);
    assert.equal(run(good + line + good), [status, good.length + offset], line);
  }
  for (const line of [
    ...['18446744073709551615 8 zero\n', '00000000000000000000000000008 8 zero\n'],
    ...['\t8\v8\f zero \r\n', '8 8 fifteen-letters\n', '8 8 zero#\n', ' # all\n8 8 zero a#b\n'],
  ]) {
    assert.is(run(line)[0], 48, line);
  }
  // Without a line feed at its end it is a host's mistake.
  assert.is(run('8 8 zero')[0], OUT_OF_BOUNDS);
  assert.is(run('')[0], OUT_OF_BOUNDS);
});

Exact('what is next to a space is none, and each space is one', () => {
  const run = (bytes: readonly number[]): number => {
    const machine = new Machine();
    machine.u8.set(bytes, INPUT);
    return machine.calls.encodeText!(OUT, 0x2000, INPUT, bytes.length);
  };
  const line = (space: number): number[] => [
    ...[space, 0x38, space, 0x38, space, 0x61, space, 0x62, space, 0x0a],
  ];
  for (const space of [0x20, 0x09, 0x0b, 0x0c, 0x0d]) assert.is(run(line(space)), 48);
  for (const none of [0x01, 0x08, 0x0e, 0x1f, 0x21, 0xa0]) {
    assert.is(run(line(none)), Status.LINE_NO_START);
    assert.is(run([0x38, none, 0x38, 0x20, 0x61, 0x0a]), Status.LINE_NO_START);
    assert.is(run([0x38, 0x20, 0x38, none, 0x61, 0x0a]), Status.LINE_NO_LENGTH);
    // In a type or behind it, it is a byte like others, and a part of the parameters too.
    assert.is(run([0x38, 0x20, 0x38, 0x20, none, 0x0a]), 48);
    assert.is(run([0x38, 0x20, 0x38, 0x20, 0x61, 0x20, none, 0x0a]), 48);
  }
});

Exact('a header, a string and a message say where they are broken', () => {
  const place = (name: string, bytes: readonly number[], ...args: number[]): number[] => {
    const { answer, cell } = read(name, bytes, ...args);
    return [answer, cell(Cell.FAIL_INDEX), cell(Cell.FAIL_OFFSET)];
  };
  const full = (from: number, size: number): number[] =>
    header.map((byte, at) => (at >= from && at < from + size ? 0x61 : byte));
  assert.equal(place('decodeHeader', header.slice(0, 304)), [Status.HEADER_TRUNCATED, 0, 304]);
  assert.equal(place('decodeHeader', full(48, 128)), [Status.NAME_UNTERMINATED, 0, 48]);
  assert.equal(place('decodeHeader', full(176, 129)), [Status.UUID_UNTERMINATED, 0, 176]);
  const text = [...utf8.encode('12345678abc')];
  for (const start of [11, 12, 0x7fffffff, -1]) {
    assert.equal(place('decodeString', text, start), [Status.RECORD_TRUNCATED, 0, start >>> 0]);
  }
  assert.equal(place('decodeString', text, 3), [Status.TEXT_UNTERMINATED, 0, 3]);
  assert.is(read('decodeString', [...text, 0], 3).answer, 8);
  for (const start of [3, 11, -1]) {
    assert.equal(place('decodeMessage', text, start), [Status.RECORD_TRUNCATED, 0, start >>> 0]);
  }
  assert.equal(place('decodeMessage', text, 0), [Status.TEXT_UNTERMINATED, 0, 8]);
  assert.is(read('decodeMessage', [...text, 0], 0).answer, 3);
  assert.is(read('decodeMessage', [...text.slice(0, 8), 0], 0).answer, 0);
});

Exact('dependencies end where the count says, and not behind the data', () => {
  const bytes = [...header, ...naive.encodeDependencies([1, 0xffffffff])];
  const args = [OUT, 0x100];
  assert.is(read('decodeDependencies', bytes, HEADER_SIZE, ...args).answer, 2);
  assert.is(read('decodeDependencies', bytes, bytes.length, ...args).answer, 0);
  assert.is(read('decodeDependencies', bytes, bytes.length + 1, ...args).answer, 0);
  const place = (patched: readonly number[], start = HEADER_SIZE): number[] => {
    const { answer, cell } = read('decodeDependencies', patched, start, ...args);
    return [answer, cell(Cell.FAIL_INDEX), cell(Cell.FAIL_OFFSET)];
  };
  const last = bytes.length - 7;
  assert.equal(place(bytes, last), [Status.RECORD_TRUNCATED, 0, last]);
  assert.equal(place(bytes.with(HEADER_SIZE, 3)), [Status.COUNT_BEYOND_DATA, 0, HEADER_SIZE]);
  for (let less = 1; less <= 16; less++) {
    assert.equal(place(bytes.slice(0, -less)), [Status.COUNT_BEYOND_DATA, 0, HEADER_SIZE]);
  }
  const second = HEADER_SIZE + 16;
  assert.equal(place(bytes.with(second + 4, 1)), [Status.DEV_TOO_LARGE, 1, second]);
});

Exact('dependencies are written over whatever was there', () => {
  const { calls, u8 } = new Machine().fill('encodeDependencies');
  const [out, ...rest] = EXPORTS.encodeDependencies!.args as [number, ...number[]];
  const expected = naive.encodeDependencies([2048, 2064]);
  assert.is(calls.encodeDependencies!(out, ...rest), expected.length);
  assert.equal([...u8.subarray(out, out + expected.length)], expected);
});

Exact('an encode of strings, lists and words says what is wrong, and which', () => {
  const RECORDS = 0x5000;
  const TEXT = 0x7000;
  const run = (
    name: string,
    args: readonly number[],
    text: string,
    records: readonly number[] = [],
  ): number[] => {
    const machine = new Machine();
    const view = new DataView(machine.memory.buffer);
    machine.u8.set(utf8.encode(text), TEXT);
    records.forEach((value, i) => {
      view.setUint32(RECORDS + 4 * i, value, true);
    });
    const answer = machine.calls[name]!(...args);
    const cell = (which: number): number => view.getUint32(machine.cells + 4 * which, true);
    return [answer, cell(Cell.FAIL_INDEX), cell(Cell.FAIL_OFFSET), cell(Cell.FAIL_WORD)];
  };
  const string = (text: string, limit = 9): number[] =>
    run('encodeString', [OUT, 0x100, TEXT, text.length, limit], text).slice(0, 3);
  assert.equal(string(''), [Status.TEXT_EMPTY, 0, 0]);
  assert.equal(string('0123456789'), [Status.TEXT_TOO_LONG, 0, 9]);
  assert.equal(string('0123456\x008'), [Status.TEXT_HAS_NUL, 0, 7]);
  assert.is(string('012345678')[0], 10);

  const message = (text: string, words = 0): number[] =>
    run('encodeMessage', [OUT, 0x100, TEXT, text.length, words, 0, 0], text);
  assert.equal(message('').slice(0, 3), [Status.PARAMETER_EMPTY, 0, 0]);
  assert.equal(message(' \t').slice(0, 3), [Status.PARAMETER_BLANK, 0, 0]);
  assert.equal(message('ab\x00c').slice(0, 3), [Status.PARAMETER_HAS_NUL, 0, 2]);
  assert.is(message('abc')[0], 12);
  assert.is(message('ab\x00c', 2)[0], 13);
  assert.equal(message('ab\x00c', 1).slice(0, 3), [Status.PARAMETER_HAS_NUL, 0, 4]);
  assert.equal(message('ab\x00\x00c', 3), [Status.PARAMETER_EMPTY, 0, 3, 1]);
  assert.equal(message('ab\x00 \x00c', 3), [Status.PARAMETER_BLANK, 0, 3, 1]);

  const devices = (text: string): number[] =>
    run('encodeDevices', [OUT, 0x200, RECORDS, 2, TEXT, 6, 50], text, [
      ...[1, 0, 2, 1, 0, 1],
      ...[2, 0, 2, 1, 0, 1],
    ]);
  assert.is(devices('abcdef')[0], 64);
  assert.equal(devices('abcd\x00f').slice(0, 3), [Status.NAME_HAS_NUL, 1, 0]);
  assert.equal(devices('abcde\x00').slice(0, 3), [Status.UUID_HAS_NUL, 1, 0]);
  assert.equal(devices('a\x00cdef').slice(0, 3), [Status.NAME_HAS_NUL, 0, 0]);

  const versions = (text: string, lengths = [2, 3]): number[] =>
    run('encodeVersions', [OUT, 0x200, RECORDS, 2, TEXT, 5], text, [
      ...[1, 2, 3, lengths[0]!],
      ...[1, 2, 3, lengths[1]!],
    ]);
  assert.is(versions('abcde')[0], 48);
  assert.equal(versions('abc\x00e').slice(0, 3), [Status.NAME_HAS_NUL, 1, 0]);
  assert.is(versions('abcde', [2, 4])[0], OUT_OF_BOUNDS);
});

Exact('a name and a uuid say how long they may be', () => {
  const run = (name: number, uuid: number, nul = -1): number[] => {
    const machine = new Machine();
    machine.set(Cell.NAME_LENGTH, name);
    machine.set(Cell.UUID_LENGTH, uuid);
    machine.u8.fill(0x61, machine.calls.nameSlot!(), machine.calls.nameSlot!() + 128);
    machine.u8.fill(0x62, machine.calls.uuidSlot!(), machine.calls.uuidSlot!() + 129);
    if (nul >= 0) machine.u8[machine.calls.nameSlot!() + nul] = 0;
    const answer = machine.calls.encodeHeader!(OUT, HEADER_SIZE);
    const view = new DataView(machine.memory.buffer);
    if (answer > 0) {
      const expected = [
        ...Array.from({ length: 128 }, (_, i) => (i < name ? 0x61 : 0)),
        ...Array.from({ length: 136 }, (_, i) => (i < uuid ? 0x62 : 0)),
      ];
      assert.equal([...machine.u8.subarray(OUT + 48, OUT + HEADER_SIZE)], expected);
    }
    const cell = (which: number): number => view.getUint32(machine.cells + 4 * which, true);
    return answer > 0 ? [answer] : [answer, cell(Cell.FAIL_INDEX), cell(Cell.FAIL_OFFSET)];
  };
  for (let length = 0; length <= 127; length++)
    assert.equal(run(length, 128 - length), [HEADER_SIZE]);
  assert.equal(run(127, 128), [HEADER_SIZE]);
  assert.equal(run(128, 0), [Status.NAME_TOO_LONG, 0, 127]);
  assert.equal(run(0, 129), [Status.UUID_TOO_LONG, 0, 128]);
  assert.equal(run(0x10003, 0), [Status.NAME_TOO_LONG, 0, 127]);
  assert.equal(run(0, 0x10003), [Status.UUID_TOO_LONG, 0, 128]);
  assert.equal(run(9, 0, 8), [Status.NAME_HAS_NUL, 0, 8]);
  assert.equal(run(9, 0, 9), [HEADER_SIZE]);
});

Exact('numbers of every length are read as they are', () => {
  const machine = new Machine();
  const view = new DataView(machine.memory.buffer);
  for (let digits = 1; digits <= 20; digits++) {
    for (const text of ['1', '9', '5'].map((digit) => digit.padEnd(digits, '0123456789'))) {
      const value = BigInt(text);
      if (value >= 1n << 64n) continue;
      const bytes = utf8.encode(`${text} ${text} a\n`);
      machine.u8.set(bytes, INPUT);
      assert.is(machine.calls.encodeText!(OUT, 0x2000, INPUT, bytes.length), 48);
      assert.is(view.getBigUint64(OUT, true), value);
      assert.is(view.getBigUint64(OUT + 8, true), value);
    }
  }
});

Exact('a text of more than 64 KiB, and more types than 16 bits of a kind can tell', () => {
  const [length, row] = [70_000, 5000];
  const { calls, memory } = new Machine();
  const at = calls.reserve!(4 * MEMORY_END);
  const [types, text, out] = [at + 0x100, at + 0x20000, at + 0x40000];
  const u8 = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  view.setBigUint64(at + 8, 8n, true);
  view.setUint32(at + 16, length, true);
  view.setUint32(at + 20, (row << TYPE_SHIFT) | 1, true);
  u8.set(utf8.encode('linear'.padEnd(16, '\0')), types + 16 * row);
  u8.fill(0x61, text, text + length);
  const capacity = 48 + 2 * length + 16;
  const args = [out, capacity, at, 1, types, row + 1, text, length, 0] as const;
  assert.is(calls.encodeTable!(...args), 40 + length + 8);
  assert.is(new TextDecoder().decode(u8.subarray(out + 24, out + 30)), 'linear');
  const put = u8.subarray(out + 40, out + 40 + length);
  assert.ok(put.every((byte) => byte === 0x61));
  assert.is(u8[out + 40 + length], 0);
});

// ── Memory ───────────────────────────────────────────────────────────────────────────────────────

Exact(
  'memory grows by doubling up to 1 MiB at once, by what is asked for above that, else not',
  () => {
    const { calls, memory } = new Machine();
    const base = calls.reserve!(0);
    /** The most bytes that so many pages have room for, with the slack behind them. */
    const room = (pages: number): number => pages * 0x10000 - base - 8;
    for (const [bytes, pages] of [
      [room(2), 2],
      [room(2) + 1, 4],
      [room(4), 4],
      [room(4) + 1, 8],
      [room(8) + 1, 16],
      [room(16) + 1, 32],
      [room(32) + 1, 48],
      [room(48), 48],
      [room(48) + 1, 64],
      [room(79), 80],
      [room(97), 97],
      [room(1), 97],
      [room(97) + 1, 113],
    ] as const) {
      assert.is(calls.reserve!(bytes), base);
      assert.is(memory.buffer.byteLength / 0x10000, pages, `${bytes} bytes`);
    }
    const other = new Machine();
    for (const [bytes, pages] of [
      [room(15), 15],
      [room(15) + 1, 30],
    ] as const) {
      assert.is(other.calls.reserve!(bytes), base);
      assert.is(other.memory.buffer.byteLength / 0x10000, pages, `${bytes} bytes`);
    }
    assert.is(calls.reserve!(-1), Status.OUT_OF_MEMORY);
    assert.is(memory.buffer.byteLength / 0x10000, 113);
  },
);

const NOBODY = { dev: 1, uuid: '', eventNumber: 0 };

Exact('records that are there in part only are looked at by none', () => {
  const count = 100;
  for (const [name, size, rest] of [
    ['encodeDevices', DEVICE_RECORD_SIZE, [50]],
    ['encodeVersions', VERSION_RECORD_SIZE, []],
  ] as const) {
    const machine = new Machine();
    // Records of nothing, of which the last lies behind the end by a byte.
    const from = MEMORY_END - SLACK - count * size + 1;
    machine.u8.fill(0, from);
    const answer = machine.calls[name]!(OUT, 0x2000, from, count, TEXT, 0, ...rest);
    assert.is(answer, OUT_OF_BOUNDS, name);
  }
});

Exact('a list may have more than 64 KiB between two of its records', () => {
  const gap = 0x10008;
  for (const [name, nextAt, rest] of [
    ['decodeDevices', 8, [36]],
    ['decodeVersions', 0, []],
  ] as const) {
    const { calls, memory } = new Machine();
    const at = calls.reserve!(4 * MEMORY_END);
    const length = HEADER_SIZE + gap + 32;
    const [records, text] = [at + length + 16, at + length + 0x1000].map((n) => (n + 7) & ~7);
    new Uint8Array(memory.buffer).fill(0, at, at + length);
    const view = new DataView(memory.buffer);
    // A first record without a device says that there are none.
    view.setUint32(at + HEADER_SIZE, 1, true);
    view.setUint32(at + HEADER_SIZE + nextAt, gap, true);
    const answer = calls[name]!(at, length, HEADER_SIZE, records!, 4, text!, length, ...rest);
    assert.is(answer, 2, name);
  }
});

Exact('the last record may end with the NUL of an empty name', () => {
  const list = [...header, ...naive.encodeDevices([{ ...NOBODY, name: '' }], 36)];
  const types = [...header, ...naive.encodeVersions([{ name: '', version: [1, 2, 3] }])];
  const rest = [HEADER_SIZE, OUT, MOST, OUT2, 0x800];
  assert.is(read('decodeDevices', list.slice(0, HEADER_SIZE + 13), ...rest, 36).answer, 1);
  assert.is(read('decodeVersions', types.slice(0, HEADER_SIZE + 17), ...rest).answer, 1);
});

Exact('of a chain that was cut a `next` counts where more than padding stands behind it', () => {
  // With padding behind its text, and without.
  for (const parameters of ['a', 'seven b']) {
    const spec = naive.encodeChain(
      [{ startSector: 0n, length: 8n, type: 'zero', parameters: utf8.encode(parameters) }],
      true,
    );
    spec[20] = 7;
    const run = (more: number): number => {
      const bytes = [...header, ...spec, ...new Uint8Array(more)];
      return read('decodeTable', bytes, HEADER_SIZE, 2, OUT, MOST, OUT2, 0x800, 1, 1, 0).answer;
    };
    assert.is(spec.length, 48);
    assert.is(run(0), 1);
    assert.is(run(1), Status.NEXT_UNALIGNED);
  }
});

Exact('a header has its size', () => {
  const machine = new Machine().fill('encodeHeader');
  assert.is(machine.check('encodeHeader', EXPORTS.encodeHeader!.args), HEADER_SIZE);
});

Exact('a header says whether its strings stand in their slots', () => {
  const machine = new Machine();
  const answer = (name: number[], uuid: number[], lengths = [name.length, uuid.length]): number => {
    const bytes = [...header];
    bytes.splice(48, 128, ...name, ...new Array<number>(128 - name.length).fill(0));
    bytes.splice(176, 136, ...uuid, ...new Array<number>(136 - uuid.length).fill(0));
    machine.u8.set(bytes, INPUT);
    machine.set(Cell.NAME_LENGTH, lengths[0]!);
    machine.set(Cell.UUID_LENGTH, lengths[1]!);
    const said = machine.calls.decodeHeader!(INPUT, HEADER_SIZE);
    const view = new DataView(machine.memory.buffer, machine.cells);
    assert.is(view.getUint32(4 * Cell.NAME_LENGTH, true), name.length);
    assert.is(view.getUint32(4 * Cell.UUID_LENGTH, true), uuid.length);
    return said;
  };
  const [nameSlot, uuidSlot] = [machine.calls.nameSlot!(), machine.calls.uuidSlot!()];
  for (let length = 0; length <= 127; length++) {
    const name = Array.from({ length }, (_, i) => i + 1);
    const uuid = [...name, 0xff];
    machine.u8.set([...name, 0xab], nameSlot);
    machine.u8.set([...uuid, 0xab], uuidSlot);
    assert.is(answer(name, uuid), SAME_NAME | SAME_UUID);
    assert.is(answer(name, uuid, [length + 1, length]), 0);
    assert.is(answer(name, uuid, [0x80000000 + length, length + 1]), SAME_UUID);
    for (let at = 0; at < length; at++) {
      const other = name.with(at, name[at]! ^ 0x80);
      assert.is(answer(other, uuid), SAME_UUID);
      assert.is(answer(name, [...other, 0xff]), SAME_NAME);
    }
    assert.is(answer(name, [...name, 0xfe]), SAME_NAME);
  }
});

Exact('a device number is one that a host can have', () => {
  const dev = (high: number, low = 0xffffffff): readonly number[] => {
    const bytes = Uint8Array.from(header);
    new DataView(bytes.buffer).setUint32(40, low, true);
    new DataView(bytes.buffer).setUint32(44, high, true);
    const { answer, cell } = read('decodeHeader', [...bytes]);
    return answer < 0 ? [answer, cell(Cell.FAIL_INDEX), cell(Cell.FAIL_OFFSET)] : [answer];
  };
  // It has no uuid, and nor has the slot.
  assert.equal(dev(0x1fffff), [SAME_UUID]);
  assert.equal(dev(0x200000, 0), [Status.DEV_TOO_LARGE, 0, 40]);
  assert.equal(dev(0xffffffff), [Status.DEV_TOO_LARGE, 0, 40]);
});

Exact("a record's numbers have 32 bits, its device 64", () => {
  const machine = new Machine().fill('encodeDevices');
  const view = new DataView(machine.memory.buffer);
  view.setUint32(RECORDS + 4, 0x12345678, true);
  view.setUint32(RECORDS + 16, 0x9abcdef0, true);
  assert.ok(machine.calls.encodeDevices!(...EXPORTS.encodeDevices!.args) > 0);
  assert.is(view.getUint32(OUT + 4, true), 0x12345678);
  // Behind the name and its NUL, from a multiple of 8 on.
  assert.is(view.getUint32(OUT + 24, true), 0x9abcdef0);
});

Exact('a name has not more bytes than there are, its length modulo 65,536 neither', () => {
  for (const [name, at] of [
    ['encodeDevices', RECORDS + 8],
    ['encodeDevices', RECORDS + 12],
    ['encodeVersions', RECORDS + 12],
  ] as const) {
    const machine = new Machine().fill(name);
    const view = new DataView(machine.memory.buffer);
    const length = view.getUint32(at, true);
    for (const more of [100, 0x10000]) {
      view.setUint32(at, length + more, true);
      assert.is(machine.calls[name]!(...EXPORTS[name]!.args), OUT_OF_BOUNDS, name);
    }
  }
});

Exact('a `next` of 2^31 and more lies behind the end, not before the name', () => {
  const patch = { [secondType + 3]: 0x80 };
  const bytes = [...header, ...TYPES].map((byte, at) => patch[at] ?? byte);
  const { answer } = read('decodeVersions', bytes, HEADER_SIZE, OUT, MOST, OUT2, 0x800);
  assert.is(answer, Status.NEXT_BEYOND_DATA);
});

Exact('a `next` has 32 bits: 65,536 more than the right one lies behind the end', () => {
  const nexts = { decodeDevices: 8, decodeVersions: 0, decodeTable: 20 };
  for (const [name, at] of Object.entries(nexts)) {
    const machine = new Machine().fill(name);
    assert.ok(machine.calls[name]!(...EXPORTS[name]!.args) > 0, name);
    machine.u8[INPUT + HEADER_SIZE + at + 2] = 1;
    assert.is(machine.calls[name]!(...EXPORTS[name]!.args), Status.NEXT_BEYOND_DATA, name);
  }
});

Exact('the flags of a device have 32 bits', () => {
  const machine = new Machine().fill('decodeDevices');
  const { args } = EXPORTS.decodeDevices!;
  const view = new DataView(machine.memory.buffer);
  // Behind dev, next, and a name of eight bytes with its NUL and padding: event_nr, and then the flags.
  const flags = INPUT + HEADER_SIZE + 24 + 4;
  view.setUint32(flags, view.getUint32(flags, true) | 0x20000, true);
  assert.ok(machine.calls.decodeDevices!(...args) > 0);
  assert.is(view.getUint32(args[3]! + 20, true) & ~0xffff, 0x20000);
});

Exact('a message of one blank word says which word it is', () => {
  const machine = new Machine();
  machine.u8[TEXT] = 0x20;
  machine.set(Cell.FAIL_WORD, 9);
  assert.is(machine.calls.encodeMessage!(OUT, 64, TEXT, 1, 1, 0, 0), Status.PARAMETER_BLANK);
  const view = new DataView(machine.memory.buffer);
  assert.is(view.getUint32(machine.cells + 4 * Cell.FAIL_WORD, true), 0);
});

// ── Lines ────────────────────────────────────────────────────────────────────────────────────────

/** scanLines, and what is left of it with nothing but the text; of a wrong number the value is not told. */
function scanned(text: Uint8Array, how: number): number[][] {
  const { calls, memory } = new Machine();
  const at = calls.reserve!(4 * MEMORY_END);
  const rows = (at + text.length + 15) & ~7;
  new Uint8Array(memory.buffer).set(text, at);
  const count = calls.scanLines!(at, text.length, rows, 1024, how);
  const cells = new Uint32Array(memory.buffer, rows, (count * LINE_SIZE) / 4);
  return Array.from({ length: count }, (_, i) =>
    naive.toldOf(Array.from(cells.subarray((i * LINE_SIZE) / 4, ((i + 1) * LINE_SIZE) / 4))),
  );
}

/** Lines of what names and numbers are made of, at random. */
function linesAtRandom(count: number): string[] {
  const parts = ['0', '18446744073709551615', '18446744073709551616', 'a', ':', 'a:', '#', '\0'];
  const blanks = [' ', ' ', '  ', '\t', ': ', '\v\f\r'];
  let x = 20260722;
  const below = (most: number): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % most;
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + below(10) }, (_, i) => {
      const from = (i + below(3)) % 3 === 0 ? parts : blanks;
      return below(4) === 0 ? '0 8 zero' : from[below(from.length)]!;
    }).join(''),
  );
}

for (const how of [0, 1, 2, 3]) {
  Exact(`lines are read as by a reader of one byte at a time, of kind ${how}`, () => {
    const text = utf8.encode(
      ['a:', 'a: ', 'a: 0 8 zero', '0 8 zero', '0 8 a: 0 8 zero', '0 8: 0 8 zero', ':0 8 x: 0 8 y']
        .concat([
          'a: 0\r8 zero',
          'a: 0\x088 zero',
          '  0 8 zero a: 0 8 zero',
          'a: 0 8\x01zero',
          'a: 0\x01 8 zero',
          'a: 0 8\x0ezero',
          'a: 0 8:zero',
        ])
        .concat(linesAtRandom(700))
        .join('\n'),
    );
    assert.equal(scanned(text, how), naive.scan(text, how));
  });
}

Exact('a line may stand behind 64 KiB of others', () => {
  const text = utf8.encode(`${'\n'.repeat(0x10100)}data: 0 8 linear 8:16 0 # end`);
  assert.equal(scanned(text, 3), naive.scan(text, 3));
});

Exact('a name may have more than 64 KiB, and the uuid stands behind it', () => {
  const { calls, memory } = new Machine();
  const at = calls.reserve!(8 * MEMORY_END);
  const name = 'x'.repeat(0x10100);
  const list = naive.encodeDevices([{ ...NOBODY, name, uuid: 'y' }], 50);
  const bytes = [...header, ...list];
  const records = (at + bytes.length + 15) & ~7;
  const text = records + DEVICE_RECORD_SIZE;
  const u8 = new Uint8Array(memory.buffer);
  u8.set(bytes, at);
  const { length } = bytes;
  assert.is(calls.decodeDevices!(at, length, HEADER_SIZE, records, 1, text, length, 50), 1);
  assert.is(new TextDecoder().decode(u8.subarray(text, text + name.length + 1)), `${name}y`);
});

Exact('a separator may stand behind 64 KiB of text', () => {
  const { calls, memory } = new Machine();
  const at = calls.reserve!(4 * MEMORY_END);
  const text = utf8.encode(`${'x'.repeat(0x10100)},y;`);
  const offsets = (at + text.length + 15) & ~7;
  new Uint8Array(memory.buffer).set(text, at);
  assert.is(calls.findSeparators!(at, text.length, offsets, 2, 0), 2);
  assert.equal([...new Uint32Array(memory.buffer, offsets, 2)], [0x10100, 0x10102]);
});

Exact('a text and what it becomes lie apart, with the slack between them', () => {
  const machine = new Machine().fill('encodeText');
  const [, room, text, length] = EXPORTS.encodeText!.args as [number, number, number, number];
  const run = (out: number): number => machine.check('encodeText', [out, room, text, length]);
  assert.is(run(text + length + SLACK), 96);
  assert.is(run(text + length + SLACK - 1), OUT_OF_BOUNDS);
  assert.is(run(text - room - SLACK), 96);
  assert.is(run(text - room - SLACK + 1), OUT_OF_BOUNDS);
});

Exact.run();
