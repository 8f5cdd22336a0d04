// The grammar of dmsetup's text, told line by line: where each field stands and all that is wrong with
// it. text.ts reads the same grammar in one go to a request, and stops at the first mistake.

import { Status } from './status';
import { DM_MAX_TYPE_NAME } from './uapi';
import { Eight, findNul, inside } from './bytes';
import { Space } from './text';

const LINE_FEED: u32 = 0x0a;
const HASH: u32 = 0x23;
const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const SEMICOLON: u32 = 0x3b;
const BACKSLASH: u32 = 0x5c;

/** What is told of a line, as an index of u32: the bounds of its fields are offsets in the text. */
export enum Line {
  START_LOW,
  START_HIGH,
  LENGTH_LOW,
  LENGTH_HIGH,
  /** Counted from 1. */
  NUMBER,
  /** Bits of {@link Flaw}. */
  FLAWS,
  /** Where the line begins, and the name before it, which is empty if there is none. */
  NAME,
  NAME_END,
  START,
  START_END,
  LENGTH,
  LENGTH_END,
  TYPE,
  TYPE_END,
  /** Without the blanks and the comment behind them. */
  PARAMETERS,
  PARAMETERS_END,
}
export const LINE_SIZE: u32 = 64;

/** What is wrong with a line. */
export enum Flaw {
  START_NO_NUMBER = 1,
  START_TOO_LARGE = 2,
  LENGTH_NO_NUMBER = 4,
  LENGTH_TOO_LARGE = 8,
  TYPE_MISSING = 16,
  TYPE_TOO_LONG = 32,
  /** In the type or the parameters. */
  HAS_NUL = 64,
}

/** How lines are read: `#` begins a comment; there may be a device's name before a line. */
export const COMMENTS: u32 = 1;
export const NAMES: u32 = 2;

/** The first `byte` in [at, end), or `end`. */
function find(at: u32, end: u32, byte: u64): u32 {
  for (; at < end; at += 8) {
    const found = Eight.has(load<u64>(at), byte);
    if (found) return min(end, at + Eight.count(found));
  }
  return end;
}

/** Over the bytes that are spaces, or over those that are none. */
function skip(at: u32, end: u32, spaces: bool): u32 {
  while (at < end && Space.is(load<u8>(at)) == spaces) at++;
  return at;
}

function skipDigits(at: u32, end: u32): u32 {
  while (at < end && load<u8>(at) - 0x30 < 10) at++;
  return at;
}

/** Do two numbers stand here, which is how a line begins? */
function isRow(at: u32, end: u32): bool {
  for (let i = 0; i < 2; i++) {
    const to = skipDigits(at, end);
    if (to == at || (to < end && !Space.is(load<u8>(to)))) return false;
    at = skip(to, end, true);
  }
  return true;
}

/**
 * Where the name before a line ends, or `at` if it has none. A name may hold blanks and colons
 * itself: it ends at the first `: ` that a line follows, or nothing, if the device has no table.
 */
function nameEnd(at: u32, end: u32): u32 {
  const row = skip(at, end, true);
  if (isRow(row, end)) {
    // Two numbers may be a part of a name, but no type ends with a colon.
    const length = skip(skip(row, end, false), end, true);
    const type = skip(skip(length, end, false), end, true);
    const typeEnd = skip(type, end, false);
    if (typeEnd == type || load<u8>(typeEnd - 1) != COLON) return at;
  }
  let colon = find(at, end, COLON);
  while (colon < end) {
    const next = skip(colon + 1, end, true);
    if (next == end || (next > colon + 1 && isRow(next, end))) return colon;
    colon = find(colon + 1, end, COLON);
  }
  return at;
}

/**
 * `length` bytes of text → a row of LINE_SIZE bytes, by the enum Line, for each line that is neither
 * blank nor a comment.
 * @param how - COMMENTS, NAMES
 * @returns how many there are, of which no more than `capacity` are written, or a Status
 */
export function scanLines(text: u32, length: u32, rows: u32, capacity: u32, how: u32): i32 {
  if (!inside(text, length) || !inside(rows, <u64>capacity * LINE_SIZE)) {
    return Status.OUT_OF_BOUNDS;
  }
  const textEnd = text + length;
  let number: u32 = 0;
  let count: u32 = 0;
  let from = text;
  while (from < textEnd) {
    const at = from;
    const next = find(at, textEnd, LINE_FEED);
    from = next + 1;
    number++;
    let field = skip(at, next, true);
    if (field == next || (how & COMMENTS && load<u8>(field) == HASH)) continue;
    if (count++ >= capacity) continue;

    const row = rows + (count - 1) * LINE_SIZE;
    store<u32>(row, number, Line.NUMBER << 2);
    store<u32>(row, at - text, Line.NAME << 2);
    const name = how & NAMES ? nameEnd(at, next) : at;
    if (name != at) field = skip(name + 1, next, true);
    store<u32>(row, name - text, Line.NAME_END << 2);

    let flaws: u32 = 0;
    for (let i: u32 = 0; i < 2; i++) {
      const end = skip(field, next, false);
      let value: u64 = 0;
      let flaw: u32 = field == end ? Flaw.START_NO_NUMBER : 0;
      for (let digit = field; digit < end; digit++) {
        const unit = <u64>load<u8>(digit) - 0x30;
        if (unit > 9) {
          flaw = Flaw.START_NO_NUMBER;
          break;
        }
        if (value > u64.MAX_VALUE / 10 || (value == u64.MAX_VALUE / 10 && unit > 5)) {
          flaw = Flaw.START_TOO_LARGE;
          break;
        }
        value = value * 10 + unit;
      }
      flaws |= flaw << (i << 1);
      store<u64>(row + (i << 3), value);
      store<u32>(row + (i << 3), field - text, Line.START << 2);
      store<u32>(row + (i << 3), end - text, Line.START_END << 2);
      field = skip(end, next, true);
    }

    const typeEnd = skip(field, next, false);
    if (typeEnd == field) flaws |= Flaw.TYPE_MISSING;
    if (typeEnd - field >= DM_MAX_TYPE_NAME) flaws |= Flaw.TYPE_TOO_LONG;
    const parameters = skip(typeEnd, next, true);
    let end = how & COMMENTS ? find(parameters, next, HASH) : next;
    while (end > parameters && Space.is(load<u8>(end - 1))) end--;
    if (findNul(field, end) < end) flaws |= Flaw.HAS_NUL;
    store<u32>(row, field - text, Line.TYPE << 2);
    store<u32>(row, typeEnd - text, Line.TYPE_END << 2);
    store<u32>(row, parameters - text, Line.PARAMETERS << 2);
    store<u32>(row, end - text, Line.PARAMETERS_END << 2);
    store<u32>(row, flaws, Line.FLAWS << 2);
  }
  return <i32>count;
}

/**
 * Where `,` and `;` stand in `length` bytes of text, as u32 offsets: what parts the fields of dmsetup's
 * --concise, in which a backslash takes the meaning from the byte behind it, and of dm-mod.create, which
 * has no `escapes`.
 * @returns how many there are, of which no more than `capacity` are written, or a Status
 */
export function findSeparators(
  text: u32,
  length: u32,
  offsets: u32,
  capacity: u32,
  escapes: bool,
): i32 {
  if (!inside(text, length) || !inside(offsets, (<u64>capacity) << 2)) {
    return Status.OUT_OF_BOUNDS;
  }
  let count: u32 = 0;
  for (let at: u32 = 0; at < length; at++) {
    const byte: u32 = load<u8>(text + at);
    if (byte == BACKSLASH && escapes) at++;
    else if (byte == COMMA || byte == SEMICOLON) {
      if (count < capacity) store<u32>(offsets + (count << 2), at);
      count++;
    }
  }
  return <i32>count;
}
