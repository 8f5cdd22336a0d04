import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

export const generator: Generator = {
  type: 'multipath',
  odd: [
    'round-robin',
    'service-time',
    'queue_if_no_path',
    'queue_mode',
    'bio',
    'pg_init_retries',
    '101',
  ],
  good: goodLines(
    '8 0 0 1 1 round-robin 0 1 0 %a',
    '%n 1 queue_if_no_path 0 1 1 round-robin 0 2 1 %a 1 %b 1',
    '1000 3 Queue_If_No_Path pg_init_retries 50 0 2 1 service-time 0 1 2 %a 1 100 queue-length 0 1 1 %b 9',
    '8 4 pg_init_delay_msecs 60000 queue_mode mq 0 1 1 service-time 0 2 0 %a %b',
    '8 0 0 0 0',
    '8 2 queue_mode bio 1 alua 1 1 round-robin 3 some unknown words 1 0 %a',
  ),
  around: linesAround({
    'multipath-feature-count': [
      ['8 9 0 1 1 round-robin 0 1 0 %a', '8 0 0 1 1 round-robin 0 1 0 %a'],
      ['8', '8 0 0 0 0'],
      ['8 x 0 1 1 round-robin 0 1 0 %a', '8 00 0 1 1 round-robin 0 1 0 %a'],
    ],
    'multipath-feature': [
      ['8 1 queue 0 1 1 round-robin 0 1 0 %a', '8 1 QUEUE_if_no_path 0 1 1 round-robin 0 1 0 %a'],
      [
        '8 1 pg_init_retries 1 0 1 1 round-robin 0 1 0 %a',
        '8 2 pg_init_retries 1 0 1 1 round-robin 0 1 0 %a',
      ],
    ],
    'multipath-retries': [
      [
        '8 2 pg_init_retries 0 0 1 1 round-robin 0 1 0 %a',
        '8 2 pg_init_retries 1 0 1 1 round-robin 0 1 0 %a',
      ],
      [
        '8 2 pg_init_retries 51 0 1 1 round-robin 0 1 0 %a',
        '8 2 pg_init_retries 50 0 1 1 round-robin 0 1 0 %a',
      ],
    ],
    'multipath-delay': [
      [
        '8 2 pg_init_delay_msecs 60001 0 1 1 round-robin 0 1 0 %a',
        '8 2 pg_init_delay_msecs 60000 0 1 1 round-robin 0 1 0 %a',
      ],
    ],
    'multipath-queue-mode': [
      [
        '8 2 queue_mode sq 0 1 1 round-robin 0 1 0 %a',
        '8 2 queue_mode RQ 0 1 1 round-robin 0 1 0 %a',
      ],
    ],
    'multipath-handler-count': [
      ['8 0 9 1 1 round-robin', '8 0 0 1 1 round-robin 0 1 0 %a'],
      ['8 0', '8 0 0 0 0'],
      ['8 0 x 1 1 round-robin 0 1 0 %a', '8 0 0 1 1 round-robin 0 1 0 %a'],
    ],
    'multipath-groups': [
      ['8 0 0 1025 1 round-robin 0 1 0 %a', '8 0 0 1 1 round-robin 0 1 0 %a'],
      ['8 0 0', '8 0 0 0 0'],
    ],
    'multipath-initial-number': [
      ['8 0 0 1 1025 round-robin 0 1 0 %a', '8 0 0 1 1024 round-robin 0 1 0 %a'],
      ['8 0 0 0', '8 0 0 0 0'],
    ],
    'multipath-initial': [
      ['8 0 0 1 0 round-robin 0 1 0 %a', '8 0 0 1 1 round-robin 0 1 0 %a'],
      ['8 0 0 0 1', '8 0 0 0 0'],
    ],
    'multipath-group': [['8 0 0 1 1 round-robin', '8 0 0 1 1 round-robin 0 1 0 %a']],
    'multipath-selector': [
      ['8 0 0 1 1 random 0 1 0 %a', '8 0 0 1 1 queue-length 0 1 0 %a'],
      ['8 0 0 1 1 Round-Robin 0 1 0 %a', '8 0 0 1 1 round-robin 0 1 0 %a'],
    ],
    'multipath-selector-count': [
      ['8 0 0 1 1 round-robin 9 1 0 %a', '8 0 0 1 1 round-robin 0 1 0 %a'],
      ['8 0 0 1 1 round-robin x 1 0 %a', '8 0 0 1 1 round-robin 1 x 1 0 %a'],
    ],
    'multipath-path-count': [
      ['8 0 0 1 1 round-robin 0 0 0', '8 0 0 1 1 round-robin 0 1 0 %a'],
      ['8 0 0 1 1 round-robin 0', '8 0 0 1 1 round-robin 0 1 0 %a'],
    ],
    'multipath-path-argument-count': [
      ['8 0 0 1 1 round-robin 0 1 x %a', '8 0 0 1 1 round-robin 0 1 0 %a'],
      ['8 0 0 1 1 round-robin 0 1', '8 0 0 1 1 round-robin 0 1 0 %a'],
    ],
    'multipath-path-words': [
      ['8 0 0 1 1 round-robin 0 2 1 %a 1 %b', '8 0 0 1 1 round-robin 0 2 1 %a 1 %b 1'],
    ],
    'multipath-device': [['8 0 0 1 1 round-robin 0 1 0 4096:0', '8 0 0 1 1 round-robin 0 1 0 %a']],
    'multipath-path-arguments': [
      ['8 0 0 1 1 round-robin 0 1 2 %a 1 1', '8 0 0 1 1 service-time 0 1 2 %a 1 1'],
      ['8 0 0 1 1 service-time 0 1 3 %a 1 1 1', '8 0 0 1 1 service-time 0 1 1 %a 1'],
      ['8 0 0 1 1 service-time 0 1 2 %a 1 101', '8 0 0 1 1 service-time 0 1 2 %a 1 100'],
      ['8 0 0 1 1 queue-length 0 1 1 %a x', '8 0 0 1 1 queue-length 0 1 1 %a 4294967295'],
    ],
    'multipath-group-count': [
      ['8 0 0 2 1 round-robin 0 1 0 %a', '8 0 0 2 1 round-robin 0 1 0 %a round-robin 0 1 0 %b'],
      ['8 0 0 1 1 round-robin 0 1 0 %a round-robin 0 1 0 %b', '8 0 0 1 1 round-robin 0 1 0 %a'],
    ],
    'device-bounds': [
      ['131073 0 0 1 1 round-robin 0 1 0 %a', '131072 0 0 1 1 round-robin 0 1 0 %a'],
    ],
  }),
  // Debian's kernels have no historical-service-time and no io-affinity here; a handler is attached to disks of SCSI alone, which no line says.
  isLeftOut: ({ words }) => {
    const at = 1 + Number(words[0]);
    return (
      !words.includes('bio') &&
      words[at] !== undefined &&
      !/^0+$/.test(words[at]) &&
      /^[1-9]\d{0,3}$/.test(words[at])
    );
  },
};
