// Devices with their tables on one line: dmsetup's --concise, and the kernel's boot parameters, which
// have the same shape without escapes. The module finds what parts the fields, and reads the lines.

import { InputError, show } from './errors.js';
import { COMMENTS, Line } from './generated/abi.js';
import { DM_NAME_LEN, DM_UUID_LEN } from './generated/uapi.js';
import { linesOf, ScannedText, type TableRow } from './text.js';
import type { Table } from './types.js';
import { findSeparators, placeIn, toBytes } from './wire.js';

/** A device and its table. */
export interface ConciseDevice {
  /** 1 to 127 bytes. */
  readonly name: string;
  /** '' if it has none. */
  readonly uuid: string;
  /** The N of /dev/dm-N, if it is asked for. */
  readonly minor?: number;
  /** May nothing be written to it? */
  readonly readOnly: boolean;
  /** Its table. */
  readonly targets: TableRow[];
  /** Set where the text is in a form that today's kernels do not read. */
  readonly note?: string;
}

/** What is formatted; what is left out is '', free, or false. */
export interface ConciseInput {
  /** 1 to 127 bytes. */
  readonly name: string;
  /** Up to 128 bytes. */
  readonly uuid?: string;
  /** The N of /dev/dm-N. */
  readonly minor?: number | undefined;
  /** May nothing be written to it? */
  readonly readOnly?: boolean;
  /** Its table. */
  readonly targets: Table;
}

/** The types of targets that dm-mod.create= takes (drivers/md/dm-init.c dm_allowed_targets). */
export const BOOT_TARGETS: readonly string[] = [
  'crypt',
  'delay',
  'linear',
  'snapshot-origin',
  'striped',
  'verity',
];

/** drivers/md/dm-init.c DM_MAX_DEVICES, DM_MAX_TARGETS, DM_MAX_STR_SIZE; MINORBITS in kdev_t.h. */
const BOOT_DEVICES = 256;
const BOOT_LINES = 256;
const BOOT_LENGTH = 4096;
const MINORS = 0x100000;

const OLD_FORM =
  'the old dm= of ChromeOS and Android: Linux since 5.1 reads dm-mod.create=, as formatDmModCreate writes it';

/** A part of a text, and where it stands. */
interface Piece {
  readonly from: number;
  readonly to: number;
}

/** A device as far as its fields tell it; its table is yet to be read. */
interface Fields extends Omit<ConciseDevice, 'targets'> {
  readonly lines: readonly Piece[];
}

/** A text that is read in pieces, with the places of its mistakes. */
class Source {
  readonly text: string;
  readonly escapes: boolean;

  constructor(text: string, { escapes }: { readonly escapes: boolean }) {
    this.text = text;
    this.escapes = escapes;
  }

  refuse(offset: number, problem: string): never {
    throw new InputError(placeIn(this.text, offset), problem);
  }

  /** What stands between commas, of each device. */
  pieces(): Piece[][] {
    const { text } = this;
    const devices: Piece[][] = [[]];
    let from = 0;
    for (const to of [...findSeparators(text, this), text.length]) {
      devices.at(-1)!.push({ from, to });
      from = to + 1;
      if (text[to] === ';') devices.push([]);
    }
    // Behind the last `;` there may be nothing more.
    const [only, ...more] = devices.at(-1)!;
    if (more.length === 0 && text.slice(only!.from).trim() === '') devices.pop();
    return devices;
  }

  /** A piece as it is meant. */
  value({ from, to }: Piece): string {
    const raw = this.text.slice(from, to);
    if (!this.escapes) return raw.trim();
    return raw.replaceAll(/\\([^]?)/g, (_, character: string) => {
      if (character === '') this.refuse(to - 1, 'expected a character behind the backslash');
      return character;
    });
  }

  /** Where the character stands that has `offset` in a piece's value. */
  placeOf(piece: Piece, offset: number): number {
    if (!this.escapes) return this.#begin(piece) + offset;
    const { from, to } = piece;
    let at = from;
    for (let left = offset; left > 0 && at < to; left--) at += this.text[at] === '\\' ? 2 : 1;
    return this.text[at] === '\\' ? at + 1 : at;
  }

  /** The fields of devices that have them parted by commas. */
  fields(isBoot: boolean): Fields[] {
    return this.pieces().map((pieces) => {
      const [name, uuid, minor, flags, ...lines] = pieces;
      const { from } = name!;
      if (lines.length === 0) {
        const expected = 'expected five fields: name, uuid, minor, flags and table';
        this.refuse(from, `${expected}, got ${pieces.length}`);
      }
      const values = [name!, uuid!, minor!, flags!].map((piece) => this.value(piece).trimStart());
      const mode = values[3]!;
      if (mode !== 'ro' && mode !== 'rw' && (mode !== '' || isBoot)) {
        const least = isBoot ? "expected 'ro' or 'rw'" : "expected 'ro', 'rw' or nothing";
        this.refuse(this.#begin(flags!), `${least}, got ${show(mode)}`);
      }
      return {
        name: this.string(name!, values[0]!, 1, DM_NAME_LEN, 'a name'),
        uuid: this.string(uuid!, values[1]!, 0, DM_UUID_LEN, 'a uuid'),
        ...this.#minor(minor!, values[2]!, isBoot),
        readOnly: mode === 'ro',
        lines,
      };
    });
  }

  #begin({ from, to }: Piece): number {
    const raw = this.text.slice(from, to);
    return from + raw.length - raw.trimStart().length;
  }

  string(piece: Piece, value: string, least: number, size: number, what: string): string {
    const bytes = toBytes(value, 'text').length;
    if (bytes < least || bytes >= size || value.includes('\0')) {
      this.refuse(
        this.#begin(piece),
        `expected ${what} of ${least} to ${size - 1} bytes, got ${show(value)}`,
      );
    }
    return value;
  }

  #minor(piece: Piece, value: string, isBoot: boolean): { minor?: number } {
    if (value === '') return {};
    const minor = isBoot ? numberOf(value) : /^\d+$/.test(value) ? BigInt(value) : undefined;
    if (minor === undefined || minor >= MINORS) {
      this.refuse(
        this.#begin(piece),
        `expected a minor from 0 to ${MINORS - 1}, got ${show(value)}`,
      );
    }
    return { minor: Number(minor) };
  }

  /** The tables of all devices, their lines read in one call. */
  tables(devices: readonly Fields[], isBoot: boolean, how: number): ConciseDevice[] {
    const values: string[] = [];
    /** Of each line of the text that the values make: whose it is, and where it begins in its piece. */
    const places: { readonly device: number; readonly piece: Piece; readonly inner: number }[] = [];
    devices.forEach(({ lines }, device) => {
      for (const piece of lines) {
        const value = this.value(piece);
        values.push(value);
        let inner = 0;
        for (const line of value.split('\n')) {
          places.push({ device, piece, inner });
          inner += line.length + 1;
        }
      }
    });
    const tables = devices.map((): TableRow[] => []);
    const scanned = new ScannedText(values.join('\n'), how);
    for (let line = 0; line < scanned.count; line++) {
      const { device, piece, inner } = places[scanned.at(line, Line.NUMBER) - 1]!;
      const begin = scanned.at(line, Line.NAME);
      const refuse = (at: number, problem: string): never =>
        this.refuse(this.placeOf(piece, inner + at - begin), problem);
      const sectors = isBoot ? bootSectors(scanned, line, refuse) : {};
      const mistake = scanned
        .mistakes(line)
        .find(({ from }) => !isBoot || from >= scanned.at(line, Line.TYPE));
      if (mistake !== undefined) refuse(mistake.from, mistake.message);
      const target = { ...scanned.target(line), ...sectors };
      if (isBoot) checkBoot(target, (problem, field) => refuse(scanned.at(line, field), problem));
      tables[device]!.push(target);
    }
    return devices.map(({ lines, ...device }, i) => {
      if (isBoot && tables[i]!.length === 0) this.refuse(lines[0]!.from, 'expected a table');
      return { ...device, targets: tables[i]! };
    });
  }
}

/** As C reads it, with 0x for hexadecimal and 0 for octal (lib/kstrtox.c); undefined if it is none. */
function numberOf(word: string): bigint | undefined {
  if (!/^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.test(word)) return undefined;
  const value = BigInt(/^0[0-7]/.test(word) ? `0o${word.slice(1)}` : word);
  return value < 1n << 64n ? value : undefined;
}

/** What drivers/md/dm-init.c asks of a line beside its grammar. */
function checkBoot(
  { type, parameters }: Pick<TableRow, 'type' | 'parameters'>,
  refuse: (problem: string, field: number) => never,
): void {
  if (!BOOT_TARGETS.includes(type)) {
    refuse(
      `expected a target that may be used at boot (${BOOT_TARGETS.join(', ')}), got ${show(type)}`,
      Line.TYPE,
    );
  }
  if (parameters === '') refuse('expected parameters', Line.PARAMETERS);
}

/** The two numbers of a line, as C reads them. */
function bootSectors(
  scanned: ScannedText,
  line: number,
  refuse: (at: number, problem: string) => never,
): Pick<TableRow, 'startSector' | 'length'> {
  const [startSector, length] = [Line.START, Line.LENGTH].map((field) => {
    const word = scanned.field(line, field);
    const value = numberOf(word);
    if (value === undefined) {
      refuse(
        scanned.at(line, field),
        `expected a number of 512-byte sectors below 2^64, got ${show(word)}`,
      );
    }
    return value > Number.MAX_SAFE_INTEGER ? value : Number(value);
  });
  return { startSector: startSector!, length: length! };
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new InputError({ path: 'text' }, `expected a text, got ${show(value)}`);
}

/**
 * What `dmsetup create --concise` takes and `dmsetup table --concise` prints: `NAME,UUID,MINOR,FLAGS,TABLE`
 * with a comma between two lines of the table, and `;` between two devices. A backslash takes the
 * meaning from any character behind it.
 *
 * @returns the devices in the text's order; `minor` only where there is one
 * @throws {InputError} the first mistake, with `offset`, `line` and `column` in UTF-16 units
 * @example parseConcise('data,,,ro,0 8 linear 8:16 0,8 8 zero')[0].targets.length // 2
 * @see lvm2 tools/dmsetup.c _parse_device_list()
 */
export function parseConcise(concise: string): ConciseDevice[] {
  const source = new Source(text(concise), { escapes: true });
  return source.tables(source.fields(false), false, COMMENTS);
}

/**
 * Devices as `dmsetup create --concise` takes them.
 *
 * @throws {InputError} what cannot be said, with `path`: see formatTable
 * @example formatConcise([{ name: 'data', readOnly: true, targets: '0 8 zero' }]) // 'data,,,ro,0 8 zero '
 */
export function formatConcise(devices: readonly ConciseInput[]): string {
  const escape = (value: string): string => value.replaceAll(/[,;\\]/g, '\\$&');
  const whole = format(devices, (value) => escape(value));
  // dmsetup takes a device for incomplete if the last character is an escaped one, or a comma.
  return /\\.$|,$/s.test(whole) ? `${whole};` : whole;
}

/**
 * The value of a boot parameter, whose name and quotes may be there, as lib/cmdline.c next_arg() takes them; blanks
 * in place of what is left out keep the offsets.
 */
function valueOf(parameter: string, name: RegExp): string {
  const blank = (found: string): string => ' '.repeat(found.length);
  const value = text(parameter);
  const bare = value.replace(name, blank);
  const isQuoted = /^\s*"/.test(bare) || (bare !== value && /^\s*"/.test(value));
  return isQuoted ? bare.replace(/^\s*"/, blank).replace(/"\s*$/, blank) : bare;
}

/**
 * The kernel's boot parameter `dm-mod.create=`, whose value has the shape of {@link parseConcise} without
 * escapes, or the old `dm=`, which says so in `note`. The parameter's name and its quotes may be there.
 *
 * @throws {InputError} what the kernel refuses, with `offset`, `line` and `column`: also a target that
 * is not in {@link BOOT_TARGETS}
 * @example parseDmModCreate('lroot,,,rw, 0 4096 linear 98:16 0')[0].name // 'lroot'
 * @see drivers/md/dm-init.c dm_parse_devices()
 */
export function parseDmModCreate(parameter: string): ConciseDevice[] {
  const value = valueOf(parameter, /^\s*"?(?:dm-mod\.create|dm)=/);
  const source = new Source(value, { escapes: false });
  if (/^\s*\d+\s+\S+\s+\S+\s+r[ow]\s+\d+\s*,/.test(value)) return oldDevices(source);
  const { length } = value.trim();
  if (length >= BOOT_LENGTH) {
    source.refuse(0, `expected at most ${BOOT_LENGTH - 1} characters, got ${length}`);
  }
  const fields = source.fields(true);
  if (fields.length > BOOT_DEVICES) {
    source.refuse(0, `expected at most ${BOOT_DEVICES} devices, got ${fields.length}`);
  }
  const long = fields.find(({ lines }) => lines.length > BOOT_LINES)?.lines;
  if (long !== undefined) {
    source.refuse(long[0]!.from, `expected at most ${BOOT_LINES} targets, got ${long.length}`);
  }
  return source.tables(fields, true, 0);
}

/** `COUNT NAME UUID|none ro|rw LINES,LINE,…`, and again from the name for each further device. */
function oldDevices(source: Source): ConciseDevice[] {
  const pieces = source.pieces().flat();
  const devices: Fields[] = [];
  let wanted = 0;
  for (let at = 0; at < pieces.length;) {
    const piece = pieces[at++]!;
    const words = source.value(piece).split(/\s+/);
    if (devices.length === 0) wanted = Number(words.shift());
    const [name, uuid, mode, lines] = words as [string, string?, string?, string?];
    const count = Number(lines);
    if (
      words.length !== 4 ||
      !/^r[ow]$/.test(mode!) ||
      !(count > 0) ||
      count > pieces.length - at
    ) {
      source.refuse(
        piece.from,
        `expected NAME UUID ro|rw LINES and so many lines, got ${show(source.value(piece))}`,
      );
    }
    devices.push({
      name: source.string(piece, name, 1, DM_NAME_LEN, 'a name'),
      uuid: uuid === 'none' ? '' : source.string(piece, uuid!, 1, DM_UUID_LEN, 'a uuid'),
      readOnly: mode === 'ro',
      note: OLD_FORM,
      lines: pieces.slice(at, (at += count)),
    });
  }
  if (devices.length !== wanted) {
    source.refuse(0, `expected ${wanted} devices, got ${devices.length}`);
  }
  return source.tables(devices, false, 0);
}

/**
 * Devices as the value of `dm-mod.create=`. On a kernel's command line it stands in double quotes.
 *
 * @throws {InputError} what the kernel would refuse or misread, with `path`: a target that is not in
 * {@link BOOT_TARGETS}, one without parameters, a comma, a semicolon or a quote
 * @example formatDmModCreate([{ name: 'root', targets: '0 8 linear 8:1 0' }]) // 'root,,,rw,0 8 linear 8:1 0'
 */
export function formatDmModCreate(devices: readonly ConciseInput[]): string {
  const whole = format(devices, (value, path, line) => {
    const bad = /[,;"]/.exec(value);
    if (bad !== null) {
      const problem = `expected what dm-mod.create= can say, got ${show(bad[0])}, which it cannot escape`;
      throw new InputError({ path }, problem);
    }
    if (line) {
      const [, , type = '', ...parameters] = value.trimEnd().split(' ');
      checkBoot({ type, parameters: parameters.join(' ') }, (problem, field) => {
        throw new InputError(
          { path: `${path}.${field === Line.TYPE ? 'type' : 'parameters'}` },
          problem,
        );
      });
    }
    return value;
  });
  // What the kernel would refuse as a whole.
  parseDmModCreate(whole);
  return whole;
}

/** Devices with their fields parted by commas, each made fit by `fit`. */
function format(
  devices: readonly ConciseInput[],
  fit: (value: string, path: string, isLine: boolean) => string,
): string {
  if (!Array.isArray(devices)) {
    throw new InputError({ path: 'devices' }, `expected an array, got ${show(devices)}`);
  }
  return (devices as readonly ConciseInput[])
    .map(({ name, uuid = '', minor, readOnly = false, targets }, i) => {
      const path = `devices[${i}]`;
      if (minor !== undefined && !(Number.isInteger(minor) && minor >= 0 && minor < MINORS)) {
        const problem = `expected a minor from 0 to ${MINORS - 1}, got ${show(minor)}`;
        throw new InputError({ path: `${path}.minor` }, problem);
      }
      const strings = [
        fieldOf(name, 1, DM_NAME_LEN, `${path}.name`),
        fieldOf(uuid, 0, DM_UUID_LEN, `${path}.uuid`),
      ].map((value, field) => fit(value, `${path}.${field === 0 ? 'name' : 'uuid'}`, false));
      const lines = linesOf(targets, `${path}.targets`).map((line, row) =>
        // As dmsetup prints it, a blank follows a type that has no parameters.
        fit(/^\S+ \S+ \S+$/.test(line) ? `${line} ` : line, `${path}.targets[${row}]`, true),
      );
      return [
        ...strings,
        minor ?? '',
        readOnly ? 'ro' : 'rw',
        ...(lines.length === 0 ? [''] : lines),
      ].join(',');
    })
    .join(';');
}

/** A name or a uuid; blanks at its begin would be left out when it is read. */
function fieldOf(value: unknown, least: number, size: number, path: string): string {
  if (typeof value !== 'string' || /^\s|\0/.test(value)) {
    throw new InputError(
      { path },
      `expected a text without a blank at its begin, got ${show(value)}`,
    );
  }
  const { length } = toBytes(value, path);
  if (length >= least && length < size) return value;
  throw new InputError({ path }, `expected ${least} to ${size - 1} bytes, got ${length}`);
}

/**
 * The devices that `dm-mod.waitfor=` has the kernel wait for before it makes those of `dm-mod.create=`. The
 * parameter's name and its quotes may be there.
 *
 * @example parseDmModWaitfor('dm-mod.waitfor=/dev/sda1,/dev/sda2') // ['/dev/sda1', '/dev/sda2']
 * @throws {InputError} an empty one, more than 256, with `offset`
 * @see drivers/md/dm-init.c dm_init_init(); from 6.2 on
 */
export function parseDmModWaitfor(parameter: string): string[] {
  const value = valueOf(parameter, /^\s*"?dm-mod\.waitfor=/);
  const source = new Source(value, { escapes: false });
  const begin = value.length - value.trimStart().length;
  let offset = begin;
  const devices = value
    .slice(begin)
    .split(',')
    .map((device) => {
      if (device.trim() === '') source.refuse(offset, 'expected a device, got nothing');
      offset += device.length + 1;
      return device.trim();
    });
  if (devices.length > BOOT_DEVICES) {
    source.refuse(begin, `expected at most ${BOOT_DEVICES} devices, got ${devices.length}`);
  }
  return devices;
}

/**
 * The value of `dm-mod.waitfor=`.
 *
 * @example formatDmModWaitfor(['/dev/sda1', 'PARTLABEL=root']) // '/dev/sda1,PARTLABEL=root'
 * @throws {InputError} a device with a comma, a blank or a quote in it, none or more than 256
 */
export function formatDmModWaitfor(devices: readonly string[]): string {
  devices.forEach((device, i) => {
    if (typeof device === 'string' && /^[^,\s"]+$/.test(device)) return;
    const problem = `expected a device without comma, blank and quote, got ${show(device)}`;
    throw new InputError({ path: `devices[${i}]` }, problem);
  });
  if (devices.length === 0 || devices.length > BOOT_DEVICES) {
    throw new InputError(
      { path: 'devices' },
      `expected 1 to ${BOOT_DEVICES}, got ${devices.length}`,
    );
  }
  return devices.join(',');
}
