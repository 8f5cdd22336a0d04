import { defineTarget } from './define.js';
import { byteCount, device, either, integer, optional, sectors } from './fields.js';
import { message } from './messages.js';
import { isPowerOfTwo, readerRules } from './reader.js';
import { kstrtouint, notAboveZero, sscanf64 } from './rules.js';

const EINVAL = 22;
/** dm-dust.c DUST_MAX_BLKSZ_SECTORS */
const MOST_SECTORS = 2097152n;

/** `countbadblocks: 895 badblock(s) found` */
function countIn(answer: string): number {
  return Number(/: (\d+) badblock/.exec(answer)?.[1] ?? NaN);
}

/** `dust_query_block: block 72 found in badblocklist`, or `not found` */
function isFound(answer: string): boolean {
  return / \d+ found in /.test(answer);
}

/** A block a line, or `No blocks in badblocklist`. */
function blocksIn(answer: string): number[] {
  return (answer.match(/^\d+$/gm) ?? []).map(Number);
}

/** `dust_clear_badblocks: badblocks cleared`, or `no badblocks found` */
function wereCleared(answer: string): boolean {
  return answer.includes('badblocks cleared');
}

/**
 * Blocks that fail reads until they are written, as a disk has them.
 *
 * @example
 * dust({ startSector: 0, length: 2048, device: '/dev/sdb', offset: 0, blockSize: 512 })
 * @since Linux 5.2
 * @see drivers/md/dm-dust.c dust_ctr(), dust_status(), dust_message()
 */
export const dust = /* @__PURE__ */ defineTarget('dust', () => {
  const block = {
    /** Counted in blocks of `blockSize` from the start of `device`. */
    block: integer(),
  };
  return {
    parameters: [
      {
        /** What lies beneath. */
        device: device(),
        /** Where on it, in sectors. */
        offset: sectors(),
        /** How much fails at once, in bytes. */
        blockSize: byteCount({ min: 512, max: 2 ** 30, powerOfTwo: true }),
      },
    ],
    status: [
      {
        /** As 'major:minor'. */
        device: device(),
        /** Do reads of bad blocks fail now? */
        failReads: either('fail_read_on_bad_block', 'bypass'),
        /** Is nothing logged? From Linux 5.3 on. */
        quiet: optional(either('quiet', 'verbose')),
      },
    ],
    messages: {
      /** Make a block bad. */
      addbadblock: message('addbadblock', {
        ...block,
        /** How many writes fail before one mends it; from Linux 5.10 on. */
        writeFailCount: optional(integer({ max: 255 })),
      }),
      /** Make a block good. */
      removebadblock: message('removebadblock', block),
      /** Is a block bad? */
      queryblock: message('queryblock', block, isFound),
      /** How many blocks are bad? */
      countbadblocks: message('countbadblocks', {}, countIn),
      /** Which blocks are bad? From Linux 5.9 on. */
      listbadblocks: message('listbadblocks', {}, blocksIn),
      /** Make all blocks good: were there any that were bad? */
      clearbadblocks: message('clearbadblocks', {}, wereCleared),
      /** Have reads of bad blocks fail. */
      enable: message('enable'),
      /** Have them not fail, as it is at the start. */
      disable: message('disable'),
      /** Log no longer, or again. */
      quiet: message('quiet'),
    },
    rules: readerRules(
      (reader) => {
        const { line } = reader;
        if (line.count !== 3)
          reader.refuse('dust-arguments', `expected DEVICE OFFSET BLOCK, got ${line.count} words`);
        const wrong = notAboveZero(line.word(2));
        if (wrong !== undefined) reader.refuseWord('dust-block-number', wrong, 2);
        const block = kstrtouint(line.word(2))!;
        if (block < 512) reader.refuseWord('dust-block-small', 'at least 512 bytes', 2);
        if (!isPowerOfTwo(block)) reader.refuseWord('dust-block-power', 'a power of two', 2);
        const most = reader.length < MOST_SECTORS ? reader.length : MOST_SECTORS;
        if (BigInt(block / 512) > most)
          reader.refuseWord('dust-block-large', `at most ${512n * most} bytes`, 2);
        reader.wide(1, 'dust-offset');
        reader.device(0, 'dust-device', { errno: EINVAL });
      },
      [
        {
          code: 'dust-arguments',
          why: 'dust takes three words (dm-dust.c dust_ctr).',
          example: '0 8 dust 8:16 0',
          fix: 'write DEVICE OFFSET BLOCK',
          log: 'Invalid argument count',
        },
        {
          code: 'dust-block-number',
          why: 'A block is a number from 1, below 2^32 (dm-dust.c dust_ctr).',
          example: '0 8 dust 8:16 0 x',
          fix: 'write a power of two, in bytes',
          log: 'Invalid block size parameter',
        },
        {
          code: 'dust-block-small',
          why: 'A block has a sector at least (dm-dust.c dust_ctr).',
          example: '0 8 dust 8:16 0 256',
          fix: 'write a power of two from 512 on',
          log: 'Block size must be at least 512',
        },
        {
          code: 'dust-block-power',
          why: 'A block is a power of two (dm-dust.c dust_ctr).',
          example: '0 8 dust 8:16 0 1536',
          fix: 'write a power of two, in bytes',
          log: 'Block size must be a power of 2',
        },
        {
          code: 'dust-block-large',
          why: 'A block is no larger than the target, nor than 1 GiB (dm-dust.c dust_ctr).',
          example: '0 8 dust 8:16 0 8192',
          fix: 'use smaller blocks',
          log: 'Block size is too large',
        },
        {
          code: 'dust-offset',
          why: 'The offset is a decimal number (dm-dust.c dust_ctr).',
          example: '0 8 dust 8:16 x 512',
          fix: 'write decimal sectors of 512 bytes',
          log: 'Invalid device offset sector',
        },
        {
          code: 'dust-device',
          why: 'The kernel has no such block device (dm-dust.c dust_ctr).',
          example: '0 8 dust 4096:0 0 512',
          fix: 'write the path or major:minor of a block device',
          log: 'Device lookup failed',
        },
      ],
    ),
    areas: (line) => [
      { word: 0, offsetWord: 1, start: sscanf64(line.word(1))!, length: line.length },
    ],
  };
});
