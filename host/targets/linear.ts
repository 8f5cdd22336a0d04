import { defineTarget } from './define.js';
import { device, sectors } from './fields.js';
import { argumentsRule, deviceRule, sectorRule, sscanf64 } from './rules.js';

/**
 * A range of another device.
 *
 * @example
 * linear({ startSector: 0, length: 2048, device: '/dev/sdb', offset: 34 })
 * @since Linux 2.6
 * @see drivers/md/dm-linear.c linear_ctr()
 */
export const linear = /* @__PURE__ */ defineTarget('linear', () => ({
  parameters: [
    {
      /** What lies beneath. */
      device: device(),
      /** Where on it the range begins, in sectors. */
      offset: sectors(),
    },
  ],
  rules: [
    argumentsRule(
      {
        code: 'linear-arguments',
        expected: 'a device and an offset',
        why: 'linear takes a device and a sector, no more and no less (dm-linear.c linear_ctr).',
        example: '0 8 linear 8:16',
        fix: 'write DEVICE OFFSET',
        log: 'Invalid argument count',
      },
      (count) => count === 2,
    ),
    sectorRule(
      {
        code: 'linear-offset',
        why: 'The offset is a decimal number (dm-linear.c linear_ctr).',
        example: '0 8 linear 8:16 -1',
        fix: 'write decimal sectors of 512 bytes',
        log: 'Invalid device sector',
      },
      [1],
    ),
    deviceRule(
      {
        code: 'linear-device',
        why: 'The kernel has no such block device (dm-linear.c linear_ctr).',
        example: '0 8 linear 4096:0 0',
        fix: 'write the path or major:minor of a block device',
        log: 'Device lookup failed',
      },
      [0],
    ),
  ],
  areas: (line) => [
    { word: 0, offsetWord: 1, start: sscanf64(line.word(1))!, length: line.length },
  ],
}));
