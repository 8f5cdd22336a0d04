import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

const DIGEST = '0123456789abcDEF'.repeat(4);
const HASH = `sha256 ${DIGEST}`;
const line = (blocks: string, rest = '-'): string => `8 ${blocks} ${HASH} ${rest}`;
/** Options behind a line of one block. */
const given = (options: string): string => line('1 %a %b 4096 4096 1 1', `- ${options}`);
const FEC = 'use_fec_from_device %c fec_blocks 2 fec_roots 2';

export const generator: Generator = {
  type: 'verity',
  isReadOnly: true,
  odd: [
    '4096',
    '512',
    '1024',
    '-',
    'ignore_corruption',
    'fec_roots',
    'use_fec_from_device',
    DIGEST,
  ],
  good: goodLines(
    line('1 %a %b 4096 4096 256 1'),
    line('0 %a %b 1024 512 8192 0'),
    line('1 %a %a 512 1024 8 65', '00ff'),
    given('2 ignore_corruption Ignore_Zero_Blocks'),
    given('1 check_at_most_once rest'),
    given(`6 ${FEC}`),
    `8 1 %a %b 4096 4096 1 1 sha1 ${'0'.repeat(40)} -`,
  ),
  around: linesAround({
    'verity-arguments': [['8 1 %a %b 4096 4096 1 1 sha256 00', line('1 %a %b 4096 4096 1 1')]],
    'verity-option-count': [
      [given('2 ignore_zero_blocks'), given('1 ignore_zero_blocks')],
      [given('x'), given('0')],
    ],
    'verity-version': [
      [line('2 %a %b 4096 4096 1 1'), line('1 %a %b 4096 4096 1 1')],
      [line('x %a %b 4096 4096 1 1'), line('4294967296 %a %b 4096 4096 1 1')],
    ],
    'verity-data-device': [[line('1 4096:0 %b 4096 4096 1 1'), line('1 %a %b 4096 4096 1 1')]],
    'verity-hash-device': [[line('1 %a 4096:0 4096 4096 1 1'), line('1 %a %b 4096 4096 1 1')]],
    'verity-data-block': [
      [line('1 %a %b 256 4096 8 1'), line('1 %a %b 512 4096 8 1')],
      [line('1 %a %b 3072 4096 8 1'), line('1 %a %b 2048 4096 8 1')],
      [line('1 %a %b 131072 4096 8 1'), line('1 %a %b 4096 4096 8 1')],
      [line('1 %a %b 4k 4096 8 1'), line('1 %a %b 04096 4096 8 1')],
    ],
    'verity-hash-block': [
      [line('1 %a %b 4096 256 8 1'), line('1 %a %b 4096 512 8 1')],
      [line('1 %a %b 4096 3072 8 1'), line('1 %a %b 4096 2048 8 1')],
      [line('1 %a %b 4096 2147483648 8 1'), line('1 %a %b 4096 65536 8 1')],
    ],
    'verity-data-blocks': [
      [line('1 %a %b 4096 4096 -1 1'), line('1 %a %b 4096 4096 1 1')],
      [line('1 %a %b 4096 4096 2305843009213693952 1'), line('1 %a %b 4096 4096 01 1')],
    ],
    'verity-length': [
      [`9 1 %a %b 4096 4096 1 1 ${HASH} -`, `8 1 %a %b 4096 4096 1 1 ${HASH} -`],
      [`24 1 %a %b 4096 4096 2 1 ${HASH} -`, `16 1 %a %b 4096 4096 2 1 ${HASH} -`],
    ],
    'verity-hash-start': [
      [line('1 %a %b 4096 4096 1 x'), line('1 %a %b 4096 4096 1 1')],
      [line('1 %a %b 4096 4096 1 2305843009213693952'), line('1 %a %b 4096 4096 1 %n')],
    ],
    'verity-root-digest': [
      ['8 1 %a %b 4096 4096 1 1 sha256 00 -', line('1 %a %b 4096 4096 1 1')],
      [`8 1 %a %b 4096 4096 1 1 sha1 ${DIGEST} -`, line('1 %a %b 4096 4096 1 1')],
      [`8 1 %a %b 4096 4096 1 1 sha256 ${'x'.repeat(64)} -`, line('1 %a %b 4096 4096 1 1')],
    ],
    'verity-salt': [
      [line('1 %a %b 4096 4096 1 1', '0'), line('1 %a %b 4096 4096 1 1', '00')],
      [line('1 %a %b 4096 4096 1 1', 'salt'), line('1 %a %b 4096 4096 1 1', '-')],
    ],
    'verity-once': [
      [
        `8 1 %a %a 4096 4096 2147483648 1 ${HASH} - 1 check_at_most_once`,
        `8 1 %a %b 4096 4096 16384 1 ${HASH} - 1 check_at_most_once`,
      ],
    ],
    'verity-signature': [[given('1 root_hash_sig_key_desc'), given('0')]],
    'verity-fec-value': [[given('1 fec_roots'), given('2 fec_roots 2')]],
    'verity-fec-device': [[given('2 use_fec_from_device 4096:0'), given(`6 ${FEC}`)]],
    'verity-fec-blocks': [[given('2 fec_blocks x'), given('2 fec_blocks 1')]],
    'verity-fec-start': [
      [given('2 fec_start -1'), given('2 fec_start 1')],
      [given('2 fec_start 2305843009213693952'), given('2 fec_start 2305843009213693951')],
    ],
    'verity-fec-roots': [
      [given('2 fec_roots 1'), given('2 fec_roots 2')],
      [given('2 fec_roots 25'), given('2 fec_roots 24')],
      [given('2 fec_roots 0'), given('2 fec_roots 258')],
    ],
    'verity-option': [
      [given('1 ignore_zeros'), given('1 IGNORE_zero_BLOCKS')],
      [given('2 ignore_zero_blocks 1'), given('1 ignore_zero_blocks 1')],
    ],
    'verity-hash-overflow': [
      [line('1 %a %b 512 512 1099511627776 18446744073709551614'), line('1 %a %b 512 512 8 8')],
    ],
    'verity-hash-size': [
      [line('1 %a %b 4096 4096 2 16384'), line('1 %a %b 4096 4096 2 16383')],
      [line('1 %a %b 4096 4096 129 16382'), line('1 %a %b 4096 4096 128 16383')],
    ],
    'verity-fec-block': [
      [`8 1 %a %b 4096 1024 1 1 ${HASH} - 6 ${FEC}`, `8 1 %a %b 4096 4096 1 1 ${HASH} - 6 ${FEC}`],
    ],
    'verity-fec-roots-missing': [
      [given('4 use_fec_from_device %c fec_blocks 2'), given(`6 ${FEC}`)],
    ],
    'verity-fec-blocks-missing': [
      [given('4 use_fec_from_device %c fec_roots 2'), given(`6 ${FEC}`)],
      [given('6 use_fec_from_device %c fec_roots 2 fec_blocks 0'), given(`6 ${FEC}`)],
    ],
    'verity-fec-blocks-few': [
      [
        `8 1 %a %b 4096 4096 2 1 ${HASH} - 6 ${FEC}`,
        `8 1 %a %b 4096 4096 2 1 ${HASH} - 6 use_fec_from_device %c fec_blocks 3 fec_roots 2`,
      ],
    ],
    'verity-fec-hash-size': [
      [
        given('6 use_fec_from_device %c fec_blocks 16386 fec_roots 2'),
        given('6 use_fec_from_device %c fec_blocks 16384 fec_roots 2'),
      ],
    ],
    'verity-fec-data-size': [
      [
        `8 1 %a %b 4096 4096 16385 1 ${HASH} - 6 use_fec_from_device %c fec_blocks 17000 fec_roots 2`,
        `8 1 %a %b 4096 4096 16384 1 ${HASH} - 6 use_fec_from_device %c fec_blocks 17000 fec_roots 2`,
      ],
    ],
  }),
  // Debian's kernels here have no parity and no signatures, and which hashes they have no line says.
  isLeftOut: ({ words }) =>
    words.some((word) => /fec_|root_hash/i.test(word)) || !/^sha(1|256)$/.test(words[7] ?? 'sha1'),
};
