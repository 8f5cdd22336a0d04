// dm-mpath.c and its path selectors. No path is ever chosen, as there is no I/O: the groups are as they were
// made, but for what messages do.

import { sscanf32 } from '../../targets/rules.js';
import type { Core } from '../core.js';
import type { Bytes } from '../packet.js';
import type { Release, TargetInstance } from '../state.js';
import { Refusal, refuse } from '../refusal.js';
import {
  Words,
  devText,
  measured,
  targetType,
  type AnyTargetType,
  type Construction,
  type Answer,
  type Place,
} from '../target.js';

interface Path {
  readonly dev: number;
  /** What the selector keeps of it; the first is its repeat count. */
  readonly words: readonly number[];
  active: boolean;
  failures: number;
}

interface Group {
  readonly selector: Bytes;
  readonly words: readonly number[];
  readonly paths: Path[];
  bypassed: boolean;
}

interface Multipath {
  queueIfNoPath: boolean;
  /** What it was before the device was suspended. */
  queueBefore: boolean;
  readonly pgInitRetries: number;
  readonly pgInitDelayMs: number | undefined;
  readonly retain: boolean;
  readonly bio: boolean;
  readonly handler: Bytes | undefined;
  readonly groups: Group[];
  next: number;
}

/** A path selector: its version, and what it tells of itself and of a path. */
interface Selector {
  readonly version: string;
  readonly since: Release;
  readonly info: readonly string[];
  readonly tableWords: number;
  readonly group?: (words: readonly number[]) => string;
  readonly table: (words: readonly number[]) => string;
}

const SELECTORS: Readonly<Record<string, Selector>> = {
  'round-robin': {
    version: '1.2.0',
    since: '5.10',
    info: [],
    tableWords: 1,
    table: ([repeat = 1]) => `${repeat} `,
  },
  'queue-length': {
    version: '0.2.0',
    since: '5.10',
    info: ['0'],
    tableWords: 1,
    table: ([repeat = 1]) => `${repeat} `,
  },
  'service-time': {
    version: '0.3.0',
    since: '5.10',
    info: ['0', 'throughput'],
    tableWords: 2,
    table: ([repeat = 1, throughput = 1]) => `${repeat} ${throughput} `,
  },
  'historical-service-time': {
    version: '0.1.1',
    since: '5.10',
    info: ['0', '0', '0'],
    tableWords: 1,
    // HST_FIXED_95, and no threshold.
    group: ([weight = 972, threshold = 0]) => `2 ${weight} ${threshold} `,
    table: () => '0 ',
  },
};

/** dm-path-selector.c: its module is loaded when a table names it. */
function selectorOf(core: Core, name: Bytes): Selector {
  const selector = Object.hasOwn(SELECTORS, name) ? SELECTORS[name] : undefined;
  if (selector === undefined) return refuse('EINVAL', 'unknown path selector type');
  if (!core.state.modules.includes(name)) {
    core.state.modules.push(name);
    core.log(6, `multipath ${name}: version ${selector.version} loaded`);
  }
  return selector;
}

/** parse_features() */
function featuresOf(words: Words) {
  const found = {
    queueIfNoPath: false,
    pgInitRetries: 0,
    pgInitDelayMs: undefined as number | undefined,
    retain: false,
    bio: false,
  };
  while (words.left > 0) {
    switch (words.next().toLowerCase()) {
      case 'queue_if_no_path':
        found.queueIfNoPath = true;
        break;
      case 'retain_attached_hw_handler':
        found.retain = true;
        break;
      case 'pg_init_retries':
        found.pgInitRetries = words.u32();
        break;
      case 'pg_init_delay_msecs':
        found.pgInitDelayMs = words.u32();
        break;
      case 'queue_mode':
        found.bio = words.next().toLowerCase() === 'bio';
        break;
      default:
        refuse('EINVAL');
    }
  }
  return found;
}

/** parse_priority_group(), parse_path() */
function groupOf(words: Words, open: (path: Bytes) => number, core: Core): Group {
  const name = words.next();
  selectorOf(core, name);
  const own = words
    .take(words.u32())
    .rest()
    .map((word) => sscanf32(word) ?? refuse('EINVAL'));
  const count = words.u32();
  const each = words.u32();
  const paths: Path[] = [];
  while (paths.length < count) {
    const dev = open(words.next());
    const [repeat = 1, ...more] = words
      .take(each)
      .rest()
      .map((word) => sscanf32(word) ?? refuse('EINVAL'));
    if (repeat > 1) {
      core.log(4, `multipath ${name}: repeat_count > 1 is deprecated, using 1 instead`);
    }
    paths.push({ dev, words: [Math.min(repeat, 1), ...more], active: true, failures: 0 });
  }
  return { selector: name, words: own, paths, bypassed: false };
}

/** What is refused of a group, when selectors are loaded and paths taken of those before it. */
const IN_GROUPS = [
  'unknown path selector type',
  'invalid number of path selector args',
  'path selector constructor failed',
  'invalid number of paths',
  'invalid number of selector args',
  'not enough path parameters',
  'error getting device',
];

/** What the constructor refuses when it has seen that a hardware handler is not for bios. */
const BEHIND_HANDLER = [
  'invalid number of priority groups',
  'invalid initial priority group number',
  'invalid initial priority group',
  'not enough priority group arguments',
  'priority group count mismatch',
];

/** parse_hw_handler() */
function handlerOf(words: Words, isBio: boolean, core: Core): Bytes | undefined {
  const [handler] = words.take(words.u32()).rest();
  if (handler === undefined || !isBio) return handler;
  core.log(3, "multipath: bio-based multipath doesn't allow hardware handler args");
  return undefined;
}

/** multipath_ctr() */
function construct(given: readonly Bytes[], at: Construction): Multipath {
  const words = new Words(given, at.core);
  const features = featuresOf(words.take(words.u32()));
  const handler = handlerOf(words, features.bio, at.core);
  const count = words.u32();
  const next = words.u32();
  const groups: Group[] = [];
  while (groups.length < count) groups.push(groupOf(words, (path) => at.open(path), at.core));
  // Of bios it keeps whatever handler is attached, which 7.2 tells no more.
  const retain = !at.core.is('7.2') && (features.retain || features.bio);
  return {
    ...features,
    retain,
    queueBefore: features.queueIfNoPath,
    handler,
    groups,
    // One that there is not is as good as none, and the first is told then.
    next: next > count ? 1 : next,
  };
}

/** dm-mpath.c */
export const multipath: AnyTargetType = /* @__PURE__ */ targetType<Multipath>({
  name: 'multipath',
  versions: { '5.10': [1, 14, 0], '7.2': [1, 15, 0] },
  requests: ({ state }) => (state.bio ? 'bios' : 'requests'),
  construct,
  earlier: (text, at, words) => {
    if (!IN_GROUPS.includes(text)) return false;
    try {
      construct(words, at);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    return false;
  },
  logs: (text, { core }, given) => {
    if (!BEHIND_HANDLER.includes(text)) return;
    const words = new Words(given, core);
    handlerOf(words, featuresOf(words.take(words.u32())).bio, core);
  },
  status: ({ state }, { kind }, { core }) => {
    if (kind === 'ima') return measuredText(state, core);
    const { groups, handler, next } = state;
    const head =
      kind === 'info'
        ? '2 1 0 0 '
        : `${featureText(state)}${handler === undefined ? '0 ' : `1 ${handler} `}`;
    const each = groups.map(({ selector, words, paths, bypassed }) => {
      const { info, tableWords, table, group = () => '0 ' } = SELECTORS[selector]!;
      const state = bypassed ? 'D' : 'E';
      const count = kind === 'info' ? info.length : tableWords;
      const first = kind === 'info' ? state : selector;
      const told = paths.map((path) => {
        const device = devText(path.dev);
        if (kind === 'table') return `${device} ${table(path.words)}`;
        const values = info.map(
          (word) => `${word === 'throughput' ? (path.words[1] ?? 1) : word} `,
        );
        return `${device} ${path.active ? 'A' : 'F'} ${path.failures} ${values.join('')}`;
      });
      return `${first} ${group(words)}${paths.length} ${count} ${told.join('')}`;
    });
    return `${head}${groups.length} ${next} ${each.join('')}`;
  },
  areas: ({ state: { groups }, length }) =>
    groups.flatMap(({ paths }) => paths.map(({ dev }) => ({ dev, start: 0n, length }))),
  presuspend: ({ state }, { device }) => {
    state.queueBefore = state.queueIfNoPath;
    if (state.bio || !device.noflush) state.queueIfNoPath = false;
  },
  resume: ({ state }) => {
    state.queueIfNoPath = state.queueBefore;
  },
  message: ({ state }, words, at) => message(state, words, at),
});

/** multipath_probe_paths(): has it a path that is not failed? */
export function hasActivePath(target: TargetInstance): boolean {
  const { groups } = target.state as Multipath;
  return groups.some(({ paths }) => paths.some(({ active }) => active));
}

function featureText(state: Multipath): Bytes {
  const words = [
    ...(state.queueIfNoPath ? ['queue_if_no_path'] : []),
    ...(state.pgInitRetries > 0 ? ['pg_init_retries', state.pgInitRetries] : []),
    ...(state.pgInitDelayMs !== undefined ? ['pg_init_delay_msecs', state.pgInitDelayMs] : []),
    ...(state.retain ? ['retain_attached_hw_handler'] : []),
    ...(state.bio ? ['queue_mode', 'bio'] : []),
  ];
  return [words.length, ...words].map((word) => `${word} `).join('');
}

function measuredText({ groups }: Multipath, core: Core): Bytes {
  const each = groups.map(({ selector, paths, bypassed }, i) => {
    const told = paths.map(({ dev, active, failures }, k) => {
      const path = `path_name_${i}_${k}=${devText(dev)},is_active_${i}_${k}=${active ? 'A' : 'F'}`;
      return `,${path},fail_count_${i}_${k}=${failures},path_selector_status_${i}_${k}=`;
    });
    const head = `,pg_state_${i}=${bypassed ? 'D' : 'E'},nr_pgpaths_${i}=${paths.length}`;
    return `${head},path_selector_name_${i}=${selector}${told.join('')}`;
  });
  return `${measured(multipath, core)},nr_priority_groups=${groups.length}${each.join('')};`;
}

/** multipath_message() */
function message(state: Multipath, words: readonly Bytes[], { core, device }: Place): Answer {
  const say = (text: Bytes): never => {
    core.log(4, `multipath: ${text}`);
    return refuse('EINVAL');
  };
  const [name = '', word = ''] = words;
  const key = name.toLowerCase();
  if (device.suspended) return refuse('EBUSY');
  if (words.length === 1 && (key === 'queue_if_no_path' || key === 'fail_if_no_path')) {
    state.queueIfNoPath = state.queueBefore = key === 'queue_if_no_path';
    return undefined;
  }
  if (words.length !== 2) {
    return say(`Invalid multipath message arguments. Expected 2 arguments, got ${words.length}.`);
  }
  switch (key) {
    case 'disable_group':
    case 'enable_group': {
      const group = groupNamed(state, word) ?? say('invalid PG number supplied to bypass_pg');
      group.bypassed = key === 'disable_group';
      core.raiseLater(device);
      return undefined;
    }
    case 'switch_group': {
      const group = groupNamed(state, word) ?? say('invalid PG number supplied to switch_pg_num');
      for (const one of state.groups) one.bypassed = false;
      state.next = state.groups.indexOf(group) + 1;
      core.raiseLater(device);
      return undefined;
    }
    case 'fail_path':
    case 'reinstate_path': {
      const dev = core.lookup(word);
      // Before 6.12 the device is opened for it, and must be there.
      const isMissing = typeof dev !== 'number' || (!core.is('6.12') && !core.canOpen(dev));
      if (isMissing) {
        core.log(4, `multipath: message: error getting device ${word}`);
        return refuse(typeof dev === 'number' ? 'ENXIO' : dev);
      }
      const paths = state.groups.flatMap((group) => group.paths).filter((one) => one.dev === dev);
      if (paths.length === 0) return refuse('EINVAL');
      for (const path of paths) setPath(path, key === 'reinstate_path', { core, device });
      return undefined;
    }
    default:
      return say(`Unrecognised multipath message received: ${name}`);
  }
}

function groupNamed({ groups }: Multipath, word: Bytes): Group | undefined {
  return groups[(sscanf32(word) ?? 0) - 1];
}

/** fail_path(), reinstate_path() */
function setPath(path: Path, active: boolean, { core, device }: Omit<Place, 'table'>): void {
  if (path.active === active) return;
  // 5.10 does not say which device.
  const where = `${core.nameOf(device)}: `;
  const what = active ? 'Reinstating' : 'Failing';
  core.log(4, `multipath: ${where}${what} path ${devText(path.dev)}.`);
  path.active = active;
  if (!active) path.failures++;
  core.raiseLater(device);
}
