// Has a guest carry out sequences, and gives back what it answered.

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Answer, Sequence } from './script.js';

const ROOT = join(import.meta.dirname, '../../../..');

interface Guests {
  readonly DEFAULT_KERNEL: string;
  readonly KERNELS: Readonly<Record<string, string>>;
  readonly whyNot: (kernel: string) => string | undefined;
  readonly installKernel: (
    kernel: string,
    options: { readonly log: (line: string) => void },
  ) => Promise<void>;
  readonly runInGuest: (
    command: readonly string[],
    options: object,
  ) => Promise<{ readonly exitCode: number; readonly stderr?: string; readonly kernelLog: string }>;
}

export async function guests(): Promise<Guests> {
  return (await import(pathToFileURL(join(ROOT, 'test/kernel/uml.mjs')).href)) as Guests;
}

export interface Options {
  readonly kernel: string;
  /** Told how many steps are answered. */
  readonly onProgress?: (steps: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Outcome {
  /** Of each sequence that was begun. */
  readonly answers: readonly (readonly Answer[])[];
  /** Why the last one has less answers than steps; undefined if all were carried out. */
  readonly lost?: string;
}

/** A guest that has answered nothing for so long hangs, and cannot be ended from within. */
const PATIENCE_MS = 120_000;

/** Boot `kernel` once for `sequences`. */
export async function runInGuest(
  sequences: readonly Sequence[],
  { kernel, onProgress, signal }: Options,
): Promise<Outcome> {
  const dir = fs.mkdtempSync(join(tmpdir(), 'differential-'));
  const [given, answered] = [join(dir, 'sequences'), join(dir, 'answers')];
  const patience = new AbortController();
  let seen = 0;
  let since = performance.now();
  const timer = setInterval(() => {
    const { size } = fs.statSync(answered);
    if (size !== seen) {
      [seen, since] = [size, performance.now()];
      onProgress?.(countLines(answered));
    } else if (performance.now() - since > PATIENCE_MS) {
      patience.abort(new Error(`no answer for ${PATIENCE_MS / 1000} s`));
    }
  }, 1000);
  try {
    fs.writeFileSync(given, sequences.map((one) => `${JSON.stringify(one)}\n`).join(''));
    fs.writeFileSync(answered, '');
    const lost = await carryOut([given, answered], kernel, [patience.signal, signal]);
    signal?.throwIfAborted();
    const lines = fs.readFileSync(answered, 'utf8').match(/.+(?=\n)/g) ?? [];
    const answers = deal(
      lines.map((line) => JSON.parse(line) as Answer),
      sequences,
    );
    return lost === undefined ? { answers } : { answers, lost };
  } finally {
    clearInterval(timer);
    fs.rmSync(dir, { recursive: true });
  }
}

/** @returns what went wrong, if something did */
async function carryOut(
  files: readonly string[],
  kernel: string,
  signals: readonly (AbortSignal | undefined)[],
): Promise<string | undefined> {
  const program = join(import.meta.dirname, 'guest.js');
  const host = await guests();
  try {
    const { exitCode, stderr } = await host.runInGuest([process.execPath, program, ...files], {
      kernel,
      mem: '768M',
      disks: ['64M', '64M'],
      timeoutMs: Infinity,
      stdout: 'pipe',
      stderr: 'pipe',
      cwd: ROOT,
      signal: AbortSignal.any(signals.filter((one) => one !== undefined)),
    });
    return exitCode === 0 ? undefined : `it ended with ${exitCode}: ${stderr?.trim()}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The answers of each sequence that has any. */
function deal(answers: readonly Answer[], sequences: readonly Sequence[]): Answer[][] {
  const dealt: Answer[][] = [];
  let at = 0;
  for (const { length } of sequences) {
    if (at >= answers.length) break;
    dealt.push(answers.slice(at, at + length));
    at += length;
  }
  return dealt;
}

function countLines(path: string): number {
  let lines = 0;
  for (const byte of fs.readFileSync(path)) if (byte === 0x0a) lines++;
  return lines;
}
