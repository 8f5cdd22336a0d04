// What is measured: for each job the package's way and the peer's, doing the same work on the same
// input. Each side runs in a process of its own (contender.ts), so they share no type feedback.

import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  DM_UUID_FLAG,
  decodeReply,
  encodeReply,
  encodeRequest,
  makeDev,
  type Header,
  type Target,
  type TargetLine,
} from 'devicemapper/codec';
import { decodeDevices, decodeHeader, decodeTableStatus, encodeTableLoad } from './plain.js';

export type Side = 'pkg' | 'peer';

/** One way of doing a job. */
export interface Contender {
  /** Do it once; the caller keeps the result, so that nothing is optimized away. */
  readonly run: () => unknown;
  /** A result as what must be the same on both sides. */
  readonly essence: (result: unknown) => unknown;
}

export interface Job {
  readonly job: string;
  /** How many targets or devices. */
  readonly n: number;
  readonly peer: string;
  /** The most that time(package) / time(peer) should be, if there is a goal. */
  readonly want?: number;
  /** A package without which it cannot run. */
  readonly needs?: string;
  readonly sides: Readonly<Record<Side, () => Contender | Promise<Contender>>>;
}

const PLAIN = 'plain JS';
const NAME = 'bench';

// ── Inputs ───────────────────────────────────────────────────────────────────────────────────────

const LENGTH = 2048;

function linear(n: number): Target[] {
  return Array.from({ length: n }, (_, i) => ({
    startSector: i * LENGTH,
    length: LENGTH,
    type: 'linear',
    parameters: `253:3 ${2048 + i * LENGTH}`,
  }));
}

/** What callers may also pass: the cost of each against a plain table. */
const OTHER_TARGETS: Readonly<Record<string, (i: number) => Target>> = {
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

// ── Codec ────────────────────────────────────────────────────────────────────────────────────────

function encode(what: string, n: number, makeTargets: () => Target[], want?: number): Job {
  const side = (work: (targets: Target[]) => Uint8Array): (() => Contender) => {
    return () => {
      const targets = makeTargets();
      return { run: () => work(targets), essence: (bytes) => bytes };
    };
  };
  return {
    job: `encode ${what}`,
    n,
    peer: PLAIN,
    ...wanting(want),
    sides: {
      pkg: side((targets) => encodeRequest('TABLE_LOAD', { name: NAME, targets })),
      peer: side((targets) => encodeTableLoad({ name: NAME, targets })),
    },
  };
}

/** A reply to the end: header and list, as decodeReply gives them. */
interface Decoded {
  readonly name: string;
  readonly targets?: readonly TargetLine[];
  readonly devices?: readonly { readonly name: string }[];
}

function decode(what: string, n: number, makeTargets: () => Target[], want?: number): Job {
  const side = (work: (bytes: Uint8Array) => unknown): (() => Contender) => {
    return () => {
      const bytes = encodeReply('TABLE_STATUS', { name: NAME, targets: makeTargets() });
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
  return {
    job: `decode ${what}`,
    n,
    peer: PLAIN,
    ...wanting(want),
    sides: {
      pkg: side((bytes) => decodeReply('TABLE_STATUS', bytes)),
      peer: side((bytes) => {
        const reply: Header & { targets?: unknown } = decodeHeader(bytes);
        reply.targets = decodeTableStatus(bytes);
        return reply;
      }),
    },
  };
}

function list(n: number, want?: number): Job {
  const side = (work: (bytes: Uint8Array) => unknown): (() => Contender) => {
    return () => {
      const bytes = encodeReply('LIST_DEVICES', { flags: DM_UUID_FLAG, devices: volumes(n) });
      return {
        run: () => work(bytes),
        essence: (result) => {
          const { devices = [], ...header } = result as Decoded;
          return [Object.entries(header), devices.map((device) => Object.entries(device).sort())];
        },
      };
    };
  };
  return {
    job: 'decode a device list',
    n,
    peer: PLAIN,
    ...wanting(want),
    sides: {
      pkg: side((bytes) => decodeReply('LIST_DEVICES', bytes)),
      peer: side((bytes) => {
        const reply: Header & { devices?: unknown } = decodeHeader(bytes);
        reply.devices = decodeDevices(bytes);
        return reply;
      }),
    },
  };
}

function wanting(want: number | undefined): { readonly want?: number } {
  return want === undefined ? {} : { want };
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

const OPERATIONS: readonly Job[] = [
  {
    job: 'status: encode, ioctl, decode',
    n: 1,
    peer: 'bare ioctl',
    want: 1.6,
    needs: 'koffi',
    sides: {
      peer: bareIoctl,
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
    },
  },
  {
    job: 'DeviceMapperSync.getDevice',
    n: 1,
    peer: 'bare ioctl',
    want: 2.2,
    needs: 'koffi',
    sides: {
      peer: bareIoctl,
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
    },
  },
];

/** All jobs, in the order of the report. Goals are read at 1,000 targets and 10,000 devices. */
export const JOBS: readonly Job[] = [
  ...[1, 10, 100, 1000, 10_000].map((n) => {
    return encode('linear', n, () => linear(n), n === 1000 ? 0.65 : undefined);
  }),
  ...Object.entries(OTHER_TARGETS).map(([what, make]) => {
    return encode(what, 1000, () => Array.from({ length: 1000 }, (_, i) => make(i)));
  }),
  ...[1, 10, 100, 1000, 10_000].map((n) => {
    return decode('linear', n, () => linear(n), n === 1000 ? 0.72 : undefined);
  }),
  ...['six mixed shapes', 'not ASCII', 'crypt, 150 bytes'].map((what) => {
    const make = OTHER_TARGETS[what]!;
    return decode(what, 1000, () => Array.from({ length: 1000 }, (_, i) => make(i)));
  }),
  list(1000),
  list(10_000, 0.6),
  ...OPERATIONS,
];
