/**
 * The door `devicemapper/model`, for any JavaScript: the clients over whatever answers like a kernel,
 * and recordings of kernels. Talks to no kernel by itself: `devicemapper` does.
 *
 * @module model
 */

export * from './codec.js';
export { DeviceMapper, DeviceMapperSync, type Abortable } from './device-mapper.js';
export type { DeviceEvent, WaitOptions, WatchOptions } from './events.js';
export {
  ModelKernel,
  type ModelBlockDevice,
  type ModelFailure,
  type ModelHolder,
  type ModelOptions,
  type ModelSnapshot,
} from './model/kernel.js';
export type { Release } from './model/state.js';
export type { Feature } from './features.js';
export type {
  CreateOptions,
  DeviceOptions,
  GetTableOptions,
  ListOptions,
  LoadOptions,
  Message,
  MessageOptions,
  ReloadOptions,
  RemoveOptions,
  StatusOptions,
  SuspendOptions,
  TableOptions,
} from './operations.js';
export { record, replay, type RecordOptions, type RecordedCall, type Recorder } from './replay.js';
export type {
  AsyncCall,
  DeviceNodes,
  NodeState,
  PollOptions,
  Signal,
  Transport,
  Udev,
  UdevMode,
} from './transport.js';
