// drivers/md/dm-table.c: how a table is built, what it opens, and how its targets suspend and resume.

import { errnoCode, errnoNumber } from '../errors.js';
import { traitsOf } from '../targets/registry.js';
import { Arguments, isSince, refusalBy } from '../targets/rules.js';
import { textOf } from '../wire.js';
import type { Core } from './core.js';
import { stackLimits, stackingLimits, type Limits } from './limits.js';
import { arrayOf, type Bytes } from './packet.js';
import { Refusal, refuse, type Errno } from './refusal.js';
import type { Device, Table, TargetInstance } from './state.js';
import {
  devText,
  sectorOf,
  type AnyTargetType,
  type Area,
  type Construction,
  type Instance,
  type Mode,
  type Place,
} from './target.js';
import { TARGET_TYPES } from './targets.js';

/** LLONG_MAX >> SECTOR_SHIFT */
const MAX_SECTORS = (1n << 54n) - 1n;
const MAX_U64 = (1n << 64n) - 1n;

/** The type by its name, if it is registered, or its module can be loaded (dm_get_target_type). */
export function targetTypeNamed(core: Core, name: Bytes): AnyTargetType | undefined {
  const found = TARGET_TYPES.find((type) => type.name === name && core.has(type.versions));
  if (found === undefined || core.state.types.includes(name)) return found;
  if (found.unaliased === true) return undefined;
  for (const one of found.module ?? [name]) core.state.types.unshift(one);
  const greeting = found.greeting?.(core);
  if (greeting !== undefined) core.log(6, greeting);
  return found;
}

/** The type of what is in a table. */
export function typeOf(target: TargetInstance): AnyTargetType {
  return TARGET_TYPES.find(({ name }) => name === target.type)!;
}

/** dm_table_get_size() */
export function sizeOf({ targets }: Table): bigint {
  const last = targets.at(-1);
  return last === undefined ? 0n : BigInt.asUintN(64, last.begin + last.length);
}

/** dm_table_create() */
export function createTable(mode: Mode): Table {
  return { write: mode === 'write', targets: [], devices: [], type: 1, singleton: false };
}

/** dm_get_device() */
function openDevice({ core, device, table }: Place, path: Bytes, mode: Mode): number {
  const write = mode === 'write';
  const dev = core.lookup(textOf(arrayOf(path)));
  if (typeof dev !== 'number') refuse(dev);
  if (core.is('6.12') && dev === core.devOf(device)) refuse('EINVAL');
  const known = table.devices.find((used) => used.dev === dev);
  if (known === undefined) {
    const refused = core.openFor(device, { dev, write });
    if (refused !== undefined) refuse(refused);
    table.devices.unshift({ dev, write, count: 1 });
    return dev;
  }
  if (write && !known.write) {
    // upgrade_mode()
    const refused = core.openFor(device, { dev, write: true });
    if (refused !== undefined) refuse(refused);
    core.closeFor(device, { dev, write: false });
    known.write = true;
  }
  known.count++;
  return dev;
}

/** dm_put_device() */
export function putDevice(core: Core, device: Device, table: Table, dev: number): void {
  const used = table.devices.find((one) => one.dev === dev);
  if (used === undefined || --used.count > 0) return;
  table.devices = table.devices.filter((one) => one !== used);
  core.closeFor(device, used);
}

/** dm_table_add_target() */
export function addTarget(
  core: Core,
  device: Device,
  table: Table,
  name: Bytes,
  begin: bigint,
  length: bigint,
  splitWords: () => Bytes[],
): void {
  const where = core.nameOf(device);
  const say = (text: Bytes): never => {
    core.log(3, `table: ${where}: ${text}`);
    refuse('EINVAL');
  };
  if (table.singleton) {
    say(`target type ${table.targets[0]?.type ?? ''} must appear alone in table`);
  }
  if (length === 0n) say('zero-length target');
  if (core.is('6.1') && (begin + length > MAX_U64 || begin + length > MAX_SECTORS)) {
    say('too large device');
  }
  const type = targetTypeNamed(core, name);
  if (type === undefined) return say(`${name}: unknown target type`);
  const opened: number[] = [];
  const at: Construction = {
    core,
    device,
    table,
    begin,
    length,
    open: (path, mode = table.write ? 'write' : 'read') => {
      const dev = openDevice({ core, device, table }, path, mode);
      opened.push(dev);
      return dev;
    },
  };
  let words: readonly Bytes[] | undefined;
  try {
    check(core, table, type);
    if (begin !== sizeOf(table)) refuse('EINVAL', 'Gap in table');
    words = splitWords();
    checkWords(at, type, words);
    const state = type.construct(words, at) as unknown;
    table.targets.push({ type: type.name, begin, length, state });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const dev of opened.reverse()) putDevice(core, device, table, dev);
    if (words !== undefined) type.logs?.(error.text, at, words);
    const symbol = core.is('6.1') ? ` (-${error.code})` : '';
    core.log(3, `table: ${where}: ${name}: ${error.text}${symbol}`);
    throw error;
  }
}

/** What the constructor would refuse, before it opens anything. */
function checkWords(at: Construction, type: AnyTargetType, words: readonly Bytes[]): void {
  const { core, device, table, begin, length } = at;
  const line = new Arguments(
    sectorOf(begin),
    sectorOf(length),
    words.map((word) => textOf(arrayOf(word))),
  );
  const refused = refusalBy(traitsOf(type.name).rules, line, {
    release: core.release,
    readOnly: !table.write,
    lookup: (word) => {
      const dev = core.lookup(word);
      if (typeof dev !== 'number') return errnoNumber(dev);
      if (core.is('6.12') && dev === core.devOf(device)) return errnoNumber('EINVAL');
      if (!core.canOpen(dev)) return errnoNumber('ENXIO');
      const sectors = Number(core.sizeOfDev(dev));
      return { sectors, dev: devText(dev), logicalBlockSize: core.limitsOf(dev).logicalBlockSize };
    },
  });
  if (refused === undefined) return;
  if (type.earlier?.(refused.log, at, words) === true) return;
  refuse(errnoCode(refused.errno) as Errno, refused.log);
}

/** What the type is to a table: alone, alike, or writable. */
function check({ release }: Core, table: Table, type: AnyTargetType): void {
  const { singleton, immutable, writable } = traitsOf(type.name).features;
  const has = (since: string | undefined): boolean =>
    since !== undefined && isSince(release, since);
  if (has(singleton)) {
    if (table.targets.length > 0) {
      refuse('EINVAL', 'singleton target type must appear alone in table');
    }
    table.singleton = true;
  }
  if (has(writable) && !table.write) {
    refuse('EINVAL', 'target type may not be included in a read-only table');
  }
  const mixed = 'immutable target type cannot be mixed with other target types';
  if (table.immutableType !== undefined) {
    if (table.immutableType !== type.name) refuse('EINVAL', mixed);
  } else if (has(immutable)) {
    if (table.targets.length > 0) refuse('EINVAL', mixed);
    table.immutableType = type.name;
  }
}

/** dm_table_complete(): dm_table_determine_type() */
export function completeTable(core: Core, device: Device, table: Table): void {
  const how = table.targets.map((target) => typeOf(target).requests?.(target as never) ?? 'bios');
  const say = (text: string): never => {
    core.log(3, `table: ${text}`);
    core.log(3, `table: unable to determine table type`);
    refuse('EINVAL');
  };
  if (how.includes('requests') && how.includes('bios')) {
    say("Inconsistent table: different target types can't be mixed up");
  }
  const requests = how.includes('requests') || (!how.includes('bios') && device.type === 2);
  table.type = requests ? 2 : 1;
  if (!requests) return;
  if (table.targets.length > 1) say("request-based DM doesn't support multiple targets");
  if (table.devices.length === 0) return;
  // dm_table_get_immutable_target(): what may be anything (error) is not enough.
  if (table.immutableType === undefined) {
    say('table load rejected: immutable target is required');
  }
  const isStacked = ({ dev }: { readonly dev: number }): boolean => {
    const lower = core.byDev(dev);
    return lower !== undefined && lower.type !== 2;
  };
  // Linux 5.10 is content with one that takes requests.
  const { devices } = table;
  if (core.is('6.1') ? devices.some(isStacked) : devices.every(isStacked))
    say('table load rejected: including non-request-stackable devices');
}

/** dm_table_has_no_data_devices() */
export function hasNoDevices(table: Table): boolean {
  return table.devices.length === 0;
}

/** dm_calculate_queue_limits(): what the table's devices and targets add up to. */
export function calculateLimits(core: Core, device: Device, table: Table): Limits {
  const whole = stackingLimits();
  const at: Place = { core, device, table };
  const where = `table: ${core.nameOf(device)}:`;
  for (const target of table.targets) {
    const limits = stackAreas(target, at);
    typeOf(target).hints?.(target as Instance<never>, limits, at);
    for (const { dev, start, length } of areasOf(target, at)) {
      const problem = areaProblem(core, dev, start, length, limits.logicalBlockSize);
      if (problem === undefined) continue;
      core.log(core.is('6.1') ? 3 : 4, `${where} ${problem}`);
      refuse('EINVAL');
    }
    if (!stackLimits(whole, limits, 0n)) {
      const row = `start sect ${target.begin} len ${target.length}`;
      core.log(4, `${where} adding target device (${row}) caused an alignment inconsistency`);
    }
  }
  const sectors = BigInt(whole.logicalBlockSize / 512);
  // validate_hardware_logical_block_alignment()
  for (const [i, target] of table.targets.entries()) {
    const own = stackAreas(target, at).logicalBlockSize;
    if (target.begin % sectors === 0n && target.length % sectors === 0n) continue;
    const isOnDevices = areasOf(target, at).length > 0;
    if (own >= whole.logicalBlockSize && isOnDevices && target.begin % sectors === 0n) continue;
    core.log(
      core.is('6.1') ? 3 : 4,
      `${where} table line ${i} (start sect ${target.begin} len ${target.length}) ` +
        `not aligned to h/w logical block size ${whole.logicalBlockSize}`,
    );
    refuse('EINVAL');
  }
  // blk_validate_limits()
  if (core.is('6.12')) whole.alignmentOffset %= whole.physicalBlockSize;
  return whole;
}

/** dm_set_device_limits(), of each device below a target. */
function stackAreas(target: TargetInstance, at: Place): Limits {
  const { core, device } = at;
  const limits = stackingLimits();
  for (const { dev, start } of areasOf(target, at)) {
    const below = core.limitsOf(dev);
    if (stackLimits(limits, below, start)) continue;
    const told = [
      `physical_block_size=${below.physicalBlockSize}`,
      `logical_block_size=${below.logicalBlockSize}`,
      `alignment_offset=${below.alignmentOffset}`,
      `start=${BigInt.asUintN(64, start * 512n)}`,
    ];
    const what = `adding target device ${core.diskName(dev)} caused an alignment inconsistency`;
    core.log(4, `table: ${core.nameOf(device)}: ${what}: ${told.join(', ')}`);
  }
  return limits;
}

function areasOf(target: TargetInstance, at: Place): readonly Area[] {
  return typeOf(target).areas?.(target as Instance<never>, at) ?? [];
}

/** device_area_is_invalid() */
function areaProblem(
  core: Core,
  dev: number,
  start: bigint,
  length: bigint,
  logicalBlockSize: number,
): string | undefined {
  const size = core.sizeOfDev(dev);
  const disk = core.diskName(dev);
  if (size === 0n) return undefined;
  if (start >= size || BigInt.asUintN(64, start + length) > size) {
    return `${disk} too small for target: start=${start}, len=${length}, dev_size=${size}`;
  }
  const sectors = BigInt(logicalBlockSize / 512);
  for (const [what, value] of [
    ['start', start],
    ['len', length],
  ] as const) {
    if (value % sectors !== 0n) {
      return `${what}=${value} not aligned to h/w logical block size ${logicalBlockSize} of ${disk}`;
    }
  }
  return undefined;
}

/** What each of a table's targets has to do, if its type has something. */
function each(
  core: Core,
  device: Device,
  table: Table,
  what: 'presuspend' | 'postsuspend' | 'resume' | 'destroy',
): void {
  const at: Place = { core, device, table };
  for (const target of table.targets) typeOf(target)[what]?.(target as Instance<never>, at);
}

/** dm_table_presuspend_targets() */
export function presuspendTargets(core: Core, device: Device, table: Table): void {
  each(core, device, table, 'presuspend');
}

/** dm_table_postsuspend_targets() */
export function postsuspendTargets(core: Core, device: Device, table: Table): void {
  each(core, device, table, 'postsuspend');
}

/** dm_table_resume_targets(): none is resumed when one is not ready. */
export function resumeTargets(core: Core, device: Device, table: Table): void {
  for (const target of table.targets) {
    const type = typeOf(target);
    try {
      type.preresume?.(target as Instance<never>, { core, device, table });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const where = `${core.nameOf(device)}: ${type.name}`;
      core.log(3, `table: ${where}: preresume failed, error = -${error.errno}`);
      throw error;
    }
  }
  each(core, device, table, 'resume');
}

/** dm_table_destroy() */
export function destroyTable(core: Core, device: Device, table: Table): void {
  each(core, device, table, 'destroy');
  for (const used of table.devices) core.closeFor(device, used);
  table.devices = [];
}
