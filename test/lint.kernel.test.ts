// The linter against a kernel: tables at random, half of them broken in one place, each linted and loaded.
// An error is a table that the kernel refuses, and nothing else is.

import { DeviceMapperSync, lintTable, type KernelError } from 'devicemapper';
import { release } from 'node:os';
import { assert, suite } from './harness.js';
import { DISKS, leftovers } from './scenarios/machine.js';

const TABLES = 600;
/** Of the scratch disks, which have 64 MiB. */
const SECTORS = 131072;
const devices = Object.fromEntries(DISKS.map((path) => [path, { sectors: SECTORS }]));

/** Numbers by a xorshift, so that each run has the same tables. */
function numbers(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

type Row = [start: number | string, length: number | string, type: string, ...words: unknown[]];

/** What is done to a good table; the rule that it breaks, or stays just short of breaking. */
const CHANGES: Readonly<Record<string, (rows: Row[], at: number) => unknown>> = {
  none: () => undefined,
  'no-targets': (rows) => rows.splice(0),
  'zero-length': (rows, at) => (rows[at]![1] = 0),
  'first-sector': (rows) => (rows[0]![0] = 1),
  gap: (rows) => (rows.at(-1)![0] = Number(rows.at(-1)![0]) + (rows.length > 1 ? 1 : 0)),
  overlap: (rows) => (rows.at(-1)![0] = Number(rows.at(-1)![0]) - (rows.length > 1 ? 1 : 0)),
  order: (rows) => rows.reverse(),
  'linear-arguments, one': (rows, at) =>
    rows.splice(at, 1, [...head(rows, at), 'linear', DISKS[0]]),
  'linear-arguments, three': (rows, at) =>
    rows.splice(at, 1, [...head(rows, at), 'linear', DISKS[0], 0, 0]),
  'linear-offset, a sign': (rows, at) =>
    rows.splice(at, 1, [...head(rows, at), 'linear', DISKS[0], '-1']),
  'linear-offset, a letter': (rows, at) =>
    rows.splice(at, 1, [...head(rows, at), 'linear', DISKS[0], '8k']),
  'device-bounds, within': (rows, at) =>
    rows.splice(at, 1, [...head(rows, at), 'linear', DISKS[0], SECTORS - Number(rows[at]![1])]),
  'device-bounds, behind': (rows, at) =>
    rows.splice(at, 1, [...head(rows, at), 'linear', DISKS[0], SECTORS + 1 - Number(rows[at]![1])]),
};

function head(rows: readonly Row[], at: number): [number | string, number | string] {
  const [start, length] = rows[at]!;
  return [start, length];
}

const Lint = suite(`lint on Linux ${release()}`);

Lint('an error is what the kernel refuses, and it refuses nothing else', () => {
  const below = numbers(20260722);
  const names = Object.keys(CHANGES);
  const wrong: string[] = [];
  const hits = new Map<string, number>();
  let refused = 0;
  const dm = DeviceMapperSync.open();
  for (let i = 0; i < TABLES; i++) {
    const rows: Row[] = [];
    let start = 0;
    for (let left = 1 + below(4); left > 0; left--) {
      const length = 8 * (1 + below(64));
      const words: unknown[][] = [
        ['zero'],
        ['error'],
        ['linear', DISKS[below(2)], 8 * below(1000)],
      ];
      rows.push([start, length, ...words[below(3)]!] as Row);
      start += length;
    }
    // Each second table is as it should be.
    const name = i % 2 === 0 ? 'none' : names[((i - 1) / 2) % names.length]!;
    CHANGES[name]!(rows, below(rows.length));
    const text = rows.map((row) => row.join(' ')).join('\n');
    const errors = lintTable(text, { devices }).filter(({ severity }) => severity === 'error');
    for (const { code } of errors) hits.set(code, (hits.get(code) ?? 0) + 1);
    dm.createDevice('lint');
    let problem = '';
    try {
      if (text !== '') dm.loadTable('lint', text);
      else problem = 'nothing to load';
    } catch (error) {
      problem = (error as KernelError).message;
    } finally {
      dm.removeDevice('lint', { retry: true });
    }
    if (problem !== '') refused++;
    if ((problem !== '') !== errors.length > 0) wrong.push(`${name}: ${text}: ${problem}`);
  }
  dm.close();
  assert.equal(wrong, []);
  assert.ok(refused > TABLES / 3, `${refused} of ${TABLES} were refused`);
  for (const code of [
    'zero-length',
    'gap',
    'overlap',
    'linear-arguments',
    'linear-offset',
    'device-bounds',
  ]) {
    assert.ok((hits.get(code) ?? 0) >= 20, `${code}: ${hits.get(code)}`);
  }
  assert.equal(leftovers(), []);
});

Lint.run();
