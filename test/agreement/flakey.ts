import {
  NO_DEVICES,
  NO_SECTORS,
  SECTORS,
  pairAt,
  shorter,
  withWord,
  type Disks,
  type Generator,
  type Line,
  type Pair,
} from './generator.js';
import type { Random } from '../fuzz/random.js';

const plainLine = (random: Random, { plain }: Disks): Line => ({
  length: 8 * (1 + random.below(64)),
  words: [random.pick(plain), String(8 * random.below(1000)), String(1 + random.below(9)), '5'],
});

function withFeatures(line: Line, features: readonly string[], count = features.length): Line {
  return { ...line, words: [...line.words, String(count), ...features] };
}

const CORRUPT = ['corrupt_bio_byte', '1', 'r', '0', '0'];

function good(random: Random, disks: Disks): Line {
  const line = plainLine(random, disks);
  const lists = [[], ['drop_writes'], ['ERROR_WRITES'], CORRUPT, ['error_writes', ...CORRUPT]];
  return random.below(3) === 0 ? line : withFeatures(line, random.pick(lists));
}

/** A line with features, bad and well. */
const features =
  (bad: readonly string[], well: readonly string[]) =>
  (random: Random, disks: Disks): Pair => {
    const line = plainLine(random, disks);
    return { bad: withFeatures(line, bad), well: withFeatures(line, well) };
  };

/** One word of what is spoilt. */
const corrupt =
  (at: number, bad: readonly string[], well: readonly string[]) =>
  (random: Random, disks: Disks): Pair => {
    const line = plainLine(random, disks);
    return {
      bad: withFeatures(line, CORRUPT.with(at, random.pick(bad))),
      well: withFeatures(line, CORRUPT.with(at, random.pick(well))),
    };
  };

export const generator: Generator = {
  type: 'flakey',
  odd: ['drop_writes', 'error_writes', 'error_reads', 'corrupt_bio_byte', 'random_read_corrupt'],
  good,
  around: {
    'flakey-arguments': (random, disks) => {
      const well = plainLine(random, disks);
      return { well, bad: random.pick([shorter(well), shorter(shorter(well))]) };
    },
    'flakey-offset': (random, disks) =>
      pairAt(good(random, disks), 1, random.pick(NO_SECTORS), random.pick(SECTORS)),
    'flakey-up': (random, disks) =>
      pairAt(
        good(random, disks),
        2,
        random.pick(NO_SECTORS),
        random.pick(['0', ' 1', '4294967290']),
      ),
    'flakey-down': (random, disks) =>
      pairAt(
        good(random, disks),
        3,
        random.pick(NO_SECTORS),
        random.pick(['0', ' 1', '4294967286']),
      ),
    'flakey-never': (random, disks) => {
      const line = withWord(good(random, disks), 2, '0');
      return pairAt(line, 3, random.pick(['0', '4294967296']), random.pick(['1', '4294967295']));
    },
    'flakey-ever': (random, disks) => {
      const line = withWord(good(random, disks), 2, '4294967290');
      return pairAt(line, 3, random.pick(['7', '4294967295']), random.pick(['5', '4294967296']));
    },
    'flakey-count': (random, disks) => {
      const line = plainLine(random, disks);
      const count = random.pick([2, 3, 12, 4294967295]);
      return {
        well: withFeatures(line, ['drop_writes']),
        bad: withFeatures(line, ['drop_writes'], count),
      };
    },
    'flakey-words': (random, disks) => {
      const line = plainLine(random, disks);
      return {
        well: withFeatures(line, CORRUPT),
        bad: withFeatures(line, CORRUPT, 2 + random.below(3)),
      };
    },
    'flakey-twice': features(['drop_writes', 'DROP_writes'], ['drop_writes']),
    'flakey-writes': features(['drop_writes', 'error_writes'], ['error_writes']),
    'flakey-feature': features(['drop_reads'], ['Drop_Writes']),
    'flakey-feature-words': (random, disks) => {
      const line = plainLine(random, disks);
      return { well: withFeatures(line, CORRUPT), bad: withFeatures(line, CORRUPT, 1) };
    },
    'flakey-random': features(
      ['random_read_corrupt', '1000000001'],
      ['random_read_corrupt', '1000000000'],
    ),
    'flakey-byte': corrupt(
      1,
      ['0', '4294967296', ...NO_SECTORS],
      ['1', '4294967295', '4294967297'],
    ),
    'flakey-direction': corrupt(2, ['rw', 'x', '0'], ['r', 'w', 'R', 'W']),
    'flakey-value': corrupt(3, ['256', ...NO_SECTORS], ['0', '255', '4294967296']),
    'flakey-flags': corrupt(4, NO_SECTORS, ['0', '4294967295', '4294967297']),
    'flakey-corrupt-writes': features(
      ['error_writes', ...CORRUPT.with(2, 'w')],
      ['error_writes', ...CORRUPT],
    ),
    'flakey-device': (random, disks) =>
      pairAt(good(random, disks), 0, random.pick(NO_DEVICES), random.pick(disks.plain)),
  },
  // Before it was mended in 5.10.184 and 6.1.33, a direction that is missing was looked at all the same.
  isLeftOut: ({ words }, release) => {
    const at = words.findLastIndex((word) => word.toLowerCase() === 'corrupt_bio_byte');
    return release.startsWith('5.10.') && at >= 0 && at + 2 >= words.length;
  },
};
