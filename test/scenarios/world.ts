// What a scenario is given. It runs on a kernel with two scratch disks of 64 MiB, and from recordings
// of such runs, where there are no data to read; with either client.

import type { DeviceMapper, DeviceMapperSync, KernelError, Transport } from 'devicemapper/model';
import { assert } from '../harness.js';

export type Client = DeviceMapper | DeviceMapperSync;

export interface World {
  /** A client over `transport`. */
  readonly dm: Client;
  readonly transport: Transport;
  /** Another client of the same kind. */
  readonly over: (transport: Transport) => Client;
  /** Two scratch disks. */
  readonly disks: readonly [string, string];
  /** What is only there on a kernel. */
  readonly machine?: Machine;
}

export interface Machine {
  read(path: string, offset: number, length: number): Uint8Array;
  write(path: string, offset: number, bytes: Uint8Array): void;
  exists(path: string): boolean;
}

export type Scenario = (world: World) => Promise<void>;

/** Expect `call` to fail, in either client's way, with this code. */
export async function fails(code: string, call: () => unknown): Promise<KernelError> {
  try {
    await call();
  } catch (error) {
    assert.is((error as KernelError).code, code, String(error));
    return error as KernelError;
  }
  throw new Error(`expected ${code}, but it worked`);
}

/** `transport`, but the `nth` ioctl `request` (counted from 1) is answered by `errno` and not sent. */
export function failing(transport: Transport, request: number, errno: number, nth = 1): Transport {
  let seen = 0;
  const hit = (code: number): boolean => code === request && ++seen === nth;
  return {
    ...membersOf(transport),
    ioctl: (code, buffer) => (hit(code) ? errno : transport.ioctl(code, buffer)),
    ioctlAsync: (code, buffer, options) =>
      hit(code) ? Promise.resolve(errno) : transport.ioctlAsync(code, buffer, options),
  };
}

/** `transport`, but the `nth` ioctl `request` is sent, then `spoil` runs, and ENOMEM is answered. */
export function failingAfter(
  transport: Transport,
  request: number,
  nth: number,
  spoil: () => Promise<void>,
): Transport {
  const ENOMEM = 12;
  let seen = 0;
  const hit = (code: number): boolean => code === request && ++seen === nth;
  return {
    ...membersOf(transport),
    ioctl: (code, buffer) => {
      const now = hit(code);
      const errno = transport.ioctl(code, buffer);
      // With the blocking client `spoil` has done its work when it returns.
      if (now) void spoil();
      return now ? ENOMEM : errno;
    },
    ioctlAsync: async (code, buffer, options) => {
      const now = hit(code);
      const errno = await transport.ioctlAsync(code, buffer, options);
      if (now) await spoil();
      return now ? ENOMEM : errno;
    },
  };
}

/** All that a Transport has, on an object whose members can be replaced. */
export function membersOf(transport: Transport): Transport {
  return {
    ioctl: (request, buffer) => transport.ioctl(request, buffer),
    ioctlAsync: (request, buffer, options) => transport.ioctlAsync(request, buffer, options),
    close: () => {
      transport.close();
    },
    ...(transport.sleep && { sleep: transport.sleep.bind(transport) }),
    ...(transport.sleepSync && { sleepSync: transport.sleepSync.bind(transport) }),
    ...(transport.kernelLog && { kernelLog: transport.kernelLog.bind(transport) }),
    ...(transport.poll && { poll: transport.poll.bind(transport) }),
    ...(transport.pollSync && { pollSync: transport.pollSync.bind(transport) }),
    ...(transport.deviceIoctl && { deviceIoctl: transport.deviceIoctl.bind(transport) }),
    ...(transport.deviceIoctlSync && {
      deviceIoctlSync: transport.deviceIoctlSync.bind(transport),
    }),
    ...(transport.holders && { holders: transport.holders.bind(transport) }),
    ...(transport.nodes && { nodes: transport.nodes }),
    ...(transport.udev && { udev: transport.udev }),
  };
}
