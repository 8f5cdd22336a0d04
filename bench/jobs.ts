// What is measured: for each job the package's way and its peers', doing the same work on the same
// input. Each side runs in a process of its own (contender.ts, or a program of peers.mjs), so they share
// no type feedback.

import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  DM_UUID_FLAG,
  decodeReply,
  encodeReply,
  encodeRequest,
  lintTable,
  makeDev,
  parseTable,
  type DeviceListEntry,
  type Header,
  type Table,
  type Target,
  type TargetLine,
} from 'devicemapper/codec';
import { decodeDevices, decodeHeader, decodeTableStatus, encodeTableLoad } from './plain.js';

/** One way of doing a job. */
export interface Contender {
  /** Do it once; the caller keeps the result, so that nothing is optimized away. */
  readonly run: () => unknown;
  /** A result as what must be the same on both sides. */
  readonly essence: (result: unknown) => unknown;
}

export type Make = () => Contender | Promise<Contender>;

/** A job of a program of peers.mjs. It writes what it made to a file. */
export interface Native {
  readonly program: 'libdm' | 'wrapper';
  readonly job: string;
  /** What its kernel replies, if it asks one. */
  readonly reply?: () => Uint8Array;
  /** The package's result, and the bytes of that file, as what must be the same. */
  readonly essence: (result: unknown) => unknown;
  readonly read: (file: Uint8Array) => unknown;
}

export interface Peer {
  readonly peer: string;
  /** The most that time(package) / time(peer) should be, if there is a goal. */
  readonly want?: number | undefined;
  readonly way: Make | Native;
}

export interface Job {
  readonly job: string;
  /** How many targets or devices. */
  readonly n: number;
  /** A package without which it cannot run. */
  readonly needs?: string;
  readonly pkg: Make;
  readonly peers: readonly Peer[];
}

/** What tells whether two results are the same. */
export function digest(value: unknown): string {
  return createHash('sha256')
    .update(value instanceof Uint8Array ? value : JSON.stringify(value))
    .digest('hex');
}

const PLAIN = 'plain JS';
const LIBDM = 'libdm';
const GO = 'Go wrapper';
const NAME = 'bench';

// ── Inputs ───────────────────────────────────────────────────────────────────────────────────────

const LENGTH = 2048;

function linear(n: number): Target[] {
  return read(
    Array.from({ length: n }, (_, i) => ({
      startSector: i * LENGTH,
      length: LENGTH,
      type: 'linear',
      parameters: `253:3 ${2048 + i * LENGTH}`,
    })),
  );
}

/**
 * As a program reads it from a file. V8 keeps a string that was just put together as its parts, and puts
 * them together in memory when a character is first asked for, which would be one side's cost once, and
 * the other's each time.
 */
function read<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The same as a dmsetup table. */
function linearText(n: number): string {
  return linear(n)
    .map(({ startSector, length, type, parameters }) => {
      return `${startSector} ${length} ${type} ${parameters as string}\n`;
    })
    .join('');
}

/** What callers may also pass: the cost of each against a plain table. */
const OTHER_TARGETS: Readonly<Record<string, (i: number) => Target>> = {
  'texts just put together': (i) => ({
    startSector: i * LENGTH,
    length: LENGTH,
    type: 'linear',
    parameters: `253:3 ${2048 + i * LENGTH}`,
  }),
  'arrays of words': (i) => ({
    startSector: i * LENGTH,
    length: LENGTH,
    type: 'linear',
    parameters: ['253:3', 2048 + i * LENGTH],
  }),
  'six mixed shapes': (i) => {
    const startSector = i * LENGTH;
    const length = LENGTH;
    const parameters = `253:3 ${2048 + i * LENGTH}`;
    return [
      { startSector, length, type: 'linear', parameters },
      { length, startSector, type: 'delay', parameters: `${parameters} 10` },
      { type: 'striped', startSector, length, parameters: `1 64 ${parameters}` },
      { parameters, type: 'linear', startSector, length, comment: i },
      { startSector, type: 'zero', length, parameters: '' },
      { startSector, length, parameters: `${parameters} 1 1`, type: 'flakey' },
    ][i % 6]!;
  },
  'class with getters': (i) => new Row(i),
  'bigint starts': (i) => ({
    startSector: BigInt(i * LENGTH),
    length: LENGTH,
    type: 'linear',
    parameters: `253:3 ${2048 + i * LENGTH}`,
  }),
  'not ASCII': (i) => ({
    startSector: i * LENGTH,
    length: LENGTH,
    type: 'linear',
    parameters: `/dev/mapper/größe ${2048 + i * LENGTH}`,
  }),
  'crypt, 150 bytes': (i) => ({
    startSector: i * LENGTH,
    length: LENGTH,
    type: 'crypt',
    parameters:
      `aes-xts-plain64 :64:logon:cryptsetup:2b9cd3a6-6a0c-4f6b-8d3e-${String(i).padStart(12, '0')}-d0 ` +
      `0 /dev/disk/by-id/ata-disk-${i} 32768 2 allow_discards sector_size:4096`,
  }),
};

class Row implements Target {
  readonly #index: number;
  readonly #type: string = 'linear';

  constructor(index: number) {
    this.#index = index;
  }
  get startSector(): number {
    return this.#index * LENGTH;
  }
  get length(): number {
    return LENGTH;
  }
  get type(): string {
    return this.#type;
  }
  get parameters(): string {
    return `253:3 ${2048 + this.#index * LENGTH}`;
  }
}

/** Logical volumes, with uuids as LVM makes them. */
function volumes(n: number): { name: string; uuid: string; dev: number; eventNumber: number }[] {
  return Array.from({ length: n }, (_, i) => ({
    name: `vg0-lv${String(i).padStart(5, '0')}`,
    uuid: `LVM-${Math.imul(i, 0x9e3779b1) >>> 0}`.padEnd(68, 'kZxq7Rw2'),
    dev: makeDev(253, i),
    eventNumber: i % 7,
  }));
}

// ── Native peers ─────────────────────────────────────────────────────────────────────────────────

/** libdm making a load. */
function libdmLoad(job: 'encode' | 'text'): Native {
  return { program: 'libdm', job, essence: likeLibdm, read: likeLibdm };
}

/** A load without what libdm says in its own way: its buffer is larger, and it sets a flag of its own. */
function likeLibdm(request: unknown): Uint8Array {
  const bytes = (request as Uint8Array).slice();
  bytes.fill(0, 12, 16); // data_size
  bytes.fill(0, 28, 32); // flags
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

/** libdm taking a reply apart, into lines. */
function libdmQuery(
  job: 'decode' | 'list',
  reply: () => Uint8Array,
  lines: (reply: Decoded) => readonly string[],
): Native {
  return {
    program: 'libdm',
    job,
    reply,
    essence: (result) => lines(result as Decoded),
    read: (file) => new TextDecoder().decode(file).split('\n').slice(0, -1),
  };
}

function inGo(job: string): Native {
  return { program: 'wrapper', job, essence: (bytes) => bytes, read: (bytes) => bytes };
}

// ── Codec ────────────────────────────────────────────────────────────────────────────────────────

/** A load, in one of two ways. */
type Load = (table: Table, into?: Uint8Array) => Uint8Array;
const load: Load = (targets, into) => encodeRequest('TABLE_LOAD', { name: NAME, targets }, into);
const plainLoad: Load = (targets, into) => encodeTableLoad({ name: NAME, targets }, into);

/** The load of a table into a kept buffer, as libdm's own memory is kept, by malloc. */
function loading(work: Load, makeTable: () => Table): Make {
  return () => {
    const table = makeTable();
    const into = new Uint8Array(work(table).length);
    return { run: () => work(table, into), essence: (bytes) => bytes };
  };
}

function encode(what: string, n: number, makeTable: () => Table, peers: Peer[] = []): Job {
  return {
    job: `encode ${what}`,
    n,
    pkg: loading(load, makeTable),
    peers: [
      {
        peer: PLAIN,
        want: n === 1000 ? { linear: 0.65, text: 0.45 }[what] : undefined,
        way: loading(plainLoad, makeTable),
      },
      ...peers,
    ],
  };
}

/** Into an array of its own: what that costs is the same on both sides. */
function encodeNew(n: number): Job {
  const side = (work: Load): Make => {
    return () => {
      const table = linear(n);
      return { run: () => work(table), essence: (bytes) => bytes };
    };
  };
  return {
    job: 'encode linear, new array',
    n,
    pkg: side(load),
    peers: [{ peer: PLAIN, way: side(plainLoad) }],
  };
}

function encodeLinear(n: number): Job {
  return encode('linear', n, () => linear(n), [
    { peer: LIBDM, want: { 1: 0.8, 1000: 0.3 }[n], way: libdmLoad('encode') },
    { peer: GO, want: goal(1 / 12, n === 1000), way: inGo('encode') },
    { peer: 'Go, sized', way: inGo('encode-sized') },
  ]);
}

function encodeText(n: number): Job {
  return encode('text', n, () => linearText(n), [
    { peer: LIBDM, want: goal(0.1, n === 1000), way: libdmLoad('text') },
  ]);
}

/** A table's text to its targets, and the plain way: lines by an expression, the numbers by Number. */
function parseText(n: number): Job {
  const side = (work: (text: string) => readonly Target[]): Make => {
    return () => {
      const text = linearText(n);
      return { run: () => work(text), essence: (targets) => targets };
    };
  };
  const plain = (text: string): Target[] => {
    const targets: Target[] = [];
    for (const line of text.split('\n')) {
      const content = line.trim();
      if (content === '' || content.startsWith('#')) continue;
      const [, start, length, type, rest] = /^(\d+)\s+(\d+)\s+(\S+)\s*([^#]*)/.exec(content)!;
      targets.push({
        startSector: Number(start),
        length: Number(length),
        type: type!,
        parameters: rest!.trimEnd(),
      });
    }
    return targets;
  };
  return {
    job: 'parse text',
    n,
    pkg: side(parseTable),
    peers: [{ peer: PLAIN, way: side(plain) }],
  };
}

/** A table's text judged anew after each edit of one line of it, against parsing it. */
function lintText(n: number): Job {
  const side = (work: (text: string) => readonly unknown[], rows: number): Make => {
    return () => {
      const lines = linearText(n).split('\n');
      const texts = [0, 1].map((edit) =>
        read(lines.with(n >> 1, `${lines[n >> 1]!}${edit === 0 ? '' : '0'}`).join('\n')),
      );
      let edits = 0;
      return {
        run: () => work(texts[edits++ & 1]!),
        // A good table: no finding, and all rows.
        essence: (result) => (result as readonly unknown[]).length - rows,
      };
    };
  };
  return {
    job: 'lint text after an edit',
    n,
    pkg: side((text) => lintTable(text), 0),
    peers: [{ peer: 'parseTable', want: goal(4, n === 1000), way: side(parseTable, n) }],
  };
}

/** A reply to the end: header and list, as decodeReply gives them. */
interface Decoded {
  readonly name: string;
  readonly targets?: readonly TargetLine[];
  readonly devices?: readonly DeviceListEntry[];
}

function decode(what: string, n: number, makeTargets: () => Target[]): Job {
  const reply = (): Uint8Array => {
    return encodeReply('TABLE_STATUS', { name: NAME, targets: makeTargets() });
  };
  const side = (work: (bytes: Uint8Array) => unknown): Make => {
    return () => {
      const bytes = reply();
      return {
        run: () => work(bytes),
        essence: (result) => {
          const { targets = [], ...header } = result as Decoded;
          const rows = targets.map(({ startSector, length, type, parameters }) => {
            return [startSector, length, type, parameters];
          });
          return [Object.entries(header), rows];
        },
      };
    };
  };
  const plain = side((bytes) => {
    const reply: Header & { targets?: unknown } = decodeHeader(bytes);
    reply.targets = decodeTableStatus(bytes);
    return reply;
  });
  const libdm = libdmQuery('decode', reply, ({ targets = [] }) => {
    return targets.map(({ startSector, length, type, parameters }) => {
      return `${startSector} ${length} ${type} ${parameters}`;
    });
  });
  const read = what === 'linear' && n === 1000;
  return {
    job: `decode ${what}`,
    n,
    pkg: side((bytes) => decodeReply('TABLE_STATUS', bytes)),
    peers: [
      { peer: PLAIN, want: goal(0.72, read), way: plain },
      { peer: LIBDM, want: goal(0.3, read), way: libdm },
    ],
  };
}

function list(n: number): Job {
  const reply = (): Uint8Array => {
    return encodeReply('LIST_DEVICES', { flags: DM_UUID_FLAG, devices: volumes(n) });
  };
  const side = (work: (bytes: Uint8Array) => unknown): Make => {
    return () => {
      const bytes = reply();
      return {
        run: () => work(bytes),
        essence: (result) => {
          const { devices = [], ...header } = result as Decoded;
          return [Object.entries(header), devices.map((device) => Object.entries(device).sort())];
        },
      };
    };
  };
  const plain = side((bytes) => {
    const reply: Header & { devices?: unknown } = decodeHeader(bytes);
    reply.devices = decodeDevices(bytes);
    return reply;
  });
  const libdm = libdmQuery('list', reply, ({ devices = [] }) => {
    return devices.map(({ dev, eventNumber = 0, name, uuid = '' }) => {
      return `${dev} ${eventNumber} ${name} ${uuid}`;
    });
  });
  return {
    job: 'decode a device list',
    n,
    pkg: side((bytes) => decodeReply('LIST_DEVICES', bytes)),
    peers: [
      { peer: PLAIN, want: goal(0.6, n === 10_000), way: plain },
      { peer: LIBDM, want: goal(0.35, n === 10_000), way: libdm },
    ],
  };
}

/** A goal where it is read; elsewhere the same ratio is only reported. */
function goal(want: number, isReadHere: boolean): number | undefined {
  return isReadHere ? want : undefined;
}

// ── Small operations ─────────────────────────────────────────────────────────────────────────────

/** An ioctl that any descriptor takes and that does next to nothing (close-on-exec, which it has). */
const FIOCLEX = 0x5451;

/** That ioctl on /dev/null, through koffi as in the package's own transport. */
function openIoctl(): (buffer: Uint8Array) => number {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const fd = openSync('/dev/null', 'r+');
  process.on('exit', () => {
    closeSync(fd);
  });
  const ioctl = koffi
    .load(null)
    .func('int ioctl(int fd, unsigned long request, void *data)') as unknown as (
    fd: number,
    request: number,
    data: Uint8Array,
  ) => number;
  return (buffer) => ioctl(fd, FIOCLEX, buffer);
}

function bareIoctl(): Contender {
  const ioctl = openIoctl();
  const kept = new Uint8Array(16384);
  return { run: () => ioctl(kept), essence: (result) => result === 0 && NAME };
}

const BARE = 'bare ioctl';

const OPERATIONS: readonly Job[] = [
  {
    job: 'status: encode, ioctl, decode',
    n: 1,
    needs: 'koffi',
    pkg: () => {
      const ioctl = openIoctl();
      // Exactly as long as the request: a longer one costs a view of it.
      const kept = new Uint8Array(312);
      const run = (): unknown => {
        const request = encodeRequest('DEV_STATUS', { name: NAME }, kept);
        return ioctl(request) || decodeReply('DEV_STATUS', request);
      };
      return { run, essence: (reply) => (reply as { readonly name: string }).name };
    },
    peers: [{ peer: BARE, want: 1.6, way: bareIoctl }],
  },
  {
    job: 'DeviceMapperSync.getDevice',
    n: 1,
    needs: 'koffi',
    pkg: async () => {
      const { DeviceMapperSync } = await import('devicemapper');
      const ioctl = openIoctl();
      const dm = new DeviceMapperSync({
        // The request is a valid reply, and it stays in the buffer.
        ioctl: (_, buffer) => ioctl(buffer),
        ioctlAsync: (_, buffer) => Promise.resolve(ioctl(buffer)),
        close: () => undefined,
      });
      const run = (): unknown => dm.getDevice(NAME);
      return { run, essence: (device) => (device as { readonly name: string }).name };
    },
    peers: [{ peer: BARE, want: 2.2, way: bareIoctl }],
  },
];

const SIZES = [1, 10, 100, 1000, 10_000, 100_000];

/** All jobs, in the order of the report. Goals are read at 1,000 targets and 10,000 devices. */
export const JOBS: readonly Job[] = [
  ...SIZES.map((n) => encodeLinear(n)),
  ...Object.entries(OTHER_TARGETS).map(([what, make]) => {
    // Words are what the wrapper takes, in every job.
    const peers = what === 'arrays of words' ? [{ peer: GO, way: inGo('encode') }] : [];
    return encode(what, 1000, () => Array.from({ length: 1000 }, (_, i) => make(i)), peers);
  }),
  encodeNew(1),
  encodeNew(1000),
  ...[1, 1000, 100_000].map((n) => encodeText(n)),
  ...SIZES.map((n) => parseText(n)),
  ...[10, 1000, 100_000].map((n) => lintText(n)),
  ...SIZES.map((n) => decode('linear', n, () => linear(n))),
  ...['six mixed shapes', 'not ASCII', 'crypt, 150 bytes'].map((what) => {
    const make = OTHER_TARGETS[what]!;
    return decode(what, 1000, () => Array.from({ length: 1000 }, (_, i) => make(i)));
  }),
  list(1000),
  list(10_000),
  ...OPERATIONS,
];
