import { defineTarget } from './define.js';
import { device, integer, oneOf, pairs, ratio, sectors } from './fields.js';
import { message } from './messages.js';
import { flag, options, value } from './parts.js';

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
        regionSize: sectors({ min: 8, max: 2097152, powerOfTwo: true }),
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
  };
});
