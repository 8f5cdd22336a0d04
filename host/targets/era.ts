import { defineTarget } from './define.js';
import { device, integer, orDash, ratio, sectors } from './fields.js';
import { message } from './messages.js';

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
export const era = /* @__PURE__ */ defineTarget('era', () => ({
  parameters: [
    {
      /** Who was written when; zeros in its first 4 KiB for a new one. */
      metadataDevice: device(),
      /** What lies beneath. */
      originDevice: device(),
      /** What is written or not as a whole, in sectors. */
      blockSize: sectors({ min: 1, max: 0xffffffff }),
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
}));
