// What the linter says of a table, and what a kernel does with it: in a guest, where tables are loaded for
// real into devices that never had one, since only the first load looks at what lies beneath.

import {
  DeviceMapperSync,
  KernelTransport,
  REQUEST_CODE,
  encodeRequest,
  lintTable,
  majorOf,
  minorOf,
  parseTable,
  type InputError,
  type LintDevice,
  type LintOptions,
  type Target,
} from 'devicemapper';
import { errnoCode, isSince, machineOf, refusal, type Machine, type Refusal } from '#internal';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { DISKS, machine } from '../scenarios/machine.js';
import type { Disks, Generator } from './generator.js';

/** The scratch disks. */
const PLAIN = [...DISKS, '/dev/ubdc', '/dev/ubdd'];
/** Enough of old metadata. */
const ZEROS = new Uint8Array(8192);

/** Of the scratch disks, which have 64 MiB. */
export const DISK_SECTORS = 131072;
/** Of the loop devices. */
export const LOOP_SECTORS = 8192;
export const LARGE_BLOCK = 4096;

/** One table of an agreement run. */
export interface Case {
  /** A text for tables of many rows, targets where words have bytes that a line cannot say. */
  readonly table: string | readonly Target[];
  /** The rule that it is about, if that is known. */
  readonly about?: string;
  readonly readOnly?: boolean;
  /** The disks at whose start zeros belong. */
  readonly wiped?: readonly string[];
}

/** How often what happened. */
export interface Counts {
  tried: number;
  accepted: number;
  refused: number;
  /** An error of the linter's, and the kernel loads it. */
  falseAlarms: number;
  /** The kernel refuses what the linter has no error of. */
  misses: number;
  /** The kernel refuses for what the linter cannot know: a device or a type that is not there, what is on a disk. */
  undecided: number;
  /** The kernel refuses with another errno, or in other words, than the rule has. */
  misworded: number;
}

export const NONE: Readonly<Counts> = {
  tried: 0,
  accepted: 0,
  refused: 0,
  falseAlarms: 0,
  misses: 0,
  undecided: 0,
  misworded: 0,
};

/** What came of one target type, or of all tables. */
export interface Outcome {
  readonly total: Counts;
  readonly rules: Record<string, Counts>;
  /** The first of those that went wrong, in words. */
  readonly wrong: string[];
}

/** What is kept of a run, for docs/lint.md. */
export interface Kept {
  readonly release: string;
  readonly seed: number;
  readonly outcomes: Readonly<Record<string, Pick<Outcome, 'total' | 'rules'>>>;
}

/** What is refused for what is on a disk: metadata of other lines. */
const ON_DISK = [
  'integrity: The device is not initialized',
  'raid: Unable to assemble array: Invalid superblocks',
  'writecache: Invalid magic in the superblock',
];

/**
 * Is it the number of some device here? Before Linux 6.12 a word may be one in hexadecimal, in the encoding of
 * new_decode_dev() (init/do_mounts.c name_to_dev_t()).
 */
function isHexDevice(word: string): boolean {
  if (!/^[0-9a-f]{1,8}$/i.test(word)) return false;
  const dev = parseInt(word, 16);
  return fs.existsSync(`/sys/dev/block/${majorOf(dev)}:${minorOf(dev)}`);
}

const [ENOENT, ENXIO, ENODEV] = [2, 6, 19];
const MOST_WRONG = 20;
/** Loads tables, and has the machine that the linter is told of. */
export class Judge {
  readonly release = release();
  readonly disks: Disks & { readonly large: string; readonly readOnly: string };
  options: LintOptions;
  #told: LintOptions = {};
  readonly #transport: KernelTransport;
  readonly #loops: string[] = [];
  readonly #dir: string;

  constructor() {
    // A file on hostfs is none that a loop device takes on every kernel.
    this.#dir = fs.mkdtempSync('/run/agreement-');
    const large = this.#loop('large', ['--sector-size', `${LARGE_BLOCK}`]);
    const readOnly = this.#loop('read-only', []);
    execFileSync('blockdev', ['--setro', readOnly]);
    this.disks = { plain: PLAIN, large, readOnly };
    const of = (path: string, sectors: number, more: Partial<LintDevice> = {}): LintDevice => {
      const { rdev } = fs.statSync(path);
      return { sectors, dev: `${rdev >> 8}:${rdev & 0xff}`, ...more };
    };
    this.options = {
      kernel: this.release,
      devices: {
        ...Object.fromEntries(PLAIN.map((path) => [path, of(path, DISK_SECTORS)])),
        [large]: of(large, LOOP_SECTORS, { logicalBlockSize: LARGE_BLOCK }),
        [readOnly]: of(readOnly, LOOP_SECTORS, { readOnly: true }),
      },
    };
    // Last, as nobody closes what was not made whole.
    this.#transport = KernelTransport.open();
  }

  /** Make what lines stand on, on disks without the metadata of another type. */
  begin({ beneath }: Generator): void {
    this.#told = this.options;
    if (beneath === undefined) return;
    for (const path of PLAIN) machine.write(path, 0, ZEROS);
    using dm = new DeviceMapperSync(KernelTransport.open());
    const devices = { ...this.options.devices, ...beneath(dm, this.disks) };
    this.options = { ...this.options, devices };
  }

  /** Remove it. */
  end(): void {
    this.options = this.#told;
    using dm = new DeviceMapperSync(KernelTransport.open());
    for (const { name } of dm.listDevices()) dm.removeDevice(name, { retry: true });
  }

  #loop(name: string, options: readonly string[]): string {
    const file = join(this.#dir, name);
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 512 * LOOP_SECTORS);
    const args = ['--find', '--show', ...options, file];
    const path = execFileSync('losetup', args, { encoding: 'utf8' }).trim();
    this.#loops.push(path);
    return path;
  }

  close(): void {
    this.#transport.close();
    for (const loop of this.#loops) execFileSync('losetup', ['--detach', loop]);
    fs.rmSync(this.#dir, { recursive: true });
  }

  /** The errno of a first load, 0 if it went well, and what was logged; EINVAL of what cannot be sent. */
  load({ table, readOnly = false, wiped = [] }: Case): { errno: number; log: string[] } {
    const name = 'agreement';
    let request;
    try {
      request = encodeRequest('TABLE_LOAD', { name, targets: table, flags: readOnly ? 1 : 0 });
    } catch (error) {
      return { errno: 22, log: [(error as InputError).message] };
    }
    for (const path of wiped) machine.write(path, 0, ZEROS);
    this.#call('DEV_CREATE', name);
    const errno = this.#transport.ioctl(REQUEST_CODE.TABLE_LOAD, request);
    const log = errno === 0 ? [] : this.#transport.kernelLog();
    this.#call('DEV_REMOVE', name);
    return { errno, log };
  }

  #call(command: 'DEV_CREATE' | 'DEV_REMOVE', name: string): void {
    const errno = this.#transport.ioctl(REQUEST_CODE[command], encodeRequest(command, { name }));
    if (errno !== 0) throw new Error(`${command}: ${errnoCode(errno)}`);
  }

  #refusalOf(table: Case['table'], readOnly: boolean): Refusal | undefined {
    const known = machineOf({ ...this.options, readOnly });
    const linux: Machine = {
      ...known,
      release: this.release,
      lookup: (word) => known.lookup(word) ?? this.#errnoOf(word),
    };
    try {
      const rows = typeof table === 'string' ? parseTable(table) : table;
      for (const row of rows) {
        const found = refusal(row, linux);
        if (found !== undefined) return found;
      }
    } catch {
      // A text that is none.
    }
    return undefined;
  }

  /**
   * Of a device that is not there: ENXIO of a number, and of a path ENODEV, from 6.12 on what the path is.
   * Up to 6.1 a number in hexadecimal is one, too (init/do_mounts.c name_to_dev_t).
   */
  #errnoOf(word: string): number {
    if (/^[\t-\r ]*\d+:[\t-\r ]*\d+$/.test(word)) return ENXIO;
    if (isSince(this.release, '6.12')) return ENOENT;
    return /^(0x)?[0-9a-f]+$/i.test(word) && parseInt(word, 16) !== 0 ? ENXIO : ENODEV;
  }

  /** Lint a table, load it, and count it where it belongs. */
  try(one: Case, into: Outcome): void {
    const { table, readOnly = false } = one;
    const found = lintTable(table, { ...this.options, readOnly });
    const error = found.find(({ severity }) => severity === 'error');
    const { errno, log } = this.load(one);
    const isRefused = errno !== 0;
    const what: (keyof Counts)[] = ['tried', isRefused ? 'refused' : 'accepted'];
    if (error !== undefined && !isRefused) what.push('falseAlarms');
    // As a kernel has it that knows all the devices that there are.
    const said = isRefused ? this.#refusalOf(table, readOnly) : undefined;
    const isUntyped =
      found.some(({ code }) => code === 'type-missing') &&
      log.some((line) => line.endsWith(': unknown target type'));
    const isHidden =
      log.some((line) => ON_DISK.some((text) => line.includes(text))) ||
      (said !== undefined &&
        !isSince(this.release, '6.12') &&
        textOf(table)
          .split(/[\s"\\]+/)
          .some(isHexDevice));
    const isWorded = said?.errno === errno && log.some((line) => hasWords(line, said));
    if (error === undefined && isRefused) {
      what.push(isWorded || isUntyped || isHidden ? 'undecided' : 'misses');
    }
    if (error !== undefined && isRefused && said !== undefined && !isWorded && !isHidden) {
      what.push('misworded');
    }
    const code = one.about ?? error?.code ?? 'other';
    into.rules[code] ??= { ...NONE };
    for (const key of what) {
      into.total[key]++;
      into.rules[code][key]++;
    }
    if (what.length > 2 && what[2] !== 'undecided' && into.wrong.length < MOST_WRONG) {
      const told = `linter ${error?.code ?? 'nothing'} ${said?.errno ?? ''} ${said?.log ?? ''}`;
      const kernel = isRefused ? `${errnoCode(errno)} ${log.join(' | ')}` : 'loads it';
      into.wrong.push(`${what[2]} ${code}: ${textOf(table)}: ${told}; kernel ${kernel}`);
    }
  }
}

/** `table: 253:0: linear: Invalid argument count (-EINVAL)`; before Linux 6.1 without the errno. */
function hasWords(line: string, { log }: Refusal): boolean {
  return line.replace(/ \(-\w+\)$/, '').endsWith(`: ${log}`);
}

function textOf(table: string | readonly Target[]): string {
  if (typeof table === 'string') return JSON.stringify(table);
  return table
    .map(({ startSector, length, type, parameters }) =>
      JSON.stringify(`${startSector} ${length} ${type} ${(parameters as string[]).join(' ')}`),
    )
    .join(' ');
}
