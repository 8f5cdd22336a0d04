// The bits of `flags` in struct dm_ioctl by their names, for who shows a header.

import { FLAGS } from './generated/abi.js';

/** As in ['DM_SECURE_DATA_FLAG'], from the lowest bit on; a bit without a name is left out. */
export function flagNames(flags: number): string[] {
  return FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name);
}
