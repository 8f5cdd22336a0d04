import { defineTarget } from './define.js';
import { device, optional, sectors } from './fields.js';

/**
 * Smaller blocks than the device beneath has.
 *
 * @example
 * ebs({ startSector: 0, length: 1000000, device: '/dev/sda', offset: 1024, emulatedSectors: 1 })
 * @since Linux 5.8
 * @see drivers/md/dm-ebs-target.c ebs_ctr()
 */
export const ebs = /* @__PURE__ */ defineTarget('ebs', () => ({
  parameters: [
    {
      /** What lies beneath. */
      device: device(),
      /** Where on it, in sectors; a multiple of `underlyingSectors`. */
      offset: sectors(),
      /** A block as users shall see it, in sectors: a power of two. */
      emulatedSectors: sectors({ min: 1, powerOfTwo: true }),
      /** A block of the device, in sectors: a power of two; as it says itself if left out. */
      underlyingSectors: optional(sectors({ min: 1, powerOfTwo: true })),
    },
  ],
}));
