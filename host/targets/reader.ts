// A constructor's way through a line, as a procedure: each target's reads as the kernel's does, in its
// order, and ends at the first thing that the kernel refuses.

import type { Field, Shape } from './fields.js';
import { snakeCase, type OptionFields } from './parts.js';
import {
  isSince,
  kstrtoull,
  quoted,
  readArgument,
  sscanf64,
  walkRules,
  type Arguments,
  type LintDevice,
  type Machine,
  type RuleFinding,
  type RuleOf,
  type TargetRule,
  type WalkEnd,
} from './rules.js';

/** What ends a reading. */
class Refused extends Error {
  readonly end: WalkEnd;

  constructor(end: WalkEnd) {
    super(end.message);
    this.end = end;
  }
}

/** What a refusal says beside its rule. */
type Told = Omit<RuleFinding, 'message'>;

/** Reads the words of a line, and refuses it as a constructor does. */
export class Reader {
  readonly line: Arguments;
  readonly machine: Machine;
  /** The word that is read next. */
  at = 0;

  constructor(line: Arguments, machine: Machine) {
    this.line = line;
    this.machine = machine;
  }

  /** In sectors. */
  get length(): bigint {
    return BigInt(this.line.length);
  }

  /** How many words are left. */
  get left(): number {
    return this.line.count - this.at;
  }

  /** Is the kernel one that comes from `release` on? */
  isSince(release: string): boolean {
    return isSince(this.machine.release, release);
  }

  /** End here. @param code - of the rule that is broken */
  refuse(code: string, message: string, told: Told = {}): never {
    throw new Refused({ code, message, ...told });
  }

  /** End at a word that should be another. */
  refuseWord(code: string, expected: string, at = this.at - 1, told: Told = {}): never {
    const got = at < this.line.count ? quoted(this.line.word(at)) : 'the end';
    this.refuse(code, `expected ${expected}, got ${got}`, { at, ...told });
  }

  /** The next word; dm_shift_arg(). */
  next(code: string, expected: string): string {
    if (this.left <= 0) this.refuse(code, `expected ${expected}, got the end`);
    return this.line.word(this.at++);
  }

  /** The word at `at` as `read` takes it, if it also `fits`. */
  number<T>(
    at: number,
    code: string,
    expected: string,
    read: (word: string) => T | undefined,
    fits: (value: T) => boolean = () => true,
  ): T {
    const value = read(this.line.word(at));
    if (value === undefined || !fits(value)) return this.refuseWord(code, expected, at);
    return value;
  }

  /** The word at `at` as `read` takes it, within the bounds that the definition gives its field. */
  field<T extends number | bigint>(
    at: number,
    code: string,
    { shape, expected }: Field<never, unknown>,
    read: (word: string) => T | undefined,
  ): T {
    return this.number(at, code, expected, read, (value) => isWithin(shape, value));
  }

  /** The word at `at` as sscanf() takes it for 64 bits: of sectors or blocks. */
  wide(at: number, code: string, expected = 'decimal sectors of 512 bytes'): bigint {
    return BigInt(this.number(at, code, expected, sscanf64));
  }

  /** The next word as dm_read_arg() takes it. */
  argument(code: string, min: number, max: number): number {
    const value = readArgument(this.line.word(this.at++), min, max);
    if (value === undefined) return this.refuseWord(code, `a number from ${min} to ${max}`);
    return value;
  }

  /** A count of the words that follow, as dm_read_arg_group() takes it. */
  group(code: string, max: number): number {
    const count = readArgument(this.line.word(this.at++), 0, max);
    if (count !== undefined && count <= this.left) return count;
    const most = Math.min(max, Math.max(0, this.left));
    return this.refuseWord(code, `how many words follow, at most ${most}`);
  }

  /**
   * Options that are a word each, behind a count of them, in any case and any order: which there are.
   *
   * @param fields - as the definition has them
   */
  flags(fields: OptionFields, countCode: string, code: string, max: number): string[] {
    const keys = Object.entries(fields);
    return Array.from({ length: this.group(countCode, max) }, () => {
      const word = this.next(code, 'an option').toLowerCase();
      const known = keys.find(([key, option]) => option.begins(word, snakeCase(key)));
      if (known === undefined) {
        return this.refuseWord(code, 'an option that this kernel knows');
      }
      return word;
    });
  }

  /** The word at `at` as dm_get_device() takes it; undefined if nothing is known of it. */
  device(at: number, code: string, told: Told = {}): LintDevice | undefined {
    const found = this.machine.lookup(this.line.word(at));
    if (typeof found !== 'number') return found;
    return this.refuseWord(code, 'a block device', at, { errno: found, ...told });
  }
}

function isWithin(shape: Shape, value: number | bigint): boolean {
  if (shape.kind !== 'integer') return true;
  const { min, max, step, powerOfTwo } = shape;
  const most = max === Number.MAX_SAFE_INTEGER ? Infinity : max;
  if (value < min || value > most || BigInt(value) % BigInt(step) !== 0n) return false;
  return !powerOfTwo || isPowerOfTwo(value);
}

/** The logical block of a device, in sectors, as far as it is known. */
export function blockOf(device: LintDevice | undefined): number {
  return Math.max(1, (device?.logicalBlockSize ?? 512) / 512);
}

/** The bytes of a digest, of hashes that Linux has under these names; of others nothing is known here. */
export const DIGESTS: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ['md5', 16],
  ['sha1', 20],
  ['sha224', 28],
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
]);

/**
 * A word that kstrtoint(word, 10) takes: decimal, with a sign or none.
 *
 * @see lib/kstrtox.c kstrtoll()
 */
export function kstrtoint(word: string): number | undefined {
  const isNegative = word.startsWith('-');
  const value = kstrtoull(isNegative ? word.slice(1) : word);
  if (value === undefined || (isNegative && word[1] === '+')) return undefined;
  const whole = isNegative ? -value : value;
  return BigInt.asIntN(32, whole) === whole ? Number(whole) : undefined;
}

/** Is it a power of two? */
export function isPowerOfTwo(value: bigint | number): boolean {
  const whole = BigInt(value);
  return whole > 0n && (whole & (whole - 1n)) === 0n;
}

/** The rules that `read` names when it refuses a line. */
export function readerRules(
  read: (reader: Reader) => void,
  rules: readonly RuleOf[],
): TargetRule[] {
  return walkRules((line, machine) => {
    try {
      read(new Reader(line, machine));
      return undefined;
    } catch (error) {
      if (error instanceof Refused) return error.end;
      throw error;
    }
  }, rules);
}
