import { defineTarget } from './define.js';
import { device, deviceAt, list, sectors, text } from './fields.js';
import { count, literal } from './parts.js';
import { argumentsRule, kstrtouint, notAboveZero, quoted, sscanf64, wordRule } from './rules.js';

const ENOMEM = 12;

/**
 * Chunks dealt out to several devices in turn (RAID 0).
 *
 * @example
 * striped({
 *   startSector: 0,
 *   length: 4096,
 *   chunkSize: 128,
 *   stripes: [
 *     { device: '/dev/sdb', offset: 0 },
 *     { device: '/dev/sdc', offset: 0 },
 *   ],
 * })
 * @since Linux 2.6
 * @see drivers/md/dm-stripe.c stripe_ctr(), stripe_status()
 */
export const striped = /* @__PURE__ */ defineTarget('striped', () => ({
  parameters: [
    count('stripes'),
    {
      /** How much goes to one device before it is the next one's turn, in sectors. */
      chunkSize: sectors({ min: 1 }),
      /** The devices, and where on each the stripe begins, in sectors. */
      stripes: list(deviceAt(), { min: 1 }),
    },
  ],
  status: [
    count('devices'),
    {
      /** As 'major:minor'. */
      devices: list(device()),
    },
    literal('1'),
    {
      /** A letter for each device: A alive, D dead since an I/O failed. */
      health: text(),
    },
  ],
  rules: [
    argumentsRule(
      {
        code: 'striped-arguments',
        expected: 'STRIPES CHUNK {DEVICE OFFSET}',
        why: 'striped takes at least two words (dm-stripe.c stripe_ctr).',
        example: '0 8 striped 1',
        fix: 'write STRIPES CHUNK, and DEVICE OFFSET for each stripe',
        log: 'Not enough arguments',
      },
      (count) => count >= 2,
    ),
    wordRule(
      {
        code: 'striped-stripes',
        why: 'There is at least one stripe, and there are less than 2^32 (dm-stripe.c stripe_ctr).',
        example: '0 8 striped 0 8',
        fix: 'write how many devices follow',
        log: 'Invalid stripe count',
      },
      [0],
      notAboveZero,
    ),
    wordRule(
      {
        code: 'striped-chunk',
        why: 'A chunk has sectors, less than 2^32 of them (dm-stripe.c stripe_ctr).',
        example: '0 8 striped 1 0 8:16 0',
        fix: 'write a number of sectors',
        log: 'Invalid chunk_size',
      },
      [1],
      notAboveZero,
    ),
    {
      code: 'striped-length',
      severity: 'error',
      why: 'Each stripe has as many sectors as the others (dm-stripe.c stripe_ctr).',
      example: '0 9 striped 2 1 8:16 0 8:32 0',
      fix: 'use a multiple of the number of stripes',
      log: 'Target length not divisible by number of stripes',
      check: (line) => {
        const stripes = kstrtouint(line.word(0))!;
        if (BigInt(line.length) % BigInt(stripes) === 0n) return undefined;
        return {
          message: `expected a multiple of ${stripes} sectors, got ${line.length}`,
          at: 'length',
        };
      },
    },
    {
      code: 'striped-length-chunk',
      severity: 'error',
      why: 'Each stripe is made of whole chunks (dm-stripe.c stripe_ctr).',
      example: '0 24 striped 2 8 8:16 0 8:32 0',
      fix: 'use a multiple of the chunk times the number of stripes',
      log: 'Target length not divisible by chunk size',
      check: (line) => {
        const [stripes, chunk] = [kstrtouint(line.word(0))!, kstrtouint(line.word(1))!];
        if ((BigInt(line.length) / BigInt(stripes)) % BigInt(chunk) === 0n) return undefined;
        const expected = `${stripes} times a multiple of ${chunk} sectors`;
        return { message: `expected ${expected}, got ${line.length}`, at: 'length' };
      },
    },
    {
      code: 'striped-devices',
      severity: 'error',
      why: 'Two words follow for each stripe, and nothing else (dm-stripe.c stripe_ctr).',
      example: '0 16 striped 2 8 8:16 0',
      fix: 'write DEVICE OFFSET for each stripe',
      log: 'Not enough destinations specified',
      check: (line) => {
        const stripes = kstrtouint(line.word(0))!;
        if (line.count === 2 + 2 * stripes) return undefined;
        const message = `expected ${2 * stripes} words behind the chunk, got ${line.count - 2}`;
        // The kernel's sum has 32 bits; where it fits by that, there is no memory for so many stripes.
        if (line.count !== (2 + 2 * stripes) % 2 ** 32) return { message };
        return { message, log: 'Memory allocation for striped context failed', errno: ENOMEM };
      },
    },
    {
      code: 'striped-stripe',
      severity: 'error',
      why: 'A stripe is a device and a decimal number of sectors (dm-stripe.c get_stripe).',
      example: '0 8 striped 1 8 8:16 x',
      fix: 'write DEVICE OFFSET for each stripe',
      log: "Couldn't parse stripe destination",
      check: (line, machine) => {
        for (let at = 2; at < line.count; at += 2) {
          if (sscanf64(line.word(at + 1)) === undefined) {
            const got = quoted(line.word(at + 1));
            return { message: `expected decimal sectors of 512 bytes, got ${got}`, at: at + 1 };
          }
          const errno = machine.lookup(line.word(at));
          if (typeof errno === 'number') {
            return { message: `expected a block device, got ${quoted(line.word(at))}`, at, errno };
          }
        }
        return undefined;
      },
    },
  ],
  areas: (line) => {
    const length = BigInt(line.length) / BigInt(kstrtouint(line.word(0))!);
    return Array.from({ length: (line.count - 2) / 2 }, (_, i) => {
      const [word, offsetWord] = [2 + 2 * i, 3 + 2 * i];
      return { word, offsetWord, start: sscanf64(line.word(offsetWord))!, length };
    });
  },
}));
