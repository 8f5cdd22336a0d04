import { defineTarget } from './define.js';
import { device, integer, optional, orDash } from './fields.js';
import { THIN_ID } from './thin-pool.js';

/**
 * A device in a thin pool.
 *
 * @example
 * thin({ startSector: 0, length: 2097152, pool: '/dev/mapper/pool', id: 0 })
 * @since Linux 3.2
 * @see drivers/md/dm-thin.c thin_ctr(), thin_status()
 */
export const thin = /* @__PURE__ */ defineTarget('thin', () => ({
  parameters: [
    {
      /** The pool's device. */
      pool: device(),
      /** Its number there, which a message to the pool has made. */
      id: integer(THIN_ID),
      /** Where to read what was not yet written: a device that must not change. */
      externalOrigin: optional(device()),
    },
  ],
  states: ['Fail', 'Error', '-'],
  status: [
    {
      /** Sectors that have blocks of the pool. */
      mappedSectors: integer(),
      /** The last of these; absent if there is none. */
      highestMappedSector: orDash(integer()),
    },
  ],
}));
