// Nodes beside a real systemd-udevd with Debian's rules, which makes and removes the same links.

import { DeviceMapper } from 'devicemapper';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, skipSuite, suite } from './harness.js';
import { leftovers } from './scenarios/machine.js';

const UDEVD = '/lib/systemd/systemd-udevd';
const RULES = '/lib/udev/rules.d/55-dm.rules';
const missing = [UDEVD, RULES].find((path) => !fs.existsSync(path));

function run(): void {
  const Udev = suite('udev');
  const udevd = spawn(UDEVD, { stdio: 'ignore' });

  Udev.before(async () => {
    while (!fs.existsSync('/run/udev/control')) await sleep(50);
  });

  Udev.after(async () => {
    udevd.kill();
    await once(udevd, 'exit');
    // What says that udevd is there; the files after this one run without.
    fs.rmSync('/run/udev', { recursive: true });
  });

  Udev.after.each(() => {
    settle();
    assert.equal(leftovers(), []);
  });

  Udev('a node opens at once and is gone after the removal', async () => {
    await using dm = DeviceMapper.open();
    for (let i = 0; i < 10; i++) {
      const { path, dev } = await dm.createActiveDevice('beside-udev', '0 8 zero');
      const fd = fs.openSync(path, 'r');
      assert.is(fs.fstatSync(fd).rdev, dev);
      fs.closeSync(fd);
      assert.is(await dm.removeDevice('beside-udev', { retry: true }), 'removed');
      assert.not(fs.lstatSync(path, { throwIfNoEntry: false }));
    }
  });

  Udev('the link stays when udev has come to it', async () => {
    await using dm = DeviceMapper.open();
    const { path, minor } = await dm.createActiveDevice('beside-udev', '0 8 zero');
    settle();
    assert.is(fs.readlinkSync(path), `../dm-${minor}`);
    // The database tells that the rules took the event for a genuine one.
    const properties = execFileSync('udevadm', ['info', '--query=property', path]).toString();
    assert.match(properties, /^DM_NAME=beside-udev$/m);
    assert.match(properties, /^DM_UDEV_PRIMARY_SOURCE_FLAG=1$/m);
    await dm.removeDevice('beside-udev', { retry: true });
    assert.not(fs.lstatSync(path, { throwIfNoEntry: false }));
  });

  Udev('a name taken anew at once keeps its node', async () => {
    await using dm = DeviceMapper.open();
    for (let i = 0; i < 5; i++) {
      await dm.createActiveDevice('beside-udev', '0 8 zero');
      await dm.removeDevice('beside-udev', { retry: true });
      const { path, dev } = await dm.createActiveDevice('beside-udev', '0 16 zero');
      settle();
      assert.is(fs.statSync(path).rdev, dev);
      await dm.removeDevice('beside-udev', { retry: true });
    }
  });

  Udev.run();
}

/** Wait until udevd has nothing left to do. */
function settle(): void {
  execFileSync('udevadm', ['settle', '--timeout=20']);
}

if (missing === undefined) run();
else if (process.env.CI === 'true') throw new Error(`no ${missing}: npm run setup udev`);
else skipSuite('udev', `no ${missing}: npm run setup udev`);
