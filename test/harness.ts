/**
 * The tests' door to uvu, and the only file that imports it.
 *
 * uvu alone is content with a suite that never runs, holds no test, or whose `before` hook throws, and
 * it loses errors from hooks. Here each of these is a failure. {@link runFile} runs the suites of one
 * test file and counts; test/run.mjs calls it in a process of its own, in a guest for many files.
 */
import { inspect } from 'node:util';
import { suite as uvuSuite } from 'uvu';
import * as assert from 'uvu/assert';

export { assert };

export type Body = () => void | Promise<void>;
type Hook = ((body: Body) => void) & { each(body: Body): void };

export interface Suite {
  (title: string, body: Body): void;
  /** Run these alone; a failure when CI is true. */
  only(title: string, body: Body): void;
  /** Leave a test out; its reason is printed with the results. */
  skip(title: string, reason: string, body?: Body): void;
  readonly before: Hook;
  readonly after: Hook;
  /** Hand the suite in; without this call the file fails. */
  run(): void;
}

/** What came of one file; a failure has its text in `failures`, but one text may speak for several. */
export interface FileResult {
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  readonly skips: string[];
  readonly failures: string[];
}

type Run = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;
const uvu = globalThis as unknown as { UVU_QUEUE: Run[][] };

const newFile = (limitMs: number, onTest: (test: string) => void) => ({
  limitMs,
  onTest,
  suites: [] as { name: string; waiting: number; ran: boolean }[],
  result: { passed: 0, failed: 0, skipped: 0, seconds: 0, skips: [], failures: [] } as FileResult,
});
let file = newFile(60_000, () => undefined);

function fail(text: string): void {
  file.result.failed++;
  file.result.failures.push(text);
}

function noteSkip(what: string, reason: string): void {
  file.result.skips.push(`${what} (${reason})`);
  console.log(`SKIPPED: ${what} (${reason})`);
}

/** `body` under the time limit, throwing nothing but Errors: uvu chokes on others. */
function guard(name: string, body: Body): () => Promise<void> {
  return async () => {
    const { limitMs, onTest } = file;
    onTest(name);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const give = () => {
        reject(new Error(`not settled after ${limitMs} ms`));
      };
      // Not keeping the process alive: with nothing left to wait for it ends at once, unreported.
      timer = setTimeout(give, limitMs).unref();
    });
    try {
      await Promise.race([body(), late]);
    } catch (error) {
      throw error instanceof Error ? error : new Error(`threw ${inspect(error)}`);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Make a suite: add tests by calling it, and end with `.run()`. */
export function suite(name: string): Suite {
  const inner = uvuSuite(name);
  const entry = { name, waiting: 0, ran: false };
  file.suites.push(entry);
  let only = 0;

  const add = (title: string, body: Body) => {
    entry.waiting++;
    return guard(`${name}: ${title}`, body);
  };
  const hook = (when: string, body: Body) => {
    const run = guard(`${name}: ${when} hook`, body);
    return async () => {
      try {
        await run();
      } catch (error) {
        const text = `${name}: ${when} hook: ${inspect(error)}`;
        // uvu fails the tests that `before` keeps from running, without a word why; it reports
        // `before.each` well, and for `after` it would count nothing, or stop.
        if (when === 'before') file.result.failures.push(text);
        if (when.startsWith('before')) throw error;
        fail(text);
      }
    };
  };
  const hooks = (when: 'before' | 'after'): Hook =>
    Object.assign(
      (body: Body) => {
        inner[when](hook(when, body));
      },
      {
        each(body: Body) {
          inner[when].each(hook(`${when}.each`, body));
        },
      },
    );

  const test = (title: string, body: Body) => {
    inner(title, add(title, body));
  };
  return Object.assign(test, {
    only(title: string, body: Body) {
      only++;
      inner.only(title, add(title, body));
      if (process.env.CI === 'true') fail(`${name}: ${title}: .only is for the desk, not for CI`);
    },
    skip(title: string, reason: string) {
      entry.waiting++;
      inner.skip();
      noteSkip(`${name}: ${title}`, reason);
    },
    before: hooks('before'),
    after: hooks('after'),
    run() {
      if (entry.waiting === 0) fail(`${name}: the suite holds no test`);
      if (only > 0) noteSkip(`${name}: all but ${only}`, '.only');
      Object.assign(entry, { waiting: 0, ran: true });
      inner.run();
    },
  });
}

/** Stand in for a suite that cannot run here. */
export function skipSuite(name: string, reason: string): void {
  file.suites.push({ name, waiting: 0, ran: true });
  file.result.skipped++;
  noteSkip(name, reason);
}

/** Expect `promise` to be rejected with an error that `check` accepts, and return that error. */
export async function rejects<E extends Error>(
  promise: Promise<unknown>,
  check: RegExp | ((error: E) => boolean) = () => true,
): Promise<E> {
  const error = await promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${inspect(value)}`);
    },
    (reason: unknown) => reason as E,
  );
  const right = check instanceof RegExp ? check.test(error.message) : check(error);
  assert.ok(right, `rejected with the wrong error: ${inspect(error)}`);
  return error;
}

/**
 * Load the test file at `url` and run its suites, `globalThis.UVU_DEFER` being set before uvu loads.
 *
 * @param limitMs - what one test or hook may take
 * @param onTest - told the name of each test before it starts
 */
export async function runFile(
  url: string,
  limitMs: number,
  onTest: (test: string) => void,
): Promise<FileResult> {
  const started = performance.now();
  const { result, suites } = (file = newFile(limitMs, onTest));
  const queue: Run[] = (uvu.UVU_QUEUE[0] = []);
  try {
    await import(url);
    if (suites.length === 0) fail('the file makes no suite');
  } catch (error) {
    fail(`the file does not load: ${inspect(error)}`);
  }
  for (const run of queue) {
    const [errors, passed, skipped, total] = await run();
    result.passed += passed;
    result.failed += total - passed;
    result.skipped += skipped;
    if (errors !== true) result.failures.push(errors);
  }
  for (const { name, waiting, ran } of suites) {
    if (!ran) fail(`${name}: the suite never runs; end it with .run()`);
    else if (waiting > 0) fail(`${name}: ${waiting} tests come after .run() and never run`);
  }
  result.seconds = (performance.now() - started) / 1000;
  return result;
}
