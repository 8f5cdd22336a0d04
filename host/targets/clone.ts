import { defineTarget } from './define.js';
import { device, integer, oneOf, pairs, ratio, sectors } from './fields.js';
import { message } from './messages.js';
import { flag, options, value } from './parts.js';
import { isPowerOfTwo, readerRules } from './reader.js';
import { kstrtouint, type LintDevice } from './rules.js';

/** dm-clone-target.c MIN_REGION_SIZE, MAX_REGION_SIZE */
const REGION = { min: 8, max: 2097152 } as const;
/** dm-clone-target.c validate_nr_regions() */
const MOST_REGIONS = 1n << 31n;

/**
 * A copy that can be used while it is made.
 *
 * @example
 * clone({
 *   startSector: 0,
 *   length: 131072,
 *   metadataDevice: '/dev/sdb',
 *   destinationDevice: '/dev/sdc',
 *   sourceDevice: '/dev/sdd',
 *   regionSize: 8,
 *   noHydration: true,
 * })
 * @since Linux 5.4
 * @see drivers/md/dm-clone-target.c clone_ctr(), clone_status(), clone_message()
 */
export const clone = /* @__PURE__ */ defineTarget('clone', () => {
  const features = {
    /** Copy only what is asked for. */
    noHydration: flag(),
    /** Do not tell the destination of discards. */
    noDiscardPassdown: flag(),
  };
  const count = integer({ min: 1, max: 0xffffffff });
  return {
    parameters: [
      {
        /** What is copied already; zeros in its first 4 KiB for a new one. */
        metadataDevice: device(),
        /** Where it is copied to. */
        destinationDevice: device(),
        /** What is copied; it must not change. */
        sourceDevice: device(),
        /** What is copied at once, in sectors: 4 KiB to 1 GiB. */
        regionSize: sectors({ ...REGION, powerOfTwo: true }),
      },
      options(features),
      options(
        {
          /** How many regions are copied at once. */
          hydrationThreshold: value(count),
          /** How many regions in a row are copied by one I/O. */
          hydrationBatchSize: value(count),
        },
        { unknown: 'unknownCoreArguments' },
      ),
    ],
    states: ['Fail', 'Error'],
    status: [
      {
        /** A block of metadata, in sectors. */
        metadataBlockSize: integer(),
        /** Blocks of metadata. */
        metadata: ratio('used', 'total'),
        /** A region, in sectors. */
        regionSize: integer(),
        /** Regions. */
        regions: ratio('hydrated', 'total'),
        /** Regions that are being copied. */
        hydrating: integer(),
      },
      options(features, { count: 'always' }),
      {
        /** Settings by their own names. */
        coreArguments: pairs(),
        /** Read and write, read only, or failed. */
        mode: oneOf('rw', 'ro', 'Fail'),
      },
    ],
    messages: {
      /** Copy also what is not asked for. */
      enableHydration: message('enable_hydration'),
      /** Copy only what is asked for. */
      disableHydration: message('disable_hydration'),
      /** How many regions are copied at once. */
      hydrationThreshold: message('hydration_threshold', { regions: count }),
      /** How many regions in a row are copied by one I/O. */
      hydrationBatchSize: message('hydration_batch_size', { regions: count }),
    },
    rules: readerRules(
      (reader) => {
        const { line } = reader;
        if (line.count < 4)
          reader.refuse(
            'clone-arguments',
            `expected METADATA DESTINATION SOURCE REGION, got ${line.count} words`,
          );
        const large = (code: string, device: LintDevice | undefined, at: number): void => {
          if (device !== undefined && BigInt(device.sectors) < reader.length) {
            reader.refuse(
              code,
              `expected at least ${reader.length} sectors, got ${device.sectors}`,
              { at },
            );
          }
        };
        reader.device(0, 'clone-metadata-device');
        const destination = reader.device(1, 'clone-destination-device');
        large('clone-destination-size', destination, 1);
        const source = reader.device(2, 'clone-source-device');
        large('clone-source-size', source, 2);
        reader.at = 3;
        const region = reader.argument('clone-region-size', REGION.min, REGION.max);
        if (!isPowerOfTwo(region)) reader.refuseWord('clone-region-power', 'a power of two');
        const regions = (reader.length + BigInt(region) - 1n) / BigInt(region);
        if (regions > MOST_REGIONS)
          reader.refuseWord('clone-regions', 'a larger region, for less than 2^31 of them');
        if (reader.left > 0) reader.flags(features, 'clone-feature-count', 'clone-feature', 2);
        if (reader.left === 0) return;
        const size = reader.group('clone-core-count', 4);
        if (size % 2 === 1) reader.refuseWord('clone-core-pairs', 'an even number');
        for (const end = reader.at + size; reader.at < end;) {
          const key = reader.next('clone-core', 'a setting').toLowerCase();
          if (key !== 'hydration_threshold' && key !== 'hydration_batch_size') {
            reader.refuseWord('clone-core', 'hydration_threshold or hydration_batch_size');
          }
          if (kstrtouint(reader.next('clone-core-value', 'a number')) === undefined) {
            reader.refuseWord('clone-core-value', 'a number', reader.at - 1, {
              log: `Invalid value for argument \`${key}'`,
            });
          }
        }
      },
      [
        {
          code: 'clone-arguments',
          why: 'Four words are needed (dm-clone-target.c clone_ctr).',
          example: '0 8 clone 8:16 8:32 8:48',
          fix: 'write METADATA DESTINATION SOURCE REGION',
          log: 'Invalid number of arguments',
        },
        {
          code: 'clone-metadata-device',
          why: 'The kernel has no such block device (dm-clone-target.c parse_metadata_dev).',
          example: '0 8 clone 4096:0 8:32 8:48 8',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening metadata device',
        },
        {
          code: 'clone-destination-device',
          why: 'The kernel has no such block device (dm-clone-target.c parse_dest_dev).',
          example: '0 8 clone 8:16 4096:0 8:48 8',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening destination device',
        },
        {
          code: 'clone-destination-size',
          why: 'The target is not larger than the destination (dm-clone-target.c parse_dest_dev).',
          example: '0 4096 clone 8:16 /dev/sdb 8:48 8',
          fix: 'use a larger device, or fewer sectors',
          log: 'Device size larger than destination device',
        },
        {
          code: 'clone-source-device',
          why: 'The kernel has no such block device (dm-clone-target.c parse_source_dev).',
          example: '0 8 clone 8:16 8:32 4096:0 8',
          fix: 'write the path or major:minor of a block device',
          log: 'Error opening source device',
        },
        {
          code: 'clone-source-size',
          why: 'The target is not larger than the source (dm-clone-target.c parse_source_dev).',
          example: '0 4096 clone 8:16 8:32 /dev/sdb 8',
          fix: 'use fewer sectors',
          log: 'Device size larger than source device',
        },
        {
          code: 'clone-region-size',
          why: 'A region has 4 KiB to 1 GiB (dm-clone-target.c parse_region_size).',
          example: '0 8 clone 8:16 8:32 8:48 4',
          fix: 'write a number from 8 to 2097152',
          log: 'Invalid region size',
        },
        {
          code: 'clone-region-power',
          why: 'A region is a power of two (dm-clone-target.c parse_region_size).',
          example: '0 8 clone 8:16 8:32 8:48 12',
          fix: 'write a power of two, in sectors',
          log: 'Region size is not a power of 2',
        },
        {
          code: 'clone-regions',
          why: 'There are at most 2^31 regions (dm-clone-target.c validate_nr_regions).',
          example: '0 17179869185 clone 8:16 8:32 8:48 8',
          fix: 'use larger regions',
          log: 'Too many regions. Consider increasing the region size',
        },
        {
          code: 'clone-feature-count',
          why: 'A count of at most two stands before the features (dm-clone-target.c parse_feature_args).',
          example: '0 8 clone 8:16 8:32 8:48 8 1',
          fix: 'write how many words follow',
          log: 'Invalid number of feature arguments',
        },
        {
          code: 'clone-feature',
          why: 'There are two features (dm-clone-target.c parse_feature_args).',
          example: '0 8 clone 8:16 8:32 8:48 8 1 hydration',
          fix: 'leave it out',
          log: 'Invalid feature argument',
        },
        {
          code: 'clone-core-count',
          why: 'A count of at most four stands before the settings (dm-clone-target.c parse_core_args).',
          example: '0 8 clone 8:16 8:32 8:48 8 0 2',
          fix: 'write how many words follow',
          log: 'Invalid number of core arguments',
        },
        {
          code: 'clone-core-pairs',
          why: 'Each setting is a name and a number (dm-clone-target.c parse_core_args).',
          example: '0 8 clone 8:16 8:32 8:48 8 0 1 hydration_threshold',
          fix: 'write NAME NUMBER for each',
          log: 'Number of core arguments must be even',
        },
        {
          code: 'clone-core',
          why: 'There are two settings (dm-clone-target.c parse_core_args).',
          example: '0 8 clone 8:16 8:32 8:48 8 0 2 threshold 1',
          fix: 'leave it out',
          log: 'Invalid core argument',
        },
        {
          code: 'clone-core-value',
          why: 'A setting is a number below 2^32 (dm-clone-target.c parse_core_args).',
          example: '0 8 clone 8:16 8:32 8:48 8 0 2 hydration_threshold x',
          fix: 'write a number',
          log: "Invalid value for argument `hydration_threshold'",
        },
      ],
    ),
    areas: ({ length }) => [
      { word: 2, start: 0n, length },
      { word: 1, start: 0n, length },
    ],
  };
});
