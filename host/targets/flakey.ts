import { defineTarget } from './define.js';
import { device, integer, oneOf, record, sectors } from './fields.js';
import { choice, flag, options, value } from './parts.js';

const PROBABILITY = { max: 1_000_000_000 } as const;

/**
 * Works for a while, and then does not, in turn.
 *
 * @example
 * flakey({
 *   startSector: 0,
 *   length: 2048,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   upInterval: 60,
 *   downInterval: 5,
 *   corruptBioByte: { byte: 32, direction: 'r', value: 1, flags: 0 },
 * })
 * @since Linux 2.6.34
 * @see drivers/md/dm-flakey.c flakey_ctr(), parse_features()
 */
export const flakey = /* @__PURE__ */ defineTarget('flakey', () => ({
  parameters: [
    {
      /** What lies beneath. */
      device: device(),
      /** Where on it, in sectors. */
      offset: sectors(),
      /** How long it works, in seconds. */
      upInterval: integer({ max: 0xffffffff }),
      /** How long it then does not, in seconds; all I/O fails unless options say otherwise. */
      downInterval: integer({ max: 0xffffffff }),
    },
    // Up to Linux 6.1 the kernel tells a count of none.
    options(
      {
        /** Reads fail; from Linux 6.6 on. */
        errorReads: flag(),
        /** Writes are forgotten without a word, or fail. */
        writes: choice('drop_writes', 'error_writes'),
        /** One byte of reads or writes is another: the `byte`th, from 1, of I/O with these bio `flags`. */
        corruptBioByte: value(
          record({
            /** Which byte of the I/O, counted from 1. */
            byte: integer({ min: 1, max: 0xffffffff }),
            /** Of reads or of writes. */
            direction: oneOf('r', 'w'),
            /** What it becomes. */
            value: integer({ max: 255 }),
            /** Only of I/O with all of these bio flags. */
            flags: integer({ max: 0xffffffff }),
          }),
        ),
        /** Of 1,000,000,000 reads so many are spoilt at a random place; from Linux 6.6 on. */
        randomReadCorrupt: value(integer(PROBABILITY)),
        /** Of 1,000,000,000 writes so many are spoilt at a random place; from Linux 6.6 on. */
        randomWriteCorrupt: value(integer(PROBABILITY)),
      },
      { count: 'always' },
    ),
  ],
}));
