import { defineTarget } from './define.js';
import { device, integer, oneOf, optional, orDash, ratio, sectors } from './fields.js';
import { message } from './messages.js';
import { flag, options } from './parts.js';
import { readerRules } from './reader.js';
import { OLDEST, kstrtoull } from './rules.js';

/** The number of a thin device in its pool. */
export const THIN_ID = { max: 0xffffff } as const;

/**
 * Space that thin devices share, allocated when it is written.
 *
 * @example
 * thinPool({
 *   startSector: 0,
 *   length: 131072,
 *   metadataDevice: '/dev/sdb',
 *   dataDevice: '/dev/sdc',
 *   blockSize: 128,
 *   lowWaterMark: 64,
 *   skipBlockZeroing: true,
 * })
 * @since Linux 3.2
 * @see drivers/md/dm-thin.c pool_ctr(), pool_status(), pool_message()
 */
export const thinPool = /* @__PURE__ */ defineTarget('thin-pool', () => {
  const blockSize = sectors({ min: 128, max: 2097152, step: 128 });
  const lowWaterMark = integer();
  const features = {
    /** Do not write zeros to a block that is new to a device. */
    skipBlockZeroing: flag(),
    /** Do not free blocks on discards. */
    ignoreDiscard: flag(),
    /** Free blocks on discards, but tell `dataDevice` nothing of it. */
    noDiscardPassdown: flag(),
    /** Allow no changes. */
    readOnly: flag(),
    /** With no block left fail at once, rather than wait for more. */
    errorIfNoSpace: flag(),
  };
  return {
    parameters: [
      {
        /** Who has which block; zeros in its first 4 KiB for a new pool. */
        metadataDevice: device(),
        /** The blocks. */
        dataDevice: device(),
        /** What is allocated at once, in sectors: 64 KiB to 1 GiB. */
        blockSize,
        /** With fewer free blocks than this an event is raised. */
        lowWaterMark,
      },
      options(features),
    ],
    states: ['Fail', 'Error'],
    status: [
      {
        /** What `setTransactionId` has set. */
        transactionId: integer(),
        /** Blocks of metadata, of 4 KiB. */
        metadata: ratio('used', 'total'),
        /** Blocks of data, of `blockSize`. */
        data: ratio('used', 'total'),
        /** The block of the snapshot of metadata, if there is one. */
        heldRoot: orDash(integer()),
        /** Read and write, read only, or without a free block. */
        mode: oneOf('rw', 'ro', 'out_of_data_space'),
        /** What becomes of discards, which is not always what was asked for. */
        discard: oneOf('discard_passdown', 'no_discard_passdown', 'ignore_discard'),
        /** What becomes of writes without a free block; from Linux 3.13 on. */
        noSpace: optional(oneOf('queue_if_no_space', 'error_if_no_space')),
        /** The metadata must be repaired; from Linux 4.4 on. */
        needsCheck: optional(orDash(oneOf('needs_check'))),
        /** With fewer free blocks of metadata than this an event is raised; from Linux 4.19 on. */
        metadataLowWaterMark: optional(integer()),
      },
    ],
    messages: {
      /** Make an empty thin device. */
      createThin: message('create_thin', {
        /** A new number. */
        id: integer(THIN_ID),
      }),
      /** Make a snapshot of a thin device, which must be suspended if it is in use. */
      createSnap: message('create_snap', {
        /** A new number. */
        id: integer(THIN_ID),
        /** Whose snapshot. */
        originId: integer(THIN_ID),
      }),
      /** Free a thin device, which must not be in use. */
      delete: message('delete', { id: integer(THIN_ID) }),
      /** Set the number that others use to see whether the pool is as they left it. */
      setTransactionId: message('set_transaction_id', {
        /** What it is now. */
        current: integer(),
        /** What it shall be. */
        next: integer(),
      }),
      /** Keep the metadata as they are now, for programs to read. */
      reserveMetadataSnap: message('reserve_metadata_snap'),
      /** Let go of what `reserveMetadataSnap` has kept. */
      releaseMetadataSnap: message('release_metadata_snap'),
    },
    features: { singleton: OLDEST, immutable: OLDEST, writable: OLDEST },
    rules: readerRules(
      (reader) => {
        const { line } = reader;
        if (line.count < 4) {
          reader.refuse(
            'thin-pool-arguments',
            `expected METADATA DATA BLOCK LOW_WATER, got ${line.count} words`,
          );
        }
        if (line.word(0) === line.word(1)) {
          reader.refuse(
            'thin-pool-same-device',
            'expected another device than that of the metadata',
            { at: 1 },
          );
        }
        reader.at = 4;
        if (reader.left > 0)
          reader.flags(features, 'thin-pool-option-count', 'thin-pool-option', 4);
        reader.device(0, 'thin-pool-metadata-device');
        reader.device(1, 'thin-pool-data-device');
        reader.field(2, 'thin-pool-block-size', blockSize, kstrtoull);
        reader.field(3, 'thin-pool-low-water-mark', lowWaterMark, kstrtoull);
      },
      [
        {
          code: 'thin-pool-arguments',
          why: 'Four words are needed (dm-thin.c pool_ctr).',
          example: '0 128 thin-pool 8:16 8:32 128',
          fix: 'write METADATA DATA BLOCK LOW_WATER',
          log: 'Invalid argument count',
        },
        {
          code: 'thin-pool-same-device',
          why: 'Metadata and data have a device each (dm-thin.c pool_ctr).',
          example: '0 128 thin-pool 8:16 8:16 128 0',
          fix: 'use two devices',
          log: 'Error setting metadata or data device',
        },
        {
          code: 'thin-pool-option-count',
          why: 'A count of at most four stands before the options (dm-thin.c parse_pool_features).',
          example: '0 128 thin-pool 8:16 8:32 128 0 1',
          fix: 'write how many words follow',
          log: 'Invalid number of pool feature arguments',
        },
        {
          code: 'thin-pool-option',
          why: 'There are five options (dm-thin.c parse_pool_features).',
          example: '0 128 thin-pool 8:16 8:32 128 0 1 zero',
          fix: 'leave it out',
          log: 'Unrecognised pool feature requested',
        },
        {
          code: 'thin-pool-metadata-device',
          why: 'The kernel has no such block device (dm-thin.c pool_ctr).',
          example: '0 128 thin-pool 4096:0 8:32 128 0',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening metadata block device',
        },
        {
          code: 'thin-pool-data-device',
          why: 'The kernel has no such block device (dm-thin.c pool_ctr).',
          example: '0 128 thin-pool 8:16 4096:0 128 0',
          fix: 'write the path or major:minor of a block device',
          log: 'Error getting data device',
        },
        {
          code: 'thin-pool-block-size',
          why: 'A block has 64 KiB to 1 GiB, in steps of 64 KiB (dm-thin.c pool_ctr).',
          example: '0 128 thin-pool 8:16 8:32 100 0',
          fix: 'write a multiple of 128 sectors',
          log: 'Invalid block size',
        },
        {
          code: 'thin-pool-low-water-mark',
          why: 'The mark is a number of blocks (dm-thin.c pool_ctr).',
          example: '0 128 thin-pool 8:16 8:32 128 -1',
          fix: 'write a number of blocks',
          log: 'Invalid low water mark',
        },
      ],
    ),
    areas: ({ length }) => [{ word: 1, start: 0n, length }],
  };
});
