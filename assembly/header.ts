// struct dm_ioctl, both directions: the values stand in the control block.

import { Cell, Status } from './status';
import {
  HEADER_DATA,
  HEADER_DEV,
  HEADER_NAME,
  HEADER_SIZE,
  HEADER_UUID,
  DM_NAME_LEN,
  DM_UUID_LEN,
} from './uapi';
import {
  MAX_SAFE_INTEGER,
  NAME_SLOT,
  UUID_SLOT,
  areSame,
  cell,
  controlBlock,
  copyText,
  fail,
  findNul,
  inside,
  setCell,
} from './bytes';

/** The string of a slot, checked, to a field of the header; zeros follow it. */
function putString(
  to: u32,
  slot: u32,
  length: u32,
  size: u32,
  tooLong: Status,
  hasNul: Status,
): i32 {
  if (length >= size) return fail(tooLong, 0, size - 1);
  // Most requests have no uuid.
  if (length == 0) return 0;
  const nul = findNul(slot, slot + length);
  if (nul < slot + length) return fail(hasNul, 0, nul - slot);
  copyText(to, slot, length);
  store<u64>(to + length, 0);
  return 0;
}

/**
 * The control block's header values, and the name and uuid in their slots → HEADER_SIZE bytes at
 * `out`.
 * @returns HEADER_SIZE, or a Status
 */
export function encodeHeader(out: u32, capacity: u32): i32 {
  if (!inside(out, capacity)) return Status.OUT_OF_BOUNDS;
  if (capacity < HEADER_SIZE) return Status.OUTPUT_TOO_SMALL;
  copyText(out, <u32>controlBlock(), HEADER_NAME);
  // Three words at once, as there are 33 of them.
  for (let at = out + HEADER_NAME; at < out + HEADER_SIZE; at += 24) {
    store<u64>(at, 0);
    store<u64>(at, 0, 8);
    store<u64>(at, 0, 16);
  }
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

/** decodeHeader's answer: which strings are those that stand in their slots. */
export const SAME_NAME: i32 = 1;
export const SAME_UUID: i32 = 2;

/** Is the string [from, end) in the slot, whose length the cell has? From now on the cell has the string's. */
function isInSlot(slot: u32, from: u32, end: u32, lengthCell: Cell): bool {
  const length = end - from;
  const had = cell(lengthCell);
  setCell(lengthCell, length);
  return had == length && areSame(slot, from, length);
}

/**
 * A header at `buffer` → the control block; name and uuid stay where they are, and are compared with those
 * that were there before, as it takes a host longer to make a string than to find that it has it.
 * @returns SAME_NAME and SAME_UUID, or a Status
 */
export function decodeHeader(buffer: u32, length: u32): i32 {
  if (!inside(buffer, length)) return Status.OUT_OF_BOUNDS;
  if (length < HEADER_DATA) return fail(Status.HEADER_TRUNCATED, 0, length);
  copyText(<u32>controlBlock(), buffer, HEADER_NAME);
  const name = buffer + HEADER_NAME;
  const nameEnd = findNul(name, name + DM_NAME_LEN);
  if (nameEnd == name + DM_NAME_LEN) return fail(Status.NAME_UNTERMINATED, 0, HEADER_NAME);
  const uuid = buffer + HEADER_UUID;
  const uuidEnd = findNul(uuid, uuid + DM_UUID_LEN);
  if (uuidEnd == uuid + DM_UUID_LEN) return fail(Status.UUID_UNTERMINATED, 0, HEADER_UUID);
  if (load<u64>(buffer + HEADER_DEV) > MAX_SAFE_INTEGER) {
    return fail(Status.DEV_TOO_LARGE, 0, HEADER_DEV);
  }
  const sameName = isInSlot(<u32>NAME_SLOT, name, nameEnd, Cell.NAME_LENGTH);
  const sameUuid = isInSlot(<u32>UUID_SLOT, uuid, uuidEnd, Cell.UUID_LENGTH);
  return (sameName ? SAME_NAME : 0) | (sameUuid ? SAME_UUID : 0);
}
