// The kernel's argument splitter and its inverse (drivers/md/dm-table.c dm_split_args): words end at
// a blank, backslash takes the next byte as it is (a last one stands for itself), NUL ends it all.

import { Cell, Status } from './status';
import { HIGHS, ONES, copyText, fail, failInWord, Eight, inside, isBlank, setCell } from './bytes';

const BACKSLASH: u32 = 0x5c;

/**
 * Split `length` bytes at `text` into words, each followed by a NUL, at `out` (length + 1 bytes at
 * the most). TEXT_LENGTH is what was written, NOT_ASCII as for a decode.
 * @returns the number of words, or a Status
 */
export function splitWords(text: u32, length: u32, out: u32, capacity: u32): i32 {
  if (!inside(text, length) || !inside(out, capacity)) return Status.OUT_OF_BOUNDS;
  if (<u64>capacity < <u64>length + 1) return Status.OUTPUT_TOO_SMALL;
  const end = text + length;
  let to = out;
  let high: u32 = 0;
  let words: i32 = 0;
  let at = text;
  for (;;) {
    while (at < end && isBlank(load<u8>(at))) at++;
    if (at >= end || load<u8>(at) == 0) break;
    while (at < end) {
      let byte: u32 = load<u8>(at);
      if (byte == BACKSLASH && at + 1 < end && load<u8>(at + 1) != 0) byte = load<u8>(++at);
      else if (byte == 0 || isBlank(byte)) break;
      store<u8>(to++, byte);
      high |= byte;
      at++;
    }
    store<u8>(to++, 0);
    words++;
  }
  setCell(Cell.TEXT_LENGTH, to - out);
  setCell(Cell.NOT_ASCII, high >> 7);
  return words;
}

/** Eight bytes at once that need no backslash: all above 0x20, none a backslash or 0xA0. */
function allPlain(word: u64): bool {
  return (Eight.below(word, 0x21) | Eight.has(word, BACKSLASH) | Eight.has(word, 0xa0)) == 0;
}

/** How many words putWords has put since beginWords: the host knows how many it gave. */
let words: u32 = 0;

export function beginWords(): void {
  words = 0;
}

export function wordsPut(): u32 {
  return words;
}

/**
 * Write words, given with a NUL between two of them, so that the kernel splits them back. `out` takes
 * 2 * length bytes at the most; both ranges were checked by the caller.
 * @returns bytes written, or a Status with FAIL_WORD and FAIL_OFFSET
 */
export function putWords(out: u32, text: u32, length: u32, index: u32): i32 {
  const before = words;
  const end = text + length;
  let to = out;
  let at = text;
  for (;;) {
    const start = at;
    let plain = false;
    while (at < end) {
      if (at + 8 <= end) {
        const eight = load<u64>(at);
        if (allPlain(eight)) {
          store<u64>(to, eight);
          to += 8;
          at += 8;
          plain = true;
          continue;
        }
      }
      const byte: u32 = load<u8>(at);
      if (byte == 0) break;
      if (isBlank(byte)) {
        store<u8>(to++, BACKSLASH);
      } else {
        plain = true;
        if (byte == BACKSLASH) store<u8>(to++, BACKSLASH);
      }
      store<u8>(to++, byte);
      at++;
    }
    if (at == start) return failInWord(Status.PARAMETER_EMPTY, index, at - text, words - before);
    if (!plain) return failInWord(Status.PARAMETER_BLANK, index, start - text, words - before);
    words++;
    if (at == end) break;
    store<u8>(to++, 0x20);
    at++;
  }
  return <i32>(to - out);
}

/**
 * The same for `count` words that are all there are.
 * @returns bytes written, or a Status: PARAMETER_HAS_NUL also for a count that is wrong
 */
export function putAllWords(out: u32, text: u32, length: u32, count: u32): i32 {
  beginWords();
  if (count == 0 && length == 0) return 0;
  const written = putWords(out, text, length, 0);
  return written < 0 || words == count ? written : fail(Status.PARAMETER_HAS_NUL, 0, length);
}

/** The way of most texts, written out where it is used: a call would cost as much as the work. */
export class Plain {
  /** Bits of HIGHS that are set if one of eight bytes is a NUL or a backslash; others mean nothing. */
  @inline
  private static special(word: u64): u64 {
    const slash = word ^ (ONES * BACKSLASH);
    return ((word - ONES) & ~word) | ((slash - ONES) & ~slash);
  }

  /**
   * Copy a text whole words of eight bytes at a time, with the NUL behind it and zeros up to `to` plus
   * a multiple of 8: most texts need no more than that to be parameters.
   * @returns non-zero if there is a NUL or a backslash in it, and it needs a closer look
   */
  @inline
  static copy(to: u32, from: u32, length: u32): u64 {
    const whole = length & ~7;
    let special: u64 = 0;
    for (let i: u32 = 0; i < whole; i += 8) {
      const eight = load<u64>(from + i);
      special |= Plain.special(eight);
      store<u64>(to + i, eight);
    }
    const mask = Eight.first(length & 7);
    const last = load<u64>(from + whole) & mask;
    store<u64>(to + whole, last);
    return (special | Plain.special(last | ~mask)) & HIGHS;
  }
}

/**
 * Write one line of parameters as libdm does: spacing kept, each backslash doubled.
 * @returns bytes written, or a Status with FAIL_OFFSET
 */
export function putLine(out: u32, text: u32, length: u32, index: u32): i32 {
  const end = text + length;
  let to = out;
  for (let at = text; at < end; at++) {
    const byte: u32 = load<u8>(at);
    if (byte == 0) return fail(Status.PARAMETER_HAS_NUL, index, at - text);
    if (byte == BACKSLASH) store<u8>(to++, BACKSLASH);
    store<u8>(to++, byte);
  }
  return <i32>(to - out);
}

/** Write parameters just as they are. */
export function putBytes(out: u32, text: u32, length: u32, index: u32): i32 {
  for (let i: u32 = 0; i < length; i++) {
    if (!load<u8>(text + i)) return fail(Status.PARAMETER_HAS_NUL, index, i);
  }
  copyText(out, text, length);
  return <i32>length;
}

/** Is there nothing but blanks in `length` bytes, of which there are some? */
export function allBlank(text: u32, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (!isBlank(load<u8>(text + i))) return false;
  return length > 0;
}

/**
 * Join `count` words, given with a NUL between two of them, by blanks and with the backslashes that
 * keep them apart.
 * @returns bytes written to `out`, or a Status
 */
export function joinWords(text: u32, length: u32, count: u32, out: u32, capacity: u32): i32 {
  if (!inside(text, length) || !inside(out, capacity)) return Status.OUT_OF_BOUNDS;
  if (<u64>capacity < 2 * <u64>length + 1) return Status.OUTPUT_TOO_SMALL;
  return putAllWords(out, text, length, count);
}
