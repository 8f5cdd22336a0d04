// The seam between what to ask and whom. A Transport takes the bytes of an ioctl and overwrites them
// with the answer; it never retries, decodes, or throws for an answer. What else an operation may
// want of the machine stands beside it, and each of these may be absent.

/** The platform's AbortSignal, looked up so that a compiler without dom or node knows these types too. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S } } ? S : never;

/** A way to a device-mapper: a kernel, a recording of one, a test's own. */
export interface Transport {
  /**
   * Issue one ioctl on the control node.
   * @param request - the request code, as in `REQUEST_CODE.TABLE_LOAD`
   * @param buffer - the request's bytes, overwritten by the reply's: as many as its data_size says, as a
   *   kernel takes that at its word
   * @returns 0, or the positive errno, after which nothing in `buffer` means anything
   */
  ioctl(request: number, buffer: Uint8Array): number;
  /**
   * The same on another thread, for what may sleep. `buffer` belongs to the call until it ends.
   * Rejects only with `signal.reason`, and only when nothing was sent yet.
   */
  ioctlAsync(request: number, buffer: Uint8Array, options?: AsyncCall): Promise<number>;
  /** Let go of everything; calling it again does nothing. */
  close(): void;

  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep?(ms: number, signal?: Signal): Promise<void>;
  /** Returns after `ms`. */
  sleepSync?(ms: number): void;
  /**
   * Resolves when device-mapper had an event since the last DEV_ARM_POLL through this transport, or at
   * once when `signal` aborts. Takes no thread, and may wake for nothing. One call at a time: libuv has one
   * poll for a descriptor.
   */
  poll?(options?: PollOptions): Promise<void>;
  /**
   * The same on the calling thread, for `timeoutMs` at most, which may be Infinity.
   * @returns the milliseconds that are left of them
   */
  pollSync?(timeoutMs: number): number;
  /**
   * Issue an ioctl that takes no argument on the block device at `path`, on another thread.
   * @returns 0, or the positive errno, that of opening the device too
   */
  deviceIoctl?(path: string, request: number): Promise<number>;
  /** The same on the calling thread. */
  deviceIoctlSync?(path: string, request: number): number;
  /** Device-mapper's lines in the kernel log since the ioctl that was answered last had begun. */
  kernelLog?(): string[];
  /** The device nodes in /dev/mapper. */
  readonly nodes?: DeviceNodes;
  /** How to wait for udev; without it there is nobody to wait for. */
  readonly udev?: Udev;
  /** What has the block device `dev` open, as far as this process may see: "mount /srv", "device 'top'". */
  holders?(dev: number): string[];
}

/** How to wait for events. */
export interface PollOptions {
  /** Ends the wait. */
  readonly signal?: Signal | undefined;
  /** Whether the wait keeps the process alive; true if left out. */
  readonly persistent?: boolean | undefined;
}

/** How an ioctl stands in line for a thread. */
export interface AsyncCall {
  /** Others may be waiting for this call (resume, remove, clear): a place is kept free for it. */
  readonly frees?: boolean;
  /** While the call stands in line, an abort takes it out. */
  readonly signal?: Signal | undefined;
}

/**
 * What stands where a device's node belongs. 'ours': something that opens as this device. 'absent':
 * nothing. 'stale': what device-mapper's users left behind, a link to nowhere or the node of another
 * mapped device. 'other': anything else, which is never touched.
 */
export type NodeState = 'ours' | 'absent' | 'stale' | 'other';

/** The nodes by which devices are opened; names are as in DeviceInfo.path. */
export interface DeviceNodes {
  /**
   * What stands at `path`.
   * @param dev - the device's number; leave it out when the device is gone
   */
  state(path: string, dev?: number): NodeState;
  /** Make `path` open as `dev`: a link to ../dm-N as udev makes it, or else a block node. */
  make(path: string, dev: number): void;
  /** Remove what is at `path`. */
  remove(path: string): void;
  /** Is there no udev that may still be making or removing nodes by itself? */
  settled(): boolean;
}

/**
 * How operations wait for udev's rules after a resume, a rename and a removal. 'cookie': as libdm does,
 * by a semaphore that the rules' last line counts down. 'poll': by looking at the node. 'none': not
 * at all.
 */
export type UdevMode = 'cookie' | 'poll' | 'none';

/**
 * udev's cookies: System V semaphores with the key 0x0D4D << 16 | cookie, which `dmsetup udevcomplete`
 * counts down.
 */
export interface Udev {
  /** What to do now; may change from call to call, as udevd comes and goes. */
  mode(): UdevMode;
  /** Make a semaphore that waits for one completion. @returns its cookie, 1 to 65535; 0 if none is to be had */
  create(): number;
  /** Is the semaphore at zero, or gone? */
  completed(cookie: number): boolean;
  /** Take the semaphore away, whatever it waits for. */
  remove(cookie: number): void;
}
