import { defineTarget } from './define.js';
import { byteCount, device, hex, integer, oneOf, optional, orDash, text } from './fields.js';
import { choice, flag, options, value } from './parts.js';
import { DIGESTS, blockOf, isPowerOfTwo, readerRules, type Reader } from './reader.js';
import { sscanf32, type Arguments, type LintDevice, type RuleOf } from './rules.js';

const WORDS = 10;
const INT_MAX = 0x7fffffff;
const E2BIG = 7;
/** dm-verity-fec.h DM_VERITY_FEC_RSM: the bytes of a code word. */
const CODE_WORD = 255;

/** From these releases on a tasklet may verify, one mode of each kind be given, and errors have modes, too. */
const TASKLET = '6.0';
const ONE_MODE = '5.13';
const ERROR_MODE = '6.12';
/** From this release on what holds the hashes is as large as they are from their start on, and parity is counted in blocks. */
const WHOLE_PARITY = '5.12';

/** What may become of corruption. */
export const CORRUPTION_MODES = [
  'ignore_corruption',
  'restart_on_corruption',
  'panic_on_corruption',
];
const ERROR = ['restart_on_error', 'panic_on_error'];

/** What a line says beyond its ten words. */
interface Given {
  fec?: LintDevice | 'unknown';
  blocks?: bigint;
  start?: bigint;
  roots?: number;
}

/** Of a number of blocks of 2^`bits` bytes the sectors fit into 64 bits. */
function fitsBlocks(blocks: bigint, bits: number): boolean {
  return blocks < 1n << BigInt(64 - (bits - 9));
}

/** DM_VERITY_OPTS_MAX, where all that can be built in is. */
function mostOptions(reader: Reader): number {
  return reader.isSince(ERROR_MODE) ? 15 : reader.isSince(TASKLET) ? 14 : 13;
}

/** dm-verity-target.c verity_parse_opt_args(), dm-verity-fec.c verity_fec_parse_opt_args() */
function readOptions(reader: Reader, bits: number, dataBlocks: bigint): Given {
  const given: Given = {};
  const modes = { corruption: 0, error: 0 };
  reader.at = WORDS;
  const count = reader.group('verity-option-count', mostOptions(reader));
  const end = reader.at + count;
  const valueAt = (code: string): number => {
    if (reader.at === end) reader.refuseWord(code, 'an option, with its value');
    return reader.at++;
  };
  const mode = (kind: keyof typeof modes): void => {
    if (modes[kind]++ > 0 && reader.isSince(ONE_MODE)) {
      reader.refuseWord(
        'verity-modes',
        `one mode of what becomes of ${kind === 'error' ? 'errors' : 'corruption'}`,
      );
    }
  };
  while (reader.at < end) {
    const option = reader.next('verity-option', 'an option').toLowerCase();
    if (CORRUPTION_MODES.includes(option)) mode('corruption');
    else if (ERROR.includes(option) && reader.isSince(ERROR_MODE)) mode('error');
    else if (option === 'ignore_zero_blocks') continue;
    else if (option === 'check_at_most_once') {
      if (dataBlocks > INT_MAX)
        reader.refuse('verity-once', `expected less than 2^31 blocks, got ${dataBlocks}`);
    } else if (option === 'try_verify_in_tasklet' && reader.isSince(TASKLET)) continue;
    else if (option === 'root_hash_sig_key_desc') valueAt('verity-signature');
    else if (option === 'use_fec_from_device') {
      const at = valueAt('verity-fec-value');
      if (given.fec !== undefined && reader.isSince(ERROR_MODE))
        reader.refuseWord('verity-fec-twice', 'one device', at);
      given.fec = reader.device(at, 'verity-fec-device') ?? 'unknown';
    } else if (option === 'fec_blocks' || option === 'fec_start') {
      const at = valueAt('verity-fec-value');
      const isBlocks = option === 'fec_blocks';
      const code = isBlocks ? 'verity-fec-blocks' : 'verity-fec-start';
      const blocks = reader.wide(at, code, 'a number of blocks');
      if (!fitsBlocks(blocks, bits)) reader.refuseWord(code, 'a number of blocks', at);
      if (isBlocks) given.blocks = blocks;
      else given.start = blocks;
    } else if (option === 'fec_roots') {
      const at = valueAt('verity-fec-value');
      // Read as %hhu, of which eight bits are left.
      given.roots = reader.number(
        at,
        'verity-fec-roots',
        'a number from 2 to 24',
        (word) => {
          const roots = sscanf32(word);
          return roots === undefined ? undefined : roots & 0xff;
        },
        (roots) => roots >= 2 && roots <= 24,
      );
    } else reader.refuseWord('verity-option', 'an option that this kernel knows');
  }
  return given;
}

/** The blocks of the tree: its end, counted from the start of the device. */
function endOfTree(reader: Reader, start: bigint, dataBlocks: bigint, perBlock: number): bigint {
  let levels = 0;
  if (dataBlocks > 0n) {
    while (perBlock * levels < 64 && (dataBlocks - 1n) >> BigInt(perBlock * levels) > 0n) levels++;
  }
  let end = start;
  for (let level = levels; level > 0; level--) {
    const bits = BigInt(level * perBlock);
    const blocks = BigInt.asUintN(64, dataBlocks + (1n << bits) - 1n) >> bits;
    if (end + blocks >= 1n << 64n)
      reader.refuse('verity-hash-overflow', 'expected a start below the end of any device', {
        at: 6,
      });
    end += blocks;
  }
  return end;
}

/** dm-verity-target.c verity_ctr(), dm-verity-fec.c verity_fec_ctr() */
function read(reader: Reader): void {
  const { line } = reader;
  if (reader.machine.readOnly === false)
    reader.refuse('verity-writable', 'expected a table that is loaded read-only');
  if (line.count < WORDS)
    reader.refuse('verity-arguments', `expected ten words at least, got ${line.count}`);
  reader.at = WORDS;
  if (reader.left > 0 && reader.isSince(TASKLET))
    reader.group('verity-option-count', mostOptions(reader));
  reader.number(0, 'verity-version', '0 or 1', sscanf32, (version) => version <= 1);
  const data = reader.device(1, 'verity-data-device');
  const hash = reader.device(2, 'verity-hash-device');
  const blockBits = (
    at: number,
    code: string,
    device: LintDevice | undefined,
    most: number,
  ): number => {
    const least = blockOf(device) * 512;
    const expected = `a power of two, from ${least} to ${most} bytes`;
    return Math.log2(
      reader.number(
        at,
        code,
        expected,
        sscanf32,
        (size) => isPowerOfTwo(size) && size >= least && size <= most,
      ),
    );
  };
  const bits = blockBits(3, 'verity-data-block', data, 65536);
  const hashBits = blockBits(4, 'verity-hash-block', hash, 2 ** 30);
  const dataBlocks = reader.wide(5, 'verity-data-blocks', 'a number of blocks');
  if (!fitsBlocks(dataBlocks, bits))
    reader.refuseWord('verity-data-blocks', 'a number of blocks', 5);
  const sectors = dataBlocks << BigInt(bits - 9);
  if (reader.length > sectors) {
    reader.refuse('verity-length', `expected at most ${sectors} sectors, got ${line.length}`, {
      at: 'length',
    });
  }
  const hashStart = reader.wide(6, 'verity-hash-start', 'a number of blocks');
  if (!fitsBlocks(hashStart, hashBits))
    reader.refuseWord('verity-hash-start', 'a number of blocks', 6);
  const size = DIGESTS.get(line.word(7));
  const isDigest = /^([0-9a-f]{2})+$/i.test(line.word(8));
  if (!isDigest || (size !== undefined && line.word(8).length !== 2 * size)) {
    reader.refuseWord(
      'verity-root-digest',
      size === undefined ? 'hexadecimal digits' : `${2 * size} hexadecimal digits`,
      8,
    );
  }
  if (!/^(-|([0-9a-f]{2})+)$/i.test(line.word(9)))
    reader.refuseWord('verity-salt', 'hexadecimal digits or a dash', 9);
  const given = line.count > WORDS ? readOptions(reader, bits, dataBlocks) : {};
  if (size === undefined) return;
  const perBlock = Math.floor(Math.log2(2 ** hashBits / size));
  const end = endOfTree(reader, hashStart, dataBlocks, perBlock);
  const blocksOf = (device: LintDevice): bigint => BigInt(device.sectors) >> BigInt(hashBits - 9);
  if (hash !== undefined && blocksOf(hash) < end) {
    reader.refuse('verity-hash-size', `expected ${end} blocks of hashes, got ${blocksOf(hash)}`, {
      at: 2,
    });
  }
  const { fec, roots, blocks } = given;
  if (fec === undefined) return;
  if (bits !== hashBits)
    reader.refuse('verity-fec-block', 'expected blocks of one size', { at: 4 });
  if (roots === undefined) reader.refuse('verity-fec-roots-missing', 'expected fec_roots, too');
  if (blocks === undefined || blocks === 0n)
    reader.refuse('verity-fec-blocks-missing', 'expected fec_blocks, too');
  const covered = dataBlocks + end - hashStart;
  if (blocks < covered) {
    reader.refuse('verity-fec-blocks-few', `expected at least ${covered} blocks, got ${blocks}`);
  }
  const needed = blocks - dataBlocks + (reader.isSince(WHOLE_PARITY) ? hashStart : 0n);
  if (hash !== undefined && blocksOf(hash) < needed) {
    reader.refuse(
      'verity-fec-hash-size',
      `expected ${needed} blocks of hashes, got ${blocksOf(hash)}`,
      { at: 2 },
    );
  }
  const rsn = BigInt(CODE_WORD - roots);
  const parity = ((blocks + rsn - 1n) / rsn) * BigInt(roots);
  if (fec !== 'unknown' && reader.isSince(WHOLE_PARITY)) {
    const first = given.start ?? 0n;
    const rest = blocksOf(fec) - first;
    if ((rest < 0n ? 0n : rest) < parity)
      reader.refuse('verity-fec-size', `expected ${parity} blocks of parity, got ${rest}`);
  }
  if (data !== undefined && blocksOf(data) < dataBlocks) {
    reader.refuse(
      'verity-fec-data-size',
      `expected ${dataBlocks} blocks of data, got ${blocksOf(data)}`,
      { at: 1 },
    );
  }
}

const SHA256 = 'sha256 ' + '0'.repeat(64) + ' -';
const row = (words: string): string => `0 8 verity ${words}`;
const withOptions = (words: string): string => row(`1 8:16 8:32 4096 4096 1 1 ${SHA256} ${words}`);

/** Made when they are first used, as definitions are: there are many. */
const rules = (): readonly RuleOf[] => [
  {
    code: 'verity-writable',
    why: 'The table is loaded read-only (dm-verity-target.c verity_ctr).',
    example: row(`1 8:16 8:32 4096 4096 1 1 ${SHA256}`),
    fix: 'load the table read-only',
    log: 'Device must be readonly',
  },
  {
    code: 'verity-arguments',
    why: 'Ten words are needed (dm-verity-target.c verity_ctr).',
    example: row(`1 8:16 8:32 4096 4096 1 1 sha256 ${'0'.repeat(64)}`),
    fix: 'write VERSION DATA HASHES DATA_BLOCK HASH_BLOCK BLOCKS START ALGORITHM DIGEST SALT',
    log: 'Not enough arguments',
  },
  {
    code: 'verity-option-count',
    why: 'A count stands before the options (dm-verity-target.c verity_parse_opt_args).',
    example: withOptions('2 ignore_zero_blocks'),
    fix: 'write how many words follow',
    log: 'Invalid number of feature args',
    changes: [TASKLET, ERROR_MODE],
  },
  {
    code: 'verity-version',
    why: 'There are two versions (dm-verity-target.c verity_ctr).',
    example: row(`2 8:16 8:32 4096 4096 1 1 ${SHA256}`),
    fix: 'write 1',
    log: 'Invalid version',
  },
  {
    code: 'verity-data-device',
    why: 'The kernel has no such block device (dm-verity-target.c verity_ctr).',
    example: row(`1 4096:0 8:32 4096 4096 1 1 ${SHA256}`),
    fix: 'write the path or major:minor of a block device',
    log: 'Data device lookup failed',
  },
  {
    code: 'verity-hash-device',
    why: 'The kernel has no such block device (dm-verity-target.c verity_ctr).',
    example: row(`1 8:16 4096:0 4096 4096 1 1 ${SHA256}`),
    fix: 'write the path or major:minor of a block device',
    log: 'Hash device lookup failed',
  },
  {
    code: 'verity-data-block',
    why: "A block of data is a power of two, no less than the device's logical block and no more than a page, which is 4096 bytes on most machines and 65536 at most (dm-verity-target.c verity_ctr).",
    example: row(`1 8:16 8:32 131072 4096 1 1 ${SHA256}`),
    fix: 'write a power of two, in bytes',
    log: 'Invalid data device block size',
  },
  {
    code: 'verity-hash-block',
    why: "A block of hashes is a power of two, no less than the device's logical block (dm-verity-target.c verity_ctr).",
    example: row(`1 8:16 8:32 4096 4000 1 1 ${SHA256}`),
    fix: 'write a power of two, in bytes',
    log: 'Invalid hash device block size',
  },
  {
    code: 'verity-data-blocks',
    why: 'The blocks of data have less than 2^64 sectors (dm-verity-target.c verity_ctr).',
    example: row(`1 8:16 8:32 4096 4096 x 1 ${SHA256}`),
    fix: 'write a number of blocks',
    log: 'Invalid data blocks',
  },
  {
    code: 'verity-length',
    why: 'The target has no more than the blocks of data (dm-verity-target.c verity_ctr).',
    example: `0 16 verity 1 8:16 8:32 4096 4096 1 1 ${SHA256}`,
    fix: 'use as many sectors as the blocks have, or less',
    log: 'Data device is too small',
  },
  {
    code: 'verity-hash-start',
    why: 'The tree begins below 2^64 sectors (dm-verity-target.c verity_ctr).',
    example: row(`1 8:16 8:32 4096 4096 1 x ${SHA256}`),
    fix: 'write a number of blocks',
    log: 'Invalid hash start',
  },
  {
    code: 'verity-root-digest',
    why: 'The digest is as long as those of the algorithm (dm-verity-target.c verity_ctr).',
    example: row('1 8:16 8:32 4096 4096 1 1 sha256 00 -'),
    fix: 'write the digest that veritysetup has told',
    log: 'Invalid root digest',
  },
  {
    code: 'verity-salt',
    why: 'A salt is bytes in hexadecimal, and a dash if there is none (dm-verity-target.c verity_ctr).',
    example: row(`1 8:16 8:32 4096 4096 1 1 sha256 ${'0'.repeat(64)} 0`),
    fix: 'write two digits for each byte, or a dash',
    log: 'Invalid salt',
  },
  {
    code: 'verity-modes',
    why: 'One mode says what becomes of corruption, and one of errors; before Linux 5.13 the last one counts (dm-verity-target.c verity_parse_verity_mode).',
    example: withOptions('2 ignore_corruption restart_on_corruption'),
    fix: 'write one of them',
    log: 'Conflicting error handling parameters',
    since: ONE_MODE,
  },
  {
    code: 'verity-once',
    why: 'The blocks that were seen are kept as bits, less than 2^31 (dm-verity-target.c verity_alloc_most_once).',
    example: `0 8 verity 1 8:16 8:32 4096 4096 2147483648 1 ${SHA256} 1 check_at_most_once`,
    fix: 'leave it out',
    log: 'device too large to use check_at_most_once',
    errno: E2BIG,
  },
  {
    code: 'verity-signature',
    why: "Behind root_hash_sig_key_desc stands a key's description (dm-verity-verify-sig.c verity_verify_sig_parse_opt_args).",
    example: withOptions('1 root_hash_sig_key_desc'),
    fix: 'write the description of a key',
    log: 'Root hash verification: Signature key not specified',
  },
  {
    code: 'verity-fec-value',
    why: 'Each option of parity has a value (dm-verity-fec.c verity_fec_parse_opt_args).',
    example: withOptions('1 fec_roots'),
    fix: 'write its value behind it',
    log: 'FEC feature arguments require a value',
  },
  {
    code: 'verity-fec-twice',
    why: 'Parity is on one device (dm-verity-fec.c verity_fec_parse_opt_args).',
    example: withOptions('4 use_fec_from_device 8:48 use_fec_from_device 8:48'),
    fix: 'write it once',
    log: 'FEC device already specified',
    since: ERROR_MODE,
  },
  {
    code: 'verity-fec-device',
    why: 'The kernel has no such block device (dm-verity-fec.c verity_fec_parse_opt_args).',
    example: withOptions('2 use_fec_from_device 4096:0'),
    fix: 'write the path or major:minor of a block device',
    log: 'FEC device lookup failed',
  },
  {
    code: 'verity-fec-blocks',
    why: 'How many blocks parity covers is a number (dm-verity-fec.c verity_fec_parse_opt_args).',
    example: withOptions('2 fec_blocks x'),
    fix: 'write a number of blocks',
    log: 'Invalid fec_blocks',
  },
  {
    code: 'verity-fec-start',
    why: 'Where parity begins is a number of blocks (dm-verity-fec.c verity_fec_parse_opt_args).',
    example: withOptions('2 fec_start x'),
    fix: 'write a number of blocks',
    log: 'Invalid fec_start',
  },
  {
    code: 'verity-fec-roots',
    why: 'A code word has 2 to 24 bytes of parity (dm-verity-fec.c verity_fec_parse_opt_args).',
    example: withOptions('2 fec_roots 25'),
    fix: 'write a number from 2 to 24',
    log: 'Invalid fec_roots',
  },
  {
    code: 'verity-option',
    why: 'There are eight options, three of them of later releases, and four of parity (dm-verity-target.c verity_parse_opt_args).',
    example: withOptions('1 ignore_zeros'),
    fix: 'leave it out',
    log: 'Unrecognized verity feature request',
    changes: [TASKLET, ERROR_MODE],
  },
  {
    code: 'verity-hash-overflow',
    why: 'The tree ends below 2^64 blocks (dm-verity-target.c verity_ctr).',
    example: `0 8 verity 1 8:16 8:32 512 512 1099511627776 18446744073709551614 ${SHA256}`,
    fix: 'write where the tree begins',
    log: 'Hash device offset overflow',
    errno: E2BIG,
  },
  {
    code: 'verity-hash-size',
    why: 'The device has room for the tree (dm-verity-target.c verity_ctr).',
    example: `0 8 verity 1 8:16 /dev/sdb 4096 4096 1 4096 ${SHA256}`,
    fix: 'write where the tree begins, and the device that has it',
    log: 'Hash device is too small',
    errno: E2BIG,
  },
  {
    code: 'verity-fec-block',
    why: 'With parity data and hashes have blocks of one size (dm-verity-fec.c verity_fec_ctr).',
    example: `0 8 verity 1 8:16 8:32 4096 1024 1 1 ${SHA256} 6 use_fec_from_device 8:48 fec_blocks 2 fec_roots 2`,
    fix: 'make the tree of blocks as large as those of data',
    log: 'Block sizes must match to use FEC',
  },
  {
    code: 'verity-fec-roots-missing',
    why: 'Parity is of no use without its roots (dm-verity-fec.c verity_fec_ctr).',
    example: withOptions('4 use_fec_from_device 8:48 fec_blocks 2'),
    fix: 'add fec_roots',
    log: 'Missing fec_roots',
  },
  {
    code: 'verity-fec-blocks-missing',
    why: 'Parity is of no use without the count of its blocks (dm-verity-fec.c verity_fec_ctr).',
    example: withOptions('4 use_fec_from_device 8:48 fec_roots 2'),
    fix: 'add fec_blocks',
    log: 'Missing fec_blocks',
  },
  {
    code: 'verity-fec-blocks-few',
    why: 'Parity covers the data and the hashes (dm-verity-fec.c verity_fec_ctr).',
    example: withOptions('6 use_fec_from_device 8:48 fec_blocks 1 fec_roots 2').replace(
      '4096 1 1',
      '4096 2 1',
    ),
    fix: 'write as many blocks as data and hashes have',
    log: 'Invalid fec_blocks',
  },
  {
    code: 'verity-fec-hash-size',
    why: 'Behind the hashes there are as many blocks as parity covers (dm-verity-fec.c verity_fec_ctr).',
    example: `0 8 verity 1 8:16 /dev/sdb 4096 4096 1 1 ${SHA256} 6 use_fec_from_device 8:48 fec_blocks 4096 fec_roots 2`,
    fix: 'write as many blocks as data and hashes have',
    log: 'Hash device is too small for fec_blocks',
    errno: E2BIG,
    changes: [WHOLE_PARITY],
  },
  {
    code: 'verity-fec-size',
    why: 'The device has room for parity (dm-verity-fec.c verity_fec_ctr).',
    example: withOptions('8 use_fec_from_device /dev/sdb fec_blocks 2 fec_roots 2 fec_start 4096'),
    fix: 'write where parity begins, and the device that has it',
    log: 'FEC device is too small',
    errno: E2BIG,
    since: WHOLE_PARITY,
  },
  {
    code: 'verity-fec-data-size',
    why: 'With parity the device has room for all blocks of data (dm-verity-fec.c verity_fec_ctr).',
    example: `0 8 verity 1 /dev/sdb 8:32 4096 4096 4096 1 ${SHA256} 6 use_fec_from_device 8:48 fec_blocks 8192 fec_roots 2`,
    fix: 'write how many blocks of data there are',
    log: 'Data device is too small',
    errno: E2BIG,
  },
];

/**
 * Reads are checked against a tree of hashes; a table that is read-only.
 *
 * @example
 * verity({
 *   startSector: 0,
 *   length: 2048,
 *   version: 1,
 *   dataDevice: '/dev/sdb',
 *   hashDevice: '/dev/sdc',
 *   dataBlockSize: 4096,
 *   hashBlockSize: 4096,
 *   dataBlocks: 256,
 *   hashStartBlock: 1,
 *   algorithm: 'sha256',
 *   rootDigest: '4392712ba01368efdf14b05c76f9e4df0d53664630b5d48632ed17a137f39076',
 * })
 * @since Linux 3.4
 * @see drivers/md/dm-verity-target.c verity_ctr(), verity_parse_opt_args(); dm-verity-fec.c
 */
export const verity = /* @__PURE__ */ defineTarget('verity', () => ({
  parameters: [
    {
      /** 1; 0 is the form that Chromium OS once had. */
      version: integer({ max: 1 }),
      /** What is read. */
      dataDevice: device(),
      /** The tree; it may be behind the data on the same device. */
      hashDevice: device(),
      /** What is checked at once, in bytes. */
      dataBlockSize: byteCount({ min: 512, max: 65536, powerOfTwo: true }),
      /** A block of the tree, in bytes. */
      hashBlockSize: byteCount({ min: 512, max: 2 ** 30, powerOfTwo: true }),
      /** How many blocks of data there are. */
      dataBlocks: integer(),
      /** Where the tree begins, in blocks of `hashBlockSize`. */
      hashStartBlock: integer(),
      /** A hash, as the kernel's crypto API names it. */
      algorithm: text("a hash's name"),
      /** The tree's root. */
      rootDigest: hex('a digest'),
      /** What is hashed with each block. */
      salt: orDash(hex('a salt')),
    },
    options({
      /** What becomes of a block that is wrong; an I/O error if left out. */
      onCorruption: choice('ignore_corruption', 'restart_on_corruption', 'panic_on_corruption'),
      /** What becomes of I/O errors beneath; from Linux 6.12 on. */
      onError: choice('restart_on_error', 'panic_on_error'),
      /** Read blocks whose hash is that of zeros as zeros, without a look. */
      ignoreZeroBlocks: flag(),
      /** Check each block only when it is read first. */
      checkAtMostOnce: flag(),
      /** Check at once where the hash is cached, without a work queue. */
      tryVerifyInTasklet: flag(),
      /** Where parity is, from which blocks can be corrected. */
      useFecFromDevice: value(device()),
      /** How many blocks parity covers. */
      fecBlocks: value(integer()),
      /** Where parity begins, in blocks. */
      fecStart: value(integer()),
      /** Parity bytes for each code word of 255. */
      fecRoots: value(integer({ min: 2, max: 24 })),
      /** A key in the kernel's keyring, whose signature of `rootDigest` is checked. */
      rootHashSigKeyDesc: value(text("a key's description")),
    }),
  ],
  features: { immutable: '5.19', singleton: '6.11' },
  rules: readerRules(read, rules()),
  areas: (line: Arguments) => [
    { word: 1, start: 0, length: line.length, block: sscanf32(line.word(3))! / 512 },
  ],
  status: [
    {
      /** V valid so far, C a corrupted block was seen. */
      verdict: oneOf('V', 'C'),
      /** Blocks that parity has corrected; from Linux 6.19 on, absent without parity. */
      corrected: optional(orDash(integer())),
    },
  ],
}));
