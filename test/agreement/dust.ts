import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'dust',
  odd: ['512', '4096', '1536'],
  good: goodLines('8 %a 0 512', '131072 %a 0 4096', '1000 %a %n +512', '8192 %a 8 4194304'),
  around: linesAround({
    'dust-arguments': [
      ['8 %a 0', '8 %a 0 512'],
      ['8 %a 0 512 0', '8 %a 0 512'],
    ],
    'dust-block-number': [
      ['8 %a 0 x', '8 %a 0 0512'],
      ['8 %a 0 0', '8 %a 0 512'],
      ['8 %a 0 4294967808', '8 %a 0 512'],
    ],
    'dust-block-small': [
      ['8 %a 0 511', '8 %a 0 512'],
      ['8 %a 0 256', '8 %a 0 512'],
    ],
    'dust-block-power': [['8 %a 0 1536', '8 %a 0 1024']],
    'dust-block-large': [
      ['8 %a 0 8192', '8 %a 0 4096'],
      ['7 %a 0 4096', '7 %a 0 2048'],
    ],
    'dust-offset': [
      ['8 %a x 512', '8 %a %n 512'],
      ['8 %a +8 512', '8 %a 08 512'],
    ],
    'dust-device': [['8 4096:0 0 512', '8 %a 0 512']],
    'device-bounds': [['8 %a 131065 512', '8 %a 131064 512']],
  }),
};
