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
   * @param buffer - the request's bytes, overwritten by the reply's
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
  /** Device-mapper's lines in the kernel log since the ioctl that was answered last had begun. */
  kernelLog?(): string[];
  /** The device nodes in /dev/mapper. */
  readonly nodes?: DeviceNodes;
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
