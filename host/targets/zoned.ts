import { defineTarget } from './define.js';
import { device, integer, list, type Field } from './fields.js';
import { message } from './messages.js';
import { literal } from './parts.js';
import { OLDEST } from './rules.js';

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
}));
