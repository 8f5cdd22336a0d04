import {
  COUNTS,
  NO_COUNTS,
  NO_DEVICES,
  NO_SECTORS,
  SECTORS,
  pairAt,
  shorter,
  withWord,
  type Disks,
  type Generator,
  type Line,
} from './generator.js';
import type { Random } from '../fuzz/random.js';

function lineOf(stripes: number, chunk: number, random: Random, { plain }: Disks): Line {
  const places = Array.from({ length: stripes }, () => [
    random.pick(plain),
    String(8 * random.below(1000)),
  ]);
  const length = stripes * chunk * (1 + random.below(4));
  return { length, words: [String(stripes), String(chunk), ...places.flat()] };
}

const good = (random: Random, disks: Disks): Line =>
  lineOf(1 + random.below(4), 8 * (1 + random.below(8)), random, disks);

export const generator: Generator = {
  type: 'striped',
  good,
  around: {
    'striped-arguments': (random, disks) => {
      const well = good(random, disks);
      return { well, bad: { ...well, words: random.pick([[], ['1'], ['2']]) } };
    },
    'striped-stripes': (random, disks) =>
      pairAt(lineOf(1, 8, random, disks), 0, random.pick(NO_COUNTS), random.pick(COUNTS)),
    'striped-chunk': (random, disks) =>
      pairAt(lineOf(1, 1, random, disks), 1, random.pick(NO_COUNTS), random.pick(COUNTS)),
    'striped-length': (random, disks) => {
      const well = lineOf(2 + random.below(3), 1, random, disks);
      return { well, bad: { ...well, length: well.length + 1 } };
    },
    'striped-length-chunk': (random, disks) => {
      const well = lineOf(1 + random.below(4), 8, random, disks);
      return { well, bad: { ...well, length: well.length + Number(well.words[0]) } };
    },
    'striped-devices': (random, disks) => {
      const well = good(random, disks);
      const twice = String(2 * Number(well.words[0]));
      const bad = [
        shorter(well),
        shorter(shorter(well)),
        { ...well, words: [...well.words, '0'] },
        withWord({ ...well, length: 2 * well.length }, 0, twice),
      ];
      return { well, bad: random.pick(bad) };
    },
    'striped-stripe': (random, disks) => {
      const well = good(random, disks);
      const at = 2 + 2 * random.below(Number(well.words[0]));
      return random.below(2) === 0
        ? pairAt(well, at, random.pick(NO_DEVICES), random.pick(disks.plain))
        : pairAt(well, at + 1, random.pick(NO_SECTORS), random.pick(SECTORS));
    },
  },
};
