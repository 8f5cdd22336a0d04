/**
 * The engine that is led by coverage: libFuzzer over the module, which wasm2c makes C of, beside an oracle
 * in C (native.c, oracle.c). Its corpus is corpus.json, small and minimised:
 * `node test/fuzz/native.mjs --minimise` makes it anew from what the runs here have gathered.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PROGRAM, build, whyNot } from './build.mjs';
import { recordedInputs } from './recorded.mjs';

export { whyNot };

const SELF = fileURLToPath(import.meta.url);
const BUILT = resolve(SELF, '../../../build/fuzz');
const CORPUS = resolve(SELF, '../corpus.json');
const DICTIONARY = resolve(SELF, '../dictionary.txt');

export const NATIVE_TARGETS = [
  ...['header', 'header-out', 'table-request', 'table-reply', 'devices', 'deps', 'versions'],
  ...['lists-out', 'string', 'string-out', 'split', 'join', 'text', 'encode-table', 'bounds'],
  ...['interleaved', 'lines', 'separators'],
];

/** The folders of a target: what is gathered, with the kept corpus, and what was recorded. */
export function folders(target) {
  const [gathered, recorded] = ['corpus', 'recorded'].map((name) => join(BUILT, name, target));
  const kept = existsSync(CORPUS) ? JSON.parse(readFileSync(CORPUS, 'utf8')) : {};
  put(gathered, kept[target] ?? []);
  if (!existsSync(recorded)) put(recorded, recordedInputs(LONGEST)[target] ?? []);
  return [gathered, recorded];
}

/** Inputs in base64, a file each. */
function put(folder, inputs) {
  mkdirSync(folder, { recursive: true });
  for (const base64 of inputs) {
    const bytes = Buffer.from(base64, 'base64');
    writeFileSync(join(folder, createHash('sha1').update(bytes).digest('hex')), bytes);
  }
}

const LONGEST = 4096;
const COMMON = [`-max_len=${LONGEST}`, '-timeout=10', '-rss_limit_mb=2048'];

/** Run one target; an outcome as engine.ts has it. */
export async function runNative({ target, seconds, seed, onProgress, signal }) {
  await build();
  const artifacts = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const begin = performance.now();
  const end = begin + 1000 * seconds;
  const args = [
    ...COMMON,
    `-dict=${DICTIONARY}`,
    `-max_total_time=${Math.max(1, Math.round(seconds))}`,
    `-seed=${seed % 0x7fffffff || 1}`,
    `-artifact_prefix=${artifacts}/`,
    ...folders(target),
  ];
  const child = spawn(PROGRAM, args, {
    env: { ...process.env, FUZZ_TARGET: target },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  });
  let state = { executions: 0, executionsPerSecond: 0, corpus: 0 };
  let message = '';
  const said = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (said.length > 200) said.shift();
    const [, executions] = /^#(\d+)\s/.exec(line) ?? [];
    if (executions !== undefined) {
      const [, corpus = state.corpus] = /corp: (\d+)/.exec(line) ?? [];
      const passed = (performance.now() - begin) / 1000;
      state = {
        executions: Number(executions),
        executionsPerSecond: Number(executions) / passed,
        corpus: Number(corpus),
      };
      onProgress?.({ ...state, secondsLeft: Math.max(0, (end - performance.now()) / 1000) });
    }
    const [, ran] = /^Done (\d+) runs/.exec(line) ?? [];
    if (ran !== undefined) state.executions = Number(ran);
    if (/^FINDING|ERROR: (Address|libFuzzer)/.test(line)) message ||= line;
  }
  const code = await new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done(child.exitCode);
    else child.once('exit', done);
  }).catch(() => null);
  const [file] = readdirSync(artifacts);
  const input = file === undefined ? undefined : smaller(target, join(artifacts, file));
  rmSync(artifacts, { recursive: true });
  if (signal?.aborted || (code === 0 && input === undefined)) return state;
  return { ...state, finding: { input, message: message || said.slice(-20).join('\n') } };
}

/** What fails as well as the input in `file` does, cut down as far as a few tries go. */
function smaller(target, file) {
  const to = `${file}.smaller`;
  const limits = ['-minimize_crash=1', '-runs=100000', '-seed=1', `-exact_artifact_path=${to}`];
  const env = { ...process.env, FUZZ_TARGET: target };
  spawnSync(PROGRAM, [...COMMON, ...limits, file], { env, stdio: 'ignore' });
  return new Uint8Array(readFileSync(existsSync(to) ? to : file));
}

/** Does `input` still make `target` fail? With what it says. */
export async function replayNative(target, input) {
  await build();
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  writeFileSync(join(folder, 'input'), input);
  const env = { ...process.env, FUZZ_TARGET: target };
  const { status, stderr } = spawnSync(PROGRAM, [join(folder, 'input')], { env, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return status === 0 ? undefined : (/^FINDING.*/m.exec(stderr)?.[0] ?? stderr);
}

/** What leads to the same coverage, and is as small as it may be. */
async function minimise() {
  await build();
  const kept = {};
  for (const target of NATIVE_TARGETS) {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
    const env = { ...process.env, FUZZ_TARGET: target };
    const args = [...COMMON, '-merge=1', '-max_len=256', folder, ...folders(target)];
    const { status, stderr } = spawnSync(PROGRAM, args, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${target}: ${stderr}`);
    kept[target] = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name)))
      .sort((a, b) => a.length - b.length || Buffer.compare(a, b))
      .map((bytes) => bytes.toString('base64'));
    rmSync(folder, { recursive: true });
    console.log(`${target}: ${kept[target].length} inputs`);
  }
  writeFileSync(CORPUS, JSON.stringify(kept, null, 2) + '\n');
}

if (process.argv[1] === SELF && process.argv.includes('--minimise')) {
  const reason = whyNot();
  if (reason !== undefined) throw new Error(`this needs ${reason}`);
  await minimise();
}
