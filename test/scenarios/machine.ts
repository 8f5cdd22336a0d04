// The machine that a scenario runs on for real: a guest with two scratch disks.

import { DeviceMapperSync } from 'devicemapper';
import * as fs from 'node:fs';
import type { Machine } from './world.js';

export const DISKS = ['/dev/ubda', '/dev/ubdb'] as const;

export const machine: Machine = {
  read(path, offset, length) {
    const bytes = new Uint8Array(length);
    withFile(path, 'r', (fd) => fs.readSync(fd, bytes, 0, length, offset));
    return bytes;
  },
  write(path, offset, bytes) {
    withFile(path, 'r+', (fd) => {
      fs.writeSync(fd, bytes, 0, bytes.length, offset);
      fs.fsyncSync(fd);
    });
  },
  exists: (path) => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined,
};

/** What device-mapper has on this machine and what this process holds of it, in words; none at rest. */
export function leftovers(): string[] {
  using dm = DeviceMapperSync.open();
  const devices = dm.listDevices().map(({ name }) => `device ${name}`);
  const nodes = fs.readdirSync('/dev/mapper').filter((name) => name !== 'control');
  const blocks = fs.readdirSync('/sys/block').filter((name) => name.startsWith('dm-'));
  return [...devices, ...nodes.map((name) => `node ${name}`), ...blocks, ...openFiles()];
}

/** Of device-mapper; the control node that `leftovers` itself has open is not among them. */
function openFiles(): string[] {
  const open = fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // The descriptor by which the folder was read.
    }
  });
  const controls = open.filter((path) => path === '/dev/mapper/control').slice(1);
  const others = open.filter((path) => /^\/dev\/(mapper\/(?!control$)|dm-|kmsg)/.test(path));
  return [...controls, ...others].map((path) => `open file ${path}`);
}

function withFile(path: string, flags: string, use: (fd: number) => void): void {
  const fd = fs.openSync(path, flags);
  try {
    use(fd);
  } finally {
    fs.closeSync(fd);
  }
}
