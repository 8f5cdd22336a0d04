// What the transport to the kernel knows of the machine: who holds a device, which line of the log is of
// which call, and what is told to who looks on.

import {
  DeviceMapper,
  DeviceMapperSync,
  KernelTransport,
  type IoctlEvent,
  type KernelError,
} from 'devicemapper';
import { execFileSync, spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as fs from 'node:fs';
import { assert, rejects, suite } from './harness.js';
import { leftovers } from './scenarios/machine.js';

const MachineTests = suite('machine');

MachineTests.after.each(() => {
  assert.equal(leftovers(), []);
});

async function busy(dm: DeviceMapper, name: string): Promise<KernelError> {
  const error: KernelError = await rejects(dm.removeDevice(name));
  assert.is(error.code, 'EBUSY');
  return error;
}

MachineTests(
  'a mount, a process, a loop device and a device on top are told as holders',
  async () => {
    await using dm = DeviceMapper.open();
    const { path } = await dm.createActiveDevice('held', '0 131072 linear /dev/ubda 0');
    const fd = fs.openSync(path, 'r');
    assert.equal((await busy(dm, 'held')).holders, [`process ${process.pid} (${comm()})`]);
    fs.closeSync(fd);

    await dm.createActiveDevice("it's on top", `0 8 linear ${path} 0`);
    assert.equal((await busy(dm, 'held')).holders, ["device 'it's on top'"]);
    await dm.removeDevice("it's on top");

    execFileSync('mkfs.ext2', ['-q', '-F', path], { stdio: 'pipe' });
    const place = '/run/a b\\c';
    fs.mkdirSync(place);
    execFileSync('mount', ['-t', 'ext4', path, place]);
    const mounted = await busy(dm, 'held');
    assert.equal(mounted.holders, [`mount ${place}`]);
    assert.is(mounted.openCount, 1);
    execFileSync('umount', [place]);
    fs.rmdirSync(place);
    assert.is(await dm.removeDevice('held', { retry: true }), 'removed');
  },
);

MachineTests('swap is told as a holder', async () => {
  await using dm = DeviceMapper.open();
  const { path } = await dm.createActiveDevice('swapped', '0 16384 linear /dev/ubdb 0');
  execFileSync('mkswap', [path], { stdio: 'pipe' });
  execFileSync('swapon', [path]);
  const error = await busy(dm, 'swapped');
  execFileSync('swapoff', [path]);
  assert.equal(error.holders, ['swap']);
  await dm.removeDevice('swapped', { retry: true });
});

function comm(): string {
  return fs.readFileSync('/proc/self/comm', 'utf8').trim();
}

MachineTests('where no udevd runs, nobody is waited for, unless that is asked for', async () => {
  const auto = KernelTransport.open();
  assert.is(auto.udev.mode(), 'none');
  auto.close();
  // Without an end to wait for: the node is there after three seconds all the same.
  using polls = DeviceMapperSync.open({ udev: 'poll' });
  const { path, dev } = polls.createActiveDevice('polls', '0 8 zero');
  assert.is(fs.statSync(path).rdev, dev);
  polls.removeDevice('polls');
  // And a cookie that nobody completes is waited for no longer than the caller wants.
  await using waits = DeviceMapper.open({ udev: 'cookie' });
  const signal = AbortSignal.timeout(100);
  await rejects(waits.createActiveDevice('waits', '0 8 zero', { signal }), /timeout/);
  const kept = await waits.createDevice('kept');
  await waits.loadTable('kept', '0 8 zero');
  // What is done stays done: the abort only ends the wait.
  const resumed = await waits.resume('kept', { signal: AbortSignal.timeout(100) });
  assert.ok(resumed.liveTable && resumed.dev === kept.dev);
  await waits.removeDevice('kept', { signal: AbortSignal.timeout(100) });
  assert.not(/^ *-?\d/m.test(fs.readFileSync('/proc/sysvipc/sem', 'utf8')), 'no semaphore is left');
  assert.throws(
    () => KernelTransport.open({ udev: 'maybe' as 'auto' }),
    /^udev: expected one of "auto", "cookie", "poll", "none", got "maybe"$/,
  );
});

MachineTests('of many calls under way each has its own line of the log', async () => {
  await using dm = DeviceMapper.open();
  const wrong: Record<string, [table: string, reason: RegExp]> = {
    a: ['0 8 linear /dev/ubda', /linear: Invalid argument count/],
    b: ['0 8 striped 0', /striped: Not enough arguments/],
    c: ['0 8 linear /dev/ubda x', /linear: Invalid device sector/],
    d: ['0 8 nosuchtarget', /nosuchtarget: unknown target type/],
  };
  for (const name of Object.keys(wrong)) await dm.createDevice(name);
  for (let round = 0; round < 10; round++) {
    const failures = Object.entries(wrong).map(async ([name, [table, reason]]) => {
      const { kernelLog }: KernelError = await rejects(dm.loadTable(name, table));
      assert.is(
        kernelLog.filter((line) => reason.test(line)).length,
        1,
        `${name}: ${kernelLog.join()}`,
      );
    });
    await Promise.all(failures);
  }
  for (const name of Object.keys(wrong)) await dm.removeDevice(name);
});

MachineTests('what others log before and after a call is not taken for its reason', () => {
  using dm = DeviceMapperSync.open();
  dm.createDevice('logs');
  fs.writeFileSync('/dev/kmsg', '<3>device-mapper: table: before\n');
  let error: KernelError | undefined;
  try {
    dm.loadTable('logs', '0 8 striped 0');
  } catch (caught) {
    error = caught as KernelError;
  }
  fs.writeFileSync('/dev/kmsg', '<3>device-mapper: table: after\n');
  assert.match(error!.kernelLog.join(), /striped/);
  assert.not.match(error!.kernelLog.join(), /before|after/);
  // An errno that logs nothing has no reason, and not that of the call before.
  fs.writeFileSync('/dev/kmsg', '<3>device-mapper: table: other\n');
  try {
    dm.getDevice('nobody');
  } catch (caught) {
    assert.equal((caught as KernelError).kernelLog, []);
  }
  dm.removeDevice('logs');
});

MachineTests('without the log an error is as clear as it can be', () => {
  const script = `
    import { syncBuiltinESMExports } from 'node:module';
    import fs from 'node:fs';
    const { openSync } = fs;
    fs.openSync = (path, ...rest) => {
      if (path === '/dev/kmsg') throw Object.assign(new Error('no'), { code: 'EPERM' });
      return openSync(path, ...rest);
    };
    syncBuiltinESMExports();
    const { createActiveDevice } = await import('devicemapper');
    await createActiveDevice('unlogged', '0 8 striped 0').catch(({ message }) => console.log(message));`;
  const args = ['--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.is(stdout, "EINVAL: table refused, DM_TABLE_LOAD 'unlogged'\n", stderr);
});

MachineTests('the channel tells each ioctl by its header, and no secret', async () => {
  const seen: IoctlEvent[] = [];
  const listen = (message: unknown): void => void seen.push(message as IoctlEvent);
  subscribe('devicemapper:ioctl', listen);
  await using dm = DeviceMapper.open();
  const key = '00112233445566778899aabbccddeeff';
  const table = `0 8 crypt aes-cbc-plain ${key} 0 /dev/ubda 0`;
  await dm.createActiveDevice('seen', table, { uuid: 'TEST-seen' });
  await rejects(dm.createDevice('seen'));
  await dm.removeDevice({ uuid: 'TEST-seen' }, { retry: true });
  unsubscribe('devicemapper:ioctl', listen);
  const told = seen.map(({ command, device, flags, errno }) =>
    [command, device, flags.join(), errno].join(' '),
  );
  for (const line of [
    'VERSION   0',
    'DEV_CREATE seen  0',
    'TABLE_LOAD seen SECURE_DATA 0',
    'DEV_SUSPEND seen  0',
    'DEV_CREATE seen  EBUSY',
    'DEV_REMOVE TEST-seen  0',
  ]) {
    assert.ok(told.includes(line), `${line} in ${told.join('\n')}`);
  }
  assert.ok(seen.every(({ ms }) => ms >= 0));
  assert.not.match(JSON.stringify(seen), new RegExp(key));
  const { length } = seen;
  await dm.getVersion();
  assert.is(seen.length, length);
});

MachineTests('NODE_DEBUG=devicemapper prints a line for each', () => {
  const script = `
    import { createActiveDevice, removeDevice } from 'devicemapper';
    await createActiveDevice('printed', '0 8 crypt aes-cbc-plain 00112233445566778899aabbccddeeff 0 /dev/ubda 0');
    await removeDevice('printed', { retry: true });
    await removeDevice('printed').catch(() => {});`;
  const args = ['--input-type=module', '-e', script];
  const run = (env: object): string =>
    spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env } }).stderr;
  const lines = run({ NODE_DEBUG: 'devicemapper' });
  assert.match(lines, /^DEVICEMAPPER \d+: DM_DEV_CREATE "printed": 0, \d+\.\d{3} ms$/m);
  assert.match(lines, /^DEVICEMAPPER \d+: DM_TABLE_LOAD "printed" SECURE_DATA: 0, \d+\.\d{3} ms$/m);
  assert.match(lines, /^DEVICEMAPPER \d+: DM_DEV_REMOVE "printed": ENXIO, \d+\.\d{3} ms$/m);
  assert.not.match(lines, /00112233/);
  assert.is(run({}), '');
});

MachineTests.run();
