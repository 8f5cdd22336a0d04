// `npm start`: the package's main job on a real kernel. On this machine's own where device-mapper may be
// used, over a loop device on a temporary file; else on one in User-Mode Linux, over a scratch disk.

import { DeviceMapperSync } from 'devicemapper';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { join } from 'node:path';
import { DEFAULT_KERNEL, installKernel, runInGuest, whyNot } from './uml.mjs';

const DEMO = join(import.meta.dirname, 'demo.mjs');
const SIZE = 32 << 20;

async function main() {
  const loop = makeLoop();
  if (loop.disk !== undefined) {
    console.log(`This machine's own device-mapper, on ${loop.disk} over a temporary file.\n`);
    try {
      return await runHere([process.execPath, DEMO, loop.disk]);
    } finally {
      loop.remove();
    }
  }
  console.log(`This machine's own device-mapper cannot be used: ${loop.obstacle}`);
  const obstacle = whyNot(DEFAULT_KERNEL);
  if (obstacle !== undefined) {
    console.error(
      `Nor can a kernel in User-Mode Linux: ${obstacle}\nRun it as root, where Linux has device-mapper or on Debian on x86-64.`,
    );
    return 1;
  }
  console.log(`Instead, Linux ${DEFAULT_KERNEL} in User-Mode Linux:\n`);
  await installKernel(DEFAULT_KERNEL, { log: console.log });
  const command = [process.execPath, DEMO, '/dev/ubda'];
  return (await runInGuest(command, { disks: [`${SIZE >> 20}M`] })).exitCode;
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

process.exitCode = await main();
