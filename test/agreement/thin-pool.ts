import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'thin-pool',
  isWiped: true,
  odd: ['128', '256', '127', '2097152', 'skip_block_zeroing', 'ignore_discard', 'zero'],
  good: goodLines(
    '131072 %a %b 128 0',
    '1000 %a %b 256 64 1 skip_block_zeroing',
    '128 %a %b 2097152 %n 0',
    '65536 %a %b +128 1 3 ignore_discard no_discard_passdown error_if_no_space',
    '8192 %a %b 192000 1 4 Skip_Block_Zeroing ignore_discard ignore_discard ERROR_IF_NO_SPACE rest',
  ),
  around: linesAround({
    'thin-pool-arguments': [['128 %a %b 128', '128 %a %b 128 0']],
    'thin-pool-same-device': [['128 %a %a 128 0', '128 %a %b 128 0']],
    'thin-pool-option-count': [
      ['128 %a %b 128 0 2 ignore_discard', '128 %a %b 128 0 1 ignore_discard'],
      [
        '128 %a %b 128 0 5 ignore_discard ignore_discard ignore_discard ignore_discard ignore_discard',
        '128 %a %b 128 0 4 ignore_discard ignore_discard ignore_discard ignore_discard ignore_discard',
      ],
      ['128 %a %b 128 0 x', '128 %a %b 128 0 0'],
      ['128 %a %b 128 0 +1 ignore_discard', '128 %a %b 128 0 01 ignore_discard'],
    ],
    'thin-pool-option': [
      ['128 %a %b 128 0 1 no_discard', '128 %a %b 128 0 1 NO_DISCARD_passdown'],
      ['128 %a %b 128 0 2 ignore_discard 1', '128 %a %b 128 0 1 ignore_discard 1'],
    ],
    'thin-pool-metadata-device': [['128 4096:0 %b 128 0', '128 %a %b 128 0']],
    'thin-pool-data-device': [['128 %a 4096:0 128 0', '128 %a %b 128 0']],
    'thin-pool-block-size': [
      ['128 %a %b 0 0', '128 %a %b 128 0'],
      ['128 %a %b 64 0', '128 %a %b 128 0'],
      ['128 %a %b 127 0', '128 %a %b +128 0'],
      ['128 %a %b 192 0', '128 %a %b 256 0'],
      ['128 %a %b 2097280 0', '128 %a %b 2097152 0'],
      ['128 %a %b 128k 0', '128 %a %b 384 0'],
      ['128 %a %b 4294967424 0', '128 %a %b 128 0'],
    ],
    'thin-pool-low-water-mark': [
      ['128 %a %b 128 -1', '128 %a %b 128 0'],
      ['128 %a %b 128 18446744073709551616', '128 %a %b 128 18446744073709551615'],
      ['128 %a %b 128 x', '128 %a %b 128 +%n'],
    ],
    'device-bounds': [['131073 %a %b 128 0', '131072 %a %b 128 0']],
  }),
};
