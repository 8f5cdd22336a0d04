// Where tables hold keys. In their place dmsetup shows zeros, and so do we.

const SPACE = 0x20;
const COLON = 0x3a;
const ZERO = 0x30;

/** Overwrites the keys in a line of the kernel's, by type. */
const ZERO_KEYS: Readonly<Record<string, (parameters: Uint8Array) => void>> = {
  crypt: zeroSecondWord,
  inlinecrypt: zeroSecondWord,
  integrity: zeroAlgorithmKeys,
};

/** May a target of this type have a key in its line? */
export function holdsKeys(type: string): boolean {
  return Object.hasOwn(ZERO_KEYS, type);
}

/**
 * Overwrite each key in `parameters`, a line as the kernel tells it, by as many zeros. A key in a
 * keyring is a reference, and stays.
 */
export function zeroKeys(type: string, parameters: Uint8Array): void {
  if (holdsKeys(type)) ZERO_KEYS[type]!(parameters);
}

/** `cipher key iv_offset …`; a reference begins with a colon (drivers/md/dm-crypt.c crypt_status()). */
function zeroSecondWord(parameters: Uint8Array): void {
  const [, key] = wordsOf(parameters);
  if (key !== undefined && key[0] !== COLON) key.fill(ZERO);
}

/** `internal_hash:algorithm:key` and its like (drivers/md/dm-integrity.c get_alg_and_key()). */
function zeroAlgorithmKeys(parameters: Uint8Array): void {
  for (const word of wordsOf(parameters)) {
    const algorithm = word.indexOf(COLON) + 1;
    const key = word.indexOf(COLON, algorithm) + 1;
    const option = new TextDecoder().decode(word.subarray(0, algorithm));
    if (key > algorithm && KEYED_OPTIONS.has(option)) word.fill(ZERO, key);
  }
}

const KEYED_OPTIONS: ReadonlySet<string> = new Set([
  'internal_hash:',
  'journal_crypt:',
  'journal_mac:',
]);

/** As the kernel prints them, with one blank between. */
function wordsOf(parameters: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (let from = 0; from < parameters.length;) {
    const space = parameters.indexOf(SPACE, from);
    const end = space < 0 ? parameters.length : space;
    words.push(parameters.subarray(from, end));
    from = end + 1;
  }
  return words;
}
