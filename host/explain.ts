// What a table does: which sector lies where, and what differs between two tables. Only what a
// target's parameters say is told; where data decides, the reason says so.

import { InputError, show } from './errors.js';
import { unmangleName } from './names.js';
import { wordText, wordsIn } from './targets/words.js';
import { rowsOf } from './text.js';
import type { Table, Target } from './types.js';
import { sectorOf } from './wire.js';

/** One place that serves a sector. */
export interface SectorPlace {
  /** The row that says so: of the table, or of the last of those below it. */
  readonly target: Target;
  /** The rows above that one, from the table's own down; none without stacked tables. */
  readonly through: readonly Target[];
  /** As the row's parameters name it. */
  readonly device?: string;
  /** Counted from the device's start; a number up to 2^53 − 1, a bigint above. */
  readonly sector?: number | bigint;
  /** Why there is no device, in a sentence. */
  readonly reason?: string;
}

/** What lies below a table. */
export interface ExplainOptions {
  /** Tables of other devices, by name, or as the parameters spell the device. */
  readonly tables?: Readonly<Record<string, Table>>;
}

/** Sectors of which two tables say different things. */
export interface TableChange {
  /** The first sector. */
  readonly from: number | bigint;
  /** The first one behind them. */
  readonly to: number | bigint;
  /** What becomes of them. */
  readonly kind: 'added' | 'removed' | 'changed';
  /** The row that served them; not for 'added'. */
  readonly before?: Target;
  /** The row that serves them now; not for 'removed'. */
  readonly after?: Target;
}

interface Place {
  readonly device: string;
  readonly sector: bigint;
}

/** Where a target has the sector at `offset` from its start; a text if it has it nowhere. */
type Rule = (words: readonly string[], offset: bigint, sector: bigint) => Place[] | string;

const placeOf = (at: number): { readonly path: string } => ({ path: `parameters[${at}]` });

/** A number in the parameters; what is none ends the rule with an InputError. */
function number(words: readonly string[], at: number): bigint {
  const word = words[at] ?? '';
  if (!/^\d+$/.test(word))
    throw new InputError(placeOf(at), `expected a whole number, got ${show(word)}`);
  return BigInt(word);
}

function device(words: readonly string[], at: number): string {
  const word = words[at];
  if (word === undefined) throw new InputError(placeOf(at), 'expected a device, got nothing');
  return word;
}

function positive(words: readonly string[], at: number): bigint {
  const value = number(words, at);
  if (value === 0n) throw new InputError(placeOf(at), 'expected at least 1, got 0');
  return value;
}

/** A device and where in it the target begins stand in the parameters from `at` on. */
const shifted =
  (at: number): Rule =>
  (words, offset) => [{ device: device(words, at), sector: number(words, at + 1) + offset }];

/** The device has the same sector: the target leaves the number as it is. */
const same =
  (at: number): Rule =>
  (words, _offset, sector) => [{ device: device(words, at), sector }];

const told =
  (reason: string): Rule =>
  () =>
    reason;

const byMetadata = told('its metadata says where, and that is on disk');

/** By type, from the map function of each (drivers/md/dm-linear.c linear_map() and so on). */
const RULES: Readonly<Record<string, Rule>> = {
  linear: shifted(0),
  crypt: shifted(3),
  inlinecrypt: shifted(3),
  dust: shifted(0),
  ebs: shifted(0),
  flakey: shifted(0),
  'snapshot-origin': same(0),
  'log-writes': same(0),
  era: same(1),
  verity: (words, offset) => [{ device: device(words, 1), sector: offset }],
  zero: told('reads are zeros, and what is written is forgotten'),
  error: told('reads and writes fail'),
  // Reads, then writes and flushes, if they have devices of their own.
  delay: (words, offset) => {
    const places = [0, 3, 6]
      .filter((at) => at === 0 || at < words.length)
      .map((at) => ({ device: device(words, at), sector: number(words, at + 1) + offset }));
    const isNew = (place: Place, i: number): boolean =>
      places.findIndex((one) => one.device === place.device && one.sector === place.sector) === i;
    return places.filter(isNew);
  },
  // dm-stripe.c stripe_map_sector()
  striped: (words, offset) => {
    const stripes = positive(words, 0);
    const chunk = positive(words, 1);
    const row = offset / chunk;
    const at = 2 + 2 * Number(row % stripes);
    const sector = number(words, at + 1) + (row / stripes) * chunk + (offset % chunk);
    return [{ device: device(words, at), sector }];
  },
  // dm-unstripe.c map_to_core()
  unstriped: (words, offset) => {
    const stripes = positive(words, 0);
    const chunk = positive(words, 1);
    const own = number(words, 2) * chunk + (offset / chunk) * (stripes - 1n) * chunk;
    return [{ device: device(words, 3), sector: number(words, 4) + own + offset }];
  },
  // Each leg has it; which one is read depends on what is in sync (dm-raid1.c mirror_ctr()).
  mirror: (words, offset) => {
    const first = 2 + Number(number(words, 1));
    const legs = Number(number(words, first));
    if (legs === 0 || words.length < first + 1 + 2 * legs)
      throw new InputError(placeOf(first), 'expected so many legs behind it');
    return Array.from({ length: legs }, (_, leg) => {
      const at = first + 1 + 2 * leg;
      return { device: device(words, at), sector: number(words, at + 1) + offset };
    });
  },
  cache: told('it is on the origin, on the cache, or on both, as its metadata says'),
  clone: told('it is on the source until it was copied, and on the destination from then on'),
  integrity: told('tags lie between the data, as its superblock says'),
  multipath: told('a path is chosen for each request; all lead to the same disk'),
  pcache: byMetadata,
  raid: told('it depends on the layout that its superblocks say'),
  snapshot: told(
    'it is on the origin until it was written, and in the exception store from then on',
  ),
  'snapshot-merge': told('it is on the origin, or still in the exception store'),
  switch: told('its region table says which path, and that is set by messages'),
  thin: byMetadata,
  'thin-pool': byMetadata,
  vdo: byMetadata,
  writecache: told('it is on the origin, or still in the cache'),
  zoned: byMetadata,
};

/**
 * Which target, device and sector serve a sector of a device with this table: several places where
 * more than one device has it, as of a mirror, and none if no target covers it.
 *
 * @param table - targets, or a table's text
 * @param sector - of 512 bytes, counted from the device's start
 * @param options - `tables` of the devices below, which are looked through down to the last
 * @throws {InputError} a table or sector that is none
 * @example explainSector('0 8 linear /dev/sdb 34', 5)[0].sector // 39
 */
export function explainSector(
  table: Table,
  sector: number | bigint,
  { tables = {} }: ExplainOptions = {},
): SectorPlace[] {
  const below = new Map<string, readonly Target[]>();
  const tableOf = (name: string): readonly Target[] | undefined => {
    const key = keyOf(tables, name);
    if (key === undefined) return undefined;
    if (!below.has(key)) below.set(key, rowsOf(tables[key]!, `tables[${show(key)}]`));
    return below.get(key);
  };
  const look = (rows: readonly Target[], at: bigint, through: readonly Target[]): SectorPlace[] => {
    const target = rows.find((row) => covers(row, at));
    if (target === undefined) return [];
    const places = placesOf(target, at);
    if (typeof places === 'string') return [{ target, through, reason: places }];
    return places.flatMap((place): SectorPlace[] => {
      const next = tableOf(place.device);
      const here = { target, through, device: place.device, sector: plainSector(place.sector) };
      if (next === undefined) return [here];
      if (next === rows || through.some((row) => next.includes(row))) {
        return [
          {
            target,
            through,
            device: place.device,
            reason: 'these tables lie on each other in a circle',
          },
        ];
      }
      const found = look(next, place.sector, [...through, target]);
      if (found.length > 0) return found;
      return [{ ...here, reason: `no target of ${show(place.device)} covers this sector` }];
    });
  };
  return look(rowsOf(table, 'table'), BigInt(sectorOf(sector, 'sector')), []);
}

/** The key in `tables` that a device has. */
function keyOf(tables: object, device: string): string | undefined {
  const name = device.replace(/^\/dev\/mapper\//, '');
  const spellings = [device, name];
  try {
    spellings.push(unmangleName(name));
  } catch {
    // It is no name that libdm made.
  }
  return spellings.find((spelling) => Object.hasOwn(tables, spelling));
}

function covers({ startSector, length }: Target, at: bigint): boolean {
  const start = BigInt(startSector);
  return at >= start && at - start < BigInt(length);
}

function placesOf(target: Target, sector: bigint): Place[] | string {
  const rule = Object.hasOwn(RULES, target.type) ? RULES[target.type] : undefined;
  if (rule === undefined) return `nothing is known of the target ${show(target.type)}`;
  try {
    return rule(wordsOf(target), sector - BigInt(target.startSector), sector);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return `no ${target.type} target, ${error.message}`;
  }
}

function wordsOf({ parameters }: Target): string[] {
  return wordsIn(parameters).map(wordText);
}

function plainSector(sector: bigint): number | bigint {
  return sector > Number.MAX_SAFE_INTEGER ? sector : Number(sector);
}

/**
 * What changes when a device's table `before` becomes `after`, by ranges of sectors in their order; what
 * stays as it is is left out. Neighbours that differ in the same rows are one range.
 *
 * A row that was cut in two, or grew, changes nothing where each sector stays at its place.
 *
 * @throws {InputError} a table that is none
 * @example diffTables('0 8 zero', '0 8 zero\n8 8 error')
 * // [{ from: 8, to: 16, kind: 'added', after: { startSector: 8, length: 8, type: 'error', … } }]
 */
export function diffTables(before: Table, after: Table): TableChange[] {
  const [old, fresh] = [spansOf(before, 'before'), spansOf(after, 'after')];
  const edges = [...old, ...fresh].flatMap(({ from, to }) => [from, to]);
  const bounds = [...new Set(edges)].sort((a, b) => (a < b ? -1 : 1));
  const changes: TableChange[] = [];
  let [i, j] = [0, 0];
  bounds.slice(0, -1).forEach((from, at) => {
    while (i < old.length && old[i]!.to <= from) i++;
    while (j < fresh.length && fresh[j]!.to <= from) j++;
    const was = i < old.length && old[i]!.from <= from ? old[i]!.target : undefined;
    const is = j < fresh.length && fresh[j]!.from <= from ? fresh[j]!.target : undefined;
    if (was === undefined && is === undefined) return;
    if (was !== undefined && is !== undefined && doSame(was, is, from)) return;
    const last = changes.at(-1);
    const to = plainSector(bounds[at + 1]!);
    if (last?.to === plainSector(from) && last.before === was && last.after === is) {
      changes[changes.length - 1] = { ...last, to };
      return;
    }
    changes.push({
      from: plainSector(from),
      to,
      kind: was === undefined ? 'added' : is === undefined ? 'removed' : 'changed',
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    });
  });
  return changes;
}

interface Span {
  readonly from: bigint;
  readonly to: bigint;
  readonly target: Target;
}

/** The rows by their first sectors; of two that overlap the first has what both cover. */
function spansOf(table: Table, path: string): Span[] {
  const spans: Span[] = [];
  const rows = rowsOf(table, path).map((target, i) => {
    if (typeof target !== 'object' || (target as unknown) === null) {
      throw new InputError({ path: `${path}[${i}]` }, `expected a target, got ${show(target)}`);
    }
    const from = BigInt(sectorOf(target.startSector, `${path}[${i}].startSector`));
    const to = from + BigInt(sectorOf(target.length, `${path}[${i}].length`));
    return { from, to, target };
  });
  rows.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  let end = 0n;
  for (const { from, to, target } of rows) {
    const begin = from < end ? end : from;
    if (to > begin) spans.push({ from: begin, to, target });
    end = to > end ? to : end;
  }
  return spans;
}

/** Types that have each sector at a fixed distance: they do the same where one sector is the same. */
const FIXED = ['linear', 'snapshot-origin', 'zero', 'error'];

function doSame(a: Target, b: Target, sector: bigint): boolean {
  if (a.type !== b.type) return false;
  if (FIXED.includes(a.type)) {
    const [one, other] = [placesOf(a, sector), placesOf(b, sector)];
    if (typeof one === 'string' || typeof other === 'string') return one === other;
    return one[0]!.device === other[0]!.device && one[0]!.sector === other[0]!.sector;
  }
  return BigInt(a.startSector) === BigInt(b.startSector) && areSame(wordsOf(a), wordsOf(b));
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
