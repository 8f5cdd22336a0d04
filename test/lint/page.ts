import { RULES } from '#internal';

/** docs/lint.md, from the table of rules. */
export function lintPage(): string {
  const sections = Object.entries(RULES).map(
    ([code, { severity, why, example, fix }]) =>
      `## ${code}\n\n${severity}. ${why}\n\n\`\`\`\n${example}\n\`\`\`\n\nFix: ${fix}.\n`,
  );
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
    ...sections,
  ].join('\n');
}
