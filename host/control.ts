// Rule: this file, with what is in control/, alone touches the kernel. A Transport over
// /dev/mapper/control, by koffi.

import { closeSync, constants, openSync } from 'node:fs';
import { constants as os } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdersOf } from './control/holders.js';
import { loadLibc, type Libc, type PollHandle } from './control/libc.js';
import { LogReader } from './control/log.js';
import { MapperNodes } from './control/nodes.js';
import { readProc } from './control/proc.js';
import { threads } from './control/threads.js';
import { trace } from './control/trace.js';
import { UdevCookies } from './control/udev.js';
import { ClosedError, InputError, KernelError, KernelUnavailableError, show } from './errors.js';
import type {
  AsyncCall,
  DeviceNodes,
  PollOptions,
  Signal,
  Transport,
  Udev,
  UdevMode,
} from './transport.js';
import { HEADER_DATA, HEADER_DATA_SIZE } from './generated/abi.js';
import { REQUEST_CODE, encodeRequest } from './wire.js';

export type { IoctlEvent } from './control/trace.js';

/** How to open the kernel's device-mapper. */
export interface OpenOptions {
  /** The control node, '/dev/mapper/control' if left out. */
  readonly path?: string;
  /**
   * How to wait for udev's rules after a resume, a rename and a removal. 'cookie': as libdm does, for half
   * a minute at most. 'poll': by looking for the node, three seconds at most. 'none': not at all, and
   * make nodes at once. 'auto', if left out: by cookies where udevd runs with the rules that complete
   * them, by looking where it has others for device-mapper, and else not at all.
   */
  readonly udev?: UdevMode | 'auto';
}

const CONTROL = '/dev/mapper/control';
const UDEV_MODES: readonly string[] = ['auto', 'cookie', 'poll', 'none'];
const EACCES = 13;
const EINVAL = 22;
const ENOTTY = 25;
/** <poll.h> */
const POLLIN = 1;

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
  static open({ path = CONTROL, udev = 'auto' }: OpenOptions = {}): KernelTransport {
    if (!UDEV_MODES.includes(udev)) {
      const modes = UDEV_MODES.map(show).join(', ');
      throw new InputError({ path: 'udev' }, `expected one of ${modes}, got ${show(udev)}`);
    }
    const libc = loadLibc();
    const fd = openControl(path);
    const transport = new KernelTransport(libc, fd, udev);
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
  /** udev's cookies. */
  readonly udev: Udev;
  readonly #cookies: UdevCookies;
  readonly #libc: Libc;
  readonly #fd: number;
  /** Buffers of the calls under way: koffi does not keep them alive, and the kernel writes to them. */
  readonly #held = new Set<Uint8Array>();
  readonly #logs: LogReader[] = [];
  /** Of the call that was answered last. */
  #lines: string[] = [];
  /** Those who wait for events. */
  readonly #polls = new Set<() => void>();
  #closed = false;

  private constructor(libc: Libc, fd: number, udev: UdevMode | 'auto') {
    this.#libc = libc;
    this.#fd = fd;
    this.nodes = new MapperNodes(libc);
    this.udev = this.#cookies = new UdevCookies(libc, udev);
  }

  ioctl(request: number, buffer: Uint8Array): number {
    if (this.#closed) throw new ClosedError();
    checkBuffer(buffer);
    const log = this.#mark(request);
    const traced = trace(request, buffer);
    const result = this.#libc.ioctl(this.#fd, request, buffer);
    // The very next statement: whatever else runs may change errno.
    const errno = errnoOf(result, this.#libc);
    traced?.(errno);
    this.#answered(log, errno);
    return errno;
  }

  async ioctlAsync(request: number, buffer: Uint8Array, options: AsyncCall = {}): Promise<number> {
    checkBuffer(buffer);
    const leave = await threads.enter(options);
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
    const traced = trace(request, buffer);
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, result: number): void => {
        // First thing in the callback: there it is this call's own errno.
        const errno = errnoOf(result, this.#libc);
        traced?.(errno);
        this.#held.delete(buffer);
        this.#answered(log, errno);
        if (this.#closed) this.#release();
        if (error !== null) reject(error);
        else resolve(errno);
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

  /** Read at once, before others log more; and not at all after a success, as it would only cost time. */
  #answered(log: LogReader | undefined, errno: number): void {
    this.#lines = errno === 0 ? [] : (log?.read() ?? []);
    if (log !== undefined) this.#logs.push(log);
  }

  kernelLog(): string[] {
    return this.#lines;
  }

  poll({ signal, persistent = true }: PollOptions = {}): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed || signal?.aborted === true) {
        resolve();
        return;
      }
      const end = (): void => {
        handle.close();
        signal?.removeEventListener('abort', end);
        this.#polls.delete(end);
        resolve();
      };
      const handle: PollHandle = this.#libc.watch(this.#fd, end);
      if (!persistent) handle.unref();
      signal?.addEventListener('abort', end, { once: true });
      this.#polls.add(end);
    });
  }

  pollSync(timeoutMs: number): number {
    if (this.#closed) throw new ClosedError();
    // struct pollfd: int fd, short events, short revents; with -1 there is no time-out.
    const entry = new Uint8Array(8);
    const view = new DataView(entry.buffer);
    view.setInt32(0, this.#fd, true);
    view.setInt16(4, POLLIN, true);
    const before = performance.now();
    this.#libc.poll(entry, 1, timeoutMs === Infinity ? -1 : Math.min(timeoutMs, 2 ** 31 - 1));
    return Math.max(0, timeoutMs - (performance.now() - before));
  }

  async deviceIoctl(path: string, request: number): Promise<number> {
    const leave = await threads.enter({});
    try {
      return await withDevice(path, (fd) => {
        return new Promise<number>((resolve, reject) => {
          this.#libc.ioctl.async(fd, withoutArgument(request), null, (error, result) => {
            const errno = errnoOf(result, this.#libc);
            if (error === null) resolve(errno);
            else reject(error);
          });
        });
      });
    } finally {
      leave();
    }
  }

  deviceIoctlSync(path: string, request: number): number {
    const opened = openDevice(path);
    if (opened.errno !== 0) return opened.errno;
    const result = this.#libc.ioctl(opened.fd, withoutArgument(request), null);
    const errno = errnoOf(result, this.#libc);
    closeSync(opened.fd);
    return errno;
  }

  holders(dev: number): string[] {
    return holdersOf(dev);
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
    for (const end of this.#polls) end();
    this.#cookies.close();
    this.#release();
  }

  #release(): void {
    if (this.#held.size > 0) return;
    closeSync(this.#fd);
    for (const log of this.#logs) log.close();
  }
}

/** To be called in the very next statement after the call. */
function errnoOf(result: number, libc: Libc): number {
  // TARGET_MSG to a device without a table is answered by 2 before Linux 6.12; it means EINVAL.
  return result < 0 ? libc.errno() : result === 0 ? 0 : EINVAL;
}

// ── Mapped devices ───────────────────────────────────────────────────────────────────────────────

/** _IO has a direction bit on these (asm/ioctl.h of powerpc and mips). */
const WITH_DIRECTION = ['ppc', 'ppc64', 'mips', 'mipsel'];

function withoutArgument(request: number): number {
  return WITH_DIRECTION.includes(process.arch) ? (request | 0x20000000) >>> 0 : request;
}

function openDevice(path: string): { readonly errno: number; readonly fd: number } {
  try {
    return { errno: 0, fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return { errno: (os.errno as Readonly<Record<string, number>>)[code] ?? os.errno.EIO, fd: -1 };
  }
}

async function withDevice(path: string, use: (fd: number) => Promise<number>): Promise<number> {
  const { errno, fd } = openDevice(path);
  if (errno !== 0) return errno;
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * The kernel takes data_size at its word: with less memory than that it reads what lies behind, and may write to it
 * (dm-ioctl.c copy_params(), ctl_ioctl()). A view of memory that was moved has no bytes left.
 */
function checkBuffer(buffer: Uint8Array): void {
  const room = buffer.byteLength;
  if (room < HEADER_DATA) {
    throw new RangeError(`an ioctl needs a buffer of at least ${HEADER_DATA} bytes, got ${room}`);
  }
  // Byte by byte: a DataView would cost a tenth of the call.
  const at = HEADER_DATA_SIZE;
  const low = buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16);
  const dataSize = low + buffer[at + 3]! * 0x1000000;
  if (dataSize > room) {
    throw new RangeError(
      `offset ${at}: data_size is ${dataSize}, but the buffer has ${room} bytes; the kernel would go beyond them`,
    );
  }
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
