import { defineTarget } from './define.js';
import { device, either, integer, oneOf, orDash, text } from './fields.js';
import { message } from './messages.js';
import { options, value } from './parts.js';
import { OLDEST } from './rules.js';

const asText = (answer: string): string => answer;

/**
 * Deduplication and compression, on a device that `vdoformat` has made.
 *
 * @example
 * vdo({
 *   startSector: 0,
 *   length: 2097152,
 *   version: 'V4',
 *   storageDevice: '/dev/dm-1',
 *   storageSize: 262144,
 *   minimumIoSize: 4096,
 *   blockMapCacheSize: 32768,
 *   blockMapPeriod: 16380,
 *   compression: true,
 * })
 * @since Linux 6.9
 * @see drivers/md/dm-vdo/dm-vdo-target.c parse_device_config(), vdo_status(), vdo_message()
 */
export const vdo = /* @__PURE__ */ defineTarget('vdo', () => ({
  parameters: [
    {
      /** Of this form of the line. */
      version: oneOf('V4'),
      /** Where it is stored. */
      storageDevice: device(),
      /** How large that is, in blocks of 4 KiB. */
      storageSize: integer(),
      /** The least that users may write, in bytes: 512 or 4096. */
      minimumIoSize: integer({ min: 512, max: 4096, step: 512 }),
      /** The cache of the block map, in blocks of 4 KiB. */
      blockMapCacheSize: integer(),
      /** How many blocks of the journal a page of the block map may lag behind. */
      blockMapPeriod: integer({ min: 1, max: 16380 }),
    },
    options(
      {
        /** Threads that acknowledge I/O. */
        ack: value(integer()),
        /** Threads that do I/O. */
        bio: value(integer()),
        /** How many I/O go to one of them before it is the next one's turn. */
        bioRotationInterval: value(integer(), 'bioRotationInterval'),
        /** Threads that hash and compress. */
        cpu: value(integer()),
        /** Threads that look for duplicates. */
        hash: value(integer()),
        /** Threads for logical addresses. */
        logical: value(integer()),
        /** Threads for physical addresses. */
        physical: value(integer()),
        /** The largest discard, in blocks of 4 KiB. */
        maxDiscard: value(integer(), 'maxDiscard'),
        /** Look for duplicates. */
        deduplication: value(either('on', 'off')),
        /** Compress. */
        compression: value(either('on', 'off')),
      },
      { count: 'uncounted' },
    ),
  ],
  status: [
    {
      /** As '/dev/NAME'. */
      device: device(),
      /** 'normal', 'recovering' or 'read-only'. */
      operatingMode: text(),
      /** Is it recovering? */
      recovery: orDash(oneOf('recovering')),
      /** 'online', 'offline', 'opening', 'closing', 'closed', 'error' or 'unknown'. */
      indexState: text(),
      /** Is compression on? */
      compression: either('online', 'offline'),
      /** Blocks of 4 KiB that are in use. */
      usedBlocks: integer(),
      /** Blocks of 4 KiB that there are. */
      totalBlocks: integer(),
    },
  ],
  messages: {
    /** All it counts, as a text. */
    stats: message('stats', {}, asText),
    /** How the index was made, as a text. */
    config: message('config', {}, asText),
    /** Log what it knows. */
    dump: message('dump'),
    /** The same when it ends. */
    dumpOnShutdown: message('dump-on-shutdown'),
    /** Compress, or not. */
    compression: message('compression', { enabled: either('on', 'off') }),
    /** Make the index anew. */
    indexCreate: message('index-create'),
    /** Close the index. */
    indexClose: message('index-close'),
    /** Look for duplicates. */
    indexEnable: message('index-enable'),
    /** Do not look for duplicates. */
    indexDisable: message('index-disable'),
  },
  features: { singleton: OLDEST },
}));
