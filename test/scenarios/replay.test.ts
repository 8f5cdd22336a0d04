// The scenarios on recordings of a real kernel, byte for byte, with both clients; test/record.ts makes
// the recordings.

import {
  DeviceMapper,
  DeviceMapperSync,
  REQUEST_CODE,
  encodeReply,
  encodeRequest,
  record,
  replay,
  type RecordedCall,
  type Transport,
  type UdevMode,
} from 'devicemapper/model';
import { readFileSync, readdirSync } from 'node:fs';
import { assert, rejects, suite } from '../harness.js';
import { scenarios } from './scenarios.js';

/** Beside the sources: this file runs from build/js/test/scenarios. */
const RECORDINGS = new URL('../../../../test/recordings/', import.meta.url);

const Replay = suite('replay');

for (const [title, scenario] of Object.entries(scenarios)) {
  for (const Client of [DeviceMapper, DeviceMapperSync]) {
    Replay(`${title}, ${Client.name}`, async () => {
      const transport = replay(linesOf(title));
      const over = (other: Transport): InstanceType<typeof Client> => new Client(other);
      await scenario({
        dm: over(transport),
        transport,
        over,
        disks: ['/dev/ubda', '/dev/ubdb'],
      });
    });
  }
}

Replay('there is no recording without its scenario', () => {
  const names = readdirSync(RECORDINGS).filter((name) => name.endsWith('.scenario.jsonl'));
  assert.equal(names.sort(), Object.keys(scenarios).map(fileOf).sort());
});

Replay('a call that was not recorded throws and names the first byte', () => {
  const dm = new DeviceMapperSync(replay(linesOf('devices are listed, all and by prefix')));
  assert.equal(dm.listDevices(), []);
  const place = /^replay: call \d+, .*nodes.state|replay: call \d+/;
  assert.throws(() => dm.createDevice('list-x', { uuid: 'TEST-a' }), place);
  const other = new DeviceMapperSync(replay(linesOf('devices are listed, all and by prefix')));
  assert.throws(
    () => other.listDevices({ namePrefix: 'x' }),
    /^replay: call 0, ioctl 0xc138fd02: byte 48 is 120, the recording has 0$/,
  );
});

/** Fails at the load, so that every member is asked: a node, the log, a wait, the way back. */
function flaky(): Transport {
  const states = ['absent', 'ours', 'stale'] as const;
  let looks = 0;
  let removals = 0;
  let eventNr = 0;
  let mode: UdevMode = 'cookie';
  const ioctl = (request: number, buffer: Uint8Array): number => {
    if (request === REQUEST_CODE.DEV_STATUS && removals > 2) return 6;
    if (request === REQUEST_CODE.TABLE_STATUS) return 22;
    if (request === REQUEST_CODE.DEV_REMOVE && removals++ < 2) return 16;
    if (request === REQUEST_CODE.DEV_REMOVE) mode = 'poll';
    const reply = encodeReply('DEV_STATUS', {
      name: 'disk',
      dev: 0xfd00,
      flags: 0x2020,
      eventNr: eventNr++,
    });
    buffer.set(reply.subarray(0, buffer.length));
    return 0;
  };
  return {
    ioctl,
    ioctlAsync: (request, buffer) => Promise.resolve(ioctl(request, buffer)),
    close: () => undefined,
    sleep: () => Promise.resolve(),
    sleepSync: () => undefined,
    kernelLog: () => ['device-mapper: because'],
    holders: () => ["device 'top'"],
    poll: () => new Promise((resolve) => setTimeout(resolve)),
    pollSync: () => 0,
    deviceIoctl: () => Promise.resolve(107),
    deviceIoctlSync: () => 107,
    udev: {
      mode: () => mode,
      create: () => 7,
      completed: () => looks > 0,
      remove: () => undefined,
    },
    nodes: {
      state: () => states[looks++]!,
      make: () => undefined,
      remove: () => undefined,
      settled: () => removals > 2,
    },
  };
}

async function everything(dm: DeviceMapper | DeviceMapperSync): Promise<unknown[]> {
  const resumed = await dm.resume('disk');
  const attempts = [
    () => dm.getTable('disk'),
    () => dm.waitForEvent('disk', { timeoutMs: 1000 }),
    () => dm.probePaths('disk'),
    () => dm.removeDevice('disk'),
  ];
  const failed: string[] = [];
  for (const attempt of attempts) {
    failed.push(await (async () => await attempt())().then(() => 'no failure', String));
  }
  return [resumed, failed, await dm.removeDevice('disk', { retry: { times: 2, delayMs: 5 } })];
}

for (const Client of [DeviceMapper, DeviceMapperSync]) {
  Replay(`every member is recorded and played back, ${Client.name}`, async () => {
    const recorder = record(flaky());
    const first = await everything(new Client(recorder));
    const lines = JSON.parse(JSON.stringify(recorder.lines())) as RecordedCall[];
    const members = ['deviceIoctl', 'holders', 'ioctl', 'kernelLog', 'nodes.make', 'nodes.remove'];
    members.push('nodes.settled', 'nodes.state', 'poll', 'sleep');
    members.push('udev.completed', 'udev.create', 'udev.mode', 'udev.remove');
    assert.equal([...new Set(lines.map(({ call }) => call))].sort(), members);
    const again = record(replay(lines));
    assert.equal(await everything(new Client(again)), first);
    assert.equal(again.lines(), lines);
  });
}

Replay('a recorder has what it records, and a replay what was recorded', () => {
  const bare = record({
    ioctl: () => 0,
    ioctlAsync: () => Promise.resolve(0),
    close: () => undefined,
  });
  assert.equal(Object.keys(bare).sort(), ['close', 'ioctl', 'ioctlAsync', 'lines']);
  assert.equal(Object.keys(replay([])).sort(), ['close', 'ioctl', 'ioctlAsync']);
});

Replay('closing a recorder closes what it records', () => {
  let closed = 0;
  const close = (): void => {
    closed++;
  };
  record({ ...flaky(), close }).close();
  assert.is(closed, 1);
});

Replay('a call that was not answered is not in the recording', async () => {
  let answer: (errno: number) => void = () => undefined;
  const answers = [
    Promise.reject(new Error('closed')),
    new Promise<number>((done) => (answer = done)),
  ];
  const recorder = record({ ...flaky(), ioctlAsync: () => answers.shift()! });
  const buffer = encodeRequest('DEV_SUSPEND', { name: 'disk' });
  await rejects(recorder.ioctlAsync(REQUEST_CODE.DEV_SUSPEND, buffer), /closed/);
  const call = recorder.ioctlAsync(REQUEST_CODE.DEV_SUSPEND, buffer);
  recorder.ioctl(REQUEST_CODE.TABLE_STATUS, encodeRequest('TABLE_STATUS', { name: 'disk' }));
  assert.equal(
    recorder.lines().map(({ errno }) => errno),
    [22],
  );
  answer(0);
  await call;
  // In the order of the calls, not of the answers.
  assert.equal(
    recorder.lines().map(({ errno }) => errno),
    [0, 22],
  );
});

Replay('what differs from the recording is named', () => {
  const recorder = record(flaky());
  const { STATUS, VERSION } = { STATUS: REQUEST_CODE.DEV_STATUS, VERSION: REQUEST_CODE.VERSION };
  const bytes = encodeRequest('DEV_STATUS', { name: 'disk' });
  recorder.ioctl(STATUS, bytes.slice());
  recorder.nodes?.state('/dev/mapper/disk');
  const differs = (message: RegExp, call: (transport: Transport) => unknown): void => {
    assert.throws(() => call(replay(recorder.lines())), message);
  };
  differs(/call 0, ioctl 0xc138fd00: the recording has 0xc138fd07$/, (t) =>
    t.ioctl(VERSION, bytes),
  );
  differs(/call 0.*: 400 bytes, the recording has 312$/, (t) =>
    t.ioctl(STATUS, new Uint8Array(400)),
  );
  differs(/call 0 is nodes.settled, but it has ioctl$/, (t) => t.nodes?.settled());
  differs(
    /call 1, nodes.state, was given \["\/dev\/mapper\/disk"\], now \["\/dev\/x",1\]$/,
    (t) => {
      t.ioctl(STATUS, bytes.slice());
      t.nodes?.state('/dev/x', 1);
    },
  );
  differs(/call 2 is ioctl, but the recording has ended$/, (t) => {
    t.ioctl(STATUS, bytes.slice());
    t.nodes?.state('/dev/mapper/disk');
    t.ioctl(STATUS, bytes);
  });
});

Replay('a replay is not asked when the signal is aborted', async () => {
  const reason = new Error('no more');
  const call = replay([]).ioctlAsync(0, new Uint8Array(1), { signal: AbortSignal.abort(reason) });
  await rejects(call, (error) => error === reason);
});

function fileOf(title: string): string {
  return `${title.replace(/\W+/g, '-')}.scenario.jsonl`;
}

function linesOf(title: string): RecordedCall[] {
  const text = readFileSync(new URL(fileOf(title), RECORDINGS), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedCall);
}

Replay.run();
