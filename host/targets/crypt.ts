import { defineTarget } from './define.js';
import { byteCount, device, oneOf, sectors, text, type Field } from './fields.js';
import { message } from './messages.js';
import { colon, flag, options } from './parts.js';
import { isPowerOfTwo, readerRules, type Reader } from './reader.js';
import { sscanf32, sscanf64, type Arguments, type RuleOf } from './rules.js';
import { key } from './secrets.js';

/** `BYTES:aead` or `BYTES:none`, what stands behind each sector (crypt_ctr_optional()). */
function integrityTag(): Field<{
  /** Of each sector, in bytes. */
  readonly tagSize: number;
  /** The cipher makes it itself, or nobody does. */
  readonly type: 'aead' | 'none';
}> {
  const size = byteCount({ min: 1 });
  const types = oneOf('aead', 'none');
  const expected = '{ tagSize, type }, a number of bytes and aead or none';
  return {
    expected,
    shape: { kind: 'record', fields: { tagSize: size, type: types } },
    read(words) {
      const [, tagSize, type] = /^(\d+):(aead|none)$/.exec(words.next(expected)) ?? [];
      if (tagSize === undefined) return words.refuse(expected);
      return { tagSize: Number(tagSize), type: type as 'aead' | 'none' };
    },
    write({ tagSize, type }, path) {
      const [bytes] = size.write(tagSize, `${path}.tagSize`);
      return [`${String(bytes)}:${String(types.write(type, `${path}.type`)[0])}`];
    },
  };
}

const WORDS = 5;
/** dm-crypt.c MAX_TAG_SIZE */
const MOST_TAG = 480;
/** From these releases on there are these options. */
const HIGH_PRIORITY = '6.11';
const KEY_SIZE = '6.12';

const FLAGS: readonly string[] = [
  'allow_discards',
  'same_cpu_crypt',
  'submit_from_crypt_cpus',
  'no_read_workqueue',
  'no_write_workqueue',
  'iv_large_sectors',
];

const IV_MODES: readonly string[] = [
  'plain',
  'plain64',
  'plain64be',
  'essiv',
  'benbi',
  'null',
  'eboiv',
  'elephant',
  'lmk',
  'tcw',
  'random',
];

/** The keys that ciphers take, in bytes; of others nothing is known here. */
const KEYS: ReadonlyMap<string, readonly number[]> = /* @__PURE__ */ new Map([
  ['aes', [16, 24, 32]],
  ['camellia', [16, 24, 32]],
  ['twofish', [16, 24, 32]],
]);
/** Modes that give their key to the cipher as it is; xts needs two keys. */
const PLAIN_MODES: readonly string[] = ['cbc', 'ecb', 'ctr'];
const AES_BLOCK = 16n;
/** dm-crypt.c TCW_WHITENING_SIZE */
const WHITENING = 16n;
/** dm-crypt.c ELEPHANT_MAX_KEY_SIZE */
const MOST_ELEPHANT = 32n;

const COLON = 0x3a;
const DASH = 0x2d;

/** A key as far as rules look at it, never itself. */
interface Key {
  /** In bytes. */
  readonly size: bigint;
  /** Type and description of one in a keyring. */
  readonly reference?: string;
  readonly isDash: boolean;
  /** Is it hexadecimal as far as it is read? */
  readonly isHex: boolean;
}

/** What options say. */
interface Given {
  sectorSize: bigint;
  isAead: boolean;
}

/** What the first word says. */
interface Cipher {
  /** As in 'aes'; undefined if that is not plain to see. */
  readonly algorithm?: string | undefined;
  /** As in 'xts'. */
  readonly mode?: string | undefined;
  readonly ivMode?: string | undefined;
  readonly ivOptions?: string | undefined;
  /** How many keys there are, each for some of the sectors. */
  readonly keys: bigint;
}

/** dm-crypt.c get_key_size() */
function readKey(reader: Reader): Key {
  const raw = reader.line.raw(1)!;
  const bytes = typeof raw === 'string' ? new TextEncoder().encode(raw) : raw;
  if (bytes[0] !== COLON) {
    const size = bytes.length >> 1;
    // Half a byte at the end is not looked at.
    const isHex = bytes.subarray(0, 2 * size).every(isDigit);
    return { size: BigInt(size), isHex, isDash: bytes.length === 1 && bytes[0] === DASH };
  }
  const [, digits, reference] = /^:(\d+)(:[^]*)$/.exec(reader.line.word(1)) ?? [];
  const size = digits === undefined ? undefined : BigInt.asIntN(32, BigInt(digits));
  if (size === undefined || reference === undefined || size < 0n) {
    return reader.refuse('crypt-key-size', 'expected :BYTES:TYPE:DESCRIPTION', { at: 1 });
  }
  return { size, reference, isHex: true, isDash: false };
}

function isDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}

/** dm-crypt.c crypt_ctr_optional() */
function readOptions(reader: Reader): Given {
  const given: Given = { sectorSize: 512n, isAead: false };
  reader.at = WORDS;
  if (reader.left === 0) return given;
  const most = reader.isSince(HIGH_PRIORITY) ? 9 : 8;
  for (let left = reader.group('crypt-option-count', most); left > 0; left--) {
    const option = reader.next('crypt-option', 'an option');
    const lower = option.toLowerCase();
    if (FLAGS.includes(lower)) continue;
    if (lower === 'high_priority' && reader.isSince(HIGH_PRIORITY)) continue;
    // The prefixes are scanned, and in small letters only.
    const [, tag, kind = ''] = /^integrity:[\t-\r ]*(\d+)(?::([^]*))?/.exec(option) ?? [];
    const [, name, value = ''] = /^(sector_size|integrity_key_size):([^]*)$/.exec(option) ?? [];
    const number = sscanf32(tag ?? value);
    if (tag !== undefined) {
      if (number === 0 || number! > MOST_TAG)
        reader.refuseWord('crypt-integrity', `a tag from 1 to ${MOST_TAG} bytes`);
      if (!['aead', 'none'].includes(kind.toLowerCase()))
        reader.refuseWord('crypt-integrity-type', 'aead or none behind the tag');
      given.isAead = kind.toLowerCase() === 'aead';
    } else if (name === 'sector_size' && number !== undefined) {
      const size = number & 0xffff;
      if (size < 512 || size > 4096 || !isPowerOfTwo(size))
        reader.refuseWord('crypt-sector-size', 'a power of two, from 512 to 4096 bytes');
      given.sectorSize = BigInt(size);
      if (reader.length % BigInt(size / 512) !== 0n) {
        reader.refuse(
          'crypt-length',
          `expected a multiple of ${size / 512} sectors, got ${reader.length}`,
          { at: 'length' },
        );
      }
    } else if (name === 'integrity_key_size' && number !== undefined && reader.isSince(KEY_SIZE)) {
      if (number === 0) reader.refuseWord('crypt-integrity-key-size', 'a number of bytes from 1');
    } else reader.refuseWord('crypt-option', 'an option that this kernel knows');
  }
  return given;
}

/** dm-crypt.c crypt_ctr_cipher_old(): `CIPHER[:KEYS]-MODE-IV[:OPTIONS]` */
function readOldCipher(reader: Reader, isAead: boolean): Cipher {
  const word = reader.line.word(0);
  if (word.includes('(') || isAead)
    reader.refuseWord(
      'crypt-cipher',
      "CIPHER-MODE-IV, or capi: and a name of the kernel's crypto API",
      0,
    );
  const [head = '', ...tail] = word.split('-');
  const [algorithm, count] = splitAt(head, ':');
  const keys = count === undefined ? 1 : (sscanf32(count) ?? 0);
  if (!isPowerOfTwo(keys)) reader.refuseWord('crypt-keys', 'a power of two behind the cipher', 0);
  const mode = tail[0];
  const [iv, ivOptions] = tail.length > 1 ? splitAt(tail.slice(1).join('-'), ':') : [];
  const isOldest = mode === undefined || (mode === 'plain' && (iv ?? '') === '');
  if (mode !== undefined && mode !== 'ecb' && !isOldest && iv === undefined)
    reader.refuseWord('crypt-iv', 'a way to make an IV behind the mode', 0);
  if (iv === 'essiv' && ivOptions === undefined)
    reader.refuseWord('crypt-essiv', 'a digest behind essiv', 0);
  if (algorithm === '' || mode === '')
    reader.refuseWord('crypt-algorithm', 'a cipher and a mode', 0, { errno: ENOENT });
  return {
    algorithm,
    mode: isOldest ? 'cbc' : mode,
    ivMode: isOldest ? 'plain' : iv,
    ivOptions,
    keys: BigInt(keys),
  };
}

const ENOENT = 2;

/** dm-crypt.c crypt_ctr_cipher_new(): `capi:NAME-IV[:OPTIONS]` */
function readNewCipher(reader: Reader, isAead: boolean): Cipher {
  const word = reader.line.word(0).slice('capi:'.length);
  const [front, ivOptions] = splitAt(word, ':', word.lastIndexOf(':'));
  const [name, ivMode] = splitAt(front, '-', front.lastIndexOf('-'));
  if (isAead && ivMode === 'lmk' && reader.isSince(KEY_SIZE))
    reader.refuseWord('crypt-aead-lmk', 'another way to make an IV', 0);
  if (ivMode === 'essiv' && ivOptions === undefined)
    reader.refuseWord('crypt-essiv', 'a digest behind essiv', 0);
  const [, mode, algorithm] = (isAead ? null : /^(\w+)\(([\w-]+)\)$/.exec(name)) ?? [];
  return { algorithm, mode, ivMode, ivOptions, keys: ivMode === 'lmk' ? 64n : 1n };
}

function splitAt(word: string, mark: string, at = word.indexOf(mark)): [string, string?] {
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

/** How much of the key is not the cipher's (crypt_ctr_ivmode()). */
function extraOf({ ivMode, keys }: Cipher, size: bigint, reader: Reader): bigint {
  if (ivMode === 'elephant') {
    // The constructor leaves what dm_table_add_target() has put there.
    if (size / 2n > MOST_ELEPHANT)
      reader.refuse('crypt-elephant', `expected at most ${2n * MOST_ELEPHANT} bytes of key`, {
        at: 1,
      });
    return size / 2n;
  }
  if (ivMode === 'lmk' && size % keys !== 0n) return size / (keys + 1n);
  return ivMode === 'tcw' ? AES_BLOCK + WHITENING : 0n;
}

/** dm-crypt.c crypt_set_key(), with the setkey() of ciphers that are known here. */
function checkKey(reader: Reader, cipher: Cipher, key: Key, extra: bigint): void {
  const { algorithm = '', mode = '', keys } = cipher;
  const refuse = (message: string): never => reader.refuse('crypt-key', message, { at: 1 });
  if (key.size === 0n && !key.isDash) refuse('expected a key, or a dash');
  if (key.reference !== undefined) {
    if (!/^:(logon|user|encrypted|trusted):\S+$/.test(key.reference)) {
      refuse('expected logon, user, encrypted or trusted, and a description');
    }
  } else if (!key.isHex) refuse('expected hexadecimal digits');
  const sizes = KEYS.get(algorithm);
  const times = mode === 'xts' ? 2n : PLAIN_MODES.includes(mode) ? 1n : undefined;
  if (sizes === undefined || times === undefined) return;
  const each = key.size < extra ? -1n : (key.size - extra) / keys;
  if (sizes.some((size) => BigInt(size) * times === each)) return;
  const wanted = sizes.map((size) => BigInt(size) * times * keys + extra).join(', ');
  refuse(`expected a key of ${wanted} bytes for ${algorithm} in ${mode}, got ${key.size}`);
}

/** dm-crypt.c crypt_ctr() */
function read(reader: Reader): void {
  const { line } = reader;
  if (line.count < WORDS)
    reader.refuse(
      'crypt-arguments',
      `expected CIPHER KEY IV_OFFSET DEVICE OFFSET, got ${line.count} words`,
    );
  const key = readKey(reader);
  const { sectorSize, isAead } = readOptions(reader);
  const cipher = line.word(0).startsWith('capi:')
    ? readNewCipher(reader, isAead)
    : readOldCipher(reader, isAead);
  // A cipher without IVs is told so, and not refused.
  const ivMode = cipher.mode === 'ecb' ? undefined : cipher.ivMode;
  if (ivMode !== undefined && !IV_MODES.includes(ivMode))
    reader.refuseWord('crypt-iv-mode', `one of ${IV_MODES.join(', ')}`, 0);
  checkKey(reader, cipher, key, extraOf({ ...cipher, ivMode }, key.size, reader));
  if ((ivMode === 'lmk' || ivMode === 'tcw') && sectorSize !== 512n)
    reader.refuse('crypt-iv-sector-size', `expected sectors of 512 bytes for ${ivMode}`);
  const sectors = sectorSize / 512n;
  const ivOffset = reader.wide(2, 'crypt-iv-offset');
  if (ivOffset % sectors !== 0n)
    reader.refuseWord('crypt-iv-offset', `a multiple of ${sectors} sectors`, 2);
  reader.device(3, 'crypt-device');
  reader.wide(4, 'crypt-offset');
}

/** What `sector_size:` says, in sectors of 512 bytes, of a line that is well. */
function blockIn(line: Arguments): number {
  return (sscanf32(line.option('sector_size', WORDS) ?? '512')! & 0xffff) / 512;
}

const KEY = '0'.repeat(128);
const row = (words: string): string => `0 8 crypt ${words}`;
const withOptions = (words: string, cipher = 'aes-xts-plain64'): string =>
  row(`${cipher} ${KEY} 0 8:16 0 ${words}`);

/** Made when they are first used, as definitions are: there are many. */
const rules = (): readonly RuleOf[] => [
  {
    code: 'crypt-arguments',
    why: 'Five words are needed (dm-crypt.c crypt_ctr).',
    example: row(`aes-xts-plain64 ${KEY} 0 8:16`),
    fix: 'write CIPHER KEY IV_OFFSET DEVICE OFFSET',
    log: 'Not enough arguments',
  },
  {
    code: 'crypt-key-size',
    why: 'A key in a keyring is told by its size, type and description (dm-crypt.c get_key_size).',
    example: row('aes-xts-plain64 :logon:disk 0 8:16 0'),
    fix: 'write :BYTES:TYPE:DESCRIPTION',
    log: 'Cannot parse key size',
  },
  {
    code: 'crypt-option-count',
    why: 'A count of at most nine, of eight before Linux 6.11, stands before the options (dm-crypt.c crypt_ctr_optional).',
    example: withOptions('2 allow_discards'),
    fix: 'write how many words follow',
    log: 'Invalid number of feature args',
    changes: [HIGH_PRIORITY],
  },
  {
    code: 'crypt-integrity',
    why: 'A tag has 1 to 480 bytes (dm-crypt.c crypt_ctr_optional).',
    example: withOptions('1 integrity:0:none'),
    fix: 'write integrity:BYTES:aead or integrity:BYTES:none',
    log: 'Invalid integrity arguments',
  },
  {
    code: 'crypt-integrity-type',
    why: 'The cipher makes the tag itself, or nobody does; where nothing stands the kernel crashes (dm-crypt.c crypt_ctr_optional).',
    example: withOptions('1 integrity:32:hmac'),
    fix: 'write integrity:BYTES:aead or integrity:BYTES:none',
    log: 'Unknown integrity profile',
  },
  {
    code: 'crypt-sector-size',
    why: 'A sector is a power of two, from 512 to 4096 bytes (dm-crypt.c crypt_ctr_optional).',
    example: withOptions('1 sector_size:8192'),
    fix: 'write a power of two, in bytes',
    log: 'Invalid feature value for sector_size',
  },
  {
    code: 'crypt-length',
    why: 'The target is made of whole sectors of sector_size (dm-crypt.c crypt_ctr_optional).',
    example: `0 4 crypt aes-xts-plain64 ${KEY} 0 8:16 0 1 sector_size:4096`,
    fix: 'use a multiple of sector_size',
    log: 'Device size is not multiple of sector_size feature',
  },
  {
    code: 'crypt-integrity-key-size',
    why: 'The key for authentication has bytes (dm-crypt.c crypt_ctr_optional).',
    example: withOptions('1 integrity_key_size:0'),
    fix: 'write a number of bytes',
    log: 'Invalid integrity_key_size argument',
    since: KEY_SIZE,
  },
  {
    code: 'crypt-option',
    why: 'There are ten options, high_priority from Linux 6.11 on and integrity_key_size from 6.12 on (dm-crypt.c crypt_ctr_optional).',
    example: withOptions('1 discards'),
    fix: 'leave it out',
    log: 'Invalid feature arguments',
    changes: [HIGH_PRIORITY, KEY_SIZE],
  },
  {
    code: 'crypt-cipher',
    why: "What is written as the kernel's crypto API has it begins with capi: and authentication is only there (dm-crypt.c crypt_ctr_cipher_old).",
    example: row(`xts(aes)-plain64 ${KEY} 0 8:16 0`),
    fix: 'write CIPHER-MODE-IV, or capi: before it',
    log: 'Bad cipher specification',
  },
  {
    code: 'crypt-keys',
    why: 'There is a power of two of keys (dm-crypt.c crypt_ctr_cipher_old).',
    example: row(`aes:3-cbc-plain ${KEY} 0 8:16 0`),
    fix: 'write a power of two, or none for one key',
    log: 'Bad cipher key count specification',
  },
  {
    code: 'crypt-iv',
    why: 'All modes but ecb need an IV (dm-crypt.c crypt_ctr_cipher_old).',
    example: row(`aes-xts ${KEY} 0 8:16 0`),
    fix: 'write CIPHER-MODE-IV, as in aes-xts-plain64',
    log: 'IV mechanism required',
  },
  {
    code: 'crypt-aead-lmk',
    why: 'lmk does not go with authentication (dm-crypt.c crypt_ctr_cipher_new).',
    example: row(`capi:gcm(aes)-lmk ${'0'.repeat(64)} 0 8:16 0 1 integrity:16:aead`),
    fix: 'use another way to make an IV',
    log: 'AEAD transforms not supported for LMK',
    since: KEY_SIZE,
  },
  {
    code: 'crypt-essiv',
    why: 'Behind essiv a colon and a digest stand (dm-crypt.c crypt_ctr_cipher_old).',
    example: row(`aes-cbc-essiv ${'0'.repeat(64)} 0 8:16 0`),
    fix: 'write essiv:sha256',
    log: 'Digest algorithm missing for ESSIV mode',
  },
  {
    code: 'crypt-algorithm',
    why: 'No cipher has no name (dm-crypt.c crypt_alloc_tfms).',
    example: row(`aes--plain64 ${KEY} 0 8:16 0`),
    fix: 'write CIPHER-MODE-IV, as in aes-xts-plain64',
    log: 'Error allocating crypto tfm',
    errno: ENOENT,
  },
  {
    code: 'crypt-iv-mode',
    why: 'Linux has eleven ways to make an IV (dm-crypt.c crypt_ctr_ivmode).',
    example: row(`aes-xts-plain32 ${KEY} 0 8:16 0`),
    fix: 'write plain64',
    log: 'Invalid IV mode',
  },
  {
    code: 'crypt-elephant',
    why: 'Half of the key is for elephant, at most 32 bytes (dm-crypt.c crypt_ctr_ivmode).',
    example: row(`aes-cbc-elephant ${'0'.repeat(132)} 0 8:16 0`),
    fix: 'use a shorter key',
    log: 'Unknown error',
  },
  {
    code: 'crypt-key',
    why: 'A key is hexadecimal, or in a keyring, and as long as the cipher takes it (dm-crypt.c crypt_set_key).',
    example: row('aes-xts-plain64 00 0 8:16 0'),
    fix: 'use a key that is as long as the cipher takes it',
    log: 'Error decoding and setting key',
  },
  {
    code: 'crypt-iv-sector-size',
    why: 'lmk and tcw go with sectors of 512 bytes (dm-crypt.c crypt_iv_lmk_ctr, crypt_iv_tcw_ctr).',
    example: withOptions('1 sector_size:4096', 'aes:64-cbc-lmk').replace(KEY, '0'.repeat(2048)),
    fix: 'leave sector_size out',
    log: 'Error creating IV',
  },
  {
    code: 'crypt-iv-offset',
    why: 'The offset of the IV is a number of sectors, whole ones of sector_size (dm-crypt.c crypt_ctr).',
    example: row(`aes-xts-plain64 ${KEY} 1 8:16 0 1 sector_size:4096`),
    fix: 'write a multiple of sector_size, in sectors of 512 bytes',
    log: 'Invalid iv_offset sector',
  },
  {
    code: 'crypt-device',
    why: 'The kernel has no such block device (dm-crypt.c crypt_ctr).',
    example: row(`aes-xts-plain64 ${KEY} 0 4096:0 0`),
    fix: 'write the path or major:minor of a block device',
    log: 'Device lookup failed',
  },
  {
    code: 'crypt-offset',
    why: 'The offset is a decimal number (dm-crypt.c crypt_ctr).',
    example: row(`aes-xts-plain64 ${KEY} 0 8:16 x`),
    fix: 'write decimal sectors of 512 bytes',
    log: 'Invalid device sector',
  },
];

/**
 * Encryption, sector by sector.
 *
 * @example
 * crypt({
 *   startSector: 0,
 *   length: 2048,
 *   cipher: 'aes-xts-plain64',
 *   key: { bytes: 64, type: 'logon', description: 'example:disk' },
 *   ivOffset: 0,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   allowDiscards: true,
 * })
 * @since Linux 2.6.4
 * @see drivers/md/dm-crypt.c crypt_ctr(), crypt_ctr_optional(), crypt_message()
 */
export const crypt = /* @__PURE__ */ defineTarget('crypt', () => ({
  parameters: [
    {
      /** 'CIPHER-MODE-IV', as in 'aes-xts-plain64', or 'capi:…' as the kernel's crypto API has it. */
      cipher: text("a cipher's name"),
      /** Its bytes, yours to wipe, or where the kernel's keyring has it. */
      key: key('logon', 'user', 'encrypted', 'trusted'),
      /** What is added to a sector's number for its IV, in sectors. */
      ivOffset: sectors(),
      /** What lies beneath, encrypted. */
      device: device(),
      /** Where on it the data begins, in sectors. */
      offset: sectors(),
    },
    options({
      /** Let discards through: the free space can then be seen from beneath. */
      allowDiscards: flag(),
      /** Encrypt on the processor that submits the I/O. */
      sameCpuCrypt: flag(),
      /** Run the workers at high priority; from Linux 6.11 on. */
      highPriority: flag(),
      /** Let the encrypting processor submit the writes, not a thread that sorts them. */
      submitFromCryptCpus: flag(),
      /** Decrypt without a work queue. */
      noReadWorkqueue: flag(),
      /** Encrypt without a work queue. */
      noWriteWorkqueue: flag(),
      /** Authentication: the bytes of a tag for each sector, of an AEAD cipher or for others to use. */
      integrity: colon(integrityTag()),
      /** How much of the key is for authentication, in bytes; from Linux 6.12 on. */
      integrityKeySize: colon(byteCount()),
      /** Encrypt so many bytes at once: a power of two. */
      sectorSize: colon(byteCount({ min: 512, max: 4096, powerOfTwo: true })),
      /** Count sectors of `sectorSize` for the IV, not of 512 bytes. */
      ivLargeSectors: flag(),
    }),
  ],
  rules: readerRules(read, rules()),
  areas: (line) => [
    {
      word: 3,
      offsetWord: 4,
      start: sscanf64(line.word(4))!,
      length: line.length,
      block: blockIn(line),
    },
  ],
  messages: {
    /** A new key of the same size; the device must be suspended. */
    keySet: message('key set', { key: key('logon', 'user', 'encrypted', 'trusted') }),
    /** Forget the key; the device must be suspended, and cannot be resumed without another. */
    keyWipe: message('key wipe'),
  },
}));
