// What a kernel, or the reader of a table, would object to, before anything is sent. RULES says each
// rule of all tables once: its reason, example and remedy become docs/lint.md; the checks below only
// point at it. What one type of target refuses stands in its own file (targets/rules.ts).

import { InputError } from './errors.js';
import { Line } from './generated/abi.js';
import { DM_MAX_TARGETS } from './generated/uapi.js';
import { traitsOf } from './targets/registry.js';
import {
  Arguments,
  OLDEST,
  addSectors,
  hitsOfAny,
  isSince,
  quoted,
  sscanf32,
  type AnyMachine,
  type Area,
  type LintDevice,
  type Machine,
  type Rule,
  type Sector,
  type Traits,
} from './targets/rules.js';
import { wordText, wordsIn } from './targets/words.js';
import { ScannedText } from './text.js';
import type { Diagnostic, Severity, Target, TargetVersion } from './types.js';
import { decodeRequest, encodeRequest, toBytes } from './wire.js';

export type { Diagnostic, RuleCode, Severity } from './types.js';
export type { LintDevice, Rule } from './targets/rules.js';

/** What is known of the machine. */
export interface LintOptions {
  /** A release, as in '6.1' or '6.12.30-amd64', or what listTargets told. */
  readonly kernel?: string | readonly TargetVersion[];
  /** The block devices, by path. */
  readonly devices?: Readonly<Record<string, LintDevice>>;
  /** Is the table to be loaded read-only? */
  readonly readOnly?: boolean;
}

/** The rules of all tables, once; docs/lint.md is made of them, and of those that target types have. */
export const RULES = {
  'no-targets': {
    severity: 'error',
    why: 'The kernel refuses a table without targets (dm-ioctl.c populate_table).',
    example: '# nothing else',
    fix: 'give at least one target',
  },
  syntax: {
    severity: 'error',
    why: 'A line is START LENGTH TYPE [PARAMETERS], and what is not cannot be sent.',
    example: '0 4k zero',
    fix: 'write decimal sectors of 512 bytes, and a type of at most 15 bytes',
  },
  'zero-length': {
    severity: 'error',
    why: 'The kernel refuses a target of no sectors (dm-table.c dm_table_add_target).',
    example: '0 0 zero',
    fix: 'give it a length, or leave it out',
  },
  'first-sector': {
    severity: 'error',
    why: 'A table begins at sector 0 (dm-table.c adjoin).',
    example: '8 8 zero',
    fix: 'begin at sector 0',
  },
  gap: {
    severity: 'error',
    why: 'Each target begins where the one before it ends (dm-table.c adjoin).',
    example: '0 8 zero\n16 8 zero',
    fix: 'begin where the target before it ends',
  },
  overlap: {
    severity: 'error',
    why: 'Each target begins where the one before it ends; the kernel does not sort (dm-table.c adjoin).',
    example: '0 8 zero\n4 8 zero',
    fix: 'begin where the target before it ends',
  },
  'too-large': {
    severity: 'error',
    why: 'Block devices end at 2^54 - 1 sectors; up to 5.10 nobody looks (dm-table.c dm_table_add_target).',
    example: '0 18014398509481984 zero',
    fix: 'end at sector 18014398509481983 or before it',
    since: '6.1',
  },
  'too-many': {
    severity: 'error',
    why: 'A table has at most 2^20 targets; up to 6.7 nobody looks (dm-table.c dm_table_create).',
    fix: 'use fewer targets that are longer',
    since: '6.8',
  },
  singleton: {
    severity: 'error',
    why: 'Some types stand alone in a table (dm-table.c dm_table_add_target).',
    example: '0 8 thin-pool /dev/sdb /dev/sdc 128 0\n8 8 zero',
    fix: 'make a device of its own of it, and lay a linear target on that',
  },
  immutable: {
    severity: 'error',
    why: 'Some types do not mix with others (dm-table.c dm_table_add_target).',
    example: '0 8 zero\n8 8 verity 1 8:16 8:32 4096 4096 1 1 sha256 00 -',
    fix: 'make a device of its own of it, and lay a linear target on that',
  },
  'always-writable': {
    severity: 'error',
    why: 'Some types are not loaded into a read-only table (dm-table.c dm_table_add_target).',
    example: '0 8 thin-pool /dev/sdb /dev/sdc 128 0',
    fix: 'load the table writable',
  },
  'literal-newline': {
    severity: 'warning',
    why: 'A backslash and an n are two characters of the parameters, and end no line.',
    example: '0 8 linear 8:16 0\\n8 8 zero',
    fix: 'write a line feed',
  },
  'device-name': {
    severity: 'warning',
    why: 'A device is a path or major:minor; a bare name is looked for in the working directory.',
    example: '0 8 linear sdb 0',
    fix: 'write the path from /, or major:minor',
  },
  'device-bounds': {
    severity: 'error',
    why: 'The first load refuses what ends past its device (dm-table.c device_area_is_invalid).',
    example: '0 8 linear /dev/sdb 4294967296',
    fix: 'end within the device',
  },
  'device-alignment': {
    severity: 'error',
    why:
      "Offset and length are multiples of the largest logical block of a target's devices (dm-table.c " +
      'device_area_is_invalid).',
    example: '0 7 linear /dev/sdb 0',
    fix: 'use multiples of the logical block',
  },
  'table-alignment': {
    severity: 'error',
    why:
      'What begins or ends within a logical block of the table, lies on devices with smaller ones ' +
      '(dm-table.c validate_hardware_logical_block_alignment).',
    example: '0 1 zero\n1 8 linear /dev/sdb 0',
    fix: 'begin and end at multiples of the largest logical block',
  },
  'device-read-only': {
    severity: 'warning',
    why: 'Writes to a read-only device fail, if the load does not.',
    example: '0 8 linear /dev/sdb 0',
    fix: 'load the table read-only',
  },
  'device-twice': {
    severity: 'warning',
    why: 'The same sectors of a device mapped twice are written over one another.',
    example: '0 8 linear /dev/sdb 0\n8 8 linear /dev/sdb 0',
    fix: 'use sectors that no other target uses',
  },
  'type-missing': {
    severity: 'warning',
    why: 'The kernel has no such target, unless a module brings it.',
    example: '0 8 nosuch',
    fix: 'use a type that listTargets tells, or load its module',
  },
} as const satisfies Readonly<Record<string, TableRule>>;

/** A rule of all tables; of `too-many` nobody wants to see an example. */
export type TableRule = Omit<Rule, 'example'> &
  Partial<Pick<Rule, 'example'>> & {
    /** The first release that refuses it; for the others it is a warning. */
    readonly since?: string;
  };

type TableCode = keyof typeof RULES;
type Place = Pick<Diagnostic, 'from' | 'to' | 'line' | 'column' | 'path'>;
type Part = 'start' | 'length' | 'type' | 'parameters';
const PARTS: readonly Part[] = ['start', 'length', 'type', 'parameters'];

/** The rows of a table, from a text or an array. */
interface Rows {
  readonly count: number;
  /** May there be a backslash that is meant? */
  readonly hasBackslash: boolean;
  /** What keeps a row from being sent; then nothing else is asked of it. */
  mistakes(row: number): readonly Mistake[];
  start(row: number): Sector;
  length(row: number): Sector;
  type(row: number): string;
  words(row: number): readonly (string | Uint8Array)[];
  /** Where a part of a row stands, or one of the words of its parameters. */
  place(row: number, part: Part, word?: number): Place;
}

interface Mistake {
  readonly place: Place;
  readonly message: string;
}

/** dm-table.c dm_table_add_target(): LLONG_MAX >> SECTOR_SHIFT. */
const MAX_SECTORS = 2n ** 54n - 1n;

/** Types by the first of the releases that has them, of those in the kernel's tree. */
const TYPES: readonly (readonly [release: string, types: string])[] = [
  [
    '5.10',
    'linear striped error zero unstriped flakey delay dust ebs switch log-writes zoned snapshot ' +
      'snapshot-origin snapshot-merge mirror crypt integrity verity writecache cache era thin ' +
      'thin-pool clone raid multipath',
  ],
  ['6.9', 'vdo'],
  ['6.18', 'pcache'],
];

/**
 * All that is wrong with a table, as far as can be told without loading it. Never throws.
 *
 * @param table - dmsetup's text, as a string or in bytes, or targets
 * @param options - what is known of the machine; without it only what every machine shares is judged
 * @returns the findings in the table's order; of what a target's type refuses the first only, as the
 * kernel looks no further
 * @example lintTable('0 8 zero\n16 8 zero')[0].code // 'gap'
 */
export function lintTable(
  table: string | Uint8Array | readonly Target[],
  options: LintOptions = {},
): Diagnostic[] {
  const given: unknown = table;
  const linter = new Linter(options);
  if (typeof given === 'string' || given instanceof Uint8Array) {
    return linter.lint(new TextRows(given), { from: 0, to: 0, line: 1, column: 1 });
  }
  if (!Array.isArray(given)) return linter.refuse('expected an array, a text or bytes');
  const rows = new TargetRows(given);
  try {
    return linter.lint(rows, { path: 'targets' });
  } finally {
    rows.wipe();
  }
}

/** A row of a table. */
interface RowAt {
  readonly rows: Rows;
  readonly row: number;
}

/** A range of a device that is known, and the row that maps it. */
interface RowArea {
  readonly at: RowAt;
  readonly area: Area;
  readonly found: FoundDevice;
}

/** A type that stood in a row above, and from which release on that matters. */
interface Above {
  readonly type: string;
  readonly since: string;
}

/** What is known of a type, for this run. */
interface AskedTraits extends Traits {
  /** The kernels that are asked: the one that is known, or one for each that differs. */
  readonly machines: readonly Machine[];
  /** Has the kernel that is known this type? */
  readonly isThere: boolean;
}

/** Where a finding stands among others. */
interface Order {
  readonly row: number;
  readonly part: number;
  readonly word: number;
}

/** Before all rows. */
const WHOLE: Order = { row: -1, part: 0, word: 0 };

function orderOf(row: number, part: Part, word = 0): Order {
  return { row, part: PARTS.indexOf(part), word };
}

/** One run over one table. */
class Linter {
  readonly #options: LintOptions;
  readonly #machine: KnownMachine;
  readonly #found: { readonly order: Order; readonly diagnostic: Diagnostic }[] = [];
  readonly #traits = new Map<string, AskedTraits>();
  readonly #areas: RowArea[] = [];
  /** The largest logical block of each row; undefined once there is a row of which it is not known. */
  #blocks: number[] | undefined;
  #singleton: Above | undefined;
  #immutable: Above | undefined;

  constructor(options: LintOptions) {
    this.#options = options;
    this.#machine = machineOf(options);
    if (this.#machine.hasDevices) this.#blocks = [];
  }

  refuse(message: string): Diagnostic[] {
    this.#add('syntax', message, { path: 'targets' }, WHOLE);
    return this.#findings();
  }

  lint(rows: Rows, whole: Place): Diagnostic[] {
    const { count } = rows;
    if (count === 0) this.#add('no-targets', 'expected at least one target', whole, WHOLE);
    if (count > DM_MAX_TARGETS) {
      const message = `expected at most ${DM_MAX_TARGETS} targets, got ${count}`;
      this.#add('too-many', message, whole, WHOLE);
    }
    let end: Sector | undefined = 0;
    let type = '';
    let traits = this.#traitsOf(type);
    for (let row = 0; row < count; row++) {
      const at = { rows, row };
      const mistakes = rows.mistakes(row);
      if (mistakes.length > 0) {
        for (const { place, message } of mistakes) {
          this.#add('syntax', message, place, orderOf(row, 'start'), { target: row });
        }
        end = this.#blocks = undefined;
        continue;
      }
      end = this.#checkRange(end, at);
      const own = rows.type(row);
      if (own !== type) traits = this.#traitsOf((type = own));
      if (!traits.isThere) {
        this.#report('type-missing', `this kernel has no target ${quoted(type)}`, at, 'type');
      }
      this.#checkFeatures(type, traits, at);
      this.#checkParameters(traits, at);
    }
    this.#checkTwice();
    this.#checkBlocks(rows);
    return this.#findings();
  }

  /** As they are read, whatever was asked first: one order for a text and for targets. */
  #findings(): Diagnostic[] {
    this.#found.sort(
      ({ order: a }, { order: b }) => a.row - b.row || a.part - b.part || a.word - b.word,
    );
    return this.#found.map(({ diagnostic }) => diagnostic);
  }

  #add(
    code: TableCode,
    message: string,
    place: Place,
    order: Order,
    more: object = {},
    since?: string,
  ): void {
    const rule: TableRule = RULES[code];
    const weight = this.#weigh(rule, since ?? rule.since);
    this.#found.push({ order, diagnostic: { code, message, ...place, ...more, ...weight } });
  }

  /** An error of some releases only is a warning where the release is not known. */
  #weigh(
    { severity, fix }: Omit<TableRule, 'why'>,
    since = OLDEST,
  ): { severity: Severity; fix: string } {
    const { release = OLDEST } = this.#machine;
    return { severity: isSince(release, since) ? severity : 'warning', fix };
  }

  #report(
    code: TableCode,
    message: string,
    at: RowAt,
    part: Part,
    parameter?: number,
    since?: string,
  ): void {
    const { rows, row: target } = at;
    const more = parameter === undefined ? { target } : { target, parameter };
    const place = rows.place(target, part, parameter);
    this.#add(code, message, place, orderOf(target, part, parameter), more, since);
  }

  /** @returns the sector behind the row */
  #checkRange(end: Sector | undefined, at: RowAt): Sector {
    const { rows, row } = at;
    const [start, length] = [rows.start(row), rows.length(row)];
    if (length === 0) this.#report('zero-length', 'a target of no sectors', at, 'length');
    if (end !== undefined && start !== end) {
      const code = row === 0 ? 'first-sector' : start > end ? 'gap' : 'overlap';
      this.#report(code, `expected to begin at sector ${end}, got ${start}`, at, 'start');
    }
    const next = addSectors(start, length);
    if (next > MAX_SECTORS) this.#report('too-large', `ends at sector ${next}`, at, 'length');
    return next;
  }

  /** What is known of a type, asked once. */
  #traitsOf(type: string): AskedTraits {
    const known = this.#traits.get(type);
    if (known !== undefined) return known;
    const traits = traitsOf(type);
    const { release } = this.#machine;
    const releases = release === undefined ? traits.releases : [release];
    const machines = releases.map((one): Machine => ({ ...this.#machine, release: one }));
    const asked = { ...traits, machines, isThere: this.#hasType(type) };
    this.#traits.set(type, asked);
    return asked;
  }

  #hasType(type: string): boolean {
    const { kernel } = this.#options;
    if (kernel === undefined) return true;
    if (typeof kernel !== 'string') return kernel.some(({ name }) => name === type);
    return TYPES.some(
      ([since, names]) => isSince(kernel, since) && names.split(' ').includes(type),
    );
  }

  /** dm-table.c dm_table_add_target(), with what the rows above have left there. */
  #checkFeatures(type: string, { features }: Traits, at: RowAt): void {
    const { singleton, immutable, writable } = features;
    const seen = this.#singleton ?? this.#immutable;
    if ((seen ?? singleton ?? immutable ?? writable) === undefined) return;
    const tell = (
      code: 'singleton' | 'immutable' | 'always-writable',
      message: string,
      since: string,
    ): void => {
      this.#report(code, message, at, 'type', undefined, since);
    };
    const above = at.row > 0;
    const alone = this.#singleton ?? (singleton && above ? { type, since: singleton } : undefined);
    if (alone !== undefined) tell('singleton', `${quoted(alone.type)} stands alone`, alone.since);
    if (writable !== undefined && this.#machine.readOnly === true) {
      tell('always-writable', `${quoted(type)} in a read-only table`, writable);
    }
    if (this.#immutable !== undefined && this.#immutable.type !== type) {
      const message = `${quoted(this.#immutable.type)} mixes with no other type`;
      tell('immutable', message, this.#immutable.since);
    } else if (this.#immutable === undefined && immutable !== undefined && above) {
      tell('immutable', `${quoted(type)} mixes with no other type`, immutable);
    }
    if (singleton !== undefined) this.#singleton ??= { type, since: singleton };
    if (immutable !== undefined) this.#immutable ??= { type, since: immutable };
  }

  /** What its type says of a row's words, and what they name. */
  #checkParameters(traits: AskedTraits, at: RowAt): void {
    const { rows, row } = at;
    const words = rows.words(row);
    if (rows.hasBackslash) {
      words.forEach((word, i) => {
        if (!endsInNewline(word)) return;
        this.#report('literal-newline', 'a literal \\n ends no line', at, 'parameters', i);
      });
    }
    const line = new Arguments(rows.start(row), rows.length(row), words);
    let isRefused = false;
    for (const { rule, severity, finding } of hitsOfAny(traits.rules, line, traits.machines)) {
      const { at: place, message } = finding;
      const [part, word] =
        place === 'length' ? (['length'] as const) : (['parameters', place] as const);
      const { code, fix } = rule;
      const more = typeof word === 'number' ? { target: row, parameter: word } : { target: row };
      const where = rows.place(row, part, word);
      const diagnostic = { code, severity, message, ...where, ...more, fix };
      this.#found.push({ order: orderOf(row, part, word), diagnostic });
      isRefused ||= severity === 'error';
    }
    if (isRefused) this.#blocks = undefined;
    else if (traits.areas !== undefined) this.#checkAreas(traits.areas(line), line, at);
    else this.#blocks?.push(1);
  }

  /** dm-table.c dm_calculate_queue_limits(), for one target. */
  #checkAreas(areas: readonly Area[], line: Arguments, at: RowAt): void {
    for (const { word } of areas) {
      const device = line.word(word);
      if (isPathOrNumber(device)) continue;
      const got = `expected a path from / or major:minor, got ${quoted(device)}`;
      this.#report('device-name', got, at, 'parameters', word);
    }
    const { find, hasDevices, readOnly, release } = this.#machine;
    if (!hasDevices) return;
    const own: RowArea[] = [];
    for (const area of areas) {
      const isMapped = release === undefined || isSince(release, area.since ?? OLDEST);
      if (!isMapped) continue;
      const found = find(line.word(area.word));
      if (found === undefined) this.#blocks = undefined;
      else own.push({ at, area, found });
    }
    const block = own.reduce(
      (most, { found, area }) => Math.max(most, found.block, area.block ?? 1),
      1,
    );
    for (const { area, found } of own) {
      const { word, offsetWord = word, start, length, since } = area;
      const { readOnly: isReadOnly, sectors } = found.device;
      if (isReadOnly === true && readOnly !== true) {
        this.#report('device-read-only', 'the device is read-only', at, 'parameters', word);
      }
      const end = addSectors(start, length);
      if (end > sectors) {
        const got = `ends at sector ${end} of a device of ${sectors}`;
        this.#report('device-bounds', got, at, 'parameters', offsetWord, since);
      } else if (restOf(start, block) !== 0 || restOf(length, block) !== 0) {
        const got = `expected multiples of ${block} sectors, the logical block`;
        this.#report('device-alignment', got, at, 'parameters', offsetWord, since);
      }
    }
    // Not spread: a line may have more areas than a call takes arguments.
    for (const area of own) this.#areas.push(area);
    this.#blocks?.push(block);
  }

  /** Of all ranges of a known device, in the order of their offsets, two that share sectors. */
  #checkTwice(): void {
    const areas = this.#areas;
    areas.sort(({ area: a, at: { row: i } }, { area: b, at: { row: j } }) =>
      a.start < b.start ? -1 : a.start > b.start ? 1 : i - j,
    );
    const ends = new Map<FoundDevice, Sector>();
    for (const { at, area, found } of areas) {
      const { start, length, word } = area;
      const end = ends.get(found) ?? 0;
      if (start < end) {
        this.#report('device-twice', `sectors of ${found.path} twice`, at, 'parameters', word);
      }
      const next = addSectors(start, length);
      if (next > end) ends.set(found, next);
    }
  }

  /**
   * dm-table.c validate_hardware_logical_block_alignment(): where a block of the largest kind goes on
   * beyond the end of a row, the next row's devices must take what is left of it.
   */
  #checkBlocks(rows: Rows): void {
    const blocks = this.#blocks ?? [];
    const largest = blocks.reduce((most, block) => Math.max(most, block), 1);
    if (largest === 1 || this.#found.some(({ diagnostic }) => diagnostic.severity === 'error'))
      return;
    let remaining = 0;
    for (let row = 0; row < blocks.length; row++) {
      const length = rows.length(row);
      if (remaining < length && remaining % blocks[row]! !== 0) {
        const what = `begins within a logical block of ${blocks[row]!} sectors`;
        this.#report('table-alignment', what, { rows, row }, 'start');
        return;
      }
      const used = (largest - remaining + restOf(length, largest)) % largest;
      remaining = used === 0 ? 0 : largest - used;
    }
    if (remaining === 0) return;
    const what = `ends within a logical block of ${largest} sectors`;
    this.#report('table-alignment', what, { rows, row: blocks.length - 1 }, 'length');
  }
}

function restOf(sector: Sector, of: number): number {
  return typeof sector === 'number' ? sector % of : Number(sector % BigInt(of));
}

/** A word that ends in a backslash and `n`, and what would be the next line's first sector. */
function endsInNewline(word: string | Uint8Array): boolean {
  return /\\n\d*$/.test(wordText(word));
}

function isPathOrNumber(word: string): boolean {
  if (word.startsWith('/')) return true;
  const colon = word.indexOf(':');
  return areDigits(word, 0, colon) && areDigits(word, colon + 1, word.length);
}

/** Are there some, and nothing else? */
function areDigits(word: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const unit = word.charCodeAt(at);
    if (unit < 0x30 || unit > 0x39) return false;
  }
  return to > from;
}

// ── The machine ──────────────────────────────────────────────────────────────────────────────────

/** A device that is known, by whatever word. */
interface FoundDevice {
  readonly path: string;
  readonly device: LintDevice;
  /** Its logical block, in sectors. */
  readonly block: number;
}

/** A machine whose devices may be known. */
export interface KnownMachine extends AnyMachine {
  readonly hasDevices: boolean;
  readonly find: (word: string) => FoundDevice | undefined;
}

/** A device number has 12 and 20 bits (linux/kdev_t.h MKDEV); one that has more no kernel looks up. */
const [MAJORS, MINORS] = [2 ** 12, 2 ** 20];
const EOVERFLOW = 75;
/** As many characters as '999:9'; four digits and more may be too many. */
const FITTING = 5;
/** As dm-table.c dm_get_device() scans it, which skips blanks before a number. */
const NUMBER = /^[\t-\r \udca0]*(\d+):[\t-\r \udca0]*(\d+)$/;
const SECTOR_SIZE = 512;

/** What is told of a machine, for rules. */
export function machineOf({ kernel, devices, readOnly }: LintOptions): KnownMachine {
  const byWord = new Map<string, FoundDevice>();
  for (const [path, device] of Object.entries(devices ?? {})) {
    const { logicalBlockSize = SECTOR_SIZE, dev } = device;
    const found = { path, device, block: Math.max(1, Math.floor(logicalBlockSize / SECTOR_SIZE)) };
    byWord.set(path, found);
    if (dev !== undefined) byWord.set(dev, found);
  }
  const numberOf = (word: string): readonly [major: number, minor: number] | undefined => {
    const [, major, minor] = NUMBER.exec(word) ?? [];
    return minor === undefined ? undefined : [sscanf32(major!)!, sscanf32(minor)!];
  };
  const find = (word: string): FoundDevice | undefined =>
    byWord.get(word) ?? byWord.get(numberOf(word)?.join(':') ?? '');
  return {
    ...(typeof kernel === 'string' ? { release: kernel } : {}),
    readOnly,
    hasDevices: devices !== undefined,
    find,
    lookup: (word) => {
      // Short ones fit, and most are short.
      const [major = 0, minor = 0] = word.length > FITTING ? (numberOf(word) ?? []) : [];
      if (major >= MAJORS || minor >= MINORS) return EOVERFLOW;
      return devices === undefined ? undefined : find(word)?.device;
    },
  };
}

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────────

const BACKSLASH = 0x5c;
const NO_MISTAKES: readonly Mistake[] = [];
const FIELDS = {
  start: Line.START,
  length: Line.LENGTH,
  type: Line.TYPE,
  parameters: Line.PARAMETERS,
} as const;

/** The lines of a text. Their backslashes are doubled before they are sent: each is one that is meant. */
class TextRows implements Rows {
  readonly count: number;
  readonly hasBackslash: boolean;
  readonly #text: string | Uint8Array;
  readonly #scanned: ScannedText;
  /** Where the words of a row stand: a row may have as many findings as words. */
  #spans: { readonly row: number; readonly spans: readonly Span[] } | undefined;

  constructor(text: string | Uint8Array) {
    this.#text = text;
    this.#scanned = new ScannedText(text);
    this.count = this.#scanned.count;
    this.hasBackslash = typeof text === 'string' ? text.includes('\\') : text.includes(BACKSLASH);
  }

  mistakes(row: number): readonly Mistake[] {
    const mistakes = this.#scanned.mistakes(row);
    if (mistakes.length === 0) return NO_MISTAKES;
    return mistakes.map(({ from, to, message }) => ({
      place: this.#placeAt(row, from, to),
      message,
    }));
  }

  start(row: number): Sector {
    return this.#scanned.sector(row, Line.START_LOW);
  }

  length(row: number): Sector {
    return this.#scanned.sector(row, Line.LENGTH_LOW);
  }

  type(row: number): string {
    return this.#scanned.field(row, Line.TYPE);
  }

  words(row: number): readonly (string | Uint8Array)[] {
    return splitText(this.#scanned.field(row, Line.PARAMETERS));
  }

  place(row: number, part: Part, word?: number): Place {
    const [from, to] = [
      this.#scanned.at(row, FIELDS[part]),
      this.#scanned.at(row, FIELDS[part] + 1),
    ];
    if (word === undefined) return this.#placeAt(row, from, to);
    if (this.#spans?.row !== row) {
      const spans =
        typeof this.#text === 'string'
          ? unitSpans(this.#text.slice(from, to))
          : byteSpans(this.#text.subarray(from, to));
      this.#spans = { row, spans };
    }
    const span = this.#spans.spans[word] ?? [0, to - from];
    return this.#placeAt(row, from + span[0], from + span[1]);
  }

  #placeAt(row: number, from: number, to: number): Place {
    const line = this.#scanned.at(row, Line.NUMBER);
    return { from, to, line, column: from - this.#scanned.at(row, Line.NAME) + 1 };
  }
}

/** lib/ctype.c isspace(). */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0xa0 || (byte >= 0x09 && byte <= 0x0d);
}

type Span = readonly [from: number, to: number];

/** The words of a text without escapes, as drivers/md/dm-table.c dm_split_args() splits bytes. */
function byteSpans(bytes: Uint8Array): Span[] {
  const spans: Span[] = [];
  for (let from = 0; from < bytes.length;) {
    let to = from;
    while (to < bytes.length && !isBlank(bytes[to]!)) to++;
    if (to > from) spans.push([from, to]);
    from = to + 1;
  }
  return spans;
}

/** The same in a string's units: a word ends within a character if its byte is a blank, as in à. */
function unitSpans(text: string): Span[] {
  const units: number[] = [];
  for (let at = 0; at < text.length;) {
    const size = text.codePointAt(at)! > 0xffff ? 2 : 1;
    const { length } = toBytes(text.slice(at, at + size), 'parameters');
    for (let i = 0; i < length; i++) units.push(at);
    at += size;
  }
  units.push(text.length);
  return byteSpans(toBytes(text, 'parameters')).map(([from, to]) => {
    // Of a character that is cut in two, each word has it all.
    const [before, behind] = [units[to - 1], units[to]!];
    const end = before === behind ? behind + 1 : behind;
    return [units[from]!, end];
  });
}

/** The words of a line, in bytes where not all of it is ASCII: most words are never looked at. */
function splitText(text: string): readonly (string | Uint8Array)[] {
  const words: string[] = [];
  for (let from = 0; from < text.length;) {
    let to = from;
    for (; to < text.length; to++) {
      const unit = text.charCodeAt(to);
      if (unit > 0x7f) {
        const bytes = toBytes(text, 'parameters');
        return byteSpans(bytes).map(([begin, end]) => bytes.subarray(begin, end));
      }
      if (unit <= 0x20 && isBlank(unit)) break;
    }
    if (to > from) words.push(text.slice(from, to));
    from = to + 1;
  }
  return words;
}

const KEYS = {
  start: 'startSector',
  length: 'length',
  type: 'type',
  parameters: 'parameters',
} as const;

/** Targets, as they would be sent: of what cannot be, encodeRequest says what is wrong. */
class TargetRows implements Rows {
  readonly count: number;
  /** What ends no line of a text stands in no targets. */
  readonly hasBackslash = false;
  readonly #targets: readonly unknown[];
  /** What is sent of each, or what is wrong with it. */
  readonly #sent: readonly (SentTarget | Mistake)[];

  constructor(targets: readonly unknown[]) {
    this.#targets = targets;
    this.count = targets.length;
    const sent = sendAll(targets);
    this.#sent =
      Array.isArray(sent) && sent.length === targets.length
        ? sent
        : Array.from(targets, (target, row) => sendOne(target, row));
  }

  /** The copies that were made of parameters may hold keys. */
  wipe(): void {
    for (const sent of this.#sent) if ('parameters' in sent) sent.parameters.fill(0);
  }

  mistakes(row: number): readonly Mistake[] {
    const sent = this.#sent[row]!;
    return 'parameters' in sent ? NO_MISTAKES : [sent];
  }

  #of(row: number): SentTarget {
    return this.#sent[row] as SentTarget;
  }

  start(row: number): Sector {
    return plain(this.#of(row).startSector);
  }

  length(row: number): Sector {
    return plain(this.#of(row).length);
  }

  type(row: number): string {
    return this.#of(row).type;
  }

  words(row: number): readonly (string | Uint8Array)[] {
    return wordsIn(this.#of(row).parameters);
  }

  place(row: number, part: Part, word?: number): Place {
    const path = `targets[${row}].${KEYS[part]}`;
    if (word === undefined) return { path };
    const { parameters } = this.#targets[row] as Target;
    return { path: Array.isArray(parameters) ? `${path}[${word}]` : path };
  }
}

/** A row of a load's request. */
interface SentTarget {
  readonly startSector: bigint;
  readonly length: bigint;
  readonly type: string;
  readonly parameters: Uint8Array;
}

function sendAll(targets: readonly unknown[]): readonly SentTarget[] | Mistake {
  let bytes: Uint8Array | undefined;
  try {
    bytes = encodeRequest('TABLE_LOAD', { name: 'lint', targets: targets as readonly Target[] });
    return decodeRequest('TABLE_LOAD', bytes, { bigint: true }).targets;
  } catch (error) {
    const place = { path: (error instanceof InputError ? error.path : undefined) ?? 'targets[0]' };
    // A getter may throw anything.
    const message = error instanceof InputError ? error.message : 'expected a target';
    return { place, message };
  } finally {
    bytes?.fill(0);
  }
}

function sendOne(target: unknown, row: number): SentTarget | Mistake {
  const sent = sendAll([target]);
  if (!('message' in sent)) return sent[0]!;
  const path = sent.place.path!.replace('targets[0]', `targets[${row}]`);
  return { place: { path }, message: sent.message.replace(/^targets\S*: /, '') };
}

/** A number where it holds it exactly. */
function plain(sector: bigint): Sector {
  return sector > Number.MAX_SAFE_INTEGER ? sector : Number(sector);
}
