import { defineTarget } from './define.js';
import { device, integer, optional, orDash } from './fields.js';
import { readerRules } from './reader.js';
import { kstrtoull } from './rules.js';
import { THIN_ID } from './thin-pool.js';

/**
 * A device in a thin pool.
 *
 * @example
 * thin({ startSector: 0, length: 2097152, pool: '/dev/mapper/pool', id: 0 })
 * @since Linux 3.2
 * @see drivers/md/dm-thin.c thin_ctr(), thin_status()
 */
export const thin = /* @__PURE__ */ defineTarget('thin', () => {
  const id = integer(THIN_ID);
  return {
    parameters: [
      {
        /** The pool's device. */
        pool: device(),
        /** Its number there, which a message to the pool has made. */
        id,
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
    rules: readerRules(
      (reader) => {
        const { line } = reader;
        if (line.count < 2 || line.count > 3) {
          reader.refuse('thin-arguments', `expected POOL ID [ORIGIN], got ${line.count} words`);
        }
        if (line.count === 3) {
          if (line.word(0) === line.word(2)) {
            reader.refuse('thin-same-device', 'expected another device than the pool', { at: 2 });
          }
          reader.device(2, 'thin-external-origin');
        }
        reader.device(0, 'thin-device');
        reader.field(1, 'thin-id', id, kstrtoull);
      },
      [
        {
          code: 'thin-arguments',
          why: 'Two words are needed, and there may be a third (dm-thin.c thin_ctr).',
          example: '0 128 thin 253:0',
          fix: 'write POOL ID, and the external origin if there is one',
          log: 'Invalid argument count',
        },
        {
          code: 'thin-same-device',
          why: 'The pool is not the origin (dm-thin.c thin_ctr).',
          example: '0 128 thin 253:0 0 253:0',
          fix: 'leave the origin out, or name another device',
          log: 'Error setting origin device',
        },
        {
          code: 'thin-external-origin',
          why: 'The kernel has no such block device (dm-thin.c thin_ctr).',
          example: '0 128 thin 253:0 0 4096:0',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening origin device',
        },
        {
          code: 'thin-device',
          why: 'The kernel has no such block device (dm-thin.c thin_ctr).',
          example: '0 128 thin 4096:0 0',
          fix: 'write the path or major:minor of the pool',
          log: 'Error opening pool device',
        },
        {
          code: 'thin-id',
          why: 'The number of a thin device has 24 bits (dm-thin.c read_dev_id).',
          example: '0 128 thin 253:0 16777216',
          fix: 'write the number that a message to the pool has made',
          log: 'Invalid device id',
        },
      ],
    ),
  };
});
