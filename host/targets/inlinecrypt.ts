import { defineTarget } from './define.js';
import { byteCount, device, oneOf, sectors, text } from './fields.js';
import { colon, flag, options } from './parts.js';
import { key } from './secrets.js';

/**
 * Encryption by the disk's own hardware.
 *
 * @example
 * inlinecrypt({
 *   startSector: 0,
 *   length: 417792,
 *   cipher: 'aes-xts-plain64',
 *   key: { bytes: 64, type: 'logon', description: 'fde:example' },
 *   ivOffset: 0,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   keytype: 'raw',
 * })
 * @since a Linux newer than 7.2
 * @see Documentation/admin-guide/device-mapper/dm-inlinecrypt.rst
 */
export const inlinecrypt = /* @__PURE__ */ defineTarget('inlinecrypt', () => ({
  parameters: [
    {
      /** 'aes-xts-plain64'. */
      cipher: text("a cipher's name"),
      /** Its bytes, yours to wipe, or where the kernel's keyring has it. */
      key: key('logon'),
      /** What is added to a sector's number for its IV, in sectors. */
      ivOffset: sectors(),
      /** What lies beneath, encrypted. */
      device: device(),
      /** Where on it the data begins, in sectors. */
      offset: sectors(),
    },
    options({
      /** Is the key itself given, or wrapped by the hardware? */
      keytype: colon(oneOf('raw', 'hw-wrapped')),
      /** Let discards through: the free space can then be seen from beneath. */
      allowDiscards: flag(),
      /** Encrypt so many bytes at once; other than 512 only with `ivLargeSectors`. */
      sectorSize: colon(byteCount({ min: 512, max: 4096, powerOfTwo: true })),
      /** Count sectors of `sectorSize` for the IV, not of 512 bytes. */
      ivLargeSectors: flag(),
    }),
  ],
}));
