// What operations are made of: the effects that a driver carries out, and the steps of one or two
// effects that most operations share.

import {
  InputError,
  KernelError,
  NodeError,
  ReplyError,
  UnsupportedError,
  amend,
  show,
} from './errors.js';
import { isAtLeast, sinceOf, type Feature } from './features.js';
import {
  DM_ACTIVE_PRESENT_FLAG,
  DM_BUFFER_FULL_FLAG,
  DM_DEFERRED_REMOVE,
  DM_INACTIVE_PRESENT_FLAG,
  DM_INTERNAL_SUSPEND_FLAG,
  DM_MAX_DATA_SIZE,
  DM_READONLY_FLAG,
  DM_SUSPEND_FLAG,
} from './generated/uapi.js';
import type { Transport } from './transport.js';
import { majorOf, minorOf, type DeviceInfo, type DeviceRef, type Version } from './types.js';
import {
  REPLY_SPACE,
  decodeReply,
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
      /** There may be a key in the buffer: overwrite it when the call has ended. */
      readonly secure?: boolean;
    }
  /** One ioctl without argument on a mapped device; answered by 0 or a positive errno. */
  | { readonly kind: 'deviceIoctl'; readonly path: string; readonly request: number }
  /** Let time go by. */
  | { readonly kind: 'sleep'; readonly ms: number }
  /** The same for what has been done already: an abort is not thrown, but ends it; answered by whether. */
  | { readonly kind: 'wait'; readonly ms: number }
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

/** A question to the machine around the ioctls. */
export function* ask<T>(question: (transport: Transport) => T): Operation<T> {
  return (yield { kind: 'ask', ask: question }) as T;
}

/** @returns whether an abort may still come */
export function* checkpoint(): Operation<boolean> {
  return (yield { kind: 'checkpoint' }) as boolean;
}

/** How to issue an ioctl, and what to call its device in an error. */
export interface IoctlOptions extends Pick<
  Effect & { kind: 'ioctl' },
  'frees' | 'decode' | 'secure'
> {
  readonly device?: string;
}

/** One ioctl; an errno becomes a KernelError with the kernel's own reason. */
export function* ioctl<C extends Command>(
  command: C,
  request: Request<C> | Uint8Array,
  options: IoctlOptions = {},
): Operation<Reply<C>> {
  // Before the call: of a secure one the kernel wipes the buffer.
  const subject = request instanceof Uint8Array ? decodeReply('DEV_STATUS', request) : request;
  const effect = { kind: 'ioctl', command, request: request as Request } as const;
  // Most have no options, and go without a copy.
  const { device, frees, decode, secure } = options;
  const isPlain = frees === undefined && decode === undefined && secure === undefined;
  const answer = yield isPlain ? effect : withOptions(effect, options);
  if (typeof answer !== 'number') return answer as Reply<C>;
  return yield* refused(command, answer, subject, device);
}

/** An errno was the answer: throw it, with the kernel's own reason. */
export function* refused(
  command: Command,
  errno: number,
  subject: Partial<Header>,
  device: string | undefined,
): Operation<never> {
  const kernelLog = yield* logOf(subject);
  throw new KernelError(command, errno, { device, kernelLog });
}

function withOptions(effect: Effect & { kind: 'ioctl' }, options: IoctlOptions): Effect {
  const { device, ...how } = options;
  return device === undefined ? { ...effect, ...options } : { ...effect, ...how };
}

/**
 * What the kernel logged during the call that just failed. Lines about a table have the device's number,
 * by which those of other calls under way are told apart.
 */
function* logOf({ name = '', uuid = '', dev = 0 }: Partial<Header>): Operation<string[]> {
  const lines = yield* ask((transport) => transport.kernelLog?.() ?? []);
  if (!lines.some((line) => TABLE_LINE.test(line))) return lines;
  const answer = yield { kind: 'ioctl', command: 'DEV_STATUS', request: { name, uuid, dev } };
  if (typeof answer === 'number') return lines;
  const { dev: own } = answer as Reply<'DEV_STATUS'>;
  const number = `${majorOf(own)}:${minorOf(own)}`;
  return lines.filter((line) => (TABLE_LINE.exec(line)?.[1] ?? number) === number);
}

/** drivers/md/dm-table.c DMERR() with dm_device_name() */
const TABLE_LINE = /device-mapper: table: (\d+:\d+): /;

/** The commands whose answer may outgrow the buffer, and that do no harm when they are repeated. */
type Query =
  'LIST_DEVICES' | 'TABLE_DEPS' | 'TABLE_STATUS' | 'LIST_VERSIONS' | 'GET_TARGET_VERSION';

/** A query, in a buffer that grows until the answer fits. */
export function* query<C extends Query>(
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
  throw new ReplyError(command, FLAGS_OFFSET, `the answer does not fit ${DM_MAX_DATA_SIZE} bytes`);
}

/** Of `flags` in struct dm_ioctl, which says that a buffer was full. */
export const FLAGS_OFFSET = 28;

// ── Versions ─────────────────────────────────────────────────────────────────────────────────────

/** The kernel's interface version. */
export function* getVersion(): Operation<Version> {
  return (yield* ioctl('VERSION', {})).version;
}

/** Does this kernel have `feature`? */
export function* supports(feature: Feature): Operation<boolean> {
  const needed = sinceOf(feature);
  return isAtLeast(yield* getVersion(), needed);
}

/** Refuse what this kernel is too old for, if it is `wanted`, before anything else is sent. */
export function* need(feature: Feature, wanted: boolean | undefined): Operation<void> {
  if (wanted !== true) return;
  const needed = sinceOf(feature);
  const found = yield* getVersion();
  if (isAtLeast(found, needed)) return;
  throw new UnsupportedError(feature, needed.slice(0, 2).join('.'), found.slice(0, 2).join('.'));
}

// ── Devices and flags ────────────────────────────────────────────────────────────────────────────

/** Exactly one of the three identifiers: two together are refused by the kernel, or mistaken. */
export function identify(device: DeviceRef): Partial<Header> {
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

/** A text that may not be empty. */
export function filled(text: unknown, path: string): string {
  if (typeof text === 'string' && text !== '') return text;
  throw new InputError({ path }, `expected a ${path}, got ${show(text)}`);
}

/** A reference as a message names it. */
export function labelOf(device: DeviceRef): string {
  if (typeof device === 'string') return device;
  if (typeof device !== 'object' || (device as unknown) === null) return show(device);
  return device.name ?? device.uuid ?? `${majorOf(device.dev ?? 0)}:${minorOf(device.dev ?? 0)}`;
}

/** The sum of the flags that are true. */
export function flagsOf(flags: Readonly<Record<number, boolean | undefined>>): number {
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

/** Can a device of this name have a node in /dev/mapper? */
export function hasNode(name: string): boolean {
  // Most names are seen to be plain in less time than an expression takes.
  let isPlain = name !== '' && !name.startsWith('.') && name !== 'control';
  for (let i = 0; i < name.length && isPlain; i++) {
    const unit = name.charCodeAt(i);
    isPlain = unit !== 0x2f && unit < 0x80;
  }
  return isPlain || !NO_NODE.test(name);
}

/** DeviceInfo.path */
export function pathOf(name: string, dev: number): string {
  return hasNode(name) ? `/dev/mapper/${name}` : `/dev/dm-${minorOf(dev)}`;
}

/** The header of a reply, as a user sees it. */
export function deviceInfo(reply: Header): DeviceInfo {
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

// ── Undoing ──────────────────────────────────────────────────────────────────────────────────────

/**
 * Do `work`; if it fails, do `undo` and say in the error what that took back, or could not.
 * An abort is a failure like others.
 *
 * @param steps - what was done by the time of the failure, each as in "create device 'x'"
 */
export function* undoing<T>(
  work: Operation<T>,
  undo: () => Operation<unknown>,
  steps: string | readonly string[],
): Operation<T> {
  try {
    return yield* work;
  } catch (error) {
    // An abort that comes now, or came during the ioctl that failed, must not end the undoing.
    yield { kind: 'commit' };
    let failure: unknown;
    try {
      yield* undo();
    } catch (problem) {
      failure = problem;
    }
    const list = [steps].flat().reverse();
    const [undone, left] = failure === undefined ? [list, []] : [[], list];
    if (error instanceof KernelError) throw amend(error, moreSteps(error, undone, left));
    if (error instanceof NodeError) throw amendNode(error, moreSteps(error, undone, left));
    if (failure instanceof KernelError) throw amend(failure, { left, cause: error });
    throw error;
  }
}

/** Do `work` behind a step that stays whatever comes of it: an error of it says that. */
export function* keeping<T>(work: Operation<T>, step: string): Operation<T> {
  try {
    return yield* work;
  } catch (error) {
    if (error instanceof KernelError) throw amend(error, moreSteps(error, [], [step]));
    if (error instanceof NodeError) throw amendNode(error, moreSteps(error, [], [step]));
    throw error;
  }
}

interface Steps {
  readonly undone: readonly string[];
  readonly left: readonly string[];
}

function moreSteps(error: Steps, undone: readonly string[], left: readonly string[]): Steps {
  return { undone: [...error.undone, ...undone], left: [...error.left, ...left] };
}

function amendNode({ path, problem }: NodeError, { undone, left }: Steps): NodeError {
  return new NodeError(path, problem, undone, left);
}
