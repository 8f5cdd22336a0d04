import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

/** Those that the pool has. */
const IDS = [0, 1, 16777215];

export const generator: Generator = {
  type: 'thin',
  beneath(dm, { plain: [metadata, data] }) {
    dm.createActiveDevice('pool', `0 131072 thin-pool ${metadata} ${data} 128 0`);
    for (const id of IDS) dm.sendMessage('pool', `create_thin ${id}`);
    const { major, minor } = dm.getDevice('pool');
    return { '/dev/dm-0': { sectors: 131072, dev: `${major}:${minor}` } };
  },
  odd: ['/dev/dm-0', '16777215', '16777216'],
  good: goodLines(
    '8 /dev/dm-0 0',
    '1000000 /dev/dm-0 +1',
    '%n /dev/dm-0 1',
    '8 /dev/dm-0 16777215 /dev/ubdc',
  ),
  around: linesAround({
    'thin-arguments': [
      ['8 /dev/dm-0', '8 /dev/dm-0 0'],
      ['8 /dev/dm-0 0 /dev/ubdc 0', '8 /dev/dm-0 0 /dev/ubdc'],
    ],
    'thin-same-device': [['8 /dev/dm-0 0 /dev/dm-0', '8 /dev/dm-0 0 /dev/ubdd']],
    'thin-external-origin': [['8 /dev/dm-0 0 4096:0', '8 /dev/dm-0 0 /dev/ubdd']],
    'thin-device': [['8 4096:0 0', '8 /dev/dm-0 0']],
    'thin-id': [
      ['8 /dev/dm-0 16777216', '8 /dev/dm-0 16777215'],
      ['8 /dev/dm-0 -1', '8 /dev/dm-0 1'],
      ['8 /dev/dm-0 x', '8 /dev/dm-0 +0'],
      ['8 /dev/dm-0 18446744073709551616', '8 /dev/dm-0 0'],
    ],
  }),
  // Which devices a pool has, and which device is a pool, no line says.
  isLeftOut: ({ words: [pool, id = '', ...rest] }) =>
    (pool !== '/dev/dm-0' && pool !== '4096:0') ||
    (/^\+?\d+\n?$/.test(id) && Number(id) <= 16777215 && !IDS.includes(Number(id))) ||
    (rest[0] === '/dev/dm-0' && rest.length === 1 && pool !== '/dev/dm-0'),
};
