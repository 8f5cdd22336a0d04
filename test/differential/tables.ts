// Tables of every type that the kernels can load: right ones, and what is near to them and wrong.

import type { Random } from '../fuzz/random.js';

/** The major number of mapped devices, in guests and in the model. */
export const MAJOR = 254;

/** The scratch disks of a guest; the most of a discard is UBD_MAX_REQUEST of arch/um/drivers/ubd_kern.c. */
export const DISKS = {
  '/dev/ubda': { sectors: 131072, dev: '98:0', discardSectors: 64 },
  '/dev/ubdb': { sectors: 131072, dev: '98:16', discardSectors: 64 },
} as const;

/**
 * What targets that read and write by themselves lie on: pieces of the disks, under minors of their own.
 * They are never suspended, for a target would wait in the kernel for its own metadata.
 */
export const SLICES = [
  { minor: 40, disk: '/dev/ubdb', offset: 0, sectors: 4096 },
  { minor: 41, disk: '/dev/ubdb', offset: 4096, sectors: 4096 },
  { minor: 42, disk: '/dev/ubda', offset: 0, sectors: 8192 },
  { minor: 43, disk: '/dev/ubda', offset: 8192, sectors: 8192 },
] as const;
const [META, MORE, DATA, OTHER] = SLICES.map(({ minor }) => `${MAJOR}:${minor}`) as [
  string,
  string,
  string,
  string,
];

/** A row of a table, as the wire has it. */
export interface Row {
  readonly type: string;
  readonly length: number;
  readonly parameters: string;
}

/** What a type's rows are made of. */
interface Kind {
  /** Does it read or write by itself, so that it lies on SLICES? */
  readonly busy?: true;
  /** A row that most kernels take. */
  readonly make: (random: Random, device: () => string) => Omit<Row, 'type'>;
  /** What it may be told. */
  readonly messages?: readonly string[];
}

const HEX = '00112233445566778899aabbccddeeff';
const offset = (random: Random): number => 8 * random.below(1024);
const size = (random: Random): number => 8 * (1 + random.below(256));
/** Now and then `words`, with their count before them. */
const counted = (random: Random, choices: readonly string[]): string => {
  if (random.below(3) > 0) return random.below(2) === 0 ? '' : ' 0';
  const words = Array.from({ length: 1 + random.below(2) }, () => random.pick(choices)).join(' ');
  return ` ${words.split(' ').length} ${words}`;
};
const onOne =
  (rest: (random: Random) => string) =>
  (random: Random, device: () => string): Omit<Row, 'type'> => ({
    length: size(random),
    parameters: `${device()} ${offset(random)}${rest(random)}`,
  });
const fixed =
  (length: number, parameters: (random: Random) => string) =>
  (random: Random): Omit<Row, 'type'> => ({ length, parameters: parameters(random) });

export const KINDS: Readonly<Record<string, Kind>> = {
  linear: { make: onOne(() => '') },
  striped: {
    make: (random, device) => {
      const stripes = 1 + random.below(3);
      const chunk = 8 << random.below(4);
      const legs = Array.from({ length: stripes }, () => `${device()} ${offset(random)}`);
      return {
        length: stripes * chunk * (1 + random.below(8)),
        parameters: `${stripes} ${chunk} ${legs.join(' ')}`,
      };
    },
  },
  zero: { make: (random) => ({ length: size(random), parameters: '' }) },
  error: {
    make: (random, device) => ({
      length: size(random),
      parameters: random.below(3) > 0 ? '' : `${device()} ${offset(random)}`,
    }),
  },
  delay: {
    make: (random, device) => {
      const sets = Array.from(
        { length: 1 + random.below(3) },
        () => `${device()} ${offset(random)} ${random.below(50)}`,
      );
      return { length: size(random), parameters: sets.join(' ') };
    },
  },
  flakey: {
    make: onOne(
      (random) =>
        ` ${random.below(9)} ${1 + random.below(9)}${counted(random, [
          'drop_writes',
          'error_writes',
          'error_reads',
          'corrupt_bio_byte 32 r 1 0',
          'corrupt_bio_byte 224 w 0 32',
          'random_read_corrupt 500',
          'random_write_corrupt 1000000000',
        ])}`,
    ),
  },
  unstriped: {
    make: (random, device) => {
      const stripes = 1 + random.below(4);
      const chunk = 8 << random.below(4);
      return {
        length: chunk * (1 + random.below(8)),
        parameters: `${stripes} ${chunk} ${random.below(stripes)} ${device()} ${offset(random)}`,
      };
    },
  },
  switch: {
    make: (random, device) => {
      const paths = 1 + random.below(3);
      const legs = Array.from({ length: paths }, () => `${device()} ${offset(random)}`);
      return {
        length: size(random),
        parameters: `${paths} ${8 * (1 + random.below(4))} 0 ${legs.join(' ')}`,
      };
    },
    messages: [
      'set_region_mappings 0:0',
      'set_region_mappings 0:1 :0',
      'set_region_mappings R1,2',
      'set_region_mappings 0:9',
      'set_region_mappings',
      'set_region_mappings x',
    ],
  },
  dust: {
    make: onOne((random) => ` ${512 << random.below(4)}`),
    messages: [
      'addbadblock 1',
      'addbadblock 1 3',
      'removebadblock 1',
      'queryblock 1',
      'countbadblocks',
      'listbadblocks',
      'clearbadblocks',
      'enable',
      'disable',
      'quiet',
      'addbadblock 99999999',
      'addbadblock x',
      'queryblock',
    ],
  },
  multipath: {
    make: (random, device) => {
      const features = random.pick([
        '0',
        '1 queue_if_no_path',
        '2 queue_mode bio',
        '3 queue_if_no_path queue_mode bio',
        '2 pg_init_retries 5',
        '1 retain_attached_hw_handler',
      ]);
      const groups = 1 + random.below(2);
      const all = Array.from({ length: groups }, () => {
        const selector = random.pick(['round-robin', 'queue-length', 'service-time']);
        const paths = Array.from(
          { length: 1 + random.below(2) },
          () => `${random.pick(['98:0', '98:16', '/dev/ubda', device()])} 1`,
        );
        return `${selector} 0 ${paths.length} 1 ${paths.join(' ')}`;
      });
      return { length: size(random), parameters: `${features} 0 ${groups} 1 ${all.join(' ')}` };
    },
    messages: [
      'queue_if_no_path',
      'fail_if_no_path',
      'disable_group 1',
      'enable_group 1',
      'switch_group 1',
      'switch_group 9',
      'fail_path 98:0',
      'reinstate_path 98:0',
      'fail_path /dev/ubdb',
      'fail_path 98:240',
      'disable_group',
    ],
  },
  crypt: {
    make: (random, device) => {
      const [cipher, key] = random.pick([
        ['aes-cbc-plain', HEX],
        ['aes-xts-plain64', HEX + HEX],
        ['aes-cbc-essiv:sha256', HEX],
        ['aes-xts-plain64', HEX],
        ['nosuch-cbc-plain', HEX],
        ['aes-cbc-plain', '-'],
        ['capi:cbc(aes)-plain64', HEX.toUpperCase()],
        ['cipher_null-ecb', '-'],
      ]);
      const options = counted(random, [
        'allow_discards',
        'same_cpu_crypt',
        'submit_from_crypt_cpus',
        'no_read_workqueue',
        'no_write_workqueue',
        'sector_size:4096',
        'sector_size:1000',
        'iv_large_sectors',
        'high_priority',
      ]);
      return {
        length: size(random),
        parameters: `${cipher} ${key} ${random.below(3)} ${device()} ${offset(random)}${options}`,
      };
    },
    messages: [
      'key wipe',
      `key set ${HEX}`,
      `key set ${HEX}${HEX}`,
      'key set x',
      'key',
      'key set -',
    ],
  },
  verity: {
    make: (random) => ({
      length: 8 * 16,
      parameters:
        `${random.pick(['1', '1', '0', '2'])} /dev/ubda /dev/ubdb 4096 4096 16 ${random.below(3)} ` +
        `${random.pick(['sha256', 'sha256', 'sha1', 'nosuch'])} ` +
        `${HEX}${HEX} ${random.pick(['-', 'abcd', 'xyz'])}${counted(random, [
          'ignore_corruption',
          'restart_on_corruption',
          'panic_on_corruption',
          'ignore_zero_blocks',
          'check_at_most_once',
          'try_verify_in_tasklet',
          'restart_on_error',
        ])}`,
    }),
  },
  snapshot: {
    busy: true,
    make: fixed(
      4096,
      (random) =>
        `${DATA} ${random.pick([META, MORE])} ${random.pick(['P', 'N', 'PO', 'p', 'X'])} ` +
        `${random.pick([8, 16, 32, 7, 0])}`,
    ),
  },
  'snapshot-origin': { busy: true, make: fixed(8192, () => DATA) },
  'snapshot-merge': {
    busy: true,
    make: fixed(4096, (random) => `${DATA} ${META} P ${random.pick([8, 16, 7])}`),
  },
  mirror: {
    busy: true,
    make: fixed(
      2048,
      (random) =>
        `${random.pick([
          'core 1 1024',
          'core 2 1024 nosync',
          'core 2 64 sync',
          'core 1 1000',
          `disk 2 ${META} 1024`,
          'nosuch 0',
        ])} ${random.pick([2, 2, 1])} ${DATA} 0 ${OTHER} 0${counted(random, ['handle_errors', 'keep_log'])}`,
    ),
  },
  raid: {
    busy: true,
    make: fixed(4096, (random) =>
      random.pick([
        `raid1 4 0 nosync region_size 1024 2 - ${DATA} - ${OTHER}`,
        `raid1 3 0 region_size 1024 2 - ${DATA} - ${OTHER}`,
        `raid0 1 128 2 - ${DATA} - ${OTHER}`,
        `raid4 1 128 2 - ${DATA} - ${OTHER}`,
        `raid9 1 128 2 - ${DATA} - ${OTHER}`,
        `raid1 1 0 1 - ${DATA}`,
        `raid1 2 0 nonsense 2 - ${DATA} - ${OTHER}`,
        `raid5_ls 2 128 nosync 2 - ${DATA} - ${OTHER}`,
      ]),
    ),
  },
  'log-writes': {
    busy: true,
    make: fixed(2048, (random) => `${DATA} ${META}${random.pick(['', '', ' x'])}`),
    messages: ['mark here', 'mark', 'nonsense x', 'mark a b'],
  },
  integrity: {
    busy: true,
    make: fixed(
      2048,
      (random) =>
        `${META} 0 ${random.pick(['4', '-', 'x'])} ${random.pick(['D', 'J', 'R', 'Q'])} ` +
        random.pick([
          '1 internal_hash:crc32c',
          '2 internal_hash:crc32c block_size:512',
          '1 internal_hash:nosuch',
          '0',
          '1 nonsense',
        ]),
    ),
  },
  writecache: {
    busy: true,
    make: fixed(
      4096,
      (random) =>
        `${random.pick(['s', 's', 'p', 'x'])} ${DATA} ${META} ${random.pick([4096, 512, 1000])}${counted(
          random,
          [
            'high_watermark 60',
            'low_watermark 40',
            'writeback_jobs 8',
            'autocommit_blocks 4',
            'autocommit_time 500',
            'cleaner',
            'fua',
            'pause_writeback 100',
            'max_age 1000',
          ],
        )}`,
    ),
    messages: ['flush', 'flush_on_suspend', 'cleaner', 'clear_stats', 'nonsense', 'flush x'],
  },
  'thin-pool': {
    busy: true,
    make: fixed(
      8192,
      (random) =>
        `${META} ${DATA} ${random.pick([128, 128, 256, 100])} ${random.below(9)}${counted(random, [
          'skip_block_zeroing',
          'ignore_discard',
          'no_discard_passdown',
          'error_if_no_space',
          'nonsense',
        ])}`,
    ),
    messages: [
      'create_thin 0',
      'create_thin 1',
      'create_snap 2 0',
      'delete 1',
      'delete 7',
      'set_transaction_id 0 1',
      'set_transaction_id 5 6',
      'reserve_metadata_snap',
      'release_metadata_snap',
      'create_thin 16777216',
      'create_thin',
      'nonsense',
    ],
  },
  thin: {
    busy: true,
    make: (random, device) => ({
      length: 1024,
      parameters: `${device()} ${random.below(3)}${random.pick(['', '', ` ${OTHER}`])}`,
    }),
  },
  cache: {
    busy: true,
    make: fixed(
      8192,
      (random) =>
        `${META} ${MORE} ${DATA} ${random.pick([64, 128, 100])} ` +
        `${random.pick(['0', '1 writeback', '1 writethrough', '1 passthrough', '1 nonsense', '1 metadata2'])} ` +
        random.pick([
          'smq 0',
          'default 0',
          'cleaner 0',
          'smq 2 migration_threshold 4096',
          'nosuch 0',
        ]),
    ),
    messages: [
      'migration_threshold 100',
      'invalidate_cblocks 0',
      'invalidate_cblocks 0-2',
      'nonsense 1',
      'alone',
    ],
  },
  clone: {
    busy: true,
    make: fixed(
      4096,
      (random) =>
        `${META} ${OTHER} ${DATA} ${random.pick([8, 16, 7])} ` +
        random.pick([
          '1 no_hydration',
          '1 no_hydration 2 hydration_threshold 2',
          '2 no_hydration no_discard_passdown 2 hydration_batch_size 4',
          '1 nonsense',
        ]),
    ),
    messages: [
      'disable_hydration',
      'hydration_threshold 4',
      'hydration_batch_size 2',
      'hydration_threshold x',
      'nonsense',
    ],
  },
  era: {
    busy: true,
    make: fixed(4096, (random) => `${META} ${DATA} ${random.pick([16, 32, 128, 7])}`),
    messages: [
      'checkpoint',
      'take_metadata_snap',
      'drop_metadata_snap',
      'nonsense',
      'checkpoint x',
    ],
  },
};

/** Rows that have a kernel load the other modules that rows of KINDS name. */
export const MODULES: readonly Row[] = [
  ...['round-robin', 'queue-length', 'service-time'].map((selector) => ({
    type: 'multipath',
    length: 8,
    parameters: `0 0 1 1 ${selector} 0 1 1 98:0 1`,
  })),
  ...['smq', 'cleaner'].map((policy) => ({
    type: 'cache',
    length: 8,
    // Refused, but not before the policy is looked for.
    parameters: `/dev/ubda /dev/ubdb /dev/ubdb 64 0 ${policy} 0`,
  })),
];

/** Types that no kernel here has. */
export const UNKNOWN = ['nosuch', 'Linear', 'a-type-too-long', 'zoned', ''];

const WORDS = [
  ...['', '0', '1', '-1', '+1', '8x', '0x10', '4294967296', '18446744073709551615'],
  ...[
    '99999999999999999999',
    'nonsense',
    '98:0',
    '/dev/ubdb',
    '/dev/nothing',
    '9999:0',
    '\\ ',
    '-',
  ],
];

/**
 * Numbers that Linux before 6.4 takes for a device where it stands for one, of ram, loop and md: they are made
 * when they are opened (init/do_mounts.c name_to_dev_t()).
 */
const MADE_WHEN_OPENED = /^[179][0-9a-f]{2}$/i;

/** Parameters with a word changed, left out, added or cut: what constructors are to refuse. */
export function spoil(parameters: string, random: Random): string {
  const words = parameters.split(' ');
  const at = random.below(words.length);
  const canShift = !words.some((word) => MADE_WHEN_OPENED.test(word));
  const ways = ['change', 'cut', 'add', 'stretch', ...(canShift ? ['leave out', 'insert'] : [])];
  switch (random.pick(ways)) {
    case 'change':
      words[at] = random.pick(WORDS);
      break;
    case 'leave out':
      words.splice(at, 1);
      break;
    case 'insert':
      words.splice(at, 0, random.pick(WORDS));
      break;
    case 'cut':
      words.length = at;
      break;
    case 'add':
      words.push(random.pick(WORDS));
      break;
    default:
      words[at] = `${words[at]}${random.pick(['x', '0', '\t', '\\', '\u00a0', '  '])}`;
  }
  return words.join(' ');
}
