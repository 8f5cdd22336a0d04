import { defineTarget } from './define.js';
import { device, either, integer, oneOf, orDash, text } from './fields.js';
import { message } from './messages.js';
import { options, value } from './parts.js';
import { readerRules, type Reader } from './reader.js';
import { OLDEST, kstrtouint, kstrtoull } from './rules.js';

/** dm-vdo-target.c REQUIRED_ARGC[] of the newest form; older ones have more, and fewer rules here. */
const WORDS = 6;
const BLOCK_SECTORS = 8n;
/** Whatever a device is refused for. */
const EINVAL = 22;
/** How many there may be at most, by option; constants.h. */
const MOST: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ['maxDiscard', 0xfffff],
  ['bioRotationInterval', 1024],
  ['logical', 60],
  ['physical', 16],
  ['hash', 100],
  ['cpu', 100],
  ['ack', 100],
  ['bio', 100],
]);
/** None of these may be 0. */
const NEEDED: readonly string[] = ['maxDiscard', 'bioRotationInterval', 'cpu', 'bio'];
const MOST_THREADS = 100;
/** constants.h MAXIMUM_VDO_USER_VIOS, twice, for each logical zone. */
const CACHE_PER_ZONE = 4096;

/** dm-vdo-target.c parse_key_value_pairs(): the zones that are told. */
function readPairs(reader: Reader): ReadonlyMap<string, number> {
  const told = new Map<string, number>();
  while (reader.left > 0) {
    const key = reader.next('vdo-option', 'an option');
    const word = reader.next('vdo-option', 'a value');
    if (key === 'deduplication' || key === 'compression') {
      if (word !== 'on' && word !== 'off') reader.refuseWord('vdo-option', 'on or off');
      continue;
    }
    const least = NEEDED.includes(key) ? 1 : 0;
    // What is not known is logged, and not refused.
    const most = MOST.get(key) ?? MOST_THREADS;
    const number = kstrtouint(word);
    if (number === undefined || number < least || number > most)
      reader.refuseWord('vdo-option', `a number from ${least} to ${most}`);
    told.set(key, number);
  }
  return told;
}

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
  rules: readerRules(
    (reader) => {
      const { line } = reader;
      if (reader.length % BLOCK_SECTORS !== 0n) {
        reader.refuse(
          'vdo-length',
          `expected a multiple of ${BLOCK_SECTORS} sectors, got ${reader.length}`,
          { at: 'length' },
        );
      }
      if (line.count === 0)
        reader.refuse('vdo-arguments', 'expected VERSION DEVICE SIZE MINIMUM CACHE PERIOD');
      const version = /^V(\d+)/.exec(line.word(0))?.[1];
      // A line without a version is of the oldest form, and what is before V4 is not looked at here.
      if (version === undefined || ['1', '2', '3'].includes(version)) return;
      if (Number(version) !== 4) reader.refuseWord('vdo-version', 'V4', 0);
      if (line.count < WORDS)
        reader.refuse('vdo-words', `expected at least ${WORDS} words, got ${line.count}`);
      reader.number(2, 'vdo-size', 'a number of blocks', kstrtoull);
      if (!['512', '4096'].includes(line.word(3)))
        reader.refuseWord('vdo-minimum', '512 or 4096', 3);
      const cache = reader.number(4, 'vdo-cache', 'a number of blocks', kstrtouint);
      reader.number(5, 'vdo-period', 'a number of blocks', kstrtouint);
      reader.at = WORDS;
      if (reader.left % 2 !== 0) reader.refuse('vdo-pairs', 'expected NAME VALUE for each option');
      const told = readPairs(reader);
      const zones = ['logical', 'physical', 'hash'].map((key) => told.get(key) ?? 0);
      if (zones.some((zone) => zone === 0) && zones.some((zone) => zone > 0)) {
        reader.refuse('vdo-zones', 'expected logical, physical and hash, or none of them');
      }
      const least = CACHE_PER_ZONE * zones[0]!;
      if (cache < least) reader.refuseWord('vdo-cache-zones', `at least ${least} blocks`, 4);
      reader.device(1, 'vdo-device', { errno: EINVAL });
    },
    [
      {
        code: 'vdo-length',
        why: 'The target is made of blocks of 4 KiB (dm-vdo-target.c parse_device_config).',
        example: '0 9 vdo V4 8:16 262144 4096 32768 16380',
        fix: 'use a multiple of 8 sectors',
        log: 'Logical size must be a multiple of 4096',
      },
      {
        code: 'vdo-arguments',
        why: 'Words are needed (dm-vdo-target.c parse_device_config).',
        example: '0 8 vdo',
        fix: 'write V4 DEVICE SIZE MINIMUM CACHE PERIOD',
        log: 'Incorrect number of arguments',
      },
      {
        code: 'vdo-version',
        why: 'There are forms up to V4 of the line (dm-vdo-target.c get_version_number).',
        example: '0 8 vdo V5 8:16 262144 4096 32768 16380',
        fix: 'write V4',
        log: 'Unknown version number detected',
      },
      {
        code: 'vdo-words',
        why: 'Six words are needed (dm-vdo-target.c get_version_number).',
        example: '0 8 vdo V4 8:16 262144 4096 32768',
        fix: 'write V4 DEVICE SIZE MINIMUM CACHE PERIOD',
        log: 'Incorrect number of arguments for version',
      },
      {
        code: 'vdo-size',
        why: 'The size is a number of blocks (dm-vdo-target.c parse_device_config).',
        example: '0 8 vdo V4 8:16 1G 4096 32768 16380',
        fix: 'write a number of blocks of 4 KiB',
        log: 'Invalid physical block count',
      },
      {
        code: 'vdo-minimum',
        why: 'Users write 512 or 4096 bytes at least (dm-vdo-target.c parse_device_config).',
        example: '0 8 vdo V4 8:16 262144 1024 32768 16380',
        fix: 'write 512 or 4096',
        log: 'Invalid logical block size',
      },
      {
        code: 'vdo-cache',
        why: 'The cache is a number of blocks (dm-vdo-target.c parse_device_config).',
        example: '0 8 vdo V4 8:16 262144 4096 128M 16380',
        fix: 'write a number of blocks of 4 KiB',
        log: 'Invalid block map page cache size',
      },
      {
        code: 'vdo-period',
        why: 'The period is a number (dm-vdo-target.c parse_device_config).',
        example: '0 8 vdo V4 8:16 262144 4096 32768 x',
        fix: 'write a number up to 16380',
        log: 'Invalid block map maximum age',
      },
      {
        code: 'vdo-pairs',
        why: 'Each option is a name and a value (dm-vdo-target.c parse_optional_arguments).',
        example: '0 8 vdo V4 8:16 262144 4096 32768 16380 compression',
        fix: 'write NAME VALUE for each',
        log: 'Odd number of optional arguments given but they should be <key> <value> pairs',
      },
      {
        code: 'vdo-option',
        why: 'Options have their bounds (dm-vdo-target.c process_one_thread_config_spec).',
        example: '0 8 vdo V4 8:16 262144 4096 32768 16380 cpu 0',
        fix: 'write a value that it takes',
        log: 'Invalid optional argument configuration',
      },
      {
        code: 'vdo-zones',
        why: 'There are threads for logical, physical and hash zones, or for none of them (dm-vdo-target.c parse_device_config).',
        example: '0 8 vdo V4 8:16 262144 4096 32768 16380 logical 1',
        fix: 'write all three, or none',
        log: 'Logical, physical, and hash zones counts must all be zero or all non-zero',
      },
      {
        code: 'vdo-cache-zones',
        why: 'The cache has 4096 blocks for each logical zone (dm-vdo-target.c parse_device_config).',
        example: '0 8 vdo V4 8:16 262144 4096 4095 16380 logical 1 physical 1 hash 1',
        fix: 'use a larger cache, or fewer zones',
        log: 'Insufficient block map cache for logical zones',
      },
      {
        code: 'vdo-device',
        why: 'The kernel has no such block device (dm-vdo-target.c parse_device_config).',
        example: '0 8 vdo V4 4096:0 262144 4096 32768 16380',
        fix: 'write the path or major:minor of a block device',
        log: 'Unable to open storage device',
      },
    ],
  ),
}));
