import { defineTarget } from './define.js';
import { device, optional, sectors } from './fields.js';

/**
 * All I/O fails.
 *
 * @example
 * error({ startSector: 0, length: 2048 })
 * @since Linux 2.6
 * @see drivers/md/dm-target.c io_err_ctr()
 */
export const error = /* @__PURE__ */ defineTarget('error', () => ({
  parameters: [
    {
      /** Whose limits to have, from Linux 6.5 on; the kernel's table does not tell it. */
      device: optional(device()),
      /** Where on it, in sectors; given if and only if `device` is. */
      offset: optional(sectors()),
    },
  ],
}));
