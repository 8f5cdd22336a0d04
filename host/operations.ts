// Rule: an operation is a generator. It yields every effect (an ioctl, a wait, a look at the machine)
// and returns a result, so that it never knows whether it runs blocking or async, on a kernel or on a
// recording of one. What it did it takes back when a later step fails.

import { InputError, KernelError, ReplyError, amend, cut, show } from './errors.js';
import {
  DM_BUFFER_FULL_FLAG,
  DM_DEFERRED_REMOVE,
  DM_IMA_MEASUREMENT_FLAG,
  DM_MAX_DATA_SIZE,
  DM_MPATH_PROBE_PATHS,
  DM_NOFLUSH_FLAG,
  DM_PERSISTENT_DEV_FLAG,
  DM_QUERY_INACTIVE_TABLE_FLAG,
  DM_READONLY_FLAG,
  DM_SECURE_DATA_FLAG,
  DM_SKIP_BDGET_FLAG,
  DM_SKIP_LOCKFS_FLAG,
  DM_STATUS_TABLE_FLAG,
  DM_SUSPEND_FLAG,
  DM_UUID_FLAG,
} from './generated/uapi.js';
import {
  LOOK_MS,
  checkWait,
  noEvent,
  type DeviceEntry,
  type Look,
  type WaitOptions,
} from './events.js';
import { holdsSecrets } from './keys.js';
import { lintTable } from './lint.js';
import { announced, checkNode, dropNode, provideNode } from './nodes.js';
import {
  FLAGS_OFFSET,
  ask,
  checkpoint,
  deviceInfo,
  filled,
  flagsOf,
  identify,
  ioctl,
  keeping,
  labelOf,
  need,
  query,
  refused,
  supports,
  undoing,
  type IoctlOptions,
  type Operation,
} from './steps.js';
import type { TypedMessage } from './targets/messages.js';
import { withStatus, type StatusLine } from './targets/registry.js';
import {
  makeDev,
  type DeviceInfo,
  type DeviceListEntry,
  type DeviceNumber,
  type DeviceRef,
  type DeviceTable,
  type Parameter,
  type Table,
  type TargetBytes,
  type TargetLine,
  type TargetVersion,
  type Version,
} from './types.js';
import {
  REPLY_SPACE,
  encodeRequest,
  type Geometry,
  type Header,
  type Reply,
  type ReplyOptions,
} from './wire.js';

export { getVersion, supports, type Operation } from './steps.js';

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
  /**
   * Have the kernel wipe the request from its memory. That is done anyway for targets that hold keys
   * (crypt, inlinecrypt, integrity) and for parameters that are given as bytes.
   */
  readonly secure?: boolean;
}

/** Options of reloadTable. */
export type ReloadOptions = LoadOptions & SuspendOptions;

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

/** How to ask for a device. */
export interface DeviceOptions extends TableOptions {
  /** Have the openers not counted; kernels since Linux 2.6.28 count them all the same. */
  readonly noOpenCount?: boolean;
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

/** How to send a message. */
export interface MessageOptions {
  /** Which target gets it: the one that covers this sector, the first if left out. */
  readonly sector?: number | bigint;
  /** Have the kernel wipe the message from its memory; done anyway for what is given as bytes. */
  readonly secure?: boolean;
}

/**
 * A message: a string goes as it is, and its words end at blanks; of an array each element is one
 * word, escaped where needed. Keys are best given as bytes, which never become a string.
 */
export type Message = string | readonly Parameter[] | Uint8Array;

// ── The operations ───────────────────────────────────────────────────────────────────────────────

export function* createDevice(name: string, options: CreateOptions = {}): Operation<DeviceInfo> {
  const create = encodeCreate(name, options);
  yield* checkNode(name);
  const reply = yield* ioctl('DEV_CREATE', create, { device: name });
  yield* undoing(checkpoint(), () => removeCreated(name), `create device '${cut(name)}'`);
  return deviceInfo(reply);
}

/** Made before anything is sent or looked at, as {@link Load} is. */
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

/** A load, made before anything is sent: what is wrong with a table is known by then. */
class Load {
  readonly #bytes: Uint8Array;
  readonly #table: Table;
  readonly #readOnly: boolean | undefined;
  readonly #device: string;
  readonly #secure: boolean;
  readonly #asked: boolean | undefined;

  constructor(device: DeviceRef, table: Table, { readOnly, secure }: LoadOptions) {
    this.#table = table;
    this.#readOnly = readOnly;
    this.#device = labelOf(device);
    this.#asked = secure;
    this.#secure = secure === true || holdsSecrets(table);
    const flags = flagsOf({
      [DM_READONLY_FLAG]: readOnly,
      [DM_SECURE_DATA_FLAG]: secure,
      ...(this.#secure && { [DM_SECURE_DATA_FLAG]: true }),
    });
    this.#bytes = encodeRequest('TABLE_LOAD', { ...identify(device), targets: table, flags });
  }

  /** Do `work`, which sends this, and leave nothing of a key behind. */
  *during<T>(work: () => Operation<T>): Operation<T> {
    try {
      // A kernel that knows no such flag keeps what it is given: told only to who counts on it.
      yield* need('secureData', this.#asked);
      return yield* work();
    } finally {
      if (this.#secure) this.#bytes.fill(0);
    }
  }

  *send(): Operation<DeviceInfo> {
    try {
      return deviceInfo(yield* ioctl('TABLE_LOAD', this.#bytes, { device: this.#device }));
    } catch (error) {
      // The linter makes strings of words, and quotes them: of a key none may be left.
      if (!(error instanceof KernelError) || this.#secure) throw error;
      throw amend(error, {
        findings: lintTable(this.#table, { readOnly: this.#readOnly === true }),
      });
    }
  }
}

export function* loadTable(
  device: DeviceRef,
  table: Table,
  options: LoadOptions = {},
): Operation<DeviceInfo> {
  const load = new Load(device, table, options);
  return yield* load.during(function* () {
    const info = yield* load.send();
    yield* undoing(checkpoint(), () => clearTable(device), loading(device));
    return info;
  });
}

/** How the steps of an operation are named, in the error that tells what became of them. */
const loading = (device: DeviceRef): string => `load the table of '${cut(labelOf(device))}'`;
const suspending = (device: DeviceRef): string => `suspend device '${cut(labelOf(device))}'`;

export function* createActiveDevice(
  name: string,
  table: Table,
  options: CreateOptions & LoadOptions = {},
): Operation<DeviceInfo> {
  const create = encodeCreate(name, options);
  const load = new Load(name, table, options);
  return yield* load.during(function* () {
    yield* checkNode(name);
    yield* ioctl('DEV_CREATE', create, { device: name });
    const what = `create device '${cut(name)}'`;
    return yield* undoing(activate(name, load), () => removeCreated(name), what);
  });
}

function* activate(name: string, load: Load): Operation<DeviceInfo> {
  yield* load.send();
  const info = yield* resume(name);
  yield* checkpoint();
  return info;
}

/**
 * The load goes first: it takes memory, which a machine may only get by writing to this very device.
 * Then the suspend on its own, so that a resume that fails leaves a state that is known.
 */
export function* reloadTable(
  device: DeviceRef,
  table: Table,
  options: ReloadOptions = {},
): Operation<DeviceInfo> {
  const load = new Load(device, table, options);
  const suspension = { ...identify(device), flags: suspendFlags(options, true) };
  return yield* load.during(function* () {
    yield* need('noflush', options.noflush);
    const before = yield* getTable(device, { showKeys: true });
    const steps: string[] = [];
    const swap = function* (): Operation<DeviceInfo> {
      yield* load.send();
      steps.push(loading(device));
      yield* checkpoint();
      if (before.device.liveTable && !before.device.suspended) {
        yield* ioctl('DEV_SUSPEND', suspension, { device: labelOf(device) });
        steps.push(suspending(device));
      }
      yield* checkpoint();
      return yield* resume(device, options);
    };
    try {
      return yield* undoing(swap(), () => restore(device, before), steps);
    } finally {
      wipe(before);
    }
  });
}

/**
 * The device as it was `before`: its live table, its slot empty, running. A swap that failed leaves the
 * old table live or the new one, and the device suspended (dm.c dm_swap_table(), dm_resume()).
 */
function* restore(device: DeviceRef, before: DeviceTable<TargetBytes>): Operation<void> {
  const now = yield* getTable(device, { showKeys: true });
  try {
    if (now.device.inactiveTable) yield* clearTable(device);
    const same = sameTable(now, before);
    if (before.device.liveTable && !same) {
      yield* loadTable(device, before.targets, { readOnly: before.device.readOnly });
    }
    const halted = now.device.suspended && now.device.liveTable;
    if (!same || (halted && !before.device.suspended)) yield* resume(device);
  } finally {
    wipe(now);
  }
}

function sameTable(a: DeviceTable<TargetBytes>, b: DeviceTable<TargetBytes>): boolean {
  const same = (x: TargetBytes, y: TargetBytes): boolean =>
    x.startSector === y.startSector &&
    x.length === y.length &&
    x.type === y.type &&
    x.parameters.length === y.parameters.length &&
    x.parameters.every((byte, i) => byte === y.parameters[i]);
  return (
    a.targets.length === b.targets.length &&
    a.targets.every((target, i) => same(target, b.targets[i]!))
  );
}

function wipe({ targets }: DeviceTable<TargetBytes>): void {
  for (const { parameters } of targets) parameters.fill(0);
}

export function* suspend(device: DeviceRef, options: SuspendOptions = {}): Operation<DeviceInfo> {
  const request = { ...identify(device), flags: suspendFlags(options, true) };
  const label = labelOf(device);
  yield* need('noflush', options.noflush);
  // What an abort must leave as it was: to ask first is worth it only if one may come.
  const before = (yield* checkpoint()) ? yield* findDevice(device) : undefined;
  const info = deviceInfo(yield* ioctl('DEV_SUSPEND', request, { device: label }));
  // A resume would make the table that waits live: too much for an abort, which comes too late then.
  if (info.inactiveTable) return info;
  const undo = (): Operation<DeviceInfo> => resume(device);
  yield* before?.suspended === true
    ? checkpoint()
    : undoing(checkpoint(), undo, suspending(device));
  return info;
}

function suspendFlags({ noflush, skipLockfs }: SuspendOptions, suspended: boolean): number {
  return flagsOf({
    [DM_NOFLUSH_FLAG]: noflush,
    [DM_SKIP_LOCKFS_FLAG]: skipLockfs,
    [DM_SUSPEND_FLAG]: suspended,
  });
}

export function* resume(device: DeviceRef, options: SuspendOptions = {}): Operation<DeviceInfo> {
  const flags = suspendFlags(options, false);
  identify(device);
  yield* need('noflush', options.noflush);
  return yield* goLive(device, flags);
}

function* goLive(device: DeviceRef, flags: number): Operation<DeviceInfo> {
  const request = { ...identify(device), flags };
  const how = { device: labelOf(device), frees: true };
  const reply = yield* announced((eventNr) => ioctl('DEV_SUSPEND', { ...request, eventNr }, how));
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
  const request = { ...identify(device), flags };
  const patient = patience(retry);
  yield* need('deferredRemove', deferred);
  const how = { device: labelOf(device), frees: true };
  const remove = (eventNr: number): Operation<Reply<'DEV_REMOVE'>> =>
    ioctl('DEV_REMOVE', { ...request, eventNr }, how);
  const removal = tellingHolders(
    device,
    whileBusy(patient, () => announced(remove)),
  );
  const reply = yield* force === true ? failingAllIo(device, removal) : removal;
  // The flag is cleared if the device went at once (dm-ioctl.c dev_remove()).
  if ((reply.flags & DM_DEFERRED_REMOVE) !== 0) return 'scheduled';
  const what = `remove device '${cut(labelOf(device))}'`;
  yield* keeping(dropNode(reply.name, findDevice), what);
  return 'removed';
}

/** An EBUSY of `work` says how often the device is open, and by what. */
function* tellingHolders<T>(device: DeviceRef, work: Operation<T>): Operation<T> {
  try {
    return yield* work;
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'EBUSY') throw error;
    const found = yield* findDevice(device);
    if (found === undefined) throw error;
    const holders = yield* ask((transport) => transport.holders?.(found.dev) ?? []);
    throw amend(error, { openCount: found.openCount, holders });
  }
}

export function* cancelDeferredRemove(device: DeviceRef): Operation<void> {
  yield* sendMessage(device, '@cancel_deferred_remove');
}

/** libdm's patience with a device that udev is just looking at. */
const PATIENCE: Patience = { times: 25, delayMs: 200 };

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
 * dmsetup remove --force: an error table of the same size, swapped in without a flush. If the kernel refuses
 * `work` it stays, for openers to fail on it and let go, and the error says so; an abort takes it back.
 */
function* failingAllIo<T>(device: DeviceRef, work: Operation<T>): Operation<T> {
  const before = yield* getTable(device, { showKeys: true });
  try {
    const last = before.targets.at(-1);
    if (last === undefined) return yield* work;
    const length = last.startSector + last.length;
    const what = `load the error table of '${cut(labelOf(device))}'`;
    // As libdm: what is queued is not waited for, where the kernel knows how.
    const noflush = yield* supports('noflush');
    yield* loadTable(device, [{ startSector: 0, length, type: 'error', parameters: [] }]);
    let refusal: KernelError | undefined;
    const swap = function* (): Operation<T | undefined> {
      yield* goLive(device, suspendFlags({ noflush, skipLockfs: true }, false));
      try {
        return yield* work;
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        refusal = error;
        return undefined;
      }
    };
    const result = yield* undoing(swap(), () => restore(device, before), what);
    if (refusal !== undefined) throw amend(refusal, { left: [...refusal.left, what] });
    return result as T;
  } finally {
    wipe(before);
  }
}

export function* removeAllDevices({
  deferred,
}: { readonly deferred?: boolean } = {}): Operation<void> {
  const flags = flagsOf({ [DM_DEFERRED_REMOVE]: deferred });
  yield* need('deferredRemove', deferred);
  const before = yield* listDevices();
  yield* ioctl('REMOVE_ALL', { flags }, { frees: true });
  yield { kind: 'commit' };
  const dropNodes = function* (): Operation<void> {
    const kept = new Set((yield* listDevices()).map(({ name }) => name));
    for (const { name } of before) if (!kept.has(name)) yield* dropNode(name, findDevice);
  };
  yield* keeping(dropNodes(), 'remove all devices');
}

export function* renameDevice(device: DeviceRef, newName: string): Operation<DeviceInfo> {
  // The kernel finds the device by its name only (dm-ioctl.c dm_hash_rename()).
  identify(device);
  const path = { path: 'newName' };
  if (filled(newName, 'newName').includes('/')) {
    throw new InputError(path, `expected a name without "/", got ${show(newName)}`);
  }
  encodeRequest('DEV_RENAME', { name: 'x', newName });
  const { name, liveTable } = yield* getDevice(device);
  if (liveTable) yield* checkNode(newName);
  yield* announced(rename(name, newName));
  const settle = function* (): Operation<DeviceInfo> {
    yield* checkpoint();
    const info = yield* getDevice(newName);
    if (info.liveTable) yield* provideNode(info);
    yield* dropNode(name, findDevice);
    return info;
  };
  const undo = function* (): Operation<void> {
    yield* announced(rename(newName, name));
    const info = yield* getDevice(name);
    if (info.liveTable) yield* provideNode(info);
    yield* dropNode(newName, findDevice);
  };
  return yield* undoing(settle(), undo, `rename device '${cut(name)}' to '${cut(newName)}'`);
}

function rename(name: string, newName: string): (eventNr: number) => Operation<Header> {
  return (eventNr) => ioctl('DEV_RENAME', { name, newName, eventNr }, { device: name });
}

export function* setUuid(device: DeviceRef, uuid: string): Operation<DeviceInfo> {
  identify(device);
  encodeRequest('DEV_RENAME', { name: 'x', newUuid: filled(uuid, 'uuid') });
  yield* need('setUuid', true);
  const { name } = yield* getDevice(device);
  yield* announced((eventNr) =>
    ioctl('DEV_RENAME', { name, newUuid: uuid, eventNr }, { device: name }),
  );
  yield { kind: 'commit' };
  return yield* keeping(getDevice(name), `set the uuid of '${cut(name)}'`);
}

export function* getDevice(device: DeviceRef, options?: DeviceOptions): Operation<DeviceInfo> {
  let request = identify(device);
  if (options !== undefined) {
    const flags = flagsOf({
      [DM_QUERY_INACTIVE_TABLE_FLAG]: options.inactive,
      [DM_SKIP_BDGET_FLAG]: options.noOpenCount,
    });
    yield* need('inactiveTable', options.inactive);
    request = { ...request, flags };
  }
  // The smallest of all questions is the one that is asked most: it has no generator of its own.
  const answer = yield { kind: 'ioctl', command: 'DEV_STATUS', request };
  if (typeof answer !== 'number') return deviceInfo(answer as Reply<'DEV_STATUS'>);
  return yield* refused('DEV_STATUS', answer, request, labelOf(device));
}

export function* findDevice(
  device: DeviceRef,
  options?: DeviceOptions,
): Operation<DeviceInfo | undefined> {
  try {
    return yield* getDevice(device, options);
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
  yield* need('inactiveTable', inactive);
  const table = yield* tableStatus(device, flags, { decode, secure: true });
  return table as DeviceTable<ShowKeys extends true ? TargetBytes : TargetLine>;
}

export function* getStatus(
  device: DeviceRef,
  { inactive, noflush }: StatusOptions = {},
): Operation<DeviceTable<StatusLine>> {
  const flags = flagsOf({ [DM_NOFLUSH_FLAG]: noflush, [DM_QUERY_INACTIVE_TABLE_FLAG]: inactive });
  yield* need('inactiveTable', inactive);
  yield* need('statusNoflush', noflush);
  return withStatus(yield* tableStatus(device, flags));
}

export function* getMeasurement(
  device: DeviceRef,
  { inactive }: TableOptions = {},
): Operation<DeviceTable> {
  const flags = flagsOf({
    [DM_IMA_MEASUREMENT_FLAG]: true,
    [DM_QUERY_INACTIVE_TABLE_FLAG]: inactive,
  });
  identify(device);
  yield* need('measurement', true);
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
  yield* need('inactiveTable', inactive);
  return (yield* query('TABLE_DEPS', request, { device: labelOf(device) })).deps;
}

export function* listTargets(): Operation<readonly TargetVersion[]> {
  yield* need('listTargets', true);
  return (yield* query('LIST_VERSIONS', {})).versions;
}

export function* getTargetVersion(type: string): Operation<Version> {
  const name = filled(type, 'type');
  yield* need('targetVersion', true);
  const { versions } = yield* query('GET_TARGET_VERSION', { name }, { device: name });
  return versions[0]!.version;
}

export function* setGeometry(device: DeviceRef, geometry: Geometry): Operation<void> {
  const request = encodeRequest('DEV_SET_GEOMETRY', { ...identify(device), geometry });
  yield* need('geometry', true);
  yield* ioctl('DEV_SET_GEOMETRY', request, { device: labelOf(device) });
}

// ── Messages ─────────────────────────────────────────────────────────────────────────────────────

/** Messages that may be sent again when the answer did not fit (protocol: BUFFER_FULL). */
const REPEATABLE: ReadonlySet<string> = new Set([
  '@stats_create', // dm-stats.c message_stats_create(): the room is looked at before it is created
  '@stats_list',
  '@stats_print',
  '@stats_print_clear', // dm-stats.c dm_stats_print(): cleared only if all of it fitted
]);

/** Enough for the answer of any message that has an effect, which cannot be sent twice for more room. */
const ANSWER_SPACE = 4 * REPLY_SPACE;

export function* sendMessage<Answer = string>(
  device: DeviceRef,
  message: Message | TypedMessage<Answer>,
  options: MessageOptions = {},
): Operation<Answer> {
  if (!isTyped(message)) return (yield* send(device, message, options)) as Answer;
  const { text, sector } = message;
  const answer = yield* send(device, text, { ...(sector !== undefined && { sector }), ...options });
  return message.parse(answer);
}

function isTyped<Answer>(message: Message | TypedMessage<Answer>): message is TypedMessage<Answer> {
  return typeof message === 'object' && 'parse' in message;
}

function* send(
  device: DeviceRef,
  message: Message,
  { sector = 0, secure }: MessageOptions = {},
): Operation<string> {
  const action = actionOf(message);
  const isForCore = action.startsWith('@');
  if (isForCore && sector !== 0 && sector !== 0n) {
    // Its answer may be what stood in the place of the sector (dm-ioctl.c target_message()).
    const problem = `expected none with a message to the device itself, got ${show(sector)}`;
    throw new InputError({ path: 'sector' }, problem);
  }
  const hidden = secure === true || isBytes(message);
  const flags = flagsOf({
    [DM_SECURE_DATA_FLAG]: secure,
    ...(hidden && { [DM_SECURE_DATA_FLAG]: true }),
  });
  const request = { ...identify(device), sector, message, flags };
  // Of the answer's space nothing is known but that it comes on top of what is sent.
  const least = encodeRequest('TARGET_MSG', request);
  const needed = least.length;
  if (hidden) least.fill(0);

  yield* need('messages', true);
  yield* need('secureData', secure);
  yield* need('statistics', action.startsWith('@stats_'));
  yield* need('deferredRemove', action === '@cancel_deferred_remove');
  const how = { device: labelOf(device), secure: hidden };
  let dataSize = needed + (REPEATABLE.has(action) ? REPLY_SPACE : ANSWER_SPACE);
  for (;;) {
    const reply = yield* ioctl('TARGET_MSG', { ...request, dataSize }, how);
    if ((reply.flags & DM_BUFFER_FULL_FLAG) === 0) return reply.message ?? '';
    dataSize *= 2;
    if (REPEATABLE.has(action) && dataSize <= DM_MAX_DATA_SIZE) continue;
    const problem = `the message was carried out, but its answer does not fit ${dataSize / 2} bytes`;
    throw new ReplyError('TARGET_MSG', FLAGS_OFFSET, problem);
  }
}

/** The word that says what to do; the kernel compares it without regard to case. */
function actionOf(message: Message): string {
  const first = Array.isArray(message) ? (message as readonly Parameter[])[0] : message;
  if (typeof first !== 'string') return '';
  return /^\s*(\S*)/.exec(first)![1]!.toLowerCase();
}

function isBytes(message: Message): boolean {
  const parts = Array.isArray(message) ? (message as readonly Parameter[]) : [message];
  return parts.some((part) => part instanceof Uint8Array);
}

// ── Events ───────────────────────────────────────────────────────────────────────────────────────

/** Have the control node tell of what happens from now on; false where the kernel cannot. */
export function* armPoll(): Operation<boolean> {
  if (!(yield* supports('armPoll'))) return false;
  yield* ioctl('DEV_ARM_POLL', {});
  return true;
}

/** All devices, with their uuids and event numbers also where lists do not tell them. */
export function* lookAtDevices(): Operation<Look> {
  const look = new Map<number, DeviceEntry>();
  for (const { name, dev, uuid, eventNumber } of yield* listDevices()) {
    if (uuid !== undefined && eventNumber !== undefined) {
      look.set(dev, { name, dev, uuid, eventNumber });
      continue;
    }
    const found = yield* findDevice({ dev });
    if (found === undefined) continue;
    look.set(dev, { name, dev, uuid: found.uuid, eventNumber: found.eventNumber });
  }
  return look;
}

/** For a blocking client; an async one has the loop of events.ts. */
export function* waitForEvent(device: DeviceRef, options: WaitOptions = {}): Operation<DeviceInfo> {
  checkWait(options);
  const { eventNumber, timeoutMs } = options;
  let left = timeoutMs ?? Infinity;
  for (let seen = eventNumber; ;) {
    // Before the look, or what happens right after it would wake nobody.
    const armed = yield* armPoll();
    const info = yield* getDevice(device);
    seen ??= info.eventNumber;
    if (info.eventNumber !== seen) return info;
    if (left <= 0) throw noEvent(device, timeoutMs);
    const before = left;
    const polled = armed && (yield* ask((transport) => transport.pollSync?.(before)));
    if (typeof polled === 'number') {
      left = polled;
    } else {
      const ms = Math.min(left, LOOK_MS);
      yield { kind: 'sleep', ms };
      left -= ms;
    }
  }
}

export function* probePaths(device: DeviceRef): Operation<void> {
  identify(device);
  yield* need('probePaths', true);
  const { path } = yield* getDevice(device);
  const errno = yield { kind: 'deviceIoctl', path, request: DM_MPATH_PROBE_PATHS };
  if (errno !== 0) {
    throw new KernelError('MPATH_PROBE_PATHS', errno as number, { device: labelOf(device) });
  }
}
