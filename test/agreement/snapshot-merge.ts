import { snapshots } from './snapshot.js';

export const generator = snapshots('snapshot-merge');
