/**
 * Does the suite notice? Mutants of the module, each against the tests that exercise it.
 * `npm run mutate -- --help`
 *
 * Strategy: tests run in processes where the codec's module is another. The quickest test file, which makes
 * a new instance for each call, sees one mutant after the other in one process and kills nearly all; each
 * further stage sees what is left in a process of its own, as the host keeps instances. A mutant is killed by
 * a test that fails, by a trap that a test does not expect, by a crash, and by taking too long.
 */
import { fork } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutantsOf, staleOf } from './mutants.mjs';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');
const EQUIVALENT = join(ROOT, 'test/mutate/equivalent.json');
const JUDGE = join(ROOT, 'test/mutate/judge.mjs');

const STAGES = [
  ['exact'],
  ['bytes'],
  ['golden', 'status', 'words', 'recorded'],
  ['module'],
  ['wire', 'findings'],
  ['text', 'concise'],
];
/** How long each may take: set by what the module itself takes, for a slow machine must not kill. */
const limits = STAGES.map(() => 120_000);

const HELP = `usage: npm run mutate -- [options]
Change the compiled module a little, in many ways, and see whether the tests notice.
  --sample N     so many of all that there are (500)
  --seed S       which ones (the time)
  --only WORD    those with WORD in their key, as a function's name
  --again FILE   those that survived when FILE was written by --json
  --jobs N       at once (2)
  --json FILE    write the outcome to FILE
  --list         name them
  --help         this
Ends with 1 if fewer than 95 % are killed, or one that is not is not in test/mutate/equivalent.json, which
says of each why it makes no difference, or that says it of one that there is not.`;

const { values: options } = parseArgs({
  options: {
    sample: { type: 'string', default: '500' },
    seed: { type: 'string', default: `${Date.now() % 0x7fffffff}` },
    only: { type: 'string', default: '' },
    again: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    json: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

/** `count` of `all`, by a seed: Knuth's selection sampling over an xorshift. */
function sample(all, count, seed) {
  let x = seed | 0 || 1;
  const random = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 0x100000000;
  };
  let left = Math.min(count, all.length);
  return all.filter((_, i) => random() * (all.length - i) < left && left-- > 0);
}

/** Says what becomes of one mutant after the other. */
class Judge {
  #first = start();
  /** How long each stage took. */
  took = [];

  /** '' if all tests pass, else why not. */
  async judge(wasm) {
    this.took = [];
    for (const [i, names] of STAGES.entries()) {
      const child = i === 0 ? this.#first : start();
      const started = performance.now();
      const why = await ask(child, { wasm, names }, limits[i]);
      this.took.push(performance.now() - started);
      const isUseless = why === TOO_LONG || why === CRASHED;
      if (i > 0 || isUseless) child.kill('SIGKILL');
      if (i === 0 && isUseless) this.#first = start();
      if (why !== '') return why;
    }
    return '';
  }

  close() {
    this.#first.kill('SIGKILL');
  }
}

const TOO_LONG = 'took too long';
const CRASHED = 'the process ended';

/** A process, not a thread: some tests set flags of V8, which threads share, and a mutant may crash it. */
function start() {
  return fork(JUDGE, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
}

function ask(child, job, limitMs) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs, TOO_LONG);
    const answer = (why) => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(why);
    };
    child.once('message', answer).once('exit', () => answer(CRASHED));
    child.send(job);
  });
}

async function main() {
  const all = mutantsOf(join(ROOT, 'dist/codec.wasm'), join(ROOT, 'build/codec.wat'));
  const survived = options.again && JSON.parse(readFileSync(options.again, 'utf8')).survivors;
  const keys = survived && new Set(survived.map(({ key }) => key));
  const wanted = all.filter(({ key }) => key.includes(options.only) && (keys?.has(key) ?? true));
  const mutants = sample(wanted, Number(options.sample), Number(options.seed));
  if (options.list) {
    for (const { key, text } of mutants) console.log(`${key}: ${text}`);
    return true;
  }
  console.log(`${mutants.length} of ${all.length} mutants, seed ${options.seed}`);
  const judges = Array.from({ length: Number(options.jobs) }, () => new Judge());
  await calibrate(judges);

  const known = existsSync(EQUIVALENT) ? JSON.parse(readFileSync(EQUIVALENT, 'utf8')) : {};
  const survivors = [];
  const killers = {};
  const queue = mutants.slice();
  const begin = performance.now();
  let done = 0;
  const lane = async (judge) => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const why = await judge.judge(mutant.bytes());
      if (why === '') {
        survivors.push(mutant);
        if (!process.stdout.isTTY) console.log(`survives: ${mutant.key}`);
      } else killers[why] = (killers[why] ?? 0) + 1;
      progress(++done, mutants.length, survivors.length, begin);
    }
  };
  await Promise.all(judges.map(lane));
  for (const judge of judges) judge.close();

  const killed = mutants.length - survivors.length;
  const score = (100 * killed) / mutants.length;
  const open = survivors.filter(({ key }) => known[key] === undefined);
  for (const { key, text } of survivors.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    console.log(`${known[key] === undefined ? 'SURVIVES' : 'equivalent'}  ${key}: ${text}`);
    if (known[key] !== undefined) console.log(`            ${known[key]}`);
  }
  const stale = staleOf(known, all);
  for (const key of stale) console.log(`STALE     ${key}: there is no such mutant any more`);
  const counts = `${survivors.length} survivors, ${open.length} of them without an argument`;
  console.log(`${mutants.length} mutants, ${killed} killed (${score.toFixed(1)} %), ${counts}`);
  if (options.json !== undefined) {
    const told = survivors.map(({ key, text }) => ({ key, text, argument: known[key] ?? null }));
    const outcome = { seed: Number(options.seed), mutants: mutants.length, killed, score, killers };
    writeFileSync(options.json, JSON.stringify({ ...outcome, survivors: told }, null, 2) + '\n');
  }
  return score >= 95 && open.length === 0 && stale.length === 0;
}

/** Without a mutation all tests must pass; and how long that takes says what is too long. */
async function calibrate(judges) {
  const wasm = readFileSync(join(ROOT, 'dist/codec.wasm'));
  const whys = await Promise.all(judges.map((judge) => judge.judge(wasm)));
  const why = whys.find((each) => each !== '');
  if (why !== undefined) throw new Error(`without a mutation a test fails: ${why}`);
  for (const i of limits.keys()) {
    limits[i] = Math.max(2000, 4 * Math.max(...judges.map(({ took }) => took[i])));
  }
}

let shown = 0;
function progress(done, all, survivors, begin) {
  const seconds = (performance.now() - begin) / 1000;
  const left = Math.ceil((seconds / done) * (all - done));
  const line = `${done} of ${all}, ${survivors} survive, ${left} s left`;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}${done === all ? '\n' : ''}`);
  else if (done === all || seconds - shown > 30) {
    shown = seconds;
    console.log(line);
  }
}

if (options.help) console.log(HELP);
else process.exitCode = (await main()) ? 0 : 1;
