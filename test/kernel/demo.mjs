// The package's main job on one disk, which it overwrites: `node test/kernel/demo.mjs DISK`.

import { DeviceMapper } from 'devicemapper';
import * as fs from 'node:fs';
import * as os from 'node:os';

/** Sectors of 512 bytes. */
const HALF = 16384;

const [disk] = process.argv.slice(2);
if (disk === undefined) throw new Error('usage: demo.mjs DISK; what is on DISK is lost');

const abort = new AbortController();
const { signal } = abort;
for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => abort.abort(new Error(`ended by ${name}`)));
}

const dm = DeviceMapper.open();
const name = `devicemapper-demo-${process.pid}`;
try {
  await demo();
} catch (error) {
  console.error(`failed: ${error.message}`);
  process.exitCode = 1;
  if (await dm.findDevice(name)) await dm.removeDevice(name, { retry: true });
} finally {
  await dm.close();
}

async function demo() {
  say('version', `device-mapper interface ${(await dm.getVersion()).join('.')}`);
  fillDisk();

  const { path, major, minor } = await dm.createActiveDevice(
    name,
    [
      { startSector: 0, length: HALF, type: 'linear', parameters: [disk, HALF] },
      { startSector: HALF, length: HALF, type: 'linear', parameters: [disk, 0] },
    ],
    { signal },
  );
  say('created', `${path} (${major}:${minor}), the halves of ${disk} swapped`);
  say('table', ...lines((await dm.getTable(name, { signal })).targets));
  say('status', ...lines((await dm.getStatus(name, { signal })).targets));
  const dependencies = await dm.getDependencies(name, { signal });
  say(
    'depends on',
    ...dependencies.map(({ dev, major, minor }) => `${major}:${minor}, ${nameOf(dev)}`),
  );

  const device = fs.openSync(path, 'r');
  try {
    check(device, 0, 'BA');
    await dm.suspend(name, { signal });
    await dm.loadTable(name, `0 ${2 * HALF} linear ${disk} 0`, { signal });
    const { openCount } = await dm.resume(name);
    const { targets } = await dm.getTable(name, { signal });
    say('swapped', ...lines(targets), `while it was open (${openCount} time)`);
    // Elsewhere than before: what was read stays in the page cache for as long as the device is open.
    check(device, HALF / 2, 'AB');
  } finally {
    fs.closeSync(device);
  }

  // udev may be looking at the device that was just closed.
  await dm.removeDevice(name, { retry: true, signal });
  const left = [await dm.findDevice(name), fs.existsSync(path)].filter(Boolean);
  if (left.length > 0) throw new Error(`${name} is still there`);
  say('removed', 'no device and no node is left');
  say('ran on', `${os.type()} ${os.release()}`);
}

/** A half of A, then one of B. */
function fillDisk() {
  const fd = fs.openSync(disk, 'r+');
  try {
    fs.writeSync(fd, Buffer.alloc(512 * HALF, 'A'));
    fs.writeSync(fd, Buffer.alloc(512 * HALF, 'B'));
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Read a sector of each half, `offset` sectors into it, and compare with the two letters expected. */
function check(fd, offset, expected) {
  const bytes = Buffer.alloc(512);
  const read = [0, HALF].map((half) => {
    fs.readSync(fd, bytes, 0, 512, 512 * (half + offset));
    return bytes.toString('latin1');
  });
  const right = read.every((text, half) => text === expected[half].repeat(512));
  const seen = read.map((text) => `${text.slice(0, 4)}…`).join(' and ');
  say('reads', `${seen}: ${right ? 'right' : 'WRONG'}`);
  if (!right) throw new Error(`expected ${expected[0]} and ${expected[1]} in the two halves`);
}

function lines(targets) {
  return targets.map(({ startSector, length, type, parameters }) =>
    `${startSector} ${length} ${type} ${parameters}`.trimEnd(),
  );
}

function nameOf(dev) {
  return fs.statSync(disk).rdev === dev ? disk : 'unknown';
}

function say(what, first, ...more) {
  console.log(what.padEnd(12) + [first, ...more].join(`\n${' '.repeat(12)}`));
}
