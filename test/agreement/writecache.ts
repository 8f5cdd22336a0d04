import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

const given = (options: string): string => `8 s %a %b 4096 ${options}`;
const both = (bad: string, well: string): readonly [string, string] => [given(bad), given(well)];

export const generator: Generator = {
  type: 'writecache',
  isWiped: true,
  odd: ['s', '4096', '512', 'high_watermark', 'low_watermark', 'cleaner', 'start_sector', '100'],
  good: goodLines(
    given('0'),
    '131072 S %a %b 512 1 cleaner',
    given('4 high_watermark 100 low_watermark 0'),
    given('6 start_sector 0 writeback_jobs 64 autocommit_blocks 1'),
    given('4 Autocommit_Time 3600000 max_age 86400000 rest'),
  ),
  around: linesAround({
    'writecache-arguments': [
      ['8 x %a %b 4096 0', given('0')],
      ['8', given('0')],
      ['8 s %a', given('0')],
      ['8 s %a %b', given('0')],
    ],
    'writecache-origin-device': [['8 s 4096:0 %b 4096 0', given('0')]],
    'writecache-cache-device': [['8 s %a 4096:0 4096 0', given('0')]],
    'writecache-block-size': [
      ['8 s %a %b 256 0', '8 s %a %b 512 0'],
      ['8 s %a %b 131072 0', '8 s %a %b 4096 0'],
      ['8 s %a %b 3072 0', '8 s %a %b 2048 0'],
      ['8 s %a %b 4k 0', '8 s %a %b 04096 0'],
    ],
    'writecache-option-count': [
      ['8 s %a %b 4096', given('0')],
      both('2 cleaner', '1 cleaner'),
      [given(`19 ${'cleaner '.repeat(19).trim()}`), given(`16 ${'cleaner '.repeat(16).trim()}`)],
    ],
    'writecache-option': [
      both('2 high_watermark 101', '2 high_watermark 100'),
      both('1 high_watermark', '2 high_watermark 50'),
      both('2 low_watermark -1', '2 low_watermark 0'),
      both('1 fua', '1 cleaner'),
      both('2 autocommit_time 3600001', '2 autocommit_time 3600000'),
      both('2 max_age 86400001', '2 max_age 86400000'),
      both('2 start_sector 131072', '2 start_sector 65536'),
      both('2 writeback_jobs x', '2 writeback_jobs 1'),
      both('1 clean', '1 CLEANER'),
    ],
    'writecache-watermarks': [
      both('2 low_watermark 51', '2 low_watermark 50'),
      both('2 high_watermark 44', '2 high_watermark 45'),
      both('4 high_watermark 10 low_watermark 11', '4 high_watermark 11 low_watermark 11'),
    ],
    'device-bounds': [['131080 s %a %b 4096 0', '131072 s %a %b 4096 0']],
  }),
  // Persistent memory is not there; of one disk for both the cache writes into the other.
  isLeftOut: ({ words }) =>
    /^p$/i.test(words[0] ?? '') || (words[1] !== undefined && words[1] === words[2]),
};
