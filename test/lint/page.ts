import { RULES, knownTypes, traitsOf, type TableRule } from '#internal';

/** docs/lint.md, from the table of rules. */
export function lintPage(): string {
  const tables = Object.entries(RULES).map(([code, rule]) => section(code, rule));
  const types = knownTypes().flatMap((type) => {
    const rules = traitsOf(type).rules.map(({ code, ...rule }) => section(code, rule));
    return rules.length > 0 ? [`## ${type}\n`, ...rules] : [];
  });
  const intro =
    '`lintTable` reports these. A rule is an error if every kernel refuses the first load of such a ' +
    'table,\nand a warning otherwise.\n\n' +
    'Kernels judge that: 600 tables of linear, zero and error targets, half of them broken by one rule, ' +
    'are\nlinted and loaded on Linux 5.10, 6.1 and 6.12 by `test/lint.kernel.test.ts`. Of those no ' +
    'table with an error\nwas loaded, and none without was refused. What no kernel was asked yet: the ' +
    'rules that are warnings, and\ndevice-alignment. The parameters of targets other than linear have ' +
    'no rules yet.\n';
  return [
    '<!-- Written by `npm run docs:lint` from host/lint.ts. -->\n',
    '# Lint rules\n',
    intro,
    '## All tables\n',
    ...tables,
    ...types,
  ].join('\n');
}

/** One rule, and the kernels that have it. */
function section(
  code: string,
  rule: TableRule & { readonly until?: string; readonly log?: string },
): string {
  const { severity, why, example, fix, since, until, log } = rule;
  const releases =
    (since === undefined ? '' : ` From Linux ${since} on.`) +
    (until === undefined ? '' : ` Before Linux ${until}.`);
  const shown = example === undefined ? '' : `\n\n\`\`\`\n${example}\n\`\`\``;
  const logged = log === undefined ? '' : `\nThe kernel logs \`${log}\`.\n`;
  return `### ${code}\n\n${severity}. ${why}${releases}${shown}\n${logged}\nFix: ${fix}.\n`;
}
