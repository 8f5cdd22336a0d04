// What only a kernel can show: much at once, sleeping calls, tables of any size.

import { DeviceMapper, DeviceMapperSync, type Target } from 'devicemapper';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, rejects, suite } from './harness.js';
import { DISKS, leftovers } from './scenarios/machine.js';
import { fails } from './scenarios/world.js';

const [disk] = DISKS;
const Kernel = suite('on a kernel');

Kernel.after.each(() => {
  assert.equal(leftovers(), []);
});

/** One sector each, every second one of them from the other half of the disk. */
function sectors(count: number): Target[] {
  return Array.from({ length: count }, (_, i) => ({
    startSector: i,
    length: 1,
    type: 'linear',
    parameters: [disk, i + (i % 2) * 65536],
  }));
}

Kernel('20,000 targets come back whole', async () => {
  const table = sectors(20_000);
  for (const dm of [DeviceMapper.open(), DeviceMapperSync.open()]) {
    await dm.createActiveDevice('many', table);
    const { device, targets } = await dm.getTable('many');
    assert.is(device.targetCount, table.length);
    const rdev = fs.statSync(disk).rdev;
    const [{ dev, major, minor }] = (await dm.getDependencies('many')) as [
      { dev: number; major: number; minor: number },
    ];
    assert.is(dev, rdev);
    assert.equal(
      targets.map(({ startSector, length, type, parameters }) => {
        return { startSector, length, type, parameters };
      }),
      table.map(({ parameters, ...rest }) => ({
        ...rest,
        parameters: `${major}:${minor} ${String(parameters[1])}`,
      })),
    );
    assert.is((await dm.getStatus('many')).targets.length, table.length);
    await dm.removeDevice('many');
    await dm.close();
  }
});

Kernel('two hundred operations at once get their own answers', async () => {
  await using dm = DeviceMapper.open();
  const names = Array.from({ length: 40 }, (_, i) => `at-once-${i}`);
  const made = await Promise.all(
    names.map((name, i) => dm.createActiveDevice(name, `0 ${8 * (i + 1)} zero`)),
  );
  assert.equal(
    made.map(({ name }) => name),
    names,
  );
  const numbers = new Map(made.map(({ name, dev }) => [name, dev]));
  await Promise.all(
    names.flatMap((name, i) => [
      dm.getTable(name).then(({ device, targets }) => {
        assert.equal([device.name, targets[0]?.length], [name, 8 * (i + 1)]);
      }),
      dm.getDevice({ dev: numbers.get(name)! }).then((device) => {
        assert.is(device.name, name);
      }),
      dm.getStatus({ name }).then(({ device }) => {
        assert.is(device.dev, numbers.get(name));
      }),
      dm.suspend(name).then(({ name: suspended }) => {
        assert.is(suspended, name);
      }),
      dm.listDevices().then((devices) => {
        assert.is(devices.length, names.length);
      }),
    ]),
  );
  const removed = await Promise.all(names.map((name) => dm.removeDevice(name)));
  assert.ok(removed.every((result) => result === 'removed'));
});

/** A reader of the device's first sector, past all caches; while the device is suspended it waits. */
function reader(path: string): ChildProcess {
  const args = [`if=${path}`, 'of=/dev/null', 'count=1', 'iflag=direct', 'status=none'];
  return spawn('dd', args, { stdio: 'ignore' });
}

async function ended(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) if (child.exitCode === null) await once(child, 'exit');
}

/** `count` devices on a suspended one, a reader waiting in each. */
async function stuck(dm: DeviceMapper, count: number): Promise<[string[], ChildProcess[]]> {
  await dm.createActiveDevice('lower', `0 8 linear ${disk} 0`);
  const names = Array.from({ length: count }, (_, i) => `upper-${i}`);
  const made = await Promise.all(
    names.map((name) => dm.createActiveDevice(name, '0 8 linear /dev/mapper/lower 0')),
  );
  await dm.suspend('lower', { skipLockfs: true });
  const readers = made.map(({ path }) => reader(path));
  const inflight = (minor: number): boolean =>
    /[1-9]/.test(fs.readFileSync(`/sys/block/dm-${minor}/inflight`, 'utf8'));
  while (!made.every(({ minor }) => inflight(minor))) await sleep(20);
  return [names, readers];
}

Kernel('four suspends stuck on a lower device end when that one is resumed', async () => {
  await using dm = DeviceMapper.open();
  const [names, readers] = await stuck(dm, 4);
  let done = 0;
  const suspends = names.map(async (name) => {
    const info = await dm.suspend(name);
    done++;
    return info;
  });
  await sleep(200);
  assert.is(done, 0);
  // The file system's threads are free, and so is what never sleeps.
  assert.ok((await fs.promises.readFile('/proc/uptime')).length > 0);
  assert.ok((await dm.getDevice('lower')).suspended);
  await dm.resume('lower');
  assert.ok((await Promise.all(suspends)).every(({ suspended }) => suspended));
  await ended(readers);
  for (const name of [...names, 'lower']) await dm.removeDevice(name, { retry: true });
});

Kernel('an abort never abandons an ioctl, and undoes what it did', async () => {
  await using dm = DeviceMapper.open();
  const [names, readers] = await stuck(dm, 4);
  const abort = new AbortController();
  const suspends = names.map((name) => dm.suspend(name, { signal: abort.signal }));
  const results = Promise.allSettled(suspends);
  await sleep(100);
  const reason = new Error('enough');
  abort.abort(reason);
  // Two were under way, and go on; two waited for a thread, and end at once.
  assert.is(await rejects(Promise.race(suspends)), reason);
  await dm.resume('lower');
  assert.ok((await results).every((r) => r.status === 'rejected' && r.reason === reason));
  for (const name of names) assert.not((await dm.getDevice(name)).suspended);
  await ended(readers);
  for (const name of [...names, 'lower']) await dm.removeDevice(name, { retry: true });
});

Kernel('a device that is open is busy, scheduled, waited for, or forced', async () => {
  await using dm = DeviceMapper.open();
  const { path } = await dm.createActiveDevice('open', '0 8 zero');
  const holder = fs.openSync(path, 'r');
  const error = await fails('EBUSY', () => dm.removeDevice('open'));
  assert.match(
    error.message,
    /^EBUSY: device is open, DM_DEV_REMOVE 'open'; open once; held by process \d+ \(\w+\); close what holds it, or pass \{ deferred: true \}$/,
  );
  await fails('EBUSY', () => dm.removeDevice('open', { retry: { times: 3, delayMs: 10 } }));
  assert.is((await dm.getDevice('open')).openCount, 1);

  const removal = dm.removeDevice('open', { retry: true });
  await sleep(300);
  fs.closeSync(holder);
  assert.is(await removal, 'removed');

  await dm.createActiveDevice('open', '0 8 zero');
  const second = fs.openSync(path, 'r');
  assert.is(await dm.removeDevice('open', { deferred: true }), 'scheduled');
  assert.ok((await dm.getDevice('open')).deferredRemove);
  fs.closeSync(second);
  while (await dm.findDevice('open')) await sleep(10);
  // Nobody was there to take its link away; the next device of this name does.
  const third = await dm.createActiveDevice('open', '0 8 zero');
  assert.is(fs.statSync(third.path).rdev, third.dev);

  const fourth = fs.openSync(path, 'r');
  const forced = await fails('EBUSY', () => dm.removeDevice('open', { force: true }));
  assert.is(forced.command, 'DEV_REMOVE');
  assert.is((await dm.getTable('open')).targets[0]?.type, 'error');
  assert.throws(() => fs.readSync(fourth, new Uint8Array(512)), /EIO/);
  fs.closeSync(fourth);
  assert.is(await dm.removeDevice('open', { force: true }), 'removed');
});

Kernel('closing waits for what is under way', async () => {
  const dm = DeviceMapper.open();
  const made = dm.createActiveDevice('late', '0 8 zero');
  const removed = dm.removeDevice('late');
  await dm.close();
  assert.is((await made).name, 'late');
  assert.is(await removed, 'removed');
  const error = await rejects(dm.getVersion());
  assert.is((error as { code?: string }).code, 'ERR_DM_CLOSED');
});

Kernel('the one-shot functions open and close by themselves', async () => {
  const { createActiveDevice, createDevice, getVersion, loadTable, removeDevice, resume, suspend } =
    await import('devicemapper');
  assert.is((await getVersion())[0], 4);
  await createDevice('shot');
  assert.ok((await loadTable('shot', '0 8 zero')).inactiveTable);
  assert.ok((await resume('shot')).liveTable);
  assert.ok((await suspend('shot')).suspended);
  assert.is(await removeDevice('shot'), 'removed');
  const { path } = await createActiveDevice('shot', '0 8 zero');
  assert.equal(new Uint8Array(fs.readFileSync(path)), new Uint8Array(4096));
  assert.is(await removeDevice('shot'), 'removed');
});

Kernel.run();
