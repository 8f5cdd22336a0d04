// Bounds, alignment and the search for bytes, eight at a time. Addresses are u32; sums of them are
// made in u64, so that no hostile length can wrap around.

import { Cell, Status } from './status';

const CELLS: usize = memory.data(96);
/** Name and uuid of a request: 128 and 136 bytes, each with room for one byte too many. */
export const NAME_SLOT: usize = memory.data(136);
export const UUID_SLOT: usize = memory.data(136);

export function controlBlock(): usize {
  return CELLS;
}

export function cell(index: Cell): u32 {
  return load<u32>(CELLS + ((<usize>index) << 2));
}

export function setCell(index: Cell, value: u32): void {
  store<u32>(CELLS + ((<usize>index) << 2), value);
}

/** Say where in the input it went wrong, and answer `status`. */
export function fail(status: Status, index: u32, offset: u32): i32 {
  setCell(Cell.FAIL_INDEX, index);
  setCell(Cell.FAIL_OFFSET, offset);
  return status;
}

/** The same, and in which word of a target's parameters. */
export function failInWord(status: Status, index: u32, offset: u32, word: u32): i32 {
  setCell(Cell.FAIL_WORD, word);
  return fail(status, index, offset);
}

/** Every area has this many bytes of slack, so that 8-byte loads and stores may run over its end. */
export const SLACK: u32 = 8;

/** Is [address, address + length) inside the memory, with its slack? */
export function inside(address: u32, length: u64): bool {
  return <u64>address + length + SLACK <= (<u64>memory.size()) << 16;
}

/** What a JavaScript number can be without losing one. */
export const MAX_SAFE_INTEGER: u64 = 9007199254740991;

export function align8(n: u32): u32 {
  return (n + 7) & ~7;
}

export const ONES: u64 = 0x0101010101010101;
export const HIGHS: u64 = 0x8080808080808080;

/** Eight bytes at once, written out where they are used: a call would cost as much as the work. */
export class Eight {
  /** Non-zero if one of them is 0; the lowest set bit stands in the first such byte. */
  @inline
  static zeros(word: u64): u64 {
    return Eight.below(word, 1);
  }

  /** Non-zero if one of them is `byte`. */
  @inline
  static has(word: u64, byte: u64): u64 {
    return Eight.zeros(word ^ (ONES * byte));
  }

  /** Non-zero if one of them is less than `byte`, which is at most 0x80, as in `zeros`. */
  @inline
  static below(word: u64, byte: u64): u64 {
    return (word - ONES * byte) & ~word & HIGHS;
  }

  /** How many stand before the first that `found` has its bit of, 8 if it has none. */
  @inline
  static count(found: u64): u32 {
    return <u32>(ctz(found) >> 3);
  }

  /** A mask of the first `count` of them, at most 7. */
  @inline
  static first(count: u32): u64 {
    return ((<u64>1) << (count << 3)) - 1;
  }
}

/** The address of the first NUL in [from, end), or `end`. */
export function findNul(from: u32, end: u32): u32 {
  let at = from;
  while (at < end) {
    const zeros = Eight.zeros(load<u64>(at));
    if (zeros) return min(end, at + Eight.count(zeros));
    at += 8;
  }
  return end;
}

/** Are there the same bytes at two addresses? */
export function areSame(one: u32, other: u32, length: u32): bool {
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) {
    if (load<u64>(one + i) != load<u64>(other + i)) return false;
  }
  const rest = load<u64>(one + i) ^ load<u64>(other + i);
  return (rest & Eight.first(length & 7)) == 0;
}

/**
 * Copy [from, from + length) to `to`, in eight-byte steps that may overrun into the slack.
 */
export function copyText(to: u32, from: u32, length: u32): void {
  for (let i: u32 = 0; i < length; i += 8) store<u64>(to + i, load<u64>(from + i));
}

/** The bits of all bytes that were taken since beginTexts. */
let taken: u64 = 0;

export function beginTexts(): void {
  taken = 0;
}

export class Text {
  /**
   * Find the NUL of the text at `from` and copy the text to `to`, in one go: what runs over is written
   * over by the next one. Written out where it is used.
   * @returns where the NUL is, or `limit` if there is none before it, and nothing was taken
   */
  @inline
  static take(to: u32, from: u32, limit: u32): u32 {
    let bits: u64 = 0;
    for (let at = from; at < limit; at += 8) {
      const eight = load<u64>(at);
      const zeros = Eight.zeros(eight);
      store<u64>(to, eight);
      to += 8;
      if (zeros) {
        const size = Eight.count(zeros);
        // A NUL behind the limit is none.
        if (at + size >= limit) break;
        // Up to the NUL.
        taken |= bits | (eight & (zeros ^ (zeros - 1)));
        return at + size;
      }
      bits |= eight;
    }
    return limit;
  }
}

/** The same as a call, where there is more to do than that. */
export function takeText(to: u32, from: u32, limit: u32): u32 {
  return Text.take(to, from, limit);
}

/** Tell the host of `length` bytes of text. */
export function endTexts(length: u32): void {
  setCell(Cell.TEXT_LENGTH, length);
  setCell(Cell.NOT_ASCII, taken & HIGHS ? 1 : 0);
}

/** The kernel's isspace(): the C set and 0xA0 (lib/ctype.c). */
export function isBlank(byte: u32): bool {
  return byte == 0x20 || byte - 0x09 < 5 || byte == 0xa0;
}
