import { defineTarget } from './define.js';
import { device, optional, sectors } from './fields.js';
import { isPowerOfTwo, readerRules, type Reader } from './reader.js';
import { sscanf32, sscanf64 } from './rules.js';

/** A block, of which 16 bits are read (dm-ebs-target.c __ebs_check_bs()). */
function readBlock(reader: Reader, at: number, code: string, most: number): number {
  const short = (word: string): number | undefined => {
    const value = sscanf32(word);
    return value === undefined ? undefined : value & 0xffff;
  };
  return reader.number(
    at,
    code,
    `a power of two, at most ${most} sectors`,
    short,
    (block) => isPowerOfTwo(block) && block <= most,
  );
}

/**
 * Smaller blocks than the device beneath has.
 *
 * @example
 * ebs({ startSector: 0, length: 1000000, device: '/dev/sda', offset: 1024, emulatedSectors: 1 })
 * @since Linux 5.8
 * @see drivers/md/dm-ebs-target.c ebs_ctr()
 */
export const ebs = /* @__PURE__ */ defineTarget('ebs', () => ({
  parameters: [
    {
      /** What lies beneath. */
      device: device(),
      /** Where on it, in sectors; a multiple of `underlyingSectors`. */
      offset: sectors(),
      /** A block as users shall see it, in sectors: a power of two. */
      emulatedSectors: sectors({ min: 1, powerOfTwo: true }),
      /** A block of the device, in sectors: a power of two; as it says itself if left out. */
      underlyingSectors: optional(sectors({ min: 1, powerOfTwo: true })),
    },
  ],
  rules: readerRules(
    (reader) => {
      const { line } = reader;
      if (line.count < 3 || line.count > 4) {
        reader.refuse(
          'ebs-arguments',
          `expected DEVICE OFFSET EMULATED [UNDERLYING], got ${line.count} words`,
        );
      }
      const offset = reader.wide(1, 'ebs-offset');
      readBlock(reader, 2, 'ebs-emulated', 128);
      const underlying = line.count > 3 ? readBlock(reader, 3, 'ebs-underlying', 32768) : 1;
      reader.device(0, 'ebs-device');
      if (offset % BigInt(underlying) !== 0n)
        reader.refuseWord('ebs-offset-block', `a multiple of ${underlying} sectors`, 1);
    },
    [
      {
        code: 'ebs-arguments',
        why: 'Three words are needed, and there may be a fourth (dm-ebs-target.c ebs_ctr).',
        example: '0 8 ebs 8:16 0',
        fix: 'write DEVICE OFFSET EMULATED, and UNDERLYING if need be',
        log: 'Invalid argument count',
      },
      {
        code: 'ebs-offset',
        why: 'The offset is a decimal number (dm-ebs-target.c ebs_ctr).',
        example: '0 8 ebs 8:16 x 1',
        fix: 'write decimal sectors of 512 bytes',
        log: 'Invalid device offset sector',
      },
      {
        code: 'ebs-emulated',
        why: 'An emulated block is a power of two, no larger than a page, which has 64 KiB at most (dm-ebs-target.c ebs_ctr).',
        example: '0 8 ebs 8:16 0 3',
        fix: 'write a power of two, in sectors',
        log: 'Invalid emulated block size',
      },
      {
        code: 'ebs-underlying',
        why: 'An underlying block is a power of two (dm-ebs-target.c ebs_ctr).',
        example: '0 8 ebs 8:16 0 1 3',
        fix: 'write a power of two, in sectors',
        log: 'Invalid underlying block size',
      },
      {
        code: 'ebs-device',
        why: 'The kernel has no such block device (dm-ebs-target.c ebs_ctr).',
        example: '0 8 ebs 4096:0 0 1',
        fix: 'write the path or major:minor of a block device',
        log: 'Device lookup failed',
      },
      {
        code: 'ebs-offset-block',
        why: 'The offset is made of underlying blocks (dm-ebs-target.c ebs_ctr).',
        example: '0 8 ebs 8:16 4 1 8',
        fix: 'use a multiple of the underlying block',
        log: 'Device offset must be multiple of underlying block size',
      },
    ],
  ),
  areas: (line) => [
    { word: 0, offsetWord: 1, start: sscanf64(line.word(1))!, length: line.length },
  ],
}));
