// Rule: the only file that touches the kernel. A Transport over /dev/mapper/control, by koffi, which
// is loaded when the first kernel is opened: importing the package never needs it.

import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, KernelError, KernelUnavailableError, NodeError } from './errors.js';
import type { AsyncCall, DeviceNodes, NodeState, Signal, Transport } from './transport.js';
import { majorOf, minorOf } from './types.js';
import { REQUEST_CODE, encodeRequest } from './wire.js';

type Koffi = typeof import('koffi');

/** How to open the kernel's device-mapper. */
export interface OpenOptions {
  /** The control node, '/dev/mapper/control' if left out. */
  readonly path?: string;
}

const CONTROL = '/dev/mapper/control';
const EACCES = 13;
const EINVAL = 22;
const ENOTTY = 25;

/** What never logs a reason for its errno: there is no need to mark the log before it. */
const SILENT: ReadonlySet<number> = new Set([
  REQUEST_CODE.VERSION,
  REQUEST_CODE.DEV_STATUS,
  REQUEST_CODE.LIST_DEVICES,
  REQUEST_CODE.TABLE_DEPS,
  REQUEST_CODE.TABLE_STATUS,
  REQUEST_CODE.DEV_ARM_POLL,
]);

/**
 * The kernel's device-mapper, through the control node: what {@link record} stands in front of, and
 * what a client over it is built on where `DeviceMapper.open()` is too little.
 *
 * @example
 * using dm = new DeviceMapperSync(KernelTransport.open());
 */
export class KernelTransport implements Transport {
  /**
   * Open the control node, and ask for the version: a kernel that does not answer is not opened.
   *
   * @throws {KernelUnavailableError} no koffi, no control node, no device-mapper behind it, or no
   * right to use it; the message says how to mend it
   */
  static open({ path = CONTROL }: OpenOptions = {}): KernelTransport {
    const libc = loadLibc();
    const fd = openControl(path);
    const transport = new KernelTransport(libc, fd);
    const errno = transport.ioctl(REQUEST_CODE.VERSION, encodeRequest('VERSION', {}));
    if (errno === 0) return transport;
    transport.close();
    if (errno === EACCES) {
      throw new KernelUnavailableError(
        'no-permission',
        'device-mapper needs CAP_SYS_ADMIN in the initial user namespace; run as root',
      );
    }
    if (errno === ENOTTY) {
      throw new KernelUnavailableError(
        'no-device-mapper',
        `${path} is no device-mapper control node; the usual one is ${CONTROL}`,
      );
    }
    throw new KernelError('VERSION', errno);
  }

  /** The links and block nodes in /dev/mapper. */
  readonly nodes: DeviceNodes;
  readonly #libc: Libc;
  readonly #fd: number;
  /** Buffers of the calls under way: koffi does not keep them alive, and the kernel writes to them. */
  readonly #held = new Set<Uint8Array>();
  readonly #logs: LogReader[] = [];
  #log: LogReader | undefined;
  #closed = false;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.nodes = new MapperNodes(libc);
  }

  ioctl(request: number, buffer: Uint8Array): number {
    if (this.#closed) throw new ClosedError();
    checkBuffer(buffer);
    const log = this.#mark(request);
    const result = this.#libc.ioctl(this.#fd, request, buffer);
    // The very next statement: whatever else runs may change errno.
    const errno = result < 0 ? this.#libc.errno() : result;
    this.#answered(log);
    // TARGET_MSG to a device without a table is answered by 2 before Linux 6.12; it means EINVAL.
    return result > 0 ? EINVAL : errno;
  }

  async ioctlAsync(
    request: number,
    buffer: Uint8Array,
    { frees = false, signal }: AsyncCall = {},
  ): Promise<number> {
    checkBuffer(buffer);
    const leave = await threads.enter(frees, signal);
    try {
      if (this.#closed) throw new ClosedError();
      return await this.#onThread(request, buffer);
    } finally {
      leave();
    }
  }

  #onThread(request: number, buffer: Uint8Array): Promise<number> {
    this.#held.add(buffer);
    const log = this.#mark(request);
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, result: number): void => {
        // First thing in the callback: there it is this call's own errno.
        const errno = result < 0 ? this.#libc.errno() : result;
        this.#held.delete(buffer);
        this.#answered(log);
        if (this.#closed) this.#release();
        if (error !== null) reject(error);
        else resolve(result > 0 ? EINVAL : errno);
      };
      this.#libc.ioctl.async(this.#fd, request, buffer, done);
    });
  }

  /** Note where the log ends before a call, each call under way with a reader of its own. */
  #mark(request: number): LogReader | undefined {
    if (SILENT.has(request)) return undefined;
    const log = this.#logs.pop() ?? LogReader.open(this.#libc);
    log?.mark();
    return log;
  }

  #answered(log: LogReader | undefined): void {
    this.#log = log;
    if (log !== undefined) this.#logs.push(log);
  }

  kernelLog(): string[] {
    return this.#log?.read() ?? [];
  }

  async sleep(ms: number, signal?: Signal): Promise<void> {
    // The driver sees the abort; here it only ends the wait.
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }

  /** Sleeps on the calling thread. */
  sleepSync(ms: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  /** Calls under way end first: the descriptor is theirs until then. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
  }

  #release(): void {
    if (this.#held.size > 0) return;
    closeSync(this.#fd);
    for (const log of this.#logs) log.close();
  }
}

function checkBuffer(buffer: Uint8Array): void {
  // A view of memory that was moved has no bytes left; koffi would pass NULL.
  if (buffer.byteLength === 0) throw new RangeError('an ioctl needs a buffer, got an empty one');
}

// ── libc ─────────────────────────────────────────────────────────────────────────────────────────

interface Ioctl {
  (fd: number, request: number, data: Uint8Array): number;
  async(
    fd: number,
    request: number,
    data: Uint8Array,
    callback: (error: Error | null, result: number) => void,
  ): void;
}

interface Libc {
  readonly ioctl: Ioctl;
  readonly lseek: (fd: number, offset: number, whence: number) => number;
  /** Before glibc 2.33 there is no such symbol. */
  readonly mknod: ((path: string, mode: number, dev: number) => number) | undefined;
  readonly errno: () => number;
}

function loadLibc(): Libc {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw new KernelUnavailableError(
      'no-koffi',
      'the package koffi, by which ioctls are made, cannot be loaded: install it (npm install koffi; ' +
        'it is optional), and run node without --no-addons, and with --allow-addons beside --permission',
      { cause },
    );
  }
  const libc = koffi.load(null);
  const optional = (prototype: string): unknown => {
    try {
      return libc.func(prototype);
    } catch {
      return undefined;
    }
  };
  return {
    // Not variadic, as it is in C: a variadic function has no async form in koffi.
    ioctl: libc.func('int ioctl(int fd, unsigned long request, void *data)'),
    lseek: libc.func('long lseek(int fd, long offset, int whence)'),
    mknod: optional('int mknod(str path, uint mode, unsigned long dev)') as Libc['mknod'],
    errno: () => koffi.errno(),
  };
}

function openControl(path: string): number {
  try {
    // O_CLOEXEC is Node's own habit.
    return openSync(path, constants.O_RDWR);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const unavailable = WHY_NOT_OPEN[code ?? ''];
    if (unavailable === undefined) throw error;
    throw new KernelUnavailableError(unavailable[0], `${path}: ${unavailable[1]()}`, {
      cause: error,
    });
  }
}

const NO_NODE = (): string => {
  const minor = miscMinor();
  return minor === undefined
    ? 'no such node, and this kernel has no device-mapper: load it (modprobe dm-mod), on Linux'
    : `no such node; make it (mknod ${CONTROL} c 10 ${minor})`;
};
const NO_DRIVER = (): string =>
  'the kernel has no device-mapper behind this node: load it (modprobe dm-mod)';
const NO_RIGHT = (): string =>
  'permission denied; run as root, outside of containers that forbid the device';

const WHY_NOT_OPEN: Readonly<
  Record<string, readonly ['no-control-node' | 'no-device-mapper' | 'no-permission', () => string]>
> = {
  ENOENT: ['no-control-node', NO_NODE],
  ENOTDIR: ['no-control-node', NO_NODE],
  ENODEV: ['no-device-mapper', NO_DRIVER],
  ENXIO: ['no-device-mapper', NO_DRIVER],
  EACCES: ['no-permission', NO_RIGHT],
  EPERM: ['no-permission', NO_RIGHT],
};

function miscMinor(): string | undefined {
  return /^\s*(\d+) device-mapper$/m.exec(readProc('/proc/misc'))?.[1];
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

// ── Threads ──────────────────────────────────────────────────────────────────────────────────────

/**
 * Places in libuv's pool, which has four threads for the whole process: two for calls that may sleep,
 * one more for those that free them, and so one is always left for the file system.
 */
class Threads {
  #busy = 0;
  readonly #waiting: { readonly frees: boolean; readonly start: () => void }[] = [];

  /** @returns a function to call when the thread is free again */
  async enter(frees: boolean, signal: Signal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#hasPlace(frees)) this.#busy++;
    else await this.#wait(frees, signal);
    return () => {
      this.#busy--;
      this.#next();
    };
  }

  #hasPlace(frees: boolean): boolean {
    return this.#busy < (frees ? 3 : 2);
  }

  #wait(frees: boolean, signal: Signal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(call), 1);
        reject(signal?.reason as Error);
      };
      const call = {
        frees,
        start: (): void => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#waiting.push(call);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #next(): void {
    const index = this.#waiting.findIndex(({ frees }) => this.#hasPlace(frees));
    const [call] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (call === undefined) return;
    this.#busy++;
    call.start();
  }
}

/** One for the process, as the pool is. */
const threads = new Threads();

// ── The kernel log ───────────────────────────────────────────────────────────────────────────────

const SEEK_END = 2;
/** CONSOLE_EXT_LOG_MAX of kernel/printk: no record is longer. */
const RECORD_SIZE = 8192;

/** /dev/kmsg from a mark on. Without the right to read it there is no reader, and no lines. */
class LogReader {
  static open(libc: Libc): LogReader | undefined {
    try {
      return new LogReader(libc, openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK));
    } catch {
      return undefined;
    }
  }

  readonly #libc: Libc;
  readonly #fd: number;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  mark(): void {
    this.#libc.lseek(this.#fd, 0, SEEK_END);
  }

  /** Device-mapper's lines since the mark. A record is `prio,seq,usec,flags;text`, then `\n KEY=value`. */
  read(): string[] {
    const lines: string[] = [];
    const record = new Uint8Array(RECORD_SIZE);
    const decoder = new TextDecoder();
    // Bounded: a kernel that logs faster than we read must not keep us here.
    for (let i = 0; i < 1000; i++) {
      try {
        const length = readSync(this.#fd, record);
        const [head = ''] = decoder.decode(record.subarray(0, length)).split('\n');
        const text = head.slice(head.indexOf(';') + 1);
        if (text.includes('device-mapper: ')) lines.push(text);
      } catch (error) {
        // EPIPE: records were overwritten before we came to them; the next read has the oldest left.
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') break;
      }
    }
    return lines;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

// ── Device nodes ─────────────────────────────────────────────────────────────────────────────────

const S_IFBLK = 0o060000;

/** /dev/mapper: links to ../dm-N as udev makes them, or block nodes where there is no devtmpfs. */
class MapperNodes implements DeviceNodes {
  readonly #libc: Libc;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  state(path: string, dev?: number): NodeState {
    const link = lstatSync(path, { throwIfNoEntry: false });
    if (link === undefined) return 'absent';
    const node = statSync(path, { throwIfNoEntry: false });
    if (dev !== undefined && node?.isBlockDevice() === true && node.rdev === dev) return 'ours';
    if (link.isSymbolicLink()) {
      return /^(\.\.|\/dev)\/dm-\d+$/.test(readlinkSync(path)) ? 'stale' : 'other';
    }
    return link.isBlockDevice() && majorOf(link.rdev) === blockMajor() ? 'stale' : 'other';
  }

  make(path: string, dev: number): void {
    mkdirSync(dirname(path), { recursive: true });
    if (this.state(path, dev) === 'stale') this.remove(path);
    const name = `dm-${minorOf(dev)}`;
    try {
      if (statSync(`/dev/${name}`, { throwIfNoEntry: false })?.rdev === dev) {
        symlinkSync(`../${name}`, path);
      } else {
        this.#mknod(path, dev);
      }
    } catch (error) {
      // Somebody was quicker; the caller looks again at what is there.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  #mknod(path: string, dev: number): void {
    if (this.#libc.mknod === undefined) {
      throw new NodeError(
        path,
        `there is no /dev/dm-${minorOf(dev)} to link to, and this libc has no mknod (glibc 2.33 has); run udev, or mknod it`,
      );
    }
    if (this.#libc.mknod(path, S_IFBLK | 0o600, dev) === 0) return;
    const errno = this.#libc.errno();
    if (errno !== EEXIST) {
      throw new NodeError(path, `mknod failed with errno ${errno}`);
    }
  }

  remove(path: string): void {
    try {
      unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  settled(): boolean {
    // udevd keeps its queue file while there is an event that it has not finished.
    return !existsSync('/run/udev/control') || !existsSync('/run/udev/queue');
  }
}

const EEXIST = 17;

/** device-mapper's own major, which is given out at boot. */
function blockMajor(): number | undefined {
  const blocks = readProc('/proc/devices').split('Block devices:')[1] ?? '';
  const major = /^\s*(\d+) device-mapper$/m.exec(blocks)?.[1];
  return major === undefined ? undefined : Number(major);
}
