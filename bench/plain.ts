// The peer: the same encode and decode in plain JavaScript, without Wasm, as fast as we could make it;
// and a second opinion on every byte, as it shares no code with the package. For little-endian hosts.
//
// What was tried, at 1,000 linear targets, in ns a target (a 2-core virtual machine, Node 20):
//   encode  characters gathered four to a word, straight into a kept buffer (this)   40
//           characters stored one by one as bytes, checked on the way                46-54
//           all parameters joined, one encodeInto, then copied to their places       67
//           parameters joined with their padding, one encodeInto into place          69
//           encodeInto for each target                                              120
//   decode  texts packed four bytes at a time, one TextDecoder, substring (this)     44
//           the same, objects in a second pass                                       46
//           texts packed byte by byte                                                54
//           no packing, sectors blanked out of a copy, one TextDecoder               98
//           no packing, TextDecoder('latin1') of the whole reply                    115
//           no packing, Buffer's latin1Slice of the whole reply: Node only           37
// A DataView in place of the Uint32Array costs 3-10% more.

import type { DeviceListEntry, Header, Table, Target, TargetLine } from 'devicemapper/codec';

const HEADER_SIZE = 312;
const HEADER_DATA = 305;
const SPEC_SIZE = 40;
const MAX_TARGETS = 1048576;
const BUFFER_FULL = 1 << 8;
const HAS_UUID = 1;
const LINE_FEED = 0x0a;
const HASH = 0x23;
const BACKSLASH = 0x5c;
/** Characters from which on a text goes through encodeInto. */
const LONG = 48;
/** How much text becomes one string: of 128 KiB and more V8 takes five times as long for a byte. */
const CHUNK = 0x10000;
/** In place of a uuid that is not unpacked yet. */
const PENDING = '?';

const utf8 = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** Printable ASCII but the backslash. */
const PLAIN_WORD = /^[!-[\]-~]+$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Kept between calls: nothing of one call is there for the next. */
let room = new Uint8Array(1 << 16);
let roomWords = new Uint32Array(room.buffer);
let roomSpans = new Uint32Array(roomWords.length);
const typeWords = new Uint32Array(4);
const typeBytes = new Uint8Array(typeWords.buffer);

/** Have `size` bytes of room, of which the first `used` are kept. */
function grow(size: number, used = 0): void {
  const larger = new Uint8Array(Math.max(Math.ceil(size / 8) * 8, 2 * room.length));
  larger.set(room.subarray(0, used));
  room = larger;
  roomWords = new Uint32Array(room.buffer);
  roomSpans = new Uint32Array(roomWords.length);
}

// ── Encode ───────────────────────────────────────────────────────────────────────────────────────

/** The bytes of DM_TABLE_LOAD, as `encodeRequest('TABLE_LOAD', { name, targets }, into)`. */
export function encodeTableLoad(
  { name, targets }: { readonly name: string; readonly targets: Table },
  into?: Uint8Array,
): Uint8Array {
  return typeof targets === 'string'
    ? encodeText(name, targets, into)
    : encodeTargets(name, targets, into);
}

function encodeTargets(
  name: string,
  targets: readonly Target[],
  into: Uint8Array | undefined,
): Uint8Array {
  const count = targets.length;
  if (count === 0 || count > MAX_TARGETS) throw new RangeError(`targets: ${count}`);
  let typeName: string | undefined;
  let type0 = 0;
  let type1 = 0;
  let type2 = 0;
  let type3 = 0;
  let words = roomWords;
  let at = HEADER_SIZE;
  for (let i = 0; i < count; i++) {
    const target = targets[i]!;
    const { startSector, length, parameters } = target;
    if (target.type !== typeName) {
      typeName = target.type;
      putType(typeName, i);
      type0 = typeWords[0]!;
      type1 = typeWords[1]!;
      type2 = typeWords[2]!;
      type3 = typeWords[3]!;
    }
    let size = -1;
    const text = typeof parameters === 'string' ? parameters : plainText(parameters);
    if (text !== undefined) {
      if (at + 64 + text.length > room.length) {
        grow(at + 64 + text.length, at);
        words = roomWords;
      }
      size = putPlain(words, at + SPEC_SIZE, text);
    }
    if (size < 0) {
      const bytes = parameterBytes(parameters, i);
      size = bytes.length;
      if (at + 64 + size > room.length) {
        grow(at + 64 + size, at);
        words = roomWords;
      }
      room.fill(0, at + SPEC_SIZE + size, at + SPEC_SIZE + size + 8);
      room.set(bytes, at + SPEC_SIZE);
    }
    const next = SPEC_SIZE + 8 + (size & ~7);
    const word = at >> 2;
    putSector(words, word, startSector, i);
    putSector(words, word + 2, length, i);
    words[word + 4] = 0;
    words[word + 5] = next;
    words[word + 6] = type0;
    words[word + 7] = type1;
    words[word + 8] = type2;
    words[word + 9] = type3;
    at += next;
  }
  return finish(name, at, count, into);
}

/** The header, and what is to be handed out. */
function finish(
  name: string,
  end: number,
  count: number,
  into: Uint8Array | undefined,
): Uint8Array {
  const words = roomWords;
  words.fill(0, 0, HEADER_SIZE / 4);
  words[0] = 4;
  words[3] = end;
  words[4] = HEADER_SIZE;
  words[5] = count;
  if (putShort(room, 48, 127, name) < 0) throw new RangeError(`name: ${name}`);
  if (into === undefined) return room.slice(0, end);
  into.set(room.subarray(0, end));
  return into;
}

/** A table as dmsetup's text: its bytes, read one by one. */
function encodeText(name: string, table: string, into: Uint8Array | undefined): Uint8Array {
  const most = 3 * table.length + 1;
  // A line takes 48 bytes for the 6 of `0 1 a`, and a backslash is doubled.
  const need = HEADER_SIZE + 8 * most + 64;
  if (need + most > room.length) grow(need + most);
  const bytes = room;
  const words = roomWords;
  const text = bytes.length - most;
  let { written: length } = utf8.encodeInto(table, bytes.subarray(text));
  if (LONE_SURROGATE.test(table)) {
    const own = toBytes(table);
    bytes.set(own, text);
    ({ length } = own);
  }
  const textEnd = text + length;
  bytes[textEnd] = LINE_FEED;
  let count = 0;
  let at = HEADER_SIZE;
  for (let from = text; from < textEnd; from++) {
    let byte = bytes[from]!;
    while (isSpace(byte) && byte !== LINE_FEED) byte = bytes[++from]!;
    if (byte === LINE_FEED) continue;
    if (byte === HASH) {
      while (bytes[from] !== LINE_FEED) from++;
      continue;
    }
    let word = at >> 2;
    for (let field = 0; field < 2; field++, word += 2) {
      const begin = from;
      let value = 0;
      for (byte -= 0x30; byte >= 0 && byte <= 9; byte = bytes[++from]! - 0x30) {
        value = value * 10 + byte;
      }
      byte += 0x30;
      if (from === begin || !isSpace(byte)) throw new RangeError(`line ${count}: no number`);
      if (value > Number.MAX_SAFE_INTEGER) putBig(words, word, bytes.subarray(begin, from));
      else {
        words[word] = value;
        words[word + 1] = value / 0x100000000;
      }
      while (isSpace(byte) && byte !== LINE_FEED) byte = bytes[++from]!;
    }
    words[word] = 0;
    words[word + 2] = 0;
    words[word + 3] = 0;
    words[word + 4] = 0;
    words[word + 5] = 0;
    let to = at + 24;
    const typeLimit = to + 15;
    for (; !isSpace(byte); byte = bytes[++from]!) {
      if (byte === 0 || to === typeLimit) throw new RangeError(`line ${count}: type`);
      bytes[to++] = byte;
    }
    if (to === at + 24) throw new RangeError(`line ${count}: no type`);
    while (isSpace(byte) && byte !== LINE_FEED) byte = bytes[++from]!;
    const start = at + SPEC_SIZE;
    to = start;
    let end = start;
    for (; byte !== LINE_FEED && byte !== HASH; byte = bytes[++from]!) {
      if (byte === 0) throw new RangeError(`line ${count}: NUL`);
      if (byte === BACKSLASH) bytes[to++] = BACKSLASH;
      bytes[to++] = byte;
      if (!isSpace(byte)) end = to;
    }
    while (bytes[from] !== LINE_FEED) from++;
    const next = SPEC_SIZE + 8 + ((end - start) & ~7);
    for (let zero = end; zero < at + next || zero < to; zero++) bytes[zero] = 0;
    words[(at >> 2) + 5] = next;
    at += next;
    count++;
  }
  if (count === 0) throw new RangeError('no target');
  return finish(name, at, count, into);
}

function putBig(words: Uint32Array, at: number, digits: Uint8Array): void {
  const value = BigInt(String.fromCharCode(...digits));
  if (value >= 1n << 64n) throw new RangeError(`${value} is no sector`);
  words[at] = Number(value & 0xffffffffn);
  words[at + 1] = Number(value >> 32n);
}

/** isspace() of the C locale. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/**
 * Write a text with its NUL and padding, if it is ASCII without NUL and backslash. Of four characters in
 * a word each was below 0x80, so a borrow out of one means that it was 0.
 * @returns its length, or -1 with nothing written that matters
 */
function putPlain(words: Uint32Array, at: number, text: string): number {
  const size = text.length;
  if (size > LONG) return putLong(words, at, text);
  let word = at >> 2;
  const last = word + ((size >> 3) << 1);
  words[last] = 0;
  words[last + 1] = 0;
  let units = 0;
  let borrows = 0;
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    const four = a | (b << 8) | (c << 16) | (d << 24);
    units |= a | b | c | d;
    borrows |= (four - 0x01010101) | ((four ^ 0x5c5c5c5c) - 0x01010101);
    words[word++] = four;
  }
  if (i < size) {
    let rest = 0;
    for (let shift = 0; i < size; i++, shift += 8) {
      const unit = text.charCodeAt(i);
      units |= unit;
      borrows |= (unit - 1) | ((unit ^ 0x5c) - 1);
      rest |= unit << shift;
    }
    words[word] = rest;
  }
  return units > 0x7f || (borrows & 0x80808080) !== 0 ? -1 : size;
}

/** The same for a text so long that the call of encodeInto, some 80 ns, is worth it. */
function putLong(words: Uint32Array, at: number, text: string): number {
  const size = text.length;
  const start = at >> 2;
  const end = start + 2 + ((size >> 3) << 1);
  words[end - 1] = 0;
  words[end - 2] = 0;
  const { written } = utf8.encodeInto(text, room.subarray(at, at + size));
  if (written !== size) return -1;
  let borrows = 0;
  let word = start;
  for (const whole = start + (size >> 2); word < whole; word++) {
    const four = words[word]!;
    borrows |= (four - 0x01010101) | ((four ^ 0x5c5c5c5c) - 0x01010101);
  }
  // The NULs behind the text are no NULs in it.
  const rest = words[word]! | (0x01010101 << (8 * (size & 3)));
  if ((size & 3) > 0) borrows |= (rest - 0x01010101) | ((rest ^ 0x5c5c5c5c) - 0x01010101);
  return (borrows & 0x80808080) !== 0 ? -1 : size;
}

function putSector(words: Uint32Array, at: number, value: unknown, target: number): void {
  if (typeof value === 'number' && value >>> 0 === value) {
    words[at] = value;
    words[at + 1] = 0;
  } else if (Number.isSafeInteger(value) && (value as number) >= 0) {
    words[at] = value as number;
    words[at + 1] = (value as number) / 0x100000000;
  } else if (typeof value === 'bigint' && value >= 0n && value < 1n << 64n) {
    words[at] = Number(value & 0xffffffffn);
    words[at + 1] = Number(value >> 32n);
  } else {
    throw new RangeError(`targets[${target}]: ${String(value)} is no sector`);
  }
}

function putType(type: string, target: number): void {
  typeWords.fill(0);
  const size = putShort(typeBytes, 0, 15, type);
  if (size <= 0) throw new RangeError(`targets[${target}].type: ${type}`);
}

/** Write at most `most` bytes. @returns how many, or -1 if there are more, or a NUL */
function putShort(bytes: Uint8Array, at: number, most: number, text: string): number {
  const size = text.length;
  let i = 0;
  for (; i < size && i < most; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0 || unit > 0x7f) break;
    bytes[at + i] = unit;
  }
  if (i === size) return size;
  const encoded = toBytes(text);
  if (encoded.length > most || encoded.includes(0)) return -1;
  bytes.set(encoded, at);
  return encoded.length;
}

/** Words that need no escape, joined; what needs one is left to {@link parameterBytes}. */
function plainText(words: Target['parameters']): string | undefined {
  if (!Array.isArray(words)) return undefined;
  let text = '';
  for (let i = 0; i < words.length; i++) {
    const word: unknown = words[i];
    if (i > 0) text += ' ';
    if (typeof word === 'string' && PLAIN_WORD.test(word)) text += word;
    else if (typeof word === 'number' && Number.isSafeInteger(word)) text += String(word);
    else return undefined;
  }
  return text;
}

/** Any parameters as they are sent: a line with its backslashes doubled, or words escaped and joined. */
function parameterBytes(parameters: Target['parameters'], target: number): Uint8Array {
  const where = `targets[${target}].parameters`;
  const bytes =
    parameters instanceof Uint8Array
      ? parameters
      : typeof parameters === 'string'
        ? lineBytes(parameters)
        : joinBytes(parameters, where);
  if (bytes.includes(0)) throw new RangeError(`${where}: NUL`);
  return bytes;
}

function lineBytes(text: string): Uint8Array {
  const line = toBytes(text);
  if (!line.includes(0x5c)) return line;
  const bytes: number[] = [];
  for (const byte of line) {
    if (byte === 0x5c) bytes.push(0x5c);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function joinBytes(words: readonly unknown[], where: string): Uint8Array {
  if (!Array.isArray(words)) throw new TypeError(where);
  const bytes: number[] = [];
  for (const [index, value] of words.entries()) {
    const word = wordBytes(value, where);
    if (word.every(isBlank)) throw new RangeError(`${where}[${index}]: empty or blank`);
    if (index > 0) bytes.push(0x20);
    for (const byte of word) {
      if (byte === 0x5c || isBlank(byte)) bytes.push(0x5c);
      bytes.push(byte);
    }
  }
  return Uint8Array.from(bytes);
}

function wordBytes(value: unknown, where: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return toBytes(value);
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return utf8.encode(String(value));
  throw new TypeError(where);
}

/** What separates words for the kernel: the C set and 0xA0. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0xa0;
}

/** UTF-8, and each of U+DC80 to U+DCFF that stands alone as the byte it stands for. */
function toBytes(text: string): Uint8Array {
  if (typeof text !== 'string') throw new TypeError(`${String(text)} is no text`);
  if (!LONE_SURROGATE.test(text)) return utf8.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0xd800 || code > 0xdfff) bytes.push(...utf8.encode(character));
    else if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else throw new RangeError(`lone surrogate in ${text}`);
  }
  return Uint8Array.from(bytes);
}

// ── Decode ───────────────────────────────────────────────────────────────────────────────────────

/** The fields of struct dm_ioctl, as decodeReply tells them. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length < HEADER_DATA) throw new RangeError(`a header of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const dev = view.getUint32(44, true) * 0x100000000 + view.getUint32(40, true);
  if (dev > Number.MAX_SAFE_INTEGER) throw new RangeError('dev is above 2^53 - 1');
  return {
    version: [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)],
    dataSize: view.getUint32(12, true),
    dataStart: view.getUint32(16, true),
    targetCount: view.getUint32(20, true),
    openCount: view.getInt32(24, true),
    flags: view.getUint32(28, true),
    eventNr: view.getUint32(32, true),
    dev,
    name: shortText(bytes, 48, 176),
    uuid: shortText(bytes, 176, 305),
  };
}

/** The text at `from`, which must have its NUL before `limit`. */
function shortText(bytes: Uint8Array, from: number, limit: number): string {
  let text = '';
  for (let at = from; at < limit; at++) {
    const byte = bytes[at]!;
    if (byte === 0) return text;
    if (byte > 0x7f) break;
    text += String.fromCharCode(byte);
  }
  const end = bytes.indexOf(0, from);
  if (end < 0 || end >= limit) throw new RangeError(`the text at ${from} has no NUL`);
  return fromBytes(bytes.subarray(from, end));
}

/** A payload as words, and what the texts in it have been packed into: `room`, four bytes at a time. */
class Payload {
  readonly words: Uint32Array;
  /** Bytes in the payload. */
  readonly limit: number;
  /** How many of `words` are whole; the bytes after them are in `rest`, and no NUL after those. */
  readonly #whole: number;
  readonly #rest: number;
  readonly #packed: Uint32Array;
  /** Where each text begins and ends among the packed ones. */
  readonly #spans: Uint32Array;
  #taken = 0;
  /** Words packed. */
  #used = 0;
  #high = 0;
  /** What is cut: of the packed texts, from `#begin` to `#end`. */
  #all = '';
  #begin = 0;
  #end = 0;
  #others: string[] | undefined;

  constructor(bytes: Uint8Array, start: number, end: number) {
    // Words must be aligned; a reply that is not is copied.
    const aligned = (bytes.byteOffset + start) % 4 === 0 ? bytes : bytes.slice(start, end);
    const from = aligned === bytes ? bytes.byteOffset + start : 0;
    this.limit = end - start;
    this.#whole = this.limit >> 2;
    this.words = new Uint32Array(aligned.buffer, from, this.#whole);
    let rest = -1;
    for (let at = this.limit & ~3, shift = 0; at < this.limit; at++, shift += 8) {
      rest = (rest & ~(0xff << shift)) | (bytes[start + at]! << shift);
    }
    this.#rest = rest;
    if (room.length < this.limit + 8) grow(this.limit + 8);
    this.#packed = roomWords;
    this.#spans = roomSpans;
  }

  #word(index: number): number {
    return index < this.#whole ? this.words[index]! : this.#rest;
  }

  /** Pack the text at `from`, a multiple of 4. @returns where its NUL is, -1 if it has none */
  take(from: number): number {
    const packed = this.#packed;
    let used = this.#used;
    let high = 0;
    let index = from >> 2;
    let word = this.#word(index);
    let nul = (word - 0x01010101) & ~word & 0x80808080;
    while (nul === 0) {
      packed[used++] = word;
      high |= word;
      index++;
      if (4 * index >= this.limit) return -1;
      word = this.#word(index);
      nul = (word - 0x01010101) & ~word & 0x80808080;
    }
    const size = (31 - Math.clz32(nul & -nul)) >> 3;
    const end = 4 * used + size;
    word &= (1 << (8 * size)) - 1;
    packed[used++] = word;
    this.#high |= high | word;
    this.#spans[2 * this.#taken] = 4 * this.#used;
    this.#spans[2 * this.#taken + 1] = end;
    this.#taken++;
    this.#used = used;
    return 4 * index + size;
  }

  /** Make strings of all that was taken, unless they are ASCII: those are cut when asked for. */
  unpack(): void {
    this.#end = 0;
    if ((this.#high & 0x80808080) === 0) return;
    const packed = room.subarray(0, 4 * this.#used);
    try {
      this.#all = decoder.decode(packed);
      this.#others = this.#walk();
    } catch {
      this.#others = Array.from({ length: this.#taken }, (_, i) =>
        fromBytes(packed.subarray(this.#spans[2 * i], this.#spans[2 * i + 1])),
      );
    }
  }

  /** Of text that is not ASCII: behind each there are NULs, and its characters are fewer than its bytes. */
  #walk(): string[] {
    let fewer = 0;
    return Array.from({ length: this.#taken }, (_, i) => {
      const from = this.#spans[2 * i]! - fewer;
      const to = this.#all.indexOf('\0', from);
      fewer = this.#spans[2 * i + 1]! - to;
      return this.#all.substring(from, to);
    });
  }

  /** The text that was taken as number `index`. */
  text(index: number): string {
    if (this.#others !== undefined) return this.#others[index]!;
    const from = this.#spans[2 * index]!;
    const to = this.#spans[2 * index + 1]!;
    if (to > this.#end) {
      this.#begin = from;
      this.#end = Math.max(to, Math.min(from + CHUNK, 4 * this.#used));
      this.#all = decoder.decode(room.subarray(from, this.#end));
    }
    return this.#all.substring(from - this.#begin, to - this.#begin);
  }
}

/** What of a reply's payload may be read: none, or from `start` to `end`. */
function payloadOf(bytes: Uint8Array): {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly minor: number;
  readonly full: boolean;
} {
  if (bytes.length < HEADER_DATA) throw new RangeError(`a header of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const dataSize = view.getUint32(12, true);
  const start = view.getUint32(16, true);
  if (dataSize < HEADER_DATA) throw new RangeError(`data_size is ${dataSize}`);
  const end = Math.min(dataSize, bytes.length);
  const empty = end <= start || end <= HEADER_SIZE;
  if (!empty && start < HEADER_DATA) throw new RangeError(`data_start is ${start}`);
  return {
    start: empty ? end : start,
    end,
    count: view.getUint32(20, true),
    minor: view.getUint32(4, true),
    full: (view.getUint32(28, true) & BUFFER_FULL) !== 0 || dataSize > bytes.length,
  };
}

/** The targets of DM_TABLE_STATUS, as `decodeReply('TABLE_STATUS', bytes).targets` but for `words`. */
export function decodeTableStatus(bytes: Uint8Array): Omit<TargetLine, 'words'>[] {
  const { start, end, count, full } = payloadOf(bytes);
  if (start === end) {
    if (count > 0 && !full) throw new RangeError(`target_count is ${count}, without a payload`);
    return [];
  }
  const payload = new Payload(bytes, start, end);
  const { words, limit } = payload;
  const most = Math.min(count, Math.ceil(limit / (SPEC_SIZE + 1)));
  const targets = new Array<Writable<Omit<TargetLine, 'words'>>>(most);
  let made = 0;
  let type = '';
  let type0 = 0;
  let type1 = 0;
  let type2 = 0;
  let type3 = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (limit - at <= SPEC_SIZE) {
      if (full) break;
      throw new RangeError(`target ${i} is cut off`);
    }
    const word = at >> 2;
    const startSector = sector(words, word);
    const length = sector(words, word + 2);
    if (
      words[word + 6] !== type0 ||
      words[word + 7] !== type1 ||
      words[word + 8] !== type2 ||
      words[word + 9] !== type3
    ) {
      type0 = words[word + 6]!;
      type1 = words[word + 7]!;
      type2 = words[word + 8]!;
      type3 = words[word + 9]!;
      type = shortText(bytes, start + at + 24, start + at + SPEC_SIZE);
    }
    const nul = payload.take(at + SPEC_SIZE);
    if (nul < 0) {
      if (full) break;
      throw new RangeError(`target ${i}: its parameters have no NUL`);
    }
    targets[made++] = { startSector, length, type, parameters: '' };
    if (i + 1 === count) break;
    const next = words[word + 5]!;
    if (full && limit - at <= ((nul + 8 - at) & ~7)) break;
    if (next % 8 !== 0 || next <= nul || next >= limit) throw new RangeError(`next is ${next}`);
    at = next;
  }
  targets.length = made;
  payload.unpack();
  for (let i = 0; i < made; i++) targets[i]!.parameters = payload.text(i);
  return targets;
}
function sector(words: Uint32Array, at: number): number {
  const high = words[at + 1]!;
  // Kept apart from the others: small integers take no memory of their own.
  if (high === 0) return words[at]!;
  if (high > 0x1fffff) throw new RangeError('a sector above 2^53 - 1');
  return high * 0x100000000 + words[at]!;
}

/** The devices of DM_LIST_DEVICES, as `decodeReply('LIST_DEVICES', bytes).devices`. */
export function decodeDevices(bytes: Uint8Array): DeviceListEntry[] {
  const { start, end, minor: version } = payloadOf(bytes);
  if (start === end) return [];
  const payload = new Payload(bytes, start, end);
  const { words, limit } = payload;
  const devices: Writable<DeviceListEntry>[] = [];
  for (let at = 0; ;) {
    if (limit - at <= 12) throw new RangeError(`device ${devices.length} is cut off`);
    const word = at >> 2;
    const dev = words[word]!;
    const high = words[word + 1]!;
    if (at === 0 && dev === 0 && high === 0) return [];
    if (high > 0) throw new RangeError('dev is above 2^32 - 1');
    const major = (dev >>> 8) & 0xfff;
    const minor = ((dev & 0xff) | ((dev >>> 12) & 0xfff00)) >>> 0;
    const nul = payload.take(at + 12);
    if (nul < 0) throw new RangeError(`device ${devices.length}: its name has no NUL`);
    let after = (nul + 8) & ~7;
    if (version < 37) devices.push({ name: '', dev, major, minor });
    else {
      if (limit - after < 8) throw new RangeError(`device ${devices.length} is cut off`);
      const eventNumber = words[after >> 2]!;
      const flags = version < 45 ? 0 : words[(after >> 2) + 1]!;
      after += 8;
      if (flags === 0) devices.push({ name: '', dev, major, minor, eventNumber });
      else {
        const uuid = (flags & HAS_UUID) === 0 ? '' : PENDING;
        devices.push({ name: '', dev, major, minor, uuid, eventNumber });
      }
      if ((flags & HAS_UUID) !== 0) {
        if (limit <= after) throw new RangeError(`device ${devices.length - 1} is cut off`);
        after = payload.take(after) + 1;
        if (after === 0) throw new RangeError(`device ${devices.length - 1}: its uuid has no NUL`);
      }
    }
    const next = words[word + 2]!;
    if (next === 0) break;
    if (next % 8 !== 0 || at + next < after || at + next >= limit) {
      throw new RangeError(`next is ${next}`);
    }
    at += next;
  }
  payload.unpack();
  for (let i = 0, taken = 0; i < devices.length; i++) {
    const device = devices[i]!;
    device.name = payload.text(taken++);
    if (device.uuid === PENDING) device.uuid = payload.text(taken++);
  }
  return devices;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** UTF-8, and each byte that is none as U+DC00 + byte. */
function fromBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    // Bytes that are no UTF-8: below.
  }
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const [character, size] = nextCharacter(bytes, at);
    text += character;
    at += size;
  }
  return text;
}

/** The character at `at`, or what stands for a byte that begins none. */
function nextCharacter(bytes: Uint8Array, at: number): [text: string, size: number] {
  for (let size = 1; size <= 4 && at + size <= bytes.length; size++) {
    try {
      return [decoder.decode(bytes.subarray(at, at + size)), size];
    } catch {
      // Longer, or none.
    }
  }
  return [String.fromCharCode(0xdc00 + bytes[at]!), 1];
}
