// The words of a target's line, of its status or of an answer, read from the left.

import { InputError, show } from '../errors.js';
import { wordsOf } from '../keys.js';
import type { Parameter, Target } from '../types.js';
import { splitParameters, textOf } from '../wire.js';

const BACKSLASH = 0x5c;

/** Reads one word after another. What is bytes becomes text only where text is asked for. */
export class Words {
  /** How many of something an earlier word has announced, by the option that has them. */
  readonly #counts = new Map<string, number>();
  readonly #words: readonly (string | Uint8Array)[];
  readonly #place: string;
  readonly #end: number;
  #at: number;

  /**
   * @param words - as the kernel splits them, none with a backslash in front of what is meant
   * @param place - what an error's path begins with: 'parameters[2]' is the third word
   */
  constructor(
    words: readonly (string | Uint8Array)[],
    place: string,
    from = 0,
    end: number = words.length,
  ) {
    this.#words = words;
    this.#place = place;
    this.#at = from;
    this.#end = end;
  }

  /** Have it known that `key` is a list of `count`. */
  announce(key: string, count: number): void {
    this.#counts.set(key, count);
  }

  /** How long the list `key` is; undefined if that was not said. */
  announced(key: string): number | undefined {
    return this.#counts.get(key);
  }

  /** How many are left. */
  get left(): number {
    return this.#end - this.#at;
  }

  /** The next word, which stays; undefined at the end. */
  peek(): string | undefined {
    return this.left > 0 ? wordText(this.#words[this.#at]!) : undefined;
  }

  /** The next word; at the end an InputError that says what was `expected`. */
  next(expected: string): string {
    return wordText(this.nextRaw(expected));
  }

  /** The next word, for what may be a secret. */
  nextRaw(expected: string): string | Uint8Array {
    if (this.left === 0) this.#refuse(this.#at, expected, 'the end');
    return this.#words[this.#at++]!;
  }

  /** Throws an InputError: the word just read will not do. */
  refuse(expected: string, got: string = show(this.#words[this.#at - 1])): never {
    this.#refuse(this.#at - 1, expected, got);
  }

  /** The next `count` words, for a reader of their own. */
  take(count: number): Words {
    if (count > this.left) {
      this.#refuse(
        this.#at - 1,
        `at most ${this.left}, which is how many words follow`,
        `${count}`,
      );
    }
    const from = this.#at;
    this.#at += count;
    return new Words(this.#words, this.#place, from, this.#at);
  }

  /** All that is left, as text. */
  rest(): string[] {
    const words = this.#words.slice(this.#at, this.#end).map(wordText);
    this.#at = this.#end;
    return words;
  }

  #refuse(at: number, expected: string, got: string): never {
    throw new InputError({ path: `${this.#place}[${at}]` }, `expected ${expected}, got ${got}`);
  }
}

/** The arguments that the kernel will see, or has told. */
export function wordsIn(parameters: Target['parameters']): (string | Uint8Array)[] {
  // Sent by libdm, and by us, with its backslashes doubled: each is one that is meant.
  if (typeof parameters === 'string') return splitParameters(parameters.replaceAll('\\', '\\\\'));
  if (parameters instanceof Uint8Array) return wordsOf(parameters).map(unescaped);
  return parameters.map((word: Parameter) =>
    typeof word === 'string' || word instanceof Uint8Array ? word : String(word),
  );
}

/** drivers/md/dm-table.c dm_split_args(): a backslash before any byte that is meant as it is. */
function unescaped(word: Uint8Array): Uint8Array {
  let isEscaped = false;
  return word.filter((byte, i) => {
    isEscaped = !isEscaped && byte === BACKSLASH && i < word.length - 1;
    return !isEscaped;
  });
}

/** A word as text. */
export function wordText(word: string | Uint8Array): string {
  return typeof word === 'string' ? word : textOf(word);
}
