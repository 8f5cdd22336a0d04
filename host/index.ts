/**
 * The door `devicemapper`, for Node.js on Linux: the clients on the real kernel, one-shot functions,
 * and all of `devicemapper/codec` and `devicemapper/model`. koffi is loaded when a kernel is opened.
 *
 * @module devicemapper
 */

import { KernelTransport, type IoctlEvent, type OpenOptions } from './control.js';
import {
  DeviceMapper as AnyDeviceMapper,
  DeviceMapperSync as AnyDeviceMapperSync,
  type Abortable,
} from './device-mapper.js';
import type { CreateOptions, LoadOptions, RemoveOptions, SuspendOptions } from './operations.js';
import type { DeviceInfo, DeviceRef, Table, Version } from './types.js';

export * from './model.js';
export { KernelTransport, type IoctlEvent, type OpenOptions };

/**
 * The kernel's device-mapper, by promises.
 *
 * @example
 * await using dm = DeviceMapper.open();
 * const disk = await dm.createActiveDevice('joined', '0 2048 linear /dev/sdb 0');
 */
export class DeviceMapper extends AnyDeviceMapper {
  /**
   * Open this machine's device-mapper. Takes root.
   *
   * @param options - `path`: another control node than /dev/mapper/control; `udev`: how to wait for it
   * @throws {KernelUnavailableError} no koffi, no control node, no device-mapper, or no right to use it
   */
  static open(options?: OpenOptions): DeviceMapper {
    return new DeviceMapper(KernelTransport.open(options));
  }
}

/**
 * The kernel's device-mapper, blocking: the methods of {@link DeviceMapper} by the same names.
 *
 * @example
 * using dm = DeviceMapperSync.open();
 * const disk = dm.createActiveDevice('joined', '0 2048 linear /dev/sdb 0');
 */
export class DeviceMapperSync extends AnyDeviceMapperSync {
  /**
   * Open this machine's device-mapper. Takes root.
   *
   * @param options - `path`: another control node than /dev/mapper/control; `udev`: how to wait for it
   * @throws {KernelUnavailableError} no koffi, no control node, no device-mapper, or no right to use it
   */
  static open(options?: OpenOptions): DeviceMapperSync {
    return new DeviceMapperSync(KernelTransport.open(options));
  }
}

// ── One-shot functions: each opens the control node, makes one call and closes it again ──────────

/** {@link DeviceMapper.getVersion} on a handle of its own: the kernel's interface version. */
export function getVersion(options?: Abortable): Promise<Version> {
  return once((dm) => dm.getVersion(options));
}

/** {@link DeviceMapper.createDevice} on a handle of its own: a device without a table. */
export function createDevice(
  name: string,
  options?: CreateOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.createDevice(name, options));
}

/** {@link DeviceMapper.loadTable} on a handle of its own: a table into the inactive slot. */
export function loadTable(
  device: DeviceRef,
  table: Table,
  options?: LoadOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.loadTable(device, table, options));
}

/** {@link DeviceMapper.createActiveDevice} on a handle of its own: a device that can be opened. */
export function createActiveDevice(
  name: string,
  table: Table,
  options?: CreateOptions & LoadOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.createActiveDevice(name, table, options));
}

/** {@link DeviceMapper.resume} on a handle of its own: I/O goes on, with the loaded table if there is one. */
export function resume(
  device: DeviceRef,
  options?: SuspendOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.resume(device, options));
}

/** {@link DeviceMapper.suspend} on a handle of its own: I/O is held back until a resume. */
export function suspend(
  device: DeviceRef,
  options?: SuspendOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.suspend(device, options));
}

/** {@link DeviceMapper.removeDevice} on a handle of its own: the device and its node. */
export function removeDevice(
  device: DeviceRef,
  options?: RemoveOptions & Abortable,
): Promise<'removed' | 'scheduled'> {
  return once((dm) => dm.removeDevice(device, options));
}

async function once<T>(call: (dm: DeviceMapper) => Promise<T>): Promise<T> {
  await using dm = DeviceMapper.open();
  return await call(dm);
}
