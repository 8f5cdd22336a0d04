// The model behind both clients: what a test does with it.

import {
  DeviceMapper,
  DeviceMapperSync,
  ModelKernel,
  REQUEST_CODE,
  decodeReply,
  encodeRequest,
  type KernelError,
  type ModelOptions,
  type Release,
} from 'devicemapper/model';
import { assert, rejects, suite } from '../harness.js';

const DISKS = {
  '/dev/sdb': { sectors: 4096 },
  '/dev/sdc': { sectors: 4096, dev: '8:32' },
  '/dev/native': { sectors: 4096, dev: '259:1', logicalBlockSize: 4096 },
};

const made = (options: ModelOptions = {}): [ModelKernel, DeviceMapperSync] => {
  const model = new ModelKernel({ blockDevices: DISKS, ...options });
  return [model, new DeviceMapperSync(model)];
};

/** The error of a call that the kernel refuses. */
function refused(call: () => unknown): KernelError {
  try {
    call();
  } catch (error) {
    return error as KernelError;
  }
  throw new Error('expected the kernel to refuse it');
}

const Model = suite('model');

Model('a device lives its life', () => {
  const [model, dm] = made();
  assert.is(dm.getVersion().join('.'), '4.48.0');
  const info = dm.createActiveDevice('a', '0 2048 linear /dev/sdb 0\n2048 8 zero', { uuid: 'U' });
  assert.is(info.path, '/dev/mapper/a');
  assert.is(info.dev, 253 << 8);
  assert.equal(
    dm.getTable('a').targets.map((target) => target.words),
    [['8:16', '0'], []],
  );
  assert.equal(
    dm.getDependencies('a').map(({ dev }) => dev),
    [0x810],
  );
  dm.suspend('a');
  assert.ok(dm.getDevice({ uuid: 'U' }).suspended);
  dm.resume('a');
  assert.is(dm.renameDevice('a', 'b').eventNumber, 1);
  assert.is(model.nodes.state('/dev/mapper/b', info.dev), 'ours');
  assert.is(dm.removeDevice('b'), 'removed');
  assert.equal(dm.listDevices(), []);
  assert.is(model.nodes.state('/dev/mapper/b'), 'absent');
});

Model('devices stand on each other, and are held by it', () => {
  const [model, dm] = made();
  const { dev } = dm.createActiveDevice('low', '0 64 linear 8:16 0');
  dm.createActiveDevice('high', '0 64 linear /dev/mapper/low 0');
  assert.is(dm.getDevice('low').openCount, 1);
  assert.equal(model.holders(dev), ["device 'high'"]);
  assert.is(refused(() => dm.removeDevice('low')).code, 'EBUSY');
  assert.is(dm.removeDevice('low', { deferred: true }), 'scheduled');
  dm.removeDevice('high');
  assert.is(dm.findDevice('low'), undefined);
});

Model('a table is refused as Linux refuses it', () => {
  const [, dm] = made();
  const why = (table: string): string => {
    const error = refused(() => dm.createActiveDevice('x', table));
    // A block that begins where the device's does not is warned of before it is refused.
    const line = error.kernelLog.find((text) => !text.includes('alignment inconsistency'));
    return `${error.code} ${line ?? ''}`.replace('device-mapper: table: 253:0: ', '');
  };
  assert.is(
    why('0 8 linear /dev/sdb 4090'),
    'EINVAL sdb too small for target: start=4090, len=8, dev_size=4096',
  );
  assert.is(why('0 8 linear /dev/nope 0'), 'ENOENT linear: Device lookup failed (-ENOENT)');
  assert.is(why('0 8 linear 8:99 0'), 'ENXIO linear: Device lookup failed (-ENXIO)');
  assert.is(why('0 8 linear 253:0 0'), 'EINVAL linear: Device lookup failed (-EINVAL)');
  assert.is(
    why('0 8 linear /dev/native 4'),
    'EINVAL start=4 not aligned to h/w logical block size 4096 of native',
  );
  assert.is(
    why('0 4 linear /dev/sdb 0\n4 12 linear /dev/native 0'),
    'EINVAL len=12 not aligned to h/w logical block size 4096 of native',
  );
  assert.is(why('0 8 nosuch'), 'EINVAL nosuch: unknown target type');
  const cache = '0 1024 cache 8:16 8:32 259:1 64 0 smq';
  assert.is(
    why(`${cache} 1 migration_threshold`),
    'EINVAL device-mapper: cache: Odd number of policy arguments given but they should be <key> <value> pairs.',
  );
  assert.is(
    why(`${cache} 4 migration_threshold 8 -1 9`),
    'EINVAL device-mapper: cache: bad config value for -1: 9',
  );
  assert.equal(dm.listDevices(), []);
});

Model('a refused set or mirror is logged with what the kernel counts', () => {
  const logged = (release: Release, table: string): string[] => {
    const [, dm] = made({ release });
    dm.createDevice('x');
    dm.createDevice('empty');
    const { kernelLog } = refused(() => dm.loadTable('x', table));
    return kernelLog.slice(0, -1).map((line) => line.replace('device-mapper: ', ''));
  };
  const huge = 2n ** 52n;
  const raid = `0 ${huge} raid raid1 4 3 nosync region_size +01024 2 - 8:16 - 8:32`;
  assert.equal(logged('6.12', raid), [
    'raid: Ignoring chunk size parameter for RAID 1',
    'raid: Supplied region_size (1024 sectors) below minimum (2147483648)',
    'table: 253:0: raid: Supplied region size is too small (-EINVAL)',
  ]);
  for (const [log, bits] of [
    ['core 1', 'clean'],
    ['disk 2 8:32', 'sync'],
  ]) {
    assert.equal(logged('5.10', `0 ${huge} mirror ${log} 1024 2 8:16 0 8:32 0`), [
      `dirty region log: couldn't allocate ${bits} bitset`,
      'table: 253:0: mirror: Error creating mirror dirty log',
    ]);
  }
  assert.equal(logged('5.10', '0 8192 mirror disk 2 253:1 1024 2 8:16 0 8:32 0'), [
    'dirty region log: log device 253:1 too small: need 1536 bytes',
    'table: 253:0: mirror: Error creating mirror dirty log',
  ]);
});

Model('ciphers and hashes are refused in the order in which they are looked up', () => {
  const [, dm] = made({ release: '6.12' });
  dm.createDevice('x');
  const why = (table: string): string[] => {
    const { code, kernelLog } = refused(() => dm.loadTable('x', table));
    const lines = kernelLog.slice(0, -1).map((line) => line.replace(/^.*253:0: /, ''));
    return [code, ...lines];
  };
  const noKey = 'crypt: Error decoding and setting key (-EINVAL)';
  assert.equal(why('0 8 crypt cipher_null-ecb 00 0 8:16 0'), ['EINVAL', noKey]);
  assert.equal(why('0 8 crypt cipher_null-ecb-plain 00 x 8:16 0'), [
    'EINVAL',
    'trusted_key: device-mapper: crypt: Selected cipher does not support IVs',
    noKey,
  ]);
  assert.equal(why('0 8 crypt cipher_null-xts-plain64 - 0 8:16 0'), [
    'EINVAL',
    'crypt: Error allocating crypto tfm (-EINVAL)',
  ]);
  for (const [options, what] of [
    ['1 internal_hash:nosuch', 'Invalid internal hash (-ENOENT)'],
    ['2 internal_hash:sha256 journal_mac:nosuch', 'Invalid journal mac (-ENOENT)'],
  ] as const) {
    assert.equal(why(`0 8 integrity 8:16 0 99999 J ${options}`), ['ENOENT', `integrity: ${what}`]);
  }
  assert.equal(why('0 8 integrity 8:16 0 8 J 1 journal_crypt:nosuch'), [
    'ENOENT',
    'integrity: Invalid journal cipher (-ENOENT)',
  ]);
});

Model('of several modes of verity the last one counts, before they are refused', () => {
  const [, dm] = made({ release: '5.10' });
  dm.createDevice('x');
  const root = '00112233445566778899aabbccddeeff'.repeat(2);
  const line = (modes: string): string =>
    `0 8 verity 1 8:16 8:32 4096 4096 1 1 sha256 ${root} - ${modes}`;
  const table = line('3 restart_on_corruption ignore_corruption panic_on_corruption');
  dm.loadTable('x', table, { readOnly: true });
  const [target] = dm.getTable('x', { inactive: true }).targets;
  assert.is(`0 8 verity ${target!.parameters}`, line('1 panic_on_corruption'));
});

Model('a multipath begins with its first group where the one it names is not there', () => {
  const [, dm] = made();
  dm.createActiveDevice('x', '0 64 multipath 0 0 1 10 queue-length 0 1 1 8:16 1');
  assert.is(dm.getTable('x').targets[0]?.parameters, '0 0 1 1 queue-length 0 1 1 8:16 1 ');
});

Model('who hands over its store gets the one that took it', () => {
  // As Linux 6.1 and 6.12 did.
  for (const [store, taker, after, before] of [
    ['P 16', 'N 8', 'P 16', 'N 0'],
    ['PO 16', 'P 32', 'P 16', 'P 0'],
    ['PO 16', 'PO 0', 'PO 16', 'PO 0'],
  ]) {
    const [, dm] = made();
    const told = (name: string): string | undefined =>
      dm.getTable(name).targets[0]?.words.slice(2).join(' ');
    dm.createActiveDevice('a', `0 64 snapshot 8:16 8:32 ${store}`);
    dm.createDevice('b');
    dm.loadTable('b', `0 64 snapshot 8:16 8:32 ${taker}`);
    dm.suspend('a');
    dm.resume('b');
    assert.equal([told('b'), told('a')], [after, before], taker);
  }
});

Model('a removal that was put off tells what it leaves before Linux 6.1 only', () => {
  for (const [release, lines] of [
    ['5.10', ['device-mapper: ioctl: remove_all left 1 open device(s)']],
    ['6.1', []],
    ['6.12', []],
  ] as const) {
    const [model, dm] = made({ release });
    dm.createActiveDevice('other', '0 8 zero');
    dm.createActiveDevice('low', '0 64 linear 8:16 0');
    dm.createActiveDevice('high', '0 64 linear /dev/mapper/low 0');
    dm.removeDevice('low', { deferred: true });
    const request = encodeRequest('DEV_REMOVE', { name: 'high' });
    assert.is(model.ioctl(REQUEST_CODE.DEV_REMOVE, request), 0);
    assert.equal(model.kernelLog(), lines, release);
    assert.is(dm.findDevice('low'), undefined);
  }
});

Model('a pool is there for as long as a thin device on it', () => {
  const [, dm] = made();
  dm.createActiveDevice('pool', '0 4096 thin-pool /dev/sdc /dev/sdb 128 0');
  dm.sendMessage('pool', 'create_thin 0');
  dm.createActiveDevice('thin', '0 64 thin /dev/mapper/pool 0');
  dm.loadTable('pool', '0 64 error');
  dm.suspend('pool', { noflush: true });
  dm.resume('pool');
  dm.createDevice('other');
  const load = (): unknown => dm.loadTable('other', '0 4096 thin-pool /dev/sdc /dev/sdb 128 0');
  assert.is(refused(load).code, 'EBUSY');
});

Model('an integrity that is refused has given its device a profile, before Linux 6.11', () => {
  for (const [release, lines] of [
    ['6.1', ['device-mapper: table: 253:0: unable to establish an integrity profile']],
    ['6.12', []],
  ] as const) {
    const [model, dm] = made({ release });
    dm.createDevice('x');
    refused(() => dm.loadTable('x', '0 64 integrity 8:16 0 4 D 0\n64 8 zero'));
    const request = encodeRequest('TABLE_LOAD', { name: 'x', targets: '0 8 zero' });
    assert.is(model.ioctl(REQUEST_CODE.TABLE_LOAD, request), 0);
    assert.equal(model.kernelLog(), lines, release);
  }
});

Model('a raid takes messages while it is suspended, before Linux 6.12, and waits', () => {
  const said = (release: Release): (string | undefined)[] => {
    const [, dm] = made({ release });
    dm.createActiveDevice('x', '0 64 raid raid1 2 0 nosync 2 - 8:16 - 8:32');
    dm.suspend('x');
    return ['nonsense', 'check', 'nonsense', 'idle', 'check'].map((message) => {
      try {
        dm.sendMessage('x', message);
        return undefined;
      } catch (error) {
        return (error as KernelError).code;
      }
    });
  };
  const waits = ['EINVAL', undefined, 'EBUSY', undefined, 'EBUSY'];
  assert.equal(said('5.10'), waits);
  assert.equal(said('6.1'), waits);
  assert.equal(said('6.12'), Array(5).fill('EBUSY'));
});

Model('a hardware handler is not for bios', () => {
  const [model, dm] = made();
  dm.createDevice('x');
  const words = 'multipath 2 queue_mode bio 1 alua 1 1 queue-length 0 1 1 8:16 1';
  const request = encodeRequest('TABLE_LOAD', { name: 'x', targets: `0 64 ${words}` });
  assert.is(model.ioctl(REQUEST_CODE.TABLE_LOAD, request), 0);
  const said = "device-mapper: multipath: bio-based multipath doesn't allow hardware handler args";
  assert.is(model.kernelLog()[0], said);
  const { kernelLog } = refused(() => dm.loadTable('x', `0 64 ${words.replace('1 1 q', '1 0 q')}`));
  assert.is(kernelLog[0], said);
});

Model('of a key no half of a byte is looked at', () => {
  const [, dm] = made();
  const key = '00112233445566778899AABBCCDDEEFF';
  dm.createActiveDevice('x', `0 8 crypt capi:cbc(aes)-plain64 ${key}x 0 8:16 0`);
  const [target] = dm.getTable('x', { showKeys: true }).targets;
  assert.match(new TextDecoder().decode(target?.parameters), ` ${key.toLowerCase()} 0 8:16 0`);
});

Model('lower devices that disagree on where blocks begin are warned of', () => {
  // As Linux 5.10 and 6.12 did: twice for a load, of the same devices in the same order.
  const [model, dm] = made();
  dm.createActiveDevice('s', '0 2048 striped 2 64 8:16 0 8:32 0');
  const said = (table: string): string[] => {
    dm.createDevice('y');
    const request = encodeRequest('TABLE_LOAD', { name: 'y', targets: table });
    assert.is(model.ioctl(REQUEST_CODE.TABLE_LOAD, request), 0);
    const lines = model.kernelLog();
    dm.removeDevice('y');
    return lines.map((line) => line.replace('device-mapper: table: 253:1: ', ''));
  };
  const device = (start: number): string =>
    `adding target device dm-0 caused an alignment inconsistency: physical_block_size=512, logical_block_size=512, alignment_offset=0, start=${start}`;
  const target = 'adding target device (start sect 8 len 8) caused an alignment inconsistency';
  assert.equal(said('0 8 delay 253:0 0 5 253:0 1 5'), [device(512), device(512)]);
  assert.equal(said('0 8 linear 253:0 1\n8 8 linear 253:0 2'), [target]);
  assert.equal(said('0 8 linear 8:16 1\n8 8 linear 253:0 2'), []);
  assert.equal(said('0 8 delay 253:0 3 5 8:16 1 5'), []);
});

Model('a device that loses its integrity profile says so, as before Linux 6.11', () => {
  for (const [release, lines] of [
    ['5.10', 1],
    ['6.1', 1],
    ['6.12', 0],
  ] as const) {
    const [model, dm] = made({ release });
    dm.createActiveDevice('e', '0 1024 integrity 8:16 0 4 R 0');
    dm.loadTable('e', '0 8 zero');
    const resume = encodeRequest('DEV_SUSPEND', { name: 'e' });
    assert.is(model.ioctl(REQUEST_CODE.DEV_SUSPEND, resume), 0);
    const said = 'device-mapper: table: 253:0: unable to establish an integrity profile';
    assert.equal(
      model.kernelLog(),
      Array.from({ length: lines }, () => said),
      release,
    );
  }
});

Model('what follows the N of a snapshot is not looked at', () => {
  const [, dm] = made();
  dm.createActiveDevice('s', '0 8 snapshot 8:16 8:32 n0 8');
  assert.is(dm.getTable('s').targets[0]?.parameters, '8:16 8:32 N 8');
});

Model('who waits for the store of a snapshot that goes is invalid', () => {
  // As Linux 6.12 answered to the same.
  const [, dm] = made();
  dm.createActiveDevice('s', '0 4096 snapshot /dev/sdb /dev/sdc P 8');
  dm.createDevice('d');
  dm.loadTable('d', '0 4096 snapshot /dev/sdb /dev/sdc P 16');
  const told = (inactive: boolean): unknown[] =>
    [dm.getTable('d', { inactive }), dm.getStatus('d', { inactive })].map(
      ({ targets }) => targets[0]?.parameters,
    );
  assert.equal(told(true), ['8:16 8:32 P 0', '0/4096 0']);
  const why = (name: string): string | undefined => refused(() => dm.resume(name)).kernelLog[0];
  assert.match(why('d')!, 'Unable to perform snapshot handover until source is suspended.');
  dm.suspend('s');
  assert.match(why('s')!, 'Unable to resume snapshot source until handover completes.');
  dm.removeDevice('s');
  assert.equal(told(false), ['8:16 8:32 P 0', 'Invalid']);
  dm.resume('d');
  assert.equal(told(false), ['8:16 8:32 P 0', 'Invalid']);
});

Model('a cache uses metadata as it did in guests', () => {
  // As dm-cache-target.c answered on 5.10 and 6.12: loaded, resumed, asked so that
  // it commits, and from the first suspend on.
  const told = (blocks: number, features: string): number[] => {
    const [, dm] = made({
      blockDevices: {
        '/dev/meta': { sectors: 8192 },
        '/dev/fast': { sectors: 2037 * 64 },
        '/dev/slow': { sectors: 16384 },
      },
    });
    dm.createActiveDevice('fast', `0 ${blocks * 64} linear /dev/fast 0`);
    dm.createDevice('c');
    const paths = '/dev/meta /dev/mapper/fast /dev/slow';
    dm.loadTable('c', `0 16384 cache ${paths} 64 ${features} smq 0`);
    const used = (how: { inactive?: boolean; noflush?: boolean }): number => {
      const [target] = dm.getStatus('c', how).targets;
      return target?.type === 'cache' && target.status.state === 'active'
        ? target.status.metadata.used
        : NaN;
    };
    const all = [used({ inactive: true })];
    dm.resume('c');
    all.push(used({ noflush: true }), used({}));
    dm.suspend('c');
    dm.resume('c');
    all.push(used({ noflush: true }));
    return all;
  };
  assert.equal(told(128, '0'), [6, 9, 7, 10]);
  assert.equal(told(510, '0'), [6, 10, 8, 11]);
  assert.equal(told(2037, '0'), [6, 13, 11, 16]);
  assert.equal(told(128, '1 metadata2'), [7, 12, 9, 12]);
  assert.equal(told(1024, '2 metadata2 passthrough'), [7, 14, 11, 15]);
});

Model('each era target counts for itself, from what was committed last', () => {
  // As Linux 5.10 and 6.12 did.
  const [, dm] = made();
  const table = '0 4096 era 8:16 8:32 16';
  const eras = (): string[] =>
    dm.listDevices().map(({ name }) => {
      const words = dm.getStatus(name, { noflush: true }).targets[0]!.parameters.split(' ');
      return `${words[2]} ${words[3] === '-' ? '-' : 'held'}`;
    });
  const restart = (name: string): void => {
    dm.suspend(name);
    dm.resume(name);
  };
  dm.createActiveDevice('e', table);
  assert.equal(eras(), ['1 -']);
  dm.loadTable('e', table);
  restart('e');
  dm.sendMessage('e', 'checkpoint');
  assert.equal(eras(), ['3 -']);
  dm.createActiveDevice('f', table);
  dm.sendMessage('f', 'checkpoint');
  assert.equal(eras(), ['3 -', '5 -']);
  dm.suspend('e');
  restart('f');
  dm.resume('e');
  assert.equal(eras(), ['4 -', '6 -']);
  dm.removeDevice('f');
  dm.sendMessage('e', 'take_metadata_snap');
  dm.createActiveDevice('f', table);
  dm.sendMessage('e', 'drop_metadata_snap');
  assert.equal(eras(), ['5 -', '6 held']);
});

Model('a table that does not fit when it is swapped in leaves the device suspended', () => {
  const [, dm] = made();
  dm.createActiveDevice('low', '0 64 zero');
  dm.createActiveDevice('high', '0 64 linear /dev/mapper/low 0');
  dm.loadTable('high', '0 128 linear /dev/mapper/low 0');
  const error = refused(() => dm.resume('high'));
  assert.is(error.code, 'EINVAL');
  assert.match(error.kernelLog[0]!, /dm-0 too small for target: start=0, len=128, dev_size=64/);
  const { suspended, inactiveTable } = dm.getDevice('high');
  assert.equal([suspended, inactiveTable], [true, false]);
  dm.resume('high');
  assert.is(dm.getDevice('high').suspended, false);
});

Model('a pool keeps its thin devices, whatever happens to its table', () => {
  const [model, dm] = made();
  const pool = '0 4096 thin-pool /dev/sdc /dev/sdb 128 0';
  dm.createActiveDevice('pool', pool);
  dm.sendMessage('pool', 'create_thin 7');
  const error = refused(() => dm.createActiveDevice('thin', '0 64 thin /dev/mapper/pool 8'));
  assert.is(error.code, 'ENODATA');
  dm.createActiveDevice('thin', '0 64 thin /dev/mapper/pool 7');
  assert.is(refused(() => dm.sendMessage('pool', 'delete 7')).code, 'EBUSY');
  dm.suspend('pool');
  assert.ok(dm.getDevice('thin').internalSuspend);
  // There is no other thread that could end this wait.
  assert.is(refused(() => dm.suspend('thin')).code, 'EINTR');
  dm.resume('pool');
  dm.removeDevice('thin');
  dm.removeDevice('pool');
  dm.createActiveDevice('pool', pool);
  dm.sendMessage('pool', 'delete 7');
  dm.removeDevice('pool');
  model.wipe('/dev/sdc');
  dm.createActiveDevice('pool', pool);
  assert.is(refused(() => dm.sendMessage('pool', 'delete 7')).code, 'ENODATA');
});

Model('what is suspended by its pool waits, and goes on with it', async () => {
  const [model, dm] = made();
  dm.createActiveDevice('pool', '0 4096 thin-pool /dev/sdc /dev/sdb 128 0');
  dm.sendMessage('pool', 'create_thin 0');
  dm.createActiveDevice('thin', '0 64 thin /dev/mapper/pool 0');
  dm.suspend('pool');
  const later = new DeviceMapper(model).suspend('thin');
  await new Promise((resolve) => setTimeout(resolve));
  assert.is(dm.getDevice('thin').suspended, false);
  dm.resume('pool');
  assert.is((await later).suspended, true);
});

Model('releases differ where kernels do', () => {
  const controls = (release: Release): string => {
    const [, dm] = made({ release });
    try {
      dm.createDevice('control');
      return 'made';
    } catch (error) {
      return (error as KernelError).code;
    }
  };
  assert.equal((['5.10', '6.1', '6.12', '7.2'] as const).map(controls), [
    'made',
    'made',
    'EINVAL',
    'EINVAL',
  ]);
  const offsets = (release: Release): string => {
    const [, dm] = made({ release });
    dm.createDevice('x');
    dm.loadTable('x', '0 8 zero');
    dm.loadTable('x', '0 8 linear 8:16 99999999999999999999');
    return dm.getTable('x', { inactive: true }).targets[0]!.words[1]!;
  };
  assert.is(offsets('6.12'), '7766279631452241919');
  assert.is(offsets('7.2'), '18446744073709551615');
  const [, old] = made({ release: '5.10' });
  for (const name of ['a', 'b', 'c', 'd']) old.createDevice(name);
  assert.is.not(
    old
      .listDevices()
      .map(({ name }) => name)
      .join(''),
    'abcd',
  );
  const probes = (release: Release): number => {
    const [model, dm] = made({ release });
    dm.createActiveDevice('m', '0 8 multipath 0 0 1 1 round-robin 0 1 1 8:16 1');
    return model.deviceIoctlSync('/dev/dm-0', 0xfd12);
  };
  assert.equal([probes('6.12'), probes('7.2')], [25, 0]);
});

Model('the nth call of a kind fails, once, and nothing is done', () => {
  const [model, dm] = made();
  model.fail({ command: 'DEV_SUSPEND', nth: 2, errno: 'ENOMEM' });
  dm.createActiveDevice('a', '0 8 zero');
  const error = refused(() => dm.createActiveDevice('b', '0 8 zero'));
  assert.equal([error.code, error.undone], ['ENOMEM', ["create device 'b'"]]);
  dm.createActiveDevice('b', '0 8 zero');
  model.fail({ command: 'DEV_REMOVE', errno: 5 });
  assert.is(refused(() => dm.removeDevice('a')).code, 'EIO');
  assert.equal(
    dm.listDevices().map(({ name }) => name),
    ['a', 'b'],
  );
});

Model('an opener keeps a device, and waits take none but its own time', () => {
  const [model, dm] = made();
  dm.createActiveDevice('a', '0 8 zero');
  const holder = model.open('a');
  const [before, began] = [model.now, performance.now()];
  assert.is(refused(() => dm.removeDevice('a', { retry: true })).code, 'EBUSY');
  assert.is(model.now - before, 24 * 200);
  assert.ok(performance.now() - began < 1000);
  holder.close();
  holder.close();
  dm.removeDevice('a');
  model.delay(10);
  const now = model.now;
  dm.getVersion();
  dm.listDevices();
  assert.is(model.now - now, 20);
});

Model('sleepers wake in the order of their time', async () => {
  const [model] = made();
  const woken: string[] = [];
  const sleep = async (ms: number): Promise<void> => {
    await model.sleep(ms);
    woken.push(`${ms} at ${model.now}`);
  };
  await Promise.all([sleep(300), sleep(100), sleep(200)]);
  assert.equal(woken, ['100 at 100', '200 at 200', '300 at 300']);
  const aborted = AbortSignal.abort();
  await model.sleep(1e9, aborted);
  assert.is(model.now, 300);
});

Model('events are raised, waited for and watched', async () => {
  const [model, sync] = made();
  const dm = new DeviceMapper(model);
  sync.createActiveDevice('a', '0 8 zero');
  const waited = dm.waitForEvent('a', { eventNumber: 0 });
  model.raise('a');
  assert.is((await waited).eventNumber, 1);
  const controller = new AbortController();
  const told: string[] = [];
  const watching = (async () => {
    for await (const event of dm.watchEvents({ signal: controller.signal })) {
      told.push(`${event.type} ${event.name}`);
      if (told.length === 3) controller.abort();
    }
  })().catch((error: unknown) => {
    if ((error as Error).name !== 'AbortError') throw error;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  model.raise('/dev/dm-0');
  await new Promise((resolve) => setTimeout(resolve, 20));
  sync.createDevice('b');
  await new Promise((resolve) => setTimeout(resolve, 20));
  sync.removeDevice('a');
  await watching;
  assert.equal(told, ['changed a', 'added b', 'removed a']);
});

Model('a wait that nothing can end is interrupted', async () => {
  const [model, dm] = made();
  dm.createActiveDevice('a', '0 8 zero');
  const request = (): Uint8Array => encodeRequest('DEV_WAIT', { name: 'a', dataSize: 16384 });
  assert.is(model.ioctl(REQUEST_CODE.DEV_WAIT, request()), 4);
  const buffer = request();
  const waiting = model.ioctlAsync(REQUEST_CODE.DEV_WAIT, buffer);
  await Promise.resolve();
  dm.removeDevice('a');
  assert.is(await waiting, 0);
  const { eventNr, targets } = decodeReply('DEV_WAIT', buffer);
  assert.equal([eventNr, targets.length], [1, 1]);
});

Model('a snapshot is gone back to, as often as one likes', async () => {
  const [model, dm] = made();
  dm.createActiveDevice('pool', '0 4096 thin-pool /dev/sdc /dev/sdb 128 0');
  const before = model.snapshot();
  const told = model.toString();
  for (let i = 0; i < 2; i++) {
    dm.sendMessage('pool', 'create_thin 0');
    dm.createActiveDevice('thin', '0 64 thin /dev/mapper/pool 0');
    dm.suspend('pool');
    const waiting = model.ioctlAsync(
      REQUEST_CODE.DEV_WAIT,
      encodeRequest('DEV_WAIT', { name: 'pool', eventNr: 0, dataSize: 16384 }),
    );
    await Promise.resolve();
    model.restore(before);
    assert.is(await waiting, 4);
    assert.is(model.toString(), told);
  }
  const [other] = made({ release: '6.1' });
  assert.throws(() => {
    other.restore(before);
  }, /expected a snapshot of 6\.1, got one of 6\.12/);
});

Model('it can be read', () => {
  const [model, dm] = made();
  dm.createActiveDevice('low', '0 64 linear /dev/sdb 8', { uuid: 'LVM-x' });
  dm.createActiveDevice('high', '0 64 linear /dev/mapper/low 0');
  dm.loadTable('high', '0 8 zero');
  dm.suspend('high');
  dm.createActiveDevice('secret', `0 8 crypt aes-xts-plain64 ${'5a'.repeat(32)} 0 8:32 0`);
  assert.is(
    model.toString(),
    [
      'Linux 6.12, device-mapper 4.48.0: 3 devices',
      'high (253:1): 64 sectors, suspended, on dm-0',
      '  live: 0 64 linear 253:0 0',
      '  inactive: 0 8 zero',
      'low (253:0): uuid LVM-x, 64 sectors, open 1, on sdb, below high',
      '  live: 0 64 linear 8:16 8',
      'secret (253:2): 8 sectors, on sdc',
      `  live: 0 8 crypt aes-xts-plain64 ${'0'.repeat(64)} 0 8:32 0`,
      '/dev/sdb (8:16): 4096 sectors, below low',
      '/dev/sdc (8:32): 4096 sectors, below secret',
      '/dev/native (259:1): 4096 sectors',
    ].join('\n'),
  );
});

Model('options and devices that do not exist are refused with their place', async () => {
  const bad = (blockDevices: ModelOptions['blockDevices']): (() => unknown) => {
    return () => new ModelKernel({ blockDevices: blockDevices! });
  };
  const place = (path: string) => (error: Error) =>
    error.name === 'InputError' && (error as Error & { path?: string }).path === path;
  assert.throws(bad({ '/dev/x': { sectors: -1 } }), place('blockDevices["/dev/x"].sectors'));
  assert.throws(bad({ '/dev/x': { sectors: 8, dev: 'x' } }), place('blockDevices["/dev/x"].dev'));
  const [model] = made();
  assert.throws(() => model.open('nope'), place('device'));
  assert.throws(() => {
    model.raise('nope');
  }, place('device'));
  assert.throws(() => {
    model.wipe('/dev/nope');
  }, place('path'));
  const aborted = AbortSignal.abort(new Error('enough'));
  const call = model.ioctlAsync(REQUEST_CODE.VERSION, encodeRequest('VERSION', {}), {
    signal: aborted,
  });
  await rejects(call, /enough/);
});

Model.run();
