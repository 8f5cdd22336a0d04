import { defineTarget } from './define.js';
import { byteCount, device, integer, oneOf, optional, sectors } from './fields.js';
import { message } from './messages.js';
import { choice, flag, options, value } from './parts.js';
import { blockOf, isPowerOfTwo, readerRules, type Reader } from './reader.js';
import { sscanf32, sscanf64 } from './rules.js';

/** What is in front of what is written back, and how far, in percent; where a line does not say. */
const HIGH_WATERMARK = 50;
const LOW_WATERMARK = 45;
/** From this release on there are metadata_only and pause_writeback. */
const PAUSE = '5.15';

/** Options with a number, at most so large (writecache_ctr()). */
const NUMBERS: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ['high_watermark', 100],
  ['low_watermark', 100],
  ['writeback_jobs', Infinity],
  ['autocommit_blocks', Infinity],
  ['autocommit_time', 3600000],
  ['max_age', 86400000],
  ['pause_writeback', 60000],
]);

/** The options behind the four words; the watermarks. */
function readOptions(
  reader: Reader,
  isMemory: boolean,
  sectors: number,
): [high: number, low: number] {
  const marks = new Map([
    ['high_watermark', HIGH_WATERMARK],
    ['low_watermark', LOW_WATERMARK],
  ]);
  const count = reader.group('writecache-option-count', reader.isSince(PAUSE) ? 18 : 16);
  const refuse = (at = reader.at - 1): never =>
    reader.refuseWord('writecache-option', 'an option that this kernel knows, with its value', at);
  for (const end = reader.at + count; reader.at < end;) {
    const option = reader.next('writecache-option', 'an option').toLowerCase();
    const isNew = option === 'metadata_only' || option === 'pause_writeback';
    if (isNew && !reader.isSince(PAUSE)) refuse();
    if (option === 'cleaner' || option === 'metadata_only') continue;
    if (option === 'fua' || option === 'nofua') {
      if (!isMemory) refuse();
      continue;
    }
    const most = NUMBERS.get(option);
    if ((most === undefined && option !== 'start_sector') || reader.at === end) refuse();
    if (option === 'pause_writeback' && isMemory) refuse();
    const word = reader.next('writecache-option', 'a number');
    const number = most === undefined ? sscanf64(word) : sscanf32(word);
    if (number === undefined || number > (most ?? sectors - 1)) refuse();
    if (marks.has(option)) marks.set(option, Number(number));
  }
  return [marks.get('high_watermark')!, marks.get('low_watermark')!];
}

/**
 * Writes go to a fast device first.
 *
 * @example
 * writecache({
 *   startSector: 0,
 *   length: 131072,
 *   mode: 's',
 *   originDevice: '/dev/sdb',
 *   cacheDevice: '/dev/sdc',
 *   blockSize: 4096,
 *   highWatermark: 60,
 * })
 * @since Linux 4.18
 * @see drivers/md/dm-writecache.c writecache_ctr(), writecache_status(), writecache_message()
 */
export const writecache = /* @__PURE__ */ defineTarget('writecache', () => ({
  parameters: [
    {
      /** p persistent memory, s a solid-state disk. */
      mode: oneOf('p', 's'),
      /** The slow device. */
      originDevice: device(),
      /** The fast device; zeros in its first 4 KiB for a new cache. */
      cacheDevice: device(),
      /** What is cached at once, in bytes. */
      blockSize: byteCount({ min: 512, max: 65536, powerOfTwo: true }),
    },
    options(
      {
        /** How much to leave alone at the start of `cacheDevice`, in sectors. */
        cacheStartSector: value(sectors(), 'start_sector'),
        /** From here on it is written back, in percent of the cache. */
        highWatermark: value(integer({ max: 100 })),
        /** Down to here it is written back, in percent of the cache. */
        lowWatermark: value(integer({ max: 100 })),
        /** How many blocks are written back at once. */
        writebackJobs: value(integer()),
        /** Commit after so many blocks. */
        autocommitBlocks: value(integer()),
        /** Commit after so many milliseconds. */
        autocommitTime: value(integer()),
        /** Write back what is older, in milliseconds. */
        maxAge: value(integer()),
        /** Write all back and cache nothing. */
        cleaner: flag(),
        /** Flush persistent memory by FUA, or not; only in mode p. */
        fua: choice('fua', 'nofua'),
        /** Cache only metadata of file systems. */
        metadataOnly: flag(),
        /** Write nothing back while the origin is in use, for so many milliseconds; only in mode s. */
        pauseWriteback: value(integer()),
      },
      { count: 'always' },
    ),
  ],
  status: [
    {
      /** Not 0 if there was an error. */
      error: integer(),
      /** Blocks of the cache. */
      blocks: integer(),
      /** Blocks that are free. */
      free: integer(),
      /** Blocks that are being written back. */
      writeback: integer(),
      /** Reads; from Linux 5.15 on, as all that follow. */
      reads: optional(integer()),
      /** Reads that were cached. */
      readHits: optional(integer()),
      /** Writes. */
      writes: optional(integer()),
      /** Writes over blocks that were cached and not committed. */
      writeHitsUncommitted: optional(integer()),
      /** Writes over blocks that were cached and committed. */
      writeHitsCommitted: optional(integer()),
      /** Writes past the cache. */
      writesAround: optional(integer()),
      /** Writes to new blocks. */
      writesAllocate: optional(integer()),
      /** Writes that had to wait for a free block. */
      writesBlockedOnFreelist: optional(integer()),
      /** Flushes. */
      flushes: optional(integer()),
      /** Discards. */
      discards: optional(integer()),
    },
  ],
  messages: {
    /** Write all back. */
    flush: message('flush'),
    /** Write all back at the next suspend. */
    flushOnSuspend: message('flush_on_suspend'),
    /** Write all back and cache nothing from now on. */
    cleaner: message('cleaner'),
    /** Count from 0 again; from Linux 5.15 on. */
    clearStats: message('clear_stats'),
  },
  rules: readerRules(
    (reader) => {
      const word = (): string =>
        reader.next('writecache-arguments', 'MODE ORIGIN CACHE BLOCK #OPTIONS');
      const mode = word().toLowerCase();
      if (mode !== 's' && mode !== 'p') reader.refuseWord('writecache-arguments', 's or p');
      word();
      const origin = reader.device(1, 'writecache-origin-device');
      word();
      const cache = reader.device(2, 'writecache-cache-device');
      word();
      const block = reader.number(
        3,
        'writecache-block-size',
        'a power of two, from 512 to 65536 bytes',
        sscanf32,
        (size) => size >= 512 && size <= 65536 && isPowerOfTwo(size),
      );
      const least = 512 * Math.max(blockOf(origin), blockOf(cache));
      if (block < least) reader.refuseWord('writecache-block', `at least ${least} bytes`, 3);
      const [high, low] = readOptions(reader, mode === 'p', cache?.sectors ?? Infinity);
      if (high < low)
        reader.refuse(
          'writecache-watermarks',
          `expected a high watermark of at least ${low}, got ${high}`,
        );
    },
    [
      {
        code: 'writecache-arguments',
        why: 'The mode is s or p, and three words follow it (dm-writecache.c writecache_ctr).',
        example: '0 8 writecache x 8:16 8:32 4096 0',
        fix: 'write MODE ORIGIN CACHE BLOCK #OPTIONS',
        log: 'Bad arguments',
      },
      {
        code: 'writecache-origin-device',
        why: 'The kernel has no such block device (dm-writecache.c writecache_ctr).',
        example: '0 8 writecache s 4096:0 8:32 4096 0',
        fix: 'write the path or major:minor of a block device',
        log: 'Origin data device lookup failed',
      },
      {
        code: 'writecache-cache-device',
        why: 'The kernel has no such block device (dm-writecache.c writecache_ctr).',
        example: '0 8 writecache s 8:16 4096:0 4096 0',
        fix: 'write the path or major:minor of a block device',
        log: 'Cache data device lookup failed',
      },
      {
        code: 'writecache-block-size',
        why: 'A block is a power of two, from 512 bytes to a page, which is 4096 on most machines and 65536 at most (dm-writecache.c writecache_ctr).',
        example: '0 8 writecache s 8:16 8:32 131072 0',
        fix: 'write a power of two, in bytes',
        log: 'Invalid block size',
      },
      {
        code: 'writecache-block',
        why: 'A block is no smaller than the logical blocks of the devices (dm-writecache.c writecache_ctr).',
        example: '0 8 writecache s /dev/sdb 8:32 512 0',
        fix: 'use larger blocks',
        log: 'Block size is smaller than device logical block size',
      },
      {
        code: 'writecache-option-count',
        why: 'A count stands before the options, also of none (dm-writecache.c writecache_ctr).',
        example: '0 8 writecache s 8:16 8:32 4096',
        fix: 'write how many words follow, 0 if there are none',
        log: 'Invalid number of feature args',
        changes: [PAUSE],
      },
      {
        code: 'writecache-option',
        why: 'Options have their values and bounds; fua and nofua are for mode p, and pause_writeback for mode s (dm-writecache.c writecache_ctr).',
        example: '0 8 writecache s 8:16 8:32 4096 2 high_watermark 101',
        fix: 'leave it out, or write a value that it takes',
        log: 'Invalid optional argument',
        changes: [PAUSE],
      },
      {
        code: 'writecache-watermarks',
        why: 'The high watermark, 50 if it is not said, is not below the low one, 45 if it is not said (dm-writecache.c writecache_ctr).',
        example: '0 8 writecache s 8:16 8:32 4096 2 low_watermark 51',
        fix: 'write both',
        log: 'High watermark must be greater than or equal to low watermark',
      },
    ],
  ),
  areas: (line) => [
    { word: 1, start: 0, length: line.length, block: sscanf32(line.word(3))! / 512 },
  ],
}));
