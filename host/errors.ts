// Errors carry blame: the caller's (InputError), the kernel's decision (KernelError), bytes that a
// kernel should never send (ReplyError), or a machine that has no device-mapper to offer.

import { adviceOf, meaningOf } from './meaning.js';
import type { Diagnostic } from './types.js';

/**
 * What all errors of this package are. Tell them apart by `name` and `code`, not by `instanceof`: two
 * doors may be bundled apart, each with its own classes.
 */
export class DeviceMapperError extends Error {
  /** 'ERR_DM_…', or of a {@link KernelError} the errno's name. */
  declare readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
    define(this, 'code', code);
  }
}

/** Where an argument went wrong: its path, or a place in a text or a buffer. */
export interface InputPlace {
  /** The argument, as in 'targets[1].length'. */
  readonly path?: string;
  /** A byte of a buffer, or a UTF-16 unit of a text. */
  readonly offset?: number;
  /** The line of a text, counted from 1. */
  readonly line?: number;
  /** Counted from 1, in UTF-16 units. */
  readonly column?: number;
}

/** ERR_DM_INPUT: an argument that cannot be sent, and was not. Its places are those of {@link InputPlace}. */
export class InputError extends DeviceMapperError {
  /** The argument, as in 'targets[1].length'. */
  declare readonly path?: string;
  /** A byte of a buffer, or a UTF-16 unit of a text. */
  declare readonly offset?: number;
  /** The line of a text, counted from 1. */
  declare readonly line?: number;
  /** Counted from 1, in UTF-16 units. */
  declare readonly column?: number;

  constructor(place: InputPlace, problem: string) {
    super('ERR_DM_INPUT', `${placeOf(place)}: ${problem}`);
    for (const [key, value] of Object.entries(place)) define(this, key, value);
  }
}

/** ERR_DM_REPLY: bytes that break the protocol, and that no kernel should send. */
export class ReplyError extends DeviceMapperError {
  /** The kernel's name of the command, as in 'TABLE_STATUS'. */
  declare readonly command: string;
  /** The byte of the reply that is wrong. */
  declare readonly offset: number;
  /** Up to 16 bytes from there, in hex; '' in a table's payload, which may hold a key. */
  declare readonly excerpt: string;

  constructor(command: string, offset: number, problem: string, excerpt = '') {
    super('ERR_DM_REPLY', `DM_${command} reply: ${problem}`);
    define(this, 'command', command);
    define(this, 'offset', offset);
    define(this, 'excerpt', excerpt);
  }
}

/** What a {@link KernelError} tells beside the errno. */
export interface KernelErrorDetail {
  /** The device, as the caller named it. */
  readonly device?: string | undefined;
  /** What device-mapper logged during the call. */
  readonly kernelLog?: readonly string[];
  /** Of a table that was refused: what `lintTable` finds in it. */
  readonly findings?: readonly Diagnostic[] | undefined;
  /** Steps of the operation that were taken back. */
  readonly undone?: readonly string[];
  /** What could not be taken back, and is still there. */
  readonly left?: readonly string[];
  /** Of a device that is open: how often. */
  readonly openCount?: number | undefined;
  /** Of a device that is open: by what, as far as it can be told. */
  readonly holders?: readonly string[];
  /** What the operation failed of first, where this error is of the attempt to undo it. */
  readonly cause?: unknown;
}

/**
 * The kernel said no. Has what Node's own system errors have, with the same signs: `code` is the
 * errno's name, as in 'EBUSY'.
 */
export class KernelError extends DeviceMapperError {
  /** Negative, as in Node: -16 for EBUSY. */
  declare readonly errno: number;
  /** The system call that failed, as in Node. */
  declare readonly syscall: 'ioctl';
  /** The kernel's name of the command, as in 'DEV_REMOVE'. */
  declare readonly command: string;
  /** The device, as the caller named it. */
  declare readonly device?: string;
  /** What this errno means for this command, in a sentence. */
  declare readonly meaning: string;
  /** What device-mapper logged during the call; another process may have caused some of it. */
  declare readonly kernelLog: readonly string[];
  /**
   * Of a table that was refused: what `lintTable` finds in it, whatever kernel and devices there are.
   * Absent if it may have a key in it, as findings quote words.
   */
  declare readonly findings?: readonly Diagnostic[];
  /** Steps of the operation that were taken back. */
  declare readonly undone: readonly string[];
  /** What could not be taken back, and is still there. */
  declare readonly left: readonly string[];
  /** Of a removal that failed as the device is open: how often it is. */
  declare readonly openCount?: number;
  /** And by what, as far as this process may see: "mount /srv", "device 'top'". */
  declare readonly holders: readonly string[];

  constructor(command: string, errno: number, detail: KernelErrorDetail = {}) {
    const code = errnoCode(errno);
    const meaning = meaningOf(command, code) ?? errnoText(errno);
    const { device, kernelLog = [], undone = [], left = [], cause } = detail;
    const { findings, openCount, holders = [] } = detail;
    let message = `${code}: ${meaning}, DM_${command}`;
    if (device !== undefined) message += ` '${cut(device)}'`;
    // It may have been closed by the time of the look.
    if (openCount !== undefined && openCount > 0) message += `; open ${times(openCount)}`;
    if (holders.length > 0) message += `; held by ${holders.join(', ')}`;
    const advice = adviceOf(command, code);
    if (advice !== undefined) message += `; ${advice}`;
    const reason = kernelLog.find((line) => !line.includes('error adding target to table'));
    if (reason !== undefined) {
      message += `; kernel log: "${reason.slice(reason.indexOf(LOG_PREFIX) + LOG_PREFIX.length)}"`;
    }
    if (left.length > 0) message += `; not undone: ${left.join(', ')}`;
    super(code, message, cause === undefined ? undefined : { cause });
    define(this, 'errno', -errno);
    define(this, 'syscall', 'ioctl');
    define(this, 'command', command);
    if (device !== undefined) define(this, 'device', device);
    define(this, 'meaning', meaning);
    define(this, 'kernelLog', kernelLog);
    define(this, 'findings', findings);
    define(this, 'undone', undone);
    define(this, 'left', left);
    define(this, 'openCount', openCount);
    define(this, 'holders', holders);
  }
}

/** The same refusal, with more to tell. */
export function amend(error: KernelError, more: KernelErrorDetail): KernelError {
  const { command, errno, device, kernelLog, findings, undone, left } = error;
  const { openCount, holders, cause } = error;
  const told = { device, kernelLog, findings, undone, left, openCount, holders, cause };
  const detail = { ...told, ...more };
  return new KernelError(command, -errno, detail);
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

const LOG_PREFIX = 'device-mapper: ';

/**
 * Why there is no kernel to talk to: the package koffi does not load; there is no /dev/mapper/control;
 * nothing, or something else, is behind it; this process may not use it.
 */
export type UnavailableReason =
  'no-koffi' | 'no-control-node' | 'no-device-mapper' | 'no-permission';

/** ERR_DM_UNAVAILABLE: no device-mapper that this process can use; the message says how to mend it. */
export class KernelUnavailableError extends DeviceMapperError {
  /** Which of the four obstacles it is. */
  declare readonly reason: UnavailableReason;

  constructor(reason: UnavailableReason, message: string, options?: ErrorOptions) {
    super('ERR_DM_UNAVAILABLE', message, options);
    define(this, 'reason', reason);
  }
}

/** ERR_DM_UNSUPPORTED: the kernel's interface is too old; nothing was sent. */
export class UnsupportedError extends DeviceMapperError {
  /** What was asked for. */
  declare readonly feature: string;
  /** The interface version that has it first, as in '4.37'. */
  declare readonly needed: string;
  /** The kernel's interface version. */
  declare readonly found: string;

  constructor(feature: string, needed: string, found: string) {
    super(
      'ERR_DM_UNSUPPORTED',
      `${feature} needs device-mapper interface ${needed}, the kernel has ${found}`,
    );
    define(this, 'feature', feature);
    define(this, 'needed', needed);
    define(this, 'found', found);
  }
}

/** ERR_DM_CLOSED: the handle was closed before the call. */
export class ClosedError extends DeviceMapperError {
  constructor() {
    super('ERR_DM_CLOSED', 'this device-mapper handle is closed; open another one');
  }
}

/** ERR_DM_TIMEOUT: `timeoutMs` went by, and what was waited for did not happen. */
export class TimeoutError extends DeviceMapperError {
  /** As it was given. */
  declare readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number) {
    super('ERR_DM_TIMEOUT', `${what} within ${timeoutMs} ms`);
    define(this, 'timeoutMs', timeoutMs);
  }
}

/** ERR_DM_NODE: a device's node cannot be made, most often as something else stands in its place. */
export class NodeError extends DeviceMapperError {
  /** The place, as in '/dev/mapper/data'. */
  declare readonly path: string;
  /** What stands there, and what to do. */
  declare readonly problem: string;
  /** Steps of the operation that were taken back. */
  declare readonly undone: readonly string[];
  /** What could not be taken back, and is still there. */
  declare readonly left: readonly string[];

  constructor(
    path: string,
    problem: string,
    undone: readonly string[] = [],
    left: readonly string[] = [],
  ) {
    const rest = left.length > 0 ? `; not undone: ${left.join(', ')}` : '';
    super('ERR_DM_NODE', `${path}: ${problem}${rest}`);
    define(this, 'path', path);
    define(this, 'problem', problem);
    define(this, 'undone', undone);
    define(this, 'left', left);
  }
}

// On the prototype, so that it stays off the printed fields and survives a minifier.
for (const [name, constructor] of Object.entries({
  DeviceMapperError,
  InputError,
  ReplyError,
  KernelError,
  KernelUnavailableError,
  UnsupportedError,
  ClosedError,
  TimeoutError,
  NodeError,
})) {
  Object.defineProperty(constructor.prototype, 'name', { value: name });
}

function define(error: object, key: string, value: unknown): void {
  if (value !== undefined) Object.defineProperty(error, key, { value, enumerable: true });
}

function placeOf({ path, line, column, offset }: InputPlace): string {
  if (path !== undefined) return path;
  if (line !== undefined) return `line ${line}, column ${column ?? 1}`;
  return `offset ${offset ?? 0}`;
}

/** What a name or a path may hold that would break a line, or a terminal. */
function oneLine(message: string): string {
  return message.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** For a message: at most 40 characters of what the user gave. */
export function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}\u2026` : text;
}

/** A value as its user would write it, for a message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' || typeof value === 'boolean' || value == null)
    return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : typeof value;
}

/** Linux's error numbers (include/uapi/asm-generic/errno.h), as far as device-mapper answers them. */
const ERRNO: Readonly<Record<number, readonly [code: string, text: string]>> = {
  1: ['EPERM', 'operation not permitted'],
  2: ['ENOENT', 'no such file or directory'],
  4: ['EINTR', 'interrupted by a signal'],
  5: ['EIO', 'input/output error'],
  6: ['ENXIO', 'no such device'],
  7: ['E2BIG', 'argument list too long'],
  9: ['EBADF', 'bad file descriptor'],
  11: ['EAGAIN', 'try again'],
  12: ['ENOMEM', 'out of memory'],
  13: ['EACCES', 'permission denied'],
  14: ['EFAULT', 'bad address'],
  15: ['ENOTBLK', 'block device required'],
  16: ['EBUSY', 'device or resource busy'],
  17: ['EEXIST', 'it exists already'],
  19: ['ENODEV', 'no such device'],
  22: ['EINVAL', 'invalid argument'],
  23: ['ENFILE', 'table of numbers is full'],
  25: ['ENOTTY', 'not a device-mapper control node'],
  27: ['EFBIG', 'too large'],
  28: ['ENOSPC', 'no space left on device'],
  30: ['EROFS', 'read-only device'],
  33: ['EDOM', 'argument out of domain'],
  34: ['ERANGE', 'result out of range'],
  61: ['ENODATA', 'no data available'],
  74: ['EBADMSG', 'bad message'],
  75: ['EOVERFLOW', 'value too large'],
  84: ['EILSEQ', 'invalid byte sequence'],
  95: ['EOPNOTSUPP', 'operation not supported'],
  107: ['ENOTCONN', 'not connected'],
  110: ['ETIMEDOUT', 'timed out'],
  117: ['EUCLEAN', 'structure needs cleaning'],
  121: ['EREMOTEIO', 'remote I/O error'],
  126: ['ENOKEY', 'required key not available'],
  127: ['EKEYEXPIRED', 'key has expired'],
  128: ['EKEYREVOKED', 'key has been revoked'],
  129: ['EKEYREJECTED', 'key was rejected by service'],
};

/** As in 'EBUSY'; a number that is none of device-mapper's as in 'E200'. */
export function errnoCode(errno: number): string {
  return ERRNO[errno]?.[0] ?? `E${errno}`;
}

/** The inverse; NaN for what is no errno of device-mapper's. */
export function errnoNumber(code: string): number {
  const known = Object.entries(ERRNO).find(([, [name]]) => name === code);
  return Number(known?.[0] ?? code.slice(1));
}

function errnoText(errno: number): string {
  return ERRNO[errno]?.[1] ?? `error ${errno}`;
}
