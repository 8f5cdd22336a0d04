// dm-snap.c: snapshots, what is merged of them, and their origins. No chunk is ever copied: a store holds its
// metadata and nothing else.

import type { Core } from '../core.js';
import type { Bytes } from '../packet.js';
import type { Device, TargetInstance } from '../state.js';
import { refuse } from '../refusal.js';
import {
  Words,
  devText,
  measured,
  tableOnly,
  targetType,
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
  readonly store: 'P' | 'PO' | 'N';
  /** In sectors; 0 while another snapshot has the store. */
  chunk: bigint;
  readonly asked: bigint;
  readonly zeroes: boolean;
  readonly passdown: boolean;
}

const isSnapshot = ({ type }: TargetInstance): boolean =>
  type === 'snapshot' || type === 'snapshot-merge';

/** __find_snapshots_sharing_cow() */
function sharers(core: Core, cow: number): { device: Device; target: Instance<Snapshot> }[] {
  return core.state.devices.flatMap((device) =>
    [device.live, device.inactive].flatMap((table) =>
      (table?.targets ?? [])
        .filter(isSnapshot)
        .map((target) => ({ device, target: target as Instance<Snapshot> }))
        .filter(({ target }) => target.state.cow === cow),
    ),
  );
}

/** snapshot_ctr() */
function construct(given: readonly Bytes[], at: Construction, originMode: Mode): Snapshot {
  const { core } = at;
  const words = new Words(given, core);
  // An origin is only read from, unless the snapshot is merged into it.
  const origin = at.open(words.next(), originMode);
  const path = words.next();
  const opened = at.open(path);
  const store = words.next().toUpperCase();
  if (store !== 'P' && store !== 'PO' && store !== 'N') return refuse('EINVAL');
  const asked = BigInt(words.u32());
  const features = words.left > 0 ? words.take(words.u32()).rest() : [];
  const has = (name: string): boolean => features.some((word) => word.toLowerCase() === name);
  const zeroes = has('discard_zeroes_cow');
  const passdown = has('discard_passdown_origin');
  const chunk = sharers(core, opened).length > 0 ? 0n : asked;
  return { origin, cow: opened, store, chunk, asked, zeroes, passdown };
}

/** dm_put_device() of a device that was not got, and the other way round. */
const logs: NonNullable<TargetType<Snapshot>['logs']> = (text, { core, device }, words) => {
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
    const flags = 'snap_valid=y,snap_merge_failed=n,snapshot_overflowed=n';
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

/** snapshot_preresume(): a store is handed over by who is suspended. */
const preresume: NonNullable<TargetType<Snapshot>['preresume']> = ({ state }, { core }) => {
  if (state.chunk !== 0n) return;
  const source = sharers(core, state.cow).find(({ target }) => target.state.chunk !== 0n);
  if (source === undefined || source.device.suspended) return;
  core.log(3, 'snapshots: Unable to perform snapshot handover until source is suspended.');
  refuse('EINVAL');
};

/** snapshot_resume() */
const resume = ({ state }: Instance<Snapshot>, { core }: Place): void => {
  if (state.chunk !== 0n) return;
  const source = sharers(core, state.cow).find(({ target }) => target.state.chunk !== 0n);
  state.chunk = source?.target.state.chunk ?? state.asked;
};

const MODULE = ['snapshot', 'snapshot-origin', 'snapshot-merge'];

/** dm-snap.c */
export const snapshot: AnyTargetType = /* @__PURE__ */ targetType<Snapshot>({
  name: 'snapshot',
  versions: { '5.10': [1, 16, 0] },
  module: MODULE,
  construct: (words, at) => construct(words, at, 'read'),
  logs,
  status: status(() => snapshot),
  areas,
  preresume,
  resume,
});

/** dm-snap.c */
export const snapshotMerge: AnyTargetType = /* @__PURE__ */ targetType<Snapshot>({
  name: 'snapshot-merge',
  versions: { '5.10': [1, 5, 0] },
  module: MODULE,
  construct: (words, at) => construct(words, at, 'write'),
  logs,
  status: status(() => snapshotMerge),
  areas,
  preresume,
  resume,
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
