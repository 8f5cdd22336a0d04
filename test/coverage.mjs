/**
 * Which lines of host/ the tests reach: `npm run coverage`, or with arguments for test/run.mjs. V8 counts
 * in the bundles, source maps say which line of a module each position is. For assembly/ it is the module as
 * C that is counted, over the corpus of the fuzzer: `npm run coverage -- --assembly`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { coverage } from './fuzz/build.mjs';
import { NATIVE_TARGETS, folders } from './fuzz/native.mjs';

const ROOT = resolve(fileURLToPath(import.meta.url), '../..');
const COUNTS = join(ROOT, 'build/coverage');

/** The ranges of a script that a process ran, the inner ones last. */
function rangesOf({ functions }) {
  return functions
    .flatMap(({ ranges }) => ranges)
    .sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
}

/** By source and line: was it ever run? */
function linesOf(bundle, scripts) {
  const code = readFileSync(bundle, 'utf8');
  const map = new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, 'utf8')));
  const ran = new Uint8Array(code.length);
  for (const script of scripts) {
    const own = new Uint8Array(code.length);
    for (const { startOffset, endOffset, count } of rangesOf(script)) {
      own.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
    own.forEach((one, at) => (ran[at] |= one));
  }
  const lines = new Map();
  let begin = 0;
  code.split('\n').forEach((text, row) => {
    const column = text.search(/[^\s})\];,]/);
    const { originalSource, originalLine } = column < 0 ? {} : map.findEntry(row, column);
    if (originalSource !== undefined && originalLine !== undefined) {
      const key = `${relative(ROOT, resolve(bundle, '..', originalSource))}:${originalLine + 1}`;
      lines.set(key, (lines.get(key) ?? 0) | ran[begin + column]);
    }
    begin += text.length + 1;
  });
  return lines;
}

function host(args) {
  rmSync(COUNTS, { recursive: true, force: true });
  mkdirSync(COUNTS, { recursive: true });
  const run = [join(ROOT, 'test/run.mjs'), ...(args.length > 0 ? args : ['--quick'])];
  const env = { ...process.env, NODE_V8_COVERAGE: COUNTS };
  const { status } = spawnSync(process.execPath, run, { env, stdio: 'inherit' });
  const byBundle = new Map();
  for (const name of readdirSync(COUNTS)) {
    for (const script of JSON.parse(readFileSync(join(COUNTS, name), 'utf8')).result) {
      const path =
        script.url.startsWith(`file://${ROOT}/dist/chunks/`) && fileURLToPath(script.url);
      if (path) byBundle.set(path, [...(byBundle.get(path) ?? []), script]);
    }
  }
  const files = new Map();
  for (const [bundle, scripts] of byBundle) {
    for (const [key, ran] of linesOf(bundle, scripts)) {
      const [file, line] = key.split(':');
      if (!file.startsWith('host/') || file.startsWith('host/generated/')) continue;
      const lines = files.get(file) ?? { all: 0, missed: [] };
      lines.all++;
      if (ran === 0) lines.missed.push(Number(line));
      files.set(file, lines);
    }
  }
  let all = 0;
  let missed = 0;
  for (const [file, lines] of [...files].sort()) {
    all += lines.all;
    missed += lines.missed.length;
    const share = percent(lines.all - lines.missed.length, lines.all);
    console.log(`${file.padEnd(28)} ${share}  ${lines.missed.sort((a, b) => a - b).join(' ')}`);
  }
  console.log(`${all} lines with code, ${percent(all - missed, all).trim()} reached`);
  return status === 0;
}

function percent(part, whole) {
  return `${((100 * part) / whole).toFixed(1)} %`.padStart(8);
}

async function assembly() {
  const program = await coverage();
  const profiles = [];
  for (const target of NATIVE_TARGETS) {
    const profile = join(COUNTS, `${target}.profraw`);
    const env = { ...process.env, FUZZ_TARGET: target, LLVM_PROFILE_FILE: profile };
    execFileSync(program, ['-runs=0', ...folders(target)], { env, stdio: 'ignore' });
    profiles.push(profile);
  }
  const data = join(COUNTS, 'assembly.profdata');
  execFileSync('llvm-profdata-14', ['merge', '-o', data, ...profiles]);
  const report = ['report', program, `-instr-profile=${data}`, '--show-functions', 'codec.c'];
  const table = execFileSync('llvm-cov-14', report, {
    cwd: join(ROOT, 'build/fuzz'),
    encoding: 'utf8',
  });
  console.log(
    table
      .split('\n')
      .filter((line) => /^(Name|TOTAL|.*w2c_)/.test(line))
      .join('\n'),
  );
  return true;
}

const [first, ...rest] = process.argv.slice(2);
mkdirSync(COUNTS, { recursive: true });
const all =
  first === '--assembly' ? await assembly() : host(first === undefined ? [] : [first, ...rest]);
process.exitCode = all ? 0 : 1;
