// What the module does with eight bytes at once, against the naive codec: each byte that means something, or
// is next to one that does, at each place of a word, in memory where something else follows.

import { Cell, HEADER_SIZE, Status, TARGET_RECORD_SIZE, TYPE_SHIFT } from '#internal';
import { assert, suite } from './harness.js';
import * as naive from './naive.js';
import { header, INPUT, Machine, OUT, OUT2, RECORDS, TEXT, TYPES } from './raw.js';

const ROOM = 0x1000;
const utf8 = new TextEncoder();
/** The edges of what is looked for: NUL, blanks, `!`, `#`, digits, the backslash, 0x7f, 0xa0. */
const EDGES = [
  ...[0x00, 0x01, 0x08, 0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24],
  ...[0x2f, 0x30, 0x39, 0x3a, 0x5b, 0x5c, 0x5d, 0x7e, 0x7f, 0x80, 0x9f, 0xa0, 0xa1, 0xa3, 0xff],
];

const machine = new Machine();
const view = new DataView(machine.memory.buffer);
const cell = (which: number): number => view.getUint32(machine.cells + 4 * which, true);
const written = (length: number): number[] => [...machine.u8.subarray(OUT, OUT + length)];

/** `bytes` at `at`, and something behind them. */
function put(at: number, bytes: Iterable<number>, behind = 0xc5): number {
  const list = [...bytes];
  machine.u8.set([...list, ...Array.from({ length: 16 }, () => behind)], at);
  return list.length;
}

/** What the naive codec makes of it, undefined if it refuses. */
function plain<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof naive.Refused) return undefined;
    throw error;
  }
}

/** Texts of one and two words, one byte of which is an edge. */
function* texts(): Generator<number[]> {
  for (const length of [1, 2, 3, 5, 6, 7, 8, 9, 15, 16, 17]) {
    const usual = Array.from({ length }, (_, i) => 0x61 + i);
    for (let at = 0; at < length; at++) {
      for (const edge of EDGES) yield usual.with(at, edge);
    }
  }
}

const parts = (text: readonly number[]): Uint8Array[] => {
  const words: number[][] = [[]];
  for (const byte of text) {
    if (byte === 0) words.push([]);
    else words.at(-1)!.push(byte);
  }
  return words.map((word) => Uint8Array.from(word));
};
const isBlank = (word: Uint8Array): boolean => naive.split(word).length === 0;

/** Words with NULs between them as the kernel is to split them. */
function joined(text: readonly number[]): Uint8Array {
  const words = parts(text);
  if (words.some(isBlank)) throw new naive.Refused();
  return naive.join(words);
}

const Bytes = suite('bytes');

function checkText(text: readonly number[], behind?: number): void {
  const length = put(INPUT, text, behind);
  const answer = machine.calls.encodeText!(OUT, ROOM, INPUT, length);
  const targets = plain(() => naive.lines(Uint8Array.from(text)));
  const what = JSON.stringify(String.fromCharCode(...text));
  if (targets === undefined) {
    assert.ok(answer < Status.OUTPUT_TOO_SMALL, what);
    return;
  }
  const chain = naive.encodeChain(targets, false);
  assert.is(answer, chain.length, what);
  assert.is(cell(Cell.COUNT), targets.length, what);
  assert.equal(written(answer), chain, what);
}

Bytes('a table text, with any byte changed or put in', () => {
  const whole = [...utf8.encode(' 1\t23  linear  8:16 abcdefgh \n0 8 zero\n')];
  for (let at = 0; at < whole.length; at++) {
    for (const edge of EDGES) {
      if (at < whole.length - 1) checkText(whole.with(at, edge));
      checkText(whole.toSpliced(at, 0, edge));
    }
  }
});

Bytes('a table text of every length of each field, whatever stands behind it', () => {
  for (let length = 1; length <= 20; length++) {
    const some = '12345678901234567890'.slice(0, length);
    for (const line of [
      `${some} 8 a b\n`,
      `8 ${some} a b\n`,
      `${some} `,
      `8 8 ${some} b\n`,
      `8 8 ${some}\n`,
      `8 8 a ${some}\n`,
      `8 8 a ${some} \n`,
      `8 8 a ${some}\t # ${some}\n`,
      `8 8 a\\b ${some}\\${some}\n`,
      `8 8 a b ${' '.repeat(length)}c${' '.repeat(length)}\n`,
      `#${some}\n8 8 a#b #${some}\n \n\n8 8 a ${some}#\n`,
    ]) {
      const text = line.endsWith('\n') ? line : `${line}8 a b\n`;
      for (const behind of [0x00, 0x0a, 0x20, 0x23, 0x30, 0xff])
        checkText([...utf8.encode(text)], behind);
    }
  }
});

Bytes('words are joined and split', () => {
  for (const text of texts()) {
    const length = put(TEXT, text, text.length % 2 === 0 ? 0x5c : 0x00);
    const answer = machine.calls.joinWords!(TEXT, length, parts(text).length, OUT, ROOM);
    const expected = plain(() => [...joined(text)]);
    if (expected === undefined) assert.ok(answer < 0);
    else assert.equal(written(answer), expected);

    const words = naive.split(Uint8Array.from(text));
    assert.is(machine.calls.splitWords!(TEXT, length, OUT, ROOM), words.length);
    const each = words.flatMap((word) => [...word, 0]);
    assert.equal(written(cell(Cell.TEXT_LENGTH)), each);
    assert.is(cell(Cell.NOT_ASCII), each.some((byte) => byte > 0x7f) ? 1 : 0);
  }
});

Bytes('parameters of each kind are written', () => {
  const [BYTES, LINE, WORDS] = [0, 1, 2];
  const other = [0x78, 0x79];
  put(TYPES, [...utf8.encode('linear'), ...Array.from({ length: 10 }, () => 0)]);
  const expect = (text: readonly number[], kind: number): number[] => {
    if (kind === WORDS) return [...joined(text)];
    if (text.includes(0)) throw new naive.Refused();
    return text.flatMap((byte) => (kind === LINE && byte === 0x5c ? [byte, byte] : [byte]));
  };
  for (const text of texts()) {
    for (const kind of [BYTES, LINE, WORDS]) {
      const length = put(TEXT, [...text, ...other]);
      for (const [i, size] of [text.length, other.length].entries()) {
        const at = RECORDS + i * TARGET_RECORD_SIZE;
        view.setBigUint64(at, 8n, true);
        view.setBigUint64(at + 8, 8n, true);
        view.setUint32(at + 16, size, true);
        view.setUint32(at + 20, (0 << TYPE_SHIFT) | (i === 0 ? kind : BYTES), true);
      }
      const answer = machine.calls.encodeTable!(
        ...[OUT, ROOM, RECORDS, 2, TYPES, 1, TEXT, length, 0],
      );
      const expected = plain(() =>
        naive.encodeChain(
          [expect(text, kind), other].map((parameters) => ({
            ...{ startSector: 8n, length: 8n, type: 'linear' },
            parameters: Uint8Array.from(parameters),
          })),
          false,
        ),
      );
      if (expected === undefined) assert.ok(answer < Status.OUTPUT_TOO_SMALL);
      else assert.equal(written(answer), expected);
    }
  }
});

Bytes('a NUL is found at each place, and nothing else is one', () => {
  for (const text of texts()) {
    const at = text.indexOf(0);
    const place = (answer: number): number => (answer < 0 ? cell(Cell.FAIL_OFFSET) : -1);
    const length = put(TEXT, text, 0);
    const string = machine.calls.encodeString!(OUT, ROOM, TEXT, length, 127);
    assert.is(place(string), at);
    if (at < 0) assert.equal(written(string), [...text, 0]);
    const blank = isBlank(Uint8Array.from(text));
    const message = machine.calls.encodeMessage!(OUT, ROOM, TEXT, length, 0, 1, 0x80000000);
    if (!blank) {
      assert.is(place(message), at);
      if (at < 0) {
        const expected = naive.encodeMessage(0x8000000000000001n, Uint8Array.from(text));
        assert.equal(written(message), expected);
      }
    }
    put(INPUT, [...header, ...text]);
    const read = machine.calls.decodeString!(INPUT, HEADER_SIZE + length, HEADER_SIZE);
    assert.is(read, at < 0 ? Status.TEXT_UNTERMINATED : at);
  }
});

Bytes('a type ends at its first NUL, and one of 16 bytes nowhere', () => {
  for (const byte of [0x01, 0x61, 0x7f, 0x80, 0x81, 0xff]) {
    for (let nul = 0; nul <= 16; nul++) {
      const type = Array.from({ length: 16 }, () => byte);
      const chain = naive.encodeChain(
        [1n, 2n].map((startSector) => ({
          ...{ startSector, length: 8n, type: '', parameters: new Uint8Array(0) },
        })),
        true,
      );
      for (const spec of [0, 48]) {
        chain.splice(spec + 24, 16, ...(nul < 16 ? type.with(nul, 0) : type));
      }
      const length = put(INPUT, [...header, ...chain]);
      const args = [INPUT, length, HEADER_SIZE, 2, OUT, 2, OUT2, ROOM, 1, 0, 0];
      assert.is(machine.calls.decodeTable!(...args), nul < 16 ? 2 : Status.TYPE_UNTERMINATED);
    }
  }
});

Bytes('names of a list are told to be ASCII or not, by their own bytes alone', () => {
  for (let length = 1; length <= 19; length++) {
    const usual = Array.from({ length }, (_, i) => 0x7f - i);
    for (let at = -1; at < length; at++) {
      for (let second = at; second < length; second++) {
        const name = at < 0 ? usual : usual.with(at, 0x80).with(second, 0x80);
        const text = naive.textOf(Uint8Array.from(name));
        const bytes = naive.encodeVersions([
          { name: text, version: [1, 2, 3] },
          { name: text, version: [1, 2, 3] },
        ]);
        // What stands in the padding is not the name's.
        for (let pad = 16 + length + 1; pad % 8 !== 0; pad++) bytes[pad] = 0xff;
        const size = put(INPUT, [...header, ...bytes], 0xff);
        const args = [INPUT, size, HEADER_SIZE, OUT, 2, OUT2, ROOM];
        assert.is(machine.calls.decodeVersions!(...args), 2);
        assert.is(cell(Cell.TEXT_LENGTH), 2 * length);
        assert.is(cell(Cell.NOT_ASCII), at < 0 ? 0 : 1);
        assert.equal([...machine.u8.subarray(OUT2, OUT2 + 2 * length)], [...name, ...name]);
      }
    }
  }
});

Bytes.run();
