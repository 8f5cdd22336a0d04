import { defineTarget } from './define.js';
import { device, integer, list, type Field } from './fields.js';
import { message } from './messages.js';
import { literal } from './parts.js';
import { OLDEST } from './rules.js';
import { readerRules } from './reader.js';

/** One row of zones: `FREE/TOTAL random FREE/TOTAL sequential`, or before it `FREE/TOTAL cache`. */
export interface Zones {
  /** Zones that are mapped to nothing. */
  readonly free: number;
  /** All of them. */
  readonly total: number;
  /** 'cache', 'random' or 'sequential'. */
  readonly kind: string;
}

function zones(): Field<Zones> {
  const expected = 'FREE/TOTAL and a kind of zones';
  return {
    expected,
    shape: { kind: 'text' },
    read(words) {
      const [, free, total] = /^(\d+)\/(\d+)$/.exec(words.next(expected)) ?? [];
      if (total === undefined) return words.refuse(expected);
      return { free: Number(free), total: Number(total), kind: words.next(expected) };
    },
    write: ({ free, total, kind }) => [`${free}/${total}`, kind],
  };
}

/**
 * A zoned disk that can be written anywhere.
 *
 * @example
 * zoned({ startSector: 0, length: 524288, devices: ['/dev/sdb'] })
 * @since Linux 4.13
 * @see drivers/md/dm-zoned-target.c dmz_ctr(), dmz_status(), dmz_message()
 */
export const zoned = /* @__PURE__ */ defineTarget('zoned', () => ({
  parameters: [
    {
      /** The zoned disks; the first may be a regular one, as a cache (from Linux 5.8 on). */
      devices: list(device(), { min: 1 }),
    },
  ],
  status: [
    {
      /** Zones in all. */
      zoneCount: integer(),
    },
    literal('zones'),
    {
      /** The cache, and of each zoned disk its random and its sequential zones. */
      zones: list(zones()),
    },
  ],
  messages: {
    /** Make zones free. */
    reclaim: message('reclaim'),
  },
  features: { singleton: OLDEST },
  rules: readerRules(
    (reader) => {
      const { line } = reader;
      if (line.count === 0) reader.refuse('zoned-arguments', 'expected DEVICE');
      for (let at = 0; at < line.count; at++) {
        reader.device(at, 'zoned-device');
      }
    },
    [
      {
        code: 'zoned-arguments',
        why: 'A device is needed (dm-zoned-target.c dmz_ctr).',
        example: '0 8 zoned',
        fix: 'write the disks',
        log: 'Invalid argument count',
      },
      {
        code: 'zoned-device',
        why: 'The kernel has no such block device (dm-zoned-target.c dmz_get_zoned_device).',
        example: '0 8 zoned 4096:0',
        fix: 'write the path or major:minor of a block device',
        log: 'Get target device failed',
      },
    ],
  ),
}));
