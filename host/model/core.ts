// What the rest of a model kernel stands on: its release and log, its devices, and who opens what
// (drivers/md/dm.c, block/bdev.c).

import { majorOf, makeDev, minorOf } from '../types.js';
import { diskLimits, stackingLimits, type Limits } from './limits.js';
import type { Bytes } from './packet.js';
import type { Errno } from './refusal.js';
import type { Block, Device, OpenDevice, Release, State } from './state.js';

/** The releases in their order. */
const RELEASES: readonly Release[] = ['5.10', '6.1', '6.12', '7.2'];

/** One past the largest minor (MINORBITS). */
const MINORS = 1 << 20;

/** Paths that are there on every machine, and no block device. */
const NO_BLOCK: ReadonlySet<string> = new Set([
  '/',
  '/dev',
  '/dev/',
  '/dev/null',
  '/dev/zero',
  '/dev/mapper',
  '/dev/mapper/control',
]);

/** A lower device, and how it is opened. */
type Opening = Pick<OpenDevice, 'dev' | 'write'>;

/** The kernel below its ioctls. */
export class Core {
  /** Called when an event number has changed, or a device is gone: whoever waits looks again. */
  onEvent: () => void = () => undefined;
  /** Called when the last opener of a device is gone whose removal was put off. */
  onLastClose: () => void = () => undefined;

  readonly release: Release;
  readonly major: number;
  state: State;
  /** What the kernel's threads do when the ioctl is answered: events of targets. */
  later: (() => void)[] = [];
  /** The devices whose events are among it. */
  readonly #raising = new Set<Device>();

  constructor(release: Release, major: number, state: State) {
    this.release = release;
    this.major = major;
    this.state = state;
  }

  /** Is this release `since` or a later one? */
  is(since: Release): boolean {
    return RELEASES.indexOf(this.release) >= RELEASES.indexOf(since);
  }

  /** Is there a version of something in this release? */
  has(versions: Readonly<Partial<Record<Release, unknown>>>): boolean {
    return this.since(versions) !== undefined;
  }

  /** Of what changes with releases: what holds for this one. */
  since<T>(values: Readonly<Partial<Record<Release, T>>>): T | undefined {
    return RELEASES.filter((one) => this.is(one)).reduce<T | undefined>(
      (value, one) => values[one] ?? value,
      undefined,
    );
  }

  // ── The log ────────────────────────────────────────────────────────────────────────────────────

  log(priority: number, text: Bytes): void {
    // From 6.0 on dm-crypt.c has another file's prefix before its own.
    const more = text.startsWith('crypt: ') && this.is('6.1') ? 'trusted_key: ' : '';
    this.state.log.push({ priority, text: `${more}device-mapper: ${text}` });
  }

  /** DMERR, which was DMWARN in most of dm-ioctl.c until 5.10. */
  logIoctl(text: Bytes): void {
    this.log(this.is('6.1') ? 3 : 4, `ioctl: ${text}`);
  }

  /** dm_device_name() */
  nameOf(device: Device): string {
    return `${this.major}:${device.minor}`;
  }

  // ── Devices ────────────────────────────────────────────────────────────────────────────────────

  devOf(device: Device): number {
    return makeDev(this.major, device.minor);
  }

  byName(name: Bytes): Device | undefined {
    return this.state.devices.find((device) => device.name === name);
  }

  byUuid(uuid: Bytes): Device | undefined {
    return this.state.devices.find((device) => device.uuid === uuid && uuid !== '');
  }

  byDev(dev: number): Device | undefined {
    if (majorOf(dev) !== this.major) return undefined;
    return this.state.devices.find(({ minor }) => minor === minorOf(dev));
  }

  block(dev: number): Block | undefined {
    return this.state.blocks.find((block) => block.dev === dev);
  }

  /** What %pg prints: 'dm-0', or the last part of a disk's path. */
  diskName(dev: number): string {
    if (majorOf(dev) === this.major) return `dm-${minorOf(dev)}`;
    return this.block(dev)?.path.replace(/^.*\//, '') ?? `${majorOf(dev)}:${minorOf(dev)}`;
  }

  /** In sectors. */
  sizeOfDev(dev: number): bigint {
    return this.byDev(dev)?.size ?? this.block(dev)?.sectors ?? 0n;
  }

  /** Where a device's first sector is: what is written there stays, whatever is made above it. */
  placeOf(dev: number): string {
    let place = { dev, sector: 0n };
    // Nothing keeps a stack from being a ring, so that it is followed so far and no further.
    for (let left = this.state.devices.length; left > 0; left--) {
      const target = this.byDev(place.dev)?.live?.targets.find(
        ({ begin, length }) => place.sector >= begin && place.sector < begin + length,
      );
      if (target?.type !== 'linear') break;
      const below = target.state as { readonly dev: number; readonly offset: bigint };
      place = { dev: below.dev, sector: below.offset + place.sector - target.begin };
    }
    return `${place.dev}:${place.sector}`;
  }

  /** The most sectors that a discard may have, 0 if it takes none; the least of what is below. */
  discardSectorsOf(dev: number, above: readonly number[] = []): number {
    const device = this.byDev(dev);
    if (device === undefined) return this.block(dev)?.discardSectors ?? 0;
    const path = [...above, dev];
    const below = device.live?.devices.filter((used) => !path.includes(used.dev)) ?? [];
    return Math.min(...below.map((used) => this.discardSectorsOf(used.dev, path)));
  }

  limitsOf(dev: number): Limits {
    return this.byDev(dev)?.limits ?? diskLimits(this.block(dev)?.logicalBlockSize ?? 512);
  }

  /** dm_create(): specific_minor(), next_free_minor() */
  create(minor: number | undefined): Device | undefined {
    const taken = new Set(this.state.devices.map((device) => device.minor));
    let free = minor ?? 0;
    if (minor === undefined) while (taken.has(free)) free++;
    if (taken.has(free) || free >= MINORS) return undefined;
    return {
      minor: free,
      name: '',
      uuid: '',
      suspended: false,
      noflush: false,
      internallySuspended: 0,
      deferredRemove: false,
      removed: false,
      eventNr: 0,
      openCount: 0,
      registered: !this.is('6.1'),
      type: 0,
      readOnly: false,
      size: 0n,
      integrityProfile: false,
      limits: stackingLimits(),
      geometry: [0, 0, 0, 0],
      opened: [],
      stats: [],
    };
  }

  /** event_callback() */
  raise(device: Device): void {
    device.eventNr = (device.eventNr + 1) >>> 0;
    this.globalEvent();
  }

  /** dm_table_event() from a work queue: behind the answer of the ioctl that has caused it. */
  raiseLater(device: Device): void {
    // What waits in a work queue is not queued again.
    if (this.#raising.has(device)) return;
    this.#raising.add(device);
    this.later.push(() => {
      this.#raising.delete(device);
      if (!device.removed) this.raise(device);
    });
  }

  /** dm_issue_global_event() */
  globalEvent(): void {
    this.state.globalEvent = (this.state.globalEvent + 1) >>> 0;
    this.onEvent();
  }

  // ── Opening ────────────────────────────────────────────────────────────────────────────────────

  /** lookup_bdev(), and before 6.12 name_to_dev_t(). */
  lookup(path: string): number | Errno {
    const [, major, minor] = /^[\t-\r \udca0]*(\d+):[\t-\r \udca0]*(\d+)$/.exec(path) ?? [];
    if (major !== undefined && minor !== undefined) {
      const [high, low] = [major, minor].map((digits) =>
        Number(BigInt.asUintN(32, BigInt(digits.slice(-64)))),
      ) as [number, number];
      return high >= 1 << 12 || low >= MINORS ? 'EOVERFLOW' : makeDev(high, low);
    }
    const block = this.state.blocks.find((one) => one.path === path);
    if (block !== undefined) return block.dev;
    const [, node] = /^\/dev\/dm-(\d+)$/.exec(path) ?? [];
    const device =
      node === undefined
        ? undefined
        : this.state.devices.find((one) => one.minor === Number(node) && one.registered);
    if (device !== undefined) return this.devOf(device);
    const linked = this.state.nodes.get(path);
    if (linked !== undefined) return linked;
    if (this.is('6.12')) return NO_BLOCK.has(path) ? 'ENOTBLK' : 'ENOENT';
    // init/do_mounts.c name_to_dev_t(): a number in hexadecimal, in new_decode_dev()'s encoding.
    const hex = /^(?:0x)?([0-9a-f]+)$/i.exec(path)?.[1];
    const dev = hex === undefined ? 0 : Number(BigInt.asUintN(32, BigInt(`0x${hex}`)));
    return dev === 0 ? 'ENODEV' : dev;
  }

  /** Is it there, and has it a disk? */
  canOpen(dev: number): boolean {
    return this.byDev(dev)?.registered ?? this.block(dev) !== undefined;
  }

  /** blkdev_get_by_dev(): a mapped device counts who opens it. */
  openDev(dev: number): Errno | undefined {
    if (!this.canOpen(dev)) return 'ENXIO';
    const device = this.byDev(dev);
    if (device !== undefined) device.openCount++;
    return undefined;
  }

  /** dm_blk_close() */
  closeDev(dev: number): void {
    const device = this.byDev(dev);
    if (device === undefined) return;
    device.openCount--;
    if (device.openCount === 0 && device.deferredRemove) this.onLastClose();
  }

  /** dm_get_table_device(): one opening for all that a device's tables do with another. */
  openFor(device: Device, { dev, write }: Opening): Errno | undefined {
    const known = device.opened.find((one) => one.dev === dev && one.write === write);
    if (known !== undefined) {
      known.count++;
      return undefined;
    }
    const refused = this.openDev(dev);
    if (refused === undefined) device.opened.push({ dev, write, count: 1 });
    return refused;
  }

  /** dm_put_table_device() */
  closeFor(device: Device, { dev, write }: Opening): void {
    const known = device.opened.find((one) => one.dev === dev && one.write === write);
    if (known === undefined || --known.count > 0) return;
    device.opened = device.opened.filter((one) => one !== known);
    this.closeDev(dev);
  }
}
