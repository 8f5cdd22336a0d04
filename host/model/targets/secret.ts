// dm-crypt.c, dm-verity-target.c and dm-integrity.c. Keys are kept as they were given, as TABLE tells them.

import { kstrtoull } from '../../targets/rules.js';
import { CORRUPTION_MODES } from '../../targets/verity.js';
import type { Core } from '../core.js';
import { raiseBlock } from '../limits.js';
import type { Bytes } from '../packet.js';
import { refuse } from '../refusal.js';
import { digestSize, knowsCipher } from './crypto.js';
import {
  Words,
  devText,
  flagText,
  measured,
  targetType,
  type AnyTargetType,
  type Answer,
  type Construction,
  type Instance,
  type Place,
} from '../target.js';

// ── crypt ────────────────────────────────────────────────────────────────────────────────────────

interface Crypt {
  readonly cipher: Bytes;
  /** As it was given: hexadecimal, ':32:logon:name', or '-'. */
  key: Bytes;
  readonly keySize: number;
  keyValid: boolean;
  readonly ivOffset: bigint;
  readonly dev: number;
  readonly start: bigint;
  readonly flags: readonly string[];
  readonly integrity: Bytes | undefined;
  readonly sectorSize: number;
  readonly integrityKeySize: number | undefined;
  suspended: boolean;
}

/** Options without a value, in the order in which TABLE tells them. */
const CRYPT_FLAGS = [
  'allow_discards',
  'same_cpu_crypt',
  'high_priority',
  'submit_from_crypt_cpus',
  'no_read_workqueue',
  'no_write_workqueue',
];

/** get_key_size(), crypt_set_key(): the size in bytes, undefined for what is no key. */
function keySizeOf(key: Bytes, core: Core): number | undefined {
  if (key === '-') return 0;
  const [, size, type, name] = /^:(\d+):(logon|user|encrypted|trusted):(.+)$/s.exec(key) ?? [];
  if (size !== undefined) {
    if (!core.state.keys.has(`${type}:${name}`)) refuse('ENOKEY', 'Error decoding and setting key');
    return Number(size);
  }
  // Half a byte at the end is not looked at.
  return /^([0-9a-f]{2})+.?$/is.test(key) ? key.length >> 1 : undefined;
}

/** What TABLE tells of a key. */
function toldKey(key: Bytes, size: number): Bytes {
  return key.startsWith(':') || key === '-' ? key : key.slice(0, 2 * size).toLowerCase();
}

/** What the constructor refuses behind the cipher, and of that what is behind the key. */
const BEHIND_KEY = [
  'Error creating IV',
  'Invalid iv_offset sector',
  'Device lookup failed',
  'Invalid device sector',
];
const BEHIND_CIPHER = ['Invalid IV mode', 'Error decoding and setting key', ...BEHIND_KEY];

/** crypt_alloc_tfms(), crypt_ctr_ivmode() */
function useCipher(cipher: Bytes, core: Core): void {
  const unknown = 'Error allocating crypto tfm';
  if (!knowsCipher(cipher)) refuse('ENOENT', unknown);
  const mode = nullMode(cipher);
  // It has blocks of one byte.
  if (mode !== undefined && !['', 'ecb', 'cbc'].includes(mode)) {
    refuse(core.is('6.12') ? 'EINVAL' : 'ENOENT', unknown);
  }
  if (/^[^-]+-ecb-.|^capi:ecb\([^)]*\)-./.test(cipher)) {
    core.log(4, 'crypt: Selected cipher does not support IVs');
  }
}

/** The mode of a cipher that is none, '' for that of a table that names no mode; undefined for other ciphers. */
function nullMode(cipher: Bytes): Bytes | undefined {
  if (cipher === 'cipher_null') return '';
  const found = /^cipher_null(?::\d+)?-(\w+)|^capi:(\w+)\(cipher_null\)/.exec(cipher);
  return found?.[1] ?? found?.[2];
}

/** crypt_set_key() @returns the key's size in bytes */
function useKey(cipher: Bytes, key: Bytes, core: Core): number {
  const size = keySizeOf(key, core);
  // A cipher that is none takes no key.
  if (size === undefined || (size > 0 && nullMode(cipher) !== undefined)) {
    return refuse('EINVAL', 'Error decoding and setting key');
  }
  return size;
}

/** dm-crypt.c */
export const crypt: AnyTargetType = /* @__PURE__ */ targetType<Crypt>({
  name: 'crypt',
  versions: { '5.10': [1, 22, 0], '6.1': [1, 24, 0], '6.12': [1, 28, 0], '7.2': [1, 29, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const [cipher, key] = [words.next(), words.next()];
    useCipher(cipher, at.core);
    const keySize = useKey(cipher, key, at.core);
    const ivOffset = words.u64();
    const path = words.next();
    const start = words.u64();
    const flags = new Set<string>();
    let [integrity, sectorSize]: [Bytes | undefined, number] = [undefined, 512];
    let integrityKeySize: number | undefined;
    const options = words.take(words.left > 0 ? words.u32() : 0);
    while (options.left > 0) {
      const option = options.next();
      const [name = '', ...values] = option.split(':');
      if (name === 'integrity') integrity = values.join(':');
      else if (name === 'sector_size') sectorSize = Number(values[0]);
      else if (name === 'integrity_key_size') integrityKeySize = Number(values[0]);
      else flags.add(option.toLowerCase());
    }
    return {
      cipher,
      key: toldKey(key, keySize),
      keySize,
      keyValid: true,
      ivOffset,
      dev: at.open(path),
      start,
      flags: [...CRYPT_FLAGS, 'iv_large_sectors'].filter((flag) => flags.has(flag)),
      integrity,
      sectorSize,
      integrityKeySize,
      suspended: false,
    };
  },
  earlier: (text, { core }, [cipher = '', key = '']) => {
    if (BEHIND_CIPHER.includes(text)) useCipher(cipher, core);
    if (BEHIND_KEY.includes(text)) useKey(cipher, key, core);
    return false;
  },
  status: ({ state }, { kind }, { core }) => {
    if (kind === 'info') return '';
    const { cipher, key, ivOffset, dev, start, flags, integrity, sectorSize } = state;
    if (kind === 'ima') return cryptMeasured(state, core);
    const options = [
      ...flags.filter((flag) => flag !== 'iv_large_sectors'),
      ...(integrity === undefined ? [] : [`integrity:${integrity}`]),
      ...(sectorSize === 512 ? [] : [`sector_size:${sectorSize}`]),
      ...(flags.includes('iv_large_sectors') ? ['iv_large_sectors'] : []),
      ...(state.integrityKeySize === undefined
        ? []
        : [`integrity_key_size:${state.integrityKeySize}`]),
    ];
    const end = options.length > 0 ? [options.length, ...options] : [];
    return [cipher, key, ivOffset, devText(dev), start, ...end].join(' ');
  },
  areas: ({ state: { dev, start }, length }) => [{ dev, start, length }],
  hints: ({ state: { sectorSize } }, limits) => {
    raiseBlock(limits, sectorSize);
  },
  postsuspend: ({ state }) => {
    state.suspended = true;
  },
  preresume: ({ state }, { core }) => {
    if (state.keyValid) return;
    core.log(3, 'crypt: aborting resume - crypt key is not set.');
    refuse('EAGAIN');
  },
  resume: ({ state }) => {
    state.suspended = false;
  },
  message: ({ state }, words, at) => cryptMessage(state, words, at),
});

function cryptMeasured({ flags, ...state }: Crypt, core: Core): Bytes {
  const { integrity, sectorSize, cipher, keySize } = state;
  const known = CRYPT_FLAGS.filter((flag) => flag !== 'high_priority' || core.is('6.12'));
  const told = flagText(
    Object.fromEntries([...known, 'iv_large_sectors'].map((flag) => [flag, flags.includes(flag)])),
  );
  const [tag, auth] = integrity?.split(':') ?? [];
  const tags = tag === undefined ? '' : `,integrity_tag_size=${tag},cipher_auth=${auth}`;
  const sector = sectorSize === 512 ? '' : `,sector_size=${sectorSize}`;
  const key = `,cipher_string=${cipher},key_size=${keySize},key_parts=1,key_extra_size=0,key_mac_size=0`;
  return `${measured(crypt, core)},${told}${tags}${sector}${key};`;
}

/** crypt_message() */
function cryptMessage(state: Crypt, words: readonly Bytes[], { core }: Place): Answer {
  const say = (text: string): never => {
    core.log(4, `crypt: ${text}`);
    return refuse('EINVAL');
  };
  const [name = '', what = '', key = ''] = words;
  if (words.length < 2 || name.toLowerCase() !== 'key')
    return say('unrecognised message received.');
  if (!state.suspended) return say('not suspended during key manipulation.');
  if (words.length === 3 && what.toLowerCase() === 'set') {
    if (keySizeOf(key, core) !== state.keySize) return refuse('EINVAL');
    state.key = toldKey(key, state.keySize);
    state.keyValid = true;
    return undefined;
  }
  if (words.length === 2 && what.toLowerCase() === 'wipe') {
    state.key = '00'.repeat(state.keySize);
    state.keyValid = false;
    return undefined;
  }
  return say('unrecognised message received.');
}

// ── verity ───────────────────────────────────────────────────────────────────────────────────────

interface Verity {
  /** VERSION, and from DATABLOCKS on, without the devices. */
  readonly head: Bytes;
  readonly dataDev: number;
  readonly hashDev: number;
  readonly dataBlock: number;
  readonly sizes: Bytes;
  readonly algorithm: Bytes;
  readonly digest: Bytes;
  readonly salt: Bytes;
  readonly flags: readonly string[];
  readonly fec:
    | { readonly dev: number; readonly blocks: Bytes; readonly start: Bytes; readonly roots: Bytes }
    | undefined;
  readonly signature: Bytes | undefined;
}

/** Options without a value, in the order in which TABLE tells them. */
const VERITY_FLAGS = [
  ...CORRUPTION_MODES,
  'restart_on_error',
  'panic_on_error',
  'ignore_zero_blocks',
  'check_at_most_once',
  'try_verify_in_tasklet',
];

/** Options with a value. */
const VERITY_VALUES = [
  'use_fec_from_device',
  'fec_blocks',
  'fec_start',
  'fec_roots',
  'root_hash_sig_key_desc',
];

/** What the constructor refuses before it comes to the hash. */
const BEFORE_HASH = [
  'Device must be readonly',
  'Not enough arguments',
  'Invalid version',
  'Data device lookup failed',
  'Hash device lookup failed',
  'Invalid data device block size',
  'Invalid hash device block size',
  'Invalid data blocks',
  'Data device is too small',
  'Invalid hash start',
];

/** Some options are looked at before all others, and with them how many there are. */
function isBeforeHash(text: string, core: Core): boolean {
  if (text === 'Invalid number of feature args') return core.is('6.1');
  return BEFORE_HASH.includes(text);
}

/** verity_setup_hash_alg(); only where the salt comes first (version 1) a state of its hash can be kept. */
function useHash(core: Core, version: Bytes, algorithm: Bytes): void {
  if (digestSize(algorithm) === undefined) refuse('ENOENT', 'Cannot initialize hash function');
  const how = !core.is('6.12') ? 'implementation' : version === '0' ? 'ahash' : 'shash';
  core.log(6, `verity: ${algorithm} using ${how} "${algorithm}-generic"`);
}

/** dm-verity-target.c */
export const verity: AnyTargetType = /* @__PURE__ */ targetType<Verity>({
  name: 'verity',
  versions: { '5.10': [1, 7, 0], '6.1': [1, 9, 0], '6.12': [1, 10, 0], '7.2': [1, 13, 0] },
  construct: (given, at) => {
    const { core } = at;
    if (at.table.write) refuse('EINVAL', 'Device must be readonly');
    const words = new Words(given, core);
    const head = words.next();
    const [dataDev, hashDev] = [at.open(words.next(), 'read'), at.open(words.next(), 'read')];
    const [dataBlock, hashBlock] = [words.u32(), words.u32()];
    const [blocks, start] = [words.u64(), words.u64()];
    const algorithm = words.next();
    useHash(core, head, algorithm);
    const [digest, salt] = [words.next().toLowerCase(), words.next().toLowerCase()];
    const options = words.take(words.left > 0 ? words.u32() : 0);
    const flags = new Set<string>();
    const values = new Map<string, Bytes>();
    while (options.left > 0) {
      const name = options.next().toLowerCase();
      if (VERITY_FLAGS.includes(name)) {
        // Of what becomes of corruption the last one counts, where there may be more than one.
        if (CORRUPTION_MODES.includes(name)) CORRUPTION_MODES.forEach((mode) => flags.delete(mode));
        flags.add(name);
      } else values.set(name, options.next());
    }
    const fecDev = values.get('use_fec_from_device');
    return {
      head,
      dataDev,
      hashDev,
      dataBlock,
      sizes: `${dataBlock} ${hashBlock} ${blocks} ${start}`,
      algorithm,
      digest,
      salt,
      flags: VERITY_FLAGS.filter((flag) => flags.has(flag)),
      fec:
        fecDev === undefined
          ? undefined
          : {
              dev: at.open(fecDev, 'read'),
              blocks: values.get('fec_blocks') ?? '0',
              start: values.get('fec_start') ?? '0',
              roots: values.get('fec_roots') ?? '0',
            },
      signature: values.get('root_hash_sig_key_desc'),
    };
  },
  earlier: (text, { core }, [version = '', ...words]) => {
    if (!isBeforeHash(text, core)) useHash(core, version, words[6] ?? '');
    return false;
  },
  logs: (text, { core }, words) => {
    if (text !== 'Unrecognized verity feature request' || !core.is('6.1')) return;
    const options = new Words(words.slice(11));
    while (options.left > 0) {
      const option = options.next();
      const name = option.toLowerCase();
      if (VERITY_VALUES.includes(name)) options.take(Math.min(1, options.left));
      else if (!VERITY_FLAGS.includes(name) || (name.endsWith('_error') && !core.is('6.12'))) {
        core.log(3, `verity: ${text}: ${option}`);
        return;
      }
    }
  },
  status: ({ state }, { kind }, { core }) => {
    if (kind === 'info') return core.is('7.2') ? 'V -' : 'V';
    const { head, dataDev, hashDev, sizes, algorithm, digest, salt, flags, fec, signature } = state;
    if (kind === 'ima') {
      const has = (flag: string): string => `,${flagText({ [flag]: flags.includes(flag) })}`;
      const mode = flags.find((flag) => flag.endsWith('_corruption'));
      const errorMode = flags.find((flag) => flag.endsWith('_error'));
      const devices = `data_device_name=${devText(dataDev)},hash_device_name=${devText(hashDev)}`;
      const hash = `verity_algorithm=${algorithm},root_digest=${digest},salt=${salt}`;
      const rest = [
        has('ignore_zero_blocks'),
        has('check_at_most_once'),
        signature === undefined ? '' : `,root_hash_sig_key_desc=${signature}`,
        mode === undefined ? '' : `,verity_mode=${mode}`,
        errorMode === undefined ? '' : `,verity_error_mode=${errorMode}`,
      ];
      const first = `hash_failed=V,verity_version=${head}`;
      return `${measured(verity, core)},${first},${devices},${hash}${rest.join('')};`;
    }
    const options = [
      ...flags,
      ...(fec === undefined
        ? []
        : [
            'use_fec_from_device',
            devText(fec.dev),
            'fec_blocks',
            fec.blocks,
            'fec_start',
            fec.start,
            'fec_roots',
            fec.roots,
          ]),
      ...(signature === undefined ? [] : ['root_hash_sig_key_desc', signature]),
    ];
    const end = options.length > 0 ? [options.length, ...options] : [];
    const devices = `${devText(dataDev)} ${devText(hashDev)}`;
    return [head, devices, sizes, algorithm, digest, salt, ...end].join(' ');
  },
  areas: ({ state: { dataDev }, length }) => [{ dev: dataDev, start: 0n, length }],
  hints: ({ state: { dataBlock } }, limits) => {
    raiseBlock(limits, dataBlock);
  },
});

// ── integrity ────────────────────────────────────────────────────────────────────────────────────

/** What is in the superblock. */
interface Superblock {
  readonly kind: 'integrity';
  readonly tagSize: number;
  readonly sectorsPerBlock: number;
  readonly log2Interleave: number;
  readonly journalSectors: number;
  readonly provided: bigint;
}

interface Integrity {
  readonly dev: number;
  readonly start: bigint;
  readonly mode: Bytes;
  readonly metaDev: number | undefined;
  readonly superblock: Superblock;
  /** In recovery mode no superblock is written where there was none. */
  readonly isBlank: boolean;
  /** From Linux 6.1 on a resume reads the superblock, and of a blank one there is nothing to tell any more. */
  isRead: boolean;
  readonly options: ReadonlyMap<string, Bytes>;
}

/** `name` or `name:value` each. */
function optionsOf(words: Words): Map<string, Bytes> {
  const options = new Map<string, Bytes>();
  while (words.left > 0) {
    const [name = '', ...value] = words.next().split(':');
    options.set(name, value.join(':'));
  }
  return options;
}

/** What the rules say of a tag, at which the constructor looks when it has the hashes. */
const BEHIND_HASHES = ['Unknown tag size', 'Too big tag size'];

/** get_mac() of both hashes @returns the bytes of the internal one's digest, if there is one */
function useHashes(options: ReadonlyMap<string, Bytes>): number | undefined {
  const [size] = ['internal hash', 'journal mac'].map((what) => {
    const hash = options.get(what.replace(' ', '_'))?.split(':')[0];
    if (hash === undefined) return undefined;
    return digestSize(hash) ?? refuse('ENOENT', `Invalid ${what}`);
  });
  return size;
}

/** dm-integrity.c */
export const integrity: AnyTargetType = /* @__PURE__ */ targetType<Integrity>({
  name: 'integrity',
  versions: { '5.10': [1, 6, 0], '6.1': [1, 10, 0], '6.12': [1, 13, 0], '7.2': [1, 15, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const path = words.next();
    const start = words.u64();
    const tag = words.next();
    const mode = words.next();
    const options = optionsOf(words.take(words.u32()));
    const dev = at.open(path);
    const metaPath = options.get('meta_device');
    const metaDev = metaPath === undefined ? undefined : at.open(metaPath);
    const hash = options.get('internal_hash');
    const digest = useHashes(options);
    const tagSize =
      tag === '-' ? digest : Number(kstrtoull(tag) ?? refuse('EINVAL', 'Invalid tag size'));
    if (tagSize === undefined) return refuse('EINVAL', 'Unknown tag size');
    const place = `${at.core.placeOf(metaDev ?? dev)}+${metaDev === undefined ? start : 0n}`;
    const isBlank = mode === 'R' && !at.core.state.disks.has(place);
    const superblock = superblockOf(at, place, { dev, metaDev, start, tagSize, options });
    const [cipher] = options.get('journal_crypt')?.split(':') ?? [];
    if (mode === 'J' && cipher !== undefined && !knowsCipher(`capi:${cipher}`)) {
      refuse('ENOENT', 'Invalid journal cipher');
    }
    if (!isBlank) at.core.state.disks.set(place, superblock);
    if (at.length > superblock.provided) {
      refuse('EINVAL', 'Not enough provided sectors for requested mapping size');
    }
    // dm_integrity_set(); from Linux 6.11 on it is one of the table's limits.
    if (hash === undefined && !at.core.is('6.12')) at.device.integrityProfile = true;
    return { dev, start, mode, metaDev, superblock, isBlank, isRead: false, options };
  },
  earlier: (text, _, [, , , , , ...options]) => {
    if (BEHIND_HASHES.includes(text)) useHashes(optionsOf(new Words(options)));
    return false;
  },
  resume: ({ state }, { core }) => {
    state.isRead = core.is('6.1');
  },
  status: (target, { kind }, { core }) => integrityStatus(target, kind, core),
  areas: ({ state }, { core }) => {
    const { dev, start, metaDev, superblock } = state;
    if (metaDev !== undefined) return [{ dev, start, length: superblock.provided }];
    const length = core.sizeOfDev(dev) - start;
    return length > 0n ? [{ dev, start, length }] : [];
  },
  hints: ({ state: { superblock } }, limits) => {
    if (superblock.sectorsPerBlock > 1) raiseBlock(limits, superblock.sectorsPerBlock * 512);
  },
});

/** initialize_superblock(), or what it has written before. */
function superblockOf(
  { core }: Construction,
  place: string,
  given: Pick<Integrity, 'dev' | 'metaDev' | 'start' | 'options'> & { readonly tagSize: number },
): Superblock {
  const { dev, metaDev, start, tagSize, options } = given;
  const numberOf = (name: string): number | undefined => {
    const value = options.get(name);
    return value === undefined ? undefined : Number(value);
  };
  const sectorsPerBlock = (numberOf('block_size') ?? 512) / 512;
  const found = core.state.disks.get(place) as Superblock | undefined;
  if (found !== undefined) {
    if (found.tagSize !== tagSize) {
      refuse('EINVAL', "Tag size doesn't match the information in superblock");
    }
    if (found.sectorsPerBlock !== sectorsPerBlock) {
      refuse('EINVAL', "Block size doesn't match the information in superblock");
    }
    return found;
  }
  const dataSectors = core.sizeOfDev(dev) - start;
  const metaSectors = metaDev === undefined ? dataSectors : core.sizeOfDev(metaDev);
  // calculate_journal_section_size(): eight sectors of entries, and the blocks that they are for.
  const entry = Math.ceil((8 + 8 * sectorsPerBlock + tagSize) / 8) * 8;
  const space = options.has('journal_mac') ? 496 : 504;
  const entries = Math.floor(space / entry) * 8;
  const section = entries * sectorsPerBlock + 8;
  const least = dataSectors >> 7n;
  const journal = numberOf('journal_sectors') ?? Number(least < 131072n ? least : 131072n);
  const sections = Math.max(1, Math.floor(journal / section));
  const log2Interleave =
    metaDev === undefined
      ? Math.min(31, Math.max(3, 31 - Math.clz32(numberOf('interleave_sectors') ?? 32768)))
      : 0;
  const journalSectors = sections * section;
  const fixed = options.has('fix_padding');
  const provided =
    metaDev === undefined
      ? providedSectors(metaSectors, {
          tagSize,
          log2Interleave,
          sectorsPerBlock,
          journalSectors,
          fixed,
        })
      : dataSectors - (dataSectors % BigInt(sectorsPerBlock));
  if (provided <= 0n) return refuse('EINVAL', 'Could not initialize superblock');
  const superblock: Superblock = {
    kind: 'integrity',
    tagSize,
    sectorsPerBlock,
    log2Interleave,
    journalSectors,
    provided,
  };
  return superblock;
}

/** get_provided_data_sectors(): the most of which the last sector is still on the device. */
function providedSectors(
  sectors: bigint,
  layout: Pick<Superblock, 'tagSize' | 'log2Interleave' | 'sectorsPerBlock' | 'journalSectors'> & {
    readonly fixed: boolean;
  },
): bigint {
  const { tagSize, log2Interleave, sectorsPerBlock, journalSectors, fixed } = layout;
  // METADATA_PADDING_SECTORS are 8; what was meant was their bytes, what is kept is 2^8 sectors.
  const padding = fixed ? 4096n : 131072n;
  const tags = BigInt(tagSize) << BigInt(Math.max(0, log2Interleave - Math.log2(sectorsPerBlock)));
  const run = (((tags + padding - 1n) / padding) * padding) / 512n;
  const fits = (provided: bigint): boolean => {
    const area = (provided - 1n) >> BigInt(log2Interleave);
    const offset = (provided - 1n) & ((1n << BigInt(log2Interleave)) - 1n);
    const last = (area << BigInt(log2Interleave)) + (area + 1n) * run;
    return last + 8n + BigInt(journalSectors) + offset < sectors;
  };
  let provided = 0n;
  for (let bit = BigInt(sectors.toString(2).length) - 1n; bit >= 3n; bit--) {
    if (fits(provided | (1n << bit))) provided |= 1n << bit;
  }
  return provided;
}

/** dm_integrity_status() */
function integrityStatus({ state }: Instance<Integrity>, kind: string, core: Core): Bytes {
  const { dev, start, mode, metaDev, superblock, isBlank, isRead, options } = state;
  const { tagSize, sectorsPerBlock, journalSectors, log2Interleave, provided } = superblock;
  if (kind === 'info') return `0 ${provided} -`;
  const buffer = 1 << (31 - Math.clz32(Number(options.get('buffer_sectors') ?? 128)));
  const interleave = isBlank && isRead ? 1 : 2 ** log2Interleave;
  if (kind === 'ima') {
    const flag = (name: string): string => `,${flagText({ [name]: options.has(name) })}`;
    const words = [
      `,dev_name=${devText(dev)},start=${start},tag_size=${tagSize},mode=${mode}`,
      metaDev === undefined ? '' : `,meta_device=${devText(metaDev)}`,
      sectorsPerBlock === 1 ? '' : `,block_size=${sectorsPerBlock * 512}`,
      ',recalculate=n',
      ...['allow_discards', 'fix_padding', 'fix_hmac', 'legacy_recalculate'].map(flag),
      `,journal_sectors=${journalSectors},interleave_sectors=${interleave},buffer_sectors=${buffer};`,
    ];
    return `${measured(integrity, core)}${words.join('')}`;
  }
  const given = (name: string): string[] => {
    const value = options.get(name);
    if (value === undefined) return [];
    return [value === '' ? name : `${name}:${value}`];
  };
  const words = [
    ...(metaDev === undefined ? [] : [`meta_device:${devText(metaDev)}`]),
    ...(sectorsPerBlock === 1 ? [] : [`block_size:${sectorsPerBlock * 512}`]),
    ...given('reset_recalculate'),
    ...given('allow_discards'),
    ...(mode === 'D' && core.is('7.2') ? [] : [`journal_sectors:${journalSectors}`]),
    `interleave_sectors:${interleave}`,
    `buffer_sectors:${buffer}`,
    ...(mode === 'J'
      ? [
          `journal_watermark:${options.get('journal_watermark') ?? 50}`,
          `commit_time:${options.get('commit_time') ?? 10000}`,
        ]
      : []),
    ...(mode === 'B'
      ? [
          `sectors_per_bit:${options.get('sectors_per_bit') ?? 32768}`,
          `bitmap_flush_interval:${options.get('bitmap_flush_interval') ?? 10000}`,
        ]
      : []),
    ...['fix_padding', 'fix_hmac', 'legacy_recalculate'].flatMap(given),
    ...['internal_hash', 'journal_crypt', 'journal_mac'].flatMap(given),
  ];
  return [devText(dev), start, tagSize, mode, words.length, ...words].join(' ');
}
