// Of each kernel what `npm run agreement -- --json` has kept, for the pages that tell it.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kept } from './judge.js';

export const KEPT: readonly Kept[] = ['5.10', '6.1', '6.12'].flatMap((kernel): Kept[] => {
  const file = join(import.meta.dirname, `../../../../test/agreement/${kernel}.json`);
  return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8')) as Kept] : [];
});

/** As in '6.1', of '6.1.0-13-amd64'. */
export const seriesOf = ({ release }: Kept): string => /^\d+\.\d+/.exec(release)![0];
