// drivers/md/dm-ioctl.c: the eighteen commands, in the kernel's own order of checks. A function answers by
// writing into the packet; what it refuses it throws.

import * as abi from '../generated/abi.js';
import * as uapi from '../generated/uapi.js';
import { minorOf } from '../types.js';
import type { Core } from './core.js';
import {
  createTable,
  completeTable,
  addTarget,
  calculateLimits,
  destroyTable,
  sizeOf,
  targetTypeNamed,
  typeOf,
} from './table.js';
import { destroy, inOrder, removeAll, resume, suspend, swap, verifyIntegrity } from './mapped.js';
import { align, type Bytes, type Packet } from './packet.js';
import { Refusal, refuse } from './refusal.js';
import type { Device, Table } from './state.js';
import { statsMessage } from './stats.js';
import { scanU64, type Answer, type StatusType } from './target.js';

/** What cannot be done yet, and is done when that has changed. */
export interface Waiting {
  readonly until: () => boolean;
  /** Answers as a command does. */
  readonly finish: () => void;
}

/**
 * One command. What it returns is a wait to be finished later, or a number for the ioctl to return in place
 * of 0.
 */
type Run = (core: Core, packet: Packet) => unknown;

interface CommandType {
  readonly run: Run;
  /** IOCTL_FLAGS_NO_PARAMS: what follows struct dm_ioctl is not looked at. */
  readonly noParams?: true;
  /** IOCTL_FLAGS_ISSUE_GLOBAL_EVENT */
  readonly event?: true;
}

/** By the number in the ioctl's request (lookup_ioctl); VERSION is answered before. */
export const COMMANDS: Readonly<Record<number, CommandType>> = {
  [uapi.DM_REMOVE_ALL_CMD]: { run: removeAllDevices, noParams: true, event: true },
  [uapi.DM_LIST_DEVICES_CMD]: { run: listDevices },
  [uapi.DM_DEV_CREATE_CMD]: { run: createDevice, noParams: true, event: true },
  [uapi.DM_DEV_REMOVE_CMD]: { run: removeDevice, noParams: true, event: true },
  [uapi.DM_DEV_RENAME_CMD]: { run: renameDevice, event: true },
  [uapi.DM_DEV_SUSPEND_CMD]: { run: suspendOrResume, noParams: true },
  [uapi.DM_DEV_STATUS_CMD]: { run: deviceStatus, noParams: true },
  [uapi.DM_DEV_WAIT_CMD]: { run: waitForEvent },
  [uapi.DM_TABLE_LOAD_CMD]: { run: loadTable },
  [uapi.DM_TABLE_CLEAR_CMD]: { run: clearTable, noParams: true },
  [uapi.DM_TABLE_DEPS_CMD]: { run: tableDeps },
  [uapi.DM_TABLE_STATUS_CMD]: { run: tableStatus },
  [uapi.DM_LIST_VERSIONS_CMD]: { run: listVersions },
  [uapi.DM_TARGET_MSG_CMD]: { run: targetMessage },
  [uapi.DM_DEV_SET_GEOMETRY_CMD]: { run: setGeometry },
  [uapi.DM_DEV_ARM_POLL_CMD]: { run: armPoll, noParams: true },
  [uapi.DM_GET_TARGET_VERSION_CMD]: { run: getTargetVersion },
};

// ── Before the command ───────────────────────────────────────────────────────────────────────────

/** validate_params(): what every command's header must be. */
export function validate(core: Core, command: number, packet: Packet): void {
  packet.flag(
    0,
    uapi.DM_BUFFER_FULL_FLAG |
      uapi.DM_UEVENT_GENERATED_FLAG |
      uapi.DM_SECURE_DATA_FLAG |
      uapi.DM_DATA_OUT_FLAG,
  );
  if (
    command === uapi.DM_REMOVE_ALL_CMD ||
    command === uapi.DM_LIST_DEVICES_CMD ||
    command === uapi.DM_LIST_VERSIONS_CMD
  ) {
    return;
  }
  const [name, uuid] = [packet.byte(abi.HEADER_NAME), packet.byte(abi.HEADER_UUID)];
  if (command === uapi.DM_DEV_CREATE_CMD) {
    if (name === 0) {
      core.logIoctl('name not supplied when creating device');
      refuse('EINVAL');
    }
  } else if (name !== 0 && uuid !== 0) {
    core.logIoctl(`only supply one of name or uuid, cmd(${command})`);
    refuse('EINVAL');
  }
  packet.setByte(abi.HEADER_NAME + uapi.DM_NAME_LEN - 1, 0);
  packet.setByte(abi.HEADER_UUID + uapi.DM_UUID_LEN - 1, 0);
}

// ── What commands share ──────────────────────────────────────────────────────────────────────────

/** __find_device_hash_cell(), find_device() */
function find(core: Core, packet: Packet): Device {
  const { name, uuid, dev } = packet;
  const structure = (text: string): never => {
    if (core.is('6.1')) core.logIoctl(`Invalid ioctl structure: ${text}, dev ${dev.toString(16)}`);
    refuse('ENXIO');
  };
  let device: Device | undefined;
  if (uuid !== '') {
    if (name !== '' || dev !== 0n) structure(`uuid ${uuid}, name ${name}`);
    device = core.byUuid(uuid);
  } else if (name !== '') {
    if (dev !== 0n) structure(`name ${name}`);
    device = core.byName(name);
  } else if (dev !== 0n) device = core.byDev(Number(dev & 0xffffffffn));
  if (device === undefined) refuse('ENXIO');
  packet.name = device.name;
  packet.uuid = device.uuid;
  const inactive = device.inactive !== undefined;
  packet.flag(
    inactive ? uapi.DM_INACTIVE_PRESENT_FLAG : 0,
    inactive ? 0 : uapi.DM_INACTIVE_PRESENT_FLAG,
  );
  return device;
}

/** __dev_status() */
function tellDevice(core: Core, packet: Packet, device: Device): void {
  const { live } = device;
  const asked = packet.has(uapi.DM_QUERY_INACTIVE_TABLE_FLAG);
  const shown = asked ? device.inactive : live;
  const readOnly = asked ? device.inactive?.write === false : live !== undefined && device.readOnly;
  packet.flag(
    (device.suspended ? uapi.DM_SUSPEND_FLAG : 0) |
      (device.internallySuspended > 0 ? uapi.DM_INTERNAL_SUSPEND_FLAG : 0) |
      (device.deferredRemove ? uapi.DM_DEFERRED_REMOVE : 0) |
      (live === undefined ? 0 : uapi.DM_ACTIVE_PRESENT_FLAG) |
      (readOnly ? uapi.DM_READONLY_FLAG : 0),
    uapi.DM_SUSPEND_FLAG |
      uapi.DM_INTERNAL_SUSPEND_FLAG |
      uapi.DM_ACTIVE_PRESENT_FLAG |
      uapi.DM_READONLY_FLAG,
  );
  packet.dev = BigInt(core.devOf(device));
  packet.set('openCount', device.openCount);
  packet.set('eventNr', device.eventNr);
  packet.set('targetCount', shown?.targets.length ?? 0);
}

/** The room for an answer. */
interface Result {
  readonly start: number;
  readonly length: number;
}

/** get_result_buffer(): behind struct dm_ioctl, or nothing. */
function resultOf(core: Core, packet: Packet): Result {
  // Of the recorded kernels 6.12's alone tell a start within the packet where there is no room.
  const start = core.release === '6.12' ? Math.min(abi.HEADER_SIZE, packet.size) : abi.HEADER_SIZE;
  packet.set('dataStart', start);
  return { start, length: Math.max(0, packet.size - start) };
}

const full = (packet: Packet): void => {
  packet.flag(uapi.DM_BUFFER_FULL_FLAG);
};

/** dm_kobject_uevent(): only of a device whose disk is there. */
function uevent(packet: Packet, device: Device): void {
  if (device.registered) packet.flag(uapi.DM_UEVENT_GENERATED_FLAG);
}

/** check_name() */
function checkName(core: Core, name: Bytes): void {
  if (name.includes('/')) {
    core.logIoctl(core.is('6.12') ? "device name cannot contain '/'" : 'invalid device name');
    refuse('EINVAL');
  }
  if (core.is('6.12') && ['control', '.', '..'].includes(name)) {
    core.logIoctl('device name cannot be "control", ".", or ".."');
    refuse('EINVAL');
  }
}

// ── Devices ──────────────────────────────────────────────────────────────────────────────────────

/** remove_all() */
function removeAllDevices(core: Core, packet: Packet): void {
  removeAll(core, { markDeferred: packet.has(uapi.DM_DEFERRED_REMOVE), onlyDeferred: false });
  packet.set('dataSize', 0);
}

/** list_devices() */
function listDevices(core: Core, packet: Packet): void {
  const tail = core.is('6.1') ? abi.NAME_LIST_TAIL_SIZE : 4;
  const { name, uuid } = packet;
  const shown = inOrder(core).filter(
    (device) => !core.is('6.1') || (device.name.startsWith(name) && device.uuid.startsWith(uuid)),
  );
  const withUuid = core.is('6.1') && packet.has(uapi.DM_UUID_FLAG);
  const uuidSize = (device: Device): number =>
    withUuid && device.uuid !== '' ? align(device.uuid.length + 1) : 0;
  const tailAt = (device: Device): number => align(abi.NAME_LIST_NAME + device.name.length + 1);
  const sizeOfRecord = (device: Device): number => tailAt(device) + align(tail) + uuidSize(device);
  const needed = shown.reduce((size, device) => size + sizeOfRecord(device), 0);
  const { start, length } = resultOf(core, packet);
  if (length < needed || length < 8) {
    full(packet);
    return;
  }
  packet.set('dataSize', start + needed);
  let at = start;
  packet.setU64(at, 0n);
  for (const [i, device] of shown.entries()) {
    const size = sizeOfRecord(device);
    packet.setU64(at, BigInt(core.devOf(device)));
    packet.setU32(at + 8, i + 1 < shown.length ? size : 0);
    packet.setString(at + abi.NAME_LIST_NAME, device.name);
    const end = at + tailAt(device);
    packet.setU32(end, device.eventNr);
    if (core.is('6.1')) {
      const has = device.uuid !== '';
      const flag = has ? uapi.DM_NAME_LIST_FLAG_HAS_UUID : uapi.DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID;
      packet.setU32(end + 4, withUuid ? flag : 0);
      if (withUuid && has) packet.setString(end + abi.NAME_LIST_TAIL_SIZE, device.uuid);
    }
    at += size;
  }
}

/** dev_create() */
function createDevice(core: Core, packet: Packet): void {
  const { name, uuid } = packet;
  checkName(core, name);
  const minor = packet.has(uapi.DM_PERSISTENT_DEV_FLAG)
    ? minorOf(Number(packet.dev & 0xffffffffn))
    : undefined;
  const device = core.create(minor);
  if (device === undefined) refuse('ENXIO');
  if (core.byName(name) !== undefined || core.byUuid(uuid) !== undefined) {
    refuse('EBUSY');
  }
  core.state.devices.push(Object.assign(device, { name, uuid }));
  packet.flag(0, uapi.DM_INACTIVE_PRESENT_FLAG);
  tellDevice(core, packet, device);
}

/** dev_remove() */
function removeDevice(core: Core, packet: Packet): void {
  const device = find(core, packet);
  const deferred = packet.has(uapi.DM_DEFERRED_REMOVE);
  if (device.openCount > 0) {
    if (!deferred) refuse('EBUSY');
    device.deferredRemove = true;
    return;
  }
  destroy(core, device);
  packet.flag(0, uapi.DM_DEFERRED_REMOVE);
  uevent(packet, device);
}

/** dev_rename(), dm_hash_rename() */
function renameDevice(core: Core, packet: Packet): void {
  const at = packet.get('dataStart');
  const asUuid = packet.has(uapi.DM_UUID_FLAG);
  const fresh = packet.string(at);
  const longest = (asUuid ? uapi.DM_UUID_LEN : uapi.DM_NAME_LEN) - 1;
  if (at < abi.HEADER_DATA || !packet.hasString(at) || fresh === '' || fresh.length > longest) {
    core.logIoctl('Invalid new mapped device name or uuid string supplied.');
    refuse('EINVAL');
  }
  if (!asUuid) checkName(core, fresh);
  const { name } = packet;
  const what = asUuid ? 'uuid' : 'name';
  if ((asUuid ? core.byUuid(fresh) : core.byName(fresh)) !== undefined) {
    core.logIoctl(
      `Unable to change ${what} on mapped device ${name} to one that already exists: ${fresh}`,
    );
    refuse('EBUSY');
  }
  const device = core.byName(name);
  if (device === undefined) {
    core.logIoctl(
      `Unable to rename non-existent device, ${name} to ${asUuid ? 'uuid ' : ''}${fresh}`,
    );
    refuse('ENXIO');
  }
  if (asUuid && device.uuid !== '') {
    core.logIoctl(
      `Unable to change uuid of mapped device ${name} to ${fresh} because uuid is already set to ${device.uuid}`,
    );
    refuse('EINVAL');
  }
  if (asUuid) device.uuid = fresh;
  else {
    device.name = fresh;
    // To the head of its new chain, where 5.10 has chains.
    core.state.devices = [...core.state.devices.filter((one) => one !== device), device];
  }
  if (device.live !== undefined) core.raise(device);
  uevent(packet, device);
  tellDevice(core, packet, device);
}

/** dev_suspend(): do_suspend(), do_resume() */
function suspendOrResume(core: Core, packet: Packet): Waiting | undefined {
  const device = find(core, packet);
  const go = (): void => {
    if (packet.has(uapi.DM_SUSPEND_FLAG)) doSuspend(core, packet, device);
    else doResume(core, packet, device);
  };
  // dm_suspend(), dm_resume(): what the kernel itself has suspended is waited for.
  const until = (): boolean => device.internallySuspended === 0;
  const isIdle = packet.has(uapi.DM_SUSPEND_FLAG)
    ? device.suspended
    : !device.suspended && device.inactive === undefined;
  if (!isIdle && !until()) return { until, finish: go };
  go();
  return undefined;
}

function doSuspend(core: Core, packet: Packet, device: Device): void {
  if (!device.suspended) suspend(core, device, { noflush: packet.has(uapi.DM_NOFLUSH_FLAG) });
  tellDevice(core, packet, device);
}

function doResume(core: Core, packet: Packet, device: Device): void {
  const fresh = device.inactive;
  delete device.inactive;
  packet.flag(0, uapi.DM_INACTIVE_PRESENT_FLAG);
  let old: Table | undefined;
  if (fresh !== undefined) {
    if (!device.suspended) suspend(core, device, { noflush: packet.has(uapi.DM_NOFLUSH_FLAG) });
    try {
      old = swap(core, device, fresh);
    } catch (error) {
      destroyTable(core, device, fresh);
      throw error;
    }
    device.readOnly = !fresh.write;
  }
  try {
    if (device.suspended) {
      resume(core, device);
      uevent(packet, device);
    }
  } finally {
    if (old !== undefined) destroyTable(core, device, old);
  }
  tellDevice(core, packet, device);
}

/** dev_status() */
function deviceStatus(core: Core, packet: Packet): void {
  tellDevice(core, packet, find(core, packet));
}

/** dev_wait(): until the number differs from the one that the caller has seen. */
function waitForEvent(core: Core, packet: Packet): Waiting | undefined {
  const device = find(core, packet);
  const eventNr = packet.get('eventNr');
  const until = (): boolean => device.eventNr !== eventNr;
  const finish = (): void => {
    tellDevice(core, packet, device);
    retrieveStatus(core, packet, device);
  };
  if (!until()) return { until, finish };
  finish();
  return undefined;
}

/** dev_arm_poll() */
function armPoll(core: Core): void {
  core.state.armed = core.state.globalEvent;
}

/** dev_set_geometry(), dm_set_geometry() */
function setGeometry(core: Core, packet: Packet): void {
  const device = find(core, packet);
  const at = packet.get('dataStart');
  const say = (text: string): never => {
    core.logIoctl(text);
    refuse('EINVAL');
  };
  if (at < abi.HEADER_DATA || !packet.hasString(at)) say('Invalid geometry supplied.');
  const numbers = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/.exec(packet.string(at));
  if (numbers === null) return say('Unable to interpret geometry settings.');
  const [cylinders, heads, sectors, start] = numbers.slice(1).map((digits) => scanU64(digits)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  if (cylinders > 65535n || heads > 255n || sectors > 255n) say('Geometry exceeds range limits.');
  if (start > cylinders * heads * sectors) {
    core.log(core.is('6.1') ? 3 : 4, 'core: Start sector is beyond the geometry limits.');
    refuse('EINVAL');
  }
  device.geometry = [cylinders, heads, sectors, start].map(Number);
  packet.set('dataSize', 0);
}

// ── Tables ───────────────────────────────────────────────────────────────────────────────────────

/** table_load() */
function loadTable(core: Core, packet: Packet): void {
  const device = find(core, packet);
  const count = packet.get('targetCount');
  if (count > uapi.DM_MAX_TARGETS && core.is('6.1')) refuse('EOVERFLOW');
  // dm_table_create(): the sum that 5.10 rounds up wraps.
  if (count > 0xfffffff0) refuse('ENOMEM');
  const table = createTable(packet.has(uapi.DM_READONLY_FLAG) ? 'read' : 'write');
  try {
    populateTable(core, device, table, packet, count);
    completeTable(core, device, table);
    if (
      device.immutableType !== undefined &&
      device.immutableType !== table.immutableType &&
      !table.targets.some((target) => typeOf(target).wildcard === true)
    ) {
      core.logIoctl(`can't replace immutable target type ${device.immutableType}`);
      refuse('EINVAL');
    }
    if (device.type === 0) {
      setUpQueue(core, device, table);
    } else if (device.type !== table.type) {
      core.logIoctl(
        `can't change device type (old=${device.type} vs new=${table.type}) after initial table load.`,
      );
      refuse('EINVAL');
    }
  } catch (error) {
    destroyTable(core, device, table);
    throw error;
  }
  const old = device.inactive;
  device.inactive = table;
  packet.flag(uapi.DM_INACTIVE_PRESENT_FLAG);
  tellDevice(core, packet, device);
  if (old !== undefined) destroyTable(core, device, old);
}

/** dm_setup_md_queue() */
function setUpQueue(core: Core, device: Device, table: Table): void {
  try {
    device.limits = calculateLimits(core, device, table);
  } catch (error) {
    core.log(3, 'core: Cannot calculate initial queue limits');
    core.log(3, 'ioctl: unable to set up device queue for new table.');
    // Linux 5.10 notes the type first.
    if (!core.is('6.1')) device.type = table.type;
    throw error;
  }
  verifyIntegrity(core, device, table);
  device.type = table.type;
  device.registered = true;
}

/** populate_table(), next_target() */
function populateTable(
  core: Core,
  device: Device,
  table: Table,
  packet: Packet,
  count: number,
): void {
  const strict = core.is('6.12');
  const say = (...texts: string[]): never => {
    for (const text of texts) core.log(3, `ioctl: ${text}`);
    refuse('EINVAL');
  };
  if (count === 0) {
    core.logIoctl('populate_table: no targets specified');
    refuse('EINVAL');
  }
  let spec = 0;
  let next = packet.get('dataStart');
  let least = abi.HEADER_SIZE;
  for (let i = 0; i < count; i++) {
    if (strict) {
      if (next < least) {
        const what = i === 0 ? "'struct dm_ioctl'" : 'previous target';
        say(`populate_table: next target spec (offset ${next}) overlaps ${what}`);
      }
      if (packet.size - spec - abi.SPEC_SIZE <= next) {
        say('Target spec extends beyond end of parameters', 'unable to find target');
      }
      if (next % 8 !== 0) {
        say(`Next dm_target_spec (offset ${next}) is not 8-byte aligned`, 'unable to find target');
      }
    } else if (next < abi.SPEC_SIZE || !packet.hasString(spec + next + abi.SPEC_SIZE)) {
      say('unable to find target');
    }
    spec += next;
    const parameters = spec + abi.SPEC_SIZE;
    if (strict && !packet.hasString(parameters)) {
      say('populate_table: target parameters not NUL-terminated');
    }
    least = abi.SPEC_SIZE + packet.string(parameters).length + 1;
    next = packet.u32(spec + abi.SPEC_NEXT);
    const [begin, length] = [packet.u64(spec), packet.u64(spec + 8)];
    // A type of 16 bytes goes on into the parameters, as the kernel takes it for a string.
    const type = packet.string(spec + abi.SPEC_TYPE);
    try {
      addTarget(core, device, table, type, begin, length, () => packet.splitWords(parameters));
    } catch (error) {
      if (error instanceof Refusal) core.log(3, 'ioctl: error adding target to table');
      throw error;
    }
  }
}

/** table_clear() */
function clearTable(core: Core, packet: Packet): void {
  const device = find(core, packet);
  const old = device.inactive;
  delete device.inactive;
  packet.flag(0, uapi.DM_INACTIVE_PRESENT_FLAG);
  tellDevice(core, packet, device);
  if (old !== undefined) destroyTable(core, device, old);
}

/** dm_get_live_or_inactive_table() */
function tableAsked(packet: Packet, device: Device): Table | undefined {
  return packet.has(uapi.DM_QUERY_INACTIVE_TABLE_FLAG) ? device.inactive : device.live;
}

/** table_deps(), retrieve_deps() */
function tableDeps(core: Core, packet: Packet): void {
  const device = find(core, packet);
  tellDevice(core, packet, device);
  const table = tableAsked(packet, device);
  if (table === undefined) return;
  const { start, length } = resultOf(core, packet);
  const needed = abi.DEPS_SIZE + 8 * table.devices.length;
  if (length < needed) {
    full(packet);
    return;
  }
  packet.setU32(start, table.devices.length);
  for (const [i, { dev }] of table.devices.entries()) {
    packet.setU64(start + abi.DEPS_SIZE + 8 * i, BigInt(dev));
  }
  packet.set('dataSize', start + needed);
}

/** table_status() */
function tableStatus(core: Core, packet: Packet): Waiting | undefined {
  const device = find(core, packet);
  tellDevice(core, packet, device);
  const table = tableAsked(packet, device);
  const isStuck =
    kindAsked(core, packet) === 'info' &&
    table?.targets.some((target) => typeOf(target).statusWaits === true) === true;
  const until = (): boolean => !device.suspended;
  const finish = (): void => {
    retrieveStatus(core, packet, device);
  };
  if (isStuck && table === device.live && !until()) return { until, finish };
  finish();
  return undefined;
}

function kindAsked(core: Core, packet: Packet): StatusType {
  if (packet.has(uapi.DM_STATUS_TABLE_FLAG)) return 'table';
  return packet.has(uapi.DM_IMA_MEASUREMENT_FLAG) && core.is('6.1') ? 'ima' : 'info';
}

/** retrieve_status() */
function retrieveStatus(core: Core, packet: Packet, device: Device): void {
  const table = tableAsked(packet, device);
  if (table === undefined) return;
  const { start, length } = resultOf(core, packet);
  const kind = kindAsked(core, packet);
  const query = { kind, noflush: packet.has(uapi.DM_NOFLUSH_FLAG) };
  let out = 0;
  let used = 0;
  for (const target of table.targets) {
    // A size_t: 5.10 lets `out` run past the end, and then there is no end.
    const remaining = length >= out ? length - out : Infinity;
    if (remaining <= abi.SPEC_SIZE) {
      full(packet);
      break;
    }
    const spec = start + out;
    packet.setU64(spec, target.begin);
    packet.setU64(spec + 8, target.length);
    packet.setU32(spec + 16, 0);
    // Padded with NULs; before 6.12 the last byte is left as it was.
    for (let i = 0; i < uapi.DM_MAX_TYPE_NAME - (core.is('6.12') ? 0 : 1); i++) {
      packet.setByte(spec + abi.SPEC_TYPE + i, target.type.charCodeAt(i) || 0);
    }
    out += abi.SPEC_SIZE;
    const room = remaining - abi.SPEC_SIZE;
    const { status } = typeOf(target);
    const text =
      status === undefined ? '' : status(target as never, query, { core, device, table });
    // scnprintf() cuts off; a target that writes nothing leaves what the caller had there.
    if (text !== undefined) packet.setString(start + out, text.slice(0, room - 1));
    const size = packet.string(start + out, Infinity).length + 1;
    if (size === room) {
      full(packet);
      break;
    }
    out += size;
    used = start + out;
    out = align(start + out) - start;
    if (core.is('6.1') && out > length) {
      full(packet);
      break;
    }
    packet.setU32(spec + abi.SPEC_NEXT, out);
  }
  if (used > 0) packet.set('dataSize', used);
  packet.set('targetCount', table.targets.length);
}

// ── Target types and messages ────────────────────────────────────────────────────────────────────

/** list_versions() */
function listVersions(core: Core, packet: Packet): void {
  tellVersions(core, packet, core.state.types);
}

/** get_target_version() */
function getTargetVersion(core: Core, packet: Packet): void {
  const type = targetTypeNamed(core, packet.name);
  if (type === undefined) refuse('EINVAL');
  tellVersions(core, packet, [type.name]);
}

/** __list_versions() */
function tellVersions(core: Core, packet: Packet, names: readonly string[]): void {
  // 5.10 forgets the NUL in the sum.
  const nul = core.is('6.1') ? 1 : 0;
  const needed = names.reduce(
    (size, name) => size + abi.TARGET_VERSIONS_NAME + name.length + nul + 7,
    0,
  );
  const { start, length } = resultOf(core, packet);
  if (length < needed) {
    full(packet);
    return;
  }
  packet.set('dataSize', start + needed);
  let at = start;
  for (const [i, name] of names.entries()) {
    const version = core.since(targetTypeNamed(core, name)!.versions)!;
    const size = align(abi.TARGET_VERSIONS_NAME + name.length + 1);
    packet.setU32(at, i + 1 < names.length ? size : 0);
    version.forEach((part, n) => {
      packet.setU32(at + 4 + 4 * n, part);
    });
    packet.setString(at + abi.TARGET_VERSIONS_NAME, name);
    at += size;
  }
}

/** target_message(), message_for_md() */
function targetMessage(core: Core, packet: Packet): number | undefined {
  const at = packet.get('dataStart');
  const { start, length } = resultOf(core, packet);
  const device = find(core, packet);
  const say = (text: string): never => {
    core.logIoctl(text);
    refuse('EINVAL');
  };
  const textAt = at + abi.TARGET_MSG_TEXT;
  if (at < abi.HEADER_DATA || !packet.hasString(textAt)) say('Invalid target message parameters.');
  const sector = packet.u64(at);
  const words = packet.splitWords(textAt);
  if (words.length === 0) say('Empty message received.');
  const [first] = words as [Bytes];
  let answer: Answer;
  if (first.startsWith('@')) {
    if (first.toLowerCase() === '@cancel_deferred_remove') {
      if (words.length !== 1) say('Invalid arguments for @cancel_deferred_remove');
      device.deferredRemove = false;
    } else {
      const told = statsMessage(core, device, words, length);
      answer = told === null ? say(`Unsupported message sent to DM core: ${first}`) : told;
    }
  } else {
    const { live } = device;
    if (live === undefined) {
      // ioctl() is then 2, message_for_md()'s own, which a Transport tells as EINVAL.
      if (!core.is('6.12')) refuse('EINVAL');
      return say('The device has no table.');
    }
    const target =
      sector < sizeOf(live)
        ? live.targets.find(({ begin, length: long }) => sector >= begin && sector < begin + long)
        : undefined;
    if (target === undefined) return say('Target message sector outside device.');
    const { message } = typeOf(target);
    if (message === undefined) return say('Target type does not support messages');
    answer = message(target as never, words, { core, device, table: live });
  }
  tellDevice(core, packet, device);
  if (answer === undefined) return undefined;
  packet.flag(uapi.DM_DATA_OUT_FLAG);
  // The answer takes the place of the message; where nothing is written, that stays.
  if (answer !== true && length > 0) packet.setString(start, answer.slice(0, length - 1));
  const size = packet.string(start, Infinity).length + 1;
  if (length === 0 || size >= length) full(packet);
  else packet.set('dataSize', start + size);
  return undefined;
}
