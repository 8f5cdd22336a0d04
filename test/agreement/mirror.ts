import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'mirror',
  odd: ['core', 'disk', 'nosync', 'sync', '8', '12', 'handle_errors', 'keep_log'],
  good: goodLines(
    '1024 core 2 64 nosync 2 %a %n %b %n',
    '1000 core 2 8 nosync 3 %a 0 %b 8 %c 16 1 handle_errors',
    '65536 core 1 1024 2 %a 0 %b 0 2 keep_log handle_errors',
    '1024 disk 3 %d 8 nosync 2 %a 0 %b 0 0',
    '1024 core 2 2 nosync 9 %a 0 %b 0 %c 0 %d 0 %a 0 %b 0 %c 0 %d 0 %a 0',
  ),
  around: linesAround({
    'mirror-arguments': [['8 core', '8 core 2 8 nosync 2 %a 0 %b 0']],
    'mirror-log-count': [['8 core x 8 nosync 2 %a 0 %b 0', '8 core 2 8 nosync 2 %a 0 %b 0']],
    'mirror-log-words': [['8 core 7 8 nosync 2 %a 0 %b', '8 core 2 8 nosync 2 %a 0 %b 0']],
    'mirror-log-type': [
      ['8 memory 2 8 nosync 2 %a 0 %b 0', '8 core 2 8 nosync 2 %a 0 %b 0'],
      ['8 CORE 2 8 nosync 2 %a 0 %b 0', '8 core 2 8 nosync 2 %a 0 %b 0'],
    ],
    'mirror-log': [
      ['8 core 0 2 %a 0 %b 0', '8 core 1 8 2 %a 0 %b 0'],
      ['8 core 3 8 nosync 0 2 %a 0 %b 0', '8 core 2 8 nosync 2 %a 0 %b 0'],
      ['8 disk 1 %d 2 %a 0 %b 0', '8 disk 2 %d 8 2 %a 0 %b 0'],
      ['8 disk 4 %d 8 nosync 0 2 %a 0 %b 0', '8 disk 3 %d 8 nosync 2 %a 0 %b 0'],
    ],
    'mirror-log-device': [
      ['8 disk 3 4096:0 8 nosync 2 %a 0 %b 0', '8 disk 3 %d 8 nosync 2 %a 0 %b 0'],
    ],
    'mirror-sync': [['8 core 2 8 NOSYNC 2 %a 0 %b 0', '8 core 2 8 nosync 2 %a 0 %b 0']],
    'mirror-region-size': [
      ['1024 core 2 12 nosync 2 %a 0 %b 0', '1024 core 2 16 nosync 2 %a 0 %b 0'],
      ['1024 core 2 1 nosync 2 %a 0 %b 0', '1024 core 2 2 nosync 2 %a 0 %b 0'],
      ['1024 core 2 2048 nosync 2 %a 0 %b 0', '1024 core 2 1024 nosync 2 %a 0 %b 0'],
      ['1024 core 2 0 nosync 2 %a 0 %b 0', '1024 core 2 4294967304 nosync 2 %a 0 %b 0'],
      ['1024 core 2 +8 nosync 2 %a 0 %b 0', '1024 core 2 08 nosync 2 %a 0 %b 0'],
    ],
    'mirror-count': [
      ['8 core 2 8 nosync 1 %a 0', '8 core 2 8 nosync 2 %a 0 %b 0'],
      ['8 core 2 8 nosync', '8 core 2 8 nosync 2 %a 0 %b 0'],
      [
        '8 core 2 8 nosync 10 %a 0 %b 0 %c 0 %d 0 %a 0 %b 0 %c 0 %d 0 %a 0 %b 0',
        '8 core 2 8 nosync 9 %a 0 %b 0 %c 0 %d 0 %a 0 %b 0 %c 0 %d 0 %a 0',
      ],
    ],
    'mirror-words': [['8 core 2 8 nosync 2 %a 0 %b', '8 core 2 8 nosync 2 %a 0 %b 0']],
    'mirror-offset': [
      ['8 core 2 8 nosync 2 %a 0 %b -1', '8 core 2 8 nosync 2 %a 0 %b 01'],
      ['8 core 2 8 nosync 2 %a x %b 0', '8 core 2 8 nosync 2 %a %n %b 0'],
    ],
    'mirror-device': [['8 core 2 8 nosync 2 %a 0 4096:0 0', '8 core 2 8 nosync 2 %a 0 %b 0']],
    'mirror-feature-count': [
      ['8 core 2 8 nosync 2 %a 0 %b 0 x', '8 core 2 8 nosync 2 %a 0 %b 0 0'],
    ],
    'mirror-feature-words': [
      [
        '8 core 2 8 nosync 2 %a 0 %b 0 2 handle_errors',
        '8 core 2 8 nosync 2 %a 0 %b 0 1 handle_errors',
      ],
    ],
    'mirror-feature': [
      [
        '8 core 2 8 nosync 2 %a 0 %b 0 1 Handle_errors',
        '8 core 2 8 nosync 2 %a 0 %b 0 1 handle_errors',
      ],
    ],
    'mirror-keep-log': [
      [
        '8 core 2 8 nosync 2 %a 0 %b 0 1 keep_log',
        '8 core 2 8 nosync 2 %a 0 %b 0 2 keep_log handle_errors',
      ],
    ],
    'mirror-rest': [
      ['8 core 2 8 nosync 2 %a 0 %b 0 0 0', '8 core 2 8 nosync 2 %a 0 %b 0 0'],
      [
        '8 core 2 8 nosync 2 %a 0 %b 0 1 handle_errors 0',
        '8 core 2 8 nosync 2 %a 0 %b 0 1 handle_errors',
      ],
    ],
    'device-bounds': [['8 core 2 8 nosync 2 %a 0 %b 131065', '8 core 2 8 nosync 2 %a 0 %b 131064']],
  }),
};
