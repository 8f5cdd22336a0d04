// `npm start` on the model, which needs nothing: no right, no program, no addon.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { assert, suite } from './harness.js';

const START = join(import.meta.dirname, '../../../test/kernel/start.mjs');

/** Without koffi, which is an addon, and without a program to be found. */
function start(...args: readonly string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [START, ...args], {
    encoding: 'utf8',
    env: { NODE_OPTIONS: '--no-addons', PATH: '' },
  });
  return { status, said: stdout + stderr };
}

const Start = suite('npm start on the model');

Start('shows all that does not need data', () => {
  const { status, said } = start('--kernel', 'model');
  assert.is(status, 0, said);
  assert.match(said, /^The model, a kernel in memory/);
  assert.match(said, /^version +device-mapper interface 4\.\d+\.\d+$/m);
  assert.match(said, /^table +0 16384 linear 8:0 16384\n +16384 16384 linear 8:0 0$/m);
  assert.match(said, /^depends on +8:0, \/dev\/sda$/m);
  assert.match(said, /^swapped +0 32768 linear 8:0 0\n +while it was open \(1 time\)$/m);
  assert.match(said, /^removed +no device and no node is left$/m);
  assert.match(said, /^ran on +a model of Linux \d+\.\d+$/m);
  assert.not.match(said, /reads/);
});

Start('says why the kernel that was asked for cannot be used', () => {
  const { status, said } = start('--kernel', 'host');
  assert.is(status, 1, said);
  assert.match(said, /^This machine's own device-mapper cannot be used: /);
});

Start('takes no other kernel', () => {
  const { status, said } = start('--kernel', 'toy');
  assert.is(status, 2);
  assert.is(said, '--kernel: expected host, guest, model, got "toy"\n');
});

Start.run();
