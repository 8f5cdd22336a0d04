// Messages: words to a target, and what its answer means.

import type { Parameter } from '../types.js';
import { joinParameters, toBytes } from '../wire.js';
import { sectors, writeFields, type Fields, type Given, type NoFields } from './fields.js';

/** A message that knows its answer: what `dm.sendMessage` takes and returns the answer of. */
export interface TypedMessage<Answer> {
  /** The words, escaped where needed; bytes if there is a key among them. */
  readonly text: string | Uint8Array;
  /** Which target gets it: the one that covers this sector, the first if left out. */
  readonly sector?: number | bigint;
  /** What the kernel's answer means; it is '' if there is none. */
  parse(answer: string): Answer;
}

/** Makes a message of its arguments. */
export type MessageType = (options: never) => TypedMessage<unknown>;

/** Where a message goes, beside its own arguments. */
export interface MessageTarget {
  /** Which target gets it: the one that covers this sector, the first if left out. */
  readonly sector?: number | bigint;
}

/** The arguments of a message: none need be given if all may be left out. */
type Arguments<S> =
  NoFields extends Given<S>
    ? [options?: Given<S> & MessageTarget]
    : [options: Given<S> & MessageTarget];

/**
 * A message: a word or more, and the words of `fields` behind them. Answered by nothing, unless `parse`
 * says what the answer means.
 */
export function message<const S extends Fields = NoFields>(
  words: string,
  fields?: S,
): (...options: Arguments<S>) => TypedMessage<undefined>;
export function message<const S extends Fields, Answer>(
  words: string,
  fields: S,
  parse: (answer: string) => Answer,
): (...options: Arguments<S>) => TypedMessage<Answer>;
export function message<const S extends Fields>(
  words: string,
  fields: S = {} as S,
  parse: (answer: string) => unknown = () => undefined,
): (...options: Arguments<S>) => TypedMessage<unknown> {
  return (...[options = {} as Given<S> & MessageTarget]) => {
    const { sector } = options;
    if (sector !== undefined) sectors().write(sector, 'sector');
    const text = joined([...words.split(' ').filter(Boolean), ...writeFields(fields, options, '')]);
    return { text, ...(sector !== undefined && { sector }), parse };
  };
}

/** With a key among the words the whole stays bytes, as no string can be wiped. */
function joined(words: readonly Parameter[]): string | Uint8Array {
  if (!words.some((word) => word instanceof Uint8Array)) return joinParameters(words);
  const parts = words.map((word) =>
    word instanceof Uint8Array ? word : toBytes(joinParameters([word]), 'message'),
  );
  const text = new Uint8Array(parts.reduce((length, part) => length + part.length + 1, -1)).fill(
    0x20,
  );
  let at = 0;
  for (const part of parts) {
    text.set(part, at);
    at += part.length + 1;
  }
  return text;
}
