import { lintTable, type LintOptions } from 'devicemapper/codec';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RULES } from '#internal';
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

for (const [code, { example }] of Object.entries(RULES)) {
  Lint(`finds its own example of ${code}`, () => {
    assert.ok(codesOf(example, machine).includes(code), String(codesOf(example, machine)));
  });
}

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
