/** What the two clients ask of a Transport, in which order, and what they do about its answers. */
import {
  DM_ACTIVE_PRESENT_FLAG,
  DM_BUFFER_FULL_FLAG,
  DM_DEFERRED_REMOVE,
  DM_INACTIVE_PRESENT_FLAG,
  DM_SUSPEND_FLAG,
  DeviceMapper,
  DeviceMapperSync,
  REQUEST_CODE,
  type AsyncCall,
  type Command,
  type KernelError,
  type Table,
  type Transport,
} from 'devicemapper/model';
import {
  EBUSY,
  EINTR,
  EINVAL,
  ENOMEM,
  ENXIO,
  Fake,
  FakeNodes,
  TABLE,
  either,
  failure,
  on,
  type Answer,
  type Client,
  type Script,
} from './fake.js';
import { assert, rejects, suite } from './harness.js';

const reason = new Error('no more');

const Mapper = suite('device-mapper');

/** A test of what both clients do. */
function both(
  title: string,
  body: (over: (fake: Transport) => Client) => void | Promise<void>,
): void {
  for (const Kind of [DeviceMapper, DeviceMapperSync]) {
    Mapper(`${title}, ${Kind.name}`, () => body((fake) => new Kind(fake)));
  }
}

// ── What is sent ─────────────────────────────────────────────────────────────────────────────────

interface Case {
  readonly call: (dm: Client) => unknown;
  readonly sent: readonly string[];
  readonly result?: unknown;
}

const created = {
  name: 'disk',
  uuid: '',
  dev: 0xfd00,
  major: 253,
  minor: 0,
  path: '/dev/mapper/disk',
  openCount: 0,
  targetCount: 0,
  eventNumber: 0,
  suspended: false,
  readOnly: false,
  liveTable: true,
  inactiveTable: false,
  deferredRemove: false,
  internalSuspend: false,
  flags: DM_ACTIVE_PRESENT_FLAG,
};

const CASES: Readonly<Record<string, Case>> = {
  getVersion: { call: (dm) => dm.getVersion(), sent: ['VERSION'], result: [4, 50, 0] },
  supports: { call: (dm) => dm.supports('armPoll'), sent: ['VERSION'], result: true },
  createDevice: {
    call: (dm) => dm.createDevice('disk'),
    sent: ['DEV_CREATE disk'],
    result: created,
  },
  'createDevice with a minor': {
    call: (dm) => dm.createDevice('disk', { uuid: 'U', minor: 300 }),
    sent: ['DEV_CREATE disk PERSISTENT_DEV'],
  },
  loadTable: { call: (dm) => dm.loadTable('disk', TABLE), sent: ['TABLE_LOAD disk'] },
  'loadTable with flags': {
    call: (dm) => dm.loadTable({ uuid: 'U' }, TABLE, { readOnly: true, secure: true }),
    sent: ['VERSION', 'TABLE_LOAD U READONLY|SECURE_DATA'],
  },
  createActiveDevice: {
    call: (dm) => dm.createActiveDevice('disk', TABLE, { minor: 0, readOnly: true }),
    sent: ['DEV_CREATE disk PERSISTENT_DEV', 'TABLE_LOAD disk READONLY', 'DEV_SUSPEND disk'],
    result: created,
  },
  suspend: { call: (dm) => dm.suspend('disk'), sent: ['DEV_SUSPEND disk SUSPEND'] },
  'suspend with flags': {
    call: (dm) => dm.suspend('disk', { noflush: true, skipLockfs: true }),
    sent: ['VERSION', 'DEV_SUSPEND disk NOFLUSH|SKIP_LOCKFS|SUSPEND'],
  },
  resume: {
    call: (dm) => dm.resume('disk', { noflush: true }),
    sent: ['VERSION', 'DEV_SUSPEND disk NOFLUSH'],
  },
  removeDevice: {
    call: (dm) => dm.removeDevice({ dev: 0xfd00 }),
    sent: ['DEV_REMOVE 64768'],
    result: 'removed',
  },
  'removeDevice with force': {
    call: (dm) => dm.removeDevice('disk', { force: true, deferred: true }),
    sent: [
      'VERSION',
      'TABLE_STATUS disk SECURE_DATA|STATUS_TABLE',
      'VERSION',
      'TABLE_LOAD disk',
      'DEV_SUSPEND disk NOFLUSH|SKIP_LOCKFS',
      'DEV_REMOVE disk DEFERRED_REMOVE',
    ],
    result: 'removed',
  },
  removeAllDevices: {
    call: (dm) => dm.removeAllDevices({ deferred: true }),
    sent: ['VERSION', 'LIST_DEVICES UUID', 'REMOVE_ALL DEFERRED_REMOVE', 'LIST_DEVICES UUID'],
    result: undefined,
  },
  getDevice: {
    call: (dm) => dm.getDevice({ name: 'disk' }),
    sent: ['DEV_STATUS disk'],
    result: created,
  },
  findDevice: { call: (dm) => dm.findDevice('disk'), sent: ['DEV_STATUS disk'], result: created },
  listDevices: { call: (dm) => dm.listDevices(), sent: ['LIST_DEVICES UUID'], result: [] },
  getTable: {
    call: (dm) => dm.getTable('disk'),
    sent: ['TABLE_STATUS disk SECURE_DATA|STATUS_TABLE'],
  },
  'getTable of the inactive slot': {
    call: (dm) => dm.getTable('disk', { inactive: true }),
    sent: ['VERSION', 'TABLE_STATUS disk QUERY_INACTIVE_TABLE|SECURE_DATA|STATUS_TABLE'],
  },
  getStatus: {
    call: (dm) => dm.getStatus('disk', { noflush: true }),
    sent: ['VERSION', 'TABLE_STATUS disk NOFLUSH'],
  },
  clearTable: { call: (dm) => dm.clearTable('disk'), sent: ['TABLE_CLEAR disk'], result: created },
  getDependencies: {
    call: (dm) => dm.getDependencies('disk', { inactive: true }),
    sent: ['VERSION', 'TABLE_DEPS disk QUERY_INACTIVE_TABLE'],
    result: [{ dev: 0x810, major: 8, minor: 16 }],
  },
  reloadTable: {
    call: (dm) => dm.reloadTable('disk', TABLE, { readOnly: true, skipLockfs: true }),
    sent: [
      'TABLE_STATUS disk SECURE_DATA|STATUS_TABLE',
      'TABLE_LOAD disk READONLY',
      'DEV_SUSPEND disk SKIP_LOCKFS|SUSPEND',
      'DEV_SUSPEND disk SKIP_LOCKFS',
    ],
    result: created,
  },
  'getDevice of the inactive slot': {
    call: (dm) => dm.getDevice('disk', { inactive: true, noOpenCount: true }),
    sent: ['VERSION', 'DEV_STATUS disk QUERY_INACTIVE_TABLE|SKIP_BDGET'],
  },
  getMeasurement: {
    call: (dm) => dm.getMeasurement('disk'),
    sent: ['VERSION', 'TABLE_STATUS disk IMA_MEASUREMENT'],
  },
  cancelDeferredRemove: {
    call: (dm) => dm.cancelDeferredRemove('disk'),
    sent: ['VERSION', 'VERSION', 'TARGET_MSG disk'],
    result: undefined,
  },
  renameDevice: {
    call: (dm) => dm.renameDevice({ name: 'disk' }, 'other'),
    sent: ['DEV_STATUS disk', 'DEV_RENAME disk', 'DEV_STATUS other'],
    result: { ...created, name: 'other', path: '/dev/mapper/other' },
  },
  setUuid: {
    call: (dm) => dm.setUuid('disk', 'U'),
    sent: ['VERSION', 'DEV_STATUS disk', 'DEV_RENAME disk UUID', 'DEV_STATUS disk'],
    result: created,
  },
  listTargets: {
    call: (dm) => dm.listTargets(),
    sent: ['VERSION', 'LIST_VERSIONS'],
    result: [{ name: 'linear', version: [1, 4, 0] }],
  },
  getTargetVersion: {
    call: (dm) => dm.getTargetVersion('linear'),
    sent: ['VERSION', 'GET_TARGET_VERSION linear'],
    result: [1, 4, 0],
  },
  setGeometry: {
    call: (dm) => dm.setGeometry('disk', { cylinders: 1, heads: 2, sectors: 3, start: 0 }),
    sent: ['VERSION', 'DEV_SET_GEOMETRY disk'],
    result: undefined,
  },
  sendMessage: {
    call: (dm) => dm.sendMessage('disk', 'help me', { sector: 8 }),
    sent: ['VERSION', 'TARGET_MSG disk'],
    result: 'well',
  },
  'sendMessage with a secret': {
    call: (dm) => dm.sendMessage('disk', ['key', 'set', Uint8Array.of(0x30)]),
    sent: ['VERSION', 'TARGET_MSG disk SECURE_DATA'],
    result: 'well',
  },
  'sendMessage of statistics': {
    call: (dm) => dm.sendMessage('disk', '@stats_list'),
    sent: ['VERSION', 'VERSION', 'TARGET_MSG disk'],
  },
  probePaths: {
    call: (dm) => dm.probePaths('disk'),
    sent: ['VERSION', 'DEV_STATUS disk', 'deviceIoctl /dev/mapper/disk 0xfd12'],
    result: undefined,
  },
};

for (const [title, { call, sent, ...rest }] of Object.entries(CASES)) {
  Mapper(`${title} is this, by promises and blocking`, async () => {
    const [async, sync] = [new Fake(), new Fake()];
    const promised = call(new DeviceMapper(async));
    assert.instance(promised, Promise);
    const result = await promised;
    assert.equal(async.log, sent);
    if ('result' in rest) assert.equal(result, rest.result);
    assert.equal(call(new DeviceMapperSync(sync)), result);
    assert.equal(sync.log, async.log);
    assert.ok(sync.calls.every(({ via }) => via === 'ioctl'));
  });
}

Mapper('the twins have the same methods, and each is tried above', () => {
  const methods = (Kind: { prototype: object }): string[] =>
    Object.getOwnPropertyNames(Kind.prototype).filter((name) => name !== 'constructor');
  assert.equal(methods(DeviceMapper).sort(), [...methods(DeviceMapperSync), 'watchEvents'].sort());
  const tried = new Set(Object.keys(CASES).map((title) => title.split(' ')[0]!));
  // What waits for events has a test of its own.
  tried.add('waitForEvent').add('close');
  assert.equal([...tried].sort(), methods(DeviceMapperSync).sort());
});

Mapper('what may sleep goes to another thread, and what frees it is marked', async () => {
  const ways: Record<string, string> = {};
  for (const { call } of Object.values(CASES)) {
    const fake = new Fake();
    await call(new DeviceMapper(fake));
    for (const { command, via, frees, request } of fake.calls) {
      const isSuspend = (request.flags & DM_SUSPEND_FLAG) !== 0;
      ways[isSuspend ? 'suspend' : command] = frees === true ? `${via}, frees` : via;
    }
  }
  assert.equal(ways, {
    VERSION: 'ioctl',
    DEV_STATUS: 'ioctl',
    LIST_DEVICES: 'ioctl',
    DEV_CREATE: 'ioctlAsync',
    TABLE_LOAD: 'ioctlAsync',
    suspend: 'ioctlAsync',
    TABLE_STATUS: 'ioctlAsync',
    TABLE_DEPS: 'ioctlAsync',
    DEV_SUSPEND: 'ioctlAsync, frees',
    DEV_REMOVE: 'ioctlAsync, frees',
    REMOVE_ALL: 'ioctlAsync, frees',
    TABLE_CLEAR: 'ioctlAsync, frees',
    DEV_RENAME: 'ioctlAsync',
    LIST_VERSIONS: 'ioctl',
    // May load a module.
    GET_TARGET_VERSION: 'ioctlAsync',
    TARGET_MSG: 'ioctlAsync',
    DEV_SET_GEOMETRY: 'ioctlAsync',
  });
});

both('udev gets a cookie with what makes events, and no other command does', async (over) => {
  const fake = new Fake();
  const dm = over(fake);
  await dm.createActiveDevice('disk', TABLE);
  await dm.suspend('disk');
  await dm.removeDevice('disk');
  const cookies = fake.calls.map(({ request }) => request.eventNr);
  assert.equal(cookies, [0, 0, 0x400000, 0, 0x400000]);
});

both('a table is sent as it was given', async (over) => {
  const fake = new Fake();
  await over(fake).createActiveDevice('disk', '0 8 linear /dev/sdb 0', { uuid: 'U' });
  const [create, load] = fake.calls;
  assert.is(create!.request.uuid, 'U');
  const [target] = load!.request.targets;
  assert.equal(target?.parameters, new TextEncoder().encode('/dev/sdb 0'));
});

// ── What is refused ──────────────────────────────────────────────────────────────────────────────

const REFUSED: Readonly<Record<string, (dm: Client) => unknown>> = {
  'no name': (dm) => dm.createDevice(''),
  'a name that is no text': (dm) => dm.createDevice(undefined as never),
  'a name that is too long': (dm) => dm.createDevice('n'.repeat(128)),
  'a NUL in a name': (dm) => dm.createDevice('a\0b'),
  'a NUL in the name of an active device': (dm) => dm.createActiveDevice('a\0b', TABLE),
  'a uuid that is too long': (dm) => dm.createDevice('disk', { uuid: 'u'.repeat(129) }),
  'a minor out of range': (dm) => dm.createActiveDevice('disk', TABLE, { minor: 1 << 20 }),
  'a fractional minor': (dm) => dm.createDevice('disk', { minor: 1.5 }),
  'an empty table': (dm) => dm.loadTable('disk', []),
  'an empty table of an active device': (dm) => dm.createActiveDevice('disk', ' \n'),
  'a negative length': (dm) =>
    dm.createActiveDevice('disk', [{ startSector: 0, length: -8, type: 'zero', parameters: [] }]),
  'a flag that is no boolean': (dm) => dm.loadTable('disk', TABLE, { readOnly: 'no' as never }),
  'force that is no boolean': (dm) => dm.removeDevice('disk', { force: 'no' as never }),
  'a retry without end': (dm) =>
    dm.removeDevice('disk', { retry: { times: Infinity, delayMs: 1 } }),
  'no retry at all': (dm) => dm.removeDevice('disk', { retry: { times: 0, delayMs: 1 } }),
  'a negative delay': (dm) => dm.removeDevice('disk', { retry: { times: 1, delayMs: -1 } }),
  'a retry that is null': (dm) => dm.removeDevice('disk', { retry: null as never }),
  'no device': (dm) => dm.getTable(undefined as never),
  'null for a device': (dm) => dm.suspend(null as never),
  'a number for a device': (dm) => dm.getDevice(7 as never),
  'a reference to nothing': (dm) => dm.resume({} as never),
  'two identifiers': (dm) => dm.clearTable({ name: 'a', uuid: 'b' } as never),
  'a uuid that is no text': (dm) => dm.getDependencies({ uuid: 5 as never }),
  'a bigint for a dev': (dm) => dm.removeDevice({ dev: 5n as never }),
  'dev 0': (dm) => dm.findDevice({ dev: 0 }),
  'a long uuid of a device to remove': (dm) =>
    dm.removeDevice({ uuid: 'u'.repeat(129) }, { force: true }),
  'a prefix that is no text': (dm) => dm.listDevices({ namePrefix: 5 as never }),
  'a prefix that is too long': (dm) => dm.listDevices({ uuidPrefix: 'u'.repeat(129) }),
  'deferred that is no boolean': (dm) => dm.removeAllDevices({ deferred: 1 as never }),
};

for (const [title, call] of Object.entries(REFUSED)) {
  both(`${title} is refused before anything is asked`, async (over) => {
    const asked: string[] = [];
    const spy = new Proxy(new Fake(), {
      get(fake, member) {
        asked.push(String(member));
        return Reflect.get(fake, member) as unknown;
      },
    });
    const error = await failure(() => call(over(spy)));
    assert.is(error.name, 'InputError', String(error));
    assert.equal(asked, []);
  });
}

Mapper('a call by promises rejects, and never throws', () => {
  const dm = new DeviceMapper(new Fake());
  for (const call of Object.values(REFUSED)) {
    assert.not.throws(() => {
      (call(dm) as Promise<unknown>).catch(() => undefined);
    });
  }
});

// ── What fails is taken back ─────────────────────────────────────────────────────────────────────

const STEPS = ['DEV_CREATE', 'TABLE_LOAD', 'DEV_SUSPEND'] as const;
const DEVICE = ["create device 'disk'"];

for (const [step, command] of STEPS.entries()) {
  const before = STEPS.slice(0, step + 1).map((sent) => `${sent} disk`);
  const undoing = step === 0 ? [] : ['DEV_REMOVE disk'];

  both(`createActiveDevice leaves nothing when ${command} is refused`, async (over) => {
    const fake = new Fake(on(command, EINVAL));
    const error = await failure(() => over(fake).createActiveDevice('disk', TABLE));
    assert.equal([error.name, error.code, error.command], ['KernelError', 'EINVAL', command]);
    assert.equal(error.kernelLog, ['device-mapper: because']);
    assert.equal([error.undone, error.left], [step === 0 ? [] : DEVICE, []]);
    assert.equal(fake.log, [...before, ...undoing]);
  });

  both(`createActiveDevice leaves nothing when ${command} throws`, async (over) => {
    const fake = new Fake(on(command, reason));
    assert.is(await failure(() => over(fake).createActiveDevice('disk', TABLE)), reason);
    assert.equal(fake.log, [...before, ...undoing]);
  });

  Mapper(`createActiveDevice leaves nothing when aborted during ${command}`, async () => {
    const { script, signal } = abortsDuring(command);
    const fake = new Fake(script);
    const call = new DeviceMapper(fake).createActiveDevice('disk', TABLE, { signal });
    assert.is(await rejects(call), reason);
    assert.equal(fake.log, [...before, 'DEV_REMOVE disk']);
  });
}

both('what was left is said, with the first error', async (over) => {
  const fake = new Fake(either(on('TABLE_LOAD', EINVAL), on('DEV_REMOVE', ENOMEM)));
  const error = await failure(() => over(fake).createActiveDevice('disk', TABLE));
  assert.equal([error.command, error.undone, error.left], ['TABLE_LOAD', [], DEVICE]);
  assert.match(error.message, /; not undone: create device 'disk'$/);
});

const BROKEN = '0 8 linear /dev/sdb\n16 8 zero';
const LOADS: Readonly<Record<string, (dm: Client, table: Table) => unknown>> = {
  loadTable: (dm, table) => dm.loadTable('disk', table),
  createActiveDevice: (dm, table) => dm.createActiveDevice('disk', table),
  reloadTable: (dm, table) => dm.reloadTable('disk', table),
};

for (const [title, load] of Object.entries(LOADS)) {
  both(`${title} says what is wrong with a table that the kernel refuses`, async (over) => {
    const refused = (table: Table): Promise<KernelError> =>
      failure(() => load(over(new Fake(on('TABLE_LOAD', EINVAL))), table));
    const { command, findings } = await refused(BROKEN);
    assert.is(command, 'TABLE_LOAD');
    assert.equal(
      findings?.map(({ code, line }) => [code, line]),
      [
        ['linear-arguments', 1],
        ['gap', 2],
      ],
    );
    assert.equal((await refused(TABLE)).findings, []);
  });
}

both('a read-only table that the kernel refuses is judged as one', async (over) => {
  const fake = new Fake(on('TABLE_LOAD', EINVAL));
  const table = '0 8 thin-pool 8:1 8:2 128 0';
  const error = await failure(() => over(fake).loadTable('disk', table, { readOnly: true }));
  assert.ok(error.findings?.some(({ code }) => code === 'always-writable'));
});

both('a table that may have a key in it is not judged: findings quote words', async (over) => {
  const key = { startSector: 0, length: 8, type: 'crypt', parameters: new Uint8Array([0x61]) };
  for (const table of ['0 8 crypt aes-xts-plain64 0badc0de', [key]]) {
    const fake = new Fake(on('TABLE_LOAD', EINVAL));
    const error = await failure(() => over(fake).loadTable('disk', table));
    assert.is(error.findings, undefined);
    assert.not.match(JSON.stringify(error), /0badc0de/);
  }
});

both('what was left after an exception is said, with that as the cause', async (over) => {
  const fake = new Fake(either(on('TABLE_LOAD', reason), on('DEV_REMOVE', ENOMEM)));
  const error = await failure(() => over(fake).createActiveDevice('disk', TABLE));
  assert.equal([error.command, error.code, error.left], ['DEV_REMOVE', 'ENOMEM', DEVICE]);
  assert.is(error.cause, reason);
});

both('a device of our own making is removed also while udev looks at it', async (over) => {
  const busy: Script = ({ command, nth }) =>
    command === 'DEV_REMOVE' && nth < 25 ? EBUSY : undefined;
  const fake = new Fake(either(on('TABLE_LOAD', EINVAL), busy));
  const error = await failure(() => over(fake).createActiveDevice('disk', TABLE));
  assert.equal(error.undone, DEVICE);
  assert.is(fake.log.filter((line) => line === 'sleep 200').length, 24);
});

both('a command that failed is not sent again, and nothing after it', async (over) => {
  for (const { call, sent } of Object.values(CASES)) {
    const fake = new Fake(({ nth }) => (nth === 1 ? EINTR : undefined));
    const error = await failure(() => call(over(fake)));
    assert.equal([error.code, error.undone, error.left], ['EINTR', [], []]);
    assert.equal(fake.log, sent.slice(0, 1));
  }
});

both('findDevice finds nothing, and fails for any other reason', async (over) => {
  assert.is(await over(new Fake(on('DEV_STATUS', ENXIO))).findDevice('disk'), undefined);
  const error = await failure(() => over(new Fake(on('DEV_STATUS', EINVAL))).findDevice('disk'));
  assert.is(error.code, 'EINVAL');
  assert.is(
    (await failure(() => over(new Fake(on('DEV_STATUS', ENXIO))).getDevice('disk'))).code,
    'ENXIO',
  );
});

// ── Abort ────────────────────────────────────────────────────────────────────────────────────────

/** A signal that is aborted while `command` is under way for the first time; it then is answered. */
function abortsDuring(command: Command, answer?: Answer): { script: Script; signal: AbortSignal } {
  const controller = new AbortController();
  const script: Script = (call) => {
    if (call.command !== command || call.nth > 1) return undefined;
    controller.abort(reason);
    return answer;
  };
  return { script, signal: controller.signal };
}

Mapper('an abort before a call sends nothing', async () => {
  const signal = AbortSignal.abort(reason);
  const calls: ((dm: DeviceMapper) => Promise<unknown>)[] = [
    (dm) => dm.getVersion({ signal }),
    (dm) => dm.createActiveDevice('disk', TABLE, { signal }),
    (dm) => dm.removeDevice('disk', { signal }),
    (dm) => dm.getTable('disk', { signal }),
    (dm) => dm.removeAllDevices({ signal }),
  ];
  for (const call of calls) {
    const fake = new Fake();
    assert.is(await rejects(call(new DeviceMapper(fake))), reason);
    assert.equal(fake.log, []);
  }
});

type Aborted = (dm: DeviceMapper, signal: AbortSignal) => Promise<unknown>;
const UNDONE: readonly [command: Command, call: Aborted, undo: string][] = [
  ['DEV_CREATE', (dm, signal) => dm.createDevice('disk', { signal }), 'DEV_REMOVE disk'],
  ['TABLE_LOAD', (dm, signal) => dm.loadTable('disk', TABLE, { signal }), 'TABLE_CLEAR disk'],
  ['DEV_SUSPEND', (dm, signal) => dm.suspend('disk', { signal }), 'DEV_SUSPEND disk'],
];

for (const [command, call, undo] of UNDONE) {
  Mapper(`an abort during ${command} is undone`, async () => {
    const { script, signal } = abortsDuring(command);
    const fake = new Fake(script);
    assert.is(await rejects(call(new DeviceMapper(fake), signal)), reason);
    assert.is(changes(fake).length, 2);
    assert.is(changes(fake)[1], undo);
  });

  Mapper(`an abort during ${command} that cannot be undone is the cause of an error`, async () => {
    const { script, signal } = abortsDuring(command);
    let sent = 0;
    const fake = new Fake((call) => {
      if (call.command === 'DEV_STATUS') return undefined;
      return sent++ === 0 ? script(call) : ENOMEM;
    });
    const error = await rejects<KernelError>(call(new DeviceMapper(fake), signal));
    assert.equal([error.name, error.code, error.left.length], ['KernelError', 'ENOMEM', 1]);
    assert.is(error.cause, reason);
  });

  Mapper(`an abort during ${command} that fails by itself leaves the error`, async () => {
    const { script, signal } = abortsDuring(command, EBUSY);
    const fake = new Fake(script);
    const error = await rejects<KernelError>(call(new DeviceMapper(fake), signal));
    assert.equal([error.code, error.undone, error.left], ['EBUSY', [], []]);
    assert.is(changes(fake).length, 1);
  });
}

/** What was sent, but for looks at the device. */
function changes(fake: Fake): string[] {
  return fake.log.filter((line) => !line.startsWith('DEV_STATUS'));
}

Mapper('an aborted suspend resumes nothing that was suspended before', async () => {
  const { script, signal } = abortsDuring('DEV_SUSPEND');
  const before = { flags: DM_ACTIVE_PRESENT_FLAG | DM_SUSPEND_FLAG };
  const fake = new Fake(either(script, on('DEV_STATUS', before)));
  const call = new DeviceMapper(fake).suspend('disk', { signal });
  assert.is(await rejects(call), reason);
  assert.equal(changes(fake), ['DEV_SUSPEND disk SUSPEND']);
});

Mapper('an aborted suspend makes no table live that waits', async () => {
  const flags = DM_ACTIVE_PRESENT_FLAG | DM_INACTIVE_PRESENT_FLAG | DM_SUSPEND_FLAG;
  const { script, signal } = abortsDuring('DEV_SUSPEND', { flags });
  const fake = new Fake(script);
  assert.ok((await new DeviceMapper(fake).suspend('disk', { signal })).suspended);
  assert.equal(changes(fake), ['DEV_SUSPEND disk SUSPEND']);
});

Mapper('an abort does not end the undoing of what failed', async () => {
  // During the step that fails, and during the undoing itself.
  for (const during of ['TABLE_LOAD', 'DEV_REMOVE'] as const) {
    const { script, signal } = abortsDuring(during, during === 'TABLE_LOAD' ? EINVAL : EBUSY);
    const fake = new Fake(either(script, on('TABLE_LOAD', EINVAL)));
    const call = new DeviceMapper(fake).createActiveDevice('disk', TABLE, { signal });
    const error = await rejects<KernelError>(call);
    assert.equal([error.code, error.undone, error.left], ['EINVAL', DEVICE, []]);
    assert.is(fake.log.at(-1), 'DEV_REMOVE disk');
  }
});

Mapper('an abort ends a wait at once, and asks nothing more', async () => {
  const controller = new AbortController();
  const fake = new Fake(() => EBUSY);
  // Ends only when it is told to, as a clock's sleep does.
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((done) => {
      fake.log.push(`sleep ${ms}`);
      signal?.addEventListener('abort', () => {
        done();
      });
      setTimeout(() => {
        controller.abort(reason);
      });
    });
  const dm = new DeviceMapper(Object.assign(fake, { sleep }));
  assert.is(
    await rejects(dm.removeDevice('disk', { retry: true, signal: controller.signal })),
    reason,
  );
  assert.equal(fake.log, ['DEV_REMOVE disk', 'sleep 200']);
});

Mapper('an abort of what is done comes too late', async () => {
  const { script, signal } = abortsDuring('DEV_REMOVE');
  assert.is(await new DeviceMapper(new Fake(script)).removeDevice('disk', { signal }), 'removed');
});

Mapper('an abort during a query ends it', async () => {
  const { script, signal } = abortsDuring('TABLE_STATUS');
  assert.is(await rejects(new DeviceMapper(new Fake(script)).getTable('disk', { signal })), reason);
});

Mapper('a Transport that drops a waiting call on abort is no failure of the kernel', async () => {
  const controller = new AbortController();
  const fake = new Fake();
  const ioctlAsync = (code: number, buffer: Uint8Array, options?: AsyncCall): Promise<number> => {
    if (code !== REQUEST_CODE.TABLE_LOAD) return Fake.prototype.ioctlAsync.call(fake, code, buffer);
    controller.abort(reason);
    return Promise.reject(options?.signal?.reason as Error);
  };
  const dm = new DeviceMapper(Object.assign(fake, { ioctlAsync }));
  const { signal } = controller;
  assert.is(await rejects(dm.createActiveDevice('disk', TABLE, { signal })), reason);
  assert.equal(fake.log, ['DEV_CREATE disk', 'DEV_REMOVE disk']);
});

// ── Many at once ─────────────────────────────────────────────────────────────────────────────────

/** Answers that come when they are let go. */
class Held {
  readonly #waiting: (() => void)[] = [];

  hold(answer?: Answer): Promise<Answer> {
    return new Promise((done) => {
      this.#waiting.push(() => {
        done(answer);
      });
    });
  }

  /** The last one first. */
  release(): void {
    for (const done of this.#waiting.splice(0).reverse()) done();
  }
}

/** Let everything happen that can happen. */
async function settle(): Promise<void> {
  await new Promise((done) => setImmediate(done));
}

Mapper('two hundred calls at once get their own answers', async () => {
  const held = new Held();
  const fake = new Fake(({ command, request: { name } }) => {
    if (command !== 'TABLE_STATUS') return { uuid: `uuid of ${name}` };
    const target = { startSector: 0, length: 8, type: 'linear', parameters: `table of ${name}` };
    return held.hold({ targets: [target] });
  });
  const dm = new DeviceMapper(fake);
  const calls = Array.from({ length: 200 }, async (_, i) => {
    const name = `${'x'.repeat(i % 50)}${i}`;
    if (i % 3 === 0) assert.is((await dm.getDevice(name)).uuid, `uuid of ${name}`);
    else {
      const { device, targets } = await dm.getTable(name);
      assert.equal([device.name, targets[0]!.parameters], [name, `table of ${name}`]);
    }
  });
  await settle();
  assert.is(fake.calls.length, 200);
  held.release();
  await Promise.all(calls);
});

Mapper('calls on one device keep their order, and others go on', async () => {
  const held = new Held();
  const fake = new Fake(({ command, request }) =>
    command === 'TABLE_LOAD' && request.name === 'a' ? held.hold() : undefined,
  );
  const dm = new DeviceMapper(fake);
  const calls = [
    dm.loadTable('a', TABLE),
    dm.resume({ name: 'a' }),
    dm.suspend({ name: 'a', uuid: undefined } as never),
    dm.resume('b'),
    dm.getDevice('a'),
  ];
  await settle();
  // A look at a device waits for nobody.
  assert.equal(fake.log, ['TABLE_LOAD a', 'DEV_SUSPEND b', 'DEV_STATUS a']);
  held.release();
  await Promise.all(calls);
  assert.equal(fake.log.slice(3), ['DEV_SUSPEND a', 'DEV_SUSPEND a SUSPEND']);
});

Mapper('a call that fails or is aborted keeps nobody waiting, and no place', async () => {
  const held = new Held();
  const fake = new Fake((call) => (call.command === 'TABLE_LOAD' ? held.hold(EINVAL) : undefined));
  const dm = new DeviceMapper(fake);
  const controller = new AbortController();
  const load = dm.loadTable('a', TABLE);
  const aborted = dm.suspend('a', { signal: controller.signal });
  const last = dm.clearTable('a');
  controller.abort(reason);
  assert.is(await rejects(aborted), reason);
  await settle();
  assert.equal(fake.log, ['TABLE_LOAD a']);
  held.release();
  await rejects<KernelError>(load, ({ code }) => code === 'EINVAL');
  await last;
  assert.equal(fake.log, ['TABLE_LOAD a', 'TABLE_CLEAR a']);
});

// ── Removal ──────────────────────────────────────────────────────────────────────────────────────

const openFor =
  (tries: number): Script =>
  ({ command, nth }) =>
    command === 'DEV_REMOVE' && nth <= tries ? EBUSY : undefined;

both('an open device is tried once, or as often as asked', async (over) => {
  const tries: [
    retry: boolean | { times: number; delayMs: number } | undefined,
    times: number,
    ms: number,
  ][] = [
    [undefined, 1, 0],
    [false, 1, 0],
    [true, 25, 200],
    [{ times: 3, delayMs: 7 }, 3, 7],
    [{ times: 2, delayMs: 0 }, 2, 0],
  ];
  for (const [retry, times, ms] of tries) {
    const options = retry === undefined ? {} : { retry };
    const expected = Array.from({ length: times }, () => [`sleep ${ms}`, 'DEV_REMOVE disk'])
      .flat()
      .slice(1);
    const never = new Fake(openFor(Infinity));
    assert.is((await failure(() => over(never).removeDevice('disk', options))).code, 'EBUSY');
    // At the end it looks how often the device is open.
    assert.equal(never.log, [...expected, 'DEV_STATUS disk']);
    const atLast = new Fake(openFor(times - 1));
    assert.is(await over(atLast).removeDevice('disk', options), 'removed');
    assert.equal(atLast.log, expected);
  }
});

both('only an open device is tried again', async (over) => {
  const fake = new Fake(on('DEV_REMOVE', ENXIO));
  assert.is((await failure(() => over(fake).removeDevice('disk', { retry: true }))).code, 'ENXIO');
  assert.equal(fake.log, ['DEV_REMOVE disk']);
});

both('a removal that the kernel puts off is scheduled', async (over) => {
  const fake = new Fake(on('DEV_REMOVE', { flags: DM_DEFERRED_REMOVE }));
  assert.is(await over(fake).removeDevice('disk', { deferred: true }), 'scheduled');
});

both('a forced removal puts an error table of the same size in place', async (over) => {
  const fake = new Fake();
  await over(fake).removeDevice('disk', { force: true });
  const { request } = fake.calls.find(({ command }) => command === 'TABLE_LOAD')!;
  assert.equal(
    request.targets.map(({ startSector, length, type }) => [startSector, length, type]),
    [[0, 64, 'error']],
  );
});

both('a forced removal that fails says that it left the error table', async (over) => {
  const fake = new Fake(openFor(2));
  const options = { force: true, retry: { times: 2, delayMs: 1 } };
  const error = await failure(() => over(fake).removeDevice('disk', options));
  assert.equal([error.code, error.command, error.device], ['EBUSY', 'DEV_REMOVE', 'disk']);
  assert.equal([error.undone, error.left], [[], ["load the error table of 'disk'"]]);
  assert.equal(fake.log.slice(4), [
    'DEV_REMOVE disk',
    'sleep 1',
    'DEV_REMOVE disk',
    'DEV_STATUS disk',
  ]);
});

both('an error table that cannot go live is taken out of the slot', async (over) => {
  const loaded = DM_ACTIVE_PRESENT_FLAG | DM_INACTIVE_PRESENT_FLAG;
  const script = either(on('DEV_SUSPEND', EINVAL), on('TABLE_STATUS', { flags: loaded }, 2));
  const fake = new Fake(script);
  const error = await failure(() => over(fake).removeDevice('disk', { force: true }));
  assert.equal([error.command, error.undone], ['DEV_SUSPEND', ["load the error table of 'disk'"]]);
  assert.is(fake.log.at(-1), 'TABLE_CLEAR disk');
});

both('a device without a table is removed by force as without', async (over) => {
  const fake = new Fake(on('TABLE_STATUS', { targets: [], flags: 0 }));
  assert.is(await over(fake).removeDevice('disk', { force: true }), 'removed');
  assert.equal(fake.log, ['TABLE_STATUS disk SECURE_DATA|STATUS_TABLE', 'DEV_REMOVE disk']);
});

// ── Lists and tables of every size ───────────────────────────────────────────────────────────────

const listed = ['vg-a', 'vg-b', 'x'].map((name, i) => ({ name, dev: 0xfd00 + i, eventNumber: i }));
const uuids: Readonly<Record<string, string>> = { 'vg-a': 'LVM-1', 'vg-b': 'CRYPT-2', x: 'LVM-3' };

both('a new kernel is asked for uuids and told the prefixes', async (over) => {
  const devices = listed.map((device) => ({ ...device, uuid: uuids[device.name]! }));
  const fake = new Fake(() => ({ version: [4, 45, 0], devices }));
  const prefixes = { namePrefix: 'vg-', uuidPrefix: 'LVM-' };
  assert.equal(await over(fake).listDevices(prefixes), [
    { name: 'vg-a', dev: 0xfd00, major: 253, minor: 0, uuid: 'LVM-1', eventNumber: 0 },
  ]);
  assert.is(fake.calls.length, 1);
  const { name, uuid } = fake.calls[0]!.request;
  assert.equal([name, uuid], ['vg-', 'LVM-']);
});

both('an old kernel is asked for each uuid, and only where that is needed', async (over) => {
  const fake = new Fake(({ command, request }) =>
    command === 'LIST_DEVICES'
      ? { version: [4, 43, 0], devices: listed }
      : { uuid: uuids[request.name] },
  );
  const dm = over(fake);
  assert.equal(
    (await dm.listDevices({ namePrefix: 'vg-' })).map(({ name, uuid }) => [name, uuid]),
    [
      ['vg-a', undefined],
      ['vg-b', undefined],
    ],
  );
  assert.is(fake.log.length, 1);
  assert.equal(await dm.listDevices({ namePrefix: 'vg-', uuidPrefix: 'LVM-' }), [
    { name: 'vg-a', dev: 0xfd00, major: 253, minor: 0, eventNumber: 0, uuid: 'LVM-1' },
  ]);
  assert.equal(fake.log.slice(2), ['DEV_STATUS vg-a', 'DEV_STATUS vg-b']);
});

both('a device that goes while its uuid is asked is not listed', async (over) => {
  const fake = new Fake(
    either(on('LIST_DEVICES', { version: [4, 30, 0], devices: listed }), on('DEV_STATUS', ENXIO)),
  );
  const names = (await over(fake).listDevices({ uuidPrefix: 'vg' })).map(({ name }) => name);
  assert.equal(names, []);
  assert.is(fake.calls.length, 4);
});

both('a query whose answer does not fit is sent again with twice the room', async (over) => {
  const sizes: Record<string, number[]> = {};
  const full: Script = ({ command, request: { dataSize } }) => {
    (sizes[command] ??= []).push(dataSize);
    const extra = command === 'TABLE_STATUS' ? { targets: [] } : {};
    return dataSize < 65536 ? { ...extra, flags: DM_BUFFER_FULL_FLAG } : undefined;
  };
  const dm = over(new Fake(full));
  assert.is((await dm.getTable('disk')).targets.length, 1);
  assert.equal(await dm.listDevices(), []);
  assert.is((await dm.getDependencies('disk')).length, 1);
  const doubled = [16384, 32768, 65536];
  assert.equal(sizes, { TABLE_STATUS: doubled, LIST_DEVICES: doubled, TABLE_DEPS: doubled });
});

both('an answer that overran its room without a flag is asked for again', async (over) => {
  const fake = new Fake(on('TABLE_STATUS', { targets: [], dataSize: 20000 }));
  assert.is((await over(fake).getTable('disk')).targets.length, 1);
  assert.equal(
    fake.calls.map(({ request }) => request.dataSize),
    [16384, 32768],
  );
});

both('an answer that never fits ends at what the kernel takes', async (over) => {
  const fake = new Fake(() => ({ flags: DM_BUFFER_FULL_FLAG }));
  const error = await failure(() => over(fake).listDevices());
  assert.is(error.name, 'ReplyError');
  assert.is(fake.calls.at(-1)?.request.dataSize, 1 << 30);
});

both('what changes something is sent once, whatever is said of room', async (over) => {
  const calls: ((dm: Client) => unknown)[] = [
    (dm) => dm.createDevice('disk'),
    (dm) => dm.loadTable('disk', TABLE),
    (dm) => dm.suspend('disk'),
    (dm) => dm.resume('disk'),
    (dm) => dm.clearTable('disk'),
    (dm) => dm.removeDevice('disk'),
  ];
  for (const call of calls) {
    const fake = new Fake(() => ({ flags: DM_BUFFER_FULL_FLAG, dataSize: 1 << 20 }));
    await call(over(fake));
    assert.is(fake.calls.length, 1);
  }
});

// ── Nodes ────────────────────────────────────────────────────────────────────────────────────────

const NODE = '/dev/mapper/disk';

function withNodes(script?: Script): { fake: Fake; nodes: FakeNodes } {
  const nodes = new FakeNodes();
  return { fake: Object.assign(new Fake(script), { nodes }), nodes };
}

both('a resumed device can be opened, and a removed one leaves no node', async (over) => {
  const { fake, nodes } = withNodes();
  const dm = over(fake);
  await dm.createActiveDevice('disk', TABLE);
  assert.equal(nodes.log, [`make ${NODE}`]);
  await dm.resume('disk');
  assert.is(nodes.log.length, 1);
  nodes.states[NODE] = 'stale';
  const gone: Script = ({ command }) => (command === 'DEV_STATUS' ? ENXIO : undefined);
  const after = Object.assign(new Fake(gone), { nodes });
  await over(after).removeDevice('disk');
  assert.equal(after.log.slice(0, 2), ['DEV_REMOVE disk', 'DEV_STATUS disk']);
  assert.equal(nodes.log, [`make ${NODE}`, `remove ${NODE}`]);
});

both('a device made while the old node goes has its own', async (over) => {
  const { fake, nodes } = withNodes(on('DEV_STATUS', ENXIO));
  nodes.states[NODE] = 'stale';
  await over(fake).removeDevice('disk');
  assert.equal(nodes.log, [`remove ${NODE}`, `make ${NODE}`]);
});

both('the node of a new device by the old name stays', async (over) => {
  const { fake, nodes } = withNodes();
  nodes.states[NODE] = 'stale';
  await over(fake).removeDevice('disk');
  assert.equal(nodes.log, []);
});

both('what is no node of ours is never touched, and nothing is made', async (over) => {
  for (const call of [
    (dm: Client) => dm.createDevice('disk'),
    (dm: Client) => dm.createActiveDevice('disk', TABLE),
  ]) {
    const { fake, nodes } = withNodes();
    nodes.states[NODE] = 'other';
    const error = await failure(() => call(over(fake)));
    assert.is(error.name, 'NodeError');
    assert.equal([...fake.log, ...nodes.log], []);
  }
});

both('a resume whose node is taken says by what, and leaves that alone', async (over) => {
  const { fake, nodes } = withNodes();
  nodes.states[NODE] = 'other';
  const error = await failure(() => over(fake).resume('disk'));
  assert.match(error.message, /^\/dev\/mapper\/disk: something that is no device-mapper node/);
  assert.equal(nodes.log, []);
});

both('a device whose node cannot be had is taken back', async (over) => {
  const { fake, nodes } = withNodes();
  nodes.makes = false;
  const error = await failure(() => over(fake).createActiveDevice('disk', TABLE));
  assert.equal([error.name, error.undone, error.left], ['NodeError', DEVICE, []]);
  assert.is(fake.log.at(-1), 'DEV_REMOVE disk');
});

both('a name that is no file name is asked of the kernel alone', async (over) => {
  for (const name of ['control', '..', 'a/b', '../sda', 'a\udcff']) {
    const { fake, nodes } = withNodes();
    nodes.state = () => 'other';
    assert.is((await over(fake).createActiveDevice(name, TABLE)).path, '/dev/dm-0');
    await over(fake).removeDevice(name);
    assert.equal(nodes.log, []);
  }
});

both('removeAllDevices takes away the nodes of what went', async (over) => {
  const { fake, nodes } = withNodes(
    either(
      on('LIST_DEVICES', { devices: listed }),
      on('LIST_DEVICES', { devices: listed.slice(1) }, 2),
      (call) => (call.command === 'DEV_STATUS' ? ENXIO : undefined),
    ),
  );
  for (const { name } of listed) nodes.states[`/dev/mapper/${name}`] = 'stale';
  await over(fake).removeAllDevices();
  assert.equal(nodes.log, ['remove /dev/mapper/vg-a']);
});

// ── A Transport that has no more than it must, and the end of one ────────────────────────────────

both('a Transport needs only ioctls', async (over) => {
  const fake = new Fake(either(openFor(2), on('DEV_STATUS', EINVAL)));
  const bare: Transport = {
    ioctl: (code, buffer) => fake.ioctl(code, buffer),
    ioctlAsync: (code, buffer, options) => fake.ioctlAsync(code, buffer, options),
    close: () => {
      fake.close();
    },
  };
  const dm = over(bare);
  assert.is((await dm.createActiveDevice('disk', TABLE)).path, '/dev/mapper/disk');
  assert.is(await dm.removeDevice('disk', { retry: true }), 'removed');
  assert.equal((await failure(() => dm.getDevice('disk'))).kernelLog, []);
  await dm.close();
  assert.is(fake.closed, 1);
});

both('a closed handle refuses calls, and closes once', async (over) => {
  const fake = new Fake();
  const dm = over(fake);
  await dm.close();
  await dm.close();
  assert.is(fake.closed, 1);
  for (const { call } of Object.values(CASES)) {
    assert.is((await failure(() => call(dm))).name, 'ClosedError');
  }
  assert.equal(fake.log, []);
});

Mapper('closing waits for the calls that were made before', async () => {
  const held = new Held();
  const fake = new Fake(({ command }) => (command === 'TABLE_LOAD' ? held.hold() : undefined));
  const dm = new DeviceMapper(fake);
  const calls = [dm.createActiveDevice('disk', TABLE), dm.suspend('disk')];
  const closing = dm.close();
  await rejects(dm.getVersion(), /closed/);
  await settle();
  assert.is(fake.closed, 0);
  held.release();
  await closing;
  assert.is(fake.closed, 1);
  assert.equal(fake.log, [
    'DEV_CREATE disk',
    'TABLE_LOAD disk',
    'DEV_SUSPEND disk',
    'DEV_SUSPEND disk SUSPEND',
  ]);
  await Promise.all(calls);
});

Mapper('closing ends well after calls that failed', async () => {
  const fake = new Fake(() => EINVAL);
  const dm = new DeviceMapper(fake);
  const call = dm.suspend('disk');
  await dm.close();
  assert.is(fake.closed, 1);
  await rejects(call, /EINVAL/);
});

Mapper('using closes', async () => {
  const [async, sync] = [new Fake(), new Fake()];
  {
    await using dm = new DeviceMapper(async);
    using twin = new DeviceMapperSync(sync);
    await dm.getVersion();
    twin.getVersion();
    assert.equal([async.closed, sync.closed], [0, 0]);
  }
  assert.equal([async.closed, sync.closed], [1, 1]);
});

Mapper.run();
