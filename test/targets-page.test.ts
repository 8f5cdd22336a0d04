// docs/targets.md is what the target types say of themselves.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './docs.js';
import { assert, suite } from './harness.js';
import { PAGE, targetsPage } from './targets-page.js';

const Page = suite('the page of the targets');

Page('is not stale', async () => {
  const said = readFileSync(join(ROOT, PAGE), 'utf8');
  assert.is(said, await targetsPage(), 'npm run docs:targets');
});

Page.run();
