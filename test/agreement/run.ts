// The part of an agreement run that is in a guest: makes tables, has them judged, and counts.

import { readdirSync } from 'node:fs';
import { Random } from '../fuzz/random.js';
import { changed, isSendable, type Generator, type IsLagging, type Line } from './generator.js';
import { NONE, type Case, type Judge, type Outcome } from './judge.js';
import { structures } from './structure.js';

/** What all tables have is told under this name. */
export const ALL_TABLES = 'tables';

/** The generators, by type: those files here that have one. */
export async function generators(): Promise<Map<string, Generator>> {
  const found = new Map<string, Generator>();
  for (const file of readdirSync(import.meta.dirname).filter((name) => /^[\w-]+\.js$/.test(name))) {
    // What runs when it is imported has no generator.
    if (file === 'main.js' || file === 'guest.js') continue;
    const { generator } = (await import(`./${file}`)) as { generator?: Generator };
    if (generator !== undefined) found.set(generator.type, generator);
  }
  return found;
}

/** How many tables of what, and from which numbers. */
export interface Plan {
  readonly seed: number;
  /** Pairs of lines for each rule of a type, one on either side of its bound. */
  readonly pairs: number;
  /** Other lines of each type: good ones, and changed anywhere while fewer than half have been refused. */
  readonly lines: number;
  /** Tables of many rows. */
  readonly tables: number;
  /** Only these types, with commas between, {@link ALL_TABLES} among them. */
  readonly only?: string | undefined;
}

/** Judge them all. */
export async function run(judge: Judge, plan: Plan): Promise<Record<string, Outcome>> {
  const { seed, tables, only } = plan;
  const outcomes: Record<string, Outcome> = {};
  const judgeAll = (name: string, casesOf: (isLagging: IsLagging) => Iterable<Case>): void => {
    const outcome: Outcome = { total: { ...NONE }, rules: {}, wrong: [] };
    const { total } = outcome;
    outcomes[name] = outcome;
    for (const one of casesOf(() => 2 * total.refused < total.tried)) judge.try(one, outcome);
  };
  const isAsked = (name: string): boolean => only === undefined || only.split(',').includes(name);
  if (isAsked(ALL_TABLES)) {
    judgeAll(ALL_TABLES, (isLagging) =>
      structures(new Random(seed), tables, judge.disks, isLagging),
    );
  }
  for (const [type, generator] of await generators()) {
    if (!isAsked(type)) continue;
    judge.begin(generator);
    judgeAll(type, (isLagging) => linesOf(generator, new Random(seed), plan, judge, isLagging));
    judge.end();
  }
  return outcomes;
}

function* linesOf(
  { type, good, around, odd = [], isWiped, isReadOnly, isLeftOut }: Generator,
  random: Random,
  { pairs, lines }: Plan,
  { disks, release }: Judge,
  isLagging: IsLagging,
): Iterable<Case> {
  const isAsked = (line: Line): boolean => isSendable(line) && isLeftOut?.(line, release) !== true;
  const caseOf = ({ length, words }: Line, about?: string): Case => ({
    table: [{ startSector: 0, length, type, parameters: words }],
    ...(about !== undefined && { about }),
    ...(isReadOnly === true && { readOnly: true }),
    ...(isWiped === true && {
      wiped: disks.plain.filter((path) => words.some((word) => word.endsWith(path))),
    }),
  });
  for (const [code, pairOf] of Object.entries(around)) {
    for (let i = 0; i < pairs; i++) {
      const { bad, well } = pairOf(random, disks);
      for (const line of [bad, well]) if (isAsked(line)) yield caseOf(line, code);
    }
  }
  for (let left = lines; left > 0;) {
    let line = good(random, disks);
    const isGood = !isLagging();
    // More than one change now and then, as some types take almost anything.
    const changes = isGood ? 0 : random.pick([1, 1, 3]);
    for (let i = 0; i < changes; i++) line = changed(line, odd, random);
    if (!isAsked(line)) continue;
    left--;
    yield caseOf(line, isGood ? 'none' : undefined);
  }
}
