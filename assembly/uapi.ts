// include/uapi/linux/dm-ioctl.h, said once: codes, flags, limits and the shape of every struct.
// The build reads the exports of this file and writes them into host/generated/uapi.ts.

/** The commands' numbers, the low byte of each ioctl request. */
export const DM_VERSION_CMD: u32 = 0;
export const DM_REMOVE_ALL_CMD: u32 = 1;
export const DM_LIST_DEVICES_CMD: u32 = 2;
export const DM_DEV_CREATE_CMD: u32 = 3;
export const DM_DEV_REMOVE_CMD: u32 = 4;
export const DM_DEV_RENAME_CMD: u32 = 5;
export const DM_DEV_SUSPEND_CMD: u32 = 6;
export const DM_DEV_STATUS_CMD: u32 = 7;
export const DM_DEV_WAIT_CMD: u32 = 8;
export const DM_TABLE_LOAD_CMD: u32 = 9;
export const DM_TABLE_CLEAR_CMD: u32 = 10;
export const DM_TABLE_DEPS_CMD: u32 = 11;
export const DM_TABLE_STATUS_CMD: u32 = 12;
export const DM_LIST_VERSIONS_CMD: u32 = 13;
export const DM_TARGET_MSG_CMD: u32 = 14;
export const DM_DEV_SET_GEOMETRY_CMD: u32 = 15;
export const DM_DEV_ARM_POLL_CMD: u32 = 16;
export const DM_GET_TARGET_VERSION_CMD: u32 = 17;
export const DM_MPATH_PROBE_PATHS_CMD: u32 = 18;

export const DM_IOCTL: u32 = 0xfd;

// _IOWR(DM_IOCTL, nr, struct dm_ioctl): direction 3 at bit 30, size 312 at bit 16, type at bit 8.
// 312 also fits the 13 size bits of mips, powerpc, sparc and alpha, whose _IOWR direction is 6 at
// bit 29: the number is the same everywhere.
const IOWR: u32 = (3 << 30) | (312 << 16) | (DM_IOCTL << 8);
export const DM_VERSION: u32 = IOWR | DM_VERSION_CMD;
export const DM_REMOVE_ALL: u32 = IOWR | DM_REMOVE_ALL_CMD;
export const DM_LIST_DEVICES: u32 = IOWR | DM_LIST_DEVICES_CMD;
export const DM_DEV_CREATE: u32 = IOWR | DM_DEV_CREATE_CMD;
export const DM_DEV_REMOVE: u32 = IOWR | DM_DEV_REMOVE_CMD;
export const DM_DEV_RENAME: u32 = IOWR | DM_DEV_RENAME_CMD;
export const DM_DEV_SUSPEND: u32 = IOWR | DM_DEV_SUSPEND_CMD;
export const DM_DEV_STATUS: u32 = IOWR | DM_DEV_STATUS_CMD;
export const DM_DEV_WAIT: u32 = IOWR | DM_DEV_WAIT_CMD;
export const DM_TABLE_LOAD: u32 = IOWR | DM_TABLE_LOAD_CMD;
export const DM_TABLE_CLEAR: u32 = IOWR | DM_TABLE_CLEAR_CMD;
export const DM_TABLE_DEPS: u32 = IOWR | DM_TABLE_DEPS_CMD;
export const DM_TABLE_STATUS: u32 = IOWR | DM_TABLE_STATUS_CMD;
export const DM_LIST_VERSIONS: u32 = IOWR | DM_LIST_VERSIONS_CMD;
export const DM_TARGET_MSG: u32 = IOWR | DM_TARGET_MSG_CMD;
export const DM_DEV_SET_GEOMETRY: u32 = IOWR | DM_DEV_SET_GEOMETRY_CMD;
export const DM_DEV_ARM_POLL: u32 = IOWR | DM_DEV_ARM_POLL_CMD;
export const DM_GET_TARGET_VERSION: u32 = IOWR | DM_GET_TARGET_VERSION_CMD;
/**
 * _IO(DM_IOCTL, 18): no struct, and sent to the multipath device itself. On mips, powerpc, sparc
 * and alpha, where _IO has a direction bit, it is 0x2000fd12.
 */
export const DM_MPATH_PROBE_PATHS: u32 = (DM_IOCTL << 8) | DM_MPATH_PROBE_PATHS_CMD;

/** in: load a read-only table. out: the disk is read-only. */
export const DM_READONLY_FLAG: u32 = 1 << 0;
/** in: DEV_SUSPEND suspends (clear: resumes). out: suspended by user space. */
export const DM_SUSPEND_FLAG: u32 = 1 << 1;
/** in: DEV_CREATE takes the minor in `dev`. */
export const DM_PERSISTENT_DEV_FLAG: u32 = 1 << 3;
/** in: TABLE_STATUS answers with constructor lines in place of status. */
export const DM_STATUS_TABLE_FLAG: u32 = 1 << 4;
/** out: there is a live table. */
export const DM_ACTIVE_PRESENT_FLAG: u32 = 1 << 5;
/** out: there is a table in the inactive slot. */
export const DM_INACTIVE_PRESENT_FLAG: u32 = 1 << 6;
/** out: the answer did not fit the buffer. */
export const DM_BUFFER_FULL_FLAG: u32 = 1 << 8;
/** in: ignored by today's kernels. */
export const DM_SKIP_BDGET_FLAG: u32 = 1 << 9;
/** in: suspend without freezing the file system. */
export const DM_SKIP_LOCKFS_FLAG: u32 = 1 << 10;
/** in: suspend without flushing queued I/O; status without committing metadata. */
export const DM_NOFLUSH_FLAG: u32 = 1 << 11;
/** in: a query is about the inactive table. */
export const DM_QUERY_INACTIVE_TABLE_FLAG: u32 = 1 << 12;
/** out: a uevent was sent, udev may be waited for. */
export const DM_UEVENT_GENERATED_FLAG: u32 = 1 << 13;
/** in: DEV_RENAME sets the uuid; LIST_DEVICES answers with uuids. */
export const DM_UUID_FLAG: u32 = 1 << 14;
/** in: wipe the buffers after use. */
export const DM_SECURE_DATA_FLAG: u32 = 1 << 15;
/** out: a message was answered with text. */
export const DM_DATA_OUT_FLAG: u32 = 1 << 16;
/** in: remove when the last opener closes. out: that is scheduled. */
export const DM_DEFERRED_REMOVE: u32 = 1 << 17;
/** out: suspended by the kernel itself. */
export const DM_INTERNAL_SUSPEND_FLAG: u32 = 1 << 18;
/** in: TABLE_STATUS answers with the IMA measurement. */
export const DM_IMA_MEASUREMENT_FLAG: u32 = 1 << 19;

/** Per record of LIST_DEVICES, from interface 4.45. */
export const DM_NAME_LIST_FLAG_HAS_UUID: u32 = 1;
export const DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID: u32 = 2;

export const DM_VERSION_MAJOR: u32 = 4;
/** Sizes of the fields, the terminating NUL included. */
export const DM_NAME_LEN: u32 = 128;
export const DM_UUID_LEN: u32 = 129;
export const DM_MAX_TYPE_NAME: u32 = 16;
/** Limits of drivers/md/dm-ioctl.c. */
export const DM_MAX_TARGETS: u32 = 1048576;
export const DM_MAX_TARGET_PARAMS: u32 = 1024;
/** DM_MAX_TARGETS * DM_MAX_TARGET_PARAMS: the largest data_size that a kernel takes. */
export const DM_MAX_DATA_SIZE: u32 = 1073741824;

/** event_nr of resume, rename and remove: base cookie in the low 16 bits, these flags above them. */
export const DM_UDEV_FLAGS_SHIFT: u32 = 16;
export const DM_UDEV_DISABLE_DM_RULES_FLAG: u32 = 0x0001;
export const DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG: u32 = 0x0002;
export const DM_UDEV_DISABLE_DISK_RULES_FLAG: u32 = 0x0004;
export const DM_UDEV_DISABLE_OTHER_RULES_FLAG: u32 = 0x0008;
export const DM_UDEV_LOW_PRIORITY_FLAG: u32 = 0x0010;
export const DM_UDEV_DISABLE_LIBRARY_FALLBACK: u32 = 0x0020;
export const DM_UDEV_PRIMARY_SOURCE_FLAG: u32 = 0x0040;

/** The interface version that gave LIST_DEVICES its event numbers, and its flags and uuids. */
export const NAME_LIST_EVENT_NR_MINOR: u32 = 37;
export const NAME_LIST_FLAGS_MINOR: u32 = 45;

//   0 version[3]   12 data_size   16 data_start   20 target_count   24 open_count   28 flags
//  32 event_nr     36 padding     40 dev (u64)    48 name[128]     176 uuid[129]   305 data[7]
@unmanaged
export class DmIoctl {
  version_major: u32;
  version_minor: u32;
  version_patch: u32;
  data_size: u32;
  data_start: u32;
  target_count: u32;
  open_count: i32;
  flags: u32;
  event_nr: u32;
  padding: u32;
  dev: u64;
}
export const HEADER_NAME: u32 = offsetof<DmIoctl>();
export const HEADER_UUID: u32 = HEADER_NAME + DM_NAME_LEN;
/** Where `data` begins: the least that the kernel copies, and what it answers when there is no payload. */
export const HEADER_DATA: u32 = HEADER_UUID + DM_UUID_LEN;
export const HEADER_SIZE: u32 = 312;
export const HEADER_DATA_SIZE: u32 = offsetof<DmIoctl>('data_size');
export const HEADER_DATA_START: u32 = offsetof<DmIoctl>('data_start');
export const HEADER_TARGET_COUNT: u32 = offsetof<DmIoctl>('target_count');
export const HEADER_DEV: u32 = offsetof<DmIoctl>('dev');

//   0 sector_start (u64)   8 length (u64)   16 status   20 next   24 target_type[16]   40 parameters
@unmanaged
export class DmTargetSpec {
  sector_start: u64;
  length: u64;
  status: i32;
  next: u32;
}
export const SPEC_TYPE: u32 = offsetof<DmTargetSpec>();
export const SPEC_SIZE: u32 = SPEC_TYPE + DM_MAX_TYPE_NAME;

//   0 count   4 padding, which the kernel never writes   8 dev[count] (u64)
@unmanaged
export class DmTargetDeps {
  count: u32;
  padding: u32;
}
export const DEPS_SIZE: u32 = offsetof<DmTargetDeps>();

//   0 dev (u64)   8 next   12 name, NUL; then 8-aligned: event_nr, flags, uuid, NUL
@unmanaged
export class DmNameList {
  dev: u64;
  next: u32;
}
/** 12 and not offsetof<DmNameList>(): the name stands right behind `next`, in the struct's tail padding. */
export const NAME_LIST_NAME: u32 = offsetof<DmNameList>('next') + 4;

//   0 event_nr   4 flags   8 uuid, NUL
@unmanaged
export class DmNameListTail {
  event_nr: u32;
  flags: u32;
}
export const NAME_LIST_TAIL_SIZE: u32 = offsetof<DmNameListTail>();
