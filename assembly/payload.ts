// The lone strings behind a header: a new name or uuid (DEV_RENAME), a geometry (DEV_SET_GEOMETRY), and
// a message to a target with the sector before it (TARGET_MSG), whose answer is one too.

import { Cell, Status } from './status';
import { DmTargetMsg, TARGET_MSG_TEXT } from './uapi';
import { allBlank, putAllWords, putBytes } from './words';
import { copyText, fail, findNul, inside, setCell } from './bytes';

/**
 * `length` bytes of text, and the NUL behind them, at `out`.
 * @param limit - the most bytes that it may have without its NUL
 * @returns the bytes written, or a Status with FAIL_OFFSET
 */
export function encodeString(out: u32, capacity: u32, text: u32, length: u32, limit: u32): i32 {
  if (!inside(out, capacity) || !inside(text, length)) return Status.OUT_OF_BOUNDS;
  if (<u64>capacity < <u64>length + 1) return Status.OUTPUT_TOO_SMALL;
  if (length == 0) return fail(Status.TEXT_EMPTY, 0, 0);
  if (length > limit) return fail(Status.TEXT_TOO_LONG, 0, limit);
  const nul = findNul(text, text + length);
  if (nul < text + length) return fail(Status.TEXT_HAS_NUL, 0, nul - text);
  copyText(out, text, length);
  store<u8>(out + length, 0);
  return <i32>(length + 1);
}

/**
 * The string at `buffer` + `start`, in a buffer of `length` valid bytes.
 * @returns its length without the NUL, or a Status with FAIL_OFFSET in the buffer
 */
export function decodeString(buffer: u32, length: u32, start: u32): i32 {
  if (!inside(buffer, length)) return Status.OUT_OF_BOUNDS;
  if (start >= length) return fail(Status.RECORD_TRUNCATED, 0, start);
  const at = buffer + start;
  const end = findNul(at, buffer + length);
  if (end == buffer + length) return fail(Status.TEXT_UNTERMINATED, 0, start);
  return <i32>(end - at);
}

/**
 * dm_target_msg at `out`: the sector, and the message with its NUL.
 * @param words - 0: the text goes as it is; else so many words, with a NUL between two of them
 * @returns the bytes written, or a Status with FAIL_WORD and FAIL_OFFSET in the text
 */
export function encodeMessage(
  out: u32,
  capacity: u32,
  text: u32,
  length: u32,
  words: u32,
  sectorLow: u32,
  sectorHigh: u32,
): i32 {
  if (!inside(out, capacity) || !inside(text, length)) return Status.OUT_OF_BOUNDS;
  if (<u64>capacity < 2 * <u64>length + TARGET_MSG_TEXT + 1) {
    return Status.OUTPUT_TOO_SMALL;
  }
  if (length == 0) return fail(Status.PARAMETER_EMPTY, 0, 0);
  if (words == 0 && allBlank(text, length)) return fail(Status.PARAMETER_BLANK, 0, 0);
  changetype<DmTargetMsg>(<usize>out).sector = sectorLow | ((<u64>sectorHigh) << 32);
  const to = out + TARGET_MSG_TEXT;
  const written = words == 0 ? putBytes(to, text, length, 0) : putAllWords(to, text, length, words);
  if (written < 0) return written;
  store<u8>(to + written, 0);
  return <i32>TARGET_MSG_TEXT + written + 1;
}

/**
 * dm_target_msg at `buffer` + `start`: its sector → the cells DEV_LOW and DEV_HIGH.
 * @returns the message's length without the NUL, or a Status with FAIL_OFFSET in the buffer
 */
export function decodeMessage(buffer: u32, length: u32, start: u32): i32 {
  if (!inside(buffer, length)) return Status.OUT_OF_BOUNDS;
  if (start >= length || length - start <= TARGET_MSG_TEXT) {
    return fail(Status.RECORD_TRUNCATED, 0, start);
  }
  const sector = changetype<DmTargetMsg>(<usize>(buffer + start)).sector;
  setCell(Cell.DEV_LOW, <u32>sector);
  setCell(Cell.DEV_HIGH, <u32>(sector >> 32));
  return decodeString(buffer, length, start + TARGET_MSG_TEXT);
}
