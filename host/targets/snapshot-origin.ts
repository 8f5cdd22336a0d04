import { defineTarget } from './define.js';
import { device } from './fields.js';
import { argumentsRule, deviceRule } from './rules.js';

/**
 * A device that has snapshots: what is written is copied for them first.
 *
 * @example
 * snapshotOrigin({ startSector: 0, length: 2048, origin: '/dev/mapper/base-real' })
 * @since Linux 2.6
 * @see drivers/md/dm-snap.c origin_ctr()
 */
export const snapshotOrigin = /* @__PURE__ */ defineTarget('snapshot-origin', () => ({
  parameters: [
    {
      /** What lies beneath. */
      origin: device(),
    },
  ],
  rules: [
    argumentsRule(
      {
        code: 'snapshot-origin-arguments',
        expected: 'a device',
        why: 'snapshot-origin takes a device, and nothing else (dm-snap.c origin_ctr).',
        example: '0 8 snapshot-origin 8:16 0',
        fix: 'write DEVICE',
        log: 'origin: incorrect number of arguments',
      },
      (count) => count === 1,
    ),
    deviceRule(
      {
        code: 'snapshot-origin-device',
        why: 'The kernel has no such block device (dm-snap.c origin_ctr).',
        example: '0 8 snapshot-origin 4096:0',
        fix: 'write the path or major:minor of a block device',
        log: 'Cannot get target device',
      },
      () => [0],
    ),
  ],
  areas: ({ length }) => [{ word: 0, start: 0n, length }],
}));
