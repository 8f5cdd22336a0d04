// Tables as people write them and as dmsetup prints them. The module reads the grammar, a whole text in
// one call (assembly/lines.ts); here its offsets become values, or the first mistake an error.

import { InputError, show } from './errors.js';
import { COMMENTS, Flaw, LINE_SIZE, Line, NAMES, Status } from './generated/abi.js';
import { DM_MAX_TYPE_NAME } from './generated/uapi.js';
import type { Parameter, Table, Target } from './types.js';
import { lineProblem, scanLines, sectorOf, splitParameters, textOf, toBytes } from './wire.js';

/** A row of a table that was read from text. */
export interface TableRow extends Target {
  /** A number up to 2^53 − 1, a bigint above. */
  readonly startSector: number | bigint;
  /** A number up to 2^53 − 1, a bigint above. */
  readonly length: number | bigint;
  /**
   * The rest of the line, exact, without the blanks and the comment at its end. It keeps the whole text
   * alive: copy what is kept for long.
   */
  readonly parameters: string;
}

/** What dmsetup prints of one device. */
export interface ListedDevice {
  /** If it stands before the lines. */
  readonly name?: string;
  /** None if the device has no table. */
  readonly targets: TableRow[];
}

/** A mistake in a line; offsets are in the text's own units. */
export interface LineMistake {
  readonly kind: keyof typeof Status | 'LONE_SURROGATE';
  readonly from: number;
  readonly to: number;
  readonly message: string;
}

const NO_MISTAKES: readonly LineMistake[] = [];
const WORDS = LINE_SIZE / 4;
/** One that stands for no byte. */
const ALIEN_SURROGATE = /(?![\udc80-\udcff])\p{Surrogate}/u;

/** A flaw, the status that encodeRequest has of it, and where it stands. */
const FLAWS = [
  [Flaw.START_NO_NUMBER, 'LINE_NO_START', Line.START],
  [Flaw.START_TOO_LARGE, 'LINE_NUMBER_TOO_LARGE', Line.START],
  [Flaw.LENGTH_NO_NUMBER, 'LINE_NO_LENGTH', Line.LENGTH],
  [Flaw.LENGTH_TOO_LARGE, 'LINE_NUMBER_TOO_LARGE', Line.LENGTH],
  [Flaw.TYPE_MISSING, 'LINE_NO_TYPE', Line.TYPE],
  [Flaw.TYPE_TOO_LONG, 'TYPE_TOO_LONG', Line.TYPE],
] as const;

/**
 * A text's lines that are neither blank nor comments, with all their mistakes. Nothing is thrown: what a
 * line lacks is empty, and stands at its end.
 */
export class ScannedText {
  /** How many lines there are. */
  readonly count: number;
  readonly #index: Uint32Array;
  /** The text as a string, if its offsets are the text's. */
  readonly #text: string | undefined;
  readonly #bytes: Uint8Array | undefined;
  /** May a type have more bytes than units? */
  readonly #isWide: boolean;

  constructor(text: string | Uint8Array, how: number = COMMENTS) {
    this.#index = scanLines(text, how);
    this.count = this.#index.length / WORDS;
    if (typeof text === 'string') {
      this.#text = text;
      this.#isWide = /[^\0-\x7f]/.test(text);
    } else {
      this.#bytes = text;
      this.#isWide = false;
      // With a character for each byte its offsets are the same.
      const whole = textOf(text);
      if (whole.length === text.length) this.#text = whole;
    }
  }

  /** Of a line: its number, or an offset, as Line names them. */
  at(line: number, what: number): number {
    return this.#index[line * WORDS + what]!;
  }

  /** The text between two offsets. */
  cut(from: number, to: number): string {
    return this.#text?.slice(from, to) ?? textOf(this.#bytes!.subarray(from, to));
  }

  /** One of the fields of a line, as in `field(0, Line.TYPE)`: its end stands behind its begin. */
  field(line: number, field: number): string {
    return this.cut(this.at(line, field), this.at(line, field + 1));
  }

  /** Line.START_LOW or Line.LENGTH_LOW; what is too large for a number is a bigint. */
  sector(line: number, low: number): number | bigint {
    const high = this.at(line, low + 1);
    if (high > 0x1fffff) return (BigInt(high) << 32n) | BigInt(this.at(line, low));
    return high * 0x100000000 + this.at(line, low);
  }

  /** A line without mistakes. */
  target(line: number): TableRow {
    return {
      startSector: this.sector(line, Line.START_LOW),
      length: this.sector(line, Line.LENGTH_LOW),
      type: this.field(line, Line.TYPE),
      parameters: this.field(line, Line.PARAMETERS),
    };
  }

  /** All that is wrong with a line, in the order in which encodeRequest finds it. */
  mistakes(line: number): readonly LineMistake[] {
    const flaws = this.at(line, Line.FLAWS);
    if (flaws === 0 && !this.#isWide) return NO_MISTAKES;
    const found: LineMistake[] = [];
    const type = this.field(line, Line.TYPE);
    for (const [flaw, kind, field] of FLAWS) {
      const isLong =
        flaw === Flaw.TYPE_TOO_LONG &&
        this.#isWide &&
        !ALIEN_SURROGATE.test(type) &&
        toBytes(type, 'type').length >= DM_MAX_TYPE_NAME;
      if ((flaws & flaw) === 0 && !isLong) continue;
      const [from, to] = [this.at(line, field), this.at(line, field + 1)];
      found.push({ kind, from, to, message: lineProblem(Status[kind], this.cut(from, to)) });
    }
    const [from, end] = [this.at(line, Line.TYPE), this.at(line, Line.PARAMETERS_END)];
    if ((flaws & Flaw.HAS_NUL) !== 0) {
      const at = from + this.#indexOf(from, end);
      const message = lineProblem(Status.LINE_HAS_NUL, '');
      const mistake: LineMistake = { kind: 'LINE_HAS_NUL', from: at, to: at + 1, message };
      // A NUL in a type ends it, for all that is known.
      if (at < this.at(line, Line.TYPE_END) && found.at(-1)?.kind === 'TYPE_TOO_LONG') found.pop();
      found.push(mistake);
    }
    const alien = this.#isWide ? ALIEN_SURROGATE.exec(this.cut(from, end)) : null;
    if (alien !== null) {
      const at = from + alien.index;
      const unit = alien[0].charCodeAt(0).toString(16).toUpperCase();
      const message = `expected well-formed text, got a lone surrogate U+${unit}`;
      found.push({ kind: 'LONE_SURROGATE', from: at, to: at + 1, message });
    }
    return found;
  }

  /** Where the first NUL is, counted from `from`. */
  #indexOf(from: number, end: number): number {
    return (
      this.#text?.slice(from, end).indexOf('\0') ?? this.#bytes!.subarray(from, end).indexOf(0)
    );
  }

  /** The first mistake of a line thrown, if it has any. */
  check(line: number): void {
    const [first] = this.mistakes(line);
    if (first === undefined) return;
    const column = first.from - this.at(line, Line.NAME) + 1;
    const place = { line: this.at(line, Line.NUMBER), column, offset: first.from };
    throw new InputError(place, first.message);
  }
}

/**
 * A table as dmsetup takes it, a line `START LENGTH TYPE [PARAMETERS]` for each target; blank lines and
 * comments are left out.
 *
 * @param text - `#` begins a comment, in a line's parameters too; numbers are decimal and below 2^64
 * @returns the targets in the text's order, none if there are only comments; sectors of 512 bytes
 * @throws {InputError} the first mistake, with `offset`, `line` and `column`: in UTF-16 units for a string,
 * in bytes for bytes
 * @example parseTable('0 2048 linear /dev/sdb 0')[0].parameters // '/dev/sdb 0'
 * @see lvm2 tools/dmsetup.c _parse_line()
 */
export function parseTable(text: string | Uint8Array): TableRow[] {
  const scanned = new ScannedText(text);
  const targets = new Array<TableRow>(scanned.count);
  for (let line = 0; line < targets.length; line++) {
    scanned.check(line);
    targets[line] = scanned.target(line);
  }
  return targets;
}

/**
 * What `dmsetup table` and `dmsetup status` print, of one device or of many, with or without names
 * before the lines. `#` is a character like others there, and begins no comment.
 *
 * Without names a line that starts at sector 0 begins another device. A name ends at the first `: ` that
 * two numbers, or nothing, follow; if it looks like the begin of a line itself, it is taken for one.
 *
 * @param text - the whole output
 * @returns the devices in the text's order; one without a table has no targets
 * @throws {InputError} a line that is none, with `offset`, `line` and `column`
 * @example parseListing('root: 0 2048 zero \n')[0].name // 'root'
 * @see lvm2 tools/dmsetup.c _status()
 */
export function parseListing(text: string | Uint8Array): ListedDevice[] {
  const scanned = new ScannedText(text, NAMES);
  const devices: { name?: string; targets: TableRow[] }[] = [];
  // Of a device without a table, asked for by name, dmsetup prints an empty line.
  if (scanned.count === 0) return text.length === 0 ? [] : [{ targets: [] }];
  if (scanned.count === 1 && scanned.field(0, Line.START) === 'No') {
    const whole = scanned.cut(scanned.at(0, Line.NAME), scanned.at(0, Line.PARAMETERS_END));
    if (whole === 'No devices found') return [];
  }
  for (let line = 0; line < scanned.count; line++) {
    const name = scanned.field(line, Line.NAME);
    const last = devices.at(-1);
    const isNamed = name !== '';
    if (isNamed && scanned.at(line, Line.START) === scanned.at(line, Line.PARAMETERS_END)) {
      devices.push({ name, targets: [] });
      continue;
    }
    scanned.check(line);
    const target = scanned.target(line);
    const isSame =
      last !== undefined &&
      (isNamed ? last.name === name : last.name === undefined && target.startSector !== 0);
    if (isSame) last.targets.push(target);
    else devices.push(isNamed ? { name, targets: [target] } : { targets: [target] });
  }
  return devices;
}

/**
 * A table as the lines that dmsetup takes, without a line feed at the end.
 *
 * @param table - targets, or a table's text, whose comments and spacing between fields are left out
 * @throws {InputError} what a line cannot say, with `path`: a word with a blank or `#` in it, a line feed.
 * The codec can: give the targets to encodeRequest as they are
 * @example formatTable([{ startSector: 0, length: 8, type: 'linear', parameters: ['8:16', 0] }])
 * // '0 8 linear 8:16 0'
 */
export function formatTable(table: Table): string {
  return linesOf(table, 'table').join('\n');
}

/** The line of each target. `path` is what `table` is called in errors. */
export function linesOf(table: Table, path: string): string[] {
  return rowsOf(table, path).map((target, i) => lineOf(target, `${path}[${i}]`));
}

/** A table's targets, also if it is a text. */
export function rowsOf(table: Table, path: string): readonly Target[] {
  if (typeof table === 'string') return parseTable(table);
  if (Array.isArray(table)) return table as readonly Target[];
  throw new InputError({ path }, `expected an array or a text, got ${show(table)}`);
}

function lineOf(target: Target, path: string): string {
  if (typeof target !== 'object' || (target as unknown) === null) {
    throw new InputError({ path }, `expected a target, got ${show(target)}`);
  }
  const start = sectorOf(target.startSector, `${path}.startSector`);
  const length = sectorOf(target.length, `${path}.length`);
  const { type } = target;
  // A type is no parameter: what parts it from the rest is a space of C's.
  if (typeof type !== 'string' || type === '') {
    throw new InputError({ path: `${path}.type` }, `expected a target type, got ${show(type)}`);
  }
  refuseSpaces(type, `${path}.type`);
  const { length: size } = toBytes(type, `${path}.type`);
  if (size >= DM_MAX_TYPE_NAME) {
    const problem = `expected at most ${DM_MAX_TYPE_NAME - 1} bytes, got ${size}`;
    throw new InputError({ path: `${path}.type` }, problem);
  }
  const parameters = parametersText(target.parameters, `${path}.parameters`);
  return `${start} ${length} ${type}${parameters === '' ? '' : ` ${parameters}`}`;
}

/** The parameters as the rest of a line. */
export function parametersText(parameters: Target['parameters'], path: string): string {
  if (typeof parameters === 'string') {
    const bad = /[\n\0#]/.exec(parameters);
    if (bad !== null) refuseCharacter(bad[0], path);
    toBytes(parameters, path);
    return parameters.replace(/^[\t-\r ]+/, '').replace(/(?<![\t-\r ])[\t-\r ]+$/, '');
  }
  const isBytes = parameters instanceof Uint8Array;
  if (!isBytes && !Array.isArray(parameters)) {
    throw new InputError({ path }, `expected an array, a text or bytes, got ${show(parameters)}`);
  }
  const words = isBytes ? splitParameters(parameters) : (parameters as readonly Parameter[]);
  // A line doubles backslashes: what has none is its own line, the rest goes word by word.
  if (isBytes && words.length > 0 && !parameters.includes(0x5c)) {
    return parametersText(textOf(parameters), path);
  }
  return words.map((word, i) => wordOf(word, isBytes ? path : `${path}[${i}]`)).join(' ');
}

function refuseSpaces(word: string, path: string): void {
  const bad = /[\t-\r \0]/.exec(word);
  if (bad !== null) refuseCharacter(bad[0], path);
}

/** A word as it stands in a line. */
function wordOf(value: unknown, path: string): string {
  const word = value instanceof Uint8Array ? textOf(value) : value;
  if (typeof word === 'number' || typeof word === 'bigint') {
    if (typeof word === 'bigint' || Number.isSafeInteger(word)) return String(word);
  } else if (typeof word === 'string') {
    if (word === '') throw new InputError({ path }, 'expected a word, got ""');
    refuseSpaces(word, path);
    if (word.includes('#')) refuseCharacter('#', path);
    // The kernel's blanks are bytes, and one of them is a part of many characters, as of à.
    if (/[^\0-\x7f]/.test(word) && toBytes(word, path).includes(0xa0))
      refuseCharacter('\xa0', path);
    return word;
  }
  throw new InputError({ path }, `expected a text, a whole number or bytes, got ${show(value)}`);
}

const CHARACTERS: Readonly<Record<string, string>> = {
  '#': '"#", which begins a comment',
  '\0': 'NUL, which would end the text for the kernel',
  '\n': 'line feed, which ends the line',
  '\xa0': 'byte 0xA0, which is a blank for the kernel',
};

function refuseCharacter(character: string, path: string): never {
  const what = CHARACTERS[character] ?? 'blank, which parts words';
  throw new InputError({ path }, `expected what a dmsetup line can say, got a ${what}`);
}
