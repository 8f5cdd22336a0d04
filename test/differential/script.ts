// What is done to two kernels, as values that travel as JSON: sequences of steps, and what each answered.
// Rule: this file only carries out. What is asked is generate.ts's, what must be the same compare.ts's.

import { DeviceMapperSync, KernelError, type Transport } from 'devicemapper/model';

/** One thing that is done. */
export type Step =
  /** An ioctl on the control node; `in` is the buffer in base64, `size` its length, zeros at its end left out. */
  | { readonly do: 'ioctl'; readonly request: number; readonly in: string; readonly size: number }
  /** Open the mapped device at `path`, and keep it as `id`. */
  | { readonly do: 'open'; readonly path: string; readonly id: number }
  /** Close what was opened as `id`, if it was. */
  | { readonly do: 'close'; readonly id: number };

/** Steps that begin without a device, on disks of zeros. */
export type Sequence = readonly Step[];

/** What one step answered. */
export interface Answer {
  /** 0, the positive errno, or -1 for an exception. */
  readonly errno: number;
  /** The buffer up to the last byte that was written, in base64. */
  readonly out?: string;
  /** Device-mapper's lines in the kernel log, of an ioctl. */
  readonly log?: readonly string[];
}

/** Where steps are carried out: a kernel, or a model of one. */
export interface World {
  readonly transport: Transport;
  /** Open a mapped device: what closes it. Why it cannot be opened is more than a control node says. */
  open(path: string): (() => void) | undefined;
  /** Device-mapper's lines in the kernel log, those of the last ioctl. */
  log(): readonly string[];
  /** Let go of the lines until now. */
  mark(): void;
  /** Have what goes on behind the answer to `step` come to its end. */
  settle(step: Step): void;
  /** Zeros to the disks, of which no device is left. */
  wipe(): void;
}

/** The bytes that a step sends. */
export function bytesOf({ in: base64, size }: Step & { readonly do: 'ioctl' }): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(fromBase64(base64));
  return bytes;
}

/** An ioctl as a step. */
export function ioctlStep(request: number, bytes: Uint8Array): Step {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return { do: 'ioctl', request, in: toBase64(bytes.subarray(0, end)), size: bytes.length };
}

/** What the buffer held after the ioctl. */
export function replyOf(step: Step & { readonly do: 'ioctl' }, { out = '' }: Answer): Uint8Array {
  const bytes = bytesOf(step);
  bytes.set(fromBase64(out));
  return bytes;
}

const ENXIO = 6;

/** Carry out `sequence` on a world without a device, and leave none. */
export function* perform(world: World, sequence: Sequence): Generator<Answer> {
  const open = new Map<number, () => void>();
  for (const step of sequence) yield performStep(world, step, open);
  for (const id of open.keys()) performStep(world, { do: 'close', id }, open);
  removeAll(world);
  world.wipe();
}

function performStep(world: World, step: Step, open: Map<number, () => void>): Answer {
  if (step.do === 'ioctl') {
    const buffer = bytesOf(step);
    world.mark();
    let errno: number;
    try {
      errno = world.transport.ioctl(step.request, buffer);
    } catch (error) {
      // No transport throws for an answer: that one did is a difference like others.
      return { errno: -1, log: [String(error)] };
    }
    world.settle(step);
    return { errno, ...written(step, buffer), ...logged(world.log()) };
  }
  let errno = 0;
  if (step.do === 'open') {
    const opened = world.open(step.path);
    if (opened === undefined) errno = ENXIO;
    else open.set(step.id, opened);
  } else {
    open.get(step.id)?.();
    open.delete(step.id);
    world.settle(step);
  }
  return { errno };
}

function written(step: Step & { readonly do: 'ioctl' }, buffer: Uint8Array): { out?: string } {
  const before = bytesOf(step);
  let end = buffer.length;
  while (end > 0 && buffer[end - 1] === before[end - 1]) end--;
  return end === 0 ? {} : { out: toBase64(buffer.subarray(0, end)) };
}

function logged(log: readonly string[]): { log?: readonly string[] } {
  return log.length === 0 ? {} : { log };
}

/** A device that was just closed may be open a moment longer; and tables may stand on each other in a ring. */
function removeAll({ transport }: World): void {
  const dm = new DeviceMapperSync(transport);
  for (let tries = 0; ; tries++) {
    dm.removeAllDevices();
    const left = dm.listDevices();
    if (left.length === 0) return;
    if (tries === 100) throw new Error(`cannot be removed: ${left.map(({ name }) => name).join()}`);
    transport.sleepSync?.(5);
    for (const { dev } of tries < 3 ? [] : left) {
      try {
        dm.loadTable({ dev }, '0 8 error');
        dm.resume({ dev }, { noflush: true, skipLockfs: true });
      } catch (error) {
        // A removal that was put off is carried out behind the back of who let go of the device.
        if (!(error instanceof KernelError && error.code === 'ENXIO')) throw error;
      }
    }
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
