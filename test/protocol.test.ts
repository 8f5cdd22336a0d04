/** Old kernels, messages and their answers, reloads cut short, udev, and keys in recordings. */
import {
  DM_BUFFER_FULL_FLAG,
  DM_SECURE_DATA_FLAG,
  DM_UEVENT_GENERATED_FLAG,
  DeviceMapper,
  DeviceMapperSync,
  REQUEST_CODE,
  decodeRequest,
  encodeReply,
  encodeRequest,
  record,
  replay,
  type DecodedRequest,
  type Feature,
  type Udev,
  type UdevMode,
  type UnsupportedError,
} from 'devicemapper/model';
import { hideSecrets } from '#internal';
import { ENOMEM, Fake, TABLE, either, failure, on, type Client, type Script } from './fake.js';
import { assert, rejects, suite } from './harness.js';

const Protocol = suite('protocol');

function both(title: string, body: (over: (fake: Fake) => Client) => Promise<void>): void {
  for (const Kind of [DeviceMapper, DeviceMapperSync]) {
    Protocol(`${title}, ${Kind.name}`, () => body((fake) => new Kind(fake)));
  }
}

// ── Old kernels ──────────────────────────────────────────────────────────────────────────────────

/** Everything is answered as by interface 4.`minor`. */
const old =
  (minor: number): Script =>
  () => ({ version: [4, minor, 0] });

const WANTS: readonly (readonly [Feature, since: number, call: (dm: Client) => unknown])[] = [
  ['listTargets', 1, (dm) => dm.listTargets()],
  ['messages', 2, (dm) => dm.sendMessage('x', 'hello')],
  ['geometry', 6, (dm) => dm.setGeometry('x', { cylinders: 1, heads: 1, sectors: 1, start: 0 })],
  ['noflush', 12, (dm) => dm.suspend('x', { noflush: true })],
  ['noflush', 12, (dm) => dm.resume('x', { noflush: true })],
  ['noflush', 12, (dm) => dm.reloadTable('x', TABLE, { noflush: true })],
  ['inactiveTable', 16, (dm) => dm.getTable('x', { inactive: true })],
  ['inactiveTable', 16, (dm) => dm.getStatus('x', { inactive: true })],
  ['inactiveTable', 16, (dm) => dm.getDependencies('x', { inactive: true })],
  ['inactiveTable', 16, (dm) => dm.getDevice('x', { inactive: true })],
  ['setUuid', 19, (dm) => dm.setUuid('x', 'U')],
  ['secureData', 20, (dm) => dm.loadTable('x', TABLE, { secure: true })],
  ['secureData', 20, (dm) => dm.createActiveDevice('x', TABLE, { secure: true })],
  ['secureData', 20, (dm) => dm.sendMessage('x', 'key wipe', { secure: true })],
  ['statusNoflush', 23, (dm) => dm.getStatus('x', { noflush: true })],
  ['statistics', 26, (dm) => dm.sendMessage('x', '@stats_list')],
  ['deferredRemove', 27, (dm) => dm.removeDevice('x', { deferred: true })],
  ['deferredRemove', 27, (dm) => dm.removeAllDevices({ deferred: true })],
  ['deferredRemove', 27, (dm) => dm.cancelDeferredRemove('x')],
  ['targetVersion', 41, (dm) => dm.getTargetVersion('linear')],
  ['measurement', 45, (dm) => dm.getMeasurement('x')],
  ['probePaths', 50, (dm) => dm.probePaths('x')],
];

both('what a kernel is too old for is refused before anything else is sent', async (over) => {
  for (const [feature, since, call] of WANTS) {
    const fake = new Fake(old(since - 1));
    const error = (await failure(() => call(over(fake)))) as unknown as UnsupportedError;
    assert.is(error.code, 'ERR_DM_UNSUPPORTED', feature);
    assert.equal(
      [error.feature, error.needed, error.found],
      [feature, `4.${since}`, `4.${since - 1}`],
    );
    assert.is(fake.log.join(), fake.log.map(() => 'VERSION').join(), 'nothing but the version');
    const dm = over(new Fake(old(since)));
    await call(dm);
    assert.is(await dm.supports(feature), true);
    assert.is(await over(new Fake(old(since - 1))).supports(feature), false);
  }
});

both('the oldest kernel serves what it can, and each command says what it takes', async (over) => {
  const fake = new Fake(old(0));
  const dm = over(fake);
  await dm.createActiveDevice('x', TABLE, { uuid: 'U', minor: 3 });
  await dm.createActiveDevice('x', '0 8 crypt aes-cbc-plain 00 0 8:16 0');
  await dm.suspend('x', { skipLockfs: true });
  await dm.resume('x');
  await dm.reloadTable('x', TABLE);
  await dm.renameDevice('x', 'y');
  await dm.getTable('x');
  await dm.getStatus('x');
  await dm.getDependencies('x');
  await dm.listDevices({ namePrefix: 'x' });
  await dm.clearTable('x');
  await dm.removeDevice('x');
  await dm.removeDevice('x', { force: true });
  await dm.removeAllDevices();
  const stamps = new Set(fake.calls.map(({ request }) => request.version.join('.')));
  assert.equal([...stamps], ['4.0.0']);
  const newest = new Fake();
  const later = over(newest);
  await later.listTargets();
  await later.sendMessage('x', 'hello');
  await later.setGeometry('x', { cylinders: 1, heads: 1, sectors: 1, start: 0 });
  await later.getTargetVersion('linear');
  const stamped = newest.calls.filter(({ command }) => command !== 'VERSION');
  assert.equal(
    stamped.map(({ command, request }) => `${command} ${request.version.join('.')}`),
    [
      'LIST_VERSIONS 4.1.0',
      'TARGET_MSG 4.2.0',
      'DEV_SET_GEOMETRY 4.6.0',
      'GET_TARGET_VERSION 4.41.0',
    ],
  );
});

Protocol('a kernel of another major has nothing that we know', async () => {
  const dm = new DeviceMapper(new Fake(() => ({ version: [5, 99, 0] })));
  assert.is(await dm.supports('messages'), false);
});

// ── Messages ─────────────────────────────────────────────────────────────────────────────────────

const full = { flags: DM_BUFFER_FULL_FLAG };
const sizes = (fake: Fake): number[] =>
  fake.calls.filter(({ command }) => command === 'TARGET_MSG').map((call) => call.request.dataSize);

both('a query is asked again with more room, and only a query', async (over) => {
  for (const text of [
    '@stats_list',
    '@STATS_PRINT 0',
    ['@stats_create', '-', '8'],
    '@stats_print_clear 0',
  ]) {
    const fake = new Fake((call) =>
      call.command === 'TARGET_MSG' && call.nth < 4 ? full : undefined,
    );
    assert.is(await over(fake).sendMessage('x', text), 'well');
    const [first, ...more] = sizes(fake);
    assert.equal(more, [2 * first!, 4 * first!, 8 * first!]);
  }
  for (const text of ['dump', '@stats_clear 0', Uint8Array.of(0x61)]) {
    const fake = new Fake(on('TARGET_MSG', full));
    const error = await failure(() => over(fake).sendMessage('x', text));
    assert.is(error.code, 'ERR_DM_REPLY');
    assert.match(error.message, /the message was carried out, but its answer does not fit/);
    assert.is(sizes(fake).length, 1);
  }
});

both('a message is sent as it is given, word by word', async (over) => {
  const fake = new Fake();
  const dm = over(fake);
  const long = 'x'.repeat(70000);
  await dm.sendMessage('x', ' set  a\\\\b ', { sector: 2n ** 40n });
  await dm.sendMessage({ uuid: 'U' }, ['set', 'a b', 7, Uint8Array.of(0x5c)]);
  await dm.sendMessage('x', long);
  const sent = fake.calls
    .filter(({ command }) => command === 'TARGET_MSG')
    .map(({ request }) => request as unknown as DecodedRequest<'TARGET_MSG'>);
  assert.equal(
    sent.map(({ sector, message }) => [sector, new TextDecoder().decode(message)]),
    [
      [2 ** 40, ' set  a\\\\b '],
      [0, 'set a\\ b 7 \\\\'],
      [0, long],
    ],
  );
});

both('a message that is none is refused with its place', async (over) => {
  const wrong: readonly (readonly [unknown, object, RegExp])[] = [
    ['', {}, /^message: expected a parameter, got ""/],
    [' \t', {}, /^message: expected a parameter, got only blanks/],
    [[], {}, /^message: expected at least one word/],
    [['a', ''], {}, /^message\[1\]: expected a parameter, got ""/],
    [['a', 'b\0'], {}, /^message\[1\]: expected no NUL/],
    ['a\0', {}, /^message: expected no NUL/],
    [undefined, {}, /^message: expected a text, an array or bytes, got undefined/],
    [['a', 0.5], {}, /^message\[1\]: expected a text, a whole number or bytes/],
    ['a', { sector: -1 }, /^sector: expected a number of 512-byte sectors, got -1/],
    ['@stats_list', { sector: 8 }, /^sector: expected none with a message to the device itself/],
  ];
  for (const [message, options, expected] of wrong) {
    const fake = new Fake();
    const error = await failure(() => over(fake).sendMessage('x', message as string, options));
    assert.is(error.code, 'ERR_DM_INPUT');
    assert.match(error.message, expected);
    assert.equal(fake.log, []);
  }
});

// ── Reloads and renames cut short ────────────────────────────────────────────────────────────────

Protocol('an abort at any step of a reload leaves the device as it was', async () => {
  const reason = new Error('no more');
  for (const [command, nth] of [
    ['TABLE_STATUS', 1],
    ['TABLE_LOAD', 1],
    ['DEV_SUSPEND', 1],
  ] as const) {
    const abort = new AbortController();
    const state = { suspended: false, inactive: false };
    const fake = new Fake((call) => {
      if (call.command === command && call.nth === nth) abort.abort(reason);
      if (call.command === 'TABLE_LOAD') state.inactive = true;
      if (call.command === 'TABLE_CLEAR') state.inactive = false;
      if (call.command === 'DEV_SUSPEND') state.suspended = (call.request.flags & 2) !== 0;
      return { flags: 0x20 | (state.suspended ? 2 : 0) | (state.inactive ? 0x40 : 0) };
    });
    const dm = new DeviceMapper(fake);
    await rejects(
      dm.reloadTable('disk', TABLE, { signal: abort.signal }),
      (error) => error === reason,
    );
    assert.equal(state, { suspended: false, inactive: false }, command);
  }
});

both('what a failed reload could not put back is said', async (over) => {
  const fake = new Fake(either(on('DEV_SUSPEND', ENOMEM, 2), on('TABLE_STATUS', ENOMEM, 2)));
  const error = await failure(() => over(fake).reloadTable('disk', TABLE));
  assert.equal(error.undone, []);
  assert.equal(error.left, ["suspend device 'disk'", "load the table of 'disk'"]);
});

Protocol('an abort during a rename gives the device its name back', async () => {
  const abort = new AbortController();
  const reason = new Error('no more');
  const fake = new Fake((call) => {
    if (call.command === 'DEV_RENAME' && call.nth === 1) abort.abort(reason);
    return undefined;
  });
  const renamed = new DeviceMapper(fake).renameDevice('disk', 'other', { signal: abort.signal });
  await rejects(renamed, (error) => error === reason);
  assert.equal(fake.log.slice(0, 3), ['DEV_STATUS disk', 'DEV_RENAME disk', 'DEV_RENAME other']);
});

// ── udev ─────────────────────────────────────────────────────────────────────────────────────────

/** A udevd that completes a cookie after so many looks. */
function withUdev(
  mode: UdevMode,
  looks: number,
  script?: Script,
): { fake: Fake & { udev: Udev }; udev: string[] } {
  const udev: string[] = [];
  const sent = either(script ?? (() => undefined), ({ command }) =>
    ['DEV_SUSPEND', 'DEV_REMOVE', 'DEV_RENAME'].includes(command)
      ? { flags: DM_UEVENT_GENERATED_FLAG | 0x20 }
      : undefined,
  );
  const fake = Object.assign(new Fake(sent), {
    udev: {
      mode: () => mode,
      create: () => udev.push('create') && 0x1234,
      completed: (cookie: number) => udev.push(`look ${cookie.toString(16)}`) > looks,
      remove: (cookie: number) => void udev.push(`remove ${cookie.toString(16)}`),
    },
  });
  return { fake, udev };
}

both('a cookie goes with what makes events, is waited for, and taken away', async (over) => {
  const { fake, udev } = withUdev('cookie', 3);
  await over(fake).resume('disk');
  assert.is(fake.calls[0]!.request.eventNr, 0x00401234);
  assert.equal(udev, ['create', 'look 1234', 'look 1234', 'look 1234', 'remove 1234']);
  assert.equal(fake.log, ['DEV_SUSPEND disk', 'sleep 1', 'sleep 2']);
});

both('a cookie that no event carries is not waited for', async (over) => {
  for (const answer of [ENOMEM, { flags: 0x20 }]) {
    const { fake, udev } = withUdev('cookie', Infinity, on('DEV_SUSPEND', answer));
    await Promise.resolve(over(fake))
      .then((dm) => dm.resume('disk'))
      .catch(() => undefined);
    assert.equal(udev, ['create', 'remove 1234']);
  }
});

both('udev is given half a minute, and no more', async (over) => {
  const { fake, udev } = withUdev('cookie', Infinity);
  await over(fake).resume('disk');
  const waited = fake.log.flatMap((line) => Number(/^sleep (\d+)$/.exec(line)?.[1] ?? 0));
  const total = waited.reduce((sum, ms) => sum + ms, 0);
  assert.ok(total >= 30_000 && total < 31_000, `${total} ms`);
  assert.is(udev.at(-1), 'remove 1234');
});

both('without a semaphore to be had the event is sent all the same', async (over) => {
  const { fake, udev } = withUdev('cookie', 0);
  fake.udev.create = () => 0;
  await over(fake).resume('disk');
  assert.is(fake.calls[0]!.request.eventNr, 0x00400000);
  assert.equal(udev, []);
});

// ── Keys ─────────────────────────────────────────────────────────────────────────────────────────

const KEY = '00112233445566778899aabbccddeeff';
const STARS = '*'.repeat(KEY.length);
const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);
const shown = (command: keyof typeof REQUEST_CODE, bytes: Uint8Array): string =>
  text(hideSecrets(REQUEST_CODE[command], bytes, 'request'));

Protocol('keys are shown as stars, wherever they stand', () => {
  const line = (type: string, parameters: string): Uint8Array =>
    encodeRequest('TABLE_LOAD', { targets: `0 8 linear 8:16 0\n8 8 ${type} ${parameters}` });
  for (const [type, parameters] of [
    ['crypt', `aes-cbc-plain ${KEY} 0 8:16 0`],
    ['crypt', `  aes-cbc-plain   ${KEY}   0 8:16 0`],
    ['inlinecrypt', `aes-xts-plain64 ${KEY} 0 8:16 0`],
    ['integrity', `8:16 0 16 J 1 internal_hash:hmac(sha256):${KEY}`],
  ] as const) {
    const bytes = line(type, parameters);
    assert.ok(text(bytes).includes(KEY));
    const hidden = shown('TABLE_LOAD', bytes);
    assert.is(hidden, text(bytes).replace(KEY, STARS));
  }
  const reference = line('crypt', 'aes-cbc-plain :32:logon:my:key 0 8:16 0');
  assert.is(shown('TABLE_LOAD', reference), text(reference));
  // Somebody said that there is a secret, in a target that is not known to have any.
  const flags = DM_SECURE_DATA_FLAG;
  const unknown = encodeRequest('TABLE_LOAD', { targets: `0 8 new ${KEY}`, flags });
  assert.not(shown('TABLE_LOAD', unknown).includes(KEY));
  for (const message of [`key set ${KEY}`, `KEY  SET  ${KEY}`, ['key', 'set', KEY]]) {
    const bytes = encodeRequest('TARGET_MSG', { message, dataSize: 400 });
    assert.is(shown('TARGET_MSG', bytes), text(bytes).replace(KEY, STARS));
  }
  const plain = encodeRequest('TARGET_MSG', { message: 'key wipe' });
  assert.is(shown('TARGET_MSG', plain), text(plain));
  const targets = [{ startSector: 0, length: 8, type: 'crypt', parameters: `aes ${KEY} 0 8:16 0` }];
  const reply = encodeReply('TABLE_STATUS', { targets, flags: 0x10 });
  const told = text(hideSecrets(REQUEST_CODE.TABLE_STATUS, reply, 'reply'));
  assert.is(told, text(reply).replace(KEY, STARS));
});

Protocol('of broken bytes nothing is shown behind the header', () => {
  const good = encodeRequest('TABLE_LOAD', {
    targets: [
      { startSector: 0, length: 8, type: 'crypt', parameters: ['aes', KEY, 0, '8:16', 0] },
      { startSector: 8, length: 8, type: 'crypt', parameters: ['aes', KEY, 0, '8:16', 0] },
    ],
  });
  for (let at = 0; at < good.length; at++) {
    for (const value of [0, 0x7f, 0x80, 0xff]) {
      const bytes = good.with(at, value);
      const hidden = shown('TABLE_LOAD', bytes);
      assert.is(hidden.length, bytes.length);
      // Of another type, or with another cipher before it, it is no key that we know of.
      if ((at >= 336 && at < 356) || (at >= 424 && at < 444)) continue;
      if (at >= 312 && at < 352 + 60) assert.not(hidden.includes(KEY), `byte ${at} = ${value}`);
    }
  }
  for (let length = 0; length < good.length; length++) shown('TABLE_LOAD', good.slice(0, length));
  for (let length = 0; length < 330; length++) {
    shown('TARGET_MSG', encodeRequest('TARGET_MSG', { message: 'a b' }).slice(0, length));
  }
});

both('a recording has stars for keys, and is played back all the same', async (over) => {
  const play = async (dm: Client): Promise<void> => {
    await dm.createActiveDevice('disk', `0 8 crypt aes-cbc-plain ${KEY} 0 8:16 0`);
    await dm.sendMessage('disk', ['key', 'set', new TextEncoder().encode(KEY)]);
    await dm.getTable('disk', { showKeys: true });
  };
  const targets = [{ startSector: 0, length: 8, type: 'crypt', parameters: `aes ${KEY} 0 8:16 0` }];
  const kernel = (): Fake => new Fake(on('TABLE_STATUS', { targets, flags: 0x30 }));
  const isThere = (lines: unknown): boolean =>
    JSON.stringify(lines).includes(btoa(KEY).slice(4, 36)) ||
    (lines as { in: string; out?: string }[]).some(({ in: given, out = '' }) =>
      [given, out].some((base64) => atob(base64).includes(KEY)),
    );
  const hidden = record(kernel());
  await play(over(hidden as unknown as Fake));
  const ioctls = hidden.lines().filter(({ call }) => call === 'ioctl');
  assert.not(isThere(ioctls));
  await play(over(replay(hidden.lines()) as unknown as Fake));
  const open = record(kernel(), { secrets: true });
  await play(over(open as unknown as Fake));
  assert.ok(isThere(open.lines().filter(({ call }) => call === 'ioctl')));
  await play(over(replay(open.lines()) as unknown as Fake));
});

both('tables with keys are marked for the kernel, and others are not', async (over) => {
  const marked = async (table: Parameters<Client['loadTable']>[1]): Promise<boolean> => {
    const fake = new Fake();
    await over(fake).loadTable('disk', table);
    const load = fake.calls.find(({ command }) => command === 'TABLE_LOAD')!;
    return (load.request.flags & DM_SECURE_DATA_FLAG) !== 0;
  };
  const row = { startSector: 0, length: 8 };
  assert.ok(await marked(`# two\n 0 8 linear 8:16 0\n8\t8  crypt aes ${KEY} 0 8:16 0`));
  assert.ok(await marked([{ ...row, type: 'integrity', parameters: '8:16 0 - J 0' }]));
  assert.ok(await marked([{ ...row, type: 'new', parameters: [Uint8Array.of(0x61)] }]));
  assert.ok(await marked([{ ...row, type: 'new', parameters: Uint8Array.of(0x61) }]));
  assert.not(await marked('0 8 linear /dev/crypt 0'));
  assert.not(await marked([{ ...row, type: 'linear', parameters: ['/dev/crypt', 0] }]));
});

Protocol('what decodes to the same again is the same request', () => {
  const geometry = { cylinders: 65535, heads: 255, sectors: 255, start: 2 ** 53 - 1 };
  const bytes = encodeRequest('DEV_SET_GEOMETRY', { name: 'x', geometry });
  assert.equal(decodeRequest('DEV_SET_GEOMETRY', bytes).geometry, geometry);
});

Protocol.run();
