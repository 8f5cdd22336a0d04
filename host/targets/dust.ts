import { defineTarget } from './define.js';
import { byteCount, device, either, integer, optional, sectors } from './fields.js';
import { message } from './messages.js';

/** `countbadblocks: 895 badblock(s) found` */
function countIn(answer: string): number {
  return Number(/: (\d+) badblock/.exec(answer)?.[1] ?? NaN);
}

/** `dust_query_block: block 72 found in badblocklist`, or `not found` */
function isFound(answer: string): boolean {
  return / \d+ found in /.test(answer);
}

/** A block a line. */
function blocksIn(answer: string): number[] {
  return answer.split('\n').filter(Boolean).map(Number);
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
      /** Which blocks are bad? From Linux 5.11 on. */
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
  };
});
