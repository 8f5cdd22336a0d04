import { defineTarget } from './define.js';
import { device, optional, sectors } from './fields.js';
import { deviceRule, sectorRule, sscanf64, type Arguments } from './rules.js';

/** From this release on it has the limits of a device. */
const LIMITS = '6.5';

/** Any other number of words is not looked at. */
const ifTwo =
  (word: number) =>
  ({ count }: Arguments): number[] =>
    count === 2 ? [word] : [];

/**
 * All I/O fails.
 *
 * @example
 * error({ startSector: 0, length: 2048 })
 * @since Linux 2.6
 * @see drivers/md/dm-target.c io_err_ctr()
 */
export const error = /* @__PURE__ */ defineTarget('error', () => ({
  parameters: [
    {
      /** Whose limits to have, from Linux 6.5 on; the kernel's table does not tell it. */
      device: optional(device()),
      /** Where on it, in sectors; given if and only if `device` is. */
      offset: optional(sectors()),
    },
  ],
  rules: [
    sectorRule(
      {
        code: 'error-offset',
        why: 'Of exactly two words the second is a sector (dm-target.c io_err_get_args).',
        example: '0 8 error 8:16 x',
        fix: 'write decimal sectors of 512 bytes, or no words at all',
        log: 'Invalid device sector',
        since: LIMITS,
      },
      ifTwo(1),
    ),
    deviceRule(
      {
        code: 'error-device',
        why: 'Of exactly two words the first is a device (dm-target.c io_err_get_args).',
        example: '0 8 error 4096:0 0',
        fix: 'write the path or major:minor of a block device, or no words at all',
        log: 'Device lookup failed',
        since: LIMITS,
      },
      ifTwo(0),
    ),
  ],
  areas: (line) =>
    line.count === 2 && sscanf64(line.word(1)) !== undefined
      ? [
          {
            word: 0,
            offsetWord: 1,
            start: sscanf64(line.word(1))!,
            length: line.length,
            since: LIMITS,
          },
        ]
      : [],
}));
