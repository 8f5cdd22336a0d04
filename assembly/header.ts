// struct dm_ioctl, both directions: the values stand in the control block.

import { Cell, Status } from './status';
import {
  DmIoctl,
  HEADER_DATA,
  HEADER_NAME,
  HEADER_SIZE,
  HEADER_UUID,
  DM_NAME_LEN,
  DM_UUID_LEN,
} from './uapi';
import { NAME_SLOT, UUID_SLOT, cell, fail, findNul, inside, setCell } from './bytes';

/** The string of a slot, checked, to a field of the header that is already zero. */
function putString(
  to: u32,
  slot: u32,
  length: u32,
  size: u32,
  tooLong: Status,
  hasNul: Status,
): i32 {
  if (length >= size) return fail(tooLong, 0, size - 1);
  const nul = findNul(slot, slot + length);
  if (nul < slot + length) return fail(hasNul, 0, nul - slot);
  memory.copy(to, slot, length);
  return 0;
}

/**
 * The control block's header values, and the name and uuid in their slots → HEADER_SIZE bytes at
 * `out`.
 * @returns HEADER_SIZE, or a Status
 */
export function encodeHeader(out: u32, capacity: u32): i32 {
  if (!inside(out, capacity)) return fail(Status.OUT_OF_BOUNDS, 0, out);
  if (capacity < HEADER_SIZE) return fail(Status.OUTPUT_TOO_SMALL, 0, capacity);
  memory.fill(out, 0, HEADER_SIZE);
  const header = changetype<DmIoctl>(<usize>out);
  header.version_major = cell(Cell.VERSION_MAJOR);
  header.version_minor = cell(Cell.VERSION_MINOR);
  header.version_patch = cell(Cell.VERSION_PATCH);
  header.data_size = cell(Cell.DATA_SIZE);
  header.data_start = cell(Cell.DATA_START);
  header.target_count = cell(Cell.TARGET_COUNT);
  header.open_count = <i32>cell(Cell.OPEN_COUNT);
  header.flags = cell(Cell.FLAGS);
  header.event_nr = cell(Cell.EVENT_NR);
  header.dev = cell(Cell.DEV_LOW) | ((<u64>cell(Cell.DEV_HIGH)) << 32);
  const name = putString(
    out + HEADER_NAME,
    <u32>NAME_SLOT,
    cell(Cell.NAME_LENGTH),
    DM_NAME_LEN,
    Status.NAME_TOO_LONG,
    Status.NAME_HAS_NUL,
  );
  if (name < 0) return name;
  const uuid = putString(
    out + HEADER_UUID,
    <u32>UUID_SLOT,
    cell(Cell.UUID_LENGTH),
    DM_UUID_LEN,
    Status.UUID_TOO_LONG,
    Status.UUID_HAS_NUL,
  );
  return uuid < 0 ? uuid : <i32>HEADER_SIZE;
}

/**
 * A header at `buffer` → the control block; name and uuid stay where they are.
 * @returns HEADER_SIZE, or a Status
 */
export function decodeHeader(buffer: u32, length: u32): i32 {
  if (!inside(buffer, length)) return fail(Status.OUT_OF_BOUNDS, 0, buffer);
  if (length < HEADER_DATA) return fail(Status.HEADER_TRUNCATED, 0, length);
  const header = changetype<DmIoctl>(<usize>buffer);
  setCell(Cell.VERSION_MAJOR, header.version_major);
  setCell(Cell.VERSION_MINOR, header.version_minor);
  setCell(Cell.VERSION_PATCH, header.version_patch);
  setCell(Cell.DATA_SIZE, header.data_size);
  setCell(Cell.DATA_START, header.data_start);
  setCell(Cell.TARGET_COUNT, header.target_count);
  setCell(Cell.OPEN_COUNT, <u32>header.open_count);
  setCell(Cell.FLAGS, header.flags);
  setCell(Cell.EVENT_NR, header.event_nr);
  setCell(Cell.DEV_LOW, <u32>header.dev);
  setCell(Cell.DEV_HIGH, <u32>(header.dev >> 32));
  const name = buffer + HEADER_NAME;
  const nameEnd = findNul(name, name + DM_NAME_LEN);
  if (nameEnd == name + DM_NAME_LEN) return fail(Status.NAME_UNTERMINATED, 0, HEADER_NAME);
  const uuid = buffer + HEADER_UUID;
  const uuidEnd = findNul(uuid, uuid + DM_UUID_LEN);
  if (uuidEnd == uuid + DM_UUID_LEN) return fail(Status.UUID_UNTERMINATED, 0, HEADER_UUID);
  setCell(Cell.NAME, name);
  setCell(Cell.NAME_LENGTH, nameEnd - name);
  setCell(Cell.UUID, uuid);
  setCell(Cell.UUID_LENGTH, uuidEnd - uuid);
  return <i32>HEADER_SIZE;
}
