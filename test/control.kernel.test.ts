// The transport to the kernel: nodes, and why there may be no kernel to talk to.

import {
  DeviceMapper,
  DeviceMapperSync,
  KernelTransport,
  REQUEST_CODE,
  type DeviceInfo,
} from 'devicemapper';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { assert, rejects, suite } from './harness.js';
import { leftovers } from './scenarios/machine.js';
import { membersOf } from './scenarios/world.js';

const PATH = '/dev/mapper/node';
const Control = suite('control');

Control.after.each(() => {
  assert.equal(leftovers(), []);
});

/** The error of `call`, which must throw one with this code. */
function thrown(code: string, call: () => unknown): Error & { reason?: string } {
  try {
    call();
  } catch (error) {
    assert.is((error as { code?: string }).code, code, String(error));
    return error as Error;
  }
  throw new Error(`expected ${code}, but it worked`);
}

Control('a node can be opened at once, and is gone after the removal', () => {
  using dm = DeviceMapperSync.open();
  for (let i = 0; i < 20; i++) {
    const { path, dev } = dm.createActiveDevice('node', '0 8 zero');
    assert.is(path, PATH);
    const fd = fs.openSync(path, 'r');
    assert.is(fs.fstatSync(fd).rdev, dev);
    fs.closeSync(fd);
    dm.removeDevice('node');
    assert.not(fs.lstatSync(path, { throwIfNoEntry: false }));
  }
});

Control('a stale link is replaced, dangling or of another device', () => {
  using dm = DeviceMapperSync.open();
  const other = dm.createActiveDevice('another', '0 8 zero');
  for (const target of ['../dm-4000', `../dm-${other.minor}`, `/dev/dm-${other.minor}`]) {
    fs.symlinkSync(target, PATH);
    const { path, dev } = dm.createActiveDevice('node', '0 16 zero');
    assert.is(fs.statSync(path).rdev, dev);
    dm.removeDevice('node');
  }
  assert.is(fs.statSync(other.path).rdev, other.dev);
  dm.removeDevice('another');
});

Control("what is somebody else's stays as it is, and no device is left", () => {
  using dm = DeviceMapperSync.open();
  const others = {
    file: () => {
      fs.writeFileSync(PATH, 'mine');
    },
    'link to a file': () => {
      fs.symlinkSync('/etc/hostname', PATH);
    },
    'link to a disk': () => {
      fs.symlinkSync('/dev/ubda', PATH);
    },
    directory: () => {
      fs.mkdirSync(PATH);
    },
    'node of a disk': () => {
      execFileSync('mknod', [PATH, 'b', '98', '0']);
    },
  };
  for (const [what, make] of Object.entries(others)) {
    make();
    const before = fs.lstatSync(PATH);
    for (const call of [
      () => dm.createActiveDevice('node', '0 8 zero'),
      () => dm.createDevice('node'),
    ]) {
      const error = thrown('ERR_DM_NODE', call);
      assert.match(error.message, `${PATH}: `, what);
      assert.is(dm.findDevice('node'), undefined);
    }
    const { ino, mode, rdev } = fs.lstatSync(PATH);
    assert.equal([ino, mode, rdev], [before.ino, before.mode, before.rdev], what);
    fs.rmSync(PATH, { recursive: true });
  }
});

Control('what came to stand there in between is left alone too', () => {
  const transport = KernelTransport.open();
  using dm = new DeviceMapperSync({
    ...membersOf(transport),
    ioctl(request, buffer) {
      if (request === REQUEST_CODE.TABLE_LOAD) fs.writeFileSync(PATH, 'mine');
      return transport.ioctl(request, buffer);
    },
  });
  const error = thrown('ERR_DM_NODE', () => dm.createActiveDevice('node', '0 8 zero'));
  assert.equal((error as { undone?: unknown }).undone, ["create device 'node'"]);
  assert.is(fs.readFileSync(PATH, 'utf8'), 'mine');
  fs.unlinkSync(PATH);
});

Control('a name taken anew during the removal keeps its node', () => {
  const transport = KernelTransport.open();
  using other = DeviceMapperSync.open();
  let made: DeviceInfo | undefined;
  using dm = new DeviceMapperSync({
    ...membersOf(transport),
    nodes: {
      state: (path, dev) => transport.nodes.state(path, dev),
      make: (path, dev) => {
        transport.nodes.make(path, dev);
      },
      settled: () => transport.nodes.settled(),
      remove(path) {
        // At the worst of all moments.
        made ??= other.createActiveDevice('node', '0 16 zero');
        transport.nodes.remove(path);
      },
    },
  });
  dm.createActiveDevice('node', '0 8 zero');
  dm.removeDevice('node');
  assert.is(fs.statSync(PATH).rdev, made?.dev);
  dm.removeDevice('node');
});

Control('where /dev has no dm-N, a block node is made', () => {
  using dm = DeviceMapperSync.open();
  dm.createDevice('node');
  const { dev, minor } = dm.loadTable('node', '0 8 zero');
  // Before Linux 5.15 the device's node is there from its creation on.
  fs.rmSync(`/dev/dm-${minor}`);
  const { path } = dm.resume('node');
  const node = fs.lstatSync(path);
  assert.ok(node.isBlockDevice());
  assert.is(node.rdev, dev);
  assert.is(fs.readFileSync(path).length, 4096);
  dm.removeDevice('node');
  assert.not(fs.existsSync(path));
});

Control('a table that is resumed again leaves the node alone', () => {
  using dm = DeviceMapperSync.open();
  const { path } = dm.createActiveDevice('node', '0 8 zero');
  const { ino } = fs.lstatSync(path);
  dm.suspend('node');
  dm.resume('node');
  assert.is(fs.lstatSync(path).ino, ino);
  dm.removeDevice('node');
});

// ── Why there is no kernel ───────────────────────────────────────────────────────────────────────

const unavailable = (path?: string): [reason: string | undefined, message: string] => {
  const options = path === undefined ? {} : { path };
  const error = thrown('ERR_DM_UNAVAILABLE', () => DeviceMapper.open(options));
  return [error.reason, error.message];
};

Control('no control node', () => {
  assert.equal(unavailable('/dev/nowhere/control')[0], 'no-control-node');
  const [reason, message] = unavailable('/dev/mapper/nowhere');
  assert.is(reason, 'no-control-node');
  // It names the minor that this kernel gave device-mapper.
  assert.match(message, /mknod \/dev\/mapper\/control c 10 \d+/);
});

Control('no device-mapper behind the node', () => {
  assert.is(unavailable('/dev/null')[0], 'no-device-mapper');
  const path = '/dev/no-driver';
  execFileSync('mknod', [path, 'c', '240', '77']);
  assert.is(unavailable(path)[0], 'no-device-mapper');
  fs.unlinkSync(path);
});

Control('no permission, of the node or of the kernel', () => {
  const control = '/dev/mapper/control';
  const { mode } = fs.statSync(control);
  process.seteuid?.(65534);
  try {
    assert.is(unavailable()[0], 'no-permission');
    process.seteuid?.(0);
    fs.chmodSync(control, 0o666);
    process.seteuid?.(65534);
    const [reason, message] = unavailable();
    assert.is(reason, 'no-permission');
    assert.match(message, /CAP_SYS_ADMIN/);
  } finally {
    process.seteuid?.(0);
    fs.chmodSync(control, mode);
  }
});

Control('no koffi', () => {
  const program = `import { DeviceMapper } from 'devicemapper';
    try { DeviceMapper.open(); } catch ({ code, reason, message }) { console.log(code, reason, message); }`;
  const args = ['--no-addons', '--input-type=module', '--eval', program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.match(stdout, /^ERR_DM_UNAVAILABLE no-koffi the package koffi/, stderr);
});

Control('a closed handle, and a buffer that is smaller than it says', async () => {
  const transport = KernelTransport.open();
  const asks = (size: number, dataSize: number) => (): number => {
    const request = new Uint8Array(size);
    if (size >= 16) new DataView(request.buffer).setUint32(12, dataSize, true);
    return transport.ioctl(REQUEST_CODE.LIST_DEVICES, request);
  };
  assert.throws(asks(0, 0), /at least 305 bytes, got 0$/);
  assert.throws(asks(304, 304), /at least 305 bytes, got 304$/);
  assert.throws(asks(312, 313), /offset 12: data_size is 313, but the buffer has 312 bytes/);
  assert.throws(asks(312, 2 ** 32 - 1), /data_size is 4294967295/);
  assert.is(asks(312, 312)(), 22, 'no version');
  transport.close();
  transport.close();
  const buffer = new Uint8Array(312);
  thrown('ERR_DM_CLOSED', () => transport.ioctl(REQUEST_CODE.VERSION, buffer));
  const late = await rejects(transport.ioctlAsync(REQUEST_CODE.VERSION, buffer));
  assert.is((late as { code?: string }).code, 'ERR_DM_CLOSED');
  const dm = DeviceMapperSync.open();
  dm.close();
  dm.close();
  thrown('ERR_DM_CLOSED', () => dm.getVersion());
});

Control.run();
