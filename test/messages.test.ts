// What is said to targets, and what their answers mean: the kernel's documentation is to be met word by
// word.

import {
  cache,
  clone,
  dust,
  logWrites,
  multipath,
  pcache,
  raid,
  statistics,
  switchTarget,
  thinPool,
  zoned,
  type InputError,
  type TypedMessage,
} from 'devicemapper/codec';
import { DeviceMapper, DeviceMapperSync } from 'devicemapper/model';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fake } from './fake.js';
import { assert, suite } from './harness.js';

const Messages = suite('messages');

/** A message of ours for each of the documentation. */
const SAID: Readonly<Record<string, TypedMessage<unknown>>> = {
  'msg-001': cache.messages.set({ key: 'sequential_threshold', value: 1024 }),
  'msg-002': cache.messages.set({ key: 'random_threshold', value: 8 }),
  'msg-003': cache.messages.invalidateCblocks({ cblocks: ['2345', '3456-4567', '5678-6789'] }),
  'msg-004': clone.messages.enableHydration(),
  'msg-005': dust.messages.addbadblock({ block: 60 }),
  'msg-006': dust.messages.addbadblock({ block: 67 }),
  'msg-007': dust.messages.addbadblock({ block: 72 }),
  'msg-008': dust.messages.enable(),
  'msg-009': dust.messages.addbadblock({ block: 88 }),
  'msg-010': dust.messages.clearbadblocks(),
  'msg-011': dust.messages.quiet(),
  'msg-012': dust.messages.removebadblock({ block: 87 }),
  'msg-013': dust.messages.countbadblocks(),
  'msg-014': dust.messages.queryblock({ block: 72 }),
  'msg-015': zoned.messages.reclaim(),
  'msg-016': logWrites.messages.mark({ text: 'mkfs' }),
  'msg-017': logWrites.messages.mark({ text: 'fsync' }),
  'msg-018': switchTarget.messages.setRegionMappings({
    mappings: [{ region: 0, path: 0 }, ...[1, 2, 0, 1, 2, 1].map((path) => ({ path }))],
  }),
  'msg-019': switchTarget.messages.setRegionMappings({
    mappings: [{ region: 0x1000, path: 1 }, { path: 2 }, { count: 2, regions: 16 }],
  }),
  'msg-020': switchTarget.messages.setRegionMappings({
    mappings: [
      { region: 0x1000, path: 1 },
      ...Array.from({ length: 17 }, (_, i) => ({ path: i % 2 === 0 ? 2 : 1 })),
    ],
  }),
  'msg-021': thinPool.messages.createThin({ id: 0 }),
  'msg-022': thinPool.messages.createSnap({ id: 1, originId: 0 }),
  'msg-023': statistics.create({ areas: 100 }),
  'msg-024': statistics.setAux({ id: 0, aux: 'foo bar baz' }),
  'msg-025': statistics.list(),
  'msg-026': statistics.print({ id: 0 }),
  'msg-027': statistics.delete({ id: 0 }),
  'msg-028': pcache.messages.gcPercent({ percent: 80 }),
};

Messages("each of the documentation's messages can be said", () => {
  const path = join(import.meta.dirname, '../../../test/facts/messages.json');
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as {
    cases: { id: string; message: string; response?: string }[];
  };
  assert.equal(
    cases.map(({ id }) => id),
    Object.keys(SAID),
  );
  for (const { id, message } of cases) assert.is(SAID[id]!.text, message, id);
});

Messages('the answers of dust are numbers and truths', () => {
  const { countbadblocks, queryblock, listbadblocks, clearbadblocks } = dust.messages;
  assert.is(countbadblocks().parse('countbadblocks: 895 badblock(s) found'), 895);
  const query = queryblock({ block: 72 });
  assert.is(query.parse('dust_query_block: block 72 found in badblocklist'), true);
  assert.is(query.parse('dust_query_block: block 72 not found in badblocklist'), false);
  assert.equal(listbadblocks().parse('5\n60\n'), [5, 60]);
  assert.equal(listbadblocks().parse('No blocks in badblocklist'), []);
  assert.is(clearbadblocks().parse('dust_clear_badblocks: badblocks cleared'), true);
  assert.is(clearbadblocks().parse('dust_clear_badblocks: no badblocks found'), false);
});

Messages('what is to be counted is said as dm-stats.c reads it', () => {
  assert.is(statistics.create().text, '@stats_create - /1');
  assert.is(
    statistics.create({ startSector: 8, length: 16n, step: 4 }).text,
    '@stats_create 8+16 4',
  );
  const all = { preciseTimestamps: true, histogram: [10, 20], programId: 'my program', aux: 'x' };
  assert.is(
    statistics.create(all).text,
    '@stats_create - /1 2 precise_timestamps histogram:10,20 my\\ program x',
  );
  assert.is(statistics.create({ aux: 'x' }).text, '@stats_create - /1 0 - x');
  assert.is(statistics.list({ programId: 'me' }).text, '@stats_list me');
  assert.is(statistics.printClear({ id: 3, first: 1, count: 2 }).text, '@stats_print_clear 3 1 2');
  assert.is(statistics.clear({ id: 3 }).text, '@stats_clear 3');
  for (const [options, path] of [
    [{ startSector: 8 }, 'length'],
    [{ step: 8, areas: 1 }, 'areas'],
    [{ areas: 0 }, 'areas'],
    [{ histogram: [2, 1] }, 'histogram'],
    [{ histogram: [] }, 'histogram'],
  ] as const) {
    assert.throws(
      () => statistics.create(options),
      (error: InputError) => error.path === path,
    );
  }
});

Messages('what was counted is told by names', () => {
  assert.is(statistics.create().parse('7'), 7);
  const asked = statistics.list();
  assert.equal(asked.parse(''), []);
  const plain = { programId: '-', aux: '-', preciseTimestamps: false };
  assert.equal(
    asked.parse('0: 0+2048 1024 - -\n1: 8+16 4 me a b precise_timestamps histogram:10,20\n'),
    [
      { id: 0, startSector: 0, length: 2048, step: 1024, ...plain },
      {
        id: 1,
        startSector: 8,
        length: 16,
        step: 4,
        programId: 'me',
        aux: 'a b',
        preciseTimestamps: true,
        histogram: [10, 20],
      },
    ],
  );
  const areas = statistics.print({ id: 0 }).parse('8+4 1 2 3 4 5 6 7 8 9 10 11 12 13 1:0:2\n');
  assert.equal(areas, [
    {
      startSector: 8,
      length: 4,
      reads: 1,
      readsMerged: 2,
      sectorsRead: 3,
      readTime: 4,
      writes: 5,
      writesMerged: 6,
      sectorsWritten: 7,
      writeTime: 8,
      inFlight: 9,
      ioTime: 10,
      weightedIoTime: 11,
      totalReadTime: 12,
      totalWriteTime: 13,
      histogram: [1, 0, 2],
    },
  ]);
});

Messages(
  'a message that knows its answer is sent as it says, and answered by what it means',
  async () => {
    const message = { ...dust.messages.countbadblocks({ sector: 8 }) };
    const answer = { message: 'countbadblocks: 3 badblock(s) found' };
    for (const Client of [DeviceMapper, DeviceMapperSync]) {
      const fake = new Fake(({ command }) => (command === 'TARGET_MSG' ? answer : undefined));
      const count: number = await new Client(fake).sendMessage('dusty', message);
      assert.is(count, 3);
      assert.match(fake.log.join(), /TARGET_MSG dusty/);
      const sent: string = await new Client(fake).sendMessage('dusty', 'countbadblocks');
      assert.is(sent, answer.message);
    }
  },
);

Messages('a status comes in words and in values', async () => {
  const targets = [
    { startSector: 0, length: 8, type: 'linear', parameters: '' },
    { startSector: 8, length: 8, type: 'thin', parameters: '128 127' },
    { startSector: 16, length: 8, type: 'writeboost', parameters: '0 762' },
    { startSector: 24, length: 8, type: 'raid', parameters: 'raid1 2' },
  ];
  const fake = new Fake(({ command }) => (command === 'TABLE_STATUS' ? { targets } : undefined));
  const { targets: rows } = await new DeviceMapper(fake).getStatus('disk');
  const thin = rows[1]!;
  assert.ok(thin.type === 'thin' && thin.status.state === 'active');
  const { mappedSectors } = thin.status;
  assert.is(mappedSectors, 128);
  assert.equal(
    rows.map(({ status }) => status),
    [
      { state: 'active' },
      { state: 'active', mappedSectors: 128, highestMappedSector: 127 },
      { state: 'unknown', words: ['0', '762'] },
      {
        state: 'unreadable',
        problem: 'status[2]: expected a word, got the end',
        words: ['raid1', '2'],
      },
    ],
  );
  assert.equal(rows[1]!.words, ['128', '127']);
});

Messages('groups of paths, and what a raid set is told', () => {
  assert.is(multipath.messages.failPath({ device: '8:16' }).text, 'fail_path 8:16');
  assert.is(multipath.messages.switchGroup({ group: 2 }).text, 'switch_group 2');
  assert.is(raid.messages.check().text, 'check');
});

Messages.run();
