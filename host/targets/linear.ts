import { defineTarget } from './define.js';
import { device, sectors } from './fields.js';

/**
 * A range of another device.
 *
 * @example
 * linear({ startSector: 0, length: 2048, device: '/dev/sdb', offset: 34 })
 * @since Linux 2.6
 * @see drivers/md/dm-linear.c linear_ctr()
 */
export const linear = /* @__PURE__ */ defineTarget('linear', () => ({
  parameters: [
    {
      /** What lies beneath. */
      device: device(),
      /** Where on it the range begins, in sectors. */
      offset: sectors(),
    },
  ],
}));
