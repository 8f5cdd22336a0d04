// A key that was given as bytes leaves no copy in the process, whatever was done with it.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { assert, suite } from './harness.js';
import { leftovers } from './scenarios/machine.js';

const Secrets = suite('secrets');

Secrets('what was given as bytes is nowhere in memory when it was used', () => {
  const script = join(import.meta.dirname, 'search.js');
  const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  assert.is(stderr, '');
  const seen = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(seen, { 'while it is there': true, 'by promises': [], blocking: [] });
  assert.equal(leftovers(), []);
});

Secrets.run();
