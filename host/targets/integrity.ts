import { defineTarget } from './define.js';
import { byteCount, device, integer, oneOf, orDash, sectors } from './fields.js';
import { colon, flag, options } from './parts.js';
import { DIGESTS, isPowerOfTwo, readerRules, type Reader } from './reader.js';
import { OLDEST, sscanf32, sscanf64, type Arguments, type RuleOf } from './rules.js';
import { keyedAlgorithm } from './secrets.js';
import { textOf } from '../wire.js';

const DIRECT_WORDS = 4;
/** MAX_TAG_SIZE, and what it was: all that a journal's entry had room for. */
const MOST_TAG = 255;
const OLD_MOST_TAG = 424;
const SHORT_TAGS = '6.1';
/** Of the superblock, which is read from the start on. */
const SUPERBLOCK_SECTORS = 8;

/** From these releases on there are these options and modes. */
const FIX_HMAC = '5.11';
const RESET = '5.13';
const INLINE = '6.11';
const KEYED_DISCARDS = '6.12';

/** Words that stand there or not, by the release that has them first. */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ['recalculate', ''],
  ['reset_recalculate', RESET],
  ['allow_discards', ''],
  ['allow_discards_keyed', KEYED_DISCARDS],
  ['fix_padding', ''],
  ['fix_hmac', FIX_HMAC],
  ['legacy_recalculate', ''],
]);

/** What an option before a colon takes behind it. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['journal_sectors', Infinity],
  ['interleave_sectors', Infinity],
  ['buffer_sectors', Infinity],
  ['journal_watermark', 100],
  ['commit_time', Infinity],
  ['bitmap_flush_interval', Infinity],
]);

const ENOKEY = 126;
const ENOSYS = 38;
const EIO = 5;

/** An algorithm as far as rules look at it: whether it has a key, never which. */
interface Algorithm {
  readonly name: string;
  readonly hasKey: boolean;
  readonly at: number;
}

/** What options say. */
interface Given {
  readonly flags: Set<string>;
  readonly algorithms: Map<string, Algorithm>;
  blockSize: number;
  meta?: number;
}

/** dm-integrity.c get_alg_and_key() */
function readAlgorithm(reader: Reader, name: string, at: number): Algorithm {
  const raw = reader.line.raw(at)!;
  const bytes = typeof raw === 'string' ? new TextEncoder().encode(raw) : raw;
  const given = bytes.subarray(name.length + 1);
  const colon = given.indexOf(COLON);
  const algorithm = new TextDecoder().decode(colon < 0 ? given : given.subarray(0, colon));
  if (colon >= 0 && !areDigits(given.subarray(colon + 1))) {
    const code = `integrity-${name.replaceAll('_', '-')}`;
    reader.refuse(code, 'expected an even number of hexadecimal digits behind the algorithm', {
      at,
    });
  }
  return { name: algorithm, hasKey: colon >= 0, at };
}

const COLON = 0x3a;

/** Two for each byte; without one there are none, too. */
function areDigits(bytes: Uint8Array): boolean {
  const isDigit = (byte: number): boolean =>
    (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
  return bytes.length % 2 === 0 && bytes.every(isDigit);
}

/** The options behind the four words. */
function readOptions(reader: Reader): Given {
  const given: Given = { flags: new Set(), algorithms: new Map(), blockSize: 512 };
  const bad = (): never =>
    reader.refuse('integrity-option', 'expected an option that this kernel knows', {
      at: reader.at - 1,
    });
  reader.at = DIRECT_WORDS;
  for (
    let left = reader.group('integrity-option-count', reader.isSince(RESET) ? 18 : 16);
    left > 0;
    left--
  ) {
    const at = reader.at++;
    const raw = reader.line.raw(at)!;
    const [name = ''] =
      /^[a-z_]+/.exec(typeof raw === 'string' ? raw : textOf(raw.subarray(0, 32))) ?? [];
    const isKeyed = ['internal_hash', 'journal_crypt', 'journal_mac'].includes(name);
    if (isKeyed && raw[name.length] === (typeof raw === 'string' ? ':' : COLON)) {
      given.algorithms.set(name, readAlgorithm(reader, name, at));
      continue;
    }
    const word = reader.line.word(at);
    const since = FLAGS.get(word);
    if (since !== undefined) {
      if (since !== '' && !reader.isSince(since)) bad();
      given.flags.add(word);
      continue;
    }
    if (!word.startsWith(`${name}:`)) bad();
    const value = word.slice(name.length + 1);
    const most = NUMBERS.get(name);
    if (most !== undefined) {
      const number = sscanf32(value);
      if (number === undefined || number > most) bad();
    } else if (name === 'meta_device') {
      const found = reader.machine.lookup(value);
      if (typeof found === 'number')
        reader.refuseWord('integrity-meta-device', 'a block device', at, { errno: found });
      given.meta = at;
    } else if (name === 'block_size') {
      const size = sscanf32(value) ?? bad();
      if (size < 512 || size > 4096 || !isPowerOfTwo(size)) {
        reader.refuseWord('integrity-block-size', 'a power of two, from 512 to 4096 bytes');
      }
      given.blockSize = size;
    } else if (name !== 'sectors_per_bit' || sscanf64(value) === undefined) bad();
  }
  return given;
}

/** dm-integrity.c get_mac(), of hashes that are known here. */
function checkHash(reader: Reader, algorithm: Algorithm | undefined, code: string): void {
  if (algorithm === undefined) return;
  const { name, hasKey, at } = algorithm;
  if (DIGESTS.has(name) && hasKey) {
    reader.refuse(code, `expected no key, as ${name} takes none`, { at, errno: ENOSYS });
  }
  if (/^hmac\(\w+\)$/.test(name) && !hasKey) {
    reader.refuse(code, `expected a key, as ${name} takes one`, { at, errno: ENOKEY });
  }
}

/** dm-integrity.c dm_integrity_ctr(), as far as it depends on the line, and not on what is on the disk. */
function read(reader: Reader): void {
  const { line } = reader;
  if (line.count <= DIRECT_WORDS) {
    reader.refuse(
      'integrity-arguments',
      `expected DEVICE OFFSET TAG MODE #OPTIONS, got ${line.count} words`,
    );
  }
  const device = reader.device(0, 'integrity-device');
  const start = reader.wide(1, 'integrity-offset');
  const tag =
    line.word(2) === '-'
      ? undefined
      : reader.number(
          2,
          'integrity-tag',
          'a number of bytes, or a dash',
          sscanf32,
          (size) => size > 0,
        );
  const hasInline = reader.isSince(INLINE);
  const modes = hasInline ? 'J, B, D, R, I' : 'J, B, D, R';
  const mode = line.word(3);
  if (!modes.split(', ').includes(mode)) {
    reader.refuseWord('integrity-mode', `one of ${modes}`, 3, {
      log: `Invalid mode (expecting ${modes})`,
    });
  }
  const { flags, algorithms, meta } = readOptions(reader);
  const hash = algorithms.get('internal_hash');
  checkHash(reader, hash, 'integrity-hash-key');
  checkHash(reader, algorithms.get('journal_mac'), 'integrity-mac-key');
  if (tag === undefined && hash === undefined)
    reader.refuseWord('integrity-tag-unknown', 'a number of bytes', 2);
  const most = reader.isSince(SHORT_TAGS) ? MOST_TAG : OLD_MOST_TAG;
  if ((tag ?? 0) > most) reader.refuseWord('integrity-tag-size', `at most ${most} bytes`, 2);
  if (mode === 'I') checkInline(reader, flags, algorithms, meta);
  if (mode === 'B' && hash === undefined)
    reader.refuseWord('integrity-bitmap', 'another mode, or internal_hash, too', 3);
  const discards = [...flags].find((option) => option.startsWith('allow_discards'));
  if (discards !== undefined && hash === undefined)
    reader.refuse('integrity-discards', 'expected internal_hash, too');
  if (flags.has('allow_discards_keyed') && hash?.hasKey !== true) {
    reader.refuse('integrity-discards-keyed', 'expected a key of internal_hash');
  }
  const metaDevice =
    meta === undefined
      ? device
      : reader.machine.lookup(line.word(meta).slice('meta_device:'.length));
  if (
    typeof metaDevice === 'object' &&
    start + BigInt(SUPERBLOCK_SECTORS) > BigInt(metaDevice.sectors)
  ) {
    reader.refuseWord(
      'integrity-superblock',
      `at most ${metaDevice.sectors - SUPERBLOCK_SECTORS}`,
      1,
    );
  }
  const recalculates = flags.has('recalculate') || flags.has('reset_recalculate');
  if (recalculates && hash === undefined)
    reader.refuse('integrity-recalculate', 'expected internal_hash, too');
}

/** What the inline mode does not go with. */
function checkInline(
  reader: Reader,
  flags: Set<string>,
  algorithms: Map<string, Algorithm>,
  meta: number | undefined,
): void {
  const code = 'integrity-inline';
  if (meta !== undefined)
    reader.refuseWord(code, 'no meta_device', meta, {
      log: 'Metadata device not supported in inline mode',
    });
  if (!algorithms.has('internal_hash')) {
    reader.refuse(code, 'expected internal_hash, too', {
      log: 'Internal hash not set in inline mode',
    });
  }
  const journal = algorithms.get('journal_crypt') ?? algorithms.get('journal_mac');
  if (journal !== undefined) {
    reader.refuse(code, 'expected no journal', {
      at: journal.at,
      log: 'Journal crypt not supported in inline mode',
    });
  }
  if (flags.has('allow_discards'))
    reader.refuse(code, 'expected no discards', { log: 'Discards not supported in inline mode' });
}

/** Made when they are first used, as definitions are: there are many. */
const rules = (): readonly RuleOf[] => [
  {
    code: 'integrity-arguments',
    why: 'Four words are needed, and a count of options (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 J',
    fix: 'write DEVICE OFFSET TAG MODE #OPTIONS',
    log: 'Invalid argument count',
  },
  {
    code: 'integrity-device',
    why: 'The kernel has no such block device (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 4096:0 0 32 J 0',
    fix: 'write the path or major:minor of a block device',
    log: 'Device lookup failed',
  },
  {
    code: 'integrity-offset',
    why: 'The offset is a decimal number (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 x 32 J 0',
    fix: 'write decimal sectors of 512 bytes',
    log: 'Invalid starting offset',
  },
  {
    code: 'integrity-tag',
    why: 'A tag has bytes; a dash is for that of internal_hash (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 0 J 0',
    fix: 'write how many bytes a tag has, or a dash',
    log: 'Invalid tag size',
  },
  {
    code: 'integrity-mode',
    why: 'There are four modes, in capital letters, and I from Linux 6.11 on (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 X 0',
    fix: 'write J, B, D or R',
    log: 'Invalid mode (expecting J, B, D, R, I)',
    changes: [INLINE],
  },
  {
    code: 'integrity-option-count',
    why: 'A count stands before the options (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 J 1',
    fix: 'write how many words follow',
    log: 'Invalid number of feature args',
    changes: [RESET],
  },
  {
    code: 'integrity-meta-device',
    why: 'The kernel has no such block device (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 J 1 meta_device:4096:0',
    fix: 'write the path or major:minor of a block device',
    log: 'Device lookup failed',
  },
  {
    code: 'integrity-block-size',
    why: 'A block is a power of two, from 512 to 4096 bytes (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 J 1 block_size:8192',
    fix: 'write a power of two, in bytes',
    log: 'Invalid block_size argument',
  },
  ...['internal_hash', 'journal_crypt', 'journal_mac'].map((name) => ({
    code: `integrity-${name.replaceAll('_', '-')}`,
    why: 'A key is bytes in hexadecimal (dm-integrity.c get_alg_and_key).',
    example: `0 8 integrity 8:16 0 32 J 1 ${name}:hmac(sha256):0`,
    fix: 'write two digits for each byte of the key',
    log: `Invalid ${name} argument`,
  })),
  {
    code: 'integrity-option',
    why: 'Options are as the kernel writes them, in small letters, some of them of later releases (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 J 1 journal_watermark:101',
    fix: 'leave it out, or write a value that it takes',
    log: 'Invalid argument',
    changes: [FIX_HMAC, RESET, KEYED_DISCARDS],
  },
  {
    code: 'integrity-hash-key',
    why: 'An hmac needs a key, and a plain hash takes none (dm-integrity.c get_mac).',
    example: '0 8 integrity 8:16 0 - J 1 internal_hash:hmac(sha256)',
    fix: 'write ALGORITHM:KEY for an hmac, and ALGORITHM otherwise',
    log: 'Error setting internal hash key',
  },
  {
    code: 'integrity-mac-key',
    why: 'An hmac needs a key, and a plain hash takes none (dm-integrity.c get_mac).',
    example: '0 8 integrity 8:16 0 32 J 1 journal_mac:hmac(sha256)',
    fix: 'write ALGORITHM:KEY for an hmac, and ALGORITHM otherwise',
    log: 'Error setting journal mac key',
  },
  {
    code: 'integrity-tag-unknown',
    why: 'Without internal_hash nothing says how large a tag is (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 - J 0',
    fix: 'write how many bytes a tag has, or add internal_hash',
    log: 'Unknown tag size',
  },
  {
    code: 'integrity-tag-size',
    why: 'A tag has at most 255 bytes, and up to 5.10 424 (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 425 J 0',
    fix: 'use smaller tags',
    log: 'Too big tag size',
    changes: [SHORT_TAGS],
  },
  {
    code: 'integrity-inline',
    why: 'Tags that are written with the sectors go with a hash, and with no journal, discards or other device (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 I 0',
    fix: 'use another mode, or other options',
    log: 'Internal hash not set in inline mode',
    since: INLINE,
  },
  {
    code: 'integrity-bitmap',
    why: 'A bitmap goes with internal_hash alone (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 B 0',
    fix: 'add internal_hash, or use mode J',
    log: 'Bitmap mode can be only used with internal hash',
  },
  {
    code: 'integrity-discards',
    why: 'Discards go with internal_hash alone (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 J 1 allow_discards',
    fix: 'add internal_hash, or leave it out',
    log: 'Discard can be only used with internal hash',
  },
  {
    code: 'integrity-discards-keyed',
    why: 'Keyed discards go with a hash that has a key (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 - J 2 internal_hash:sha256 allow_discards_keyed',
    fix: 'write allow_discards',
    log: 'Keyed discard can only be used with keyed internal hash',
    since: KEYED_DISCARDS,
  },
  {
    code: 'integrity-superblock',
    why: 'The superblock is on the device (dm-integrity.c sync_rw_sb).',
    example: '0 8 integrity /dev/sdb 4096 32 J 0',
    fix: 'use a smaller offset, or a larger device',
    log: 'Error reading superblock',
    errno: EIO,
  },
  {
    code: 'integrity-recalculate',
    why: 'Without internal_hash nothing says what tags are (dm-integrity.c dm_integrity_ctr).',
    example: '0 8 integrity 8:16 0 32 J 1 recalculate',
    fix: 'add internal_hash, or leave it out',
    log: 'Recalculate can only be specified with internal_hash',
  },
];

/**
 * A tag for each sector, written with it or not at all: a checksum of its own, or for others to use.
 *
 * @example
 * integrity({
 *   startSector: 0,
 *   length: 2048,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   mode: 'J',
 *   internalHash: { algorithm: 'crc32c' },
 * })
 * @since Linux 4.12
 * @see drivers/md/dm-integrity.c dm_integrity_ctr(), dm_integrity_status()
 */
export const integrity = /* @__PURE__ */ defineTarget('integrity', () => ({
  parameters: [
    {
      /** What lies beneath; zeros in its first 4 KiB to have it formatted. */
      device: device(),
      /** How much to leave alone at its start, in sectors. */
      offset: sectors(),
      /** A tag, in bytes; that of `internalHash` if left out. */
      tagSize: orDash(byteCount({ min: 1 })),
      /** J a journal, B a bitmap, D direct, R recovery without a look, I inline (from Linux 6.11 on). */
      mode: oneOf('J', 'B', 'D', 'R', 'I'),
    },
    options(
      {
        /** Where tags are, if not between the data. */
        metaDevice: colon(device()),
        /** What one tag is for, in bytes. */
        blockSize: colon(byteCount({ min: 512, max: 4096, powerOfTwo: true })),
        /** Make the tags anew, as they may be wrong. */
        recalculate: flag(),
        /** Begin with that from the start. */
        resetRecalculate: flag(),
        /** Let discards through. */
        allowDiscards: flag(),
        /** The same with a keyed hash. */
        allowDiscardsKeyed: flag(),
        /** The journal, in sectors. */
        journalSectors: colon(sectors()),
        /** How much data lies between two pieces of tags, in sectors. */
        interleaveSectors: colon(sectors()),
        /** What is read of tags at once, in sectors. */
        bufferSectors: colon(sectors()),
        /** How full the journal is when it is written back, in percent. */
        journalWatermark: colon(integer({ max: 100 })),
        /** How long the journal waits for more, in milliseconds. */
        commitTime: colon(integer()),
        /** How much a bit of the bitmap stands for, in sectors. */
        sectorsPerBit: colon(sectors()),
        /** How often the bitmap is written, in milliseconds. */
        bitmapFlushInterval: colon(integer()),
        /** Have the tags aligned as newer kernels do. */
        fixPadding: flag(),
        /** Have the superblock and the sections in the tags of a keyed hash; from Linux 5.11 on. */
        fixHmac: flag(),
        /** Allow `recalculate` where it makes a keyed hash worth nothing. */
        legacyRecalculate: flag(),
        /** Tags are the data's hashes, and checked; its key as bytes. */
        internalHash: colon(keyedAlgorithm()),
        /** Have the journal encrypted; its key as bytes. */
        journalCrypt: colon(keyedAlgorithm()),
        /** Have the journal authenticated; its key as bytes. */
        journalMac: colon(keyedAlgorithm()),
      },
      { count: 'always' },
    ),
  ],
  features: { singleton: OLDEST },
  rules: readerRules(read, rules()),
  // The superblock, a journal and tags lie between the offset and the data.
  areas: (line: Arguments) => {
    const block = sscanf32(line.option('block_size', DIRECT_WORDS) ?? '512')! / 512;
    const area = { word: 0, length: line.length, block };
    // With a device of their own for tags there is nothing but data.
    const hasMeta = line.option('meta_device', DIRECT_WORDS) !== undefined;
    return [
      hasMeta ? { ...area, start: 0 } : { ...area, offsetWord: 1, start: sscanf64(line.word(1))! },
    ];
  },
  status: [
    {
      /** Tags that were wrong, since the target was loaded. */
      mismatches: integer(),
      /** What is left for data, in sectors. */
      providedSectors: integer(),
      /** Where `recalculate` is, in sectors; absent where it is not. */
      recalculating: orDash(integer()),
    },
  ],
}));
