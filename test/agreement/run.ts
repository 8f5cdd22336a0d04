// The part of an agreement run that is in a guest: makes tables, has them judged, and counts.

import { readdirSync } from 'node:fs';
import { Random } from '../fuzz/random.js';
import { changed, type Generator, type Line } from './generator.js';
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
  /** Other lines of each type, one half good and the other changed anywhere. */
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
  const judgeAll = (name: string, cases: Iterable<Case>): void => {
    const outcome: Outcome = { total: { ...NONE }, rules: {}, wrong: [] };
    for (const one of cases) judge.try(one, outcome);
    outcomes[name] = outcome;
  };
  const isAsked = (name: string): boolean => only === undefined || only.split(',').includes(name);
  if (isAsked(ALL_TABLES)) {
    judgeAll(ALL_TABLES, structures(new Random(seed), tables, judge.disks));
  }
  for (const [type, generator] of await generators()) {
    if (!isAsked(type)) continue;
    judge.begin(generator);
    judgeAll(type, linesOf(generator, new Random(seed), plan, judge));
    judge.end();
  }
  return outcomes;
}

function* linesOf(
  generator: Generator,
  random: Random,
  { pairs, lines }: Plan,
  { disks, release }: Judge,
): Iterable<Case> {
  const { type, good, around, odd = [], isWiped, isReadOnly, isLeftOut } = generator;
  const cases: [Line, about?: string][] = [];
  for (const [code, pairOf] of Object.entries(around)) {
    for (let i = 0; i < pairs; i++) {
      const { bad, well } = pairOf(random, disks);
      cases.push([bad, code], [well, code]);
    }
  }
  for (let i = 0; i < lines; i += 2) {
    const line = good(random, disks);
    cases.push([line, 'none'], [changed(line, odd, random)]);
  }
  for (const [line, about] of cases) {
    const { length, words } = line;
    // An empty word cannot be sent, nor one of blanks.
    const isSent = length > 0 && words.every((word) => /[^\t-\r \xa0]/.test(word));
    if (!isSent || isLeftOut?.(line, release) === true) continue;
    const table = [{ startSector: 0, length, type, parameters: words }];
    yield {
      table,
      ...(about !== undefined && { about }),
      ...(isReadOnly === true && { readOnly: true }),
      ...(isWiped === true && {
        wiped: disks.plain.filter((path) => words.some((word) => word.endsWith(path))),
      }),
    };
  }
}
