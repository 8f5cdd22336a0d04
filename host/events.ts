/// <reference lib="esnext.disposable" preserve="true" />

// Events of devices, without a thread. One loop per handle arms, lists and polls, in this order, so that
// nothing is missed: what happens after the arming ends the poll. Everybody who waits hangs on this loop,
// for arming is per open file, and two loops on one would take each other's events away.

import { ClosedError, InputError, TimeoutError, cut, show } from './errors.js';
import { labelOf } from './steps.js';
import type { Signal } from './transport.js';
import type { DeviceInfo, DeviceListEntry, DeviceRef } from './types.js';

/** Something that happened to a device, as far as two looks at the list tell. */
export interface DeviceEvent {
  /**
   * 'changed': its event number went on, as when a path failed or a snapshot was used up. Swapping a
   * table is no event.
   */
  readonly type: 'added' | 'removed' | 'changed' | 'renamed';
  /** The name, after a renaming the new one. */
  readonly name: string;
  /** Of 'renamed': the name before. */
  readonly oldName?: string;
  /** '' if it has none. */
  readonly uuid: string;
  /** The device number, as in `fs.statSync('/dev/dm-0').rdev`. */
  readonly dev: number;
  /** The device's counter of events; of 'removed', the last that was seen. */
  readonly eventNumber: number;
}

/** Options of watchEvents. */
export interface WatchOptions {
  /** Only the events of these, which need not exist yet; all, if left out. */
  readonly devices?: readonly DeviceRef[];
  /** Whether waiting keeps the process alive, as in `fs.watch`; true if left out. */
  readonly persistent?: boolean;
  /** When it aborts, the iteration ends with `signal.reason`. */
  readonly signal?: Signal;
}

/** What events are told from. */
export type DeviceEntry = Required<Pick<DeviceListEntry, 'name' | 'dev' | 'uuid' | 'eventNumber'>>;

/** How to wait for an event. */
export interface WaitOptions {
  /** Wait until the device's counter is no longer this; its value at the call, if left out. */
  readonly eventNumber?: number;
  /** Give up after so long; without it there is no end. */
  readonly timeoutMs?: number;
}

/** How often a kernel is asked that cannot say by itself when something happened (below 4.37). */
export const LOOK_MS = 250;

/** A look at all devices, by their numbers. */
export type Look = ReadonlyMap<number, DeviceEntry>;

/** How the loop waits. */
export interface Wait {
  /** Will the control node tell? */
  readonly armed: boolean;
  /** Does the wait keep the process alive? */
  readonly persistent: boolean;
  /** Ends it. */
  readonly signal: Signal;
}

/** What the loop needs of a handle. */
export interface Source {
  /** Have the control node tell of what happens from now on; false where the kernel cannot. */
  arm(): boolean;
  /** All devices, with uuid and event number on any kernel. */
  look(): Look;
  /** Until something happened, or `signal` aborts. */
  wait(how: Wait): Promise<void>;
}

/** The loop, for as long as somebody waits. */
export class EventLoop {
  readonly #source: Source;
  readonly #waiters = new Set<Waiter>();
  /** Ends the poll at hand: a waiter came or went, and with it what keeps the process alive. */
  #turn: AbortController | undefined;
  #latest: Look = new Map();

  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * Wait from now on: what happens after this call, `next()` tells.
   * @throws {KernelError} the first look failed
   */
  join(options: Pick<Wait, 'persistent'>): Waiter {
    const waiter = new Waiter(options, () => {
      this.#waiters.delete(waiter);
      this.#turn?.abort();
    });
    // What the loop saw last may be older than this call.
    const armed = this.#turn === undefined ? this.#step() : undefined;
    if (armed === undefined) this.#latest = this.#source.look();
    this.#waiters.add(waiter);
    if (armed === undefined) this.#turn?.abort();
    else void this.#run(armed);
    waiter.latest = this.#latest;
    return waiter;
  }

  /** End all waits with `reason`. */
  close(reason: Error): void {
    for (const waiter of this.#waiters) waiter.leave(reason);
  }

  /** Arm, then look: in this order. */
  #step(): boolean {
    const armed = this.#source.arm();
    this.#latest = this.#source.look();
    for (const waiter of this.#waiters) waiter.saw(this.#latest);
    return armed;
  }

  async #run(armed: boolean): Promise<void> {
    try {
      for (let isArmed = armed; this.#waiters.size > 0; isArmed = this.#step()) {
        this.#turn = new AbortController();
        const persistent = [...this.#waiters].some((waiter) => waiter.persistent);
        await this.#source.wait({ armed: isArmed, persistent, signal: this.#turn.signal });
        if (this.#waiters.size === 0) break;
      }
    } catch (error) {
      this.close(error as Error);
    } finally {
      this.#turn = undefined;
    }
  }
}

/** One that waits: for all that happens, coalesced to the latest look. */
export class Waiter {
  readonly persistent: boolean;
  readonly #leave: () => void;
  latest: Look = new Map();
  #fresh = false;
  #left = false;
  #reason: Error | undefined;
  #asked:
    { resolve: (look: Look | undefined) => void; reject: (reason: Error) => void } | undefined;

  constructor({ persistent }: Pick<Wait, 'persistent'>, leave: () => void) {
    this.persistent = persistent;
    this.#leave = leave;
  }

  saw(latest: Look): void {
    this.latest = latest;
    this.#fresh = true;
    this.#answer();
  }

  /** Wait no more; `next()` rejects with `reason`, if one is given. */
  leave(reason?: Error): void {
    if (this.#left) return;
    this.#left = true;
    this.#reason = reason;
    this.#answer();
    this.#leave();
  }

  /**
   * The latest look that was not told yet, as soon as there is one; undefined once it was left. One call
   * at a time.
   */
  next(): Promise<Look | undefined> {
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#answer();
    });
  }

  #answer(): void {
    if (this.#asked === undefined || !(this.#fresh || this.#left)) return;
    const { resolve, reject } = this.#asked;
    this.#asked = undefined;
    this.#fresh = false;
    if (this.#reason !== undefined) reject(this.#reason);
    else resolve(this.#left ? undefined : this.latest);
  }
}

/** What happened between two looks, in the order in which it must have: removals first. */
export function eventsBetween(before: Look, after: Look): DeviceEvent[] {
  const gone: DeviceEvent[] = [];
  const rest: DeviceEvent[] = [];
  for (const was of before.values()) {
    const is = after.get(was.dev);
    if (is === undefined || !isSame(was, is)) gone.push({ type: 'removed', ...was });
  }
  for (const is of after.values()) {
    const was = before.get(is.dev);
    if (was === undefined || !isSame(was, is)) rest.push({ type: 'added', ...is });
    else if (was.name !== is.name) rest.push({ type: 'renamed', oldName: was.name, ...is });
    else if (was.eventNumber !== is.eventNumber) rest.push({ type: 'changed', ...is });
  }
  return [...gone, ...rest];
}

/**
 * Is this the device that had the number before? A number is given out again at once, but then the counter
 * begins anew and the uuid is another; a uuid once set stays. Renaming counts on, unless there is no table
 * (dm-ioctl.c dm_hash_rename()): such a device is taken for another one, as it most often is.
 */
function isSame(was: DeviceEntry, is: DeviceEntry): boolean {
  if (was.uuid !== '' && was.uuid !== is.uuid) return false;
  if (was.name !== is.name && was.eventNumber === is.eventNumber) return false;
  // Also when it has wrapped around, in half of all 2^32 numbers: they never lie so far apart.
  return (is.eventNumber - was.eventNumber) >>> 0 < 0x80000000;
}

/** Does an event concern one of `devices`? */
export function concerns(event: DeviceEvent, devices: readonly DeviceRef[]): boolean {
  return devices.some((device) => {
    if (typeof device === 'string') return device === event.name || device === event.oldName;
    const { name, uuid, dev } = device;
    if (name !== undefined) return name === event.name || name === event.oldName;
    return uuid === undefined ? dev === event.dev : uuid === event.uuid;
  });
}

/** The events from now on, one by one. */
export class EventStream implements AsyncIterableIterator<DeviceEvent, undefined> {
  readonly #waiter: Waiter;
  readonly #devices: readonly DeviceRef[] | undefined;
  #seen: Look;
  #queue: DeviceEvent[] = [];
  /** The calls of next() are answered one after another. */
  #line: Promise<unknown> = Promise.resolve();
  readonly #release: () => void;

  constructor(waiter: Waiter, { devices, signal }: WatchOptions) {
    this.#waiter = waiter;
    this.#devices = devices;
    this.#seen = waiter.latest;
    this.#release = onAbort(signal, (reason) => {
      this.#queue = [];
      waiter.leave(reason);
    });
  }

  /** The next event; of a burst the last state of each device. */
  next(): Promise<IteratorResult<DeviceEvent, undefined>> {
    const next = this.#line.then(() => this.#next());
    this.#line = next.catch(() => undefined);
    return next;
  }

  async #next(): Promise<IteratorResult<DeviceEvent, undefined>> {
    for (;;) {
      const event = this.#queue.shift();
      if (event !== undefined) return { done: false, value: event };
      const latest = await this.#look();
      if (latest === undefined) return { done: true, value: undefined };
      const all = eventsBetween(this.#seen, latest);
      const devices = this.#devices;
      this.#queue = devices === undefined ? all : all.filter((one) => concerns(one, devices));
      this.#seen = latest;
    }
  }

  /** A watch that is over when its handle is closed ends as any other. */
  async #look(): Promise<Look | undefined> {
    try {
      return await this.#waiter.next();
    } catch (error) {
      if (error instanceof ClosedError) return undefined;
      throw error;
    }
  }

  /** Watch no more; a `for await` that is left does it. */
  return(): Promise<IteratorResult<DeviceEvent, undefined>> {
    this.#release();
    this.#queue = [];
    this.#waiter.leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** {@link EventStream.return}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** Call `stop` with the reason when `signal` aborts, or now if it has; the returned takes that back. */
export function onAbort(signal: Signal | undefined, stop: (reason: Error) => void): () => void {
  if (signal === undefined) return () => undefined;
  const abort = (): void => {
    stop(signal.reason as Error);
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return () => {
    signal.removeEventListener('abort', abort);
  };
}

/** Until the device's counter is no longer what it was. */
export async function eventOf(
  waiter: Waiter,
  getDevice: () => Promise<DeviceInfo>,
  eventNumber: number | undefined,
): Promise<DeviceInfo> {
  for (let seen = eventNumber; ; await waiter.next()) {
    const info = await getDevice();
    seen ??= info.eventNumber;
    if (info.eventNumber !== seen) return info;
  }
}

/** Refuse options of waitForEvent that are none. */
export function checkWait({ eventNumber, timeoutMs }: WaitOptions): void {
  if (eventNumber !== undefined && eventNumber >>> 0 !== eventNumber) {
    throw new InputError(
      { path: 'eventNumber' },
      `expected a whole number from 0 to 2^32 - 1, got ${show(eventNumber)}`,
    );
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw new InputError({ path: 'timeoutMs' }, `expected milliseconds, got ${show(timeoutMs)}`);
  }
}

/** waitForEvent's, when its time is up. */
export function noEvent(device: DeviceRef, timeoutMs = 0): TimeoutError {
  return new TimeoutError(`no event of device '${cut(labelOf(device))}'`, timeoutMs);
}
