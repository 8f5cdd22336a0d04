/** Waiting for events and watching them, on a kernel by script. */
import {
  DeviceMapper,
  DeviceMapperSync,
  REQUEST_CODE,
  encodeReply,
  type DeviceEvent,
  type PollOptions,
  type Transport,
} from 'devicemapper/model';
import * as fc from 'fast-check';
import { eventsBetween, type DeviceEntry, type Look } from '#internal';
import { assert, rejects, suite } from './harness.js';

const Events = suite('events');

/** Devices that come and go, with a control node that tells of it, or that does not (`minor`). */
class Kernel implements Transport {
  readonly devices = new Map<number, DeviceEntry>();
  /** As in 'arm', 'list', 'poll'. */
  readonly log: string[] = [];
  /** Polls that wait. */
  readonly waiting = new Set<() => void>();
  readonly persistent: (boolean | undefined)[] = [];
  #armedAt = 0;
  #events = 0;
  readonly #minor: number;

  constructor(minor = 50) {
    this.#minor = minor;
  }

  set(dev: number, name: string, eventNumber = 0, uuid = ''): void {
    this.devices.set(dev, { name, dev, uuid, eventNumber });
    this.happens();
  }

  remove(dev: number): void {
    this.devices.delete(dev);
    this.happens();
  }

  happens(): void {
    this.#events++;
    for (const wake of [...this.waiting]) wake();
  }

  ioctl(request: number, buffer: Uint8Array): number {
    const version = [4, this.#minor, 0] as const;
    let reply = encodeReply('VERSION', { version });
    if (request === REQUEST_CODE.DEV_ARM_POLL) {
      this.log.push('arm');
      this.#armedAt = this.#events;
    } else if (request === REQUEST_CODE.LIST_DEVICES) {
      this.log.push('list');
      reply = encodeReply('LIST_DEVICES', { version, devices: [...this.devices.values()] });
    } else if (request === REQUEST_CODE.DEV_STATUS) {
      this.log.push('status');
      const name = new TextDecoder().decode(buffer.subarray(48, buffer.indexOf(0, 48)));
      const dev = new DataView(buffer.buffer, buffer.byteOffset).getUint32(40, true);
      const found = [...this.devices.values()].find((one) => one.name === name || one.dev === dev);
      if (found === undefined) return 6;
      reply = encodeReply('DEV_STATUS', { version, ...found, eventNr: found.eventNumber });
    }
    buffer.set(reply.subarray(0, buffer.length));
    return 0;
  }

  ioctlAsync(request: number, buffer: Uint8Array): Promise<number> {
    return Promise.resolve(this.ioctl(request, buffer));
  }

  poll({ signal, persistent }: PollOptions = {}): Promise<void> {
    this.log.push('poll');
    this.persistent.push(persistent);
    if (this.#events !== this.#armedAt) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake);
        resolve();
      };
      this.waiting.add(wake);
      signal?.addEventListener('abort', wake);
    });
  }

  pollSync(timeoutMs: number): number {
    this.log.push(`poll ${timeoutMs}`);
    this.set(1, 'disk', 8);
    return timeoutMs - 1;
  }

  sleep(ms: number): Promise<void> {
    this.log.push(`sleep ${ms}`);
    return new Promise((resolve) => setTimeout(resolve, 1));
  }

  sleepSync(ms: number): void {
    this.log.push(`sleep ${ms}`);
    if (this.log.length > 8) this.set(1, 'disk', 8);
  }

  close(): void {
    this.happens();
  }
}

const told = ({ type, name, oldName }: DeviceEvent): string =>
  `${type} ${oldName === undefined ? '' : `${oldName} `}${name}`;

/** The next `count` events of `stream`. */
async function take(stream: AsyncIterator<DeviceEvent, unknown>, count: number): Promise<string[]> {
  const events: string[] = [];
  while (events.length < count) {
    const next: IteratorResult<DeviceEvent, unknown> = await stream.next();
    if (next.done === true) throw new Error('the stream ended');
    events.push(told(next.value));
  }
  return events;
}

Events(
  'devices that come, change, are renamed and go are told, those that were there are not',
  async () => {
    const kernel = new Kernel();
    kernel.set(1, 'old', 3);
    const dm = new DeviceMapper(kernel);
    const stream = dm.watchEvents();
    assert.equal(
      kernel.log,
      ['arm', 'list', 'poll'],
      'armed before the look, looked before the wait',
    );
    kernel.set(2, 'new');
    assert.equal(await take(stream, 1), ['added new']);
    kernel.set(1, 'old', 4);
    assert.equal(await take(stream, 1), ['changed old']);
    kernel.set(2, 'newer', 1);
    assert.equal(await take(stream, 1), ['renamed new newer']);
    kernel.remove(1);
    assert.equal(await take(stream, 1), ['removed old']);
    await stream.return?.();
    await dm.close();
  },
);

Events('of a burst each device is told once, with its last number', async () => {
  const kernel = new Kernel();
  const dm = new DeviceMapper(kernel);
  const stream = dm.watchEvents();
  for (let i = 1; i <= 100; i++) kernel.set(i, `d${i}`);
  for (let number = 1; number <= 100; number++) kernel.set(1, 'd1', number);
  kernel.remove(100);
  const events: DeviceEvent[] = [];
  for await (const event of { [Symbol.asyncIterator]: () => stream }) {
    events.push(event);
    if (events.length === 99) break;
  }
  assert.is(events.find(({ name }) => name === 'd1')?.eventNumber, 100);
  assert.equal(new Set(events.map(({ type }) => type)), new Set(['added']));
  await dm.close();
});

Events('a number that is given out again is another device', async () => {
  const kernel = new Kernel();
  kernel.set(1, 'a', 0);
  kernel.set(2, 'b', 5, 'U');
  const dm = new DeviceMapper(kernel);
  const stream = dm.watchEvents();
  kernel.set(1, 'c', 0);
  assert.equal(await take(stream, 2), ['removed a', 'added c']);
  kernel.set(2, 'b', 6, 'V');
  assert.equal(await take(stream, 2), ['removed b', 'added b']);
  kernel.set(2, 'b', 0, 'V');
  assert.equal(await take(stream, 2), ['removed b', 'added b']);
  await dm.close();
});

Events('one loop serves all, however many there are', async () => {
  const kernel = new Kernel();
  const dm = new DeviceMapper(kernel);
  const streams = Array.from({ length: 50 }, () => dm.watchEvents());
  await new Promise((resolve) => setTimeout(resolve));
  assert.is(kernel.waiting.size, 1);
  kernel.set(1, 'disk');
  for (const stream of streams) assert.equal(await take(stream, 1), ['added disk']);
  for (const stream of streams) await stream.return?.();
  await new Promise((resolve) => setTimeout(resolve));
  assert.is(kernel.waiting.size, 0);
  const { length } = kernel.log;
  kernel.set(2, 'unseen');
  await new Promise((resolve) => setTimeout(resolve));
  assert.is(kernel.log.length, length, 'nobody waits, nobody looks');
  await dm.close();
});

Events('only the devices that were asked for, by name, uuid and number', async () => {
  const kernel = new Kernel();
  const dm = new DeviceMapper(kernel);
  const stream = dm.watchEvents({ devices: ['a', { uuid: 'B' }, { dev: 3 }] });
  kernel.set(1, 'a');
  kernel.set(2, 'b', 0, 'B');
  kernel.set(3, 'c');
  kernel.set(4, 'd');
  assert.equal(await take(stream, 3), ['added a', 'added b', 'added c']);
  kernel.set(1, 'z', 1);
  kernel.set(4, 'd', 1);
  assert.equal(await take(stream, 1), ['renamed a z']);
  assert.throws(() => dm.watchEvents({ devices: [''] }), /^name: expected a name, got ""$/);
  await dm.close();
});

Events('a watch ends by its signal at once, with the handle, and when it is left', async () => {
  const kernel = new Kernel();
  const dm = new DeviceMapper(kernel);
  const reason = new Error('no more');
  const abort = new AbortController();
  const stream = dm.watchEvents({ signal: abort.signal });
  const next = stream.next();
  abort.abort(reason);
  await rejects(next, (error) => error === reason);
  await rejects(dm.watchEvents({ signal: abort.signal }).next(), (error) => error === reason);
  const left = dm.watchEvents();
  const pending = left.next();
  await left.return?.();
  assert.equal(await pending, { done: true, value: undefined });
  const closed = dm.watchEvents();
  const last = closed.next();
  await dm.close();
  assert.equal(await last, { done: true, value: undefined });
  assert.throws(() => dm.watchEvents(), /closed/);
  assert.is(kernel.waiting.size, 0);
});

Events('the wait keeps the process alive if one of those who wait wants it', async () => {
  const kernel = new Kernel();
  const dm = new DeviceMapper(kernel);
  const weak = dm.watchEvents({ persistent: false });
  await new Promise((resolve) => setTimeout(resolve));
  const strong = dm.watchEvents();
  await new Promise((resolve) => setTimeout(resolve));
  await strong.return?.();
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(kernel.persistent, [false, true, false]);
  await weak.return?.();
  await dm.close();
});

Events('a trouble with the kernel ends all watches, and the next begins anew', async () => {
  const kernel = new Kernel();
  const dm = new DeviceMapper(kernel);
  const streams = [dm.watchEvents(), dm.watchEvents()];
  const healthy = Kernel.prototype.ioctl.bind(kernel);
  kernel.ioctl = () => 13;
  const failures = streams.map((stream) => rejects(stream.next(), /EACCES/));
  kernel.happens();
  await Promise.all(failures);
  assert.throws(() => dm.watchEvents(), /EACCES/);
  kernel.ioctl = healthy;
  const again = dm.watchEvents();
  kernel.set(1, 'disk');
  assert.equal(await take(again, 1), ['added disk']);
  await dm.close();
});

Events('a kernel that cannot tell is looked at every 250 ms', async () => {
  const kernel = new Kernel(36);
  kernel.set(1, 'disk', 7, 'U');
  const dm = new DeviceMapper(kernel);
  const stream = dm.watchEvents();
  kernel.set(1, 'disk', 8, 'U');
  const { value } = await stream.next();
  assert.equal(value, { type: 'changed', name: 'disk', dev: 1, uuid: 'U', eventNumber: 8 });
  assert.ok(kernel.log.includes('sleep 250'));
  assert.not(kernel.log.includes('arm'));
  await stream.return?.();
  await dm.close();
});

Events('a wait ends with the event, also with one that came before it', async () => {
  const kernel = new Kernel();
  kernel.set(1, 'disk', 7);
  await using dm = new DeviceMapper(kernel);
  assert.is((await dm.waitForEvent('disk', { eventNumber: 6 })).eventNumber, 7);
  const wait = dm.waitForEvent('disk');
  kernel.set(2, 'other');
  await new Promise((resolve) => setTimeout(resolve));
  kernel.set(1, 'disk', 8);
  assert.is((await wait).eventNumber, 8);
  // Wrapped around, it is another number all the same.
  const wrapped = dm.waitForEvent('disk', { eventNumber: 8 });
  kernel.set(1, 'disk', 0);
  assert.is((await wrapped).eventNumber, 0);
});

Events(
  'a wait ends when the device goes, the time is up, the signal aborts, the handle closes',
  async () => {
    const kernel = new Kernel();
    kernel.set(1, 'disk', 7);
    const dm = new DeviceMapper(kernel);
    const gone = rejects(dm.waitForEvent('disk'), /ENXIO/);
    await new Promise((resolve) => setTimeout(resolve));
    kernel.remove(1);
    await gone;
    kernel.set(1, 'disk', 7);
    await rejects(
      dm.waitForEvent('disk', { timeoutMs: 5 }),
      /^no event of device 'disk' within 5 ms/,
    );
    const reason = new Error('no more');
    const abort = new AbortController();
    const aborted = rejects(
      dm.waitForEvent('disk', { signal: abort.signal }),
      (error) => error === reason,
    );
    abort.abort(reason);
    await aborted;
    await rejects(dm.waitForEvent('disk', { timeoutMs: -1 }), /^timeoutMs: expected/);
    await rejects(dm.waitForEvent('disk', { eventNumber: -1 }), /^eventNumber: expected/);
    const closed = rejects(dm.waitForEvent('disk'), /is closed/);
    await dm.close();
    await closed;
    assert.is(kernel.waiting.size, 0);
  },
);

Events('a blocking wait arms, looks and polls, for as long as it may', () => {
  const kernel = new Kernel();
  kernel.set(1, 'disk', 7);
  using dm = new DeviceMapperSync(kernel);
  assert.is(dm.waitForEvent('disk', { timeoutMs: 100 }).eventNumber, 8);
  assert.equal(kernel.log, ['arm', 'status', 'poll 100', 'arm', 'status']);
  kernel.pollSync = () => 0;
  assert.throws(() => dm.waitForEvent('disk', { timeoutMs: 5 }), /no event of device 'disk'/);
});

Events('a blocking wait on an old kernel looks again and again', () => {
  const kernel = new Kernel(36);
  kernel.set(1, 'disk', 7);
  using dm = new DeviceMapperSync(kernel);
  assert.is(dm.waitForEvent('disk').eventNumber, 8);
  assert.equal(kernel.log.slice(0, 3), ['status', 'sleep 250', 'status']);
  assert.throws(() => dm.waitForEvent('disk', { timeoutMs: 600 }), /within 600 ms$/);
  assert.equal(kernel.log.slice(-2), ['sleep 100', 'status']);
});

Events('the events between two looks lead from the one to the other', () => {
  const entry = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    dev: fc.integer({ min: 1, max: 4 }),
    uuid: fc.constantFrom('', 'U', 'V'),
    eventNumber: fc.constantFrom(0, 1, 2, 0xffffffff),
  });
  const look = fc
    .array(entry, { maxLength: 4 })
    .map((entries): Look => new Map(entries.map((one) => [one.dev, one])));
  const each = fc.property(look, look, (before, after) => {
    const now = new Map([...before].map(([dev, { name }]) => [dev, name]));
    for (const { type, dev, name, oldName } of eventsBetween(before, after)) {
      if (type === 'added') assert.not(now.has(dev));
      else assert.is(now.get(dev), oldName ?? name);
      if (type === 'removed') now.delete(dev);
      else now.set(dev, name);
    }
    assert.equal(now, new Map([...after].map(([dev, { name }]) => [dev, name])));
  });
  fc.assert(each);
});

Events.run();
