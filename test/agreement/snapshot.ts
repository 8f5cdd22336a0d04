import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

/** Of a snapshot, and of a merge of one. */
export const snapshots = (type: 'snapshot' | 'snapshot-merge'): Generator => ({
  type,
  isWiped: true,
  odd: ['P', 'N', 'PO', 'PX', '16', '12', '65536', 'discard_zeroes_cow', 'discard_passdown_origin'],
  good: goodLines(
    '8 %a %b P 8',
    '131072 %a %b p 16 0',
    '1000 %a %b PO 0 1 discard_zeroes_cow',
    '%n %a %b po 64 2 discard_passdown_origin Discard_Zeroes_Cow',
    '1000 %a %b POX +32 1 discard_zeroes_cow rest',
    ...(type === 'snapshot' ? ['8 %a %b N 8', '1000 %a %b nX 2097152 1 discard_zeroes_cow'] : []),
  ),
  around: {
    ...linesAround({
      [`${type}-arguments`]: [['8 %a %b P', '8 %a %b P 8']],
      [`${type}-option-count`]: [
        ['8 %a %b P 8 2 discard_zeroes_cow', '8 %a %b P 8 1 discard_zeroes_cow'],
        ['8 %a %b P 8 x', '8 %a %b P 8 0'],
        [
          '8 %a %b P 8 3 discard_zeroes_cow discard_zeroes_cow discard_zeroes_cow',
          '8 %a %b P 8 2 discard_zeroes_cow discard_zeroes_cow discard_zeroes_cow',
        ],
      ],
      [`${type}-option`]: [
        ['8 %a %b P 8 1 discard', '8 %a %b P 8 1 DISCARD_ZEROES_COW'],
        ['8 %a %b P 8 2 discard_zeroes_cow 0', '8 %a %b P 8 1 discard_zeroes_cow 0'],
      ],
      [`${type}-passdown`]: [
        [
          '8 %a %b P 8 1 discard_passdown_origin',
          '8 %a %b P 8 2 discard_passdown_origin discard_zeroes_cow',
        ],
      ],
      [`${type}-origin`]: [['8 4096:0 %b P 8', '8 %a %b P 8']],
      [`${type}-same-device`]: [['8 %a %a P 8', '8 %a %b P 8']],
      [`${type}-cow`]: [['8 %a 4096:0 P 8', '8 %a %b P 8']],
      [`${type}-persistent`]: [
        ['8 %a %b X 8', '8 %a %b P 8'],
        ['8 %a %b PX 8', '8 %a %b PO 8'],
        ['8 %a %b O 8', '8 %a %b Po 8'],
      ],
      [`${type}-chunk-size`]: [
        ['8 %a %b P 12', '8 %a %b P 16'],
        ['8 %a %b P -8', '8 %a %b P +8'],
        ['8 %a %b P 4294967296', '8 %a %b P 8'],
        ['8 %a %b P 8k', '8 %a %b P 8'],
        ...(type === 'snapshot' ? ([['8 %a %b N 4194304', '8 %a %b N 2097152']] as const) : []),
      ],
      [`${type}-cow-size`]: [['8 %a %b P 131072', '8 %a %b P 32768']],
      'device-bounds': [['131073 %a %b P 8', '131072 %a %b P 8']],
      ...(type === 'snapshot' && {
        [`${type}-transient-chunk`]: [['8 %a %b N 0', '8 %a %b N 8']],
      }),
    }),
  },
  isLeftOut: ({ words }) =>
    // A merge without metadata crashes kernels before 6.12.
    (type === 'snapshot-merge' && words.some((word) => /^n/i.test(word))) ||
    // Chunks of 1 GiB are refused for want of memory, if there is none.
    (/^p/i.test(words[2] ?? '') && Number(words[3]) >= 2097152),
});

export const generator = snapshots('snapshot');
