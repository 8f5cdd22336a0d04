// A kernel by script, for tests of what is asked of a Transport, and in which order.

import * as model from 'devicemapper/model';
import {
  DM_ACTIVE_PRESENT_FLAG,
  DM_INACTIVE_PRESENT_FLAG,
  DM_SUSPEND_FLAG,
  REQUEST_CODE,
  decodeRequest,
  encodeReply,
  type AsyncCall,
  type Command,
  type DecodedRequest,
  type DeviceMapper,
  type DeviceMapperSync,
  type DeviceNodes,
  type KernelError,
  type NodeState,
  type Transport,
} from 'devicemapper/model';
import { rejects } from './harness.js';

export type Client = DeviceMapper | DeviceMapperSync;

export interface Call {
  readonly command: Command;
  readonly request: DecodedRequest<'TABLE_LOAD'>;
  readonly via: 'ioctl' | 'ioctlAsync';
  readonly frees?: boolean | undefined;
  /** How often the command came, with this call. */
  readonly nth: number;
}

/** An errno, what a reply says beside the usual, or something to throw. */
export type Answer = number | Readonly<Record<string, unknown>> | Error | undefined;
export type Script = (call: Call) => Answer | Promise<Answer>;

const FLAGS = Object.entries(model).flatMap(([name, value]): [string, number][] =>
  /^DM_(?!UDEV|UEVENT|NAME_LIST).*_FLAG$|^DM_DEFERRED_REMOVE$/.test(name)
    ? [[name.replace(/^DM_|_FLAG$/g, ''), value as number]]
    : [],
);

/** Says yes to everything, unless its script says otherwise, and writes down what it was asked. */
export class Fake implements Transport {
  readonly calls: Call[] = [];
  /** As in 'DEV_SUSPEND disk SUSPEND|NOFLUSH', 'sleep 200', 'make /dev/mapper/disk'. */
  readonly log: string[] = [];
  closed = 0;
  readonly #script: Script;

  constructor(script: Script = () => undefined) {
    this.#script = script;
  }

  ioctl(code: number, buffer: Uint8Array): number {
    const [call, answer] = this.#begin('ioctl', code, buffer);
    return this.#end(buffer, call, answer as Answer);
  }

  async ioctlAsync(code: number, buffer: Uint8Array, options?: AsyncCall): Promise<number> {
    const [call, answer] = this.#begin('ioctlAsync', code, buffer, options?.frees);
    return this.#end(buffer, call, await answer);
  }

  #begin(
    via: Call['via'],
    code: number,
    buffer: Uint8Array,
    frees?: boolean,
  ): [Call, Answer | Promise<Answer>] {
    const command = Object.entries(REQUEST_CODE).find(([, value]) => value === code)![0] as Command;
    const request = decodeRequest(command, buffer) as Call['request'];
    const nth = this.calls.filter((call) => call.command === command).length + 1;
    const call = { command, request, via, frees, nth };
    const { name, uuid, dev } = request;
    const flags = FLAGS.filter(([, bit]) => (request.flags & bit) !== 0).map(([flag]) => flag);
    this.calls.push(call);
    this.log.push([command, name || uuid || dev || '', flags.join('|')].filter(Boolean).join(' '));
    return [call, this.#script(call)];
  }

  #end(buffer: Uint8Array, { command, request }: Call, answer: Answer): number {
    if (answer instanceof Error) throw answer;
    if (typeof answer === 'number') return answer;
    const { name, uuid } = request;
    const reply = { name, uuid, dev: 0xfd00, ...usual(command, request.flags), ...answer };
    const bytes = encodeReply(command, { version: [4, 50, 0], ...reply });
    buffer.set(bytes.subarray(0, buffer.length));
    return 0;
  }

  close(): void {
    this.closed++;
  }

  async sleep(ms: number): Promise<void> {
    this.log.push(`sleep ${ms}`);
    await Promise.resolve();
  }

  sleepSync(ms: number): void {
    this.log.push(`sleep ${ms}`);
  }

  kernelLog(): string[] {
    return ['device-mapper: because'];
  }

  async deviceIoctl(path: string, request: number): Promise<number> {
    return await Promise.resolve(this.deviceIoctlSync(path, request));
  }

  deviceIoctlSync(path: string, request: number): number {
    this.log.push(`deviceIoctl ${path} 0x${request.toString(16)}`);
    return 0;
  }
}

function usual(command: Command, flags: number): object {
  if (command === 'TABLE_LOAD') return { flags: DM_INACTIVE_PRESENT_FLAG };
  if (command === 'DEV_SUSPEND')
    return { flags: DM_ACTIVE_PRESENT_FLAG | (flags & DM_SUSPEND_FLAG) };
  if (command === 'LIST_DEVICES') return { devices: [] };
  if (command === 'TABLE_DEPS') return { deps: [{ dev: 0x810 }] };
  if (command === 'TARGET_MSG') return { message: 'well' };
  if (command === 'LIST_VERSIONS' || command === 'GET_TARGET_VERSION') {
    return { versions: [{ name: 'linear', version: [1, 4, 0] }] };
  }
  if (command !== 'TABLE_STATUS') return { flags: DM_ACTIVE_PRESENT_FLAG };
  const target = { startSector: 0, length: 64, type: 'linear', parameters: '8:16 0' };
  return { flags: DM_ACTIVE_PRESENT_FLAG, targets: [target] };
}

/** /dev/mapper as a map; `settledAfter` looks, udev is through. */
export class FakeNodes implements DeviceNodes {
  readonly states: Record<string, NodeState> = {};
  readonly log: string[] = [];
  settledAfter = 0;
  makes = true;

  state(path: string): NodeState {
    return this.states[path] ?? 'absent';
  }

  make(path: string): void {
    this.log.push(`make ${path}`);
    if (this.makes) this.states[path] = 'ours';
  }

  remove(path: string): void {
    this.log.push(`remove ${path}`);
    this.states[path] = 'absent';
  }

  settled(): boolean {
    return --this.settledAfter < 0;
  }
}

/** `error` for the `nth` call of `command`. */
export function on(command: Command, answer: Answer, nth = 1): Script {
  return (call) => (call.command === command && call.nth === nth ? answer : undefined);
}

/** The first script that has an answer. */
export function either(...scripts: readonly Script[]): Script {
  return (call) => scripts.map((script) => script(call)).find((answer) => answer !== undefined);
}

export async function failure(call: () => unknown): Promise<KernelError> {
  return await rejects((async () => await call())());
}

export const EINTR = 4;
export const ENXIO = 6;
export const ENOMEM = 12;
export const EBUSY = 16;
export const EINVAL = 22;
export const TABLE = '0 8 zero';
