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
  words: Array.from({ length: 1 + random.below(3) }, () => [
    random.pick(plain),
    String(8 * random.below(1000)),
    String(random.below(100)),
  ]).flat(),
});

/** Where one of its classes begins. */
const classOf = ({ words }: Line, random: Random): number => 3 * random.below(words.length / 3);

export const generator: Generator = {
  type: 'delay',
  good,
  around: {
    'delay-arguments': (random, disks) => {
      const well = good(random, disks);
      const longer = { ...well, words: [...well.words, '0'] };
      return { well, bad: random.pick([shorter(well), shorter(shorter(well)), longer]) };
    },
    'delay-offset': (random, disks) => {
      const line = good(random, disks);
      const at = classOf(line, random) + 1;
      return pairAt(line, at, random.pick(NO_SECTORS), random.pick(SECTORS));
    },
    'delay-time': (random, disks) => {
      const line = good(random, disks);
      const at = classOf(line, random) + 2;
      return pairAt(
        line,
        at,
        random.pick(NO_SECTORS),
        random.pick(['0', '00', '4294967296', ' 1']),
      );
    },
    'delay-device': (random, disks) => {
      const line = good(random, disks);
      const at = classOf(line, random);
      return pairAt(line, at, random.pick(NO_DEVICES), random.pick(disks.plain));
    },
  },
};
