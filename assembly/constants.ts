// Compiled on its own, for its exports only: what the build writes into host/generated/uapi.ts. Kept
// out of the module that is shipped, whose size they would double.

export * from './uapi';
export { COMMENTS, Flaw, LINE_SIZE, Line, NAMES } from './lines';
export { SAME_NAME, SAME_UUID } from './header';
export { Cell, Status } from './status';
export {
  FLOAT_LENGTH,
  FLOAT_START,
  Parameters,
  TARGET_INDEX_SIZE,
  TARGET_RECORD_SIZE,
  TYPE_SHIFT,
} from './table';
export {
  DEVICE_RECORD_SIZE,
  DEVICE_SIZE_LEAST,
  VERSION_RECORD_SIZE,
  VERSION_SIZE_LEAST,
} from './lists';
