// Whole tables, for the rules that all tables have.

import type { Random } from '../fuzz/random.js';
import type { IsLagging } from './generator.js';
import { DISK_SECTORS, LOOP_SECTORS, type Case, type Judge } from './judge.js';

type Disks = Judge['disks'];
type Row = [
  start: number | string,
  length: number | string,
  type: string,
  ...words: (string | number)[],
];

/** What is done to a good table, so that it breaks a rule or just does not. */
interface Change {
  readonly bad: (rows: Row[], random: Random, disks: Disks) => unknown;
  readonly well: (rows: Row[], random: Random, disks: Disks) => unknown;
}

/** Targets after another, each of whole blocks of the largest kind. */
function goodRows(random: Random, { plain, large }: Disks): Row[] {
  const rows: Row[] = [];
  let start = 0;
  for (let left = 1 + random.below(5); left > 0; left--) {
    const length = 16 * (1 + random.below(32));
    const words: (string | number)[][] = [
      ['zero'],
      ['error'],
      ['linear', random.pick(plain), 8 * random.below(1000)],
      ['linear', large, 8 * random.below(400)],
      ['striped', 2, 8, plain[0]!, 8 * random.below(99), plain[1]!, 8 * random.below(99)],
    ];
    rows.push([start, length, ...random.pick(words)] as Row);
    start += length;
  }
  return rows;
}

const last = (rows: Row[]): Row => rows.at(-1)!;
const append = (rows: Row[], length: number, ...rest: (string | number)[]): number => {
  const [start, size] = last(rows);
  return rows.push([Number(start) + Number(size), length, ...rest] as Row);
};
const nothing = (): void => undefined;

const CHANGES: Readonly<Record<string, Change>> = {
  'no-targets': { bad: (rows) => rows.splice(0), well: (rows) => rows.splice(1) },
  syntax: {
    bad: (rows, random) => {
      last(rows)[random.below(2)] = random.pick(['-1', '1k', '0x8', '18446744073709551616', '.5']);
    },
    well: (rows) => {
      last(rows)[1] = `00${last(rows)[1]}`;
    },
  },
  'zero-length': {
    bad: (rows) => append(rows, 0, 'zero'),
    well: (rows) => append(rows, 16, 'zero'),
  },
  'first-sector': {
    bad: (rows, random) => {
      rows[0]![0] = random.pick([1, 16]);
    },
    well: nothing,
  },
  gap: {
    bad: (rows, random) => {
      append(rows, 16, 'zero');
      last(rows)[0] = Number(last(rows)[0]) + random.pick([1, 16]);
    },
    well: (rows) => append(rows, 16, 'zero'),
  },
  overlap: {
    bad: (rows, random) => {
      append(rows, 16, 'zero');
      last(rows)[0] = Number(last(rows)[0]) - random.pick([1, 16]);
    },
    well: (rows) => append(rows, 16, 'zero'),
  },
  'too-large': {
    bad: (rows, random) => {
      append(rows, 16, 'zero');
      last(rows)[1] = String((1n << 54n) - BigInt(last(rows)[0]) + 8n * BigInt(random.below(2)));
    },
    well: (rows) => {
      append(rows, 16, 'zero');
      last(rows)[1] = String((1n << 54n) - 8n - BigInt(last(rows)[0]));
    },
  },
  'device-bounds': {
    bad: (rows, random, { plain, large }) => {
      const [disk, sectors] = random.pick([
        [plain[0]!, DISK_SECTORS] as const,
        [large, LOOP_SECTORS] as const,
      ]);
      append(rows, 64, 'linear', disk, sectors - random.pick([0, 8, 56]));
    },
    well: (rows, random, { plain, large }) => {
      const [disk, sectors] = random.pick([
        [plain[0]!, DISK_SECTORS] as const,
        [large, LOOP_SECTORS] as const,
      ]);
      append(rows, 64, 'linear', disk, sectors - 64);
    },
  },
  'device-alignment': {
    bad: (rows, random, { large }) => append(rows, 16, 'linear', large, random.pick([1, 4, 9])),
    well: (rows, random, { large }) => append(rows, 16, 'linear', large, random.pick([0, 8, 16])),
  },
  'table-alignment': {
    bad: (rows, random, { large }) => {
      append(rows, random.pick([1, 9, 12]), 'zero');
      append(rows, 16, 'linear', large, 0);
    },
    well: (rows, random, { plain, large }) => {
      append(rows, 16, 'linear', large, 0);
      const size = random.pick([1, 4, 9]);
      append(rows, size, 'zero');
      append(rows, 16 - (size % 8), 'linear', plain[0]!, 3);
    },
  },
  'device-read-only': {
    bad: (rows, _, { readOnly }) => append(rows, 16, 'linear', readOnly, 0),
    well: (rows, _, { plain }) => append(rows, 16, 'linear', plain[0]!, 0),
  },
  'device-twice': {
    bad: (rows, _, { plain }) => {
      append(rows, 16, 'linear', plain[0]!, 0);
      append(rows, 16, 'linear', plain[0]!, 8);
    },
    well: (rows, _, { plain }) => {
      append(rows, 16, 'linear', plain[0]!, 90000);
      append(rows, 16, 'linear', plain[0]!, 90016);
    },
  },
  'device-name': {
    bad: (rows, _, { plain }) => append(rows, 16, 'linear', plain[0]!.replace('/dev/', ''), 0),
    well: (rows, _, { plain }) => append(rows, 16, 'linear', `/dev/../${plain[0]!}`, 0),
  },
  'literal-newline': {
    bad: (rows, _, { plain }) => append(rows, 16, 'linear', plain[0]!, '0\\n16 16 zero'),
    well: (rows, _, { plain }) => append(rows, 16, 'linear', plain[0]!, '0\n'),
  },
  'type-missing': {
    bad: (rows, random) => append(rows, 16, random.pick(['nosuch', 'Linear', 'linea', 'linearr'])),
    well: (rows) => append(rows, 16, 'error'),
  },
};

/** Each about a rule at random; good ones, and bad ones while fewer than half have been refused. */
export function* structures(
  random: Random,
  count: number,
  disks: Disks,
  isLagging: IsLagging,
): Generator<Case> {
  const changes = Object.entries(CHANGES);
  for (let i = 0; i < count; i++) {
    const [about, { bad, well }] = random.pick(changes);
    const rows = goodRows(random, disks);
    (isLagging() ? bad : well)(rows, random, disks);
    const separator = random.pick(['\n', '\n\n', ' # a comment\n', '\r\n', '\t\n\n# more\n']);
    yield { table: rows.map((row) => row.join(random.pick([' ', '\t']))).join(separator), about };
  }
}
