// The values that users hold. Sectors are 512 bytes everywhere.

/** The version of the kernel's device-mapper interface, as in `[4, 47, 0]`; no kernel's own version. */
export type Version = readonly [major: number, minor: number, patch: number];

/**
 * How to name a device: its name, or exactly one of `{ name }`, `{ uuid }` and `{ dev }`, whose number
 * is {@link DeviceInfo.dev}.
 */
export type DeviceRef =
  | string
  | { readonly name: string; readonly uuid?: never; readonly dev?: never }
  | { readonly uuid: string; readonly name?: never; readonly dev?: never }
  | { readonly dev: number; readonly name?: never; readonly uuid?: never };

/** One argument of a target: text, a whole number, or bytes, as for a key that must not become a string. */
export type Parameter = string | number | bigint | Uint8Array;

/**
 * One row of a table, as you give it.
 *
 * @example
 * { startSector: 0, length: 2048, type: 'linear', parameters: ['/dev/sdb', 34] }
 */
export interface Target {
  /** First sector this target covers, counted from the device's start. */
  readonly startSector: number | bigint;
  /** How many sectors it covers, at least 1. */
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

/**
 * What a device is made of: targets in sector order, adjoining, from sector 0; or the same as dmsetup
 * text, a line `START LENGTH TYPE PARAMETERS` for each.
 */
export type Table = readonly Target[] | string;

/** One row of a table, or the status of one, as the kernel tells it; a row is itself a valid {@link Target}. */
export interface TargetLine<Sector extends number | bigint = number> {
  /** First sector this target covers, counted from the device's start. */
  readonly startSector: Sector;
  /** How many sectors it covers. */
  readonly length: Sector;
  /** The target type: 'linear', 'crypt' … */
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
  /** First sector this target covers, counted from the device's start. */
  readonly startSector: Sector;
  /** How many sectors it covers. */
  readonly length: Sector;
  /** The target type: 'linear', 'crypt' … */
  readonly type: string;
  /** A copy, without the NUL. */
  readonly parameters: Uint8Array;
}

/** A device, as the kernel describes it in the answer to most commands. */
export interface DeviceInfo {
  /** 1 to 127 bytes. */
  readonly name: string;
  /** '' if it has none. */
  readonly uuid: string;
  /** The device number, as in `fs.statSync('/dev/dm-0').rdev`. */
  readonly dev: number;
  /** device-mapper's own, which is given out at boot. */
  readonly major: number;
  /** The N of /dev/dm-N. */
  readonly minor: number;
  /**
   * Where to open it: '/dev/mapper/NAME', or '/dev/dm-N' for the few names that cannot stand there
   * ('.', '..', 'control', and bytes that are no UTF-8).
   */
  readonly path: string;
  /** How often it is open now: file systems, processes and other devices. */
  readonly openCount: number;
  /** Targets in the live table; in a query of the inactive slot, in that one. */
  readonly targetCount: number;
  /** Counts the events of this device; wraps at 2^32, so compare for inequality only. */
  readonly eventNumber: number;
  /** I/O is held back until a resume. */
  readonly suspended: boolean;
  /** The disk is read-only; in a query of the inactive slot, the table there. */
  readonly readOnly: boolean;
  /** There is a table that does the I/O. */
  readonly liveTable: boolean;
  /** There is a table that waits for a resume. */
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
  /** 1 to 127 bytes. */
  readonly name: string;
  /** The device number, as in `fs.statSync('/dev/dm-0').rdev`. */
  readonly dev: number;
  /** device-mapper's own. */
  readonly major: number;
  /** The N of /dev/dm-N. */
  readonly minor: number;
  /** From interface 4.45 on; '' if it has none. */
  readonly uuid?: string;
  /** From interface 4.37 on; see {@link DeviceInfo.eventNumber}. */
  readonly eventNumber?: number;
}

/** The number of a block device, whole and in its parts. */
export interface DeviceNumber {
  /** In the kernel's huge encoding, which `fs.statSync(…).rdev` has too. */
  readonly dev: number;
  /** 0 to 4095: the driver. */
  readonly major: number;
  /** 0 to 1048575: the driver's own count. */
  readonly minor: number;
}

/** A device and the rows of one of its tables. */
export interface DeviceTable<Row = TargetLine> {
  /** The device at that moment. */
  readonly device: DeviceInfo;
  /** The rows in sector order; none if there is no table. */
  readonly targets: readonly Row[];
}

/** A type of target, and the version of what makes it. */
export interface TargetVersion {
  /** As in 'linear'. */
  readonly name: string;
  /** As in `[1, 4, 0]`. */
  readonly version: Version;
}

/**
 * The major of a device number in the kernel's huge encoding.
 *
 * @example majorOf(64769) // 253
 * @see include/linux/kdev_t.h huge_decode_dev()
 */
export function majorOf(dev: number): number {
  return (dev >>> 8) & 0xfff;
}

/**
 * The minor of a device number in the kernel's huge encoding.
 *
 * @example minorOf(64769) // 1
 * @see include/linux/kdev_t.h huge_decode_dev()
 */
export function minorOf(dev: number): number {
  return ((dev & 0xff) | ((dev >>> 12) & 0xfff00)) >>> 0;
}

/**
 * The kernel's huge encoding of a device number; bits beyond the two ranges are lost.
 *
 * @param major - 0 to 4095
 * @param minor - 0 to 1048575
 * @example makeDev(253, 1) // 64769
 * @see include/linux/kdev_t.h huge_encode_dev()
 */
export function makeDev(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/**
 * The least number of sectors of 512 bytes that hold `bytes`.
 *
 * @example bytesToSectors(1000) // 2
 */
export function bytesToSectors(bytes: number): number {
  return Math.ceil(bytes / 512);
}

/**
 * The bytes of `sectors` sectors of 512 bytes.
 *
 * @example sectorsToBytes(2048) // 1048576
 */
export function sectorsToBytes(sectors: number): number {
  return sectors * 512;
}

/** `error` if and only if every kernel that the table is for refuses the load. */
export type Severity = 'error' | 'warning';

/** The name of a rule: of one for all tables, or of one of a target type, which begins with the type. */
export type RuleCode = string;

/** A finding in a text has a place in it, in UTF-16 units or, in bytes, in bytes; one in targets has a path. */
export interface Diagnostic {
  /** The rule; stable. */
  readonly code: RuleCode;
  /** An error keeps the table from being loaded. */
  readonly severity: Severity;
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** Where it begins in the text, counted from 0. */
  readonly from?: number;
  /** Where it ends. */
  readonly to?: number;
  /** Counted from 1. */
  readonly line?: number;
  /** Counted from 1. */
  readonly column?: number;
  /** As in 'targets[1].length'. */
  readonly path?: string;
  /** Which target, counted from 0. */
  readonly target?: number;
  /** Which of its words, counted from 0. */
  readonly parameter?: number;
  /** What to do. */
  readonly fix?: string;
}
