// What a target's constructor refuses, said once: the linter tells it before anything is sent, an
// in-memory kernel refuses a load by it as Linux does, and docs/lint.md prints it.
//
// Rule 1: a target's rules stand in the order in which its constructor checks. The first error that hits
// is what the kernel logs, and no later check is made: it may rely on what the earlier ones have found.
// Rule 2: what is a number is decided as the kernel decides it, by the helpers at the end of this file.

import { cut } from '../errors.js';
import type { Severity } from '../types.js';
import { wordText } from './words.js';

/** A block device as the rules need to know it. */
export interface LintDevice {
  /** Sectors of 512 bytes. */
  readonly sectors: number;
  /** As in '8:16'. */
  readonly dev?: string;
  /** May nothing be written to it? */
  readonly readOnly?: boolean;
  /** Bytes; 512 if absent. */
  readonly logicalBlockSize?: number;
}

/** The machine that a table is for, as far as it is known. */
export interface Machine {
  /** As in '6.1' or '6.1.0-13-amd64'. */
  readonly release: string;
  /** Is the table to be loaded read-only? Undefined where that is not known. */
  readonly readOnly: boolean | undefined;
  /**
   * What dm_get_device() makes of a word: the device, the positive errno of its refusal, or undefined
   * where that is not known.
   */
  readonly lookup: (word: string) => LintDevice | number | undefined;
}

/** A machine of which the release may not be known. */
export type AnyMachine = Omit<Machine, 'release'> & Partial<Pick<Machine, 'release'>>;

/** What a rule says of each table that breaks it. */
export interface Rule {
  /** An error of some releases only is a warning where it is not said which one the table is for. */
  readonly severity: Severity;
  /** The reason, with the kernel's file and function. */
  readonly why: string;
  /** A table that breaks it. */
  readonly example: string;
  /** What to do. */
  readonly fix: string;
}

/** What a rule has found in one line. */
export interface RuleFinding {
  /** What is wrong, in a sentence; never a key, or a part of one. */
  readonly message: string;
  /** Which word it is, counted from 0, or that it is the length; all the parameters if absent. */
  readonly at?: number | 'length';
  /** In place of the rule's: what the kernel logs here. */
  readonly log?: string;
  /** In place of the rule's: positive, as of a device that is not found. */
  readonly errno?: number;
}

/** A rule of a target's constructor. */
export interface TargetRule extends Rule {
  /** Its name, which is stable and begins with the type: 'linear-arguments'. */
  readonly code: string;
  /** What the constructor leaves in `ti->error`; absent for warnings, which no kernel has. */
  readonly log?: string;
  /** Positive; EINVAL if absent. */
  readonly errno?: number;
  /** The first release that has the rule, as in '6.5'. */
  readonly since?: string;
  /** The first release that has it no more. */
  readonly until?: string;
  /** Further releases from which on its check finds other things. */
  readonly changes?: readonly string[];
  /** What breaks the rule, if anything does. */
  readonly check: (line: Arguments, machine: Machine) => RuleFinding | undefined;
}

/** In sectors of 512 bytes: a number up to 2^53 − 1, a bigint above. */
export type Sector = number | bigint;

/** The sum of two, as large as it is. */
export function addSectors(a: Sector, b: Sector): Sector {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (sum <= Number.MAX_SAFE_INTEGER) return sum;
  }
  return BigInt(a) + BigInt(b);
}

/** What a type is to a table, by the first release in which it is. */
export interface Features {
  /** It stands alone in a table. */
  readonly singleton?: string;
  /** It mixes with no other type, and no other replaces it. */
  readonly immutable?: string;
  /** It is not loaded into a read-only table. */
  readonly writable?: string;
}

/** All that is known of a type's lines. */
export interface Traits {
  readonly rules: readonly TargetRule[];
  /** The releases in which they differ. */
  readonly releases: readonly string[];
  readonly features: Features;
  readonly areas: ((line: Arguments) => readonly Area[]) | undefined;
}

/** A range that a target maps, as its iterate_devices() tells it. */
export interface Area {
  /** Which word is the device. */
  readonly word: number;
  /** Which word is the offset, if one is. */
  readonly offsetWord?: number;
  /** Where on the device. */
  readonly start: Sector;
  readonly length: Sector;
  /** How large the target's io_hints() has the logical block be at least, in sectors. */
  readonly block?: number;
  /** The first release that maps it. */
  readonly since?: string;
}

/** Why a kernel does not load a line. */
export interface Refusal {
  /** Positive, as in 22 for EINVAL. */
  readonly errno: number;
  /** The constructor's own words, which the kernel puts behind the device and the type. */
  readonly log: string;
  /** The rule that hit. */
  readonly rule: TargetRule;
}

const EINVAL = 22;

/** What a constructor is given: `ti->begin`, `ti->len`, and the words as dm_split_args() makes them. */
export class Arguments {
  /** The target's first sector. */
  readonly start: Sector;
  readonly length: Sector;
  readonly #words: readonly (string | Uint8Array)[];
  #walked: { walk: Walk; machine: Machine; end: WalkEnd | undefined } | undefined;

  /** @param words - as the kernel splits them, none with a backslash in front of what is meant */
  constructor(start: Sector, length: Sector, words: readonly (string | Uint8Array)[]) {
    this.start = start;
    this.length = length;
    this.#words = words;
  }

  /** How many words there are. */
  get count(): number {
    return this.#words.length;
  }

  /** A word as text; '' behind the last, which no word is. Not for secrets. */
  word(at: number): string {
    const word = this.#words[at];
    return word === undefined ? '' : wordText(word);
  }

  /** What the last option `name:VALUE` says, of as many words as the count at `at` announces. */
  option(name: string, at: number): string | undefined {
    const start = `${name}:`;
    const count = sscanf32(this.word(at)) ?? 0;
    const options = this.#words.slice(at + 1, at + 1 + count);
    // Of a word that may be a secret no more becomes text than its name.
    const found = options.findLast((word) => wordText(word.slice(0, start.length)) === start);
    return found === undefined ? undefined : wordText(found.slice(start.length));
  }

  /** A word that may be a secret, as it was given; undefined behind the last. */
  raw(at: number): string | Uint8Array | undefined {
    return this.#words[at];
  }

  /** Where a walk ends, walked once: several rules look at it. */
  once(walk: Walk, machine: Machine): WalkEnd | undefined {
    if (this.#walked?.walk !== walk || this.#walked.machine !== machine) {
      this.#walked = { walk, machine, end: walk(this, machine) };
    }
    return this.#walked.end;
  }
}

/** A constructor's way through a line, where what it looks at next depends on the words before. */
export type Walk = (line: Arguments, machine: Machine) => WalkEnd | undefined;

/** The first thing that a walk stumbles over. */
export interface WalkEnd extends RuleFinding {
  /** Which rule that breaks. */
  readonly code: string;
}

/** Is the release one that comes from `since` on? */
export function isSince(release: string, since: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => parseInt(part, 10));
  const [sinceMajor = 0, sinceMinor = 0] = since.split('.').map(Number);
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** The oldest release that rules are made for. */
export const OLDEST = '5.10';

/** The releases that differ in these rules, from the oldest on; each stands for those up to the next. */
export function releasesOf(rules: readonly TargetRule[]): string[] {
  const told = rules.flatMap(({ since = OLDEST, until = OLDEST, changes = [] }) => [
    since,
    until,
    ...changes,
  ]);
  const order = (a: string, b: string): number => (a === b ? 0 : isSince(a, b) ? 1 : -1);
  return [...new Set([OLDEST, ...told])].sort(order);
}

/** A rule, and what it has found. */
export interface Hit {
  readonly rule: TargetRule;
  readonly severity: Severity;
  readonly finding: RuleFinding;
}

const NO_HITS: readonly Hit[] = [];

/** What rules find in a line, in their order and up to the first error. */
export function hitsOf(
  rules: readonly TargetRule[],
  line: Arguments,
  machine: Machine,
): readonly Hit[] {
  let hits: Hit[] | undefined;
  for (const rule of rules) {
    const { since, until, severity } = rule;
    if (since !== undefined && !isSince(machine.release, since)) continue;
    if (until !== undefined && isSince(machine.release, until)) continue;
    const finding = rule.check(line, machine);
    if (finding === undefined) continue;
    (hits ??= []).push({ rule, severity, finding });
    if (severity === 'error') break;
  }
  return hits ?? NO_HITS;
}

/** The same on several machines: what some of them refuse, and others do not, is a warning. */
export function hitsOfAny(
  rules: readonly TargetRule[],
  line: Arguments,
  machines: readonly Machine[],
): readonly Hit[] {
  if (machines.length === 1) return hitsOf(rules, line, machines[0]!);
  const each = machines.map((machine) => hitsOf(rules, line, machine));
  if (each.every((hits) => hits.at(-1)?.severity === 'error')) return each.at(-1) ?? NO_HITS;
  const found = new Map<TargetRule, Hit>();
  for (const hit of each.flat()) found.set(hit.rule, { ...hit, severity: 'warning' });
  return [...found.values()];
}

/** Why the machine's kernel does not load a line, if it does not; warnings are no reason. */
export function refusalBy(
  rules: readonly TargetRule[],
  line: Arguments,
  machine: Machine,
): Refusal | undefined {
  const hit = hitsOf(rules, line, machine).at(-1);
  if (hit?.severity !== 'error') return undefined;
  const { rule, finding } = hit;
  const errno = finding.errno ?? rule.errno ?? EINVAL;
  return { errno, log: finding.log ?? rule.log ?? '(null)', rule };
}

// ── Rules that many targets have ─────────────────────────────────────────────────────────────────

/** What is different in each of them. */
export type RuleOf = Omit<TargetRule, 'severity' | 'check'>;

/** A line with another number of words than `fits` has it. */
export function argumentsRule(
  rule: RuleOf & { readonly expected: string },
  fits: (count: number) => boolean,
): TargetRule {
  const { expected, ...rest } = rule;
  return {
    ...rest,
    severity: 'error',
    check: ({ count }) =>
      fits(count) ? undefined : { message: `expected ${expected}, got ${count} words` },
  };
}

/** Rules that share a walk, which names the one that a line breaks. */
export function walkRules(walk: Walk, rules: readonly RuleOf[]): TargetRule[] {
  return rules.map((rule) => ({
    ...rule,
    severity: 'error',
    check: (line, machine) => {
      const end = line.once(walk, machine);
      return end?.code === rule.code ? end : undefined;
    },
  }));
}

/** Which words a rule is about. */
export type WordsAt = readonly number[] | ((line: Arguments) => readonly number[]);

function wordsAt(at: WordsAt, line: Arguments): readonly number[] {
  return typeof at === 'function' ? at(line) : at;
}

/** Of each of the words at `at`, one that is no number of sectors. */
export function sectorRule(rule: RuleOf, at: WordsAt): TargetRule {
  return wordRule(rule, at, (word) =>
    sscanf64(word) === undefined ? 'decimal sectors of 512 bytes' : undefined,
  );
}

/** Of each of the words at `at`, one of which `expected` says what should be there. */
export function wordRule(
  rule: RuleOf,
  at: WordsAt,
  expected: (word: string, line: Arguments) => string | undefined,
): TargetRule {
  return {
    ...rule,
    severity: 'error',
    check: (line) => {
      for (const word of wordsAt(at, line)) {
        const what = expected(line.word(word), line);
        if (what !== undefined) {
          return { message: `expected ${what}, got ${quoted(line.word(word))}`, at: word };
        }
      }
      return undefined;
    },
  };
}

/** Of each of the words at `at`, one that dm_get_device() refuses; with the errno of it unless the rule has one. */
export function deviceRule(rule: RuleOf, at: WordsAt): TargetRule {
  return {
    ...rule,
    severity: 'error',
    check: (line, machine) => {
      for (const word of wordsAt(at, line)) {
        const found = machine.lookup(line.word(word));
        if (typeof found === 'number') {
          const message = `expected a block device, got ${quoted(line.word(word))}`;
          return { message, at: word, errno: rule.errno ?? found };
        }
      }
      return undefined;
    },
  };
}

/** What is wrong with a word that is no number from 1 that kstrtouint() takes; undefined if it is one. */
export function notAboveZero(word: string): string | undefined {
  return (kstrtouint(word) ?? 0) === 0 ? 'a number from 1' : undefined;
}

/** A word as messages show it. */
export function quoted(word: string): string {
  return `"${cut(word)}"`;
}

// ── Numbers as the kernel reads them ─────────────────────────────────────────────────────────────

/** vsscanf() skips what isspace() is, before a number; the byte 0xA0 alone is U+DCA0 here. */
const SCANNED = /^[\t-\r \udca0]*(\d+)$/;
/** 10^64 is a multiple of 2^64: of a longer number the rest changes nothing that is kept. */
const KEPT_DIGITS = 64;
/** 10^15 is less than 2^53. */
const PLAIN_DIGITS = 15;

/**
 * A word that `sscanf(word, "%llu%c")` reads whole: decimal, without a sign, and wrapped at 2^64.
 *
 * @see lib/vsprintf.c vsscanf(), simple_strntoull()
 */
export function sscanf64(word: string): Sector | undefined {
  // Nearly all are short and plain.
  if (word.length > 0 && word.length <= PLAIN_DIGITS) {
    let value = 0;
    let at = 0;
    for (; at < word.length; at++) {
      const digit = word.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === word.length) return value;
  }
  const digits = SCANNED.exec(word)?.[1];
  if (digits === undefined) return undefined;
  const value = BigInt.asUintN(64, BigInt(digits.slice(-KEPT_DIGITS)));
  return value > Number.MAX_SAFE_INTEGER ? value : Number(value);
}

/** The same with `"%u%c"`: wrapped at 2^32. */
export function sscanf32(word: string): number | undefined {
  const value = sscanf64(word);
  if (value === undefined) return undefined;
  return typeof value === 'number' ? value % 2 ** 32 : Number(BigInt.asUintN(32, value));
}

/**
 * An argument as dm_read_arg() reads it: {@link sscanf32} within bounds, both allowed.
 *
 * @see drivers/md/dm-table.c validate_next_arg()
 */
export function readArgument(word: string, min: number, max: number): number | undefined {
  const value = sscanf32(word);
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

/** A `+` before it and a line feed behind it are no mistakes. */
const CONVERTED = /^\+?(\d+)\n?$/;
const LONGEST = 20;

/**
 * A word that kstrtoull(word, 10) takes: decimal, a `+` before it allowed, below 2^64.
 *
 * @see lib/kstrtox.c
 */
export function kstrtoull(word: string): bigint | undefined {
  const digits = CONVERTED.exec(word)?.[1]?.replace(/^0+(?=\d)/, '');
  if (digits === undefined || digits.length > LONGEST) return undefined;
  const value = BigInt(digits);
  return value < 1n << 64n ? value : undefined;
}

/** The same below 2^32. */
export function kstrtouint(word: string): number | undefined {
  const value = kstrtoull(word);
  return value !== undefined && value < 1n << 32n ? Number(value) : undefined;
}
