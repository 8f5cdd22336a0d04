import { lintTable, parseTable, type LintOptions } from 'devicemapper/codec';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  RULES,
  knownTypes,
  refusal,
  traitsOf,
  sscanf32,
  sscanf64,
  kstrtouint,
  type Machine,
} from '#internal';
import { factsOf } from './facts.js';
import { assert, suite } from './harness.js';
import { lintPage } from './lint/page.js';

const Lint = suite('lint');

/** What the examples of the rules stand on. */
const machine: LintOptions = {
  kernel: '6.1',
  devices: { '/dev/sdb': { sectors: 1000, dev: '8:16', readOnly: true, logicalBlockSize: 4096 } },
};

const codesOf = (table: Parameters<typeof lintTable>[0], options?: LintOptions): string[] =>
  lintTable(table, options).map(({ code }) => code);

for (const [code, rule] of Object.entries(RULES)) {
  if (!('example' in rule)) continue;
  const { example } = rule;
  Lint(`finds its own example of ${code}`, () => {
    const codes = codesOf(example, { ...machine, readOnly: code === 'always-writable' });
    assert.ok(codes.includes(code), String(codes));
  });
}

for (const type of knownTypes()) {
  for (const { code, example, since, until } of traitsOf(type).rules) {
    Lint(`finds its own example of ${code}`, () => {
      const kernel = since ?? (until === undefined ? '6.12' : '5.10');
      const [first] = lintTable(example, { kernel }).filter(({ severity }) => severity === 'error');
      assert.is(first?.code, code);
      assert.ok(code.startsWith(`${type}-`), code);
    });
  }
}

/** A machine on which nothing is known of devices but those of 8:x, which are there. */
const linux = (release: string): Machine => ({
  release,
  readOnly: false,
  lookup: (word) => (word.startsWith('8:') ? { sectors: 1000 } : 19),
});

const refused = (line: string, release = '6.1'): [log?: string, errno?: number] => {
  const { type, parameters } = parseTable(line)[0]!;
  const found = refusal({ startSector: 0, length: 16, type, parameters }, linux(release));
  return found === undefined ? [] : [found.log, found.errno];
};

Lint("refuses with the kernel's own words, and its first", () => {
  assert.equal(refused('0 16 linear 8:16 0'), []);
  assert.equal(refused('0 16 linear 8:16'), ['Invalid argument count', 22]);
  assert.equal(refused('0 16 linear 9:16 x'), ['Invalid device sector', 22]);
  assert.equal(refused('0 16 linear 9:16 0'), ['Device lookup failed', 19]);
  // unstripe_ctr() knows one errno only.
  assert.equal(refused('0 16 unstriped 2 8 0 9:16 0'), ["Couldn't get striped device", 22]);
  assert.equal(refused('0 16 striped 2 8 8:16 0 9:16 x'), [
    "Couldn't parse stripe destination",
    22,
  ]);
  assert.equal(refused('0 16 striped 2 8 8:16 0 9:16 0'), [
    "Couldn't parse stripe destination",
    19,
  ]);
  assert.equal(refused('0 16 delay 8:16 0 1 9:16 x 1'), ['Invalid device sector', 22]);
  assert.equal(refused('0 16 nosuch 1 2 3'), []);
});

Lint('knows which release refuses what', () => {
  assert.equal(refused('0 16 error 9:16 0', '6.1'), []);
  assert.equal(refused('0 16 error 9:16 0', '6.12'), ['Device lookup failed', 19]);
  const flakey = '0 16 flakey 8:16 0 1 1 1 error_reads';
  assert.equal(refused(flakey, '6.1'), ['Unrecognised flakey feature requested', 22]);
  assert.equal(refused(flakey, '6.12'), []);
  // What some kernels refuse only is a warning, unless it is said which one it is.
  const severities = (kernel?: string): string[] =>
    lintTable(flakey, kernel === undefined ? {} : { kernel }).map(({ severity }) => severity);
  assert.equal(
    [severities('6.1'), severities('6.12.1-arch'), severities()],
    [['error'], [], ['warning']],
  );
});

Lint('reads numbers as the kernel does', () => {
  assert.equal(['8', '08', '\t8', '+8', '-8', '8 ', '0x8', ''].map(sscanf64), [
    8,
    8,
    8,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal([sscanf64('18446744073709551617'), sscanf32('4294967297')], [1, 1]);
  assert.is(sscanf64(`1${'0'.repeat(70)}`), 0);
  assert.equal(['8', '+8', '8\n', '8 ', '4294967295', '4294967296', ''].map(kstrtouint), [
    8,
    8,
    8,
    undefined,
    4294967295,
    undefined,
    undefined,
  ]);
});

Lint('says nothing of a table that is well', () => {
  assert.equal(lintTable('0 8 linear 8:32 0\n8 8 zero # the end', machine), []);
});

Lint('stands on the field', () => {
  const [gap] = lintTable('0 8 zero\n16 8 zero');
  assert.equal(
    [gap?.code, gap?.from, gap?.to, gap?.line, gap?.column, gap?.target],
    ['gap', 9, 11, 2, 1, 1],
  );
});

Lint('names the argument of targets', () => {
  const [offset] = lintTable([
    { startSector: 0, length: 8, type: 'linear', parameters: ['8:16', 'x'] },
  ]);
  assert.equal([offset?.code, offset?.path], ['linear-offset', 'targets[0].parameters[1]']);
});

Lint('judges an end at its bound', () => {
  const devices = { '/dev/sdb': { sectors: 16 } };
  assert.equal(codesOf('0 8 linear /dev/sdb 8', { devices }), []);
  assert.equal(codesOf('0 8 linear /dev/sdb 9', { devices }), ['device-bounds']);
});

Lint('knows which release has a target first', () => {
  assert.equal(codesOf('0 8 vdo x', { kernel: '6.1' }), ['type-missing']);
  assert.equal(codesOf('0 8 vdo x', { kernel: '6.12' }), []);
});

Lint('finds no mistake of structure in the tables of the documentation', () => {
  const structure = ['no-targets', 'syntax', 'zero-length', 'first-sector', 'gap', 'overlap'];
  for (const { id, lines } of factsOf('kernel-doc-tables') as readonly {
    id: string;
    lines: string[];
  }[]) {
    const codes = codesOf(lines.join('\n')).filter((code) => structure.includes(code));
    assert.equal(codes, [], id);
  }
});

Lint('throws at nothing that it is given', () => {
  const never = (table: unknown): void => {
    const found = lintTable(table as string);
    for (const { from = 0, to = 0 } of found) assert.ok(from <= to);
  };
  const piece = fc.constantFrom(
    '0',
    '8',
    'linear',
    '/dev/sdb',
    ' ',
    '\n',
    '#',
    '\\',
    '\0',
    '\ud800',
  );
  fc.assert(fc.property(fc.string({ unit: fc.oneof(piece, fc.string()) }), never));
  fc.assert(fc.property(fc.anything(), never));
  const field = fc.oneof(fc.anything(), fc.nat(), fc.string());
  const target = fc.record({ startSector: field, length: field, type: field, parameters: field });
  fc.assert(fc.property(fc.array(fc.oneof(target, fc.anything())), never));
});

Lint('is described by docs/lint.md', () => {
  const path = join(import.meta.dirname, '../../../docs/lint.md');
  assert.is(readFileSync(path, 'utf8'), lintPage());
});

Lint.run();
