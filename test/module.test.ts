// The raw module, called as no correct host would: whatever it is given, it answers a status, and
// writes nowhere but into the areas it was given and its control block.

import {
  Cell,
  DEVICE_RECORD_SIZE,
  HEADER_SIZE,
  Status,
  TARGET_INDEX_SIZE,
  TARGET_RECORD_SIZE,
  VERSION_RECORD_SIZE,
} from '#internal';
import * as fc from 'fast-check';
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, suite } from './harness.js';
import * as naive from './naive.js';

fc.configureGlobal({ includeErrorInReport: true });

const bytes = readFileSync(createRequire(import.meta.url).resolve('devicemapper/codec.wasm'));
const compiled = new WebAssembly.Module(bytes);

// While the other tests run; it takes seconds.
const again = compileAgain();

type Area = readonly [from: number, length: number];
interface Export {
  /** Arguments of a call that succeeds, once `fill` has filled the memory. */
  readonly args: readonly number[];
  /** The areas that these arguments give it to write in. */
  readonly written?: (...args: number[]) => readonly Area[];
}

/** Where what a correct call reads and writes lies, far enough from each other. */
const INPUT = 0x4000;
const RECORDS = 0x5000;
const TYPES = 0x6000;
const TEXT = 0x7000;
const OUT = 0x8000;
const OUT2 = 0x9000;

const header = naive.encodeHeader({
  version: [4, 50, 0],
  dataSize: 0,
  dataStart: HEADER_SIZE,
  targetCount: 2,
  openCount: 0,
  flags: 0,
  eventNr: 0,
  dev: 64768,
  name: 'data',
  uuid: 'TEST-a',
});
const parameters = new TextEncoder().encode('8:16 0');
const targets = [0n, 8n].map((startSector) => ({
  startSector,
  length: 8n,
  type: 'linear',
  parameters,
}));
const devices = ['LVM-ab', ''].map((uuid, i) => ({
  name: 'vg-root',
  dev: 1 + i,
  uuid,
  eventNumber: 3,
}));
const REPLIES = {
  decodeTable: [...header, ...naive.encodeChain(targets, true)],
  decodeDevices: [...header, ...naive.encodeDevices(devices, 50)],
  decodeDependencies: [...header, ...naive.encodeDependencies([2048, 2064])],
  decodeVersions: [
    ...header,
    ...naive.encodeVersions([
      { name: 'linear', version: [1, 4, 0] },
      { name: 'crypt', version: [1, 24, 0] },
    ]),
  ],
  decodeString: [...header, ...new TextEncoder().encode('other\0')],
  decodeMessage: [...header, ...naive.encodeMessage(8n, new TextEncoder().encode('help me'))],
  decodeHeader: header,
};
const WORDS = new TextEncoder().encode('8:16\0 a\\b\0\u00e0\0plain-words-are-copied-by-eight');
const LINES = new TextEncoder().encode('# none\n0 8 linear 8:16 0\n8 8 striped 2 \\d # end\n');
const capacityOf = (count: number, text: number) => 48 * count + 2 * text + 16;
const textRoom = capacityOf(Math.floor(LINES.length / 6) + 1, LINES.length);

/** Each export; one that is not here fails the first test. */
const EXPORTS: Readonly<Record<string, Export>> = {
  controlBlock: { args: [] },
  nameSlot: { args: [] },
  uuidSlot: { args: [] },
  // Its memory is its own; tested below.
  reserve: { args: [0] },
  encodeHeader: { args: [OUT, HEADER_SIZE], written: (out, size) => [[out, size]] },
  decodeHeader: { args: [INPUT, HEADER_SIZE] },
  encodeTable: {
    args: [OUT, capacityOf(2, 12), RECORDS, 2, TYPES, 1, TEXT, 12, 0],
    written: (out, size) => [[out, size]],
  },
  decodeTable: {
    args: [INPUT, REPLIES.decodeTable.length, HEADER_SIZE, 2, OUT, 2, OUT2, 0x800, 1, 0, 0],
    written: (...args) => [
      [args[4]!, (args[5]! >>> 0) * TARGET_INDEX_SIZE],
      [args[6]!, args[7]!],
    ],
  },
  encodeDevices: {
    args: [OUT, 0x200, RECORDS, 2, TEXT, 20, 50],
    written: (out, size) => [[out, size]],
  },
  decodeDevices: {
    args: [INPUT, REPLIES.decodeDevices.length, HEADER_SIZE, OUT, 2, OUT2, 0x800, 50],
    written: (...args) => [
      [args[3]!, (args[4]! >>> 0) * DEVICE_RECORD_SIZE],
      [args[5]!, args[6]!],
    ],
  },
  encodeDependencies: { args: [OUT, 24, TEXT, 2], written: (out, size) => [[out, size]] },
  decodeDependencies: {
    args: [INPUT, REPLIES.decodeDependencies.length, HEADER_SIZE, OUT, 16],
    written: (...args) => [[args[3]!, args[4]!]],
  },
  encodeVersions: {
    args: [OUT, 0x80, RECORDS, 2, TEXT, 11],
    written: (out, size) => [[out, size]],
  },
  decodeVersions: {
    args: [INPUT, REPLIES.decodeVersions.length, HEADER_SIZE, OUT, 2, OUT2, 0x800],
    written: (...args) => [
      [args[3]!, (args[4]! >>> 0) * VERSION_RECORD_SIZE],
      [args[5]!, args[6]!],
    ],
  },
  encodeString: {
    args: [OUT, WORDS.length, TEXT, 4, 127],
    written: (out, size) => [[out, size]],
  },
  decodeString: { args: [INPUT, REPLIES.decodeString.length, HEADER_SIZE] },
  encodeMessage: {
    args: [OUT, 2 * WORDS.length + 9, TEXT, WORDS.length, 4, 8, 0],
    written: (out, size) => [[out, size]],
  },
  decodeMessage: { args: [INPUT, REPLIES.decodeMessage.length, HEADER_SIZE] },
  encodeText: {
    args: [OUT, textRoom, TEXT, LINES.length],
    written: (out, size) => [[out, size]],
  },
  splitWords: {
    args: [TEXT, WORDS.length, OUT, WORDS.length + 1],
    written: (_text, _length, out, size) => [[out, size]],
  },
  joinWords: {
    args: [TEXT, WORDS.length, 4, OUT, 2 * WORDS.length + 1],
    written: (_text, _length, _count, out, size) => [[out, size]],
  },
};

/** An instance, with its memory as a correct host would fill it before a call. */
class Machine {
  readonly calls: Readonly<Record<string, (...args: number[]) => number>>;
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly before: Uint8Array;
  readonly cells: number;

  constructor() {
    const { memory, ...calls } = new WebAssembly.Instance(compiled).exports;
    this.calls = calls as typeof this.calls;
    this.memory = memory as WebAssembly.Memory;
    this.u8 = new Uint8Array(this.memory.buffer);
    this.cells = this.calls.controlBlock!();
    // No zeros to be lucky with, above what belongs to the module.
    this.u8.fill(0xc5, this.calls.reserve!(0));
    this.before = this.u8.slice();
  }

  set(cell: number, value: number): void {
    new DataView(this.memory.buffer).setUint32(this.cells + 4 * cell, value, true);
  }

  /** What the export reads when it is called as in EXPORTS. */
  fill(name: string): this {
    const view = new DataView(this.memory.buffer);
    const { u8 } = this;
    if (name in REPLIES) u8.set(REPLIES[name as keyof typeof REPLIES], INPUT);
    if (name === 'encodeHeader') {
      this.set(Cell.NAME_LENGTH, 4);
      this.set(Cell.UUID_LENGTH, 128);
      u8.fill(0x61, this.calls.nameSlot!(), this.calls.nameSlot!() + 4);
      u8.fill(0x62, this.calls.uuidSlot!(), this.calls.uuidSlot!() + 128);
    } else if (name === 'encodeTable') {
      u8.set(new TextEncoder().encode('linear\0\0\0\0\0\0\0\0\0\0'), TYPES);
      u8.set([...parameters, ...parameters], TEXT);
      targets.forEach((_, i) => {
        const at = RECORDS + i * TARGET_RECORD_SIZE;
        view.setFloat64(at, 8 * i, true);
        view.setFloat64(at + 8, 8, true);
        [parameters.length, i].forEach((value, field) => {
          view.setUint32(at + 16 + 4 * field, value, true);
        });
      });
    } else if (name === 'encodeDevices') {
      u8.set(new TextEncoder().encode('vg-rootLVM-abvg-root'), TEXT);
      devices.forEach(({ dev, uuid }, i) => {
        [dev, 0, 7, uuid.length, 3, uuid === '' ? 2 : 1].forEach((value, field) => {
          view.setUint32(RECORDS + i * DEVICE_RECORD_SIZE + 4 * field, value, true);
        });
      });
    } else if (name === 'encodeDependencies') {
      [2048, 0, 2064, 0].forEach((value, i) => {
        view.setUint32(TEXT + 4 * i, value, true);
      });
    } else if (name === 'encodeVersions') {
      u8.set(new TextEncoder().encode('linearcrypt'), TEXT);
      [1, 4, 0, 6, 1, 24, 0, 5].forEach((value, i) => {
        view.setUint32(RECORDS + 4 * i, value, true);
      });
    } else if (name === 'encodeString' || name === 'encodeMessage') u8.set(WORDS, TEXT);
    else if (name === 'encodeText') u8.set(LINES, TEXT);
    else if (name.endsWith('Words')) u8.set(WORDS, TEXT);
    this.before.set(u8);
    return this;
  }

  /** Call an export; check its answer and all of memory, and leave that as it was. */
  check(name: string, args: readonly number[]): number {
    const { u8, before } = this;
    const answer = this.calls[name]!(...args);
    const status = Object.values(Status).some((value) => value === answer);
    if (!Number.isInteger(answer) || (answer < 0 && !status)) {
      throw new Error(`${name}(${args.join(', ')}) answered ${answer}`);
    }
    const own: Area = [this.cells, 4 * Object.keys(Cell).length];
    const given = EXPORTS[name]!.written?.(...args) ?? [];
    for (const [from, length] of [own, ...given]) {
      // Every area has eight bytes of slack, which it may run over.
      const [start, end] = [from >>> 0, (from >>> 0) + (length >>> 0) + 8];
      if (length !== 0 && end <= u8.length) u8.set(before.subarray(start, end), start);
    }
    if (Buffer.compare(u8, before) !== 0) {
      const at = u8.findIndex((byte, i) => byte !== before[i]);
      u8.set(before);
      throw new Error(`${name}(${args.join(', ')}) answered ${answer} and wrote at ${at}`);
    }
    return answer;
  }
}

const names = Object.keys(EXPORTS).filter((name) => name !== 'reserve');
const MEMORY_END = 0x20000;
const HOSTILE = [
  ...[0, 1, 2, 7, 8, 312, OUT, OUT2, MEMORY_END - 9, MEMORY_END - 8, MEMORY_END - 1],
  ...[MEMORY_END, MEMORY_END + 1, 0x10000000, 0x7fffffff, -0x80000000, -0x7fffffff, -9, -8, -1],
];

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
  assert.ok(bytes.length <= 8192, `${bytes.length} bytes`);
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

Raw('it is the same module whenever it is compiled', async () => {
  assert.equal(await again, bytes.toString('base64'));
});

/** Compile the sources once more, as `npm run build:wasm` does, and give the module in base64. */
async function compileAgain(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'codec-'));
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const asc = fileURLToPath(import.meta.resolve('assemblyscript/asc'));
  try {
    const output = join(directory, 'codec.wasm');
    const args = ['--target', 'release', '--outFile', output, '--textFile', `${output}.wat`];
    const child = spawn(process.execPath, [asc.replace(/dist\/asc\.js$/, 'bin/asc.js'), ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.is(code, 0, 'asc failed');
    return readFileSync(output, 'base64');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

Raw.run();
