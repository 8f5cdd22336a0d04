import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'cache',
  isWiped: true,
  odd: ['64', '128', 'smq', 'mq', 'cleaner', 'writeback', 'metadata2', 'migration_threshold'],
  good: goodLines(
    '131072 %a %b %c 64 0 smq 0',
    '1000 %a %b %c 128 1 writeback default 0',
    '65536 %a %b %c 192 3 metadata2 passthrough no_discard_passdown smq 2 migration_threshold %n',
    '8 %a %b %c +1024 2 WriteThrough Metadata2 cleaner 0 rest',
    '8 %a %b %c 131072 0 mq 4 sequential_threshold 512 Migration_Threshold 0',
  ),
  around: linesAround({
    'cache-arguments': [
      ['8 %a', '8 %a %b %c 64 0 smq 0'],
      ['8 %a %b %c', '8 %a %b %c 64 0 smq 0'],
      ['8 %a %b %c 64 0', '8 %a %b %c 64 0 smq 0'],
    ],
    'cache-metadata-device': [['8 4096:0 %b %c 64 0 smq 0', '8 %a %b %c 64 0 smq 0']],
    'cache-cache-device': [['8 %a 4096:0 %c 64 0 smq 0', '8 %a %b %c 64 0 smq 0']],
    'cache-origin-device': [['8 %a %b 4096:0 64 0 smq 0', '8 %a %b %c 64 0 smq 0']],
    'cache-length': [['131073 %a %b %c 64 0 smq 0', '131072 %a %b %c 64 0 smq 0']],
    'cache-block-size': [
      ['8 %a %b %c 0 0 smq 0', '8 %a %b %c 64 0 smq 0'],
      ['8 %a %b %c 63 0 smq 0', '8 %a %b %c +64 0 smq 0'],
      ['8 %a %b %c 96 0 smq 0', '8 %a %b %c 128 0 smq 0'],
      ['8 %a %b %c 2097216 0 smq 0', '8 %a %b %c 131072 0 smq 0'],
      ['8 %a %b %c 32k 0 smq 0', '8 %a %b %c 64 0 smq 0'],
    ],
    'cache-block-size-device': [['8 %a %b %c 131136 0 smq 0', '8 %a %b %c 131072 0 smq 0']],
    'cache-feature-count': [
      ['8 %a %b %c 64 9 smq 0', '8 %a %b %c 64 0 smq 0'],
      ['8 %a %b %c 64', '8 %a %b %c 64 0 smq 0'],
      ['8 %a %b %c 64 x smq 0', '8 %a %b %c 64 00 smq 0'],
      [
        '8 %a %b %c 64 4 metadata2 metadata2 metadata2 metadata2 smq 0',
        '8 %a %b %c 64 3 metadata2 metadata2 metadata2 smq 0',
      ],
    ],
    'cache-feature': [
      ['8 %a %b %c 64 1 metadata3 smq 0', '8 %a %b %c 64 1 METADATA2 smq 0'],
      ['8 %a %b %c 64 1 smq 0', '8 %a %b %c 64 0 smq 0'],
    ],
    'cache-mode': [
      ['8 %a %b %c 64 2 writeback writeback smq 0', '8 %a %b %c 64 1 writeback smq 0'],
      ['8 %a %b %c 64 2 writeback passthrough smq 0', '8 %a %b %c 64 1 passthrough smq 0'],
    ],
    'cache-policy-arguments': [
      ['8 %a %b %c 64 0 smq', '8 %a %b %c 64 0 smq 0'],
      [
        '8 %a %b %c 64 0 smq 3 migration_threshold 1',
        '8 %a %b %c 64 0 smq 2 migration_threshold 1',
      ],
    ],
    'cache-policy': [
      ['8 %a %b %c 64 0 lru 0', '8 %a %b %c 64 0 mq 0'],
      ['8 %a %b %c 64 0 SMQ 0', '8 %a %b %c 64 0 smq 0'],
    ],
    'cache-policy-pairs': [
      ['8 %a %b %c 64 0 smq 1 migration_threshold', '8 %a %b %c 64 0 smq 2 migration_threshold 1'],
    ],
    'cache-policy-setting': [
      [
        '8 %a %b %c 64 0 smq 2 sequential_threshold 1',
        '8 %a %b %c 64 0 mq 2 sequential_threshold 1',
      ],
      ['8 %a %b %c 64 0 mq 2 threshold 1', '8 %a %b %c 64 0 mq 2 write_promote_adjustment 1'],
      [
        '8 %a %b %c 64 0 smq 2 migration_threshold x',
        '8 %a %b %c 64 0 smq 2 migration_threshold +1',
      ],
      [
        '8 %a %b %c 64 0 smq 2 migration_threshold 18446744073709551616',
        '8 %a %b %c 64 0 smq 2 migration_threshold 18446744073709551615',
      ],
    ],
  }),
  // One disk for two things holds what the other writes.
  isLeftOut: ({ words }) => new Set(words.slice(0, 3)).size < Math.min(3, words.length),
};
