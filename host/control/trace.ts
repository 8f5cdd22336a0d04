// What goes to the kernel, for who wants to look on: NODE_DEBUG=devicemapper prints a line for each ioctl,
// and the channel `devicemapper:ioctl` of node:diagnostics_channel publishes the same. Of the buffer only
// the header is told, so that no key can be.

import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { errnoCode } from '../errors.js';
import { flagNames } from '../flags.js';
import {
  HEADER_DEV,
  HEADER_FLAGS,
  HEADER_NAME,
  HEADER_SIZE,
  HEADER_UUID,
} from '../generated/abi.js';
import { majorOf, minorOf } from '../types.js';
import { REQUEST_CODE } from '../wire.js';

/** What the channel `devicemapper:ioctl` publishes when an ioctl has ended. */
export interface IoctlEvent {
  /** As in 'TABLE_LOAD'; a code that is none of the kernel's in hex. */
  readonly command: string;
  /** The name, uuid or number by which the device was meant; '' if none was. */
  readonly device: string;
  /** The flags of the request, as in ['SECURE_DATA']. */
  readonly flags: readonly string[];
  /** 0, or as in 'EBUSY'. */
  readonly errno: string | 0;
  /** How long it took. */
  readonly ms: number;
}

const COMMANDS: ReadonlyMap<number, string> = new Map(
  Object.entries(REQUEST_CODE).map(([name, code]) => [code, name]),
);
const log = debuglog('devicemapper');
const ioctls = channel('devicemapper:ioctl');

/** Begin to tell of an ioctl, if somebody looks on; call what is returned with its errno. */
export function trace(request: number, buffer: Uint8Array): ((errno: number) => void) | undefined {
  if (!log.enabled && !ioctls.hasSubscribers) return undefined;
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const bits = buffer.length < HEADER_SIZE ? 0 : view.getUint32(HEADER_FLAGS, true);
  const dev = buffer.length < HEADER_SIZE ? 0 : view.getUint32(HEADER_DEV, true);
  const number = dev === 0 ? '' : `${majorOf(dev)}:${minorOf(dev)}`;
  const device = textAt(buffer, HEADER_NAME) || textAt(buffer, HEADER_UUID) || number;
  const command = COMMANDS.get(request) ?? `0x${request.toString(16)}`;
  const flags = flagNames(bits).map((name) => name.replace(/^DM_|_FLAG$/g, ''));
  const start = performance.now();
  return (number) => {
    const errno = number === 0 ? 0 : errnoCode(number);
    const ms = performance.now() - start;
    if (ioctls.hasSubscribers) {
      ioctls.publish({ command, device, flags, errno, ms } satisfies IoctlEvent);
    }
    const said = flags.length === 0 ? '' : ` ${flags.join('|')}`;
    log('DM_%s %j%s: %s, %s ms', command, device, said, errno, ms.toFixed(3));
  };
}

function textAt(buffer: Uint8Array, at: number): string {
  const end = buffer.indexOf(0, at);
  return end < 0 ? '' : new TextDecoder().decode(buffer.subarray(at, end));
}
