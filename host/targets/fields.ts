// Fields: what one option is in words. Each says what it expects once, for both directions.

import { InputError, show } from '../errors.js';
import type { Parameter } from '../types.js';
import type { Words } from './words.js';

/** One option's value in words, both ways. */
export interface Field<In, Out = In> {
  /** What may stand here, as an error says it behind "expected". */
  readonly expected: string;
  /** The same for programs: tests make values of it, and rules their bounds. */
  readonly shape: Shape;
  /** Written in place of a value that is left out. */
  readonly absent?: string;
  /** May it be left out? */
  readonly optional?: true;
  /** Take its words; `key` is the option's name. */
  read(words: Words, key: string): Out;
  /** Its words; an InputError with `path` for a value that has none. */
  write(value: In, path: string): readonly Parameter[];
}

/** A field that may be left out. */
export type Optional<In, Out = In> = Field<In, Out> & { readonly optional: true };

/** What values a field takes. */
export type Shape =
  | {
      readonly kind: 'integer';
      readonly min: number;
      readonly max: number;
      readonly step: number;
      readonly powerOfTwo: boolean;
    }
  | { readonly kind: 'choice'; readonly words: readonly string[] }
  | { readonly kind: 'text' | 'device' | 'hex' | 'flag' | 'switch' | 'pairs' | 'keyed' }
  | { readonly kind: 'key'; readonly types: readonly string[] }
  | {
      readonly kind: 'list';
      readonly of: Field<never, unknown>;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: 'record'; readonly fields: Fields }
  | {
      readonly kind: 'variant';
      readonly key: string;
      readonly of: Readonly<Record<string, Fields>>;
    };

/** Of what has no options. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- it is meant
export type NoFields = Readonly<Record<never, never>>;

/** Options by name, in the order of their words. */
export type Fields = Readonly<Record<string, Field<never, unknown>>>;

type OptionalKeys<S> = {
  [K in keyof S]: S[K] extends { readonly optional: true } ? K : never;
}[keyof S];
type GivenOf<F> = F extends Field<infer In, unknown> ? In : never;
type ToldOf<F> = F extends Field<never, infer Out> ? Out : never;

/** A docstring goes with its key only through a plain mapping of the keys. */
type InOf<S, K extends keyof S> = { readonly [P in K]: GivenOf<S[P]> };
type OutOf<S, K extends keyof S> = { readonly [P in K]: ToldOf<S[P]> };

/** What a caller gives for fields. */
export type Given<S> = InOf<S, Exclude<keyof S, OptionalKeys<S>>> &
  Partial<InOf<S, OptionalKeys<S>>>;
/** What a parser tells of fields. */
export type Told<S> = OutOf<S, Exclude<keyof S, OptionalKeys<S>>> &
  Partial<OutOf<S, OptionalKeys<S>>>;

// ── One word ─────────────────────────────────────────────────────────────────────────────────────

/** A field of one word. @param decode - undefined for a word that will not do; so with `encode` */
function word<In, Out = In>(
  expected: string,
  shape: Shape,
  decode: (text: string) => Out | undefined,
  encode: (value: In) => Parameter | undefined,
): Field<In, Out> {
  return {
    expected,
    shape,
    read(words) {
      const value = decode(words.next(expected));
      if (value === undefined) return words.refuse(expected);
      return value;
    },
    write(value, path) {
      const written = value === undefined ? undefined : encode(value);
      if (written === undefined)
        throw new InputError({ path }, `expected ${expected}, got ${show(value)}`);
      return [written];
    },
  };
}

/** The bounds of a number, both of them allowed. */
export interface Bounds {
  /** 0 if left out. */
  readonly min?: number;
  /** The largest that a number holds exactly if left out. */
  readonly max?: number;
  /** It must be a multiple of this. */
  readonly step?: number;
  /** It must be a power of two. */
  readonly powerOfTwo?: boolean;
}

function number<In extends number | bigint>(
  unit: string,
  bounds: Bounds,
  radix = 10,
): Field<In, number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, step = 1, powerOfTwo = false } = bounds;
  let expected = powerOfTwo
    ? `a power of two, ${unit},`
    : step > 1
      ? `a multiple of ${step}, ${unit},`
      : unit;
  if (min !== 0 || bounds.max !== undefined) {
    expected += bounds.max === undefined ? ` from ${min}` : ` from ${min} to ${max}`;
  }
  const fits = (value: number): boolean =>
    Number.isSafeInteger(value) &&
    value >= min &&
    value <= max &&
    value % step === 0 &&
    (!powerOfTwo || Number.isInteger(Math.log2(value)));
  const digits = radix === 16 ? /^[0-9a-f]+$/i : min < 0 ? /^-?\d+$/ : /^\d+$/;
  return word<In, number>(
    expected.replace(/,$/, ''),
    { kind: 'integer', min, max, step, powerOfTwo },
    (text) => {
      const value = digits.test(text) ? parseInt(text, radix) : NaN;
      return fits(value) ? value : undefined;
    },
    (value) => {
      const isNumber = typeof value === 'number' || typeof value === 'bigint';
      if (!isNumber || !fits(Number(value)) || BigInt(Number(value)) !== BigInt(value))
        return undefined;
      return radix === 10 ? value : value.toString(radix);
    },
  );
}

/** A number of sectors of 512 bytes. */
export function sectors(bounds: Bounds = {}): Field<number | bigint, number> {
  return number('a number of 512-byte sectors', bounds);
}

/** A whole number, in decimal. */
export function integer(bounds: Bounds = {}): Field<number, number> {
  return number('a whole number', bounds);
}

/** A number of bytes. */
export function byteCount(bounds: Bounds = {}): Field<number, number> {
  return number('a number of bytes', bounds);
}

/** A whole number that stands there in hexadecimal. */
export function hexNumber(bounds: Bounds = {}): Field<number, number> {
  return number('a hexadecimal number', bounds, 16);
}

/** A path, or 'major:minor', which is what the kernel tells of it. */
export function device(): Field<string> {
  return word<string>(
    'a path or major:minor of a block device',
    { kind: 'device' },
    filled,
    filled,
  );
}

/** One word of any text. */
export function text(what = 'a word'): Field<string> {
  return word<string>(what, { kind: 'text' }, filled, filled);
}

function filled(value: string): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Bytes in hexadecimal that are no secret, as a digest. */
export function hex(what: string): Field<string> {
  const check = (value: string): string | undefined =>
    typeof value === 'string' && /^([0-9a-f]{2})+$/i.test(value) ? value : undefined;
  return word<string>(`${what} in hexadecimal`, { kind: 'hex' }, check, check);
}

/** One of several words. @param words - as the kernel writes them; it reads any case */
export function oneOf<const W extends string>(...words: readonly W[]): Field<W> {
  const find = (value: string): W | undefined =>
    typeof value === 'string'
      ? words.find((one) => one.toLowerCase() === value.toLowerCase())
      : undefined;
  return word<W>(`one of ${words.join(', ')}`, { kind: 'choice', words }, find, (value) =>
    words.find((one) => one === value),
  );
}

/** Two words for true and false, as in 'on' and 'off'. */
export function either(yes: string, no: string): Field<boolean> {
  return word<boolean>(
    `${yes} or ${no}`,
    { kind: 'switch' },
    (value) => (value === yes ? true : value === no ? false : undefined),
    (value) => (value ? yes : no),
  );
}

/** Two numbers in one word, as in '20/4096'. */
export function ratio<const A extends string, const B extends string>(
  a: A,
  b: B,
): Field<Readonly<Record<A | B, number>>> {
  type Pair = Readonly<Record<A | B, number>>;
  return word<Pair>(
    `${a}/${b}`,
    { kind: 'record', fields: { [a]: integer(), [b]: integer() } },
    (value) => {
      const [, first, second] = /^(\d+)\/(\d+)$/.exec(value) ?? [];
      return second === undefined
        ? undefined
        : ({ [a]: Number(first), [b]: Number(second) } as Pair);
    },
    (value) => `${value[a]}/${value[b]}`,
  );
}

// ── May be absent ────────────────────────────────────────────────────────────────────────────────

/** A field that ends the line where it is left out, with all behind it. */
export function optional<In, Out>(field: Field<In, Out>): Optional<In, Out> {
  return { ...field, optional: true };
}

/** A field for which there is a dash where there is none. */
export function orDash<In, Out>(field: Field<In, Out>): Optional<In, Out> {
  return { ...field, optional: true, absent: '-' };
}

// ── Several words ────────────────────────────────────────────────────────────────────────────────

/** Several fields that are one option: an object. */
export function record<const S extends Fields>(fields: S): Field<Given<S>, Told<S>> {
  return {
    expected: `an object of ${Object.keys(fields).join(', ')}`,
    shape: { kind: 'record', fields },
    read(words) {
      const into = {};
      readFields(fields, words, into);
      return into as Told<S>;
    },
    write(value, path) {
      if (typeof value !== 'object' || (value as object | null) === null) {
        throw new InputError({ path }, `expected ${this.expected}, got ${show(value)}`);
      }
      return writeFields(fields, value, `${path}.`);
    },
  };
}

/** A device, and a place on it: an object. */
export function deviceAt() {
  return record({
    /** What lies beneath. */
    device: device(),
    /** Where on it, in sectors. */
    offset: sectors(),
  });
}

/** One after another: as many as an earlier word has announced ({@link count}), or all that follow. */
export function list<In, Out>(
  of: Field<In, Out>,
  { min = 0, max = Infinity }: { readonly min?: number; readonly max?: number } = {},
): Field<readonly In[], readonly Out[]> {
  const expected = `an array of ${min > 0 ? `at least ${min}` : 'any length'}`;
  return {
    expected,
    shape: { kind: 'list', of, min, max },
    read(words, key) {
      const told: Out[] = [];
      const length = words.announced(key) ?? Infinity;
      while (told.length < length && (words.left > 0 || length !== Infinity)) {
        told.push(of.read(words, key));
      }
      if (told.length < min) return words.refuse(`at least ${min} of ${key}`, `${told.length}`);
      return told;
    },
    write(values, path) {
      if (!Array.isArray(values) || values.length < min || values.length > max) {
        const got = Array.isArray(values) ? `${values.length}` : show(values);
        throw new InputError({ path }, `expected ${expected}, got ${got}`);
      }
      return (values as readonly In[]).flatMap((value, i) => of.write(value, `${path}[${i}]`));
    },
  };
}

/** Keys with a number each, behind a count of their words, as policies have them. */
export function pairs(): Field<Readonly<Record<string, number>>> {
  const value = integer();
  return {
    expected: 'an object of numbers',
    shape: { kind: 'pairs' },
    read(words, key) {
      const own = words.take(integer().read(words, key));
      const told: [string, number][] = [];
      while (own.left > 0) {
        const name = own.next('a key');
        told.push([name, value.read(own, name)]);
      }
      return Object.fromEntries(told);
    },
    write(values, path) {
      if (typeof values !== 'object' || (values as object | null) === null) {
        throw new InputError({ path }, `expected ${this.expected}, got ${show(values)}`);
      }
      const words = Object.entries(values).flatMap(([name, one]) => [
        name,
        ...value.write(one, `${path}.${name}`),
      ]);
      return [words.length, ...words];
    },
  };
}

/** The kind of what a newer kernel has and this package does not know. */
export const UNKNOWN = 'unknown';

/**
 * The word that says of what kind something is. It stands under `key`; of one that is not in `known`
 * 'unknown' does, and the word under `name`, so that nothing is lost.
 */
export function kindWord(key: string, known: readonly string[]) {
  const kinds = oneOf(...known, UNKNOWN);
  return {
    expected: `an object whose ${key} is ${kinds.expected}`,
    read(words: Words): Record<string, string> {
      const name = words.next(kinds.expected);
      return known.includes(name) ? { [key]: name } : { [key]: UNKNOWN, name };
    },
    write(value: object, path: string): Parameter {
      const { [key]: kind, name } = value as Readonly<Record<string, string>>;
      const [word] = kinds.write(kind as never, `${path}.${key}`);
      if (word !== UNKNOWN) return word!;
      if (known.includes(name!)) {
        throw new InputError(
          { path: `${path}.${key}` },
          `expected ${show(name)}, got '${UNKNOWN}'`,
        );
      }
      return text().write(name!, `${path}.name`)[0]!;
    },
  };
}

/** What is kept of a kind that is not known here. */
const unknownKind = () => ({
  /** The kernel's word for it. */
  name: text(),
  /** The words that belong to it. */
  arguments: list(text()),
});

type WithUnknown<V> = V & Readonly<Record<typeof UNKNOWN, ReturnType<typeof unknownKind>>>;

/** A word that says which fields follow, and a count of their words: an object that has it under `key`. */
export function variant<const K extends string, const V extends Readonly<Record<string, Fields>>>(
  key: K,
  known: V,
): Field<
  {
    [T in keyof WithUnknown<V>]: Readonly<Record<K, T>> & Given<WithUnknown<V>[T]>;
  }[keyof WithUnknown<V>],
  {
    [T in keyof WithUnknown<V>]: Readonly<Record<K, T>> & Told<WithUnknown<V>[T]>;
  }[keyof WithUnknown<V>]
> {
  const kinds = kindWord(key, Object.keys(known));
  const { name, ...own } = unknownKind();
  const fieldsOf: Readonly<Record<string, Fields>> = { ...known, [UNKNOWN]: own };
  return {
    expected: kinds.expected,
    shape: { kind: 'variant', key, of: { ...known, [UNKNOWN]: { name, ...own } } },
    read(words) {
      const told = kinds.read(words);
      const mine = words.take(integer().read(words, key));
      readFields(fieldsOf[told[key]!]!, mine, told);
      if (mine.left > 0) return words.refuse(`no more words for ${told[key]}`);
      return told as never;
    },
    write(value, path) {
      if (typeof value !== 'object' || (value as object | null) === null) {
        throw new InputError({ path }, `expected ${this.expected}, got ${show(value)}`);
      }
      const word = kinds.write(value, path);
      const words = writeFields(
        fieldsOf[(value as Readonly<Record<string, string>>)[key]!]!,
        value,
        `${path}.`,
      );
      return [word, words.length, ...words];
    },
  };
}

/** Read fields one after another; those that may be left out are where the words end. */
export function readFields(fields: Fields, words: Words, into: object): void {
  for (const [key, field] of Object.entries(fields)) {
    if (field.absent !== undefined && words.peek() === field.absent) words.next(key);
    else if (field.optional !== true || words.left > 0) {
      Object.assign(into, { [key]: field.read(words, key) });
    }
  }
}

/** Write fields one after another. @param prefix - of their paths */
export function writeFields(fields: Fields, values: object, prefix: string): Parameter[] {
  const written: Parameter[] = [];
  let missing: string | undefined;
  for (const [key, field] of Object.entries(fields)) {
    const value = (values as Readonly<Record<string, unknown>>)[key];
    const path = `${prefix}${key}`;
    if (value === undefined && field.absent !== undefined) written.push(field.absent);
    else if (value === undefined && field.optional === true) missing ??= key;
    else if (missing !== undefined && value !== undefined) {
      throw new InputError(
        { path: `${prefix}${missing}` },
        `expected ${fields[missing]!.expected}, as there is ${key}`,
      );
    } else written.push(...field.write(value as never, path));
  }
  return written;
}
