import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

const given = (words: string): string => `8 %a %b %c ${words}`;
const both = (bad: string, well: string): readonly [string, string] => [given(bad), given(well)];

export const generator: Generator = {
  type: 'clone',
  isWiped: true,
  odd: ['8', '16', '12', 'no_hydration', 'no_discard_passdown', 'hydration_threshold'],
  good: goodLines(
    given('8'),
    '131072 %a %b %c 8 1 no_hydration',
    '1000 %a %b %c 2097152 2 No_Discard_Passdown no_hydration 4 hydration_threshold 1 hydration_batch_size %n',
    given('64 0 2 Hydration_Threshold 4294967295 rest'),
  ),
  around: linesAround({
    'clone-arguments': [
      ['8 %a %b %c', given('8')],
      ['8', given('8')],
    ],
    'clone-metadata-device': [['8 4096:0 %b %c 8', given('8')]],
    'clone-destination-device': [['8 %a 4096:0 %c 8', given('8')]],
    'clone-destination-size': [['131073 %a %b %c 8', '131072 %a %b %c 8']],
    'clone-source-device': [['8 %a %b 4096:0 8', given('8')]],
    'clone-region-size': [
      both('4', '8'),
      both('2097153', '2097152'),
      both('x', '08'),
      both('4194304', '2097152'),
    ],
    'clone-region-power': [both('12', '16'), both('2097151', '1048576')],
    'clone-feature-count': [
      both('8 2 no_hydration', '8 1 no_hydration'),
      both('8 x', '8 0'),
      both('8 3 no_hydration no_hydration no_hydration', '8 2 no_hydration no_hydration'),
    ],
    'clone-feature': [both('8 1 hydration', '8 1 NO_HYDRATION')],
    'clone-core-count': [
      both('8 0 3 hydration_threshold 1', '8 0 2 hydration_threshold 1'),
      both('8 0 x', '8 0 0'),
    ],
    'clone-core-pairs': [both('8 0 1 hydration_threshold', '8 0 2 hydration_threshold 1')],
    'clone-core': [both('8 0 2 threshold 1', '8 0 2 HYDRATION_batch_size 1')],
    'clone-core-value': [
      both('8 0 2 hydration_threshold x', '8 0 2 hydration_threshold +1'),
      both('8 0 2 hydration_batch_size 4294967296', '8 0 2 hydration_batch_size 4294967295'),
    ],
  }),
  // One disk for two things holds what the other writes.
  isLeftOut: ({ words }) => new Set(words.slice(0, 3)).size < Math.min(3, words.length),
};
