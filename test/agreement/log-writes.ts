import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'log-writes',
  good: goodLines('8 %a %b', '131072 %a %b', '%n %a %b rest'),
  around: linesAround({
    'log-writes-arguments': [
      ['8 %a', '8 %a %b'],
      ['8', '8 %a %b'],
    ],
    'log-writes-device': [['8 4096:0 %b', '8 %a %b']],
    'log-writes-log-device': [['8 %a 4096:0', '8 %a %b']],
    'device-bounds': [['131073 %a %b', '131072 %a %b']],
  }),
};
