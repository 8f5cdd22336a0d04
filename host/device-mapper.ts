/// <reference lib="esnext.disposable" preserve="true" />

// DeviceMapper and DeviceMapperSync: the operations bound to a Transport. Knows no kernel.

import { Buffers, runAsync, runSync } from './drive.js';
import { ClosedError } from './errors.js';
import * as operations from './operations.js';
import type {
  CreateOptions,
  GetTableOptions,
  ListOptions,
  LoadOptions,
  Operation,
  RemoveOptions,
  StatusOptions,
  SuspendOptions,
  TableOptions,
} from './operations.js';
import type { Signal, Transport } from './transport.js';
import type {
  DeviceInfo,
  DeviceListEntry,
  DeviceNumber,
  DeviceRef,
  DeviceTable,
  Table,
  TargetBytes,
  TargetLine,
  Version,
} from './types.js';

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
  #closed: Promise<void> | undefined;

  /** @param transport - a kernel, or anything that answers like one; closed with this handle */
  constructor(transport: Transport) {
    this.#transport = transport;
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
  getDevice(device: DeviceRef, options?: Abortable): Promise<DeviceInfo> {
    return this.#run(operations.getDevice(device), options);
  }

  /**
   * Describe a device that may be absent.
   *
   * @returns the device, or undefined if there is none
   */
  findDevice(device: DeviceRef, options?: Abortable): Promise<DeviceInfo | undefined> {
    return this.#run(operations.findDevice(device), options);
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
   * The status of each target, in its own words. Thin pools, caches and clones first commit their
   * metadata, unless `noflush` is given.
   *
   * @returns the device, and per target its status in `parameters`: no table that could be loaded
   * @throws {KernelError} ENXIO no such device
   * @see dm-ioctl.h DM_TABLE_STATUS
   */
  getStatus(device: DeviceRef, options?: StatusOptions & Abortable): Promise<DeviceTable> {
    return this.#inLine(device, operations.getStatus(device, options), options);
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

  /** Refuse new calls, let those that were made end, and let go of the kernel. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    this.#transport.close();
  }

  /** {@link DeviceMapper.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
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
 * with the same results and errors, without promises and signals.
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

  /** As {@link DeviceMapper.suspend}. */
  suspend(device: DeviceRef, options?: SuspendOptions): DeviceInfo {
    return this.#run(operations.suspend(device, options));
  }

  /** As {@link DeviceMapper.removeDevice}. */
  removeDevice(device: DeviceRef, options?: RemoveOptions): 'removed' | 'scheduled' {
    return this.#run(operations.removeDevice(device, options));
  }

  /** As {@link DeviceMapper.removeAllDevices}. */
  removeAllDevices(options?: { readonly deferred?: boolean }): void {
    this.#run(operations.removeAllDevices(options));
  }

  /** As {@link DeviceMapper.getDevice}. */
  getDevice(device: DeviceRef): DeviceInfo {
    return this.#run(operations.getDevice(device));
  }

  /** As {@link DeviceMapper.findDevice}. */
  findDevice(device: DeviceRef): DeviceInfo | undefined {
    return this.#run(operations.findDevice(device));
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
  getStatus(device: DeviceRef, options?: StatusOptions): DeviceTable {
    return this.#run(operations.getStatus(device, options));
  }

  /** As {@link DeviceMapper.clearTable}. */
  clearTable(device: DeviceRef): DeviceInfo {
    return this.#run(operations.clearTable(device));
  }

  /** As {@link DeviceMapper.getDependencies}. */
  getDependencies(device: DeviceRef, options?: TableOptions): readonly DeviceNumber[] {
    return this.#run(operations.getDependencies(device, options));
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
