// dm-raid.c: arrays of md. What has to be in sync is as soon as an array is resumed; checks end at once.

import { kstrtoint } from '../../targets/reader.js';
import type { Core } from '../core.js';
import { askChunks } from '../limits.js';
import type { Bytes } from '../packet.js';
import { refuse } from '../refusal.js';
import {
  Words,
  devText,
  measured,
  targetType,
  type AnyTargetType,
  type Instance,
} from '../target.js';

interface Member {
  readonly metadata: number | undefined;
  readonly data: number | undefined;
}

interface Raid {
  readonly level: Bytes;
  readonly chunk: number;
  readonly options: readonly (readonly [name: string, value?: Bytes])[];
  readonly members: readonly Member[];
  readonly journal: number | undefined;
  /** Of each member, in sectors. */
  readonly sectors: bigint;
  /** Was it resumed once? */
  started: boolean;
  suspended: boolean;
  /** Was it given something to do that it can only do when it is resumed? */
  waits: boolean;
}

/** The options in the order in which TABLE tells them. */
const OPTIONS = [
  'sync',
  'nosync',
  'rebuild',
  'daemon_sleep',
  'min_recovery_rate',
  'max_recovery_rate',
  'write_mostly',
  'max_write_behind',
  'stripe_cache',
  'region_size',
  'raid10_copies',
  'raid10_format',
  'delta_disks',
  'data_offset',
  'journal_dev',
  'journal_mode',
];
const WITHOUT_VALUE = ['sync', 'nosync', 'raid10_use_near_sets'];
const isOption = (word: string): boolean =>
  OPTIONS.includes(word) || WITHOUT_VALUE.includes(word) || /^\d+$/.test(word);
/** What follows an option; undefined if it is not there. */
const valueOf = (options: Raid['options'], name: string): Bytes | undefined =>
  options.find(([option]) => option === name)?.[1];
/** Of a check that a caller asks for. */
const CHECKS = ['check', 'repair', 'resync', 'recover'];

/** An option's value as TABLE tells it: numbers without what one may write around them. */
function toldValue(name: string, word: Bytes): Bytes {
  if (name === 'journal_dev') return word;
  return `${kstrtoint(word) ?? word.toLowerCase()}`;
}

/** How many members hold data and no parity. */
function dataMembers(level: Bytes, count: number, copies: number): number {
  if (level === 'raid1') return 1;
  if (/^raid[45]/.test(level)) return count - 1;
  if (level.startsWith('raid6')) return count - 2;
  return level.startsWith('raid10') ? count / copies : count;
}

/** sync_str(), rs_get_progress(): before 6.12 what is only loaded is idle. */
function actionOf({ level, started, suspended, sectors }: Raid, core: Core) {
  const isFrozen = suspended || (!started && core.is('6.12'));
  const done = isFrozen && level !== 'raid0' ? 0n : sectors;
  return { action: isFrozen ? 'frozen' : 'idle', done };
}

function healthOf({ members }: Raid): string {
  return members.map(({ data }) => (data === undefined ? '-' : 'A')).join('');
}

/** dm-raid.c */
export const raid: AnyTargetType = /* @__PURE__ */ targetType<Raid>({
  name: 'raid',
  versions: { '5.10': [1, 15, 1] },
  greeting: (core) => (core.is('6.12') ? undefined : 'raid: Loading target version 1.15.1'),
  logs: (text, { core, length }, words) => {
    const [level = '', count = '', chunk = ''] = words;
    if (!BEFORE_CHUNK.includes(text)) sayChunk(core, level, kstrtoint(chunk) ?? 0);
    const own = words.slice(3, 2 + Number(count)).map((word) => word.toLowerCase());
    if (text === 'Unable to parse RAID parameter') {
      core.log(3, `raid: ${text}: ${own.find((word) => !isOption(word)) ?? ''}`);
    }
    if (text === 'Supplied region size is too small') {
      const size = kstrtoint(own[own.indexOf('region_size') + 1] ?? '');
      core.log(3, `raid: Supplied region_size (${size} sectors) below minimum (${length >> 21n})`);
    }
    if (BEHIND_REGIONS.includes(text)) {
      sayRegionSize(
        core,
        level,
        own.find((word) => word === 'region_size'),
        length,
      );
    }
  },
  construct: (given, at) => {
    const { core } = at;
    const words = new Words(given, core);
    const level = words.next();
    const own = words.take(words.u32());
    const asked = kstrtoint(own.next()) ?? refuse('EINVAL');
    sayChunk(core, level, asked);
    const options: [string, Bytes?][] = [];
    let journal: number | undefined;
    while (own.left > 0) {
      const name = own.next().toLowerCase();
      if (WITHOUT_VALUE.includes(name)) options.push([name]);
      else if (OPTIONS.includes(name)) options.push([name, toldValue(name, own.next())]);
      else refuse('EINVAL');
    }
    const value = (name: string): Bytes | undefined => valueOf(options, name);
    sayRegionSize(core, level, value('region_size'), at.length);
    const journalPath = value('journal_dev');
    if (journalPath !== undefined) journal = at.open(journalPath);
    const count = words.u32();
    const members: Member[] = [];
    const openOr = (word: Bytes): number | undefined => (word === '-' ? undefined : at.open(word));
    while (members.length < count) {
      members.push({ metadata: openOr(words.next()), data: openOr(words.next()) });
    }
    const copies = Number(value('raid10_copies') ?? 2);
    const data = dataMembers(level, count, copies);
    if (data < 1 || members.every((one) => one.data === undefined)) return refuse('EINVAL');
    sayDiscards(core, level, members);
    return {
      level,
      chunk: level === 'raid1' ? 0 : asked,
      options: OPTIONS.flatMap((name) => options.filter(([option]) => option === name)),
      members,
      journal,
      sectors: BigInt(Math.floor(Number(at.length) / data)),
      started: false,
      suspended: false,
      waits: false,
    };
  },
  status: (target, { kind }, { core }) => statusText(target, kind, core),
  areas: ({ state: { members, sectors } }) =>
    members.flatMap(({ data }) =>
      data === undefined ? [] : [{ dev: data, start: 0n, length: sectors }],
    ),
  // raid_io_hints()
  hints: ({ state: { level, chunk, members, options } }, limits) => {
    if (level === 'raid1' || chunk === 0) return;
    const copies = Number(valueOf(options, 'raid10_copies') ?? 2);
    askChunks(limits, chunk * 512, Math.floor(dataMembers(level, members.length, copies)));
  },
  postsuspend: ({ state }) => {
    state.suspended = true;
  },
  resume: ({ state }) => {
    state.started = true;
    state.suspended = false;
    state.waits = false;
  },
  message: ({ state }, words, { core, device }) => {
    const [name = ''] = words;
    const key = name.toLowerCase();
    // A raid0 has nothing to sync.
    if (state.level === 'raid0') return refuse('EINVAL');
    // Before 6.12 messages are taken then, too, but what they ask for waits.
    if (state.suspended && core.is('6.12')) return refuse('EBUSY');
    if (key === 'idle' || key === 'frozen') {
      // From 6.12 on they fall through to what knows them not.
      return core.is('6.12') ? refuse('EINVAL') : undefined;
    }
    if (state.waits) return refuse('EBUSY');
    if (!CHECKS.includes(key)) return refuse('EINVAL');
    if (state.suspended) {
      state.waits = true;
      return undefined;
    }
    if (key === 'check' || key === 'repair') core.raiseLater(device);
    return undefined;
  },
});

function statusText({ state }: Instance<Raid>, kind: string, core: Core): Bytes {
  const { level, members, options, sectors, journal, chunk } = state;
  const { action, done } = actionOf(state, core);
  if (kind === 'info') {
    const words = [
      ...[level, members.length, healthOf(state), `${done}/${sectors}`],
      ...[action, 0, 0, journal === undefined ? '-' : 'A'],
    ];
    return words.join(' ');
  }
  if (kind === 'table') {
    const words = options.flatMap(([name, value]) => {
      if (value === undefined) return [name];
      if (name === 'journal_dev') return [name, devText(journal!)];
      return [name, name === 'max_write_behind' ? `${Number(value) / 2}` : value];
    });
    const pairs = members.flatMap(({ metadata, data }) =>
      [metadata, data].map((dev) => (dev === undefined ? '-' : devText(dev))),
    );
    return [level, words.length + 1, chunk, ...words, members.length, ...pairs].join(' ');
  }
  const each = Array.from(healthOf(state), (health, i) => `,raid_device_${i}_status=${health}`);
  const journalMode = valueOf(options, 'journal_mode') ?? 'writethrough';
  const mode = /^raid[456]/.test(level) ? `,journal_dev_mode=${journalMode}` : '';
  const head = `${measured(raid, core)},raid_type=${level},raid_disks=${members.length}`;
  return `${head},raid_state=${action}${each.join('')}${mode};`;
}

/** What the constructor refuses before it looks at the size of a chunk. */
const BEFORE_CHUNK = [
  'No arguments',
  'Unrecognised raid_type',
  'Cannot understand number of raid parameters',
  'Cannot understand number of raid devices parameters',
  'Invalid number of supplied raid devices',
  'Insufficient number of devices',
];

/** What the constructor refuses behind the size of a region. */
const BEHIND_REGIONS = [
  'Invalid flags combination',
  'RAID metadata device lookup failure',
  'RAID device lookup failure',
  'Drive designated for rebuild not specified',
  'No data device supplied with metadata device',
  'Bogus raid10 data copies or delta disks',
  'Target length not divisible by number of data devices',
  'Component device(s) too small',
  'Invalid rdev size',
  'Failed to run raid array',
];

/** parse_raid_params() */
function sayChunk(core: Core, level: Bytes, chunk: number): void {
  if (level !== 'raid1' || chunk === 0) return;
  core.log(3, 'raid: Ignoring chunk size parameter for RAID 1');
}

/** validate_region_size() */
function sayRegionSize(core: Core, level: Bytes, given: Bytes | undefined, length: bigint): void {
  if (level === 'raid0' || given !== undefined) return;
  // Of at most 2^21 regions, each a power of two.
  const least = length >> 21n;
  if (least <= 8192n) {
    core.log(6, 'raid: Choosing default region size of 4MiB');
    return;
  }
  let size = 8192n;
  while (size < least) size *= 2n;
  core.log(6, `raid: Choosing default region size of ${size} sectors`);
}

/** configure_discard_support() */
function sayDiscards(core: Core, level: Bytes, members: readonly Member[]): void {
  const [first] = members;
  const isParity = /^raid[456]/.test(level);
  if (!isParity || first?.data === undefined || core.discardSectorsOf(first.data) === 0) return;
  core.log(3, 'raid: raid456 discard support disabled due to discard_zeroes_data uncertainty.');
  core.log(3, 'raid: Set dm-raid.devices_handle_discard_safely=Y to override.');
}
