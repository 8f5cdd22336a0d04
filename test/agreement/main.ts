// `npm run agreement -- --kernel NAME`: does the linter say of tables what a kernel does with them?

import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, wholeNumber } from '../command.js';
import { guests } from '../differential/guests.js';
import type { Counts, Kept, Outcome } from './judge.js';
import type { Plan } from './run.js';

const ROOT = join(import.meta.dirname, '../../../..');

const HELP = `usage: npm run agreement -- --kernel NAME [OPTION…]

Makes tables, lints them, loads them in a guest, and prints for each rule how many tables were about it,
and what the kernel did. The goal is no false alarm (an error, but the kernel loads the table) and no
miss (the kernel refuses a table without an error).

  --kernel NAME  5.10, 6.1, 6.12 or 7.x
  --pairs N      for each rule of a type, lines on either side of its bound (25)
  --lines N      other lines of each type, good and changed ones, so that half are refused (1000)
  --tables N     tables of many rows (2400)
  --seed S       which ones (20261127)
  --target TYPES only lines of these, with commas between; "tables" are those of many rows
  --json FILE    keep the counts there; of other types it keeps what it has`;

const { values } = parseArgs({
  options: {
    kernel: { type: 'string', default: '6.1' },
    pairs: { type: 'string', default: '25' },
    lines: { type: 'string', default: '1000' },
    tables: { type: 'string', default: '2400' },
    seed: { type: 'string', default: '20261127' },
    target: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});

const COLUMNS = [
  'tried',
  'accepted',
  'refused',
  'falseAlarms',
  'misses',
  'undecided',
  'misworded',
] as const;

async function agree(): Promise<number> {
  const { installKernel, runInGuest } = await guests();
  await installKernel(values.kernel, { log: console.log });
  const plan: Plan = {
    seed: wholeNumber('seed', values.seed),
    pairs: wholeNumber('pairs', values.pairs),
    lines: wholeNumber('lines', values.lines),
    tables: wholeNumber('tables', values.tables),
    only: values.target,
  };
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const dir = mkdtempSync(join(ROOT, 'build/agreement-'));
  try {
    const file = join(dir, 'outcomes.json');
    const guest = join(import.meta.dirname, 'guest.js');
    const { exitCode } = await runInGuest([process.execPath, guest, JSON.stringify(plan), file], {
      kernel: values.kernel,
      mem: '1G',
      disks: ['64M', '64M', '64M', '64M'],
      timeoutMs: 1_800_000,
      cwd: ROOT,
    });
    if (exitCode !== 0) return exitCode;
    const { release, outcomes } = JSON.parse(readFileSync(file, 'utf8')) as {
      release: string;
      outcomes: Record<string, Outcome>;
    };
    print(release, outcomes);
    if (values.json !== undefined) keep(values.json, release, plan.seed, outcomes);
    const totals = Object.values(outcomes).map(({ total }) => total);
    const isGood = totals.every(({ falseAlarms, misses }) => falseAlarms + misses === 0);
    return isGood && totals.length > 0 ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function print(release: string, outcomes: Readonly<Record<string, Outcome>>): void {
  const row = (name: string, counts: Counts): string =>
    [
      name.padEnd(26),
      ...COLUMNS.map((column) => String(counts[column]).padStart(column.length)),
    ].join(' ');
  console.log(`Linux ${release}`);
  console.log(['rule'.padEnd(26), ...COLUMNS].join(' '));
  for (const [type, { total, rules, wrong }] of Object.entries(outcomes)) {
    console.log(row(`== ${type}`, total));
    for (const [code, counts] of Object.entries(rules).sort()) console.log(row(code, counts));
    for (const line of wrong) console.log(`  ${line}`);
  }
}

function keep(
  file: string,
  release: string,
  seed: number,
  outcomes: Record<string, Outcome>,
): void {
  const old = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept).outcomes : {};
  const fresh = Object.entries(outcomes).map(([type, { total, rules }]) => [
    type,
    { total, rules },
  ]);
  const all = { ...old, ...(Object.fromEntries(fresh) as Kept['outcomes']) };
  const kept: Kept = { release, seed, outcomes: all };
  // Every count on a line of its own would be a long file.
  writeFileSync(
    file,
    `${JSON.stringify(kept, null, 2).replace(/\{[^{}]*\}/g, (flat) => flat.replace(/\s+/g, ' '))}\n`,
  );
}

await runCommand(values.help === true ? HELP : undefined, agree);
