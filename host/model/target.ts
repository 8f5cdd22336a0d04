// What a target type is to the model (include/linux/device-mapper.h struct target_type): what its
// constructor makes of the words, what it tells, and what messages and suspending do to it.

import type { Version } from '../types.js';
import type { Core } from './core.js';
import type { Bytes } from './packet.js';
import { Refusal, type Errno } from './refusal.js';
import type { Device, Release, Table, TargetInstance } from './state.js';

/** STATUSTYPE_INFO, STATUSTYPE_TABLE, STATUSTYPE_IMA */
export type StatusType = 'info' | 'table' | 'ima';

/** A range of a lower device (iterate_devices). */
export interface Area {
  readonly dev: number;
  readonly start: bigint;
  readonly length: bigint;
}

/** Where a target stands: what its functions may look at and change. */
export interface Place {
  readonly core: Core;
  readonly device: Device;
  readonly table: Table;
}

/** What a constructor is given. */
export interface Construction extends Place {
  readonly begin: bigint;
  readonly length: bigint;
  /** dm_get_device(), in the table's own mode if none is given: the device's number, held until the table goes. */
  open(path: Bytes, write?: boolean): number;
}

/** A target of which the state is known. */
export interface Instance<State> extends TargetInstance {
  state: State;
}

/**
 * What a message answers: a text to be copied out; true for one of which nothing is written, so that the
 * message itself stays there; undefined for none.
 */
export type Answer = Bytes | true | undefined;

/** How a status is asked for. */
export interface StatusQuery {
  readonly kind: StatusType;
  /** DM_NOFLUSH_FLAG */
  readonly noflush: boolean;
}

/** A target type. */
export interface TargetType<State = unknown> {
  readonly name: string;
  /** Its version from a release on; without an entry for a release and those before it is not there. */
  readonly versions: Readonly<Partial<Record<Release, Version>>>;
  /** Those that its module registers together, in that order; itself alone if left out. */
  readonly module?: readonly string[];
  /** DM_TARGET_SINGLETON, from a release on. */
  readonly singleton?: Release;
  /** DM_TARGET_IMMUTABLE */
  readonly immutable?: true;
  /** DM_TARGET_ALWAYS_WRITEABLE */
  readonly alwaysWriteable?: true;
  /** DM_TARGET_WILDCARD */
  readonly wildcard?: true;
  /** Has it only a request's map function (dm_target_request_based), or either (dm_target_hybrid)? */
  readonly requests?: (target: Instance<State>) => 'requests' | 'either' | 'bios';

  /** The constructor; what it refuses it throws as a {@link Refusal}. */
  readonly construct: (words: readonly Bytes[], at: Construction) => State;
  /** Undefined for what it does not write at all. */
  readonly status?: (target: Instance<State>, query: StatusQuery, at: Place) => Bytes | undefined;
  /** Refuses by a {@link Refusal}. */
  readonly message?: (target: Instance<State>, words: readonly Bytes[], at: Place) => Answer;
  /** What it maps; undefined for a type without iterate_devices. */
  readonly areas?: (target: Instance<State>, at: Place) => readonly Area[];
  readonly presuspend?: (target: Instance<State>, at: Place) => void;
  readonly postsuspend?: (target: Instance<State>, at: Place) => void;
  /** Refuses by a {@link Refusal}. */
  readonly preresume?: (target: Instance<State>, at: Place) => void;
  readonly resume?: (target: Instance<State>, at: Place) => void;
  readonly destroy?: (target: Instance<State>, at: Place) => void;
}

/** A target type as the registry holds it, whatever its state is. */
export type AnyTargetType = TargetType<never>;

/** Make a type known, with the type of its state inferred. */
export function targetType<State>(type: TargetType<State>): AnyTargetType {
  return type as unknown as AnyTargetType;
}

/** Say no, as a constructor does. */
export function refuse(code: Errno, text?: string): never {
  throw new Refusal(code, text);
}

/** What `make` gives; its refusal has the constructor's text in place of its own. */
export function orRefuse<T>(make: () => T, text: string, code?: Errno): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(code ?? error.code, text);
    throw error;
  }
}

/** A device number as targets print it. */
export function devText(dev: number): string {
  return `${(dev >>> 8) & 0xfff}:${((dev & 0xff) | ((dev >>> 12) & 0xfff00)) >>> 0}`;
}

// ── Numbers, as the kernel reads them ──────────────────────────────────────────────────────────────

/**
 * A word that sscanf("%llu%c") takes as one number: lib/vsprintf.c skips blanks before it, and wraps.
 * From 7.0 on it stops at the largest.
 */
export function sscanU64(word: Bytes, core?: Core): bigint | undefined {
  const [, digits] = /^[\t-\r \xa0]*(\d+)$/.exec(word) ?? [];
  if (digits === undefined) return undefined;
  const value = BigInt(digits.replace(/^0+(?=\d)/, '').slice(0, 4096));
  if (core?.is('7.2') === true && value >= 1n << 64n) return (1n << 64n) - 1n;
  return BigInt.asUintN(64, value);
}

/** sscanf("%u%c") */
export function sscanU32(word: Bytes): number | undefined {
  const value = sscanU64(word);
  return value === undefined ? undefined : Number(BigInt.asUintN(32, value));
}

/** kstrtoull(word, 10) */
export function kstrtou64(word: Bytes): bigint | undefined {
  const [, digits] = /^\+?(\d+)\n?$/.exec(word) ?? [];
  if (digits === undefined) return undefined;
  const trimmed = digits.replace(/^0+(?=\d)/, '');
  if (trimmed.length > 20) return undefined;
  const value = BigInt(trimmed);
  return value < 1n << 64n ? value : undefined;
}

/** kstrtouint(word, 10) */
export function kstrtou32(word: Bytes): number | undefined {
  const value = kstrtou64(word);
  return value === undefined || value >= 1n << 32n ? undefined : Number(value);
}
