import { OLDEST } from './rules.js';
import { InputError, show } from '../errors.js';
import { defineTarget } from './define.js';
import {
  device,
  either,
  integer,
  list,
  oneOf,
  optional,
  readFields,
  record,
  text,
  writeFields,
  type Field,
  type Fields,
  type Given,
} from './fields.js';
import { message } from './messages.js';
import { count, counted, flag, literal, options, value } from './parts.js';
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
        /** How much better a path must be for a change, in 1024ths. */
        thresholdMultiplier: optional(integer({ max: 1023 })),
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

/** The device of a path. */
interface PathDevice {
  /** A path or major:minor. */
  readonly device: string;
}

/** Paths of one priority, and who chooses among them. */
export type PathGroup = {
  [S in keyof Selectors]: {
    /** The kernel's name of who chooses. */
    readonly selector: S;
    /** The devices, each with what the selector wants to know of it; of all the same. */
    readonly paths: readonly (PathDevice & Given<Selectors[S]['path']>)[];
  } & Given<Selectors[S]['arguments']>;
}[keyof Selectors];

/** `SELECTOR #ARGS ARGS #PATHS #PATH_ARGS {DEVICE PATH_ARGS}` (parse_priority_group()). */
function pathGroup(): Field<PathGroup> {
  const types = selectorTypes();
  const selectors = oneOf(...(Object.keys(types) as (keyof Selectors)[]));
  const number = integer();
  const expected = `an object whose selector is ${selectors.expected}`;
  return {
    expected,
    shape: { kind: 'variant', key: 'selector', of: shapesOf(types) },
    read(words) {
      const selector = selectors.read(words, 'selector');
      const known: Selector = types[selector];
      const told = { selector };
      readWhole(known.arguments, words.take(number.read(words, 'arguments')), told);
      const paths: object[] = [];
      const left = number.read(words, 'paths');
      const size = number.read(words, 'paths');
      while (paths.length < left) {
        const path = { device: device().read(words, 'device') };
        readWhole(known.path, words.take(size), path);
        paths.push(path);
      }
      return { ...told, paths } as PathGroup;
    },
    write(group, path) {
      const { selector, paths } = group;
      const name = selectors.write(selector, `${path}.selector`);
      const known: Selector = types[selector];
      const own = writeFields(known.arguments, group, `${path}.`);
      if (!Array.isArray(paths)) {
        throw new InputError({ path: `${path}.paths` }, `expected an array, got ${show(paths)}`);
      }
      const rows = (paths as readonly object[]).map((one, i) =>
        writeFields({ device: device(), ...known.path }, one, `${path}.paths[${i}].`),
      );
      const size = rows[0]?.length ?? 1;
      const odd = rows.findIndex(({ length }) => length !== size);
      if (odd > 0) {
        const problem = 'expected as many options as the path before it has';
        throw new InputError({ path: `${path}.paths[${odd}]` }, problem);
      }
      return [...name, own.length, ...own, rows.length, size - 1, ...rows.flat()];
    },
  };
}

function readWhole(fields: Fields, words: Words, into: object): void {
  readFields(fields, words, into);
  if (words.left > 0) words.refuse('as many words as the selector takes', 'more');
}

/** All paths of a group have the same options: here all that there are. */
function shapesOf(types: Readonly<Record<string, Selector>>): Readonly<Record<string, Fields>> {
  return Object.fromEntries(
    Object.entries(types).map(([name, { arguments: own, path }]) => {
      const each = record({ device: device(), ...withoutGaps(path) });
      // In front, as the paths cannot be left out.
      return [name, { paths: list(each, { min: 1 }), ...own }];
    }),
  );
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
    features: { singleton: OLDEST, immutable: OLDEST },
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
