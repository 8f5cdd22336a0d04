// The linter against a kernel, for a moment: `npm run agreement` does the same at length, and for all types.

import { release } from 'node:os';
import { Judge } from './agreement/judge.js';
import { ALL_TABLES, run } from './agreement/run.js';
import { assert, suite } from './harness.js';
import { leftovers } from './scenarios/machine.js';

const TYPES = [ALL_TABLES, 'error', 'linear', 'striped', 'unstriped', 'zero'];

const Lint = suite(`lint on Linux ${release()}`);

Lint(
  'an error is what the kernel refuses in these words, and it refuses nothing else',
  async () => {
    const judge = new Judge();
    try {
      const plan = { seed: 20260722, pairs: 3, lines: 40, tables: 120, only: TYPES.join() };
      const outcomes = await run(judge, plan);
      assert.equal(Object.keys(outcomes).sort(), TYPES.toSorted());
      for (const [name, { total, wrong }] of Object.entries(outcomes)) {
        assert.equal(wrong, [], name);
        assert.ok(total.tried >= 40 && total.accepted > 0, name);
      }
      const { accepted, refused } = outcomes[ALL_TABLES]!.total;
      assert.ok(refused > 40 && accepted > 40, `${refused} refused, ${accepted} loaded`);
    } finally {
      judge.close();
    }
    assert.equal(leftovers(), []);
  },
);

Lint.run();
