import { defineTarget } from './define.js';
import { device, deviceAt, list, sectors, text } from './fields.js';
import { count, literal } from './parts.js';

/**
 * Chunks dealt out to several devices in turn (RAID 0).
 *
 * @example
 * striped({
 *   startSector: 0,
 *   length: 4096,
 *   chunkSize: 128,
 *   stripes: [
 *     { device: '/dev/sdb', offset: 0 },
 *     { device: '/dev/sdc', offset: 0 },
 *   ],
 * })
 * @since Linux 2.6
 * @see drivers/md/dm-stripe.c stripe_ctr(), stripe_status()
 */
export const striped = /* @__PURE__ */ defineTarget('striped', () => ({
  parameters: [
    count('stripes'),
    {
      /** How much goes to one device before it is the next one's turn, in sectors. */
      chunkSize: sectors({ min: 1 }),
      /** The devices, and where on each the stripe begins, in sectors. */
      stripes: list(deviceAt(), { min: 1 }),
    },
  ],
  status: [
    count('devices'),
    {
      /** As 'major:minor'. */
      devices: list(device()),
    },
    literal('1'),
    {
      /** A letter for each device: A alive, D dead since an I/O failed. */
      health: text(),
    },
  ],
}));
