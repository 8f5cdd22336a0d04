import { defineTarget } from './define.js';
import { byteCount, device, integer, oneOf, optional, sectors } from './fields.js';
import { message } from './messages.js';
import { choice, flag, options, value } from './parts.js';

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
}));
