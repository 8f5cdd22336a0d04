/**
 * The test runner; `node test/run.mjs --help` after a build.
 *
 * Strategy: a child process runs a test file and appends what happens to a report, one JSON value a
 * line: the file, each test before it starts, the result. Whatever stops the child, the report says
 * where it was; so a promise that never settles, an endless loop and a process.exit(0) are failures
 * like any other. The files that need a kernel of their own (*.kernel.test.js) run in one process in
 * one guest, where node is slow to start, and report in the same way through the shared file system.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect, parseArgs } from 'node:util';

const SELF = fileURLToPath(import.meta.url);
const ROOT = resolve(SELF, '../..');
const BUILT = join(ROOT, 'build/js/test');
const CI = process.env.CI === 'true';

const HELP = `usage: node test/run.mjs [options] [WORD ...]
Run the built tests, or those with one of the WORDs in their path.
  --quick           leave out the tests that need a kernel of their own
  --only-kernel     run nothing else
  --kernel NAME     the kernel to run them on (6.1 and 6.12); may be repeated
  --limit-ms N      time for one file (120000); a test gets half of it, a guest five times as much
  --verbose         show what the tests print when they pass, too
  --dir DIR         where the built tests are (build/js/test)
  --guests MODULE   what installs and boots kernels (test/kernel/uml.mjs)
  --report FILE     run the files named by the WORDs in this very process and report to FILE`;

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' },
    'only-kernel': { type: 'boolean' },
    kernel: { type: 'string', multiple: true },
    'limit-ms': { type: 'string', default: '120000' },
    dir: { type: 'string', default: BUILT },
    guests: { type: 'string', default: join(ROOT, 'test/kernel/uml.mjs') },
    report: { type: 'string' },
    verbose: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
const limitMs = Number(options['limit-ms']);
const lingerMs = limitMs / 20;
const dir = resolve(options.dir);

if (options.help) console.log(HELP);
else if (options.report) await runHere(options.report, words);
else process.exitCode = summarize(await runAll()) ? 0 : 1;

/** The child's part: run `files` one after another in this process. */
async function runHere(report, files) {
  const note = (value) => fs.appendFileSync(report, JSON.stringify(value) + '\n');
  globalThis.UVU_DEFER = 1;
  const { runFile } = await import(pathToFileURL(join(BUILT, 'harness.js')));
  for (const file of files) {
    note({ file });
    const onTest = (test) => note({ file, test });
    note({ file, result: await runFile(pathToFileURL(file).href, limitMs / 2, onTest) });
  }
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    console.error(`still waiting ${lingerMs} ms after the last test: ${open}`);
    process.exit(1);
  }, lingerMs).unref();
}

/** Run everything that was asked for, two jobs at a time. */
async function runAll() {
  const files = findTests();
  if (files.length === 0) console.log(`no such tests in ${dir}; are they built?`);
  const kernelFiles = files.filter((file) => file.endsWith('.kernel.test.js'));
  fs.mkdirSync(join(ROOT, 'build'), { recursive: true });
  const reports = fs.mkdtempSync(join(ROOT, 'build/report-'));

  const jobs = [];
  if (!options.quick && (kernelFiles.length > 0 || words.length === 0)) {
    jobs.push(() => runKernels(kernelFiles, reports));
  }
  if (!options['only-kernel']) {
    for (const [index, file] of files.entries()) {
      if (!kernelFiles.includes(file)) jobs.push(() => runPlain(file, join(reports, `${index}`)));
    }
  }
  const results = [];
  const lane = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      results.push(...(await job().catch(brokenRunner)));
    }
  };
  const brokenRunner = (error) => [show('runner', { failed: 1, failures: [inspect(error)] })];
  await Promise.all([lane(), lane()]);
  fs.rmSync(reports, { recursive: true });
  return results;
}

function findTests() {
  if (!fs.existsSync(dir)) return [];
  // What was built from a source that is gone stays behind; a folder of fixtures has no sources.
  const stale = (path) =>
    dir === BUILT && !fs.existsSync(join(ROOT, 'test', path.replace(/js$/, 'ts')));
  return fs
    .readdirSync(dir, { recursive: true })
    .filter((path) => path.endsWith('.test.js') && !stale(path))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort()
    .map((path) => join(dir, path));
}

/** Run one file in a child process. */
async function runPlain(file, report) {
  // A pipe would stay open for as long as some grandchild holds it: output goes to a file.
  const log = `${report}.log`;
  const output = fs.openSync(log, 'w');
  const args = [SELF, '--report', report, '--limit-ms', `${limitMs}`, file];
  const trouble = await new Promise((done) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', output, output] });
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      done(child.killed ? `was killed after ${limitMs} ms` : exitTrouble(signal ?? code));
    });
  });
  fs.closeSync(output);
  return readReport([file], report, trouble, fs.readFileSync(log, 'utf8'), '');
}

/** Run the kernel files, in one guest on each kernel asked for. */
async function runKernels(files, reports) {
  const guests = await import(pathToFileURL(resolve(options.guests)).href);
  const results = [];
  for (const kernel of options.kernel ?? guests.TEST_KERNELS) {
    results.push(...(await runKernel(guests, kernel, files, join(reports, `kernel-${kernel}`))));
  }
  return results;
}

/** A guest that cannot be had is a skip with its reason, in CI a failure. */
async function runKernel(guests, kernel, files, report) {
  const label = `kernel ${kernel}`;
  if (files.length === 0) return [show(label, { failed: 1, failures: ['no *.kernel.test.js'] })];
  try {
    const reason = await guests.whyNot(kernel);
    if (reason) throw new Error(reason);
    await guests.installKernel(kernel, { suites: ['udev'], log: console.log });
  } catch ({ message }) {
    const outcome = CI
      ? { failed: 1, failures: [message] }
      : { skipped: 1, skips: [`${files.length} files (${message})`] };
    return [show(label, outcome)];
  }
  const args = [SELF, '--report', report, '--limit-ms', `${limitMs}`, ...files];
  const { exitCode, stdout, stderr } = await guests
    .runInGuest([process.execPath, ...args], {
      kernel,
      mem: '1G',
      disks: ['64M', '64M', '64M', '64M'],
      timeoutMs: 5 * limitMs,
      stdout: 'pipe',
      stderr: 'pipe',
      cwd: ROOT,
    })
    .catch((error) => ({ exitCode: error.message, stdout: '', stderr: inspect(error) }));
  return readReport(files, report, exitTrouble(exitCode), `${stdout}${stderr}`, `${label}: `);
}

/** What is wrong with the way a process ended. */
function exitTrouble(code) {
  return code === 0 ? '' : `ended with ${code}`;
}

/** The results of `files`; one that is missing in the report fails and names the test it was in. */
function readReport(files, report, trouble, output, prefix) {
  const text = fs.existsSync(report) ? fs.readFileSync(report, 'utf8') : '';
  const lines = (text.match(/.+(?=\n)/g) ?? []).map((line) => JSON.parse(line));
  const found = files.map((file) => {
    const { test, result } = lines.findLast((line) => line.file === file) ?? {
      test: 'not reached',
    };
    const lost = `${test ?? 'loading'}: the process ${trouble || 'ended early'}`;
    return result ?? { failed: 1, failures: [lost] };
  });
  const last = found.at(-1);
  if (trouble && lines.at(-1)?.result) {
    last.failed++;
    last.failures.push(`after the last test: the process ${trouble}`);
  }
  if (output.trim())
    found.findLast(({ failed }) => failed)?.failures.push(`Its output:\n${output}`);
  const results = found.map((result, index) => show(prefix + relative(dir, files[index]), result));
  if (options.verbose && results.every(({ failed }) => failed === 0)) console.log(output);
  return results;
}

/** Print a result's line and return it complete. */
function show(label, fields) {
  const nothing = { passed: 0, failed: 0, skipped: 0, seconds: 0, skips: [], failures: [] };
  const result = { label, ...nothing, ...fields };
  const counts = ['passed', 'failed', 'skipped']
    .filter((kind) => kind === 'passed' || result[kind] > 0)
    .map((kind) => `${result[kind]} ${kind}`);
  const mark = result.failed ? 'FAIL' : result.passed ? 'ok  ' : 'skip';
  console.log(`${mark}  ${label}: ${counts.join(', ')}, ${result.seconds.toFixed(1)} s`);
  return result;
}

/** Print failures, then skips, then the counts as the last line; true when all is well. */
function summarize(results) {
  for (const { label, failed, failures } of results) {
    if (failed) console.log(`\n==== ${label}: ${failed} failed\n${failures.join('\n')}`);
  }
  console.log();
  for (const { label, skips } of results) {
    for (const skip of skips) console.log(`SKIPPED: ${label}: ${skip}`);
  }
  const sum = (kind) => results.reduce((total, result) => total + result[kind], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 && sum('passed') > 0;
}
