import { InputError, show } from '../errors.js';
import { defineTarget } from './define.js';
import {
  device,
  either,
  integer,
  kindWord,
  list,
  oneOf,
  optional,
  readFields,
  record,
  text,
  UNKNOWN,
  writeFields,
  type Field,
  type Fields,
  type Given,
} from './fields.js';
import { message } from './messages.js';
import { count, counted, flag, literal, options, value } from './parts.js';
import { readerRules, type Reader } from './reader.js';
import { OLDEST, sscanf32, type Arguments, type RuleOf } from './rules.js';
import type { Words } from './words.js';

/** What path selectors take for themselves, and for each path: the table_args of dm-ps-*.c. */
interface Selector {
  readonly arguments: Fields;
  readonly path: Fields;
}

const selectorTypes = () => {
  const often = {
    /** How often in a row a path is taken; newer kernels make it 1. */
    repeatCount: optional(integer()),
  };
  return {
    'round-robin': { arguments: {}, path: often },
    'queue-length': { arguments: {}, path: often },
    'service-time': {
      arguments: {},
      path: {
        ...often,
        /** How fast a path is beside the others; 0 for one to take last. */
        relativeThroughput: optional(integer({ max: 100 })),
      },
    },
    'historical-service-time': {
      arguments: {
        /** How much the past counts, in 1024ths. */
        baseWeight: optional(integer({ max: 1023 })),
        /** How many times better a path must be for a change. */
        thresholdMultiplier: optional(integer()),
      },
      path: often,
    },
    'io-affinity': {
      arguments: {},
      path: {
        /** Whose I/O takes this path: a hexadecimal mask. */
        cpuMask: text('a mask of processors'),
      },
    },
  } as const satisfies Readonly<Record<string, Selector>>;
};

type Selectors = ReturnType<typeof selectorTypes>;

/** dm-mpath.c: the most of anything that is counted. */
const MOST = 1024;
const MOST_FEATURES = 8;
/** From this release on there is io-affinity. */
const IO_AFFINITY = '5.11';

/** Are words those of `fields`, all of which are numbers that sscanf() reads? The place of one that is not. */
function firstWrong(reader: Reader, fields: Fields, at: number, size: number): number | undefined {
  const shapes = Object.values(fields).map(({ shape }) => shape);
  for (let i = 0; i < size; i++) {
    const value = sscanf32(reader.line.word(at + i));
    const shape = shapes[i];
    const isWithin = value !== undefined && (shape?.kind !== 'integer' || value <= shape.max);
    if (!isWithin) return at + i;
  }
  return undefined;
}

/** dm-mpath.c parse_features() */
function readFeatures(reader: Reader): void {
  const left = reader.group('multipath-feature-count', MOST_FEATURES);
  for (const end = reader.at + left; reader.at < end;) {
    const feature = reader.next('multipath-feature', 'a feature').toLowerCase();
    if (feature === 'queue_if_no_path' || feature === 'retain_attached_hw_handler') continue;
    if (reader.at === end) reader.refuseWord('multipath-feature', 'a feature, with its value');
    if (feature === 'pg_init_retries') reader.argument('multipath-retries', 1, 50);
    else if (feature === 'pg_init_delay_msecs') reader.argument('multipath-delay', 0, 60000);
    else if (feature === 'queue_mode') {
      const mode = reader.next('multipath-queue-mode', 'a mode').toLowerCase();
      if (!['bio', 'rq', 'mq'].includes(mode))
        reader.refuseWord('multipath-queue-mode', 'bio, rq or mq');
    } else reader.refuseWord('multipath-feature', 'a feature that this kernel knows');
  }
}

/** dm-mpath.c parse_priority_group() */
function readGroup(reader: Reader, types: Readonly<Record<string, Selector>>): void {
  if (reader.left < 2) {
    reader.refuse('multipath-group', 'expected SELECTOR #ARGUMENTS #PATHS #PATH_ARGUMENTS PATHS');
  }
  const name = reader.next('multipath-selector', 'a selector');
  const isKnown =
    Object.hasOwn(types, name) && (name !== 'io-affinity' || reader.isSince(IO_AFFINITY));
  if (!isKnown) reader.refuseWord('multipath-selector', Object.keys(types).join(', '));
  const known = types[name]!;
  const size = reader.group('multipath-selector-count', MOST);
  const own = Object.keys(known.arguments).length;
  if (own > 0) {
    if (size > own)
      reader.refuse('multipath-selector-arguments', `expected at most ${own}, got ${size} words`);
    const wrong = firstWrong(reader, known.arguments, reader.at, size);
    if (wrong !== undefined)
      reader.refuseWord('multipath-selector-arguments', 'a number below 1024', wrong);
  }
  reader.at += size;
  const paths = reader.argument('multipath-path-count', 1, MOST);
  const each = reader.argument('multipath-path-argument-count', 0, MOST);
  for (let i = 0; i < paths; i++) {
    if (reader.left < each + 1) {
      reader.refuse(
        'multipath-path-words',
        `expected ${each + 1} words for each path, got ${reader.left}`,
      );
    }
    reader.device(reader.at++, 'multipath-device');
    readPath(reader, name, known.path, each);
    reader.at += each;
  }
}

/** add_path() of dm-ps-*.c */
function readPath(reader: Reader, name: string, fields: Fields, size: number): void {
  const code = 'multipath-path-arguments';
  const most = Object.keys(fields).length;
  if (name === 'io-affinity') {
    const log = (what: string): { log: string } => ({ log: `${name} ps: ${what}` });
    if (size !== 1)
      reader.refuse(code, `expected a mask, got ${size} words`, log('invalid number of arguments'));
    const isMask = /^[0-9a-f]{1,8}(,[0-9a-f]{1,8})*$/i.test(reader.line.word(reader.at));
    if (!isMask) reader.refuseWord(code, 'a hexadecimal mask', reader.at, log('invalid cpumask'));
    return;
  }
  if (size > most) {
    const log = `${name} ps: incorrect number of arguments`;
    reader.refuse(code, `expected at most ${most} words for a path, got ${size}`, { log });
  }
  const wrong = firstWrong(reader, fields, reader.at, size);
  if (wrong === undefined) return;
  const what = wrong === reader.at ? 'invalid repeat count' : 'invalid relative_throughput value';
  reader.refuseWord(code, 'a number', wrong, { log: `${name} ps: ${what}` });
}

/** Where the paths are, of a line that is well. */
function pathsOf(line: Arguments): number[] {
  const paths: number[] = [];
  let at = 1 + sscanf32(line.word(0))!;
  at += 1 + sscanf32(line.word(at))! + 2;
  while (at < line.count) {
    at += 2 + sscanf32(line.word(at + 1))!;
    const size = 1 + sscanf32(line.word(at + 1))!;
    const end = at + 2 + sscanf32(line.word(at))! * size;
    for (at += 2; at < end; at += size) paths.push(at);
  }
  return paths;
}

/** Made when they are first used, as definitions are: there are many. */
const rules = (): readonly RuleOf[] => [
  {
    code: 'multipath-feature-count',
    why: 'A count of at most eight stands before the features (dm-mpath.c parse_features).',
    example: '0 8 multipath 9 0 1 1 round-robin 0 1 0 8:16',
    fix: 'write how many words follow',
    log: 'invalid number of feature args',
  },
  {
    code: 'multipath-feature',
    why: 'There are five features, three of which have a value (dm-mpath.c parse_features).',
    example: '0 8 multipath 1 queue 0 1 1 round-robin 0 1 0 8:16',
    fix: 'leave it out',
    log: 'Unrecognised multipath feature request',
  },
  {
    code: 'multipath-retries',
    why: 'There are 1 to 50 retries (dm-mpath.c parse_features).',
    example: '0 8 multipath 2 pg_init_retries 51 0 1 1 round-robin 0 1 0 8:16',
    fix: 'write a number from 1 to 50',
    log: 'pg_init_retries must be between 1 and 50',
  },
  {
    code: 'multipath-delay',
    why: 'The delay is at most a minute (dm-mpath.c parse_features).',
    example: '0 8 multipath 2 pg_init_delay_msecs 60001 0 1 1 round-robin 0 1 0 8:16',
    fix: 'write a number from 0 to 60000',
    log: 'pg_init_delay_msecs must be between 0 and 60000',
  },
  {
    code: 'multipath-queue-mode',
    why: 'There are three modes (dm-mpath.c parse_features).',
    example: '0 8 multipath 2 queue_mode sq 0 1 1 round-robin 0 1 0 8:16',
    fix: 'write bio, rq or mq',
    log: "Unknown 'queue_mode' requested",
  },
  {
    code: 'multipath-handler-count',
    why: 'A count stands before the hardware handler (dm-mpath.c parse_hw_handler).',
    example: '0 8 multipath 0 alua',
    fix: 'write how many words the handler has, 0 if there is none',
    log: 'invalid number of hardware handler args',
  },
  {
    code: 'multipath-groups',
    why: 'There are at most 1024 groups (dm-mpath.c multipath_ctr).',
    example: '0 8 multipath 0 0 1025 1 round-robin 0 1 0 8:16',
    fix: 'write how many groups follow',
    log: 'invalid number of priority groups',
  },
  {
    code: 'multipath-initial-number',
    why: 'The group to begin with is a number (dm-mpath.c multipath_ctr).',
    example: '0 8 multipath 0 0 1 1025 round-robin 0 1 0 8:16',
    fix: 'write the number of a group, from 1',
    log: 'invalid initial priority group number',
  },
  {
    code: 'multipath-initial',
    why: 'Without groups the one to begin with is 0, and with groups it is not (dm-mpath.c multipath_ctr).',
    example: '0 8 multipath 0 0 1 0 round-robin 0 1 0 8:16',
    fix: 'write the number of a group, from 1',
    log: 'invalid initial priority group',
  },
  {
    code: 'multipath-group',
    why: 'A group has a selector and a count at least (dm-mpath.c parse_priority_group).',
    example: '0 8 multipath 0 0 1 1 round-robin',
    fix: 'write SELECTOR #ARGUMENTS ARGUMENTS #PATHS #PATH_ARGUMENTS PATHS',
    log: 'not enough priority group arguments',
  },
  {
    code: 'multipath-selector',
    why: 'Linux has five selectors, io-affinity from 5.11 on (dm-mpath.c parse_path_selector).',
    example: '0 8 multipath 0 0 1 1 random 0 1 0 8:16',
    fix: 'write round-robin, queue-length, service-time, historical-service-time or io-affinity',
    log: 'unknown path selector type',
    changes: [IO_AFFINITY],
  },
  {
    code: 'multipath-selector-count',
    why: 'A count stands before what the selector wants to know (dm-mpath.c parse_path_selector).',
    example: '0 8 multipath 0 0 1 1 round-robin 9 1 0 8:16',
    fix: 'write how many words follow, 0 if there are none',
    log: 'invalid number of path selector args',
  },
  {
    code: 'multipath-selector-arguments',
    why: 'historical-service-time takes a weight below 1024 and a factor (dm-ps-historical-service-time.c hst_create).',
    example: '0 8 multipath 0 0 1 1 historical-service-time 1 1024 1 0 8:16',
    fix: 'write numbers, at most two',
    log: 'path selector constructor failed',
  },
  {
    code: 'multipath-path-count',
    why: 'A group has 1 to 1024 paths (dm-mpath.c parse_priority_group).',
    example: '0 8 multipath 0 0 1 1 round-robin 0 0 0',
    fix: 'write how many paths follow',
    log: 'invalid number of paths',
  },
  {
    code: 'multipath-path-argument-count',
    why: 'A count says what each path has beside its device (dm-mpath.c parse_priority_group).',
    example: '0 8 multipath 0 0 1 1 round-robin 0 1 x 8:16',
    fix: 'write how many words each path has beside its device',
    log: 'invalid number of selector args',
  },
  {
    code: 'multipath-path-words',
    why: 'Each path has as many words as are counted (dm-mpath.c parse_priority_group).',
    example: '0 8 multipath 0 0 1 1 round-robin 0 2 1 8:16 1 8:32',
    fix: 'write DEVICE and as many words as are counted for each path',
    log: 'not enough path parameters',
  },
  {
    code: 'multipath-device',
    why: 'The kernel has no such block device (dm-mpath.c parse_path).',
    example: '0 8 multipath 0 0 1 1 round-robin 0 1 0 4096:0',
    fix: 'write the path or major:minor of a block device',
    log: 'error getting device',
  },
  {
    code: 'multipath-path-arguments',
    why: 'Selectors take of a path how often it is used, service-time also how fast it is, up to 100, and io-affinity a mask of processors alone (dm-ps-*.c).',
    example: '0 8 multipath 0 0 1 1 service-time 0 1 2 8:16 1 101',
    fix: 'write what the selector wants to know of a path',
    log: 'service-time ps: invalid relative_throughput value',
  },
  {
    code: 'multipath-group-count',
    why: 'There are as many groups as are counted (dm-mpath.c multipath_ctr).',
    example: '0 8 multipath 0 0 2 1 round-robin 0 1 0 8:16',
    fix: 'write how many groups follow',
    log: 'priority group count mismatch',
  },
];

/** The device of a path. */
interface PathDevice {
  /** A path or major:minor. */
  readonly device: string;
}

/** A path of which the selector wants to know what is not known here. */
export interface UnknownPath extends PathDevice {
  /** The selector's words for it, as the kernel has them. */
  readonly arguments: readonly string[];
}

/** Paths of one priority, and who chooses among them. */
export type PathGroup =
  | {
      [S in keyof Selectors]: {
        /** The kernel's name of who chooses. */
        readonly selector: S;
        /** The devices, each with what the selector wants to know of it; of all the same. */
        readonly paths: readonly (PathDevice & Given<Selectors[S]['path']>)[];
      } & Given<Selectors[S]['arguments']>;
    }[keyof Selectors]
  | UnknownPathGroup;

/** Paths among which somebody chooses that is not known here, as of a newer kernel. */
export interface UnknownPathGroup {
  /** By this it is told from those that are known. */
  readonly selector: typeof UNKNOWN;
  /** The kernel's name of who chooses. */
  readonly name: string;
  /** The words of who chooses, as the kernel has them. */
  readonly arguments: readonly string[];
  /** The devices, each with what the selector wants to know of it; of all as many words. */
  readonly paths: readonly UnknownPath[];
}

/** `SELECTOR #ARGS ARGS #PATHS #PATH_ARGS {DEVICE PATH_ARGS}` (parse_priority_group()). */
function pathGroup(): Field<PathGroup> {
  const types = selectorTypes();
  const selectors = kindWord('selector', Object.keys(types));
  const words = { arguments: list(text()) };
  const known: Readonly<Record<string, Selector>> = {
    ...types,
    [UNKNOWN]: { arguments: words, path: words },
  };
  const number = integer();
  return {
    expected: selectors.expected,
    shape: { kind: 'variant', key: 'selector', of: shapesOf(types) },
    read(words) {
      const told = selectors.read(words);
      const { arguments: own, path: each } = known[told.selector!]!;
      readWhole(own, words.take(number.read(words, 'arguments')), told);
      const paths: object[] = [];
      const left = number.read(words, 'paths');
      const size = number.read(words, 'paths');
      while (paths.length < left) {
        const path = { device: device().read(words, 'device') };
        readWhole(each, words.take(size), path);
        paths.push(path);
      }
      return { ...told, paths } as unknown as PathGroup;
    },
    write(group, path) {
      const name = selectors.write(group, path);
      const { selector, paths } = group;
      const { arguments: own, path: each } = known[selector]!;
      const words = writeFields(own, group, `${path}.`);
      if (!Array.isArray(paths)) {
        throw new InputError({ path: `${path}.paths` }, `expected an array, got ${show(paths)}`);
      }
      const rows = (paths as readonly object[]).map((one, i) =>
        writeFields({ device: device(), ...each }, one, `${path}.paths[${i}].`),
      );
      const size = rows[0]?.length ?? 1;
      const odd = rows.findIndex(({ length }) => length !== size);
      if (odd > 0) {
        const problem = 'expected as many options as the path before it has';
        throw new InputError({ path: `${path}.paths[${odd}]` }, problem);
      }
      return [name, words.length, ...words, rows.length, size - 1, ...rows.flat()];
    },
  };
}

function readWhole(fields: Fields, words: Words, into: object): void {
  readFields(fields, words, into);
  if (words.left > 0) words.refuse('as many words as the selector takes', 'more');
}

/** All paths of a group have the same options: here all that there are, and of unknown words one. */
function shapesOf(types: Readonly<Record<string, Selector>>): Readonly<Record<string, Fields>> {
  const pathsOf = (fields: Fields): Field<never, unknown> =>
    list(record({ device: device(), ...fields }), { min: 1 });
  const shapes = Object.entries(types).map(([name, { arguments: own, path }]) => {
    // In front, as the paths cannot be left out.
    return [name, { paths: pathsOf(withoutGaps(path)), ...own }] as const;
  });
  const unknown = {
    name: text(),
    arguments: list(text()),
    paths: pathsOf({ arguments: list(text(), { min: 1, max: 1 }) }),
  };
  return { ...Object.fromEntries(shapes), [UNKNOWN]: unknown };
}

function withoutGaps(fields: Fields): Fields {
  const whole = (field: object): [string, unknown][] =>
    Object.entries(field).filter(([key]) => key !== 'optional');
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, Object.fromEntries(whole(field))]),
  ) as unknown as Fields;
}

/** A path as it fares. */
export interface PathStatus {
  /** As 'major:minor'. */
  readonly device: string;
  /** A active, F failed. */
  readonly state: string;
  /** How often it has failed. */
  readonly failCount: number;
  /** What the selector tells of it, in its own words. */
  readonly info: readonly string[];
}

/** `#PATHS #INFO {DEVICE A|F FAIL_COUNT INFO}` (multipath_status()). */
function pathStatuses(): Field<readonly PathStatus[]> {
  const number = integer();
  const states = oneOf('A', 'F');
  return {
    expected: 'paths',
    shape: { kind: 'text' },
    read(words, key) {
      const left = number.read(words, key);
      const size = number.read(words, key);
      const paths: PathStatus[] = [];
      while (paths.length < left) {
        paths.push({
          device: device().read(words, key),
          state: states.read(words, key),
          failCount: number.read(words, key),
          info: words.take(size).rest(),
        });
      }
      return paths;
    },
    write(paths) {
      const size = paths[0]?.info.length ?? 0;
      const each = paths.flatMap((path) => [path.device, path.state, path.failCount, ...path.info]);
      return [paths.length, size, ...each];
    },
  };
}

/**
 * One disk behind several paths.
 *
 * @example
 * multipath({
 *   startSector: 0,
 *   length: 2048,
 *   queueIfNoPath: true,
 *   initialGroup: 1,
 *   groups: [
 *     {
 *       selector: 'service-time',
 *       paths: [
 *         { device: '8:16', repeatCount: 1, relativeThroughput: 1 },
 *         { device: '8:32', repeatCount: 1, relativeThroughput: 1 },
 *       ],
 *     },
 *   ],
 * })
 * @since Linux 2.6.13
 * @see drivers/md/dm-mpath.c multipath_ctr(), multipath_status(), multipath_message()
 */
export const multipath = /* @__PURE__ */ defineTarget('multipath', () => {
  const group = {
    /** Counted from 1. */
    group: integer({ min: 1 }),
  };
  const path = {
    /** One of the table's. */
    device: device(),
  };
  return {
    parameters: [
      options(
        {
          /** With no path left wait for one, rather than fail. */
          queueIfNoPath: flag(),
          /** How often to try to initialise a path. */
          pgInitRetries: value(integer({ min: 1, max: 50 })),
          /** How long to wait between, in milliseconds. */
          pgInitDelayMsecs: value(integer({ max: 60000 })),
          /** Keep the hardware handler that the disks have. */
          retainAttachedHwHandler: flag(),
          /** How I/O is queued. */
          queueMode: value(oneOf('bio', 'rq', 'mq')),
        },
        { count: 'always' },
      ),
      counted({
        /** A handler and its arguments, as in `['alua']`. */
        hardwareHandler: optional(list(text(), { min: 1 })),
      }),
      count('groups'),
      {
        /** The group to begin with, counted from 1; 0 if there are no groups. */
        initialGroup: integer(),
        /** The first that has a path that works is used. */
        groups: list(pathGroup()),
      },
    ],
    status: [
      literal('2'),
      {
        /** Does I/O wait for a path? As long as none was chosen yet it does, too. */
        queueing: either('1', '0'),
        /** Initialisations under way. */
        pgInitCount: integer(),
      },
      counted({
        /** What the hardware handler tells. */
        hardwareHandler: optional(list(text(), { min: 1 })),
      }),
      count('groups'),
      {
        /** The group that is used next, counted from 1. */
        nextGroup: integer(),
        /** A active, E enabled, D disabled; and the selector's and each path's own status. */
        groups: list(
          record({
            /** A active, E enabled, D disabled. */
            state: oneOf('A', 'E', 'D'),
            /** The selector's own words. */
            selector: counts(),
            /** Each path's. */
            paths: pathStatuses(),
          }),
        ),
      },
    ],
    messages: {
      /** With no path left wait for one. */
      queueIfNoPath: message('queue_if_no_path'),
      /** With no path left fail. */
      failIfNoPath: message('fail_if_no_path'),
      /** Do not use a group. */
      disableGroup: message('disable_group', group),
      /** Use a group again. */
      enableGroup: message('enable_group', group),
      /** Use a group now. */
      switchGroup: message('switch_group', group),
      /** Take a path for working. */
      reinstatePath: message('reinstate_path', path),
      /** Take a path for failed. */
      failPath: message('fail_path', path),
    },
    features: { singleton: OLDEST, immutable: OLDEST },
    rules: readerRules((reader) => {
      readFeatures(reader);
      const handler = reader.group('multipath-handler-count', MOST);
      reader.at += handler;
      const groups = reader.argument('multipath-groups', 0, MOST);
      const initial = reader.argument('multipath-initial-number', 0, MOST);
      if ((groups === 0) !== (initial === 0)) {
        reader.refuseWord('multipath-initial', groups === 0 ? '0' : 'a number from 1');
      }
      const types = selectorTypes();
      let found = 0;
      for (; reader.left > 0; found++) readGroup(reader, types);
      if (found !== groups)
        reader.refuse('multipath-group-count', `expected ${groups} groups, got ${found}`);
    }, rules()),
    areas: (line) =>
      pathsOf(line).map((word) => ({ word, start: line.start, length: line.length })),
  };
});

/** Words behind their count. */
function counts(): Field<readonly string[]> {
  return {
    expected: 'words',
    shape: { kind: 'text' },
    read: (words, key) => words.take(integer().read(words, key)).rest(),
    write: (given) => [given.length, ...given],
  };
}
