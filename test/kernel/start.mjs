// `npm start`: the package's main job on a kernel. On this machine's own where device-mapper may be used,
// over a loop device on a temporary file; else on one in User-Mode Linux, over a scratch disk; else on
// one in memory, which needs nothing and has no data.

import { DeviceMapperSync } from 'devicemapper';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_KERNEL, installKernel, runInGuest, whyNot } from './uml.mjs';

const HELP = `usage: npm start -- [--kernel NAME]
Shows the package at work, on the first of these kernels that can be used, or on the one named:
  host    this machine's own, as root, over a loop device on a temporary file
  guest   one in User-Mode Linux, fetched from Debian where it is missing
  model   one in memory: needs nothing, and has no data`;

const DEMO = join(import.meta.dirname, 'demo.mjs');
const SIZE = 32 << 20;

/** In their order. Each runs the demonstration and answers its exit code, or a sentence why it cannot. */
const KERNELS = { host: onHost, guest: inGuest, model: inMemory };

async function main() {
  const { values } = parseArgs({
    options: { kernel: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const chosen = values.kernel === undefined ? Object.keys(KERNELS) : [values.kernel];
  for (const name of chosen) {
    if (!Object.hasOwn(KERNELS, name)) {
      throw new Error(`--kernel: expected ${Object.keys(KERNELS).join(', ')}, got "${name}"`);
    }
    const outcome = await KERNELS[name]();
    if (typeof outcome === 'number') return outcome;
    console.log(outcome);
  }
  return 1;
}

async function onHost() {
  const loop = makeLoop();
  if (loop.disk === undefined) {
    return `This machine's own device-mapper cannot be used: ${loop.obstacle}`;
  }
  console.log(`This machine's own device-mapper, on ${loop.disk} over a temporary file.\n`);
  try {
    return await runHere([process.execPath, DEMO, loop.disk]);
  } finally {
    loop.remove();
  }
}

async function inGuest() {
  const cannot = (obstacle) => `A kernel in User-Mode Linux cannot be used: ${obstacle}`;
  const obstacle = whyNot(DEFAULT_KERNEL);
  if (obstacle !== undefined) return cannot(obstacle);
  console.log(`Linux ${DEFAULT_KERNEL} in User-Mode Linux:\n`);
  try {
    await installKernel(DEFAULT_KERNEL, { log: console.log });
  } catch ({ message }) {
    return cannot(message);
  }
  const command = [process.execPath, DEMO, '/dev/ubda'];
  return (await runInGuest(command, { disks: [`${SIZE >> 20}M`] })).exitCode;
}

async function inMemory() {
  console.log('The model, a kernel in memory, which needs no right and has no data:\n');
  return await runHere([process.execPath, DEMO]);
}

/** A scratch disk on this machine, if it has device-mapper; or why there is none. */
function makeLoop() {
  const dir = fs.mkdtempSync(join(os.tmpdir(), 'devicemapper-'));
  const removeDir = () => fs.rmSync(dir, { recursive: true });
  try {
    DeviceMapperSync.open().close();
    const file = join(dir, 'disk');
    fs.writeFileSync(file, '');
    fs.truncateSync(file, SIZE);
    const disk = losetup('--find', '--show', file);
    const remove = () => {
      losetup('--detach', disk);
      removeDir();
    };
    return { disk, remove };
  } catch (error) {
    removeDir();
    return { obstacle: error.stderr?.toString().trim() || error.message };
  }
}

function losetup(...args) {
  const stdio = ['ignore', 'pipe', 'pipe'];
  return execFileSync('losetup', args, { encoding: 'utf8', stdio }).trim();
}

/** The exit code of a child that is given our signals, so that it can clean up before we do. */
async function runHere([program, ...args]) {
  const child = spawn(program, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

process.exitCode = await main().catch((error) => {
  console.error(error.message);
  return 2;
});
