/// <reference lib="esnext.disposable" preserve="true" />

// DeviceMapper and DeviceMapperSync: the operations bound to a Transport. Knows no kernel.

import { Buffers, runAsync, runSync } from './drive.js';
import { ClosedError } from './errors.js';
import {
  EventLoop,
  EventStream,
  LOOK_MS,
  checkWait,
  eventOf,
  noEvent,
  onAbort,
  type DeviceEvent,
  type WaitOptions,
  type Waiter,
  type WatchOptions,
} from './events.js';
import type { Feature } from './features.js';
import * as operations from './operations.js';
import type {
  CreateOptions,
  DeviceOptions,
  GetTableOptions,
  ListOptions,
  LoadOptions,
  Message,
  MessageOptions,
  Operation,
  ReloadOptions,
  RemoveOptions,
  StatusOptions,
  SuspendOptions,
  TableOptions,
} from './operations.js';
import { identify } from './steps.js';
import type { Signal, Transport } from './transport.js';
import type { TypedMessage } from './targets/messages.js';
import type { StatusLine } from './targets/registry.js';
import type {
  DeviceInfo,
  DeviceListEntry,
  DeviceNumber,
  DeviceRef,
  DeviceTable,
  Table,
  TargetBytes,
  TargetLine,
  TargetVersion,
  Version,
} from './types.js';
import type { Geometry } from './wire.js';

/** Every async call can be aborted: before each step, at once in a wait, never during an ioctl. */
export interface Abortable {
  /** When it aborts, the call undoes what it did and rejects with `signal.reason`. */
  readonly signal?: Signal;
}

/**
 * The device-mapper behind a Transport, by promises.
 *
 * What cannot sleep in the kernel (getVersion, getDevice, findDevice, listDevices) is answered on the
 * calling thread; the rest goes to other threads, calls on one device in the order they were made
 * (one device by one name: a name and a uuid of the same device stand in two lines).
 *
 * @example
 * await using dm = DeviceMapper.open();
 * const disk = await dm.createActiveDevice('joined', '0 2048 linear /dev/sdb 0');
 */
export class DeviceMapper {
  readonly #transport: Transport;
  readonly #buffers: Buffers = new Buffers();
  /** The end of each device's line of calls. */
  readonly #lines = new Map<string, Promise<unknown>>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #events: EventLoop;
  #closed: Promise<void> | undefined;

  /** @param transport - a kernel, or anything that answers like one; closed with this handle */
  constructor(transport: Transport) {
    this.#transport = transport;
    const atOnce = <T>(operation: Operation<T>): T => runSync(transport, this.#buffers, operation);
    this.#events = new EventLoop({
      arm: () => transport.poll !== undefined && atOnce(operations.armPoll()),
      look: () => atOnce(operations.lookAtDevices()),
      wait: async ({ armed, persistent, signal }) => {
        if (armed) await transport.poll?.({ persistent, signal });
        else await (transport.sleep?.(LOOK_MS, signal) ?? tick(LOOK_MS));
      },
    });
  }

  /** Run it, after `before` if that is given. */
  #run<T>(
    operation: Operation<T>,
    { signal }: Abortable = {},
    before?: Promise<unknown>,
  ): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(new ClosedError());
    const start = (): Promise<T> => runAsync(this.#transport, this.#buffers, operation, signal);
    const run = before === undefined ? start() : unlessAborted(before, signal).then(start);
    this.#running.add(run);
    const forget = (): void => void this.#running.delete(run);
    run.then(forget, forget);
    return run;
  }

  /** Run it after the calls on the same device that were made before. */
  #inLine<T>(device: DeviceRef, operation: Operation<T>, options?: Abortable): Promise<T> {
    const key = lineOf(device);
    const before = this.#lines.get(key);
    const run = this.#run(operation, options, before);
    const line = Promise.allSettled([before, run]);
    this.#lines.set(key, line);
    void line.then(() => {
      if (this.#lines.get(key) === line) this.#lines.delete(key);
    });
    return run;
  }

  /**
   * The kernel's interface version.
   *
   * @returns as in `[4, 47, 0]`, which is Linux 6.1's
   * @see dm-ioctl.h DM_VERSION
   */
  getVersion(options?: Abortable): Promise<Version> {
    return this.#run(operations.getVersion(), options);
  }

  /**
   * Does the kernel have this feature? What it is too old for, the other calls refuse with an
   * UnsupportedError before anything is sent.
   *
   * @param feature - as in 'armPoll', 'deferredRemove'; by the interface's version, see docs/kernels.md
   * @throws {InputError} no such feature
   */
  supports(feature: Feature, options?: Abortable): Promise<boolean> {
    return this.#run(operations.supports(feature), options);
  }

  /**
   * Create a device without a table. From Linux 5.15 on it has no /dev/dm-N before its first load.
   *
   * @param name - at most 127 bytes, no '/'
   * @returns the device, `liveTable` false
   * @throws {InputError} a string too long for its field, a minor out of range
   * @throws {KernelError} EBUSY name or uuid in use; ENXIO minor in use; EINVAL not a legal name
   * @see dm-ioctl.c dev_create()
   */
  createDevice(name: string, options?: CreateOptions & Abortable): Promise<DeviceInfo> {
    return this.#inLine(name, operations.createDevice(name, options), options);
  }

  /**
   * Load `table` into the device's inactive slot; the active table keeps running until
   * {@link DeviceMapper.resume}. A table that was in the slot is dropped.
   *
   * @param device - a name, or exactly one of `{ name }`, `{ uuid }`, `{ dev }`
   * @param table - targets in sector order, adjoining, in sectors of 512 bytes; or the same as dmsetup text
   * @returns the device after the load, `inactiveTable` true
   * @throws {InputError} a string too long for its field, a number that is no sector (`path` says where)
   * @throws {KernelError} ENXIO no such device; EINVAL the kernel refused the table (see `kernelLog`)
   * @see dm-ioctl.h DM_TABLE_LOAD; dm-ioctl.c table_load()
   */
  loadTable(
    device: DeviceRef,
    table: Table,
    options?: LoadOptions & Abortable,
  ): Promise<DeviceInfo> {
    return this.#inLine(device, operations.loadTable(device, table, options), options);
  }

  /**
   * Create a device, load `table` and resume: when the promise resolves, `path` can be opened. When
   * any step fails, the device is removed again, and the error says so (`undone`, `left`).
   *
   * @param name - at most 127 bytes, no '/'
   * @param table - targets in sector order, adjoining, in sectors of 512 bytes; or the same as dmsetup text
   * @returns the running device, `liveTable` true
   * @throws {InputError} as createDevice and loadTable; nothing was sent
   * @throws {KernelError} of DEV_CREATE, TABLE_LOAD or DEV_SUSPEND, `command` says which
   * @throws {NodeError} something that is no device-mapper node stands at the path
   */
  createActiveDevice(
    name: string,
    table: Table,
    options?: CreateOptions & LoadOptions & Abortable,
  ): Promise<DeviceInfo> {
    return this.#inLine(name, operations.createActiveDevice(name, table, options), options);
  }

  /**
   * Start I/O again, on the table in the inactive slot if there is one: a running device is suspended
   * for the swap, so no suspend need go before. An abort during the ioctl comes too late.
   *
   * @returns the device, running, with its node in /dev/mapper if it has a table
   * @throws {KernelError} ENXIO no such device; EINVAL no table, or the new one was refused: the
   * device may then be left suspended, see `getDevice`
   * @see dm-ioctl.c do_resume()
   */
  resume(device: DeviceRef, options?: SuspendOptions & Abortable): Promise<DeviceInfo> {
    return this.#inLine(device, operations.resume(device, options), options);
  }

  /**
   * Put another table in place of the live one while the device is in use: load, suspend, resume. When
   * the new table is refused the slot is cleared; when the resume fails, the old table is put back and
   * resumed. The error says so (`undone`, `left`). Afterwards the device is running, also if it was
   * suspended before; one that has no table gets its first.
   *
   * @returns the device, running on the new table
   * @throws {InputError} as loadTable; nothing was sent
   * @throws {KernelError} of TABLE_LOAD or DEV_SUSPEND, `command` says which
   */
  reloadTable(
    device: DeviceRef,
    table: Table,
    options?: ReloadOptions & Abortable,
  ): Promise<DeviceInfo> {
    return this.#inLine(device, operations.reloadTable(device, table, options), options);
  }

  /**
   * Stop I/O: what is under way is waited for, what comes is queued until resume. Whoever uses the
   * device meanwhile hangs: be sure to resume. A suspended device may be suspended again.
   *
   * An abort during the ioctl resumes the device, if it was running before; where a table waits in the
   * inactive slot, which a resume would make live, the abort comes too late.
   *
   * @returns the device, `suspended` true
   * @throws {KernelError} ENXIO no such device; EINTR interrupted, the device is running
   * @see dm-ioctl.c do_suspend()
   */
  suspend(device: DeviceRef, options?: SuspendOptions & Abortable): Promise<DeviceInfo> {
    return this.#inLine(device, operations.suspend(device, options), options);
  }

  /**
   * Remove a device that nobody has open, and its node. An abort comes too late once it is removed.
   *
   * @param options - `deferred`, `force` and `retry` are three ways to deal with one that is open
   * @returns 'scheduled' if it was open and `deferred` was asked for
   * @throws {KernelError} ENXIO no such device; EBUSY the device is open
   * @see dm-ioctl.c dev_remove()
   */
  removeDevice(
    device: DeviceRef,
    options?: RemoveOptions & Abortable,
  ): Promise<'removed' | 'scheduled'> {
    return this.#inLine(device, operations.removeDevice(device, options), options);
  }

  /**
   * Call a removal off that was scheduled with `deferred`; without one it does nothing.
   *
   * @throws {KernelError} ENXIO no such device; EBUSY it is being removed already
   * @throws {UnsupportedError} interface below 4.27
   * @see dm-ioctl.c cancel_deferred_remove()
   */
  cancelDeferredRemove(device: DeviceRef, options?: Abortable): Promise<void> {
    return this.#inLine(device, operations.cancelDeferredRemove(device), options);
  }

  /**
   * Give a device another name, and its node with it.
   *
   * @param newName - at most 127 bytes, no '/'
   * @returns the device under its new name
   * @throws {KernelError} ENXIO no such device; EBUSY the name is in use, or is the device's own
   * @throws {NodeError} something that is no device-mapper node stands at the new path
   * @see dm-ioctl.c dev_rename()
   */
  renameDevice(device: DeviceRef, newName: string, options?: Abortable): Promise<DeviceInfo> {
    return this.#inLine(device, operations.renameDevice(device, newName), options);
  }

  /**
   * Give a device that has none its uuid, which stays for good. An abort comes too late once it is set.
   *
   * @param uuid - at most 128 bytes
   * @returns the device with it
   * @throws {KernelError} EINVAL it has one; EBUSY another device has this one
   * @throws {UnsupportedError} interface below 4.19
   * @see dm-ioctl.c dm_hash_rename()
   */
  setUuid(device: DeviceRef, uuid: string, options?: Abortable): Promise<DeviceInfo> {
    return this.#inLine(device, operations.setUuid(device, uuid), options);
  }

  /**
   * Remove every device of this machine that is not open, whoever made it: LVM's, LUKS's, all.
   *
   * @param options - `deferred`: have the open ones go when their last opener closes them
   * @see dm-ioctl.c remove_all()
   */
  removeAllDevices(options?: { readonly deferred?: boolean } & Abortable): Promise<void> {
    return this.#run(operations.removeAllDevices(options), options);
  }

  /**
   * Describe a device.
   *
   * @throws {KernelError} ENXIO no such device
   * @see dm-ioctl.h DM_DEV_STATUS
   */
  getDevice(device: DeviceRef, options?: DeviceOptions & Abortable): Promise<DeviceInfo> {
    return this.#run(operations.getDevice(device, options), options);
  }

  /**
   * Describe a device that may be absent.
   *
   * @returns the device, or undefined if there is none
   */
  findDevice(
    device: DeviceRef,
    options?: DeviceOptions & Abortable,
  ): Promise<DeviceInfo | undefined> {
    return this.#run(operations.findDevice(device, options), options);
  }

  /**
   * List the devices, or those that match.
   *
   * @returns them in the kernel's order: by name from Linux 5.13 on
   * @see dm-ioctl.h DM_LIST_DEVICES
   */
  listDevices(options?: ListOptions & Abortable): Promise<DeviceListEntry[]> {
    return this.#run(operations.listDevices(options), options);
  }

  /**
   * The rows of a device's live table, or with `inactive` of the one in the other slot. None if there
   * is no table.
   *
   * Keys of crypt, inlinecrypt and integrity come back as zeros, as dmsetup shows them. With `showKeys`
   * they come back as they are, and all `parameters` as bytes: overwrite them when you are done.
   *
   * @returns the device, and targets that can be loaded again as they are, if no key was hidden
   * @throws {KernelError} ENXIO no such device
   * @see dm-ioctl.h DM_TABLE_STATUS with DM_STATUS_TABLE_FLAG
   */
  getTable<ShowKeys extends boolean = false>(
    device: DeviceRef,
    options?: GetTableOptions<ShowKeys> & Abortable,
  ): Promise<DeviceTable<ShowKeys extends true ? TargetBytes : TargetLine>> {
    return this.#inLine(device, operations.getTable(device, options), options);
  }

  /**
   * The status of each target, in its own words and in values. Thin pools, caches and clones first
   * commit their metadata, unless `noflush` is given.
   *
   * @returns the device, and per target its status: in `parameters` the kernel's text, no table that
   * could be loaded; in `status` what it says, told apart by the row's `type` and by `status.state`
   * @throws {KernelError} ENXIO no such device
   * @see dm-ioctl.h DM_TABLE_STATUS
   */
  getStatus(
    device: DeviceRef,
    options?: StatusOptions & Abortable,
  ): Promise<DeviceTable<StatusLine>> {
    return this.#inLine(device, operations.getStatus(device, options), options);
  }

  /**
   * What each target tells the Integrity Measurement Architecture of itself, in `parameters`.
   *
   * @returns the device, and per target a line as in 'target_name=linear,target_version=1.4.0,…;'
   * @throws {UnsupportedError} interface below 4.45; Linux 5.13 and 5.14 have 4.45 and answer the status
   * @see dm-ioctl.h DM_IMA_MEASUREMENT_FLAG
   */
  getMeasurement(device: DeviceRef, options?: TableOptions & Abortable): Promise<DeviceTable> {
    return this.#inLine(device, operations.getMeasurement(device, options), options);
  }

  /**
   * Drop the table in the inactive slot, if there is one, and with it its hold on the devices beneath.
   *
   * @returns the device, `inactiveTable` false
   * @throws {KernelError} ENXIO no such device
   * @see dm-ioctl.h DM_TABLE_CLEAR
   */
  clearTable(device: DeviceRef, options?: Abortable): Promise<DeviceInfo> {
    return this.#inLine(device, operations.clearTable(device), options);
  }

  /**
   * The block devices that a table has open.
   *
   * @returns each once, the one that was opened last comes first; none if there is no table
   * @throws {KernelError} ENXIO no such device
   * @see dm-ioctl.h DM_TABLE_DEPS
   */
  getDependencies(
    device: DeviceRef,
    options?: TableOptions & Abortable,
  ): Promise<readonly DeviceNumber[]> {
    return this.#inLine(device, operations.getDependencies(device, options), options);
  }

  /**
   * The target types that are loaded now.
   *
   * @returns in no order to rely on
   * @see dm-ioctl.h DM_LIST_VERSIONS
   */
  listTargets(options?: Abortable): Promise<readonly TargetVersion[]> {
    return this.#run(operations.listTargets(), options);
  }

  /**
   * The version of a target type, whose module is loaded for it.
   *
   * @param type - as in 'linear'
   * @throws {KernelError} EINVAL there is no such type
   * @throws {UnsupportedError} interface below 4.41
   * @see dm-ioctl.h DM_GET_TARGET_VERSION
   */
  getTargetVersion(type: string, options?: Abortable): Promise<Version> {
    return this.#run(operations.getTargetVersion(type), options);
  }

  /**
   * Send a message to a target, or with '@' in front to the device itself. It is sent once: an abort
   * during the ioctl comes too late, and only the queries among the @stats_ messages are repeated
   * for an answer that needs more room.
   *
   * @param message - a text, or its words, those that are secret as bytes; or a target's own, as in
   * `thinPool.messages.createThin({ id: 0 })`, or one of {@link statistics}
   * @param options - `sector`: one that the target covers, which is meant
   * @returns the answer, '' if there is none; of a target's own message what the answer means
   * @throws {KernelError} EINVAL the target knows no such message, or there is no table
   * @throws {ReplyError} it was carried out, but its answer is larger than 64 KiB
   * @see dm-ioctl.c target_message()
   */
  sendMessage<Answer = string>(
    device: DeviceRef,
    message: Message | TypedMessage<Answer>,
    options?: MessageOptions & Abortable,
  ): Promise<Answer> {
    return this.#inLine(device, operations.sendMessage(device, message, options), options);
  }

  /**
   * Set what the device tells of cylinders, heads and sectors. It is forgotten when the size changes.
   *
   * @param geometry - `cylinders` to 65535, `heads` and `sectors` to 255; `start` in sectors
   * @throws {KernelError} EINVAL the start lies beyond the end
   * @see dm-ioctl.c dev_set_geometry()
   */
  setGeometry(device: DeviceRef, geometry: Geometry, options?: Abortable): Promise<void> {
    return this.#inLine(device, operations.setGeometry(device, geometry), options);
  }

  /**
   * Have a multipath device try its failed paths, and put back those that work.
   *
   * @throws {KernelError} ENOTCONN no path works; ENOTTY it is no multipath device
   * @throws {UnsupportedError} interface below 4.50
   * @see dm-ioctl.h DM_MPATH_PROBE_PATHS
   */
  probePaths(device: DeviceRef, options?: Abortable): Promise<void> {
    return this.#inLine(device, operations.probePaths(device), options);
  }

  /**
   * Wait until a target of the device raises an event (a path failed, a pool is running low, a resync is
   * done), or the device is renamed. Takes no thread. Below interface 4.37 it looks every 250 ms.
   *
   * @param options - `eventNumber`: the last one you know of, so that none in between is missed
   * @returns the device, with its new `eventNumber`
   * @throws {KernelError} ENXIO no such device, or it was removed meanwhile
   * @throws {TimeoutError} `timeoutMs` went by
   * @throws {ClosedError} the handle was closed meanwhile
   */
  async waitForEvent(
    device: DeviceRef,
    options: WaitOptions & Abortable = {},
  ): Promise<DeviceInfo> {
    checkWait(options);
    const { eventNumber, timeoutMs, signal } = options;
    const waiter = this.#join();
    const stop = (reason: Error): void => {
      waiter.leave(reason);
    };
    const release = onAbort(signal, stop);
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(
            () => {
              stop(noEvent(device, timeoutMs));
            },
            Math.min(timeoutMs, LONGEST_TIMER),
          );
    try {
      return await eventOf(waiter, () => this.getDevice(device), eventNumber);
    } finally {
      clearTimeout(timer);
      release();
      waiter.leave();
    }
  }

  /**
   * The events of all devices from now on, or of some: devices that come, go and are renamed, and
   * targets that raise an event. Takes no thread. Of a burst the last state of each device is told; no
   * last `eventNumber` is missed. Devices that are there already are not told.
   *
   * It ends when its `for await` is left, with `signal`, or when the handle is closed. Below interface
   * 4.37 it looks every 250 ms, and keeps the process alive.
   *
   * @example
   * for await (const { type, name } of dm.watchEvents({ signal })) console.log(type, name);
   * @throws {KernelError} the devices cannot be listed
   */
  watchEvents(
    options: WatchOptions = {},
  ): AsyncIterableIterator<DeviceEvent, undefined> & AsyncDisposable {
    for (const device of options.devices ?? []) identify(device);
    return new EventStream(this.#join(options), options);
  }

  #join({ persistent = true }: Pick<WatchOptions, 'persistent'> = {}): Waiter {
    if (this.#closed !== undefined) throw new ClosedError();
    return this.#events.join({ persistent });
  }

  /** Refuse new calls, end all waiting for events, let other calls end, and let go of the kernel. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#events.close(new ClosedError());
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    this.#transport.close();
  }

  /** {@link DeviceMapper.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** More than this a timer cannot hold: it would ring at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

function tick(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves with `before`, or rejects as soon as `signal` aborts. */
async function unlessAborted(before: Promise<unknown>, signal: Signal | undefined): Promise<void> {
  if (signal === undefined) {
    await before;
    return;
  }
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([before, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The operation refuses what is no reference; here that must not throw. */
function lineOf(device: unknown): string {
  if (typeof device === 'string') return `name,${device}`;
  const given = Object.entries(device ?? {}).filter(([, value]) => value !== undefined);
  return given.join();
}

/**
 * The device-mapper behind a Transport, blocking: {@link DeviceMapper}'s methods by the same names,
 * with the same results and errors, without promises, signals and watchEvents.
 *
 * @example
 * using dm = DeviceMapperSync.open();
 * const disk = dm.createActiveDevice('joined', '0 2048 linear /dev/sdb 0');
 */
export class DeviceMapperSync {
  readonly #transport: Transport;
  readonly #buffers: Buffers = new Buffers();
  #closed = false;

  /** @param transport - a kernel, or anything that answers like one; closed with this handle */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  #run<T>(operation: Operation<T>): T {
    if (this.#closed) throw new ClosedError();
    return runSync(this.#transport, this.#buffers, operation);
  }

  /** As {@link DeviceMapper.getVersion}. */
  getVersion(): Version {
    return this.#run(operations.getVersion());
  }

  /** As {@link DeviceMapper.supports}. */
  supports(feature: Feature): boolean {
    return this.#run(operations.supports(feature));
  }

  /** As {@link DeviceMapper.createDevice}. */
  createDevice(name: string, options?: CreateOptions): DeviceInfo {
    return this.#run(operations.createDevice(name, options));
  }

  /** As {@link DeviceMapper.loadTable}. */
  loadTable(device: DeviceRef, table: Table, options?: LoadOptions): DeviceInfo {
    return this.#run(operations.loadTable(device, table, options));
  }

  /** As {@link DeviceMapper.createActiveDevice}. */
  createActiveDevice(
    name: string,
    table: Table,
    options?: CreateOptions & LoadOptions,
  ): DeviceInfo {
    return this.#run(operations.createActiveDevice(name, table, options));
  }

  /** As {@link DeviceMapper.resume}. */
  resume(device: DeviceRef, options?: SuspendOptions): DeviceInfo {
    return this.#run(operations.resume(device, options));
  }

  /** As {@link DeviceMapper.reloadTable}. */
  reloadTable(device: DeviceRef, table: Table, options?: ReloadOptions): DeviceInfo {
    return this.#run(operations.reloadTable(device, table, options));
  }

  /** As {@link DeviceMapper.suspend}. */
  suspend(device: DeviceRef, options?: SuspendOptions): DeviceInfo {
    return this.#run(operations.suspend(device, options));
  }

  /** As {@link DeviceMapper.removeDevice}. */
  removeDevice(device: DeviceRef, options?: RemoveOptions): 'removed' | 'scheduled' {
    return this.#run(operations.removeDevice(device, options));
  }

  /** As {@link DeviceMapper.cancelDeferredRemove}. */
  cancelDeferredRemove(device: DeviceRef): void {
    this.#run(operations.cancelDeferredRemove(device));
  }

  /** As {@link DeviceMapper.renameDevice}. */
  renameDevice(device: DeviceRef, newName: string): DeviceInfo {
    return this.#run(operations.renameDevice(device, newName));
  }

  /** As {@link DeviceMapper.setUuid}. */
  setUuid(device: DeviceRef, uuid: string): DeviceInfo {
    return this.#run(operations.setUuid(device, uuid));
  }

  /** As {@link DeviceMapper.removeAllDevices}. */
  removeAllDevices(options?: { readonly deferred?: boolean }): void {
    this.#run(operations.removeAllDevices(options));
  }

  /** As {@link DeviceMapper.getDevice}. */
  getDevice(device: DeviceRef, options?: DeviceOptions): DeviceInfo {
    return this.#run(operations.getDevice(device, options));
  }

  /** As {@link DeviceMapper.findDevice}. */
  findDevice(device: DeviceRef, options?: DeviceOptions): DeviceInfo | undefined {
    return this.#run(operations.findDevice(device, options));
  }

  /** As {@link DeviceMapper.listDevices}. */
  listDevices(options?: ListOptions): DeviceListEntry[] {
    return this.#run(operations.listDevices(options));
  }

  /** As {@link DeviceMapper.getTable}. */
  getTable<ShowKeys extends boolean = false>(
    device: DeviceRef,
    options?: GetTableOptions<ShowKeys>,
  ): DeviceTable<ShowKeys extends true ? TargetBytes : TargetLine> {
    return this.#run(operations.getTable(device, options));
  }

  /** As {@link DeviceMapper.getStatus}. */
  getStatus(device: DeviceRef, options?: StatusOptions): DeviceTable<StatusLine> {
    return this.#run(operations.getStatus(device, options));
  }

  /** As {@link DeviceMapper.getMeasurement}. */
  getMeasurement(device: DeviceRef, options?: TableOptions): DeviceTable {
    return this.#run(operations.getMeasurement(device, options));
  }

  /** As {@link DeviceMapper.clearTable}. */
  clearTable(device: DeviceRef): DeviceInfo {
    return this.#run(operations.clearTable(device));
  }

  /** As {@link DeviceMapper.getDependencies}. */
  getDependencies(device: DeviceRef, options?: TableOptions): readonly DeviceNumber[] {
    return this.#run(operations.getDependencies(device, options));
  }

  /** As {@link DeviceMapper.listTargets}. */
  listTargets(): readonly TargetVersion[] {
    return this.#run(operations.listTargets());
  }

  /** As {@link DeviceMapper.getTargetVersion}. */
  getTargetVersion(type: string): Version {
    return this.#run(operations.getTargetVersion(type));
  }

  /** As {@link DeviceMapper.sendMessage}. */
  sendMessage<Answer = string>(
    device: DeviceRef,
    message: Message | TypedMessage<Answer>,
    options?: MessageOptions,
  ): Answer {
    return this.#run(operations.sendMessage(device, message, options));
  }

  /** As {@link DeviceMapper.setGeometry}. */
  setGeometry(device: DeviceRef, geometry: Geometry): void {
    this.#run(operations.setGeometry(device, geometry));
  }

  /** As {@link DeviceMapper.probePaths}. */
  probePaths(device: DeviceRef): void {
    this.#run(operations.probePaths(device));
  }

  /** As {@link DeviceMapper.waitForEvent}; nothing else of this thread runs meanwhile. */
  waitForEvent(device: DeviceRef, options?: WaitOptions): DeviceInfo {
    return this.#run(operations.waitForEvent(device, options));
  }

  /** Let go of the kernel; calling it again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#transport.close();
  }

  /** {@link DeviceMapperSync.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
