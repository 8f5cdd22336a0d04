// A run of a Transport, written down and played back byte for byte.

import { hideSecrets } from './keys.js';
import type {
  AsyncCall,
  DeviceNodes,
  NodeState,
  PollOptions,
  Transport,
  Udev,
  UdevMode,
} from './transport.js';

/** One call of a Transport, as JSON can hold it: a line of a recording. */
export interface RecordedCall {
  /** The member: 'ioctl' (also of ioctlAsync), 'kernelLog', 'sleep', 'nodes.state' … */
  readonly call: string;
  /** What was given: for an ioctl the buffer in base64, trailing zeros left out. */
  readonly in: unknown;
  /** What came back, likewise. Left out if nothing did. */
  readonly out?: unknown;
  /** Of an ioctl: 0, or the positive errno. */
  readonly errno: number;
  /** Of an ioctl: the request code, as in `REQUEST_CODE.TABLE_LOAD`. */
  readonly request?: number;
  /** Of an ioctl: the buffer's length in bytes. */
  readonly size?: number;
}

/** A Transport that writes down what goes through it. */
export interface Recorder extends Transport {
  /** The calls that were answered so far, as they were made. Keep them as JSON, one a line. */
  lines(): RecordedCall[];
}

/** Options of record. */
export interface RecordOptions {
  /** Write keys down as they are, in place of as many stars. */
  readonly secrets?: boolean;
}

/**
 * Stand between a client and `transport`, and write down every call and its answer. Keys in tables and
 * messages become stars, unless `secrets` is true.
 *
 * @param transport - a kernel, or anything that answers like one; closing the recorder closes it
 *
 * @example
 * const recorder = record(KernelTransport.open());
 * const dm = new DeviceMapperSync(recorder);
 */
export function record(transport: Transport, { secrets = false }: RecordOptions = {}): Recorder {
  /** A place is taken when a call is made, and filled when it is answered. */
  const lines: (RecordedCall | undefined)[] = [];

  const note = <T>(call: string, given: unknown, out: T): T => {
    lines.push({ call, in: given, ...(out === undefined ? {} : { out }), errno: 0 });
    return out;
  };
  const before = (request: number, buffer: Uint8Array): ((errno: number) => number) => {
    const shown = (direction: 'request' | 'reply'): string =>
      toBase64(secrets ? buffer : hideSecrets(request, buffer, direction));
    const line = { call: 'ioctl', in: shown('request'), request, size: buffer.length };
    const place = lines.push(undefined) - 1;
    return (errno) => {
      lines[place] = { ...line, out: shown('reply'), errno };
      return errno;
    };
  };

  const noteDevice = (path: string, request: number): ((errno: number) => number) => {
    const place = lines.push(undefined) - 1;
    return (errno) => {
      lines[place] = { call: 'deviceIoctl', in: [path], request, errno };
      return errno;
    };
  };

  const { nodes, udev } = transport;
  return {
    lines: () => lines.filter((line) => line !== undefined),
    ioctl: (request, buffer) => before(request, buffer)(transport.ioctl(request, buffer)),
    ioctlAsync: async (request, buffer, options) => {
      const answered = before(request, buffer);
      return answered(await transport.ioctlAsync(request, buffer, options));
    },
    close: () => {
      transport.close();
    },
    ...(transport.sleep && {
      sleep: async (ms, signal) => {
        note('sleep', [ms], undefined);
        await transport.sleep?.(ms, signal);
      },
    }),
    ...(transport.sleepSync && {
      sleepSync: (ms) => {
        note('sleep', [ms], undefined);
        transport.sleepSync?.(ms);
      },
    }),
    ...(transport.poll && {
      poll: async (options) => {
        // It is written down when it has ended, behind what was answered meanwhile.
        await transport.poll?.(options);
        if (options?.signal?.aborted !== true) note('poll', [], undefined);
      },
    }),
    ...(transport.pollSync && {
      pollSync: (timeoutMs) => {
        return note('poll', [], transport.pollSync?.(timeoutMs) ?? 0);
      },
    }),
    ...(transport.deviceIoctl && {
      deviceIoctl: async (path, request) => {
        const answered = noteDevice(path, request);
        return answered((await transport.deviceIoctl?.(path, request)) ?? 0);
      },
    }),
    ...(transport.deviceIoctlSync && {
      deviceIoctlSync: (path, request) =>
        noteDevice(path, request)(transport.deviceIoctlSync?.(path, request) ?? 0),
    }),
    ...(transport.holders && {
      holders: (dev) => note('holders', [dev], transport.holders?.(dev) ?? []),
    }),
    ...(udev && {
      udev: {
        mode: () => note('udev.mode', [], udev.mode()),
        create: () => note('udev.create', [], udev.create()),
        completed: (cookie) => note('udev.completed', [cookie], udev.completed(cookie)),
        remove: (cookie) => {
          udev.remove(cookie);
          note('udev.remove', [cookie], undefined);
        },
      },
    }),
    ...(transport.kernelLog && {
      kernelLog: () => note('kernelLog', [], transport.kernelLog?.() ?? []),
    }),
    ...(nodes && {
      nodes: {
        state: (path, dev) =>
          note('nodes.state', dev === undefined ? [path] : [path, dev], nodes.state(path, dev)),
        make: (path, dev) => {
          nodes.make(path, dev);
          note('nodes.make', [path, dev], undefined);
        },
        remove: (path) => {
          nodes.remove(path);
          note('nodes.remove', [path], undefined);
        },
        settled: () => note('nodes.settled', [], nodes.settled()),
      },
    }),
  };
}

/**
 * A Transport that answers from a recording, with the same bytes, and takes no time to do it.
 *
 * Its calls throw when they are not those that were recorded: a plain Error that names the call and
 * the first byte that differs. A recording of a blocking client answers an async one, and the other
 * way round.
 *
 * @param lines - what {@link Recorder.lines} gave
 * @example
 * const dm = new DeviceMapperSync(replay(recorder.lines()));
 */
export function replay(lines: readonly RecordedCall[]): Transport {
  let next = 0;

  const take = (call: string): RecordedCall => {
    const line = lines[next];
    if (line?.call !== call) {
      const expected = line === undefined ? 'the recording has ended' : `it has ${line.call}`;
      throw new Error(`replay: call ${next} is ${call}, but ${expected}`);
    }
    next++;
    return line;
  };
  const same = (line: RecordedCall, given: unknown): void => {
    const recorded = JSON.stringify(line.in);
    const now = JSON.stringify(given);
    if (recorded !== now) {
      throw new Error(`replay: call ${next - 1}, ${line.call}, was given ${recorded}, now ${now}`);
    }
  };
  const ioctl = (request: number, buffer: Uint8Array): number => {
    const line = take('ioctl');
    const given = fromBase64(line.in as string, line.size ?? buffer.length);
    const which = `replay: call ${next - 1}, ioctl 0x${request.toString(16)}`;
    if (line.request !== undefined && line.request !== request) {
      throw new Error(`${which}: the recording has 0x${line.request.toString(16)}`);
    }
    if (buffer.length !== given.length) {
      throw new Error(`${which}: ${buffer.length} bytes, the recording has ${given.length}`);
    }
    const differs = (now: Uint8Array): number => now.findIndex((byte, i) => byte !== given[i]);
    // What is hidden in the recording cannot differ.
    const shown = differs(buffer) < 0 ? buffer : hideSecrets(request, buffer, 'request');
    const at = differs(shown);
    if (at >= 0) {
      throw new Error(`${which}: byte ${at} is ${shown[at]}, the recording has ${given[at]}`);
    }
    buffer.set(fromBase64((line.out ?? '') as string, buffer.length));
    return line.errno;
  };

  const has = (prefix: string): boolean => lines.some(({ call }) => call.startsWith(prefix));
  const ask = (call: string, given: unknown): unknown => {
    const line = take(call);
    same(line, given);
    return line.out;
  };
  const nodes: DeviceNodes = {
    state: (path, dev) => ask('nodes.state', dev === undefined ? [path] : [path, dev]) as NodeState,
    make: (path, dev) => void ask('nodes.make', [path, dev]),
    remove: (path) => void ask('nodes.remove', [path]),
    settled: () => ask('nodes.settled', []) as boolean,
  };
  const deviceIoctl = (path: string, request: number): number => {
    const line = take('deviceIoctl');
    same(line, [path]);
    if (line.request !== request) throw new Error(`replay: call ${next - 1} was another request`);
    return line.errno;
  };
  const udev: Udev = {
    mode: () => ask('udev.mode', []) as UdevMode,
    create: () => ask('udev.create', []) as number,
    completed: (cookie) => ask('udev.completed', [cookie]) as boolean,
    remove: (cookie) => void ask('udev.remove', [cookie]),
  };
  return {
    ioctl,
    // eslint-disable-next-line @typescript-eslint/require-await -- its throw must be a rejection
    ioctlAsync: async (request: number, buffer: Uint8Array, { signal }: AsyncCall = {}) => {
      signal?.throwIfAborted();
      return ioctl(request, buffer);
    },
    close: () => undefined,
    ...(has('sleep') && {
      // eslint-disable-next-line @typescript-eslint/require-await -- as above
      sleep: async (ms: number) => void ask('sleep', [ms]),
      sleepSync: (ms: number) => void ask('sleep', [ms]),
    }),
    ...(has('poll') && {
      poll: async ({ signal }: PollOptions = {}) => {
        // Who waits for it comes first, as on a kernel.
        await new Promise((resolve) => setTimeout(resolve));
        if (signal?.aborted !== true) ask('poll', []);
      },
      // Of an async recording nothing is known but that it woke.
      pollSync: (timeoutMs: number) => (ask('poll', []) ?? timeoutMs) as number,
    }),
    ...(has('deviceIoctl') && {
      // eslint-disable-next-line @typescript-eslint/require-await -- as above
      deviceIoctl: async (path: string, request: number) => deviceIoctl(path, request),
      deviceIoctlSync: deviceIoctl,
    }),
    ...(has('holders') && { holders: (dev: number) => ask('holders', [dev]) as string[] }),
    ...(has('udev.') && { udev }),
    ...(has('kernelLog') && { kernelLog: () => ask('kernelLog', []) as string[] }),
    ...(has('nodes.') && { nodes }),
  };
}

function toBase64(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  let text = '';
  for (let at = 0; at < end; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + 4096)));
  }
  return btoa(text);
}

function fromBase64(text: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const decoded = atob(text);
  for (let i = 0; i < decoded.length; i++) bytes[i] = decoded.charCodeAt(i);
  return bytes;
}
