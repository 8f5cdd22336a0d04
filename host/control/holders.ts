// Who has a block device open, as far as /sys and /proc tell: other block devices, mounts, swap and
// processes. Nothing here fails; what may not be read is left out.

import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { majorOf, minorOf } from '../types.js';
import { readProc } from './proc.js';

/** More processes are not looked at, and more holders not told. */
const MOST_PROCESSES = 10_000;
const MOST_HOLDERS = 8;

/** As in "device 'top'", "mount /srv", "swap", "process 1234 (dd)". */
export function holdersOf(dev: number): string[] {
  const number = `${majorOf(dev)}:${minorOf(dev)}`;
  const kernel = [...devices(number), ...mounts(number), ...swaps(dev)];
  // What holds it in the kernel explains enough, and looking through all processes takes long.
  return (kernel.length > 0 ? kernel : processes(dev)).slice(0, MOST_HOLDERS);
}

function devices(number: string): string[] {
  const folder = `/sys/dev/block/${number}/holders`;
  return list(folder).map((name) => {
    const mapped = readProc(`${folder}/${name}/dm/name`).replace(/\n$/, '');
    return mapped === '' ? `block device ${name}` : `device '${mapped}'`;
  });
}

/** `ID PARENT MAJOR:MINOR ROOT MOUNTPOINT …`, with blanks and backslashes in octal (proc(5)). */
function mounts(number: string): string[] {
  return readProc('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , device]) => device === number)
    .map(([, , , , path = '']) => `mount ${path.replace(/\\(\d{3})/g, octal)}`);
}

function octal(_: string, digits: string): string {
  return String.fromCharCode(parseInt(digits, 8));
}

/** `FILENAME TYPE SIZE USED PRIORITY` behind a line of headings. */
function swaps(dev: number): string[] {
  return readProc('/proc/swaps')
    .split('\n')
    .slice(1)
    .filter((line) => rdevOf(line.split(/\s/, 1)[0] ?? '') === dev)
    .map(() => 'swap');
}

function processes(dev: number): string[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .slice(0, MOST_PROCESSES)
    .filter((pid) => list(`/proc/${pid}/fd`).some((fd) => isOf(`/proc/${pid}/fd/${fd}`, dev)))
    .map((pid) => `process ${pid} (${readProc(`/proc/${pid}/comm`).trim()})`);
}

/** A look at the link first, for a stat may touch what is behind it. */
function isOf(path: string, dev: number): boolean {
  try {
    return readlinkSync(path).startsWith('/dev/') && rdevOf(path) === dev;
  } catch {
    return false;
  }
}

function rdevOf(path: string): number | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isBlockDevice() === true ? stat.rdev : undefined;
  } catch {
    return undefined;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
