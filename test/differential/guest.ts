// The guest's side: carries out the sequences of a file, one a line, and appends each answer to another as it
// comes, so that what a crash or a hang leaves there says where it was.
//   node guest.js SEQUENCES ANSWERS

import * as fs from 'node:fs';
import { kernelWorld } from './kernel.js';
import { perform, type Sequence } from './script.js';

const [sequences = '', answers = ''] = process.argv.slice(2);
const world = kernelWorld();
const out = fs.openSync(answers, 'a');
world.wipe();
for (const line of fs.readFileSync(sequences, 'utf8').split('\n')) {
  if (line === '') continue;
  for (const answer of perform(world, JSON.parse(line) as Sequence)) {
    fs.writeSync(out, `${JSON.stringify(answer)}\n`);
  }
}
fs.closeSync(out);
world.close();
