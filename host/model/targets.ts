// The target types of the model, as the modules of recorded kernels have them.

import type { AnyTargetType } from './target.js';
import * as caches from './targets/cache.js';
import { mirror } from './targets/mirror.js';
import { multipath } from './targets/multipath.js';
import * as plain from './targets/plain.js';
import { raid } from './targets/raid.js';
import * as secrets from './targets/secret.js';
import * as snapshots from './targets/snapshot.js';
import * as thins from './targets/thin.js';

/** All, in no order. */
export const TARGET_TYPES: readonly AnyTargetType[] = [
  ...Object.values(plain),
  ...Object.values(secrets),
  ...Object.values(snapshots),
  ...Object.values(thins),
  ...Object.values(caches),
  mirror,
  multipath,
  raid,
];
