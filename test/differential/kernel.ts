// The world of this machine's own kernel, in a guest: its two disks are overwritten.

import { DM_DEFERRED_REMOVE, DeviceMapperSync, KernelTransport, REQUEST_CODE } from 'devicemapper';
import * as fs from 'node:fs';
import { bytesOf, type Step, type World } from './script.js';
import { DISKS, MAJOR } from './tables.js';

/** As much of each disk as metadata may be written to. */
const WIPED = { '/dev/ubda': 1 << 16, '/dev/ubdb': 4 << 20 };

/**
 * Behind the answers to these, and to a close, workers go on: one removes what is closed for the last time, as
 * what a table kept open is when that table goes (dm.c dm_blk_close), multipath has one raise its events
 * (dm-mpath.c trigger_event), and era one digest an era (dm-era-target.c).
 */
const WORKED_ON: ReadonlySet<number> = new Set([
  REQUEST_CODE.TARGET_MSG,
  REQUEST_CODE.DEV_SUSPEND,
  REQUEST_CODE.DEV_REMOVE,
  REQUEST_CODE.TABLE_LOAD,
  REQUEST_CODE.TABLE_CLEAR,
]);

const isDeferred = (step: Step & { readonly do: 'ioctl' }): boolean =>
  (new DataView(bytesOf(step).buffer).getUint32(28, true) & DM_DEFERRED_REMOVE) !== 0;

/** The disks of mapped devices, of those that are just being destroyed, too. */
const disks = (): string[] => fs.readdirSync('/sys/block').filter((disk) => disk.startsWith('dm-'));

/** Is a device still to be removed that nobody holds, or being destroyed, as a pool is while it commits? */
function isAnyDue(dm: DeviceMapperSync): boolean {
  const devices = dm.listDevices();
  const known = new Set(devices.map(({ minor }) => `dm-${minor}`));
  if (disks().some((disk) => !known.has(disk))) return true;
  return devices.some(({ dev }) => {
    const found = dm.findDevice({ dev });
    return found?.deferredRemove === true && found.openCount === 0;
  });
}

export function kernelWorld(): World & { close: () => void } {
  const numbers = /^\s*(\d+) device-mapper$/m.exec(fs.readFileSync('/proc/devices', 'utf8'))?.[1];
  if (numbers !== `${MAJOR}`) throw new Error(`device-mapper's major is ${numbers}, not ${MAJOR}`);
  for (const [path, { sectors, discardSectors }] of Object.entries(DISKS)) {
    const read = (file: string): number =>
      Number(fs.readFileSync(`/sys/block/${path.slice(5)}/${file}`, 'utf8'));
    const found = [read('size'), read('queue/discard_max_hw_bytes') / 512];
    if (found[0] === sectors && found[1] === discardSectors) continue;
    throw new Error(
      `${path} has ${found.join(' and ')} sectors, not ${sectors}, ${discardSectors}`,
    );
  }
  const transport = KernelTransport.open();
  const dm = new DeviceMapperSync(transport);
  /** Is a worker to remove something, and to log how many it has left? */
  let deferred = false;
  /** How many disks there were behind the last step. */
  let left = Infinity;
  const kmsg = fs.openSync('/dev/kmsg', fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  return {
    transport,
    open(path) {
      try {
        const fd = fs.openSync(path, 'r');
        return () => {
          fs.closeSync(fd);
        };
      } catch {
        return undefined;
      }
    },
    log: () => linesOf(kmsg),
    mark: () => void linesOf(kmsg),
    settle(step) {
      if (step.do === 'close') transport.sleepSync(20);
      else if (step.do === 'ioctl' && WORKED_ON.has(step.request)) {
        if (isDeferred(step)) deferred = true;
        transport.sleepSync(deferred ? 20 : 2);
      }
      if (!deferred) return;
      // With many devices, or on a busy machine, the worker takes longer, and says what is left when it is done.
      for (let tries = 0; tries < 20 && isAnyDue(dm); tries++) transport.sleepSync(20);
      const { length } = disks();
      if (length < left) transport.sleepSync(30);
      left = length;
    },
    wipe() {
      deferred = false;
      left = Infinity;
      for (const [path, length] of Object.entries(WIPED)) {
        const fd = fs.openSync(path, 'r+');
        fs.writeSync(fd, new Uint8Array(length));
        fs.fsyncSync(fd);
        fs.closeSync(fd);
      }
    },
    close() {
      fs.closeSync(kmsg);
      transport.close();
    },
  };
}

/** Device-mapper's lines since the last look. A record is `prio,seq,usec,flags;text`, then `\n KEY=value`. */
function linesOf(kmsg: number): string[] {
  const lines: string[] = [];
  const record = new Uint8Array(8192);
  for (;;) {
    try {
      const length = fs.readSync(kmsg, record);
      const text = new TextDecoder('latin1').decode(record.subarray(0, length));
      const line = text.slice(text.indexOf(';') + 1, text.indexOf('\n'));
      if (line.includes('device-mapper: ')) lines.push(line);
    } catch (error) {
      // Records that were overwritten before we came to them are lost.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') return lines;
    }
  }
}
