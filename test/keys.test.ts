// Keys in tables: told as zeros, or as bytes; and no copy of them is left.

import {
  DM_SECURE_DATA_FLAG,
  DM_VERSION,
  DeviceMapperSync,
  decodeReply,
  encodeReply,
  type ReplyError,
  type Target,
} from 'devicemapper/model';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Codec } from '#internal';
import { assert, suite } from './harness.js';

const KEY = '00112233445566778899aabbccddeeff';
const ZEROS = '0'.repeat(KEY.length);

/** What a kernel tells, and what is shown of it. */
const LINES: readonly (readonly [type: string, told: string, shown: string])[] = [
  ['crypt', `aes-cbc-plain ${KEY} 0 8:16 0`, `aes-cbc-plain ${ZEROS} 0 8:16 0`],
  ['crypt', 'aes-cbc-plain :16:logon:a:b 0 8:16 0', 'aes-cbc-plain :16:logon:a:b 0 8:16 0'],
  ['crypt', 'cipher_null-ecb - 0 8:16 0', 'cipher_null-ecb 0 0 8:16 0'],
  ['crypt', 'broken', 'broken'],
  ['inlinecrypt', `aes-xts-plain64 ${KEY} 0 8:16 0`, `aes-xts-plain64 ${ZEROS} 0 8:16 0`],
  [
    'integrity',
    `8:16 0 16 J 3 internal_hash:hmac(sha256):${KEY} journal_mac:hmac(sha1):${KEY} journal_crypt:ctr(aes):${KEY}`,
    `8:16 0 16 J 3 internal_hash:hmac(sha256):${ZEROS} journal_mac:hmac(sha1):${ZEROS} journal_crypt:ctr(aes):${ZEROS}`,
  ],
  ['integrity', '8:16 0 - J 1 internal_hash:crc32c', '8:16 0 - J 1 internal_hash:crc32c'],
  ['linear', `8:16 ${KEY}`, `8:16 ${KEY}`],
  ['delay', `größe ${KEY}`, `größe ${KEY}`],
];

const targets: Target[] = LINES.map(([type, told], i) => {
  return { startSector: i, length: 1, type, parameters: told };
});
const reply = encodeReply('TABLE_STATUS', { targets });

const Keys = suite('keys');

Keys('come back as zeros, references as they are', () => {
  const decoded = decodeReply('TABLE_STATUS', reply, { parameters: 'zeroKeys' });
  assert.equal(
    decoded.targets.map(({ type, parameters }) => [type, parameters]),
    LINES.map(([type, , shown]) => [type, shown]),
  );
});

Keys('come back as they are, in bytes', () => {
  const decoded = decodeReply('TABLE_STATUS', reply, { parameters: 'bytes' });
  const texts = decoded.targets.map(({ parameters }) => new TextDecoder().decode(parameters));
  assert.equal(
    texts,
    LINES.map(([, told]) => told),
  );
});

Keys('how they are told must be one of three ways', () => {
  const wrong = { parameters: 'zeros' } as unknown as { parameters: 'bytes' };
  assert.throws(
    () => decodeReply('TABLE_STATUS', reply, wrong),
    /^parameters: expected 'text', 'zeroKeys' or 'bytes', got "zeros"$/,
  );
});

Keys('leave no copy in the memory of the module', () => {
  const { codec, memory } = visibleCodec();
  const isThere = (): boolean => includes(new Uint8Array(memory.buffer), utf8(KEY));
  const load = { name: 'x', targets: [crypt(KEY)] };

  // Shown by a type that is not known to have keys.
  const other = { startSector: 0, length: 1, type: 'x', parameters: KEY };
  codec.encodeRequest('TABLE_LOAD', { name: 'x', targets: [other] });
  assert.ok(isThere());
  codec.encodeRequest('TABLE_LOAD', load);
  assert.not(isThere());
  const request = codec.encodeRequest('TABLE_LOAD', { ...load, flags: DM_SECURE_DATA_FLAG });
  assert.ok(includes(request, utf8(KEY)));
  assert.not(isThere());
  const refused = [crypt(KEY), crypt(' ')];
  assert.throws(() =>
    codec.encodeRequest('TABLE_LOAD', { targets: refused, flags: DM_SECURE_DATA_FLAG }),
  );
  assert.not(isThere());

  const told = codec.decodeReply('TABLE_STATUS', reply).targets[0]!.parameters;
  assert.match(told, KEY);
  assert.not(isThere());
  for (const parameters of ['zeroKeys', 'bytes'] as const) {
    codec.decodeReply('TABLE_STATUS', reply, { parameters });
    assert.not(isThere());
    const bad = reply.slice();
    bad[312 + 20] = 1; // next
    const error = thrown(() => codec.decodeReply('TABLE_STATUS', bad, { parameters }));
    assert.is(error.excerpt, '');
    assert.not(isThere());
  }
});

Keys('leave no copy in the buffers of an operation', () => {
  const seen: Uint8Array[] = [];
  const dm = new DeviceMapperSync({
    ioctl(request, buffer) {
      if (request !== DM_VERSION) seen.push(buffer);
      buffer.set(reply.subarray(0, buffer.length));
      return 0;
    },
    ioctlAsync: () => Promise.reject(new Error('not used')),
    close: () => undefined,
  });
  assert.match(dm.getTable('x').targets[0]!.parameters, ZEROS);
  const { targets: shown } = dm.getTable('x', { showKeys: true });
  assert.ok(includes(shown[0]!.parameters, utf8(KEY)));
  dm.loadTable('x', [crypt(KEY)], { secure: true });
  dm.loadTable('x', [crypt(KEY)]);
  dm.sendMessage('x', ['key', 'set', utf8(KEY)]);
  dm.sendMessage('x', `key set ${KEY}`, { secure: true });
  assert.is(seen.length, 6);
  for (const [i, buffer] of seen.entries()) assert.not(includes(buffer, utf8(KEY)), `call ${i}`);
});

function crypt(key: string): Target {
  return {
    startSector: 0,
    length: 1,
    type: 'crypt',
    parameters: ['aes-cbc-plain', utf8(key), 0, '8:16', 0],
  };
}

/** A codec whose memory can be looked at. */
function visibleCodec(): { codec: Codec; memory: WebAssembly.Memory } {
  const path = createRequire(import.meta.url).resolve('devicemapper/codec.wasm');
  const { Instance } = WebAssembly;
  let memory: WebAssembly.Memory | undefined;
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      memory = this.exports.memory as WebAssembly.Memory;
    }
  };
  try {
    const codec = new Codec(new Uint8Array(readFileSync(path)));
    return { codec, memory: memory! };
  } finally {
    WebAssembly.Instance = Instance;
  }
}

function thrown(call: () => unknown): ReplyError {
  try {
    call();
  } catch (error) {
    return error as ReplyError;
  }
  throw new Error('expected an error');
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = bytes.indexOf(part[0]!); at >= 0; at = bytes.indexOf(part[0]!, at + 1)) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}

Keys.run();
