// Runs in a guest, for main.ts: `node guest.js PLAN FILE`.

import { writeFileSync } from 'node:fs';
import { Judge } from './judge.js';
import { run, type Plan } from './run.js';

const [plan = '{}', file = '/dev/stdout'] = process.argv.slice(2);
const judge = new Judge();
try {
  const outcomes = await run(judge, JSON.parse(plan) as Plan);
  writeFileSync(file, JSON.stringify({ release: judge.release, outcomes }));
} finally {
  judge.close();
}
