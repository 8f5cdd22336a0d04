// Requests and replies through the door, against the naive codec of naive.ts. In one sentence: any
// value is encoded as the naive codec does or is an InputError, any bytes are decoded as the naive
// codec does or are an error that says where, and nothing else ever happens.

import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  makeDev,
  splitParameters,
  type Command,
  type Header,
  type ReplyInput,
  type Request,
  type Target,
} from 'devicemapper/codec';
import * as fc from 'fast-check';
import { inspect } from 'node:util';
import { assert, suite } from './harness.js';
import * as naive from './naive.js';
import {
  cBytes,
  cText,
  header,
  isBlank,
  line,
  plainTarget,
  record,
  sector,
  table,
  type,
  u32,
  word,
  wordBytes,
} from './values.js';

/** Each command that the codec speaks, and whether its answer has a payload. */
const COMMANDS: Readonly<Record<Command, 'header' | 'payload'>> = {
  VERSION: 'header',
  REMOVE_ALL: 'header',
  LIST_DEVICES: 'payload',
  DEV_CREATE: 'header',
  DEV_REMOVE: 'header',
  DEV_SUSPEND: 'header',
  DEV_STATUS: 'header',
  TABLE_LOAD: 'header',
  TABLE_CLEAR: 'header',
  TABLE_DEPS: 'payload',
  TABLE_STATUS: 'payload',
  DEV_WAIT: 'payload',
  LIST_VERSIONS: 'payload',
  TARGET_MSG: 'payload',
  GET_TARGET_VERSION: 'payload',
  DEV_RENAME: 'header',
  DEV_SET_GEOMETRY: 'header',
  DEV_ARM_POLL: 'header',
};
const command = fc.constantFrom(...(Object.keys(COMMANDS) as Command[]));
/** What carries something behind the header of its request. */
const SENDS: readonly Command[] = ['TABLE_LOAD', 'DEV_RENAME', 'DEV_SET_GEOMETRY', 'TARGET_MSG'];
/** What came with a later interface than 4.0 (dm-ioctl.h and its history). */
const SINCE: Partial<Record<Command, number>> = {
  LIST_VERSIONS: 1,
  TARGET_MSG: 2,
  DEV_SET_GEOMETRY: 6,
  DEV_ARM_POLL: 37,
  GET_TARGET_VERSION: 41,
};
type Query = 'LIST_DEVICES' | 'TABLE_DEPS' | 'TABLE_STATUS' | 'LIST_VERSIONS' | 'TARGET_MSG';
const REPLY_SPACE = 16384;

fc.configureGlobal({ includeErrorInReport: true });

// ── What is encoded ──────────────────────────────────────────────────────────────────────────────

/** `fields` in place of what a header has when nothing is said. */
function whole(fields: Partial<Header>): naive.PlainHeader {
  return {
    version: [4, 0, 0],
    dataSize: 312,
    dataStart: 312,
    targetCount: 0,
    openCount: 0,
    flags: 0,
    eventNr: 0,
    dev: 0,
    name: '',
    uuid: '',
    ...fields,
  };
}

/** Own fields only: a line's `words` are on its prototype. */
function plain(value: object): unknown {
  return structuredClone(value);
}

/** What any error of the codec may say. */
interface Failure extends Error {
  readonly code?: string;
  readonly path?: string;
  readonly offset?: number;
  readonly line?: number;
  readonly column?: number;
  readonly command?: string;
}

function caught(call: () => unknown): Failure {
  try {
    call();
  } catch (error) {
    return error as Failure;
  }
  throw new Error('nothing was thrown');
}

// ── Requests ─────────────────────────────────────────────────────────────────────────────────────

const Requests = suite('requests');

Requests('every command is encoded as the naive codec does, and decoded to the same again', () => {
  const each = fc.property(
    command.filter((name) => !SENDS.includes(name)),
    header,
    fc.option(u32, { nil: undefined }),
    (name, fields, targetCount) => {
      const dataSize = COMMANDS[name] === 'payload' ? REPLY_SPACE : 312;
      const request = targetCount === undefined ? fields : { ...fields, targetCount };
      const bytes = encodeRequest(name, request);
      const expected = new Uint8Array(dataSize);
      expected.set(naive.encodeHeader(whole({ ...request, dataSize })));
      assert.equal(bytes, expected);
      const decoded = decodeRequest(name, bytes);
      assert.equal(decoded, whole({ ...request, dataSize }));
      assert.equal(encodeRequest(name, decoded), bytes);
    },
  );
  fc.assert(each);
});

Requests('what is left out has the values that a correct caller would send', () => {
  for (const [key, answer] of Object.entries(COMMANDS)) {
    const name = key as Command;
    const version = [4, SINCE[name] ?? 0, 0] as const;
    const payload = {
      targets: '0 8 zero',
      newName: 'x',
      geometry: { cylinders: 1, heads: 2, sectors: 3, start: 4 },
      message: 'help',
    };
    const bytes = encodeRequest(name, SENDS.includes(name) ? (payload as Request) : {});
    if (answer === 'payload') assert.is(bytes.length, REPLY_SPACE);
    else if (!SENDS.includes(name)) assert.is(bytes.length, 312);
    const targetCount = name === 'TABLE_LOAD' ? 1 : 0;
    assert.equal(
      naive.decodeHeader(bytes),
      whole({ version, dataSize: bytes.length, targetCount }),
    );
  }
});

const textUpTo = (length: number) => cText(length).filter((text) => text !== '');

Requests('new names and uuids are encoded as the naive codec does, and decoded again', () => {
  const renaming = fc.oneof(record({ newName: textUpTo(127) }), record({ newUuid: textUpTo(128) }));
  const each = fc.property(header, renaming, fc.nat(50), (fields, payload, room) => {
    const isUuid = 'newUuid' in payload;
    const text = isUuid ? payload.newUuid : payload.newName;
    const string = [...naive.bytesOf(text), 0];
    const flags = isUuid ? (fields.flags | 0x4000) >>> 0 : fields.flags & ~0x4000;
    const said = { ...fields, flags: flags >>> 0, dataSize: 312 + string.length + room };
    const { dataSize } = said;
    const bytes = encodeRequest('DEV_RENAME', {
      ...fields,
      flags: flags >>> 0,
      ...payload,
      dataSize,
    });
    const expected = new Uint8Array(dataSize);
    expected.set([...naive.encodeHeader(whole(said)), ...string]);
    assert.equal(bytes, expected);
    const decoded = decodeRequest('DEV_RENAME', bytes);
    assert.equal(decoded, { ...whole(said), ...payload });
    assert.equal(encodeRequest('DEV_RENAME', decoded), bytes);
  });
  fc.assert(each);
});

Requests('geometries are the text that the kernel scans, and decoded again', () => {
  const geometry = record({
    cylinders: fc.nat(65535),
    heads: fc.nat(255),
    sectors: fc.nat(255),
    start: fc.maxSafeNat(),
  });
  const each = fc.property(header, geometry, (fields, given) => {
    const text = `${given.cylinders} ${given.heads} ${given.sectors} ${given.start}`;
    const bytes = encodeRequest('DEV_SET_GEOMETRY', { ...fields, geometry: given });
    const said = { ...fields, dataSize: 312 + text.length + 1 };
    const expected = [...naive.encodeHeader(whole(said)), ...naive.bytesOf(text), 0];
    assert.equal([...bytes], expected);
    const decoded = decodeRequest('DEV_SET_GEOMETRY', bytes);
    assert.equal(decoded, { ...whole(said), geometry: given });
    assert.equal(encodeRequest('DEV_SET_GEOMETRY', decoded), bytes);
  });
  fc.assert(each);
});

Requests('messages are encoded as the naive codec does, and decoded to the same bytes', () => {
  const visible = (bytes: Uint8Array) => !isBlank(bytes);
  const message = fc.oneof(
    fc.array(word, { minLength: 1, maxLength: 5 }),
    cText(60).filter((text) => visible(naive.bytesOf(text))),
    cBytes(60).filter(visible),
  );
  const each = fc.property(
    header,
    message,
    fc.oneof(fc.maxSafeNat(), sector),
    (fields, given, at) => {
      const text = Array.isArray(given) ? naive.join(given.map(wordBytes)) : wordBytes(given);
      const bytes = encodeRequest('TARGET_MSG', { ...fields, message: given, sector: at });
      const said = { ...fields, dataSize: REPLY_SPACE };
      const expected = new Uint8Array(REPLY_SPACE);
      expected.set([...naive.encodeHeader(whole(said)), ...naive.encodeMessage(BigInt(at), text)]);
      assert.equal(bytes, expected);
      const decoded = decodeRequest('TARGET_MSG', bytes, { bigint: true });
      assert.equal(decoded, { ...whole(said), sector: BigInt(at), message: text });
      assert.equal(encodeRequest('TARGET_MSG', decoded), bytes);
    },
  );
  fc.assert(each, { numRuns: 300 });
});

Requests('whatever is decoded encodes to the very same bytes again', () => {
  const requests: [Command, Uint8Array][] = [
    ['DEV_STATUS', encodeRequest('DEV_STATUS', { name: 'a' })],
    ['LIST_DEVICES', encodeRequest('LIST_DEVICES', { dataSize: 320 })],
    ['DEV_RENAME', encodeRequest('DEV_RENAME', { name: 'a', newName: 'b', dataSize: 330 })],
    ['TARGET_MSG', encodeRequest('TARGET_MSG', { message: 'help', dataSize: 340 })],
    ['TABLE_LOAD', encodeRequest('TABLE_LOAD', { targets: [oneTarget, oneTarget], dataSize: 440 })],
  ];
  for (const [name, good] of requests) {
    let survived = 0;
    for (const bytes of mutants(good)) {
      let again: Uint8Array;
      try {
        again = encodeRequest(name, decodeRequest(name, bytes, { bigint: true }));
      } catch (error) {
        assert.is((error as Error).name, 'InputError');
        continue;
      }
      survived++;
      const end = SENDS.includes(name) ? again.length : 312;
      assert.equal(again.subarray(0, end), bytes.subarray(0, Math.min(end, again.length)));
    }
    assert.ok(survived > 300, `${name} ${survived}`);
  }
  const past = [{ offset: 311, bytes: new Uint8Array(2) }];
  assert.is(refusal(() => encodeRequest('DEV_STATUS', { extra: past })).path, 'extra[0].offset');
});

Requests('any bytes of a message are decoded as the naive codec does, or an InputError', () => {
  const message = encodeRequest('TARGET_MSG', {
    name: 'a',
    message: 'help \u00e0',
    sector: 8,
    dataSize: 340,
  });
  for (const bytes of mutants(message)) {
    const expected = attempt(() => {
      const { dataSize, dataStart } = naive.decodeHeader(bytes);
      if (dataSize < 305 || dataSize > bytes.length || dataStart < 305 || dataStart > dataSize) {
        throw new naive.Refused();
      }
      return naive.decodeMessage(bytes.subarray(0, dataSize), dataStart);
    });
    try {
      const { sector, message } = decodeRequest('TARGET_MSG', bytes, { bigint: true });
      assert.equal({ sector, message }, expected);
    } catch (error) {
      assertPlaced(error as Failure, 'InputError', bytes, expected);
    }
  }
});

Requests('tables are encoded as the naive codec does, and decoded to the same again', () => {
  const each = fc.property(header, table, fc.nat(100), (fields, targets, room) => {
    const chain = naive.encodeChain(targets.map(plainTarget), false);
    const dataSize = 312 + chain.length + room;
    const said = { ...fields, targetCount: targets.length, dataSize };
    const bytes = encodeRequest('TABLE_LOAD', { ...fields, targets, dataSize });
    const expected = new Uint8Array(dataSize);
    expected.set([...naive.encodeHeader(whole(said)), ...chain]);
    assert.equal(bytes, expected);
    const decoded = decodeRequest('TABLE_LOAD', bytes, { bigint: true });
    assert.equal(decoded, { ...whole(said), targets: targets.map(plainTarget) });
    assert.equal(encodeRequest('TABLE_LOAD', decoded), bytes);
  });
  fc.assert(each, { numRuns: 300 });
});

Requests('any bytes of a request are decoded as the naive codec does, or an InputError', () => {
  const good = encodeRequest('TABLE_LOAD', {
    name: 'sample',
    targets: [
      { startSector: 0, length: 8, type: 'linear', parameters: ['8:16', 0] },
      { startSector: 8, length: 8, type: 'striped', parameters: [1, 8, '/dev/s\u00e0', 0] },
      { startSector: 16, length: 8, type: 'error', parameters: '' },
    ],
  });
  for (const bytes of mutants(good)) {
    const expected = attempt(() => naiveRequest(bytes));
    try {
      assert.equal(decodeRequest('TABLE_LOAD', bytes, { bigint: true }).targets, expected);
    } catch (error) {
      assertPlaced(error as Failure, 'InputError', bytes, expected);
    }
  }
});

function naiveRequest(bytes: Uint8Array): naive.PlainTarget[] {
  const { dataSize, dataStart, targetCount } = naive.decodeHeader(bytes);
  if (dataSize < 305 || dataSize > bytes.length || dataStart < 40 || dataStart > dataSize) {
    throw new naive.Refused();
  }
  const valid = bytes.subarray(0, dataSize);
  return naive.decodeChain(valid, dataStart, targetCount, { reply: false, full: false });
}

Requests('a table as text is the same as its targets', () => {
  const text = [
    '# a comment',
    '0 2048 linear /dev/sdb 34 # another',
    '',
    '\t2048 10 striped   2  8 \\d \u00e0 ',
    '2058 18446744073709551615 zero',
  ].join('\n');
  const targets: Target[] = [
    { startSector: 0, length: 2048, type: 'linear', parameters: '/dev/sdb 34' },
    { startSector: 2048, length: 10, type: 'striped', parameters: '2  8 \\d \u00e0' },
    { startSector: 2058, length: 18446744073709551615n, type: 'zero', parameters: '' },
  ];
  const load = (table: string | Target[]) => encodeRequest('TABLE_LOAD', { targets: table });
  assert.equal(load(text), load(targets));
  assert.equal(load(`${text}\n`), load(targets));
});

Requests('text of any targets that a line can say is the same as these', () => {
  const shown = fc.stringMatching(/^[!-"$-~\u00e0\u20ac]{1,15}$/u);
  const short = shown.filter((text) => naive.bytesOf(text).length < 16);
  const row = record({
    startSector: sector,
    length: sector,
    type: short,
    parameters: fc.array(shown, { maxLength: 4 }).map((words) => words.join(' ')),
  });
  const each = fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (targets) => {
    const lines = targets.map(
      ({ startSector, length, type, parameters }) =>
        `${startSector} ${length} ${type} ${parameters}`,
    );
    assert.equal(
      encodeRequest('TABLE_LOAD', { targets: lines.join('\n') }),
      encodeRequest('TABLE_LOAD', { targets }),
    );
  });
  fc.assert(each);
});

Requests('`into` takes the bytes, and a view of it comes back', () => {
  const into = new Uint8Array(400).fill(0xaa);
  const bytes = encodeRequest('DEV_STATUS', { name: 'data', dataSize: 320 }, into);
  assert.is(bytes.buffer, into.buffer);
  assert.equal(bytes, encodeRequest('DEV_STATUS', { name: 'data', dataSize: 320 }));
  assert.equal(into.subarray(320), new Uint8Array(80).fill(0xaa));
  const exact = new Uint8Array(312);
  assert.is(encodeRequest('DEV_STATUS', {}, exact), exact);
});

Requests('no call leaves anything for the next one', () => {
  const long = { name: 'n'.repeat(127), uuid: 'u'.repeat(128), dev: 2 ** 53 - 1, eventNr: 7 };
  encodeRequest('DEV_STATUS', { ...long, flags: 0xffffffff, openCount: -1 });
  assert.equal(
    encodeRequest('DEV_STATUS', { name: 'x' }).subarray(0, 312),
    Uint8Array.from(naive.encodeHeader(whole({ name: 'x' }))),
  );
});

Requests('a name is told as it stands, whatever the one before it was', () => {
  // Few of them, so that one often has the length of another, or a beginning of it.
  const unit = fc.constantFrom('a', 'b', '\0', '\u00e9', '\udcc3', '\udca9', '\udfff');
  const name = fc.string({ unit, maxLength: 12 });
  const call = fc.record({ name, uuid: name, isReply: fc.boolean() });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 8 }), (calls) => {
      for (const { name, uuid, isReply } of calls) {
        const isWrong = /[\0\udfff]/.test(name + uuid);
        const bytes = isWrong
          ? undefined
          : Uint8Array.from(naive.encodeHeader(whole({ name, uuid })));
        if (!isReply && bytes === undefined) {
          // It ends half-way through: what it leaves behind is what this is about.
          assert.throws(() => encodeRequest('DEV_STATUS', { name, uuid }));
        } else if (!isReply) {
          assert.equal(encodeRequest('DEV_STATUS', { name, uuid }), bytes);
        }
        if (bytes === undefined) continue;
        assert.equal(plain(decodeReply('DEV_STATUS', bytes)), naive.decodeHeader(bytes));
      }
    }),
  );
});

Requests('a value that calls the codec while it is read is encoded as any other', () => {
  const other = '0 1 zero\n'.repeat(20000);
  const calls = [
    () => encodeRequest('TABLE_LOAD', { name: 'inner', flags: 1, targets: other }),
    () => encodeReply('DEV_STATUS', { name: 'inner', version: [9, 9, 9] }),
    () => splitParameters('inner '.repeat(100)),
  ];
  const targets = [0, 1].map((i) => ({
    startSector: i,
    length: 1,
    type: `type${i}`,
    parameters: ['8:16', i, '\u00e0'],
  }));
  const request = { version: [4, 1, 2], flags: 3, eventNr: 4, dev: 5, name: 'outer', targets };
  const expected = encodeRequest('TABLE_LOAD', request as unknown as Request<'TABLE_LOAD'>);
  for (const call of calls) {
    const nosy = <T extends object>(value: T): T =>
      new Proxy(value, {
        get(inner, key) {
          call();
          const found: unknown = Reflect.get(inner, key);
          return typeof found === 'object' && !Object.isFrozen(found) ? nosy(found!) : found;
        },
      });
    const outer = nosy({ ...request, targets: targets.map((row) => nosy(row)) });
    assert.equal(encodeRequest('TABLE_LOAD', outer as unknown as Request<'TABLE_LOAD'>), expected);
  }
});

// ── What is refused ──────────────────────────────────────────────────────────────────────────────

Requests('a table of many types, in any order, is encoded as the naive codec does', () => {
  const some = fc.array(type, { minLength: 12, maxLength: 40 });
  const each = fc.property(some, fc.infiniteStream(fc.nat()), (types, picks) => {
    const targets = Array.from({ length: 60 }, (_, i) => ({
      startSector: i,
      length: 1,
      type: types[i < types.length ? i : picks.next().value % types.length]!,
      parameters: `${i}`,
    }));
    // Twice: nothing of the first one's types is there for the second.
    for (const table of [targets, targets.toReversed()]) {
      const bytes = encodeRequest('TABLE_LOAD', { targets: table });
      assert.equal([...bytes.subarray(312)], naive.encodeChain(table.map(plainTarget), false));
    }
  });
  fc.assert(each);
});

const Refusals = suite('refusals');

/** The place that an InputError of this call names, and its message. */
function refusal(call: () => unknown): Failure {
  const error = caught(call);
  assert.is(error.name, 'InputError', inspect(error));
  assert.is(error.code, 'ERR_DM_INPUT');
  return error;
}

const oneTarget = { startSector: 0, length: 1, type: 'linear', parameters: ['8:16', 0] };
/** A load whose second target has `fields`. */
function load(fields: object): () => Uint8Array {
  const targets = [oneTarget, { ...oneTarget, ...fields }];
  return () => encodeRequest('TABLE_LOAD', { targets });
}
function status(fields: object): () => Uint8Array {
  return () => encodeRequest('DEV_STATUS', fields);
}

Refusals('numbers that are no sectors', () => {
  const wrong: [unknown, string][] = [
    [-1, '-1'],
    [0.5, '0.5'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [2 ** 53, '9007199254740992; a bigint holds it exactly'],
    [-1n, '-1n'],
    [2n ** 64n, '18446744073709551616n'],
    ['8', '"8"'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{}, 'an object'],
  ];
  for (const field of ['startSector', 'length']) {
    for (const [value, shown] of wrong) {
      const { path, message } = refusal(load({ [field]: value }));
      assert.is(path, `targets[1].${field}`);
      assert.is(message, `${path}: expected a number of 512-byte sectors, got ${shown}`);
    }
  }
});

Refusals('numbers that a header cannot hold', () => {
  const values: unknown[] = [-1, 0.5, NaN, 2 ** 32, '1', null, 1n, {}, Symbol('1')];
  for (const field of ['flags', 'eventNr', 'targetCount', 'dataSize', 'dataStart']) {
    for (const value of values) assert.is(refusal(status({ [field]: value })).path, field);
  }
  for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, NaN, '1', null, 1n]) {
    assert.is(refusal(status({ openCount: value })).path, 'openCount');
  }
  for (const value of [-1, 0.5, NaN, 2 ** 53, '1', null, 1n]) {
    assert.is(refusal(status({ dev: value })).path, 'dev');
  }
  assert.is(refusal(status({ version: [4, -1, 0] })).path, 'version[1]');
  assert.is(refusal(status({ version: [4, 0] })).path, 'version[2]');
});

Refusals('sizes that do not fit', () => {
  const place = (call: () => unknown) => refusal(call).path;
  assert.is(place(status({ dataSize: 304 })), 'dataSize');
  assert.is(place(status({ dataSize: 2 ** 30 + 1 })), 'dataSize');
  assert.is(encodeRequest('DEV_STATUS', { dataSize: 305 }).length, 305);
  const targets = [oneTarget];
  assert.is(
    place(() => encodeRequest('TABLE_LOAD', { targets, dataSize: 358 })),
    'dataSize',
  );
  assert.is(
    place(() => encodeRequest('TABLE_LOAD', { targets, dataStart: 320 })),
    'dataStart',
  );
  const { path, message } = refusal(() => encodeRequest('DEV_STATUS', {}, new Uint8Array(311)));
  assert.is(path, 'into');
  assert.is(message, 'into: expected room for 312 bytes, got 311');
});

Refusals('names, uuids and types that are too long, by bytes', () => {
  assert.is(
    refusal(status({ name: 'n'.repeat(128) })).message,
    'name: expected at most 127 bytes, got 128; DM_NAME_LEN is 128 with its NUL',
  );
  assert.is(
    refusal(status({ uuid: '\u00e0'.repeat(65) })).message,
    'uuid: expected at most 128 bytes, got 130; DM_UUID_LEN is 129 with its NUL',
  );
  assert.is(refusal(status({ name: 'n'.repeat(100000) })).path, 'name');
  for (const type of ['t'.repeat(16), '\u00e0'.repeat(8), 't'.repeat(1000)]) {
    const { path, message } = refusal(load({ type }));
    assert.is(path, 'targets[1].type');
    assert.match(message, /expected at most 15 bytes, got \d+; DM_MAX_TYPE_NAME is 16/);
  }
});

Refusals('a NUL inside of a word, which makes two of it', () => {
  const { path } = refusal(load({ parameters: ['8:16', 'a\0b'] }));
  assert.is(path, 'targets[1].parameters[1]');
});

Refusals('NUL wherever it stands, as it would end the text for the kernel', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const places: [() => unknown, string][] = [
    [status({ name: 'a\0' }), 'name'],
    [status({ name: '\u00e0\0b' }), 'name'],
    [status({ uuid: '\0' }), 'uuid'],
    [load({ type: '\0' }), 'targets[1].type'],
    [load({ type: 'linear\0' }), 'targets[1].type'],
    [load({ type: 'a\0b' }), 'targets[1].type'],
    [load({ type: '\u00e0\0' }), 'targets[1].type'],
    [load({ parameters: 'a\0b' }), 'targets[1].parameters'],
    [load({ parameters: 'a\0' }), 'targets[1].parameters'],
    [load({ parameters: bytes('\0') }), 'targets[1].parameters'],
    [load({ parameters: ['a', '\0'] }), 'targets[1].parameters[1]'],
    [load({ parameters: ['a\0', 'b'] }), 'targets[1].parameters[0]'],
    [load({ parameters: ['a', bytes('b\0'), 'c'] }), 'targets[1].parameters[1]'],
    [() => encodeReply('LIST_DEVICES', { devices: [{ name: 'a\0', dev: 1 }] }), 'devices[0].name'],
    [
      () => encodeReply('LIST_DEVICES', { devices: [{ name: 'a', uuid: '\0b', dev: 1 }] }),
      'devices[0].uuid',
    ],
  ];
  for (const [call, path] of places) {
    assert.is(
      refusal(call).message,
      `${path}: expected no NUL, which would end the text for the kernel`,
    );
  }
});

Refusals('parameters that the kernel would never see', () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  for (const empty of ['', bytes()]) {
    const { path, message } = refusal(load({ parameters: ['a', empty, 'b'] }));
    assert.is(path, 'targets[1].parameters[1]');
    assert.match(message, /expected a parameter, got ""/);
  }
  for (const blank of [' ', '\t\n\v\f\r ', '\udca0', bytes(0xa0, 0x20)]) {
    const { path, message } = refusal(load({ parameters: ['a', 'b', blank] }));
    assert.is(path, 'targets[1].parameters[2]');
    assert.match(message, /expected a parameter, got only blanks/);
  }
});

Refusals('shapes that are none', () => {
  const loads: [unknown, string][] = [
    [[], 'targets'],
    ['', 'targets'],
    ['# nothing\n', 'targets'],
    [undefined, 'targets'],
    [null, 'targets'],
    [{ length: 1, 0: oneTarget }, 'targets'],
    [[null], 'targets[0]'],
    [[oneTarget, 'linear'], 'targets[1]'],
    [[oneTarget, undefined], 'targets[1]'],
    [new Array(1048577), 'targets'],
  ];
  for (const [targets, path] of loads) {
    const request = { targets } as Request<'TABLE_LOAD'>;
    assert.is(refusal(() => encodeRequest('TABLE_LOAD', request)).path, path);
  }
  const fields: [object, string][] = [
    [{ type: '' }, 'type'],
    [{ type: 5 }, 'type'],
    [{ type: undefined }, 'type'],
    [{ parameters: undefined }, 'parameters'],
    [{ parameters: 5 }, 'parameters'],
    [{ parameters: { length: 0 } }, 'parameters'],
    [{ parameters: new Uint16Array(1) }, 'parameters'],
    [{ parameters: [null] }, 'parameters[0]'],
    [{ parameters: ['a', 0.5] }, 'parameters[1]'],
    [{ parameters: ['a', 2 ** 53] }, 'parameters[1]'],
    [{ parameters: ['a', ['b']] }, 'parameters[1]'],
  ];
  for (const [field, path] of fields) assert.is(refusal(load(field)).path, `targets[1].${path}`);
  assert.is(refusal(status({ name: null })).path, 'name');
  assert.is(refusal(status({ uuid: 5 })).path, 'uuid');
  for (const name of ['DM_VERSION', 'toString', '', undefined] as unknown as Command[]) {
    const bytes = new Uint8Array(312);
    assert.is(refusal(() => encodeRequest(name, {})).path, 'command');
    assert.is(refusal(() => decodeRequest(name, bytes)).path, 'command');
    assert.is(refusal(() => encodeReply(name, {})).path, 'command');
    assert.is(refusal(() => decodeReply(name, bytes)).path, 'command');
  }
});

Refusals('lone surrogates, but for those that stand for a byte', () => {
  const wrong = ['\ud800', 'a\udfff', '\udc7f', '\udd00', '\udc80\ud83d'];
  for (const text of wrong) {
    assert.is(refusal(status({ name: text })).path, 'name');
    assert.is(refusal(load({ type: text })).path, 'targets[1].type');
    assert.is(refusal(load({ parameters: text })).path, 'targets[1].parameters');
    assert.is(refusal(load({ parameters: ['a', text] })).path, 'targets[1].parameters[1]');
    const targets = `0 1 linear ${text}`;
    assert.is(refusal(() => encodeRequest('TABLE_LOAD', { targets })).path, 'targets');
  }
  const bytes = encodeRequest('DEV_STATUS', { name: 'a\udcff\udc80' });
  assert.equal([...bytes.subarray(48, 52)], [0x61, 0xff, 0x80, 0]);
});

Refusals('a place in a text, in UTF-16 units', () => {
  const lines: [string, number, number][] = [
    ['0 1 linear \u{1f4be}\nx 1 linear', 2, 1],
    ['0 1 linear\n 7 -1 linear', 2, 4],
    ['0 1', 1, 4],
    ['0', 1, 2],
    ['0 18446744073709551616 linear', 1, 3],
    ['\n\n0 1 sixteen-bytes-xx a', 3, 5],
    ['0 1 linear \u00e0\0', 1, 13],
    ['0 1 lin\0ear', 1, 8],
  ];
  for (const [text, line, column] of lines) {
    const error = refusal(() => encodeRequest('TABLE_LOAD', { targets: text }));
    assert.equal([error.line, error.column], [line, column], text);
    const before = text.split('\n').slice(0, line - 1);
    assert.is(error.offset, before.join('\n').length + (line > 1 ? 1 : 0) + column - 1);
  }
});

Refusals('bytes that may be a secret are in no error', () => {
  const secret = new TextEncoder().encode('SECRETkey');
  const ended = Uint8Array.of(...secret, 0);
  const calls: (() => unknown)[] = [
    load({ parameters: ['crypt', ended] }),
    load({ parameters: [secret, ''] }),
    load({ parameters: ended }),
    load({ type: secret }),
    load({ startSector: secret, parameters: secret }),
    status({ name: secret }),
    () => encodeRequest('TABLE_LOAD', { targets: secret as never }),
    () => encodeRequest('TABLE_LOAD', { targets: [{ ...oneTarget, parameters: [secret] }] }, ended),
  ];
  const targets = [{ ...oneTarget, parameters: secret }];
  const request = encodeRequest('TABLE_LOAD', { targets });
  const text = 312 + 40;
  calls.push(() => decodeRequest('TABLE_LOAD', withField(request, 12, text + secret.length)));
  const reply = encodeReply('TABLE_STATUS', { targets });
  calls.push(() => decodeReply('TABLE_STATUS', withField(reply, 12, text + secret.length)));
  // A `data_start` that lies makes a spec of what is a key.
  calls.push(() => decodeReply('TABLE_STATUS', withField(reply, 16, text - 1)));
  const hex = 'SECRET'.replace(/./g, (letter) => `${letter.charCodeAt(0).toString(16)} `).trim();
  for (const call of calls) {
    const error = caught(call);
    const said = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);
    const leaks = [/SECRET/, new RegExp(hex), /83, 69, 67/].filter((leak) => leak.test(said));
    assert.equal(leaks.map(String), [], said);
  }
});

// ── Replies ──────────────────────────────────────────────────────────────────────────────────────

const Replies = suite('replies');

const withHeader = (fields: Partial<Header>, dataSize: number, targetCount = 0) =>
  whole({ ...fields, dataSize, targetCount });

Replies('a header alone is encoded as the naive codec does, and decoded to the same again', () => {
  const alone = command.filter((name) => COMMANDS[name] === 'header');
  const each = fc.property(alone, header, (name, fields) => {
    const bytes = encodeReply(name, fields as ReplyInput);
    const said = withHeader(fields, 305);
    assert.equal([...bytes], naive.encodeHeader(said).slice(0, 305));
    assert.equal(decodeReply(name, bytes), said);
    assert.equal(encodeReply(name, decodeReply(name, bytes) as ReplyInput), bytes);
  });
  fc.assert(each);
});

Replies('the version of a reply is the newest one when nothing is said', () => {
  assert.equal(decodeReply('VERSION', encodeReply('VERSION', {})).version, [4, 50, 0]);
});

Replies('targets are encoded as the naive codec does, and decoded to the same again', () => {
  const each = fc.property(header, fc.array(line, { maxLength: 6 }), (fields, targets) => {
    const rows = targets.map((row) => ({ ...row, parameters: naive.bytesOf(row.parameters) }));
    const size = targets.length === 0 ? 305 : 312 + naive.usedBytes(rows);
    const said = withHeader(fields, size, targets.length);
    const bytes = encodeReply('TABLE_STATUS', { ...fields, targets });
    const expected = [...naive.encodeHeader(said), ...naive.encodeChain(rows, true)];
    assert.equal([...bytes], expected.slice(0, size));
    const decoded = decodeReply('TABLE_STATUS', bytes, { bigint: true });
    assert.equal(plain(decoded), { ...said, targets });
    assert.equal(encodeReply('TABLE_STATUS', decoded), bytes);
  });
  fc.assert(each, { numRuns: 300 });
});

Replies('types are told by all of their bytes, wherever they stand', () => {
  // Of four words all but one byte the same; many of them; and what is behind the NUL is not looked at.
  const types = Array.from({ length: 15 }, (_, at) => `${'a'.repeat(at)}b`.padEnd(15, 'a'));
  types.push(...Array.from({ length: 40 }, (_, i) => `type-${i}`), 'r\u00e4id', 'r\udce4id');
  const targets = [...types, ...types.toReversed()].map((type, i) => {
    return { startSector: i, length: 1, type, parameters: '' };
  });
  const bytes = encodeReply('TABLE_STATUS', { targets });
  const typesOf = (reply: Uint8Array): string[] =>
    decodeReply('TABLE_STATUS', reply).targets.map(({ type }) => type);
  const expected = targets.map(({ type }) => type);
  assert.equal(typesOf(bytes), expected);
  for (let offset = 1; offset <= 8; offset++) {
    const moved = new Uint8Array(bytes.length + offset);
    moved.set(bytes.subarray(0, 312));
    moved.set(bytes.subarray(312), 312 + offset);
    const view = new DataView(moved.buffer);
    view.setUint32(12, moved.length, true);
    view.setUint32(16, 312 + offset, true);
    assert.equal(typesOf(moved), expected);
  }
  // Three bytes of the last `next`, which nobody follows, and a type: together they are another one.
  const one = { startSector: 0, length: 1, type: 'defg', parameters: '' };
  const lone = encodeReply('TABLE_STATUS', { targets: [one] });
  const off = new Uint8Array(lone.length + 3);
  off.set(lone.subarray(0, 312));
  off.set(lone.subarray(312), 315);
  off.set(naive.bytesOf('\0abc'), 315 + 20);
  off[12] = off.length & 0xff;
  off[16] = 315 & 0xff;
  const named = encodeReply('TABLE_STATUS', { targets: [{ ...one, type: 'abcdefg' }] });
  assert.equal([typesOf(named), typesOf(off)], [['abcdefg'], ['defg']]);
  for (let at = 312, i = 0; i < targets.length; i++, at += 48) {
    bytes.fill(i, at + 24 + naive.bytesOf(expected[i]!).length + 1, at + 40);
  }
  assert.equal(typesOf(bytes), expected);
});

const device = record({
  name: cText(127),
  dev: fc.integer({ min: 1, max: 0xffffffff }),
  uuid: fc.option(cText(128), { nil: undefined }),
  eventNumber: u32,
});

Replies('devices are encoded as the naive codec does, and decoded to the same again', () => {
  const each = fc.property(header, fc.array(device, { maxLength: 6 }), (fields, given) => {
    const minor = fields.version[1];
    const devices = given.map(({ uuid, ...rest }) =>
      uuid === undefined ? rest : { ...rest, uuid },
    );
    const list = naive.encodeDevices(given, minor);
    const said = withHeader(fields, 312 + list.length);
    const bytes = encodeReply('LIST_DEVICES', { ...fields, devices });
    assert.equal([...bytes], [...naive.encodeHeader(said), ...list]);
    const decoded = decodeReply('LIST_DEVICES', bytes);
    assert.equal(plain(decoded), { ...said, devices: given.map((each) => listed(each, minor)) });
    assert.equal(encodeReply('LIST_DEVICES', decoded), bytes);
  });
  fc.assert(each, { numRuns: 300 });
});

/** A device as a kernel of interface 4.`minor` tells it. */
function listed({ name, dev, uuid, eventNumber }: naive.PlainDevice, minor: number): object {
  return {
    ...numbered(dev),
    name,
    ...(minor >= 37 && { eventNumber }),
    ...(minor >= 45 && uuid !== undefined && { uuid }),
  };
}

function numbered(dev: number): { dev: number; major: number; minor: number } {
  const high = Math.floor(dev / 2 ** 20);
  return { dev, major: Math.floor(dev / 256) % 4096, minor: high * 256 + (dev % 256) };
}

Replies('dependencies are encoded as the naive codec does, and decoded to the same again', () => {
  const each = fc.property(header, fc.array(u32, { maxLength: 9 }), (fields, devs) => {
    const list = naive.encodeDependencies(devs);
    const said = withHeader(fields, 312 + list.length);
    const deps = devs.map(numbered);
    const bytes = encodeReply('TABLE_DEPS', { ...fields, deps });
    assert.equal([...bytes], [...naive.encodeHeader(said), ...list]);
    const decoded = decodeReply('TABLE_DEPS', bytes);
    assert.equal(decoded, { ...said, deps });
    assert.equal(encodeReply('TABLE_DEPS', decoded), bytes);
    for (const { dev, major, minor } of deps) assert.is(makeDev(major, minor), dev);
  });
  fc.assert(each);
});

const versions = fc.array(record({ name: cText(30), version: fc.tuple(u32, u32, u32) }), {
  maxLength: 6,
});

Replies('versions are encoded as the naive codec does, and decoded to the same again', () => {
  const each = fc.property(header, versions, (fields, given) => {
    const list = naive.encodeVersions(given);
    // The kernel reckons seven bytes of padding for each (list_version_get_needed()).
    const counted = given.reduce(
      (sum, { name }) => sum + 16 + naive.bytesOf(name).length + 1 + 7,
      0,
    );
    const said = withHeader(fields, 312 + counted);
    const expected = new Uint8Array(312 + counted);
    expected.set([...naive.encodeHeader(said), ...list]);
    for (const name of ['LIST_VERSIONS', 'GET_TARGET_VERSION'] as const) {
      const bytes = encodeReply(name, { ...fields, versions: given });
      assert.equal(bytes, expected);
      const decoded = decodeReply(name, bytes);
      assert.equal(decoded, { ...said, versions: given });
      assert.equal(encodeReply(name, decoded), bytes);
    }
  });
  fc.assert(each);
});

Replies('an answer to a message is its text, and none is none', () => {
  const each = fc.property(header, fc.option(cText(60), { nil: undefined }), (fields, message) => {
    const flags = message === undefined ? fields.flags & ~0x10000 : fields.flags | 0x10000;
    const string = message === undefined ? [] : [...naive.bytesOf(message), 0];
    const size = message === undefined ? 305 : 312 + string.length;
    const said = withHeader({ ...fields, flags: flags >>> 0 }, size);
    const given = message === undefined ? {} : { message };
    const bytes = encodeReply('TARGET_MSG', { ...fields, flags: flags >>> 0, ...given });
    assert.equal([...bytes], [...naive.encodeHeader(said), ...string].slice(0, size));
    assert.equal(decodeReply('TARGET_MSG', bytes), { ...said, message });
  });
  fc.assert(each);
});

Replies('a wait is answered as a status', () => {
  const reply = encodeReply('TABLE_STATUS', { targets: [{ ...oneTarget, parameters: '8:16 0' }] });
  assert.equal(plain(decodeReply('DEV_WAIT', reply)), plain(decodeReply('TABLE_STATUS', reply)));
});

/** Good replies, a few of each query. */
const good: [Query, Uint8Array][] = [
  ['TABLE_STATUS', encodeReply('TABLE_STATUS', { name: 'a', targets: [] })],
  [
    'TABLE_STATUS',
    encodeReply('TABLE_STATUS', {
      name: 'a',
      uuid: 'b',
      targets: [
        { ...oneTarget, parameters: '8:16 0' },
        { ...oneTarget, parameters: '' },
        { ...oneTarget, type: 'striped', parameters: '1 \u00e0 2 \udcff' },
      ],
    }),
  ],
  ...[36, 44, 50].map((minor): [Query, Uint8Array] => [
    'LIST_DEVICES',
    encodeReply('LIST_DEVICES', {
      version: [4, minor, 0],
      devices: [
        { name: 'vg-root', dev: 64768, uuid: 'LVM-ab', eventNumber: 3 },
        { name: '\u00e0', dev: 64769, uuid: '' },
        { name: 'last', dev: 0xffffffff },
      ],
    }),
  ]),
  ['LIST_DEVICES', encodeReply('LIST_DEVICES', { devices: [] })],
  ['TABLE_DEPS', encodeReply('TABLE_DEPS', { deps: [{ dev: 2048 }, { dev: 0xffffffff }] })],
  [
    'LIST_VERSIONS',
    encodeReply('LIST_VERSIONS', {
      versions: [
        { name: 'linear', version: [1, 4, 0] },
        { name: '\u00e0', version: [0, 0, 0xffffffff] },
        { name: 'crypt', version: [1, 24, 0] },
      ],
    }),
  ],
  ['TARGET_MSG', encodeReply('TARGET_MSG', { message: 'well \u00e0\udcff' })],
  ['TARGET_MSG', encodeReply('TARGET_MSG', {})],
];

/** Every truncation, every byte set to 0, 0x7f, 0x80 and 0xff, and bytes behind the end. */
function* mutants(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length <= bytes.length; length++) {
    yield bytes.slice(0, length);
    // And told truthfully, so that it is not taken for a full buffer.
    if (length >= 305) yield withField(bytes.slice(0, length), 12, length);
  }
  for (let at = 0; at < bytes.length; at++) {
    for (const byte of [0, 0x7f, 0x80, 0xff]) {
      const changed = bytes.slice();
      changed[at] = byte;
      yield changed;
    }
  }
  for (const byte of [0, 0xff]) {
    const longer = new Uint8Array(bytes.length + 100).fill(byte, bytes.length);
    longer.set(bytes);
    yield longer;
    yield withField(longer, 12, longer.length);
  }
}

function withField(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice();
  new DataView(changed.buffer).setUint32(at, value, true);
  return changed;
}

const REFUSED = Symbol('refused');
function attempt<T>(call: () => T): T | typeof REFUSED {
  try {
    return call();
  } catch (error) {
    if (error instanceof naive.Refused) return REFUSED;
    throw error;
  }
}

function assertPlaced(error: Failure, name: string, bytes: Uint8Array, expected: unknown): void {
  if (error.name !== name) throw error;
  assert.is(expected, REFUSED, `refused what is right: ${error.message}`);
  const { offset } = error;
  assert.ok(Number.isInteger(offset) && offset! >= 0 && offset! <= bytes.length, error.message);
}

function decodesAlike(name: Query, bytes: Uint8Array): void {
  const expected = attempt(() => naive.decodePayload(name, bytes));
  try {
    const reply = decodeReply(name, bytes, { bigint: true });
    assert.equal(plain(reply), { ...naive.decodeHeader(bytes), ...payload(name, reply, expected) });
  } catch (error) {
    assertPlaced(error as Failure, 'ReplyError', bytes, expected);
  }
}

/** The payload that the naive codec found, in the shape of a reply. */
function payload(name: Command, { version }: Header, found: unknown): object {
  if (found === REFUSED) return { refused: true };
  if (name === 'TABLE_DEPS') return { deps: (found as number[]).map(numbered) };
  if (name === 'LIST_DEVICES') {
    return { devices: (found as naive.PlainDevice[]).map((each) => listed(each, version[1])) };
  }
  if (name === 'LIST_VERSIONS') return { versions: found };
  if (name === 'TARGET_MSG') return { message: found };
  const rows = found as naive.PlainTarget[];
  return { targets: rows.map((row) => ({ ...row, parameters: naive.textOf(row.parameters) })) };
}

Replies('any bytes are decoded as the naive codec does, or a ReplyError', () => {
  for (const [name, bytes] of good) for (const mutant of mutants(bytes)) decodesAlike(name, mutant);
});

Replies('any bytes are decoded so, with the buffer told to be full', () => {
  for (const [name, bytes] of good) {
    const full = withField(bytes, 28, 0x100);
    for (const mutant of mutants(full)) decodesAlike(name, mutant);
  }
});

Replies('bytes changed at random are decoded so', () => {
  const fields = fc.constantFrom(12, 16, 20, 28, 320, 332, 340, 380);
  const changes = fc.array(
    record({
      at: fc.oneof(fields, fc.nat(450)),
      value: fc.oneof(fc.constantFrom(0, 8, 48, 0x100, 312, 0x20, 0xffffffff), fc.nat(500), u32),
    }),
    { minLength: 1, maxLength: 4 },
  );
  const each = fc.property(fc.constantFrom(...good), changes, ([name, bytes], list) => {
    let changed = bytes;
    for (const { at, value } of list) changed = withField(changed, at % (bytes.length - 3), value);
    decodesAlike(name, changed);
  });
  fc.assert(each, { numRuns: 3000 });
});

Replies('sectors above 2^53 - 1 are told as bigint, or refused with their offset', () => {
  const targets = [
    { ...oneTarget, parameters: '' },
    { ...oneTarget, parameters: '' },
  ];
  for (const [field, place] of [
    ['startSector', 360],
    ['length', 368],
  ] as const) {
    const edge = (value: bigint) =>
      encodeReply('TABLE_STATUS', { targets: [targets[0]!, { ...targets[1]!, [field]: value }] });
    assert.is(decodeReply('TABLE_STATUS', edge(2n ** 53n - 1n)).targets[1]![field], 2 ** 53 - 1);
    const error = caught(() => decodeReply('TABLE_STATUS', edge(2n ** 53n)));
    assert.equal([error.name, error.offset], ['ReplyError', place]);
    const { targets: wide } = decodeReply('TABLE_STATUS', edge(2n ** 64n - 1n), { bigint: true });
    assert.is(wide[1]![field], 2n ** 64n - 1n);
    assert.is(wide[0]![field], BigInt(oneTarget[field]));
  }
});

Replies('a record that is cut off is told with its place', () => {
  const targets = [{ ...oneTarget, parameters: '8:16 0' }, oneTarget].map((row) => ({
    ...row,
    parameters: '8:16 0',
  }));
  const reply = encodeReply('TABLE_STATUS', { targets });
  const error = caught(() => decodeReply('TABLE_STATUS', withField(reply, 12, 365)));
  assert.is(
    error.message,
    "DM_TABLE_STATUS reply: target 1 at offset 360: cut off by the reply's end at 365",
  );
  assert.equal([error.offset, error.command], [360, 'TABLE_STATUS']);
});

Replies('a device number of more than 32 bits is told with its place', () => {
  const devices = [1, 2, 2 ** 32].map((dev) => ({ name: 'abc', dev }));
  const list = caught(() => decodeReply('LIST_DEVICES', encodeReply('LIST_DEVICES', { devices })));
  assert.equal([list.name, list.offset], ['ReplyError', 312 + 2 * 24]);
  const deps = caught(() =>
    decodeReply('TABLE_DEPS', encodeReply('TABLE_DEPS', { deps: devices })),
  );
  assert.equal([deps.name, deps.offset], ['ReplyError', 312 + 8 + 2 * 8]);
});

Replies('`words` are the parameters, split', () => {
  const parameters = '8:16\t\\  \\\\ \u00e0';
  const bytes = encodeReply('TABLE_STATUS', { targets: [{ ...oneTarget, parameters }] });
  const [row] = decodeReply('TABLE_STATUS', bytes).targets;
  assert.is(row!.parameters, parameters);
  assert.equal(row!.words, splitParameters(parameters));
});

Replies('a line is itself a target', () => {
  const bytes = encodeReply('TABLE_STATUS', {
    targets: [oneTarget].map((row) => ({ ...row, parameters: '8:16 0' })),
  });
  const { targets } = decodeReply('TABLE_STATUS', bytes);
  assert.equal(
    encodeRequest('TABLE_LOAD', { targets }),
    encodeRequest('TABLE_LOAD', { targets: [oneTarget] }),
  );
});

Requests.run();
Refusals.run();
Replies.run();
