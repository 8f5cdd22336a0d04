import { RULES, knownTypes, traitsOf, type TableRule } from '#internal';
import type { Counts } from '../agreement/judge.js';
import { KEPT } from '../agreement/kept.js';
import { ALL_TABLES } from '../agreement/run.js';

/** docs/lint.md, from the rules and what kernels did. */
export function lintPage(): string {
  const tables = Object.entries(RULES).map(([code, rule]) => section(ALL_TABLES, code, rule));
  const types = knownTypes().flatMap((type) => {
    const { rules } = traitsOf(type);
    if (rules.length === 0) return [];
    return [`## ${type}\n`, ...rules.map(({ code, ...rule }) => section(type, code, rule))];
  });
  const intro =
    '`lintTable` reports these. A rule is an error if and only if every kernel that the table is for refuses ' +
    'the\nfirst load of it: where no release is said, what some refuse and others do not is a warning. Of ' +
    "what a\ntarget's type refuses the first finding is told, as the kernel looks no further.\n\n" +
    'Kernels judge that: `npm run agreement` makes tables on either side of the bound of each rule, good ' +
    'ones,\nand ones changed anywhere until half are refused, lints them, and loads each into a new device. ' +
    'A false\nalarm is an error of a table that the kernel loads, a miss a table that it refuses without ' +
    'one. Undecided is\nwhat it refuses for a device or a type that is not there, or for what is on a disk, ' +
    'which the linter cannot\nknow. Misworded is what it refuses with another errno, or in other words, ' +
    'than the rule has.\n';
  return [
    '<!-- Written by `npm run docs:lint` from host/lint.ts, host/targets/ and test/agreement/. -->\n',
    '# Lint rules\n',
    intro,
    summary(),
    '## All tables\n',
    ...tables,
    ...types,
  ].join('\n');
}

const COLUMNS = [
  ['tried', 'tried'],
  ['accepted', 'loaded'],
  ['refused', 'refused'],
  ['falseAlarms', 'false alarms'],
  ['misses', 'misses'],
  ['undecided', 'undecided'],
  ['misworded', 'misworded'],
] as const satisfies readonly (readonly [keyof Counts, string])[];

/** A table as Prettier writes it. */
function summary(): string {
  const rows = KEPT.flatMap(({ release, outcomes }) =>
    Object.entries(outcomes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, { total }]) => [
        type,
        release.replace(/-.*/, ''),
        ...COLUMNS.map(([key]) => String(total[key])),
      ]),
  );
  const head = ['lines of', 'Linux', ...COLUMNS.map(([, name]) => name)];
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return `${[line(head), line(rule), ...rows.map(line)].join('\n')}\n`;
}

/** One rule, the releases that have it, and what kernels did with tables around its bound. */
function section(
  type: string,
  code: string,
  rule: TableRule & { readonly until?: string; readonly log?: string },
): string {
  const { severity, why, example, fix, since, until, log } = rule;
  const releases =
    (since === undefined ? '' : ` From Linux ${since} on.`) +
    (until === undefined ? '' : ` Before Linux ${until}.`);
  const counts = KEPT.flatMap(({ release, outcomes }) => {
    const one = outcomes[type]?.rules[code];
    if (one === undefined) return [];
    return [`${release.replace(/-.*/, '')} loaded ${one.accepted} and refused ${one.refused}`];
  });
  return [
    `### ${code}\n`,
    `${severity}. ${why}${releases}\n`,
    ...(example === undefined ? [] : [`\`\`\`\n${example}\n\`\`\`\n`]),
    ...(log === undefined ? [] : [`The kernel logs \`${log}\`.\n`]),
    ...(counts.length === 0 ? [] : [`Of tables around its bound ${counts.join(', ')}.\n`]),
    `Fix: ${fix}.\n`,
  ].join('\n');
}
