// All target types by their names. Whatever needs them all imports this; whoever needs one imports that.

export { crypt } from './crypt.js';
export { error } from './error.js';
export { linear } from './linear.js';
export { striped } from './striped.js';
export { thin } from './thin.js';
export { thinPool } from './thin-pool.js';
export { verity } from './verity.js';
export { zero } from './zero.js';
