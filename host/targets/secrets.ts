// Keys in lines: hexadecimal, and never a string.

import { InputError, show } from '../errors.js';
import { toBytes } from '../wire.js';
import type { Field } from './fields.js';
import type { Words } from './words.js';

/** A key in the kernel's keyring, which is looked up when the table is loaded. */
export interface KeyReference {
  /** How long it is, in bytes. */
  readonly bytes: number;
  /** 'logon', 'user', 'encrypted' or 'trusted'. */
  readonly type: string;
  /** How the keyring knows it, as in 'cryptsetup:name'; no blanks. */
  readonly description: string;
}

const DASH = 0x2d;
const COLON = 0x3a;
const ZERO = 0x30;
const REFERENCE = /^:(\d+):([^:]+):(\S+)$/;

/**
 * A key: its bytes, or where the kernel's keyring has it. No bytes are the dash of ciphers without a key.
 *
 * @param types - which keyring types may be named
 * @see drivers/md/dm-crypt.c crypt_set_key()
 */
export function key(...types: readonly string[]): Field<Uint8Array | KeyReference> {
  const expected = `the bytes of a key, or { bytes, type, description } of one in a keyring (${types.join(', ')})`;
  const isReference = ({ bytes, type, description }: KeyReference): boolean =>
    Number.isSafeInteger(bytes) && bytes > 0 && types.includes(type) && /^\S+$/.test(description);
  return {
    expected,
    shape: { kind: 'key', types },
    read(words: Words) {
      const word = words.nextRaw(expected);
      const raw = typeof word === 'string' ? toBytes(word, 'parameters') : word;
      if (raw[0] === COLON) {
        const [, bytes, type = '', description = ''] =
          REFERENCE.exec(new TextDecoder().decode(raw)) ?? [];
        const reference = { bytes: Number(bytes), type, description };
        if (!isReference(reference)) return words.refuse(expected, 'another reference');
        return reference;
      }
      // Hidden, as getTable and dmsetup hide keys, a dash is one zero.
      const isNone = raw.length === 1 && (raw[0] === DASH || raw[0] === ZERO);
      const bytes = isNone ? new Uint8Array(0) : bytesOf(raw);
      if (bytes === undefined) return words.refuse(expected, 'no hexadecimal digits');
      return bytes;
    },
    write(value, path) {
      if (value instanceof Uint8Array) return value.length === 0 ? ['-'] : [digitsOf(value)];
      if (typeof value !== 'object' || (value as object | null) === null || !isReference(value)) {
        throw new InputError({ path }, `expected ${expected}, got ${show(value)}`);
      }
      return [`:${value.bytes}:${value.type}:${value.description}`];
    },
  };
}

/** An algorithm, and its key if it takes one: `hmac(sha256):00ff`. */
export interface KeyedAlgorithm {
  /** As the kernel's crypto API names it. */
  readonly algorithm: string;
  /** The bytes of the key. */
  readonly key?: Uint8Array;
}

/** An algorithm with a key or none. @see drivers/md/dm-integrity.c get_alg_and_key() */
export function keyedAlgorithm(): Field<KeyedAlgorithm> {
  const expected = 'an algorithm { algorithm, key? }, its key as bytes';
  return {
    expected,
    shape: { kind: 'keyed' },
    read(words: Words) {
      const word = words.nextRaw(expected);
      const raw = typeof word === 'string' ? toBytes(word, 'parameters') : word;
      const colon = raw.indexOf(COLON);
      const algorithm = new TextDecoder().decode(colon < 0 ? raw : raw.subarray(0, colon));
      if (colon < 0) return { algorithm };
      const bytes = bytesOf(raw.subarray(colon + 1));
      if (bytes === undefined) return words.refuse(expected, 'a key of no hexadecimal digits');
      return { algorithm, key: bytes };
    },
    write(value, path) {
      const { algorithm, key: bytes } = value as Partial<KeyedAlgorithm>;
      if (typeof algorithm !== 'string' || !/^[^\s:]+$/.test(algorithm)) {
        throw new InputError(
          { path: `${path}.algorithm` },
          `expected an algorithm's name, got ${show(algorithm)}`,
        );
      }
      if (bytes === undefined) return [algorithm];
      if (!(bytes instanceof Uint8Array) || bytes.length === 0) {
        throw new InputError(
          { path: `${path}.key` },
          `expected the bytes of a key, got ${show(bytes)}`,
        );
      }
      const digits = digitsOf(bytes);
      const name = toBytes(`${algorithm}:`, `${path}.algorithm`);
      const whole = new Uint8Array(name.length + digits.length);
      whole.set(name);
      whole.set(digits, name.length);
      digits.fill(0);
      return [whole];
    },
  };
}

/** Bytes as hexadecimal digits, in bytes. */
function digitsOf(bytes: Uint8Array): Uint8Array {
  const digits = new Uint8Array(2 * bytes.length);
  bytes.forEach((byte, i) => {
    digits[2 * i] = digitOf(byte >> 4);
    digits[2 * i + 1] = digitOf(byte & 15);
  });
  return digits;
}

function digitOf(nibble: number): number {
  return nibble + (nibble < 10 ? ZERO : 0x57);
}

/** The bytes of hexadecimal digits; undefined if these are none. */
function bytesOf(digits: Uint8Array): Uint8Array | undefined {
  if (digits.length === 0 || digits.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(digits.length / 2);
  for (const [i, digit] of digits.entries()) {
    const value = valueOf(digit);
    if (value === undefined) return undefined;
    bytes[i >> 1] = bytes[i >> 1]! * 16 + value;
  }
  return bytes;
}

function valueOf(digit: number): number | undefined {
  if (digit >= ZERO && digit <= 0x39) return digit - ZERO;
  const letter = digit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
