// Every operation of several steps, with each of its ioctls failing in turn, on a model kernel: what is
// said to be undone is, and what is said to be left is there; and the same when it is aborted instead.

import {
  DeviceMapper,
  DeviceMapperSync,
  KernelError,
  ModelKernel,
  REQUEST_CODE,
  type Abortable,
  type Command,
  type Transport,
} from 'devicemapper/model';
import { assert, suite } from './harness.js';
import { membersOf, type Client } from './scenarios/world.js';

const ENOMEM = 12;
const DISK = '/dev/sda';
const OLD = `0 64 linear ${DISK} 0`;
const NEW = `0 64 linear ${DISK} 128`;

interface Operation {
  /** On this kernel, in place of the newest. */
  readonly release?: ModelKernel['release'];
  /** What there is before. */
  readonly before?: (dm: DeviceMapperSync) => void;
  readonly run: (dm: Client, options?: Abortable) => unknown;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  createDevice: { run: (dm, options) => dm.createDevice('disk', { uuid: 'U', ...options }) },
  createActiveDevice: { run: (dm, options) => dm.createActiveDevice('disk', NEW, options) },
  'createActiveDevice, with a secret': {
    run: (dm, options) => dm.createActiveDevice('disk', NEW, { secure: true, ...options }),
  },
  loadTable: {
    before: (dm) => dm.createActiveDevice('disk', OLD),
    run: (dm, options) => dm.loadTable('disk', NEW, { readOnly: true, ...options }),
  },
  'reloadTable of a running device': {
    before: (dm) => dm.createActiveDevice('disk', OLD),
    run: (dm, options) => dm.reloadTable('disk', NEW, { noflush: true, ...options }),
  },
  'reloadTable of a read-only device': {
    before: (dm) => dm.createActiveDevice('disk', OLD, { readOnly: true }),
    run: (dm, options) => dm.reloadTable('disk', NEW, options),
  },
  'reloadTable of a suspended device': {
    before(dm) {
      dm.createActiveDevice('disk', OLD);
      dm.suspend('disk');
    },
    run: (dm, options) => dm.reloadTable('disk', NEW, options),
  },
  'reloadTable of a device without a table': {
    before: (dm) => dm.createDevice('disk'),
    run: (dm, options) => dm.reloadTable('disk', NEW, options),
  },
  suspend: {
    before: (dm) => dm.createActiveDevice('disk', OLD),
    run: (dm, options) => dm.suspend('disk', { noflush: true, ...options }),
  },
  resume: {
    before(dm) {
      dm.createActiveDevice('disk', OLD);
      dm.suspend('disk');
      dm.loadTable('disk', NEW);
    },
    run: (dm, options) => dm.resume('disk', { noflush: true, ...options }),
  },
  renameDevice: {
    before: (dm) => dm.createActiveDevice('disk', OLD),
    run: (dm, options) => dm.renameDevice('disk', 'other', options),
  },
  setUuid: {
    before: (dm) => dm.createActiveDevice('disk', OLD),
    run: (dm, options) => dm.setUuid('disk', 'U', options),
  },
  removeDevice: {
    before: (dm) => dm.createActiveDevice('disk', OLD),
    run: (dm, options) => dm.removeDevice('disk', { deferred: true, ...options }),
  },
  'removeDevice by force': {
    before: (dm) => dm.createActiveDevice('disk', OLD),
    run: (dm, options) => dm.removeDevice('disk', { force: true, ...options }),
  },
  removeAllDevices: {
    before(dm) {
      dm.createActiveDevice('disk', OLD);
      dm.createActiveDevice('other', NEW);
    },
    run: (dm, options) => dm.removeAllDevices(options),
  },
  cancelDeferredRemove: {
    before(dm) {
      dm.createActiveDevice('disk', OLD);
      dm.createActiveDevice('other', '0 8 linear /dev/mapper/disk 0');
      dm.removeDevice('disk', { deferred: true });
    },
    run: (dm, options) => dm.cancelDeferredRemove('disk', options),
  },
  'listDevices by uuid, where the kernel tells none': {
    release: '5.10',
    before(dm) {
      dm.createDevice('disk', { uuid: 'U-disk' });
      dm.createDevice('other', { uuid: 'V-other' });
    },
    run: (dm, options) => dm.listDevices({ uuidPrefix: 'U', ...options }),
  },
  waitForEvent: {
    before: (dm) => dm.createActiveDevice('disk', OLD),
    run: (dm, options) => dm.waitForEvent('disk', { eventNumber: 77, ...options }),
  },
};

function kernel({ before, release = '7.2' }: Operation): ModelKernel {
  const model = new ModelKernel({ release, blockDevices: { [DISK]: { sectors: 4096 } } });
  before?.(new DeviceMapperSync(model));
  return model;
}

/** All that a user can see: devices, both their tables, their nodes; but not how often they had an event. */
function seen(model: ModelKernel): unknown {
  const dm = new DeviceMapperSync(model);
  const devices = dm.listDevices().map(({ name }) => {
    const { device, targets } = dm.getTable(name);
    const inactive = dm.getTable(name, { inactive: true });
    const { eventNumber, ...rest } = device;
    assert.type(eventNumber, 'number');
    return { ...rest, targets, inactive: inactive.targets };
  });
  const nodes = ['disk', 'other'].map((name) => {
    const path = `/dev/mapper/${name}`;
    const dev = devices.find((device) => device.name === name)?.dev;
    return [path, model.nodes.state(path, dev)];
  });
  return { devices, nodes };
}

const COMMANDS = new Map<number, Command>(
  Object.entries(REQUEST_CODE).map(([command, code]) => [code, command as Command]),
);

/** `model`, which calls `before` and `after` each ioctl with how many there were; an errno is the answer. */
function watched(
  model: ModelKernel,
  before: (nth: number, command: Command) => number | undefined,
  after: (nth: number, command: Command) => void = () => undefined,
): Transport {
  let count = 0;
  const around = (code: number, call: () => number): number => {
    const [nth, command] = [++count, COMMANDS.get(code)!];
    const errno = before(nth, command) ?? call();
    after(nth, command);
    return errno;
  };
  return {
    ...membersOf(model),
    ioctl: (code, buffer) => around(code, () => model.ioctl(code, buffer)),
    ioctlAsync: async (code, buffer) => {
      await Promise.resolve();
      return around(code, () => model.ioctl(code, buffer));
    },
  };
}

/** The ioctls of an operation that succeeds, and what is seen then. */
async function sentBy(operation: Operation): Promise<{ sent: Command[]; after: unknown }> {
  const model = kernel(operation);
  const sent: Command[] = [];
  const transport = watched(model, (_, command) => {
    sent.push(command);
    return undefined;
  });
  await operation.run(new DeviceMapperSync(transport));
  return { sent, after: seen(model) };
}

async function outcome(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

const Faults = suite('faults');

for (const [title, operation] of Object.entries(OPERATIONS)) {
  for (const Kind of [DeviceMapper, DeviceMapperSync]) {
    Faults(`${title}: each step fails, ${Kind.name}`, async () => {
      const { sent, after } = await sentBy(operation);
      assert.ok(sent.length > 0);
      for (const [i, command] of sent.entries()) {
        const where = `${command}, step ${i + 1} of ${sent.join(', ')}`;
        const model = kernel(operation);
        const before = seen(model);
        const nth = sent.slice(0, i + 1).filter((one) => one === command).length;
        model.fail({ command, nth, errno: ENOMEM });
        const error = await outcome(() => operation.run(new Kind(model)));
        if (error === undefined) {
          // It has asked for what it can do without.
          assert.equal(seen(model), after, where);
          continue;
        }
        assert.instance(error, KernelError, where);
        const { code, command: failed, left } = error as KernelError;
        assert.equal([code, failed], ['ENOMEM', command], where);
        // What is left is said, and what is not said is not left.
        if (left.length > 0) assert.not.equal(seen(model), before, where);
        else assert.equal(seen(model), before, where);
      }
    });

    Faults(`${title}: a step fails, and all that would undo it, ${Kind.name}`, async () => {
      const { sent } = await sentBy(operation);
      for (const i of sent.keys()) {
        const where = `step ${i + 1} of ${sent.join(', ')}`;
        const model = kernel(operation);
        const before = seen(model);
        const transport = watched(model, (nth) => (nth > i ? ENOMEM : undefined));
        const error = await outcome(() => operation.run(new Kind(transport)));
        assert.instance(error, KernelError, where);
        const { undone, left } = error as KernelError;
        assert.equal(undone, [], where);
        if (left.length > 0) assert.not.equal(seen(model), before, where);
        else assert.equal(seen(model), before, where);
      }
    });
  }

  Faults(`${title}: it is aborted during each step`, async () => {
    const { sent, after } = await sentBy(operation);
    for (const [i, command] of sent.entries()) {
      const where = `${command}, step ${i + 1} of ${sent.join(', ')}`;
      const model = kernel(operation);
      const before = seen(model);
      const abort = new AbortController();
      const reason = new Error('no more');
      const transport = watched(
        model,
        () => undefined,
        (nth) => {
          if (nth === i + 1) abort.abort(reason);
        },
      );
      const error = await outcome(() =>
        operation.run(new DeviceMapper(transport), { signal: abort.signal }),
      );
      // It came too late, or nothing has happened.
      if (error !== undefined) assert.is(error, reason, where);
      assert.equal(seen(model), error === undefined ? after : before, where);
    }
  });
}

Faults.run();
