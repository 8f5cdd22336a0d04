import { defineTarget } from './define.js';
import { byteCount, device, hex, integer, oneOf, optional, orDash, text } from './fields.js';
import { choice, flag, options, value } from './parts.js';
import { OLDEST } from './rules.js';

/**
 * Reads are checked against a tree of hashes; a table that is read-only.
 *
 * @example
 * verity({
 *   startSector: 0,
 *   length: 2048,
 *   version: 1,
 *   dataDevice: '/dev/sdb',
 *   hashDevice: '/dev/sdc',
 *   dataBlockSize: 4096,
 *   hashBlockSize: 4096,
 *   dataBlocks: 256,
 *   hashStartBlock: 1,
 *   algorithm: 'sha256',
 *   rootDigest: '4392712ba01368efdf14b05c76f9e4df0d53664630b5d48632ed17a137f39076',
 * })
 * @since Linux 3.4
 * @see drivers/md/dm-verity-target.c verity_ctr(), verity_parse_opt_args(); dm-verity-fec.c
 */
export const verity = /* @__PURE__ */ defineTarget('verity', () => ({
  parameters: [
    {
      /** 1; 0 is the form that Chromium OS once had. */
      version: integer({ max: 1 }),
      /** What is read. */
      dataDevice: device(),
      /** The tree; it may be behind the data on the same device. */
      hashDevice: device(),
      /** What is checked at once, in bytes. */
      dataBlockSize: byteCount({ min: 512, max: 65536, powerOfTwo: true }),
      /** A block of the tree, in bytes. */
      hashBlockSize: byteCount({ min: 512, max: 2 ** 30, powerOfTwo: true }),
      /** How many blocks of data there are. */
      dataBlocks: integer(),
      /** Where the tree begins, in blocks of `hashBlockSize`. */
      hashStartBlock: integer(),
      /** A hash, as the kernel's crypto API names it. */
      algorithm: text("a hash's name"),
      /** The tree's root. */
      rootDigest: hex('a digest'),
      /** What is hashed with each block. */
      salt: orDash(hex('a salt')),
    },
    options({
      /** What becomes of a block that is wrong; an I/O error if left out. */
      onCorruption: choice('ignore_corruption', 'restart_on_corruption', 'panic_on_corruption'),
      /** What becomes of I/O errors beneath; from Linux 6.12 on. */
      onError: choice('restart_on_error', 'panic_on_error'),
      /** Read blocks whose hash is that of zeros as zeros, without a look. */
      ignoreZeroBlocks: flag(),
      /** Check each block only when it is read first. */
      checkAtMostOnce: flag(),
      /** Check at once where the hash is cached, without a work queue. */
      tryVerifyInTasklet: flag(),
      /** Where parity is, from which blocks can be corrected. */
      useFecFromDevice: value(device()),
      /** How many blocks parity covers. */
      fecBlocks: value(integer()),
      /** Where parity begins, in blocks. */
      fecStart: value(integer()),
      /** Parity bytes for each code word of 255. */
      fecRoots: value(integer({ min: 2, max: 24 })),
      /** A key in the kernel's keyring, whose signature of `rootDigest` is checked. */
      rootHashSigKeyDesc: value(text("a key's description")),
    }),
  ],
  status: [
    {
      /** V valid so far, C a corrupted block was seen. */
      verdict: oneOf('V', 'C'),
      /** Blocks that parity has corrected; from Linux 6.19 on, absent without parity. */
      corrected: optional(orDash(integer())),
    },
  ],
  features: { immutable: OLDEST, singleton: '6.11' },
}));
