// dm-snap.c: snapshots, what is merged of them, and their origins. No chunk is ever copied: a store holds its
// metadata and nothing else.

import { kstrtouint } from '../../targets/rules.js';
import type { Core } from '../core.js';
import type { Bytes } from '../packet.js';
import type { TargetInstance } from '../state.js';
import { refuse } from '../refusal.js';
import {
  Words,
  devText,
  measured,
  tableOnly,
  targetType,
  targetsOf,
  type AnyTargetType,
  type Construction,
  type Instance,
  type Mode,
  type Place,
  type TargetType,
} from '../target.js';

interface Snapshot {
  readonly origin: number;
  readonly cow: number;
  /** As in TABLE. */
  store: 'P' | 'PO' | 'N';
  /** In sectors; 0 while another snapshot has the store. */
  chunk: bigint;
  /** Was it resumed? */
  active: boolean;
  /** Is there something to read from? Not if who was to hand it over has gone. */
  valid: boolean;
  readonly zeroes: boolean;
  readonly passdown: boolean;
  /** Who is to hand over its store, until that is done. */
  source?: Snapshot;
}

/** What a persistent store has in its header. */
interface Header {
  readonly kind: 'snapshot';
  readonly chunk: bigint;
}

/** DM_CHUNK_SIZE_DEFAULT_SECTORS */
const DEFAULT_CHUNK = 32n;

/** The snapshots of an origin there are, those of a table that is just being made too. */
function snapshotsOf(
  core: Core,
  origin: number,
  made: readonly TargetInstance[] = [],
): Instance<Snapshot>[] {
  return [
    ...[...targetsOf(core, 'snapshot'), ...targetsOf(core, 'snapshot-merge')].map(
      ({ target }) => target,
    ),
    ...made.filter(({ type }) => type === 'snapshot' || type === 'snapshot-merge'),
  ]
    .map((target) => target as Instance<Snapshot>)
    .filter(({ state }) => state.origin === origin);
}

/** __validate_exception_handover(): which snapshot has the store, and is to hand it over? */
function sourceOf(
  at: Construction,
  origin: number,
  cow: number,
  originMode: Mode,
): Snapshot | undefined {
  const all = snapshotsOf(at.core, origin, at.table.targets);
  const sharing = all.filter(({ state }) => state.cow === cow);
  if (sharing.length >= 2 || sharing.some(({ state }) => !state.active)) {
    refuse('EINVAL', 'Snapshot cow pairing for exception table handover failed');
  }
  const [source] = sharing;
  if (source === undefined || originMode === 'read') return source?.state;
  if (all.some(({ type }) => type === 'snapshot-merge')) {
    refuse('EINVAL', 'A snapshot is already merging.');
  }
  if (source.state.store === 'N') {
    refuse('EINVAL', 'Snapshot exception store does not support snapshot-merge.');
  }
  return source.state;
}

/** dm-snap-persistent.c read_header(): what is there already is kept to. */
function chunkOf({ core }: Construction, cow: number, asked: bigint): bigint {
  const place = core.placeOf(cow);
  const found = core.state.disks.get(place) as Header | { readonly kind: 'other' } | undefined;
  if (found === undefined) {
    const chunk = asked === 0n ? DEFAULT_CHUNK : asked;
    core.state.disks.set(place, { kind: 'snapshot', chunk } satisfies Header);
    return chunk;
  }
  if (found.kind !== 'snapshot') {
    core.log(4, 'persistent snapshot: Invalid or corrupt snapshot');
    return refuse('ENXIO', 'Failed to read snapshot metadata');
  }
  const { chunk } = found;
  if (asked !== 0n && asked !== chunk) {
    const sizes = `chunk size ${chunk} in device metadata overrides table chunk size of ${asked}.`;
    core.log(4, `persistent snapshot: ${sizes}`);
  }
  return chunk;
}

/** snapshot_ctr() */
function construct(given: readonly Bytes[], at: Construction, originMode: Mode): Snapshot {
  const { core } = at;
  const words = new Words(given, core);
  // An origin is only read from, unless the snapshot is merged into it.
  const origin = at.open(words.next(), originMode);
  const path = words.next();
  const opened = at.open(path);
  const word = words.next().toUpperCase();
  // What follows an N or PO is not looked at (dm-snap-transient.c and dm-snap-persistent.c).
  const store = (['N', 'PO', 'P'] as const).find((start) => word.startsWith(start));
  if (store === undefined) return refuse('EINVAL');
  const asked = BigInt(kstrtouint(words.next()) ?? refuse('EINVAL'));
  const features = words.left > 0 ? words.take(words.u32()).rest() : [];
  const has = (name: string): boolean => features.some((word) => word.toLowerCase() === name);
  const zeroes = has('discard_zeroes_cow');
  const passdown = has('discard_passdown_origin');
  const made = { origin, cow: opened, store, zeroes, passdown, active: false, valid: true };
  const source = sourceOf(at, origin, opened, originMode);
  if (source !== undefined) return { ...made, chunk: 0n, source };
  return { ...made, chunk: store === 'N' ? asked : chunkOf(at, opened, asked) };
}

/**
 * Only what has a store of its own needs to know the size of its chunks, and who hands over one is looked at
 * before that.
 */
const earlier =
  (originMode: Mode): NonNullable<TargetType<Snapshot>['earlier']> =>
  (text, at, [origin = '', cow = '']) => {
    if (text !== 'Chunk size not set') return false;
    const [from, to] = [at.core.lookup(origin), at.core.lookup(cow)];
    return (
      typeof from === 'number' &&
      typeof to === 'number' &&
      sourceOf(at, from, to, originMode) !== undefined
    );
  };

/**
 * A persistent store that has an option it does not know; and dm_put_device() of a device that was not got, and
 * the other way round.
 */
const logs: NonNullable<TargetType<Snapshot>['logs']> = (text, { core, device }, words) => {
  const [, , store = '', chunk = ''] = words;
  if (text === "Couldn't create exception store") {
    const size = kstrtouint(chunk);
    const isSize = size !== undefined && (size & (size - 1)) === 0;
    if (/^p[^o]/i.test(store) && isSize) {
      core.log(3, `persistent snapshot: Unsupported persistent store option: ${store.slice(1)}`);
    }
  }
  if (text !== 'COW device cannot be the same as origin device' || !core.is('6.12')) return;
  const where = `table: ${core.nameOf(device)}:`;
  const origin = core.lookup(words[0] ?? '');
  core.log(3, `${where} device  not in table devices list`);
  core.later.push(() => {
    const dev = typeof origin === 'number' ? devText(origin) : '';
    core.log(4, `${where} dm_table_destroy: dm_put_device call missing for ${dev}`);
  });
};

/** The header and one area of a persistent store (dm-snap-persistent.c). */
const metadataOf = ({ store, chunk }: Snapshot): bigint => (store === 'N' ? 0n : 2n * chunk);

/** snapshot_status() */
function status(type: () => AnyTargetType): NonNullable<TargetType<Snapshot>['status']> {
  return ({ state }, { kind }, { core }) => {
    const { origin, cow, store, chunk, zeroes, passdown } = state;
    if (kind === 'info') {
      if (!state.valid) return 'Invalid';
      return `${metadataOf(state)}/${core.sizeOfDev(cow)} ${metadataOf(state)}`;
    }
    if (kind === 'table') {
      const features = [
        ...(zeroes ? ['discard_zeroes_cow'] : []),
        ...(passdown ? ['discard_passdown_origin'] : []),
      ];
      const end = features.length > 0 ? [features.length, ...features] : [];
      return [devText(origin), devText(cow), store, chunk, ...end].join(' ');
    }
    const names = `snap_origin_name=${devText(origin)},snap_cow_name=${devText(cow)}`;
    const valid = state.valid ? 'y' : 'n';
    const flags = `snap_valid=${valid},snap_merge_failed=n,snapshot_overflowed=n`;
    return `${measured(type(), core)},${names},${flags};`;
  };
}

const areas: NonNullable<TargetType<Snapshot>['areas']> = (
  { state: { origin, cow }, length },
  { core },
) => [
  { dev: origin, start: 0n, length },
  { dev: cow, start: 0n, length: core.sizeOfDev(cow) },
];

/** snapshot_preresume(): a store is handed over by who is suspended, and stays so until that is done. */
const preresume: NonNullable<TargetType<Snapshot>['preresume']> = ({ state }, { core, device }) => {
  const { origin, cow } = state;
  const sharing = snapshotsOf(core, origin).filter((one) => one.state.cow === cow);
  const source = sharing.find((one) => one.state.active);
  if (source === undefined || sharing.every((one) => one.state.active)) return;
  const say = (text: string): never => {
    core.log(3, `snapshots: ${text}`);
    return refuse('EINVAL');
  };
  if (source.state === state) say('Unable to resume snapshot source until handover completes.');
  // Of its own device the table before is suspended by now, and no more in a slot.
  const isOwn = device.live?.targets.includes(source) === true;
  const owner = core.state.devices.find(({ live }) => live?.targets.includes(source) === true);
  if (isOwn || owner?.suspended === true) return;
  say('Unable to perform snapshot handover until source is suspended.');
};

/** snapshot_resume(), __handover_exceptions(): stores change hands, but for what becomes of a full one. */
const resume = ({ state }: Instance<Snapshot>): void => {
  state.active = true;
  const { source, store, chunk } = state;
  if (source === undefined) return;
  delete state.source;
  if (!state.valid) return;
  state.store = source.store === 'N' ? 'N' : store === 'PO' ? 'PO' : 'P';
  state.chunk = source.chunk;
  Object.assign(source, { store, chunk });
};

/** snapshot_dtr(): who waits for its store waits in vain. */
const destroy = (target: Instance<Snapshot>, { core, table }: Place): void => {
  const { active, origin, cow } = target.state;
  const rest = table.targets.slice(table.targets.indexOf(target) + 1);
  const waiting = snapshotsOf(core, origin, rest).find(
    ({ state }) => state.cow === cow && !state.active,
  );
  if (!active || waiting === undefined) return;
  waiting.state.valid = false;
  core.log(3, 'snapshots: Cancelling snapshot handover.');
};

const MODULE = ['snapshot', 'snapshot-origin', 'snapshot-merge'];

/** dm-snap.c */
export const snapshot: AnyTargetType = /* @__PURE__ */ targetType<Snapshot>({
  name: 'snapshot',
  versions: { '5.10': [1, 16, 0] },
  module: MODULE,
  construct: (words, at) => construct(words, at, 'read'),
  earlier: earlier('read'),
  logs,
  status: status(() => snapshot),
  areas,
  preresume,
  resume,
  destroy,
});

/** dm-snap.c */
export const snapshotMerge: AnyTargetType = /* @__PURE__ */ targetType<Snapshot>({
  name: 'snapshot-merge',
  versions: { '5.10': [1, 5, 0] },
  module: MODULE,
  construct: (words, at) => construct(words, at, 'write'),
  earlier: earlier('write'),
  logs,
  status: status(() => snapshotMerge),
  areas,
  preresume,
  resume,
  destroy,
});

/** dm-snap.c */
export const snapshotOrigin: AnyTargetType = /* @__PURE__ */ targetType<number>({
  name: 'snapshot-origin',
  versions: { '5.10': [1, 9, 0] },
  module: MODULE,
  construct: ([path = ''], at) => at.open(path),
  status: tableOnly((dev) => devText(dev)),
  areas: ({ state: dev, length }) => [{ dev, start: 0n, length }],
});
