/** The runner's claims, each tried on throw-away test files and a guest that is only a process. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, rejects, suite } from './harness.js';

const root = join(import.meta.dirname, '../../..');
const runner = join(root, 'test/run.mjs');
const HEAD = `import { suite, skipSuite } from ${JSON.stringify(import.meta.resolve('./harness.js'))};
const S = suite('S');
`;
const GOOD = `S('is good', () => {});\nS.run();\n`;

interface Setup {
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly ci?: boolean;
}

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  /** The last line. */
  readonly counts: string | undefined;
}

/** Run the runner over `files`, written to a folder that is gone afterwards. */
async function run({ files, args = ['--quick'], ci = false }: Setup): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'harness-'));
  try {
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const env = { ...process.env, CI: String(ci) };
    const child = spawn(process.execPath, [runner, '--dir', dir, ...args], { cwd: dir, env });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    const code = await new Promise<number | null>((done) => child.on('close', done));
    return { code, output, counts: output.trimEnd().split('\n').at(-1) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

// A harness that cannot count failures would pass its own tests: so this one comes before them all.
const bad = `${HEAD}S('is bad', () => { throw new Error('the reason'); });\n${GOOD}`;
const first = await run({ files: { 'x.test.js': bad } });
if (first.code !== 1) throw new Error(`a failing test passes: ${first.output}`);

interface Case {
  readonly source: string;
  readonly counts: string;
  readonly says?: RegExp;
  readonly args?: readonly string[];
  readonly ci?: boolean;
}

const never = 'await new Promise(() => {});';
const loneFiles: Record<string, Case> = {
  'counts what passes': { source: GOOD, counts: '1 passed, 0 failed', says: /ok {4}x\.test\.js/ },
  'shows what fails and goes on': {
    source: `S('is bad', () => { throw new Error('the reason'); });\n${GOOD}`,
    counts: '1 passed, 1 failed',
    says: /FAIL {2}x\.test\.js: 1 passed, 1 failed[^]*the reason/,
  },
  'takes a rejection with something that is no Error': {
    source: `S('is bad', () => Promise.reject(null));\n${GOOD}`,
    counts: '1 passed, 1 failed',
    says: /threw null/,
  },
  'fails a suite that never runs': {
    source: `suite('forgotten')('is good', () => {});\n${GOOD}`,
    counts: '1 passed, 1 failed',
    says: /forgotten: the suite never runs/,
  },
  'fails tests that come after run()': {
    source: `${GOOD}S('is late', () => {});`,
    counts: '1 passed, 1 failed',
    says: /S: 1 tests come after \.run\(\)/,
  },
  'fails an empty suite': { source: 'S.run();', counts: '0 passed, 1 failed', says: /no test/ },
  'fails a file that does not load': {
    source: `${GOOD}import './missing.js';`,
    counts: '0 passed, 1 failed',
    says: /does not load[^]*missing\.js/,
  },
  'fails each test behind a before hook that throws': {
    source: `S.before(() => { throw new Error('the reason'); });\nS('too', () => {});\n${GOOD}`,
    counts: '0 passed, 2 failed',
    says: /S: before hook: Error: the reason/,
  },
  'fails a before.each hook that throws': {
    source: `S.before.each(() => { throw new Error('the reason'); });\n${GOOD}`,
    counts: '0 passed, 1 failed',
    says: /the reason/,
  },
  'fails an after hook that throws': {
    source: `S.after(() => { throw new Error('the reason'); });\n${GOOD}`,
    counts: '1 passed, 1 failed',
    says: /S: after hook: Error: the reason/,
  },
  'fails a promise that never settles': {
    source: `S('waits', async () => { ${never} });\n${GOOD}`,
    counts: '0 passed, 1 failed',
    says: /S: waits: the process ended with 13/,
  },
  'fails a promise that never settles while something else goes on': {
    source: `let id; S('waits', async () => { id = setInterval(() => {}, 9); ${never} });
S.after(() => clearInterval(id));\n${GOOD}`,
    counts: '1 passed, 1 failed',
    says: /not settled after 1000 ms/,
    args: ['--limit-ms', '2000'],
  },
  'fails top-level code that never ends': {
    source: `${GOOD}${never}`,
    counts: '0 passed, 1 failed',
    says: /loading: the process ended with 13/,
  },
  'kills an endless loop': {
    source: `S('spins', () => { for (;;); });\n${GOOD}`,
    counts: '0 passed, 1 failed',
    says: /S: spins: the process was killed after 2000 ms/,
    args: ['--limit-ms', '2000'],
  },
  'is not taken in by process.exit(0)': {
    source: `console.log('so far'); S('leaves', () => process.exit(0));\n${GOOD}`,
    counts: '0 passed, 1 failed',
    says: /S: leaves: the process ended early[^]*so far/,
  },
  'fails what is left running after the last test': {
    source: `setInterval(() => {}, 9);\n${GOOD}`,
    counts: '1 passed, 1 failed',
    says: /after the last test: the process ended with 1[^]*still waiting[^]*Timeout/,
    args: ['--limit-ms', '2000'],
  },
  'fails a rejection that nobody handles': {
    source: `setTimeout(() => Promise.reject(new Error('the reason')), 50);\n${GOOD}`,
    counts: '1 passed, 1 failed',
    says: /the reason/,
  },
  'lets .only choose, and says so': {
    source: `S.only('is chosen', () => {});\n${GOOD}`,
    counts: '1 passed, 0 failed',
    says: /SKIPPED: x\.test\.js: S: all but 1 \(\.only\)/,
  },
  'fails .only in CI': {
    source: `S.only('is chosen', () => {});\n${GOOD}`,
    counts: '1 passed, 1 failed',
    says: /S: is chosen: \.only/,
    ci: true,
  },
  'says why a test is skipped': {
    source: `S.skip('is not now', 'no moon');\n${GOOD}`,
    counts: '1 passed, 0 failed',
    says: /1 passed, 1 skipped[^]*SKIPPED: x\.test\.js: S: is not now \(no moon\)\n/,
  },
  'says why a suite is skipped, and is not content with that alone': {
    source: `S.skip('is not now', 'no moon');\nS.run();\nskipSuite('T', 'no sun');`,
    counts: '0 passed, 0 failed',
    says: /0 passed, 2 skipped[^]*SKIPPED: x\.test\.js: T \(no sun\)\n/,
  },
};

const Files = suite('runner: one file');
for (const [title, { source, counts, says = /./, args = [], ci = false }] of Object.entries(
  loneFiles,
)) {
  Files(title, async () => {
    const files = { 'x.test.js': HEAD + source };
    const outcome = await run({ files, args: ['--quick', ...args], ci });
    assert.is(outcome.counts, counts, outcome.output);
    assert.is(outcome.code, /^[1-9]\d* passed, 0 failed$/.test(counts) ? 0 : 1);
    assert.match(outcome.output, says);
  });
}
Files('fails a file with no suite', async () => {
  const { code, counts } = await run({ files: { 'x.test.js': 'export {};' } });
  assert.equal({ code, counts }, { code: 1, counts: '0 passed, 1 failed' });
});
Files.run();

const Many = suite('runner: many files');
const many = { 'a.test.js': HEAD + GOOD, 'b.test.js': HEAD + GOOD, 'b.js': 'process.exit(9);' };
Many('adds up the files, and takes no other', async () => {
  const { code, counts } = await run({ files: many });
  assert.equal({ code, counts }, { code: 0, counts: '2 passed, 0 failed' });
});
Many('runs those with one of the words in their path', async () => {
  const { counts } = await run({ files: many, args: ['--quick', 'b.t'] });
  assert.is(counts, '1 passed, 0 failed');
});
Many('is not content with no file', async () => {
  const { code, output } = await run({ files: many, args: ['--quick', 'nothing'] });
  assert.is(code, 1);
  assert.match(output, /no such tests/);
});
Many.run();

const GUESTS = `import { spawnSync } from 'node:child_process';
export const TEST_KERNELS = ['usual'];
export const whyNot = (name) => (name === 'absent' ? 'there is none' : undefined);
export async function installKernel(name) {
  if (name === 'broken') throw new Error('no way to it');
}
export async function runInGuest([command, ...args], { timeoutMs }) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: timeoutMs });
  if (status === null) throw new Error('the guest went silent');
  return { exitCode: status, stdout, stderr };
}`;
const kernelFiles = {
  'guests.mjs': GUESTS,
  'a.kernel.test.js': HEAD + GOOD,
  'b.kernel.test.js': `${HEAD}S('has company', () => { if (!globalThis.first) throw 0; });\nS.run();`,
};
kernelFiles['a.kernel.test.js'] += 'globalThis.first = true;';

const Kernels = suite('runner: kernels');
function runOn(files: Setup['files'], args: readonly string[] = [], ci = false) {
  return run({ files, args: ['--guests', 'guests.mjs', ...args], ci });
}
Kernels('runs all kernel files in one process of the guest, after their kernel', async () => {
  const { code, counts, output } = await runOn({ ...kernelFiles, ...many });
  assert.equal({ code, counts }, { code: 0, counts: '4 passed, 0 failed' }, output);
  assert.match(output, 'ok    kernel usual: b.kernel.test.js: 1 passed');
});
Kernels('runs them on each kernel named, and nothing else when asked', async () => {
  const args = ['--only-kernel', '--kernel', 'one', '--kernel', 'two'];
  const { counts, output } = await runOn({ ...kernelFiles, ...many }, args);
  assert.is(counts, '4 passed, 0 failed');
  assert.match(output, /kernel one: a\.[^]*kernel two: a\./);
});
Kernels('leaves them out when quick', async () => {
  const { counts } = await runOn({ ...kernelFiles, ...many }, ['--quick']);
  assert.is(counts, '2 passed, 0 failed');
});
Kernels('names the test a guest died in, and the files it never reached', async () => {
  const dying = `${HEAD}S('dies', () => process.exit(3));\nS.run();`;
  const { code, counts, output } = await runOn({
    ...kernelFiles,
    'aa.kernel.test.js': dying,
  });
  assert.equal({ code, counts }, { code: 1, counts: '1 passed, 2 failed' }, output);
  assert.match(output, /kernel usual: aa\.kernel[^]*S: dies: the process ended with 3/);
  assert.match(output, /kernel usual: b\.kernel[^]*not reached/);
});
Kernels('names the test a guest hung in', async () => {
  const hanging = `${HEAD}S('hangs', () => { for (;;); });\nS.run();`;
  const files = { ...kernelFiles, 'aa.kernel.test.js': hanging };
  const { counts, output } = await runOn(files, ['--limit-ms', '800']);
  assert.is(counts, '1 passed, 2 failed', output);
  assert.match(output, /S: hangs: the process ended with the guest went silent/);
});
for (const [kernel, reason] of [
  ['absent', 'there is none'],
  ['broken', 'no way to it'],
] as const) {
  Kernels(`skips an ${kernel} kernel aloud, and fails it in CI`, async () => {
    const args = ['--kernel', kernel];
    const files = { ...kernelFiles, ...many };
    const desk = await runOn(files, args);
    assert.is(desk.counts, '2 passed, 0 failed');
    assert.is(desk.code, 0);
    assert.match(desk.output, `SKIPPED: kernel ${kernel}: 2 files (${reason})\n`);
    const ci = await runOn(files, args, true);
    assert.is(ci.counts, '2 passed, 1 failed');
    assert.is(ci.code, 1);
    assert.match(ci.output, reason);
  });
}
Kernels('fails when there are no kernel files', async () => {
  const { counts } = await runOn({ ...many, 'guests.mjs': GUESTS });
  assert.is(counts, '2 passed, 1 failed');
});
Kernels('fails when there is no telling about kernels, and still runs the rest', async () => {
  const { code, counts } = await runOn({ ...many, 'a.kernel.test.js': HEAD + GOOD });
  assert.equal({ code, counts }, { code: 1, counts: '2 passed, 1 failed' });
});
Kernels.run();

const Rejects = suite('rejects');
Rejects('returns the error that was expected', async () => {
  const error = new RangeError('too far');
  assert.is(await rejects(Promise.reject(error)), error);
  assert.is(await rejects(Promise.reject(error), /far/), error);
  assert.is(
    await rejects(Promise.reject(error), (e: RangeError) => e.name === 'RangeError'),
    error,
  );
});
Rejects('fails on another error and on a value', async () => {
  const wrong = await rejects(rejects(Promise.reject(new Error('too far')), /near/));
  assert.match(wrong.message, /wrong error: Error: too far/);
  const none = await rejects(rejects(Promise.resolve(5)));
  assert.match(none.message, 'expected a rejection, got 5');
});
Rejects.run();
