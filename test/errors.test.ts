/** What errors say, and to whom: the words, the fields, and the sense of each errno. */
import {
  DeviceMapperSync,
  KernelError,
  NodeError,
  REQUEST_CODE,
  UnsupportedError,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type InputError,
  type ReplyError,
  type Target,
} from 'devicemapper/model';
import { meaningOf } from '#internal';
import { assert, suite } from './harness.js';

/** What `call` throws; a test knows which of the two it is. */
function thrown(call: () => unknown): InputError & ReplyError {
  try {
    call();
  } catch (error) {
    return error as InputError & ReplyError;
  }
  throw new Error('expected an error');
}

function load(targets: readonly Target[] | string, name = 'x'): InputError {
  return thrown(() => encodeRequest('TABLE_LOAD', { name, targets }));
}

/** What a log keeps of it as JSON. */
function fieldsOf(error: Error): unknown {
  return JSON.parse(JSON.stringify(error));
}

const zero: Target = { startSector: 0, length: 8, type: 'zero', parameters: [] };
const EBUSY = 16;
const EINVAL = 22;

const Errors = suite('errors');

Errors("the messages are those of the house's six examples", () => {
  const negative = load([zero, zero, { ...zero, length: -8 }]);
  assert.is(negative.message, 'targets[2].length: expected a number of 512-byte sectors, got -8');
  assert.is(negative.path, 'targets[2].length');

  assert.is(
    load('0 8 zero', 'n'.repeat(140)).message,
    'name: expected at most 127 bytes, got 140; DM_NAME_LEN is 128 with its NUL',
  );

  const text = `0 2048 linear /dev/sdb 0\n2048 4096 linear /dev/sdc 34 \n6144    4k zero`;
  const inText = load(text);
  assert.is(inText.message, 'line 3, column 9: expected a number of 512-byte sectors, got "4k"');
  assert.equal([inText.line, inText.column, inText.offset], [3, 9, text.indexOf('4k')]);

  const targets = [zero, { ...zero, startSector: 8 }];
  const reply = encodeReply('TABLE_STATUS', { targets });
  new DataView(reply.buffer).setUint32(312 + 20, 4096, true);
  const broken = thrown(() => decodeReply('TABLE_STATUS', reply));
  const end = new DataView(reply.buffer).getUint32(12, true);
  assert.is(
    broken.message,
    `DM_TABLE_STATUS reply: target 0 at offset 332: next is 4096, past the reply's end at ${end}`,
  );
  assert.equal([broken.command, broken.offset], ['TABLE_STATUS', 332]);

  assert.is(
    new KernelError('DEV_REMOVE', EBUSY, { device: 'root' }).message,
    "EBUSY: device is open, DM_DEV_REMOVE 'root'; close what holds it, or pass { deferred: true }",
  );

  const kernelLog = [
    'device-mapper: table: 253:3: linear: Invalid device sector (-EINVAL)',
    'device-mapper: ioctl: error adding target to table',
  ];
  assert.is(
    new KernelError('TABLE_LOAD', EINVAL, { device: 'home', kernelLog }).message,
    'EINVAL: table refused, DM_TABLE_LOAD \'home\'; kernel log: "table: 253:3: linear: Invalid device sector (-EINVAL)"',
  );
});

Errors('a request that is none says so, to its caller', () => {
  const request = encodeRequest('TABLE_LOAD', { name: 'x', targets: '0 8 zero' });
  new DataView(request.buffer).setUint32(20, 2, true);
  new DataView(request.buffer).setUint32(312 + 20, 4096, true);
  const error = thrown(() => decodeRequest('TABLE_LOAD', request));
  assert.is(error.name, 'InputError');
  assert.match(
    error.message,
    /^offset 332: DM_TABLE_LOAD request: target 0 .*past the request's end/,
  );
});

Errors('a kernel error is like one of Node, and tells more', () => {
  const cause = new Error('gone');
  const detail = {
    device: 'root',
    kernelLog: ['device-mapper: a'],
    undone: ['b'],
    left: ['c'],
    cause,
  };
  const error = new KernelError('DEV_CREATE', EBUSY, detail);
  const { code, errno, syscall, command, device, meaning, kernelLog, undone, left } = error;
  assert.equal(
    { code, errno, syscall, command, device, meaning, kernelLog, undone, left, cause: error.cause },
    {
      code: 'EBUSY',
      errno: -EBUSY,
      syscall: 'ioctl',
      command: 'DEV_CREATE',
      meaning: 'name or uuid in use',
      ...detail,
    },
  );
  assert.is(
    error.message,
    'EBUSY: name or uuid in use, DM_DEV_CREATE \'root\'; kernel log: "a"; not undone: c',
  );
  assert.is(String(error), `KernelError: ${error.message}`);
  assert.ok(error instanceof Error && error.stack?.includes('errors.test') === true);
});

Errors('an error without a detail has no empty fields of it', () => {
  const error = new KernelError('VERSION', 13);
  assert.not('device' in error);
  assert.not(Object.hasOwn(error, 'cause'));
  assert.equal([error.kernelLog, error.undone, error.left], [[], [], []]);
  const input = load([{ ...zero, type: '' }]);
  assert.equal(Object.keys(input), ['code', 'path']);
});

Errors('a line of the log that says nothing is not the reason', () => {
  const only = ['device-mapper: ioctl: error adding target to table'];
  const { message, kernelLog } = new KernelError('TABLE_LOAD', EINVAL, { kernelLog: only });
  assert.is(message, 'EINVAL: table refused, DM_TABLE_LOAD');
  assert.is(kernelLog, only);
  // Some builds of crypt write another prefix before it.
  const crypt = ['trusted_key: device-mapper: crypt: no key'];
  assert.match(
    new KernelError('TABLE_LOAD', EINVAL, { kernelLog: crypt }).message,
    /log: "crypt: no key"$/,
  );
});

Errors('each kind has its own code and fields', () => {
  const unsupported = new UnsupportedError('renaming', '4.19', '4.0');
  assert.equal(fieldsOf(unsupported), {
    code: 'ERR_DM_UNSUPPORTED',
    feature: 'renaming',
    needed: '4.19',
    found: '4.0',
  });
  assert.is(unsupported.message, 'renaming needs device-mapper interface 4.19, the kernel has 4.0');

  const node = new NodeError('/dev/mapper/x', 'taken', ['a'], ['b']);
  assert.equal(fieldsOf(node), {
    code: 'ERR_DM_NODE',
    path: '/dev/mapper/x',
    problem: 'taken',
    undone: ['a'],
    left: ['b'],
  });
  assert.is(node.message, '/dev/mapper/x: taken; not undone: b');

  const dm = new DeviceMapperSync({
    ioctl: () => 0,
    ioctlAsync: () => Promise.resolve(0),
    close: () => undefined,
  });
  dm.close();
  const closed = thrown(() => dm.getVersion());
  assert.equal([closed.name, closed.code], ['ClosedError', 'ERR_DM_CLOSED']);

  const reply = thrown(() => decodeReply('DEV_STATUS', new Uint8Array(10).fill(0xab)));
  assert.equal(
    [reply.name, reply.code, reply.command],
    ['ReplyError', 'ERR_DM_REPLY', 'DEV_STATUS'],
  );
  assert.match(
    reply.message,
    /^DM_DEV_STATUS reply: expected at least the 305 bytes of a header, got 10$/,
  );
});

Errors('the bytes of a table, which may hold a key, stay out of the message', () => {
  const key = 'deadbeefdeadbeef';
  const reply = encodeReply('TABLE_STATUS', { targets: [{ ...zero, parameters: key }] });
  // Cut in the middle of the key, which so has no end.
  new DataView(reply.buffer).setUint32(12, 312 + 40 + 8, true);
  const error = thrown(() => decodeReply('TABLE_STATUS', reply));
  assert.match(error.message, /parameters have no NUL/);
  assert.is(error.excerpt, '');
  const header = thrown(() => decodeReply('TABLE_STATUS', reply.fill(0x41, 48, 177)));
  assert.is(header.excerpt, Array.from({ length: 16 }, () => '41').join(' '));
});

Errors('what is quoted is cut, and whole in the fields', () => {
  const device = 'd'.repeat(127);
  const error = new KernelError('DEV_STATUS', 6, { device });
  assert.is(error.message, `ENXIO: no such device, DM_DEV_STATUS '${'d'.repeat(40)}…'`);
  assert.is(error.device, device);
  const { message } = load([{ ...zero, startSector: 's'.repeat(50) as never }]);
  assert.ok(message.endsWith(`got "${'s'.repeat(40)}…"`), message);
  assert.ok(
    load([{ ...zero, startSector: 's'.repeat(40) as never }]).message.endsWith(
      `${'s'.repeat(40)}"`,
    ),
  );
});

Errors('what is not text is shown as its writer knows it', () => {
  const shown: [unknown, string][] = [
    [-1n, '-1n'],
    [1.5, '1.5'],
    [NaN, 'NaN'],
    [2 ** 53, '9007199254740992; a bigint holds it exactly'],
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    ['8', '"8"'],
    [{}, 'an object'],
    [[], 'an array'],
    [new Uint8Array(3), '3 bytes'],
    [Symbol('x'), 'symbol'],
  ];
  for (const [value, words] of shown) {
    const { message } = load([{ ...zero, length: value as never }]);
    assert.is(message, `targets[0].length: expected a number of 512-byte sectors, got ${words}`);
  }
});

Errors('a message is one line, whatever a name holds', () => {
  const device = 'a\nb\r\u0085\u2028\u001b[31m\0';
  const messages = [
    new KernelError('DEV_STATUS', 6, { device, left: [device] }),
    new NodeError(`/dev/mapper/${device}`, 'taken'),
    load([{ ...zero, startSector: device as never }]),
  ].map(({ message }) => message);
  for (const message of messages) assert.not(/[\p{Cc}\u2028\u2029]/u.test(message), message);
  assert.match(messages[0]!, /'a\\u000ab\\u000d\\u0085\\u2028\\u001b\[31m\\u0000'/);
});

Errors('a log can hold an error as JSON', () => {
  const error = new KernelError('DEV_REMOVE', EBUSY, { device: 'root', cause: new Error('x') });
  assert.equal(fieldsOf(error), {
    code: 'EBUSY',
    errno: -EBUSY,
    syscall: 'ioctl',
    command: 'DEV_REMOVE',
    device: 'root',
    meaning: 'device is open',
    kernelLog: [],
    undone: [],
    left: [],
    holders: [],
  });
});

Errors('what a structured clone keeps of an error tells the story', () => {
  const error = new KernelError('DEV_REMOVE', EBUSY, { device: 'root', cause: { why: 'x' } });
  const clone = structuredClone(error);
  // An algorithm of the platform: name and fields are lost, so the message has to stand alone.
  assert.is(clone.message, error.message);
  assert.equal(clone.cause, { why: 'x' });
});

// ── (command, errno) → a sentence ────────────────────────────────────────────────────────────────

/** What kernels 5.10, 6.1 and 6.12 answered, and what a user is to read. */
const MEANINGS: [command: string, code: string, errno: number, meaning: RegExp][] = [
  ['VERSION', 'EACCES', 13, /CAP_SYS_ADMIN in the initial user namespace/],
  ['VERSION', 'EINVAL', 22, /interface/],
  ['VERSION', 'EFAULT', 14, /buffer/],
  ['VERSION', 'ENOTTY', 25, /not known to this kernel/],
  ['DEV_CREATE', 'EBUSY', 16, /^name or uuid in use$/],
  ['DEV_CREATE', 'EINVAL', 22, /not a legal device name/],
  ['DEV_CREATE', 'ENXIO', 6, /minor in use/],
  ['DEV_REMOVE', 'EBUSY', 16, /^device is open$/],
  ['DEV_REMOVE', 'ENXIO', 6, /no such device/],
  ['DEV_STATUS', 'EINVAL', 22, /more than one of name, uuid and dev/],
  ['DEV_STATUS', 'ENOTTY', 25, /not known to this kernel/],
  ['DEV_STATUS', 'ENXIO', 6, /no such device/],
  ['DEV_SUSPEND', 'EAGAIN', 11, /not ready to resume/],
  ['DEV_SUSPEND', 'EINTR', 4, /interrupted/],
  ['DEV_SUSPEND', 'EINVAL', 22, /no table to resume/],
  ['DEV_SUSPEND', 'ENXIO', 6, /no such device/],
  ['TABLE_CLEAR', 'ENXIO', 6, /no such device/],
  ['TABLE_DEPS', 'ENXIO', 6, /no such device/],
  ['TABLE_LOAD', 'EBUSY', 16, /held by someone else/],
  ['TABLE_LOAD', 'EINVAL', 22, /^table refused$/],
  ['TABLE_LOAD', 'ENODATA', 61, /no such thin device/],
  ['TABLE_LOAD', 'ENODEV', 19, /no block device/],
  ['TABLE_LOAD', 'ENOENT', 2, /path or an algorithm that is absent/],
  ['TABLE_LOAD', 'ENOKEY', 126, /not in the keyring/],
  ['TABLE_LOAD', 'ENOMEM', 12, /out of memory/],
  ['TABLE_LOAD', 'ENOTBLK', 15, /no block device, or its metadata is damaged/],
  ['TABLE_LOAD', 'ENXIO', 6, /no such device, or a target names a block device that is absent/],
  ['TABLE_LOAD', 'EOVERFLOW', 75, /too many targets/],
  ['TABLE_LOAD', 'EROFS', 30, /read-only/],
  ['TABLE_STATUS', 'ENXIO', 6, /no such device/],
];

/** What the commands answer, by the kernel's sources (drivers/md/dm-ioctl.c, and of TARGET_MSG the targets). */
const PAIRS: Readonly<Record<string, string>> = {
  VERSION: 'EACCES ENOTTY EFAULT EINVAL',
  REMOVE_ALL: 'EACCES ENOTTY EFAULT EINVAL',
  LIST_DEVICES: 'EACCES ENOTTY EFAULT EINVAL ENOMEM',
  DEV_CREATE: 'EACCES ENOTTY EFAULT EINVAL EBUSY ENXIO ENOMEM',
  DEV_REMOVE: 'EACCES ENOTTY EFAULT EINVAL EBUSY ENXIO ENOMEM',
  DEV_RENAME: 'EACCES ENOTTY EFAULT EINVAL EBUSY ENXIO ENOMEM',
  DEV_SUSPEND: 'EACCES ENOTTY EFAULT EINVAL ENXIO EINTR EAGAIN EBUSY EIO EROFS ENOSPC ENOMEM',
  DEV_STATUS: 'EACCES ENOTTY EFAULT EINVAL ENXIO',
  DEV_WAIT: 'EACCES ENOTTY EFAULT EINVAL ENXIO EINTR ENOMEM',
  TABLE_LOAD: `EACCES ENOTTY EFAULT EINVAL ENXIO EOVERFLOW ENOMEM ENOENT ENOTBLK ENODEV ENODATA EBUSY EROFS
    ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOPNOTSUPP ENOSPC EIO`,
  TABLE_CLEAR: 'EACCES ENOTTY EFAULT EINVAL ENXIO',
  TABLE_DEPS: 'EACCES ENOTTY EFAULT EINVAL ENXIO ENOMEM',
  TABLE_STATUS: 'EACCES ENOTTY EFAULT EINVAL ENXIO ENOMEM',
  LIST_VERSIONS: 'EACCES ENOTTY EFAULT EINVAL ENOMEM',
  TARGET_MSG: `EACCES ENOTTY EFAULT EINVAL ENXIO ENOMEM EBUSY EOPNOTSUPP EEXIST ENODATA ENOSPC ENOENT
    EOVERFLOW ENFILE EPERM EINTR ENOKEY EKEYEXPIRED EKEYREVOKED EIO`,
  DEV_SET_GEOMETRY: 'EACCES ENOTTY EFAULT EINVAL ENXIO',
  DEV_ARM_POLL: 'EACCES ENOTTY EFAULT EINVAL',
  GET_TARGET_VERSION: 'EACCES ENOTTY EFAULT EINVAL ENOMEM',
  MPATH_PROBE_PATHS: 'ENOTCONN ENOTTY EINVAL EIO ENOMEM',
};

Errors('every errno of every command has its sentence', () => {
  assert.equal(Object.keys(PAIRS), [...Object.keys(REQUEST_CODE), 'MPATH_PROBE_PATHS']);
  const numbers = new Map(Array.from({ length: 200 }, (_, i) => [new KernelError('X', i).code, i]));
  for (const [command, codes] of Object.entries(PAIRS)) {
    for (const code of codes.split(/\s+/)) {
      const errno = numbers.get(code);
      assert.ok(errno, code);
      const { meaning } = new KernelError(command, errno);
      assert.is(meaningOf(command, code), meaning, `${command} ${code}`);
    }
  }
});

/** The text of an errno itself, which no command's table knows. */
function plain(errno: number): string {
  return new KernelError('NO_SUCH_COMMAND', errno).meaning;
}

for (const [command, code, errno, meaning] of MEANINGS) {
  Errors(`${code} from ${command} means something`, () => {
    const error = new KernelError(command, errno);
    assert.is(error.code, code);
    assert.match(error.meaning, meaning);
  });
}

Errors('an unknown pair is told by the errno alone, never by a guess', () => {
  const kinds: [number, string, string][] = [
    [1, 'EPERM', 'operation not permitted'],
    [33, 'EDOM', 'argument out of domain'],
    [95, 'EOPNOTSUPP', 'operation not supported'],
    [128, 'EKEYREVOKED', 'key has been revoked'],
    [999, 'E999', 'error 999'],
  ];
  for (const [errno, code, text] of kinds) {
    const error = new KernelError('TABLE_DEPS', errno);
    assert.equal([error.code, error.meaning, plain(errno)], [code, text, text]);
  }
});

Errors('the same errno has another sense from another command', () => {
  const meanings = ['DEV_CREATE', 'DEV_REMOVE', 'TABLE_LOAD'].map(
    (command) => new KernelError(command, EBUSY).meaning,
  );
  assert.is(new Set([...meanings, plain(EBUSY)]).size, 4);
});

Errors.run();
