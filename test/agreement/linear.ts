import {
  NO_DEVICES,
  NO_SECTORS,
  SECTORS,
  pairAt,
  shorter,
  type Disks,
  type Generator,
  type Line,
} from './generator.js';
import type { Random } from '../fuzz/random.js';

const good = (random: Random, { plain }: Disks): Line => ({
  length: 8 * (1 + random.below(64)),
  words: [random.pick(plain), String(8 * random.below(1000))],
});

export const generator: Generator = {
  type: 'linear',
  good,
  around: {
    'linear-arguments': (random, disks) => {
      const well = good(random, disks);
      const more = { ...well, words: [...well.words, random.pick(['0', 'x', '\\'])] };
      return { well, bad: random.pick([shorter(well), { ...well, words: [] }, more]) };
    },
    'linear-offset': (random, disks) =>
      pairAt(good(random, disks), 1, random.pick(NO_SECTORS), random.pick(SECTORS)),
    'linear-device': (random, disks) =>
      pairAt(good(random, disks), 0, random.pick(NO_DEVICES), random.pick(disks.plain)),
  },
};
