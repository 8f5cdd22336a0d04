// dm-cache-target.c, dm-writecache.c, dm-clone-target.c and dm-era-target.c: what keeps metadata of blocks. No
// block is ever cached, and what a clone copies is there as soon as it may.

import { kstrtouint, kstrtoull } from '../../targets/rules.js';
import type { Core } from '../core.js';
import { preferBlocks, raiseBlock } from '../limits.js';
import type { Bytes } from '../packet.js';
import { Refusal, refuse } from '../refusal.js';
import {
  Words,
  devText,
  flagText,
  measured,
  targetType,
  targetsOf,
  type AnyTargetType,
  type Construction,
  type Place,
} from '../target.js';

/** Of metadata that persistent-data/ keeps, in sectors. */
const METADATA_BLOCK = 8n;

/** What is on a metadata device; made anew where there is nothing. */
function metadataOf<T extends { readonly kind: string }>(core: Core, dev: number, fresh: T): T {
  const place = core.placeOf(dev);
  const found = core.state.disks.get(place) as { readonly kind: string } | undefined;
  if (found !== undefined && found.kind !== fresh.kind)
    return refuse('ENOTBLK', `Error creating metadata object`);
  if (found === undefined) core.state.disks.set(place, fresh);
  return (found as T | undefined) ?? fresh;
}

const blocksOf = (core: Core, dev: number): bigint => core.sizeOfDev(dev) / METADATA_BLOCK;

interface Devices {
  readonly metadataDev: number;
  readonly fastDev: number;
  readonly slowDev: number;
}

/** METADATA FAST SLOW, opened in this order. */
function devicesOf(words: Words, at: Construction): Devices {
  const [metadataDev, fastDev] = [at.open(words.next()), at.open(words.next())];
  return { metadataDev, fastDev, slowDev: at.open(words.next()) };
}

const devicesText = ({ metadataDev, fastDev, slowDev }: Devices): Bytes =>
  [metadataDev, fastDev, slowDev].map(devText).join(' ');

interface CacheMetadata {
  readonly kind: 'cache';
  readonly version: 1 | 2;
  readonly blockSize: bigint;
  /** Of the cache, as the last resume has them; none before the first. */
  blocks: number;
  /** Blocks that are in the place of others until the next commit. */
  open: number;
  /** Were hints and discards ever written, as a suspend does? */
  saved: boolean;
}

interface Cache extends Devices {
  readonly metadata: CacheMetadata;
  /** Of its own options; what is on the metadata device may be of another. */
  readonly version: 1 | 2;
  readonly blockSize: bigint;
  readonly mode: 'writethrough' | 'writeback' | 'passthrough';
  passdown: boolean;
  readonly policy: Bytes;
  migrationThreshold: bigint;
  /** As they were loaded, which is how TABLE tells them. */
  readonly words: readonly Bytes[];
}

/** The obsolete policy's tunables, which have no effect. */
const MQ_KEYS = [
  'random_threshold',
  'sequential_threshold',
  'discard_promote_adjustment',
  'read_promote_adjustment',
  'write_promote_adjustment',
];

/** By what a table may call them. */
const POLICIES: Readonly<Record<string, string>> = {
  smq: 'smq',
  default: 'smq',
  mq: 'mq',
  cleaner: 'cleaner',
};

/** set_config_value() */
function configure(
  state: Pick<Cache, 'policy' | 'migrationThreshold'>,
  key: Bytes,
  value: Bytes,
  core: Core,
): void {
  const number = kstrtoull(value);
  if (key.toLowerCase() === 'migration_threshold' && number !== undefined) {
    state.migrationThreshold = number;
    return;
  }
  if (state.policy === 'mq' && number !== undefined && MQ_KEYS.includes(key.toLowerCase())) return;
  core.log(4, `cache: bad config value for ${key}: ${value}`);
  refuse('EINVAL');
}

/** The blocks that tell which are used, two bits for each, after a header of 16 bytes (dm-space-map-common.c). */
const bitmapsOf = (blocks: bigint): number => Math.ceil(Number(blocks) / ((4096 - 16) * 4));

/** How many leaves an array has in persistent-data/: a block less 24 bytes, of values of `size` bytes. */
const leavesOf = (values: number, size: number): number =>
  Math.ceil(values / Math.floor((4096 - 24) / size));

/**
 * Blocks of a cache's metadata that are used, beside bitmaps: five when it is made, with the empty array of
 * mappings, and one more for version 2's empty bitset. A resume fills these, and the roots before that are
 * free from the next commit on; a suspend writes an array of hints and the discards.
 */
function cacheBlocksOf({ version, blocks, open, saved }: CacheMetadata): number {
  const dirty = version === 2 ? 1 + leavesOf(Math.ceil(blocks / 64), 8) : 0;
  const besides = saved ? 1 + leavesOf(blocks, 4) + 1 : 0;
  return 5 + leavesOf(blocks, 8) + dirty + besides + open;
}

/** What set_config_values() says of settings that it refuses. @param words - from the count of features on */
function logConfig(words: Words, core: Core): void {
  words.take(words.u32());
  const state = { policy: words.next(), migrationThreshold: 0n };
  const config = words.take(words.u32());
  if (config.left % 2 === 1) {
    const pairs = 'they should be <key> <value> pairs';
    core.log(4, `cache: Odd number of policy arguments given but ${pairs}.`);
    return;
  }
  try {
    while (config.left > 0) configure(state, config.next(), config.next(), core);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

/** dm-cache-target.c */
export const cache: AnyTargetType = /* @__PURE__ */ targetType<Cache>({
  name: 'cache',
  versions: { '5.10': [2, 2, 0], '6.1': [2, 3, 0], '7.2': [2, 4, 0] },
  construct: (given, at) => {
    const { core } = at;
    const words = new Words(given, core);
    const devices = devicesOf(words, at);
    const blockSize = kstrtoull(words.next()) ?? refuse('EINVAL');
    const features = words
      .take(words.u32())
      .rest()
      .map((word) => word.toLowerCase());
    const name = words.next();
    const policy = Object.hasOwn(POLICIES, name) ? POLICIES[name] : undefined;
    if (policy === undefined) return refuse('EINVAL', "Error creating cache's policy");
    const settings = { policy, migrationThreshold: 2048n };
    const config = words.take(words.u32());
    while (config.left > 0) configure(settings, config.next(), config.next(), core);
    const version = features.includes('metadata2') ? 2 : 1;
    const metadata = metadataOf<CacheMetadata>(core, devices.metadataDev, {
      kind: 'cache',
      version,
      blockSize,
      blocks: 0,
      open: 0,
      saved: false,
    });
    if (metadata.blockSize !== blockSize) {
      const [had, asked] = [metadata.blockSize, blockSize];
      const others = [...targetsOf(core, 'cache')].map(({ target }) => target);
      const isOpen = [...others, ...at.table.targets.filter(({ type }) => type === 'cache')].some(
        ({ state }) => (state as Cache).metadataDev === devices.metadataDev,
      );
      const what = isOpen
        ? `data_block_size (${asked}) different from that in metadata (${had})`
        : `changing the data block size (from ${had} to ${asked}) is not supported`;
      core.log(3, `cache metadata: ${what}`);
      refuse('EINVAL', 'Error creating metadata object');
    }
    const modes = ['writethrough', 'passthrough', 'writeback'] as const;
    return {
      ...devices,
      ...settings,
      metadata,
      version,
      blockSize,
      mode: modes.find((mode) => features.includes(mode)) ?? 'writeback',
      passdown: !features.includes('no_discard_passdown'),
      words: given.slice(3),
    };
  },
  logs: (error, { core }, given) => {
    if (error === "Error creating cache's policy") {
      core.log(4, 'cache-policy: unknown policy type');
    } else if (error === "Error setting cache policy's config values") {
      logConfig(new Words(given.slice(4), core), core);
    }
  },
  status: ({ state }, { kind, noflush }, { core, device }) => {
    const { metadataDev, fastDev, blockSize, metadata, mode, passdown, policy } = state;
    if (kind === 'table') return [devicesText(state), ...state.words].join(' ');
    const isTwo = state.version === 2;
    if (kind === 'ima') {
      const devices = `cache_metadata_device=${devText(metadataDev)},cache_device=${devText(fastDev)},cache_origin_device=${devText(state.slowDev)}`;
      const flags = flagText({
        writethrough: mode === 'writethrough',
        writeback: mode === 'writeback',
        passthrough: mode === 'passthrough',
        metadata2: isTwo,
        no_discard_passdown: !passdown,
      });
      return `${measured(cache, core)},metadata_mode=rw,${devices},${flags};`;
    }
    const features = [
      ...(isTwo ? ['metadata2'] : []),
      mode,
      ...(passdown ? [] : ['no_discard_passdown']),
    ];
    const tunables = policy === 'mq' ? MQ_KEYS.flatMap((key) => [key, '0']) : [];
    if (!noflush && !device.suspended) metadata.open = 0;
    const all = blocksOf(core, metadataDev);
    const words = [
      METADATA_BLOCK,
      `${bitmapsOf(all) + cacheBlocksOf(metadata)}/${all}`,
      blockSize,
      `0/${core.sizeOfDev(fastDev) / blockSize}`,
      ...[0, 0, 0, 0, 0, 0, 0],
      features.length,
      ...features,
      ...[2, 'migration_threshold', state.migrationThreshold],
      ...[policy, tunables.length, ...tunables],
      ...['rw', '-'],
    ];
    return `${words.join(' ')} `;
  },
  areas: ({ state: { fastDev, slowDev }, length }, { core }) => [
    { dev: fastDev, start: 0n, length: core.sizeOfDev(fastDev) },
    { dev: slowDev, start: 0n, length },
  ],
  // cache_io_hints(), disable_passdown_if_not_supported()
  hints: ({ state }, limits, { core }) => {
    preferBlocks(limits, Number(state.blockSize) * 512);
    const most = core.discardSectorsOf(state.slowDev);
    if (!state.passdown || most >= Number(state.blockSize)) return;
    const why = most === 0 ? 'discard unsupported' : 'max discard sectors smaller than a block';
    const disk = core.diskName(state.slowDev);
    core.log(4, `cache: Origin device (${disk}) ${why}: Disabling discard passdown.`);
    state.passdown = false;
  },
  // dm_cache_resize()
  preresume: ({ state: { metadata, fastDev, blockSize } }, { core }) => {
    const blocks = Number(core.sizeOfDev(fastDev) / blockSize);
    if (blocks !== metadata.blocks) metadata.open = metadata.version === 2 ? 3 : 2;
    metadata.blocks = blocks;
  },
  postsuspend: ({ state: { metadata } }) => {
    metadata.open = 0;
    metadata.saved = true;
  },
  message: ({ state }, words, { core, device }) => {
    const [name = '', value = ''] = words;
    if (name.toLowerCase() === 'invalidate_cblocks') {
      invalidate(state, words.slice(1), core, core.nameOf(device));
      return;
    }
    if (words.length !== 2) return refuse('EINVAL');
    configure(state, name, value, core);
    return undefined;
  },
});

/** process_invalidate_cblocks_message() */
function invalidate(state: Cache, words: readonly Bytes[], core: Core, where: string): undefined {
  const say = (text: string): void => {
    core.log(3, `cache: ${where}: ${text}`);
  };
  if (state.mode !== 'passthrough') {
    say('cache has to be in passthrough mode for invalidation');
    return refuse('EPERM');
  }
  const size = core.sizeOfDev(state.fastDev) / state.blockSize;
  for (const word of words) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(word) ?? [];
    if (first === undefined) {
      say(`invalid cblock range '${word}'`);
      return refuse('EINVAL');
    }
    const begin = BigInt(first);
    const end = last === undefined ? begin + 1n : BigInt(last);
    if (begin >= size) {
      say(`begin cblock out of range: ${begin} >= ${size}`);
      return refuse('EINVAL');
    }
    if (end > size) {
      say(`end cblock out of range: ${end} > ${size}`);
      return refuse('EINVAL');
    }
    if (begin >= end) {
      say(`invalid cblock range: ${begin} >= ${end}`);
      return refuse('EINVAL');
    }
  }
  return undefined;
}

interface Writecache {
  readonly mode: 's';
  readonly dev: number;
  readonly cacheDev: number;
  readonly blockSize: number;
  readonly options: readonly (readonly [name: string, value?: bigint])[];
  readonly blocks: bigint;
  /** Is the list of free blocks made, as the first resume does? */
  started: boolean;
}

/** The options in the order in which TABLE tells them. */
const WRITECACHE_OPTIONS = [
  'start_sector',
  'high_watermark',
  'low_watermark',
  'writeback_jobs',
  'autocommit_blocks',
  'autocommit_time',
  'max_age',
  'cleaner',
  'fua',
  'nofua',
  'metadata_only',
  'pause_writeback',
];
const WITHOUT_VALUE = ['cleaner', 'fua', 'nofua', 'metadata_only'];

/** calculate_memory_size(): as many blocks as go behind a header and an entry for each. */
function cacheBlocks(bytes: bigint, blockSize: bigint): bigint {
  let blocks = bytes / (blockSize + 16n);
  const starts = (): bigint => ((64n + 16n * blocks + blockSize - 1n) / blockSize) * blockSize;
  while (blocks > 0n && starts() + blocks * blockSize > bytes) blocks--;
  return blocks;
}

interface WritecacheMetadata {
  readonly kind: 'writecache';
  readonly blockSize: number;
}

/** The recorded kernels are built without DM_WRITECACHE_HAS_PMEM. */
function refuseMemory(mode: Bytes | undefined): void {
  if (mode?.toLowerCase() !== 'p') return;
  refuse('EOPNOTSUPP', 'Persistent memory or DAX not supported on this system');
}

/** dm-writecache.c */
export const writecache: AnyTargetType = /* @__PURE__ */ targetType<Writecache>({
  name: 'writecache',
  versions: { '5.10': [1, 4, 0], '6.1': [1, 6, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const mode = words.next().toLowerCase();
    refuseMemory(mode);
    if (mode !== 's') return refuse('EINVAL');
    const [dev, cacheDev] = [at.open(words.next()), at.open(words.next())];
    const blockSize = words.u32();
    if (blockSize === 0) return refuse('EINVAL');
    const given2 = words.take(words.left > 0 ? words.u32() : 0);
    const options = new Map<string, bigint | undefined>();
    while (given2.left > 0) {
      const name = given2.next().toLowerCase();
      options.set(name, WITHOUT_VALUE.includes(name) ? undefined : given2.u64());
    }
    const place = at.core.placeOf(cacheDev);
    const found = at.core.state.disks.get(place) as Partial<WritecacheMetadata> | undefined;
    if (found === undefined) at.core.state.disks.set(place, { kind: 'writecache', blockSize });
    else if (found.kind !== 'writecache') refuse('EINVAL', 'Invalid magic in the superblock');
    else if (found.blockSize !== blockSize) {
      refuse('EINVAL', 'Block size does not match superblock');
    }
    const start = options.get('start_sector') ?? 0n;
    const bytes = (at.core.sizeOfDev(cacheDev) - start) * 512n;
    return {
      mode,
      dev,
      cacheDev,
      blockSize,
      options: WRITECACHE_OPTIONS.filter((name) => options.has(name)).map((name) => {
        const value = options.get(name);
        return value === undefined ? [name] : ([name, value] as const);
      }),
      blocks: cacheBlocks(bytes, BigInt(blockSize)),
      started: false,
    };
  },
  earlier: (_text, _at, [mode]) => {
    refuseMemory(mode);
    return false;
  },
  status: ({ state }, { kind }, { core }) => {
    if (kind === 'ima') return '';
    if (kind === 'info') {
      const counters = core.is('6.1') ? ' 0'.repeat(10) : '';
      return `0 ${state.blocks} ${state.started ? state.blocks : 0n} 0${counters}`;
    }
    const { mode, dev, cacheDev, blockSize } = state;
    const words = state.options.flat();
    return [mode, devText(dev), devText(cacheDev), blockSize, words.length, ...words].join(' ');
  },
  areas: ({ state: { dev }, length }) => [{ dev, start: 0n, length }],
  hints: ({ state: { blockSize } }, limits) => {
    raiseBlock(limits, blockSize);
  },
  resume: ({ state }) => {
    state.started = true;
  },
  message: (_, words, { core, device }) => {
    const [name = ''] = words;
    const known = [
      'flush',
      'flush_on_suspend',
      'cleaner',
      ...(core.is('6.1') ? ['clear_stats'] : []),
    ];
    if (known.includes(name.toLowerCase())) {
      if (words.length !== 1) return refuse('EINVAL');
      // process_flush_mesg()
      const isHeld = name.toLowerCase() === 'flush' && device.suspended;
      return isHeld ? refuse('EBUSY') : undefined;
    }
    core.log(3, `writecache: unrecognised message received: ${name}`);
    return refuse('EINVAL');
  },
});

interface CloneMetadata {
  readonly kind: 'clone';
  readonly regionSize: bigint;
  readonly length: bigint;
  hydrated: bigint;
}

interface Clone extends Devices {
  readonly metadata: CloneMetadata;
  readonly regionSize: bigint;
  readonly regions: bigint;
  hydrating: boolean;
  readonly passdown: boolean;
  threshold: number;
  batch: number;
  resumed: boolean;
  readonly words: readonly Bytes[];
}

/** What may be copied is copied. */
function hydrate(state: Clone): void {
  if (state.hydrating && state.resumed) state.metadata.hydrated = state.regions;
}

/** dm-clone-target.c */
export const clone: AnyTargetType = /* @__PURE__ */ targetType<Clone>({
  name: 'clone',
  versions: { '5.10': [1, 0, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const devices = devicesOf(words, at);
    const regionSize = BigInt(kstrtouint(words.next()) ?? 0);
    if (regionSize === 0n) return refuse('EINVAL');
    const features = words
      .take(words.left > 0 ? words.u32() : 0)
      .rest()
      .map((word) => word.toLowerCase());
    const core = words.take(words.left > 0 ? words.u32() : 0);
    const numbers = { threshold: 1, batch: 1 };
    const number = (): number => kstrtouint(core.next()) ?? refuse('EINVAL');
    while (core.left > 0) {
      const name = core.next().toLowerCase();
      if (name === 'hydration_threshold') numbers.threshold = number();
      else if (name === 'hydration_batch_size') numbers.batch = number();
      else refuse('EINVAL');
    }
    const metadata = metadataOf<CloneMetadata>(at.core, devices.metadataDev, {
      kind: 'clone',
      regionSize,
      length: at.length,
      hydrated: 0n,
    });
    if (metadata.regionSize !== regionSize || metadata.length !== at.length) {
      const what = "Region and/or target size don't match the ones in metadata";
      at.core.log(3, `clone metadata: ${what}`);
      refuse('EINVAL', 'Failed to load metadata');
    }
    return {
      ...devices,
      ...numbers,
      metadata,
      regionSize,
      regions: (at.length + regionSize - 1n) / regionSize,
      hydrating: !features.includes('no_hydration'),
      passdown: !features.includes('no_discard_passdown'),
      resumed: false,
      words: given.slice(3),
    };
  },
  status: ({ state }, { kind }, { core }) => {
    if (kind === 'ima') return '';
    if (kind === 'table') return [devicesText(state), ...state.words].join(' ');
    const features = [
      ...(state.hydrating ? [] : ['no_hydration']),
      ...(state.passdown ? [] : ['no_discard_passdown']),
    ];
    const words = [
      METADATA_BLOCK,
      `6/${blocksOf(core, state.metadataDev)}`,
      state.regionSize,
      `${state.metadata.hydrated}/${state.regions}`,
      0,
      features.length,
      ...features,
      ...[4, 'hydration_threshold', state.threshold, 'hydration_batch_size', state.batch],
      'rw',
    ];
    return words.join(' ');
  },
  areas: ({ state: { fastDev, slowDev }, length }) =>
    [fastDev, slowDev].map((dev) => ({ dev, start: 0n, length })),
  hints: ({ state: { regionSize } }, limits) => {
    preferBlocks(limits, Number(regionSize) * 512);
  },
  resume: ({ state }) => {
    state.resumed = true;
    hydrate(state);
  },
  postsuspend: ({ state }) => {
    state.resumed = false;
  },
  message: ({ state }, words, { core, device }) => {
    const [name = '', value = ''] = words;
    const key = name.toLowerCase();
    if (words.length === 1 && (key === 'enable_hydration' || key === 'disable_hydration')) {
      state.hydrating = key === 'enable_hydration';
      hydrate(state);
      return undefined;
    }
    if (words.length !== 2) return refuse('EINVAL');
    const isKnown = key === 'hydration_threshold' || key === 'hydration_batch_size';
    const number = isKnown ? (kstrtouint(value) ?? refuse('EINVAL')) : 0;
    if (key === 'hydration_threshold') state.threshold = number;
    else if (key === 'hydration_batch_size') state.batch = number;
    else {
      core.log(3, `clone: ${core.nameOf(device)}: Unsupported message \`${name}'`);
      return refuse('EINVAL');
    }
    return undefined;
  },
});

interface EraMetadata {
  readonly kind: 'era';
  readonly blockSize: number;
  era: number;
  held: boolean;
  /** Blocks that the era which is open has taken: until a suspend closes it. */
  open: number;
  /** How many blocks eras are noted of: as the target had that was resumed last. */
  blocks: number;
}

interface Era {
  readonly metadataDev: number;
  readonly originDev: number;
  readonly blockSize: number;
  /** As its own worker has it: on the disk is what was committed last, by whoever. */
  readonly metadata: EraMetadata;
}

/** dm-era-target.c */
export const era: AnyTargetType = /* @__PURE__ */ targetType<Era>({
  name: 'era',
  versions: { '5.10': [1, 0, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const [metadataDev, originDev] = [at.open(words.next()), at.open(words.next())];
    const blockSize = words.u32();
    const metadata = metadataOf<EraMetadata>(at.core, metadataDev, {
      kind: 'era',
      blockSize,
      era: 0,
      held: false,
      open: 0,
      blocks: 0,
    });
    if (metadata.blockSize !== blockSize) {
      const change = `from ${metadata.blockSize} to ${blockSize}`;
      at.core.log(3, `era: changing the data block size (${change}) is not supported`);
      refuse('EINVAL', 'Error reading metadata');
    }
    return { metadataDev, originDev, blockSize, metadata: { ...metadata } };
  },
  status: ({ state }, { kind }, { core }) => {
    if (kind === 'ima') return '';
    const { metadataDev, originDev, blockSize, metadata } = state;
    if (kind === 'table') return `${devText(metadataDev)} ${devText(originDev)} ${blockSize}`;
    const { era: now, held } = metadata;
    const all = blocksOf(core, metadataDev);
    const used = bitmapsOf(all) + eraBlocksOf(metadata);
    return `${METADATA_BLOCK} ${used}/${all} ${now} ${held ? core.since(ROOTS)! : '-'}`;
  },
  areas: ({ state: { originDev } }, { core }) => [
    { dev: originDev, start: 0n, length: core.sizeOfDev(originDev) },
  ],
  hints: ({ state: { blockSize } }, limits) => {
    preferBlocks(limits, blockSize * 512, 0);
  },
  // Its worker, which is asked, is stopped.
  statusWaits: true,
  // metadata_resize(), metadata_era_rollover()
  preresume: ({ state, length }, { core }) => {
    const { era: before } = state.metadata;
    Object.assign(state.metadata, {
      blocks: Number(length) / state.blockSize,
      era: before + 1,
      open: 0,
    });
    commitEra(state, core);
  },
  postsuspend: ({ state }, { core }) => {
    commitEra(state, core);
  },
  message: ({ state }, words, at) => {
    eraMessage(state.metadata, words, at);
    commitEra(state, at.core);
  },
});

/** metadata_commit() */
function commitEra({ metadataDev, metadata }: Era, core: Core): void {
  core.state.disks.set(core.placeOf(metadataDev), { ...metadata });
}

/** What an era takes, in blocks, that a checkpoint, or a metadata snapshot, has opened. */
const OPEN = { checkpoint: 4, snapshot: 5 };
/** What a metadata snapshot keeps from being freed. */
const HELD = 4;
/** Where the first metadata snapshot was; of later ones it depends on all that was written before. */
const ROOTS = { '5.10': 6, '6.1': 22 };

/**
 * Blocks of an era's metadata that are used, beside bitmaps, when its worker has digested what there is: five
 * when it is made, and from the first resume on the bitset of the era, and the array of when each was written.
 */
function eraBlocksOf({ era: now, held, open, blocks }: EraMetadata): number {
  return 5 + (now === 0 ? 0 : 2 + leavesOf(blocks, 4) + (held ? HELD : 0) + open);
}

/** era_message() */
function eraMessage(metadata: EraMetadata, words: readonly Bytes[], { core }: Place): undefined {
  const say = (text: string): never => {
    core.log(3, `era: ${text}`);
    return refuse('EINVAL');
  };
  if (words.length !== 1) return say('incorrect number of message arguments');
  const [name = ''] = words;
  switch (name.toLowerCase()) {
    case 'checkpoint':
      metadata.era++;
      metadata.open = OPEN.checkpoint;
      return undefined;
    case 'take_metadata_snap':
      if (metadata.held) return say('metadata_take_snap: metadata snapshot already exists');
      metadata.held = true;
      metadata.era++;
      metadata.open = OPEN.snapshot - HELD;
      return undefined;
    case 'drop_metadata_snap':
      if (!metadata.held) return say('metadata_drop_snap: no snap to drop');
      metadata.held = false;
      metadata.open = 0;
      return undefined;
    default:
      return say(`unsupported message '${name}'`);
  }
}
