// A kernel's device-mapper in memory: the Transport of it (drivers/md/dm-ioctl.c ctl_ioctl), a clock of its
// own, and what a test wants to do to it.

import * as abi from '../generated/abi.js';
import * as uapi from '../generated/uapi.js';
import { InputError, errnoNumber } from '../errors.js';
import { makeDev } from '../types.js';
import { REQUEST_CODE, textOf, type Command } from '../wire.js';
import type { AsyncCall, DeviceNodes, PollOptions, Signal, Transport } from '../transport.js';
import { COMMANDS, validate, type Waiting } from './commands.js';
import { Core } from './core.js';
import { removeDeferred } from './mapped.js';
import { Packet, arrayOf, bytesOf, type Bytes } from './packet.js';
import { hasActivePath } from './targets/multipath.js';
import { Refusal, refuse } from './refusal.js';
import { copyOf, type Block, type Release, type State } from './state.js';
import { describe } from './describe.js';

/** A block device below the mapped ones. */
export interface ModelBlockDevice {
  /** Sectors of 512 bytes. */
  readonly sectors: number | bigint;
  /** As in '8:16'; numbers of 8 in steps of 16 if left out, as disks have them. */
  readonly dev?: string;
  /** Is it marked read-only? As in Linux, it can be opened for writing all the same. */
  readonly readOnly?: boolean;
  /** In bytes; 512 if left out. */
  readonly logicalBlockSize?: number;
  /** The most sectors that a discard may have, 0 if it takes none; without limit if left out. */
  readonly discardSectors?: number;
}

/** What kernel a model is, and what is below it. */
export interface ModelOptions {
  /** 6.12 if left out. */
  readonly release?: Release;
  /** The major of mapped devices; 253 if left out. */
  readonly major?: number;
  /** The machine's block devices, by path. */
  readonly blockDevices?: Readonly<Record<string, ModelBlockDevice>>;
}

/** DM_VERSION_MAJOR, _MINOR and _PATCHLEVEL of each release. */
const VERSIONS: Readonly<Record<Release, readonly [number, number, number]>> = {
  '5.10': [4, 43, 0],
  '6.1': [4, 47, 0],
  '6.12': [4, 48, 0],
  '7.2': [4, 50, 0],
};
const EINTR = 4;
const EINVAL = 22;
const ENOTTY = 25;
const VERSION_SIZE = 12;

/** Somebody who has a device open. */
export interface ModelHolder {
  /** Closes it, once; the last one to do so lets a removal go on that was put off. */
  close(): void;
}

/** What is to go wrong. */
export interface ModelFailure {
  /** Which ioctl. */
  readonly command: Command;
  /** Which of those that come from now on, counted from 1; the next if left out. */
  readonly nth?: number;
  /** As in 'EBUSY', or its number. The ioctl is answered with it and does nothing. */
  readonly errno: string | number;
}

/** A model as it was at some time; {@link ModelKernel.restore} goes back to it. */
export interface ModelSnapshot {
  /** Which kernel it is of: another release cannot go back to it. */
  readonly release: Release;
  /** Its own. */
  readonly state: unknown;
}

/** An ioctl that waits. */
interface Pending {
  readonly until: () => boolean;
  /** Answers it; what it returns is what the ioctl returns. */
  readonly finish: () => number;
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/**
 * A kernel's device-mapper in memory, which answers each ioctl with the bytes, the errno and the log of
 * Linux. It holds no data, only tables, and what targets tell of themselves. Its clock stands still
 * unless somebody sleeps on it.
 *
 * @example
 * const model = new ModelKernel({ blockDevices: { '/dev/sdb': { sectors: 2048 } } });
 * const dm = new DeviceMapperSync(model);
 * dm.createActiveDevice('joined', '0 2048 linear /dev/sdb 0').targetCount; // 1
 */
export class ModelKernel implements Transport {
  /** Which kernel it is. */
  readonly release: Release;
  readonly #core: Core;
  /** Where the log ended before the last ioctl. */
  #logged = 0;
  /** Who waits for an event. */
  #waiters = new Set<() => void>();
  #sleepers: Sleeper[] = [];
  readonly #failures = new Map<number, { left: number; errno: number }[]>();
  #latencyMs = 0;

  /**
   * @param options - which kernel, and what is below it
   * @throws {InputError} an option that no machine has
   */
  constructor({ release = '6.12', major = 253, blockDevices = {} }: ModelOptions = {}) {
    this.release = release;
    const state: State = {
      devices: [],
      blocks: blocksOf(blockDevices),
      nodes: new Map(),
      types: ['striped', 'linear', 'error'],
      modules: [],
      globalEvent: 0,
      keys: new Set(),
      armed: 0,
      log: [],
      now: 0,
      disks: new Map(),
    };
    this.#core = new Core(release, major, state);
    this.#core.onEvent = () => {
      this.#wake();
    };
    // A thread of the kernel's own does it, when the ioctl is done.
    this.#core.onLastClose = () => {
      this.#core.later.push(() => {
        removeDeferred(this.#core);
      });
    };
  }

  // ── Transport ──────────────────────────────────────────────────────────────────────────────────

  /**
   * One ioctl of the control node. A DEV_WAIT that would wait is answered by EINTR: on the only thread
   * there is nothing can end it but a signal.
   */
  ioctl(request: number, buffer: Uint8Array): number {
    this.sleepSync(this.#latencyMs);
    const answer = this.#begin(request, buffer);
    return typeof answer === 'number' ? answer : EINTR;
  }

  /** The same; a DEV_WAIT waits. */
  async ioctlAsync(
    request: number,
    buffer: Uint8Array,
    { signal }: AsyncCall = {},
  ): Promise<number> {
    signal?.throwIfAborted();
    await (this.#latencyMs > 0 ? this.sleep(this.#latencyMs) : Promise.resolve());
    const answer = this.#begin(request, buffer);
    if (typeof answer === 'number') return answer;
    const { state } = this.#core;
    while (!answer.until()) {
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
      // The kernel that it waited on is no more.
      if (this.#core.state !== state) return EINTR;
    }
    return answer.finish();
  }

  /** Nothing: devices stay when a control node is closed. */
  close(): void {
    this.#wake();
  }

  /** What the last ioctl logged, as `KernelTransport` tells it. */
  kernelLog(): string[] {
    return this.#core.state.log.slice(this.#logged).map(({ text }) => printed(text));
  }

  /** Sleeps on the model's own clock, which goes on at once when all that can run has run. */
  sleep(ms: number, signal?: Signal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { until: this.#core.state.now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      this.#sleepers.sort((a, b) => a.until - b.until);
      const end = (): void => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        resolve();
      };
      if (signal?.aborted === true) end();
      else signal?.addEventListener('abort', end, { once: true });
      setTimeout(() => {
        const next = this.#sleepers.shift();
        if (next === undefined) return;
        this.#core.state.now = Math.max(this.#core.state.now, next.until);
        next.wake();
      });
    });
  }

  /** Puts the model's clock forward. */
  sleepSync(ms: number): void {
    this.#core.state.now += ms;
  }

  /** Resolves when there was an event since the last DEV_ARM_POLL. */
  async poll({ signal }: PollOptions = {}): Promise<void> {
    while (!this.#readable() && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        this.#waiters.add(resolve);
        signal?.addEventListener(
          'abort',
          () => {
            resolve();
          },
          { once: true },
        );
      });
    }
  }

  /** Returns at once: nothing can happen while this thread waits, so that its clock is put forward. */
  pollSync(timeoutMs: number): number {
    if (this.#readable()) return timeoutMs;
    if (Number.isFinite(timeoutMs)) this.sleepSync(timeoutMs);
    return 0;
  }

  /** dm_poll(): dm-ioctl.c compares as signed numbers do. */
  #readable(): boolean {
    const { globalEvent, armed } = this.#core.state;
    return ((globalEvent - armed) | 0) > 0;
  }

  /** An ioctl of a mapped device itself, of which there is one that is device-mapper's. */
  deviceIoctlSync(path: string, request: number): number {
    const dev = this.#core.lookup(path);
    if (typeof dev !== 'number') return errnoNumber(dev);
    if (!this.#core.canOpen(dev)) return errnoNumber('ENXIO');
    const [target] = this.#core.byDev(dev)?.live?.targets ?? [];
    const isProbe = request === uapi.DM_MPATH_PROBE_PATHS && this.#core.is('7.2');
    if (!isProbe || target?.type !== 'multipath') return ENOTTY;
    return hasActivePath(target) ? 0 : errnoNumber('ENOTCONN');
  }

  /** The same. */
  deviceIoctl(path: string, request: number): Promise<number> {
    return Promise.resolve(this.deviceIoctlSync(path, request));
  }

  /** Who has a device open: mapped devices by name, and {@link ModelKernel.open}. */
  holders(dev: number): string[] {
    const device = this.#core.byDev(dev);
    if (device === undefined) return [];
    const above = this.#core.state.devices.filter(({ opened }) =>
      opened.some((one) => one.dev === dev),
    );
    const others = device.openCount - above.length;
    return [
      ...above.map(({ name }) => `device '${textOf(arrayOf(name))}'`),
      ...(others > 0 ? [`${others} opener${others > 1 ? 's' : ''}`] : []),
    ];
  }

  /** The nodes of /dev/mapper, which clients make and remove as they do where there is no udev. */
  get nodes(): DeviceNodes {
    const core = this.#core;
    return {
      state: (path, dev) => {
        const at = core.state.nodes.get(path);
        if (at === undefined) return 'absent';
        return at === dev ? 'ours' : 'stale';
      },
      make: (path, dev) => {
        core.state.nodes.set(path, dev);
      },
      remove: (path) => {
        core.state.nodes.delete(path);
      },
      settled: () => true,
    };
  }

  // ── What a test does to it ─────────────────────────────────────────────────────────────────────

  /** Milliseconds of its own clock since it was made. */
  get now(): number {
    return this.#core.state.now;
  }

  /**
   * Open a mapped device, as a mount or a program does.
   *
   * @param device - a name, or a path: '/dev/dm-0', '/dev/mapper/disk'
   * @throws {InputError} there is no such device, or it cannot be opened yet
   */
  open(device: string): ModelHolder {
    const dev = this.#devOf(device);
    const refused = dev === undefined ? 'ENXIO' : this.#core.openDev(dev);
    if (refused !== undefined || dev === undefined) {
      throw new InputError({ path: 'device' }, `expected a device that can be opened: ${refused}`);
    }
    let isOpen = true;
    return {
      close: () => {
        if (isOpen) this.#core.closeDev(dev);
        isOpen = false;
        this.#settle();
      },
    };
  }

  /**
   * Have a target of the device's live table raise an event, as when a path fails.
   *
   * @param device - a name or a path
   * @throws {InputError} there is no such device
   */
  raise(device: string): void {
    const dev = this.#devOf(device);
    const found = dev === undefined ? undefined : this.#core.byDev(dev);
    if (found === undefined) throw new InputError({ path: 'device' }, 'expected a device');
    this.#core.raise(found);
  }

  /** Have an ioctl fail. */
  fail({ command, nth = 1, errno }: ModelFailure): void {
    const code = REQUEST_CODE[command];
    const failures = this.#failures.get(code) ?? [];
    this.#failures.set(code, failures);
    failures.push({ left: nth, errno: typeof errno === 'number' ? errno : errnoNumber(errno) });
  }

  /**
   * Put a key into the keyring, for tables that name one. Its bytes are nobody's business.
   *
   * @param type - as in 'logon'
   * @param description - as in 'cryptsetup:one'
   */
  addKey(type: string, description: string): void {
    this.#core.state.keys.add(`${type}:${bytesOf(description)}`);
  }

  /**
   * Write zeros over a block device, as `dd` does: what pools, caches and others had there is gone, the next
   * to be loaded makes its metadata anew.
   *
   * @param path - one of `blockDevices`, or a mapped device
   * @throws {InputError} there is no such device
   */
  wipe(path: string): void {
    const dev = this.#devOf(path);
    if (dev === undefined) throw new InputError({ path: 'path' }, 'expected a block device');
    this.#core.state.disks.delete(this.#core.placeOf(dev));
  }

  /** Have each ioctl from now on take so many milliseconds of the model's clock. */
  delay(ms: number): void {
    this.#latencyMs = ms;
  }

  /** All that there is now, to go back to. */
  snapshot(): ModelSnapshot {
    return { release: this.release, state: copyOf(this.#core.state) };
  }

  /** Go back; who waits for an event is interrupted, and openers hold what was open then. */
  restore(snapshot: ModelSnapshot): void {
    if (snapshot.release !== this.release) {
      const text = `expected a snapshot of ${this.release}, got one of ${snapshot.release}`;
      throw new InputError({ path: 'snapshot' }, text);
    }
    this.#core.state = copyOf(snapshot.state as State);
    this.#wake();
  }

  /** Devices, their tables, and what they stand on, for people. */
  toString(): string {
    return describe(this.#core, VERSIONS[this.release].join('.'));
  }

  #devOf(device: string): number | undefined {
    const found = device.startsWith('/')
      ? this.#core.lookup(device)
      : this.#core.byName(bytesOf(device));
    if (typeof found === 'number') return found;
    return typeof found === 'object' ? this.#core.devOf(found) : undefined;
  }

  /** The errno with which this ioctl is to fail, if it is. */
  #failing(request: number): number | undefined {
    const failures = this.#failures.get(request) ?? [];
    for (const failure of failures) failure.left--;
    const hit = failures.find(({ left }) => left === 0);
    this.#failures.set(
      request,
      failures.filter(({ left }) => left > 0),
    );
    return hit?.errno;
  }

  /** What the kernel's threads have to do, which may make more of it. */
  #settle(): void {
    const { later } = this.#core;
    for (let work = later.shift(); work !== undefined; work = later.shift()) work();
    this.#wake();
  }

  /** Whoever waits looks again, behind the ioctl that may have changed something. */
  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) queueMicrotask(wake);
  }

  // ── ctl_ioctl() ────────────────────────────────────────────────────────────────────────────────

  #begin(request: number, buffer: Uint8Array): number | Pending {
    const core = this.#core;
    this.#logged = core.state.log.length;
    const failing = this.#failing(request);
    if (failing !== undefined) return failing;
    if (((request >>> 8) & 0xff) !== uapi.DM_IOCTL) return ENOTTY;
    const command = request & 0xff;
    const header = new Packet(buffer, abi.HEADER_SIZE);
    const version = VERSIONS[this.release];
    // check_version(): the kernel's own is told in any case.
    const caller = [0, 4, 8].map((at) => header.u32(at));
    const told = new Packet(new Uint8Array(VERSION_SIZE), VERSION_SIZE);
    version.forEach((part, i) => {
      told.setU32(4 * i, part);
    });
    buffer.set(told.bytes.subarray(0, buffer.length));
    if (caller[0] !== version[0] || caller[1]! > version[1]) {
      core.logIoctl(
        `ioctl interface mismatch: kernel(${version.join('.')}), user(${caller.join('.')}), cmd(${command})`,
      );
      return EINVAL;
    }
    if (command === uapi.DM_VERSION_CMD) return 0;
    const type = COMMANDS[command];
    if (type === undefined) {
      core.logIoctl(`dm_ctl_ioctl: unknown command 0x${(request >>> 0).toString(16)}`);
      return ENOTTY;
    }
    let packet: Packet;
    const answered = (run: () => unknown): number | Waiting => {
      let answer: unknown;
      try {
        answer = run();
      } catch (error) {
        if (error instanceof Refusal) return error.errno;
        throw error;
      } finally {
        this.#settle();
      }
      if (typeof answer === 'number') return answer;
      if (typeof answer === 'object') return answer as Waiting;
      if (type.event === true) core.globalEvent();
      buffer.set(packet.bytes.subarray(0, Math.min(packet.get('dataSize'), buffer.length)));
      return 0;
    };
    const answer = answered(() => {
      packet = this.#copyIn(type.noParams === true, header, buffer);
      validate(core, command, packet);
      packet.set('dataSize', abi.HEADER_DATA);
      return type.run(core, packet);
    });
    if (typeof answer === 'number') return answer;
    const { until, finish } = answer;
    return { until, finish: () => answered(finish) as number };
  }

  /** copy_params() */
  #copyIn(noParams: boolean, header: Packet, buffer: Uint8Array): Packet {
    const core = this.#core;
    const size = header.get('dataSize');
    if (size < abi.HEADER_DATA || (size > uapi.DM_MAX_DATA_SIZE && core.is('6.1'))) {
      if (core.is('6.1')) {
        core.logIoctl(`Invalid data size in the ioctl structure: ${size}`);
      }
      refuse('EINVAL');
    }
    const secure = header.has(uapi.DM_SECURE_DATA_FLAG);
    const taken = noParams ? abi.HEADER_DATA : size;
    const packet = new Packet(buffer, taken);
    if (secure) buffer.fill(0, 0, taken);
    if (taken > uapi.DM_MAX_DATA_SIZE) refuse('ENOMEM');
    return packet;
  }
}

/** The options' block devices, as the kernel has them. */
function blocksOf(devices: Readonly<Record<string, ModelBlockDevice>>): Block[] {
  return Object.entries(devices).map(([path, device], i) => {
    const place = `blockDevices[${JSON.stringify(path)}]`;
    const [, high, low] = /^(\d+):(\d+)$/.exec(device.dev ?? `8:${16 * (i + 1)}`) ?? [];
    if (low === undefined) {
      throw new InputError({ path: `${place}.dev` }, 'expected major:minor, as in 8:16');
    }
    const { sectors, logicalBlockSize = 512, readOnly = false, discardSectors = Infinity } = device;
    if (typeof sectors !== 'bigint' && !(Number.isSafeInteger(sectors) && sectors >= 0)) {
      throw new InputError({ path: `${place}.sectors` }, 'expected a number of 512-byte sectors');
    }
    return {
      path,
      dev: makeDev(Number(high), Number(low)),
      sectors: BigInt(sectors),
      readOnly,
      logicalBlockSize,
      discardSectors,
    };
  });
}

/** As /dev/kmsg tells it (kernel/printk/printk.c msg_add_ext_text). */
function printed(text: Bytes): string {
  return text.replace(/[^ -~]|\\/g, (byte) => {
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
