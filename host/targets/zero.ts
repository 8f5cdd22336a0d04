import { defineTarget } from './define.js';

/**
 * Reads zeros, and forgets what is written.
 *
 * @example
 * zero({ startSector: 0, length: 2048 })
 * @since Linux 2.6.4
 * @see drivers/md/dm-zero.c
 */
export const zero = /* @__PURE__ */ defineTarget('zero', () => ({ parameters: [] }));
