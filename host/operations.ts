// Rule: an operation is a generator. It yields every effect (an ioctl, a wait, a look at the machine)
// and returns a result, so that it never knows whether it runs blocking or async, on a kernel or on a
// recording of one. What it did it takes back when a later step fails.

import { InputError, KernelError, NodeError, ReplyError, cut, show } from './errors.js';
import {
  DM_ACTIVE_PRESENT_FLAG,
  DM_BUFFER_FULL_FLAG,
  DM_DEFERRED_REMOVE,
  DM_INACTIVE_PRESENT_FLAG,
  DM_INTERNAL_SUSPEND_FLAG,
  DM_MAX_DATA_SIZE,
  DM_NOFLUSH_FLAG,
  DM_PERSISTENT_DEV_FLAG,
  DM_QUERY_INACTIVE_TABLE_FLAG,
  DM_READONLY_FLAG,
  DM_SECURE_DATA_FLAG,
  DM_SKIP_LOCKFS_FLAG,
  DM_STATUS_TABLE_FLAG,
  DM_SUSPEND_FLAG,
  DM_UDEV_FLAGS_SHIFT,
  DM_UDEV_PRIMARY_SOURCE_FLAG,
  DM_UUID_FLAG,
} from './generated/uapi.js';
import type { Transport } from './transport.js';
import {
  majorOf,
  makeDev,
  minorOf,
  type DeviceInfo,
  type DeviceListEntry,
  type DeviceNumber,
  type DeviceRef,
  type DeviceTable,
  type Table,
  type TargetBytes,
  type TargetLine,
  type Version,
} from './types.js';
import {
  REPLY_SPACE,
  encodeRequest,
  type Command,
  type Header,
  type Reply,
  type ReplyOptions,
  type Request,
} from './wire.js';

/** What an operation asks its driver for; the answer comes back from the `yield`. */
export type Effect =
  /** One ioctl, its request as values or as bytes; answered by the reply, or by a positive errno. */
  | {
      readonly kind: 'ioctl';
      readonly command: Command;
      readonly request: Request | Uint8Array;
      readonly frees?: boolean;
      readonly decode?: ReplyOptions;
      /** The answer may hold a key: overwrite the buffer when it was decoded. */
      readonly secure?: boolean;
    }
  /** Let time go by. */
  | { readonly kind: 'sleep'; readonly ms: number }
  /** Something else that the machine may know or do, at once. */
  | { readonly kind: 'ask'; readonly ask: (transport: Transport) => unknown }
  /**
   * An abort that came meanwhile is thrown here, as it is before an ioctl and a sleep; answered by
   * whether one may still come.
   */
  | { readonly kind: 'checkpoint' }
  /** Nothing; but from here on aborts come too late: what was done stays, or is being taken back. */
  | { readonly kind: 'commit' };

/** A generator that a driver runs. */
export type Operation<T> = Generator<Effect, T, unknown>;

// ── What callers may ask for ─────────────────────────────────────────────────────────────────────

/** Options of createDevice and createActiveDevice. */
export interface CreateOptions {
  /** At most 128 bytes; it can be set once and never changed. */
  readonly uuid?: string;
  /** The minor number, 0 to 1048575; the kernel takes the next free one if left out. */
  readonly minor?: number;
}

/** Options of loadTable and createActiveDevice. */
export interface LoadOptions {
  /** Open the devices beneath for reading only; the device becomes read-only at the resume. */
  readonly readOnly?: boolean;
  /** Have the kernel wipe the request from its memory, as a table with a key in it should. */
  readonly secure?: boolean;
}

/** Options of suspend and resume. */
export interface SuspendOptions {
  /** Do not wait for I/O that targets have queued; they push it back. */
  readonly noflush?: boolean;
  /** Do not freeze a file system that is mounted from the device. */
  readonly skipLockfs?: boolean;
}

/** Options of removeDevice. */
export interface RemoveOptions {
  /** If the device is open, have the kernel remove it when the last opener closes it. */
  readonly deferred?: boolean;
  /** Put an error table in place first, so that openers fail and let go; it stays if none does. */
  readonly force?: boolean;
  /** While the device is open, try again: true means 25 times with 200 ms between. */
  readonly retry?:
    | boolean
    | {
        /** Tries in all, from 1. */
        readonly times: number;
        /** Milliseconds between two tries. */
        readonly delayMs: number;
      };
}

/** Which devices to list; both must match. */
export interface ListOptions {
  /** How the name begins. */
  readonly namePrefix?: string;
  /** How the uuid begins; by custom that is the owner, as in 'LVM-' or 'CRYPT-'. */
  readonly uuidPrefix?: string;
}

/** Which table to tell of. */
export interface TableOptions {
  /** The one in the inactive slot. */
  readonly inactive?: boolean;
}

/** How to ask for a table. */
export interface GetTableOptions<ShowKeys extends boolean = boolean> extends TableOptions {
  /** Tell keys as they are, and all parameters as bytes, so that no key becomes a string. */
  readonly showKeys?: ShowKeys;
}

/** How to ask for a status. */
export interface StatusOptions extends TableOptions {
  /** Do not have thin pools, caches and clones commit their metadata first. */
  readonly noflush?: boolean;
}

// ── The steps they are made of ───────────────────────────────────────────────────────────────────

/** udev's rules take events of resume, rename and remove for genuine with this one, as libdm's. */
const COOKIE = (DM_UDEV_PRIMARY_SOURCE_FLAG << DM_UDEV_FLAGS_SHIFT) >>> 0;

/** libdm's patience with a device that udev is just looking at. */
const PATIENCE = { times: 25, delayMs: 200 };

/** How long udev is given to take its own links away: 3 s in all. */
const UDEV_PATIENCE = { times: 150, delayMs: 20 };

function* ask<T>(question: (transport: Transport) => T): Operation<T> {
  return (yield { kind: 'ask', ask: question }) as T;
}

interface IoctlOptions extends Pick<Effect & { kind: 'ioctl' }, 'frees' | 'decode' | 'secure'> {
  readonly device?: string;
}

/** One ioctl; an errno becomes a KernelError with the kernel's own reason. */
function* ioctl<C extends Command>(
  command: C,
  request: Request<C> | Uint8Array,
  { device, ...how }: IoctlOptions = {},
): Operation<Reply<C>> {
  const answer = yield { kind: 'ioctl', command, request: request as Request, ...how };
  if (typeof answer !== 'number') return answer as Reply<C>;
  const kernelLog = yield* ask((transport) => transport.kernelLog?.() ?? []);
  throw new KernelError(command, answer, { device, kernelLog });
}

/** A query whose answer may outgrow the buffer. Repeating it does no harm (protocol: BUFFER_FULL). */
function* query<C extends 'LIST_DEVICES' | 'TABLE_DEPS' | 'TABLE_STATUS'>(
  command: C,
  request: Partial<Header>,
  options?: IoctlOptions,
): Operation<Reply<C>> {
  for (let dataSize = REPLY_SPACE; dataSize <= DM_MAX_DATA_SIZE; dataSize *= 2) {
    const reply = yield* ioctl(command, { ...request, dataSize } as Request<C>, options);
    // 5.10 may overrun and answer more than it was offered, without the flag.
    if ((reply.flags & DM_BUFFER_FULL_FLAG) === 0 && reply.dataSize <= dataSize) {
      yield { kind: 'checkpoint' };
      return reply;
    }
  }
  throw new ReplyError(command, 28, `the answer does not fit ${DM_MAX_DATA_SIZE} bytes`);
}

/** Exactly one of the three identifiers: two together are refused by the kernel, or mistaken. */
function identify(device: DeviceRef): Partial<Header> {
  if (typeof device === 'string') return { name: filled(device, 'name') };
  if (typeof device !== 'object' || (device as unknown) === null) {
    throw new InputError({ path: 'device' }, `expected a name or a reference, got ${show(device)}`);
  }
  const { name, uuid, dev } = device as { name?: unknown; uuid?: unknown; dev?: unknown };
  const given = [name, uuid, dev].filter((value) => value !== undefined).length;
  if (given !== 1) {
    throw new InputError(
      { path: 'device' },
      `expected exactly one of name, uuid and dev, got ${given}`,
    );
  }
  if (name !== undefined) return { name: filled(name, 'name') };
  if (uuid !== undefined) return { uuid: filled(uuid, 'uuid') };
  if (!Number.isInteger(dev) || (dev as number) <= 0 || (dev as number) > 0xffffffff) {
    throw new InputError({ path: 'dev' }, `expected a device number, got ${show(dev)}`);
  }
  return { dev: dev as number };
}

function filled(text: unknown, path: string): string {
  if (typeof text === 'string' && text !== '') return text;
  throw new InputError({ path }, `expected a ${path}, got ${show(text)}`);
}

/** A reference as a message names it. */
function labelOf(device: DeviceRef): string {
  if (typeof device === 'string') return device;
  if (typeof device !== 'object' || (device as unknown) === null) return show(device);
  return device.name ?? device.uuid ?? `${majorOf(device.dev ?? 0)}:${minorOf(device.dev ?? 0)}`;
}

function flagsOf(flags: Readonly<Record<number, boolean | undefined>>): number {
  let all = 0;
  for (const [flag, set] of Object.entries(flags)) {
    if (set !== undefined && typeof set !== 'boolean') {
      throw new InputError({ path: 'options' }, `expected true or false, got ${show(set)}`);
    }
    if (set === true) all |= Number(flag);
  }
  return all >>> 0;
}

/** Names that cannot be a path in /dev/mapper: older kernels allow the first three, and none a '/'. */
const NO_NODE = /^(\.|\.\.|control)$|\/|\p{Surrogate}/u;

/** DeviceInfo.path */
function pathOf(name: string, dev: number): string {
  return NO_NODE.test(name) ? `/dev/dm-${minorOf(dev)}` : `/dev/mapper/${name}`;
}

function deviceInfo(reply: Header): DeviceInfo {
  const { name, uuid, dev, openCount, targetCount, eventNr, flags } = reply;
  return {
    name,
    uuid,
    dev,
    major: majorOf(dev),
    minor: minorOf(dev),
    path: pathOf(name, dev),
    openCount,
    targetCount,
    eventNumber: eventNr,
    suspended: (flags & DM_SUSPEND_FLAG) !== 0,
    readOnly: (flags & DM_READONLY_FLAG) !== 0,
    liveTable: (flags & DM_ACTIVE_PRESENT_FLAG) !== 0,
    inactiveTable: (flags & DM_INACTIVE_PRESENT_FLAG) !== 0,
    deferredRemove: (flags & DM_DEFERRED_REMOVE) !== 0,
    internalSuspend: (flags & DM_INTERNAL_SUSPEND_FLAG) !== 0,
    flags,
  };
}

/**
 * Do `work`; if it fails, do `undo` and say in the error what it undid (`what`), or what is left.
 * An abort is a failure like others.
 */
function* undoing<T>(
  work: Operation<T>,
  undo: () => Operation<unknown>,
  what: string,
): Operation<T> {
  try {
    return yield* work;
  } catch (error) {
    const undone: string[] = [];
    const left: string[] = [];
    let failure: unknown;
    // An abort that comes now, or came during the ioctl that failed, must not end the undoing.
    yield { kind: 'commit' };
    try {
      yield* undo();
      undone.push(what);
    } catch (problem) {
      failure = problem;
      left.push(what);
    }
    if (error instanceof KernelError) {
      const { command, errno, device, kernelLog, cause } = error;
      throw new KernelError(command, -errno, { device, kernelLog, undone, left, cause });
    }
    if (error instanceof NodeError) throw new NodeError(error.path, error.problem, undone, left);
    if (failure instanceof KernelError) {
      const { command, errno, device, kernelLog } = failure;
      throw new KernelError(command, -errno, { device, kernelLog, left, cause: error });
    }
    throw error;
  }
}

// ── Nodes ────────────────────────────────────────────────────────────────────────────────────────

/** What stands at a device's path that is not the device's is refused before it is in the way. */
function* checkNode(name: string): Operation<void> {
  if (NO_NODE.test(name)) return;
  const path = pathOf(name, 0);
  if ((yield* ask((transport) => transport.nodes?.state(path))) === 'other') throw taken(path);
}

function taken(path: string): NodeError {
  return new NodeError(path, 'something that is no device-mapper node stands here; move it away');
}

/**
 * Have the device's path open as the device, at once: the link that udev makes is made here if udev
 * has not come to it yet, and udev leaves it as it is.
 */
function* provideNode({ name, path, dev }: DeviceInfo): Operation<void> {
  if (NO_NODE.test(name)) return;
  // A few tries, as udev may be making the same link at the same time.
  for (let tries = 0; tries < 5; tries++) {
    const state = yield* ask((transport) => transport.nodes?.state(path, dev));
    if (state === undefined || state === 'ours') return;
    if (state === 'other') throw taken(path);
    yield* ask((transport) => transport.nodes?.make(path, dev));
  }
  throw new NodeError(path, 'the node keeps changing under our hands; what else makes it?');
}

/** Take away the node of a device that is gone, unless a new device has the name by now. */
function* dropNode(name: string): Operation<void> {
  yield { kind: 'commit' };
  if (NO_NODE.test(name)) return;
  const path = pathOf(name, 0);
  for (let i = 0; i < UDEV_PATIENCE.times; i++) {
    if ((yield* ask((transport) => transport.nodes?.settled())) !== false) break;
    yield { kind: 'sleep', ms: UDEV_PATIENCE.delayMs };
  }
  if ((yield* ask((transport) => transport.nodes?.state(path))) !== 'stale') return;
  if ((yield* findDevice(name)) !== undefined) return;
  yield* ask((transport) => transport.nodes?.remove(path));
  // Somebody may have made a device of this name, and its node, just before we took the node away.
  const next = yield* findDevice(name);
  if (next?.liveTable === true) yield* provideNode(next);
}

// ── The operations ───────────────────────────────────────────────────────────────────────────────

export function* getVersion(): Operation<Version> {
  return (yield* ioctl('VERSION', {})).version;
}

export function* createDevice(name: string, options: CreateOptions = {}): Operation<DeviceInfo> {
  const create = encodeCreate(name, options);
  yield* checkNode(name);
  const reply = yield* ioctl('DEV_CREATE', create, { device: name });
  yield* undoing(checkpoint(), () => removeCreated(name), `create device '${cut(name)}'`);
  return deviceInfo(reply);
}

/** @returns whether an abort may still come */
function* checkpoint(): Operation<boolean> {
  return (yield { kind: 'checkpoint' }) as boolean;
}

/** Made before anything is sent or looked at, as {@link encodeLoad} is. */
function encodeCreate(name: string, { uuid = '', minor }: CreateOptions): Uint8Array {
  const request = { name: filled(name, 'name'), uuid };
  if (minor === undefined) return encodeRequest('DEV_CREATE', request);
  if (!Number.isInteger(minor) || minor < 0 || minor > 0xfffff) {
    throw new InputError(
      { path: 'minor' },
      `expected a minor from 0 to 1048575, got ${show(minor)}`,
    );
  }
  const dev = makeDev(0, minor);
  return encodeRequest('DEV_CREATE', { ...request, flags: DM_PERSISTENT_DEV_FLAG, dev });
}

/** A device of our own making goes again, also while udev looks at it. */
function* removeCreated(name: string): Operation<void> {
  yield* removeDevice(name, { retry: true });
}

/** The load's bytes, made before anything is sent: what is wrong with a table is known by then. */
function encodeLoad(device: DeviceRef, table: Table, options: LoadOptions): Uint8Array {
  const flags = flagsOf({
    [DM_READONLY_FLAG]: options.readOnly,
    [DM_SECURE_DATA_FLAG]: options.secure,
  });
  return encodeRequest('TABLE_LOAD', { ...identify(device), targets: table, flags });
}

export function* loadTable(
  device: DeviceRef,
  table: Table,
  options: LoadOptions = {},
): Operation<DeviceInfo> {
  const load = encodeLoad(device, table, options);
  const label = labelOf(device);
  try {
    const reply = yield* ioctl('TABLE_LOAD', load, { device: label });
    yield* undoing(checkpoint(), () => clearTable(device), `load the table of '${cut(label)}'`);
    return deviceInfo(reply);
  } finally {
    if (options.secure === true) load.fill(0);
  }
}

export function* createActiveDevice(
  name: string,
  table: Table,
  options: CreateOptions & LoadOptions = {},
): Operation<DeviceInfo> {
  const create = encodeCreate(name, options);
  const load = encodeLoad(name, table, options);
  try {
    yield* checkNode(name);
    yield* ioctl('DEV_CREATE', create, { device: name });
    const what = `create device '${cut(name)}'`;
    return yield* undoing(activate(name, load), () => removeCreated(name), what);
  } finally {
    if (options.secure === true) load.fill(0);
  }
}

function* activate(name: string, load: Uint8Array): Operation<DeviceInfo> {
  yield* ioctl('TABLE_LOAD', load, { device: name });
  const info = yield* resume(name);
  yield* checkpoint();
  return info;
}

export function* suspend(device: DeviceRef, options: SuspendOptions = {}): Operation<DeviceInfo> {
  const flags = (suspendFlags(options) | DM_SUSPEND_FLAG) >>> 0;
  const request = { ...identify(device), flags };
  const label = labelOf(device);
  // What an abort must leave as it was: to ask first is worth it only if one may come.
  const before = (yield* checkpoint()) ? yield* findDevice(device) : undefined;
  const info = deviceInfo(yield* ioctl('DEV_SUSPEND', request, { device: label }));
  // A resume would make the table that waits live: too much for an abort, which comes too late then.
  if (info.inactiveTable) return info;
  const undo = (): Operation<DeviceInfo> => resume(device);
  const what = `suspend device '${cut(label)}'`;
  yield* before?.suspended === true ? checkpoint() : undoing(checkpoint(), undo, what);
  return info;
}

function suspendFlags({ noflush, skipLockfs }: SuspendOptions): number {
  return flagsOf({ [DM_NOFLUSH_FLAG]: noflush, [DM_SKIP_LOCKFS_FLAG]: skipLockfs });
}

export function* resume(device: DeviceRef, options: SuspendOptions = {}): Operation<DeviceInfo> {
  const request = { ...identify(device), flags: suspendFlags(options), eventNr: COOKIE };
  const reply = yield* ioctl('DEV_SUSPEND', request, { device: labelOf(device), frees: true });
  const info = deviceInfo(reply);
  if (info.liveTable) yield* provideNode(info);
  return info;
}

export function* removeDevice(
  device: DeviceRef,
  { deferred, force, retry = false }: RemoveOptions = {},
): Operation<'removed' | 'scheduled'> {
  // `force` is no flag of the kernel's; it is only checked as one.
  const flags = flagsOf({ [DM_DEFERRED_REMOVE]: deferred, 0: force });
  const request = { ...identify(device), flags, eventNr: COOKIE };
  const removal = whileBusy(patience(retry), () =>
    ioctl('DEV_REMOVE', request, { device: labelOf(device), frees: true }),
  );
  const reply = yield* force === true ? failingAllIo(device, removal) : removal;
  // The flag is cleared if the device went at once (dm-ioctl.c dev_remove()).
  if ((reply.flags & DM_DEFERRED_REMOVE) !== 0) return 'scheduled';
  yield* dropNode(reply.name);
  return 'removed';
}

interface Patience {
  readonly times: number;
  readonly delayMs: number;
}

function* whileBusy<T>({ times, delayMs }: Patience, work: () => Operation<T>): Operation<T> {
  for (let tries = 1; ; tries++) {
    try {
      return yield* work();
    } catch (error) {
      const busy = error instanceof KernelError && error.code === 'EBUSY';
      if (!busy || tries >= times) throw error;
    }
    yield { kind: 'sleep', ms: delayMs };
  }
}

function patience(retry: unknown): Patience {
  if (retry === true) return PATIENCE;
  if (retry === false) return { times: 1, delayMs: 0 };
  const { times, delayMs } = (retry ?? {}) as { times?: unknown; delayMs?: unknown };
  if (!Number.isSafeInteger(times) || (times as number) < 1) {
    throw new InputError(
      { path: 'retry.times' },
      `expected a whole number from 1, got ${show(times)}`,
    );
  }
  if (typeof delayMs !== 'number' || !(delayMs >= 0)) {
    throw new InputError({ path: 'retry.delayMs' }, `expected milliseconds, got ${show(delayMs)}`);
  }
  return { times: times as number, delayMs };
}

/**
 * dmsetup remove --force: an error table of the same size, swapped in without a flush. It stays if
 * `work` fails, for openers to fail on it and let go; the error says so.
 */
function* failingAllIo<T>(device: DeviceRef, work: Operation<T>): Operation<T> {
  const { targets } = yield* getTable(device);
  const last = targets.at(-1);
  if (last === undefined) return yield* work;
  const length = last.startSector + last.length;
  const what = `load the error table of '${cut(labelOf(device))}'`;
  yield* loadTable(device, [{ startSector: 0, length, type: 'error', parameters: [] }]);
  const live = resume(device, { noflush: true, skipLockfs: true });
  yield* undoing(live, () => clearTable(device), what);
  try {
    return yield* work;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const { command, errno, kernelLog } = error;
    throw new KernelError(command, -errno, { device: error.device, kernelLog, left: [what] });
  }
}

export function* removeAllDevices({
  deferred,
}: { readonly deferred?: boolean } = {}): Operation<void> {
  const flags = flagsOf({ [DM_DEFERRED_REMOVE]: deferred });
  const before = yield* listDevices();
  yield* ioctl('REMOVE_ALL', { flags }, { frees: true });
  const kept = new Set((yield* listDevices()).map(({ name }) => name));
  for (const { name } of before) if (!kept.has(name)) yield* dropNode(name);
}

export function* getDevice(device: DeviceRef): Operation<DeviceInfo> {
  const reply = yield* ioctl('DEV_STATUS', identify(device), { device: labelOf(device) });
  return deviceInfo(reply);
}

export function* findDevice(device: DeviceRef): Operation<DeviceInfo | undefined> {
  try {
    return yield* getDevice(device);
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ENXIO') return undefined;
    throw error;
  }
}

export function* listDevices({ namePrefix = '', uuidPrefix = '' }: ListOptions = {}): Operation<
  DeviceListEntry[]
> {
  const request = { name: namePrefix, uuid: uuidPrefix, flags: DM_UUID_FLAG };
  const { devices } = yield* query('LIST_DEVICES', request);
  // Below 4.45 the kernel takes no prefix and tells no uuid.
  const matching: DeviceListEntry[] = [];
  for (const device of devices) {
    if (!device.name.startsWith(namePrefix)) continue;
    let { uuid } = device;
    if (uuidPrefix !== '') uuid ??= (yield* findDevice(device.name))?.uuid;
    if (uuidPrefix === '' || uuid?.startsWith(uuidPrefix) === true) {
      matching.push(uuid === undefined ? device : { ...device, uuid });
    }
  }
  return matching;
}

export function* getTable<ShowKeys extends boolean = false>(
  device: DeviceRef,
  { inactive, showKeys = false as ShowKeys }: GetTableOptions<ShowKeys> = {},
): Operation<DeviceTable<ShowKeys extends true ? TargetBytes : TargetLine>> {
  const flags = flagsOf({
    [DM_STATUS_TABLE_FLAG]: true,
    [DM_SECURE_DATA_FLAG]: true,
    [DM_QUERY_INACTIVE_TABLE_FLAG]: inactive,
  });
  const decode: ReplyOptions = { parameters: showKeys ? 'bytes' : 'zeroKeys' };
  const table = yield* tableStatus(device, flags, { decode, secure: true });
  return table as DeviceTable<ShowKeys extends true ? TargetBytes : TargetLine>;
}

export function* getStatus(
  device: DeviceRef,
  { inactive, noflush }: StatusOptions = {},
): Operation<DeviceTable> {
  const flags = flagsOf({ [DM_NOFLUSH_FLAG]: noflush, [DM_QUERY_INACTIVE_TABLE_FLAG]: inactive });
  return yield* tableStatus(device, flags);
}

function* tableStatus(
  device: DeviceRef,
  flags: number,
  options?: IoctlOptions,
): Operation<DeviceTable> {
  const request = { ...identify(device), flags };
  const reply = yield* query('TABLE_STATUS', request, { device: labelOf(device), ...options });
  return { device: deviceInfo(reply), targets: reply.targets };
}

export function* clearTable(device: DeviceRef): Operation<DeviceInfo> {
  const options = { device: labelOf(device), frees: true };
  return deviceInfo(yield* ioctl('TABLE_CLEAR', identify(device), options));
}

export function* getDependencies(
  device: DeviceRef,
  { inactive }: TableOptions = {},
): Operation<readonly DeviceNumber[]> {
  const flags = flagsOf({ [DM_QUERY_INACTIVE_TABLE_FLAG]: inactive });
  const request = { ...identify(device), flags };
  return (yield* query('TABLE_DEPS', request, { device: labelOf(device) })).deps;
}
