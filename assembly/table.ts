// Chains of struct dm_target_spec, both directions. `next` means two things: in a request it counts
// from its own spec, in a reply from the first one (drivers/md/dm-ioctl.c next_target(),
// retrieve_status()).

import { Cell, Status } from './status';
import { DmTargetSpec, DM_MAX_TYPE_NAME, SPEC_SIZE, SPEC_TYPE } from './uapi';
import { align8, copyText, fail, findNul, inside, setCell, zeroBytes } from './bytes';
import { allBlank, putBytes, putLine, putWords } from './words';

/** How the parameters of a TargetRecord are written. */
export enum Parameters {
  /** These very bytes. */
  BYTES,
  /** The rest of a dmsetup line. */
  LINE,
  /** Words, to be escaped. */
  WORDS,
}
/** Or'ed to it: `start`, `length` hold a u64 in place of a f64. */
export const WIDE_START: u32 = 4;
export const WIDE_LENGTH: u32 = 8;

/** What the host writes for each target; the texts lie behind each other, the types in 16-byte rows. */
@unmanaged
export class TargetRecord {
  start: f64;
  length: f64;
  textLength: u32;
  words: u32;
  type: u32;
  kind: u32;
}
export const TARGET_RECORD_SIZE: u32 = offsetof<TargetRecord>();

/** What the host finds for each target: the texts lie packed, the type is an address in the buffer. */
@unmanaged
export class TargetIndex {
  start: f64;
  length: f64;
  text: u32;
  type: u32;
}
export const TARGET_INDEX_SIZE: u32 = offsetof<TargetIndex>();

const MAX_SAFE_INTEGER: f64 = 9007199254740991;

function isSector(value: f64): bool {
  return value >= 0 && value <= MAX_SAFE_INTEGER && trunc(value) == value;
}

/** One row of the type table: 1 to 15 bytes, then NULs only, which the host sees to. */
function checkType(type: u32, index: u32): i32 {
  const end = type + DM_MAX_TYPE_NAME;
  const nul = findNul(type, end);
  if (nul == type) return fail(Status.TYPE_EMPTY, index, 0);
  if (nul == end) return fail(Status.TYPE_TOO_LONG, index, DM_MAX_TYPE_NAME - 1);
  return 0;
}

/** The NUL behind the parameters, and zeros up to the next multiple of 8. */
export function finishSpec(spec: u32, parametersEnd: u32): u32 {
  const end = align8(parametersEnd + 1 - spec) + spec;
  store<u64>(parametersEnd, 0);
  store<u64>(end, 0);
  return end;
}

/** Room for the worst case: every byte of the text escaped, every spec padded. */
export function tableCapacity(count: u32, textLength: u32): u64 {
  return (SPEC_SIZE + 8) * <u64>count + 2 * <u64>textLength + 16;
}

/**
 * `count` records, with their types and texts → a chain of specs at `out`. END is where the last
 * string ends, without the padding.
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
    <u64>count * TARGET_RECORD_SIZE > u32.MAX_VALUE ||
    !inside(records, count * TARGET_RECORD_SIZE) ||
    <u64>typeCount * DM_MAX_TYPE_NAME > u32.MAX_VALUE ||
    !inside(types, typeCount * DM_MAX_TYPE_NAME) ||
    !inside(text, textLength)
  ) {
    return fail(Status.OUT_OF_BOUNDS, 0, out);
  }
  if (capacity < tableCapacity(count, textLength))
    return fail(Status.OUTPUT_TOO_SMALL, 0, capacity);

  const textEnd = text + textLength;
  let from = text;
  let spec = out;
  let end = out;
  let checked: u32 = u32.MAX_VALUE;
  for (let i: u32 = 0; i < count; i++) {
    const record = changetype<TargetRecord>(<usize>(records + i * TARGET_RECORD_SIZE));
    const kind = record.kind;
    let start: u64, length: u64;
    if (kind & WIDE_START) {
      start = load<u64>(changetype<usize>(record), offsetof<TargetRecord>('start'));
    } else {
      if (!isSector(record.start)) return fail(Status.START_NOT_A_SECTOR, i, 0);
      start = <u64>record.start;
    }
    if (kind & WIDE_LENGTH) {
      length = load<u64>(changetype<usize>(record), offsetof<TargetRecord>('length'));
    } else {
      if (!isSector(record.length)) return fail(Status.LENGTH_NOT_A_SECTOR, i, 0);
      length = <u64>record.length;
    }
    // Read once: the areas of a mistaken host may overlap, and writing a spec then changes the record.
    const textBytes = record.textLength;
    if (record.type >= typeCount || textBytes > textEnd - from) {
      return fail(Status.OUT_OF_BOUNDS, i, 0);
    }
    const type = types + record.type * DM_MAX_TYPE_NAME;
    if (record.type != checked) {
      const wrong = checkType(type, i);
      if (wrong) return wrong;
      checked = record.type;
    }
    const to = spec + SPEC_SIZE;
    let written: i32;
    if ((kind & 3) == Parameters.WORDS) {
      written = putWords(to, from, textBytes, record.words, i);
    } else if ((kind & 3) == Parameters.LINE) {
      if (allBlank(from, textBytes)) return fail(Status.PARAMETER_BLANK, i, 0);
      written = putLine(to, from, textBytes, i);
    } else {
      written = putBytes(to, from, textBytes, i);
    }
    if (written < 0) return written;
    from += textBytes;

    const target = changetype<DmTargetSpec>(<usize>spec);
    target.sector_start = start;
    target.length = length;
    target.status = 0;
    store<u64>(spec + SPEC_TYPE, load<u64>(type));
    store<u64>(spec + SPEC_TYPE + 8, load<u64>(type + 8));
    end = to + <u32>written + 1;
    const next = finishSpec(spec, to + <u32>written);
    target.next = next - (reply ? out : spec);
    spec = next;
  }
  setCell(Cell.END, end - out);
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
    <u64>indexCapacity * TARGET_INDEX_SIZE > u32.MAX_VALUE ||
    !inside(index, indexCapacity * TARGET_INDEX_SIZE) ||
    !inside(text, textCapacity)
  ) {
    return fail(Status.OUT_OF_BOUNDS, 0, 0);
  }
  if (textCapacity < length) return fail(Status.OUTPUT_TOO_SMALL, 0, textCapacity);

  const limit = buffer + length;
  const first = buffer + dataStart;
  let spec = first;
  let to = text;
  let high: u64 = 0;
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
    if (i >= indexCapacity) return fail(Status.OUTPUT_TOO_SMALL, i, offset);
    const target = changetype<DmTargetSpec>(<usize>spec);
    const row = changetype<TargetIndex>(<usize>(index + i * TARGET_INDEX_SIZE));
    if (wide) {
      store<u64>(changetype<usize>(row), target.sector_start, offsetof<TargetIndex>('start'));
      store<u64>(changetype<usize>(row), target.length, offsetof<TargetIndex>('length'));
    } else {
      if (target.sector_start > <u64>MAX_SAFE_INTEGER) {
        return fail(Status.NUMBER_TOO_LARGE, i, offset + offsetof<DmTargetSpec>('sector_start'));
      }
      if (target.length > <u64>MAX_SAFE_INTEGER) {
        return fail(Status.NUMBER_TOO_LARGE, i, offset + offsetof<DmTargetSpec>('length'));
      }
      row.start = <f64>target.sector_start;
      row.length = <f64>target.length;
    }

    // Most neighbours have one type: the same address tells the host so without a look at the bytes.
    const type = spec + SPEC_TYPE;
    const low = load<u64>(type);
    const upper = load<u64>(type + 8);
    if (lastType == 0 || low != typeLow || upper != typeHigh) {
      if (!zeroBytes(low) && !zeroBytes(upper)) {
        return fail(Status.TYPE_UNTERMINATED, i, type - buffer);
      }
      lastType = type;
      typeLow = low;
      typeHigh = upper;
    }
    row.type = lastType;
    row.text = to - text;

    const parameters = spec + SPEC_SIZE;
    const end = findNul(parameters, limit);
    if (end == limit) {
      if (full) break;
      return fail(Status.PARAMETERS_UNTERMINATED, i, parameters - buffer);
    }
    high |= copyText(to, parameters, end - parameters);
    to += end - parameters;

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
  setCell(Cell.TEXT_LENGTH, to - text);
  setCell(Cell.NOT_ASCII, high ? 1 : 0);
  return <i32>i;
}
