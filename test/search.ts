// A process that is given a key as bytes, uses it in all ways, wipes its own copy, and then looks for it in
// all of its memory, that of the Wasm module too. It knows the key only as XORed with a mask, and prints
// what it found as JSON. In a guest, by secrets.kernel.test.ts.

import { DeviceMapper, DeviceMapperSync, type Target } from 'devicemapper';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';

const MASK = 0xa5;
const LENGTH = 64;
/** A key in hex, as crypt takes it. */
const masked = Uint8Array.from(randomBytes(LENGTH), (byte) => {
  const digit = byte & 15;
  return (digit + (digit < 10 ? 0x30 : 0x57)) ^ MASK;
});

async function withKey(use: (key: Uint8Array) => unknown): Promise<void> {
  const key = new Uint8Array(new ArrayBuffer(LENGTH));
  masked.forEach((byte, i) => (key[i] = byte ^ MASK));
  try {
    await use(key);
  } finally {
    key.fill(0);
  }
}

/** Where the key lies, in memory that this process can write to. */
function found(): string[] {
  const places: string[] = [];
  const memory = fs.openSync('/proc/self/mem', 'r');
  const chunk = new Uint8Array(1 << 20);
  for (const line of fs.readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
    if (range === null) continue;
    const end = parseInt(range[2]!, 16);
    // Chunks overlap by a key, so that none lies across two.
    for (let at = parseInt(range[1]!, 16); at < end; at += chunk.length - LENGTH) {
      const length = readSome(memory, chunk, Math.min(chunk.length, end - at), at);
      for (let i = 0; i + LENGTH <= length; i++) {
        let same = 0;
        while (same < LENGTH && (chunk[i + same]! ^ MASK) === masked[same]) same++;
        if (same === LENGTH) places.push(line);
      }
    }
  }
  fs.closeSync(memory);
  return places;
}

/** What the kernel maps for itself ([vvar]) cannot be read. */
function readSome(memory: number, chunk: Uint8Array, length: number, at: number): number {
  try {
    return fs.readSync(memory, chunk, 0, length, at);
  } catch {
    return 0;
  }
}

const utf8 = new TextEncoder();
const row = { startSector: 0, length: 8, type: 'crypt' };

function words(key: Uint8Array): Target[] {
  return [{ ...row, parameters: ['aes-cbc-plain', key, 0, '/dev/ubda', 0] }];
}

/** The whole line as bytes, which are the caller's to wipe. */
function line(key: Uint8Array): Uint8Array {
  const parts = [utf8.encode('aes-cbc-plain '), key, utf8.encode(' 0 /dev/ubda 0')];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function fails(call: () => unknown): Promise<void> {
  const failed = await Promise.resolve()
    .then(call)
    .then(
      () => false,
      () => true,
    );
  if (!failed) throw new Error(`expected a failure of ${call.toString()}`);
}

const beyond = { startSector: 9, length: 8, type: 'zero', parameters: [] };
const wrong = { startSector: -1, length: 8, type: 'zero', parameters: [] };
const seen: Record<string, unknown> = {};
await withKey(() => {
  seen['while it is there'] = found().length > 0;
});
for (const dm of [DeviceMapper.open(), DeviceMapperSync.open()]) {
  await withKey((key) => dm.createActiveDevice('secret', words(key)));
  await withKey(async (key) => {
    const parameters = line(key);
    await dm.reloadTable('secret', [{ ...row, parameters }]);
    parameters.fill(0);
  });
  await withKey((key) => fails(() => dm.loadTable('secret', [...words(key), beyond])));
  await withKey((key) => fails(() => dm.loadTable('secret', [...words(key), wrong])));
  await withKey((key) => fails(() => dm.createActiveDevice('secret', words(key))));
  await withKey((key) => fails(() => dm.reloadTable('secret', [...words(key), beyond])));
  await dm.getTable('secret');
  const { targets } = await dm.getTable('secret', { showKeys: true });
  for (const { parameters } of targets) parameters.fill(0);
  await dm.suspend('secret');
  await dm.sendMessage('secret', 'key wipe');
  await withKey((key) => dm.sendMessage('secret', ['key', 'set', key]));
  await withKey((key) => fails(() => dm.sendMessage('secret', ['key', 'set', key, 'too many'])));
  await withKey((key) => fails(() => dm.sendMessage('nobody', ['key', 'set', key])));
  await dm.resume('secret');
  await dm.removeDevice('secret', { retry: true });
  seen[dm instanceof DeviceMapper ? 'by promises' : 'blocking'] = found();
}
console.log(JSON.stringify(seen));
