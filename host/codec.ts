/**
 * The door `devicemapper/codec`, for any JavaScript: requests and replies of Linux's device-mapper as
 * bytes, both ways, with its constants. Importing it instantiates nothing; the first call does, in a
 * fraction of a millisecond. It talks to no kernel: `devicemapper` does.
 *
 * @module codec
 */

export {
  BOOT_TARGETS,
  formatConcise,
  formatDmModCreate,
  formatDmModWaitfor,
  parseConcise,
  parseDmModCreate,
  parseDmModWaitfor,
  type ConciseDevice,
  type ConciseInput,
} from './concise.js';
export {
  ClosedError,
  DeviceMapperError,
  InputError,
  KernelError,
  KernelUnavailableError,
  NodeError,
  ReplyError,
  TimeoutError,
  UnsupportedError,
  type InputPlace,
  type KernelErrorDetail,
  type UnavailableReason,
} from './errors.js';
export {
  diffTables,
  explainSector,
  type ExplainOptions,
  type SectorPlace,
  type TableChange,
} from './explain.js';
export * from './generated/uapi.js';
export { inspect, type Field, type InspectOptions } from './inspect.js';
export {
  statistics,
  type Statistics,
  type StatisticsArea,
  type StatisticsAuxOptions,
  type StatisticsListOptions,
  type StatisticsOptions,
  type StatisticsPrintOptions,
  type StatisticsRegion,
} from './statistics.js';
export type { BuiltTarget, TargetType, UnreadableStatus } from './targets/define.js';
export * from './targets/index.js';
export type { TypedMessage } from './targets/messages.js';
export type { Rule, RuleFinding, TargetRule } from './targets/rules.js';
export {
  buildTarget,
  parseStatus,
  parseTarget,
  type KnownType,
  type OptionsOf,
  type ParsedTarget,
  type StatusLine,
  type StatusOf,
  type UnknownStatus,
  type UnknownTarget,
} from './targets/registry.js';
export type { PathGroup, PathStatus, UnknownPath, UnknownPathGroup } from './targets/multipath.js';
export type { RegionMapping, RegionRepeat } from './targets/switch.js';
export type { Zones } from './targets/zoned.js';
export type { KeyReference, KeyedAlgorithm } from './targets/secrets.js';
export {
  lintTable,
  type Diagnostic,
  type LintDevice,
  type LintOptions,
  type RuleCode,
  type Severity,
} from './lint.js';
export {
  joinLvmName,
  mangleName,
  splitLvmName,
  unmangleName,
  type LvmName,
  type ManglingMode,
} from './names.js';
export { formatTable, parseListing, parseTable, type ListedDevice, type TableRow } from './text.js';
export {
  bytesToSectors,
  majorOf,
  makeDev,
  minorOf,
  sectorsToBytes,
  type DeviceInfo,
  type DeviceListEntry,
  type DeviceNumber,
  type DeviceRef,
  type DeviceTable,
  type Parameter,
  type Table,
  type Target,
  type TargetBytes,
  type TargetLine,
  type TargetVersion,
  type Version,
} from './types.js';
export {
  REQUEST_CODE,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  joinParameters,
  splitParameters,
  type Command,
  type DecodeOptions,
  type DecodedRequest,
  type Extra,
  type Geometry,
  type Header,
  type ParametersAs,
  type Reply,
  type ReplyInput,
  type ReplyOptions,
  type Request,
} from './wire.js';
