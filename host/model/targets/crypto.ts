// What the crypto API of the recorded kernels knows (crypto/Kconfig, as Debian builds it): a table that names
// anything else is ENOENT.

/** Hash functions, with the bytes of their digests. */
const DIGESTS: Readonly<Record<string, number>> = {
  crc32: 4,
  crc32c: 4,
  xxhash64: 8,
  md4: 16,
  md5: 16,
  sha1: 20,
  rmd160: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  'sha3-224': 28,
  'sha3-256': 32,
  'sha3-384': 48,
  'sha3-512': 64,
  sm3: 32,
  wp512: 64,
  'blake2b-256': 32,
  'blake2b-512': 64,
};

/** Ciphers, modes and what else stands in the parentheses of a name. */
const CIPHERS =
  'aes anubis aria arc4 blowfish camellia cast5 cast6 chacha20 cipher_null des des3_ede fcrypt khazad poly1305 ' +
  'seed serpent sm4 tea twofish xchacha12 xchacha20 xeta xtea ' +
  'adiantum authenc cbc ccm cmac ctr cts ecb essiv gcm hctr2 hmac lrw nhpoly1305 pcbc rfc4106 rfc7539 xcbc xts';

const NAMES: ReadonlySet<string> = new Set([...CIPHERS.split(' '), ...Object.keys(DIGESTS)]);

/** The bytes of a digest, of hmac(…) too; undefined for a hash that is not known. */
export function digestSize(name: string): number | undefined {
  const inner = /^(?:hmac|cmac)\((.*)\)$/.exec(name)?.[1] ?? name;
  return Object.hasOwn(DIGESTS, inner) ? DIGESTS[inner] : undefined;
}

/** Is all of it known: 'aes-xts-plain64', 'capi:xts(aes)-plain64', 'aes:2-cbc-lmk'? */
export function knowsCipher(spec: string): boolean {
  if (spec.startsWith('capi:')) {
    const algorithm = /^(.*?\)?)(?:-[^()]*)?$/.exec(spec.slice(5))?.[1] ?? '';
    return algorithm.split(/[(),]+/).every((name) => name === '' || NAMES.has(name));
  }
  const [cipher = '', mode = ''] = spec.split('-');
  return [cipher.split(':')[0]!, mode].every((name) => name === '' || NAMES.has(name));
}
