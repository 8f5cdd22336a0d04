import { defineTarget } from './define.js';
import { byteCount, device, oneOf, sectors, text } from './fields.js';
import { colon, flag, options } from './parts.js';
import { isPowerOfTwo, readerRules, type Reader } from './reader.js';
import { sscanf32, sscanf64 } from './rules.js';
import { key } from './secrets.js';

/** The options behind the five words: the size of a sector, in sectors of 512 bytes. */
function readOptions(reader: Reader): bigint {
  reader.at = 5;
  let size = 512;
  let isLarge = false;
  if (reader.left === 0) return 1n;
  for (let left = reader.group('inlinecrypt-option-count', 4); left > 0; left--) {
    const option = reader.next('inlinecrypt-option', 'an option');
    const [, name, value = ''] = /^(\w+):(.*)$/.exec(option) ?? [];
    if (option === 'allow_discards') continue;
    if (option === 'iv_large_sectors') isLarge = true;
    else if (name === 'keytype') {
      if (value !== 'raw' && value !== 'hw-wrapped')
        reader.refuseWord('inlinecrypt-option', 'keytype:raw or keytype:hw-wrapped');
    } else if (name === 'sector_size') {
      size = sscanf32(value) ?? 0;
      if (size < 512 || size > 4096 || !isPowerOfTwo(size))
        reader.refuseWord('inlinecrypt-sector-size', 'a power of two, from 512 to 4096 bytes');
    } else reader.refuseWord('inlinecrypt-option', 'an option that there is');
  }
  if (size !== 512 && !isLarge)
    reader.refuse('inlinecrypt-large-sectors', 'expected iv_large_sectors, too');
  return BigInt(size / 512);
}

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
  rules: readerRules(
    (reader) => {
      const { line } = reader;
      if (line.count < 5)
        reader.refuse(
          'inlinecrypt-arguments',
          `expected CIPHER KEY IV_OFFSET DEVICE OFFSET, got ${line.count} words`,
        );
      const sectors = readOptions(reader);
      if (reader.length % sectors !== 0n) {
        reader.refuse(
          'inlinecrypt-length',
          `expected a multiple of ${sectors} sectors, got ${reader.length}`,
          { at: 'length' },
        );
      }
      const ivOffset = reader.wide(2, 'inlinecrypt-iv-offset');
      if (ivOffset % sectors !== 0n)
        reader.refuseWord('inlinecrypt-iv-offset', `a multiple of ${sectors} sectors`, 2);
      reader.device(3, 'inlinecrypt-device');
      reader.wide(4, 'inlinecrypt-offset');
    },
    [
      {
        code: 'inlinecrypt-arguments',
        why: 'Five words are needed (dm-inlinecrypt.rst; no kernel was asked).',
        example: '0 8 inlinecrypt aes-xts-plain64 :64:logon:x 0 8:16',
        fix: 'write CIPHER KEY IV_OFFSET DEVICE OFFSET',
      },
      {
        code: 'inlinecrypt-option-count',
        why: 'A count stands before the options (dm-inlinecrypt.rst; no kernel was asked).',
        example: '0 8 inlinecrypt aes-xts-plain64 :64:logon:x 0 8:16 0 2 keytype:raw',
        fix: 'write how many words follow',
      },
      {
        code: 'inlinecrypt-option',
        why: 'There are four options (dm-inlinecrypt.rst; no kernel was asked).',
        example: '0 8 inlinecrypt aes-xts-plain64 :64:logon:x 0 8:16 0 1 keytype:wrapped',
        fix: 'write keytype:raw, keytype:hw-wrapped or another option',
      },
      {
        code: 'inlinecrypt-sector-size',
        why: 'A sector is a power of two, from 512 to 4096 bytes (dm-inlinecrypt.rst; no kernel was asked).',
        example: '0 8 inlinecrypt aes-xts-plain64 :64:logon:x 0 8:16 0 1 sector_size:8192',
        fix: 'write a power of two, in bytes',
      },
      {
        code: 'inlinecrypt-large-sectors',
        why: 'Sectors other than of 512 bytes go with iv_large_sectors (dm-inlinecrypt.rst; no kernel was asked).',
        example: '0 8 inlinecrypt aes-xts-plain64 :64:logon:x 0 8:16 0 1 sector_size:4096',
        fix: 'add iv_large_sectors',
      },
      {
        code: 'inlinecrypt-length',
        why: 'The target is made of whole sectors of sector_size (dm-inlinecrypt.rst; no kernel was asked).',
        example:
          '0 4 inlinecrypt aes-xts-plain64 :64:logon:x 0 8:16 0 2 sector_size:4096 iv_large_sectors',
        fix: 'use a multiple of sector_size',
      },
      {
        code: 'inlinecrypt-iv-offset',
        why: 'The offset of the IV is a number of sectors, whole ones of sector_size (dm-inlinecrypt.rst; no kernel was asked).',
        example: '0 8 inlinecrypt aes-xts-plain64 :64:logon:x x 8:16 0',
        fix: 'write a multiple of sector_size, in sectors of 512 bytes',
      },
      {
        code: 'inlinecrypt-device',
        why: 'The kernel has no such block device (dm-inlinecrypt.rst; no kernel was asked).',
        example: '0 8 inlinecrypt aes-xts-plain64 :64:logon:x 0 4096:0 0',
        fix: 'write the path or major:minor of a block device',
      },
      {
        code: 'inlinecrypt-offset',
        why: 'The offset is a decimal number (dm-inlinecrypt.rst; no kernel was asked).',
        example: '0 8 inlinecrypt aes-xts-plain64 :64:logon:x 0 0 /dev/sdb 0',
        fix: 'write decimal sectors of 512 bytes',
      },
    ],
  ),
  areas: (line) => [
    { word: 3, offsetWord: 4, start: sscanf64(line.word(4))!, length: line.length },
  ],
}));
