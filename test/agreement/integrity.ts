import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

const given = (options: string, mode = 'J', tag = '4'): string =>
  `8 %a 0 ${tag} ${mode} ${options}`;
const both = (bad: string, well: string): readonly [string, string] => [given(bad), given(well)];
const HASH = 'internal_hash:crc32c';

export const generator: Generator = {
  type: 'integrity',
  isWiped: true,
  odd: [
    'J',
    'B',
    'D',
    'R',
    '-',
    '4',
    '255',
    '256',
    HASH,
    'allow_discards',
    'block_size:4096',
    'journal_watermark:100',
  ],
  good: goodLines(
    '8 %a 0 4 J 0',
    given(`1 ${HASH}`, 'J', '-'),
    given(`2 ${HASH} block_size:4096`, 'D', '-'),
    given(`2 ${HASH} allow_discards`, 'B', '-'),
    given('2 journal_sectors:1024 interleave_sectors:4096', 'R', '64'),
    given('3 meta_device:%b buffer_sectors:8 commit_time:100 rest', 'D', '16'),
    given('2 internal_hash:hmac(sha256):00ff journal_watermark:50', 'J', '-'),
    given(
      '4 fix_padding sectors_per_bit:64 bitmap_flush_interval:1000 internal_hash:sha1',
      'B',
      '20',
    ),
  ),
  around: linesAround({
    'integrity-arguments': [['8 %a 0 4 J', '8 %a 0 4 J 0']],
    'integrity-device': [['8 4096:0 0 4 J 0', '8 %a 0 4 J 0']],
    'integrity-offset': [
      ['8 %a -1 4 J 0', '8 %a 8 4 J 0'],
      ['8 %a x 4 J 0', '8 %a %n 4 J 0'],
    ],
    'integrity-tag': [
      ['8 %a 0 0 J 0', '8 %a 0 1 J 0'],
      ['8 %a 0 x J 0', '8 %a 0 04 J 0'],
    ],
    'integrity-mode': [
      ['8 %a 0 4 j 0', '8 %a 0 4 J 0'],
      ['8 %a 0 4 JB 0', '8 %a 0 4 D 0'],
    ],
    'integrity-option-count': [
      both('2 fix_padding', '1 fix_padding'),
      [
        given(`19 ${'fix_padding '.repeat(19).trim()}`),
        given(`16 ${'fix_padding '.repeat(16).trim()}`),
      ],
      both('x', '0'),
    ],
    'integrity-meta-device': [both('1 meta_device:4096:0', '1 meta_device:%b')],
    'integrity-block-size': [
      both('1 block_size:256', '1 block_size:512'),
      both('1 block_size:8192', '1 block_size:4096'),
      both('1 block_size:3072', '1 block_size:2048'),
    ],
    'integrity-internal-hash': [
      both('1 internal_hash:hmac(sha256):0', '1 internal_hash:hmac(sha256):00'),
      both('1 internal_hash:hmac(sha256):key', '1 internal_hash:hmac(sha256):0aFF'),
    ],
    'integrity-journal-crypt': [both('1 journal_crypt:ctr(aes):0', '0')],
    'integrity-journal-mac': [
      both('1 journal_mac:hmac(sha256):0', '1 journal_mac:hmac(sha256):00'),
    ],
    'integrity-option': [
      both('1 journal_watermark:101', '1 journal_watermark:100'),
      both('1 Fix_Padding', '1 fix_padding'),
      both('1 journal_sectors:x', '1 journal_sectors:512'),
      both('1 block_size:4k', '1 block_size:04096'),
      both('1 hash:crc32c', '1 internal_hash:crc32c'),
    ],
    'integrity-hash-key': [
      both('1 internal_hash:hmac(sha256)', '1 internal_hash:hmac(sha256):00'),
      both('1 internal_hash:sha256:00', '1 internal_hash:sha256'),
    ],
    'integrity-mac-key': [both('1 journal_mac:hmac(sha1)', '1 journal_mac:hmac(sha1):00')],
    'integrity-tag-unknown': [['8 %a 0 - J 0', given(`1 ${HASH}`, 'J', '-')]],
    'integrity-tag-size': [['8 %a 0 425 J 0', '8 %a 0 255 J 0']],
    'integrity-bitmap': [[given('0', 'B'), given(`1 ${HASH}`, 'B')]],
    'integrity-discards': [both('1 allow_discards', `2 ${HASH} allow_discards`)],
    'integrity-superblock': [['8 %a 131065 4 J 0', '8 %a 65536 4 J 0']],
    'integrity-recalculate': [both('1 recalculate', `2 ${HASH} recalculate`)],
  }),
  // How much fits beside journal and tags, no rule works out yet.
  isLeftOut: ({ length, words }) =>
    length > 65536 || (Number(words[1]) > 65536 && Number(words[1]) < 131065),
};
