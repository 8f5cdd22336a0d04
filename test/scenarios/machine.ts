// The machine that a scenario runs on for real: a guest with two scratch disks.

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
  writeFile: (path, text) => {
    fs.writeFileSync(path, text);
  },
  link: (path, target) => {
    fs.symlinkSync(target, path);
  },
  unlink: (path) => {
    fs.unlinkSync(path);
  },
  hold(path) {
    const fd = fs.openSync(path, 'r');
    return () => {
      fs.closeSync(fd);
    };
  },
};

function withFile(path: string, flags: string, use: (fd: number) => void): void {
  const fd = fs.openSync(path, flags);
  try {
    use(fd);
  } finally {
    fs.closeSync(fd);
  }
}
