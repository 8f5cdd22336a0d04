// The kernel's argument splitter and its inverse, against the naive one, byte by byte.

import { joinParameters, splitParameters, type Parameter } from 'devicemapper/codec';
import * as fc from 'fast-check';
import { assert, suite } from './harness.js';
import * as naive from './naive.js';

fc.configureGlobal({ includeErrorInReport: true });

/** Bytes, most of them such as mean something to the splitter. */
const bytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xa0, 0x5c, 0x61),
      fc.integer({ min: 1, max: 255 }),
    ),
    { maxLength: 40 },
  )
  .map((values) => Uint8Array.from(values));
const isWord = (value: Uint8Array) => naive.split(value).length > 0;

const Split = suite('split');

Split('any bytes are split as the naive splitter does', () => {
  const withNul = fc
    .tuple(bytes, fc.constantFrom([], [0]), bytes)
    .map((parts) => parts.flatMap((part) => [...part]));
  const each = fc.property(withNul, (values) => {
    const given = Uint8Array.from(values);
    assert.equal(splitParameters(given), naive.split(given).map(naive.textOf));
  });
  fc.assert(each, { numRuns: 2000 });
});

Split('text is split as its bytes are', () => {
  const each = fc.property(bytes.map(naive.textOf), (text) => {
    assert.equal(splitParameters(text), splitParameters(naive.bytesOf(text)));
  });
  fc.assert(each, { numRuns: 500 });
});

Split('of all bytes, these alone part words', () => {
  const parting: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const words = splitParameters(Uint8Array.of(0x61, byte, 0x62));
    if (words.length === 2) parting.push(byte);
    else if (byte === 0) assert.equal(words, ['a']);
    else if (byte === 0x5c) assert.equal(words, ['ab']);
    else assert.equal(words.map(naive.bytesOf), [Uint8Array.of(0x61, byte, 0x62)]);
  }
  assert.equal(parting, [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xa0]);
});

Split('a backslash takes the next byte as it is', () => {
  const cases: [string, string[]][] = [
    ['', []],
    [' \t ', []],
    ['a  b', ['a', 'b']],
    [' a ', ['a']],
    ['a\\ b', ['a b']],
    ['\\ ', [' ']],
    ['\\\\', ['\\']],
    ['a\\', ['a\\']],
    ['a\\\\ b', ['a\\', 'b']],
    ['\\a\\b', ['ab']],
    ['\\\0a', ['\\']],
    ['a\0b', ['a']],
    ['a \0 b', ['a']],
    ['"a b"', ['"a', 'b"']],
    ['\u00e0', ['\udcc3']],
    ['\udca0', []],
    ['a\u00a0b', ['a\udcc2', 'b']],
  ];
  for (const [text, words] of cases)
    assert.equal(splitParameters(text), words, JSON.stringify(text));
});

const Join = suite('join');

Join('words are joined as the naive joiner does, and split back to the same', () => {
  const word = bytes.filter(isWord);
  const each = fc.property(fc.array(word, { maxLength: 6 }), (words) => {
    const joined = joinParameters(words);
    assert.equal(naive.bytesOf(joined), naive.join(words));
    assert.equal(splitParameters(joined).map(naive.bytesOf), words);
    assert.is(joinParameters(words.map(naive.textOf)), joined);
  });
  fc.assert(each, { numRuns: 1000 });
});

Join('what was split is joined to words that split alike', () => {
  const each = fc.property(bytes, (given) => {
    const words = splitParameters(given);
    // Escaped blanks are a word for the kernel, but none that anybody means.
    if (!words.every((word) => isWord(naive.bytesOf(word)))) return;
    assert.equal(splitParameters(joinParameters(words)), words);
  });
  fc.assert(each, { numRuns: 1000 });
});

Join('numbers stand as their digits', () => {
  assert.is(
    joinParameters([1, -2, 2n ** 64n, 'a b', Uint8Array.of(0x5c)]),
    '1 -2 18446744073709551616 a\\ b \\\\',
  );
  assert.is(joinParameters([]), '');
});

Join('a word that the kernel would not see as one is refused with its place', () => {
  const bytesOf = (...values: number[]) => Uint8Array.from(values);
  const none = /expected a parameter, got ""/;
  const blank = /expected a parameter, got only blanks/;
  const nul = /expected no NUL/;
  const number = /expected a text, a whole number or bytes/;
  const cases: [unknown[], number, RegExp][] = [
    [[''], 0, none],
    [['', 'a'], 0, none],
    [['', ''], 0, none],
    [['a', ''], 1, none],
    [['a', bytesOf(), 'b'], 1, none],
    [[' '], 0, blank],
    [['a', '\t\u000b'], 1, blank],
    [['a', 'b', bytesOf(0xa0)], 2, blank],
    [['\0'], 0, nul],
    [['a\0', 'b'], 0, nul],
    [['a', 'b\0c'], 1, nul],
    [['a', bytesOf(0x61, 0)], 1, nul],
    [['a', 0.5], 1, number],
    [[NaN], 0, number],
    [['a', null], 1, number],
    [['a', '\ud800'], 1, /lone surrogate U\+D800/],
  ];
  // Whatever an earlier call left behind must make no difference.
  for (const before of ['x'.repeat(64), ' '.repeat(64)]) {
    for (const [words, index, problem] of cases) {
      splitParameters(before);
      const message = messageOf(() => joinParameters(words as Parameter[]));
      assert.match(message, problem);
      assert.is(message.split(':')[0], `words[${index}]`);
    }
  }
});

Join('what is no list of words, or no parameters, is refused', () => {
  assert.match(
    messageOf(() => joinParameters('a' as never)),
    /^words: expected an array, got "a"$/,
  );
  for (const given of [5, null, undefined, ['a']]) {
    const message = messageOf(() => splitParameters(given as never));
    assert.match(message, /^parameters: expected a text or bytes, got /);
  }
});

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.is((error as Error).name, 'InputError');
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

Split.run();
Join.run();
