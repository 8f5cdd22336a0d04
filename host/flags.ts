// The bits of `flags` in struct dm_ioctl by their names, for who shows a header.

import * as uapi from './generated/uapi.js';

const FLAGS = Object.entries(uapi)
  .filter(([name]) => /^DM_(?!UDEV|NAME_LIST)\w+_FLAG$/.test(name) || name === 'DM_DEFERRED_REMOVE')
  .sort(([, a], [, b]) => a - b);

/** As in ['DM_SECURE_DATA_FLAG'], from the lowest bit on; a bit without a name is left out. */
export function flagNames(flags: number): string[] {
  return FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name);
}
