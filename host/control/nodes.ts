// /dev/mapper, where devices are opened.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { NodeError } from '../errors.js';
import type { DeviceNodes, NodeState } from '../transport.js';
import { majorOf, minorOf } from '../types.js';
import type { Libc } from './libc.js';
import { readProc } from './proc.js';

const S_IFBLK = 0o060000;

/** /dev/mapper: links to ../dm-N as udev makes them, or block nodes where there is no devtmpfs. */
export class MapperNodes implements DeviceNodes {
  readonly #libc: Libc;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  state(path: string, dev?: number): NodeState {
    const link = lstatSync(path, { throwIfNoEntry: false });
    if (link === undefined) return 'absent';
    const node = statSync(path, { throwIfNoEntry: false });
    if (dev !== undefined && node?.isBlockDevice() === true && node.rdev === dev) return 'ours';
    if (link.isSymbolicLink()) {
      return /^(\.\.|\/dev)\/dm-\d+$/.test(readlinkSync(path)) ? 'stale' : 'other';
    }
    return link.isBlockDevice() && majorOf(link.rdev) === blockMajor() ? 'stale' : 'other';
  }

  make(path: string, dev: number): void {
    mkdirSync(dirname(path), { recursive: true });
    if (this.state(path, dev) === 'stale') this.remove(path);
    const name = `dm-${minorOf(dev)}`;
    try {
      if (statSync(`/dev/${name}`, { throwIfNoEntry: false })?.rdev === dev) {
        symlinkSync(`../${name}`, path);
      } else {
        this.#mknod(path, dev);
      }
    } catch (error) {
      // Somebody was quicker; the caller looks again at what is there.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  #mknod(path: string, dev: number): void {
    if (this.#libc.mknod === undefined) {
      throw new NodeError(
        path,
        `there is no /dev/dm-${minorOf(dev)} to link to, and this libc has no mknod (glibc 2.33 has); run udev, or mknod it`,
      );
    }
    if (this.#libc.mknod(path, S_IFBLK | 0o600, dev) === 0) return;
    const errno = this.#libc.errno();
    if (errno !== EEXIST) {
      throw new NodeError(path, `mknod failed with errno ${errno}`);
    }
  }

  remove(path: string): void {
    try {
      unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  settled(): boolean {
    // udevd keeps its queue file while there is an event that it has not finished.
    return !existsSync('/run/udev/control') || !existsSync('/run/udev/queue');
  }
}

const EEXIST = 17;

/** device-mapper's own major, which is given out at boot. */
function blockMajor(): number | undefined {
  const blocks = readProc('/proc/devices').split('Block devices:')[1] ?? '';
  const major = /^\s*(\d+) device-mapper$/m.exec(blocks)?.[1];
  return major === undefined ? undefined : Number(major);
}
