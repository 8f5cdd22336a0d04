import { defineTarget } from './define.js';
import { device, integer, optional, record, sectors } from './fields.js';

/**
 * I/O takes longer, each kind by a time of its own.
 *
 * @example
 * delay({
 *   startSector: 0,
 *   length: 2048,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   delay: 50,
 *   write: { device: '/dev/sdc', offset: 0, delay: 100 },
 * })
 * @since Linux 2.6.22
 * @see drivers/md/dm-delay.c delay_ctr(), delay_status()
 */
export const delay = /* @__PURE__ */ defineTarget('delay', () => {
  const target = {
    /** Where reads go, and all that has no place of its own. */
    device: device(),
    /** Where on it, in sectors. */
    offset: sectors(),
    /** How long they wait, in milliseconds. */
    delay: integer({ max: 0xffffffff }),
  };
  return {
    parameters: [
      target,
      {
        /** Where writes go, and for how long they wait. */
        write: optional(record(target)),
        /** The same for flushes; as for writes if left out. */
        flush: optional(record(target)),
      },
    ],
    status: [
      {
        /** Reads that wait now. */
        reads: integer(),
        /** Writes that wait now. */
        writes: integer(),
        /** Flushes that wait now. */
        flushes: integer(),
      },
    ],
  };
});
