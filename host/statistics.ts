// Statistics of a device: messages to device-mapper itself, which any device takes whatever its targets
// (drivers/md/dm-stats.c, Documentation/admin-guide/device-mapper/statistics.rst).

import { InputError, show } from './errors.js';
import { integer, list, optional, sectors, text } from './targets/fields.js';
import { message, type TypedMessage } from './targets/messages.js';

/** What to count. */
export interface StatisticsOptions {
  /** The first sector; with `length`, or the whole device if both are left out. */
  readonly startSector?: number | bigint;
  /** How many sectors. */
  readonly length?: number | bigint;
  /** Count in areas of so many sectors each, the last of which may be shorter. */
  readonly step?: number | bigint;
  /** Count in so many areas, in place of `step`; one if both are left out. */
  readonly areas?: number;
  /** Count time in nanoseconds, not milliseconds. */
  readonly preciseTimestamps?: boolean;
  /** Also count how many took how long: bounds in ascending order, in the unit of time. */
  readonly histogram?: readonly number[];
  /** Who counts: by it a program finds its own again. */
  readonly programId?: string;
  /** Whatever the program wants to have kept with it. */
  readonly aux?: string;
}

/** What is counted, as `statistics.list` tells it. */
export interface StatisticsRegion {
  /** The number by which others ask for it. */
  readonly id: number;
  /** The first sector. */
  readonly startSector: number;
  /** How many sectors. */
  readonly length: number;
  /** The length of an area, in sectors. */
  readonly step: number;
  /** '-' if there is none. */
  readonly programId: string;
  /** '-' if there is none; with blanks in it it cannot be told from what follows. */
  readonly aux: string;
  /** Is time in nanoseconds? */
  readonly preciseTimestamps: boolean;
  /** The bounds of the histogram, if there is one. */
  readonly histogram?: readonly number[];
}

/** Times are in milliseconds, or in nanoseconds with `preciseTimestamps`. */
export interface StatisticsArea {
  /** The first sector. */
  readonly startSector: number;
  /** How many sectors. */
  readonly length: number;
  /** Reads that are done. */
  readonly reads: number;
  /** Reads that were merged with others. */
  readonly readsMerged: number;
  /** Sectors that were read. */
  readonly sectorsRead: number;
  /** How long reads took. */
  readonly readTime: number;
  /** Writes that are done. */
  readonly writes: number;
  /** Writes that were merged with others. */
  readonly writesMerged: number;
  /** Sectors that were written. */
  readonly sectorsWritten: number;
  /** How long writes took. */
  readonly writeTime: number;
  /** I/O under way. */
  readonly inFlight: number;
  /** How long there was I/O under way. */
  readonly ioTime: number;
  /** The same, times how many. */
  readonly weightedIoTime: number;
  /** How long there were reads under way. */
  readonly totalReadTime: number;
  /** How long there were writes under way. */
  readonly totalWriteTime: number;
  /** How many took less than each bound, and more than the last. */
  readonly histogram?: readonly number[];
}

const COUNTERS = [
  'startSector',
  'length',
  'reads',
  'readsMerged',
  'sectorsRead',
  'readTime',
  'writes',
  'writesMerged',
  'sectorsWritten',
  'writeTime',
  'inFlight',
  'ioTime',
  'weightedIoTime',
  'totalReadTime',
  'totalWriteTime',
] as const satisfies readonly (keyof StatisticsArea)[];

/** Which areas to tell of. */
export interface StatisticsPrintOptions {
  /** The region's number. */
  readonly id: number;
  /** Which area to begin with, counted from 0. */
  readonly first?: number;
  /** How many areas; given if and only if `first` is. */
  readonly count?: number;
}

/** A program that asks for its own. */
export interface StatisticsListOptions {
  /** All regions if left out. */
  readonly programId?: string;
}

/** A region, and what to keep with it. */
export interface StatisticsAuxOptions {
  /** The region's number. */
  readonly id: number;
  /** Whatever the program wants to have kept with it. */
  readonly aux: string;
}

/** The messages of {@link statistics}. */
export interface Statistics {
  /** Begin to count; answered by the region's number. */
  create(options?: StatisticsOptions): TypedMessage<number>;
  /** End it. */
  delete(options: { readonly id: number }): TypedMessage<undefined>;
  /** Count from 0 again, but for what is under way. */
  clear(options: { readonly id: number }): TypedMessage<undefined>;
  /** What is counted. */
  list(options?: StatisticsListOptions): TypedMessage<readonly StatisticsRegion[]>;
  /** What was counted. */
  print(options: StatisticsPrintOptions): TypedMessage<readonly StatisticsArea[]>;
  /** The same, and count from 0 again. */
  printClear(options: StatisticsPrintOptions): TypedMessage<readonly StatisticsArea[]>;
  /** Keep a text with it. */
  setAux(options: StatisticsAuxOptions): TypedMessage<undefined>;
}

/**
 * Messages about a device's statistics, for `dm.sendMessage`. They go to device-mapper itself: any device
 * takes them, whatever its targets.
 *
 * @example
 * const id = await dm.sendMessage('data', statistics.create({ areas: 2, programId: 'me' }));
 * const areas = await dm.sendMessage('data', statistics.print({ id }));
 * @see Documentation/admin-guide/device-mapper/statistics.rst
 */
export const statistics: Statistics = {
  create(options = {}) {
    const words = [rangeOf(options), stepOf(options)];
    const { preciseTimestamps = false, histogram, programId, aux } = options;
    const own = preciseTimestamps ? ['precise_timestamps'] : [];
    if (histogram !== undefined) own.push(`histogram:${ascending(histogram).join(',')}`);
    // Without a count a program's name could be mistaken for one.
    if (own.length > 0 || programId !== undefined || aux !== undefined) {
      words.push(String(own.length), ...own);
    }
    if (programId !== undefined || aux !== undefined) words.push(programId ?? '-');
    if (aux !== undefined) words.push(aux);
    return message('@stats_create', { words: list(text()) }, Number)({ words });
  },
  delete: (options) => message('@stats_delete', { id: integer() })(options),
  clear: (options) => message('@stats_clear', { id: integer() })(options),
  list: (options = {}) =>
    message('@stats_list', { programId: optional(text()) }, regionsIn)(options),
  print: (options) => message('@stats_print', printed(), areasIn)(options),
  printClear: (options) => message('@stats_print_clear', printed(), areasIn)(options),
  setAux: (options) => message('@stats_set_aux', { id: integer(), aux: text() })(options),
};

/** The arguments of both that print. */
const printed = () => ({
  id: integer(),
  first: optional(integer()),
  count: optional(integer({ min: 1 })),
});

function rangeOf({ startSector, length }: StatisticsOptions): string {
  if (startSector === undefined && length === undefined) return '-';
  const [start] = sectors().write(startSector ?? 0, 'startSector');
  const [size] = sectors({ min: 1 }).write(length!, 'length');
  return `${String(start)}+${String(size)}`;
}

function stepOf({ step, areas }: StatisticsOptions): string {
  if (step !== undefined && areas !== undefined) {
    throw new InputError({ path: 'areas' }, 'expected none, as there is a step');
  }
  if (step !== undefined) return String(sectors({ min: 1 }).write(step, 'step')[0]);
  return `/${String(integer({ min: 1 }).write(areas ?? 1, 'areas')[0])}`;
}

function ascending(bounds: readonly number[]): readonly number[] {
  const isRising = bounds.every(
    (bound, i) => Number.isSafeInteger(bound) && bound > (bounds[i - 1] ?? 0),
  );
  if (isRising && bounds.length > 0) return bounds;
  throw new InputError(
    { path: 'histogram' },
    `expected bounds in ascending order, got ${show(bounds)}`,
  );
}

/** `ID: START+LENGTH STEP PROGRAM_ID AUX[ precise_timestamps][ histogram:N,N,…]`, a region a line */
function regionsIn(answer: string): StatisticsRegion[] {
  const region =
    /^(\d+): (\d+)\+(\d+) (\d+) (\S+) (.*?)( precise_timestamps)?(?: histogram:([\d,]+))?$/;
  return linesOf(answer).map((line) => {
    const [, id, start, length, step, programId = '', aux = '', precise, bounds] =
      region.exec(line) ?? [];
    return {
      id: Number(id),
      startSector: Number(start),
      length: Number(length),
      step: Number(step),
      programId,
      aux,
      preciseTimestamps: precise !== undefined,
      ...(bounds !== undefined && { histogram: bounds.split(',').map(Number) }),
    };
  });
}

/** `START+LENGTH` and 13 numbers, with a histogram `N:N:…` behind them, an area a line */
function areasIn(answer: string): StatisticsArea[] {
  return linesOf(answer).map((line) => {
    const words = line.split(/[+ ]/);
    const counters = COUNTERS.map((name, i) => [name, Number(words[i])]);
    const bounds = words[COUNTERS.length];
    return {
      ...(Object.fromEntries(counters) as Record<(typeof COUNTERS)[number], number>),
      ...(bounds !== undefined && { histogram: bounds.split(':').map(Number) }),
    };
  });
}

function linesOf(answer: string): string[] {
  return answer.split('\n').filter((line) => line !== '');
}
