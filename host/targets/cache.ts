import { defineTarget } from './define.js';
import { device, integer, list, oneOf, orDash, pairs, ratio, sectors, text } from './fields.js';
import { message } from './messages.js';
import { choice, flag, options } from './parts.js';
import { readerRules } from './reader.js';
import { kstrtoull } from './rules.js';

/** dm-cache-policy-smq.c smq_init() */
const POLICIES: readonly string[] = ['default', 'smq', 'mq', 'cleaner'];
/** dm-cache-policy-smq.c mq_set_config_value(): what mq had once, and no longer looks at. */
const MQ_KEYS: readonly string[] = [
  'random_threshold',
  'sequential_threshold',
  'discard_promote_adjustment',
  'read_promote_adjustment',
  'write_promote_adjustment',
];

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
  const blockSize = sectors({ min: 64, max: 2097152, step: 64 });
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
        blockSize,
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
    rules: readerRules(
      (reader) => {
        const { line } = reader;
        const next = (): number => {
          reader.next('cache-arguments', 'METADATA CACHE ORIGIN BLOCK #FEATURES POLICY #ARGUMENTS');
          return reader.at - 1;
        };
        reader.device(next(), 'cache-metadata-device');
        const fast = reader.device(next(), 'cache-cache-device');
        const origin = reader.device(next(), 'cache-origin-device');
        if (origin !== undefined && reader.length > origin.sectors) {
          reader.refuse(
            'cache-length',
            `expected at most ${origin.sectors} sectors, got ${line.length}`,
            { at: 'length' },
          );
        }
        const block = reader.field(next(), 'cache-block-size', blockSize, kstrtoull);
        if (fast !== undefined && block > fast.sectors) {
          reader.refuseWord('cache-block-size-device', `at most ${fast.sectors} sectors`);
        }
        const given = reader.flags(features, 'cache-feature-count', 'cache-feature', 3);
        if (given.filter((word) => word.startsWith('write') || word === 'passthrough').length > 1) {
          reader.refuse('cache-mode', `expected one mode, got ${given.join(' ')}`);
        }
        const policy = line.word(next());
        const size = reader.group('cache-policy-arguments', 1024);
        if (!POLICIES.includes(policy))
          reader.refuseWord('cache-policy', POLICIES.join(', '), reader.at - 2);
        if (size % 2 === 1) reader.refuseWord('cache-policy-pairs', 'an even number');
        for (const end = reader.at + size; reader.at < end;) {
          const key = reader.next('cache-policy-setting', 'a setting').toLowerCase();
          const isKnown =
            key === 'migration_threshold' || (policy === 'mq' && MQ_KEYS.includes(key));
          if (!isKnown) reader.refuseWord('cache-policy-setting', 'migration_threshold');
          reader.number(reader.at++, 'cache-policy-setting', 'a number', kstrtoull);
        }
      },
      [
        {
          code: 'cache-arguments',
          why: 'Five words are needed, and what they count (dm-cache-target.c parse_cache_args).',
          example: '0 64 cache 8:16 8:32 8:48',
          fix: 'write METADATA CACHE ORIGIN BLOCK #FEATURES FEATURES POLICY #ARGUMENTS ARGUMENTS',
          log: 'Insufficient args',
        },
        {
          code: 'cache-metadata-device',
          why: 'The kernel has no such block device (dm-cache-target.c parse_metadata_dev).',
          example: '0 64 cache 4096:0 8:32 8:48 64 0 smq 0',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening metadata device',
        },
        {
          code: 'cache-cache-device',
          why: 'The kernel has no such block device (dm-cache-target.c parse_cache_dev).',
          example: '0 64 cache 8:16 4096:0 8:48 64 0 smq 0',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening cache device',
        },
        {
          code: 'cache-origin-device',
          why: 'The kernel has no such block device (dm-cache-target.c parse_origin_dev).',
          example: '0 64 cache 8:16 8:32 4096:0 64 0 smq 0',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening origin device',
        },
        {
          code: 'cache-length',
          why: 'The target is not larger than its origin (dm-cache-target.c parse_origin_dev).',
          example: '0 4294967296 cache 8:32 8:48 /dev/sdb 64 0 smq 0',
          fix: 'use as many sectors as the origin has, or less',
          log: 'Device size larger than cached device',
        },
        {
          code: 'cache-block-size',
          why: 'A block has 32 KiB to 1 GiB, in steps of 32 KiB (dm-cache-target.c parse_block_size).',
          example: '0 64 cache 8:16 8:32 8:48 100 0 smq 0',
          fix: 'write a multiple of 64 sectors',
          log: 'Invalid data block size',
        },
        {
          code: 'cache-block-size-device',
          why: 'The cache has room for a block (dm-cache-target.c parse_block_size).',
          example: '0 64 cache 8:32 /dev/sdb 8:48 2097152 0 smq 0',
          fix: 'use smaller blocks, or a larger cache',
          log: 'Data block size is larger than the cache device',
        },
        {
          code: 'cache-feature-count',
          why: 'A count of at most three stands before the features (dm-cache-target.c parse_features).',
          example: '0 64 cache 8:16 8:32 8:48 64 writeback smq 0',
          fix: 'write how many words follow',
          log: 'Invalid number of cache feature arguments',
        },
        {
          code: 'cache-feature',
          why: 'There are five features (dm-cache-target.c parse_features).',
          example: '0 64 cache 8:16 8:32 8:48 64 1 writearound smq 0',
          fix: 'leave it out',
          log: 'Unrecognised cache feature requested',
        },
        {
          code: 'cache-mode',
          why: 'There is one mode (dm-cache-target.c parse_features).',
          example: '0 64 cache 8:16 8:32 8:48 64 2 writeback passthrough smq 0',
          fix: 'write writeback, writethrough or passthrough',
          log: 'Duplicate cache io_mode features requested',
        },
        {
          code: 'cache-policy-arguments',
          why: 'A count of at most 1024 stands before the settings of the policy (dm-cache-target.c parse_policy).',
          example: '0 64 cache 8:16 8:32 8:48 64 0 smq 2',
          fix: 'write how many words follow',
          log: 'Invalid number of policy arguments',
        },
        {
          code: 'cache-policy',
          why: 'Linux has four names for its policies (dm-cache-policy-smq.c smq_init).',
          example: '0 64 cache 8:16 8:32 8:48 64 0 lru 0',
          fix: 'write smq, cleaner or default',
          log: "Error creating cache's policy",
        },
        {
          code: 'cache-policy-pairs',
          why: 'Each setting is a key and a value (dm-cache-target.c set_config_values).',
          example: '0 64 cache 8:16 8:32 8:48 64 0 smq 1 migration_threshold',
          fix: 'write KEY VALUE for each',
          log: "Error setting cache policy's config values",
        },
        {
          code: 'cache-policy-setting',
          why: 'The cache has one setting, and of the policies only mq takes others, of which it makes nothing (dm-cache-target.c set_config_value).',
          example: '0 64 cache 8:16 8:32 8:48 64 0 smq 2 sequential_threshold 512',
          fix: 'leave it out',
          log: "Error setting cache policy's config values",
        },
      ],
    ),
    areas: ({ length }) => [{ word: 2, start: 0n, length }],
  };
});
