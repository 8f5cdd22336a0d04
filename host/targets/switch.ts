import { InputError } from '../errors.js';
import { defineTarget } from './define.js';
import { deviceAt, hexNumber, list, optional, sectors, type Field } from './fields.js';
import { message } from './messages.js';
import { count, options } from './parts.js';

/** Regions from `region` on, one each: the path's index. */
export interface RegionMapping {
  /** The region; the one after the last if left out. */
  readonly region?: number;
  /** The path that serves it, counted from 0. */
  readonly path: number;
}

/** The last `count` mappings once more, over and over, for `regions` regions. */
export interface RegionRepeat {
  /** How many mappings to repeat. */
  readonly count: number;
  /** For how many regions. */
  readonly regions: number;
}

/** `[INDEX]:PATH` or `RCOUNT,REGIONS`, all of them hexadecimal (process_set_region_mappings()). */
function mapping(): Field<RegionMapping | RegionRepeat> {
  const hex = hexNumber();
  const expected = '{ region?, path } or { count, regions }';
  const fields = { region: optional(hex), path: hex };
  return {
    expected,
    shape: { kind: 'record', fields },
    read(words) {
      const word = words.next(expected);
      const [, times, regions] = /^R([0-9a-f]+),([0-9a-f]+)$/i.exec(word) ?? [];
      if (regions !== undefined)
        return { count: parseInt(times!, 16), regions: parseInt(regions, 16) };
      const [, region, path] = /^([0-9a-f]*):([0-9a-f]+)$/i.exec(word) ?? [];
      if (path === undefined) return words.refuse(expected);
      return { ...(region !== '' && { region: parseInt(region!, 16) }), path: parseInt(path, 16) };
    },
    write(value, path) {
      const digits = (key: string, number: number): string =>
        String(hex.write(number, `${path}.${key}`)[0]);
      if ('path' in value) {
        const region = value.region === undefined ? '' : digits('region', value.region);
        return [`${region}:${digits('path', value.path)}`];
      }
      if ('count' in value)
        return [`R${digits('count', value.count)},${digits('regions', value.regions)}`];
      throw new InputError({ path }, `expected ${expected}`);
    },
  };
}

/**
 * Regions that go to one of several devices each, as a message says.
 *
 * @example
 * switchTarget({
 *   startSector: 0,
 *   length: 2048,
 *   regionSize: 128,
 *   paths: [
 *     { device: '/dev/sdb', offset: 0 },
 *     { device: '/dev/sdc', offset: 0 },
 *   ],
 * })
 * @since Linux 3.10
 * @see drivers/md/dm-switch.c switch_ctr(), process_set_region_mappings()
 */
export const switchTarget = /* @__PURE__ */ defineTarget('switch', () => ({
  parameters: [
    count('paths'),
    {
      /** What goes one way as a whole, in sectors. */
      regionSize: sectors({ min: 1, max: 0xffffffff }),
    },
    options({}, { count: 'always' }),
    {
      /** The devices, and where on each the data begins, in sectors. */
      paths: list(deviceAt(), { min: 1 }),
    },
  ],
  messages: {
    /** Say which region goes where; as in `[{ region: 0, path: 1 }, { path: 0 }]`. */
    setRegionMappings: message('set_region_mappings', { mappings: list(mapping()) }),
  },
}));
