// A second codec, written from the protocol's description alone and a byte at a time: what the real
// one is compared with. It refuses what breaks the protocol by throwing Refused, and never says where.

export class Refused extends Error {}

export interface PlainHeader {
  version: readonly [number, number, number];
  dataSize: number;
  dataStart: number;
  targetCount: number;
  openCount: number;
  flags: number;
  eventNr: number;
  dev: number;
  name: string;
  uuid: string;
}

export interface PlainTarget {
  startSector: bigint;
  length: bigint;
  type: string;
  /** As they stand in the buffer. */
  parameters: Uint8Array;
}

export interface PlainDevice {
  name: string;
  dev: number;
  /** undefined: the kernel was not asked; '': it has none. */
  uuid?: string | undefined;
  eventNumber: number;
}

const BUFFER_FULL = 1 << 8;
const DATA_OUT = 0x10000;

// ── Text and bytes (PEP 383) ─────────────────────────────────────────────────────────────────────

export function bytesOf(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...new TextEncoder().encode(character));
  }
  return Uint8Array.from(bytes);
}

export function textOf(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  let at = 0;
  next: while (at < bytes.length) {
    for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
      try {
        text += decoder.decode(bytes.subarray(at, at + length));
        at += length;
        continue next;
      } catch {
        // Not a whole character yet.
      }
    }
    text += String.fromCharCode(0xdc00 + bytes[at++]!);
  }
  return text;
}

// ── Writing ──────────────────────────────────────────────────────────────────────────────────────

function little(value: number | bigint, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
}

function field(text: string, size: number): number[] {
  const bytes = bytesOf(text);
  return Array.from({ length: size }, (_, i) => bytes[i] ?? 0);
}

function pad8(bytes: number[]): number[] {
  while (bytes.length % 8 !== 0) bytes.push(0);
  return bytes;
}

export function encodeHeader(header: PlainHeader): number[] {
  return [
    ...header.version.flatMap((number) => little(number, 4)),
    ...little(header.dataSize, 4),
    ...little(header.dataStart, 4),
    ...little(header.targetCount, 4),
    ...little(header.openCount, 4),
    ...little(header.flags, 4),
    ...little(header.eventNr, 4),
    ...little(0, 4),
    ...little(header.dev, 8),
    ...field(header.name, 128),
    ...field(header.uuid, 129),
    ...little(0, 7),
  ];
}

/** A request's `next` counts from its own spec, a reply's from the first. */
export function encodeChain(targets: readonly PlainTarget[], reply: boolean): number[] {
  const chain: number[] = [];
  for (const { startSector, length, type, parameters } of targets) {
    const size = Math.ceil((40 + parameters.length + 1) / 8) * 8;
    chain.push(
      ...little(startSector, 8),
      ...little(length, 8),
      ...little(0, 4),
      ...little(reply ? chain.length + size : size, 4),
      ...field(type, 16),
      ...pad8([...parameters, 0]),
    );
  }
  return chain;
}

export function encodeDevices(devices: readonly PlainDevice[], minor: number): number[] {
  const list: number[] = [];
  devices.forEach(({ name, dev, uuid, eventNumber }, i) => {
    const rest = pad8([...little(0, 12), ...bytesOf(name), 0]).slice(12);
    if (minor >= 37) {
      const flags = minor < 45 || uuid === undefined ? 0 : uuid === '' ? 2 : 1;
      rest.push(...little(eventNumber, 4), ...little(flags, 4));
      if (flags === 1) rest.push(...pad8([...bytesOf(uuid!), 0]));
    }
    const last = i === devices.length - 1;
    list.push(...little(dev, 8), ...little(last ? 0 : 12 + rest.length, 4), ...rest);
  });
  return list;
}

export function encodeDependencies(devs: readonly number[]): number[] {
  return [...little(devs.length, 4), ...little(0, 4), ...devs.flatMap((dev) => little(dev, 8))];
}

export interface PlainVersion {
  readonly name: string;
  readonly version: readonly [number, number, number];
}

export function encodeVersions(versions: readonly PlainVersion[]): number[] {
  return versions.flatMap(({ name, version }, i) => {
    const record = pad8([
      ...little(0, 4),
      ...version.flatMap((part) => little(part, 4)),
      ...bytesOf(name),
      0,
    ]);
    const next = i === versions.length - 1 ? 0 : record.length;
    return [...little(next, 4), ...record.slice(4)];
  });
}

export function encodeMessage(sector: bigint, message: Uint8Array): number[] {
  return [...little(sector, 8), ...message, 0];
}

/** How many bytes of `chain` the kernel counts: the padding behind the last string is left out. */
export function usedBytes(targets: readonly PlainTarget[]): number {
  const padding = (7 - ((targets.at(-1)?.parameters.length ?? 0) % 8)) % 8;
  return encodeChain(targets, true).length - (targets.length === 0 ? 0 : padding);
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────

function unsigned(bytes: Uint8Array, at: number, size: 4 | 8): bigint {
  if (at + size > bytes.length) throw new Refused();
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return size === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
}

function u32(bytes: Uint8Array, at: number): number {
  return Number(unsigned(bytes, at, 4));
}

/** The bytes from `at` to the first NUL, which lies before `end`. */
function untilNul(bytes: Uint8Array, at: number, end: number): Uint8Array {
  for (let nul = at; nul < Math.min(end, bytes.length); nul++) {
    if (bytes[nul] === 0) return bytes.slice(at, nul);
  }
  throw new Refused();
}

function safe(value: bigint, limit = 2n ** 53n - 1n): number {
  if (value > limit) throw new Refused();
  return Number(value);
}

export function decodeHeader(bytes: Uint8Array): PlainHeader {
  if (bytes.length < 305) throw new Refused();
  return {
    version: [u32(bytes, 0), u32(bytes, 4), u32(bytes, 8)],
    dataSize: u32(bytes, 12),
    dataStart: u32(bytes, 16),
    targetCount: u32(bytes, 20),
    openCount: u32(bytes, 24) | 0,
    flags: u32(bytes, 28),
    eventNr: u32(bytes, 32),
    dev: safe(unsigned(bytes, 40, 8)),
    name: textOf(untilNul(bytes, 48, 176)),
    uuid: textOf(untilNul(bytes, 176, 305)),
  };
}

/** The targets in `bytes`, all of which are valid. With `full` a reply may stop anywhere. */
export function decodeChain(
  bytes: Uint8Array,
  dataStart: number,
  count: number,
  { reply, full }: { reply: boolean; full: boolean },
): PlainTarget[] {
  const targets: PlainTarget[] = [];
  let at = dataStart;
  while (targets.length < count) {
    if (bytes.length - at <= 40 || (full && !bytes.includes(0, at + 40))) {
      if (full) break;
      throw new Refused();
    }
    const parameters = untilNul(bytes, at + 40, bytes.length);
    targets.push({
      startSector: unsigned(bytes, at, 8),
      length: unsigned(bytes, at + 8, 8),
      type: textOf(untilNul(bytes, at + 24, at + 40)),
      parameters,
    });
    if (targets.length === count) break;
    const end = at + 40 + parameters.length + 1;
    // Where the aligned end did not fit, the kernel never wrote `next`.
    if (full && at + Math.ceil((end - at) / 8) * 8 >= bytes.length) break;
    const next = u32(bytes, at + 20);
    at = (reply ? dataStart : at) + next;
    if ((reply && next % 8 !== 0) || at < end || at >= bytes.length) throw new Refused();
  }
  return targets;
}

export function decodeDevices(bytes: Uint8Array, dataStart: number, minor: number): PlainDevice[] {
  const devices: PlainDevice[] = [];
  for (let at = dataStart, next = -1; next !== 0; at += next) {
    if (bytes.length - at <= 12) throw new Refused();
    const dev = unsigned(bytes, at, 8);
    if (at === dataStart && dev === 0n) break;
    next = u32(bytes, at + 8);
    const name = untilNul(bytes, at + 12, bytes.length);
    let end = at + Math.ceil((12 + name.length + 1) / 8) * 8;
    const device = { name: textOf(name), dev: safe(dev, 0xffffffffn), eventNumber: 0 };
    let uuid: string | undefined;
    if (minor >= 37) {
      device.eventNumber = u32(bytes, end);
      const flags = u32(bytes, end + 4);
      end += 8;
      if (minor >= 45 && flags !== 0) uuid = '';
      if (minor >= 45 && flags & 1) {
        const found = untilNul(bytes, end, bytes.length);
        uuid = textOf(found);
        end += found.length + 1;
      }
    }
    devices.push({ ...device, uuid });
    if (next !== 0 && (next % 8 !== 0 || at + next < end || at + next >= bytes.length)) {
      throw new Refused();
    }
  }
  return devices;
}

export function decodeDependencies(bytes: Uint8Array, dataStart: number): number[] {
  const count = u32(bytes, dataStart);
  if (dataStart + 8 + 8 * count > bytes.length) throw new Refused();
  return Array.from({ length: count }, (_, i) =>
    safe(unsigned(bytes, dataStart + 8 + 8 * i, 8), 0xffffffffn),
  );
}

export function decodeVersions(bytes: Uint8Array, dataStart: number): PlainVersion[] {
  const versions: PlainVersion[] = [];
  for (let at = dataStart, next = -1; next !== 0; at += next) {
    if (bytes.length - at <= 16) throw new Refused();
    next = u32(bytes, at);
    const name = untilNul(bytes, at + 16, bytes.length);
    versions.push({
      name: textOf(name),
      version: [u32(bytes, at + 4), u32(bytes, at + 8), u32(bytes, at + 12)],
    });
    const end = at + 16 + name.length + 1;
    if (next !== 0 && (next % 8 !== 0 || at + next < end || at + next >= bytes.length)) {
      throw new Refused();
    }
  }
  return versions;
}

/** A message behind a request's header. */
export function decodeMessage(
  bytes: Uint8Array,
  dataStart: number,
): { sector: bigint; message: Uint8Array } {
  if (bytes.length - dataStart <= 8) throw new Refused();
  const message = untilNul(bytes, dataStart + 8, bytes.length);
  return { sector: unsigned(bytes, dataStart, 8), message };
}

/** What a reply says behind its header, or Refused. */
export function decodePayload(
  command: 'LIST_DEVICES' | 'TABLE_DEPS' | 'TABLE_STATUS' | 'LIST_VERSIONS' | 'TARGET_MSG',
  bytes: Uint8Array,
): PlainTarget[] | PlainDevice[] | PlainVersion[] | number[] | string | undefined {
  const { dataSize, dataStart, targetCount, flags, version } = decodeHeader(bytes);
  if (dataSize < 305) throw new Refused();
  const full = (flags & BUFFER_FULL) !== 0 || dataSize > bytes.length;
  const valid = bytes.subarray(0, Math.min(dataSize, bytes.length));
  if (command === 'TARGET_MSG' && ((flags & DATA_OUT) === 0 || full)) return undefined;
  if (valid.length <= 312 || valid.length <= dataStart) {
    if (command === 'TABLE_STATUS' && targetCount > 0 && !full) throw new Refused();
    return command === 'TARGET_MSG' ? undefined : [];
  }
  if (dataStart < 305) throw new Refused();
  if (command === 'TARGET_MSG') return textOf(untilNul(valid, dataStart, valid.length));
  if (command === 'LIST_VERSIONS') return decodeVersions(valid, dataStart);
  if (command === 'LIST_DEVICES') return decodeDevices(valid, dataStart, version[1]);
  if (command === 'TABLE_DEPS') return decodeDependencies(valid, dataStart);
  return decodeChain(valid, dataStart, targetCount, { reply: true, full });
}

// ── Words ────────────────────────────────────────────────────────────────────────────────────────

const BLANKS = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xa0];
const BACKSLASH = 0x5c;

export function split(parameters: Uint8Array): Uint8Array[] {
  const words: number[][] = [];
  let word: number[] | undefined;
  const nul = parameters.indexOf(0);
  const bytes = nul < 0 ? parameters : parameters.subarray(0, nul);
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes[at]!;
    if (BLANKS.includes(byte)) {
      word = undefined;
      continue;
    }
    if (byte === BACKSLASH && at + 1 < bytes.length) byte = bytes[++at]!;
    if (word === undefined) words.push((word = []));
    word.push(byte);
  }
  return words.map((bytes) => Uint8Array.from(bytes));
}

export function join(words: readonly Uint8Array[]): Uint8Array {
  const escape = (byte: number) =>
    byte === BACKSLASH || BLANKS.includes(byte) ? [BACKSLASH, byte] : [byte];
  const joined = words.flatMap((word, i) => [
    ...(i > 0 ? [0x20] : []),
    ...[...word].flatMap(escape),
  ]);
  return Uint8Array.from(joined);
}

/** The rest of a dmsetup line as libdm sends it. */
export function line(text: string): Uint8Array {
  return bytesOf(text.replaceAll('\\', '\\\\'));
}

/** A whole table text of dmsetup's, as a request has its lines. */
export function lines(text: Uint8Array): PlainTarget[] {
  const space = '\\t\\v\\f\\r ';
  const line = new RegExp(
    `^[${space}]*(\\d+)[${space}]+(\\d+)[${space}]+([^${space}]{1,15})(?![^${space}])([^#]*)`,
  );
  const latin = (part: string) => Uint8Array.from(part, (character) => character.charCodeAt(0));
  return Array.from(text, (byte) => String.fromCharCode(byte))
    .join('')
    .split('\n')
    .filter((row) => !new RegExp(`^[${space}]*(#|$)`).test(row))
    .map((row) => {
      const [, start, length, type, rest] = line.exec(row) ?? [];
      if (start === undefined || `${type}${rest}`.includes('\0')) throw new Refused();
      const parameters = rest!.replace(new RegExp(`^[${space}]+|[${space}]+$`, 'g'), '');
      const target = { startSector: BigInt(start), length: BigInt(length!) };
      if (target.startSector >> 64n || target.length >> 64n) throw new Refused();
      return {
        ...target,
        type: textOf(latin(type!)),
        parameters: latin(parameters.replaceAll('\\', '\\\\')),
      };
    });
}

/** A text's lines, each as the sixteen numbers of the module's enum Line, of which `how` says the kind. */
export function scan(text: Uint8Array, how: number): number[][] {
  const space = '[\\t-\\r ]';
  const row = new RegExp(`^\\d+${space}+\\d+(?=${space}|$)`);
  const isBlank = (character: string | undefined): boolean =>
    character !== undefined && '\t\n\v\f\r '.includes(character);
  const rows: number[][] = [];
  let from = 0;
  const latin = Array.from(text, (byte) => String.fromCharCode(byte)).join('');
  for (const [i, line] of latin.split('\n').entries()) {
    const at = from;
    from += line.length + 1;
    const skip = (place: number, blanks: boolean): number => {
      while (place < line.length && isBlank(line[place]) === blanks) place++;
      return place;
    };
    let place = skip(0, true);
    if (place === line.length || (how % 2 === 1 && line[place] === '#')) continue;
    let name = 0;
    const words = line.slice(place).split(new RegExp(`${space}+`));
    const isRow = row.test(line.slice(place)) && !words[2]?.endsWith(':');
    if (how >= 2 && !isRow) {
      const colons = Array.from(line.matchAll(/:/g), ({ index }) => index);
      name =
        colons.find((colon) => {
          const rest = line.slice(colon + 1);
          const trimmed = rest.slice(skip(colon + 1, true) - colon - 1);
          return trimmed === '' || (trimmed !== rest && row.test(trimmed));
        }) ?? 0;
      if (name > 0 || line.startsWith(':')) place = skip(name === 0 ? 0 : name + 1, true);
    }
    const fields: number[] = [];
    const values: bigint[] = [];
    let flaws = 0;
    for (const unit of [1, 4]) {
      const end = skip(place, false);
      const word = line.slice(place, end);
      const digits = /^\d*/.exec(word)![0];
      // It is too large before the first byte that is no digit is seen.
      const isTooLarge = digits !== '' && BigInt(digits) >> 64n > 0n;
      if (isTooLarge) flaws |= 2 * unit;
      else if (word === '' || digits !== word) flaws |= unit;
      values.push(!isTooLarge && word !== '' && digits === word ? BigInt(word) : 0n);
      fields.push(place, end);
      place = skip(end, true);
    }
    const typeEnd = skip(place, false);
    if (typeEnd === place) flaws |= 16;
    if (typeEnd - place >= 16) flaws |= 32;
    const parameters = skip(typeEnd, true);
    const comment = how % 2 === 1 ? line.indexOf('#', parameters) : -1;
    let end = comment < 0 ? line.length : comment;
    while (end > parameters && isBlank(line[end - 1])) end--;
    if (line.slice(place, end).includes('\0')) flaws |= 64;
    const places = [0, name, ...fields, place, typeEnd, parameters, end].map((own) => at + own);
    const halves = values.flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)]);
    rows.push(toldOf([...halves, i + 1, flaws, ...places]));
  }
  return rows;
}

/** A line's numbers without the value of one that is wrong: how far it was read is nobody's business. */
export function toldOf(row: readonly number[]): number[] {
  const flaws = row[5]!;
  const isWrong = [flaws & 3, flaws & 3, flaws & 12, flaws & 12];
  return row.map((number, i) => (isWrong[i] ? 0 : number));
}
