import { defineTarget } from './define.js';
import {
  device,
  deviceAt,
  list,
  optional,
  oneOf,
  ratio,
  sectors,
  text,
  variant,
} from './fields.js';
import { count, flag, literal, options, snakeCase } from './parts.js';
import { isPowerOfTwo, readerRules, type Reader } from './reader.js';
import { sscanf32, sscanf64, type Arguments } from './rules.js';

/** dm-raid1.c MAX_NR_MIRRORS */
const MOST_MIRRORS = 9;
/** dm-log.c LOG_OFFSET, in sectors: the header before the bits. */
const LOG_HEADER = 2;
/** From this release on the count of regions is looked at. */
const REGION_COUNT = '5.18';

/** Where the count of mirrors is. */
function mirrorsAt(line: Arguments): number {
  return 2 + sscanf32(line.word(1))!;
}

/** dm-log.c core_ctr(), disk_ctr(), create_log_context() */
function readLog(reader: Reader, size: number): void {
  const { line } = reader;
  const type = line.word(0);
  const code = 'mirror-log';
  if (type === 'userspace') {
    if (size < 3) reader.refuse(code, `expected at least 3 words of the log, got ${size}`);
    return;
  }
  if (type !== 'core' && type !== 'disk')
    reader.refuseWord('mirror-log-type', 'core, disk or userspace', 0);
  const isDisk = type === 'disk';
  const own = isDisk ? size - 1 : size;
  if (own < 1 || own > 2) {
    const words = isDisk ? 'DEVICE REGION [SYNC]' : 'REGION [SYNC]';
    reader.refuse(code, `expected ${words}, got ${size} words`);
  }
  const at = isDisk ? 3 : 2;
  const device = isDisk ? reader.device(2, 'mirror-log-device', { errno: 22 }) : undefined;
  if (own === 2 && !['sync', 'nosync'].includes(line.word(at + 1))) {
    reader.refuseWord('mirror-sync', 'sync or nosync', at + 1);
  }
  const region = reader.number(
    at,
    'mirror-region-size',
    `a power of two, from 2 to ${line.length} sectors`,
    sscanf32,
    (value) => value >= 2 && BigInt(value) <= reader.length && isPowerOfTwo(value),
  );
  const regions = (reader.length + BigInt(region) - 1n) / BigInt(region);
  if (regions > 0xffffffffn && reader.isSince(REGION_COUNT)) {
    reader.refuseWord('mirror-regions', 'larger regions, less than 2^32', at);
  }
  if (device === undefined) return;
  const needed = logBytes(regions, device.logicalBlockSize ?? 512);
  if (needed > BigInt(device.sectors) * 512n) {
    reader.refuse('mirror-log-size', `expected room for ${needed} bytes`, { at: 2 });
  }
}

/** What a log takes of its device: its header, and whole words of a bit for each region, in whole blocks. */
export function logBytes(regions: bigint, blockSize: number): bigint {
  const bytes = BigInt(LOG_HEADER * 512) + ((regions + 63n) / 64n) * 8n;
  const block = BigInt(blockSize);
  return ((bytes + block - 1n) / block) * block;
}

/**
 * The same data on several devices.
 *
 * @example
 * mirror({
 *   startSector: 0,
 *   length: 2048,
 *   log: { type: 'core', regionSize: 64, sync: 'nosync' },
 *   mirrors: [
 *     { device: '/dev/sdb', offset: 0 },
 *     { device: '/dev/sdc', offset: 0 },
 *   ],
 *   handleErrors: true,
 * })
 * @since Linux 2.6
 * @see drivers/md/dm-raid1.c mirror_ctr(), mirror_status(); dm-log.c core_ctr(), disk_ctr()
 */
export const mirror = /* @__PURE__ */ defineTarget('mirror', () => {
  const region = {
    /** What is in sync or not as a whole, in sectors: a power of two. */
    regionSize: sectors({ min: 1 }),
    /** Take all for out of sync, or for in sync, at the start. */
    sync: optional(oneOf('sync', 'nosync')),
  };
  const features = {
    /** Do without a device that fails, after who listens for events has seen to it. */
    handleErrors: flag(),
    /** Keep the log when a device fails; only with `handleErrors`. */
    keepLog: flag(),
  };
  return {
    parameters: [
      {
        /** Which regions are in sync: in memory (core), on a device (disk), or as a program says. */
        log: variant('type', {
          core: region,
          disk: {
            /** What has the log. */
            device: device(),
            ...region,
          },
          userspace: {
            /** Which log of the program's. */
            uuid: text(),
            /** What the program wants to know. */
            arguments: list(text()),
          },
        }),
      },
      count('mirrors'),
      {
        /** The devices, and where on each the data begins, in sectors. */
        mirrors: list(deviceAt(), { min: 1, max: 9 }),
      },
      options(features),
    ],
    status: [
      count('devices'),
      {
        /** As 'major:minor'. */
        devices: list(device()),
        /** Regions. */
        regions: ratio('inSync', 'total'),
      },
      literal('1'),
      {
        /** A letter each: A alive, F flush failed, D dead, S out of sync, R read failed, U unknown. */
        health: text(),
      },
      count('log'),
      {
        /** The log's type, and of one on a device that and its letter: A alive, D dead, F flush failed. */
        log: list(text()),
      },
    ],
    rules: readerRules(
      (reader) => {
        const { line } = reader;
        if (line.count < 2)
          reader.refuse('mirror-arguments', 'expected the type of a log and how many words it has');
        const size = reader.number(1, 'mirror-log-count', 'how many words the log has', sscanf32);
        if (size > line.count - 2)
          reader.refuseWord('mirror-log-words', `at most ${line.count - 2} words`, 1);
        readLog(reader, size);
        reader.at = 2 + size;
        const mirrors = reader.number(
          reader.at++,
          'mirror-count',
          `2 to ${MOST_MIRRORS}`,
          sscanf32,
          (value) => value >= 2 && value <= MOST_MIRRORS,
        );
        if (reader.left < 2 * mirrors)
          reader.refuse(
            'mirror-words',
            `expected DEVICE OFFSET ${mirrors} times, got ${reader.left} words`,
          );
        for (const end = reader.at + 2 * mirrors; reader.at < end; reader.at += 2) {
          reader.wide(reader.at + 1, 'mirror-offset');
          reader.device(reader.at, 'mirror-device');
        }
        if (reader.left === 0) return;
        const count = reader.number(
          reader.at++,
          'mirror-feature-count',
          'how many features follow',
          sscanf32,
        );
        if (count > reader.left)
          reader.refuseWord('mirror-feature-words', `at most ${reader.left}`);
        const given = Array.from({ length: count }, () => {
          const word = line.word(reader.at++);
          if (
            !Object.entries(features).some(([key, option]) => option.begins(word, snakeCase(key)))
          ) {
            reader.refuseWord('mirror-feature', 'handle_errors or keep_log');
          }
          return word;
        });
        if (given.includes('keep_log') && !given.includes('handle_errors')) {
          reader.refuse('mirror-keep-log', 'expected handle_errors, too');
        }
        if (reader.left > 0) reader.refuseWord('mirror-rest', 'the end', reader.at);
      },
      [
        {
          code: 'mirror-arguments',
          why: 'The type of the log and a count are needed (dm-raid1.c create_dirty_log).',
          example: '0 8 mirror core',
          fix: 'write core 1 REGION, and then the mirrors',
          log: 'Insufficient mirror log arguments',
        },
        {
          code: 'mirror-log-count',
          why: 'Behind the type stands how many words the log has (dm-raid1.c create_dirty_log).',
          example: '0 8 mirror core x 8 2 8:16 0 8:32 0',
          fix: 'write how many words follow',
          log: 'Invalid mirror log argument count',
        },
        {
          code: 'mirror-log-words',
          why: 'The log has as many words as are counted (dm-raid1.c create_dirty_log).',
          example: '0 8 mirror core 9 8 2 8:16 0 8:32 0',
          fix: 'write how many words follow',
          log: 'Insufficient mirror log arguments',
        },
        {
          code: 'mirror-log-type',
          why: 'Linux has three logs (dm-log.c, dm-log-userspace-base.c).',
          example: '0 8 mirror memory 1 8 2 8:16 0 8:32 0',
          fix: 'write core, disk or userspace',
          log: 'Error creating mirror dirty log',
        },
        {
          code: 'mirror-log',
          why: 'A log has one or two words of its own, one on a device that before them, and that of a program at least three (dm-log.c create_log_context).',
          example: '0 8 mirror core 0 2 8:16 0 8:32 0',
          fix: 'write core 1 REGION, or disk 2 DEVICE REGION',
          log: 'Error creating mirror dirty log',
        },
        {
          code: 'mirror-log-device',
          why: 'The kernel has no such block device (dm-log.c disk_ctr).',
          example: '0 8 mirror disk 2 4096:0 8 2 8:16 0 8:32 0',
          fix: 'write the path or major:minor of a block device',
          log: 'Error creating mirror dirty log',
        },
        {
          code: 'mirror-sync',
          why: 'Behind the size of a region there may be sync or nosync (dm-log.c create_log_context).',
          example: '0 8 mirror core 2 8 synced 2 8:16 0 8:32 0',
          fix: 'write sync or nosync, or neither',
          log: 'Error creating mirror dirty log',
        },
        {
          code: 'mirror-region-size',
          why: 'A region is a power of two, from 2 sectors to the whole target (dm-log.c _check_region_size).',
          example: '0 8 mirror core 1 12 2 8:16 0 8:32 0',
          fix: 'write a power of two, in sectors',
          log: 'Error creating mirror dirty log',
        },
        {
          code: 'mirror-regions',
          why: 'There are less than 2^32 regions (dm-log.c create_log_context).',
          example: '0 18014398509481983 mirror core 1 2 2 8:16 0 8:32 0',
          fix: 'use larger regions',
          log: 'Error creating mirror dirty log',
          changes: [REGION_COUNT],
        },
        {
          code: 'mirror-log-size',
          why: 'The log has room for a bit for each region (dm-log.c create_log_context).',
          example: '0 4294967296 mirror disk 2 /dev/sdb 2 2 8:16 0 8:32 0',
          fix: 'use larger regions, or a larger device for the log',
          log: 'Error creating mirror dirty log',
        },
        {
          code: 'mirror-count',
          why: 'There are two to nine mirrors (dm-raid1.c mirror_ctr).',
          example: '0 8 mirror core 1 8 1 8:16 0',
          fix: 'write how many devices follow',
          log: 'Invalid number of mirrors',
        },
        {
          code: 'mirror-words',
          why: 'Two words follow for each mirror (dm-raid1.c mirror_ctr).',
          example: '0 8 mirror core 1 8 2 8:16 0 8:32',
          fix: 'write DEVICE OFFSET for each mirror',
          log: 'Too few mirror arguments',
        },
        {
          code: 'mirror-offset',
          why: 'An offset is a decimal number (dm-raid1.c get_mirror).',
          example: '0 8 mirror core 1 8 2 8:16 0 8:32 x',
          fix: 'write decimal sectors of 512 bytes',
          log: 'Invalid offset',
        },
        {
          code: 'mirror-device',
          why: 'The kernel has no such block device (dm-raid1.c get_mirror).',
          example: '0 8 mirror core 1 8 2 8:16 0 4096:0 0',
          fix: 'write the path or major:minor of a block device',
          log: 'Device lookup failure',
        },
        {
          code: 'mirror-feature-count',
          why: 'Behind the mirrors there is a count of features, or nothing (dm-raid1.c parse_features).',
          example: '0 8 mirror core 1 8 2 8:16 0 8:32 0 handle_errors',
          fix: 'write how many features follow',
          log: 'Invalid number of features',
        },
        {
          code: 'mirror-feature-words',
          why: 'There are as many features as are counted (dm-raid1.c parse_features).',
          example: '0 8 mirror core 1 8 2 8:16 0 8:32 0 2 handle_errors',
          fix: 'write how many features follow',
          log: 'Not enough arguments to support feature count',
        },
        {
          code: 'mirror-feature',
          why: 'There are two features, in small letters (dm-raid1.c parse_features).',
          example: '0 8 mirror core 1 8 2 8:16 0 8:32 0 1 Handle_errors',
          fix: 'write handle_errors or keep_log',
          log: 'Unrecognised feature requested',
        },
        {
          code: 'mirror-keep-log',
          why: 'The log is kept only where errors are handled (dm-raid1.c parse_features).',
          example: '0 8 mirror core 1 8 2 8:16 0 8:32 0 1 keep_log',
          fix: 'add handle_errors',
          log: 'keep_log feature requires the handle_errors feature',
        },
        {
          code: 'mirror-rest',
          why: 'Nothing follows the features (dm-raid1.c mirror_ctr).',
          example: '0 8 mirror core 1 8 2 8:16 0 8:32 0 0 0',
          fix: 'leave it out',
          log: 'Too many mirror arguments',
        },
      ],
    ),
    areas: (line) => {
      const at = mirrorsAt(line);
      return Array.from({ length: sscanf32(line.word(at))! }, (_, i) => {
        const word = at + 1 + 2 * i;
        return {
          word,
          offsetWord: word + 1,
          start: sscanf64(line.word(word + 1))!,
          length: line.length,
        };
      });
    },
  };
});
