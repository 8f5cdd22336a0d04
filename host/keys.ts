// Where tables hold keys. In their place dmsetup shows zeros, and so do we.

import {
  HEADER_DATA_SIZE,
  HEADER_DATA_START,
  HEADER_FLAGS,
  HEADER_SIZE,
  HEADER_TARGET_COUNT,
  SPEC_NEXT,
  SPEC_SIZE,
  SPEC_TYPE,
  TARGET_MSG_TEXT,
} from './generated/abi.js';
import {
  DM_DATA_OUT_FLAG,
  DM_DEV_WAIT,
  DM_MAX_TYPE_NAME,
  DM_SECURE_DATA_FLAG,
  DM_STATUS_TABLE_FLAG,
  DM_TABLE_LOAD,
  DM_TABLE_STATUS,
  DM_TARGET_MSG,
} from './generated/uapi.js';
import type { Table, Target } from './types.js';

const SPACE = 0x20;
const STAR = 0x2a;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const ZERO = 0x30;

/** The keys in a line of the kernel's, by type. */
const KEYS_IN: Readonly<Record<string, (parameters: Uint8Array) => Uint8Array[]>> = {
  crypt: secondWord,
  inlinecrypt: secondWord,
  integrity: algorithmKeys,
};

/** Of each of their names a part with a rare letter first: most texts have none, and that is soon seen. */
const PARTS = ['crypt', 'grity'];

/** May a target of this type have a key in its line? */
export function holdsKeys(type: string): boolean {
  return Object.hasOwn(KEYS_IN, type);
}

/**
 * May `table` have secrets in it: keys, by the types of its targets, or parameters given as bytes? What
 * is no table is none's business here.
 */
export function holdsSecrets(table: Table): boolean {
  if (typeof table === 'string') {
    if (!PARTS.some((part) => table.includes(part))) return false;
    return Array.from(table.matchAll(/^\s*\S+\s+\S+\s+(\S+)/gm)).some(([, type]) =>
      holdsKeys(type!),
    );
  }
  return (
    Array.isArray(table) &&
    (table as readonly (Target | undefined)[]).some((target) => {
      const { type = '', parameters } = target ?? {};
      if (holdsKeys(type) || parameters instanceof Uint8Array) return true;
      return Array.isArray(parameters) && parameters.some((word) => word instanceof Uint8Array);
    })
  );
}

/**
 * Overwrite each key in `parameters`, a line as the kernel tells it, by as many zeros. A key in a
 * keyring is a reference, and stays.
 */
export function zeroKeys(type: string, parameters: Uint8Array): void {
  overwrite(type, parameters, ZERO);
}

function overwrite(type: string, parameters: Uint8Array, byte: number): void {
  if (holdsKeys(type)) for (const key of KEYS_IN[type]!(parameters)) key.fill(byte);
}

/** `cipher key iv_offset …`; a reference begins with a colon (drivers/md/dm-crypt.c crypt_status()). */
function secondWord(parameters: Uint8Array): Uint8Array[] {
  const [, key] = wordsOf(parameters);
  return key === undefined || key[0] === COLON ? [] : [key];
}

/** `internal_hash:algorithm:key` and its like (drivers/md/dm-integrity.c get_alg_and_key()). */
function algorithmKeys(parameters: Uint8Array): Uint8Array[] {
  return wordsOf(parameters).flatMap((word) => {
    const algorithm = word.indexOf(COLON) + 1;
    const key = word.indexOf(COLON, algorithm) + 1;
    const option = new TextDecoder().decode(word.subarray(0, algorithm));
    return key > algorithm && KEYED_OPTIONS.has(option) ? [word.subarray(key)] : [];
  });
}

const KEYED_OPTIONS: ReadonlySet<string> = new Set([
  'internal_hash:',
  'journal_crypt:',
  'journal_mac:',
]);

/** Between blanks, which in a caller's line may be several; a backslash keeps the byte behind it. */
export function wordsOf(parameters: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (let from = 0; from < parameters.length;) {
    let end = from;
    while (end < parameters.length && !isBlank(parameters[end]!)) {
      end += parameters[end] === BACKSLASH ? 2 : 1;
    }
    if (end > from) words.push(parameters.subarray(from, end));
    from = end + 1;
  }
  return words;
}

/** The kernel's isspace() (lib/ctype.c). */
function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 0xa0 || (byte >= 0x09 && byte <= 0x0d);
}

// ── Whole buffers ────────────────────────────────────────────────────────────────────────────────

/**
 * A buffer as it may be shown: a copy with stars for the keys in a table and in a message, or the buffer
 * itself where there can be none. What stands behind the header of a load's reply, and of a message's
 * without an answer, is the request's own, and is left out.
 *
 * @param request - the ioctl's code
 */
export function hideSecrets(
  request: number,
  bytes: Uint8Array,
  direction: 'request' | 'reply',
): Uint8Array {
  const isRequest = direction === 'request';
  switch (request) {
    case DM_TABLE_LOAD:
      return isRequest ? hideInTable(bytes, true) : upTo(bytes, HEADER_SIZE);
    case DM_TABLE_STATUS:
    case DM_DEV_WAIT: {
      const isTable = (uint32(bytes, HEADER_FLAGS) & DM_STATUS_TABLE_FLAG) !== 0;
      return isRequest || !isTable ? bytes : hideInTable(bytes, false);
    }
    case DM_TARGET_MSG: {
      if (isRequest) return hideInMessage(bytes);
      const isAnswered = (uint32(bytes, HEADER_FLAGS) & DM_DATA_OUT_FLAG) !== 0;
      return upTo(bytes, isAnswered ? uint32(bytes, HEADER_DATA_SIZE) : HEADER_SIZE);
    }
    default:
      return bytes;
  }
}

/** What the kernel wrote; behind it stands what the caller did. */
function upTo(bytes: Uint8Array, end: number): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes.subarray(0, end));
  return copy;
}

function uint32(bytes: Uint8Array, offset: number): number {
  if (offset + 4 > bytes.length) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}

/**
 * In a request `next` counts from its own spec, in a reply from the first. Of a chain with gaps, as nobody
 * makes them, all is hidden: what is no row's may be a key as well as anything.
 */
function hideInTable(bytes: Uint8Array, isRequest: boolean): Uint8Array {
  const copy = bytes.slice();
  const start = uint32(bytes, HEADER_DATA_START);
  const rows: { type: string; parameters: Uint8Array }[] = [];
  let at = start;
  for (let left = uint32(bytes, HEADER_TARGET_COUNT); left > 0; left--) {
    const nul = copy.indexOf(0, at + SPEC_SIZE);
    const next = at + Math.ceil((nul + 1 - at) / 8) * 8;
    const told = (isRequest ? at : start) + uint32(bytes, at + SPEC_NEXT);
    if (at < HEADER_SIZE || nul < 0 || (left > 1 && told !== next)) {
      copy.fill(STAR, HEADER_SIZE);
      return copy;
    }
    const name = copy.subarray(at + SPEC_TYPE, at + SPEC_TYPE + DM_MAX_TYPE_NAME);
    const type = new TextDecoder().decode(name).split('\0', 1)[0]!;
    rows.push({ type, parameters: copy.subarray(at + SPEC_SIZE, nul) });
    at = next;
  }
  copy.subarray(at).forEach((byte, i) => {
    if (byte !== 0) copy[at + i] = STAR;
  });
  // Somebody said that there is a secret, and not where.
  const isSecret = isRequest && (uint32(bytes, HEADER_FLAGS) & DM_SECURE_DATA_FLAG) !== 0;
  const hideAll = isSecret && !rows.some(({ type }) => holdsKeys(type));
  for (const { type, parameters } of rows) {
    if (hideAll) parameters.fill(STAR);
    else overwrite(type, parameters, STAR);
  }
  return copy;
}

/** `key set KEY` of crypt; of a message that is marked as secret, all but the first word. */
function hideInMessage(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const start = Math.max(HEADER_SIZE, uint32(bytes, HEADER_DATA_START)) + TARGET_MSG_TEXT;
  const nul = copy.indexOf(0, start);
  const words = wordsOf(copy.subarray(start, nul < 0 ? copy.length : nul));
  const [first, second] = words.map((word) => new TextDecoder().decode(word).toLowerCase());
  const isKey = first === 'key' && second === 'set';
  const isSecret = (uint32(bytes, HEADER_FLAGS) & DM_SECURE_DATA_FLAG) !== 0;
  for (const word of words.slice(isKey ? 2 : 1)) if (isKey || isSecret) word.fill(STAR);
  return copy;
}
