// What a target type knows, said once: its words and its options, its status, its messages. From one
// description come the constructor, both parsers, the tests' generators and the documentation, whose
// sentences are the docstrings of the description.
//
// Strategy: a description is parts in the order of the words. A part reads words into an object and
// writes them from it: an object of fields ({ device: device(), offset: sectors() }) is the plainest, a
// counted list of options the other that most types have. Options are written in the order of the
// object's keys, so that a line that is parsed and built again keeps its order, which the kernel keeps.

import { InputError, show } from '../errors.js';
import type { Parameter, Target } from '../types.js';
import type { Field, Fields, Given, NoFields, Told } from './fields.js';
import { sectors } from './fields.js';
import type { MessageType } from './messages.js';
import { fieldsPart, isPart, type Part } from './parts.js';
import type { Area, Arguments, Features, TargetRule } from './rules.js';
import { Words, wordsIn } from './words.js';

/** Parts in the order of the words; an object of fields is one, too. */
export type Parts = readonly (Fields | Part<object, object>)[];

/** What a caller gives for `P`. */
export type GivenBy<P> = P extends readonly [infer A, ...infer Rest]
  ? (A extends Part<infer In, object> ? In : A extends Fields ? Given<A> : never) & GivenBy<Rest>
  : unknown;

/** What a parser tells of `P`. */
export type ToldBy<P> = P extends readonly [infer A, ...infer Rest]
  ? (A extends Part<object, infer Out> ? Out : A extends Fields ? Told<A> : never) & ToldBy<Rest>
  : unknown;

/** The same type with its parts put together, as an editor should show it. */
type Flat<T> = { [K in keyof T]: T[K] };

/** Where a target begins, and how long it is. */
export interface Range<Sector = number | bigint> {
  /** First sector this target covers, counted from the device's start. */
  readonly startSector: Sector;
  /** How many sectors it covers, at least 1. */
  readonly length: Sector;
}

/** Words behind those that are known, of a newer kernel or a mistaken hand; written back as they were. */
export interface Rest {
  /** One word each, in order; absent if there are none. */
  readonly rest?: readonly string[];
}

/** A status that tells numbers. */
export interface Active {
  /** Told apart by this from those that tell none. */
  readonly state: 'active';
}

/** A status that is a word. */
export interface StateWord<Word> {
  /** The word, which says it all. */
  readonly state: Word;
}

/** A status that tells numbers, one that is a word, or one that does not read as it should. */
export type Status<S, Word extends string> =
  | Flat<Active & ToldBy<S> & Rest>
  | ([Word] extends [never] ? never : StateWord<Word>)
  | UnreadableStatus;

/** A status that does not read as the kernel's source has it: cut off, or of an unknown kernel. */
export interface UnreadableStatus {
  /** Told apart by this from all that could be read. */
  readonly state: 'unreadable';
  /** Which word is wrong, and what was expected there. */
  readonly problem: string;
  /** The status, split as the kernel splits. */
  readonly words: readonly string[];
}

/** What there is to know of a target type. */
export interface Definition<P extends Parts, S extends Parts, Word extends string, M> {
  /** The words of its line. */
  readonly parameters: P;
  /** The words of its status; empty if it has none. */
  readonly status?: S;
  /** Status texts that stand alone, as 'Fail' does. */
  readonly states?: readonly Word[];
  /** What `dm.sendMessage` may send to it. */
  readonly messages?: M;
  /** What its constructor refuses, in the order in which it checks. */
  readonly rules?: readonly TargetRule[];
  /** Which devices it maps where, of a line in which no rule finds an error. */
  readonly areas?: (line: Arguments) => readonly Area[];
  /** What it is to a table. */
  readonly features?: Features;
}

/** A target that was built: what `createActiveDevice` and its likes take in a table. */
export interface BuiltTarget<Type extends string = string> extends Target {
  readonly type: Type;
  /** One argument each. */
  readonly parameters: readonly Parameter[];
}

/**
 * A target type: call it with options for a row of a table.
 *
 * @example
 * linear({ startSector: 0, length: 2048, device: '/dev/sdb', offset: 34 })
 */
export interface TargetType<
  Type extends string,
  P extends Parts,
  S extends Parts,
  Word extends string,
  M,
> {
  /**
   * A row of a table. Options are written in the order of the object's keys; those left out are the
   * kernel's to choose.
   *
   * @throws {InputError} an option that is missing, unknown or out of its range; `path` is its name
   */
  (options: Flat<Range & GivenBy<P> & Rest>): BuiltTarget<Type>;
  /** The kernel's name of it. */
  readonly type: Type;
  /**
   * The options of a row, as it is given to the kernel or told by it. Of parameters that are bytes no
   * key becomes a string.
   *
   * @throws {InputError} words that are not as this type has them; `path` is 'parameters[i]'
   */
  parse(target: Target): Flat<Range<number> & ToldBy<P> & Rest>;
  /** A status in values; it throws nothing, and tells what cannot be read as `state: 'unreadable'`. */
  parseStatus(text: string): Status<S, Word>;
  /** What `dm.sendMessage` may send to it. */
  readonly messages: M;
  /** What `lintTable` tells of its lines, in the order in which the kernel checks them. */
  readonly rules: readonly TargetRule[];
  /** What all of this is made of. */
  readonly definition: Definition<P, S, Word, M>;
}

/** Where a row stands; of a device's size the kernel is the judge. */
const RANGE = (): Readonly<Record<keyof Range, Field<number | bigint, number>>> => ({
  startSector: sectors(),
  length: sectors({ min: 1 }),
});

/**
 * Make a target type of its definition, which is made when it is first used: importing costs nothing,
 * and bundlers drop what nobody calls.
 */
export function defineTarget<
  const Type extends string,
  const P extends Parts,
  const S extends Parts = readonly [],
  const Word extends string = never,
  M extends Readonly<Record<string, MessageType>> = NoFields,
>(type: Type, define: () => Definition<P, S, Word, M>): TargetType<Type, P, S, Word, M> {
  let made: Definition<P, S, Word, M> | undefined;
  const definition = (): Definition<P, S, Word, M> => (made ??= define());
  const partsOf = (parts: Parts | undefined): Part<object, object>[] =>
    (parts ?? []).map((part) => (isPart(part) ? part : fieldsPart(part)));

  const build = (options: Range & Rest): BuiltTarget<Type> => {
    const parts = partsOf(definition().parameters);
    refuseOthers(type, options, [
      'type',
      'rest',
      'startSector',
      'length',
      ...parts.flatMap(({ keys }) => keys),
    ]);
    fieldsPart(RANGE()).write(options, '');
    const written = parts.map((part) => part.write(options, ''));
    const rest = options.rest ?? [];
    // Of what may be left out at the end only as much is written as something follows.
    const last =
      rest.length > 0 ? parts.length : written.findLastIndex(({ isNothing }) => !isNothing);
    const words = written.slice(0, last + 1).flatMap(({ words: own }) => own);
    const { startSector, length } = options;
    return { startSector, length, type, parameters: [...words, ...rest] };
  };

  const parse = (target: Target): object => {
    if (target.type !== type) {
      throw new InputError({ path: 'type' }, `expected ${show(type)}, got ${show(target.type)}`);
    }
    const range = [target.startSector, target.length].map(String);
    const told = {};
    fieldsPart(RANGE()).read(new Words(range, 'target'), told);
    return readAll(
      partsOf(definition().parameters),
      new Words(wordsIn(target.parameters), 'parameters'),
      told,
    );
  };

  const parseStatus = (text: string): object => {
    const { states = [], status } = definition();
    const word = states.find((state) => state === text.trim());
    if (word !== undefined) return { state: word };
    const words = wordsIn(text).map(String);
    try {
      return readAll(partsOf(status), new Words(words, 'status'), { state: 'active' });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { state: 'unreadable', problem: error.message, words };
    }
  };

  const own = { type: { value: type, enumerable: true } };
  const properties = {
    ...own,
    parse: { value: parse },
    parseStatus: { value: parseStatus },
    messages: { get: () => definition().messages ?? {}, enumerable: true },
    rules: { get: () => definition().rules ?? [], enumerable: true },
    definition: { get: definition },
  };
  return Object.defineProperties(build, properties) as unknown as TargetType<Type, P, S, Word, M>;
}

function readAll(parts: readonly Part<object, object>[], words: Words, into: object): object {
  for (const part of parts) part.read(words, into);
  const rest = words.rest();
  return rest.length > 0 ? Object.assign(into, { rest }) : into;
}

/** A misspelt option would be left out without a word. */
function refuseOthers(type: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      const others = known.slice(2).join(', ');
      throw new InputError({ path: key }, `expected an option of ${type}: ${others}`);
    }
  }
}
