// dmsetup's table text (lvm2's dmsetup parser): a target a line, `start length type [parameters]`.

import { Cell, Status } from './status';
import { DmTargetSpec, DM_MAX_TYPE_NAME, SPEC_SIZE, SPEC_TYPE } from './uapi';
import { cell, fail, inside, setCell } from './bytes';
import { Parameters, putParameters, tableCapacity } from './table';
import { Plain } from './words';

/** isspace() of the C locale, which has no 0xA0. */
function isSpace(byte: u32): bool {
  return byte == 0x20 || byte - 0x09 < 5;
}

function skipSpaces(at: u32, end: u32): u32 {
  while (at < end && isSpace(load<u8>(at))) at++;
  return at;
}

/** Where the number that was just read ends, and its value. */
let numberEnd: u32 = 0;
let number: u64 = 0;

/** Decimal digits at `at`; dmsetup would wrap what is negative or too large, we refuse it. */
function readNumber(at: u32, end: u32, missing: Status, line: u32, text: u32): i32 {
  const start = at;
  let value: u64 = 0;
  while (at < end) {
    const digit: u32 = <u32>load<u8>(at) - 0x30;
    if (digit > 9) break;
    if (value > u64.MAX_VALUE / 10 || value * 10 > u64.MAX_VALUE - digit) {
      return fail(Status.LINE_NUMBER_TOO_LARGE, line, start - text);
    }
    value = value * 10 + digit;
    at++;
  }
  if (at == start || (at < end && !isSpace(load<u8>(at)))) return fail(missing, line, start - text);
  number = value;
  numberEnd = at;
  return 0;
}

/** The most targets that `length` bytes of text can have: `0 1 a` and a line break each. */
export function lineCapacity(length: u32): u32 {
  return length / 6 + 1;
}

/**
 * A whole table text → a chain of specs at `out`, as encodeTable makes it for a request. COUNT is
 * how many targets there are.
 * @returns the bytes written, or a Status with FAIL_OFFSET in the text
 */
export function encodeText(out: u32, capacity: u32, text: u32, length: u32): i32 {
  if (!inside(out, capacity) || !inside(text, length)) return fail(Status.OUT_OF_BOUNDS, 0, 0);
  if (<u64>capacity < tableCapacity(lineCapacity(length), length)) {
    return fail(Status.OUTPUT_TOO_SMALL, 0, capacity);
  }
  const textEnd = text + length;
  let spec = out;
  let count: u32 = 0;
  let at = text;
  while (at < textEnd) {
    let end = at;
    while (end < textEnd && load<u8>(end) != 0x0a) end++;
    const next = end + 1;
    at = skipSpaces(at, end);
    if (at == end || load<u8>(at) == 0x23) {
      at = next;
      continue;
    }

    let wrong = readNumber(at, end, Status.LINE_NO_START, count, text);
    if (wrong) return wrong;
    const start = number;
    at = skipSpaces(numberEnd, end);
    wrong = readNumber(at, end, Status.LINE_NO_LENGTH, count, text);
    if (wrong) return wrong;
    const sectors = number;
    const type = skipSpaces(numberEnd, end);
    at = type;
    while (at < end && !isSpace(load<u8>(at))) {
      if (!load<u8>(at)) return fail(Status.LINE_HAS_NUL, count, at - text);
      at++;
    }
    if (at == type) return fail(Status.LINE_NO_TYPE, count, type - text);
    const typeLength = at - type;
    if (typeLength >= DM_MAX_TYPE_NAME) return fail(Status.TYPE_TOO_LONG, count, type - text);

    // A comment cuts the parameters, whatever stands before the `#`; then blanks go from their end.
    const parameters = skipSpaces(at, end);
    let parametersEnd = parameters;
    while (parametersEnd < end && load<u8>(parametersEnd) != 0x23) parametersEnd++;
    while (parametersEnd > parameters && isSpace(load<u8>(parametersEnd - 1))) parametersEnd--;

    const target = changetype<DmTargetSpec>(<usize>spec);
    target.sector_start = start;
    target.length = sectors;
    target.status = 0;
    memory.fill(spec + SPEC_TYPE, 0, DM_MAX_TYPE_NAME);
    memory.copy(spec + SPEC_TYPE, type, typeLength);
    const to = spec + SPEC_SIZE;
    const parametersLength = parametersEnd - parameters;
    let written = <i32>parametersLength;
    if (Plain.copy(to, parameters, parametersLength)) {
      written = putParameters(to, parameters, parametersLength, Parameters.LINE, count);
    }
    if (written < 0) {
      return fail(Status.LINE_HAS_NUL, count, parameters - text + cell(Cell.FAIL_OFFSET));
    }
    const following = to + (written & ~7) + 8;
    target.next = following - spec;
    spec = following;
    count++;
    at = next;
  }
  setCell(Cell.COUNT, count);
  return <i32>(spec - out);
}
