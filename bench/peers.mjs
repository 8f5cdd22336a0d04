// The peers that are no JavaScript: what each needs, its program, and a process of it. They are built on
// demand from bench/peers into build/peers; nothing is installed here.

import { execFile, spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { missingPackages } from '../test/setup.mjs';

/** The suite of test/packages.json with what all of them need. */
export const SUITE = 'bench';

const SOURCES = join(import.meta.dirname, 'peers');
const PROGRAMS = resolve(import.meta.dirname, '../build/peers');

const PEERS = {
  libdm: {
    source: 'libdm.c',
    packages: ['gcc', 'libc6-dev', 'libdevmapper-dev'],
    compile: (source, program) => ['gcc', '-O2', '-Wall', '-o', program, source, '-ldevmapper'],
  },
  wrapper: {
    source: 'wrapper.go',
    packages: ['golang-go'],
    compile: (source, program) => ['go', 'build', '-o', program, source],
  },
};

/** The Debian packages that are to be installed before `name` can be built; none if it can. */
export async function missingFor(name) {
  const missing = await missingPackages(SUITE);
  return PEERS[name].packages.filter((wanted) => missing.includes(wanted));
}

/** The path of the program `name`, compiled if its source is newer. */
export async function build(name) {
  const { source, compile } = PEERS[name];
  const from = join(SOURCES, source);
  const program = join(PROGRAMS, name);
  const built = statSync(program, { throwIfNoEntry: false });
  if (built !== undefined && built.mtimeMs >= statSync(from).mtimeMs) return program;
  mkdirSync(PROGRAMS, { recursive: true });
  const [compiler, ...args] = compile(from, program);
  await promisify(execFile)(compiler, args);
  return program;
}

/**
 * A process of a program: `PROGRAM JOB N RESULT [REPLY]`. It writes what it made to the file RESULT and
 * says `ready`. Then it does the job `times K` times, or for about `ms M`, and answers `K NS`.
 */
export class NativeProcess {
  #child;
  #lines;

  constructor(program, args) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ready() {
    await this.#line();
  }

  /** @returns how often it ran, and how long that took: for an order as contender.ts takes them */
  async ask(order) {
    const [[what, amount]] = Object.entries(order);
    this.#child.stdin.write(`${what} ${amount}\n`);
    const [times, ns] = (await this.#line()).split(' ').map(Number);
    return { times, ns };
  }

  end() {
    this.#child.stdin.end();
  }

  async #line() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnfile} ended`);
    return value;
  }
}
