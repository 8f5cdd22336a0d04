// Targets that map ranges and keep nothing, or little: those of dm-mod itself, and the small modules.

import { kstrtouint, kstrtoull } from '../../targets/rules.js';
import { askChunks } from '../limits.js';
import type { Bytes } from '../packet.js';
import { refuse } from '../refusal.js';
import {
  Words,
  devText,
  measured,
  tableOnly,
  targetType,
  type AnyTargetType,
  type Area,
  type Construction,
} from '../target.js';

interface Range {
  readonly dev: number;
  readonly offset: bigint;
}

/** DEVICE OFFSET */
function rangeOf(words: Words, at: Construction): Range {
  const path = words.next();
  const offset = words.u64();
  return { dev: at.open(path), offset };
}

const rangeText = ({ dev, offset }: Range): string => `${devText(dev)} ${offset}`;

const areaOf = ({ dev, offset }: Range, length: bigint): Area => ({ dev, start: offset, length });

/** dm-linear.c */
export const linear: AnyTargetType = /* @__PURE__ */ targetType<Range>({
  name: 'linear',
  versions: { '5.10': [1, 4, 0], '7.2': [1, 5, 0] },
  construct: (words, at) => rangeOf(new Words(words, at.core), at),
  status: ({ state }, { kind }, { core }) => {
    if (kind === 'info') return '';
    if (kind === 'table') return rangeText(state);
    return `${measured(linear, core)},device_name=${devText(state.dev)},start=${state.offset};`;
  },
  areas: ({ state, length }) => [areaOf(state, length)],
});

interface Stripes {
  readonly chunk: number;
  readonly ranges: readonly Range[];
}

/** dm-stripe.c */
export const striped: AnyTargetType = /* @__PURE__ */ targetType<Stripes>({
  name: 'striped',
  versions: { '5.10': [1, 6, 0], '7.2': [1, 7, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const [count, chunk] = [kstrtouint(words.next()), kstrtouint(words.next())];
    if (count === undefined || chunk === undefined) return refuse('EINVAL');
    const ranges: Range[] = [];
    while (ranges.length < count) ranges.push(rangeOf(words, at));
    return { chunk, ranges };
  },
  status: ({ state: { chunk, ranges } }, { kind }, { core }) => {
    const count = ranges.length;
    const devices = ranges.map(({ dev }) => devText(dev));
    if (kind === 'info') return `${count} ${devices.join(' ')} 1 ${'A'.repeat(count)}`;
    if (kind === 'table') return `${count} ${chunk} ${ranges.map(rangeText).join(' ')}`;
    const each = ranges.map(
      ({ offset }, i) =>
        `,stripe_${i}_device_name=${devices[i]},stripe_${i}_physical_start=${offset},stripe_${i}_status=A`,
    );
    return `${measured(striped, core)},stripes=${count},chunk_size=${chunk}${each.join('')};`;
  },
  areas: ({ state: { ranges }, length }) =>
    ranges.map((range) => areaOf(range, length / BigInt(ranges.length))),
  hints: ({ state: { chunk, ranges } }, limits) => {
    askChunks(limits, chunk * 512, ranges.length);
  },
});

/** dm-target.c: from 1.7 on two words are a device whose limits it takes. */
export const error: AnyTargetType = /* @__PURE__ */ targetType<Range | undefined>({
  name: 'error',
  versions: { '5.10': [1, 5, 0], '6.12': [1, 7, 0] },
  wildcard: true,
  requests: () => 'either',
  construct: (words, at) =>
    at.core.is('6.12') && words.length === 2 ? rangeOf(new Words(words, at.core), at) : undefined,
  areas: ({ state, length }) => (state === undefined ? [] : [areaOf(state, length)]),
});

/** dm-zero.c */
export const zero: AnyTargetType = /* @__PURE__ */ targetType<null>({
  name: 'zero',
  versions: { '5.10': [1, 1, 0], '6.12': [1, 2, 0] },
  construct: () => null,
});

interface Unstriped {
  readonly head: Bytes;
  readonly range: Range;
}

/** dm-unstripe.c */
export const unstriped: AnyTargetType = /* @__PURE__ */ targetType<Unstriped>({
  name: 'unstriped',
  versions: { '5.10': [1, 1, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const numbers = [words.next(), words.next(), words.next()].map(
      (word) => kstrtouint(word) ?? refuse('EINVAL'),
    );
    return { head: numbers.join(' '), range: rangeOf(words, at) };
  },
  // In INFO it writes nothing, not even a NUL.
  status: ({ state: { head, range } }, { kind }) => {
    if (kind === 'table') return `${head} ${rangeText(range)}`;
    return kind === 'ima' ? '' : undefined;
  },
  areas: ({ state: { range }, length }) => [areaOf(range, length)],
});

interface Delayed extends Range {
  readonly ms: number;
}

/** dm-delay.c: one class of I/O delayed, or reads and writes, or flushes too. */
export const delay: AnyTargetType = /* @__PURE__ */ targetType<readonly Delayed[]>({
  name: 'delay',
  versions: { '5.10': [1, 2, 1], '6.1': [1, 3, 0], '6.12': [1, 4, 0], '7.2': [1, 5, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const classes: Delayed[] = [];
    while (words.left > 0) {
      const path = words.next();
      const offset = words.u64();
      const ms = words.u32();
      classes.push({ dev: at.open(path), offset, ms });
    }
    return classes;
  },
  status: ({ state }, { kind }) => {
    if (kind === 'info') return '0 0 0';
    if (kind === 'ima') return '';
    return state.map((one) => `${rangeText(one)} ${one.ms}`).join(' ');
  },
  areas: ({ state, length }) => state.map((one) => areaOf(one, length)),
});

interface Flakey extends Range {
  readonly up: number;
  readonly down: number;
  readonly errorReads: boolean;
  readonly dropWrites: boolean;
  readonly errorWrites: boolean;
  /** As it stands in a table, behind the word itself. */
  readonly corrupt: Bytes;
  readonly readCorrupt: number;
  readonly writeCorrupt: number;
}

/** dm-flakey.c */
export const flakey: AnyTargetType = /* @__PURE__ */ targetType<Flakey>({
  name: 'flakey',
  versions: { '5.10': [1, 5, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const path = words.next();
    const offset = words.u64();
    const [up, down] = [words.u32(), words.u32()];
    const features = words.take(words.left > 0 ? words.u32() : 0);
    const found = {
      errorReads: false,
      dropWrites: false,
      errorWrites: false,
      corrupt: '',
      readCorrupt: 0,
      writeCorrupt: 0,
    };
    while (features.left > 0) {
      const word = features.next().toLowerCase();
      if (word === 'error_reads') found.errorReads = true;
      else if (word === 'drop_writes') found.dropWrites = true;
      else if (word === 'error_writes') found.errorWrites = true;
      else if (word === 'corrupt_bio_byte') {
        const byte = features.u32();
        const way = features.next().toLowerCase();
        found.corrupt = `${byte} ${way} ${features.u32()} ${features.u32()}`;
      } else if (word === 'random_read_corrupt') found.readCorrupt = features.u32();
      else if (word === 'random_write_corrupt') found.writeCorrupt = features.u32();
      else refuse('EINVAL');
    }
    const { corrupt, readCorrupt, writeCorrupt, ...flags } = found;
    const isPlain =
      !Object.values(flags).includes(true) &&
      corrupt === '' &&
      readCorrupt === 0 &&
      writeCorrupt === 0;
    if (isPlain && at.core.is('6.12')) found.errorReads = found.errorWrites = true;
    return { dev: at.open(path), offset, up, down, ...found };
  },
  status: ({ state }, { kind }, { core }) => {
    if (kind !== 'table') return '';
    const { up, down, errorReads, dropWrites, errorWrites, corrupt } = state;
    const words = [
      ...(errorReads ? ['error_reads'] : []),
      ...(dropWrites ? ['drop_writes'] : errorWrites ? ['error_writes'] : []),
      ...(corrupt === '' ? [] : ['corrupt_bio_byte', ...corrupt.split(' ')]),
      ...(state.readCorrupt > 0 ? ['random_read_corrupt', `${state.readCorrupt}`] : []),
      ...(state.writeCorrupt > 0 ? ['random_write_corrupt', `${state.writeCorrupt}`] : []),
    ];
    // Until 6.1 each word has a blank behind it.
    const end = core.is('6.12') ? '' : ' ';
    return `${[rangeText(state), up, down, words.length, ...words].join(' ')}${end}`;
  },
  areas: ({ state, length }) => [areaOf(state, length)],
});

interface Dust extends Range {
  readonly blockSize: number;
  /** Blocks that are bad, in their order. */
  bad: bigint[];
  failing: boolean;
  quiet: boolean;
}

/** dm-dust.c */
export const dust: AnyTargetType = /* @__PURE__ */ targetType<Dust>({
  name: 'dust',
  versions: { '5.10': [1, 0, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const range = rangeOf(words, at);
    const blockSize = kstrtouint(words.next()) ?? refuse('EINVAL');
    return { ...range, blockSize, bad: [], failing: false, quiet: false };
  },
  status: ({ state }, { kind }) => {
    if (kind === 'ima') return '';
    if (kind === 'table') return `${rangeText(state)} ${state.blockSize}`;
    const reads = state.failing ? 'fail_read_on_bad_block' : 'bypass';
    return `${devText(state.dev)} ${reads} ${state.quiet ? 'quiet' : 'verbose'}`;
  },
  areas: ({ state, length }) => [areaOf(state, length)],
  message: ({ state }, given, { core }) => {
    const words = new Words(given, core);
    const name = words.next();
    const key = name.toLowerCase();
    const say = (priority: number, text: string): void => {
      core.log(priority, `dust: ${text}`);
    };
    const unknown = (): never => {
      say(3, `unrecognized message '${name}' received`);
      return refuse('EINVAL');
    };
    if (given.length === 1) {
      switch (key) {
        case 'addbadblock':
        case 'removebadblock':
        case 'queryblock':
          say(3, `${name} requires an additional argument`);
          return refuse('EINVAL');
        case 'disable':
        case 'enable':
          say(6, `${key === 'enable' ? 'enabling' : 'disabling'} read failures on bad sectors`);
          state.failing = key === 'enable';
          return undefined;
        case 'countbadblocks':
          return `countbadblocks: ${state.bad.length} badblock(s) found`;
        case 'clearbadblocks': {
          const what = state.bad.length === 0 ? 'no badblocks found' : 'badblocks cleared';
          state.bad = [];
          return `dust_clear_badblocks: ${what}`;
        }
        case 'quiet':
          state.quiet = !state.quiet;
          return undefined;
        case 'listbadblocks':
          if (state.bad.length === 0) return 'No blocks in badblocklist';
          return state.bad.map((block) => `${block}\n`).join('');
        default:
          return unknown();
      }
    }
    if (given.length > 3) {
      say(3, `invalid number of arguments '${given.length}'`);
      return refuse('EINVAL');
    }
    const block = words.u64();
    const count = words.left > 0 ? words.u32() : 0;
    if (count > 255) {
      say(3, 'selected write fail count out of range');
      return refuse('EINVAL');
    }
    if (block > core.sizeOfDev(state.dev) / BigInt(state.blockSize / 512)) {
      say(3, 'selected block value out of range');
      return refuse('EINVAL');
    }
    const known = state.bad.includes(block);
    const told = (what: 'done' | 'refused', text: string): undefined => {
      if (!state.quiet) say(what === 'done' ? 6 : 3, text);
      return what === 'done' ? undefined : refuse('EINVAL');
    };
    if (key === 'addbadblock') {
      if (known) {
        told('refused', `dust_add_block: block ${block} already in badblocklist`);
        return;
      }
      state.bad.push(block);
      state.bad.sort((a, b) => (a < b ? -1 : 1));
      const counted = `with write fail count ${count}`;
      told('done', `dust_add_block: badblock added at block ${block} ${counted}`);
      return;
    }
    if (given.length === 3) return unknown();
    if (key === 'removebadblock') {
      if (!known) {
        told('refused', `dust_remove_block: block ${block} not found in badblocklist`);
        return;
      }
      state.bad = state.bad.filter((one) => one !== block);
      told('done', `dust_remove_block: badblock removed at block ${block}`);
      return;
    }
    if (key !== 'queryblock') return unknown();
    return `dust_query_block: block ${block} ${known ? 'found' : 'not found'} in badblocklist`;
  },
});

interface Switch {
  readonly regionSize: number;
  readonly ranges: readonly Range[];
}

/** As much as vmalloc() has, in bytes, on the machine that is played. */
const MEMORY = 2n ** 30n;

/** alloc_region_table(), when all paths were looked at: as many regions to a word as fit. */
function allocateRegions(length: bigint, regionSize: number, paths: number): void {
  const bits = Math.max(1, Math.ceil(Math.log2(paths)));
  const inWord = BigInt(Math.floor(64 / bits));
  const size = BigInt(regionSize);
  const regions = (length + size - 1n) / size;
  if (((regions + inWord - 1n) / inWord) * 8n > MEMORY) {
    refuse('ENOMEM', 'Cannot allocate region table');
  }
}

/** dm-switch.c; which region goes where changes nothing that is told. */
export const switchType: AnyTargetType = /* @__PURE__ */ targetType<Switch>({
  name: 'switch',
  versions: { '5.10': [1, 1, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const count = words.u32();
    const regionSize = words.u32();
    words.take(words.u32());
    const ranges: Range[] = [];
    while (ranges.length < count) {
      const path = words.next();
      const offset = kstrtoull(words.next()) ?? refuse('EINVAL', 'Invalid device starting offset');
      ranges.push({ dev: at.open(path), offset });
    }
    allocateRegions(at.length, regionSize, count);
    return { regionSize, ranges };
  },
  status: tableOnly(
    ({ ranges, regionSize }) =>
      `${ranges.length} ${regionSize} 0 ${ranges.map(rangeText).join(' ')}`,
  ),
  areas: ({ state: { ranges }, length }) => ranges.map((range) => areaOf(range, length)),
  message: ({ state: { ranges, regionSize }, length }, [name, ...words], { core }) => {
    const say = (text: string): never => {
      core.log(4, `switch: ${text}`);
      return refuse('EINVAL');
    };
    if (name?.toLowerCase() !== 'set_region_mappings') return say('Unrecognised message received.');
    const size = BigInt(regionSize);
    const regions = (length + size - 1n) / size;
    let region = 0n;
    // process_set_region_mappings(); parse_hex() keeps the low 64 bits of what digits there are.
    const hex = (digits: string): bigint => BigInt.asUintN(64, BigInt(`0x0${digits}`));
    for (const word of words) {
      const [, cycle, count] = /^[rR]([0-9a-fA-F]+),([0-9a-fA-F]+)$/.exec(word) ?? [];
      const [, index, path] = /^([0-9a-fA-F]*):([0-9a-fA-F]+)$/.exec(word) ?? [];
      if (cycle !== undefined && count !== undefined) {
        const back = BigInt.asUintN(64, hex(cycle) - 1n);
        if (back > region) {
          say(`invalid set_region_mappings cycle length: ${back} > ${region}`);
        }
        if (region + hex(count) >= regions) {
          const sum = `${region} + ${hex(count)}`;
          say(`invalid set_region_mappings region number: ${sum} >= ${regions}`);
        }
        region += hex(count);
      } else if (index !== undefined && path !== undefined) {
        region = index === '' ? region + 1n : hex(index);
        if (region >= regions) {
          say(`invalid set_region_mappings region number: ${region} >= ${regions}`);
        }
        if (hex(path) >= BigInt(ranges.length)) {
          say(`invalid set_region_mappings device: ${hex(path)} >= ${ranges.length}`);
        }
      } else say(`invalid set_region_mappings argument: '${word}'`);
    }
    return undefined;
  },
});

interface LogWrites {
  readonly dev: number;
  readonly log: number;
  entries: number;
}

/** dm-log-writes.c: no write is logged but marks, which take a sector each. */
export const logWrites: AnyTargetType = /* @__PURE__ */ targetType<LogWrites>({
  name: 'log-writes',
  versions: { '5.10': [1, 1, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    return { dev: at.open(words.next()), log: at.open(words.next()), entries: 0 };
  },
  status: ({ state: { dev, log, entries } }, { kind }) => {
    if (kind === 'info') return `${entries} ${entries}`;
    return kind === 'table' ? `${devText(dev)} ${devText(log)}` : '';
  },
  areas: ({ state: { dev }, length }) => [{ dev, start: 0n, length }],
  hints: (_, limits) => {
    limits.ioMin = limits.physicalBlockSize;
  },
  message: ({ state }, words, { core }) => {
    const say = (text: string): never => {
      core.log(4, `log-writes: ${text}`);
      return refuse('EINVAL');
    };
    if (words.length !== 2) {
      const got = `expect 2 arguments, got ${words.length}`;
      return say(`Invalid log-writes message arguments, ${got}`);
    }
    if (words[0]?.toLowerCase() !== 'mark') {
      return say(`Unrecognised log writes target message received: ${words[0]}`);
    }
    state.entries++;
    return undefined;
  },
});
