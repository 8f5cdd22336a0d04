import { defineTarget } from './define.js';
import { device, integer, oneOf, ratio, sectors } from './fields.js';
import { flag, options, snakeCase, type OptionFields } from './parts.js';
import { blockOf, isPowerOfTwo, readerRules, type Reader } from './reader.js';
import { kstrtouint, type Arguments, type RuleOf } from './rules.js';

/** dm-exception-store.c: INT_MAX >> SECTOR_SHIFT. */
const MOST_CHUNK = 0x7fffffff >>> 9;
/** dm-exception-store.h DM_CHUNK_SIZE_DEFAULT_SECTORS, in place of 0. */
const DEFAULT_CHUNK = 32;
/** From this release on a merge without persistent metadata is refused, rather than crash. */
const SAFE_MERGE = '6.12';

/** What snapshots and their merges have alike (snapshot_ctr(), snapshot_status()). */
const definition = (type: 'snapshot' | 'snapshot-merge') => {
  const features = {
    /** A discard of a whole chunk makes it zeros. */
    discardZeroesCow: flag(),
    /** A discard goes to the origin, too; only with `discardZeroesCow`. */
    discardPassdownOrigin: flag(),
  };
  return {
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
      options(features),
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
    rules: readerRules((reader) => {
      const { line } = reader;
      if (line.count < 4) {
        reader.refuse(
          `${type}-arguments`,
          `expected ORIGIN COW PERSISTENT CHUNK, got ${line.count} words`,
        );
      }
      readFeatures(reader, type, features);
      const origin = reader.device(0, `${type}-origin`);
      if (line.word(0) === line.word(1)) {
        reader.refuse(`${type}-same-device`, 'expected another device than the origin', { at: 1 });
      }
      const cow = reader.device(1, `${type}-cow`);
      const [store = '', overflow] = line.word(2).toUpperCase();
      if (!['P', 'N'].includes(store)) reader.refuseWord(`${type}-persistent`, 'P, PO or N', 2);
      const chunk = reader.number(
        3,
        `${type}-chunk-size`,
        `a power of two, at most ${MOST_CHUNK} sectors`,
        kstrtouint,
        (value) => value === 0 || (isPowerOfTwo(value) && value <= MOST_CHUNK),
      );
      const block = Math.max(blockOf(origin), blockOf(cow));
      if (chunk % block !== 0)
        reader.refuseWord(`${type}-chunk-block`, `a multiple of ${block} sectors`, 3);
      if (store === 'P' && overflow !== undefined && overflow !== 'O')
        reader.refuseWord(`${type}-persistent`, 'P, PO or N', 2);
      if (store === 'N' && chunk === 0)
        reader.refuseWord(`${type}-transient-chunk`, 'a power of two', 3);
      if (store === 'N' && type === 'snapshot-merge' && reader.isSince(SAFE_MERGE))
        reader.refuseWord(`${type}-transient`, 'P or PO', 2);
      // A header and a first area of metadata are read and written (dm-snap-persistent.c).
      const least = 2 * (chunk === 0 ? Math.max(DEFAULT_CHUNK, blockOf(cow)) : chunk);
      if (store === 'P' && cow !== undefined && cow.sectors < least) {
        reader.refuse(
          `${type}-cow-size`,
          `expected at least ${least} sectors, got ${cow.sectors}`,
          { at: 1, errno: 5 },
        );
      }
    }, rulesOf(type)),
    areas: ({ length }: Arguments) => [{ word: 0, start: 0n, length }],
  } as const;
};

/** dm-snap.c parse_snapshot_features() */
function readFeatures(reader: Reader, type: string, features: OptionFields): void {
  reader.at = 4;
  if (reader.left === 0) return;
  const known = Object.entries(features);
  const given = new Set<string>();
  let unknown: number | undefined;
  for (
    let left = reader.group(`${type}-option-count`, 2);
    left > 0 && unknown === undefined;
    left--
  ) {
    const word = reader.next(`${type}-option`, 'an option').toLowerCase();
    if (known.some(([key, option]) => option.begins(word, snakeCase(key)))) given.add(word);
    else unknown = reader.at - 1;
  }
  // Looked at last, this is what is said even where an option is not known.
  if (given.has('discard_passdown_origin') && !given.has('discard_zeroes_cow')) {
    reader.refuse(`${type}-passdown`, 'expected discard_zeroes_cow, too');
  }
  if (unknown !== undefined) {
    reader.refuseWord(`${type}-option`, 'an option that this kernel knows', unknown);
  }
}

const rulesOf = (type: 'snapshot' | 'snapshot-merge'): RuleOf[] => [
  {
    code: `${type}-arguments`,
    why: 'Four words are needed (dm-snap.c snapshot_ctr).',
    example: `0 8 ${type} 8:16 8:32 P`,
    fix: 'write ORIGIN COW PERSISTENT CHUNK',
    log: 'requires 4 or more arguments',
  },
  {
    code: `${type}-option-count`,
    why: 'A count of at most two stands before the options (dm-snap.c parse_snapshot_features).',
    example: `0 8 ${type} 8:16 8:32 P 8 1`,
    fix: 'write how many words follow',
    log: 'Invalid number of feature arguments',
  },
  {
    code: `${type}-option`,
    why: 'There are two options (dm-snap.c parse_snapshot_features).',
    example: `0 8 ${type} 8:16 8:32 P 8 1 discards`,
    fix: 'leave it out',
    log: 'Unrecognised feature requested',
  },
  {
    code: `${type}-passdown`,
    why: 'Discards go to the origin only with discard_zeroes_cow (dm-snap.c parse_snapshot_features).',
    example: `0 8 ${type} 8:16 8:32 P 8 1 discard_passdown_origin`,
    fix: 'add discard_zeroes_cow',
    log: 'discard_passdown_origin feature depends on discard_zeroes_cow',
  },
  {
    code: `${type}-origin`,
    why: 'The kernel has no such block device (dm-snap.c snapshot_ctr).',
    example: `0 8 ${type} 4096:0 8:32 P 8`,
    fix: 'write the path or major:minor of a block device',
    log: 'Cannot get origin device',
  },
  {
    code: `${type}-same-device`,
    why: 'What has changed is kept elsewhere than on the origin (dm-snap.c snapshot_ctr).',
    example: `0 8 ${type} 8:16 8:16 P 8`,
    fix: 'use two devices',
    log: 'COW device cannot be the same as origin device',
  },
  {
    code: `${type}-cow`,
    why: 'The kernel has no such block device (dm-snap.c snapshot_ctr).',
    example: `0 8 ${type} 8:16 4096:0 P 8`,
    fix: 'write the path or major:minor of a block device',
    log: 'Cannot get COW device',
  },
  {
    code: `${type}-persistent`,
    why: 'The first letter is a P or an N, and behind a P there may be an O (dm-exception-store.c dm_exception_store_create).',
    example: `0 8 ${type} 8:16 8:32 X 8`,
    fix: 'write P, PO or N',
    log: "Couldn't create exception store",
  },
  {
    code: `${type}-chunk-size`,
    why: 'A chunk is a power of two, below 2 GiB; 0 is for the kernel to choose (dm-exception-store.c set_chunk_size).',
    example: `0 8 ${type} 8:16 8:32 P 12`,
    fix: 'write a power of two, in sectors',
    log: "Couldn't create exception store",
  },
  {
    code: `${type}-chunk-block`,
    why: "A chunk is made of the devices' logical blocks (dm-exception-store.c dm_exception_store_set_chunk_size).",
    example: `0 8 ${type} /dev/sdb 8:32 P 4`,
    fix: 'use a multiple of the logical block',
    log: "Couldn't create exception store",
  },
  {
    code: `${type}-transient-chunk`,
    why: 'Without metadata nothing says how large a chunk is (dm-snap.c snapshot_ctr).',
    example: `0 8 ${type} 8:16 8:32 N 0`,
    fix: 'write a power of two, in sectors',
    log: 'Chunk size not set',
  },
  ...(type === 'snapshot'
    ? []
    : [
        {
          code: `${type}-transient`,
          why: 'A merge needs metadata; kernels that do not refuse it crash (dm-snap.c snapshot_ctr).',
          example: `0 8 ${type} 8:16 8:32 N 8`,
          fix: 'merge only what is persistent',
          log: 'Snapshot exception store does not support snapshot-merge.',
          changes: [SAFE_MERGE],
        },
      ]),
  {
    code: `${type}-cow-size`,
    why: 'There is room for two chunks of metadata (dm-snap-persistent.c persistent_read_metadata).',
    example: `0 8 ${type} 8:16 /dev/sdb P 1024`,
    fix: 'use a smaller chunk, or a larger device',
    log: 'Failed to read snapshot metadata',
    errno: 5,
  },
];

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
export const snapshot = /* @__PURE__ */ defineTarget('snapshot', () => definition('snapshot'));

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
export const snapshotMerge = /* @__PURE__ */ defineTarget('snapshot-merge', () =>
  definition('snapshot-merge'),
);
