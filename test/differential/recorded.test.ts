// The model by what kernels have answered: a run of `npm run differential` on each, from a file.

import { readdirSync } from 'node:fs';
import { assert, suite } from '../harness.js';
import { compare } from './compare.js';
import { describe } from './describe.js';
import { modelAnswers } from './model.js';
import { readRecording } from './recording.js';

/** Beside the sources: this file runs from build/js/test/differential. */
const FOLDER = new URL('../../../../test/recordings/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.differential.gz'));

const Recorded = suite('the model and recorded kernels');

for (const file of FILES) {
  const { kernel, cases } = readRecording(new URL(file, FOLDER));
  Recorded(`it answers as Linux ${kernel}`, () => {
    const answers = modelAnswers(
      cases.map(({ sequence }) => sequence),
      kernel,
    );
    for (const [i, { sequence, answers: told }] of cases.entries()) {
      const difference = compare(sequence, told, answers[i]!);
      if (difference === undefined) continue;
      const shown = sequence.slice(0, difference.step + 1);
      assert.unreachable(
        describe({ sequence: shown, difference }, [`Linux ${kernel}`, 'the model']),
      );
    }
  });
}

Recorded('there are recordings of each kernel', () => {
  assert.equal(
    FILES.map((name) => name.replace('.differential.gz', '')),
    ['5.10', '6.1', '6.12'],
  );
});

Recorded.run();
