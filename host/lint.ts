// What a kernel, or the reader of a table, would object to, before anything is sent. RULES says each
// rule of all tables once: its reason, example and remedy become docs/lint.md; the checks below only
// point at it. What one type of target refuses stands in its own file (targets/rules.ts).

import { Line } from './generated/abi.js';
import { DM_MAX_TYPE_NAME } from './generated/uapi.js';
import { areasOf, rulesOf } from './targets/registry.js';
import {
  Arguments,
  hitsOfAny,
  isSince,
  quoted,
  type AnyMachine,
  type Area,
  type LintDevice,
  type Rule,
  type Severity,
} from './targets/rules.js';
import { ScannedText } from './text.js';
import type { Target, TargetVersion } from './types.js';

/** The name of a rule: of one for all tables, or of one of a target type, which begins with the type. */
export type RuleCode = string;

export type { LintDevice, Rule, Severity } from './targets/rules.js';

/** A finding in a text has a place in it, in UTF-16 units; one in targets has a path. */
export interface Diagnostic {
  /** The rule; stable. */
  readonly code: RuleCode;
  /** An error keeps the table from being loaded. */
  readonly severity: Severity;
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** Where it begins in the text, counted from 0. */
  readonly from?: number;
  /** Where it ends. */
  readonly to?: number;
  /** Counted from 1. */
  readonly line?: number;
  /** Counted from 1. */
  readonly column?: number;
  /** As in 'targets[1].length'. */
  readonly path?: string;
  /** Which target, counted from 0. */
  readonly target?: number;
  /** Which of its words, counted from 0. */
  readonly parameter?: number;
  /** What to do. */
  readonly fix?: string;
}

/** What is known of the machine. */
export interface LintOptions {
  /** A release, or what listTargets told. */
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
    severity: 'warning',
    why: 'Linux block devices end at 2^54 − 1 sectors; 5.10 does not look (dm-ioctl.c populate_table).',
    example: '0 18014398509481984 zero',
    fix: 'end at sector 18014398509481983 or before it',
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
    why: "Offset and length are multiples of the device's logical block (dm-table.c device_area_is_invalid).",
    example: '0 7 linear /dev/sdb 0',
    fix: 'use multiples of the logical block',
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
} as const satisfies Readonly<Record<string, Rule>>;

type Place = Pick<Diagnostic, 'from' | 'to' | 'line' | 'column' | 'path'>;
type Field = 'start' | 'length' | 'type' | 'parameters';

/** A target, from a text or an array, as far as it can be read. */
interface Row {
  readonly index: number;
  readonly start: bigint | undefined;
  readonly length: bigint | undefined;
  readonly type: string;
  readonly words: readonly string[];
  /** What its constructor is given, if it can be sent at all. */
  readonly line: Arguments | undefined;
  readonly isText: boolean;
  readonly place: (field: Field, word?: number) => Place;
}

type TableRule = keyof typeof RULES;

type Report = (
  code: TableRule,
  row: Row,
  place: Place,
  message: string,
  parameter?: number,
) => void;

/** dm-ioctl.c populate_table: LLONG_MAX >> SECTOR_SHIFT. */
const MAX_SECTORS = (1n << 54n) - 1n;

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
 * @param table - dmsetup's text, or targets
 * @param options - what is known of the machine; without it only what every machine shares is judged
 * @returns the findings in the table's order
 * @example lintTable('0 8 zero\n16 8 zero')[0].code // 'gap'
 */
export function lintTable(
  table: string | readonly Target[],
  options: LintOptions = {},
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const add = (code: TableRule, message: string, place: Place, more: object = {}): void => {
    const { severity, fix } = RULES[code];
    found.push({ code, severity, message, ...place, ...more, fix });
  };
  const machine = machineOf(options);
  const report: Report = (code, row, place, message, parameter) => {
    add(code, message, place, {
      target: row.index,
      ...(parameter === undefined ? {} : { parameter }),
    });
  };
  const syntax = (place: Place, message: string, target?: number): void => {
    add('syntax', message, place, target === undefined ? {} : { target });
  };
  const rows = typeof table === 'string' ? rowsOfText(table, syntax) : rowsOfTargets(table, syntax);
  if (rows.length === 0 && found.length === 0) {
    const place =
      typeof table === 'string' ? { from: 0, to: 0, line: 1, column: 1 } : { path: 'targets' };
    add('no-targets', 'expected at least one target', place);
  }
  const areas: RowArea[] = [];
  let end: bigint | undefined = 0n;
  for (const row of rows) {
    end = checkRange(row, end, report);
    checkType(row, options, report);
    if (row.isText) {
      row.words.forEach((word, i) => {
        if (!/\\n\d*$/.test(word)) return;
        report('literal-newline', row, row.place('parameters', i), 'a literal \\n ends no line', i);
      });
    }
    areas.push(...checkTarget(row, machine, found));
  }
  for (const area of areas) checkArea(area, machine, report);
  checkTwice(areas, machine, report);
  return found.sort((a, b) => (a.from ?? a.target ?? 0) - (b.from ?? b.target ?? 0));
}

type Syntax = (place: Place, message: string, target?: number) => void;

function rowsOfText(text: string, syntax: Syntax): Row[] {
  const scanned = new ScannedText(text);
  return Array.from({ length: scanned.count }, (_, i): Row => {
    const placeAt = (from: number, to: number): Place => ({
      from,
      to,
      line: scanned.at(i, Line.NUMBER),
      column: from - scanned.at(i, Line.NAME) + 1,
    });
    const mistakes = scanned.mistakes(i);
    for (const { from, to, message } of mistakes) syntax(placeAt(from, to), message, i);
    const isBad = mistakes.length > 0;
    const words = [...scanned.field(i, Line.PARAMETERS).matchAll(/[^\t-\r ]+/g)];
    const fields = {
      start: Line.START,
      length: Line.LENGTH,
      type: Line.TYPE,
      parameters: Line.PARAMETERS,
    };
    const texts = words.map(([word]) => word);
    return {
      index: i,
      start: isBad ? undefined : BigInt(scanned.sector(i, Line.START_LOW)),
      length: isBad ? undefined : BigInt(scanned.sector(i, Line.LENGTH_LOW)),
      type: scanned.field(i, Line.TYPE),
      words: texts,
      line: isBad ? undefined : new Arguments(scanned.target(i), texts),
      isText: true,
      place: (field, at) => {
        const [from, to] = [scanned.at(i, fields[field]), scanned.at(i, fields[field] + 1)];
        const word = at === undefined ? undefined : words[at];
        if (word === undefined) return placeAt(from, to);
        return placeAt(from + word.index, from + word.index + word[0].length);
      },
    };
  });
}

function rowsOfTargets(targets: unknown, syntax: Syntax): Row[] {
  if (!Array.isArray(targets)) {
    syntax({ path: 'targets' }, 'expected an array or a text');
    return [];
  }
  return targets.map((value: unknown, index): Row => {
    const path = `targets[${index}]`;
    const target = (value ?? {}) as Partial<Target>;
    const numberOf = (key: 'startSector' | 'length'): bigint | undefined => {
      const number: unknown = target[key];
      const isNumber = typeof number === 'bigint' || Number.isSafeInteger(number);
      const sector = isNumber ? BigInt(number as number | bigint) : -1n;
      if (sector >= 0n && sector < 1n << 64n) return sector;
      syntax({ path: `${path}.${key}` }, 'expected a number of 512-byte sectors', index);
      return undefined;
    };
    const type = typeof target.type === 'string' ? target.type : '';
    if (type === '' || new TextEncoder().encode(type).length >= DM_MAX_TYPE_NAME) {
      syntax(
        { path: `${path}.type` },
        `expected a target type of 1 to ${DM_MAX_TYPE_NAME - 1} bytes`,
        index,
      );
    }
    const { parameters } = target;
    let words: string[] = [];
    if (typeof parameters === 'string') words = parameters.match(/[^\t-\r ]+/g) ?? [];
    else if (parameters instanceof Uint8Array) {
      words = new TextDecoder().decode(parameters).match(/[^\t-\r ]+/g) ?? [];
    } else if (Array.isArray(parameters)) {
      words = parameters.map((word: unknown) => {
        if (word instanceof Uint8Array) return new TextDecoder().decode(word);
        return ['string', 'number', 'bigint'].includes(typeof word) ? String(word) : '';
      });
    } else syntax({ path: `${path}.parameters` }, 'expected an array, a text or bytes', index);
    const names = {
      start: 'startSector',
      length: 'length',
      type: 'type',
      parameters: 'parameters',
    };
    const [start, length] = [numberOf('startSector'), numberOf('length')];
    const isKnown = start !== undefined && length !== undefined;
    return {
      index,
      start,
      length,
      type,
      words,
      line: isKnown ? new Arguments({ startSector: start, length }, words) : undefined,
      isText: false,
      place: (field, at) => ({
        path: `${path}.${names[field]}${at === undefined || !Array.isArray(parameters) ? '' : `[${at}]`}`,
      }),
    };
  });
}

/** The sector after the row, if it is known. */
function checkRange(row: Row, end: bigint | undefined, report: Report): bigint | undefined {
  const { start, length } = row;
  if (start === undefined || length === undefined) return undefined;
  if (length === 0n) report('zero-length', row, row.place('length'), 'a target of no sectors');
  if (end !== undefined && start !== end) {
    const code = row.index === 0 ? 'first-sector' : start > end ? 'gap' : 'overlap';
    report(code, row, row.place('start'), `expected to begin at sector ${end}, got ${start}`);
  }
  if (start + length > MAX_SECTORS) {
    report('too-large', row, row.place('length'), `ends at sector ${start + length}`);
  }
  return start + length;
}

function checkType(row: Row, { kernel }: LintOptions, report: Report): void {
  if (kernel === undefined || row.type === '') return;
  const types =
    typeof kernel === 'string'
      ? TYPES.filter(([since]) => isSince(kernel, since)).flatMap(([, names]) => names.split(' '))
      : kernel.map(({ name }) => name);
  if (types.includes(row.type)) return;
  report('type-missing', row, row.place('type'), `this kernel has no target '${row.type}'`);
}

/** The devices by path, and by number as dm_get_device() reads it. */
interface KnownMachine extends AnyMachine {
  /** A device, and the path that stands for it however it is written. */
  readonly find: (
    word: string,
  ) => { readonly path: string; readonly device: LintDevice } | undefined;
}

/** A device number is of 12 and 20 bits (linux/kdev_t.h); one that is larger no kernel looks up. */
const EOVERFLOW = 75;

function machineOf({ kernel, devices = {}, readOnly = false }: LintOptions): KnownMachine {
  const byWord = new Map<string, { path: string; device: LintDevice }>();
  for (const [path, device] of Object.entries(devices)) {
    const known = { path, device };
    byWord.set(path, known);
    if (device.dev !== undefined) byWord.set(device.dev, known);
  }
  const numberOf = (word: string): [number, number] | undefined => {
    const [, major, minor] = /^(\d+):(\d+)$/.exec(word) ?? [];
    return minor === undefined ? undefined : [Number(major), Number(minor)];
  };
  const find: KnownMachine['find'] = (word) =>
    byWord.get(word) ?? byWord.get(numberOf(word)?.join(':') ?? '');
  return {
    ...(typeof kernel === 'string' ? { release: kernel } : {}),
    readOnly,
    find,
    lookup: (word) => {
      const [major = 0, minor = 0] = numberOf(word) ?? [];
      return major >= 1 << 12 || minor >= 1 << 20 ? EOVERFLOW : find(word)?.device;
    },
  };
}

/** A range of a device that a row maps. */
interface RowArea extends Area {
  readonly row: Row;
  readonly device: string;
}

/** What the constructor of its type refuses; the ranges of a row that it does not. */
function checkTarget(row: Row, machine: AnyMachine, found: Diagnostic[]): RowArea[] {
  const { line } = row;
  if (line === undefined) return [];
  const hits = hitsOfAny(rulesOf(row.type), line, machine);
  for (const { rule, severity, finding } of hits) {
    const { at, message } = finding;
    const place = at === 'length' ? row.place('length') : row.place('parameters', at);
    const { code, fix } = rule;
    const parameter = typeof at === 'number' ? { parameter: at } : {};
    found.push({ code, severity, message, ...place, target: row.index, ...parameter, fix });
  }
  if (hits.some(({ severity }) => severity === 'error')) return [];
  return areasOf(row.type, line).map((area) => ({ ...area, row, device: line.word(area.word) }));
}

/** dm-table.c device_area_is_invalid(). */
function checkArea(area: RowArea, { find, readOnly }: KnownMachine, report: Report): void {
  const { row, device, word, offsetWord, start, length } = area;
  if (!/^(?:\/|\d+:\d+$)/.test(device)) {
    const got = `expected a path from / or major:minor, got ${quoted(device)}`;
    report('device-name', row, row.place('parameters', word), got, word);
  }
  const known = find(device)?.device;
  if (known === undefined) return;
  if (known.readOnly === true && !readOnly) {
    report('device-read-only', row, row.place('parameters', word), 'the device is read-only', word);
  }
  const at = offsetWord ?? word;
  if (start + length > BigInt(known.sectors)) {
    const got = `ends at sector ${start + length} of a device of ${known.sectors}`;
    report('device-bounds', row, row.place('parameters', at), got, at);
  }
  const block = BigInt(Math.max(1, Math.floor((known.logicalBlockSize ?? 512) / 512)));
  if (start % block !== 0n || length % block !== 0n) {
    const got = `the device's logical block is ${block} sectors`;
    report('device-alignment', row, row.place('parameters', at), got, at);
  }
}

/** Of all ranges of a known device, in the order of their offsets, two that share sectors. */
function checkTwice(areas: readonly RowArea[], { find }: KnownMachine, report: Report): void {
  const known = areas.flatMap((area) => {
    const path = find(area.device)?.path;
    return path === undefined ? [] : [{ ...area, path }];
  });
  known.sort((a, b) =>
    a.start < b.start ? -1 : a.start > b.start ? 1 : a.row.index - b.row.index,
  );
  const ends = new Map<string, bigint>();
  for (const { row, word, path, start, length } of known) {
    const end = ends.get(path) ?? 0n;
    if (start < end) {
      report('device-twice', row, row.place('parameters', word), `sectors of ${path} twice`, word);
    }
    if (start + length > end) ends.set(path, start + length);
  }
}
