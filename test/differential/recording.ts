// What a kernel has answered, as a file: with it the model is judged where there is no kernel.

import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Answer, Sequence } from './script.js';

export interface Recording {
  /** As guests are called. */
  readonly kernel: string;
  /** Begins with the one by which modules were loaded. */
  readonly cases: readonly Recorded[];
}

export interface Recorded {
  readonly sequence: Sequence;
  readonly answers: readonly Answer[];
}

export function writeRecording(path: string, { kernel, cases }: Recording): void {
  const lines = [{ kernel }, ...cases].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(path, gzipSync(lines.join(''), { level: 9 }));
}

export function readRecording(path: string | URL): Recording {
  const [first, ...rest] = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  const { kernel } = JSON.parse(first!) as { kernel: string };
  return { kernel, cases: rest.map((line) => JSON.parse(line) as Recorded) };
}
