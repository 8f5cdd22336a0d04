// What a target type is to the model (include/linux/device-mapper.h struct target_type): what its
// constructor makes of the words, what it tells, and what messages and suspending do to it.

import { sscanf32, sscanf64, type Sector } from '../targets/rules.js';
import { majorOf, minorOf, type Version } from '../types.js';
import type { Core } from './core.js';
import type { Limits } from './limits.js';
import type { Bytes } from './packet.js';
import { refuse } from './refusal.js';
import type { Device, Release, Table, TargetInstance } from './state.js';

const MAX_U64 = (1n << 64n) - 1n;

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

/** How a lower device is opened. */
export type Mode = 'read' | 'write';

/** What a constructor is given. */
export interface Construction extends Place {
  readonly begin: bigint;
  readonly length: bigint;
  /** dm_get_device(), in the table's own mode if none is given: the device's number, held until the table goes. */
  open(path: Bytes, mode?: Mode): number;
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
  /** Does its module go by another type's name only? Then it is not loaded for this one. */
  readonly unaliased?: true;
  /** DM_TARGET_WILDCARD */
  readonly wildcard?: true;
  /** Has it only a request's map function (dm_target_request_based), or either (dm_target_hybrid)? */
  readonly requests?: (target: Instance<State>) => 'requests' | 'either' | 'bios';

  /** The constructor; what it refuses it throws as a {@link Refusal}. */
  readonly construct: (words: readonly Bytes[], at: Construction) => State;
  /**
   * What the constructor refuses before it comes to that of which the rules of the type say `text`; true if it
   * never comes to it.
   */
  readonly earlier?: (text: string, at: Construction, words: readonly Bytes[]) => boolean;
  /** What the constructor logs besides, before a refusal of which this is the text. */
  readonly logs?: (text: string, at: Construction, words: readonly Bytes[]) => void;
  /** What its module logs when it is loaded. */
  readonly greeting?: (core: Core) => string | undefined;
  /** Undefined for what it does not write at all. */
  readonly status?: (target: Instance<State>, query: StatusQuery, at: Place) => Bytes | undefined;
  /** Refuses by a {@link Refusal}. */
  readonly message?: (target: Instance<State>, words: readonly Bytes[], at: Place) => Answer;
  /** What it maps; undefined for a type without iterate_devices. */
  readonly areas?: (target: Instance<State>, at: Place) => readonly Area[];
  /** What it asks for besides what is below, each time the limits of its table are worked out (io_hints). */
  readonly hints?: (target: Instance<State>, limits: Limits, at: Place) => void;
  /** Does its status wait for a resume while it is suspended? */
  readonly statusWaits?: true;
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

/** A device number as targets print it. */
export function devText(dev: number): string {
  return `${majorOf(dev)}:${minorOf(dev)}`;
}

/** The beginning of what is measured of a target (DM_IMA_MEASUREMENT_FLAG). */
export function measured(type: AnyTargetType, core: Core): string {
  return `target_name=${type.name},target_version=${core.since(type.versions)!.join('.')}`;
}

/** Flags as they are measured: 'keep_log=y,handle_errors=n'. */
export function flagText(flags: Readonly<Record<string, boolean>>): string {
  return Object.entries(flags)
    .map(([name, isSet]) => `${name}=${isSet ? 'y' : 'n'}`)
    .join(',');
}

/** Of a type that prints its words in TABLE, and nothing in INFO and IMA. */
export function tableOnly<State>(
  print: (state: State) => Bytes,
): NonNullable<TargetType<State>['status']> {
  return ({ state }, { kind }) => (kind === 'table' ? print(state) : '');
}

// ── Words ──────────────────────────────────────────────────────────────────────────────────────────

/** sscanf("%llu%c"): one number and nothing else. */
export function scanU64(word: Bytes): bigint | undefined {
  const value = sscanf64(word);
  return value === undefined ? undefined : BigInt(value);
}

/** Sectors as the rules of the target types take them. */
export function sectorOf(value: bigint): Sector {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/**
 * The words of a constructor or a message, taken one after another. What a type's rules (host/targets/)
 * have let through is there and can be read; all else is EINVAL.
 */
export class Words {
  readonly #words: readonly Bytes[];
  readonly #core: Core | undefined;
  #at = 0;

  /** @param core - whose numbers they are: 7.2's stop at the largest, others wrap */
  constructor(words: readonly Bytes[], core?: Core) {
    this.#words = words;
    this.#core = core;
  }

  /** How many are left. */
  get left(): number {
    return this.#words.length - this.#at;
  }

  /** The next, left where it is. */
  get peek(): Bytes | undefined {
    return this.#words[this.#at];
  }

  next(): Bytes {
    return this.#words[this.#at++] ?? refuse('EINVAL');
  }

  /** sscanf("%llu") */
  u64(): bigint {
    const word = this.next();
    const value = scanU64(word) ?? refuse('EINVAL');
    const isLarge = /\d{20,}$/.test(word) && BigInt(word.trim()) > MAX_U64;
    return isLarge && this.#core?.is('7.2') === true ? MAX_U64 : value;
  }

  /** sscanf("%u") */
  u32(): number {
    return sscanf32(this.next()) ?? refuse('EINVAL');
  }

  /** So many words, as words of their own. */
  take(count: number): Words {
    if (count > this.left) refuse('EINVAL');
    const taken = new Words(this.#words.slice(this.#at, this.#at + count), this.#core);
    this.#at += count;
    return taken;
  }

  /** All that are left. */
  rest(): Bytes[] {
    const rest = this.#words.slice(this.#at);
    this.#at = this.#words.length;
    return rest;
  }
}

/** Every target of a type there is, in both slots of every device. */
export function* targetsOf(
  core: Core,
  type: string,
): Generator<{ device: Device; table: Table; target: TargetInstance }> {
  for (const device of core.state.devices) {
    for (const table of [device.live, device.inactive]) {
      for (const target of table?.targets ?? []) {
        if (target.type === type) yield { device, table: table!, target };
      }
    }
  }
}
