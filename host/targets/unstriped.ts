import { defineTarget } from './define.js';
import { device, integer, sectors } from './fields.js';
import {
  notAboveZero,
  argumentsRule,
  deviceRule,
  kstrtouint,
  sectorRule,
  sscanf64,
  wordRule,
} from './rules.js';

/**
 * One stripe of a striped device, by itself.
 *
 * @example
 * unstriped({
 *   startSector: 0,
 *   length: 512,
 *   stripes: 2,
 *   chunkSize: 256,
 *   stripe: 0,
 *   device: '/dev/nvme0n1',
 *   offset: 0,
 * })
 * @since Linux 4.16
 * @see drivers/md/dm-unstripe.c unstripe_ctr()
 */
export const unstriped = /* @__PURE__ */ defineTarget('unstriped', () => ({
  parameters: [
    {
      /** How many stripes there are. */
      stripes: integer({ min: 1, max: 0xffffffff }),
      /** How much is on one before it is the next one's turn, in sectors. */
      chunkSize: sectors({ min: 1, max: 0xffffffff }),
      /** Which one, counted from 0. */
      stripe: integer({ max: 0xfffffffe }),
      /** The striped device. */
      device: device(),
      /** Where on it, in sectors. */
      offset: sectors(),
    },
  ],
  rules: [
    argumentsRule(
      {
        code: 'unstriped-arguments',
        expected: 'STRIPES CHUNK STRIPE DEVICE OFFSET',
        why: 'unstriped takes five words (dm-unstripe.c unstripe_ctr).',
        example: '0 8 unstriped 2 8 0 8:16',
        fix: 'write STRIPES CHUNK STRIPE DEVICE OFFSET',
        log: 'Invalid number of arguments',
      },
      (count) => count === 5,
    ),
    wordRule(
      {
        code: 'unstriped-stripes',
        why: 'There is at least one stripe, and there are less than 2^32 (dm-unstripe.c unstripe_ctr).',
        example: '0 8 unstriped 0 8 0 8:16 0',
        fix: 'write how many stripes the striped device has',
        log: 'Invalid stripe count',
      },
      [0],
      notAboveZero,
    ),
    wordRule(
      {
        code: 'unstriped-chunk',
        why: 'A chunk has sectors, less than 2^32 of them (dm-unstripe.c unstripe_ctr).',
        example: '0 8 unstriped 2 0 0 8:16 0',
        fix: 'write the chunk of the striped device, in sectors',
        log: 'Invalid chunk_size',
      },
      [1],
      notAboveZero,
    ),
    wordRule(
      {
        code: 'unstriped-stripe',
        why: 'Which stripe it is, is a number below 2^32 (dm-unstripe.c unstripe_ctr).',
        example: '0 8 unstriped 2 8 x 8:16 0',
        fix: 'write a number from 0',
        log: 'Invalid stripe number',
      },
      [2],
      (word) => (kstrtouint(word) === undefined ? 'a number from 0' : undefined),
    ),
    wordRule(
      {
        code: 'unstriped-stripe-range',
        why:
          'The stripe is one of those there are; the kernel lets the number of them pass, and any of one ' +
          'stripe (dm-unstripe.c unstripe_ctr).',
        example: '0 8 unstriped 2 8 3 8:16 0',
        fix: 'write a number from 0 that is less than the number of stripes',
        log: 'Please provide stripe between [0, # of stripes]',
      },
      [2],
      (word, line) => {
        const stripes = kstrtouint(line.word(0))!;
        return stripes > 1 && kstrtouint(word)! > stripes ? `less than ${stripes}` : undefined;
      },
    ),
    deviceRule(
      {
        code: 'unstriped-device',
        why: 'The kernel has no such block device (dm-unstripe.c unstripe_ctr).',
        example: '0 8 unstriped 2 8 0 4096:0 0',
        fix: 'write the path or major:minor of a block device',
        log: "Couldn't get striped device",
        errno: 22,
      },
      [3],
    ),
    sectorRule(
      {
        code: 'unstriped-offset',
        why: 'The offset is a decimal number (dm-unstripe.c unstripe_ctr).',
        example: '0 8 unstriped 2 8 0 8:16 x',
        fix: 'write decimal sectors of 512 bytes',
        log: 'Invalid striped device offset',
      },
      [4],
    ),
    {
      code: 'unstriped-length',
      severity: 'error',
      why: 'The target is made of whole chunks (dm-unstripe.c unstripe_ctr).',
      example: '0 12 unstriped 2 8 0 8:16 0',
      fix: 'use a multiple of the chunk',
      log: 'Target length not divisible by chunk size',
      check: (line) => {
        const chunk = kstrtouint(line.word(1))!;
        if (BigInt(line.length) % BigInt(chunk) === 0n) return undefined;
        return {
          message: `expected a multiple of ${chunk} sectors, got ${line.length}`,
          at: 'length',
        };
      },
    },
  ],
  areas: (line) => [
    { word: 3, offsetWord: 4, start: sscanf64(line.word(4))!, length: line.length },
  ],
}));
