import { defineTarget } from './define.js';
import {
  device,
  deviceAt,
  list,
  optional,
  oneOf,
  ratio,
  sectors,
  text,
  variant,
} from './fields.js';
import { count, flag, literal, options } from './parts.js';

/**
 * The same data on several devices.
 *
 * @example
 * mirror({
 *   startSector: 0,
 *   length: 2048,
 *   log: { type: 'core', regionSize: 64, sync: 'nosync' },
 *   mirrors: [
 *     { device: '/dev/sdb', offset: 0 },
 *     { device: '/dev/sdc', offset: 0 },
 *   ],
 *   handleErrors: true,
 * })
 * @since Linux 2.6
 * @see drivers/md/dm-raid1.c mirror_ctr(), mirror_status(); dm-log.c core_ctr(), disk_ctr()
 */
export const mirror = /* @__PURE__ */ defineTarget('mirror', () => {
  const region = {
    /** What is in sync or not as a whole, in sectors: a power of two. */
    regionSize: sectors({ min: 1 }),
    /** Take all for out of sync, or for in sync, at the start. */
    sync: optional(oneOf('sync', 'nosync')),
  };
  return {
    parameters: [
      {
        /** Which regions are in sync: in memory (core), on a device (disk), or as a program says. */
        log: variant(
          'type',
          {
            core: region,
            disk: {
              /** What has the log. */
              device: device(),
              ...region,
            },
            userspace: {
              /** Which log of the program's. */
              uuid: text(),
              /** What the program wants to know. */
              arguments: list(text()),
            },
          },
          { counted: true },
        ),
      },
      count('mirrors'),
      {
        /** The devices, and where on each the data begins, in sectors. */
        mirrors: list(deviceAt(), { min: 1, max: 9 }),
      },
      options({
        /** Do without a device that fails, after who listens for events has seen to it. */
        handleErrors: flag(),
        /** Keep the log when a device fails; only with `handleErrors`. */
        keepLog: flag(),
      }),
    ],
    status: [
      count('devices'),
      {
        /** As 'major:minor'. */
        devices: list(device()),
        /** Regions. */
        regions: ratio('inSync', 'total'),
      },
      literal('1'),
      {
        /** A letter each: A alive, F flush failed, D dead, S out of sync, R read failed, U unknown. */
        health: text(),
      },
      count('log'),
      {
        /** The log's type, and of one on a device that and its letter: A alive, D dead, F flush failed. */
        log: list(text()),
      },
    ],
  };
});
