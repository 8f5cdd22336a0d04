import { defineTarget } from './define.js';
import { device, integer, list, oneOf, orDash, pairs, ratio, sectors, text } from './fields.js';
import { message } from './messages.js';
import { choice, flag, options } from './parts.js';

/**
 * A fast device in front of a slow one.
 *
 * @example
 * cache({
 *   startSector: 0,
 *   length: 131072,
 *   metadataDevice: '/dev/sdb',
 *   cacheDevice: '/dev/sdc',
 *   originDevice: '/dev/sdd',
 *   blockSize: 128,
 *   mode: 'writeback',
 *   policy: 'smq',
 *   policyArguments: { migration_threshold: 4096 },
 * })
 * @since Linux 3.9
 * @see drivers/md/dm-cache-target.c cache_ctr(), cache_status(), cache_message()
 */
export const cache = /* @__PURE__ */ defineTarget('cache', () => {
  const features = {
    /** When the origin gets what is written: later, at once, or at once and nothing is cached. */
    mode: choice('writeback', 'writethrough', 'passthrough'),
    /** Have the dirty bits by themselves, which is faster; from Linux 4.12 on. */
    metadata2: flag(),
    /** Do not tell the origin of discards; from Linux 5.2 on. */
    noDiscardPassdown: flag(),
  };
  return {
    parameters: [
      {
        /** Which blocks are cached; zeros in its first 4 KiB for a new cache. */
        metadataDevice: device(),
        /** The fast device. */
        cacheDevice: device(),
        /** The slow device. */
        originDevice: device(),
        /** What is cached at once, in sectors: 32 KiB to 1 GiB. */
        blockSize: sectors({ min: 64, max: 2097152, step: 64 }),
      },
      options(features, { count: 'always' }),
      {
        /** Who decides what is cached: 'smq', 'cleaner', or 'default'. */
        policy: text("a policy's name"),
        /** Its settings by their own names, as in `{ migration_threshold: 2048 }`. */
        policyArguments: pairs(),
      },
    ],
    states: ['Fail', 'Error'],
    status: [
      {
        /** A block of metadata, in sectors. */
        metadataBlockSize: integer(),
        /** Blocks of metadata. */
        metadata: ratio('used', 'total'),
        /** A block of the cache, in sectors. */
        blockSize: integer(),
        /** Blocks of the cache. */
        cache: ratio('used', 'total'),
        /** Reads that were cached. */
        readHits: integer(),
        /** Reads that were not. */
        readMisses: integer(),
        /** Writes that were cached. */
        writeHits: integer(),
        /** Writes that were not. */
        writeMisses: integer(),
        /** Blocks that were moved out. */
        demotions: integer(),
        /** Blocks that were moved in. */
        promotions: integer(),
        /** Blocks that the origin has not got yet. */
        dirty: integer(),
      },
      options(features, { count: 'always' }),
      {
        /** Settings of the cache itself, by their own names. */
        coreArguments: pairs(),
        /** Who decides what is cached. */
        policy: text(),
        /** Settings of the policy that are not what it would choose. */
        policyArguments: pairs(),
        /** Read and write, or read only. */
        metadataMode: oneOf('rw', 'ro', 'Fail'),
        /** The metadata must be repaired; from Linux 4.3 on. */
        needsCheck: orDash(oneOf('needs_check')),
      },
    ],
    messages: {
      /** Set something of the cache or its policy, as in `{ key: 'migration_threshold', value: 2048 }`. */
      set: message('', { key: text(), value: integer() }),
      /** Forget blocks of the cache, `'7'` or `'7-9'` (without the last); only in passthrough mode. */
      invalidateCblocks: message('invalidate_cblocks', {
        cblocks: list(text('a block or a range BEGIN-END')),
      }),
    },
  };
});
