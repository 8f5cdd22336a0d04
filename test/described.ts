// Values of whatever a target's definition describes, for fast-check: what its constructor takes.

import { isPart, type Fields, type Parts, type Shape } from '#internal';
import * as fc from 'fast-check';

/** No blanks, no backslash at all: what words may hold is the codec's own test. */
const name = fc.stringMatching(/^[a-z][a-z0-9_./-]{0,11}$/);
const device = fc.oneof(
  name.map((text) => `/dev/${text}`),
  fc.tuple(fc.nat(4095), fc.nat(1048575)).map(([major, minor]) => `${major}:${minor}`),
);
const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 });

/** Values that a shape takes. */
function valuesOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'integer': {
      const { min, max, step, powerOfTwo } = shape;
      if (powerOfTwo) {
        const [from, to] = [
          Math.ceil(Math.log2(Math.max(min, 1))),
          Math.min(52, Math.floor(Math.log2(max))),
        ];
        return fc.integer({ min: from, max: to }).map((power) => 2 ** power);
      }
      const [from, to] = [Math.ceil(min / step), Math.floor(max / step)];
      return fc.oneof(fc.maxSafeInteger(), fc.nat(300)).map((any) => {
        const span = BigInt(to) - BigInt(from) + 1n;
        return Number(BigInt(from) + (BigInt(Math.abs(any)) % span)) * step;
      });
    }
    case 'choice':
      return fc.constantFrom(...shape.words);
    case 'flag':
      return fc.constant(true);
    case 'switch':
      return fc.boolean();
    case 'text':
      return name;
    case 'device':
      return device;
    case 'hex':
      return fc.stringMatching(/^([0-9a-f]{2}){1,32}$/);
    case 'key':
      return fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc
          .tuple(fc.integer({ min: 1, max: 512 }), fc.stringMatching(/^[a-z:]{1,12}$/))
          .chain(([size, description]) =>
            fc.constantFrom(...shape.types.map((type) => ({ bytes: size, type, description }))),
          ),
      );
    case 'keyed':
      return fc.record(
        { algorithm: fc.stringMatching(/^[a-z][a-z0-9()]{0,9}$/), key: bytes },
        { requiredKeys: ['algorithm'], noNullPrototype: true },
      );
    case 'pairs':
      return fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), fc.maxSafeNat(), {
        maxKeys: 4,
        noNullPrototype: true,
      });
    case 'list':
      return fc.array(valuesOf(shape.of.shape), {
        minLength: shape.min,
        maxLength: Math.min(shape.max, shape.min + 4),
      });
    case 'record':
      return optionsOf(shape.fields);
    case 'variant':
      return fc.oneof(
        ...Object.entries(shape.of).map(([kind, fields]) =>
          optionsOf(fields).map((rest) => ({ [shape.key]: kind, ...rest })),
        ),
      );
  }
}

/**
 * Options of fields one after another: of those that may be left out the last, and then the last but
 * one, and so on; of those that are known by their own words any.
 */
function optionsOf(fields: Fields, inAnyOrder = false): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(fields);
  const values = fc.record(
    Object.fromEntries(entries.map(([key, { shape }]) => [key, valuesOf(shape)])),
  );
  const free = (key: string): boolean => fields[key]!.optional === true;
  const ending = entries.filter(([key, { absent }]) => free(key) && absent === undefined);
  return fc
    .tuple(
      values,
      fc.subarray(entries.map(([key]) => key).filter(free)),
      fc.nat(ending.length),
      fc.shuffledSubarray(
        entries.map(([key]) => key),
        { minLength: entries.length },
      ),
    )
    .map(([all, some, kept, order]) => {
      const gone = new Set(ending.slice(kept).map(([key]) => key));
      const isThere = (key: string): boolean => {
        if (!free(key)) return true;
        if (inAnyOrder || fields[key]!.absent !== undefined) return some.includes(key);
        return !gone.has(key);
      };
      const keys = inAnyOrder ? order : entries.map(([key]) => key);
      return Object.fromEntries(keys.filter(isThere).map((key) => [key, all[key]]));
    });
}

/** Options of all the parts of a line. */
export function optionsOfParts(parts: Parts): fc.Arbitrary<Record<string, unknown>> {
  const each = parts.map((part) => (isPart(part) ? optionsOf(part.fields, true) : optionsOf(part)));
  return fc.tuple(...each).map((all) => Object.assign({}, ...all) as Record<string, unknown>);
}
