import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'switch',
  odd: ['1', '2', '8', '128'],
  good: goodLines(
    '8 1 8 0 %a 0',
    '1000 2 128 0 %a %n %b %n',
    '8 3 1 0 %a 0 %b +8 %a 16',
    '%n 1 4294967295 0 %d 0',
  ),
  around: linesAround({
    'switch-count': [
      ['8 0 8 0', '8 1 8 0 %a 0'],
      ['8 x 8 0 %a 0', '8 01 8 0 %a 0'],
      ['8', '8 1 8 0 %a 0'],
    ],
    'switch-region-size': [
      ['8 1 0 0 %a 0', '8 1 1 0 %a 0'],
      ['8 1 4294967296 0 %a 0', '8 1 4294967295 0 %a 0'],
      ['8 1', '8 1 8 0 %a 0'],
    ],
    'switch-option-count': [
      ['8 1 8 1 x %a 0', '8 1 8 0 %a 0'],
      ['8 1 8', '8 1 8 0 %a 0'],
    ],
    'switch-words': [
      ['8 2 8 0 %a 0', '8 2 8 0 %a 0 %b 0'],
      ['8 1 8 0 %a', '8 1 8 0 %a 0'],
      ['8 1 8 0 %a 0 0', '8 1 8 0 %a 0'],
    ],
    'switch-device': [['8 1 8 0 4096:0 0', '8 1 8 0 %a 0']],
    'switch-offset': [
      ['8 1 8 0 %a x', '8 1 8 0 %a %n'],
      ['8 1 8 0 %a -8', '8 1 8 0 %a +8'],
      ['8 1 8 0 %a 18446744073709551616', '8 1 8 0 %a 0'],
    ],
    'device-bounds': [['8 1 8 0 %a 131065', '8 1 8 0 %a 131064']],
  }),
};
