import {
  NO_DEVICES,
  NO_SECTORS,
  SECTORS,
  pairAt,
  type Disks,
  type Generator,
  type Line,
} from './generator.js';
import type { Random } from '../fuzz/random.js';

const two = (random: Random, { plain }: Disks): Line => ({
  length: 8 * (1 + random.below(64)),
  words: [random.pick(plain), String(8 * random.below(1000))],
});

export const generator: Generator = {
  type: 'error',
  good: (random, disks) => {
    const line = two(random, disks);
    return { ...line, words: random.pick([[], ['x'], line.words, [...line.words, 'x']]) };
  },
  around: {
    'error-offset': (random, disks) =>
      pairAt(two(random, disks), 1, random.pick(NO_SECTORS), random.pick(SECTORS)),
    'device-bounds': (random, disks) =>
      pairAt(two(random, disks), 1, random.pick(['131072', '4294967296']), '130000'),
    'error-device': (random, disks) =>
      pairAt(two(random, disks), 0, random.pick(NO_DEVICES), random.pick(disks.plain)),
  },
};
