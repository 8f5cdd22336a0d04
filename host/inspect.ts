// A buffer as an inspector shows it: each range of bytes by its name in dm-ioctl.h, with its value. Rule:
// every byte is told once, whatever the bytes are, and nothing is refused; what cannot be told is named so.

import { flagNames } from './flags.js';
import {
  DEPS_SIZE,
  HEADER_DATA,
  HEADER_DATA_SIZE,
  HEADER_DATA_START,
  HEADER_FLAGS,
  HEADER_NAME,
  HEADER_SIZE,
  HEADER_TARGET_COUNT,
  HEADER_UUID,
  NAME_LIST_EVENT_NR_MINOR,
  NAME_LIST_FLAGS_MINOR,
  SPEC_SIZE,
  TARGET_MSG_TEXT,
} from './generated/abi.js';
import * as uapi from './generated/uapi.js';
import { hideSecrets } from './keys.js';
import { majorOf, minorOf } from './types.js';
import { REQUEST_CODE, payloadOf, textOf, type Command, type Payload } from './wire.js';

/** A range of bytes, and what it says. */
export interface Field {
  /** Where it begins in the buffer. */
  readonly offset: number;
  /** How many bytes it has, of a text with its NUL. */
  readonly size: number;
  /**
   * As in dm-ioctl.h: 'data_size', 'sector_start', 'target_type' …; 'padding' for bytes that say nothing,
   * 'unknown' for bytes that nobody can name.
   */
  readonly name: string;
  /** A text, or a number; beyond 2^53 − 1 a bigint. Of 'padding' and 'unknown' nothing. */
  readonly value: string | number | bigint;
  /** In words, where the value does not tell: flags by name, a device number in its parts. */
  readonly meaning?: string;
}

/** How to read a buffer. */
export interface InspectOptions {
  /** A request, or the reply that overwrote it. */
  readonly direction: 'request' | 'reply';
  /** Of which command; without it nothing is told behind the header. */
  readonly command?: Command;
  /** Show keys as they are, in place of as many stars. */
  readonly secrets?: boolean;
}

/**
 * Name every byte of a buffer.
 *
 * @param bytes - as given to the ioctl, or as it came back; may be broken
 * @returns the fields in the order of their offsets, without a gap and without an overlap
 * @example
 * const bytes = encodeRequest('DEV_STATUS', { name: 'data' });
 * inspect(bytes, { direction: 'request', command: 'DEV_STATUS' })[3]; // data_size, 312
 */
export function inspect(
  bytes: Uint8Array,
  { direction, command, secrets = false }: InspectOptions,
): Field[] {
  const isHidden = command !== undefined && !secrets;
  const shown = isHidden ? hideSecrets(REQUEST_CODE[command], bytes, direction) : bytes;
  const reader = new Reader(shown);
  header(reader);
  if (command !== undefined && shown.length > HEADER_SIZE) {
    const isReply = direction === 'reply';
    const { length } = shown;
    // Behind data_size a reply has what the caller had there.
    const end = isReply ? Math.min(length, reader.u32(HEADER_DATA_SIZE)) : length;
    const start = reader.u32(HEADER_DATA_START);
    if (start >= HEADER_SIZE && start < end) {
      reader.skipTo(start);
      payload(reader, payloadOf(command, direction), { start, end, isReply });
    }
  }
  reader.skipTo(bytes.length);
  return reader.fields;
}

/** Takes fields one behind the other; what does not fit is left for skipTo. */
class Reader {
  readonly fields: Field[] = [];
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** 0 beyond the end. */
  u32(offset: number): number {
    return offset + 4 <= this.#bytes.length ? this.#view.getUint32(offset, true) : 0;
  }

  #fits(size: number): boolean {
    return this.at + size <= this.#bytes.length;
  }

  #take(size: number, name: string, value: Field['value'], meaning?: string): void {
    const field = { offset: this.at, size, name, value };
    this.fields.push(meaning === undefined || meaning === '' ? field : { ...field, meaning });
    this.at += size;
  }

  /** A u32; answers it, 0 if there is none. */
  number32(name: string, meaningOf?: (value: number) => string): number {
    if (!this.#fits(4)) return 0;
    const value = this.u32(this.at);
    this.#take(4, name, value, meaningOf?.(value));
    return value;
  }

  /** A u64, as a number if that holds it. */
  number64(name: string, meaningOf?: (value: number) => string): void {
    if (!this.#fits(8)) return;
    const wide = this.#view.getBigUint64(this.at, true);
    const value = wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide;
    this.#take(8, name, value, typeof value === 'number' ? meaningOf?.(value) : undefined);
  }

  /** A field of `size` bytes, its text up to the first NUL. */
  chars(name: string, size: number): void {
    if (!this.#fits(size)) return;
    const field = this.#bytes.subarray(this.at, this.at + size);
    const nul = field.indexOf(0);
    this.#take(size, name, textOf(nul < 0 ? field : field.subarray(0, nul)));
  }

  /** A text up to its NUL, which lies before `end`; answers whether it does. */
  text(name: string, end: number): boolean {
    const nul = this.#bytes.indexOf(0, this.at);
    if (nul < 0 || nul >= end) return false;
    this.#take(nul + 1 - this.at, name, textOf(this.#bytes.subarray(this.at, nul)));
    return true;
  }

  /** The bytes up to `offset`, if there are any: padding if all are 0, or too few for anything. */
  skipTo(offset: number): void {
    const size = Math.min(offset, this.#bytes.length) - this.at;
    if (size <= 0) return;
    const isZero = this.#bytes.subarray(this.at, this.at + size).every((byte) => byte === 0);
    const name = isZero || size < 8 ? 'padding' : 'unknown';
    this.#take(size, name, '', `${size} bytes`);
  }
}

function header(reader: Reader): void {
  for (const part of [0, 1, 2]) reader.number32(`version[${part}]`);
  for (const name of ['data_size', 'data_start', 'target_count', 'open_count']) {
    reader.number32(name);
  }
  reader.number32('flags', (flags) => flagNames(flags).join(' | '));
  reader.number32('event_nr');
  reader.number32('padding');
  reader.number64('dev', numbersOf);
  if (reader.at === HEADER_NAME) reader.chars('name', HEADER_UUID - HEADER_NAME);
  if (reader.at === HEADER_UUID) reader.chars('uuid', HEADER_DATA - HEADER_UUID);
  if (reader.at === HEADER_DATA) reader.skipTo(HEADER_SIZE);
}

function numbersOf(dev: number): string {
  return dev === 0 ? '' : `${majorOf(dev)}:${minorOf(dev)}`;
}

interface Bounds {
  readonly start: number;
  readonly end: number;
  readonly isReply: boolean;
}

function payload(reader: Reader, kind: Payload, bounds: Bounds): void {
  const { end, isReply } = bounds;
  switch (kind) {
    case 'none':
      break;
    case 'targets':
      targets(reader, bounds);
      break;
    case 'devices':
      devices(reader, end);
      break;
    case 'versions':
      versions(reader, end);
      break;
    case 'deps':
      if (reader.at + DEPS_SIZE > end) break;
      for (let left = dependencies(reader); left > 0 && reader.at + 8 <= end; left--) {
        reader.number64('dev', numbersOf);
      }
      break;
    case 'rename': {
      const isUuid = (reader.u32(HEADER_FLAGS) & uapi.DM_UUID_FLAG) !== 0;
      reader.text(isUuid ? 'new_uuid' : 'new_name', end);
      break;
    }
    case 'geometry':
      reader.text('geometry', end);
      break;
    case 'message':
      if (isReply) {
        const isAnswered = (reader.u32(HEADER_FLAGS) & uapi.DM_DATA_OUT_FLAG) !== 0;
        if (isAnswered) reader.text('message', end);
      } else if (reader.at + TARGET_MSG_TEXT < end) {
        reader.number64('sector');
        reader.text('message', end);
      }
  }
}

function dependencies(reader: Reader): number {
  const count = reader.number32('count');
  reader.number32('padding');
  return count;
}

/** In a request `next` counts from its own spec, in a reply from the first. */
function targets(reader: Reader, { start, end, isReply }: Bounds): void {
  for (let left = reader.u32(HEADER_TARGET_COUNT); left > 0; left--) {
    const from = reader.at;
    if (from + SPEC_SIZE >= end) return;
    reader.number64('sector_start');
    reader.number64('length');
    reader.number32('status');
    const next = (isReply ? start : from) + reader.number32('next');
    reader.chars('target_type', uapi.DM_MAX_TYPE_NAME);
    if (!reader.text('parameters', end) || left === 1) return;
    if (next < reader.at || next >= end) return;
    reader.skipTo(next);
  }
}

/** `next` counts from its own record, and 0 ends the list. */
function devices(reader: Reader, end: number): void {
  const minor = reader.u32(4);
  for (;;) {
    const from = reader.at;
    if (from + 12 >= end) return;
    reader.number64('dev', numbersOf);
    const next = reader.number32('next');
    if (!reader.text('name', end)) return;
    const tail = from + align8(reader.at - from);
    if (minor >= NAME_LIST_EVENT_NR_MINOR && tail + 8 <= end) {
      reader.skipTo(tail);
      reader.number32('event_nr');
      const flags = reader.number32('flags', (bits) => listFlags(bits, minor));
      const hasUuid = minor >= NAME_LIST_FLAGS_MINOR && (flags & HAS_UUID) !== 0;
      if (hasUuid && !reader.text('uuid', end)) return;
    }
    if (next === 0 || from + next < reader.at || from + next >= end) return;
    reader.skipTo(from + next);
  }
}

const HAS_UUID = uapi.DM_NAME_LIST_FLAG_HAS_UUID;

function listFlags(bits: number, minor: number): string {
  if (minor < NAME_LIST_FLAGS_MINOR) return 'not written by this kernel';
  if (bits === HAS_UUID) return 'DM_NAME_LIST_FLAG_HAS_UUID';
  return bits === uapi.DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID
    ? 'DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID'
    : '';
}

function versions(reader: Reader, end: number): void {
  for (;;) {
    const from = reader.at;
    if (from + 16 >= end) return;
    const next = reader.number32('next');
    for (const part of [0, 1, 2]) reader.number32(`version[${part}]`);
    if (!reader.text('name', end)) return;
    if (next === 0 || from + next < reader.at || from + next >= end) return;
    reader.skipTo(from + next);
  }
}

function align8(n: number): number {
  return Math.ceil(n / 8) * 8;
}
