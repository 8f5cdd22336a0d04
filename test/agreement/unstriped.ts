import {
  COUNTS,
  NO_COUNTS,
  NO_DEVICES,
  NO_NUMBERS,
  NO_SECTORS,
  SECTORS,
  pairAt,
  shorter,
  type Disks,
  type Generator,
  type Line,
} from './generator.js';
import type { Random } from '../fuzz/random.js';

function lineOf(stripes: number, chunk: number, random: Random, { plain }: Disks): Line {
  const words = [stripes, chunk, random.below(stripes), random.pick(plain), 8 * random.below(99)];
  return { length: chunk * (1 + random.below(8)), words: words.map(String) };
}

const good = (random: Random, disks: Disks): Line =>
  lineOf(1 + random.below(4), 8 * (1 + random.below(8)), random, disks);

export const generator: Generator = {
  type: 'unstriped',
  good,
  around: {
    'unstriped-arguments': (random, disks) => {
      const well = good(random, disks);
      return { well, bad: random.pick([shorter(well), { ...well, words: [...well.words, '0'] }]) };
    },
    'unstriped-stripes': (random, disks) =>
      pairAt(lineOf(1, 8, random, disks), 0, random.pick(NO_COUNTS), random.pick(COUNTS)),
    'unstriped-chunk': (random, disks) =>
      pairAt(lineOf(2, 1, random, disks), 1, random.pick(NO_COUNTS), random.pick(COUNTS)),
    'unstriped-stripe': (random, disks) =>
      pairAt(
        good(random, disks),
        2,
        random.pick(NO_NUMBERS),
        random.pick(['0', '00', '+0', '0\n']),
      ),
    'unstriped-stripe-range': (random, disks) => {
      const stripes = 2 + random.below(3);
      const last = random.pick([stripes - 1, stripes]);
      return pairAt(lineOf(stripes, 8, random, disks), 2, `${stripes + 1}`, `${last}`);
    },
    'unstriped-device': (random, disks) =>
      pairAt(good(random, disks), 3, random.pick(NO_DEVICES), random.pick(disks.plain)),
    'unstriped-offset': (random, disks) =>
      pairAt(good(random, disks), 4, random.pick(NO_SECTORS), random.pick(SECTORS)),
    'unstriped-length': (random, disks) => {
      const well = lineOf(2, random.pick([3, 8, 12]), random, disks);
      return { well, bad: { ...well, length: well.length + random.pick([-1, 1]) } };
    },
  },
};
