// The package's main job. `node test/kernel/demo.mjs DISK` does it on a disk, which it overwrites;
// without DISK on one of a kernel in memory, where there are no data to look at.

import { DeviceMapper, ModelKernel } from 'devicemapper';
import * as fs from 'node:fs';
import * as os from 'node:os';

/** Sectors of 512 bytes. */
const HALF = 16384;

const [path] = process.argv.slice(2);
const { dm, disk, ranOn, ...machine } = path === undefined ? inMemory() : onDisk(path);

const abort = new AbortController();
const { signal } = abort;
for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => abort.abort(new Error(`ended by ${name}`)));
}

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
  machine.fill?.();

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
    ...dependencies.map((one) => `${one.major}:${one.minor}, ${machine.nameOf(one)}`),
  );

  const device = machine.open(path);
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
    device.close();
  }

  // udev may be looking at the device that was just closed.
  await dm.removeDevice(name, { retry: true, signal });
  const left = [await dm.findDevice(name), machine.exists(path)].filter(Boolean);
  if (left.length > 0) throw new Error(`${name} is still there`);
  say('removed', 'no device and no node is left');
  say('ran on', ranOn);
}

/** A real disk: a half of A, then one of B. */
function onDisk(disk) {
  return {
    dm: DeviceMapper.open(),
    disk,
    ranOn: `${os.type()} ${os.release()}`,
    fill() {
      const fd = fs.openSync(disk, 'r+');
      fs.writeSync(fd, Buffer.alloc(512 * HALF, 'A'));
      fs.writeSync(fd, Buffer.alloc(512 * HALF, 'B'));
      fs.fsyncSync(fd);
      fs.closeSync(fd);
    },
    open(path) {
      const fd = fs.openSync(path, 'r');
      const read = (sector) => {
        const bytes = Buffer.alloc(512);
        fs.readSync(fd, bytes, 0, 512, 512 * sector);
        return bytes.toString('latin1');
      };
      return { read, close: () => fs.closeSync(fd) };
    },
    exists: (path) => fs.existsSync(path),
    nameOf: ({ dev }) => (fs.statSync(disk).rdev === dev ? disk : 'unknown'),
  };
}

function inMemory() {
  const disk = '/dev/sda';
  const model = new ModelKernel({ blockDevices: { [disk]: { sectors: 2 * HALF, dev: '8:0' } } });
  return {
    dm: new DeviceMapper(model),
    disk,
    ranOn: `a model of Linux ${model.release}`,
    open: (path) => model.open(path),
    exists: (path) => model.nodes.state(path) !== 'absent',
    nameOf: ({ major, minor }) => (`${major}:${minor}` === '8:0' ? disk : 'unknown'),
  };
}

/** Read a sector of each half, `offset` sectors into it, and compare with the two letters expected. */
function check({ read }, offset, expected) {
  if (read === undefined) return;
  const seen = [0, HALF].map((half) => read(half + offset));
  const right = seen.every((text, half) => text === expected[half].repeat(512));
  const shown = seen.map((text) => `${text.slice(0, 4)}…`).join(' and ');
  say('reads', `${shown}: ${right ? 'right' : 'WRONG'}`);
  if (!right) throw new Error(`expected ${expected[0]} and ${expected[1]} in the two halves`);
}

function lines(targets) {
  return targets.map(({ startSector, length, type, parameters }) =>
    `${startSector} ${length} ${type} ${parameters}`.trimEnd(),
  );
}

function say(what, first, ...more) {
  console.log(what.padEnd(12) + [first, ...more].join(`\n${' '.repeat(12)}`));
}
