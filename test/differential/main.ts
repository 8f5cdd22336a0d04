// The command `npm run differential`; `--help` tells how it is called.

import { writeFileSync } from 'node:fs';
import { parseArgs, styleText } from 'node:util';
import { progress, runCommand, wholeNumber } from '../command.js';
import { compare, type Difference } from './compare.js';
import { Coverage, linesOf } from './coverage.js';
import { describe, describeStep } from './describe.js';
import { generate, type Occasion } from './generate.js';
import { guests, runInGuest } from './guests.js';
import { modelAnswers } from './model.js';
import { writeRecording, type Recorded } from './recording.js';
import type { Answer, Sequence } from './script.js';
import { shrink, type Judge, type Pair } from './shrink.js';

const HELP = `usage: npm run differential -- [options]
Have a kernel in User-Mode Linux and the model do the same, and compare each byte of what they answer.
  --kernel NAME    the kernel ('6.1'); its disks and devices are the guest's own
  --against NAME   in place of the model another guest: of the same kernel, there is to be no difference
  --steps N        how many steps, most of them ioctls (10000)
  --seed S         make the sequences of that run (the time)
  --show N         cut down so many differences of different kinds, and show each (5)
  --record FILE    write the steps and what the kernel answered to FILE
  --json FILE      write the outcome to FILE
  --help           this
Ends with 0 when all was the same, 1 when something was not, 2 when it was called wrongly or there is no
such kernel.`;

/** So many steps are done by one guest: it is lost with what crashes it. */
const LOT = 20_000;

const { values: options } = parseArgs({
  options: {
    kernel: { type: 'string', default: '6.1' },
    against: { type: 'string', default: 'model' },
    steps: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    show: { type: 'string', default: '5' },
    record: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});

const stop = new AbortController();
process.once('SIGINT', () => {
  stop.abort(new Error('ended by SIGINT'));
});

/** A sequence that was carried out on both sides, and what came of it. */
interface Case extends Pair {
  readonly sequence: Sequence;
  /** Modules stay loaded: what is tried alone begins with this one. */
  readonly prologue: Sequence;
}

async function main(): Promise<number> {
  const steps = number('steps');
  const seed = options.seed === undefined ? Date.now() % 0x7fffffff : number('seed');
  const { kernel, against } = options;
  const { whyNot, installKernel } = await guests();
  for (const name of [kernel, against].filter((one) => one !== 'model')) {
    const reason = whyNot(name);
    if (reason !== undefined) throw new Error(reason);
    await installKernel(name, { log: console.log });
  }
  console.log(`Linux ${kernel} and ${sideOf(against)}, seed ${seed}`);

  const coverage = new Coverage();
  const found: { readonly one: Case; readonly difference: Difference }[] = [];
  const lost: Lost[] = [];
  const recorded: Recorded[] = [];
  for await (const one of cases({ kernel, seed, steps }, lost)) {
    coverage.add(one.sequence, one.left);
    recorded.push({ sequence: one.sequence, answers: one.left });
    const difference = compare(one.sequence, one.left, one.right);
    if (difference !== undefined) found.push({ one, difference });
  }
  clear();
  if (options.record !== undefined) writeRecording(options.record, { kernel, cases: recorded });

  const covered = coverage.told();
  for (const line of linesOf(covered)) console.log(line);
  for (const { why } of lost) console.log(styleText('yellow', `lost: ${why}`));
  const kinds = new Map<string, { one: Case; difference: Difference }[]>();
  for (const each of found) {
    const kind = kindOf(each.difference);
    kinds.set(kind, [...(kinds.get(kind) ?? []), each]);
  }
  const sorted = [...kinds].sort(([, a], [, b]) => b.length - a.length);
  for (const [kind, { length }] of sorted) console.log(`${String(length).padStart(6)} × ${kind}`);
  const shown: string[] = [];
  for (const [kind, [first]] of sorted.slice(0, number('show'))) {
    progress(`cutting down: ${kind}`);
    const { one, difference } = first!;
    const small = await shrink(judgeOf(one.prologue), { sequence: one.sequence, difference });
    clear();
    shown.push(describe(small, [sideOf(kernel), sideOf(against)]));
    console.log(`\n${shown.at(-1)}`);
  }
  console.log(`\n${covered.ioctls.toLocaleString('en')} ioctls, ${found.length} differences`);
  if (options.json !== undefined) {
    const differences = found.map(({ one, difference }) => ({
      ...difference,
      sequence: one.sequence.slice(0, difference.step + 1),
    }));
    const outcome = { kernel, against, seed, steps, ...covered, lost, shown, differences };
    writeFileSync(options.json, `${JSON.stringify(outcome, null, 2)}\n`);
  }
  return found.length === 0 ? 0 : 1;
}

const sideOf = (name: string): string => (name === 'model' ? 'the model' : `Linux ${name}`);

const kindOf = ({ command, field, target }: Difference): string =>
  `${command} ${field}${target === undefined ? '' : ` of ${target}`}`;

/** Lot by lot, each with modules loaded in an order of its own. */
async function* cases({ kernel, seed, steps }: Occasion, lost: Lost[]): AsyncGenerator<Case> {
  for (let done = 0, lot = 0; done < steps; lot++) {
    const size = Math.min(LOT, steps - done);
    const [prologue = [], ...sequences] = generate({ kernel, seed: seed + lot, steps: size });
    const count = [prologue, ...sequences].reduce((sum, { length }) => sum + length, 0);
    const told = (side: string) => (answered: number) => {
      progress(`${side}: ${done + answered} of ${steps} steps`);
    };
    const lose = (side: string) => (one: Lost) => {
      lost.push({ ...one, why: `${side}: ${one.why}` });
    };
    const [left, right] = await both([prologue, ...sequences], (side) => ({
      onProgress: told(sideOf(side)),
      onLost: lose(sideOf(side)),
    }));
    for (const [i, sequence] of [prologue, ...sequences].entries()) {
      // What a guest was lost by is not compared, what came before it is.
      const length = Math.min(
        left[i]!.length,
        options.against === 'model' ? Infinity : right[i]!.length,
      );
      yield {
        sequence: sequence.slice(0, length),
        prologue: i === 0 ? [] : prologue,
        left: left[i]!.slice(0, length),
        right: right[i]!.slice(0, length),
      };
    }
    done += count;
  }
}

interface Told {
  readonly onProgress?: (steps: number) => void;
  readonly onLost?: (one: Lost) => void;
}
/** What a guest was lost by. */
interface Lost {
  readonly why: string;
  readonly sequence: Sequence;
}
type Answers = readonly (readonly Answer[])[];

/** @param sequences - the first of them the prologue */
async function both(
  sequences: readonly Sequence[],
  told: (side: string) => Told = () => ({}),
): Promise<readonly [Answers, Answers]> {
  const { kernel, against } = options;
  return [
    await answersOf(kernel, sequences, told(kernel)),
    await answersOf(against, sequences, told(against)),
  ];
}

/** What one side answers to each sequence; a guest that follows one that was lost begins with the prologue, too. */
async function answersOf(
  side: string,
  sequences: readonly Sequence[],
  { onProgress, onLost }: Told,
): Promise<Answers> {
  if (side === 'model') return modelAnswers(sequences, options.kernel);
  const answers: (readonly Answer[])[] = [];
  while (answers.length < sequences.length) {
    const rest = [...sequences.slice(0, 1), ...sequences.slice(Math.max(1, answers.length))];
    const { signal } = stop;
    const outcome = await runInGuest(rest, {
      kernel: side,
      signal,
      ...(onProgress && { onProgress }),
    });
    const told = outcome.answers.slice(answers.length === 0 ? 0 : 1);
    if (outcome.lost === undefined) {
      answers.push(...told);
      break;
    }
    // It is the step that was not answered; without any, the guest is no good.
    if (told.length === 0) throw new Error(`${sideOf(side)}: ${outcome.lost}`);
    answers.push(...told);
    const at = answers.length - 1;
    const sequence = sequences[at]!;
    const step = sequence[told.at(-1)!.length];
    const where = step === undefined ? 'at the end' : `by ${describeStep(step)}`;
    onLost?.({ sequence, why: `in sequence ${at}, ${where}: ${outcome.lost}` });
  }
  return answers;
}

function judgeOf(prologue: Sequence): Judge {
  return async (sequences) => {
    const [left, right] = await both([prologue, ...sequences]);
    return sequences.map((_, i) => ({ left: left[i + 1]!, right: right[i + 1]! }));
  };
}

function number(name: 'steps' | 'seed' | 'show'): number {
  return wholeNumber(name, options[name]);
}

function clear(): void {
  progress('');
}

await runCommand(options.help === true ? HELP : undefined, main);
