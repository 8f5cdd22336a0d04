// What the package does with device-mapper, told by what a user sees. Each leaves nothing behind.

import { REQUEST_CODE, type Target } from 'devicemapper/model';
import { assert } from '../harness.js';
import { failing, failingAfter, fails, type Scenario } from './world.js';

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

  'what is on top of a device is told when it cannot be removed': async ({ dm }) => {
    const { path } = await dm.createActiveDevice('below', '0 8 zero');
    await dm.createActiveDevice('above', `0 8 linear ${path} 0`);
    const error = await fails('EBUSY', () => dm.removeDevice('below'));
    assert.is(error.openCount, 1);
    assert.equal(error.holders, ["device 'above'"]);
    assert.match(error.message, /'below'; open once; held by device 'above'; close what holds it/);
    await dm.removeDevice('above');
    await dm.removeDevice('below');
  },

  'a removal is put off, and called off': async ({ dm, machine }) => {
    const { path } = await dm.createActiveDevice('below', '0 8 zero');
    await dm.createActiveDevice('above', `0 8 linear ${path} 0`);
    assert.is(await dm.removeDevice('below', { deferred: true }), 'scheduled');
    assert.ok((await dm.getDevice('below')).deferredRemove);
    await dm.cancelDeferredRemove('below');
    assert.not((await dm.getDevice('below')).deferredRemove);
    // Nothing to call off is no failure.
    await dm.cancelDeferredRemove('below');
    await dm.removeDevice('above');
    assert.is((await dm.getDevice('below')).openCount, 0);
    assert.is(await dm.removeDevice('below', { deferred: true }), 'removed');
    assert.is(machine?.exists('/dev/mapper/below') ?? false, false);
  },

  'a forced removal takes the table from who is on top': async ({ dm }) => {
    const { path } = await dm.createActiveDevice('below', '0 8 zero');
    await dm.createActiveDevice('above', `0 8 linear ${path} 0`);
    const error = await fails('EBUSY', () => dm.removeDevice('below', { force: true }));
    assert.equal(error.left, ["load the error table of 'below'"]);
    assert.is((await dm.getTable('below')).targets[0]!.type, 'error');
    await dm.removeDevice('above');
    await dm.removeDevice('below');
  },

  'a device is renamed, and its node with it': async ({ dm, machine }) => {
    const made = await dm.createActiveDevice('before', '0 8 zero', { uuid: 'TEST-renamed' });
    await dm.createDevice('taken');
    const renamed = await dm.renameDevice('before', 'after');
    assert.equal(
      [renamed.name, renamed.path, renamed.dev, renamed.uuid],
      ['after', '/dev/mapper/after', made.dev, 'TEST-renamed'],
    );
    assert.is(renamed.eventNumber, made.eventNumber + 1);
    if (machine) {
      assert.not(machine.exists('/dev/mapper/before'));
      assert.is(machine.read('/dev/mapper/after', 0, 1)[0], 0);
    }
    assert.is(await dm.findDevice('before'), undefined);
    // By whatever it is named; the kernel knows a device to rename by its name only.
    assert.is((await dm.renameDevice({ uuid: 'TEST-renamed' }, 'third')).name, 'third');
    assert.is((await dm.renameDevice({ dev: made.dev }, 'fourth')).name, 'fourth');
    const taken = await fails('EBUSY', () => dm.renameDevice('fourth', 'taken'));
    assert.is(taken.command, 'DEV_RENAME');
    await fails('EBUSY', () => dm.renameDevice('fourth', 'fourth'));
    await fails('ENXIO', () => dm.renameDevice('nobody', 'x'));
    await fails('ERR_DM_INPUT', () => dm.renameDevice('fourth', 'no/slash'));
    await dm.removeDevice('fourth');
    // Without a table it has no node either.
    assert.is((await dm.renameDevice('taken', 'given')).name, 'given');
    await dm.removeDevice('given');
  },

  'a uuid is set once': async ({ dm }) => {
    await dm.createActiveDevice('without', '0 8 zero');
    await dm.createDevice('other', { uuid: 'TEST-other' });
    await fails('EBUSY', () => dm.setUuid('without', 'TEST-other'));
    assert.is((await dm.setUuid('without', 'TEST-set')).uuid, 'TEST-set');
    assert.is((await dm.getDevice({ uuid: 'TEST-set' })).name, 'without');
    await fails('EINVAL', () => dm.setUuid('without', 'TEST-again'));
    await dm.removeDevice({ uuid: 'TEST-set' });
    await dm.removeDevice('other');
  },

  'a table is swapped while the device is in use': async ({ dm, disks: [disk], machine }) => {
    machine?.write(disk, 0, new Uint8Array(512).fill(0x41));
    await dm.createActiveDevice('swaps', '0 8 zero');
    const swapped = await dm.reloadTable('swaps', `0 16 linear ${disk} 0`);
    assert.ok(swapped.liveTable && !swapped.suspended && !swapped.inactiveTable);
    if (machine) assert.is(machine.read(swapped.path, 0, 1)[0], 0x41);
    assert.ok((await dm.reloadTable('swaps', '0 8 zero', { readOnly: true })).readOnly);
    // One that is suspended goes on running; one without a table gets its first.
    await dm.suspend('swaps', { noflush: true, skipLockfs: true });
    assert.not((await dm.reloadTable('swaps', '0 8 error')).suspended);
    await dm.removeDevice('swaps');
    await dm.createDevice('first');
    assert.ok((await dm.reloadTable('first', '0 8 zero')).liveTable);
    await dm.removeDevice('first');
  },

  'a table that cannot be swapped in leaves the old one running': async (world) => {
    const { dm, transport, over, disks } = world;
    await dm.createActiveDevice('keeps', '0 8 zero');
    const { targets } = await dm.getTable('keeps');
    const isAsBefore = async (): Promise<void> => {
      const { device, targets: now } = await dm.getTable('keeps');
      assert.equal(now, targets);
      assert.ok(device.liveTable && !device.inactiveTable && !device.suspended);
    };
    const steps: [request: number, nth: number, undone: string[]][] = [
      [REQUEST_CODE.TABLE_STATUS, 1, []],
      [REQUEST_CODE.TABLE_LOAD, 1, []],
      [REQUEST_CODE.DEV_SUSPEND, 1, ["load the table of 'keeps'"]],
      [REQUEST_CODE.DEV_SUSPEND, 2, ["suspend device 'keeps'", "load the table of 'keeps'"]],
    ];
    for (const [request, nth, undone] of steps) {
      const flaky = over(failing(transport, request, ENOMEM, nth));
      const error = await fails('ENOMEM', () => flaky.reloadTable('keeps', '0 8 error'));
      assert.equal([error.undone, error.left], [undone, []]);
      await isAsBefore();
    }
    // For real: refused at the load, which leaves nothing of an earlier one in the slot either.
    await dm.loadTable('keeps', '0 8 error');
    const refused = await fails('EINVAL', () => dm.reloadTable('keeps', '0 8 striped 0'));
    assert.is(refused.command, 'TABLE_LOAD');
    await isAsBefore();
    // And at the resume, as the disk is smaller.
    const beyond = `0 8 linear ${disks[0]} 99999999`;
    const late = await fails('EINVAL', () => dm.reloadTable('keeps', beyond));
    assert.is(late.command, 'DEV_SUSPEND');
    assert.equal(late.undone, ["suspend device 'keeps'", "load the table of 'keeps'"]);
    await isAsBefore();
    await dm.removeDevice('keeps');
  },

  'a resume that fails behind the swap is taken back': async ({ dm, transport, over }) => {
    await dm.createActiveDevice('behind', '0 8 zero');
    // As when a target's preresume fails (dm.c __dm_resume()): the new table is live, and suspended.
    const late = failingAfter(transport, REQUEST_CODE.DEV_SUSPEND, 2, async () => {
      await dm.suspend('behind');
    });
    const error = await fails('ENOMEM', () => over(late).reloadTable('behind', '0 8 error'));
    assert.equal(error.undone, ["suspend device 'behind'", "load the table of 'behind'"]);
    const { device, targets } = await dm.getTable('behind');
    assert.is(targets[0]!.type, 'zero');
    assert.ok(!device.suspended && !device.inactiveTable);
    await dm.removeDevice('behind');
  },

  'messages are answered, however long': async ({ dm }) => {
    await dm.createActiveDevice('talks', '0 8192 zero');
    assert.is(await dm.sendMessage('talks', '@stats_list'), '');
    assert.is(await dm.sendMessage('talks', ['@stats_create', '-', '/2048', 'me', 'my']), '0');
    assert.match(await dm.sendMessage('talks', '@stats_list'), /^0: 0\+8192 4 me my\n$/);
    const rows = (await dm.sendMessage('talks', '@STATS_print 0')).trimEnd().split('\n');
    assert.is(rows.length, 2048);
    assert.match(rows.at(-1)!, /^8188\+4 0 0 0/);
    assert.is(await dm.sendMessage('talks', '@stats_delete 0'), '');
    await fails('ENOENT', () => dm.sendMessage('talks', '@stats_delete 0'));
    await fails('EINVAL', () => dm.sendMessage('talks', '@nonsense'));
    await fails('EINVAL', () => dm.sendMessage('talks', 'zero knows no message'));
    await fails('EINVAL', () => dm.sendMessage('talks', 'hello', { sector: 8192 }));
    await fails('ERR_DM_INPUT', () => dm.sendMessage('talks', '@stats_list', { sector: 8 }));
    await dm.createDevice('mute');
    const mute = await fails('EINVAL', () => dm.sendMessage('mute', 'hello'));
    assert.is(mute.command, 'TARGET_MSG');
    await dm.removeDevice('mute');
    await dm.removeDevice('talks');
  },

  'target types are told, and loaded to be told': async ({ dm }) => {
    const names = (await dm.listTargets()).map(({ name }) => name);
    for (const name of ['linear', 'striped', 'error']) assert.ok(names.includes(name), name);
    const [major, minor] = await dm.getTargetVersion('linear');
    assert.ok(major === 1 && minor >= 4);
    assert.is((await dm.getTargetVersion('zero'))[0], 1);
    assert.ok((await dm.listTargets()).some(({ name }) => name === 'zero'));
    const error = await fails('EINVAL', () => dm.getTargetVersion('nosuchtarget'));
    assert.is(error.device, 'nosuchtarget');
  },

  'a geometry is set': async ({ dm }) => {
    await dm.createActiveDevice('shaped', '0 4096 zero');
    await dm.setGeometry('shaped', { cylinders: 4, heads: 16, sectors: 63, start: 0 });
    await fails('EINVAL', () =>
      dm.setGeometry('shaped', { cylinders: 1, heads: 1, sectors: 1, start: 2 }),
    );
    const wide = { cylinders: 65536, heads: 1, sectors: 1, start: 0 };
    const error = await fails('ERR_DM_INPUT', () => dm.setGeometry('shaped', wide));
    assert.match(error.message, /^geometry.cylinders: expected a whole number from 0 to 65535/);
    await fails('ENXIO', () =>
      dm.setGeometry('nobody', { cylinders: 1, heads: 1, sectors: 1, start: 0 }),
    );
    await dm.removeDevice('shaped');
  },

  'features are told by the version of the interface': async ({ dm }) => {
    const [, minor] = await dm.getVersion();
    assert.ok(await dm.supports('armPoll'));
    assert.is(await dm.supports('listUuids'), minor >= 45);
    assert.is(await dm.supports('probePaths'), minor >= 50);
    await fails('ERR_DM_INPUT', () => dm.supports('teleport' as 'armPoll'));
  },

  'a measurement is told, where the kernel has one': async ({ dm, disks: [disk] }) => {
    await dm.createActiveDevice('measured', `0 8 linear ${disk} 0`);
    if (await dm.supports('measurement')) {
      const { device, targets } = await dm.getMeasurement('measured');
      assert.is(device.name, 'measured');
      const told = targets[0]!.parameters;
      // Text only where the kernel was built to measure.
      assert.match(told, /^$|^target_name=linear,target_version=1\.\d+\.\d+,device_name=\d+:\d+,/);
    } else {
      const error = await fails('ERR_DM_UNSUPPORTED', () => dm.getMeasurement('measured'));
      assert.match(
        error.message,
        /^measurement needs device-mapper interface 4.45, the kernel has/,
      );
    }
    await dm.removeDevice('measured');
  },

  'paths are probed on the device itself': async ({ dm }) => {
    await dm.createActiveDevice('pathless', '0 8 zero');
    const known = await dm.supports('probePaths');
    const error = await fails(known ? 'ENOTTY' : 'ERR_DM_UNSUPPORTED', () =>
      dm.probePaths('pathless'),
    );
    if (known) assert.is(error.command, 'MPATH_PROBE_PATHS');
    await dm.removeDevice('pathless');
  },

  'every flag of a query is taken': async ({ dm }) => {
    await dm.createActiveDevice('asked', '0 8 zero');
    await dm.loadTable('asked', '0 8 error', { readOnly: true });
    const inactive = await dm.getDevice('asked', { inactive: true, noOpenCount: true });
    assert.ok(inactive.readOnly && inactive.inactiveTable);
    assert.not((await dm.findDevice('asked', { noOpenCount: true }))!.readOnly);
    const { targets } = await dm.getStatus('asked', { inactive: true, noflush: true });
    assert.is(targets[0]!.type, 'error');
    await dm.suspend('asked', { noflush: true });
    await dm.suspend('asked', { skipLockfs: true });
    await dm.resume('asked', { noflush: true, skipLockfs: true });
    assert.ok((await dm.getDevice('asked')).readOnly);
    await dm.removeDevice('asked');
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
