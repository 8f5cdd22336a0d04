// What of the interface came when. Rule: a call is refused before anything is sent only if the kernel
// would not understand it, or would do something else in silence.

import { InputError, show } from './errors.js';
import type { Version } from './types.js';

/** The interface version that has each feature first (include/uapi/linux/dm-ioctl.h, its history). */
const SINCE = {
  /** `listTargets`: DM_LIST_VERSIONS. */
  listTargets: [4, 1, 0],
  /** `sendMessage`: DM_TARGET_MSG. */
  messages: [4, 2, 0],
  /** `setGeometry`: DM_DEV_SET_GEOMETRY. */
  geometry: [4, 6, 0],
  /** `suspend` and `resume` with `noflush`. */
  noflush: [4, 12, 0],
  /** Cookies for udev in resume, rename and remove. */
  udevCookies: [4, 15, 0],
  /** `inactive` in queries: DM_QUERY_INACTIVE_TABLE_FLAG. */
  inactiveTable: [4, 16, 0],
  /** `setUuid`: DM_UUID_FLAG in DM_DEV_RENAME. */
  setUuid: [4, 19, 0],
  /** `secure`: DM_SECURE_DATA_FLAG. */
  secureData: [4, 20, 0],
  /** `getStatus` with `noflush`. */
  statusNoflush: [4, 23, 0],
  /** Messages that answer with text: DM_DATA_OUT_FLAG. */
  messageAnswers: [4, 24, 0],
  /** Messages that begin with @stats_. */
  statistics: [4, 26, 0],
  /** `deferred` in removals, `cancelDeferredRemove`: DM_DEFERRED_REMOVE. */
  deferredRemove: [4, 27, 0],
  /** `internalSuspend` is told: DM_INTERNAL_SUSPEND_FLAG. */
  internalSuspend: [4, 29, 0],
  /** Event numbers in lists, and waiting without a thread: DM_DEV_ARM_POLL. */
  armPoll: [4, 37, 0],
  /** `getTargetVersion`: DM_GET_TARGET_VERSION. */
  targetVersion: [4, 41, 0],
  /** Uuids in lists, and prefixes that the kernel itself looks at. */
  listUuids: [4, 45, 0],
  /** `getMeasurement`: DM_IMA_MEASUREMENT_FLAG. Linux 5.13 and 5.14 say 4.45 too, and have it not. */
  measurement: [4, 45, 0],
  /** `probePaths`: DM_MPATH_PROBE_PATHS. */
  probePaths: [4, 50, 0],
} as const;

/** Something of the interface that not every kernel has; `supports` tells whether this one does. */
export type Feature = keyof typeof SINCE;

/** The interface version that `feature` takes. */
export function sinceOf(feature: Feature): Version {
  if (Object.hasOwn(SINCE, feature)) return SINCE[feature];
  const features = Object.keys(SINCE).join(', ');
  throw new InputError({ path: 'feature' }, `expected one of ${features}, got ${show(feature)}`);
}

/** Is a kernel's interface as new as `needed`? The patch level means nothing. */
export function isAtLeast([major, minor]: Version, needed: Version): boolean {
  return major === needed[0] && minor >= needed[1];
}
