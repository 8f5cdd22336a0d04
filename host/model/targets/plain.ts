// linear, striped, error and zero: what a kernel has without a module but for the last
// (dm-linear.c, dm-stripe.c, dm-target.c, dm-zero.c).

import {
  devText,
  kstrtou32,
  orRefuse,
  refuse,
  sscanU64,
  targetType,
  type AnyTargetType,
} from '../target.js';

interface Range {
  readonly dev: number;
  readonly offset: bigint;
}

/** dm-linear.c linear_ctr() */
export const linear: AnyTargetType = /* @__PURE__ */ targetType<Range>({
  name: 'linear',
  versions: { '5.10': [1, 4, 0], '7.2': [1, 5, 0] },
  construct: (words, at) => {
    if (words.length !== 2) refuse('EINVAL', 'Invalid argument count');
    const offset = sscanU64(words[1]!, at.core) ?? refuse('EINVAL', 'Invalid device sector');
    return { dev: orRefuse(() => at.open(words[0]!), 'Device lookup failed'), offset };
  },
  status: ({ state: { dev, offset } }, { kind }, { core }) => {
    if (kind === 'info') return '';
    if (kind === 'table') return `${devText(dev)} ${offset}`;
    const version = core.since(linear.versions)!.join('.');
    return `target_name=linear,target_version=${version},device_name=${devText(dev)},start=${offset};`;
  },
  areas: ({ state: { dev, offset }, length }) => [{ dev, start: offset, length }],
});

interface Stripes {
  readonly chunk: bigint;
  readonly width: bigint;
  readonly ranges: readonly Range[];
}

/** dm-stripe.c stripe_ctr() */
export const striped: AnyTargetType = /* @__PURE__ */ targetType<Stripes>({
  name: 'striped',
  versions: { '5.10': [1, 6, 0], '7.2': [1, 7, 0] },
  construct: (words, at) => {
    if (words.length < 2) refuse('EINVAL', 'Not enough arguments');
    const count = kstrtou32(words[0]!) ?? 0;
    if (count === 0) refuse('EINVAL', 'Invalid stripe count');
    const chunk = BigInt(kstrtou32(words[1]!) ?? 0);
    if (chunk === 0n) refuse('EINVAL', 'Invalid chunk_size');
    const stripes = BigInt(count);
    if (at.length % stripes !== 0n) {
      refuse('EINVAL', 'Target length not divisible by number of stripes');
    }
    const width = at.length / stripes;
    if (width % chunk !== 0n) refuse('EINVAL', 'Target length not divisible by chunk size');
    if (words.length !== 2 + 2 * count) refuse('EINVAL', 'Not enough destinations specified');
    const ranges = Array.from({ length: count }, (_, i) =>
      orRefuse(() => {
        const offset = sscanU64(words[3 + 2 * i]!, at.core) ?? refuse('EINVAL');
        return { dev: at.open(words[2 + 2 * i]!), offset };
      }, "Couldn't parse stripe destination"),
    );
    return { chunk, width, ranges };
  },
  status: ({ state: { chunk, ranges } }, { kind }, { core }) => {
    const devices = ranges.map(({ dev }) => devText(dev));
    const health = 'A'.repeat(ranges.length);
    if (kind === 'info') return `${ranges.length} ${devices.join(' ')} 1 ${health}`;
    if (kind === 'table') {
      const pairs = ranges.map(({ offset }, i) => ` ${devices[i]} ${offset}`);
      return `${ranges.length} ${chunk}${pairs.join('')}`;
    }
    const version = core.since(striped.versions)!.join('.');
    const each = ranges.map(
      ({ offset }, i) =>
        `,stripe_${i}_device_name=${devices[i]},stripe_${i}_physical_start=${offset},stripe_${i}_status=A`,
    );
    return `target_name=striped,target_version=${version},stripes=${ranges.length},chunk_size=${chunk}${each.join('')};`;
  },
  areas: ({ state: { width, ranges } }) =>
    ranges.map(({ dev, offset }) => ({ dev, start: offset, length: width })),
});

/** dm-target.c io_err_ctr(): from 1.7 on two words are a device whose limits it takes. */
export const error: AnyTargetType = /* @__PURE__ */ targetType<Range | undefined>({
  name: 'error',
  versions: { '5.10': [1, 5, 0], '6.12': [1, 7, 0] },
  wildcard: true,
  requests: () => 'either',
  construct: (words, at) => {
    if (!at.core.is('6.12') || words.length !== 2) return undefined;
    const offset = sscanU64(words[1]!, at.core) ?? refuse('EINVAL', 'Invalid device sector');
    return { dev: orRefuse(() => at.open(words[0]!), 'Device lookup failed'), offset };
  },
  areas: ({ state, length }) =>
    state === undefined ? [] : [{ dev: state.dev, start: state.offset, length }],
});

/** dm-zero.c zero_ctr() */
export const zero: AnyTargetType = /* @__PURE__ */ targetType<undefined>({
  name: 'zero',
  versions: { '5.10': [1, 1, 0], '6.12': [1, 2, 0] },
  construct: (words) => {
    if (words.length > 0) refuse('EINVAL', 'No arguments required');
    return undefined;
  },
});
