// What a table does with a sector, and what differs between two tables.

import {
  diffTables,
  explainSector,
  type SectorPlace,
  type Table,
  type Target,
} from 'devicemapper/codec';
import * as fc from 'fast-check';
import { factsOf } from './facts.js';
import { assert, suite } from './harness.js';

const Explain = suite('explain');

const places = (table: Table, sector: number | bigint, tables?: Record<string, Table>) =>
  explainSector(table, sector, tables === undefined ? {} : { tables }).map(
    ({ device, sector: at, reason }) => reason ?? `${device} ${at}`,
  );

Explain('one-to-one targets have a sector at a distance', () => {
  const joined = '0 2048 linear /dev/sdb 0\n2048 4096 linear /dev/sdc 34';
  assert.equal(places(joined, 0), ['/dev/sdb 0']);
  assert.equal(places(joined, 2047), ['/dev/sdb 2047']);
  assert.equal(places(joined, 2048), ['/dev/sdc 34']);
  assert.equal(places(joined, 6143n), ['/dev/sdc 4129']);
  assert.equal(places(joined, 6144), []);
  assert.equal(places('8 8 crypt aes - 0 8:16 100', 9), ['8:16 101']);
  assert.equal(places('8 8 flakey 8:16 100 1 1', 9), ['8:16 101']);
  // The kernel leaves these numbers as they are (dm-snap.c origin_map()).
  assert.equal(places('8 8 snapshot-origin 8:16', 9), ['8:16 9']);
  assert.equal(places('8 8 verity 1 8:16 8:32 4096 4096 1 1 sha256 00 -', 9), ['8:16 1']);
  assert.equal(places('0 8 linear a\\b 0', 1), ['a\\b 1']);
});

Explain('stripes are found in turn', () => {
  const table = '0 1638400 striped 4 4096 /dev/a 0 /dev/b 10 /dev/c 20 /dev/d 30';
  assert.equal(places(table, 4095), ['/dev/a 4095']);
  assert.equal(places(table, 4096), ['/dev/b 10']);
  assert.equal(places(table, 4 * 4096 + 5), ['/dev/a 4101']);
  assert.equal(places(table, 7 * 4096 + 5), ['/dev/d 4131']);
});

Explain('unstriped undoes what striped did', () => {
  // Each of four unstriped devices over the striped one gives back its disk (dm-unstripe.rst).
  const striped = '0 4096 striped 4 256 d0 0 d1 0 d2 0 d3 0';
  const each = fc.property(fc.nat(3), fc.nat(1023), (stripe, sector) => {
    assert.equal(
      places(`0 1024 unstriped 4 256 ${stripe} /dev/mapper/raid0 0`, sector, { raid0: striped }),
      [`d${stripe} ${sector}`],
    );
  });
  fc.assert(each);
});

Explain('a mirror has it on each leg, a delay where reads and writes go', () => {
  const table = '0 2097152 mirror disk 2 254:60 1024 2 254:61 0 254:62 8 1 handle_errors';
  assert.equal(places(table, 5), ['254:61 5', '254:62 13']);
  assert.equal(places('0 8 delay a 0 50 b 4 100 a 0 333', 1), ['a 1', 'b 5']);
  assert.equal(places('0 8 delay a 0 50', 1), ['a 1']);
});

Explain('where nothing can be told there is a reason', () => {
  assert.match(places('0 8 zero', 1)[0]!, /zeros/);
  assert.match(places('0 8 error', 1)[0]!, /fail/);
  assert.match(places('0 8 thin 253:0 1', 1)[0]!, /metadata/);
  assert.match(places('0 8 nonsense', 1)[0]!, /nothing is known of the target "nonsense"/);
  assert.match(places('0 8 constructor', 1)[0]!, /nothing is known/);
  assert.match(
    places('0 8 linear /dev/sdb', 1)[0]!,
    /no linear target, parameters\[1\]: expected a whole number, got ""/,
  );
  assert.match(places('0 8 striped 0 8', 1)[0]!, /parameters\[0\]: expected at least 1, got 0/);
  assert.match(
    places('0 8 mirror core 1 8 900 a 0', 1)[0]!,
    /parameters\[3\]: expected so many legs/,
  );
  assert.throws(
    () => explainSector('0 8 zero', -1),
    (error: { path?: string }) => error.path === 'sector',
  );
  assert.throws(() => explainSector('0 8', 1), /target type/);
});

Explain('stacked tables are looked through', () => {
  const tables = {
    top: '0 8 linear /dev/mapper/my\\x20mid 8',
    'my mid': '0 8 zero\n8 8 striped 2 4 /dev/mapper/low 0 8:32 100',
    low: [{ startSector: 0, length: 64, type: 'linear', parameters: ['8:16', 1000] }],
    loop: '0 8 linear /dev/mapper/loop2 0',
    loop2: '0 8 mirror core 1 8 2 /dev/mapper/loop 0 8:48 0',
  };
  assert.equal(places(tables.top, 1, tables), ['8:16 1001']);
  assert.equal(places(tables.top, 5, tables), ['8:32 101']);
  const [place] = explainSector(tables.top, 1, { tables });
  assert.equal(
    place!.through.map(({ type }) => type),
    ['linear', 'striped'],
  );
  assert.is(place!.target, tables.low[0]);
  assert.match(places('0 8 linear low 100', 1, tables)[0]!, /no target of "low" covers/);
  assert.equal(places(tables.loop, 1, tables), [
    'these tables lie on each other in a circle',
    '8:48 1',
  ]);
});

Explain("each table of the kernel's documentation is explained", () => {
  for (const { id, lines } of factsOf('kernel-doc-tables') as readonly {
    id: string;
    lines: string[];
  }[]) {
    const [{ reason = '' }] = explainSector(lines.join('\n'), 0) as [SectorPlace];
    // Two of its lines have an argument more than their target takes.
    const isFaulty = ['kdoc-056', 'kdoc-057'].includes(id);
    assert.is(/nothing is known|no \w+ target, /.test(reason), isFaulty, id);
    assert.equal(diffTables(lines.join('\n'), lines.join('\n')), [], id);
  }
});

const shape = (before: Table, after: Table) =>
  diffTables(before, after).map(
    ({ from, to, kind, before: was, after: is }) =>
      `${kind} ${from}-${to} ${was?.type ?? '-'} ${is?.type ?? '-'}`,
  );

Explain('what was added, removed and changed is told by sectors', () => {
  assert.equal(shape('0 8 zero', '0 8 zero\n8 8 error'), ['added 8-16 - error']);
  assert.equal(shape('0 8 zero\n8 8 error', '0 8 zero'), ['removed 8-16 error -']);
  assert.equal(shape('0 16 zero', '0 4 zero\n4 4 error\n8 8 zero'), ['changed 4-8 zero error']);
  assert.equal(shape('0 8 linear a 0', '0 8 linear b 0'), ['changed 0-8 linear linear']);
  // Cut in two, with each sector where it was; and once not.
  assert.equal(shape('0 16 linear a 4', '0 8 linear a 4\n8 8 linear a 12'), []);
  assert.equal(shape('0 16 linear a 4', '0 8 linear a 4\n8 8 linear a 4'), [
    'changed 8-16 linear linear',
  ]);
  assert.equal(shape('0 16 linear a 0', '0 16 linear  a  0'), []);
  assert.equal(shape('0 8 thin p 1', '0 16 thin p 1'), ['added 8-16 - thin']);
  assert.equal(shape('0 8 thin p 1', '8 8 thin p 1'), ['removed 0-8 thin -', 'added 8-16 - thin']);
  assert.equal(shape('', ''), []);
  const [change] = diffTables('0 18446744073709551615 zero', '0 18446744073709551614 zero');
  assert.equal([change!.from, change!.to], [18446744073709551614n, 18446744073709551615n]);
});

Explain('a difference is where, and only where, the sectors of two tables lie elsewhere', () => {
  const table = fc
    .array(
      fc.tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom('a', 'b'), fc.nat(3), fc.boolean()),
      { maxLength: 5 },
    )
    .map((pieces) => {
      let at = 0;
      const rows: Target[] = [];
      for (const [length, device, offset, gap] of pieces) {
        if (!gap)
          rows.push({ startSector: at, length, type: 'linear', parameters: [device, offset] });
        at += length;
      }
      return rows;
    });
  const each = fc.property(table, table, (before, after) => {
    const changes = diffTables(before, after);
    for (let sector = 0; sector < 32; sector++) {
      const [was, is] = [places(before, sector), places(after, sector)];
      const differs = was[0] !== is[0];
      const found = changes.filter(({ from, to }) => sector >= from && sector < to);
      assert.is(found.length, differs ? 1 : 0, `sector ${sector}`);
      if (!differs) continue;
      assert.is(
        found[0]!.kind,
        was.length === 0 ? 'added' : is.length === 0 ? 'removed' : 'changed',
      );
    }
  });
  fc.assert(each, { numRuns: 500 });
});

Explain.run();
