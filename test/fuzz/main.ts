// The command `npm run fuzz`; `--help` tells how it is called.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { progress, runCommand, wholeNumber } from '../command.js';
import { fuzz, type Finding, type Outcome, type Progress, type Target } from './engine.js';

const ROOT = resolve(import.meta.dirname, '../../../..');
const NATIVE = join(ROOT, 'test/fuzz/native.mjs');

const HELP = `usage: npm run fuzz -- [options]
Give the codec bytes that nobody meant, and values that nobody tried, and compare what it says with a
second codec that was written from the protocol alone.
  --seconds N        time for each engine, shared by its targets (60)
  --target NAME      one target only; may be repeated
  --engine NAME      'js', which runs anywhere, or 'native', libFuzzer over the module as C (both)
  --seed S           begin as that run did (the time)
  --executions N     end each target of 'js' after so many: the same on any machine
  --targets MODULE   targets of your own in place of these: a module with { TARGETS: { name: target } },
                     where a target is { seeds(): Uint8Array[], check(input): string }
  --findings DIR     where a finding is written (test/findings), to be replayed by the tests
  --json FILE        write the outcome to FILE
  --list             name the targets
  --help             this
Ends with 0 when nothing was found, 1 when something was, 2 when it was called wrongly or an engine is
not there.`;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', multiple: true },
    engine: { type: 'string', multiple: true },
    seed: { type: 'string' },
    executions: { type: 'string' },
    targets: { type: 'string' },
    findings: { type: 'string', default: join(ROOT, 'test/findings') },
    json: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

/** libFuzzer's side; native.mjs says how each is meant. */
interface Native {
  readonly NATIVE_TARGETS: readonly string[];
  readonly whyNot: () => Promise<string | undefined>;
  readonly runNative: (options: {
    readonly target: string;
    readonly seconds: number;
    readonly seed: number;
    readonly onProgress: (progress: Progress) => void;
    readonly signal: AbortSignal;
  }) => Promise<Outcome>;
}

interface Row extends Outcome {
  readonly engine: string;
  readonly target: string;
}

/** One target of one engine, ready to run. */
interface Job {
  readonly engine: 'js' | 'native';
  readonly target: string;
  readonly run: (seconds: number, onProgress: (progress: Progress) => void) => Promise<Outcome>;
}

const stop = new AbortController();
process.once('SIGINT', () => {
  stop.abort();
});

function number(name: 'seconds' | 'seed' | 'executions'): number | undefined {
  const text = options[name];
  return text === undefined ? undefined : wholeNumber(name, text);
}

async function main(): Promise<number> {
  const seconds = number('seconds')!;
  const seed = number('seed') ?? Date.now() % 0x7fffffff;
  const executions = number('executions');
  const own = options.targets === undefined ? './targets.js' : pathToFileURL(options.targets).href;
  const { TARGETS } = (await import(own)) as { TARGETS: Readonly<Record<string, Target>> };
  const engines = options.engine ?? (options.targets === undefined ? ['js', 'native'] : ['js']);
  const jobs: Job[] = [];
  for (const engine of engines) {
    if (engine === 'js') {
      for (const [target, what] of Object.entries(TARGETS)) {
        jobs.push({
          engine,
          target,
          run: (share, onProgress) =>
            fuzz(what, {
              seconds: share,
              seed,
              onProgress,
              signal: stop.signal,
              ...(executions === undefined ? {} : { executions }),
            }),
        });
      }
    } else if (engine === 'native') {
      const native = (await import(pathToFileURL(NATIVE).href)) as Native;
      const reason = await native.whyNot();
      if (reason !== undefined) {
        console.error(`not run: the engine 'native' needs ${reason}`);
        // Where everything is to be there it is a failure, and so it is when it was asked for.
        if (process.env.CI === 'true' || options.engine !== undefined) return 2;
        continue;
      }
      for (const target of native.NATIVE_TARGETS) {
        jobs.push({
          engine,
          target,
          run: (share, onProgress) =>
            native.runNative({ target, seconds: share, seed, onProgress, signal: stop.signal }),
        });
      }
    } else throw new Error(`--engine: expected 'js' or 'native', got '${engine}'`);
  }
  const chosen = jobs.filter(({ target }) => options.target?.includes(target) !== false);
  if (chosen.length === 0) {
    const names = [...new Set(jobs.map(({ target }) => target))].join(', ');
    throw new Error(`--target: expected one of ${names}, got '${options.target?.join("', '")}'`);
  }
  if (options.list === true) {
    for (const { engine, target } of chosen) console.log(`${engine} ${target}`);
    return 0;
  }

  console.log(`seed ${seed}`);
  const rows: Row[] = [];
  for (const { engine, target, run } of chosen) {
    const share = seconds / chosen.filter((job) => job.engine === engine).length;
    const outcome = await run(share, (progress) => {
      show(engine, target, progress);
    });
    clear();
    rows.push({ engine, target, ...outcome });
    console.log(line(engine, target, outcome));
    if (outcome.finding !== undefined) report(engine, target, outcome.finding);
    if (stop.signal.aborted) break;
  }
  const total = rows.reduce((sum, row) => sum + row.executions, 0);
  const found = rows.filter(({ finding }) => finding !== undefined).length;
  console.log(`${total.toLocaleString('en')} executions, ${found} findings`);
  if (options.json !== undefined) {
    const told = rows.map(({ finding, ...row }) =>
      finding === undefined ? row : { ...row, finding: { ...finding, input: hex(finding.input) } },
    );
    writeFileSync(options.json, JSON.stringify({ seed, seconds, rows: told }, null, 2) + '\n');
  }
  return found === 0 ? 0 : 1;
}

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A finding becomes a file that the tests replay. */
function report(engine: string, target: string, { input, message }: Finding): void {
  console.log(styleText('red', message));
  if (input === undefined) return;
  const name = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const file = join(options.findings, `${target}-${name}.json`);
  mkdirSync(options.findings, { recursive: true });
  const isNew = !existsSync(file);
  const text = JSON.stringify({ engine, target, input: hex(input), message }, null, 2);
  if (isNew) writeFileSync(file, text + '\n');
  console.log(`${isNew ? 'written to' : 'as in'} ${file}`);
}

// ── What a person sees on the way ────────────────────────────────────────────────────────────────

function line(
  engine: string,
  target: string,
  { executions, executionsPerSecond, corpus }: Outcome,
): string {
  const count = executions.toLocaleString('en').padStart(12);
  const rate = Math.round(executionsPerSecond).toLocaleString('en').padStart(9);
  return `${engine.padEnd(6)} ${target.padEnd(14)} ${count} executions ${rate}/s, corpus ${corpus}`;
}

let shown = 0;
function show(engine: string, target: string, seen: Progress): void {
  const now = performance.now();
  if (!process.stderr.isTTY || now - shown < 200) return;
  shown = now;
  progress(`${line(engine, target, seen)}, ${Math.ceil(seen.secondsLeft)} s left`);
}

function clear(): void {
  progress('');
}

await runCommand(options.help === true ? HELP : undefined, main);
