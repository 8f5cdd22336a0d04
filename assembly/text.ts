// dmsetup's table text (lvm2's dmsetup parser): a target a line, `start length type [parameters]`. Every
// line, also the last, ends with a line feed, so that each loop below comes to an end by itself.

import { Cell, Status } from './status';
import { DmTargetSpec, DM_MAX_TYPE_NAME, SPEC_SIZE, SPEC_TYPE } from './uapi';
import { Eight, HIGHS, ONES, SLACK, fail, inside, setCell } from './bytes';
import { tableCapacity } from './table';

const LINE_FEED: u32 = 0x0a;
const HASH: u32 = 0x23;
const BACKSLASH: u32 = 0x5c;

export class Space {
  /** isspace() of the C locale, which has no 0xA0; written out where it is used. */
  @inline
  static is(byte: u32): bool {
    return byte == 0x20 || byte - 0x09 < 5;
  }

  /** To the first byte that is no space, or to the line's end: mostly it is here, or the next one. */
  @inline
  static skip(at: u32): u32 {
    if (load<u8>(at) > 0x20) return at;
    return load<u8>(at) == 0x20 && load<u8>(at + 1) > 0x20 ? at + 1 : skipSpaces(at);
  }
}

function skipSpaces(at: u32): u32 {
  let byte: u32 = load<u8>(at);
  while (Space.is(byte) && byte != LINE_FEED) byte = load<u8>(++at);
  return at;
}

function findLineFeed(at: u32): u32 {
  while (load<u8>(at) != LINE_FEED) at++;
  return at;
}

/** 10^0 to 10^8. */
const POWERS: u32 = <u32>(
  memory.data<u64>([1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000])
);

/** Is the number from `at` to `end` 2^64 or more? */
function wraps(at: u32, end: u32): bool {
  let value: u64 = 0;
  for (; at < end; at++) {
    const digit = <u64>load<u8>(at) - 0x30;
    if (value > (u64.MAX_VALUE - digit) / 10) return true;
    value = value * 10 + digit;
  }
  return false;
}

/**
 * A whole table text, a line feed at its end → a chain of specs at `out`, as encodeTable makes it for a
 * request. COUNT is how many targets there are. It goes on as long as there is room for the rest as one
 * target: how many there are is seen on the way only.
 * @returns the bytes written, or a Status with FAIL_OFFSET in the text
 */
export function encodeText(out: u32, capacity: u32, text: u32, length: u32): i32 {
  if (
    !inside(out, capacity) ||
    !inside(text, length) ||
    length == 0 ||
    load<u8>(text + length - 1) != LINE_FEED ||
    // Writing over the text could take the line feed away.
    (out < text + length + SLACK && text < out + capacity + SLACK)
  ) {
    return Status.OUT_OF_BOUNDS;
  }
  const textEnd = text + length;
  // Two bytes out for each byte of text that is left, and a spec.
  const most = <i64>out + capacity - tableCapacity(1, 0) - 2 * <i64>textEnd;
  let spec = out;
  let count: u32 = 0;
  for (let at = text; at < textEnd; at++) {
    at = Space.skip(at);
    let byte: u32 = load<u8>(at);
    if (byte == LINE_FEED) continue;
    if (byte == HASH) {
      at = findLineFeed(at);
      continue;
    }
    if (<i64>spec - 2 * <i64>at > most) return Status.OUTPUT_TOO_SMALL;

    let start: u64 = 0;
    let sectors: u64 = 0;
    for (let field = 0; field < 2; field++) {
      const first = at;
      start = sectors;
      sectors = 0;
      let digits: u32;
      do {
        // Eight at once: the first digit stands lowest; pairs of them, then fours, then all.
        const eight = load<u64>(at) ^ (ONES * 0x30);
        digits = Eight.count(((eight + ONES * 0x76) | eight) & HIGHS);
        if (!digits) break;
        let ten = eight << ((8 - digits) << 3);
        ten = (ten * 10 + (ten >> 8)) & 0x00ff00ff00ff00ff;
        ten = (ten * 100 + (ten >> 16)) & 0x0000ffff0000ffff;
        ten = (ten * 10000 + (ten >> 32)) & 0xffffffff;
        sectors = sectors * load<u64>(POWERS + (digits << 3)) + ten;
        at += digits;
      } while (digits == 8);
      // dmsetup would wrap what is negative or too large, we refuse it. Up to 19 digits do not wrap.
      if (at - first > 19 && wraps(first, at)) {
        return fail(Status.LINE_NUMBER_TOO_LARGE, count, first - text);
      }
      if (at == first || !Space.is(load<u8>(at))) {
        return fail(field ? Status.LINE_NO_LENGTH : Status.LINE_NO_START, count, first - text);
      }
      at = Space.skip(at);
    }
    const type = at;
    at = type + Eight.count(Eight.below(load<u64>(type), 0x21));
    byte = load<u8>(at);
    while (byte && !Space.is(byte)) byte = load<u8>(++at);
    if (!byte) return fail(Status.LINE_HAS_NUL, count, at - text);
    const typeLength = at - type;
    if (typeLength == 0) return fail(Status.LINE_NO_TYPE, count, type - text);
    if (typeLength >= DM_MAX_TYPE_NAME) return fail(Status.TYPE_TOO_LONG, count, type - text);

    at = Space.skip(at);
    const parameters = spec + SPEC_SIZE;
    let to = parameters;
    for (;;) {
      // Eight at once, up to the first that has to be looked at.
      const eight = load<u64>(at);
      const special =
        Eight.below(eight, 0x20) | Eight.has(eight, HASH) | Eight.has(eight, BACKSLASH);
      store<u64>(to, eight);
      if (!special) {
        to += 8;
        at += 8;
        continue;
      }
      const plain = Eight.count(special);
      to += plain;
      at += plain;
      byte = load<u8>(at);
      // A comment cuts the parameters, whatever stands before the `#`.
      if (byte == LINE_FEED || byte == HASH) break;
      if (!byte) return fail(Status.LINE_HAS_NUL, count, at - text);
      // As libdm sends a line: each backslash doubled.
      if (byte == BACKSLASH) store<u8>(to++, BACKSLASH);
      store<u8>(to++, byte);
      at++;
    }
    for (let last = at; to > parameters && Space.is(load<u8>(--last));) to--;
    store<u64>(to, 0);
    if (byte == HASH) at = findLineFeed(at);

    const target = changetype<DmTargetSpec>(<usize>spec);
    target.sector_start = start;
    target.length = sectors;
    target.status = 0;
    const low = min(typeLength, 8);
    store<u64>(
      spec + SPEC_TYPE,
      low == 8 ? load<u64>(type) : load<u64>(type) & Eight.first(typeLength),
    );
    store<u64>(spec + SPEC_TYPE + 8, load<u64>(type + 8) & Eight.first(typeLength - low));
    const size = SPEC_SIZE + ((to - parameters) & ~7) + 8;
    target.next = size;
    spec += size;
    count++;
  }
  setCell(Cell.COUNT, count);
  return <i32>(spec - out);
}
