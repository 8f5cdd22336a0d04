// What the kernel's documentation, other projects' tests and real machines print, read by the typed
// targets: each value is what its source says it is.

import {
  buildTarget,
  crypt,
  parseStatus,
  parseTarget,
  splitParameters,
  type InputError,
  type KeyReference,
  type KnownType,
  type OptionsOf,
  type StatusOf,
} from 'devicemapper/codec';
import * as codec from 'devicemapper/codec';
import { factsIn } from './facts.js';
import { assert, suite } from './harness.js';

type Facts = Readonly<Record<string, unknown>>;
/** The status of a type while it tells numbers. */
type Active<T extends KnownType> = Extract<StatusOf<T>, { state: 'active' }>;

const FactTests = suite('facts');

/** Our options in the words of the facts; a value that a type has not is undefined. */
const TOLD: { readonly [T in KnownType]?: (o: OptionsOf<T>) => Facts } = {
  linear: ({ device: dev, offset }) => ({ dev, offset }),
  error: () => ({}),
  zero: () => ({}),
  striped: ({ stripes, chunkSize }) => ({
    stripes: stripes.length,
    chunk_size: chunkSize,
    devs: stripes.map((s) => [s.device, s.offset]),
  }),
  cache: (o) => ({
    metadata_dev: o.metadataDevice,
    cache_dev: o.cacheDevice,
    origin_dev: o.originDevice,
    block_size: o.blockSize,
    features: o.mode === undefined ? [] : [o.mode],
    policy: o.policy,
    policy_args: strings(o.policyArguments),
  }),
  delay: (o) => ({
    read: place(o),
    write: o.write && place(o.write),
    flush: o.flush && place(o.flush),
  }),
  clone: (o) => ({
    metadata_dev: o.metadataDevice,
    dest_dev: o.destinationDevice,
    source_dev: o.sourceDevice,
    region_size: o.regionSize,
    features: o.noHydration ? ['no_hydration'] : [],
    core_args: {},
  }),
  crypt: (o) => {
    const key = o.key instanceof Uint8Array ? { key_hex: hex(o.key) } : {};
    const { bytes, type, description } = o.key as KeyReference;
    return {
      cipher: o.cipher,
      ...key,
      iv_offset: o.ivOffset,
      dev: o.device,
      offset: o.offset,
      opt: [],
      key_size: bytes,
      key_type: type,
      key_desc: description,
    };
  },
  dust: (o) => ({ dev: o.device, offset: o.offset, block_size: o.blockSize }),
  ebs: (o) => ({
    dev: o.device,
    offset: o.offset,
    emulated_sectors: o.emulatedSectors,
    underlying_sectors: o.underlyingSectors,
  }),
  multipath: (o) => {
    const { groups } = o;
    return {
      features: [],
      hw_handler: o.hardwareHandler ?? [],
      groups: groups.length,
      initial_group: o.initialGroup,
      group: groups.map(({ selector, paths }) => ({
        selector,
        selector_args: [],
        paths: paths.length,
        path_args: Object.keys(paths[0]!).length - 1,
        path: paths.map((path) => Object.values(path).map(String) as unknown),
      })),
    };
  },
  raid: (o) => ({
    raid_type: o.raidType,
    chunk_size: o.chunkSize,
    params: [
      String(o.chunkSize),
      ...(o.sync === undefined ? [] : [o.sync]),
      ...(o.minRecoveryRate === undefined ? [] : ['min_recovery_rate', String(o.minRecoveryRate)]),
    ],
    devices: o.devices.map(({ metadata = '-', data = '-' }) => [metadata, data]),
  }),
  'log-writes': (o) => ({ dev: o.device, log_dev: o.logDevice }),
  snapshot: (o) => snapshotOptions(o),
  'snapshot-merge': (o) => snapshotOptions(o),
  'snapshot-origin': ({ origin }) => ({ origin }),
  switch: (o) => ({
    paths: o.paths.length,
    region_size: o.regionSize,
    opt: [],
    devs: o.paths.map((s) => [s.device, s.offset]),
  }),
  'thin-pool': (o) => ({
    metadata_dev: o.metadataDevice,
    data_dev: o.dataDevice,
    block_size: o.blockSize,
    low_water_mark: o.lowWaterMark,
    features: [],
  }),
  thin: (o) => ({ pool: o.pool, dev_id: o.id, external_origin: o.externalOrigin }),
  unstriped: (o) => ({
    stripes: o.stripes,
    chunk_size: o.chunkSize,
    stripe: o.stripe,
    dev: o.device,
    offset: o.offset,
  }),
  vdo: (o) => {
    const { maxDiscard, hash: hashes, logical, physical } = o;
    const optional = { maxDiscard, hash: hashes, logical, physical };
    return {
      version: o.version,
      dev: o.storageDevice,
      storage_size: o.storageSize,
      min_io_size: o.minimumIoSize,
      block_map_cache_blocks: o.blockMapCacheSize,
      block_map_period: o.blockMapPeriod,
      optional: JSON.parse(JSON.stringify(optional)) as unknown,
    };
  },
  verity: (o) => ({
    version: o.version,
    data_dev: o.dataDevice,
    hash_dev: o.hashDevice,
    data_block_size: o.dataBlockSize,
    hash_block_size: o.hashBlockSize,
    data_blocks: o.dataBlocks,
    hash_start_block: o.hashStartBlock,
    algorithm: o.algorithm,
    root_digest: o.rootDigest,
    salt: o.salt,
    opt: [],
    invariant: 'length*512 == data_blocks*data_block_size',
  }),
  pcache: (o) => ({
    cache_dev: o.cacheDevice,
    backing_dev: o.backingDevice,
    opt: ['cache_mode', o.cacheMode, 'data_crc', String(o.dataCrc)],
  }),
};
const snapshotOptions = (o: OptionsOf<'snapshot'>): Facts => ({
  origin: o.origin,
  cow: o.cow,
  persistent: o.persistent,
  chunk_size: o.chunkSize,
});

interface Place {
  readonly device: string;
  readonly offset: number;
  readonly delay: number;
}
const place = (o: Place): Facts => ({ dev: o.device, offset: o.offset, delay_ms: o.delay });

function strings(values: object): Facts {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}

function hex(key: Uint8Array): string {
  return Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** One of them by a name that is not known beforehand. */
type Told = Readonly<Record<string, (values: object) => Facts>>;

/** That `actual` has what the facts say; of objects the facts may tell a part. */
function has(actual: unknown, told: unknown, what: string): void {
  if (Array.isArray(told)) {
    assert.is((actual as unknown[]).length, told.length, what);
    told.forEach((one, i) => {
      has((actual as unknown[])[i], one, `${what}[${i}]`);
    });
  } else if (typeof told === 'object' && told !== null) {
    for (const [key, one] of Object.entries(told))
      has((actual as Facts)[key], one, `${what}.${key}`);
  } else assert.equal(actual, told, what);
}

interface TableCase {
  readonly id: string;
  readonly lines: readonly string[];
  readonly facts?: readonly Facts[];
}

/** The documentation's own two slips: a number too many in front of the device. */
const FAULTY = ['kdoc-056', 'kdoc-057'];

/** Behind its words, as the kernel will see them. */
function wordsOfLine(line: string): string[] {
  return splitParameters(line).slice(3);
}

/** Lines that we write in the kernel's own way: a count of none, and capital letters. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'kdoc-055': '0 21474836480 snapshot /dev/mapper/zero1 /dev/sdb1 P 128',
  'tt-023': '0 2097152 flakey 8:16 0 180 0 0',
  'tt-033': '0 2097152 flakey 8:16 0 5 180 0',
};

for (const name of ['kernel-doc-tables', 'tool-test-tables']) {
  FactTests(`${name}: every line is read as its source means it, and written again`, () => {
    const { cases } = factsIn(name) as { cases: readonly TableCase[] };
    for (const { id, lines, facts } of cases.filter(({ id: each }) => !FAULTY.includes(each))) {
      for (const [i, line] of lines.entries()) {
        const parsed = parseTarget(line);
        assert.is.not(parsed.type, 'unknown', id);
        const { parameters } = buildTarget(parsed);
        const words = splitParameters(codec.joinParameters(parameters as string[]));
        assert.equal(words, wordsOfLine(OTHERWISE[id] ?? line), id);
        const fact = facts?.[i];
        if (fact === undefined) continue;
        const told = (TOLD as Told)[parsed.type]!(parsed);
        // The kernel reads any case, and tells capitals.
        has(told, id === 'kdoc-055' ? { ...fact, persistent: 'P' } : fact, id);
      }
    }
    assert.ok(cases.length > 40);
  });
}

FactTests('the faulty lines of the documentation are refused where they are wrong', () => {
  const { cases } = factsIn('kernel-doc-tables') as { cases: readonly TableCase[] };
  for (const { lines } of cases.filter(({ id }) => FAULTY.includes(id))) {
    assert.throws(
      () => parseTarget(lines[0]!),
      (error: InputError) => error.path === 'parameters[4]' && error.message.includes('/dev/sdb'),
    );
  }
});

FactTests('what dm-crypt refuses as a key is refused', () => {
  const { crypt_key_refused: refused } = factsIn('tool-test-tables') as {
    crypt_key_refused: { template: string; keys: string[]; hex_refused: string[] };
  };
  const tried = [...refused.keys, refused.hex_refused[0]!];
  for (const key of tried) {
    const line = refused.template.replace('KEY', key);
    // A backslash is meant for the kernel's splitter.
    const [start, length, type, ...words] = splitParameters(line);
    const row = {
      startSector: Number(start),
      length: Number(length),
      type: type!,
      parameters: words,
    };
    assert.throws(
      () => crypt.parse(row),
      (error: InputError) => error.path === 'parameters[1]',
      key,
    );
  }
});

// ── Status ───────────────────────────────────────────────────────────────────────────────────────

interface StatusCase {
  readonly id: string;
  readonly line: string;
  readonly facts?: Facts;
}

/** Our status in the words of the facts. */
const TOLD_STATUS: { readonly [T in KnownType]?: (s: Active<T>) => Facts } = {
  dust: (s) => ({
    dev: s.device,
    fail_reads: s.failReads,
    quiet: s.quiet,
  }),
  multipath: (s) => {
    const { groups } = s;
    return {
      features: [s.queueing ? '1' : '0', String(s.pgInitCount)],
      hw_handler: s.hardwareHandler ?? [],
      groups: groups.length,
      next_group: s.nextGroup,
      paths: Object.fromEntries(
        groups.flatMap(({ paths }) => paths.map(({ device, state }) => [device, state])),
      ),
      group: groups.map(({ state, selector, paths }) => ({
        state,
        selector_args: selector,
        paths: paths.length,
        path_args: paths[0]?.info.length,
        path: paths.map(({ device, state: is, failCount, info }) => ({
          dev: device,
          state: is,
          fail_count: failCount,
          info,
        })),
      })),
    };
  },
  raid: (s) => ({
    raid_type: s.raidType,
    devices: s.deviceCount,
    health: s.health,
    ...synced(s.sync),
    sync_action: s.syncAction,
    mismatch_count: s.mismatches,
    data_offset: s.dataOffset,
    journal: s.journal ?? '-',
  }),
  snapshot: (s) => snapshotFacts(s),
  'snapshot-merge': (s) => snapshotFacts(s),
  mirror: (s) => {
    const [type, ...devices] = s.log;
    return {
      devs: s.devices.map((dev, i) => [dev, s.health[i]]),
      insync: s.regions.inSync,
      total: s.regions.total,
      log: { type, devs: devices.length === 0 ? [] : [devices] },
    };
  },
  thin: (s) => ({ mapped_sectors: s.mappedSectors, highest_mapped: s.highestMappedSector }),
  'thin-pool': (s) => ({
    transaction_id: s.transactionId,
    metadata: Object.values(s.metadata),
    data: Object.values(s.data),
    held_root: s.heldRoot ?? null,
    mode: s.mode,
    discard: s.discard,
    no_space: s.noSpace,
    needs_check: s.needsCheck !== undefined,
    // Of the table, not of the status.
    block_size_sectors_from_table: 128,
  }),
  cache: (s) => ({
    metadata_block_size: s.metadataBlockSize,
    metadata: Object.values(s.metadata),
    cache_block_size: s.blockSize,
    cache: Object.values(s.cache),
    read_hits: s.readHits,
    read_misses: s.readMisses,
    write_hits: s.writeHits,
    write_misses: s.writeMisses,
    demotions: s.demotions,
    promotions: s.promotions,
    dirty: s.dirty,
    features: [...(s.metadata2 ? ['metadata2'] : []), s.mode],
    core_args: strings(s.coreArguments),
    policy: s.policy,
    policy_args: strings(s.policyArguments),
    mode: s.metadataMode,
    needs_check: s.needsCheck !== undefined,
  }),
  writecache: (s) => ({ ...s }),
};
const synced = (sync: { done: number; total: number }): Facts => ({
  synced: sync.done,
  total: sync.total,
  in_sync: sync.done === sync.total,
});

function snapshotFacts(s: Active<'snapshot'>): Facts {
  const { allocated, total } = s.sectors;
  return {
    allocated,
    total,
    metadata: s.metadataSectors,
    percent_as_lvs_prints: ((100 * allocated) / total).toFixed(2),
    merging: true,
    merge_finished: allocated === s.metadataSectors,
  };
}

/** Cut off, in the middle of their groups: what is wrong is told, and no words are lost. */
const CUT_OFF = ['real-013', 'real-014'];
/** Not a row at all. */
const NO_ROW = ['real-008'];

for (const name of ['status-lines', 'real-status']) {
  FactTests(`${name}: every status is read as its source means it`, () => {
    const { cases } = factsIn(name) as { cases: readonly StatusCase[] };
    for (const { id, line, facts } of cases.filter(({ id: each }) => !NO_ROW.includes(each))) {
      // A device's name may have a colon in it, but no blank behind one.
      const row = line.replace(/^\S+: /, '');
      const [, type, text = ''] = /^\d+ \d+ (\S+) ?(.*)$/.exec(row)!;
      const status = parseStatus(type!, text);
      if (status.state === 'unknown' || status.state === 'unreadable') {
        const isKnown = status.state === 'unreadable';
        assert.is(isKnown, CUT_OFF.includes(id), id);
        assert.is(!isKnown, type === 'writeboost', id);
        assert.equal(status.words, text.split(' '), id);
        continue;
      }
      if (status.state !== 'active') {
        assert.is(status.state, facts!.error, id);
        continue;
      }
      assert.not('rest' in status, id);
      const { params, ...others } = facts ?? {};
      assert.ok(params === undefined || text === '', id);
      const values = Object.fromEntries(Object.entries(others).filter(([key]) => key !== 'name'));
      if (Object.keys(values).length > 0) {
        has((TOLD_STATUS as Told)[type!]!(status), values, id);
      }
    }
    assert.ok(cases.length > 15);
  });
}

FactTests.run();
