// The examples in README.md and docs/ that need a kernel. Each leaves nothing behind.

import { setTimeout as sleep } from 'node:timers/promises';
import { PAGES, programsOf, run, type Program } from './docs.js';
import { assert, suite } from './harness.js';
import { DISKS, leftovers } from './scenarios/machine.js';

const Docs = suite('docs');

/** /dev/sdb and /dev/sdc stand for two disks of the reader's; here they are the two scratch disks. */
function onScratchDisks({ code, ...program }: Program): Program {
  const [first, second] = DISKS;
  return {
    ...program,
    code: code.replaceAll('/dev/sdb', first).replaceAll('/dev/sdc', second),
  };
}

for (const program of PAGES.flatMap(programsOf).filter(({ kind }) => kind === 'kernel')) {
  Docs(`${program.place} runs`, async () => {
    await run(onScratchDisks(program));
    // What is removed when its last opener closes it goes in the background.
    for (let tries = 0; tries < 40 && leftovers().length > 0; tries++) await sleep(50);
    assert.equal(leftovers(), []);
  });
}

Docs.run();
