import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'snapshot-origin',
  good: goodLines('8 %a', '131072 %b', '%n %c'),
  around: linesAround({
    'snapshot-origin-arguments': [
      ['8 %a 0', '8 %a'],
      ['8', '8 %a'],
      ['8 %a %a', '8 %a'],
    ],
    'snapshot-origin-device': [['8 4096:0', '8 %a']],
    'device-bounds': [['131073 %a', '131072 %a']],
  }),
};
