import { defineTarget } from './define.js';
import { device, integer, oneOf, ratio, sectors } from './fields.js';
import { flag, options } from './parts.js';

/** What snapshots and their merges have alike (snapshot_ctr(), snapshot_status()). */
const definition = () =>
  ({
    parameters: [
      {
        /** Of what it is a snapshot. */
        origin: device(),
        /** Where what has changed is kept. */
        cow: device(),
        /** P keeps it for later, PO may also run out of space, N forgets it. */
        persistent: oneOf('P', 'PO', 'N'),
        /** How much is copied at once, in sectors: a power of two. */
        chunkSize: sectors(),
      },
      options({
        /** A discard of a whole chunk makes it zeros. */
        discardZeroesCow: flag(),
        /** A discard goes to the origin, too; only with `discardZeroesCow`. */
        discardPassdownOrigin: flag(),
      }),
    ],
    states: ['Invalid', 'Merge failed', 'Overflow', 'Unknown'],
    status: [
      {
        /** Sectors of `cow`, of what was changed and of metadata. */
        sectors: ratio('allocated', 'total'),
        /** How many of these are metadata; of a merge that is done all. */
        metadataSectors: integer(),
      },
    ],
  }) as const;

/**
 * A device as it was, and what was written to it since.
 *
 * @example
 * snapshot({
 *   startSector: 0,
 *   length: 2048,
 *   origin: '/dev/mapper/base-real',
 *   cow: '/dev/sdc',
 *   persistent: 'P',
 *   chunkSize: 16,
 * })
 * @since Linux 2.6
 * @see drivers/md/dm-snap.c snapshot_ctr(), snapshot_status()
 */
export const snapshot = /* @__PURE__ */ defineTarget('snapshot', definition);

/**
 * The origin while a snapshot is merged back into it. Never with `persistent: 'N'`: kernels crash.
 *
 * @example
 * snapshotMerge({
 *   startSector: 0,
 *   length: 2048,
 *   origin: '/dev/mapper/base-real',
 *   cow: '/dev/sdc',
 *   persistent: 'P',
 *   chunkSize: 16,
 * })
 * @since Linux 2.6.33
 * @see drivers/md/dm-snap.c snapshot_ctr(), snapshot_merge_map()
 */
export const snapshotMerge = /* @__PURE__ */ defineTarget('snapshot-merge', definition);
