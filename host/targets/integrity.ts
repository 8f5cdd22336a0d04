import { defineTarget } from './define.js';
import { byteCount, device, integer, oneOf, orDash, sectors } from './fields.js';
import { colon, flag, options } from './parts.js';
import { keyedAlgorithm } from './secrets.js';
import { OLDEST } from './rules.js';

/**
 * A tag for each sector, written with it or not at all: a checksum of its own, or for others to use.
 *
 * @example
 * integrity({
 *   startSector: 0,
 *   length: 2048,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   mode: 'J',
 *   internalHash: { algorithm: 'crc32c' },
 * })
 * @since Linux 4.12
 * @see drivers/md/dm-integrity.c dm_integrity_ctr(), dm_integrity_status()
 */
export const integrity = /* @__PURE__ */ defineTarget('integrity', () => ({
  parameters: [
    {
      /** What lies beneath; zeros in its first 4 KiB to have it formatted. */
      device: device(),
      /** How much to leave alone at its start, in sectors. */
      offset: sectors(),
      /** A tag, in bytes; that of `internalHash` if left out. */
      tagSize: orDash(byteCount({ min: 1 })),
      /** J a journal, B a bitmap, D direct, R recovery without a look, I inline (from Linux 6.11 on). */
      mode: oneOf('J', 'B', 'D', 'R', 'I'),
    },
    options(
      {
        /** Where tags are, if not between the data. */
        metaDevice: colon(device()),
        /** What one tag is for, in bytes. */
        blockSize: colon(byteCount({ min: 512, max: 4096, powerOfTwo: true })),
        /** Make the tags anew, as they may be wrong. */
        recalculate: flag(),
        /** Begin with that from the start. */
        resetRecalculate: flag(),
        /** Let discards through. */
        allowDiscards: flag(),
        /** The same with a keyed hash. */
        allowDiscardsKeyed: flag(),
        /** The journal, in sectors. */
        journalSectors: colon(sectors()),
        /** How much data lies between two pieces of tags, in sectors. */
        interleaveSectors: colon(sectors()),
        /** What is read of tags at once, in sectors. */
        bufferSectors: colon(sectors()),
        /** How full the journal is when it is written back, in percent. */
        journalWatermark: colon(integer({ max: 100 })),
        /** How long the journal waits for more, in milliseconds. */
        commitTime: colon(integer()),
        /** How much a bit of the bitmap stands for, in sectors. */
        sectorsPerBit: colon(sectors()),
        /** How often the bitmap is written, in milliseconds. */
        bitmapFlushInterval: colon(integer()),
        /** Have the tags aligned as newer kernels do. */
        fixPadding: flag(),
        /** Have the superblock and the sections in the tags of a keyed hash; from Linux 5.11 on. */
        fixHmac: flag(),
        /** Allow `recalculate` where it makes a keyed hash worth nothing. */
        legacyRecalculate: flag(),
        /** Tags are the data's hashes, and checked; its key as bytes. */
        internalHash: colon(keyedAlgorithm()),
        /** Have the journal encrypted; its key as bytes. */
        journalCrypt: colon(keyedAlgorithm()),
        /** Have the journal authenticated; its key as bytes. */
        journalMac: colon(keyedAlgorithm()),
      },
      { count: 'always' },
    ),
  ],
  status: [
    {
      /** Tags that were wrong, since the target was loaded. */
      mismatches: integer(),
      /** What is left for data, in sectors. */
      providedSectors: integer(),
      /** Where `recalculate` is, in sectors; absent where it is not. */
      recalculating: orDash(integer()),
    },
  ],
  features: { singleton: OLDEST },
}));
