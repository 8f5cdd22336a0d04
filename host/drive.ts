// The two drivers: they carry out what an operation yields, blocking or async.

import { HEADER_SIZE } from './generated/abi.js';
import type { Effect, Operation } from './steps.js';
import type { Signal, Transport } from './transport.js';
import {
  REPLY_SPACE,
  REQUEST_CODE,
  decodeReply,
  encodeRequest,
  type Command,
  type ParametersAs,
  type Reply,
} from './wire.js';

type Ioctl = Effect & { readonly kind: 'ioctl' };

/**
 * What never sleeps in the kernel. An async client sends these on the calling thread: a call on
 * another one costs a hundred times as much, and a place in libuv's pool.
 */
const NEVER_SLEEPS: ReadonlySet<Command> = new Set<Command>([
  'VERSION',
  'DEV_STATUS',
  'LIST_DEVICES',
  'LIST_VERSIONS',
  'DEV_ARM_POLL',
]);

/** What a Transport answers that has no way to a mapped device itself. */
const ENOTTY = 25;

/** Buffers that a client keeps for its calls on the calling thread; larger ones are made and dropped. */
export class Buffers {
  readonly #large = new Uint8Array(REPLY_SPACE);
  readonly #small = this.#large.subarray(0, HEADER_SIZE);

  /** The request's bytes, in a kept buffer if they fit one. */
  encode({ command, request }: Ioctl): Uint8Array {
    if (request instanceof Uint8Array) return request;
    const { dataSize } = request;
    if (dataSize === undefined) {
      // Of all that operations give as values, only a new name goes behind the header.
      const room = command === 'DEV_RENAME' ? this.#large : this.#small;
      return encodeRequest(command, request, room);
    }
    return encodeRequest(command, request, dataSize <= REPLY_SPACE ? this.#large : undefined);
  }
}

/** Run an operation to its end on the calling thread. */
export function runSync<T>(transport: Transport, buffers: Buffers, operation: Operation<T>): T {
  let step = operation.next();
  while (step.done !== true) {
    let answer: unknown;
    try {
      answer = performSync(transport, buffers, step.value);
    } catch (error) {
      step = operation.throw(error);
      continue;
    }
    step = operation.next(answer);
  }
  return step.value;
}

function performSync(transport: Transport, buffers: Buffers, effect: Effect): unknown {
  switch (effect.kind) {
    case 'ioctl':
      return ioctlSync(transport, effect, buffers.encode(effect));
    case 'deviceIoctl':
      return transport.deviceIoctlSync?.(effect.path, effect.request) ?? ENOTTY;
    case 'sleep':
    case 'wait':
      transport.sleepSync?.(effect.ms);
      return false;
    case 'ask':
      return effect.ask(transport);
    case 'checkpoint':
      return false;
    case 'commit':
      return undefined;
  }
}

function ioctlSync(transport: Transport, effect: Ioctl, buffer: Uint8Array): Reply | number {
  try {
    const errno = transport.ioctl(REQUEST_CODE[effect.command], buffer);
    return errno || answerOf(effect, buffer);
  } finally {
    if (effect.secure === true) buffer.fill(0);
  }
}

function answerOf({ command, decode }: Ioctl, buffer: Uint8Array): Reply {
  return decodeReply<Command, boolean, ParametersAs>(command, buffer, decode);
}

/**
 * Run an operation to its end without blocking. An abort is thrown into the operation before its next
 * step, never during an ioctl; the steps by which it then undoes what it did are not aborted again. A
 * 'wait' only ends by it, also while undoing: what it is for has been done.
 */
export async function runAsync<T>(
  transport: Transport,
  buffers: Buffers,
  operation: Operation<T>,
  signal: Signal | undefined,
): Promise<T> {
  let watched = signal;
  let step = operation.next();
  while (step.done !== true) {
    const { kind } = step.value;
    if (kind === 'commit') watched = undefined;
    // A look at the machine takes no time; it is not refused half-way through making a node.
    if (watched?.aborted === true && kind !== 'ask' && kind !== 'wait') {
      const { reason } = watched as { reason: unknown };
      watched = undefined;
      step = operation.throw(reason);
      continue;
    }
    let answer: unknown;
    try {
      const { value: effect } = step;
      if (effect.kind === 'ioctl' && !NEVER_SLEEPS.has(effect.command)) {
        answer = await ioctlAsync(transport, effect, watched);
      } else if (effect.kind === 'checkpoint') {
        answer = watched !== undefined;
      } else if (effect.kind === 'sleep') {
        await transport.sleep?.(effect.ms, watched);
      } else if (effect.kind === 'wait') {
        if (signal?.aborted !== true) await transport.sleep?.(effect.ms, signal);
        answer = signal?.aborted === true;
      } else if (effect.kind === 'deviceIoctl') {
        answer = (await transport.deviceIoctl?.(effect.path, effect.request)) ?? ENOTTY;
      } else {
        answer = performSync(transport, buffers, effect);
      }
    } catch (error) {
      // A call that was aborted before it was sent rejects with the reason: that is the abort.
      if (watched?.aborted === true) watched = undefined;
      step = operation.throw(error);
      continue;
    }
    step = operation.next(answer);
  }
  return step.value;
}

async function ioctlAsync(
  transport: Transport,
  effect: Ioctl,
  signal: Signal | undefined,
): Promise<Reply | number> {
  const { command, request, frees = false } = effect;
  // The buffer is this call's alone until it ends: another thread writes to it.
  const buffer = request instanceof Uint8Array ? request : encodeRequest(command, request);
  try {
    const errno = await transport.ioctlAsync(REQUEST_CODE[command], buffer, { frees, signal });
    return errno || answerOf(effect, buffer);
  } finally {
    if (effect.secure === true) buffer.fill(0);
  }
}
