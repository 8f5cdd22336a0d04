import { defineTarget } from './define.js';
import { device, integer, oneOf, record, sectors } from './fields.js';
import { choice, flag, options, value } from './parts.js';
import {
  argumentsRule,
  deviceRule,
  isSince,
  quoted,
  readArgument,
  sectorRule,
  sscanf32,
  sscanf64,
  walkRules,
  wordRule,
  type Arguments,
  type Machine,
  type WalkEnd,
} from './rules.js';

const PROBABILITY = { max: 1_000_000_000 } as const;

const UINT_MAX = 0xffffffff;
/** From this release on reads may fail by a feature of their own, and I/O be spoilt at random. */
const RANDOM = '6.5';
const FEATURES_AT = 4;

/** dm-flakey.c parse_features(), which counts words in an unsigned int that may go below zero. */
function walkFeatures(line: Arguments, { release }: Machine): WalkEnd | undefined {
  if (line.count === FEATURES_AT) return undefined;
  const isRandom = isSince(release, RANDOM);
  const most = isRandom ? 11 : 6;
  let left = readArgument(line.word(FEATURES_AT), 0, most);
  if (left === undefined || left > line.count - FEATURES_AT - 1) {
    const got = quoted(line.word(FEATURES_AT));
    const message = `expected how many words follow, at most ${most}, got ${got}`;
    return { code: 'flakey-count', message, at: FEATURES_AT };
  }
  const features = new Set<string>();
  let at = FEATURES_AT + 1;
  let direction = '';
  const argument = (code: string, min: number, max: number): WalkEnd | undefined => {
    const word = line.word(at++);
    left!--;
    if (readArgument(word, min, max) !== undefined) return undefined;
    const message = `expected a number from ${min} to ${max}, got ${quoted(word)}`;
    return { code, message, at: at - 1 };
  };
  // Below zero it is not zero, either.
  for (; left !== 0;) {
    if (at >= line.count) {
      return { code: 'flakey-words', message: 'expected more words, which the count has' };
    }
    const feature = line.word(at++).toLowerCase();
    const here = at - 1;
    left--;
    if (
      ['drop_writes', 'error_writes'].includes(feature) ||
      (isRandom && feature === 'error_reads')
    ) {
      if (features.has(feature)) {
        const log = `Feature ${feature} duplicated`;
        return { code: 'flakey-twice', message: `${feature} twice`, at: here, log };
      }
      features.add(feature);
      const other = feature === 'drop_writes' ? 'error_writes' : 'drop_writes';
      if (feature !== 'error_reads' && features.has(other)) {
        const log = `Feature ${feature} conflicts with feature ${other}`;
        return { code: 'flakey-writes', message: `${feature} and ${other}`, at: here, log };
      }
      continue;
    }
    const isCorrupt = feature === 'corrupt_bio_byte';
    if (!isCorrupt && !(isRandom && /^random_(read|write)_corrupt$/.test(feature))) {
      const message = `expected a feature, got ${quoted(line.word(here))}`;
      return { code: 'flakey-feature', message, at: here };
    }
    if (left === 0) {
      const log = `Feature ${feature} requires ${isCorrupt ? 'parameters' : 'a parameter'}`;
      const message = `expected words behind ${feature}`;
      return { code: 'flakey-feature-words', message, at: here, log };
    }
    if (!isCorrupt) {
      const bad = argument('flakey-random', 0, PROBABILITY.max);
      if (bad !== undefined) return bad;
      continue;
    }
    const badByte = argument('flakey-byte', 1, UINT_MAX);
    if (badByte !== undefined) return badByte;
    direction = line.word(at++).toLowerCase();
    if (direction !== 'r' && direction !== 'w') {
      const message = `expected r or w, got ${quoted(line.word(at - 1))}`;
      return { code: 'flakey-direction', message, at: at - 1 };
    }
    left--;
    const bad = argument('flakey-value', 0, 255) ?? argument('flakey-flags', 0, UINT_MAX);
    if (bad !== undefined) return bad;
  }
  const writes = [...features].find((feature) => feature.endsWith('_writes'));
  if (writes === undefined || direction !== 'w') return undefined;
  const log = `${writes} is incompatible with corrupt_bio_byte with the WRITE flag set`;
  return { code: 'flakey-corrupt-writes', message: `${writes} and corrupt_bio_byte w`, log };
}

const isInterval = (word: string): string | undefined =>
  sscanf32(word) === undefined ? 'seconds in decimal' : undefined;

/**
 * Works for a while, and then does not, in turn.
 *
 * @example
 * flakey({
 *   startSector: 0,
 *   length: 2048,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   upInterval: 60,
 *   downInterval: 5,
 *   corruptBioByte: { byte: 32, direction: 'r', value: 1, flags: 0 },
 * })
 * @since Linux 2.6.34
 * @see drivers/md/dm-flakey.c flakey_ctr(), parse_features()
 */
export const flakey = /* @__PURE__ */ defineTarget('flakey', () => ({
  parameters: [
    {
      /** What lies beneath. */
      device: device(),
      /** Where on it, in sectors. */
      offset: sectors(),
      /** How long it works, in seconds. */
      upInterval: integer({ max: 0xffffffff }),
      /** How long it then does not, in seconds; all I/O fails unless options say otherwise. */
      downInterval: integer({ max: 0xffffffff }),
    },
    // Up to Linux 6.1 the kernel tells a count of none.
    options(
      {
        /** Reads fail; from Linux 6.6 on. */
        errorReads: flag(),
        /** Writes are forgotten without a word, or fail. */
        writes: choice('drop_writes', 'error_writes'),
        /** One byte of reads or writes is another: the `byte`th, from 1, of I/O with these bio `flags`. */
        corruptBioByte: value(
          record({
            /** Which byte of the I/O, counted from 1. */
            byte: integer({ min: 1, max: 0xffffffff }),
            /** Of reads or of writes. */
            direction: oneOf('r', 'w'),
            /** What it becomes. */
            value: integer({ max: 255 }),
            /** Only of I/O with all of these bio flags. */
            flags: integer({ max: 0xffffffff }),
          }),
        ),
        /** Of 1,000,000,000 reads so many are spoilt at a random place; from Linux 6.6 on. */
        randomReadCorrupt: value(integer(PROBABILITY)),
        /** Of 1,000,000,000 writes so many are spoilt at a random place; from Linux 6.6 on. */
        randomWriteCorrupt: value(integer(PROBABILITY)),
      },
      { count: 'always' },
    ),
  ],
  rules: [
    argumentsRule(
      {
        code: 'flakey-arguments',
        expected: 'DEVICE OFFSET UP DOWN',
        why: 'flakey takes at least four words (dm-flakey.c flakey_ctr).',
        example: '0 8 flakey 8:16 0 60',
        fix: 'write DEVICE OFFSET UP DOWN',
        log: 'Invalid argument count',
      },
      (given) => given >= FEATURES_AT,
    ),
    sectorRule(
      {
        code: 'flakey-offset',
        why: 'The offset is a decimal number (dm-flakey.c flakey_ctr).',
        example: '0 8 flakey 8:16 x 60 5',
        fix: 'write decimal sectors of 512 bytes',
        log: 'Invalid device sector',
      },
      [1],
    ),
    wordRule(
      {
        code: 'flakey-up',
        why: 'The time in which it works is a decimal number (dm-flakey.c flakey_ctr).',
        example: '0 8 flakey 8:16 0 1m 5',
        fix: 'write seconds in decimal',
        log: 'Invalid up interval',
      },
      [2],
      isInterval,
    ),
    wordRule(
      {
        code: 'flakey-down',
        why: 'The time in which it does not work is a decimal number (dm-flakey.c flakey_ctr).',
        example: '0 8 flakey 8:16 0 60 5s',
        fix: 'write seconds in decimal',
        // Both are read with the first one's text.
        log: 'Invalid up interval',
      },
      [3],
      isInterval,
    ),
    wordRule(
      {
        code: 'flakey-never',
        why: 'Both times together are not zero, in 32 bits (dm-flakey.c flakey_ctr).',
        example: '0 8 flakey 8:16 0 0 0',
        fix: 'write a time that is not 0',
        log: 'Total (up + down) interval is zero',
      },
      [3],
      (down, line) =>
        (sscanf32(line.word(2))! + sscanf32(down)!) % 2 ** 32 === 0 ? 'a time' : undefined,
    ),
    wordRule(
      {
        code: 'flakey-ever',
        why: 'Both times together are less than 2^32 seconds (dm-flakey.c flakey_ctr).',
        example: '0 8 flakey 8:16 0 4294967295 2',
        fix: 'write shorter times',
        log: 'Interval overflow',
      },
      [3],
      (down, line) =>
        sscanf32(line.word(2))! + sscanf32(down)! >= 2 ** 32 ? 'a shorter time' : undefined,
    ),
    ...walkRules(walkFeatures, [
      {
        code: 'flakey-count',
        why:
          'The count is of the words behind it, which are at least as many, and at most 6, from Linux ' +
          '6.5 on 11 (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 2 drop_writes',
        fix: 'count the words of the features',
        log: 'Invalid number of feature args',
        changes: [RANDOM],
      },
      {
        code: 'flakey-words',
        why: 'All the words that the count has are there (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 4 corrupt_bio_byte 1 r 0 0',
        fix: 'count the words of the features',
        log: 'Insufficient feature arguments',
        changes: [RANDOM],
      },
      {
        code: 'flakey-twice',
        why: 'A feature without words of its own stands there once (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 2 drop_writes drop_writes',
        fix: 'write it once',
        changes: [RANDOM],
      },
      {
        code: 'flakey-writes',
        why: 'Writes are dropped, or they fail (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 2 drop_writes error_writes',
        fix: 'write one of them',
        changes: [RANDOM],
      },
      {
        code: 'flakey-feature-words',
        why: 'What is spoilt, stands behind the feature that spoils (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 1 corrupt_bio_byte 1 r 0 0',
        fix: 'write and count the words behind it, too',
        changes: [RANDOM],
      },
      {
        code: 'flakey-random',
        why: 'A probability is a number of 1,000,000,000 (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 2 random_read_corrupt 1000000001',
        fix: 'write a number from 0 to 1000000000',
        log: 'Invalid random corrupt argument',
        since: RANDOM,
      },
      {
        code: 'flakey-byte',
        why: 'Bytes are counted from 1 (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 5 corrupt_bio_byte 0 r 0 0',
        fix: 'write a number from 1',
        log: 'Invalid corrupt bio byte',
      },
      {
        code: 'flakey-direction',
        why: 'What is spoilt are reads or writes (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 5 corrupt_bio_byte 1 rw 0 0',
        fix: 'write r or w',
        log: 'Invalid corrupt bio direction (r or w)',
      },
      {
        code: 'flakey-value',
        why: 'A byte is a number up to 255 (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 5 corrupt_bio_byte 1 r 256 0',
        fix: 'write a number from 0 to 255',
        log: 'Invalid corrupt value to write into bio byte (0-255)',
      },
      {
        code: 'flakey-flags',
        why: 'The flags are a number of 32 bits (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 5 corrupt_bio_byte 1 r 0 x',
        fix: 'write a decimal number, 0 for all I/O',
        log: 'Invalid corrupt bio flags mask',
      },
      {
        code: 'flakey-feature',
        why:
          'Features are drop_writes, error_writes and corrupt_bio_byte, from Linux 6.5 on also error_reads, ' +
          'random_read_corrupt and random_write_corrupt (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 1 drop_reads',
        fix: 'write one that the kernel has',
        log: 'Unrecognised flakey feature requested',
        changes: [RANDOM],
      },
      {
        code: 'flakey-corrupt-writes',
        why: 'Writes that are dropped, or fail, are not spoilt (dm-flakey.c parse_features).',
        example: '0 8 flakey 8:16 0 60 5 6 drop_writes corrupt_bio_byte 1 w 0 0',
        fix: 'spoil reads, or leave out one of them',
      },
    ]),
    deviceRule(
      {
        code: 'flakey-device',
        why: 'The kernel has no such block device (dm-flakey.c flakey_ctr).',
        example: '0 8 flakey 4096:0 0 60 5',
        fix: 'write the path or major:minor of a block device',
        log: 'Device lookup failed',
      },
      [0],
    ),
  ],
  areas: (line) => [
    { word: 0, offsetWord: 1, start: sscanf64(line.word(1))!, length: line.length },
  ],
}));
