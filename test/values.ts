// Values that a codec may be given, for fast-check, and the same as the naive codec has them.

import type { Target } from 'devicemapper/codec';
import * as fc from 'fast-check';
import * as naive from './naive.js';

/** Records that are as any literal. */
export const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { noNullPrototype: true });

export const u32 = fc.nat(0xffffffff);
/** Bytes without NUL: what a C string may hold. Few different ones, so that special ones are met. */
export const cBytes = (maxLength: number) =>
  fc
    .array(
      fc.oneof(fc.constantFrom(0x20, 0xa0, 0x5c, 0xc3, 0x61), fc.integer({ min: 1, max: 255 })),
      {
        maxLength,
      },
    )
    .map((bytes) => Uint8Array.from(bytes));
/** A kernel's string; as such it survives a round trip. */
export const cText = (maxLength: number) => cBytes(maxLength).map(naive.textOf);
export const type = cBytes(15)
  .filter((bytes) => bytes.length > 0)
  .map(naive.textOf);
export const version = fc.tuple(u32, fc.oneof(fc.constantFrom(36, 37, 44, 45, 50), u32), u32);
export const header = record({
  version,
  flags: u32.map((flags) => (flags & ~0x100) >>> 0),
  openCount: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  eventNr: u32,
  dev: fc.maxSafeNat(),
  name: cText(127),
  uuid: cText(128),
});

export const sector = fc.bigInt(0n, 2n ** 64n - 1n);
export const isBlank = (bytes: Uint8Array) => naive.split(bytes).length === 0;
export const word = fc.oneof(
  cText(20).filter((text) => !isBlank(naive.bytesOf(text))),
  fc.integer(),
  fc.bigInt(),
  cBytes(20).filter((bytes) => !isBlank(bytes)),
);
export const parameters = fc.oneof(fc.array(word, { maxLength: 5 }), cText(40), cBytes(40));
export const target: fc.Arbitrary<Target> = record({
  startSector: fc.oneof(fc.maxSafeNat(), sector),
  length: fc.oneof(fc.maxSafeNat(), sector),
  type,
  parameters,
});
export const table = fc.array(target, { minLength: 1, maxLength: 6 });
export const line = record({ startSector: sector, length: sector, type, parameters: cText(40) });

export function plainTarget({ startSector, length, type, parameters }: Target): naive.PlainTarget {
  let bytes: Uint8Array;
  if (typeof parameters === 'string') bytes = naive.line(parameters);
  else if (parameters instanceof Uint8Array) bytes = parameters;
  else bytes = naive.join(parameters.map(wordBytes));
  return { startSector: BigInt(startSector), length: BigInt(length), type, parameters: bytes };
}

export function wordBytes(value: string | number | bigint | Uint8Array): Uint8Array {
  return value instanceof Uint8Array ? value : naive.bytesOf(String(value));
}
