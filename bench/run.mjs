/**
 * The benchmark; `node bench/run.mjs --help` after `npm run build:test`.
 *
 * Strategy: times depend on the machine and on the minute, ratios hold. So the package and its peer do
 * the same job in the same run, each in a process of its own, and this process lets them run in turn:
 * package, peer, peer, package is one round, and gives one ratio. Their results are compared first. A job
 * with several peers is measured anew with each.
 */
import { fork, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { pageWith } from './page.mjs';
import { plot } from './plot.mjs';
import { ensure } from '../test/setup.mjs';
import { NativeProcess, SUITE, build, missingFor } from './peers.mjs';

const ROOT = resolve(fileURLToPath(import.meta.url), '../..');
const BUILT = join(ROOT, 'build/js/bench');
const CORES = availableParallelism();

const HELP = `usage: npm run bench -- [options]
Compare the package with its peers: time for time in one run, as ratios.
  --only SUBSTRING  only what has this in its name, as in 'decode', 'linear 1,000', 'vs libdm'
  --install         first install the Debian packages that build the peers in C and Go
  --quick           few rounds: a look, no measurement
  --check           exit 1 when a goal is missed (a goal is judged by two ratios: of the medians,
                    and of the minima; and not at all when others keep the machine busy)
  --json FILE       write the rows to FILE, times in ns
  --plot FILE       draw the times a target by size to FILE, as SVG
  --help            this`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    install: { type: 'boolean' },
    quick: { type: 'boolean' },
    check: { type: 'boolean' },
    json: { type: 'string' },
    plot: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const effort = options.quick
  ? { rounds: 5, warmMs: 150, sampleMs: 8, starts: 7 }
  : { rounds: 25, warmMs: 500, sampleMs: 11, starts: 41 };

async function main() {
  const { JOBS, digest } = await import(pathToFileURL(join(BUILT, 'jobs.js'))).catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error('the benchmark is not built: npm run build:test', { cause: error });
  });
  if (options.install) await ensure(SUITE);
  const asked = ({ job, n, peer }) => `${label(job, n)} vs ${peer ?? ''}`.includes(options.only);
  const tasks = [
    ...JOBS.flatMap((job, index) => tasksOf(job, index, digest)),
    ...STARTS.map((job) => ({ ...job, measure: () => compareStarts(job) })),
    ...SIZES.map((job) => ({ ...job, measure: () => measureSize(job) })),
  ].filter(asked);
  if (tasks.length === 0) throw new Error(`no job has ${options.only} in its name`);

  console.log(heading());
  const rows = [];
  const lacking = new Set();
  for (const task of tasks) {
    const { job, n, peer = null, want = null } = task;
    const needs = (await task.lacks?.()) ?? '';
    if (needs !== '') {
      lacking.add(needs);
      continue;
    }
    let row = { job, n, peer, ...(await task.measure()), want };
    // Between two ratios that disagree a second run decides, if it can.
    if (judge(row) === 'unclear') row = { ...row, ...(await task.measure()) };
    rows.push({ ...row, goal: judge(row) });
    console.log(line(rows.at(-1)));
  }
  for (const needs of lacking) console.log(`not measured: ${needs}`);
  if (rows.some(({ goal }) => goal === 'not judged')) {
    console.warn(`The load is above ${CORES}, the number of cores: ratios say little now.`);
  }
  if (options.json !== undefined) {
    const [{ model: cpu } = {}] = cpus();
    const { rounds } = effort;
    writeFileSync(
      options.json,
      JSON.stringify({ node: process.version, cpu, rounds, rows }, null, 2) + '\n',
    );
  }
  if (options.plot !== undefined) writeFileSync(options.plot, plot(rows));
  return !options.check || rows.every(({ goal }) => goal !== 'missed');
}

/** A job against each of its peers. */
function tasksOf(job, index, digest) {
  return job.peers.map(({ peer, want, way }, at) => ({
    job: job.job,
    n: job.n,
    peer,
    want,
    lacks: () => whatIsLacking(job, peer, way),
    measure: () => {
      return compare(
        `${label(job.job, job.n)} vs ${peer}`,
        () => new Contender([index, at, 'pkg']),
        () => {
          if (typeof way === 'function') return new Contender([index, at, 'peer']);
          return new NativeContender(job.n, way, digest);
        },
      );
    },
  }));
}

/** What keeps a job from being measured, as a sentence; undefined if nothing does. */
async function whatIsLacking({ job, needs }, peer, { program }) {
  if (needs !== undefined && !isInstalled(needs)) return `${job} needs ${needs}`;
  const missing = program === undefined ? [] : await missingFor(program);
  if (missing.length === 0) return undefined;
  return `${peer} needs ${missing.join(', ')} (npm run bench -- --install)`;
}

function isInstalled(name) {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

// ── Two contenders ───────────────────────────────────────────────────────────────────────────────

/** One side of a job, in a process that runs when it is told. */
class Contender {
  #child;

  constructor(args) {
    this.#child = fork(join(BUILT, 'contender.js'), args.map(String), {
      execArgv: ['--expose-gc'],
    });
  }

  /** The next message of the process, after it was sent `order`. */
  ask(order) {
    return new Promise((done, fail) => {
      const child = this.#child;
      const exited = (code) => fail(new Error(`a contender exited with ${code}`));
      child.once('exit', exited);
      child.once('message', (message) => {
        child.off('exit', exited);
        done(message);
      });
      if (order !== undefined) child.send(order);
    });
  }

  end() {
    this.#child.disconnect();
  }
}

/** The same of a program that is no JavaScript. */
class NativeContender {
  #n;
  #way;
  #digest;
  #process;

  constructor(n, way, digest) {
    this.#n = n;
    this.#way = way;
    this.#digest = digest;
  }

  async ask(order) {
    return order === undefined ? this.#start() : this.#process.ask(order);
  }

  async #start() {
    const { program, job, reply, read } = this.#way;
    const path = await build(program);
    const folder = mkdtempSync(join(tmpdir(), 'devicemapper-bench-'));
    try {
      const files = [join(folder, 'result')];
      if (reply !== undefined) {
        files.push(join(folder, 'reply'));
        writeFileSync(files[1], reply());
      }
      this.#process = new NativeProcess(path, [job, `${this.#n}`, ...files]);
      await this.#process.ready();
      return { digest: this.#digest(read(readFileSync(files[0]))) };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  end() {
    this.#process?.end();
  }
}

async function compare(what, makePkg, makePeer) {
  const sides = [makePkg(), makePeer()];
  const [pkg, peer] = sides;
  try {
    const [a, b] = await Promise.all(sides.map((side) => side.ask()));
    if (a.digest !== b.digest) throw new Error(`${what}: the results differ`);
    const perRun = new Map();
    for (const side of sides) {
      const { times, ns } = await side.ask({ ms: effort.warmMs });
      perRun.set(side, ns / times);
    }
    const sample = async (side) => {
      const times = Math.max(1, Math.round((effort.sampleMs * 1e6) / perRun.get(side)));
      const taken = await side.ask({ times });
      perRun.set(side, taken.ns / taken.times);
      return perRun.get(side);
    };
    const samples = { pkg: [], peer: [] };
    const ratios = [];
    for (let round = 0; round < effort.rounds; round++) {
      const a1 = await sample(pkg);
      const b1 = await sample(peer);
      const b2 = await sample(peer);
      const a2 = await sample(pkg);
      samples.pkg.push(a1, a2);
      samples.peer.push(b1, b2);
      ratios.push((a1 + a2) / (b1 + b2));
    }
    return { ...summary(samples), ratio_median: median(ratios) };
  } finally {
    for (const side of sides) side.end();
  }
}

function summary({ pkg, peer }) {
  return {
    pkg_min: Math.min(...pkg),
    pkg_median: median(pkg),
    peer_min: Math.min(...peer),
    peer_median: median(peer),
    ratio_of_mins: Math.min(...pkg) / Math.min(...peer),
    ratio_median: median(pkg) / median(peer),
  };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// ── Starts ───────────────────────────────────────────────────────────────────────────────────────

/** A whole process each, over one that imports nothing. */
const STARTS = [
  { job: 'import ./codec, first encode', file: 'codec', want: 1.04 },
  { job: 'import .', file: 'index', want: 1.08 },
].map((start) => ({ n: 1, peer: 'bare node', ...start }));

function compareStarts({ file }) {
  const files = { pkg: file, peer: 'empty' };
  const samples = { pkg: [], peer: [] };
  for (let i = -1; i < effort.starts; i++) {
    for (const side of i % 2 === 0 ? ['pkg', 'peer'] : ['peer', 'pkg']) {
      const ns = start(join(ROOT, 'bench/start', `${files[side]}.mjs`));
      // The first ones only bring the files into memory.
      if (i >= 0) samples[side].push(ns);
    }
  }
  return summary(samples);
}

function start(path) {
  const begin = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, [path], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${path} exited with ${status}`);
  return Number(process.hrtime.bigint() - begin);
}

// ── Sizes ────────────────────────────────────────────────────────────────────────────────────────

const SIZES = [
  { job: 'size of codec.wasm', want: 6144, bytes: () => statSync(wasmPath()).size },
  { job: 'size of the package, packed', bytes: () => pack().size },
  { job: 'size of the package, unpacked', bytes: () => pack().unpackedSize },
  { job: 'size of a page with linear', bytes: () => sizeOfPage('linear') },
  { job: 'size of a page with all targets', bytes: () => sizeOfPage('parseTarget') },
].map((size) => ({ n: 1, ...size }));

async function sizeOfPage(name) {
  return (await pageWith([name], { minify: true })).length;
}

function wasmPath() {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return join(ROOT, exports['./codec.wasm']);
}

let packed;
function pack() {
  packed ??= spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (packed.status !== 0) throw new Error(`npm pack: ${packed.stderr}`);
  return JSON.parse(packed.stdout)[0];
}

async function measureSize({ bytes }) {
  const size = await bytes();
  return { unit: 'bytes', pkg_min: size, pkg_median: size };
}

// ── Report ───────────────────────────────────────────────────────────────────────────────────────

/** What became of the goal: met and missed are said only when both ratios agree. */
function judge({ unit, want, pkg_median, ratio_of_mins, ratio_median }) {
  if (want === null) return null;
  if (unit === 'bytes') return pkg_median <= want ? 'met' : 'missed';
  if (loadavg()[0] > CORES) return 'not judged';
  const met = [ratio_of_mins, ratio_median].filter((ratio) => ratio <= want).length;
  return ['missed', 'unclear', 'met'][met];
}

const WIDTHS = [32, 10, 10, 10, 9, 9, 7, 7, 7];
const COLUMNS = ['job', 'min', 'median', 'peer', 'min', 'median', 'mins', 'ratio', 'goal'];

function heading() {
  const rule = '─'.repeat(WIDTHS.reduce((sum, width) => sum + width + 2, 8));
  return `${cells(COLUMNS)}\n${rule}`;
}

function line(row) {
  const { job, n, peer, unit, want, goal } = row;
  const show = unit === 'bytes' ? showBytes : showTime;
  return cells([
    label(job, n),
    show(row.pkg_min),
    show(row.pkg_median),
    peer ?? '',
    show(row.peer_min),
    show(row.peer_median),
    showRatio(row.ratio_of_mins),
    showRatio(row.ratio_median),
    want === null ? '' : unit === 'bytes' ? show(want) : showRatio(want),
    goal ?? '',
  ]);
}

/** Words to the left, numbers to the right. */
function cells(texts) {
  return texts
    .map((text, i) => {
      const width = WIDTHS[i] ?? 0;
      return i === 0 || i === 3 ? text.padEnd(width) : text.padStart(width);
    })
    .join('  ')
    .trimEnd();
}

function label(job, n) {
  return n === 1 ? job : `${job} ${n.toLocaleString('en')}`;
}

function showTime(ns) {
  if (ns === undefined) return '';
  const [unit, size] = ns < 1e3 ? ['ns', 1] : ns < 1e6 ? ['µs', 1e3] : ['ms', 1e6];
  const value = ns / size;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

function showBytes(bytes) {
  return bytes === undefined ? '' : `${bytes.toLocaleString('en')} B`;
}

function showRatio(ratio) {
  return ratio === undefined ? '' : ratio < 10 ? ratio.toFixed(3) : ratio.toFixed(1);
}

if (options.help) console.log(HELP);
else process.exitCode = (await main()) ? 0 : 1;
