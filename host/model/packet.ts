// The kernel's copy of a request: struct dm_ioctl and what follows it, of data_size bytes, in which the
// answer grows. Rule: bytes are read where there are any and are 0 behind them; a write makes room. So no
// request, however broken, can end in anything but an errno.

import * as abi from '../generated/abi.js';

/** Bytes as a string, a character for each: what the kernel compares and sorts byte by byte. */
export type Bytes = string;

/** Where each number of struct dm_ioctl stands (assembly/uapi.ts). */
const NUMBERS = {
  dataSize: abi.HEADER_DATA_SIZE,
  dataStart: abi.HEADER_DATA_START,
  targetCount: abi.HEADER_TARGET_COUNT,
  openCount: abi.HEADER_OPEN_COUNT,
  flags: abi.HEADER_FLAGS,
  eventNr: abi.HEADER_EVENT_NR,
} as const;

/** A number of the header, by its name in the codec. */
export type HeaderNumber = keyof typeof NUMBERS;

/** Round up to the alignment of dm-ioctl.c align_val(): 8, on every 64-bit kernel. */
export const align = (value: number): number => (value + 7) & ~7;

/** A request in the kernel's memory. */
export class Packet {
  /** data_size, as the caller gave it. */
  readonly size: number;
  #bytes: Uint8Array;
  #view: DataView;

  /**
   * @param from - what the caller has there
   * @param size - data_size: how much the kernel takes of it, which may be more than there is
   */
  constructor(from: Uint8Array, size: number) {
    this.size = size;
    this.#bytes = from.slice(0, size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What the answer may be copied from. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  #room(end: number): DataView {
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return this.#view;
  }

  byte(at: number): number {
    return this.#bytes[at] ?? 0;
  }

  u32(at: number): number {
    return (
      (this.byte(at) |
        (this.byte(at + 1) << 8) |
        (this.byte(at + 2) << 16) |
        (this.byte(at + 3) << 24)) >>>
      0
    );
  }

  u64(at: number): bigint {
    return BigInt(this.u32(at)) | (BigInt(this.u32(at + 4)) << 32n);
  }

  setByte(at: number, value: number): void {
    this.#room(at + 1).setUint8(at, value);
  }

  setU32(at: number, value: number): void {
    this.#room(at + 4).setUint32(at, value, true);
  }

  setU64(at: number, value: bigint): void {
    this.#room(at + 8).setBigUint64(at, value, true);
  }

  /** The bytes from `at` up to a NUL, or to `end`, behind which there is none. */
  string(at: number, end: number = this.size): Bytes {
    let text = '';
    const last = Math.min(end, this.#bytes.length);
    for (let i = at; i < last && this.#bytes[i] !== 0; i++) {
      text += String.fromCharCode(this.#bytes[i]!);
    }
    return text;
  }

  /** Is there a NUL from `at` on, before the end? dm-ioctl.c invalid_str() */
  hasString(at: number): boolean {
    return at < this.size && at + this.string(at).length < this.size;
  }

  /** strcpy(): the bytes and a NUL. */
  setString(at: number, text: Bytes): void {
    for (let i = 0; i < text.length; i++) this.setByte(at + i, text.charCodeAt(i));
    this.setByte(at + text.length, 0);
  }

  get(field: HeaderNumber): number {
    return this.u32(NUMBERS[field]);
  }

  set(field: HeaderNumber, value: number): void {
    this.setU32(NUMBERS[field], value >>> 0);
  }

  has(flag: number): boolean {
    return (this.get('flags') & flag) !== 0;
  }

  /** Set some flags, and clear others. */
  flag(set: number, clear = 0): void {
    this.set('flags', (this.get('flags') & ~clear) | set);
  }

  get dev(): bigint {
    return this.u64(abi.HEADER_DEV);
  }

  set dev(value: bigint) {
    this.setU64(abi.HEADER_DEV, value);
  }

  get name(): Bytes {
    return this.string(abi.HEADER_NAME);
  }

  set name(value: Bytes) {
    this.setString(abi.HEADER_NAME, value);
  }

  get uuid(): Bytes {
    return this.string(abi.HEADER_UUID);
  }

  set uuid(value: Bytes) {
    this.setString(abi.HEADER_UUID, value);
  }

  /**
   * dm-table.c dm_split_args(): words between blanks, of which a backslash makes any byte a part. As
   * there, each word takes the place of what it was read from.
   */
  splitWords(at: number): Bytes[] {
    const words: Bytes[] = [];
    let end = at;
    for (;;) {
      while (isSpace(this.byte(end)) && end < this.size) end++;
      if (end >= this.size || this.byte(end) === 0) return words;
      let out = end;
      let word = '';
      const put = (byte: number): void => {
        word += String.fromCharCode(byte);
        this.setByte(out++, byte);
      };
      while (end < this.size && this.byte(end) !== 0) {
        const byte = this.byte(end);
        if (byte === 0x5c && this.byte(end + 1) !== 0) {
          put(this.byte(end + 1));
          end += 2;
        } else if (isSpace(byte)) break;
        else {
          put(byte);
          end++;
        }
      }
      if (this.byte(end) !== 0) end++;
      this.setByte(out, 0);
      words.push(word);
    }
  }
}

/** lib/ctype.c: the kernel's characters are Latin-1's, whose no-break space is one, too. */
function isSpace(byte: number): boolean {
  return (byte >= 9 && byte <= 13) || byte === 0x20 || byte === 0xa0;
}

/** Bytes of what is text in the host. */
export function bytesOf(text: string): Bytes {
  const bytes = new TextEncoder().encode(text);
  let latin = '';
  for (const byte of bytes) latin += String.fromCharCode(byte);
  return latin;
}

/** The bytes themselves. */
export function arrayOf(bytes: Bytes): Uint8Array {
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}
