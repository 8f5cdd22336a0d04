import { ODD, type Generator, type Line } from './generator.js';
import type { Random } from '../fuzz/random.js';

const good = (random: Random): Line => ({ length: 1 + random.below(1000), words: [] });

export const generator: Generator = {
  type: 'zero',
  good,
  around: {
    'zero-arguments': (random) => {
      const well = good(random);
      return { well, bad: { ...well, words: [random.pick(ODD)] } };
    },
  },
};
