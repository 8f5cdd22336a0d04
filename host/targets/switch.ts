import { InputError } from '../errors.js';
import { defineTarget } from './define.js';
import { deviceAt, hexNumber, list, optional, sectors, type Field } from './fields.js';
import { message } from './messages.js';
import { count, options } from './parts.js';
import { readerRules } from './reader.js';
import { kstrtoull, sscanf32 } from './rules.js';

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

/** Of 16 bytes each, in 4 MiB of memory (KMALLOC_MAX_SIZE); machines with larger pages have more. */
const MOST_PATHS = 1 << 24;

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
  rules: readerRules(
    (reader) => {
      const paths = reader.argument('switch-count', 1, MOST_PATHS);
      reader.argument('switch-region-size', 1, 0xffffffff);
      reader.group('switch-option-count', 0);
      if (reader.left !== 2 * paths) {
        reader.refuse(
          'switch-words',
          `expected DEVICE OFFSET ${paths} times, got ${reader.left} words`,
        );
      }
      for (; reader.left > 0; reader.at += 2) {
        reader.device(reader.at, 'switch-device');
        reader.number(reader.at + 1, 'switch-offset', 'decimal sectors of 512 bytes', kstrtoull);
      }
    },
    [
      {
        code: 'switch-count',
        why: 'There is a path, and they fit into memory (dm-switch.c switch_ctr).',
        example: '0 8 switch 0 8 0',
        fix: 'write how many paths follow',
        log: 'Invalid number of paths',
      },
      {
        code: 'switch-region-size',
        why: 'A region has sectors, less than 2^32 of them (dm-switch.c switch_ctr).',
        example: '0 8 switch 1 0 0 8:16 0',
        fix: 'write a number of sectors',
        log: 'Invalid region size',
      },
      {
        code: 'switch-option-count',
        why: 'There are no options yet, and a 0 says so (dm-switch.c switch_ctr).',
        example: '0 8 switch 1 8 1 x 8:16 0',
        fix: 'write 0',
        log: 'Invalid number of optional args',
      },
      {
        code: 'switch-words',
        why: 'Two words follow for each path, and nothing else (dm-switch.c switch_ctr).',
        example: '0 8 switch 2 8 0 8:16 0',
        fix: 'write DEVICE OFFSET for each path',
        log: 'Incorrect number of path arguments',
      },
      {
        code: 'switch-device',
        why: 'The kernel has no such block device (dm-switch.c parse_path).',
        example: '0 8 switch 1 8 0 4096:0 0',
        fix: 'write the path or major:minor of a block device',
        log: 'Device lookup failed',
      },
      {
        code: 'switch-offset',
        why: 'An offset is a number below 2^64 (dm-switch.c parse_path).',
        example: '0 8 switch 1 8 0 8:16 x',
        fix: 'write decimal sectors of 512 bytes',
        log: 'Invalid device starting offset',
      },
    ],
  ),
  areas: (line) =>
    Array.from({ length: sscanf32(line.word(0))! }, (_, i) => {
      const word = 3 + 2 * i;
      return {
        word,
        offsetWord: word + 1,
        start: kstrtoull(line.word(word + 1))!,
        length: line.length,
      };
    }),
}));
