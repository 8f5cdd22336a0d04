import { defineTarget } from './define.js';
import { device, either, hexNumber, integer, oneOf, text } from './fields.js';
import { message } from './messages.js';
import { options, value } from './parts.js';

/**
 * Persistent memory in front of a disk.
 *
 * @example
 * pcache({
 *   startSector: 0,
 *   length: 2097152,
 *   cacheDevice: '/dev/pmem0',
 *   backingDevice: '/dev/sdb',
 *   cacheMode: 'writeback',
 *   dataCrc: true,
 * })
 * @since Linux 6.18
 * @see drivers/md/dm-pcache/dm_pcache.c dm_pcache_ctr(), dm_pcache_status(), dm_pcache_message()
 */
export const pcache = /* @__PURE__ */ defineTarget('pcache', () => {
  const place = text('SEGMENT:OFFSET');
  return {
    parameters: [
      {
        /** The persistent memory. */
        cacheDevice: device(),
        /** The disk. */
        backingDevice: device(),
      },
      options({
        /** When the disk gets what is written: later. */
        cacheMode: value(oneOf('writeback')),
        /** Have checksums of the data. */
        dataCrc: value(either('true', 'false')),
      }),
    ],
    status: [
      {
        /** Flags of the superblock. */
        sbFlags: hexNumber(),
        /** Segments in all. */
        segmentTotal: integer(),
        /** Segments for the cache. */
        cacheSegments: integer(),
        /** Segments in use. */
        segmentsUsed: integer(),
        /** From so many percent on segments are made free. */
        gcPercent: integer(),
        /** Flags of the cache. */
        cacheFlags: hexNumber(),
        /** Where is written, 'SEGMENT:OFFSET', as the next two. */
        keyHead: place,
        /** Up to where it is on the disk. */
        dirtyTail: place,
        /** Up to where it is needed. */
        keyTail: place,
      },
    ],
    messages: {
      /** From so many percent on make segments free. */
      gcPercent: message('gc_percent', { percent: integer({ max: 90 }) }),
    },
  };
});
