import { defineTarget } from './define.js';
import {
  device,
  integer,
  list,
  oneOf,
  optional,
  orDash,
  ratio,
  record,
  sectors,
  text,
} from './fields.js';
import { message } from './messages.js';
import { choice, count, flag, options, value, values } from './parts.js';

/** dm-raid.c raid_types[] */
const RAID_TYPES = [
  'raid0',
  'raid1',
  'raid10',
  'raid10_offset',
  'raid10_near',
  'raid10_far',
  'raid4',
  'raid5_n',
  'raid5_ls',
  'raid5_rs',
  'raid5_la',
  'raid5_ra',
  'raid6_zr',
  'raid6_nr',
  'raid6_nc',
  'raid6_n_6',
  'raid6_ls_6',
  'raid6_rs_6',
  'raid6_la_6',
  'raid6_ra_6',
] as const;

/**
 * The RAID levels of Linux's md.
 *
 * @example
 * raid({
 *   startSector: 0,
 *   length: 8192,
 *   raidType: 'raid1',
 *   chunkSize: 0,
 *   sync: 'nosync',
 *   regionSize: 1024,
 *   devices: [{ data: '/dev/sdb' }, { data: '/dev/sdc' }],
 * })
 * @since Linux 2.6.38
 * @see drivers/md/dm-raid.c raid_ctr(), parse_raid_params(), raid_status(), raid_message()
 */
export const raid = /* @__PURE__ */ defineTarget('raid', () => ({
  parameters: [
    {
      /** Level and layout; raid5 and raid6 have several. */
      raidType: oneOf(...RAID_TYPES),
    },
    options(
      {
        /** Synchronise at the start, or take all for in sync. */
        sync: choice('sync', 'nosync'),
        /** Devices, by index, that are to be written anew. */
        rebuild: values(integer()),
        /** How often the bitmap is cleaned, in milliseconds. */
        daemonSleep: value(integer()),
        /** No slower than this while I/O goes on, in KiB a second for each device. */
        minRecoveryRate: value(integer()),
        /** No faster than this, in KiB a second for each device. */
        maxRecoveryRate: value(integer()),
        /** Devices of raid1, by index, that are read only if no other can be. */
        writeMostly: values(integer()),
        /** How far `writeMostly` may lag behind, in sectors. */
        maxWriteBehind: value(sectors()),
        /** The cache of stripes of raid4, raid5 and raid6, in sectors. */
        stripeCache: value(sectors()),
        /** What a bit of the bitmap stands for, in sectors: a power of two. */
        regionSize: value(sectors()),
        /** How often raid10 has each chunk. */
        raid10Copies: value(integer({ min: 2, max: 0xff })),
        /** Where raid10 has them. */
        raid10Format: value(oneOf('near', 'far', 'offset')),
        /** Reshape: devices more or, negative, fewer. */
        deltaDisks: value(integer({ min: -253, max: 253 })),
        /** Reshape: where the data begins on the devices, in sectors. */
        dataOffset: value(sectors()),
        /** A journal for raid4, raid5 and raid6. */
        journalDev: value(device()),
        /** How the journal is used; behind `journalDev`. */
        journalMode: value(oneOf('writethrough', 'writeback')),
        /** Have the copies of raid10 far or offset in sets; the kernel's table does not tell it. */
        raid10UseNearSets: flag(),
      },
      { count: 'always' },
      {
        /** What is on one device before it is the next one's turn, in sectors; 0 for raid1. */
        chunkSize: sectors(),
      },
    ),
    count('devices'),
    {
      /** Where the metadata and the data of each is; without `data` it is missing. */
      devices: list(
        record({
          /** What has the array's own data; none if left out. */
          metadata: orDash(device()),
          /** What has the data; missing if left out. */
          data: orDash(device()),
        }),
        { min: 1 },
      ),
    },
  ],
  status: [
    {
      /** As in the table. */
      raidType: oneOf(...RAID_TYPES),
      /** How many devices there are. */
      deviceCount: integer(),
      /** A letter for each: A in sync, a alive but not in sync, D dead, - missing. */
      health: text(),
      /** How far `syncAction` is, in sectors. */
      sync: ratio('done', 'total'),
      /** What is done, as in 'idle', 'resync', 'recover', 'check', 'repair', 'reshape', 'frozen'. */
      syncAction: text(),
      /** What the last check has found to differ, in sectors. */
      mismatches: integer(),
      /** Where the data begins on the devices, in sectors; from Linux 3.16 on. */
      dataOffset: optional(integer()),
      /** The journal's letter: A active writethrough, a writeback, D dead; from Linux 4.11 on. */
      journal: optional(orDash(text())),
    },
  ],
  messages: {
    /** Stop what is done; from Linux 6.12 on it answers with an error all the same. */
    idle: message('idle'),
    /** Stop, and begin nothing else; from Linux 6.12 on it answers with an error all the same. */
    frozen: message('frozen'),
    /** Synchronise. */
    resync: message('resync'),
    /** Write a device anew. */
    recover: message('recover'),
    /** Count what differs. */
    check: message('check'),
    /** Mend what differs. */
    repair: message('repair'),
  },
}));
