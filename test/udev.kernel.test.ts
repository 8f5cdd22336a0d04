// Nodes beside a real systemd-udevd with Debian's rules, which makes and removes the same links.

import { DeviceMapper, DeviceMapperSync, KernelTransport } from 'devicemapper';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, rejects, skipSuite, suite } from './harness.js';
import { leftovers } from './scenarios/machine.js';

const UDEVD = '/lib/systemd/systemd-udevd';
const RULES = '/lib/udev/rules.d/55-dm.rules';
const missing = [UDEVD, RULES].find((path) => !fs.existsSync(path));

function run(): void {
  const Udev = suite('udev');
  const udevd = spawn(UDEVD, { stdio: 'ignore' });

  Udev.before(async () => {
    while (!fs.existsSync('/run/udev/control')) await sleep(50);
    // Its socket is there before it hears the kernel: what is sent meanwhile is lost.
    execFileSync('udevadm', ['control', '--ping', '--timeout=20']);
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

  Udev('what was done is through udev when the call ends', async () => {
    await using dm = DeviceMapper.open();
    const { path, dev } = await dm.createActiveDevice('through', '0 8 zero');
    // The database has it without any further wait: its rules have ended.
    assert.match(propertiesOf(path), /^DM_NAME=through$/m);
    assert.match(propertiesOf(path), /^DM_ACTIVATION=1$/m);
    assert.is(fs.statSync(path).rdev, dev);
    const renamed = await dm.renameDevice('through', 'onwards');
    assert.not(fs.lstatSync(path, { throwIfNoEntry: false }));
    assert.match(propertiesOf(renamed.path), /^DM_NAME=onwards$/m);
    await dm.setUuid('onwards', 'TEST-onwards');
    assert.match(propertiesOf(renamed.path), /^DM_UUID=TEST-onwards$/m);
    await dm.removeDevice('onwards');
    assert.not(fs.lstatSync(renamed.path, { throwIfNoEntry: false }));
    assert.is(fs.existsSync(`/run/udev/data/b${dev >>> 8}:${dev & 0xff}`), false);
  });

  Udev('no cookie is left, whatever becomes of the call', async () => {
    await using dm = DeviceMapper.open({ udev: 'cookie' });
    await dm.createActiveDevice('cookies', '0 8 zero');
    // Nothing to resume: no event, and nobody who counts down.
    await dm.resume('cookies');
    await rejects(dm.renameDevice('cookies', 'cookies'), /EBUSY/);
    const fd = fs.openSync('/dev/mapper/cookies', 'r');
    await rejects(dm.removeDevice('cookies'), /EBUSY/);
    assert.is(await dm.removeDevice('cookies', { deferred: true }), 'scheduled');
    fs.closeSync(fd);
    while ((await dm.findDevice('cookies')) !== undefined) await sleep(10);
    assert.equal(semaphores(), []);
    settle();
  });

  Udev('an abort ends the wait for udev at once, and what was made is gone', async () => {
    execFileSync('udevadm', ['control', '--stop-exec-queue']);
    try {
      await using dm = DeviceMapper.open();
      const abort = new AbortController();
      const { signal } = abort;
      const reason = new Error('no more');
      const made = rejects(
        dm.createActiveDevice('aborted', '0 8 zero', { signal }),
        (error) => error === reason,
      );
      while (semaphores().length === 0) await sleep(10);
      execFileSync('udevadm', ['control', '--start-exec-queue']);
      abort.abort(reason);
      await made;
      assert.is(await dm.findDevice('aborted'), undefined);
      assert.equal(semaphores(), []);
    } finally {
      execFileSync('udevadm', ['control', '--start-exec-queue']);
    }
  });

  Udev('a blocking client waits as well, and no mode needs udev', () => {
    for (const udev of ['auto', 'cookie', 'poll', 'none'] as const) {
      using dm = DeviceMapperSync.open({ udev });
      const { path, dev } = dm.createActiveDevice('modes', '0 8 zero');
      assert.is(fs.statSync(path).rdev, dev);
      assert.is(dm.renameDevice('modes', 'mode').path, '/dev/mapper/mode');
      dm.removeDevice('mode', { retry: true });
      settle();
      assert.not(fs.lstatSync('/dev/mapper/mode', { throwIfNoEntry: false }));
      assert.equal(semaphores(), []);
    }
  });

  Udev('a cookie of ours is one of libdm', () => {
    const transport = KernelTransport.open();
    assert.is(transport.udev.mode(), 'cookie');
    const cookie = transport.udev.create();
    const key = (0x0d4d0000 | cookie).toString(16).padStart(8, '0');
    assert.match(
      execFileSync('dmsetup', ['udevcookies']).toString(),
      new RegExp(`0x0*${key.replace(/^0+/, '')}`, 'i'),
    );
    assert.not(transport.udev.completed(cookie));
    execFileSync('dmsetup', ['udevcomplete', `${cookie}`]);
    assert.ok(transport.udev.completed(cookie));
    transport.udev.remove(cookie);
    assert.ok(transport.udev.completed(cookie));
    const left = transport.udev.create();
    transport.close();
    assert.ok(transport.udev.completed(left));
    assert.equal(semaphores(), []);
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

function propertiesOf(path: string): string {
  return execFileSync('udevadm', ['info', '--query=property', path]).toString();
}

/** The keys of device-mapper's semaphores. */
function semaphores(): string[] {
  const lines = fs.readFileSync('/proc/sysvipc/sem', 'utf8').trim().split('\n').slice(1);
  const keys = lines.map((line) => Number(/^\s*(-?\d+)/.exec(line)![1]));
  return keys.filter((key) => key >>> 16 === 0x0d4d).map(String);
}

/** Wait until udevd has nothing left to do. */
function settle(): void {
  execFileSync('udevadm', ['settle', '--timeout=20']);
}

if (missing === undefined) run();
else if (process.env.CI === 'true') throw new Error(`no ${missing}: npm run setup udev`);
else skipSuite('udev', `no ${missing}: npm run setup udev`);
