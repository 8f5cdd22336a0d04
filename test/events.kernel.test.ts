// Events of a real kernel: of targets that raise them, of devices that come and go, in bursts, without a
// thread and without keeping the process.

import {
  DM_MPATH_PROBE_PATHS,
  DeviceMapper,
  DeviceMapperSync,
  KernelTransport,
  REQUEST_CODE,
  decodeReply,
  encodeRequest,
  type DeviceEvent,
} from 'devicemapper';
import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, rejects, suite } from './harness.js';
import { leftovers } from './scenarios/machine.js';

const Events = suite('events');

Events.after.each(() => {
  assert.equal(leftovers(), []);
});

const told = ({ type, name }: DeviceEvent): string => `${type} ${name}`;

async function take(
  stream: AsyncIterator<DeviceEvent, unknown>,
  isLast: (event: DeviceEvent) => boolean,
): Promise<DeviceEvent[]> {
  const events: DeviceEvent[] = [];
  for (;;) {
    const next: IteratorResult<DeviceEvent, unknown> = await stream.next();
    if (next.done === true) throw new Error('the stream ended');
    events.push(next.value);
    if (isLast(next.value)) return events;
  }
}

Events('devices that come, are renamed and go', async () => {
  await using dm = DeviceMapper.open();
  await using other = DeviceMapper.open();
  const stream = dm.watchEvents();
  await other.createActiveDevice('comes', '0 8 zero');
  assert.equal((await take(stream, () => true)).map(told), ['added comes']);
  await other.renameDevice('comes', 'goes');
  const [renamed] = await take(stream, () => true);
  assert.equal([renamed!.type, renamed!.oldName, renamed!.name], ['renamed', 'comes', 'goes']);
  await other.setUuid('goes', 'TEST-goes');
  assert.equal((await take(stream, () => true)).map(told), ['changed goes']);
  await other.removeDevice('goes');
  const [removed] = await take(stream, () => true);
  assert.equal([removed!.type, removed!.uuid], ['removed', 'TEST-goes']);
  await stream.return?.();
});

Events('a hundred devices in a burst, by many watchers', async () => {
  await using dm = DeviceMapper.open();
  const streams = Array.from({ length: 10 }, () => dm.watchEvents());
  using other = DeviceMapperSync.open();
  const names = Array.from({ length: 100 }, (_, i) => `burst-${i}`);
  for (const name of names) other.createDevice(name);
  for (const stream of streams) {
    const seen = await take(stream, ({ name }) => name === names.at(-1));
    // Sorted by the kernel from 5.13 on, so that the last may come before others: take what is left.
    const rest = new Set(names);
    for (const { type, name } of seen) if (type === 'added') rest.delete(name);
    while (rest.size > 0) rest.delete((await take(stream, () => true))[0]!.name);
  }
  for (const name of names) other.removeDevice(name);
  for (const stream of streams) {
    const gone = new Set(names);
    while (gone.size > 0) {
      const [{ type, name } = { type: 'added', name: '' }] = await take(stream, () => true);
      assert.is(type, 'removed');
      gone.delete(name);
    }
    await stream.return?.();
  }
});

/** A pool over the two disks, whose event says that less than 64 blocks of 64 KiB are free. */
async function withPool(use: (dm: DeviceMapper) => Promise<void>): Promise<void> {
  await using dm = DeviceMapper.open();
  fs.writeFileSync('/dev/ubda', new Uint8Array(4096)); // no metadata of an earlier pool
  await dm.createActiveDevice('pool', '0 8192 thin-pool /dev/ubda /dev/ubdb 128 60');
  try {
    await dm.sendMessage('pool', ['create_thin', 0]);
    await dm.createActiveDevice('thin', '0 8192 thin /dev/mapper/pool 0');
    try {
      await use(dm);
    } finally {
      await dm.removeDevice('thin', { retry: true });
    }
  } finally {
    await dm.removeDevice('pool', { retry: true });
  }
}

Events('a thin pool that runs low raises an event, to who waits and who watches', async () => {
  await withPool(async (dm) => {
    const stream = dm.watchEvents({ devices: ['pool'] });
    const before = await dm.getDevice('pool');
    const waits = Array.from({ length: 5 }, () =>
      dm.waitForEvent('pool', { eventNumber: before.eventNumber }),
    );
    const file = await fs.promises.open('/dev/mapper/thin', 'r+');
    await file.write(new Uint8Array(1 << 20), 0, 1 << 20, 0);
    await file.sync();
    await file.close();
    for (const { eventNumber } of await Promise.all(waits)) {
      assert.is.not(eventNumber, before.eventNumber);
    }
    const [event] = await take(stream, ({ eventNumber }) => eventNumber !== before.eventNumber);
    assert.equal([event!.type, event!.name], ['changed', 'pool']);
    await stream.return?.();
  });
});

Events('a suspended pool shows its thin devices suspended by the kernel', async () => {
  await withPool(async (dm) => {
    assert.not((await dm.getDevice('thin')).internalSuspend);
    await dm.suspend('pool');
    const thin = await dm.getDevice('thin');
    assert.ok(thin.internalSuspend && !thin.suspended);
    await dm.resume('pool');
    assert.not((await dm.getDevice('thin')).internalSuspend);
  });
});

Events('a wait takes no thread, and ends at once', async () => {
  await using dm = DeviceMapper.open();
  await dm.createActiveDevice('quiet', '0 8 zero');
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const reason = new Error('no more');
  const waits = Array.from({ length: 20 }, () =>
    rejects(dm.waitForEvent('quiet', { signal: abort.signal }), (error) => error === reason),
  );
  // More than libuv has threads for, and files are read all the same.
  await fs.promises.readFile('/proc/version');
  abort.abort(reason);
  await Promise.all(waits);
  await rejects(dm.waitForEvent('quiet', { timeoutMs: 20 }), /within 20 ms$/);
  const gone = rejects(dm.waitForEvent('quiet'), /ENXIO/);
  await sleep(10);
  await dm.removeDevice('quiet');
  await gone;
});

Events(
  'a blocking wait ends with the event of another process, or when its time is up',
  async () => {
    using dm = DeviceMapperSync.open();
    dm.createActiveDevice('blocks', '0 8 zero');
    assert.throws(() => dm.waitForEvent('blocks', { timeoutMs: 50 }), /within 50 ms$/);
    const script = `
    import { DeviceMapperSync } from 'devicemapper';
    DeviceMapperSync.open().renameDevice('blocks', 'blocked');`;
    const { eventNumber, dev } = dm.getDevice('blocks');
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: 'inherit',
    });
    const ended = once(child, 'exit');
    assert.is(dm.waitForEvent({ dev }, { eventNumber, timeoutMs: 30_000 }).name, 'blocked');
    assert.is((await ended)[0], 0);
    dm.removeDevice('blocked');
  },
);

Events('the kernel wakes a DEV_WAIT, for who builds it by hand', async () => {
  const transport = KernelTransport.open();
  const dm = new DeviceMapper(transport);
  await dm.createActiveDevice('waits', '0 8 zero');
  const buffer = encodeRequest('DEV_WAIT', { name: 'waits', eventNr: 0 });
  const wait = transport.ioctlAsync(REQUEST_CODE.DEV_WAIT, buffer);
  await sleep(10);
  await dm.renameDevice('waits', 'woken');
  assert.is(await wait, 0);
  const { eventNr, targets } = decodeReply('DEV_WAIT', buffer);
  assert.equal([eventNr, targets.map(({ type }) => type)], [1, ['zero']]);
  await dm.removeDevice('woken');
  await dm.close();
});

Events('a watch that is not persistent lets the process end', async () => {
  const script = (options: string): string => `
    import { DeviceMapper } from 'devicemapper';
    const dm = DeviceMapper.open();
    dm.watchEvents(${options}).next();
    setTimeout(() => process.exit(7), 3000).unref();`;
  for (const [options, code] of [
    ['{ persistent: false }', 0],
    ['', 7],
  ] as const) {
    const args = ['--input-type=module', '-e', script(options)];
    const [exit] = (await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit')) as [
      number,
    ];
    // Nothing else keeps the second one: it is ended by the timer, if the timer still comes.
    assert.is(exit, code, options);
  }
});

Events('a mapped device is asked itself, and what cannot be opened has its errno', async () => {
  const transport = KernelTransport.open();
  const dm = new DeviceMapper(transport);
  const { path } = await dm.createActiveDevice('asked', '0 8 zero');
  const ENOENT = 2;
  const ENOTTY = 25;
  assert.is(await transport.deviceIoctl(path, DM_MPATH_PROBE_PATHS), ENOTTY);
  assert.is(transport.deviceIoctlSync(path, DM_MPATH_PROBE_PATHS), ENOTTY);
  assert.is(await transport.deviceIoctl('/dev/mapper/none', DM_MPATH_PROBE_PATHS), ENOENT);
  assert.is(transport.deviceIoctlSync('/dev/mapper/none', DM_MPATH_PROBE_PATHS), ENOENT);
  await dm.removeDevice('asked', { retry: true });
  await dm.close();
});

Events(
  'paths of a multipath device fail by a message, and are probed, where the kernel can',
  async () => {
    await using dm = DeviceMapper.open();
    const table = '0 8192 multipath 0 0 1 1 round-robin 0 1 1 /dev/ubda 1000';
    await dm.createActiveDevice('paths', table);
    // A message that raises an event: the path is told to have failed.
    const failed = dm.waitForEvent('paths', { timeoutMs: 10_000 });
    await dm.sendMessage('paths', ['fail_path', '/dev/ubda']);
    assert.ok((await failed).eventNumber > 0);
    const [before] = (await dm.getStatus('paths')).targets;
    assert.match(before!.parameters, / F 1 /);
    if (await dm.supports('probePaths')) {
      await dm.sendMessage('paths', ['reinstate_path', '/dev/ubda']);
      await dm.probePaths('paths');
    } else {
      await rejects(dm.probePaths('paths'), /^probePaths needs device-mapper interface 4.50/);
    }
    await dm.removeDevice('paths', { retry: true });
  },
);

Events.run();
