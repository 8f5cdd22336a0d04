// The raw module and how it is called: what each export takes, and an instance that is looked at after
// each call.

import {
  Cell,
  DEVICE_RECORD_SIZE,
  HEADER_SIZE,
  LINE_SIZE,
  Status,
  TARGET_INDEX_SIZE,
  TARGET_RECORD_SIZE,
  VERSION_RECORD_SIZE,
} from '#internal';
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as naive from './naive.js';

export const bytes = readFileSync(
  createRequire(import.meta.url).resolve('devicemapper/codec.wasm'),
);
export const compiled = new WebAssembly.Module(bytes);

export type Area = readonly [from: number, length: number];
export interface Export {
  /** Arguments of a call that succeeds, once `fill` has filled the memory. */
  readonly args: readonly number[];
  /** The areas that these arguments give it to write in. */
  readonly written?: (...args: number[]) => readonly Area[];
}

/** Where what a correct call reads and writes lies, far enough from each other. */
export const INPUT = 0x4000;
export const RECORDS = 0x5000;
export const TYPES = 0x6000;
export const TEXT = 0x7000;
export const OUT = 0x8000;
export const OUT2 = 0x9000;

export const header = naive.encodeHeader({
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
export const parameters = new TextEncoder().encode('8:16 0');
export const targets = [0n, 8n].map((startSector) => ({
  startSector,
  length: 8n,
  type: 'linear',
  parameters,
}));
export const devices = ['LVM-ab', ''].map((uuid, i) => ({
  name: 'vg-root',
  dev: 1 + i,
  uuid,
  eventNumber: 3,
}));
export const REPLIES = {
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
export const WORDS = new TextEncoder().encode(
  '8:16\0 a\\b\0\u00e0\0plain-words-are-copied-by-eight',
);
export const LINES = new TextEncoder().encode(
  '# none\n0 8 linear 8:16 0\n8 8 striped 2 \\d # end\n',
);
export const CONCISE = new TextEncoder().encode('a\\,b,,0,rw,0 8 zero;c,,,,\\');
export const capacityOf = (count: number, text: number) => 48 * count + 2 * text + 16;
export const textRoom = capacityOf(Math.floor(LINES.length / 6) + 1, LINES.length);

/** Each export; one that is not here fails the first test. */
export const EXPORTS: Readonly<Record<string, Export>> = {
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
  scanLines: {
    args: [TEXT, LINES.length, OUT, 4, 3],
    written: (_text, _length, out, rows) => [[out, (rows >>> 0) * LINE_SIZE]],
  },
  findSeparators: {
    args: [TEXT, CONCISE.length, OUT, 16, 1],
    written: (_text, _length, out, room) => [[out, 4 * (room >>> 0)]],
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
export class Machine {
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
    } else if (name === 'decodeHeader') {
      // As if it were the answer to a request by the same name.
      this.set(Cell.NAME_LENGTH, 4);
      u8.set(header.slice(48, 48 + 4), this.calls.nameSlot!());
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
    else if (name === 'encodeText' || name === 'scanLines') u8.set(LINES, TEXT);
    else if (name === 'findSeparators') u8.set(CONCISE, TEXT);
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

export const names = Object.keys(EXPORTS).filter((name) => name !== 'reserve');
export const MEMORY_END = 0x20000;
export const HOSTILE = [
  ...[0, 1, 2, 7, 8, 312, OUT, OUT2, MEMORY_END - 9, MEMORY_END - 8, MEMORY_END - 1],
  ...[MEMORY_END, MEMORY_END + 1, 0x10000000, 0x7fffffff, -0x80000000, -0x7fffffff, -9, -8, -1],
];
