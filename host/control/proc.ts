// Files of /proc and /sys: what cannot be read says nothing.

import { readFileSync } from 'node:fs';

/** The text of a file; '' if there is none, or no right to read it. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
