// Lines as text, `LENGTH WORDS`: %a to %d are the scratch disks, in another order each time, and %n is
// a number of sectors.

import type { Random } from '../fuzz/random.js';
import type { Disks, Generator, Line } from './generator.js';

/** What one rule takes, and what it just does not: two lines. */
type Rows = Readonly<Record<string, readonly (readonly [bad: string, well: string])[]>>;

/** Good lines, one of them each time. */
export function goodLines(...texts: readonly string[]): Generator['good'] {
  return (random, disks) => lineOf(random.pick(texts), random, disks);
}

/** Pairs around each rule, one of them each time, of which both have the same disks. */
export function linesAround(rows: Rows): Generator['around'] {
  const around = Object.entries(rows).map(
    ([code, pairs]): [string, Generator['around'][string]] => [
      code,
      (random, disks) => {
        const [bad, well] = random.pick(pairs);
        const order = shuffled(disks.plain, random);
        const number = numberOf(random);
        return { bad: fill(bad, order, number), well: fill(well, order, number) };
      },
    ],
  );
  return Object.fromEntries(around);
}

function lineOf(text: string, random: Random, { plain }: Disks): Line {
  return fill(text, shuffled(plain, random), numberOf(random));
}

function numberOf(random: Random): number {
  return 8 * random.below(1000);
}

function fill(text: string, disks: readonly string[], number: number): Line {
  const filled = text
    .replace(/%([a-d])/g, (_, letter: string) => disks['abcd'.indexOf(letter)]!)
    .replaceAll('%n', String(number));
  const [length, ...words] = filled.split(' ');
  return { length: Number(length), words };
}

function shuffled(values: readonly string[], random: Random): string[] {
  const left = [...values];
  return values.map(() => left.splice(random.below(left.length), 1)[0]!);
}
