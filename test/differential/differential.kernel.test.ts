// The kernel that this runs on and the model of it, in the same process: a short run of `npm run
// differential`.

import { release } from 'node:os';
import { assert, suite } from '../harness.js';
import { compare } from './compare.js';
import { Coverage } from './coverage.js';
import { describe } from './describe.js';
import { generate } from './generate.js';
import { kernelWorld } from './kernel.js';
import { modelAnswers } from './model.js';
import { perform } from './script.js';

const STEPS = 1200;
/** That of the recordings. */
const SEED = 5;
/** As guests are called. */
const kernel = release().startsWith('7.') ? '7.x' : /^\d+\.\d+/.exec(release())![0];

const Differential = suite(`the model and Linux ${release()}`);

Differential('they answer the same', () => {
  const sequences = generate({ kernel, seed: SEED, steps: STEPS });
  const world = kernelWorld();
  const coverage = new Coverage();
  world.wipe();
  const left = sequences.map((sequence) => [...perform(world, sequence)]);
  world.close();
  const right = modelAnswers(sequences, kernel);
  for (const [i, sequence] of sequences.entries()) {
    coverage.add(sequence, left[i]!);
    const difference = compare(sequence, left[i]!, right[i]!);
    if (difference === undefined) continue;
    const shown = sequence.slice(0, difference.step + 1);
    assert.unreachable(describe({ sequence: shown, difference }, [`Linux ${kernel}`, 'the model']));
  }
  const { commands, pairs } = coverage.told();
  assert.is(commands.length, 18);
  assert.ok(pairs.length >= 40, `${pairs.length} pairs of command and errno`);
});

Differential.run();
