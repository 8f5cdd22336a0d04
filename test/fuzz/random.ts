// The same numbers from the same seed, on any machine.

import { Buffer } from 'node:buffer';

/** Marsaglia's xorshift32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // All zeros would stay so.
    this.#state = seed | 0 || 0x9e3779b9;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor(((x >>> 0) / 0x100000000) * limit);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

/** Sizes, offsets and counts of the protocol, and the edges of numbers. */
const NUMBERS = [
  ...[
    0, 1, 2, 7, 8, 9, 16, 39, 40, 41, 48, 127, 128, 129, 255, 256, 304, 305, 311, 312, 313, 320,
    352,
  ],
  ...[4096, 16384, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff],
];

/** One of the changes that break parsers, made to a copy of `input`; `other` is a second one to cut from. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = input.slice();
  for (let rounds = 1 + random.below(4); rounds > 0; rounds--) bytes = change(bytes, other, random);
  return bytes;
}

function change(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const { length } = bytes;
  const at = random.below(length + 1);
  const size = 1 + random.below(Math.min(64, length - at + 1));
  switch (random.below(9)) {
    case 0:
      if (at < length) bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 1:
      if (at < length) bytes[at] = random.below(256);
      return bytes;
    case 2: {
      // A field of four bytes, where fields stand.
      const field = at & ~3;
      if (field + 4 > length) return bytes;
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(
        field,
        random.pick([...NUMBERS, length, length - 1]),
        true,
      );
      return bytes;
    }
    case 3: {
      const field = at & ~3;
      if (field + 4 > length) return bytes;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      view.setUint32(field, view.getUint32(field, true) + random.below(17) - 8, true);
      return bytes;
    }
    case 4:
      return bytes.slice(0, at);
    case 5:
      return join(bytes.subarray(0, at), bytes.subarray(Math.min(length, at + size)));
    case 6:
      return join(bytes.subarray(0, at), bytes.subarray(at, at + size), bytes.subarray(at));
    case 7: {
      const from = random.below(other.length + 1);
      return join(bytes.subarray(0, at), other.subarray(from, from + size), bytes.subarray(at));
    }
    default:
      bytes.fill(random.pick([0, 0x20, 0x5c, 0x0a, 0xa0, 0xff]), at, at + size);
      return bytes;
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
