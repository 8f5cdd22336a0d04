import { defineTarget } from './define.js';
import { byteCount, device, oneOf, sectors, text, type Field } from './fields.js';
import { message } from './messages.js';
import { colon, flag, options } from './parts.js';
import { key } from './secrets.js';

/** `BYTES:aead` or `BYTES:none`, what stands behind each sector (crypt_ctr_optional()). */
function integrityTag(): Field<{
  /** Of each sector, in bytes. */
  readonly tagSize: number;
  /** The cipher makes it itself, or nobody does. */
  readonly type: 'aead' | 'none';
}> {
  const size = byteCount({ min: 1 });
  const types = oneOf('aead', 'none');
  const expected = '{ tagSize, type }, a number of bytes and aead or none';
  return {
    expected,
    shape: { kind: 'record', fields: { tagSize: size, type: types } },
    read(words) {
      const [, tagSize, type] = /^(\d+):(aead|none)$/.exec(words.next(expected)) ?? [];
      if (tagSize === undefined) return words.refuse(expected);
      return { tagSize: Number(tagSize), type: type as 'aead' | 'none' };
    },
    write({ tagSize, type }, path) {
      const [bytes] = size.write(tagSize, `${path}.tagSize`);
      return [`${String(bytes)}:${String(types.write(type, `${path}.type`)[0])}`];
    },
  };
}

/**
 * Encryption, sector by sector.
 *
 * @example
 * crypt({
 *   startSector: 0,
 *   length: 2048,
 *   cipher: 'aes-xts-plain64',
 *   key: { bytes: 64, type: 'logon', description: 'example:disk' },
 *   ivOffset: 0,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   allowDiscards: true,
 * })
 * @since Linux 2.6.4
 * @see drivers/md/dm-crypt.c crypt_ctr(), crypt_ctr_optional(), crypt_message()
 */
export const crypt = /* @__PURE__ */ defineTarget('crypt', () => ({
  parameters: [
    {
      /** 'CIPHER-MODE-IV', as in 'aes-xts-plain64', or 'capi:…' as the kernel's crypto API has it. */
      cipher: text("a cipher's name"),
      /** Its bytes, yours to wipe, or where the kernel's keyring has it. */
      key: key('logon', 'user', 'encrypted', 'trusted'),
      /** What is added to a sector's number for its IV, in sectors. */
      ivOffset: sectors(),
      /** What lies beneath, encrypted. */
      device: device(),
      /** Where on it the data begins, in sectors. */
      offset: sectors(),
    },
    options({
      /** Let discards through: the free space can then be seen from beneath. */
      allowDiscards: flag(),
      /** Encrypt on the processor that submits the I/O. */
      sameCpuCrypt: flag(),
      /** Run the workers at high priority; from Linux 6.11 on. */
      highPriority: flag(),
      /** Let the encrypting processor submit the writes, not a thread that sorts them. */
      submitFromCryptCpus: flag(),
      /** Decrypt without a work queue. */
      noReadWorkqueue: flag(),
      /** Encrypt without a work queue. */
      noWriteWorkqueue: flag(),
      /** Authentication: the bytes of a tag for each sector, of an AEAD cipher or for others to use. */
      integrity: colon(integrityTag()),
      /** How much of the key is for authentication, in bytes; from Linux 6.12 on. */
      integrityKeySize: colon(byteCount()),
      /** Encrypt so many bytes at once: a power of two. */
      sectorSize: colon(byteCount({ min: 512, max: 4096, powerOfTwo: true })),
      /** Count sectors of `sectorSize` for the IV, not of 512 bytes. */
      ivLargeSectors: flag(),
    }),
  ],
  messages: {
    /** A new key of the same size; the device must be suspended. */
    keySet: message('key set', { key: key('logon', 'user', 'encrypted', 'trusted') }),
    /** Forget the key; the device must be suspended, and cannot be resumed without another. */
    keyWipe: message('key wipe'),
  },
}));
