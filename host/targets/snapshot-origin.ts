import { defineTarget } from './define.js';
import { device } from './fields.js';

/**
 * A device that has snapshots: what is written is copied for them first.
 *
 * @example
 * snapshotOrigin({ startSector: 0, length: 2048, origin: '/dev/mapper/base-real' })
 * @since Linux 2.6
 * @see drivers/md/dm-snap.c origin_ctr()
 */
export const snapshotOrigin = /* @__PURE__ */ defineTarget('snapshot-origin', () => ({
  parameters: [
    {
      /** What lies beneath. */
      origin: device(),
    },
  ],
}));
