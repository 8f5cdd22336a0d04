// A sequence that shows a difference, cut down to the steps without which there is none.

import { compare, type Difference } from './compare.js';
import type { Answer, Sequence } from './script.js';

/** What two worlds answer to many sequences, each of which begins anew. */
export type Judge = (sequences: readonly Sequence[]) => Promise<readonly Pair[]>;

export interface Pair {
  readonly left: readonly Answer[];
  readonly right: readonly Answer[];
}

export interface Shrunk {
  readonly sequence: Sequence;
  readonly difference: Difference;
}

/**
 * Leave out what can be left out. All that could be tried next is tried at once, as asking a guest is mostly
 * waiting for it to boot.
 */
export async function shrink(judge: Judge, { sequence, difference }: Shrunk): Promise<Shrunk> {
  let best = { sequence: sequence.slice(0, difference.step + 1), difference };
  for (;;) {
    const candidates = shorter(best.sequence);
    const pairs = await judge(candidates);
    const found = candidates.flatMap((candidate, i) => {
      const { left, right } = pairs[i]!;
      const one = compare(candidate, left, right);
      const isSame = one?.command === difference.command && one.field === difference.field;
      return isSame ? [{ sequence: candidate.slice(0, one.step + 1), difference: one }] : [];
    });
    if (found.length === 0) return best;
    best = found.reduce((a, b) => (b.sequence.length < a.sequence.length ? b : a));
  }
}

/** `sequence` without a run of steps: halves, quarters … and single ones; the last step stays. */
function shorter(sequence: Sequence): Sequence[] {
  const last = sequence.length - 1;
  const candidates: Sequence[] = [];
  for (let size = last >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < last; at += size) {
      const end = Math.min(at + size, last);
      candidates.push([...sequence.slice(0, at), ...sequence.slice(end)]);
    }
  }
  if (last === 1) candidates.push(sequence.slice(1));
  return candidates;
}
