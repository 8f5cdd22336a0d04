// Parts of a line that are more than one field after another: counted options, and counts.

import { InputError, show } from '../errors.js';
import type { Parameter } from '../types.js';
import { toBytes } from '../wire.js';
import {
  integer,
  readFields,
  writeFields,
  type Field,
  type Fields,
  type Given,
  type NoFields,
  type Told,
} from './fields.js';
import { Words } from './words.js';

/** Reads words into an object of options, and writes them from one. */
export interface Part<In extends object, Out extends object> {
  /** The options that it has. */
  readonly keys: readonly string[];
  /** The same for programs. */
  readonly fields: Fields;
  /** Take its words. */
  read(words: Words, into: object): void;
  /** Its words, and whether they say nothing and may be left out at the end of a line. */
  write(from: object, prefix: string): Written;
  /** For the types alone. */
  types?(given: In): Out;
}

/** The words of a part. */
export interface Written {
  readonly words: readonly Parameter[];
  readonly isNothing: boolean;
}

/** Is it a part, or the fields of one? */
export function isPart(part: Fields | Part<object, object>): part is Part<object, object> {
  return typeof part.read === 'function';
}

/** Fields one after another. */
export function fieldsPart(fields: Fields): Part<object, object> {
  return {
    keys: Object.keys(fields),
    fields,
    read: (words, into) => {
      readFields(fields, words, into);
    },
    write: (from, prefix) => {
      const words = writeFields(fields, from, prefix);
      return { words, isNothing: words.length === 0 };
    },
  };
}

/** How many there are of the list `key`, which comes later. */
export function count(key: string): Part<object, object> {
  return {
    keys: [],
    fields: {},
    read: (words) => {
      words.announce(key, integer().read(words, key));
    },
    write: (from) => {
      const values = (from as Readonly<Record<string, unknown>>)[key];
      return { words: [Array.isArray(values) ? values.length : 0], isNothing: false };
    },
  };
}

/** Fields behind a count of their words; a count of 0 if they are left out. */
export function counted<const S extends Fields>(fields: S): Part<Given<S>, Told<S>> {
  return {
    keys: Object.keys(fields),
    fields,
    read: (words, into) => {
      readFields(fields, words.take(integer().read(words, 'count')), into);
    },
    write: (from, prefix) => {
      const words = writeFields(fields, from, prefix);
      return { words: [words.length, ...words], isNothing: false };
    },
  };
}

/** A word that is always the same. */
export function literal(expected: string): Part<object, object> {
  return {
    keys: [],
    fields: {},
    read: (words) => {
      if (words.next(expected) !== expected) return words.refuse(expected);
    },
    write: () => ({ words: [expected], isNothing: false }),
  };
}

// ── Options in any order ─────────────────────────────────────────────────────────────────────────

/** An option among others, which its first word tells. */
export interface Option<In, Out = In> extends Field<In, Out> {
  /** May be left out, as all options may. */
  readonly optional: true;
  /** Is `word` its first? @param name - its key as the kernel would write it */
  begins(word: string, name: string): boolean;
  /** It may stand there several times: each adds to its array. */
  readonly repeats?: true;
}

/** Options by name, in any order. */
export type OptionFields = Readonly<Record<string, Option<never, unknown>>>;

/** A word that stands there or not. */
export function flag(): Option<boolean, true> {
  return {
    expected: 'true or false',
    shape: { kind: 'flag' },
    optional: true,
    begins: (word, name) => word === name,
    read(words) {
      words.next('a word');
      return true;
    },
    write(value, path) {
      if (typeof value !== 'boolean')
        throw new InputError({ path }, `expected true or false, got ${show(value)}`);
      return value ? [snakeCase(path)] : [];
    },
  };
}

/** One of several words that exclude each other. */
export function choice<const W extends string>(...choices: readonly W[]): Option<W> {
  const expected = `one of ${choices.join(', ')}`;
  return {
    expected,
    shape: { kind: 'choice', words: choices },
    optional: true,
    begins: (word) => choices.some((one) => one === word),
    read: (words) => words.next(expected) as W,
    write(value, path) {
      if (!choices.includes(value))
        throw new InputError({ path }, `expected ${expected}, got ${show(value)}`);
      return [value];
    },
  };
}

/** A word with the words of a field behind it. */
export function value<In, Out>(field: Field<In, Out>, own?: string): Option<In, Out> {
  const { expected, shape } = field;
  return {
    expected,
    shape,
    optional: true,
    begins: (word, name) => word === (own ?? name),
    read(words, key) {
      words.next('a word');
      return field.read(words, key);
    },
    write: (given, path) => [own ?? snakeCase(path), ...field.write(given, path)],
  };
}

/** As {@link value}, as often as one likes: an array. */
export function values<In, Out>(field: Field<In, Out>): Option<readonly In[], readonly Out[]> {
  const one = value(field);
  const shape = { kind: 'list', of: field, min: 1, max: Infinity } as const;
  return {
    ...one,
    expected: `an array, each ${field.expected}`,
    shape,
    repeats: true,
    read: (words, key) => [one.read(words, key)],
    write(given, path) {
      if (!Array.isArray(given))
        throw new InputError({ path }, `expected ${this.expected}, got ${show(given)}`);
      return (given as readonly In[]).flatMap((each, i) => [
        snakeCase(path),
        ...field.write(each, `${path}[${i}]`),
      ]);
    },
  };
}

/** One word, the field's behind a colon. */
export function colon<In, Out>(field: Field<In, Out>, own?: string): Option<In, Out> {
  const { expected, shape } = field;
  return {
    expected,
    shape,
    optional: true,
    begins: (word, name) => word.startsWith(`${own ?? name}:`),
    read(words, key) {
      const raw = words.nextRaw(expected);
      const tail =
        typeof raw === 'string'
          ? raw.slice(raw.indexOf(':') + 1)
          : raw.subarray(raw.indexOf(COLON) + 1);
      try {
        return field.read(new Words([tail], key), key);
      } catch {
        return words.refuse(
          `${own ?? snakeCase(key)}: and ${expected}`,
          typeof raw === 'string' ? undefined : show(raw),
        );
      }
    },
    write(given, path) {
      const name = `${own ?? snakeCase(path)}:`;
      const [written] = field.write(given, path);
      if (!(written instanceof Uint8Array)) return [`${name}${written}`];
      const head = toBytes(name, path);
      const whole = new Uint8Array(head.length + written.length);
      whole.set(head);
      whole.set(written, head.length);
      return [whole];
    },
  };
}

const COLON = 0x3a;

/** What a list of options is preceded by, and whether it may be left out. */
export interface OptionsForm<Unknown extends string = string> {
  /**
   * 'always': a count of their words, written also of none. 'trailing': the same, but left out if there are none
   * and nothing follows. 'uncounted': they just follow.
   */
  readonly count?: 'always' | 'trailing' | 'uncounted';
  /** The key under which words are kept that are no known option: 'unknownOptions' if left out. */
  readonly unknown?: Unknown;
}

/**
 * Options in any order, behind a count of their words. Words that are none of them are kept, in one
 * array behind those that are known.
 */
export function options<
  const S extends OptionFields,
  const F extends Fields = NoFields,
  const U extends string = 'unknownOptions',
>(
  fields: S,
  { count: form = 'trailing', unknown = 'unknownOptions' as U }: OptionsForm<U> = {},
  front: F = {} as F,
): Part<Given<F> & Given<S> & Unknown<U>, Told<F> & Told<S> & Unknown<U>> {
  const optionOf = (word: string): string | undefined =>
    Object.keys(fields).find((key) => fields[key]!.begins(word, snakeCase(key)));
  return {
    keys: [...Object.keys(front), ...Object.keys(fields), unknown],
    fields: { ...front, ...fields },
    read: (words, into) => {
      if (words.left === 0) return;
      const own = form === 'uncounted' ? words : words.take(integer().read(words, 'count'));
      readFields(front, own, into);
      const told: Record<string, unknown> = {};
      for (let word = own.peek(); word !== undefined; word = own.peek()) {
        const key = optionOf(word) ?? unknown;
        const before = (told[key] ?? []) as readonly unknown[];
        if (key === unknown) told[key] = [...before, own.next('a word')];
        else {
          const read = fields[key]!.read(own, key);
          told[key] = fields[key]!.repeats === true ? [...before, ...(read as unknown[])] : read;
        }
      }
      Object.assign(into, told);
    },
    write: (from, prefix) => {
      const words = writeFields(front, from, prefix);
      for (const [key, given] of Object.entries(from) as [string, unknown][]) {
        if (given === undefined) continue;
        if (key === unknown) words.push(...(given as string[]));
        else if (Object.hasOwn(fields, key)) words.push(...fields[key]!.write(given as never, key));
      }
      const isNothing = words.length === 0 && form !== 'always';
      return { words: form === 'uncounted' ? words : [words.length, ...words], isNothing };
    },
  };
}

/** Words that no option begins with, in their order. */
type Unknown<U extends string> = Readonly<Partial<Record<U, readonly string[]>>>;

/** 'allowDiscards' as the kernel writes it: 'allow_discards'. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}
