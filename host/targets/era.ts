import { defineTarget } from './define.js';
import { device, integer, orDash, ratio, sectors } from './fields.js';
import { message } from './messages.js';
import { readerRules } from './reader.js';
import { sscanf32 } from './rules.js';

/** Whatever a device is refused for. */
const EINVAL = 22;

/**
 * Keeps track of which blocks were written in which era.
 *
 * @example
 * era({
 *   startSector: 0,
 *   length: 131072,
 *   metadataDevice: '/dev/sdb',
 *   originDevice: '/dev/sdc',
 *   blockSize: 128,
 * })
 * @since Linux 3.15
 * @see drivers/md/dm-era-target.c era_ctr(), era_status(), era_message()
 */
export const era = /* @__PURE__ */ defineTarget('era', () => {
  const blockSize = sectors({ min: 8, max: 0xfffffff8, step: 8 });
  return {
    parameters: [
      {
        /** Who was written when; zeros in its first 4 KiB for a new one. */
        metadataDevice: device(),
        /** What lies beneath. */
        originDevice: device(),
        /** What is written or not as a whole, in sectors: a multiple of 4 KiB. */
        blockSize,
      },
    ],
    // Of a suspended device the kernel never answers: resume it first.
    states: ['Error'],
    status: [
      {
        /** A block of metadata, in sectors. */
        metadataBlockSize: integer(),
        /** Blocks of metadata. */
        metadata: ratio('used', 'total'),
        /** The era now. */
        currentEra: integer(),
        /** The block of the snapshot of metadata, if there is one. */
        heldRoot: orDash(integer()),
      },
    ],
    messages: {
      /** Begin another era. */
      checkpoint: message('checkpoint'),
      /** Keep the metadata as they are now, for programs to read. */
      takeMetadataSnap: message('take_metadata_snap'),
      /** Let go of that. */
      dropMetadataSnap: message('drop_metadata_snap'),
    },
    rules: readerRules(
      (reader) => {
        if (reader.line.count !== 3)
          reader.refuse(
            'era-arguments',
            `expected METADATA ORIGIN BLOCK, got ${reader.line.count} words`,
          );
        reader.device(0, 'era-metadata-device', { errno: EINVAL });
        reader.device(1, 'era-origin-device', { errno: EINVAL });
        reader.number(2, 'era-block-number', 'a number of sectors', sscanf32);
        reader.field(2, 'era-block-size', blockSize, sscanf32);
      },
      [
        {
          code: 'era-arguments',
          why: 'era takes three words (dm-era-target.c era_ctr).',
          example: '0 8 era 8:16 8:32',
          fix: 'write METADATA ORIGIN BLOCK',
          log: 'Invalid argument count',
        },
        {
          code: 'era-metadata-device',
          why: 'The kernel has no such block device (dm-era-target.c era_ctr).',
          example: '0 8 era 4096:0 8:32 8',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening metadata device',
        },
        {
          code: 'era-origin-device',
          why: 'The kernel has no such block device (dm-era-target.c era_ctr).',
          example: '0 8 era 8:16 4096:0 8',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening data device',
        },
        {
          code: 'era-block-number',
          why: 'A block is a decimal number (dm-era-target.c era_ctr).',
          example: '0 8 era 8:16 8:32 4k',
          fix: 'write a multiple of 8 sectors',
          log: 'Error parsing block size',
        },
        {
          code: 'era-block-size',
          why: 'A block is made of 4 KiB (dm-era-target.c valid_block_size).',
          example: '0 8 era 8:16 8:32 12',
          fix: 'write a multiple of 8 sectors',
          log: 'Invalid block size',
        },
      ],
    ),
  };
});
