// What Linux 5.10, 6.1 and 6.12 answered to some 5,400 ioctls, in the order in which they were made: the
// records of kernels.jsonl.gz, and what kernels-beside.jsonl.gz has to go with them. There each line says
// with `at` before which record of its kernel it belongs, or which one it describes.

import { REQUEST_CODE, type Command, type ModelBlockDevice } from 'devicemapper/model';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const FOLDER = new URL('../../../../test/recordings/', import.meta.url);

/** A kernel of its own, just booted. */
export interface Boot {
  readonly kind: 'boot';
  readonly section: string;
  readonly major: number;
  readonly disks: Readonly<Record<string, ModelBlockDevice>>;
}

/** What was done besides ioctls. */
export interface Action {
  readonly kind: 'action';
  readonly step: string;
  readonly action: string;
  /** Of a poll: [1] if the node was readable. */
  readonly events?: readonly number[];
}

export interface Ioctl {
  readonly kind: 'ioctl';
  readonly step: string;
  readonly request: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** 0, the errno's name, or what the ioctl returned in place of 0. */
  readonly errno: string | number;
  /** Device-mapper's lines. */
  readonly log: readonly string[];
  /** Did it wait in a thread of its own, from the action of its step on? */
  readonly waited: boolean;
}

export type Entry = Boot | Action | Ioctl;

interface Plain {
  readonly kernel: string;
  readonly step: string;
  readonly command: Command;
  readonly request?: number;
  readonly size: number;
  readonly in: string;
  readonly out: string;
  readonly errno: string | 0;
}

type Beside = { readonly kernel: string; readonly at: number } & Partial<Plain> & {
    readonly section?: string;
    readonly major?: number;
    readonly disks?: Boot['disks'];
    readonly action?: string;
    readonly events?: readonly number[];
    readonly log?: readonly string[];
    readonly ret?: number;
    readonly started?: boolean;
  };

function read<T>(name: string): T[] {
  const text = gunzipSync(readFileSync(new URL(name, FOLDER))).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function bytesOf(base64: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  return bytes;
}

function ioctlOf(plain: Plain, beside: Partial<Beside> = {}): Ioctl {
  const { step, size } = plain;
  return {
    kind: 'ioctl',
    step,
    request: plain.request ?? REQUEST_CODE[plain.command],
    before: bytesOf(plain.in, size),
    after: bytesOf(plain.out, size),
    errno: beside.ret ?? plain.errno,
    log: beside.log ?? [],
    waited: beside.started ?? false,
  };
}

/** All that happened on one kernel. */
export function entriesOf(kernel: string): Entry[] {
  const plain = read<Plain>('kernels.jsonl.gz').filter((one) => one.kernel === kernel);
  const beside = read<Beside>('kernels-beside.jsonl.gz').filter((one) => one.kernel === kernel);
  const entries: Entry[] = [];
  for (let at = 0; at <= plain.length; at++) {
    let more: Beside | undefined;
    for (const one of beside.filter((other) => other.at === at)) {
      if (one.section !== undefined) {
        const { section, major = 0, disks = {} } = one;
        entries.push({ kind: 'boot', section, major, disks });
      } else if (one.action !== undefined) {
        const { step = '', action, events } = one;
        entries.push({ kind: 'action', step, action, ...(events && { events }) });
      } else if (one.request !== undefined) entries.push(ioctlOf(one as unknown as Plain, one));
      else more = one;
    }
    const record = plain[at];
    if (record !== undefined) entries.push(ioctlOf(record, more));
  }
  return entries;
}
