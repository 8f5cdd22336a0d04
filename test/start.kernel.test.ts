// `npm start` where the machine's own device-mapper is usable: over a loop device, nothing left.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, suite } from './harness.js';
import { leftovers } from './scenarios/machine.js';

const START = join(import.meta.dirname, '../../../test/kernel/start.mjs');
const Start = suite('npm start');

Start.after.each(() => {
  const loops = execFileSync('losetup', ['--list', '--noheadings'], { encoding: 'utf8' });
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith('devicemapper-'));
  assert.equal([...leftovers(), loops, ...folders], ['']);
});

/** Run it, calling `onOutput` with its process and what it has said so far. */
async function start(
  onOutput: (kill: () => void, said: string) => void = () => undefined,
): Promise<{ code: unknown; said: string }> {
  const child = spawn(process.execPath, [START]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      onOutput(() => child.kill('SIGTERM'), said);
    });
  }
  const [code] = (await once(child, 'close')) as unknown[];
  return { code, said };
}

Start('shows the right bytes, before and after the swap, and the kernel', async () => {
  const { code, said } = await start();
  assert.is(code, 0, said);
  assert.match(said, /^This machine's own device-mapper, on \/dev\/loop\d+/);
  assert.match(said, /^version +device-mapper interface 4\.\d+\.\d+$/m);
  assert.match(said, /^table +0 16384 linear 7:\d+ 16384\n +16384 16384 linear 7:\d+ 0$/m);
  assert.match(said, /^status +0 16384 linear\n +16384 16384 linear$/m);
  assert.match(said, /^depends on +7:\d+, \/dev\/loop\d+$/m);
  assert.match(said, /^reads +BBBB… and AAAA…: right$/m);
  assert.match(said, /^swapped +0 32768 linear/m);
  assert.match(said, /^reads +AAAA… and BBBB…: right$/m);
  assert.match(said, /^removed +no device and no node is left$/m);
  assert.ok(said.includes(`ran on      Linux ${release()}`), said);
});

Start('leaves nothing when it is ended half-way', async () => {
  let killed = false;
  await start((kill, said) => {
    if (!killed && said.includes('created')) {
      killed = true;
      kill();
    }
  });
  assert.ok(killed);
});

Start.run();
