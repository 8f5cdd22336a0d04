// What the module exports: functions on scalars, and nothing else. Values and texts are handed over
// in memory, in areas that the host lays out above reserve()'s address and every function checks.
// The constants of uapi.ts, status.ts and the record sizes are written into the host at build time.

import { NAME_SLOT, SLACK, UUID_SLOT, controlBlock as cells } from './bytes';
import { Status } from './status';

export { decodeHeader, encodeHeader } from './header';
export { findSeparators, scanLines } from './lines';
export {
  decodeDependencies,
  decodeDevices,
  decodeVersions,
  encodeDependencies,
  encodeDevices,
  encodeVersions,
} from './lists';
export { decodeMessage, decodeString, encodeMessage, encodeString } from './payload';
export { decodeTable, encodeTable } from './table';
export { encodeText } from './text';
export { joinWords, splitWords } from './words';

/** The control block's address: u32 cells in the order of the enum Cell. */
export function controlBlock(): i32 {
  return <i32>cells();
}

/** Where the host puts the name of a header, up to 128 bytes. */
export function nameSlot(): i32 {
  return <i32>NAME_SLOT;
}

/** Where the host puts the uuid of a header, up to 129 bytes. */
export function uuidSlot(): i32 {
  return <i32>UUID_SLOT;
}

/** 1 MiB, in pages. */
const STEP: i32 = 16;

/**
 * Have `bytes` of memory, and the slack behind them, above a fixed address. The only place where
 * memory grows, and by doubling up to 1 MiB at once, so that views seldom need to be made anew.
 * @returns the address, or a Status
 */
export function reserve(bytes: u32): i32 {
  const base = (<u32>__heap_base + 15) & ~15;
  const needed = <u64>base + bytes + SLACK;
  // An address must fit the one i32 of an answer.
  if (needed > <u64>i32.MAX_VALUE) return Status.OUT_OF_MEMORY;
  const pages = <i32>((needed + 0xffff) >> 16);
  const have = memory.size();
  if (pages > have) {
    const wanted = max(pages - have, min(have, STEP));
    if (memory.grow(wanted) < 0 && memory.grow(pages - have) < 0) {
      return Status.OUT_OF_MEMORY;
    }
  }
  return <i32>base;
}
