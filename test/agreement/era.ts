import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'era',
  isWiped: true,
  odd: ['8', '12', '128'],
  good: goodLines('8 %a %b 8', '131072 %a %b 128', '1000000 %a %b 24', '%n %a %b 4294967288'),
  around: linesAround({
    'era-arguments': [
      ['8 %a %b', '8 %a %b 8'],
      ['8 %a %b 8 0', '8 %a %b 8'],
    ],
    'era-metadata-device': [['8 4096:0 %b 8', '8 %a %b 8']],
    'era-origin-device': [['8 %a 4096:0 8', '8 %a %b 8']],
    'era-block-number': [
      ['8 %a %b 4k', '8 %a %b 08'],
      ['8 %a %b -8', '8 %a %b 8'],
      ['8 %a %b +8', '8 %a %b 8'],
    ],
    'era-block-size': [
      ['8 %a %b 12', '8 %a %b 16'],
      ['8 %a %b 0', '8 %a %b 4294967304'],
      ['8 %a %b 4', '8 %a %b 8'],
    ],
  }),
  isLeftOut: ({ words }) => words[0] === words[1],
};
