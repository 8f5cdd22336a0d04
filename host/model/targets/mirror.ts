// dm-raid1.c and dm-log.c: mirrors. A resync is done as soon as the mirror is resumed, as nothing has to be
// copied.

import { logBytes } from '../../targets/mirror.js';
import { sscanf32 } from '../../targets/rules.js';
import type { Core } from '../core.js';
import type { Bytes } from '../packet.js';
import { refuse } from '../refusal.js';
import {
  Words,
  devText,
  flagText,
  measured,
  targetType,
  type AnyTargetType,
  type Instance,
} from '../target.js';

interface Mirror {
  readonly log: 'core' | 'disk';
  readonly logDev?: number;
  readonly regionSize: number;
  readonly sync: '' | 'sync' | 'nosync';
  readonly legs: readonly { readonly dev: number; readonly offset: bigint }[];
  readonly handleErrors: boolean;
  readonly keepLog: boolean;
  inSync: boolean;
}

const regionsOf = ({ length, state }: Instance<Mirror>): bigint => {
  const size = BigInt(state.regionSize);
  return (length + size - 1n) / size;
};

/** core_status(), disk_status() */
function logText({ log, logDev, regionSize, sync }: Mirror, kind: 'info' | 'table'): Bytes {
  const dev = logDev === undefined ? [] : [devText(logDev)];
  if (kind === 'info') {
    return log === 'core' ? '1 core' : ['3 disk', ...dev, 'A'].join(' ');
  }
  const end = sync === '' ? [] : [sync];
  const count = 1 + dev.length + end.length;
  return [log, count, ...dev, regionSize, ...end].join(' ');
}

const MAX_REGIONS = 2n ** 32n - 1n;

/** What a mirror's rules say before and of its log. */
const LOG_REFUSALS = [
  'Insufficient mirror log arguments',
  'Invalid mirror log argument count',
  'Error creating mirror dirty log',
];

/** What dm-log.c logs of words that make no log; undefined if it says nothing. */
function logProblem(
  core: Core,
  type: Bytes,
  args: readonly Bytes[],
  length: bigint,
): string | undefined {
  if (type !== 'core' && type !== 'disk') return `Module for logging type "${type}" not found.`;
  let own = args;
  let disk: number | undefined;
  if (type === 'disk') {
    if (args.length < 2 || args.length > 3) {
      return 'wrong number of arguments to disk dirty region log';
    }
    const dev = core.lookup(args[0]!);
    if (typeof dev !== 'number' || !core.canOpen(dev)) return undefined;
    disk = dev;
    own = args.slice(1);
  }
  if (own.length < 1 || own.length > 2) return 'wrong number of arguments to dirty region log';
  const [region, sync = 'sync'] = own;
  if (sync !== 'sync' && sync !== 'nosync') {
    return `unrecognised sync argument to dirty region log: ${sync}`;
  }
  const size = BigInt(sscanf32(region ?? '') ?? 0);
  if (size < 2n || size > length || (size & (size - 1n)) !== 0n) {
    return `invalid region size ${region}`;
  }
  if (length <= size * MAX_REGIONS) {
    if (disk === undefined) return undefined;
    const needed = logBytes((length + size - 1n) / size, core.limitsOf(disk).logicalBlockSize);
    if (needed <= core.sizeOfDev(disk) * 512n) return undefined;
    return `log device ${devText(disk)} too small: need ${needed} bytes`;
  }
  if (core.is('6.1')) return `region count exceeds limit of ${MAX_REGIONS}`;
  // Linux before 5.18 does not count them, and has no memory for so many; a disk has those that are clean.
  return `couldn't allocate ${type === 'core' ? 'clean' : 'sync'} bitset`;
}

/** The log is made before the mirrors are looked at: is it refused, though by its rules it is not? */
const isTooLarge = (core: Core, log: Bytes, region: number, length: bigint): boolean =>
  !core.is('6.1') && log === 'core' && length > BigInt(region) * MAX_REGIONS;

/** dm-raid1.c */
export const mirror: AnyTargetType = /* @__PURE__ */ targetType<Mirror>({
  name: 'mirror',
  versions: { '5.10': [1, 14, 0], '7.2': [1, 15, 0] },
  construct: (given, at) => {
    const words = new Words(given, at.core);
    const log = words.next();
    if (log !== 'core' && log !== 'disk') return refuse('EINVAL');
    const logWords = words.take(words.u32());
    const logDev = log === 'disk' ? at.open(logWords.next()) : undefined;
    const regionSize = logWords.u32();
    if (isTooLarge(at.core, log, regionSize, at.length)) {
      return refuse('EINVAL', 'Error creating mirror dirty log');
    }
    const sync = logWords.left > 0 ? logWords.next() : '';
    if (sync !== '' && sync !== 'sync' && sync !== 'nosync') return refuse('EINVAL');
    const count = words.u32();
    const legs: { dev: number; offset: bigint }[] = [];
    while (legs.length < count) {
      const path = words.next();
      const offset = words.u64();
      legs.push({ dev: at.open(path), offset });
    }
    const features = words.left > 0 ? words.take(words.u32()).rest() : [];
    return {
      log,
      ...(logDev === undefined ? {} : { logDev }),
      regionSize,
      sync,
      legs,
      handleErrors: features.some((word) => word.toLowerCase() === 'handle_errors'),
      keepLog: features.some((word) => word.toLowerCase() === 'keep_log'),
      inSync: sync === 'nosync',
    };
  },
  earlier: (text, { core, length }, [log = '', , region = '']) => {
    if (!LOG_REFUSALS.includes(text) && isTooLarge(core, log, sscanf32(region) ?? 0, length)) {
      refuse('EINVAL', 'Error creating mirror dirty log');
    }
    return false;
  },
  // dm-log.c dm_dirty_log_create(), create_log_context()
  logs: (text, { core, length }, words) => {
    if (text !== 'Error creating mirror dirty log') return;
    const [type = '', count = '', ...rest] = words;
    const what = logProblem(core, type, rest.slice(0, sscanf32(count)), length);
    if (what !== undefined) core.log(4, `dirty region log: ${what}`);
  },
  status: (target, { kind }, { core }) => {
    const { state } = target;
    const { legs, handleErrors, keepLog } = state;
    const devices = legs.map(({ dev }) => devText(dev));
    if (kind === 'info') {
      const regions = regionsOf(target);
      const done = `${state.inSync ? regions : 0n}/${regions}`;
      const health = 'A'.repeat(legs.length);
      return `${legs.length} ${devices.join(' ')} ${done} 1 ${health} ${logText(state, 'info')}`;
    }
    if (kind === 'table') {
      const features = [
        ...(handleErrors ? ['handle_errors'] : []),
        ...(keepLog ? ['keep_log'] : []),
      ];
      const pairs = legs.map(({ offset }, i) => `${devices[i]} ${offset}`);
      const end = features.length > 0 ? [features.length, ...features] : [];
      return [logText(state, 'table'), legs.length, ...pairs, ...end].join(' ');
    }
    const each = devices.map(
      (device, i) => `,mirror_device_${i}=${device},mirror_device_${i}_status=A`,
    );
    const flags = flagText({ handle_errors: handleErrors, keep_log: keepLog });
    return `${measured(mirror, core)},nr_mirrors=${legs.length}${each.join('')},${flags},log_type_status=;`;
  },
  areas: ({ state: { legs }, length }) =>
    legs.map(({ dev, offset }) => ({ dev, start: offset, length })),
  resume: ({ state }, { core, device }) => {
    if (state.inSync) return;
    state.inSync = true;
    core.raiseLater(device);
  },
});
