// The raw module, called as no correct host would: whatever it is given, it answers a status, and
// writes nowhere but into the areas it was given and its control block.

import { Cell, HEADER_SIZE, Status } from '#internal';
import * as fc from 'fast-check';
import { Buffer } from 'node:buffer';
import { setFlagsFromString } from 'node:v8';
import { assert, suite } from './harness.js';
import {
  bytes,
  compiled,
  EXPORTS,
  HOSTILE,
  INPUT,
  LINES,
  Machine,
  MEMORY_END,
  names,
  OUT,
  OUT2,
  RECORDS,
  REPLIES,
  TEXT,
  textRoom,
  TYPES,
  WORDS,
} from './raw.js';

fc.configureGlobal({ includeErrorInReport: true });

const Raw = suite('module');

Raw('it imports nothing, and exports functions and its memory', () => {
  assert.equal(WebAssembly.Module.imports(compiled), []);
  const exported = WebAssembly.Module.exports(compiled);
  const functions = exported.filter(({ kind }) => kind === 'function').map(({ name }) => name);
  assert.equal(functions.sort(), Object.keys(EXPORTS).sort());
  assert.equal(
    exported.filter(({ kind }) => kind !== 'function'),
    [{ name: 'memory', kind: 'memory' }],
  );
  assert.equal(
    exported.filter(({ name }) => name.startsWith('__')),
    [],
  );
});

Raw('it is small enough to travel inside the host', () => {
  // Of which the grammar of lines, told field by field, has the last 1.3 KB.
  assert.ok(bytes.length <= 9472, `${bytes.length} bytes`);
});

Raw('a correct call succeeds, and answers the same bytes each time', () => {
  const first = new Machine();
  const second = new Machine();
  for (const name of names) {
    const { args } = EXPORTS[name]!;
    const answer = first.fill(name).calls[name]!(...args);
    assert.ok(answer > 0, `${name} answered ${answer}`);
    assert.is(second.fill(name).calls[name]!(...args), answer);
    assert.is(Buffer.compare(first.u8, second.u8), 0, name);
    first.u8.set(first.before);
    assert.is(first.check(name, args), answer, `${name} leaves its areas alone`);
    second.u8.set(second.before);
  }
});

Raw('any two arguments of a call may be hostile', () => {
  for (const name of names) {
    const machine = new Machine().fill(name);
    const { args } = EXPORTS[name]!;
    for (let i = 0; i < args.length; i++) {
      for (let j = i; j < args.length; j++) {
        for (const first of HOSTILE) {
          for (const second of j === i ? [first] : HOSTILE) {
            machine.check(name, args.with(i, first).with(j, second));
          }
        }
      }
    }
  }
});

Raw('any two areas of a call may overlap', () => {
  for (const name of names) {
    const machine = new Machine().fill(name);
    const { args } = EXPORTS[name]!;
    for (const [i, one] of args.entries()) {
      for (const other of args) {
        if (one === other || Math.min(one, other) < INPUT) continue;
        for (let distance = -80; distance <= 80; distance++) {
          machine.check(name, args.with(i, other + distance));
        }
      }
    }
  }
});

/** Correct arguments for `name`, a few of them changed to others, most to such as are nearly right. */
function anyArgs(name: string): fc.Arbitrary<number[]> {
  const { args } = EXPORTS[name]!;
  const area = fc
    .tuple(
      fc.constantFrom(INPUT, RECORDS, TYPES, TEXT, OUT, OUT2),
      fc.integer({ min: -64, max: 64 }),
    )
    .map(([from, distance]) => from + distance);
  const value = fc.oneof(fc.constantFrom(...HOSTILE), area, fc.nat(400));
  return fc
    .array(fc.tuple(fc.nat(args.length - 1), value), { maxLength: 4 })
    .map((changes) => changes.reduce((list, [i, other]) => list.with(i, other), [...args]));
}

/** Words that may mean something in the memory. */
const patches = fc.array(
  fc.record({
    at: fc.oneof(
      fc.integer({ min: 0, max: 400 }).map((at) => INPUT + at),
      fc.integer({ min: 0, max: 16 }).map((field) => RECORDS + 4 * field),
      fc.integer({ min: 0, max: 40 }).map((at) => TEXT + at),
      fc.constantFrom(TYPES, OUT, OUT2),
    ),
    value: fc.oneof(
      fc.constantFrom(0, 1, 2, 4, 12, 48, 0x5c5c5c5c, 0x7ff00000),
      fc.nat(0xffffffff),
    ),
  }),
  { maxLength: 4 },
);

for (const name of names.filter((each) => EXPORTS[each]!.args.length > 0)) {
  Raw(`${name} answers whatever arguments and memory it is given`, () => {
    const machine = new Machine().fill(name);
    const good = machine.u8.slice();
    const each = fc.property(anyArgs(name), patches, (args, list) => {
      machine.u8.set(good);
      for (const { at, value } of list) {
        new DataView(machine.memory.buffer).setUint32(at, value, true);
      }
      machine.before.set(machine.u8);
      machine.check(name, args);
    });
    fc.assert(each, { numRuns: 2000 });
  });
}

Raw('every truncation of what is decoded is answered, also at the end of memory', () => {
  for (const [name, reply] of Object.entries(REPLIES)) {
    const machine = new Machine();
    for (let length = 0; length <= reply.length; length++) {
      const at = MEMORY_END - 8 - length;
      machine.u8.fill(0xc5, INPUT);
      machine.u8.set(reply.slice(0, length), at);
      machine.before.set(machine.u8);
      const [, , ...rest] = EXPORTS[name]!.args;
      machine.check(name, [at, length, ...rest]);
      machine.check(name, [at, length - 1, ...rest]);
    }
  }
  for (const name of ['splitWords', 'joinWords']) {
    const machine = new Machine().fill(name);
    const [, , ...rest] = EXPORTS[name]!.args;
    for (let length = 0; length <= WORDS.length; length++) {
      machine.check(name, [TEXT, length, ...rest]);
    }
  }
  const machine = new Machine().fill('encodeText');
  for (let length = 0; length <= LINES.length; length++) {
    machine.check('encodeText', [OUT, textRoom, TEXT, length]);
  }
});

Raw('a header that lies about its strings is refused', () => {
  const machine = new Machine();
  for (const length of [0, 127, 128, 129, 136, 137, 0x7fffffff, -1]) {
    machine.fill('encodeHeader').set(Cell.NAME_LENGTH, length);
    machine.set(Cell.UUID_LENGTH, 0);
    machine.before.set(machine.u8);
    const answer = machine.check('encodeHeader', [OUT, HEADER_SIZE]);
    const fits = length >= 0 && length < 128;
    if (!fits) assert.is(answer, Status.NAME_TOO_LONG);
  }
});

Raw('reserve grows the memory as far as asked, or says that it cannot', () => {
  const { calls, memory } = new Machine();
  const reserve = calls.reserve!;
  const base = reserve(0);
  assert.ok(base > 0 && base % 16 === 0);
  const has = (bytes: number) => memory.buffer.byteLength >= base + bytes + 8;
  for (const bytes of [1, MEMORY_END - 1, MEMORY_END, MEMORY_END + 1, 1 << 20]) {
    assert.is(reserve(bytes), base);
    assert.ok(has(bytes));
  }
  const { byteLength } = memory.buffer;
  for (const bytes of [0x7fffffff, -0x80000000, -9, -1]) {
    assert.is(reserve(bytes), Status.OUT_OF_MEMORY);
  }
  assert.is(memory.buffer.byteLength, byteLength);
});

Raw('reserve grows by doubling, so that many calls seldom grow it', () => {
  const { calls, memory } = new Machine();
  let grown = 0;
  for (let bytes = 0, last = 0; bytes < 1 << 22; bytes += 4096) {
    calls.reserve!(bytes);
    if (memory.buffer.byteLength !== last) grown++;
    last = memory.buffer.byteLength;
  }
  assert.ok(grown < 10, `grown ${grown} times`);
});

Raw('reserve takes what it needs where there is no more, and says so where there is less', () => {
  const { calls, memory } = new Machine();
  const base = calls.reserve!(0);
  const room = (pages: number): number => pages * 0x10000 - base - 8;
  const pages = (): number => memory.buffer.byteLength / 0x10000;
  const limit = 1000;
  setFlagsFromString(`--wasm-max-mem-pages=${limit}`);
  try {
    assert.is(calls.reserve!(room(limit - 8)), base);
    assert.is(calls.reserve!(room(limit - 8) + 1), base);
    assert.is(pages(), limit - 7);
    assert.is(calls.reserve!(room(limit) + 1), Status.OUT_OF_MEMORY);
    assert.is(pages(), limit - 7);
  } finally {
    setFlagsFromString('--wasm-max-mem-pages=65536');
  }
});

Raw('reserve has addresses up to 2^31', () => {
  const { calls } = new Machine();
  const base = calls.reserve!(0);
  assert.is(calls.reserve!(0x7fffffff - base - 8), base);
  assert.is(calls.reserve!(0x7fffffff - base - 8 + 1), Status.OUT_OF_MEMORY);
});

Raw.run();
