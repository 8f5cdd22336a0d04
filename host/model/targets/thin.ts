// dm-thin.c and dm-thin-metadata.c: pools and their thin devices. Metadata outlive the pool, on the device
// that they are on; thin devices in it are there, and empty.

import { kstrtoull } from '../../targets/rules.js';
import type { Core } from '../core.js';
import { preferBlocks } from '../limits.js';
import type { Bytes } from '../packet.js';
import type { Device } from '../state.js';
import { refuse } from '../refusal.js';
import {
  Words,
  devText,
  targetType,
  targetsOf,
  type AnyTargetType,
  type Answer,
  type Construction,
  type Instance,
  type Place,
} from '../target.js';

/** What is on a metadata device. */
interface Metadata {
  readonly kind: 'thin-pool';
  readonly blockSize: bigint;
  transaction: bigint;
  readonly thins: Set<number>;
  held: boolean;
  /** In blocks of the pool. */
  dataBlocks: bigint;
}

interface Features {
  readonly zero: boolean;
  readonly discard: boolean;
  passdown: boolean;
  readonly readOnly: boolean;
  readonly errorIfNoSpace: boolean;
}

/** A pool, which all tables of its device share (struct pool). */
interface Pool {
  readonly metadata: Metadata;
  readonly metadataDev: number;
  readonly dataDev: number;
  readonly minor: number;
  /** As the metadata have it, whatever a later table says. */
  readonly blockSize: bigint;
  features: Features;
  suspended: boolean;
  users: number;
}

interface PoolTarget {
  readonly pool: Pool;
  readonly lowWater: bigint;
  readonly asked: Features;
  /** As what is below allows (adjusted_pf). */
  readonly adjusted: Features;
}

interface Thin {
  readonly poolDev: number;
  readonly pool: Pool;
  readonly id: number;
  readonly external: number | undefined;
}

const MODULE = ['thin', 'thin-pool'];
const MAX_ID = (1n << 24n) - 1n;
/** The most that a request to a disk has, in bytes: of a larger block as much as it is made of and fits. */
const MOST_IO = 254 * 512;
/** What pools' blocks are made of (DATA_DEV_BLOCK_SIZE_MIN_SECTORS), in bytes. */
const POOL_BLOCK = 128 * 512;
/** THIN_METADATA_BLOCK_SIZE, in sectors. */
const METADATA_BLOCK = 8n;
/** What an empty pool's trees and space maps take; a pool that was resumed has a bitmap of its data besides. */
const EMPTY_BLOCKS = 8n;

/** A pool is there for as long as a target of it, or a thin device on it. */
function pools(core: Core): Pool[] {
  const held = ['thin-pool', 'thin'].flatMap((type) => [...targetsOf(core, type)]);
  return held.map(({ target }) => (target.state as PoolTarget | Thin).pool);
}

function thins(core: Core, pool: Pool): { device: Device; id: number }[] {
  return [...targetsOf(core, 'thin')]
    .map(({ device, target }) => ({ device, state: target.state as Thin }))
    .filter(({ state }) => state.pool === pool)
    .map(({ device, state }) => ({ device, id: state.id }));
}

/** parse_pool_features() */
function featuresOf(words: Words): Features {
  const given = words.rest().map((word) => word.toLowerCase());
  return {
    zero: !given.includes('skip_block_zeroing'),
    discard: !given.includes('ignore_discard'),
    passdown: !given.includes('no_discard_passdown'),
    readOnly: given.includes('read_only'),
    errorIfNoSpace: given.includes('error_if_no_space'),
  };
}

/** __pool_find(), pool_create() */
function poolOf(
  at: Construction,
  metadataDev: number,
  dataDev: number,
  { readOnly, blockSize }: Pick<Features, 'readOnly'> & Pick<Pool, 'blockSize'>,
): Pool {
  const { core, device } = at;
  const all = pools(core);
  const same = all.find((pool) => pool.metadataDev === metadataDev);
  if (same !== undefined) {
    if (same.minor !== device.minor) {
      return refuse('EBUSY', 'metadata device already in use by a pool');
    }
    if (same.dataDev !== dataDev) return refuse('EBUSY', 'data device already in use by a pool');
    return same;
  }
  if (all.some((pool) => pool.minor === device.minor)) {
    return refuse('EINVAL', 'different pool cannot replace a pool');
  }
  const place = core.placeOf(metadataDev);
  const found = core.state.disks.get(place) as Metadata | { readonly kind: 'other' } | undefined;
  if (found !== undefined && found.kind !== 'thin-pool') {
    core.log(3, 'thin metadata: sb_check failed: magic');
    return refuse('ENOTBLK', 'Error creating metadata object');
  }
  if (found !== undefined && found.blockSize !== blockSize) {
    const sizes = `from ${found.blockSize} to ${blockSize}`;
    core.log(3, `thin metadata: changing the data block size (${sizes}) is not supported`);
    refuse('EINVAL', 'Error creating metadata object');
  }
  const metadata: Metadata = found ?? {
    kind: 'thin-pool',
    blockSize,
    transaction: 0n,
    thins: new Set(),
    held: false,
    dataBlocks: 0n,
  };
  core.state.disks.set(place, metadata);
  const features = { zero: true, discard: true, passdown: true, errorIfNoSpace: false };
  return {
    metadata,
    metadataDev,
    dataDev,
    minor: device.minor,
    blockSize,
    features: { ...features, readOnly },
    suspended: true,
    users: 0,
  };
}

function metadataBlocks(core: Core, { metadataDev, metadata }: Pool): [used: bigint, all: bigint] {
  const all = core.sizeOfDev(metadataDev) / METADATA_BLOCK;
  // __set_metadata_reserve()
  const reserve = all / 10n < 4096n ? all / 10n : 4096n;
  const { thins: own, held, dataBlocks } = metadata;
  const besides = own.size + (held ? 1 : 0) + (dataBlocks > 0n ? 1 : 0);
  const used = EMPTY_BLOCKS + reserve + BigInt(besides);
  return [used, all];
}

/** pool_status() */
function poolStatus({ state }: Instance<PoolTarget>, kind: string, core: Core): Bytes {
  const { pool, lowWater, asked } = state;
  const { blockSize } = pool;
  if (kind === 'ima') return '';
  if (kind === 'table') {
    const words = [
      ...(asked.zero ? [] : ['skip_block_zeroing']),
      ...(asked.discard ? [] : ['ignore_discard']),
      ...(asked.passdown ? [] : ['no_discard_passdown']),
      ...(asked.readOnly ? ['read_only'] : []),
      ...(asked.errorIfNoSpace ? ['error_if_no_space'] : []),
    ];
    const devices = `${devText(pool.metadataDev)} ${devText(pool.dataDev)}`;
    return `${[devices, blockSize, lowWater, words.length, ...words].join(' ')} `;
  }
  const { metadata, features } = pool;
  const [used, all] = metadataBlocks(core, pool);
  const discards = features.passdown ? 'discard_passdown' : 'no_discard_passdown';
  const words = [
    metadata.transaction,
    `${used}/${all}`,
    `0/${metadata.dataBlocks}`,
    metadata.held ? used - all / 10n : '-',
    features.readOnly ? 'ro' : 'rw',
    features.discard ? discards : 'ignore_discard',
    features.errorIfNoSpace ? 'error_if_no_space' : 'queue_if_no_space',
    '-',
    // calc_metadata_threshold()
    all / 4n < 1024n ? all / 4n : 1024n,
  ];
  return `${words.join(' ')} `;
}

/** dm-thin.c */
export const thinPool: AnyTargetType = /* @__PURE__ */ targetType<PoolTarget>({
  name: 'thin-pool',
  versions: { '5.10': [1, 22, 0], '6.12': [1, 23, 0], '7.2': [1, 24, 0] },
  module: MODULE,
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const [metadataPath, dataPath] = [words.next(), words.next()];
    const blockSize = kstrtoull(words.next()) ?? refuse('EINVAL');
    const lowWater = kstrtoull(words.next()) ?? refuse('EINVAL');
    const asked = featuresOf(words.take(words.left > 0 ? words.u32() : 0));
    const metadataDev = at.open(metadataPath, asked.readOnly ? 'read' : 'write');
    const dataDev = at.open(dataPath, 'write');
    const pool = poolOf(at, metadataDev, dataDev, { ...asked, blockSize });
    if (pool.users > 0 && asked.discard !== pool.features.discard) {
      refuse('EINVAL', 'Discard support cannot be disabled once enabled');
    }
    pool.users++;
    return { pool, lowWater, asked, adjusted: { ...asked } };
  },
  status: (target, { kind }, { core }) => poolStatus(target, kind, core),
  areas: ({ state: { pool }, length }) => [{ dev: pool.dataDev, start: 0n, length }],
  // pool_io_hints(), disable_discard_passdown_if_not_supported()
  hints: ({ state: { pool, adjusted } }, limits, { core }) => {
    const block = Number(pool.blockSize) * 512;
    preferBlocks(limits, block, block <= MOST_IO ? block : POOL_BLOCK);
    if (!adjusted.discard || !adjusted.passdown) return;
    const most = core.discardSectorsOf(pool.dataDev);
    if (most >= Number(pool.blockSize)) return;
    const why = most === 0 ? 'discard unsupported' : 'max discard sectors smaller than a block';
    const disk = core.diskName(pool.dataDev);
    core.log(4, `thin: Data device (${disk}) ${why}: Disabling discard passdown.`);
    adjusted.passdown = false;
  },
  presuspend: ({ state: { pool } }, { core }) => {
    if (pool.suspended) return;
    pool.suspended = true;
    // dm_internal_suspend_noflush() of each that is active
    for (const { device } of thins(core, pool)) device.internallySuspended++;
  },
  // bind_control_target(), maybe_resize_data_dev()
  preresume: ({ state: { pool, adjusted }, length }, { core, device }) => {
    const before = pool.features;
    pool.features = { ...adjusted };
    if (before.readOnly !== adjusted.readOnly) {
      const mode = adjusted.readOnly ? 'read-only' : 'write';
      core.log(6, `thin: ${core.nameOf(device)}: switching pool to ${mode} mode`);
      core.raise(device);
    }
    const [blocks, known] = [length / pool.blockSize, pool.metadata.dataBlocks];
    const where = `thin: ${core.nameOf(device)}:`;
    if (blocks < known) {
      core.log(3, `${where} pool target (${blocks} blocks) too small: expected ${known}`);
      refuse('EINVAL');
    }
    if (blocks > known && known > 0n) {
      core.log(6, `${where} growing the data device from ${known} to ${blocks} blocks`);
    }
    pool.metadata.dataBlocks = blocks;
  },
  resume: ({ state: { pool } }, { core }) => {
    if (!pool.suspended) return;
    pool.suspended = false;
    for (const { device } of thins(core, pool)) {
      if (device.internallySuspended > 0) device.internallySuspended--;
    }
  },
  destroy: ({ state: { pool } }) => {
    pool.users--;
  },
  message: ({ state: { pool } }, words, at) => poolMessage(pool, words, at),
});

/** pool_message() */
function poolMessage(pool: Pool, words: readonly Bytes[], { core, device }: Place): Answer {
  const { metadata } = pool;
  const warn = (text: Bytes): void => {
    core.log(4, `thin: ${text}`);
  };
  if (pool.features.readOnly) {
    const what = 'unable to service pool target messages in READ_ONLY or FAIL mode';
    core.log(3, `thin: ${core.nameOf(device)}: ${what}`);
    return refuse('EOPNOTSUPP');
  }
  const count = (needed: number): void => {
    if (words.length === needed) return;
    warn(`Message received with ${words.length} arguments instead of ${needed}.`);
    refuse('EINVAL');
  };
  const idOf = (word: Bytes): number => {
    const id = kstrtoull(word);
    if (id !== undefined && id <= MAX_ID) return Number(id);
    warn(`Message received with invalid device id: ${word}`);
    return refuse('EINVAL');
  };
  const [name = '', first = '', second = ''] = words;
  switch (name.toLowerCase()) {
    case 'create_thin': {
      count(2);
      const id = idOf(first);
      if (metadata.thins.has(id)) {
        warn(`Creation of new thinly-provisioned device with id ${first} failed.`);
        refuse('EEXIST');
      }
      metadata.thins.add(id);
      return undefined;
    }
    case 'create_snap': {
      count(3);
      const [id, origin] = [idOf(first), idOf(second)];
      if (metadata.thins.has(id) || !metadata.thins.has(origin)) {
        warn(`Creation of new snapshot ${first} of device ${second} failed.`);
        refuse(metadata.thins.has(id) ? 'EEXIST' : 'ENODATA');
      }
      metadata.thins.add(id);
      return undefined;
    }
    case 'delete': {
      count(2);
      const id = idOf(first);
      const isOpen = thins(core, pool).some((thin) => thin.id === id);
      if (isOpen || !metadata.thins.has(id)) {
        warn(`Deletion of thin device ${first} failed.`);
        refuse(isOpen ? 'EBUSY' : 'ENODATA');
      }
      metadata.thins.delete(id);
      return undefined;
    }
    case 'set_transaction_id': {
      count(3);
      const [old, fresh] = [kstrtoull(first), kstrtoull(second)];
      if (old === undefined) {
        warn(`set_transaction_id message: Unrecognised id ${first}.`);
        return refuse('EINVAL');
      }
      if (fresh === undefined) {
        warn(`set_transaction_id message: Unrecognised new id ${second}.`);
        return refuse('EINVAL');
      }
      if (old !== metadata.transaction) {
        core.log(3, 'thin metadata: mismatched transaction id');
        warn(`Failed to change transaction id from ${first} to ${second}.`);
        return refuse('EINVAL');
      }
      metadata.transaction = fresh;
      return undefined;
    }
    case 'reserve_metadata_snap':
    case 'release_metadata_snap': {
      count(1);
      const isReserve = name.toLowerCase() === 'reserve_metadata_snap';
      if (metadata.held === isReserve) {
        core.log(
          4,
          isReserve
            ? 'thin metadata: Pool metadata snapshot already exists: release this before taking another.'
            : 'thin metadata: No pool metadata snapshot found: nothing to release.',
        );
        warn(`${name.toLowerCase()} message failed.`);
        return refuse(isReserve ? 'EBUSY' : 'EINVAL');
      }
      metadata.held = isReserve;
      return undefined;
    }
    default:
      warn(`Unrecognised thin pool target message received: ${name}`);
      return refuse('EINVAL');
  }
}

/** dm-thin.c */
export const thin: AnyTargetType = /* @__PURE__ */ targetType<Thin>({
  name: 'thin',
  versions: { '5.10': [1, 22, 0], '6.12': [1, 23, 0], '7.2': [1, 24, 0] },
  module: MODULE,
  unaliased: true,
  // thin_ctr()
  construct: (words, at) => {
    const { core } = at;
    const external = words[2] === undefined ? undefined : at.open(words[2], 'read');
    const poolDev = at.open(words[0] ?? '');
    const id = kstrtoull(words[1] ?? '') ?? refuse('EINVAL', 'Invalid device id');
    const device = core.byDev(poolDev) ?? refuse('EINVAL', "Couldn't get pool mapped device");
    const pool =
      pools(core).find(({ minor }) => minor === device.minor) ??
      refuse('EINVAL', "Couldn't find pool object");
    if (!pool.metadata.thins.has(Number(id))) {
      refuse('ENODATA', "Couldn't open thin internal device");
    }
    if (pool.suspended) {
      refuse('EINVAL', 'Unable to activate thin device while pool is suspended');
    }
    return { poolDev, pool, id: Number(id), external };
  },
  status: ({ state: { poolDev, id, external } }, { kind }) => {
    if (kind === 'ima') return '';
    if (kind === 'info') return '0 -';
    return `${devText(poolDev)} ${id}${external === undefined ? '' : ` ${devText(external)}`}`;
  },
  // thin_iterate_devices(): all of the pool, in whole blocks.
  areas: ({ state: { poolDev } }, { core }) => {
    const target = core.byDev(poolDev)?.live?.targets[0];
    if (target?.type !== 'thin-pool') return [];
    const { blockSize } = (target.state as PoolTarget).pool;
    const length = (target.length / blockSize) * blockSize;
    return length === 0n ? [] : [{ dev: poolDev, start: 0n, length }];
  },
});
