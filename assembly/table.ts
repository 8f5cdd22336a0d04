// Chains of struct dm_target_spec, both directions. `next` means two things: in a request it counts
// from its own spec, in a reply from the first one (drivers/md/dm-ioctl.c next_target(),
// retrieve_status()).

import { Cell, Status } from './status';
import { DmTargetSpec, DM_MAX_TYPE_NAME, SPEC_SIZE, SPEC_TYPE } from './uapi';
import {
  Eight,
  MAX_SAFE_INTEGER,
  Text,
  align8,
  beginTexts,
  endTexts,
  fail,
  findNul,
  inside,
  setCell,
} from './bytes';
import { beginWords, Plain, putBytes, putLine, putWords, wordsPut } from './words';

/** How the parameters of a TargetRecord are written: the low bits of its kind. */
export enum Parameters {
  /** These very bytes. */
  BYTES,
  /** The rest of a dmsetup line. */
  LINE,
  /** Words with a NUL between two of them, to be escaped. */
  WORDS,
}
/** Or'ed to it: `start`, `length` hold a f64 in place of a u64, and it is yet to be checked. */
export const FLOAT_START: u32 = 4;
export const FLOAT_LENGTH: u32 = 8;
/** Above these bits of a kind stands the row of its type. */
export const TYPE_SHIFT: u32 = 4;

/** What the host writes for each target; the texts lie behind each other, the types in 16-byte rows. */
@unmanaged
export class TargetRecord {
  start: u64;
  length: u64;
  textLength: u32;
  kind: u32;
}
export const TARGET_RECORD_SIZE: u32 = offsetof<TargetRecord>();

/**
 * What the host finds for each target: the texts lie packed, and this one ends `textEnd` bytes behind
 * the first one's begin; the type is an address in the buffer.
 */
@unmanaged
export class TargetIndex {
  start: f64;
  length: f64;
  textEnd: u32;
  type: u32;
}
export const TARGET_INDEX_SIZE: u32 = offsetof<TargetIndex>();

/** A f64's bits → a whole number as it is; what is none, or negative, becomes one above 2^53 - 1. */
function sectorOf(bits: u64): u64 {
  const value = reinterpret<f64>(bits);
  // A NaN becomes 0, the infinite the largest there are.
  const sector = <i64>value;
  return <f64>sector == value ? <u64>sector : u64.MAX_VALUE;
}

/** One row of the type table: 1 to 15 bytes, then NULs only, which the host sees to. */
function checkType(type: u32, index: u32): i32 {
  const end = type + DM_MAX_TYPE_NAME;
  const nul = findNul(type, end);
  if (nul == type) return fail(Status.TYPE_EMPTY, index, 0);
  if (nul == end) return fail(Status.TYPE_TOO_LONG, index, DM_MAX_TYPE_NAME - 1);
  return 0;
}

/**
 * The parameters of target `index`, at `to`, with their NUL and zeros up to the next multiple of 8.
 * @returns bytes written without those, or a Status with FAIL_INDEX
 */
function putParameters(to: u32, from: u32, length: u32, how: u32, index: u32): i32 {
  let written: i32;
  if (how == Parameters.WORDS) {
    written = putWords(to, from, length, index);
  } else if (how == Parameters.LINE) {
    written = putLine(to, from, length, index);
  } else {
    written = putBytes(to, from, length, index);
  }
  if (written >= 0) store<u64>(to + <u32>written, 0);
  return written;
}

/** Room for the worst case: every byte of the text escaped, every spec padded. */
export function tableCapacity(count: u32, textLength: u32): u64 {
  return (SPEC_SIZE + 8) * <u64>count + 2 * <u64>textLength + 16;
}

/**
 * `count` records, with their types and texts → a chain of specs at `out`. END is where the last
 * string ends, without the padding; COUNT is how many words the texts had that are WORDS: one that is
 * not expected is a NUL in a word.
 * @returns the bytes written, padding included, or a Status with FAIL_INDEX
 */
export function encodeTable(
  out: u32,
  capacity: u32,
  records: u32,
  count: u32,
  types: u32,
  typeCount: u32,
  text: u32,
  textLength: u32,
  reply: bool,
): i32 {
  if (
    !inside(out, capacity) ||
    !inside(records, <u64>count * TARGET_RECORD_SIZE) ||
    !inside(types, <u64>typeCount * DM_MAX_TYPE_NAME) ||
    !inside(text, textLength)
  ) {
    return Status.OUT_OF_BOUNDS;
  }
  if (capacity < tableCapacity(count, textLength)) return Status.OUTPUT_TOO_SMALL;

  const textEnd = text + textLength;
  let from = text;
  let spec = out;
  let end = out;
  let row: u32 = u32.MAX_VALUE;
  let typeLow: u64 = 0;
  let typeHigh: u64 = 0;
  beginWords();
  for (let i: u32 = 0; i < count; i++) {
    const record = changetype<TargetRecord>(<usize>(records + i * TARGET_RECORD_SIZE));
    // Read once: the areas of a mistaken host may overlap, and writing a spec then changes the record.
    const kind = record.kind;
    const length = record.textLength;
    if (length > textEnd - from) return Status.OUT_OF_BOUNDS;
    let start = record.start;
    let sectors = record.length;
    if (kind & FLOAT_START) {
      start = sectorOf(start);
      if (start > MAX_SAFE_INTEGER) return fail(Status.START_NOT_A_SECTOR, i, 0);
    }
    if (kind & FLOAT_LENGTH) {
      sectors = sectorOf(sectors);
      if (sectors > MAX_SAFE_INTEGER) return fail(Status.LENGTH_NOT_A_SECTOR, i, 0);
    }
    if (kind >> TYPE_SHIFT != row) {
      row = kind >> TYPE_SHIFT;
      if (row >= typeCount) return Status.OUT_OF_BOUNDS;
      const type = types + row * DM_MAX_TYPE_NAME;
      const wrong = checkType(type, i);
      if (wrong) return wrong;
      typeLow = load<u64>(type);
      typeHigh = load<u64>(type + 8);
    }
    const to = spec + SPEC_SIZE;
    let written = length;
    if ((kind & 3) == Parameters.WORDS || Plain.copy(to, from, length) != 0) {
      // There may be something to escape or to refuse.
      const put = putParameters(to, from, length, kind & 3, i);
      if (put < 0) return put;
      written = <u32>put;
    }
    from += length;

    const target = changetype<DmTargetSpec>(<usize>spec);
    target.sector_start = start;
    target.length = sectors;
    target.status = 0;
    store<u64>(spec + SPEC_TYPE, typeLow);
    store<u64>(spec + SPEC_TYPE + 8, typeHigh);
    end = to + written + 1;
    const next = to + (written & ~7) + 8;
    target.next = next - (reply ? out : spec);
    spec = next;
  }
  setCell(Cell.END, end - out);
  setCell(Cell.COUNT, wordsPut());
  return <i32>(spec - out);
}

/**
 * The chain at `buffer` + `dataStart`, of `count` specs, in a buffer of `length` valid bytes → an
 * index at `index` and the packed parameters at `text`.
 *
 * With `full` the kernel had no room for all: the specs that are whole are taken. With `wide` the
 * sectors stand in the index as u64 and may have all 64 bits.
 * @returns how many specs were decoded, or a Status with FAIL_INDEX, and FAIL_OFFSET in the buffer
 */
export function decodeTable(
  buffer: u32,
  length: u32,
  dataStart: u32,
  count: u32,
  index: u32,
  indexCapacity: u32,
  text: u32,
  textCapacity: u32,
  reply: bool,
  full: bool,
  wide: bool,
): i32 {
  if (
    !inside(buffer, length) ||
    dataStart > length ||
    !inside(index, <u64>indexCapacity * TARGET_INDEX_SIZE) ||
    !inside(text, textCapacity)
  ) {
    return Status.OUT_OF_BOUNDS;
  }
  if (textCapacity < length) return Status.OUTPUT_TOO_SMALL;

  const limit = buffer + length;
  const first = buffer + dataStart;
  let spec = first;
  let to = text;
  beginTexts();
  let lastType: u32 = 0;
  let typeLow: u64 = 0;
  let typeHigh: u64 = 0;
  let i: u32 = 0;
  for (; i < count; i++) {
    const offset = spec - buffer;
    if (limit - spec <= SPEC_SIZE) {
      if (full) break;
      return fail(Status.RECORD_TRUNCATED, i, offset);
    }
    if (i >= indexCapacity) return Status.OUTPUT_TOO_SMALL;
    const target = changetype<DmTargetSpec>(<usize>spec);
    const row = changetype<TargetIndex>(<usize>(index + i * TARGET_INDEX_SIZE));
    // First, as of a spec that is cut off nothing counts.
    const parameters = spec + SPEC_SIZE;
    const end = Text.take(to, parameters, limit);
    if (end == limit) {
      if (full) break;
      return fail(Status.PARAMETERS_UNTERMINATED, i, parameters - buffer);
    }
    to += end - parameters;
    row.textEnd = to - text;

    const start = target.sector_start;
    const sectors = target.length;
    if (wide) {
      store<u64>(changetype<usize>(row), start, offsetof<TargetIndex>('start'));
      store<u64>(changetype<usize>(row), sectors, offsetof<TargetIndex>('length'));
    } else {
      if ((start | sectors) > MAX_SAFE_INTEGER) {
        const field =
          start > MAX_SAFE_INTEGER
            ? offsetof<DmTargetSpec>('sector_start')
            : offsetof<DmTargetSpec>('length');
        return fail(Status.NUMBER_TOO_LARGE, i, offset + <u32>field);
      }
      // Signed, as that is one instruction.
      row.start = <f64>(<i64>start);
      row.length = <f64>(<i64>sectors);
    }

    // Most neighbours have one type: the same address tells the host so without a look at the bytes.
    const type = spec + SPEC_TYPE;
    const low = load<u64>(type);
    const upper = load<u64>(type + 8);
    if (lastType == 0 || low != typeLow || upper != typeHigh) {
      if (!Eight.zeros(low) && !Eight.zeros(upper)) {
        return fail(Status.TYPE_UNTERMINATED, i, type - buffer);
      }
      lastType = type;
      typeLow = low;
      typeHigh = upper;
    }
    row.type = lastType;

    if (i + 1 == count) continue;
    // BUFFER_FULL may leave the last whole spec's `next` unwritten: then nothing follows it anyway.
    const least = end + 1 - spec;
    if (full && limit - spec <= align8(least)) {
      i++;
      break;
    }
    const base = reply ? first : spec;
    const next = target.next;
    const nextOffset = offset + offsetof<DmTargetSpec>('next');
    if (reply && next & 7) return fail(Status.NEXT_UNALIGNED, i, nextOffset);
    if (<u64>base + next < <u64>spec + least) return fail(Status.NEXT_OVERLAPS, i, nextOffset);
    if (<u64>base + next >= <u64>limit) return fail(Status.NEXT_BEYOND_DATA, i, nextOffset);
    spec = base + next;
  }
  endTexts(to - text);
  return <i32>i;
}
