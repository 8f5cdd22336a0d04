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

/** Say where it went wrong, and answer `status`. */
export function fail(status: Status, index: u32, offset: u32, word: u32 = 0): i32 {
  setCell(Cell.FAIL_INDEX, index);
  setCell(Cell.FAIL_OFFSET, offset);
  setCell(Cell.FAIL_WORD, word);
  return status;
}

/** Every area has this many bytes of slack, so that 8-byte loads and stores may run over its end. */
export const SLACK: u32 = 8;

/** Is [address, address + length) inside the memory, with its slack? */
export function inside(address: u32, length: u64): bool {
  return <u64>address + length + SLACK <= (<u64>memory.size()) << 16;
}

export function align8(n: u32): u32 {
  return (n + 7) & ~7;
}

export const ONES: u64 = 0x0101010101010101;
export const HIGHS: u64 = 0x8080808080808080;

/** Non-zero if one of the eight bytes is 0; the lowest set bit stands in the first such byte. */
export function zeroBytes(word: u64): u64 {
  return (word - ONES) & ~word & HIGHS;
}

/** Non-zero if one of the eight bytes is `byte`. */
export function hasByte(word: u64, byte: u64): u64 {
  return zeroBytes(word ^ (ONES * byte));
}

/** The lowest `bits` of a word, of which there are fewer than 64. */
export function lowest(bits: u32): u64 {
  return ((<u64>1) << bits) - 1;
}

/** Bits that are set where a byte is above 0x7f. */
export function highBits(word: u64): u64 {
  return word & HIGHS;
}

/** The address of the first NUL in [from, end), or `end`. */
export function findNul(from: u32, end: u32): u32 {
  let at = from;
  while (at < end) {
    const zeros = zeroBytes(load<u64>(at));
    if (zeros) return min(end, at + <u32>(ctz(zeros) >> 3));
    at += 8;
  }
  return end;
}

/**
 * Copy [from, from + length) to `to`, in eight-byte steps that may overrun into the slack.
 * @returns the high bits of all bytes copied, 0 if they are ASCII
 */
export function copyText(to: u32, from: u32, length: u32): u64 {
  let high: u64 = 0;
  let i: u32 = 0;
  while (i + 8 <= length) {
    const word = load<u64>(from + i);
    store<u64>(to + i, word);
    high |= word;
    i += 8;
  }
  while (i < length) {
    const byte = load<u8>(from + i);
    store<u8>(to + i, byte);
    high |= byte;
    i++;
  }
  return highBits(high);
}

/** The kernel's isspace(): the C set and 0xA0 (lib/ctype.c). */
export function isBlank(byte: u32): bool {
  return byte == 0x20 || byte - 0x09 < 5 || byte == 0xa0;
}
