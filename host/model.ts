/**
 * The door `devicemapper/model`, for any JavaScript: the clients over whatever answers like a kernel,
 * and recordings of kernels. Talks to no kernel by itself: `devicemapper` does.
 *
 * @module model
 */

export * from './codec.js';
export { DeviceMapper, DeviceMapperSync, type Abortable } from './device-mapper.js';
export type {
  CreateOptions,
  GetTableOptions,
  ListOptions,
  LoadOptions,
  RemoveOptions,
  StatusOptions,
  SuspendOptions,
  TableOptions,
} from './operations.js';
export { record, replay, type RecordedCall, type Recorder } from './replay.js';
export type { AsyncCall, DeviceNodes, NodeState, Signal, Transport } from './transport.js';
