// What others wrote, as the files in facts/ quote it: nothing in them was made by this package.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file as it is. */
export function factsIn(file: string): unknown {
  const path = join(import.meta.dirname, '../../../test/facts', `${file}.json`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** A file's cases, or another list in it. */
export function factsOf(file: string, list = 'cases'): readonly unknown[] {
  return (factsIn(file) as Record<string, readonly unknown[]>)[list]!;
}
