/**
 * The door `devicemapper`, for Node.js on Linux: the clients on the real kernel, one-shot functions,
 * and all of `devicemapper/codec` and `devicemapper/model`. koffi is loaded when a kernel is opened.
 *
 * @module devicemapper
 */

import { KernelTransport, type OpenOptions } from './control.js';
import {
  DeviceMapper as AnyDeviceMapper,
  DeviceMapperSync as AnyDeviceMapperSync,
  type Abortable,
} from './device-mapper.js';
import type { CreateOptions, LoadOptions, RemoveOptions, SuspendOptions } from './operations.js';
import type { DeviceInfo, DeviceRef, Table, Version } from './types.js';

export * from './model.js';
export { KernelTransport, type OpenOptions };

/** The kernel's device-mapper by promises; see the class of the same name in `devicemapper/model`. */
export class DeviceMapper extends AnyDeviceMapper {
  /**
   * @example await using dm = DeviceMapper.open();
   * @throws {KernelUnavailableError} no koffi, no control node, no device-mapper, or no right to use it
   */
  static open(options?: OpenOptions): DeviceMapper {
    return new DeviceMapper(KernelTransport.open(options));
  }
}

/** The kernel's device-mapper, blocking; see the class of the same name in `devicemapper/model`. */
export class DeviceMapperSync extends AnyDeviceMapperSync {
  /**
   * @example using dm = DeviceMapperSync.open();
   * @throws {KernelUnavailableError} no koffi, no control node, no device-mapper, or no right to use it
   */
  static open(options?: OpenOptions): DeviceMapperSync {
    return new DeviceMapperSync(KernelTransport.open(options));
  }
}

// ── One-shot functions: each opens the control node, makes one call and closes it again ──────────

/** {@link AnyDeviceMapper.getVersion} on a handle of its own. */
export function getVersion(options?: Abortable): Promise<Version> {
  return once((dm) => dm.getVersion(options));
}

/** {@link AnyDeviceMapper.createDevice} on a handle of its own. */
export function createDevice(
  name: string,
  options?: CreateOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.createDevice(name, options));
}

/** {@link AnyDeviceMapper.loadTable} on a handle of its own. */
export function loadTable(
  device: DeviceRef,
  table: Table,
  options?: LoadOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.loadTable(device, table, options));
}

/** {@link AnyDeviceMapper.createActiveDevice} on a handle of its own. */
export function createActiveDevice(
  name: string,
  table: Table,
  options?: CreateOptions & LoadOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.createActiveDevice(name, table, options));
}

/** {@link AnyDeviceMapper.resume} on a handle of its own. */
export function resume(
  device: DeviceRef,
  options?: SuspendOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.resume(device, options));
}

/** {@link AnyDeviceMapper.suspend} on a handle of its own. */
export function suspend(
  device: DeviceRef,
  options?: SuspendOptions & Abortable,
): Promise<DeviceInfo> {
  return once((dm) => dm.suspend(device, options));
}

/** {@link AnyDeviceMapper.removeDevice} on a handle of its own. */
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
