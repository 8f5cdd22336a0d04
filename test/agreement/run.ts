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
  /** Lines of each type. */
  readonly lines: number;
  /** Tables of many rows. */
  readonly tables: number;
  /** Only this type, or {@link ALL_TABLES}. */
  readonly only?: string | undefined;
}

/** Judge them all. */
export async function run(judge: Judge, { seed, lines, tables, only }: Plan) {
  const outcomes: Record<string, Outcome> = {};
  const judgeAll = (name: string, cases: Iterable<Case>): void => {
    const outcome: Outcome = { total: { ...NONE }, rules: {}, wrong: [] };
    for (const one of cases) judge.try(one, outcome);
    outcomes[name] = outcome;
  };
  if (only === undefined || only === ALL_TABLES) {
    judgeAll(ALL_TABLES, structures(new Random(seed), tables, judge.disks));
  }
  for (const [type, generator] of await generators()) {
    if (only !== undefined && only !== type) continue;
    judgeAll(type, linesOf(generator, new Random(seed), lines, judge));
  }
  return outcomes;
}

/** Of four lines two are around a rule, one is good and one is changed anywhere. */
function* linesOf(
  generator: Generator,
  random: Random,
  count: number,
  { disks, release }: Judge,
): Iterable<Case> {
  const { type, good, around, odd = [], isDeadly } = generator;
  const caseOf = ({ length, words }: Line, about?: string): Case => ({
    table: [{ startSector: 0, length, type, parameters: words }],
    ...(about === undefined ? {} : { about }),
  });
  const codes = Object.keys(around);
  for (let i = 0; i < count; i += 4) {
    const cases: [Line, string?][] = [];
    const code = codes[(i / 4) % codes.length];
    if (code !== undefined) {
      const { bad, well } = around[code]!(random, disks);
      cases.push([bad, code], [well, code]);
    }
    const line = good(random, disks);
    cases.push([line, 'none'], [changed(line, odd, random)]);
    for (const [one, about] of cases) {
      // An empty word cannot be sent, nor one of blanks.
      const isSent = one.length > 0 && one.words.every((word) => /[^\t-\r \xa0]/.test(word));
      if (isSent && isDeadly?.(one, release) !== true) yield caseOf(one, about);
    }
  }
}
