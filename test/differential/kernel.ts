// The world of this machine's own kernel, in a guest: its two disks are overwritten.

import { DM_DEFERRED_REMOVE, KernelTransport, REQUEST_CODE } from 'devicemapper';
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
  /** Is a worker to remove something, and to log how many it has left? */
  let deferred = false;
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
    },
    wipe() {
      deferred = false;
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
