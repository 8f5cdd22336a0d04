// The values that users hold. Sectors are 512 bytes everywhere.

/** The interface's version, as in `[4, 47, 0]`. */
export type Version = readonly [major: number, minor: number, patch: number];

/** How to name a device: its name, or exactly one of name, uuid and device number. */
export type DeviceRef =
  | string
  | { readonly name: string; readonly uuid?: never; readonly dev?: never }
  | { readonly uuid: string; readonly name?: never; readonly dev?: never }
  | { readonly dev: number; readonly name?: never; readonly uuid?: never };

/** One argument of a target: text, a whole number, or bytes that must not become a string. */
export type Parameter = string | number | bigint | Uint8Array;

/** One row of a table. */
export interface Target {
  /** First sector this target covers, counted from the device's start. */
  readonly startSector: number | bigint;
  /** How many sectors it covers. */
  readonly length: number | bigint;
  /** The target type, 1 to 15 bytes: 'linear', 'crypt' … */
  readonly type: string;
  /**
   * An array: one argument each, escaped so that the kernel splits it back exactly. A string: the
   * rest of a dmsetup line, its spacing kept and its backslashes doubled, as libdm sends it. Bytes:
   * these very bytes.
   */
  readonly parameters: readonly Parameter[] | string | Uint8Array;
}

/** Targets in sector order, adjoining, from sector 0; or the same as dmsetup text. */
export type Table = readonly Target[] | string;

/** One row of a table as the kernel tells it; itself a valid {@link Target}. */
export interface TargetLine<Sector extends number | bigint = number> {
  readonly startSector: Sector;
  readonly length: Sector;
  readonly type: string;
  /**
   * The kernel's text, exact. Of a reply of many targets each string keeps the whole text alive: copy
   * what is kept for long.
   */
  readonly parameters: string;
  /** `parameters`, split as the kernel splits. */
  readonly words: readonly string[];
}

/** A row of a table, its parameters as the bytes that stand there; itself a valid {@link Target}. */
export interface TargetBytes<Sector extends number | bigint = number> {
  readonly startSector: Sector;
  readonly length: Sector;
  readonly type: string;
  readonly parameters: Uint8Array;
}

/** A device, as the kernel describes it in the answer to most commands. */
export interface DeviceInfo {
  readonly name: string;
  /** '' if it has none. */
  readonly uuid: string;
  /** The device number, as in `fs.statSync('/dev/dm-0').rdev`. */
  readonly dev: number;
  readonly major: number;
  readonly minor: number;
  /**
   * Where to open it: '/dev/mapper/NAME', or '/dev/dm-N' for the few names that cannot stand there
   * ('.', '..', 'control', and bytes that are no UTF-8).
   */
  readonly path: string;
  readonly openCount: number;
  /** Targets in the live table; in a query of the inactive slot, in that one. */
  readonly targetCount: number;
  /** Counts the events of this device; wraps at 2^32, so compare for inequality only. */
  readonly eventNumber: number;
  readonly suspended: boolean;
  readonly readOnly: boolean;
  readonly liveTable: boolean;
  readonly inactiveTable: boolean;
  /** It will be removed when its last opener closes it. */
  readonly deferredRemove: boolean;
  /** The kernel itself has suspended it, as a thin pool does its thin devices. */
  readonly internalSuspend: boolean;
  /** All of the header's flags, DM_…_FLAG. */
  readonly flags: number;
}

/** What {@link DeviceInfo} says of a listed device, as far as the kernel tells it. */
export interface DeviceListEntry {
  readonly name: string;
  readonly dev: number;
  readonly major: number;
  readonly minor: number;
  /** From interface 4.45 on. */
  readonly uuid?: string;
  /** From interface 4.37 on. */
  readonly eventNumber?: number;
}

/** A device number. */
export interface DeviceNumber {
  readonly dev: number;
  readonly major: number;
  readonly minor: number;
}

/** A device and the rows of one of its tables. */
export interface DeviceTable<Row = TargetLine> {
  readonly device: DeviceInfo;
  readonly targets: readonly Row[];
}

/** The major of a device number in the kernel's huge encoding (include/linux/kdev_t.h). */
export function majorOf(dev: number): number {
  return (dev >>> 8) & 0xfff;
}

/** The minor of a device number in the kernel's huge encoding. */
export function minorOf(dev: number): number {
  return ((dev & 0xff) | ((dev >>> 12) & 0xfff00)) >>> 0;
}

/** The kernel's huge encoding of `major` (0…4095) and `minor` (0…1048575). */
export function makeDev(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** Whole sectors of 512 bytes that hold `bytes`. */
export function bytesToSectors(bytes: number): number {
  return Math.ceil(bytes / 512);
}

/** The bytes of `sectors` sectors. */
export function sectorsToBytes(sectors: number): number {
  return sectors * 512;
}
