import { defineTarget } from './define.js';
import {
  device,
  integer,
  list,
  oneOf,
  optional,
  orDash,
  ratio,
  record,
  sectors,
  text,
} from './fields.js';
import { message } from './messages.js';
import { choice, count, flag, options, value, values } from './parts.js';
import { isPowerOfTwo, kstrtoint, readerRules, type Reader } from './reader.js';
import { readArgument, type RuleOf } from './rules.js';

/** dm-raid.c raid_types[] */
const RAID_TYPES = [
  'raid0',
  'raid1',
  'raid10',
  'raid10_offset',
  'raid10_near',
  'raid10_far',
  'raid4',
  'raid5_n',
  'raid5_ls',
  'raid5_rs',
  'raid5_la',
  'raid5_ra',
  'raid6_zr',
  'raid6_nr',
  'raid6_nc',
  'raid6_n_6',
  'raid6_ls_6',
  'raid6_rs_6',
  'raid6_la_6',
  'raid6_ra_6',
] as const;

/** dm-raid.c raid_types[]: how many devices of each hold no data, and how many there are at least. */
function levelOf(type: string): { level: string; parity: number; least: number } {
  const level = /^raid(10|[0146]|5)/.exec(type)?.[0] ?? type;
  if (level === 'raid6') return { level, parity: 2, least: 4 };
  return { level, parity: level === 'raid4' || level === 'raid5' ? 1 : 0, least: 2 };
}

const MOST_DEVICES = 253;
/** dm-raid.c MIN_FREE_RESHAPE_SPACE, a page, MIN_RAID456_JOURNAL_SPACE; in sectors. */
const RESHAPE_SPACE = 32;
const PAGE_SECTORS = 8;
const JOURNAL_SPACE = 8192;
/** md-bitmap.h COUNTER_MAX, in KiB. */
const MOST_BEHIND = 16383;
/** raid5.c raid5_set_cache_size() */
const STRIPES = { above: 16, most: 32768 } as const;
const ENOSPC = 28;
/** What raid5.c raid5_run() says of a set with too few devices. */
const EIO = 5;
const REGIONS = 1n << 21n;

const SYNC = ['sync', 'nosync'];
const RATES = ['daemon_sleep', 'min_recovery_rate', 'max_recovery_rate'];
const ANY = ['rebuild', ...RATES, 'region_size', 'delta_disks', 'data_offset'];
const PARITY = ['sync', ...ANY, 'stripe_cache', 'journal_dev', 'journal_mode'];

/** dm-raid.c RAID0_VALID_FLAGS and its like. */
const VALID: ReadonlyMap<string, readonly string[]> = /* @__PURE__ */ new Map([
  ['raid0', ['data_offset']],
  ['raid1', [...SYNC, ...ANY, 'write_mostly', 'max_write_behind']],
  ['raid10', [...SYNC, ...ANY, 'raid10_copies', 'raid10_format', 'raid10_use_near_sets']],
  ['raid4', [...SYNC, ...PARITY]],
  ['raid5', [...SYNC, ...PARITY]],
  ['raid6', PARITY],
]);

/** The set that a line describes. */
interface RaidSet {
  readonly level: string;
  readonly parity: number;
  readonly least: number;
  readonly devices: number;
  readonly chunk: number;
  readonly given: ReadonlyMap<string, number>;
  readonly rebuilds: ReadonlySet<number>;
}

/** What is said of each number: below which it must not be, or what else it must be. */
type Check = (value: number, reader: Reader) => void;

/** dm-raid.c parse_raid_params(); `params` are the words that are counted, the chunk among them. */
function readParams(reader: Reader, type: string, devices: number, params: number): RaidSet {
  const { level, parity, least } = levelOf(type);
  const isParity = parity > 0;
  const chunk = reader.number(reader.at++, 'raid-chunk-number', 'a number of sectors', kstrtoint);
  if (level !== 'raid1') {
    if (!isPowerOfTwo(chunk)) reader.refuseWord('raid-chunk-power', 'a power of two');
    if (chunk < PAGE_SECTORS) reader.refuseWord('raid-chunk', `at least ${PAGE_SECTORS} sectors`);
  }
  const given = new Map<string, number>();
  const rebuilds = new Set<number>();
  const once = (key: string, value = 0): void => {
    if (given.has(key))
      reader.refuse('raid-twice', `${key} twice`, { at: reader.at - 1, log: twice(key) });
    given.set(key, value);
  };
  const only = (fits: boolean, key: string, log: string): void => {
    if (!fits)
      reader.refuse('raid-level', `expected ${key} at another level than ${type}`, {
        at: reader.at - 2,
        log,
      });
  };
  const within = (code: string, value: number, min: number, max: number, log?: string): void => {
    if (value < min || value > max)
      reader.refuseWord(
        code,
        `a number from ${min} to ${max}`,
        reader.at - 1,
        log === undefined ? {} : { log },
      );
  };
  const numbers: Readonly<Record<string, Check>> = {
    rebuild: (value) => {
      within('raid-index', value, 0, devices - 1, 'Invalid rebuild index given');
      if (rebuilds.has(value))
        reader.refuse('raid-twice', `rebuild ${value} twice`, {
          at: reader.at - 1,
          log: 'rebuild for this index already given',
        });
      rebuilds.add(value);
      given.set('rebuild', value);
    },
    write_mostly: (value) => {
      only(level === 'raid1', 'write_mostly', 'write_mostly option is only valid for RAID1');
      within('raid-index', value, 0, devices - 1, 'Invalid write_mostly index given');
      given.set('write_mostly', (given.get('write_mostly') ?? 0) + 1);
    },
    max_write_behind: (value) => {
      only(
        level === 'raid1',
        'max_write_behind',
        'max_write_behind option is only valid for RAID1',
      );
      once('max_write_behind', value);
      within('raid-range', value, 0, 2 * MOST_BEHIND + 1, 'Max write-behind limit out of range');
    },
    daemon_sleep: (value) => {
      once('daemon_sleep', value);
      within('raid-range', value, 0, Infinity, 'daemon sleep period out of range');
    },
    data_offset: (value) => {
      once('data_offset', value);
      const isWell = value === 0 || (value >= RESHAPE_SPACE && value % PAGE_SECTORS === 0);
      if (!isWell)
        reader.refuseWord(
          'raid-range',
          `0, or a multiple of ${PAGE_SECTORS} from ${RESHAPE_SPACE} on`,
          reader.at - 1,
          { log: 'Bogus data_offset value' },
        );
    },
    delta_disks: (value) => {
      once('delta_disks', value);
      within(
        'raid-range',
        Math.abs(value),
        1,
        MOST_DEVICES - least,
        'Too many delta_disk requested',
      );
    },
    stripe_cache: (value) => {
      once('stripe_cache', value);
      only(isParity, 'stripe_cache', 'Inappropriate argument: stripe_cache');
      within('raid-range', value, 0, Infinity, 'Bogus stripe cache entries value');
    },
    min_recovery_rate: (value) => {
      once('min_recovery_rate', value);
      within('raid-range', value, 0, Infinity, 'min_recovery_rate out of range');
    },
    max_recovery_rate: (value) => {
      once('max_recovery_rate', value);
      within('raid-range', value, 0, Infinity, 'max_recovery_rate out of range');
    },
    region_size: (value) => {
      once('region_size', value);
    },
    raid10_copies: (value) => {
      once('raid10_copies', value);
      within('raid-range', value, 2, devices, "Bad value for 'raid10_copies'");
    },
  };
  for (let i = 1; i < params; i++) {
    if (reader.left === 0)
      reader.refuse('raid-words', 'expected more words', {
        log: 'Not enough raid parameters given',
      });
    const key = reader.line.word(reader.at++).toLowerCase();
    if (SYNC.includes(key) || key === 'raid10_use_near_sets') {
      once(key);
      continue;
    }
    i++;
    if (reader.left === 0)
      reader.refuse('raid-words', `expected a value behind ${key}`, {
        log: 'Wrong number of raid parameters given',
      });
    const value = reader.line.word(reader.at++);
    if (key === 'raid10_format') {
      once(key, FORMATS.indexOf(value.toLowerCase()));
      only(level === 'raid10', key, "'raid10_format' is an invalid parameter for this RAID type");
      if (given.get(key)! < 0) reader.refuseWord('raid-format', FORMATS.join(', '));
    } else if (key === 'journal_dev') {
      once(key);
      only(isParity, key, "'journal_dev' is an invalid parameter for this RAID type");
      const device = reader.device(reader.at - 1, 'raid-journal-device');
      if (device !== undefined && device.sectors < JOURNAL_SPACE) {
        reader.refuse(
          'raid-journal-size',
          `expected at least ${JOURNAL_SPACE} sectors, got ${device.sectors}`,
          { at: reader.at - 1 },
        );
      }
    } else if (key === 'journal_mode') {
      if (!given.has('journal_dev'))
        reader.refuseWord('raid-journal', 'journal_dev before journal_mode', reader.at - 2);
      once(key);
      if (!['writethrough', 'writeback'].includes(value.toLowerCase()))
        reader.refuseWord('raid-journal-mode', 'writethrough or writeback');
    } else {
      const number = reader.number(reader.at - 1, 'raid-number', 'a number', kstrtoint);
      if (!Object.hasOwn(numbers, key))
        reader.refuseWord('raid-param', 'a parameter that this kernel knows', reader.at - 2);
      numbers[key]!(number, reader);
    }
  }
  return { level, parity, least, devices, chunk: level === 'raid1' ? 0 : chunk, given, rebuilds };
}

const FORMATS = ['near', 'offset', 'far'];

/** As the kernel says it, each of them a little otherwise. */
function twice(key: string): string {
  if (key === 'raid10_use_near_sets') return "Only one 'raid10_use_new_sets' argument allowed";
  if (SYNC.includes(key)) return `Only one '${key}' argument allowed`;
  if (key === 'raid10_format') return "Only one 'raid10_format' argument pair allowed";
  if (key === 'journal_dev') return 'Only one raid4/5/6 set journaling device allowed';
  if (key === 'journal_mode') return "Only one raid4/5/6 'journal_mode' argument allowed";
  return `Only one ${key} argument pair allowed`;
}

/** The rest of parse_raid_params(): what goes with what. */
function checkParams(reader: Reader, { level, devices, chunk, given }: RaidSet): void {
  const refuse = (message: string, log: string): never =>
    reader.refuse('raid-together', message, { log });
  const has = (key: string): boolean => given.has(key);
  if (has('sync') && has('nosync'))
    refuse('expected sync or nosync', 'sync and nosync are mutually exclusive');
  if (has('rebuild') && (has('sync') || has('nosync')))
    refuse('expected rebuild alone', 'sync/nosync and rebuild are mutually exclusive');
  if ((given.get('write_mostly') ?? 0) >= devices)
    refuse(
      'expected a device that is not write_mostly',
      "Can't set all raid1 devices to write_mostly",
    );
  const most = given.get('max_recovery_rate') ?? 0;
  if (most > 0 && (given.get('min_recovery_rate') ?? 0) > most)
    refuse('expected min_recovery_rate up to max_recovery_rate', 'Bogus recovery rates');
  const region = BigInt.asUintN(64, BigInt(given.get('region_size') ?? 0));
  if (level !== 'raid0' && region !== 0n) {
    const bad = (message: string, log: string): never =>
      reader.refuse('raid-region-size', message, { log });
    if (region > reader.length)
      bad(
        `expected a region of at most ${reader.length} sectors`,
        'Supplied region size is too large',
      );
    if (region < reader.length / REGIONS)
      bad(
        `expected a region of at least ${reader.length / REGIONS} sectors`,
        'Supplied region size is too small',
      );
    if (!isPowerOfTwo(region))
      bad('expected a region that is a power of two', 'Region size is not a power of 2');
    if (region < chunk)
      bad(
        `expected a region of at least ${chunk} sectors`,
        'Region size is smaller than the chunk size',
      );
  }
  if (level === 'raid10') {
    if ((given.get('raid10_copies') ?? 2) > devices)
      refuse('expected as many devices as copies', 'Not enough devices to satisfy specification');
    if ((given.get('raid10_format') ?? 0) === 0 && has('raid10_use_near_sets'))
      refuse(
        'expected another format than near',
        "RAID10 format 'near' and 'raid10_use_near_sets' are incompatible",
      );
  }
  const other = [...given.keys()].find((key) => !VALID.get(level)!.includes(key));
  if (other !== undefined)
    reader.refuse('raid-flags', `expected ${other} at another level than ${level}`);
}

/** A device of a set: which word its data are, if they are there. */
interface RaidDevice {
  readonly data: number | undefined;
  readonly hasMetadata: boolean;
}

/** dm-raid.c parse_dev_params() */
function readDevices(reader: Reader, { devices, rebuilds }: RaidSet): RaidDevice[] {
  // The count was read before.
  reader.at++;
  return Array.from({ length: devices }, (_, i) => {
    const [metadata, data] = [reader.at, reader.at + 1];
    reader.at += 2;
    const hasMetadata = reader.line.word(metadata) !== '-';
    if (hasMetadata) reader.device(metadata, 'raid-metadata-device');
    if (reader.line.word(data) !== '-') {
      reader.device(data, 'raid-device');
      return { data, hasMetadata };
    }
    if (rebuilds.has(i)) reader.refuseWord('raid-rebuild', 'a device, as it is rebuilt', data);
    if (hasMetadata)
      reader.refuseWord('raid-data-device', 'a device, as there is one for its metadata', data);
    return { data: undefined, hasMetadata };
  });
}

/** dm-raid.c rs_set_dev_and_array_sectors(): what each device has of the target. */
function deviceSectors(reader: Reader, { level, parity, devices, given }: RaidSet): bigint {
  const refuse = (): never =>
    reader.refuse(
      'raid-length',
      `expected a multiple of the data devices, got ${reader.length} sectors`,
      { at: 'length' },
    );
  if (level === 'raid1') return reader.length;
  const delta = given.get('delta_disks') ?? 0;
  const stripes = BigInt(devices - parity);
  if (level !== 'raid10')
    return reader.length % stripes === 0n ? reader.length / stripes : refuse();
  if (delta < 0) reader.refuse('raid-delta', 'expected no devices less');
  const copies = BigInt(given.get('raid10_copies') ?? 2);
  if ((reader.length * copies) % stripes !== 0n) refuse();
  const sectors = (reader.length * copies) / stripes;
  return ((stripes + BigInt(delta)) * sectors) % copies === 0n ? sectors : refuse();
}

/** dm-raid.c raid_ctr(), as far as it depends on the line, and not on what is on the disks. */
function read(reader: Reader): void {
  const { line } = reader;
  if (line.count === 0)
    reader.refuse('raid-arguments', 'expected TYPE #PARAMS PARAMS #DEVICES DEVICES');
  const type = line.word(reader.at++).toLowerCase();
  if (!RAID_TYPES.some((known) => known === type))
    reader.refuseWord('raid-type', RAID_TYPES.join(', '));
  const params = reader.group('raid-param-count', line.count);
  const devicesAt = reader.at + params;
  const most = line.count > devicesAt ? Math.floor((line.count - devicesAt - 1) / 2) : 0;
  const devices = readArgument(line.word(devicesAt), 1, Math.min(254, most));
  if (devices === undefined)
    return reader.refuseWord(
      'raid-device-count',
      `how many pairs of devices follow, at most ${most}`,
      devicesAt,
    );
  if (devices > MOST_DEVICES)
    reader.refuseWord('raid-device-most', `at most ${MOST_DEVICES}`, devicesAt);
  const { parity, least, level } = levelOf(type);
  if (devices <= parity)
    reader.refuseWord('raid-device-least', `more than ${parity} devices`, devicesAt);
  // Without a chunk the count of devices is taken for it, and all that follows for parameters.
  const set = readParams(reader, type, devices, params === 0 ? Infinity : params);
  checkParams(reader, set);
  const own = readDevices(reader, set);
  const data = own.map((device) => device.data);
  const sectors = deviceSectors(reader, set);
  for (const at of data) {
    const device = at === undefined ? undefined : reader.machine.lookup(line.word(at));
    if (typeof device === 'object' && BigInt(device.sectors) < sectors) {
      reader.refuse(
        'raid-device-size',
        `expected at least ${sectors} sectors, got ${device.sectors}`,
        { at: at! },
      );
    }
  }
  const missing = data.filter((at) => at === undefined).length;
  if (missing === devices) reader.refuse('raid-none', 'expected a device');
  const spare =
    level === 'raid0' ? 0 : level === 'raid1' || level === 'raid10' ? devices - 1 : parity;
  if (missing > spare)
    reader.refuse(
      'raid-run',
      `expected at most ${spare} devices to be missing, got ${missing}`,
      parity > 0 ? { errno: EIO } : {},
    );
  if (level === 'raid6' && devices < least)
    reader.refuseWord('raid-run', `at least ${least} devices`, devicesAt);
  if (level === 'raid10' && own.every(({ hasMetadata }) => !hasMetadata)) {
    reader.refuse('raid-run', 'expected a device for metadata, which have the layout of raid10');
  }
  const cache = Math.max(set.given.get('stripe_cache') ?? 256, set.chunk / 2);
  if (parity > 0 && (cache <= STRIPES.above || cache > STRIPES.most)) {
    reader.refuse(
      'raid-stripe-cache',
      `expected ${STRIPES.above + 1} to ${STRIPES.most} stripes, got ${cache}`,
    );
  }
}

const row = (words: string): string => `0 2048 raid ${words}`;

/** Made when they are first used, as definitions are: there are many. */
const rules = (): readonly RuleOf[] => [
  {
    code: 'raid-arguments',
    why: 'The type, parameters and devices are needed (dm-raid.c raid_ctr).',
    example: '0 2048 raid',
    fix: 'write TYPE #PARAMS CHUNK PARAMS #DEVICES DEVICES',
    log: 'No arguments',
  },
  {
    code: 'raid-type',
    why: 'Linux has twenty types (dm-raid.c raid_types).',
    example: row('raid5 1 64 3 - 8:16 - 8:32 - 8:48'),
    fix: 'write a type with its layout, as in raid5_ls',
    log: 'Unrecognised raid_type',
  },
  {
    code: 'raid-param-count',
    why: 'A count stands before the parameters, the chunk among them (dm-raid.c raid_ctr).',
    example: row('raid1 x 0 2 - 8:16 - 8:32'),
    fix: 'write how many words the parameters have',
    log: 'Cannot understand number of raid parameters',
  },
  {
    code: 'raid-device-count',
    why: 'Behind the parameters stands how many pairs of devices follow (dm-raid.c raid_ctr).',
    example: row('raid1 1 0 2 - 8:16 -'),
    fix: 'write METADATA DATA for each device, with a dash for what there is not',
    log: 'Cannot understand number of raid devices parameters',
  },
  {
    code: 'raid-device-most',
    why: 'A set has at most 253 devices (dm-raid.c raid_ctr).',
    example: row(`raid1 1 0 254${' - 8:16'.repeat(254)}`),
    fix: 'use fewer devices',
    log: 'Invalid number of supplied raid devices',
  },
  {
    code: 'raid-device-least',
    why: 'There is a device for data beside those for parity (dm-raid.c raid_set_alloc).',
    example: row('raid5_ls 1 64 1 - 8:16'),
    fix: 'use more devices',
    log: 'Insufficient number of devices',
  },
  {
    code: 'raid-chunk-number',
    why: 'The first parameter is the chunk, a number also for raid1 (dm-raid.c parse_raid_params).',
    example: row('raid1 2 nosync 0 2 - 8:16 - 8:32'),
    fix: 'write the chunk first, 0 for raid1',
    log: 'Bad numerical argument given for chunk_size',
  },
  {
    code: 'raid-chunk-power',
    why: 'A chunk is a power of two (dm-raid.c parse_raid_params).',
    example: row('raid0 1 12 2 - 8:16 - 8:32'),
    fix: 'write a power of two, in sectors',
    log: 'Chunk size must be a power of 2',
  },
  {
    code: 'raid-chunk',
    why: 'A chunk has at least eight sectors (dm-raid.c parse_raid_params).',
    example: row('raid0 1 4 2 - 8:16 - 8:32'),
    fix: 'use larger chunks',
    log: 'Chunk size value is too small',
  },
  {
    code: 'raid-words',
    why: 'All parameters but sync, nosync and raid10_use_near_sets have a value (dm-raid.c parse_raid_params).',
    example: row('raid1 0 2 nosync region_size 1024 write_mostly'),
    fix: 'write NAME VALUE for each',
    log: 'Wrong number of raid parameters given',
  },
  {
    code: 'raid-twice',
    why: 'Only rebuild and write_mostly stand there more than once, and for another device each (dm-raid.c parse_raid_params).',
    example: row('raid1 3 0 nosync nosync 2 - 8:16 - 8:32'),
    fix: 'write it once',
    log: "Only one 'nosync' argument allowed",
  },
  {
    code: 'raid-level',
    why: 'Some parameters are for some levels only (dm-raid.c parse_raid_params).',
    example: row('raid1 3 0 stripe_cache 512 2 - 8:16 - 8:32'),
    fix: 'leave it out',
    log: 'Inappropriate argument: stripe_cache',
  },
  {
    code: 'raid-format',
    why: 'Copies of raid10 are near, far or at an offset (dm-raid.c raid10_name_to_format).',
    example: row('raid10 3 64 raid10_format nearby 2 - 8:16 - 8:32'),
    fix: 'write near, far or offset',
    log: "Invalid 'raid10_format' value given",
  },
  {
    code: 'raid-journal-device',
    why: 'The kernel has no such block device (dm-raid.c parse_raid_params).',
    example: row('raid4 3 64 journal_dev 4096:0 3 - 8:16 - 8:32 - 8:48'),
    fix: 'write the path or major:minor of a block device',
    log: 'raid4/5/6 journal device lookup failure',
  },
  {
    code: 'raid-journal-size',
    why: 'A journal has at least 4 MiB (dm-raid.c parse_raid_params).',
    example: row('raid4 3 64 journal_dev /dev/sdb 3 - 8:16 - 8:32 - 8:48'),
    fix: 'use a larger device',
    log: 'No space for raid4/5/6 journal',
    errno: ENOSPC,
  },
  {
    code: 'raid-journal',
    why: 'The mode of a journal stands behind its device (dm-raid.c parse_raid_params).',
    example: row('raid4 3 64 journal_mode writeback 3 - 8:16 - 8:32 - 8:48'),
    fix: 'write journal_dev DEVICE before it',
    log: "raid4/5/6 'journal_mode' is invalid without 'journal_dev'",
  },
  {
    code: 'raid-journal-mode',
    why: 'There are two modes of a journal (dm-raid.c dm_raid_journal_mode_to_md).',
    example: row('raid4 5 64 journal_dev 8:64 journal_mode none 3 - 8:16 - 8:32 - 8:48'),
    fix: 'write writethrough or writeback',
    log: "Invalid 'journal_mode' argument",
  },
  {
    code: 'raid-number',
    why: 'What is left are numbers below 2^31 (dm-raid.c parse_raid_params).',
    example: row('raid1 3 0 region_size 1k 2 - 8:16 - 8:32'),
    fix: 'write a number',
    log: 'Bad numerical argument given in raid params',
  },
  {
    code: 'raid-param',
    why: 'There are seventeen parameters (dm-raid.c parse_raid_params).',
    example: row('raid1 3 0 regions 1024 2 - 8:16 - 8:32'),
    fix: 'leave it out',
    log: 'Unable to parse RAID parameter',
  },
  {
    code: 'raid-index',
    why: 'Devices are counted from 0 (dm-raid.c parse_raid_params).',
    example: row('raid1 3 0 rebuild 2 2 - 8:16 - 8:32'),
    fix: 'write the number of a device, from 0',
    log: 'Invalid rebuild index given',
  },
  {
    code: 'raid-range',
    why: 'Each parameter has its bounds (dm-raid.c parse_raid_params).',
    example: row('raid10 3 64 raid10_copies 1 2 - 8:16 - 8:32'),
    fix: 'write a number that it takes',
    log: "Bad value for 'raid10_copies'",
  },
  {
    code: 'raid-together',
    why: 'Some parameters exclude each other (dm-raid.c parse_raid_params).',
    example: row('raid1 3 0 sync nosync 2 - 8:16 - 8:32'),
    fix: 'leave one of them out',
    log: 'sync and nosync are mutually exclusive',
  },
  {
    code: 'raid-region-size',
    why: 'A region is a power of two, no smaller than the chunk or 1/2097152 of the target, and no larger than that (dm-raid.c validate_region_size).',
    example: row('raid1 3 0 region_size 12 2 - 8:16 - 8:32'),
    fix: 'write a power of two, in sectors',
    log: 'Region size is not a power of 2',
  },
  {
    code: 'raid-flags',
    why: 'Each level has its parameters: raid6 no nosync, raid0 data_offset alone (dm-raid.c rs_check_for_valid_flags).',
    example: row('raid0 2 64 nosync 2 - 8:16 - 8:32'),
    fix: 'leave it out',
    log: 'Invalid flags combination',
  },
  {
    code: 'raid-metadata-device',
    why: 'The kernel has no such block device (dm-raid.c parse_dev_params).',
    example: row('raid1 2 0 nosync 2 4096:0 8:16 - 8:32'),
    fix: 'write the path or major:minor of a block device, or a dash',
    log: 'RAID metadata device lookup failure',
  },
  {
    code: 'raid-device',
    why: 'The kernel has no such block device (dm-raid.c parse_dev_params).',
    example: row('raid1 2 0 nosync 2 - 4096:0 - 8:32'),
    fix: 'write the path or major:minor of a block device, or a dash',
    log: 'RAID device lookup failure',
  },
  {
    code: 'raid-rebuild',
    why: 'What is rebuilt is there (dm-raid.c parse_dev_params).',
    example: row('raid1 3 0 rebuild 1 2 - 8:16 - -'),
    fix: 'name the device',
    log: 'Drive designated for rebuild not specified',
  },
  {
    code: 'raid-data-device',
    why: 'No device has metadata without data (dm-raid.c parse_dev_params).',
    example: row('raid1 2 0 nosync 2 - 8:16 8:32 -'),
    fix: 'name both devices, or neither',
    log: 'No data device supplied with metadata device',
  },
  {
    code: 'raid-delta',
    why: 'raid10 loses no devices (dm-raid.c rs_set_dev_and_array_sectors).',
    example: row('raid10 3 64 delta_disks -1 2 - 8:16 - 8:32'),
    fix: 'leave delta_disks out',
    log: 'Bogus raid10 data copies or delta disks',
  },
  {
    code: 'raid-length',
    why: 'Each device has as many sectors as the others (dm-raid.c rs_set_dev_and_array_sectors).',
    example: '0 2047 raid raid0 1 64 2 - 8:16 - 8:32',
    fix: 'use a multiple of the number of data devices',
    log: 'Target length not divisible by number of data devices',
  },
  {
    code: 'raid-device-size',
    why: 'Each device has room for its part (dm-raid.c _check_data_dev_sectors).',
    example: row('raid1 2 0 nosync 2 - /dev/sdb - 8:32'),
    fix: 'use larger devices, or fewer sectors',
    log: 'Component device(s) too small',
  },
  {
    code: 'raid-none',
    why: 'A set has a device (dm-raid.c raid_ctr).',
    example: row('raid1 2 0 nosync 2 - - - -'),
    fix: 'name the devices',
    log: 'Invalid rdev size',
  },
  {
    code: 'raid-run',
    why: 'No more devices are missing than the level can do without, raid6 has at least four, and raid10 has metadata, where its layout stands (md.c md_run).',
    example: row('raid0 1 64 2 - 8:16 - -'),
    fix: 'name the devices',
    log: 'Failed to run raid array',
  },
  {
    code: 'raid-stripe-cache',
    why: 'The cache has 17 to 32768 stripes, and at least half as many as a chunk has sectors (dm-raid.c rs_set_raid456_stripe_cache).',
    example: row('raid5_ls 3 8 stripe_cache 16 3 - 8:16 - 8:32 - 8:48'),
    fix: 'write a number from 17 to 32768',
    log: 'Failed to set raid4/5/6 stripe cache size',
  },
];

/**
 * The RAID levels of Linux's md.
 *
 * @example
 * raid({
 *   startSector: 0,
 *   length: 8192,
 *   raidType: 'raid1',
 *   chunkSize: 0,
 *   sync: 'nosync',
 *   regionSize: 1024,
 *   devices: [{ data: '/dev/sdb' }, { data: '/dev/sdc' }],
 * })
 * @since Linux 2.6.38
 * @see drivers/md/dm-raid.c raid_ctr(), parse_raid_params(), raid_status(), raid_message()
 */
export const raid = /* @__PURE__ */ defineTarget('raid', () => ({
  parameters: [
    {
      /** Level and layout; raid5 and raid6 have several. */
      raidType: oneOf(...RAID_TYPES),
    },
    options(
      {
        /** Synchronise at the start, or take all for in sync. */
        sync: choice('sync', 'nosync'),
        /** Devices, by index, that are to be written anew. */
        rebuild: values(integer()),
        /** How often the bitmap is cleaned, in milliseconds. */
        daemonSleep: value(integer()),
        /** No slower than this while I/O goes on, in KiB a second for each device. */
        minRecoveryRate: value(integer()),
        /** No faster than this, in KiB a second for each device. */
        maxRecoveryRate: value(integer()),
        /** Devices of raid1, by index, that are read only if no other can be. */
        writeMostly: values(integer()),
        /** How far `writeMostly` may lag behind, in sectors. */
        maxWriteBehind: value(sectors()),
        /** The cache of stripes of raid4, raid5 and raid6, in sectors. */
        stripeCache: value(sectors()),
        /** What a bit of the bitmap stands for, in sectors: a power of two. */
        regionSize: value(sectors()),
        /** How often raid10 has each chunk. */
        raid10Copies: value(integer({ min: 2, max: 0xff })),
        /** Where raid10 has them. */
        raid10Format: value(oneOf('near', 'far', 'offset')),
        /** Reshape: devices more or, negative, fewer. */
        deltaDisks: value(integer({ min: -253, max: 253 })),
        /** Reshape: where the data begins on the devices, in sectors. */
        dataOffset: value(sectors()),
        /** A journal for raid4, raid5 and raid6. */
        journalDev: value(device()),
        /** How the journal is used; behind `journalDev`. */
        journalMode: value(oneOf('writethrough', 'writeback')),
        /** Have the copies of raid10 far or offset in sets; the kernel's table does not tell it. */
        raid10UseNearSets: flag(),
      },
      { count: 'always' },
      {
        /** What is on one device before it is the next one's turn, in sectors; 0 for raid1. */
        chunkSize: sectors(),
      },
    ),
    count('devices'),
    {
      /** Where the metadata and the data of each is; without `data` it is missing. */
      devices: list(
        record({
          /** What has the array's own data; none if left out. */
          metadata: orDash(device()),
          /** What has the data; missing if left out. */
          data: orDash(device()),
        }),
        { min: 1 },
      ),
    },
  ],
  rules: readerRules(read, rules()),
  status: [
    {
      /** As in the table. */
      raidType: oneOf(...RAID_TYPES),
      /** How many devices there are. */
      deviceCount: integer(),
      /** A letter for each: A in sync, a alive but not in sync, D dead, - missing. */
      health: text(),
      /** How far `syncAction` is, in sectors. */
      sync: ratio('done', 'total'),
      /** What is done, as in 'idle', 'resync', 'recover', 'check', 'repair', 'reshape', 'frozen'. */
      syncAction: text(),
      /** What the last check has found to differ, in sectors. */
      mismatches: integer(),
      /** Where the data begins on the devices, in sectors; from Linux 3.16 on. */
      dataOffset: optional(integer()),
      /** The journal's letter: A active writethrough, a writeback, D dead; from Linux 4.11 on. */
      journal: optional(orDash(text())),
    },
  ],
  messages: {
    /** Stop what is done; from Linux 6.12 on it answers with an error all the same. */
    idle: message('idle'),
    /** Stop, and begin nothing else; from Linux 6.12 on it answers with an error all the same. */
    frozen: message('frozen'),
    /** Synchronise. */
    resync: message('resync'),
    /** Write a device anew. */
    recover: message('recover'),
    /** Count what differs. */
    check: message('check'),
    /** Mend what differs. */
    repair: message('repair'),
  },
}));
