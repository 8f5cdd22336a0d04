// Rule: the only file that touches Wasm memory. Values go in, bytes come out, and the other way round;
// each function copies in, calls, and copies out, so nothing of one call is there for the next.
//
// Memory above reserve()'s address is laid out anew by each call. An encode of a table:
//   records (24 bytes a target) | type names (16 bytes each) | texts | the finished request
// A decode:  the reply | index (24 bytes a target) | packed texts

import { instantiateSync } from '@assemblyscript/loader';
import { InputError, ReplyError, show, type InputPlace } from './errors.js';
import {
  Cell,
  DEVICE_RECORD_SIZE,
  DEVICE_SIZE_LEAST,
  DEPS_SIZE,
  FLOAT_LENGTH,
  FLOAT_START,
  HEADER_DATA,
  HEADER_DATA_SIZE,
  HEADER_DATA_START,
  HEADER_DEV,
  HEADER_NAME,
  HEADER_SIZE,
  HEADER_TARGET_COUNT,
  HEADER_UUID,
  LINE_SIZE,
  NAME_LIST_EVENT_NR_MINOR,
  NAME_LIST_FLAGS_MINOR,
  Parameters,
  SAME_NAME,
  SAME_UUID,
  SPEC_SIZE,
  Status,
  TARGET_INDEX_SIZE,
  TARGET_MSG_TEXT,
  TARGET_RECORD_SIZE,
  TYPE_SHIFT,
  VERSION_RECORD_SIZE,
  VERSION_SIZE_LEAST,
} from './generated/abi.js';
import type { instantiate } from './generated/module.js';
import * as uapi from './generated/uapi.js';
import { WASM } from './generated/wasm.js';
import { holdsKeys, holdsSecrets, zeroKeys } from './keys.js';
import {
  majorOf,
  minorOf,
  type DeviceListEntry,
  type DeviceNumber,
  type Parameter,
  type Table,
  type Target,
  type TargetBytes,
  type TargetLine,
  type TargetVersion,
  type Version,
} from './types.js';

type Module = Awaited<ReturnType<typeof instantiate>>;

/**
 * What each command carries behind its header, in a request and in a reply, and the interface version
 * that it takes (drivers/md/dm-ioctl.c lookup_ioctl(), and the history in dm-ioctl.h).
 */
const COMMANDS = {
  VERSION: { sends: 'none', answers: 'none', needs: [4, 0, 0] },
  REMOVE_ALL: { sends: 'none', answers: 'none', needs: [4, 0, 0] },
  LIST_DEVICES: { sends: 'none', answers: 'devices', needs: [4, 0, 0] },
  DEV_CREATE: { sends: 'none', answers: 'none', needs: [4, 0, 0] },
  DEV_REMOVE: { sends: 'none', answers: 'none', needs: [4, 0, 0] },
  DEV_RENAME: { sends: 'rename', answers: 'none', needs: [4, 0, 0] },
  DEV_SUSPEND: { sends: 'none', answers: 'none', needs: [4, 0, 0] },
  DEV_STATUS: { sends: 'none', answers: 'none', needs: [4, 0, 0] },
  DEV_WAIT: { sends: 'none', answers: 'targets', needs: [4, 0, 0] },
  TABLE_LOAD: { sends: 'targets', answers: 'none', needs: [4, 0, 0] },
  TABLE_CLEAR: { sends: 'none', answers: 'none', needs: [4, 0, 0] },
  TABLE_DEPS: { sends: 'none', answers: 'deps', needs: [4, 0, 0] },
  TABLE_STATUS: { sends: 'none', answers: 'targets', needs: [4, 0, 0] },
  LIST_VERSIONS: { sends: 'none', answers: 'versions', needs: [4, 1, 0] },
  TARGET_MSG: { sends: 'message', answers: 'message', needs: [4, 2, 0] },
  DEV_SET_GEOMETRY: { sends: 'geometry', answers: 'none', needs: [4, 6, 0] },
  DEV_ARM_POLL: { sends: 'none', answers: 'none', needs: [4, 37, 0] },
  GET_TARGET_VERSION: { sends: 'none', answers: 'versions', needs: [4, 41, 0] },
} as const;

/** A command of the control node, by the kernel's name without DM_. */
export type Command = keyof typeof COMMANDS;

/** What may stand behind a header. */
export type Payload = (typeof COMMANDS)[Command]['sends' | 'answers'];

/** What stands behind the header of a command's request or reply. */
export function payloadOf(command: Command, direction: 'request' | 'reply'): Payload {
  const { sends, answers } = known(command);
  return direction === 'request' ? sends : answers;
}

/** The ioctl request of each command, as in `REQUEST_CODE.TABLE_LOAD`: the same on every architecture. */
export const REQUEST_CODE: Readonly<Record<Command, number>> = {
  VERSION: uapi.DM_VERSION,
  REMOVE_ALL: uapi.DM_REMOVE_ALL,
  LIST_DEVICES: uapi.DM_LIST_DEVICES,
  DEV_CREATE: uapi.DM_DEV_CREATE,
  DEV_REMOVE: uapi.DM_DEV_REMOVE,
  DEV_RENAME: uapi.DM_DEV_RENAME,
  DEV_SUSPEND: uapi.DM_DEV_SUSPEND,
  DEV_STATUS: uapi.DM_DEV_STATUS,
  DEV_WAIT: uapi.DM_DEV_WAIT,
  TABLE_LOAD: uapi.DM_TABLE_LOAD,
  TABLE_CLEAR: uapi.DM_TABLE_CLEAR,
  TABLE_DEPS: uapi.DM_TABLE_DEPS,
  TABLE_STATUS: uapi.DM_TABLE_STATUS,
  LIST_VERSIONS: uapi.DM_LIST_VERSIONS,
  TARGET_MSG: uapi.DM_TARGET_MSG,
  DEV_SET_GEOMETRY: uapi.DM_DEV_SET_GEOMETRY,
  DEV_ARM_POLL: uapi.DM_DEV_ARM_POLL,
  GET_TARGET_VERSION: uapi.DM_GET_TARGET_VERSION,
};

/** What a query offers the kernel for its answer, unless the caller asks for more or less. */
export const REPLY_SPACE = 16384;

/** struct dm_ioctl, its fields in camelCase. */
export interface Header {
  /** In a request what the caller speaks, in a reply what the kernel does. */
  readonly version: Version;
  /** Bytes of the whole buffer; in a reply, those that the kernel wrote. */
  readonly dataSize: number;
  /** Where the payload begins. */
  readonly dataStart: number;
  /** Targets in the payload of a load; in a reply, in the table that it tells of. */
  readonly targetCount: number;
  /** In a reply how often the device is open. */
  readonly openCount: number;
  /** DM_…_FLAG */
  readonly flags: number;
  /** In a reply the device's event counter; in a request the event waited from, or the udev cookie. */
  readonly eventNr: number;
  /** In the kernel's huge encoding, 0 for none. */
  readonly dev: number;
  /** At most 127 bytes, '' for none. */
  readonly name: string;
  /** At most 128 bytes, '' for none. */
  readonly uuid: string;
}

/** What a device tells of its disk, as old programs ask for. */
export interface Geometry {
  /** 0 to 65535. */
  readonly cylinders: number;
  /** 0 to 255. */
  readonly heads: number;
  /** Sectors in a track, 0 to 255. */
  readonly sectors: number;
  /** Where it begins, in sectors of 512 bytes. */
  readonly start: number | bigint;
}

/** Bytes of a request that are not those which its values make, as a careful caller would send none. */
export interface Extra {
  /** Where they stand in the buffer. */
  readonly offset: number;
  /** What stands there. */
  readonly bytes: Uint8Array;
}

/** What a request carries behind its header. */
interface RequestPayload {
  none: unknown;
  targets: { readonly targets: Table };
  /** Exactly one of the two; a uuid can be set once. */
  rename:
    | { readonly newName: string; readonly newUuid?: undefined }
    | { readonly newUuid: string; readonly newName?: undefined };
  geometry: { readonly geometry: Geometry };
  message: {
    /** A text goes as it is; of an array each element is one word, escaped where it has to be. */
    readonly message: string | readonly Parameter[] | Uint8Array;
    /** Which target gets it: the one that covers this sector; 0 if left out. */
    readonly sector?: number | bigint;
  };
}

/**
 * A request: header fields that are left out have the values that a correct caller would send. Besides
 * it has `targets` (TABLE_LOAD), `newName` or `newUuid` (DEV_RENAME), `geometry` (DEV_SET_GEOMETRY), or
 * `message` and `sector` (TARGET_MSG).
 */
export type Request<C extends Command = Command> = Partial<Header> &
  RequestPayload[(typeof COMMANDS)[C]['sends']] & {
    /** Written over the rest at last: what decodeRequest found beside the values, if anything. */
    readonly extra?: readonly Extra[];
  };

/** The same, as decodeRequest tells it. */
interface DecodedPayload<Sector extends number | bigint> {
  none: unknown;
  targets: { readonly targets: readonly TargetBytes<Sector>[] };
  rename: RequestPayload['rename'];
  geometry: { readonly geometry: Geometry };
  message: { readonly sector: Sector; readonly message: Uint8Array };
}

/**
 * A request as decodeRequest tells it: its header and what its command carries, parameters and messages
 * as the bytes that stand there. With `extra`, if there is any, it encodes to the very same bytes again.
 */
export type DecodedRequest<
  C extends Command = Command,
  Sector extends number | bigint = number,
> = Header &
  DecodedPayload<Sector>[(typeof COMMANDS)[C]['sends']] & {
    /** What the values do not say, if there is anything. */
    readonly extra?: readonly Extra[];
  };

/** What a reply carries behind its header. */
interface ReplyPayload<Row> {
  none: unknown;
  devices: { readonly devices: readonly DeviceListEntry[] };
  deps: { readonly deps: readonly DeviceNumber[] };
  targets: { readonly targets: readonly Row[] };
  versions: { readonly versions: readonly TargetVersion[] };
  /** undefined if there is no answer, or if it did not fit (DM_BUFFER_FULL_FLAG). */
  message: { readonly message: string | undefined };
}

/**
 * A reply of the kernel: its header and what its command answers, the `devices` of LIST_DEVICES, the
 * `deps` of TABLE_DEPS, the `targets` of TABLE_STATUS and DEV_WAIT, the `versions` of LIST_VERSIONS and
 * GET_TARGET_VERSION, the `message` of TARGET_MSG.
 */
export type Reply<C extends Command = Command, Row = TargetLine> = Header &
  ReplyPayload<Row>[(typeof COMMANDS)[C]['answers']];

/** What encodeReply is given behind the header. */
interface ReplyPayloadInput {
  none: unknown;
  devices: {
    readonly devices: readonly Pick<DeviceListEntry, 'name' | 'dev' | 'uuid' | 'eventNumber'>[];
  };
  deps: { readonly deps: readonly Pick<DeviceNumber, 'dev'>[] };
  targets: { readonly targets: readonly Target[] };
  versions: { readonly versions: readonly TargetVersion[] };
  message: { readonly message?: string | undefined };
}

/**
 * What encodeReply takes: header fields that are left out have the values that a kernel would send. What
 * the command answers stands besides; in `targets` a string is the kernel's text and stands as it is,
 * and a `message`, also an empty one, sets DM_DATA_OUT_FLAG.
 */
export type ReplyInput<C extends Command = Command> = Partial<Header> &
  ReplyPayloadInput[(typeof COMMANDS)[C]['answers']];

/** How a request's or a reply's values are told. */
export interface DecodeOptions<Wide extends boolean = boolean> {
  /** Sectors as bigint, which never fail on their size; as numbers they do, above 2^53 − 1. */
  readonly bigint?: Wide;
}

/** How parameters are told: as the kernel's text, the same with zeros for keys, or as bytes. */
export type ParametersAs = 'text' | 'zeroKeys' | 'bytes';

/** How a reply's values are told. */
export interface ReplyOptions<
  Wide extends boolean = boolean,
  As extends ParametersAs = ParametersAs,
> extends DecodeOptions<Wide> {
  /** 'text' if left out. What 'zeroKeys' hides never becomes a string. */
  readonly parameters?: As;
}

type SectorOf<Wide extends boolean> = Wide extends true ? bigint : number;
type RowOf<Wide extends boolean, As extends ParametersAs> = As extends 'bytes'
  ? TargetBytes<SectorOf<Wide>>
  : TargetLine<SectorOf<Wide>>;

/** The newest interface that this package knows, which encodeReply answers with. */
const NEWEST: Version = [4, 50, 0];

/** Where the module finds a header's name or uuid. */
interface Slot {
  readonly path: 'name' | 'uuid';
  readonly at: number;
  readonly size: number;
  /** What stands there, if it has as many bytes as characters: the next one is often the same. */
  text: string;
}

const utf8 = new TextEncoder();
const ascii = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * One instance of the Wasm module, with the views of its memory. The functions below share one that
 * the first call makes.
 */
export class Codec {
  readonly #module: Module;
  /** The control block, as an index of u32. */
  readonly #cells: number;
  readonly #name: Slot;
  readonly #uuid: Slot;
  /** Where reserve()'s memory begins. */
  readonly #base: number;
  /** Type names of the table being encoded: the first `#typeCount`. */
  readonly #types: string[] = [];
  #typeCount = 0;
  /** Their rows, once they are more than a few. */
  readonly #typeRows = new Map<string, number>();
  /** Is a parameter of it bytes? And how many words are there? */
  #hasBytes = false;
  #words = 0;
  readonly #typeNames = new TypeNames();
  /** Is there, or may there be, a key in the memory of the call at hand? */
  #secret = false;

  #u8 = new Uint8Array(0);
  #u32 = new Uint32Array(0);
  #f64 = new Float64Array(0);
  #u64 = new BigUint64Array(0);
  /** How much of it the call at hand asked for. */
  #used = 0;
  /** A header at #base, where most calls find theirs. */
  #header = new Uint8Array(0);

  /** @param wasm - the bytes of codec.wasm */
  constructor(wasm: Uint8Array<ArrayBuffer>) {
    // The loader's own `exports` are wrapped; these are the plain functions, and in an object of our own
    // they are found in less time.
    this.#module = { ...instantiateSync(wasm, {}).instance.exports } as unknown as Module;
    this.#cells = this.#module.controlBlock() >> 2;
    this.#name = { path: 'name', at: this.#module.nameSlot(), size: uapi.DM_NAME_LEN, text: '' };
    this.#uuid = { path: 'uuid', at: this.#module.uuidSlot(), size: uapi.DM_UUID_LEN, text: '' };
    this.#base = this.#module.reserve(4 * REPLY_SPACE);
    this.#view();
  }

  #view(): void {
    const { buffer } = this.#module.memory;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#u64 = new BigUint64Array(buffer);
    this.#header = this.#u8.subarray(this.#base, this.#base + HEADER_SIZE);
  }

  /** Have `bytes` above #base. Growing detaches every view. */
  #reserve(bytes: number): void {
    this.#used = Math.max(this.#used, bytes);
    if (this.#base + bytes + 8 <= this.#u8.length) return;
    if (bytes > 0x7fff0000 || this.#module.reserve(bytes) < 0) {
      throw new RangeError(`the codec cannot have ${bytes} bytes of memory`);
    }
    this.#view();
  }

  /** Has a call needed so much memory that it is better given back? Wasm memory never shrinks. */
  get isLarge(): boolean {
    return this.#u8.length > LARGE;
  }

  /** A call begins, and it is `secret` or may turn out to be. */
  #begin(secret: boolean): void {
    this.#secret = secret;
    this.#used = 0;
  }

  /** Overwrite what the call at hand wrote: there may be a key in it. */
  #wipe(): void {
    this.#u8.fill(0, this.#base, this.#base + Math.max(this.#used, HEADER_SIZE));
  }

  #cell(cell: number): number {
    return this.#u32[this.#cells + cell]!;
  }

  // ── Strings ────────────────────────────────────────────────────────────────────────────────────

  /** Write a text to its slot; a longer one only counts. @returns its bytes */
  #putSlot(slot: Slot, text: string): number {
    if (text === slot.text) return text.length;
    const { path, at, size } = slot;
    slot.text = '';
    const { length } = string(text, path);
    if (length <= size && this.#putAscii(at, text) >= 0) {
      slot.text = text;
      return length;
    }
    const bytes = toBytes(text, path);
    if (bytes.length <= size) this.#u8.set(bytes, at);
    return bytes.length;
  }

  /** A new text for a slot. */
  #fillSlot(slot: Slot, from: number, length: number): string {
    const text = this.#text(from, length);
    const isKept = text.length === length;
    if (isKept) this.#u8.copyWithin(slot.at, from, from + length);
    slot.text = isKept ? text : '';
    return text;
  }

  /** A text of no great length. */
  #text(from: number, length: number): string {
    if (length === 0) return '';
    const u8 = this.#u8;
    if (length <= 32) {
      let text = '';
      let i = 0;
      for (; i < length; i++) {
        const byte = u8[from + i]!;
        if (byte > 0x7f) break;
        text += String.fromCharCode(byte);
      }
      if (i === length) return text;
    }
    return textOf(u8.subarray(from, from + length));
  }

  // ── Headers ────────────────────────────────────────────────────────────────────────────────────

  #setHeader(header: Partial<Header>, version: Version): void {
    const { name, uuid, dev } = header;
    if (header.version !== undefined) {
      for (let i = 0; i < 3; i++) uint32(header.version[i]!, `version[${i}]`);
    }
    this.#setVersion(header.version ?? version);
    const nameLength = name === undefined ? 0 : this.#putSlot(this.#name, name);
    const uuidLength = uuid === undefined ? 0 : this.#putSlot(this.#uuid, uuid);
    const u32 = this.#u32;
    const cells = this.#cells;
    u32[cells + Cell.OPEN_COUNT] =
      header.openCount === undefined ? 0 : int32(header.openCount, 'openCount');
    u32[cells + Cell.FLAGS] = header.flags === undefined ? 0 : uint32(header.flags, 'flags');
    u32[cells + Cell.EVENT_NR] =
      header.eventNr === undefined ? 0 : uint32(header.eventNr, 'eventNr');
    u32[cells + Cell.PADDING] = 0;
    u32[cells + Cell.DEV_LOW] = 0;
    u32[cells + Cell.DEV_HIGH] = 0;
    if (dev !== undefined) {
      const number = whole(dev, 'dev', 'a device number');
      u32[cells + Cell.DEV_LOW] = number >>> 0;
      u32[cells + Cell.DEV_HIGH] = number / 0x100000000;
    }
    u32[cells + Cell.NAME_LENGTH] = nameLength;
    u32[cells + Cell.UUID_LENGTH] = uuidLength;
  }

  #setVersion(version: Version): void {
    const u32 = this.#u32;
    const cells = this.#cells;
    u32[cells + Cell.VERSION_MAJOR] = version[0];
    u32[cells + Cell.VERSION_MINOR] = version[1];
    u32[cells + Cell.VERSION_PATCH] = version[2];
  }

  /** The cells → HEADER_SIZE bytes at `out`. */
  #putHeader(out: number, dataSize: number, dataStart: number, targetCount: number): void {
    const u32 = this.#u32;
    const cells = this.#cells;
    u32[cells + Cell.DATA_SIZE] = dataSize;
    u32[cells + Cell.DATA_START] = dataStart;
    u32[cells + Cell.TARGET_COUNT] = targetCount;
    const status = this.#module.encodeHeader(out, HEADER_SIZE);
    if (status < 0) this.#refuse(status, undefined, 'targets');
  }

  /** The header that decodeHeader put into the cells; `same` is its answer. */
  #getHeader(same: number): Mutable<Header> {
    const u32 = this.#u32;
    const cells = this.#cells;
    const nameLength = u32[cells + Cell.NAME_LENGTH]!;
    const uuidLength = u32[cells + Cell.UUID_LENGTH]!;
    return {
      version: [
        u32[cells + Cell.VERSION_MAJOR]!,
        u32[cells + Cell.VERSION_MINOR]!,
        u32[cells + Cell.VERSION_PATCH]!,
      ],
      dataSize: u32[cells + Cell.DATA_SIZE]!,
      dataStart: u32[cells + Cell.DATA_START]!,
      targetCount: u32[cells + Cell.TARGET_COUNT]!,
      openCount: u32[cells + Cell.OPEN_COUNT]! | 0,
      flags: u32[cells + Cell.FLAGS]!,
      eventNr: u32[cells + Cell.EVENT_NR]!,
      dev: u32[cells + Cell.DEV_HIGH]! * 0x100000000 + u32[cells + Cell.DEV_LOW]!,
      name:
        (same & SAME_NAME) !== 0 && this.#name.text.length === nameLength
          ? this.#name.text
          : this.#fillSlot(this.#name, this.#base + HEADER_NAME, nameLength),
      uuid:
        (same & SAME_UUID) !== 0 && this.#uuid.text.length === uuidLength
          ? this.#uuid.text
          : this.#fillSlot(this.#uuid, this.#base + HEADER_UUID, uuidLength),
    };
  }

  /** Copy `bytes` in and decode their header into the cells. @returns SAME_…, or a Status below 0 */
  #openHeader(bytes: Uint8Array): number {
    const { length } = bytes;
    if (length <= HEADER_SIZE) this.#u8.set(bytes, this.#base);
    else this.#u8.set(bytes.subarray(0, HEADER_SIZE), this.#base);
    return this.#module.decodeHeader(this.#base, Math.min(length, HEADER_SIZE));
  }

  #refuseHeader(status: number, length: number, refuse: Refuse): never {
    switch (status) {
      case Status.HEADER_TRUNCATED:
        return refuse(
          length,
          `expected at least the ${HEADER_DATA} bytes of a header, got ${length}`,
        );
      case Status.NAME_UNTERMINATED:
        return refuse(HEADER_NAME, 'name has no NUL');
      case Status.UUID_UNTERMINATED:
        return refuse(HEADER_UUID, 'uuid has no NUL');
      case Status.DEV_TOO_LARGE:
        return refuse(HEADER_DEV, 'dev is above 2^53 - 1');
      default:
        throw new RangeError(INTERNAL);
    }
  }

  // ── Requests ───────────────────────────────────────────────────────────────────────────────────

  /** @see encodeRequest */
  encodeRequest<C extends Command>(command: C, request: Request<C>, into?: Uint8Array): Uint8Array {
    const { flags = 0 } = request;
    this.#begin(typeof flags === 'number' && (flags & uapi.DM_SECURE_DATA_FLAG) !== 0);
    try {
      return this.#encodeRequest(command, request, into);
    } finally {
      if (this.#secret) this.#wipe();
    }
  }

  #encodeRequest(command: Command, request: Request, into: Uint8Array | undefined): Uint8Array {
    const { sends, answers, needs } = known(command);
    const asked = request.dataSize;
    // VERSION is answered before data_size is looked at (dm-ioctl.c ctl_ioctl()): any will do there.
    const isFree = command === 'VERSION' && asked !== undefined && !isDataSize(asked);
    if (asked !== undefined && !isFree) dataSizeInRange(asked);
    let header: Partial<Header> = request;
    let out = this.#base;
    let used = HEADER_SIZE;
    let least: number = HEADER_DATA;
    let count = request.targetCount === undefined ? 0 : uint32(request.targetCount, 'targetCount');
    // The payload goes first: encoding it may grow the memory, and with it all views.
    if (sends !== 'none') {
      const chain = this.#putPayload(sends, request);
      out = chain.out;
      used += chain.size;
      // The padding behind the last string may be left out.
      least = HEADER_SIZE + (chain.end ?? chain.size);
      if (sends === 'targets') ({ count } = chain);
      if (sends === 'rename' && (request as Request<'DEV_RENAME'>).newUuid !== undefined) {
        header = {
          ...request,
          flags: (uint32(request.flags ?? 0, 'flags') | uapi.DM_UUID_FLAG) >>> 0,
        };
      }
    }
    this.#setHeader(header, needs);
    const dataSize = asked ?? (answers === 'none' ? used : Math.max(used, REPLY_SPACE));
    if (dataSize < least && !isFree) {
      throw new InputError(
        { path: 'dataSize' },
        `expected at least ${least} bytes, got ${dataSize}`,
      );
    }
    const dataStart =
      request.dataStart === undefined ? HEADER_SIZE : uint32(request.dataStart, 'dataStart');
    const gap = sends === 'none' ? 0 : dataStart - HEADER_SIZE;
    if (gap !== 0 && (gap < HEADER_DATA - HEADER_SIZE || gap > dataSize - least)) {
      throw new InputError(
        { path: 'dataStart' },
        `expected ${HEADER_DATA} to ${dataSize - least + HEADER_SIZE}, got ${dataStart}`,
      );
    }
    this.#putHeader(out, dataSize, dataStart, count);
    const bytes = this.#copyOut(out, used, isFree ? HEADER_SIZE : dataSize, into);
    if (gap !== 0) {
      bytes.copyWithin(dataStart, HEADER_SIZE, used);
      if (gap > 0) bytes.fill(0, HEADER_SIZE, dataStart);
      else bytes.fill(0, used + gap, used);
    }
    if (request.extra !== undefined) putExtra(bytes, request.extra);
    return bytes;
  }

  /** What goes behind the header of a request. */
  #putPayload(sends: Exclude<keyof RequestPayload, 'none'>, request: Request): Chain {
    switch (sends) {
      case 'targets': {
        const { targets } = request as Request<'TABLE_LOAD'>;
        return typeof targets === 'string' ? this.#putText(targets) : this.#putTargets(targets);
      }
      case 'rename':
        return this.#putRename(request as Request<'DEV_RENAME'>);
      case 'geometry':
        return this.#putGeometry((request as Request<'DEV_SET_GEOMETRY'>).geometry);
      case 'message':
        return this.#putMessage(request as Request<'TARGET_MSG'>);
    }
  }

  #putRename({ newName, newUuid }: Request<'DEV_RENAME'>): Chain {
    if ((newName === undefined) === (newUuid === undefined)) {
      throw new InputError({ path: 'newName' }, 'expected exactly one of newName and newUuid');
    }
    return newName === undefined
      ? this.#putString(newUuid, 'newUuid', 'DM_UUID_LEN', uapi.DM_UUID_LEN)
      : this.#putString(newName, 'newName', 'DM_NAME_LEN', uapi.DM_NAME_LEN);
  }

  #putGeometry(geometry: Geometry): Chain {
    if (typeof geometry !== 'object' || (geometry as unknown) === null) {
      throw new InputError({ path: 'geometry' }, `expected a geometry, got ${show(geometry)}`);
    }
    const { cylinders, heads, sectors, start } = geometry;
    const numbers = [
      atMost(cylinders, 0xffff, 'geometry.cylinders'),
      atMost(heads, 0xff, 'geometry.heads'),
      atMost(sectors, 0xff, 'geometry.sectors'),
      sectorOf(start, 'geometry.start'),
    ];
    return this.#putString(numbers.join(' '), 'geometry', '', 64);
  }

  /** A lone string and its NUL, `size` bytes at the most. */
  #putString(value: unknown, path: string, limit: string, size: number): Chain {
    const bytes = toBytes(string(value, path), path);
    const { length } = bytes;
    const text = this.#base;
    const out = align8(text + length + 8);
    this.#reserve(out - text + HEADER_SIZE + length + 1);
    this.#u8.set(bytes, text);
    const end = this.#module.encodeString(out + HEADER_SIZE, length + 1, text, length, size - 1);
    switch (end) {
      case Status.TEXT_EMPTY:
        throw new InputError({ path }, 'expected a text, got ""');
      case Status.TEXT_TOO_LONG:
        throw tooLong(path, length, limit, size);
      case Status.TEXT_HAS_NUL:
        throw new InputError({ path }, HAS_NUL);
    }
    if (end < 0) throw new RangeError(INTERNAL);
    return { out, size: end, count: 0 };
  }

  #putMessage({ message, sector = 0 }: Request<'TARGET_MSG'>): Chain {
    const words = Array.isArray(message) ? (message as readonly Parameter[]) : undefined;
    const whole = words ?? [message as string | Uint8Array];
    if (whole.length === 0) throw new InputError({ path: 'message' }, 'expected at least one word');
    if (words === undefined && typeof message !== 'string' && !(message instanceof Uint8Array)) {
      throw new InputError(
        { path: 'message' },
        `expected a text, an array or bytes, got ${show(message)}`,
      );
    }
    this.#secret ||= whole.some((word) => word instanceof Uint8Array);
    const pathOf = (word: number): string => (words === undefined ? 'message' : `message[${word}]`);
    const number = BigInt(sectorOf(sector, 'sector'));
    const parts = whole.map((word, i) => wordBytes(word, pathOf(i), pathOf(i)));
    try {
      const length = parts.reduce((sum, part) => sum + part.length, parts.length - 1);
      const text = this.#base;
      const out = align8(text + length + 8);
      const room = TARGET_MSG_TEXT + 2 * length + 1;
      this.#reserve(out - text + HEADER_SIZE + room);
      let to = text;
      for (const part of parts) {
        if (to > text) this.#u8[to++] = 0;
        this.#u8.set(part, to);
        to += part.length;
      }
      const size = this.#module.encodeMessage(
        out + HEADER_SIZE,
        room,
        text,
        length,
        words === undefined ? 0 : words.length,
        Number(number & 0xffffffffn),
        Number(number >> 32n),
      );
      if (size >= 0) return { out, size, count: 0 };
      const nul = words === undefined ? -1 : wordWithNul(words);
      if (nul >= 0) throw new InputError({ path: pathOf(nul) }, HAS_NUL);
      const path = pathOf(this.#cell(Cell.FAIL_WORD));
      throw new InputError({ path }, parameterProblem(size));
    } finally {
      // Copies that we made of texts; what was given as bytes is its owner's to wipe.
      parts.forEach((part, i) => {
        if (this.#secret && part !== whole[i]) part.fill(0);
      });
    }
  }

  /** `used` bytes at `out`, and zeros up to `size`. */
  #copyOut(out: number, used: number, size: number, into?: Uint8Array): Uint8Array {
    const header = out === this.#base && used === HEADER_SIZE && size >= used;
    const bytes = header ? this.#header : this.#u8.subarray(out, out + Math.min(used, size));
    if (into === undefined) {
      if (size === bytes.length) return bytes.slice();
      const fresh = new Uint8Array(size);
      fresh.set(bytes);
      return fresh;
    }
    if (into.length < size) {
      throw new InputError({ path: 'into' }, `expected room for ${size} bytes, got ${into.length}`);
    }
    into.set(bytes);
    if (size > bytes.length) into.fill(0, bytes.length, size);
    return into.length === size ? into : into.subarray(0, size);
  }

  /** A table as text → its chain, HEADER_SIZE behind `out`. */
  #putText(text: string): Chain {
    this.#secret ||= holdsSecrets(text);
    // And the line feed that ends the last line.
    const worst = 3 * text.length + 1;
    this.#reserve(worst + 8);
    const from = this.#base;
    let { written } = utf8.encodeInto(text, this.#u8.subarray(from, from + worst));
    if (written !== text.length && LONE_SURROGATE.test(text)) {
      const bytes = toBytes(text, 'targets');
      this.#u8.set(bytes, from);
      written = bytes.length;
    }
    this.#u8[from + written++] = LINE_FEED;
    const out = align8(from + written + 8);
    const encode = (targets: number): number => {
      const room = tableCapacity(targets, written);
      this.#reserve(out - from + HEADER_SIZE + room);
      return this.#module.encodeText(out + HEADER_SIZE, room, from, written);
    };
    let size = encode(likelyLines(written));
    if (size === (Status.OUTPUT_TOO_SMALL as number)) size = encode(mostLines(written));
    if (size < 0) {
      const offset = this.#cell(Cell.FAIL_OFFSET);
      throw lineError(text, textOf(this.#u8.subarray(from, from + offset)).length, size);
    }
    const count = this.#cell(Cell.COUNT);
    if (count === 0) throw new InputError({ path: 'targets' }, 'expected at least one target');
    return { out, size, count };
  }

  /** Targets → their chain, HEADER_SIZE behind `out`. In a reply, strings are the kernel's text. */
  #putTargets(targets: readonly Target[], reply = false): Chain {
    if (!Array.isArray(targets)) {
      throw new InputError(
        { path: 'targets' },
        `expected an array or a text, got ${show(targets)}`,
      );
    }
    const count = targets.length;
    if (count === 0) {
      if (reply) return { out: this.#base, size: 0, count };
      throw new InputError({ path: 'targets' }, 'expected at least one target');
    }
    if (count > uapi.DM_MAX_TARGETS) {
      throw new InputError(
        { path: 'targets' },
        `expected at most ${uapi.DM_MAX_TARGETS} targets, got ${count}`,
      );
    }
    const records = align8(this.#base);
    this.#reserve(records - this.#base + count * TARGET_RECORD_SIZE + 8);

    const line = reply ? Parameters.BYTES : Parameters.LINE;
    this.#beginTable();
    const u32 = this.#u32;
    let type = '';
    let lineOfType = 0;
    let text = '';
    let at32 = records >> 2;
    for (let i = 0; i < count; i++, at32 += TARGET_RECORD_SIZE / 4) {
      const target = (targets as readonly Target[])[i]!;
      if (typeof target !== 'object' || (target as unknown) === null) notATarget(target, i);
      const { startSector, length, parameters } = target;
      if (target.type !== type || i === 0) {
        ({ type } = target);
        if (typeof type !== 'string') string(type, `targets[${i}].type`);
        lineOfType = (this.#rowOf(type) << TYPE_SHIFT) | line;
      }
      let kind = lineOfType;
      if (isSmall(startSector)) {
        u32[at32] = startSector;
        u32[at32 + 1] = 0;
      } else kind |= this.#putSector(at32, startSector, FLOAT_START, i, 'startSector');
      if (isSmall(length)) {
        u32[at32 + 2] = length;
        u32[at32 + 3] = 0;
      } else kind |= this.#putSector(at32 + 2, length, FLOAT_LENGTH, i, 'length');
      if (typeof parameters === 'string') {
        text += parameters;
        u32[at32 + 4] = parameters.length;
      } else {
        const own = this.#textOf(parameters, i);
        text += own;
        u32[at32 + 4] = own.length;
        kind = (kind & ~3) | (isWords(parameters) ? Parameters.WORDS : Parameters.BYTES);
      }
      u32[at32 + 5] = kind;
    }

    const typesAt = records + count * TARGET_RECORD_SIZE;
    const textAt = typesAt + this.#typeCount * uapi.DM_MAX_TYPE_NAME;
    // As much as there is if it is ASCII, and more only if it is not.
    let textLength = -1;
    if (!this.#hasBytes) {
      this.#reserve(textAt - this.#base + text.length + 8);
      textLength = this.#putAscii(textAt, text);
    }
    if (textLength < 0) {
      const worst = this.#hasBytes ? worstBytes(targets) : 3 * text.length;
      this.#reserve(textAt - this.#base + worst + 8);
      textLength = this.#putTexts(textAt, targets, records);
    }
    const out = align8(textAt + textLength + 8);
    const room = tableCapacity(count, textLength);
    this.#reserve(out - this.#base + HEADER_SIZE + room);
    this.#putTypes(typesAt, targets);

    const size = this.#module.encodeTable(
      out + HEADER_SIZE,
      room,
      records,
      count,
      typesAt,
      this.#typeCount,
      textAt,
      textLength,
      reply,
    );
    if (size < 0) this.#refuse(size, targets, 'targets');
    if (this.#cell(Cell.COUNT) !== this.#words) refuseNul(targets);
    return { out, size, count, end: this.#cell(Cell.END) };
  }

  #beginTable(): void {
    this.#typeCount = 0;
    if (this.#typeRows.size > 0) this.#typeRows.clear();
    this.#hasBytes = false;
    this.#words = 0;
  }

  /** The row of a type's name in the table of types. */
  #rowOf(type: string): number {
    const types = this.#types;
    const row = this.#typeCount;
    if (row > FEW_TYPES) {
      const known = this.#typeRows.get(type);
      if (known !== undefined) return known;
      this.#typeRows.set(type, row);
    } else {
      for (let known = 0; known < row; known++) if (types[known] === type) return known;
    }
    types[row] = type;
    this.#typeCount++;
    if (row === FEW_TYPES) {
      for (let i = 0; i <= row; i++) this.#typeRows.set(types[i]!, i);
    }
    this.#secret ||= holdsKeys(type);
    return row;
  }

  /** The text of parameters that are none: of words all of it that is no bytes, with a NUL between two. */
  #textOf(parameters: Exclude<Target['parameters'], string>, target: number): string {
    if (parameters instanceof Uint8Array) {
      this.#hasBytes = this.#secret = true;
      return '';
    }
    if (!Array.isArray(parameters)) {
      throw new InputError(
        { path: `targets[${target}].parameters` },
        `expected an array, a text or bytes, got ${show(parameters)}`,
      );
    }
    const words = parameters as readonly Parameter[];
    let text = '';
    for (let word = 0; word < words.length; word++) {
      if (word > 0) text += '\0';
      const value = words[word]!;
      if (typeof value === 'string') text += value;
      else if (value instanceof Uint8Array) this.#hasBytes = this.#secret = true;
      else text += numberWord(value, target, word);
    }
    this.#words += words.length;
    return text;
  }

  /** What is no small number: a bigint, or a double that the module checks. @returns its flag for that */
  #putSector(at32: number, value: unknown, flag: number, target: number, field: string): number {
    if (typeof value === 'number') {
      this.#f64[at32 >> 1] = value;
      return flag;
    }
    if (typeof value !== 'bigint' || value < 0n || value > 0xffffffffffffffffn) {
      throw new InputError({ path: `targets[${target}].${field}` }, notASector(value));
    }
    this.#u64[at32 >> 1] = value;
    return 0;
  }

  /** The distinct type names, a row of 16 bytes each; one that is too long fills its row. */
  #putTypes(at: number, targets: readonly Target[]): void {
    const u8 = this.#u8;
    let row = at;
    for (let i = 0; i < this.#typeCount; i++, row += uapi.DM_MAX_TYPE_NAME) {
      const type = this.#types[i]!;
      let isPlain = true;
      for (let at = 0; at < uapi.DM_MAX_TYPE_NAME; at++) {
        const unit = at < type.length ? type.charCodeAt(at) : 0;
        u8[row + at] = unit;
        if (unit > 0x7f || (unit === 0 && at < type.length)) isPlain = false;
      }
      if (!isPlain) this.#putType(row, type, targets);
    }
  }

  /** A type name that is not ASCII, or has a NUL in it, which in its row were nothing but padding. */
  #putType(row: number, type: string, targets: readonly Target[]): void {
    const path = `targets[${targets.findIndex((target) => target.type === type)}].type`;
    if (type.includes('\0')) throw new InputError({ path }, HAS_NUL);
    this.#u8.fill(0, row, row + uapi.DM_MAX_TYPE_NAME);
    this.#u8.set(toBytes(type, path).subarray(0, uapi.DM_MAX_TYPE_NAME), row);
  }

  /** All texts at once, if they are ASCII; -1 if not. */
  #putAscii(at: number, text: string): number {
    const { length } = text;
    const u8 = this.#u8;
    if (length <= SHORT) {
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        u8[at + i] = unit;
      }
      return i === length ? length : -1;
    }
    const { read, written } = utf8.encodeInto(text, u8.subarray(at, at + length));
    return read === length && written === length ? length : -1;
  }

  /** The texts one by one, with what is not ASCII or was given as bytes; their lengths are set anew. */
  #putTexts(at: number, targets: readonly Target[], records: number): number {
    const u8 = this.#u8;
    let to = at;
    const put = (value: string | Uint8Array, path: () => string): void => {
      const bytes = typeof value === 'string' ? toBytes(value, path) : value;
      u8.set(bytes, to);
      to += bytes.length;
    };
    targets.forEach(({ parameters }, i) => {
      const from = to;
      if (typeof parameters === 'string' || parameters instanceof Uint8Array) {
        put(parameters, () => `targets[${i}].parameters`);
      } else {
        parameters.forEach((value, word) => {
          if (word > 0) u8[to++] = 0;
          put(
            typeof value === 'string' || value instanceof Uint8Array ? value : String(value),
            () => `targets[${i}].parameters[${word}]`,
          );
        });
      }
      this.#u32[(records + i * TARGET_RECORD_SIZE + 16) >> 2] = to - from;
    });
    return to - at;
  }

  /** @see decodeRequest */
  decodeRequest<C extends Command, Wide extends boolean = false>(
    command: C,
    bytes: Uint8Array,
    { bigint = false as Wide }: DecodeOptions<Wide> = {},
  ): DecodedRequest<C, SectorOf<Wide>> {
    const { sends } = known(command);
    try {
      const request = this.#decodeRequest(command, bytes, bigint);
      const extra = this.#extraOf(command, request, bytes);
      const whole = extra.length === 0 ? request : { ...request, extra };
      return whole as unknown as DecodedRequest<C, SectorOf<Wide>>;
    } finally {
      // Nothing says whether there is a key in it.
      if (sends === 'targets' || sends === 'message') this.#wipe();
    }
  }

  /** In what `bytes` differ from what their values encode to; room for an answer is not looked at. */
  #extraOf(command: Command, request: Header, bytes: Uint8Array): Extra[] {
    const { sends, needs } = COMMANDS[command];
    let again: Uint8Array = this.#header;
    try {
      if (sends === 'none') {
        this.#setHeader(request, needs);
        this.#putHeader(this.#base, request.dataSize, request.dataStart, request.targetCount);
      } else {
        again = this.#encodeRequest(command, request, undefined);
      }
    } catch (error) {
      // A kernel may refuse it as well, or nothing but what we refuse (an empty type) is wrong with it.
      if (error instanceof InputError) return [];
      throw error;
    }
    const extra: Extra[] = [];
    const end = Math.min(again.length, bytes.length);
    for (let at = 0; at < end; at++) {
      if (again[at] === bytes[at]) continue;
      const offset = at;
      while (at < end && again[at] !== bytes[at]) at++;
      extra.push({ offset, bytes: bytes.slice(offset, at) });
    }
    return extra;
  }

  #decodeRequest(command: Command, bytes: Uint8Array, wide: boolean): Header {
    const refuse = (offset: number, problem: string): never => {
      throw new InputError({ offset }, `DM_${command} request: ${problem}`);
    };
    const { sends } = COMMANDS[command];
    const status = this.#openHeader(bytes);
    if (status < 0) this.#refuseHeader(status, bytes.length, refuse);
    const request = this.#getHeader(status);
    const { dataSize, dataStart, targetCount, flags } = request;
    // VERSION is answered before data_size is looked at (dm-ioctl.c ctl_ioctl()).
    if (command !== 'VERSION') {
      if (dataSize < HEADER_DATA) {
        refuse(
          HEADER_DATA_SIZE,
          `data_size is ${dataSize}, less than the ${HEADER_DATA} of a header`,
        );
      }
      if (dataSize > bytes.length) {
        refuse(
          HEADER_DATA_SIZE,
          `data_size is ${dataSize}, past the buffer's end at ${bytes.length}`,
        );
      }
    }
    if (sends === 'none') return request;
    // What the kernel itself asks for: of a table the room of a spec (dm-ioctl.c populate_table()).
    if (dataStart < (sends === 'targets' ? SPEC_SIZE : HEADER_DATA)) {
      refuse(HEADER_DATA_START, `data_start is ${dataStart}, inside the header`);
    }
    if (dataStart > dataSize) {
      refuse(
        HEADER_DATA_START,
        `data_start is ${dataStart}, past the request's end at ${dataSize}`,
      );
    }
    if (sends === 'targets') {
      const how = { reply: false, full: false, wide };
      const table = this.#openTable(bytes, dataSize, dataStart, targetCount, refuse, how);
      return { ...request, targets: this.#bytesRows(table) } as Header;
    }
    this.#putBuffer(bytes, dataSize);
    if (sends === 'message') {
      const length = this.#module.decodeMessage(this.#base, dataSize, dataStart);
      if (length < 0) this.#refuseString(length, 'message', dataSize, refuse);
      const high = this.#cell(Cell.DEV_HIGH);
      const low = this.#cell(Cell.DEV_LOW);
      if (!wide && high > 0x1fffff) {
        refuse(dataStart, 'a sector above 2^53 - 1; { bigint: true } decodes it');
      }
      const sector = wide ? (BigInt(high) << 32n) | BigInt(low) : high * 0x100000000 + low;
      const from = this.#base + dataStart + TARGET_MSG_TEXT;
      return { ...request, sector, message: this.#u8.slice(from, from + length) } as Header;
    }
    const length = this.#module.decodeString(this.#base, dataSize, dataStart);
    if (length < 0) {
      this.#refuseString(length, sends === 'rename' ? 'the new name' : sends, dataSize, refuse);
    }
    const text = this.#text(this.#base + dataStart, length);
    if (sends === 'geometry') {
      const geometry = geometryOf(text);
      if (geometry === undefined) {
        return refuse(dataStart, `expected four whole numbers, got ${show(text)}`);
      }
      return { ...request, geometry } as Header;
    }
    const isUuid = (flags & uapi.DM_UUID_FLAG) !== 0;
    const limit = isUuid ? uapi.DM_UUID_LEN : uapi.DM_NAME_LEN;
    if (length === 0 || length >= limit) {
      refuse(dataStart, `expected 1 to ${limit - 1} bytes, got ${length}`);
    }
    return { ...request, ...(isUuid ? { newUuid: text } : { newName: text }) };
  }

  /** The first `length` bytes of a buffer, copied in at #base. */
  #putBuffer(bytes: Uint8Array, length: number): void {
    this.#reserve(length + 8);
    this.#u8.set(bytes.length === length ? bytes : bytes.subarray(0, length), this.#base);
  }

  #refuseString(status: number, what: string, end: number, refuse: Refuse): never {
    const offset = this.#cell(Cell.FAIL_OFFSET);
    switch (status) {
      case Status.RECORD_TRUNCATED:
        return refuse(offset, `${what} is cut off at ${end}`);
      case Status.TEXT_UNTERMINATED:
        return refuse(offset, `${what} has no NUL before the end at ${end}`);
      default:
        throw new RangeError(INTERNAL);
    }
  }

  // ── Replies ────────────────────────────────────────────────────────────────────────────────────

  /** @see encodeReply */
  encodeReply<C extends Command>(command: C, reply: ReplyInput<C>): Uint8Array {
    const { answers } = known(command);
    this.#begin(false);
    try {
      return this.#encodeReply(answers, reply);
    } finally {
      if (this.#secret) this.#wipe();
    }
  }

  #encodeReply(answers: keyof ReplyPayloadInput, reply: ReplyInput): Uint8Array {
    let header: Partial<Header> = reply;
    let chain: Chain = { out: this.#base, size: 0, count: 0 };
    let end = 0;
    // Of an empty list the kernel answers 312 (dm-ioctl.c list_devices()).
    let present = answers !== 'none';
    switch (answers) {
      case 'targets':
        chain = this.#putTargets((reply as ReplyInput<'TABLE_STATUS'>).targets, true);
        present = chain.count > 0;
        // The kernel leaves the padding behind the last string out of data_size.
        if (present) end = this.#cell(Cell.END);
        break;
      case 'devices': {
        const { devices } = reply as ReplyInput<'LIST_DEVICES'>;
        chain = this.#putDevices(devices, (reply.version ?? NEWEST)[1]);
        end = chain.size;
        break;
      }
      case 'deps':
        chain = this.#putDependencies((reply as ReplyInput<'TABLE_DEPS'>).deps);
        end = chain.size;
        break;
      case 'versions':
        chain = this.#putVersions((reply as ReplyInput<'LIST_VERSIONS'>).versions);
        end = this.#cell(Cell.END);
        break;
      case 'message': {
        const { message } = reply as ReplyInput<'TARGET_MSG'>;
        present = message !== undefined;
        if (message === undefined) break;
        const flags = (uint32(reply.flags ?? 0, 'flags') | uapi.DM_DATA_OUT_FLAG) >>> 0;
        header = { ...reply, flags };
        // The kernel may answer nothing and say that it did.
        if (message === '') chain = this.#putNothing();
        else chain = this.#putString(message, 'message', 'data_size', uapi.DM_MAX_DATA_SIZE);
        end = chain.size;
      }
    }
    const { out, size, count } = chain;
    this.#setHeader(header, NEWEST);
    const least = present ? HEADER_SIZE + end : HEADER_DATA;
    const dataSize = reply.dataSize === undefined ? least : uint32(reply.dataSize, 'dataSize');
    const dataStart =
      reply.dataStart === undefined ? HEADER_SIZE : uint32(reply.dataStart, 'dataStart');
    const targets =
      reply.targetCount === undefined && answers === 'targets'
        ? count
        : uint32(reply.targetCount ?? 0, 'targetCount');
    this.#putHeader(out, dataSize, dataStart, targets);
    return this.#copyOut(out, HEADER_SIZE + size, least);
  }

  /** An empty string. */
  #putNothing(): Chain {
    const out = align8(this.#base);
    this.#reserve(out - this.#base + HEADER_SIZE + 8);
    this.#u8[out + HEADER_SIZE] = 0;
    return { out, size: 1, count: 0 };
  }

  #putVersions(versions: ReplyInput<'LIST_VERSIONS'>['versions']): Chain {
    const names = versions.map(({ name }, i) => toBytes(name, `versions[${i}].name`));
    const textLength = names.reduce((sum, { length }) => sum + length, 0);
    const count = versions.length;
    const records = align8(this.#base);
    const text = records + count * VERSION_RECORD_SIZE;
    const out = align8(text + textLength + 8);
    const room = count * VERSION_SIZE_LEAST + textLength;
    this.#reserve(out - this.#base + HEADER_SIZE + room);
    let to = text;
    versions.forEach(({ version }, i) => {
      const at = (records + i * VERSION_RECORD_SIZE) >> 2;
      for (let part = 0; part < 3; part++) {
        this.#u32[at + part] = uint32(version[part]!, `versions[${i}].version[${part}]`);
      }
      const bytes = names[i]!;
      this.#u32[at + 3] = bytes.length;
      this.#u8.set(bytes, to);
      to += bytes.length;
    });
    const at = out + HEADER_SIZE;
    const size = this.#module.encodeVersions(at, room, records, count, text, textLength);
    if (size < 0) this.#refuse(size, undefined, 'versions');
    return { out, size, count };
  }

  #putDevices(devices: ReplyInput<'LIST_DEVICES'>['devices'], minor: number): Chain {
    const names = devices.map(({ name }, i) => toBytes(name, `devices[${i}].name`));
    const uuids = devices.map(({ uuid = '' }, i) => toBytes(uuid, `devices[${i}].uuid`));
    const textLength = [...names, ...uuids].reduce((sum, { length }) => sum + length, 0);
    const records = align8(this.#base);
    const text = records + devices.length * DEVICE_RECORD_SIZE;
    const out = align8(text + textLength + 8);
    const room = devices.length * 48 + textLength + 8;
    this.#reserve(out - this.#base + HEADER_SIZE + room);
    let to = text;
    devices.forEach(({ dev, uuid, eventNumber = 0 }, i) => {
      const number = whole(dev, `devices[${i}].dev`, 'a device number');
      const at = (records + i * DEVICE_RECORD_SIZE) >> 2;
      this.#u32[at] = number >>> 0;
      this.#u32[at + 1] = number / 0x100000000;
      this.#u32[at + 2] = names[i]!.length;
      this.#u32[at + 3] = uuids[i]!.length;
      this.#u32[at + 4] = uint32(eventNumber, `devices[${i}].eventNumber`);
      this.#u32[at + 5] =
        uuid === undefined
          ? 0
          : uuid === ''
            ? uapi.DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID
            : uapi.DM_NAME_LIST_FLAG_HAS_UUID;
      for (const bytes of [names[i]!, uuids[i]!]) {
        this.#u8.set(bytes, to);
        to += bytes.length;
      }
    });
    const count = devices.length;
    const size = this.#module.encodeDevices(
      out + HEADER_SIZE,
      room,
      records,
      count,
      text,
      textLength,
      minor,
    );
    if (size < 0) this.#refuse(size, undefined, 'devices');
    return { out, size, count };
  }

  #putDependencies(deps: ReplyInput<'TABLE_DEPS'>['deps']): Chain {
    const count = deps.length;
    const devs = align8(this.#base);
    const out = devs + 8 * count;
    const room = DEPS_SIZE + 8 * count;
    this.#reserve(out - this.#base + HEADER_SIZE + room);
    deps.forEach(({ dev }, i) => {
      this.#u64[(devs >> 3) + i] = BigInt(whole(dev, `deps[${i}].dev`, 'a device number'));
    });
    const size = this.#module.encodeDependencies(out + HEADER_SIZE, room, devs, count);
    if (size < 0) this.#refuse(size, undefined, 'deps');
    return { out, size, count };
  }

  /** @see decodeReply */
  decodeReply<C extends Command, Wide extends boolean = false, As extends ParametersAs = 'text'>(
    command: C,
    bytes: Uint8Array,
    options?: ReplyOptions<Wide, As>,
  ): Reply<C, RowOf<Wide, As>> {
    const { answers } = known(command);
    const parameters = options?.parameters ?? 'text';
    if (parameters !== 'text' && parameters !== 'zeroKeys' && parameters !== 'bytes') {
      throw new InputError(
        { path: 'parameters' },
        `expected 'text', 'zeroKeys' or 'bytes', got ${show(parameters)}`,
      );
    }
    const status = this.#openHeader(bytes);
    if (status < 0) this.#refuseHeader(status, bytes.length, refusing(command, bytes));
    const reply = this.#getHeader(status);
    if (answers === 'none') return reply as Reply<C, RowOf<Wide, As>>;
    this.#begin(parameters !== 'text');
    try {
      const refuse = refusing(command, bytes);
      const wide = options?.bigint ?? false;
      const whole = this.#decodePayload(bytes, reply, answers, refuse, wide, parameters);
      return whole as Reply<C, RowOf<Wide, As>>;
    } finally {
      if (this.#secret) this.#wipe();
    }
  }

  /** Apart, so that a reply that has none is not held up by what it does not need. */
  #decodePayload(
    bytes: Uint8Array,
    reply: Header,
    answers: Exclude<Payload, 'none'>,
    refuse: Refuse,
    wide: boolean,
    parameters: ParametersAs,
  ): Header {
    const { dataSize, dataStart, targetCount, version } = reply;
    if (dataSize < HEADER_DATA) {
      refuse(
        HEADER_DATA_SIZE,
        `data_size is ${dataSize}, less than the ${HEADER_DATA} of a header`,
      );
    }
    // 5.10 may answer a data_size beyond the buffer, and means that it was full.
    const full = (reply.flags & uapi.DM_BUFFER_FULL_FLAG) !== 0 || dataSize > bytes.length;
    const valid = Math.min(dataSize, bytes.length);
    const empty = valid <= dataStart || valid <= HEADER_SIZE;
    if (answers === 'message' && (full || (reply.flags & uapi.DM_DATA_OUT_FLAG) === 0)) {
      return { ...reply, message: undefined } as Header;
    }
    if (!empty && dataStart < HEADER_DATA) {
      refuse(HEADER_DATA_START, `data_start is ${dataStart}, inside the header`);
    }
    if (answers === 'message') {
      const message = empty ? undefined : this.#getString(bytes, valid, dataStart, refuse);
      return { ...reply, message } as Header;
    }
    if (answers === 'versions') {
      const versions = empty ? [] : this.#getVersions(bytes, valid, dataStart, refuse);
      return { ...reply, versions } as Header;
    }
    if (answers === 'devices') {
      const devices = empty ? [] : this.#getDevices(bytes, valid, dataStart, version[1], refuse);
      return { ...reply, devices } as Header;
    }
    if (answers === 'deps') {
      const deps = empty ? [] : this.#getDependencies(bytes, valid, dataStart, refuse);
      return { ...reply, deps } as Header;
    }
    if (empty && targetCount > 0 && !full) {
      refuse(HEADER_TARGET_COUNT, `target_count is ${targetCount}, but there is no payload`);
    }
    const targets = empty
      ? []
      : this.#getLines(bytes, valid, dataStart, targetCount, refuse, {
          full,
          wide,
          parameters,
        });
    return { ...reply, targets } as Header;
  }

  /** The packed texts of a decode at `text`. */
  #texts(text: number): Texts {
    const packed = this.#u8.subarray(text, text + this.#cell(Cell.TEXT_LENGTH));
    return new Texts(packed, this.#cell(Cell.NOT_ASCII) === 0);
  }

  #getLines(
    bytes: Uint8Array,
    valid: number,
    dataStart: number,
    count: number,
    refuse: Refuse,
    { full, wide, parameters }: { full: boolean; wide: boolean; parameters: ParametersAs },
  ): (TargetLine<number | bigint> | TargetBytes<number | bigint>)[] {
    const table = this.#openTable(bytes, valid, dataStart, count, refuse, {
      reply: true,
      full,
      wide,
    });
    if (parameters === 'bytes') return this.#bytesRows(table);
    if (parameters === 'zeroKeys') this.#zeroKeys(table);
    const texts = this.#texts(table.text);
    if (!wide) return this.#numberLines(table, texts);
    return this.#rows(
      table,
      (start, length, type, from, to) => new Line(start, length, type, texts.cut(from, to)),
    );
  }

  /** The rows of nearly every table: a function called for each, as below, would double its time. */
  #numberLines({ rows, index }: OpenTable, texts: Texts): Line[] {
    const u32 = this.#u32;
    const f64 = this.#f64;
    const lines = new Array<Line>(rows);
    let typeAt = -1;
    let type = '';
    let from = 0;
    for (let i = 0, at64 = index >> 3; i < rows; i++, at64 += TARGET_INDEX_SIZE / 8) {
      const at = u32[2 * at64 + 5]!;
      if (at !== typeAt) type = this.#typeName((typeAt = at));
      const to = u32[2 * at64 + 4]!;
      lines[i] = new Line(f64[at64]!, f64[at64 + 1]!, type, texts.cut(from, to));
      from = to;
    }
    return lines;
  }

  #bytesRows(table: OpenTable): TargetBytes<number | bigint>[] {
    return this.#rows(table, (startSector, length, type, from, to) => ({
      startSector,
      length,
      type,
      parameters: this.#u8.slice(table.text + from, table.text + to),
    }));
  }

  /** Zeros for the keys in the packed texts, before they are told. */
  #zeroKeys(table: OpenTable): void {
    this.#rows(table, (_, __, type, from, to) => {
      if (holdsKeys(type)) zeroKeys(type, this.#u8.subarray(table.text + from, table.text + to));
    });
  }

  /** Copy a buffer in and index its chain of specs. */
  #openTable(
    bytes: Uint8Array,
    valid: number,
    dataStart: number,
    count: number,
    refuse: Refuse,
    { reply, full, wide }: { reply: boolean; full: boolean; wide: boolean },
  ): OpenTable {
    // No spec is smaller than its struct and a NUL: a count that lies cannot ask for more memory.
    const most = Math.min(count, Math.ceil(valid / (SPEC_SIZE + 1)));
    const buffer = this.#base;
    const index = align8(buffer + valid + 8);
    const text = align8(index + most * TARGET_INDEX_SIZE + 8);
    this.#reserve(text + valid + 8 - buffer);
    this.#u8.set(bytes.length === valid ? bytes : bytes.subarray(0, valid), buffer);
    const rows = this.#module.decodeTable(
      buffer,
      valid,
      dataStart,
      count,
      index,
      most,
      text,
      valid,
      reply,
      full,
      wide,
    );
    const whose = reply ? 'reply' : 'request';
    if (rows < 0) {
      // Broken as it is, there may be a key in it.
      this.#secret = true;
      this.#refuseRecord(rows, bytes, valid, 'target', refuse, whose);
    }
    return { rows, index, text, wide };
  }

  #rows<T>(
    { rows, index, wide }: OpenTable,
    make: (
      start: number | bigint,
      length: number | bigint,
      type: string,
      from: number,
      to: number,
    ) => T,
  ): T[] {
    const u32 = this.#u32;
    const sectors = wide ? this.#u64 : this.#f64;
    const made = new Array<T>(rows);
    let typeAt = -1;
    let type = '';
    let from = 0;
    for (let i = 0, at64 = index >> 3; i < rows; i++, at64 += TARGET_INDEX_SIZE / 8) {
      const at = u32[2 * at64 + 5]!;
      if (at !== typeAt) type = this.#typeName((typeAt = at));
      const to = u32[2 * at64 + 4]!;
      made[i] = make(sectors[at64]!, sectors[at64 + 1]!, type, from, to);
      from = to;
    }
    return made;
  }

  #typeName(at: number): string {
    const type = this.#typeNames.find(this.#u32, at) ?? this.#newTypeName(at);
    this.#secret ||= holdsKeys(type);
    return type;
  }

  #newTypeName(at: number): string {
    let length = 0;
    while (this.#u8[at + length] !== 0) length++;
    const type = this.#text(at, length);
    this.#typeNames.add(type, this.#u32, at);
    return type;
  }

  #getDevices(
    bytes: Uint8Array,
    valid: number,
    dataStart: number,
    minor: number,
    refuse: Refuse,
  ): DeviceListEntry[] {
    const most = Math.ceil(valid / DEVICE_SIZE_LEAST);
    const buffer = this.#base;
    const records = align8(buffer + valid + 8);
    const text = records + most * DEVICE_RECORD_SIZE;
    this.#reserve(text + valid + 8 - buffer);
    this.#u8.set(bytes.length === valid ? bytes : bytes.subarray(0, valid), buffer);
    const count = this.#module.decodeDevices(
      buffer,
      valid,
      dataStart,
      records,
      most,
      text,
      valid,
      minor,
    );
    if (count < 0) this.#refuseRecord(count, bytes, valid, 'device', refuse);
    const u32 = this.#u32;
    const texts = this.#texts(text);
    const events = minor >= NAME_LIST_EVENT_NR_MINOR;
    const flags = minor >= NAME_LIST_FLAGS_MINOR;
    const devices = new Array<DeviceListEntry>(count);
    let at = records >> 2;
    let from = 0;
    for (let i = 0; i < count; i++, at += DEVICE_RECORD_SIZE / 4) {
      const dev = u32[at]!;
      const uuidFrom = from + u32[at + 2]!;
      const name = texts.cut(from, uuidFrom);
      from = uuidFrom + u32[at + 3]!;
      const major = majorOf(dev);
      const minor = minorOf(dev);
      const eventNumber = u32[at + 4]!;
      if (!events) devices[i] = { name, dev, major, minor };
      else if (!flags || u32[at + 5] === 0) devices[i] = { name, dev, major, minor, eventNumber };
      else devices[i] = { name, dev, major, minor, uuid: texts.cut(uuidFrom, from), eventNumber };
    }
    return devices;
  }

  #getString(bytes: Uint8Array, valid: number, dataStart: number, refuse: Refuse): string {
    this.#putBuffer(bytes, valid);
    const length = this.#module.decodeString(this.#base, valid, dataStart);
    if (length < 0) this.#refuseString(length, 'message', valid, refuse);
    return this.#text(this.#base + dataStart, length);
  }

  #getVersions(
    bytes: Uint8Array,
    valid: number,
    dataStart: number,
    refuse: Refuse,
  ): TargetVersion[] {
    const most = Math.ceil(valid / VERSION_SIZE_LEAST);
    const buffer = this.#base;
    const records = align8(buffer + valid + 8);
    const text = records + most * VERSION_RECORD_SIZE;
    this.#reserve(text + valid + 8 - buffer);
    this.#u8.set(bytes.length === valid ? bytes : bytes.subarray(0, valid), buffer);
    const count = this.#module.decodeVersions(buffer, valid, dataStart, records, most, text, valid);
    if (count < 0) this.#refuseRecord(count, bytes, valid, 'target type', refuse);
    const texts = this.#texts(text);
    let from = 0;
    return Array.from({ length: count }, (_, i) => {
      const at = (records + i * VERSION_RECORD_SIZE) >> 2;
      const [major, minor, patch, length] = this.#u32.subarray(at, at + 4);
      const name = texts.cut(from, (from += length!));
      return { name, version: [major!, minor!, patch!] };
    });
  }

  #getDependencies(
    bytes: Uint8Array,
    valid: number,
    dataStart: number,
    refuse: Refuse,
  ): DeviceNumber[] {
    const buffer = this.#base;
    const devs = align8(buffer + valid + 8);
    this.#reserve(devs + valid + 8 - buffer);
    this.#u8.set(bytes.length === valid ? bytes : bytes.subarray(0, valid), buffer);
    const count = this.#module.decodeDependencies(buffer, valid, dataStart, devs, valid);
    if (count < 0) this.#refuseRecord(count, bytes, valid, 'dependency', refuse);
    return Array.from({ length: count }, (_, i) => {
      const dev = this.#u32[(devs >> 2) + 2 * i]!;
      return { dev, major: majorOf(dev), minor: minorOf(dev) };
    });
  }

  // ── Words ──────────────────────────────────────────────────────────────────────────────────────

  /** @see splitParameters */
  splitParameters(parameters: string | Uint8Array): string[] {
    if (typeof parameters !== 'string' && !((parameters as unknown) instanceof Uint8Array)) {
      throw new InputError(
        { path: 'parameters' },
        `expected a text or bytes, got ${show(parameters)}`,
      );
    }
    const bytes = typeof parameters === 'string' ? toBytes(parameters, 'parameters') : parameters;
    const { length } = bytes;
    const from = this.#base;
    const out = from + length + 8;
    this.#reserve(2 * length + 24);
    this.#u8.set(bytes, from);
    const count = this.#module.splitWords(from, length, out, length + 1);
    if (count < 0) throw new RangeError(INTERNAL);
    if (count === 0) return [];
    const end = out + this.#cell(Cell.TEXT_LENGTH) - 1;
    if (this.#cell(Cell.NOT_ASCII) === 0) {
      return ascii.decode(this.#u8.subarray(out, end)).split('\0');
    }
    const words: string[] = [];
    for (let at = out; at <= end;) {
      const nul = this.#u8.indexOf(0, at);
      words.push(this.#text(at, nul - at));
      at = nul + 1;
    }
    return words;
  }

  /** @see joinParameters */
  joinParameters(words: readonly Parameter[]): string {
    if (!Array.isArray(words)) {
      throw new InputError({ path: 'words' }, `expected an array, got ${show(words)}`);
    }
    const parts = (words as readonly Parameter[]).map((word, i) =>
      wordBytes(word, `words[${i}]`, `words[${i}]`),
    );
    const length = parts.reduce((sum, part) => sum + part.length, Math.max(0, parts.length - 1));
    const from = this.#base;
    const out = from + length + 8;
    this.#reserve(3 * length + 32);
    let to = from;
    for (const part of parts) {
      this.#u8.set(part, to);
      to += part.length;
      this.#u8[to++] = 0;
    }
    const written = this.#module.joinWords(from, length, parts.length, out, 2 * length + 1);
    if (written < 0) {
      const nul = wordWithNul(parts);
      if (nul >= 0) throw new InputError({ path: `words[${nul}]` }, HAS_NUL);
      const word = this.#cell(Cell.FAIL_WORD);
      throw new InputError({ path: `words[${word}]` }, parameterProblem(written));
    }
    return textOf(this.#u8.subarray(out, out + written));
  }

  // ── Text ───────────────────────────────────────────────────────────────────────────────────────

  /**
   * Write a text of which only what is ASCII means anything, one byte for each unit of a string: so the
   * module's offsets are the caller's.
   */
  #putUnits(text: string | Uint8Array): number {
    const { length } = text;
    const from = this.#base;
    this.#reserve(length + 8);
    const u8 = this.#u8;
    if (typeof text !== 'string') {
      u8.set(text, from);
      return length;
    }
    const { read, written } = utf8.encodeInto(text, u8.subarray(from, from + length));
    if (read === length && written === length) return length;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      u8[from + i] = unit > 0x7f ? 0xff : unit;
    }
    return length;
  }

  /**
   * Call `scan` with room for as many records of `size` bytes as `likely`, and once more if there are
   * more of them.
   * @returns a copy of the records
   */
  #records(
    text: string | Uint8Array,
    size: number,
    likely: number,
    scan: (length: number, records: number, room: number) => number,
  ): Uint32Array {
    if (typeof text !== 'string' && !((text as unknown) instanceof Uint8Array)) {
      throw new InputError({ path: 'text' }, `expected a text or bytes, got ${show(text)}`);
    }
    // Nothing says whether there is a key in it.
    this.#begin(true);
    try {
      const length = this.#putUnits(text);
      const records = align8(this.#base + length + 8);
      for (let room = likely; ;) {
        this.#reserve(records - this.#base + room * size + 8);
        const count = scan(length, records, room);
        if (count < 0) throw new RangeError(INTERNAL);
        const end = records + count * size;
        if (count <= room) return this.#u32.slice(records >> 2, end >> 2);
        room = count;
      }
    } finally {
      this.#wipe();
    }
  }

  /** @see scanLines */
  scanLines(text: string | Uint8Array, how: number): Uint32Array {
    return this.#records(text, LINE_SIZE, likelyLines(text.length), (length, records, room) =>
      this.#module.scanLines(this.#base, length, records, room, how),
    );
  }

  /** @see findSeparators */
  findSeparators(text: string, { escapes }: Escapes): Uint32Array {
    return this.#records(text, 4, 64, (length, records, room) =>
      this.#module.findSeparators(this.#base, length, records, room, escapes),
    );
  }

  // ── Failures ───────────────────────────────────────────────────────────────────────────────────

  /** An encode's Status, as the InputError that it is. */
  #refuse(status: number, targets: readonly Target[] | undefined, list: string): never {
    const index = this.#cell(Cell.FAIL_INDEX);
    const target = targets?.[index];
    const row = `${list}[${index}]`;
    switch (status) {
      case Status.NAME_TOO_LONG:
        throw tooLong('name', this.#cell(Cell.NAME_LENGTH), 'DM_NAME_LEN', uapi.DM_NAME_LEN);
      case Status.UUID_TOO_LONG:
        throw tooLong('uuid', this.#cell(Cell.UUID_LENGTH), 'DM_UUID_LEN', uapi.DM_UUID_LEN);
      case Status.NAME_HAS_NUL:
        throw new InputError({ path: list === 'targets' ? 'name' : `${row}.name` }, HAS_NUL);
      case Status.UUID_HAS_NUL:
        throw new InputError({ path: list === 'targets' ? 'uuid' : `${row}.uuid` }, HAS_NUL);
    }
    if (target === undefined) throw new RangeError(INTERNAL);
    switch (status) {
      case Status.START_NOT_A_SECTOR:
        throw new InputError({ path: `${row}.startSector` }, notASector(target.startSector));
      case Status.LENGTH_NOT_A_SECTOR:
        throw new InputError({ path: `${row}.length` }, notASector(target.length));
      case Status.TYPE_EMPTY:
        throw new InputError({ path: `${row}.type` }, 'expected a target type, got ""');
      case Status.TYPE_TOO_LONG:
        throw tooLong(
          `${row}.type`,
          toBytes(target.type, 'type').length,
          'DM_MAX_TYPE_NAME',
          uapi.DM_MAX_TYPE_NAME,
        );
      case Status.PARAMETER_EMPTY:
      case Status.PARAMETER_BLANK:
      case Status.PARAMETER_HAS_NUL: {
        const word = Array.isArray(target.parameters) ? `[${this.#cell(Cell.FAIL_WORD)}]` : '';
        const nul = wordWithNul(target.parameters);
        if (nul >= 0) {
          throw new InputError({ path: `${row}.parameters[${nul}]` }, HAS_NUL);
        }
        throw new InputError({ path: `${row}.parameters${word}` }, parameterProblem(status));
      }
      default:
        throw new RangeError(INTERNAL);
    }
  }

  /** A decode's Status in words. */
  #refuseRecord(
    status: number,
    bytes: Uint8Array,
    end: number,
    what: string,
    refuse: Refuse,
    whose = 'reply',
  ): never {
    const index = this.#cell(Cell.FAIL_INDEX);
    const offset = this.#cell(Cell.FAIL_OFFSET);
    const problem = RECORD_PROBLEM[status];
    if (problem === undefined) throw new RangeError(INTERNAL);
    const value =
      offset + 4 <= bytes.length
        ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true)
        : 0;
    return refuse(
      offset,
      `${what} ${index} at offset ${offset}: ${problem(value, `the ${whose}'s end at ${end}`)}`,
    );
  }
}

type Refuse = (offset: number, problem: string) => never;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** How a reply is refused. */
function refusing(command: Command, bytes: Uint8Array): Refuse {
  return (offset, problem) => {
    // A table may hold keys, and broken bytes do not say where.
    const open = COMMANDS[command].answers === 'targets' ? bytes.subarray(0, HEADER_SIZE) : bytes;
    throw new ReplyError(command, offset, problem, excerpt(open, offset));
  };
}

/** How separators are found. */
interface Escapes {
  /** Is one behind a backslash none? */
  readonly escapes: boolean;
}

/** A chain of specs in memory, HEADER_SIZE behind `out`. */
interface Chain {
  readonly out: number;
  readonly size: number;
  readonly count: number;
  /** Where its last string ends. */
  readonly end?: number;
}

/** An index that decodeTable made. */
interface OpenTable {
  readonly rows: number;
  readonly index: number;
  readonly text: number;
  readonly wide: boolean;
}

const LINE_FEED = 0x0a;

/** Above this much memory a codec is given up after the call: another one is made in half a millisecond. */
const LARGE = 0x4000000;

/** Types up to which a search costs less than a map. */
const FEW_TYPES = 8;

/** Characters up to which they cost less one by one than a call for all. */
const SHORT = 64;

/** How much text becomes one string: of 128 KiB and more V8 takes five times as long for a byte. */
const CHUNK = 0x10000;

/**
 * Texts that lie packed in memory, cut one after the other from strings of CHUNK bytes: a decode of each
 * costs ten times as much. So a text that is kept keeps CHUNK bytes at the most, and not a whole reply.
 */
class Texts {
  readonly #packed: Uint8Array;
  readonly #ascii: boolean;
  /** Of `#packed`, the part that `#chunk` is. */
  #begin = 0;
  #end = 0;
  #chunk = '';

  constructor(packed: Uint8Array, isAscii: boolean) {
    this.#packed = packed;
    this.#ascii = isAscii;
  }

  cut(from: number, to: number): string {
    if (to > this.#end) {
      if (!this.#ascii) return textOf(this.#packed.subarray(from, to));
      this.#begin = from;
      this.#end = Math.max(to, Math.min(from + CHUNK, this.#packed.length));
      this.#chunk = ascii.decode(this.#packed.subarray(from, this.#end));
    }
    return this.#chunk.substring(from - this.#begin, to - this.#begin);
  }
}

/** Names of types by the 16 bytes that a spec has for them: a table has few, and the next one mostly the same. */
class TypeNames {
  readonly #words = new Uint32Array(MOST_NAMES * NAME_WORDS);
  readonly #names: string[] = [];

  /** @param address - where they stand in memory; if that is no multiple of 4 nothing is found */
  find(u32: Uint32Array, address: number): string | undefined {
    if ((address & 3) !== 0) return undefined;
    const at = address >> 2;
    const words = this.#words;
    const names = this.#names;
    for (let i = 0, word = 0; i < names.length; i++, word += NAME_WORDS) {
      if (
        words[word] === u32[at] &&
        words[word + 1] === u32[at + 1] &&
        words[word + 2] === u32[at + 2] &&
        words[word + 3] === u32[at + 3]
      ) {
        return names[i];
      }
    }
    return undefined;
  }

  add(name: string, u32: Uint32Array, address: number): void {
    if ((address & 3) !== 0) return;
    const at = address >> 2;
    if (this.#names.length === MOST_NAMES) this.#names.length = 0;
    this.#words.set(u32.subarray(at, at + NAME_WORDS), this.#names.length * NAME_WORDS);
    this.#names.push(name);
  }
}

const NAME_WORDS = uapi.DM_MAX_TYPE_NAME / 4;
/** More than there are types: what is behind their NUL may differ as well. */
const MOST_NAMES = 32;

/** `words` on the prototype: split when asked for, as most callers never do. */
class Line implements TargetLine<number | bigint> {
  readonly startSector: number | bigint;
  readonly length: number | bigint;
  readonly type: string;
  readonly parameters: string;

  constructor(start: number | bigint, length: number | bigint, type: string, parameters: string) {
    this.startSector = start;
    this.length = length;
    this.type = type;
    this.parameters = parameters;
  }

  get words(): readonly string[] {
    return splitParameters(this.parameters);
  }
}

const INTERNAL = 'the codec laid out its memory wrongly: please report this';
const HAS_NUL = 'expected no NUL, which would end the text for the kernel';

const RECORD_PROBLEM: Readonly<Record<number, (value: number, end: string) => string>> = {
  [Status.RECORD_TRUNCATED]: (_, end) => `cut off by ${end}`,
  [Status.TYPE_UNTERMINATED]: () => 'target_type has no NUL',
  [Status.PARAMETERS_UNTERMINATED]: (_, end) => `parameters have no NUL before ${end}`,
  [Status.NAME_UNTERMINATED]: (_, end) => `name has no NUL before ${end}`,
  [Status.UUID_UNTERMINATED]: (_, end) => `uuid has no NUL before ${end}`,
  [Status.NEXT_UNALIGNED]: (next) => `next is ${next}, not a multiple of 8`,
  [Status.NEXT_OVERLAPS]: (next) => `next is ${next}, inside this record`,
  [Status.NEXT_BEYOND_DATA]: (next, end) => `next is ${next}, past ${end}`,
  [Status.NUMBER_TOO_LARGE]: () => 'a sector above 2^53 - 1; { bigint: true } decodes it',
  [Status.DEV_TOO_LARGE]: () => 'dev is above 2^32 - 1',
  [Status.COUNT_BEYOND_DATA]: (count, end) => `count is ${count}, past ${end}`,
};

const NO_SECTOR = 'expected a number of 512-byte sectors';

const LINE_PROBLEM: Readonly<Record<number, string>> = {
  [Status.LINE_NO_START]: NO_SECTOR,
  [Status.LINE_NO_LENGTH]: NO_SECTOR,
  [Status.LINE_NO_TYPE]: 'expected a target type',
  [Status.LINE_NUMBER_TOO_LARGE]: 'expected a number below 2^64',
  [Status.LINE_HAS_NUL]: HAS_NUL,
  [Status.TYPE_TOO_LONG]: `expected a target type of at most ${uapi.DM_MAX_TYPE_NAME - 1} bytes`,
};

function lineError(text: string, offset: number, status: number): InputError {
  const [word = ''] = /^\S*/.exec(text.slice(offset)) ?? [];
  return new InputError(placeIn(text, offset), lineProblem(status, word));
}

/** Where in a text an offset is. */
export function placeIn(text: string, offset: number): InputPlace {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n'), offset };
}

/** What is wrong with a line that has `word` there. */
export function lineProblem(status: number, word: string): string {
  const problem = LINE_PROBLEM[status];
  if (problem === undefined) throw new RangeError(INTERNAL);
  // What stands behind a NUL may be a part of a key.
  return word === '' || status === Status.LINE_HAS_NUL ? problem : `${problem}, got ${show(word)}`;
}

function parameterProblem(status: number): string {
  if (status === Status.PARAMETER_HAS_NUL) return HAS_NUL;
  return status === Status.PARAMETER_EMPTY
    ? 'expected a parameter, got ""; the kernel has no way to write an empty one'
    : 'expected a parameter, got only blanks';
}

function notASector(value: unknown): string {
  const hint =
    Number.isInteger(value) && (value as number) > Number.MAX_SAFE_INTEGER
      ? '; a bigint holds it exactly'
      : '';
  return `${NO_SECTOR}, got ${show(value)}${hint}`;
}

function tooLong(path: string, got: number, limit: string, size: number): InputError {
  return new InputError(
    { path },
    `expected at most ${size - 1} bytes, got ${got}; ${limit} is ${size} with its NUL`,
  );
}

/** The index of the word that has a NUL in it, -1 if none has. */
function wordWithNul(parameters: Target['parameters']): number {
  if (typeof parameters === 'string' || parameters instanceof Uint8Array) return -1;
  return parameters.findIndex((word) =>
    word instanceof Uint8Array ? word.includes(0) : String(word).includes('\0'),
  );
}

function putExtra(bytes: Uint8Array, extra: readonly Extra[]): void {
  extra.forEach(({ offset, bytes: more }, i) => {
    if (!(offset >= 0 && offset + more.length <= bytes.length)) {
      const problem = `expected ${more.length} bytes inside the ${bytes.length}, got ${show(offset)}`;
      throw new InputError({ path: `extra[${i}].offset` }, problem);
    }
    bytes.set(more, offset);
  });
}

function notATarget(value: unknown, index: number): never {
  throw new InputError({ path: `targets[${index}]` }, `expected a target, got ${show(value)}`);
}

/** Is it a whole number below 2^32? */
function isSmall(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value;
}

function isWords(parameters: Target['parameters']): boolean {
  return Array.isArray(parameters) && parameters.length > 0;
}

/** There is one: the module found more words than there are. */
function refuseNul(targets: readonly Target[]): never {
  const target = targets.findIndex(({ parameters }) => wordWithNul(parameters) >= 0);
  const word = wordWithNul(targets[target]?.parameters ?? '');
  throw new InputError({ path: `targets[${target}].parameters[${word}]` }, HAS_NUL);
}

function wordBytes(word: unknown, path: string, label: string): Uint8Array {
  if (word instanceof Uint8Array) return word;
  if (typeof word === 'string') return toBytes(word, path);
  return utf8.encode(numberText(word, label));
}

function numberText(value: unknown, path: string): string {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  throw new InputError({ path }, `expected a text, a whole number or bytes, got ${show(value)}`);
}

function numberWord(value: unknown, target: number, word: number): string {
  return numberText(value, `targets[${target}].parameters[${word}]`);
}

/** At least as many bytes as the texts of `targets` take. */
function worstBytes(targets: readonly Target[]): number {
  let bytes = 0;
  for (const { parameters } of targets) {
    const words =
      typeof parameters === 'string' || parameters instanceof Uint8Array
        ? [parameters]
        : parameters;
    for (const word of words) {
      bytes += 1 + (word instanceof Uint8Array ? word.length : 3 * String(word).length);
    }
  }
  return bytes;
}

/** The most targets that a text of so many bytes has: `0 1 a` and a line feed each. */
function mostLines(length: number): number {
  return Math.floor(length / 6) + 1;
}

/** How many to make room for at first: a long text is hardly made of those, and room is memory. */
function likelyLines(length: number): number {
  return Math.min(mostLines(length), Math.max(0x4000, Math.floor(length / 32)));
}

function tableCapacity(count: number, textLength: number): number {
  return (SPEC_SIZE + 8) * count + 2 * textLength + 16;
}

function align8(n: number): number {
  return Math.ceil(n / 8) * 8;
}

function known<C extends Command>(command: C): (typeof COMMANDS)[C] {
  const found = COMMANDS[command] as (typeof COMMANDS)[C] | undefined;
  // What every object inherits has no such field.
  if (found?.sends !== undefined) return found;
  const commands = Object.keys(COMMANDS).join(', ');
  throw new InputError({ path: 'command' }, `expected one of ${commands}, got ${show(command)}`);
}

/** As the kernel reads it, and no more (dm-ioctl.c dev_set_geometry()). */
function geometryOf(text: string): Geometry | undefined {
  const numbers = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/.exec(text)?.slice(1).map(Number);
  if (numbers?.every(Number.isSafeInteger) !== true) return undefined;
  const [cylinders, heads, sectors, start] = numbers as [number, number, number, number];
  return { cylinders, heads, sectors, start };
}

function atMost(value: unknown, most: number, path: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most) {
    return value as number;
  }
  throw new InputError({ path }, `expected a whole number from 0 to ${most}, got ${show(value)}`);
}

/** A number of sectors that is no field of a target. */
export function sectorOf(value: unknown, path: string): number | bigint {
  const fits =
    typeof value === 'bigint'
      ? value >= 0n && value <= 0xffffffffffffffffn
      : Number.isSafeInteger(value) && (value as number) >= 0;
  if (fits) return value as number | bigint;
  throw new InputError({ path }, notASector(value));
}

/** Is it one that the kernel takes, and that a buffer can have? */
function isDataSize(size: number): boolean {
  return uint32(size, 'dataSize') >= HEADER_DATA && size <= uapi.DM_MAX_DATA_SIZE;
}

function dataSizeInRange(size: number): void {
  uint32(size, 'dataSize');
  if (size > uapi.DM_MAX_DATA_SIZE) {
    throw new InputError(
      { path: 'dataSize' },
      `expected at most ${uapi.DM_MAX_DATA_SIZE}, got ${size}`,
    );
  }
}

function string(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw new InputError({ path }, `expected a text, got ${show(value)}`);
}

function whole(value: unknown, path: string, what: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new InputError({ path }, `expected ${what}, got ${show(value)}`);
}

function uint32(value: unknown, path: string): number {
  if (typeof value === 'number' && value >>> 0 === value) return value;
  throw new InputError({ path }, `expected a whole number from 0 to 2^32 - 1, got ${show(value)}`);
}

function int32(value: unknown, path: string): number {
  if (typeof value === 'number' && (value | 0) === value) return value;
  throw new InputError({ path }, `expected a whole number of 32 bits, got ${show(value)}`);
}

function excerpt(bytes: Uint8Array, offset: number): string {
  return Array.from(bytes.subarray(offset, offset + 16), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join(' ');
}

/** UTF-8; U+DC80…U+DCFF, which stand for a byte that is none, become that byte. */
export function toBytes(text: string, path: string | (() => string)): Uint8Array {
  if (!LONE_SURROGATE.test(text)) return utf8.encode(text);
  const parts: Uint8Array[] = [];
  for (const character of text) {
    const unit = character.charCodeAt(0);
    if (character.length === 2 || unit < 0xd800 || unit > 0xdfff) {
      parts.push(utf8.encode(character));
    } else if (unit >= 0xdc80 && unit <= 0xdcff) {
      parts.push(Uint8Array.of(unit - 0xdc00));
    } else {
      const place = { path: typeof path === 'string' ? path : path() };
      throw new InputError(
        place,
        `expected well-formed text, got a lone surrogate U+${unit.toString(16).toUpperCase()}`,
      );
    }
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The inverse: a byte that is no UTF-8 becomes U+DC00 + byte, so that nothing is lost. */
export function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    // Bytes that are no UTF-8: take well-formed runs as they are and the others one by one.
  }
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) text += String.fromCharCode(0xdc00 + bytes[at++]!);
    else text += strict.decode(bytes.subarray(at, (at += length)));
  }
  return text;
}

/** The length of the well-formed UTF-8 sequence at `at`, 0 if there is none (Unicode, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.length) return 0;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (bytes[at + 1]! < low || bytes[at + 1]! > high) return 0;
  for (let i = 2; i < length; i++) {
    if (bytes[at + i]! < 0x80 || bytes[at + i]! > 0xbf) return 0;
  }
  return length;
}

// ── The functions of the door ────────────────────────────────────────────────────────────────────

/** Of base64, in a loop: a function for each character takes ten times as long when it is cold. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** One codec for all calls: nothing of a call stays in it, so it is a cache and not a state. */
let shared: Codec | undefined;
function codec(): Codec {
  return (shared ??= new Codec(bytesOf(WASM)));
}

/**
 * The codec, taken away while an encode reads its caller's value: a getter that calls in here itself
 * gets another one, and does not write over what the encode has in memory.
 */
function take(): Codec {
  const taken = codec();
  shared = undefined;
  return taken;
}

function give(taken: Codec): void {
  shared = taken.isLarge ? undefined : taken;
}

/**
 * The bytes of a request, ready for the ioctl `REQUEST_CODE[command]`.
 *
 * @param command - the kernel's name without DM_, as in 'TABLE_LOAD'
 * @param request - header fields and payload; what is left out has the value a correct caller sends.
 * `dataSize` is the length of the result: exact, or 16,384 for what is answered with a payload
 * @param into - where to put them, in place of a new array
 * @returns a new array, or a view of `into` that is `dataSize` long
 * @throws {InputError} what the wire cannot carry, with `path`; `line` and `column` in a table's text
 * @example encodeRequest('TABLE_LOAD', { name: 'data', targets: '0 2048 linear /dev/sdb 0' })
 * @see include/uapi/linux/dm-ioctl.h
 */
export function encodeRequest<C extends Command>(
  command: C,
  request: Request<C>,
  into?: Uint8Array,
): Uint8Array {
  const taken = take();
  try {
    return taken.encodeRequest(command, request, into);
  } finally {
    give(taken);
  }
}

/**
 * What a request says. `parameters` come back as the bytes that stand there, copied.
 *
 * @param command - the kernel's name without DM_, as in 'TABLE_LOAD'
 * @param bytes - the buffer that the ioctl is given; what is behind `dataSize` is not looked at
 * @param options - `{ bigint: true }` tells sectors as bigint, and never fails on their size
 * @throws {InputError} bytes that are no such request, with `offset`
 */
export function decodeRequest<C extends Command, Wide extends boolean = false>(
  command: C,
  bytes: Uint8Array,
  options?: DecodeOptions<Wide>,
): DecodedRequest<C, SectorOf<Wide>> {
  const used = codec();
  const request = used.decodeRequest(command, bytes, options);
  give(used);
  return request;
}

/**
 * The bytes of a reply, as a kernel would write them: for tests, and for kernels in memory.
 *
 * @param command - the kernel's name without DM_, as in 'TABLE_STATUS'
 * @param reply - the payload, and what a header should have beside the values of a kernel's
 * @returns a new array of `dataSize` bytes: 305 where there is no payload
 * @example encodeReply('TABLE_DEPS', { name: 'data', deps: [{ dev: makeDev(8, 16) }] })
 * @throws {InputError} what the wire cannot carry, with `path`
 */
export function encodeReply<C extends Command>(command: C, reply: ReplyInput<C>): Uint8Array {
  const taken = take();
  try {
    return taken.encodeReply(command, reply);
  } finally {
    give(taken);
  }
}

/**
 * What a reply says. Read it only after the ioctl answered 0: after an errno the buffer means nothing.
 * With DM_BUFFER_FULL_FLAG in `flags`, or a `dataSize` beyond the buffer, the payload is a part.
 *
 * @param command - the kernel's name without DM_, as in 'TABLE_STATUS'
 * @param bytes - the whole buffer that the ioctl was given
 * @param options - `{ bigint: true }` tells sectors as bigint, and never fails on their size;
 * `parameters` how a table's are told: as 'text', with 'zeroKeys' or as 'bytes'
 * @throws {ReplyError} bytes that break the protocol, with `offset`
 */
export function decodeReply<
  C extends Command,
  Wide extends boolean = false,
  As extends ParametersAs = 'text',
>(command: C, bytes: Uint8Array, options?: ReplyOptions<Wide, As>): Reply<C, RowOf<Wide, As>> {
  const used = codec();
  const reply = used.decodeReply(command, bytes, options);
  give(used);
  return reply;
}

/**
 * Split parameters into words as the kernel does: at the bytes 0x09–0x0D, 0x20 and 0xA0, with a
 * backslash before any byte that is meant as it is. There are no quotes.
 *
 * @param parameters - a target's, or a message; the bytes if they are no UTF-8
 * @returns the words without their backslashes; none if there is nothing but blanks
 * @example splitParameters('0 /dev/sdb\\ 1') // ['0', '/dev/sdb 1']
 * @see drivers/md/dm-table.c dm_split_args()
 */
export function splitParameters(parameters: string | Uint8Array): string[] {
  return codec().splitParameters(parameters);
}

/**
 * Join words so that {@link splitParameters}, and the kernel, split them back.
 *
 * @param words - one argument each
 * @returns the words with a blank between two, and backslashes where they are needed
 * @example joinParameters(['0', '/dev/sdb 1']) // '0 /dev/sdb\\ 1'
 * @throws {InputError} an empty or blank word, one with a NUL; `path` is 'words[i]'
 */
export function joinParameters(words: readonly Parameter[]): string {
  return codec().joinParameters(words);
}

/**
 * Where everything stands in the lines of a text that are neither blank nor comments.
 *
 * @param text - offsets are in its own units: UTF-16 for a string, bytes for bytes
 * @param how - COMMENTS: `#` begins one; NAMES: there may be a name before a line
 * @returns LINE_SIZE / 4 numbers for each line, by Line
 */
export function scanLines(text: string | Uint8Array, how: number): Uint32Array {
  const used = codec();
  const lines = used.scanLines(text, how);
  give(used);
  return lines;
}

/** The offsets of each `,` and `;` in a text. */
export function findSeparators(text: string, options: Escapes): Uint32Array {
  const used = codec();
  const offsets = used.findSeparators(text, options);
  give(used);
  return offsets;
}
