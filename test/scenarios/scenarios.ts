// What the package does with device-mapper, told by what a user sees. Each leaves nothing behind.

import { REQUEST_CODE, type Target } from 'devicemapper/model';
import { assert } from '../harness.js';
import { failing, fails, type Scenario } from './world.js';

const MiB = 1 << 20;
const ENOMEM = 12;
const EBUSY = 16;

/** Two linear targets that swap the first two MiB of a disk. */
function swapped(disk: string): readonly Target[] {
  return [
    { startSector: 0, length: 2048, type: 'linear', parameters: [disk, 2048] },
    { startSector: 2048, length: 2048, type: 'linear', parameters: [disk, 0] },
  ];
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  'a device of two swapped halves': async ({ dm, disks: [disk], machine }) => {
    machine?.write(disk, 0, new Uint8Array(MiB).fill(0x41));
    machine?.write(disk, MiB, new Uint8Array(MiB).fill(0x42));
    const device = await dm.createActiveDevice('halves', swapped(disk), { uuid: 'TEST-halves' });
    assert.is(device.name, 'halves');
    assert.is(device.uuid, 'TEST-halves');
    assert.is(device.path, '/dev/mapper/halves');
    assert.is(device.targetCount, 2);
    assert.ok(device.liveTable && !device.inactiveTable && !device.suspended && !device.readOnly);

    const { targets } = await dm.getTable('halves');
    assert.equal(
      targets.map(({ startSector, length, type }) => [startSector, length, type]),
      [
        [0, 2048, 'linear'],
        [2048, 2048, 'linear'],
      ],
    );
    const [{ dev, major, minor }] = (await dm.getDependencies('halves')) as [
      { dev: number; major: number; minor: number },
    ];
    assert.is(targets[0]!.parameters, `${major}:${minor} 2048`);
    assert.equal(targets[1]!.words, [`${major}:${minor}`, '0']);
    assert.ok(dev > 0);
    const status = await dm.getStatus('halves');
    assert.equal(
      status.targets.map(({ parameters }) => parameters),
      ['', ''],
    );

    if (machine) {
      assert.is(machine.read(device.path, 0, 1)[0], 0x42);
      assert.is(machine.read(device.path, 2 * MiB - 1, 1)[0], 0x41);
      machine.write(device.path, 0, new Uint8Array(512).fill(0x43));
      assert.is(machine.read(disk, MiB, 1)[0], 0x43);
    }

    assert.ok((await dm.suspend('halves')).suspended);
    const loaded = await dm.loadTable('halves', `0 4096 linear ${disk} 0`, { readOnly: true });
    assert.ok(loaded.inactiveTable && loaded.suspended && !loaded.readOnly);
    const resumed = await dm.resume('halves');
    assert.ok(resumed.readOnly && !resumed.suspended && !resumed.inactiveTable);
    assert.is(resumed.targetCount, 1);
    if (machine) {
      assert.is(machine.read(device.path, 0, 1)[0], 0x41);
      const write = (): void => {
        machine.write(device.path, 0, new Uint8Array(512));
      };
      assert.throws(write, /EPERM|EROFS|EACCES/);
    }

    assert.is(await dm.removeDevice('halves'), 'removed');
    assert.is(machine?.exists(device.path) ?? false, false);
    assert.is(await dm.findDevice('halves'), undefined);
  },

  'a device is named by name, uuid and number': async ({ dm }) => {
    const made = await dm.createDevice('named', { uuid: 'TEST-named', minor: 77 });
    assert.is(made.minor, 77);
    assert.not(made.liveTable);
    for (const device of ['named', { name: 'named' }, { uuid: 'TEST-named' }, { dev: made.dev }]) {
      const found = await dm.getDevice(device);
      assert.equal([found.name, found.uuid, found.dev], ['named', 'TEST-named', made.dev]);
    }
    await fails('EBUSY', () => dm.createDevice('named'));
    await fails('EBUSY', () => dm.createDevice('other', { uuid: 'TEST-named' }));
    await fails('ENXIO', () => dm.createDevice('other', { minor: 77 }));
    const error = await fails('EINVAL', () => dm.createDevice('no/slash'));
    assert.match(
      error.message,
      /^EINVAL: name is not a legal device name, DM_DEV_CREATE 'no\/slash'/,
    );
    assert.is(await dm.removeDevice({ uuid: 'TEST-named' }), 'removed');
    const gone = await fails('ENXIO', () => dm.getDevice('named'));
    assert.is(gone.message, "ENXIO: no such device, DM_DEV_STATUS 'named'");
    assert.equal([gone.errno, gone.syscall, gone.command], [-6, 'ioctl', 'DEV_STATUS']);
  },

  'devices are listed, all and by prefix': async ({ dm }) => {
    assert.equal(await dm.listDevices(), []);
    await dm.createDevice('list-a', { uuid: 'TEST-a' });
    await dm.createDevice('list-b');
    await dm.createDevice('other', { uuid: 'TEST-b' });
    const names = (devices: readonly { name: string }[]): string[] =>
      devices.map(({ name }) => name).sort();
    assert.equal(names(await dm.listDevices()), ['list-a', 'list-b', 'other']);
    assert.equal(names(await dm.listDevices({ namePrefix: 'list' })), ['list-a', 'list-b']);
    assert.equal(names(await dm.listDevices({ uuidPrefix: 'TEST-' })), ['list-a', 'other']);
    const [both] = await dm.listDevices({ namePrefix: 'o', uuidPrefix: 'TEST-b' });
    assert.equal([both?.name, both?.uuid], ['other', 'TEST-b']);
    for (const name of ['list-a', 'list-b', 'other']) await dm.removeDevice(name);
  },

  'the inactive slot is told and cleared': async ({ dm, disks: [disk] }) => {
    await dm.createDevice('slots');
    assert.equal((await dm.getTable('slots')).targets, []);
    assert.equal(await dm.getDependencies('slots'), []);
    await dm.loadTable('slots', '0 8 zero');
    assert.equal((await dm.getTable('slots')).targets, []);
    const { device, targets } = await dm.getTable('slots', { inactive: true });
    assert.ok(device.inactiveTable && !device.liveTable);
    assert.equal([targets[0]?.type, targets[0]?.parameters], ['zero', '']);
    await dm.loadTable('slots', `0 16 linear ${disk} 0`);
    assert.is((await dm.getDependencies('slots', { inactive: true })).length, 1);
    assert.not((await dm.clearTable('slots')).inactiveTable);
    assert.equal((await dm.getTable('slots', { inactive: true })).targets, []);
    await dm.removeDevice('slots');
  },

  'a table told by the kernel loads again': async ({ dm, disks: [disk] }) => {
    await dm.createActiveDevice('again', swapped(disk));
    const { targets } = await dm.getTable('again');
    await dm.loadTable('again', targets);
    const { targets: inactive } = await dm.getTable('again', { inactive: true });
    assert.equal(inactive, targets);
    await dm.resume('again');
    await dm.removeDevice('again');
  },

  'two targets load with parameters of every length': async ({ dm, disks: [disk] }) => {
    await dm.createDevice('widths');
    const most = 64;
    for (let width = `${disk} 0`.length; width <= most; width++) {
      // linear takes its two arguments with any number of blanks between them.
      const wide = `${disk}${' '.repeat(width - disk.length - 1)}0`;
      const target = { length: 8, type: 'linear', parameters: wide };
      await dm.loadTable('widths', [
        { startSector: 0, ...target },
        { startSector: 8, ...target },
      ]);
      const { targets } = await dm.getTable('widths', { inactive: true });
      assert.equal(
        targets.map(({ words }) => words[1]),
        ['0', '0'],
        `width ${width}`,
      );
    }
    await dm.removeDevice('widths');
  },

  'a refused table leaves the device as it was': async ({ dm, disks: [disk] }) => {
    await dm.createActiveDevice('keeps', '0 8 zero');
    const error = await fails('EINVAL', () => dm.loadTable('keeps', `0 8 linear ${disk} 0 what`));
    assert.is(error.command, 'TABLE_LOAD');
    assert.is(error.device, 'keeps');
    // Where the log may be read, the reason stands in it.
    const reason = error.kernelLog.find((line) => line.includes('linear'));
    assert.match(reason ?? '', /^device-mapper: table: \d+:\d+: linear: Invalid argument count/);
    assert.match(
      error.message,
      /^EINVAL: table refused, DM_TABLE_LOAD 'keeps'; kernel log: "table: /,
    );
    const device = await dm.getDevice('keeps');
    assert.ok(device.liveTable && !device.inactiveTable && !device.suspended);
    await fails('EINVAL', () => dm.loadTable('keeps', '8 8 zero'));
    await fails('EINVAL', () => dm.loadTable('keeps', '0 8 nosuchtarget'));
    await dm.removeDevice('keeps');
  },

  'a failing createActiveDevice leaves nothing, at each of its steps': async (world) => {
    const { dm, transport, over, machine } = world;
    const steps = [REQUEST_CODE.DEV_CREATE, REQUEST_CODE.TABLE_LOAD, REQUEST_CODE.DEV_SUSPEND];
    for (const request of steps) {
      const flaky = over(failing(transport, request, ENOMEM));
      const error = await fails('ENOMEM', () => flaky.createActiveDevice('flaky', '0 8 zero'));
      const undone = request === REQUEST_CODE.DEV_CREATE ? [] : ["create device 'flaky'"];
      assert.equal(error.undone, undone);
      assert.equal(error.left, []);
      assert.is(await dm.findDevice('flaky'), undefined);
      assert.is(machine?.exists('/dev/mapper/flaky') ?? false, false);
    }
    // For real: refused by the kernel at the load.
    const error = await fails('EINVAL', () => dm.createActiveDevice('flaky', '0 8 striped 0'));
    assert.equal(error.undone, ["create device 'flaky'"]);
    assert.is(await dm.findDevice('flaky'), undefined);
  },

  'what could not be undone is said': async ({ dm, transport, over }) => {
    const noLoad = failing(transport, REQUEST_CODE.TABLE_LOAD, ENOMEM);
    const stuck = over(failing(noLoad, REQUEST_CODE.DEV_REMOVE, ENOMEM));
    const error = await fails('ENOMEM', () => stuck.createActiveDevice('stuck', '0 8 zero'));
    assert.is(error.command, 'TABLE_LOAD');
    assert.equal(error.left, ["create device 'stuck'"]);
    assert.match(error.message, /; not undone: create device 'stuck'$/);
    await dm.removeDevice('stuck');
  },

  'removal is tried again while the device is open': async ({ dm, transport, over }) => {
    await dm.createActiveDevice('busy', '0 8 zero');
    const once = over(failing(transport, REQUEST_CODE.DEV_REMOVE, EBUSY));
    const error = await fails('EBUSY', () => once.removeDevice('busy'));
    assert.match(
      error.message,
      /^EBUSY: device is open, DM_DEV_REMOVE 'busy'; close what holds it/,
    );
    const twice = over(failing(transport, REQUEST_CODE.DEV_REMOVE, EBUSY));
    assert.is(await twice.removeDevice('busy', { retry: { times: 2, delayMs: 1 } }), 'removed');
  },

  'all devices are removed at once': async ({ dm, machine }) => {
    await dm.createActiveDevice('all-a', '0 8 zero');
    await dm.createActiveDevice('all-b', '0 8 error');
    await dm.createDevice('all-c');
    await dm.removeAllDevices();
    assert.equal(await dm.listDevices(), []);
    assert.is(machine?.exists('/dev/mapper/all-a') ?? false, false);
  },

  'names are bytes': async ({ dm }) => {
    const name = 'a b\u00e0\udcff';
    const { path } = await dm.createActiveDevice(name, '0 8 zero');
    assert.match(path, /^\/dev\/dm-\d+$/);
    assert.is((await dm.listDevices())[0]?.name, name);
    await dm.removeDevice(name);
    const { path: plain } = await dm.createActiveDevice('a b\u00e0', '0 8 zero');
    assert.is(plain, '/dev/mapper/a b\u00e0');
    await dm.removeDevice('a b\u00e0');
  },
};
