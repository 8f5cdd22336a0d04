import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

/** raid1 of two disks with parameters. */
const one = (params: string): string => {
  const words = params.split(' ');
  return `8192 raid1 ${words.length} ${params} 2 - %a - %b`;
};
const both = (bad: string, well: string): readonly [string, string] => [one(bad), one(well)];
const four = (type: string, params: string, length = 8192): string =>
  `${length} ${type} ${params.split(' ').length} ${params} 4 - %a - %b - %c - %d`;

/** Two disks with metadata on two others. */
const ten = (type: string, params: string): string =>
  `8192 ${type} ${params.split(' ').length} ${params} 2 %a %b %c %d`;

export const generator: Generator = {
  type: 'raid',
  isWiped: true,
  odd: ['raid0', 'raid1', 'nosync', 'rebuild', 'region_size', '64', '-', 'write_mostly'],
  good: goodLines(
    one('0 nosync'),
    one('0 nosync region_size 1024'),
    one('7 nosync daemon_sleep 100 write_mostly 1 max_write_behind 512'),
    one('0 nosync min_recovery_rate 100 max_recovery_rate 200'),
    four('raid0', '64'),
    ten('raid10', '64 nosync raid10_copies 2'),
    ten('RAID10', '8 nosync raid10_format far raid10_copies 2'),
    four('raid5_ls', '64 nosync stripe_cache 64', 8190),
    four('raid4', '8 nosync', 3 * 4096),
    '8192 raid1 2 0 nosync 2 - - - %b',
  ),
  around: linesAround({
    'raid-arguments': [['8192', one('0 nosync')]],
    'raid-type': [['8192 raid5 2 0 nosync 2 - %a - %b', one('0 nosync')]],
    'raid-param-count': [
      ['8192 raid1 x 0 2 - %a - %b', one('0 nosync')],
      ['8192 raid1 90 0 2 - %a - %b', one('0 nosync')],
      ['8192 raid1', one('0 nosync')],
    ],
    'raid-device-count': [
      ['8192 raid1 2 0 nosync 2 - %a -', one('0 nosync')],
      ['8192 raid1 2 0 nosync 0', one('0 nosync')],
      ['8192 raid1 2 0 nosync', one('0 nosync')],
    ],
    'raid-device-least': [['8192 raid5_ls 2 64 nosync 1 - %a', one('0 nosync')]],
    'raid-chunk-number': [both('nosync 0', '0 nosync'), both('x nosync', '+0 nosync')],
    'raid-chunk-power': [
      [four('raid0', '12'), four('raid0', '16')],
      [four('raid0', '-8'), four('raid0', '8')],
    ],
    'raid-chunk': [[four('raid0', '4'), four('raid0', '8')]],
    'raid-words': [['8192 raid1 0 2 nosync region_size 1024 write_mostly', one('0 nosync')]],
    'raid-twice': [
      both('0 nosync nosync', '0 nosync'),
      both('0 nosync region_size 1024 region_size 1024', '0 nosync region_size 1024'),
    ],
    'raid-level': [
      both('0 nosync stripe_cache 64', '0 nosync'),
      both('0 nosync raid10_format near', '0 nosync'),
      [four('raid0', '64 write_mostly 0'), four('raid0', '64')],
    ],
    'raid-format': [
      [
        ten('raid10', '64 nosync raid10_format nearby'),
        ten('raid10', '64 nosync raid10_format NEAR'),
      ],
    ],
    'raid-journal': [
      [
        four('raid5_ls', '64 nosync journal_mode writeback', 8190),
        four('raid5_ls', '64 nosync', 8190),
      ],
    ],
    'raid-number': [
      both('0 nosync region_size 1k', '0 nosync region_size +1024'),
      both('0 nosync daemon_sleep 2147483648', '0 nosync daemon_sleep 2147483647'),
    ],
    'raid-param': [both('0 nosync regions 1024', '0 nosync REGION_size 1024')],
    'raid-index': [
      both('0 nosync write_mostly 2', '0 nosync write_mostly 1'),
      both('0 nosync write_mostly -1', '0 nosync write_mostly 0'),
    ],
    'raid-range': [
      both('0 nosync daemon_sleep -1', '0 nosync daemon_sleep 0'),
      both('0 nosync max_write_behind 32768', '0 nosync max_write_behind 32767'),
      [ten('raid10', '64 nosync raid10_copies 1'), ten('raid10', '64 nosync raid10_copies 2')],
      [ten('raid10', '64 nosync raid10_copies 3'), ten('raid10', '64 nosync raid10_copies 2')],
    ],
    'raid-together': [
      both('0 nosync write_mostly 0 write_mostly 1', '0 nosync write_mostly 0'),
      both(
        '0 nosync min_recovery_rate 9 max_recovery_rate 8',
        '0 nosync min_recovery_rate 8 max_recovery_rate 8',
      ),
      both('0 nosync rebuild 0', '0 nosync'),
      [
        ten('raid10', '64 nosync raid10_use_near_sets'),
        ten('raid10', '64 nosync raid10_format far raid10_use_near_sets'),
      ],
    ],
    'raid-region-size': [
      both('0 nosync region_size 12', '0 nosync region_size 16'),
      both('0 nosync region_size 16384', '0 nosync region_size 8192'),
      both('0 nosync region_size -8', '0 nosync region_size 0'),
      [ten('raid10', '64 nosync region_size 32'), ten('raid10', '64 nosync region_size 64')],
    ],
    'raid-flags': [
      [four('raid0', '64 nosync'), four('raid0', '64')],
      both('0 nosync raid10_use_near_sets', '0 nosync'),
      both('0 nosync raid10_copies 2', '0 nosync'),
    ],
    'raid-metadata-device': [['8192 raid1 2 0 nosync 2 4096:0 %a - %b', one('0 nosync')]],
    'raid-device': [['8192 raid1 2 0 nosync 2 - 4096:0 - %b', one('0 nosync')]],
    'raid-data-device': [['8192 raid1 2 0 nosync 2 - %a %b -', '8192 raid1 2 0 nosync 2 - %a - -']],
    'raid-length': [
      [four('raid0', '64', 8190), four('raid0', '64', 8192)],
      [four('raid5_ls', '64 nosync', 8192), four('raid5_ls', '64 nosync', 8190)],
    ],
    'raid-device-size': [
      ['131073 raid1 2 0 nosync 2 - %a - %b', '131072 raid1 2 0 nosync 2 - %a - %b'],
      [four('raid0', '64', 524292), four('raid0', '64', 524288)],
    ],
    'raid-none': [['8192 raid1 2 0 nosync 2 - - - -', '8192 raid1 2 0 nosync 2 - - - %a']],
    'raid-run': [
      ['8192 raid0 1 64 2 - %a - -', '8192 raid0 1 64 2 - %a - %b'],
      [
        '8190 raid5_ls 2 64 nosync 4 - %a - - - - - %b',
        '8190 raid5_ls 2 64 nosync 4 - %a - - - %c - %b',
      ],
    ],
    'raid-stripe-cache': [
      [
        four('raid5_ls', '8 nosync stripe_cache 16', 8190),
        four('raid5_ls', '8 nosync stripe_cache 17', 8190),
      ],
    ],
  }),
  // A resync could begin, which a removal waits for; and what has metadata is read from the disks.
  isLeftOut: ({ words }) => {
    const text = words.join(' ').toLowerCase();
    return (
      (!/nosync|raid0/.test(text) && words.length > 3 && /^raid(1|4|5|6)/.test(text)) ||
      /(delta_disks|data_offset|journal_dev|sync sync)/.test(text)
    );
  },
};
