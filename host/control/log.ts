// Device-mapper's lines in the kernel log, from which a refusal has its reason.

import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Libc } from './libc.js';

const SEEK_END = 2;
/** CONSOLE_EXT_LOG_MAX of kernel/printk: no record is longer. */
const RECORD_SIZE = 8192;

/** /dev/kmsg from a mark on. Without the right to read it there is no reader, and no lines. */
export class LogReader {
  static open(libc: Libc): LogReader | undefined {
    try {
      return new LogReader(libc, openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK));
    } catch {
      return undefined;
    }
  }

  readonly #libc: Libc;
  readonly #fd: number;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  mark(): void {
    this.#libc.lseek(this.#fd, 0, SEEK_END);
  }

  /** Device-mapper's lines since the mark. A record is `prio,seq,usec,flags;text`, then `\n KEY=value`. */
  read(): string[] {
    const lines: string[] = [];
    const record = new Uint8Array(RECORD_SIZE);
    const decoder = new TextDecoder();
    // Bounded: a kernel that logs faster than we read must not keep us here.
    for (let i = 0; i < 1000; i++) {
      try {
        const length = readSync(this.#fd, record);
        const [head = ''] = decoder.decode(record.subarray(0, length)).split('\n');
        const text = head.slice(head.indexOf(';') + 1);
        if (text.includes('device-mapper: ')) lines.push(text);
      } catch (error) {
        // EPIPE: records were overwritten before we came to them; the next read has the oldest left.
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') break;
      }
    }
    return lines;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
