// The engine that runs anywhere: inputs are made from those there are, and one that makes a target answer
// as it never did becomes one of them. Everything follows from the seed.

import fc from 'fast-check';
import { Random, mutate } from './random.js';

/** What is fuzzed: something that must hold of any bytes. */
export interface Target {
  /** What to begin with. */
  readonly seeds: () => readonly Uint8Array[];
  /**
   * Throws if it does not hold.
   *
   * @returns a word for what became of the bytes, as 'refused: next is past the end': a new one is worth
   * keeping
   */
  readonly check: (input: Uint8Array) => string;
  /** The same for values, which fast-check makes. */
  readonly property?: fc.IProperty<unknown>;
}

export interface Progress {
  readonly executions: number;
  readonly executionsPerSecond: number;
  /** How many inputs are kept. */
  readonly corpus: number;
  readonly secondsLeft: number;
}

export interface Finding {
  /** The smallest that was found, if it is one of bytes. */
  readonly input?: Uint8Array;
  readonly message: string;
}

export interface Outcome extends Omit<Progress, 'secondsLeft'> {
  readonly finding?: Finding;
}

export interface Options {
  readonly seconds: number;
  readonly seed: number;
  /** No more than so many; what is found is the same then on any machine. */
  readonly executions?: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How many inputs are kept at the most; a new one then takes another's place. */
const KEPT = 4096;
const LOT = 256;

/** Fuzz one target until the time is over, or something is found. */
export async function fuzz(target: Target, options: Options): Promise<Outcome> {
  const { seconds, seed, executions: most = Infinity, onProgress, signal } = options;
  const random = new Random(seed);
  const corpus = [...target.seeds()];
  if (corpus.length === 0) corpus.push(new Uint8Array(0));
  const begin = performance.now();
  const end = begin + 1000 * seconds;
  const known = new Set<string>();
  let executions = 0;

  const state = (): Omit<Progress, 'secondsLeft'> => ({
    executions,
    executionsPerSecond: executions / ((performance.now() - begin) / 1000),
    corpus: corpus.length,
  });
  const run = (input: Uint8Array): Finding | undefined => {
    executions++;
    try {
      const answer = target.check(input);
      if (known.has(answer)) return undefined;
      known.add(answer);
      if (corpus.length < KEPT) corpus.push(input);
      else corpus[random.below(KEPT)] = input;
      return undefined;
    } catch (error) {
      const small = shrink(input, target);
      return { input: small, message: messageOf(() => target.check(small)) ?? String(error) };
    }
  };

  for (const input of corpus.slice()) {
    const finding = run(input);
    if (finding !== undefined) return { ...state(), finding };
  }
  let lots = 0;
  while (performance.now() < end && executions < most && signal?.aborted !== true) {
    // Values take longer, and have their turn now and then.
    if (target.property !== undefined && lots % 16 === 0) {
      const details = fc.check(target.property, { seed: seed + lots, numRuns: 20 });
      executions += details.numRuns;
      if (details.failed) {
        return { ...state(), finding: { message: fc.defaultReportMessage(details) } };
      }
    }
    for (let i = 0; i < LOT && executions < most; i++) {
      const finding = run(mutate(random.pick(corpus), random.pick(corpus), random));
      if (finding !== undefined) return { ...state(), finding };
    }
    lots++;
    onProgress?.({ ...state(), secondsLeft: Math.max(0, (end - performance.now()) / 1000) });
    // So that a signal is heard.
    await new Promise((done) => setImmediate(done));
  }
  return state();
}

/** The message of what `call` throws. */
function messageOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** The smallest input near `input` that still fails: shorter ones first, then ones with more zeros. */
export function shrink(input: Uint8Array, target: Target): Uint8Array {
  const fails = (bytes: Uint8Array): boolean => messageOf(() => target.check(bytes)) !== undefined;
  let best = input;
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= best.length;) {
      const shorter = new Uint8Array(best.length - size);
      shorter.set(best.subarray(0, at));
      shorter.set(best.subarray(at + size), at);
      if (fails(shorter)) best = shorter;
      else at += size;
    }
  }
  for (let at = 0; at < best.length; at++) {
    const zero = best.slice();
    zero[at] = 0;
    if (best[at] !== 0 && fails(zero)) best = zero;
  }
  return best;
}
