import { defineTarget } from './define.js';
import { device, either, hexNumber, integer, oneOf, text } from './fields.js';
import { message } from './messages.js';
import { options, value } from './parts.js';
import { OLDEST } from './rules.js';
import { readerRules } from './reader.js';

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
    features: { singleton: OLDEST },
    rules: readerRules(
      (reader) => {
        reader.next('pcache-arguments', 'CACHE BACKING');
        reader.device(0, 'pcache-cache-device');
        reader.next('pcache-arguments', 'CACHE BACKING');
        reader.device(1, 'pcache-backing-device');
        if (reader.left === 0) return;
        const count = reader.group('pcache-option-count', 4);
        for (const end = reader.at + count; reader.at < end;) {
          const option = reader.next('pcache-option', 'an option');
          if (option !== 'cache_mode' && option !== 'data_crc')
            reader.refuseWord('pcache-option', 'cache_mode or data_crc');
          const missing = { log: `Missing value for ${option}` };
          if (reader.at === end)
            reader.refuseWord('pcache-value', `${option} and its value`, reader.at - 1, missing);
          const values = option === 'cache_mode' ? ['writeback'] : ['true', 'false'];
          const log =
            option === 'cache_mode' ? 'Invalid cache mode parameter' : 'Invalid data crc parameter';
          if (!values.includes(reader.next('pcache-value', 'a value'))) {
            reader.refuseWord('pcache-value', values.join(' or '), reader.at - 1, { log });
          }
        }
      },
      [
        {
          code: 'pcache-arguments',
          why: 'Two words are needed (dm-pcache/dm_pcache.c pcache_parse_args).',
          example: '0 8 pcache 8:16',
          fix: 'write CACHE BACKING',
          log: 'Insufficient args',
        },
        {
          code: 'pcache-cache-device',
          why: 'The kernel has no such block device (dm-pcache/dm_pcache.c parse_cache_dev).',
          example: '0 8 pcache 4096:0 8:32',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening cache device',
        },
        {
          code: 'pcache-backing-device',
          why: 'The kernel has no such block device (dm-pcache/dm_pcache.c parse_backing_dev).',
          example: '0 8 pcache 8:16 4096:0',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening backing device',
        },
        {
          code: 'pcache-option-count',
          why: 'A count of at most four stands before the options (dm-pcache/dm_pcache.c parse_cache_opts).',
          example: '0 8 pcache 8:16 8:32 1',
          fix: 'write how many words follow',
          log: 'Invalid number of cache option arguments',
        },
        {
          code: 'pcache-option',
          why: 'There are two options, in small letters (dm-pcache/dm_pcache.c parse_cache_opts).',
          example: '0 8 pcache 8:16 8:32 2 crc true',
          fix: 'write cache_mode writeback, or data_crc true',
          log: 'Unrecognised cache option requested',
        },
        {
          code: 'pcache-value',
          why: 'Both options have a value (dm-pcache/dm_pcache.c parse_cache_opts).',
          example: '0 8 pcache 8:16 8:32 2 cache_mode writethrough',
          fix: 'write writeback behind cache_mode, true or false behind data_crc',
          log: 'Invalid cache mode parameter',
        },
      ],
    ),
  };
});
