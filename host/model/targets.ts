// The target types of the model, as the modules of recorded kernels have them.

import type { AnyTargetType } from './target.js';
import * as plain from './targets/plain.js';

/** All, in no order. */
export const TARGET_TYPES: readonly AnyTargetType[] = [...Object.values(plain)];
