// Every target type by the kernel's name: the only module that knows them all.

import { InputError, show } from '../errors.js';
import { ScannedText } from '../text.js';
import type { DeviceTable, Target, TargetLine } from '../types.js';
import { splitParameters } from '../wire.js';
import * as targets from './index.js';
import {
  Arguments,
  OLDEST,
  refusalBy,
  releasesOf,
  type Area,
  type Features,
  type Machine,
  type Refusal,
  type TargetRule,
  type Traits,
} from './rules.js';
import { wordsIn } from './words.js';

type Types = (typeof targets)[keyof typeof targets];

/** The target types that are known here, as in 'thin-pool'. */
export type KnownType = Types['type'];

type TypeOf<T extends KnownType> = Extract<Types, { readonly type: T }>;

/** The options of a type, as {@link parseTarget} tells them, and its constructor takes them. */
export type OptionsOf<T extends KnownType> = ReturnType<TypeOf<T>['parse']>;

/** The status of a type, as {@link parseStatus} tells it. */
export type StatusOf<T extends KnownType> = ReturnType<TypeOf<T>['parseStatus']>;

/** By this a type is told from others. */
interface Typed<T> {
  /** The kernel's name of the target type. */
  readonly type: T;
}

interface WithStatus<S> {
  /** The kernel's text in values. */
  readonly status: S;
}

/** A row of a table in options, told apart by `type`. */
export type ParsedTarget = { [T in KnownType]: Typed<T> & OptionsOf<T> }[KnownType] | UnknownTarget;

/** A row of a type that is not known here, just as it was given. */
export interface UnknownTarget {
  /** The kernel's name is in `target`. */
  readonly type: 'unknown';
  /** It can be loaded as it is. */
  readonly target: Target;
}

/** The status of a target whose type is not known here. */
export interface UnknownStatus {
  /** Told apart by this from all that could be read. */
  readonly state: 'unknown';
  /** The status, split as the kernel splits. */
  readonly words: readonly string[];
}

/** The status of one target, in the kernel's words and in values, told apart by `type`. */
export type StatusLine =
  | { [T in KnownType]: TargetLine & Typed<T> & WithStatus<StatusOf<T>> }[KnownType]
  | (TargetLine & WithStatus<UnknownStatus>);

/** What a type can do when it is one of many. */
interface AnyType {
  readonly type: string;
  (options: never): Target;
  parse(target: Target): object;
  parseStatus(text: string): object;
  readonly rules: readonly TargetRule[];
  readonly definition: {
    readonly areas?: (line: Arguments) => readonly Area[];
    readonly features?: Features;
  };
}

/** A type, and what is known of its lines, which is made when it is first asked for, as a definition is. */
interface Known {
  readonly type: AnyType;
  traits?: Traits;
}

const BY_TYPE: ReadonlyMap<string, Known> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.values<AnyType>(targets).map((type) => [type.type, { type }]),
);

function typeNamed(name: string): AnyType | undefined {
  return BY_TYPE.get(name)?.type;
}

/** The types that are known here, in the order of the alphabet. */
export function knownTypes(): string[] {
  return [...BY_TYPE.keys()].sort();
}

const NO_TRAITS: Traits = { rules: [], releases: [OLDEST], areas: undefined, features: {} };

/** What is known of a type's lines; nothing of a type that is not known here. */
export function traitsOf(type: string): Traits {
  const known = BY_TYPE.get(type);
  if (known === undefined) return NO_TRAITS;
  const { rules, definition } = known.type;
  const { areas, features = {} } = definition;
  return (known.traits ??= { rules, releases: releasesOf(rules), areas, features });
}

/**
 * Why a kernel refuses a row, as far as its type's own rules go: what it logs, and its errno. What it
 * says of the type itself, and of the table, is not told here.
 *
 * @param target - a row; bytes are what stands in an ioctl
 */
export function refusal(target: Target, machine: Machine): Refusal | undefined {
  const { startSector, length, type, parameters } = target;
  const line = new Arguments(startSector, length, wordsIn(parameters));
  return refusalBy(traitsOf(type).rules, line, machine);
}

/**
 * The options of a row of a table.
 *
 * @param target - a row, as it is given to the kernel or told by it, or a line of a dmsetup table
 * @returns what the constructor of that type takes, and `type`; a row of another type as it is
 * @throws {InputError} words that are not as the type has them; `path` is 'parameters[i]'
 * @example
 * parseTarget('0 2048 linear 8:16 34') // { type: 'linear', startSector: 0, length: 2048, device: '8:16', offset: 34 }
 */
export function parseTarget(target: Target | string): ParsedTarget {
  const row = typeof target === 'string' ? rowOf(target) : target;
  const type = typeNamed(row.type);
  if (type === undefined) return { type: 'unknown', target: row };
  return { type: row.type, ...type.parse(row) } as ParsedTarget;
}

/**
 * The row that {@link parseTarget} has read.
 *
 * @throws {InputError} an option that is missing, unknown or out of its range; `path` is its name
 */
export function buildTarget(options: ParsedTarget): Target {
  if (options.type === 'unknown') return options.target;
  const type = typeNamed(options.type);
  if (type !== undefined) return type(options as never);
  throw new InputError({ path: 'type' }, `expected a type that is known, got ${show(options)}`);
}

/** A line of the kernel's, where `#` is a character like others. */
function rowOf(line: string): Target {
  const scanned = new ScannedText(line, 0);
  if (scanned.count !== 1) {
    throw new InputError({ path: 'target' }, `expected one line, got ${scanned.count}`);
  }
  scanned.check(0);
  return scanned.target(0);
}

/**
 * A status in values. It throws nothing: what does not read as the kernel's source has it is
 * `state: 'unreadable'` or, of a type that is not known here, `'unknown'`.
 *
 * @param type - the target type, as in 'thin-pool'
 * @param text - the kernel's status of it, without start, length and type
 */
export function parseStatus<T extends KnownType>(type: T, text: string): StatusOf<T>;
export function parseStatus(type: string, text: string): StatusLine['status'];
export function parseStatus(type: string, text: string): object {
  return typeNamed(type)?.parseStatus(text) ?? { state: 'unknown', words: splitParameters(text) };
}

/** A table's status with each row's in values. */
export function withStatus({ device, targets: rows }: DeviceTable): DeviceTable<StatusLine> {
  return { device, targets: rows.map(statusLine) };
}

/** A row with its status in values, and its words split only when they are asked for. */
function statusLine(row: TargetLine): StatusLine {
  const status = parseStatus(row.type, row.parameters);
  return Object.defineProperty(row, 'status', { value: status, enumerable: true }) as StatusLine;
}
