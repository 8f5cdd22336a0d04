// drivers/md/dm-stats.c: the regions of @stats_*. They count no I/O here, as there is none.

import type { Core } from './core.js';
import type { Bytes } from './packet.js';
import { Refusal, refuse } from './refusal.js';
import type { Device, StatsRegion } from './state.js';
import { sscanf32 } from '../targets/rules.js';
import { scanU64, type Answer } from './target.js';

/** DM_STAT_MAX_ENTRIES; kernels without it run out of memory there. */
const MAX_ENTRIES = 8388608n;
const MAX_U64 = (1n << 64n) - 1n;
/** The longest region id, INT_MAX. */
const LONGEST_ID = '2147483647';
const NUMBERS = ' 0'.repeat(13);

type Message = (device: Device, words: readonly Bytes[], room: number, core: Core) => Answer;

const MESSAGES: Readonly<Record<string, Message>> = {
  '@stats_create': create,
  '@stats_delete': remove,
  '@stats_clear': (device, words) => {
    regionOf(device, words, words.length === 2);
    return true;
  },
  '@stats_list': list,
  '@stats_print': print,
  '@stats_print_clear': print,
  '@stats_set_aux': (device, words) => {
    regionOf(device, words, words.length === 3).aux = words[2]!;
    return undefined;
  },
};

/** dm_stats_message(). @returns null for what is none of them */
export function statsMessage(
  core: Core,
  device: Device,
  words: readonly Bytes[],
  room: number,
): Answer | null {
  const [name] = words as [Bytes];
  const message = Object.hasOwn(MESSAGES, name.toLowerCase())
    ? MESSAGES[name.toLowerCase()]
    : undefined;
  if (message === undefined) return null;
  try {
    return message(device, words, room, core);
  } catch (error) {
    // DMCRIT from 6.0 on, DMWARN before.
    if (error instanceof Refusal && error.code === 'EINVAL') {
      core.log(core.is('6.1') ? 2 : 4, `stats: Invalid parameters for message ${name}`);
    }
    throw error;
  }
}

/** message_stats_create(), dm_stats_create() */
function create(device: Device, words: readonly Bytes[], room: number, core: Core): Answer {
  if (words.length < 3) refuse('EINVAL');
  const rest = words.slice(1);
  const [start, length] = rangeOf(device, rest.shift()!);
  const end = BigInt.asUintN(64, start + length);
  if (start >= end) refuse('EINVAL');
  const step = stepOf(rest.shift()!, end - start);
  let precise = false;
  let histogram: bigint[] = [];
  const features = rest[0] === undefined ? undefined : sscanf32(rest[0]);
  if (features !== undefined) {
    rest.shift();
    for (let i = 0; i < features; i++) {
      const word = rest.shift() ?? refuse('EINVAL');
      if (word.toLowerCase() === 'precise_timestamps') precise = true;
      else if (/^histogram:/i.test(word)) {
        if (histogram.length > 0) refuse('EINVAL');
        histogram = histogramOf(word.slice('histogram:'.length));
      } else refuse('EINVAL');
    }
  }
  const [programId = '-', aux = '-', more] = rest;
  if (more !== undefined) refuse('EINVAL');
  // Before anything is made, as the caller will come again.
  if (room === 0 || LONGEST_ID.length + 1 >= room) return LONGEST_ID;
  const region = { start, end, step, programId, aux, precise, histogram };
  if (entriesOf(region) > MAX_ENTRIES) refuse(core.is('6.12') ? 'EOVERFLOW' : 'ENOMEM');
  const taken = new Set(device.stats.map(({ id }) => id));
  let id = 0;
  while (taken.has(id)) id++;
  device.stats.push({ id, ...region });
  device.stats.sort((a, b) => a.id - b.id);
  return `${id}`;
}

function rangeOf(device: Device, word: Bytes): [start: bigint, length: bigint] {
  if (word === '-') return [0n, device.size === 0n ? 1n : device.size];
  const [, first = '', second = ''] = /^([^+]*)\+(.*)$/s.exec(word) ?? [];
  return [scanU64(first) ?? refuse('EINVAL'), scanU64(second) ?? refuse('EINVAL')];
}

function stepOf(word: Bytes, length: bigint): bigint {
  const divisor = word.startsWith('/') ? sscanf32(word.slice(1)) : undefined;
  if (divisor !== undefined) {
    if (divisor === 0) refuse('EINVAL');
    return (length + BigInt(divisor) - 1n) / BigInt(divisor);
  }
  const step = scanU64(word) ?? 0n;
  return step === 0n ? refuse('EINVAL') : step;
}

/** parse_histogram(): ascending. */
function histogramOf(text: Bytes): bigint[] {
  const bounds = text.split(',').map((word) => scanU64(word) ?? refuse('EINVAL'));
  if (bounds.some((bound, i) => bound <= (bounds[i - 1] ?? 0n))) refuse('EINVAL');
  return bounds;
}

function entriesOf({ start, end, step }: Pick<StatsRegion, 'start' | 'end' | 'step'>): bigint {
  return (end - start + step - 1n) / step;
}

/** __dm_stats_find() */
function regionOf(device: Device, words: readonly Bytes[], isWhole: boolean): StatsRegion {
  const id = isWhole ? sscanf32(words[1]!) : undefined;
  if (id === undefined || id > 0x7fffffff) refuse('EINVAL');
  return device.stats.find((region) => region.id === id) ?? refuse('ENOENT');
}

/** message_stats_delete() */
function remove(device: Device, words: readonly Bytes[]): Answer {
  const gone = regionOf(device, words, words.length === 2);
  device.stats = device.stats.filter((region) => region !== gone);
  return undefined;
}

/** dm_stats_list() */
function list(device: Device, words: readonly Bytes[]): Answer {
  if (words.length > 2) refuse('EINVAL');
  const [, program] = words;
  const lines = device.stats
    .filter(({ programId }) => program === undefined || program === programId)
    .map(({ id, start, end, step, programId, aux, precise, histogram }) => {
      const timestamps = precise ? ' precise_timestamps' : '';
      const bounds = histogram.length > 0 ? ` histogram:${histogram.join(',')}` : '';
      return `${id}: ${start}+${end - start} ${step} ${programId} ${aux}${timestamps}${bounds}\n`;
    });
  return lines.length === 0 ? true : lines.join('');
}

/** dm_stats_print() */
function print(device: Device, words: readonly Bytes[], room: number): Answer {
  const { start, end, step, histogram, ...region } = regionOf(
    device,
    words,
    words.length === 2 || words.length === 4,
  );
  const indexOf = (word: Bytes | undefined, absent: bigint): bigint =>
    word === undefined || word === '-' ? absent : (scanU64(word) ?? refuse('EINVAL'));
  const entries = entriesOf({ ...region, start, end, step });
  const first = indexOf(words[2], 0n);
  const count = indexOf(words[3], MAX_U64);
  const sum = BigInt.asUintN(64, first + count);
  const last = sum < first || sum > entries ? entries : sum;
  const counters =
    histogram.length > 0 ? ` ${new Array(histogram.length + 1).fill('0').join(':')}` : '';
  let text = '';
  for (let i = first; i < last && text.length + 1 < room; i++) {
    const at = start + step * i;
    const to = at + step > end ? end : at + step;
    text += `${at}+${to - at}${NUMBERS}${counters}\n`;
  }
  return text === '' ? true : text;
}
