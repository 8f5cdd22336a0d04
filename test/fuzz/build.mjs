// The module as C, with libFuzzer and the oracle, in one program: build/fuzz/native.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');
const OUT = join(ROOT, 'build/fuzz');
const RUNTIME = '/usr/share/wabt/wasm2c';
const SOURCES = ['native.c', 'oracle.c', 'oracle.h'].map((name) => join(ROOT, 'test/fuzz', name));
const WASM = join(ROOT, 'dist/codec.wasm');

export const PROGRAM = join(OUT, 'native');

/** What is missing to build it, if anything. */
export function whyNot() {
  const missing = ['clang', 'wasm2c'].filter((name) => {
    return !process.env.PATH.split(':').some((path) => existsSync(join(path, name)));
  });
  if (!missing.includes('clang') && !hasLibFuzzer()) missing.push("clang's libFuzzer");
  if (missing.length === 0) return undefined;
  return `${missing.join(' and ')} (npm run setup fuzz)`;
}

/** A package of its own, which clang does without until it links. */
function hasLibFuzzer() {
  const folder = execFileSync('clang', ['-print-runtime-dir'], { encoding: 'utf8' }).trim();
  return (
    existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('libclang_rt.fuzzer'))
  );
}

/** Build it, if what it is made of is newer. */
export async function build() {
  return make(PROGRAM, 'fuzzer-no-link,address', []);
}

/** The same, to count what of the module is reached; its path. */
export async function coverage() {
  const program = join(OUT, 'coverage');
  const counting = ['-fprofile-instr-generate', '-fcoverage-mapping'];
  await make(program, 'fuzzer-no-link', counting);
  return program;
}

async function make(program, sanitizers, counting) {
  const newest = Math.max(
    ...[...SOURCES, WASM, fileURLToPath(import.meta.url)].map((path) => statSync(path).mtimeMs),
  );
  if (existsSync(program) && statSync(program).mtimeMs > newest) return;
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, 'abi.h'), await abi());
  const run = (command, ...args) => execFileSync(command, args, { cwd: OUT, stdio: 'pipe' });
  run('wasm2c', WASM, '-n', 'codec', '-o', 'codec.c');
  const include = ['-I', OUT, '-I', RUNTIME, '-I', join(ROOT, 'test/fuzz')];
  // Bounds are checked by comparing, as a signal handler is the sanitizer's here.
  const checks = [
    'MEMCHECK_SIGNAL_HANDLER=0',
    'MEMCHECK_SIGNAL_HANDLER_POSIX=0',
    'TRAP_HANDLER=trapped',
  ];
  const flags = ['-O2', '-g', ...include, ...checks.map((check) => `-DWASM_RT_${check}`)];
  const sanitize = `-fsanitize=${sanitizers}`;
  // What leads the fuzzer is the module alone: the oracle and the harness are not to.
  const harness = sanitizers.includes('address') ? ['-fsanitize=address'] : [];
  run('clang', ...flags, sanitize, ...counting, '-c', 'codec.c');
  run('clang', ...flags, ...harness, '-c', join(RUNTIME, 'wasm-rt-impl.c'));
  const own = SOURCES.filter((path) => path.endsWith('.c'));
  run('clang', ...flags, '-Wall', '-Wextra', '-Werror', ...harness, '-c', ...own);
  const objects = ['codec.o', 'wasm-rt-impl.o', 'native.o', 'oracle.o'];
  const linked = sanitize.replace('fuzzer-no-link', 'fuzzer');
  run('clang', linked, ...counting, ...objects, '-lm', '-o', program);
}

/** The numbers between the module and a host, from where the host has them. */
async function abi() {
  const { Cell, Status, ...rest } = await import('#internal');
  const lines = ['// Written by test/fuzz/build.mjs.'];
  for (const [name, value] of Object.entries(Cell)) lines.push(`#define CELL_${name} ${value}`);
  for (const [name, value] of Object.entries(Status))
    lines.push(`#define STATUS_${name} (${value})`);
  for (const [name, value] of Object.entries(rest)) {
    if (/^[A-Z_]+$/.test(name) && Number.isInteger(value))
      lines.push(`#define ABI_${name} ${value}`);
  }
  return lines.join('\n') + '\n';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reason = whyNot();
  if (reason !== undefined) throw new Error(`building the fuzzer needs ${reason}`);
  await build();
}
