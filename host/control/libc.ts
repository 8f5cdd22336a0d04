// libc by koffi, which is loaded when the first kernel is opened: importing the package never needs it.

import { createRequire } from 'node:module';
import { KernelUnavailableError } from '../errors.js';

type Koffi = typeof import('koffi');
/** A wait of libuv's own for a file descriptor. */
export type PollHandle = import('koffi').node.PollHandle;

/** Of a device, or without argument. */
interface Ioctl {
  (fd: number, request: number, data: Uint8Array | null): number;
  async(
    fd: number,
    request: number,
    data: Uint8Array | null,
    callback: (error: Error | null, result: number) => void,
  ): void;
}

/** What the kernel is asked by. */
export interface Libc {
  readonly ioctl: Ioctl;
  readonly lseek: (fd: number, offset: number, whence: number) => number;
  readonly poll: (fds: Uint8Array, count: number, timeoutMs: number) => number;
  /** Before glibc 2.33 there is no such symbol. */
  readonly mknod: ((path: string, mode: number, dev: number) => number) | undefined;
  readonly semget: (key: number, count: number, flags: number) => number;
  readonly semctl: (id: number, index: number, command: number, value: number) => number;
  /** Of the call just before; whatever runs in between may change it. */
  readonly errno: () => number;
  /** Calls back when `fd` can be read. */
  readonly watch: (fd: number, callback: () => void) => PollHandle;
}

/** @throws {KernelUnavailableError} koffi is not here, or does not load */
export function loadLibc(): Libc {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw new KernelUnavailableError(
      'no-koffi',
      'the package koffi, by which ioctls are made, cannot be loaded: install it (npm install koffi; ' +
        'it is optional), and run node without --no-addons, and with --allow-addons beside --permission',
      { cause },
    );
  }
  const libc = koffi.load(null);
  const optional = (prototype: string): unknown => {
    try {
      return libc.func(prototype);
    } catch {
      return undefined;
    }
  };
  return {
    // Not variadic, as it is in C: a variadic function has no async form in koffi.
    ioctl: libc.func('int ioctl(int fd, unsigned long request, void *data)'),
    lseek: libc.func('long lseek(int fd, long offset, int whence)'),
    poll: libc.func('int poll(void *fds, unsigned long count, int timeout)'),
    mknod: optional('int mknod(str path, uint mode, unsigned long dev)') as Libc['mknod'],
    semget: libc.func('int semget(int key, int count, int flags)'),
    // Variadic too, but an int goes the same way on every Linux.
    semctl: libc.func('int semctl(int id, int index, int command, int value)'),
    errno: () => koffi.errno(),
    watch: (fd, callback) => koffi.node.poll(fd, { readable: true }, callback),
  };
}
