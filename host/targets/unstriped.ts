import { defineTarget } from './define.js';
import { device, integer, sectors } from './fields.js';

/**
 * One stripe of a striped device, by itself.
 *
 * @example
 * unstriped({
 *   startSector: 0,
 *   length: 512,
 *   stripes: 2,
 *   chunkSize: 256,
 *   stripe: 0,
 *   device: '/dev/nvme0n1',
 *   offset: 0,
 * })
 * @since Linux 4.16
 * @see drivers/md/dm-unstripe.c unstripe_ctr()
 */
export const unstriped = /* @__PURE__ */ defineTarget('unstriped', () => ({
  parameters: [
    {
      /** How many stripes there are. */
      stripes: integer({ min: 1, max: 0xffffffff }),
      /** How much is on one before it is the next one's turn, in sectors. */
      chunkSize: sectors({ min: 1, max: 0xffffffff }),
      /** Which one, counted from 0. */
      stripe: integer({ max: 0xfffffffe }),
      /** The striped device. */
      device: device(),
      /** Where on it, in sectors. */
      offset: sectors(),
    },
  ],
}));
