// Each target that kernels can make, made for real of its options: the table that comes back is what was
// asked, the status reads, messages are answered, and data goes where it should.

import {
  DeviceMapperSync,
  buildTarget,
  cache,
  clone,
  crypt,
  delay,
  dust,
  era,
  error,
  flakey,
  integrity,
  joinParameters,
  linear,
  logWrites,
  mirror,
  multipath,
  parseTarget,
  raid,
  snapshot,
  snapshotMerge,
  snapshotOrigin,
  splitParameters,
  statistics,
  striped,
  switchTarget,
  thin,
  thinPool,
  unstriped,
  verity,
  writecache,
  zero,
  type KernelError,
  type KnownType,
  type ParsedTarget,
  type StatusOf,
  type Target,
} from 'devicemapper';
import { createDecipheriv, createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { release } from 'node:os';
import { assert, suite } from './harness.js';
import { DISKS, leftovers, machine } from './scenarios/machine.js';

const Made = suite(`targets on Linux ${release()}`);

/** Slices of the scratch disks, 8 MiB each. */
const SECTORS = 16384;
const SLICES = 8;
const slice = (i: number): string => `/dev/mapper/slice${i}`;
/** As the kernel tells it. */
const numberOf = (path: string): string => {
  const { rdev } = fs.statSync(path);
  return `${(rdev >>> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`;
};
const [a, b, c, d] = [slice(0), slice(1), slice(2), slice(3)];

/** Linux 5.10, 6.1 … as a number that can be compared. */
const [major = 0, minor = 0] = release().split('.').map(Number);
const isSince = (version: number, patch: number): boolean =>
  major > version || (major === version && minor >= patch);

let dm: DeviceMapperSync;

Made.before.each(() => {
  dm = DeviceMapperSync.open();
  for (let i = 0; i < SLICES; i++) {
    const device = DISKS[i % 2]!;
    const offset = Math.floor(i / 2) * SECTORS;
    const options = { startSector: 0, length: SECTORS, device, offset };
    dm.createActiveDevice(`slice${i}`, [linear(options)]);
    // Old metadata would be taken for a target's own.
    machine.write(slice(i), 0, new Uint8Array(1 << 20));
  }
});

Made.after.each(() => {
  // What a test has left when it failed; on top first.
  for (let round = 0; round < 4; round++) {
    for (const { name } of dm.listDevices()) {
      try {
        dm.resume(name);
        dm.removeDevice(name, { retry: { times: 3, delayMs: 100 } });
      } catch {
        // Something is on top of it.
      }
    }
  }
  dm.close();
  assert.equal(leftovers(), []);
});

/** The words that the kernel sees or tells. */
function wordsOf({ parameters }: Target): string[] {
  return splitParameters(
    typeof parameters === 'string' ? parameters : joinParameters(parameters as string[]),
  );
}

/** Make a device of one row, and hold its table against the options it was made of. */
function make(name: string, row: Target, told: object = {}, readOnly = false): string {
  const { path } = dm.createActiveDevice(name, [row], { readOnly });
  const [line] = dm.getTable(name).targets;
  const parsed = parseTarget(line!);
  const asked = parseTarget(row);
  const numbers = JSON.parse(JSON.stringify({ ...asked, ...told }), (_, value: unknown) =>
    typeof value === 'string' && value.startsWith('/dev/') ? numberOf(value) : value,
  ) as ParsedTarget;
  const plain = JSON.parse(JSON.stringify(parsed)) as ParsedTarget;
  assert.equal(plain, numbers, row.type);
  assert.equal(wordsOf(buildTarget(parsed)), line!.words, `${row.type} built again`);
  assert.not('rest' in parsed || 'unknownOptions' in parsed, row.type);
  return path;
}

/** The status of a device's one row. */
function statusOf<T extends KnownType>(
  name: string,
  type: T,
): Extract<StatusOf<T>, { state: 'active' }> {
  const [row] = dm.getStatus(name).targets;
  assert.is(row!.type, type);
  assert.is(row!.status.state, 'active', `${type}: ${row!.parameters}`);
  assert.not('rest' in row!.status, `${type}: ${row!.parameters}`);
  return row!.status as Extract<StatusOf<T>, { state: 'active' }>;
}

function remove(...names: string[]): void {
  for (const name of names) dm.removeDevice(name, { retry: true });
}

const at = { startSector: 0, length: 8192 };
const pattern = (size: number): Uint8Array => new Uint8Array(randomBytes(size));

Made('linear', () => {
  const path = make('t', linear({ ...at, device: a, offset: 8 }));
  const bytes = pattern(4096);
  machine.write(path, 512, bytes);
  assert.equal(machine.read(a, 9 * 512, 4096), bytes);
  assert.equal(statusOf('t', 'linear'), { state: 'active' });
  remove('t');
});

Made('striped, and one stripe by itself', () => {
  const stripes = [
    { device: a, offset: 0 },
    { device: b, offset: 16 },
  ];
  const path = make('t', striped({ ...at, chunkSize: 8, stripes }));
  const bytes = pattern(2 * 4096);
  machine.write(path, 0, bytes);
  assert.equal(machine.read(b, 16 * 512, 4096), bytes.slice(4096));
  const { devices, health } = statusOf('t', 'striped');
  assert.equal([devices, health], [[numberOf(a), numberOf(b)], 'AA']);
  const row = { startSector: 0, length: 4096, stripes: 2, chunkSize: 8, stripe: 1, offset: 0 };
  const one = make('one', unstriped({ ...row, device: path }));
  assert.equal(machine.read(one, 0, 4096), bytes.slice(4096));
  remove('one', 't');
});

Made('error', () => {
  const told = isSince(6, 5) ? { device: undefined, offset: undefined } : {};
  const path = make('t', error({ ...at, ...(isSince(6, 5) && { device: a, offset: 0 }) }), told);
  assert.throws(() => machine.read(path, 0, 512), /EIO/);
  assert.equal(statusOf('t', 'error'), { state: 'active' });
  remove('t');
});

Made('zero', () => {
  const path = make('t', zero(at));
  machine.write(path, 0, pattern(4096));
  assert.equal(machine.read(path, 4096, 4096), new Uint8Array(4096));
  remove('t');
});

Made('flakey', () => {
  const range = { ...at, device: a, offset: 0 };
  const down = { ...range, upInterval: 0, downInterval: 60 };
  const path = make('t', flakey({ ...down, writes: 'drop_writes' }));
  machine.write(path, 0, pattern(4096));
  assert.equal(machine.read(a, 0, 4096), new Uint8Array(4096));
  remove('t');
  const corruptBioByte = { byte: 1, direction: 'r', value: 7, flags: 0 } as const;
  const spoils = make('t', flakey({ ...down, corruptBioByte }));
  assert.is(machine.read(spoils, 0, 4096)[0], 7);
  remove('t');
  if (isSince(6, 6)) {
    make('t', flakey({ ...down, randomReadCorrupt: 5, randomWriteCorrupt: 6 }));
    remove('t');
  }
  // How a kernel tells that all fails is its own.
  const told = isSince(6, 6) ? { errorReads: true, writes: 'error_writes' } : {};
  const fails = make('t', flakey(down), told);
  assert.throws(() => machine.read(fails, 0, 512), /EIO/);
  remove('t');
});

Made('delay', () => {
  const place = { device: b, offset: 8, delay: 2 };
  make('t', delay({ ...at, device: a, offset: 0, delay: 1 }));
  remove('t');
  make('t', delay({ ...at, device: a, offset: 0, delay: 1, write: place }));
  remove('t');
  make('t', delay({ ...at, device: a, offset: 0, delay: 1, write: place, flush: place }));
  assert.equal(statusOf('t', 'delay'), { state: 'active', reads: 0, writes: 0, flushes: 0 });
  remove('t');
});

Made('dust', () => {
  const path = make('t', dust({ ...at, device: a, offset: 0, blockSize: 4096 }));
  const { messages } = dust;
  dm.sendMessage('t', messages.addbadblock({ block: 3 }));
  dm.sendMessage('t', messages.enable());
  assert.is(dm.sendMessage('t', messages.countbadblocks()), 1);
  assert.is(dm.sendMessage('t', messages.queryblock({ block: 3 })), true);
  assert.is(dm.sendMessage('t', messages.queryblock({ block: 4 })), false);
  assert.equal(dm.sendMessage('t', messages.listbadblocks()), [3]);
  const status = { state: 'active', device: numberOf(a), failReads: true, quiet: false };
  assert.equal(statusOf('t', 'dust'), status);
  assert.throws(() => machine.read(path, 3 * 4096, 4096), /EIO/);
  // A write mends it.
  machine.write(path, 3 * 4096, pattern(4096));
  assert.is(dm.sendMessage('t', messages.countbadblocks()), 0);
  assert.equal(dm.sendMessage('t', messages.listbadblocks()), []);
  assert.is(dm.sendMessage('t', messages.clearbadblocks()), false);
  dm.sendMessage('t', messages.addbadblock({ block: 5, writeFailCount: 2 }));
  assert.is(dm.sendMessage('t', messages.clearbadblocks()), true);
  dm.sendMessage('t', messages.quiet());
  dm.sendMessage('t', messages.disable());
  assert.equal(statusOf('t', 'dust'), { ...status, failReads: false, quiet: true });
  remove('t');
});

Made('crypt, read back by an independent decryption', () => {
  const key = pattern(64);
  const cipher = 'aes-xts-plain64';
  const range = { ...at, cipher, ivOffset: 5, device: a, offset: 8 };
  // The table hides the key.
  const hidden = { key: new Uint8Array(64) };
  const path = make('t', crypt({ ...range, key }), hidden);
  const bytes = pattern(1024);
  machine.write(path, 0, bytes);
  for (const sector of [0, 1]) {
    const iv = new Uint8Array(16);
    new DataView(iv.buffer).setBigUint64(0, BigInt(5 + sector), true);
    const decipher = createDecipheriv('aes-256-xts', key, iv).setAutoPadding(false);
    const stored = machine.read(a, (8 + sector) * 512, 512);
    const clear = new Uint8Array([...decipher.update(stored), ...decipher.final()]);
    assert.equal(clear, bytes.slice(512 * sector, 512 * (sector + 1)));
  }
  const [shown] = dm.getTable('t', { showKeys: true }).targets;
  assert.equal(crypt.parse(shown!).key, key);
  assert.equal(statusOf('t', 'crypt'), { state: 'active' });

  dm.suspend('t');
  dm.sendMessage('t', crypt.messages.keyWipe());
  const resumed = (): unknown => dm.resume('t');
  assert.throws(resumed, (refusal: KernelError) => refusal.code === 'EAGAIN');
  dm.sendMessage('t', crypt.messages.keySet({ key }));
  dm.resume('t');
  assert.equal(machine.read(path, 0, 1024), bytes);
  remove('t');

  const flags = { allowDiscards: true, submitFromCryptCpus: true, noReadWorkqueue: true };
  make(
    't',
    crypt({ ...range, ivOffset: 8, key, ...flags, sectorSize: 4096, ivLargeSectors: true }),
    hidden,
  );
  remove('t');
  const none = { ...range, cipher: 'cipher_null-ecb', key: new Uint8Array(0) };
  dm.createActiveDevice('t', [crypt(none)]);
  assert.equal(crypt.parse(dm.getTable('t').targets[0]!).key, none.key);
  const [row] = dm.getTable('t', { showKeys: true }).targets;
  assert.equal(crypt.parse(row!), { ...none, device: numberOf(a) });
  remove('t');
});

/** An area that a format may be read back from, told by the kernel as it takes effect. */
const FORMAT = ['journalSectors', 'interleaveSectors', 'bufferSectors'] as const;

Made('integrity', () => {
  const key = pattern(32);
  const range = { startSector: 0, length: 1024, device: a, offset: 0 };
  const internalHash = { algorithm: 'hmac(sha256)', key };
  dm.createActiveDevice('t', [integrity({ ...range, mode: 'J', internalHash, commitTime: 500 })]);
  const [line] = dm.getTable('t').targets;
  const told = integrity.parse(line!);
  assert.equal([told.tagSize, told.mode, told.commitTime], [32, 'J', 500]);
  assert.equal(told.internalHash, { algorithm: 'hmac(sha256)', key: new Uint8Array(32) });
  for (const option of FORMAT) assert.type(told[option], 'number', option);
  assert.not('unknownOptions' in told);
  assert.equal(
    wordsOf(integrity({ ...told, internalHash: { algorithm: 'x' } })).length,
    line!.words.length,
  );
  const [shown] = dm.getTable('t', { showKeys: true }).targets;
  assert.equal(integrity.parse(shown!).internalHash, internalHash);
  const bytes = pattern(4096);
  machine.write('/dev/mapper/t', 0, bytes);
  assert.equal(machine.read('/dev/mapper/t', 0, 4096), bytes);
  const { mismatches, providedSectors } = statusOf('t', 'integrity');
  // What was read ahead has no tags yet.
  assert.type(mismatches, 'number');
  assert.ok(providedSectors > 1024 && providedSectors < SECTORS);
  remove('t');
  machine.write(a, 0, new Uint8Array(1 << 20));
  dm.createActiveDevice('t', [integrity({ ...range, mode: 'D', tagSize: 4, fixPadding: true })]);
  const [plain] = dm.getTable('t').targets;
  assert.equal(wordsOf(integrity(integrity.parse(plain!))), plain!.words);
  remove('t');
});

/** The tree of verity's version 1 over `data`: levels from the top, each block full of hashes. */
function hashTree(data: Uint8Array, salt: Uint8Array): { tree: Uint8Array; root: string } {
  const hash = (block: Uint8Array): Uint8Array =>
    new Uint8Array(createHash('sha256').update(salt).update(block).digest());
  const levels: Uint8Array[] = [];
  let level = data;
  do {
    const blocks = level.length / 4096;
    const next = new Uint8Array(Math.ceil(blocks / 128) * 4096);
    for (let i = 0; i < blocks; i++) {
      next.set(hash(level.subarray(4096 * i, 4096 * (i + 1))), 32 * i);
    }
    levels.unshift(next);
    level = next;
  } while (level.length > 4096);
  const tree = new Uint8Array(levels.flatMap((one) => [...one]));
  return { tree, root: Array.from(hash(level), (n) => n.toString(16).padStart(2, '0')).join('') };
}

/** What veritysetup 2.6.1 makes of DATA, in blocks of 4096, with the salt 001122: the root, and the tree's hash. */
const VERITYSETUP = {
  root: '8348bf4085b8c92c2c7cfab0102915b93a6f43f10590df4e9b5dcde95e05980d',
  tree: 'c27fb82bc263314c96303426a965f6677dd400104115a437d9752d90b393cf23',
};
const DATA = Uint8Array.from({ length: 256 * 4096 }, (_, i) => (i * 31 + (i >> 12)) & 0xff);

Made('verity, with the tree that veritysetup makes', () => {
  const data = DATA;
  const salt = Uint8Array.of(0, 0x11, 0x22);
  const { tree, root } = hashTree(data, salt);
  const digest = createHash('sha256').update(tree).digest('hex');
  assert.equal({ root, tree: digest }, VERITYSETUP);
  machine.write(a, 0, data);
  machine.write(b, 4096, tree);
  const options = {
    startSector: 0,
    length: 2048,
    version: 1,
    dataDevice: a,
    hashDevice: b,
    dataBlockSize: 4096,
    hashBlockSize: 4096,
    dataBlocks: 256,
    hashStartBlock: 1,
    algorithm: 'sha256',
    rootDigest: root,
    salt: '001122',
  };
  const path = make('t', verity({ ...options, ignoreZeroBlocks: true }), {}, true);
  assert.equal(machine.read(path, 0, data.length), data);
  assert.is(statusOf('t', 'verity').verdict, 'V');
  remove('t');
  machine.write(a, 5 * 4096, pattern(4096));
  const spoilt = make('t', verity(options), {}, true);
  assert.equal(machine.read(spoilt, 4096, 4096), data.slice(4096, 8192));
  assert.throws(() => machine.read(spoilt, 5 * 4096, 4096), /EIO/);
  assert.is(statusOf('t', 'verity').verdict, 'C');
  remove('t');
  const onCorruption = 'ignore_corruption';
  make('t', verity({ ...options, onCorruption, checkAtMostOnce: true }), {}, true);
  remove('t');
});

Made('thin-pool, thin and its snapshot', () => {
  const { messages } = thinPool;
  const options = { ...at, metadataDevice: a, dataDevice: b, blockSize: 128, lowWaterMark: 1 };
  const pool = make('pool', thinPool({ ...options, skipBlockZeroing: true, errorIfNoSpace: true }));
  dm.sendMessage('pool', messages.createThin({ id: 0 }));
  const disk = make('disk', thin({ ...at, length: 65536, pool, id: 0 }));
  assert.equal(statusOf('disk', 'thin'), { state: 'active', mappedSectors: 0 });
  const bytes = pattern(4096);
  machine.write(disk, 0, bytes);
  dm.suspend('disk');
  dm.sendMessage('pool', messages.createSnap({ id: 1, originId: 0 }));
  dm.resume('disk');
  machine.write(disk, 0, pattern(4096));
  const snap = make('snap', thin({ ...at, length: 65536, pool, id: 1 }));
  assert.equal(machine.read(snap, 0, 4096), bytes);
  const mapped = { state: 'active', mappedSectors: 128, highestMappedSector: 127 };
  assert.equal(statusOf('snap', 'thin'), mapped);
  dm.sendMessage('pool', messages.setTransactionId({ current: 0, next: 7 }));
  dm.sendMessage('pool', messages.reserveMetadataSnap());
  const status = statusOf('pool', 'thin-pool');
  const { transactionId, data, mode, noSpace, needsCheck } = status;
  assert.equal(
    [transactionId, data, mode, noSpace],
    [7, { used: 2, total: 64 }, 'rw', 'error_if_no_space'],
  );
  assert.is(needsCheck, undefined);
  assert.type(status.heldRoot, 'number');
  dm.sendMessage('pool', messages.releaseMetadataSnap());
  assert.not('heldRoot' in statusOf('pool', 'thin-pool'));
  remove('snap', 'disk');
  dm.sendMessage('pool', messages.delete({ id: 1 }));
  make('outer', thin({ ...at, pool, id: 0, externalOrigin: c }));
  remove('outer', 'pool');
});

Made('snapshot, its origin, and the merge', () => {
  const options = { ...at, origin: a, cow: b, persistent: 'P', chunkSize: 16 } as const;
  const bytes = pattern(8192);
  machine.write(a, 0, bytes);
  const base = make('base', snapshotOrigin({ ...at, origin: a }));
  const snap = make('snap', snapshot(options));
  machine.write(base, 0, pattern(8192));
  assert.equal(machine.read(snap, 0, 8192), bytes);
  const { sectors, metadataSectors } = statusOf('snap', 'snapshot');
  assert.ok(sectors.allocated > metadataSectors && sectors.total === SECTORS);
  remove('snap', 'base');
  const merge = make('t', snapshotMerge(options));
  for (let tries = 0; tries < 100; tries++) {
    const { sectors: left, metadataSectors: all } = statusOf('t', 'snapshot-merge');
    if (left.allocated === all) break;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  assert.equal(machine.read(merge, 0, 8192), bytes);
  remove('t');
  machine.write(b, 0, new Uint8Array(1 << 20));
  make('t', snapshot({ ...options, persistent: 'N' }));
  remove('t');
});

Made('mirror', () => {
  const mirrors = [
    { device: a, offset: 0 },
    { device: b, offset: 0 },
  ];
  const log = { type: 'core', regionSize: 1024, sync: 'nosync' } as const;
  const path = make('t', mirror({ ...at, log, mirrors, handleErrors: true }));
  const bytes = pattern(4096);
  machine.write(path, 0, bytes);
  assert.equal(machine.read(b, 0, 4096), bytes);
  const { devices, regions, health, log: told } = statusOf('t', 'mirror');
  assert.equal([devices, regions], [[numberOf(a), numberOf(b)], { inSync: 8, total: 8 }]);
  assert.equal([health, told], ['AA', ['core']]);
  remove('t');
  const disk = { ...log, type: 'disk', device: c } as const;
  make('t', mirror({ ...at, log: disk, mirrors, handleErrors: true, keepLog: true }));
  assert.equal(statusOf('t', 'mirror').log, ['disk', numberOf(c), 'A']);
  remove('t');
});

Made('raid', () => {
  const range = { ...at, chunkSize: 0 };
  const devices = [{ data: a }, { data: b }];
  make('t', raid({ ...range, raidType: 'raid0', chunkSize: 128, devices }));
  remove('t');
  make('t', raid({ ...range, raidType: 'raid1', sync: 'nosync', regionSize: 1024, devices }));
  const { raidType, deviceCount, health, sync } = statusOf('t', 'raid');
  assert.equal([raidType, deviceCount], ['raid1', 2]);
  assert.match(health, /^[Aa]{2}$/);
  assert.is(sync.total, at.length);
  remove('t');
  make('t', raid({ ...range, raidType: 'raid1', sync: 'nosync', devices: [{ data: a }, {}] }));
  assert.match(statusOf('t', 'raid').health, /^[Aa]-$/);
  remove('t');
  const three = [
    { metadata: d, data: a },
    { metadata: slice(4), data: b },
    { metadata: slice(5), data: c },
  ];
  // User-Mode Linux may panic in the thread that brings an array in sync, which none needs here.
  const sync5 = { sync: 'nosync', regionSize: 1024 } as const;
  const path = make(
    't',
    raid({ ...range, raidType: 'raid5_ls', chunkSize: 128, ...sync5, devices: three }),
  );
  const bytes = pattern(4096);
  machine.write(path, 0, bytes);
  assert.equal(machine.read(path, 0, 4096), bytes);
  remove('t');
});

Made('cache', () => {
  const devices = { metadataDevice: a, cacheDevice: b, originDevice: c };
  const policyArguments = { migration_threshold: 4096 };
  const options = { ...at, ...devices, blockSize: 128, policy: 'smq', policyArguments };
  const path = make('t', cache({ ...options, metadata2: true, mode: 'writeback' }));
  machine.write(path, 0, pattern(4096));
  dm.sendMessage('t', cache.messages.set({ key: 'migration_threshold', value: 100 }));
  const status = statusOf('t', 'cache');
  assert.equal([status.policy, status.mode, status.metadataMode], ['smq', 'writeback', 'rw']);
  assert.equal(status.coreArguments, { migration_threshold: 100 });
  assert.equal([status.blockSize, status.cache.total], [128, SECTORS / 128]);
  assert.is(status.writeHits + status.writeMisses > 0, true);
  remove('t');
  make('t', cache({ ...options, mode: 'passthrough' }));
  dm.sendMessage('t', cache.messages.invalidateCblocks({ cblocks: ['0', '2-4'] }));
  remove('t');
});

Made('writecache', () => {
  const devices = { originDevice: a, cacheDevice: b };
  const path = make(
    't',
    writecache({
      ...at,
      mode: 's',
      ...devices,
      blockSize: 4096,
      highWatermark: 60,
      lowWatermark: 40,
    }),
  );
  machine.write(path, 0, pattern(4096));
  const status = statusOf('t', 'writecache');
  assert.equal([status.error, status.blocks > 1000], [0, true]);
  assert.is(status.writes === undefined, !isSince(5, 15));
  dm.sendMessage('t', writecache.messages.flush());
  dm.sendMessage('t', writecache.messages.flushOnSuspend());
  if (isSince(5, 15)) dm.sendMessage('t', writecache.messages.clearStats());
  dm.sendMessage('t', writecache.messages.cleaner());
  remove('t');
});

Made('era', () => {
  const path = make('t', era({ ...at, metadataDevice: a, originDevice: b, blockSize: 128 }));
  machine.write(path, 0, pattern(4096));
  const { currentEra } = statusOf('t', 'era');
  dm.sendMessage('t', era.messages.checkpoint());
  dm.sendMessage('t', era.messages.takeMetadataSnap());
  const after = statusOf('t', 'era');
  assert.ok(after.currentEra > currentEra && after.heldRoot !== undefined);
  dm.sendMessage('t', era.messages.dropMetadataSnap());
  remove('t');
});

Made('clone', () => {
  const bytes = pattern(at.length * 512);
  machine.write(c, 0, bytes);
  const devices = { metadataDevice: a, destinationDevice: b, sourceDevice: c };
  const options = { ...at, ...devices, regionSize: 8, noHydration: true };
  const path = make('t', clone({ ...options, hydrationThreshold: 4 }));
  assert.equal(machine.read(path, 0, 4096), bytes.slice(0, 4096));
  assert.is(statusOf('t', 'clone').noHydration, true);
  dm.sendMessage('t', clone.messages.hydrationBatchSize({ regions: 16 }));
  dm.sendMessage('t', clone.messages.hydrationThreshold({ regions: 64 }));
  dm.sendMessage('t', clone.messages.enableHydration());
  for (let tries = 0; tries < 100; tries++) {
    const { regions } = statusOf('t', 'clone');
    if (regions.hydrated === regions.total) break;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  const { regions, coreArguments, mode } = statusOf('t', 'clone');
  assert.equal(regions, { hydrated: 1024, total: 1024 });
  assert.equal(coreArguments, { hydration_threshold: 64, hydration_batch_size: 16 });
  assert.is(mode, 'rw');
  dm.sendMessage('t', clone.messages.disableHydration());
  remove('t');
  assert.equal(machine.read(b, 0, bytes.length), bytes);
});

Made('multipath', () => {
  const paths = [
    { device: DISKS[0], repeatCount: 1 },
    { device: DISKS[1], repeatCount: 1 },
  ];
  // Paths are disks: the slices go.
  for (let i = 0; i < SLICES; i++) remove(`slice${i}`);
  const groups = [
    { selector: 'queue-length', paths: [paths[0]!] },
    { selector: 'service-time', paths: [{ ...paths[1]!, relativeThroughput: 1 }] },
  ] as const;
  const told = isSince(7, 0) ? {} : { retainAttachedHwHandler: true };
  const options = {
    ...at,
    queueIfNoPath: true,
    ...told,
    queueMode: 'bio',
    initialGroup: 1,
  } as const;
  make('t', multipath({ ...options, groups }));
  const { messages } = multipath;
  dm.sendMessage('t', messages.failPath({ device: numberOf(DISKS[0]) }));
  const status = statusOf('t', 'multipath');
  const [first, second] = status.groups;
  assert.equal(first!.paths[0], {
    device: numberOf(DISKS[0]),
    state: 'F',
    failCount: 1,
    info: ['0'],
  });
  assert.is(second!.paths[0]!.info.length, 2);
  dm.sendMessage('t', messages.reinstatePath({ device: numberOf(DISKS[0]) }));
  assert.is(statusOf('t', 'multipath').groups[0]!.paths[0]!.state, 'A');
  dm.sendMessage('t', messages.disableGroup({ group: 1 }));
  assert.is(statusOf('t', 'multipath').groups[0]!.state, 'D');
  dm.sendMessage('t', messages.enableGroup({ group: 1 }));
  dm.sendMessage('t', messages.switchGroup({ group: 2 }));
  dm.sendMessage('t', messages.failIfNoPath());
  assert.not('queueIfNoPath' in multipath.parse(dm.getTable('t').targets[0]!));
  dm.sendMessage('t', messages.queueIfNoPath());
  remove('t');
  make('t', multipath({ ...at, initialGroup: 0, groups: [] }));
  remove('t');
});

Made('log-writes', () => {
  const path = make('t', logWrites({ ...at, device: a, logDevice: b }));
  machine.write(path, 0, pattern(4096));
  dm.sendMessage('t', logWrites.messages.mark({ text: 'here' }));
  const { entries, highestSector } = statusOf('t', 'log-writes');
  assert.ok(entries >= 0 && highestSector >= 0);
  remove('t');
});

Made('switch', () => {
  const paths = [
    { device: a, offset: 0 },
    { device: b, offset: 0 },
  ];
  const path = make('t', switchTarget({ ...at, regionSize: 64, paths }));
  const mappings = [{ region: 0, path: 1 }, { path: 0 }, { count: 2, regions: 4 }];
  dm.sendMessage('t', switchTarget.messages.setRegionMappings({ mappings }));
  const bytes = pattern(3 * 64 * 512);
  machine.write(path, 0, bytes);
  // Region 0 to b, 1 to a, 2 to b again; each at its own place.
  const region = (disk: string, i: number): Uint8Array =>
    machine.read(disk, i * 64 * 512, 64 * 512);
  for (const [i, disk] of [b, a, b].entries()) {
    assert.equal(region(disk, i), bytes.slice(i * 64 * 512, (i + 1) * 64 * 512));
  }
  remove('t');
});

Made('statistics, of any device', () => {
  const path = make('t', linear({ ...at, device: a, offset: 0 }));
  const asked = {
    areas: 2,
    programId: 'me',
    aux: 'mine',
    preciseTimestamps: true,
    histogram: [10, 20],
  };
  const id = dm.sendMessage('t', statistics.create(asked));
  assert.equal(dm.sendMessage('t', statistics.list({ programId: 'me' })), [
    {
      id,
      startSector: 0,
      length: 8192,
      step: 4096,
      programId: 'me',
      aux: 'mine',
      preciseTimestamps: true,
      histogram: [10, 20],
    },
  ]);
  machine.write(path, 0, pattern(4096));
  const areas = dm.sendMessage('t', statistics.print({ id }));
  assert.equal(
    areas.map(({ startSector, length }) => [startSector, length]),
    [
      [0, 4096],
      [4096, 4096],
    ],
  );
  assert.is(areas[0]!.sectorsWritten, 8);
  assert.is(areas[0]!.histogram!.length, 3);
  assert.is(dm.sendMessage('t', statistics.printClear({ id, first: 0, count: 1 })).length, 1);
  assert.is(dm.sendMessage('t', statistics.print({ id }))[0]!.sectorsWritten, 0);
  dm.sendMessage('t', statistics.clear({ id }));
  dm.sendMessage('t', statistics.setAux({ id, aux: 'other text' }));
  assert.is(dm.sendMessage('t', statistics.list())[0]!.aux, 'other text');
  dm.sendMessage('t', statistics.delete({ id }));
  assert.equal(dm.sendMessage('t', statistics.list()), []);
  remove('t');
});

Made.run();
