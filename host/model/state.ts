// What a model kernel remembers: plain values, so that all of it can be copied (snapshot) and put back.
// Names are the kernel's, of struct mapped_device, struct dm_table and struct dm_target.

import type { Limits } from './limits.js';
import type { Bytes } from './packet.js';

/** The releases that a model can be. Each stands for the stable series that was recorded. */
export type Release = '5.10' | '6.1' | '6.12' | '7.2';

/** A block device that is none of device-mapper's. */
export interface Block {
  readonly path: string;
  /** In the huge encoding. */
  readonly dev: number;
  readonly sectors: bigint;
  readonly readOnly: boolean;
  /** In bytes. */
  readonly logicalBlockSize: number;
  /** The most that a discard may have; 0 if it takes none. */
  readonly discardSectors: number;
}

/** A lower device that a mapped device has open, for all of its tables at once (dm.c table_devices). */
export interface OpenDevice {
  readonly dev: number;
  readonly write: boolean;
  count: number;
}

/** A lower device in a table's list (dm-table.c struct dm_dev_internal). */
export interface UsedDevice {
  readonly dev: number;
  write: boolean;
  count: number;
}

/** A row of a table, and what its constructor has made of it. */
export interface TargetInstance {
  readonly type: string;
  readonly begin: bigint;
  readonly length: bigint;
  /** The target type's own; plain values. */
  state: unknown;
}

/** DM_TYPE_BIO_BASED and DM_TYPE_REQUEST_BASED (dm-core.h). */
export type TableType = 1 | 2;

/** A table in a slot. */
export interface Table {
  readonly write: boolean;
  readonly targets: TargetInstance[];
  /** The newest first. */
  devices: UsedDevice[];
  type: TableType;
  singleton: boolean;
  immutableType?: string;
}

/** A region of @stats (dm-stats.c struct dm_stat). */
export interface StatsRegion {
  readonly id: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly step: bigint;
  readonly programId: Bytes;
  aux: Bytes;
  readonly precise: boolean;
  readonly histogram: readonly bigint[];
}

/** A mapped device. */
export interface Device {
  readonly minor: number;
  name: Bytes;
  /** '' for none. */
  uuid: Bytes;
  live?: Table;
  inactive?: Table;
  suspended: boolean;
  /** Is it suspending, or suspended, with its I/O kept (DM_NOFLUSH_FLAG)? */
  noflush: boolean;
  /** How often the kernel itself holds it suspended. */
  internallySuspended: number;
  deferredRemove: boolean;
  /** It is gone from the list, and whoever still waits for it sees the last of it. */
  removed: boolean;
  eventNr: number;
  openCount: number;
  /** Its disk and node are there: from the first load on, before 5.15 from the beginning. */
  registered: boolean;
  /** DM_TYPE_NONE is 0. */
  type: 0 | TableType;
  immutableType?: string;
  readOnly: boolean;
  /** Its disk's, in sectors. */
  size: bigint;
  /** Has its disk tags for each block, as an integrity without a hash of its own gives it? */
  integrityProfile: boolean;
  /** As the live table stacks them. */
  limits: Limits;
  geometry: readonly number[];
  opened: OpenDevice[];
  stats: StatsRegion[];
}

/** A line of the kernel log. */
export interface LogLine {
  /** KERN_ERR is 3. */
  readonly priority: number;
  readonly text: Bytes;
}

/** All of it. */
export interface State {
  /** Of 5.10 in the order of its hash chains, of others by name when they are listed. */
  devices: Device[];
  blocks: Block[];
  /** Of /dev/mapper, made by whoever uses the kernel. */
  nodes: Map<string, number>;
  /** Target types that are registered, the newest first. */
  types: string[];
  /** What is loaded beside: path selectors, policies and such. */
  modules: string[];
  globalEvent: number;
  /** Keys of the kernel's keyrings, as in 'logon:name'. */
  keys: Set<string>;
  /** What the control node's descriptor has seen (DM_DEV_ARM_POLL). */
  armed: number;
  log: LogLine[];
  /** Milliseconds since the model was made, by its own clock. */
  now: number;
  /** What targets keep for longer than a table lasts: metadata of pools, of caches, of raids. */
  disks: Map<string, unknown>;
}

/** A copy of plain values that shares nothing with them, and has the same things at the same places. */
export function copyOf<T>(value: T): T {
  const copies = new Map<object, object>();
  const copy = (from: unknown): unknown => {
    if (typeof from !== 'object' || from === null) return from;
    const known = copies.get(from);
    if (known !== undefined) return known;
    if (from instanceof Set) {
      const to = new Set<unknown>();
      copies.set(from, to);
      for (const one of from) to.add(copy(one));
      return to;
    }
    if (from instanceof Map) {
      const to = new Map<unknown, unknown>();
      copies.set(from, to);
      for (const [key, one] of from) to.set(copy(key), copy(one));
      return to;
    }
    const to = (Array.isArray(from) ? [] : {}) as Record<string, unknown>;
    copies.set(from, to);
    for (const [key, one] of Object.entries(from)) to[key] = copy(one);
    return to;
  };
  return copy(value) as T;
}
