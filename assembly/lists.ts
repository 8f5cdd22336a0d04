// The lists of a reply: struct dm_name_list (LIST_DEVICES), struct dm_target_deps (TABLE_DEPS) and struct
// dm_target_versions (LIST_VERSIONS, GET_TARGET_VERSION).

import { Cell, Status } from './status';
import {
  DmNameList,
  DmNameListTail,
  DmTargetDeps,
  DmTargetVersions,
  DM_NAME_LIST_FLAG_HAS_UUID,
  NAME_LIST_NAME,
  NAME_LIST_TAIL_SIZE,
  DEPS_SIZE,
  NAME_LIST_EVENT_NR_MINOR,
  NAME_LIST_FLAGS_MINOR,
  TARGET_VERSIONS_NAME,
} from './uapi';
import {
  align8,
  beginTexts,
  copyText,
  endTexts,
  fail,
  findNul,
  inside,
  setCell,
  takeText,
} from './bytes';

/** Are `count` records of `size` bytes, and their texts, inside the memory? */
function areInside(records: u32, count: u32, size: u32, text: u32, textLength: u32): bool {
  return inside(records, <u64>count * size) && inside(text, textLength);
}

/** One device, in both directions; the names and uuids lie behind each other, each name before its uuid. */
@unmanaged
export class DeviceRecord {
  devLow: u32;
  devHigh: u32;
  nameLength: u32;
  uuidLength: u32;
  eventNr: u32;
  flags: u32;
}
export const DEVICE_RECORD_SIZE: u32 = offsetof<DeviceRecord>();
/** No record is smaller: dev, next, a name's NUL, padding. */
export const DEVICE_SIZE_LEAST: u32 = 16;

/**
 * `count` records and their texts → dm_name_list at `out`, as a kernel of interface 4.`minor` does.
 * @returns the bytes written, or a Status
 */
export function encodeDevices(
  out: u32,
  capacity: u32,
  records: u32,
  count: u32,
  text: u32,
  textLength: u32,
  minor: u32,
): i32 {
  if (!inside(out, capacity) || !areInside(records, count, DEVICE_RECORD_SIZE, text, textLength)) {
    return Status.OUT_OF_BOUNDS;
  }
  if (<u64>capacity < <u64>count * 48 + textLength + 8) {
    return Status.OUTPUT_TOO_SMALL;
  }
  const textEnd = text + textLength;
  let from = text;
  let at = out;
  for (let i: u32 = 0; i < count; i++) {
    const record = changetype<DeviceRecord>(<usize>(records + i * DEVICE_RECORD_SIZE));
    const nameLength = record.nameLength;
    const uuidLength = record.uuidLength;
    if (<u64>nameLength + uuidLength > textEnd - from) return Status.OUT_OF_BOUNDS;
    if (findNul(from, from + nameLength) < from + nameLength) {
      return fail(Status.NAME_HAS_NUL, i, 0);
    }
    const uuid = from + nameLength;
    if (findNul(uuid, uuid + uuidLength) < uuid + uuidLength)
      return fail(Status.UUID_HAS_NUL, i, 0);

    const head = changetype<DmNameList>(<usize>at);
    head.dev = record.devLow | ((<u64>record.devHigh) << 32);
    copyText(at + NAME_LIST_NAME, from, nameLength);
    let end = at + NAME_LIST_NAME + nameLength;
    store<u64>(end, 0);
    end = at + align8(end + 1 - at);
    if (minor >= NAME_LIST_EVENT_NR_MINOR) {
      const tail = changetype<DmNameListTail>(<usize>end);
      tail.event_nr = record.eventNr;
      tail.flags = minor >= NAME_LIST_FLAGS_MINOR ? record.flags : 0;
      end += NAME_LIST_TAIL_SIZE;
      if (tail.flags & DM_NAME_LIST_FLAG_HAS_UUID) {
        copyText(end, uuid, uuidLength);
        store<u64>(end + uuidLength, 0);
        end = at + align8(end + uuidLength + 1 - at);
      }
    }
    head.next = i + 1 == count ? 0 : end - at;
    from = uuid + uuidLength;
    at = end;
  }
  return <i32>(at - out);
}

/**
 * dm_name_list at `buffer` + `dataStart`, in a buffer of `length` valid bytes → records and packed text.
 * @returns how many devices there are, or a Status with FAIL_INDEX, and FAIL_OFFSET in the buffer
 */
export function decodeDevices(
  buffer: u32,
  length: u32,
  dataStart: u32,
  records: u32,
  recordCapacity: u32,
  text: u32,
  textCapacity: u32,
  minor: u32,
): i32 {
  if (
    !inside(buffer, length) ||
    !areInside(records, recordCapacity, DEVICE_RECORD_SIZE, text, textCapacity)
  ) {
    return Status.OUT_OF_BOUNDS;
  }
  if (textCapacity < length) return Status.OUTPUT_TOO_SMALL;
  let to = text;
  beginTexts();
  endTexts(0);
  // An empty list has no record at all: what ends it in the kernel is not copied back.
  if (dataStart >= length) return 0;

  const limit = buffer + length;
  let at = buffer + dataStart;
  let i: u32 = 0;
  for (;;) {
    const offset = at - buffer;
    if (limit - at <= NAME_LIST_NAME) return fail(Status.RECORD_TRUNCATED, i, offset);
    const head = changetype<DmNameList>(<usize>at);
    if (i == 0 && head.dev == 0) return 0;
    if (head.dev > u32.MAX_VALUE) return fail(Status.DEV_TOO_LARGE, i, offset);
    if (i >= recordCapacity) return Status.OUTPUT_TOO_SMALL;
    const record = changetype<DeviceRecord>(<usize>(records + i * DEVICE_RECORD_SIZE));
    record.devLow = <u32>head.dev;
    record.devHigh = 0;
    record.uuidLength = 0;
    record.eventNr = 0;
    record.flags = 0;

    const name = at + NAME_LIST_NAME;
    const nameEnd = takeText(to, name, limit);
    if (nameEnd == limit) return fail(Status.NAME_UNTERMINATED, i, name - buffer);
    record.nameLength = nameEnd - name;
    to += record.nameLength;

    let end = at + align8(nameEnd + 1 - at);
    if (minor >= NAME_LIST_EVENT_NR_MINOR) {
      if (end > limit || limit - end < NAME_LIST_TAIL_SIZE) {
        return fail(Status.RECORD_TRUNCATED, i, nameEnd + 1 - buffer);
      }
      const tail = changetype<DmNameListTail>(<usize>end);
      record.eventNr = tail.event_nr;
      end += NAME_LIST_TAIL_SIZE;
      if (minor >= NAME_LIST_FLAGS_MINOR) {
        record.flags = tail.flags;
        if (tail.flags & DM_NAME_LIST_FLAG_HAS_UUID) {
          const uuidEnd = takeText(to, end, limit);
          if (uuidEnd == limit) return fail(Status.UUID_UNTERMINATED, i, end - buffer);
          record.uuidLength = uuidEnd - end;
          to += record.uuidLength;
          end = uuidEnd + 1;
        }
      }
    }

    i++;
    const next = head.next;
    if (next == 0) break;
    const nextOffset = offset + offsetof<DmNameList>('next');
    if (next & 7) return fail(Status.NEXT_UNALIGNED, i - 1, nextOffset);
    if (next < end - at) return fail(Status.NEXT_OVERLAPS, i - 1, nextOffset);
    if (next >= limit - at) return fail(Status.NEXT_BEYOND_DATA, i - 1, nextOffset);
    at += next;
  }
  endTexts(to - text);
  return <i32>i;
}

/**
 * `count` device numbers (u64) → dm_target_deps at `out`.
 * @returns the bytes written, or a Status
 */
export function encodeDependencies(out: u32, capacity: u32, devs: u32, count: u32): i32 {
  const size = DEPS_SIZE + 8 * <u64>count;
  if (!inside(out, capacity) || size > u32.MAX_VALUE || !inside(devs, count * 8)) {
    return Status.OUT_OF_BOUNDS;
  }
  if (capacity < size) return Status.OUTPUT_TOO_SMALL;
  const head = changetype<DmTargetDeps>(<usize>out);
  head.count = count;
  head.padding = 0;
  memory.copy(out + DEPS_SIZE, devs, count * 8);
  return <i32>size;
}

/**
 * dm_target_deps at `buffer` + `dataStart` → its device numbers (u64) at `devs`.
 * @returns how many there are, or a Status with FAIL_OFFSET in the buffer
 */
export function decodeDependencies(
  buffer: u32,
  length: u32,
  dataStart: u32,
  devs: u32,
  capacity: u32,
): i32 {
  if (!inside(buffer, length) || !inside(devs, capacity)) return Status.OUT_OF_BOUNDS;
  // A device without table has no payload.
  if (dataStart >= length) return 0;
  const room = length - dataStart;
  if (room < DEPS_SIZE) return fail(Status.RECORD_TRUNCATED, 0, dataStart);
  const at = buffer + dataStart;
  const count: u32 = changetype<DmTargetDeps>(<usize>at).count;
  if (8 * <u64>count > room - DEPS_SIZE) {
    return fail(Status.COUNT_BEYOND_DATA, 0, dataStart);
  }
  if (count * 8 > capacity) return Status.OUTPUT_TOO_SMALL;
  for (let i: u32 = 0; i < count; i++) {
    const dev = load<u64>(at + DEPS_SIZE + 8 * i);
    if (dev > u32.MAX_VALUE) {
      return fail(Status.DEV_TOO_LARGE, i, dataStart + DEPS_SIZE + 8 * i);
    }
    store<u64>(devs + 8 * i, dev);
  }
  return <i32>count;
}

/** One target type, in both directions; the names lie behind each other. */
@unmanaged
export class VersionRecord {
  major: u32;
  minor: u32;
  patch: u32;
  nameLength: u32;
}
export const VERSION_RECORD_SIZE: u32 = offsetof<VersionRecord>();
/** No record is smaller: next, version, a name's NUL, padding. */
export const VERSION_SIZE_LEAST: u32 = 24;

/**
 * `count` records and their names → dm_target_versions at `out`. END is what the kernel counts for them:
 * it reckons seven bytes of padding for each (dm-ioctl.c list_version_get_needed()).
 * @returns the bytes written, or a Status
 */
export function encodeVersions(
  out: u32,
  capacity: u32,
  records: u32,
  count: u32,
  text: u32,
  textLength: u32,
): i32 {
  if (!inside(out, capacity) || !areInside(records, count, VERSION_RECORD_SIZE, text, textLength)) {
    return Status.OUT_OF_BOUNDS;
  }
  const needed = <u64>count * (TARGET_VERSIONS_NAME + 8) + textLength;
  if (<u64>capacity < needed) return Status.OUTPUT_TOO_SMALL;
  const textEnd = text + textLength;
  let from = text;
  let at = out;
  for (let i: u32 = 0; i < count; i++) {
    const record = changetype<VersionRecord>(<usize>(records + i * VERSION_RECORD_SIZE));
    const nameLength = record.nameLength;
    if (nameLength > textEnd - from) return Status.OUT_OF_BOUNDS;
    if (findNul(from, from + nameLength) < from + nameLength) {
      return fail(Status.NAME_HAS_NUL, i, 0);
    }
    const head = changetype<DmTargetVersions>(<usize>at);
    head.version_major = record.major;
    head.version_minor = record.minor;
    head.version_patch = record.patch;
    copyText(at + TARGET_VERSIONS_NAME, from, nameLength);
    store<u64>(at + TARGET_VERSIONS_NAME + nameLength, 0);
    const next = align8(TARGET_VERSIONS_NAME + nameLength + 1);
    head.next = i + 1 == count ? 0 : next;
    from += nameLength;
    at += next;
  }
  setCell(Cell.END, <u32>needed);
  return <i32>(at - out);
}

/**
 * dm_target_versions at `buffer` + `dataStart`, in a buffer of `length` valid bytes → records and packed
 * names.
 * @returns how many types there are, or a Status with FAIL_INDEX, and FAIL_OFFSET in the buffer
 */
export function decodeVersions(
  buffer: u32,
  length: u32,
  dataStart: u32,
  records: u32,
  recordCapacity: u32,
  text: u32,
  textCapacity: u32,
): i32 {
  if (
    !inside(buffer, length) ||
    !areInside(records, recordCapacity, VERSION_RECORD_SIZE, text, textCapacity)
  ) {
    return Status.OUT_OF_BOUNDS;
  }
  if (textCapacity < length) return Status.OUTPUT_TOO_SMALL;
  let to = text;
  beginTexts();
  endTexts(0);
  if (dataStart >= length) return 0;

  const limit = buffer + length;
  let at = buffer + dataStart;
  let i: u32 = 0;
  for (;;) {
    const offset = at - buffer;
    if (limit - at <= TARGET_VERSIONS_NAME) return fail(Status.RECORD_TRUNCATED, i, offset);
    if (i >= recordCapacity) return Status.OUTPUT_TOO_SMALL;
    const head = changetype<DmTargetVersions>(<usize>at);
    const record = changetype<VersionRecord>(<usize>(records + i * VERSION_RECORD_SIZE));
    record.major = head.version_major;
    record.minor = head.version_minor;
    record.patch = head.version_patch;
    const name = at + TARGET_VERSIONS_NAME;
    const nameEnd = takeText(to, name, limit);
    if (nameEnd == limit) return fail(Status.NAME_UNTERMINATED, i, name - buffer);
    record.nameLength = nameEnd - name;
    to += record.nameLength;

    i++;
    const next = head.next;
    if (next == 0) break;
    if (next & 7) return fail(Status.NEXT_UNALIGNED, i - 1, offset);
    if (next < nameEnd + 1 - at) return fail(Status.NEXT_OVERLAPS, i - 1, offset);
    if (next >= limit - at) return fail(Status.NEXT_BEYOND_DATA, i - 1, offset);
    at += next;
  }
  endTexts(to - text);
  return <i32>i;
}
