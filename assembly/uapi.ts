// include/uapi/linux/dm-ioctl.h, said once: codes, flags, limits and the shape of every struct.
// The build reads the exports of this file and writes them into host/generated/uapi.ts.

// The commands' numbers, the low byte of each ioctl request.
/** Number of {@link DM_VERSION}. */
export const DM_VERSION_CMD: u32 = 0;
/** Number of {@link DM_REMOVE_ALL}. */
export const DM_REMOVE_ALL_CMD: u32 = 1;
/** Number of {@link DM_LIST_DEVICES}. */
export const DM_LIST_DEVICES_CMD: u32 = 2;
/** Number of {@link DM_DEV_CREATE}. */
export const DM_DEV_CREATE_CMD: u32 = 3;
/** Number of {@link DM_DEV_REMOVE}. */
export const DM_DEV_REMOVE_CMD: u32 = 4;
/** Number of {@link DM_DEV_RENAME}. */
export const DM_DEV_RENAME_CMD: u32 = 5;
/** Number of {@link DM_DEV_SUSPEND}. */
export const DM_DEV_SUSPEND_CMD: u32 = 6;
/** Number of {@link DM_DEV_STATUS}. */
export const DM_DEV_STATUS_CMD: u32 = 7;
/** Number of {@link DM_DEV_WAIT}. */
export const DM_DEV_WAIT_CMD: u32 = 8;
/** Number of {@link DM_TABLE_LOAD}. */
export const DM_TABLE_LOAD_CMD: u32 = 9;
/** Number of {@link DM_TABLE_CLEAR}. */
export const DM_TABLE_CLEAR_CMD: u32 = 10;
/** Number of {@link DM_TABLE_DEPS}. */
export const DM_TABLE_DEPS_CMD: u32 = 11;
/** Number of {@link DM_TABLE_STATUS}. */
export const DM_TABLE_STATUS_CMD: u32 = 12;
/** Number of {@link DM_LIST_VERSIONS}. */
export const DM_LIST_VERSIONS_CMD: u32 = 13;
/** Number of {@link DM_TARGET_MSG}. */
export const DM_TARGET_MSG_CMD: u32 = 14;
/** Number of {@link DM_DEV_SET_GEOMETRY}. */
export const DM_DEV_SET_GEOMETRY_CMD: u32 = 15;
/** Number of {@link DM_DEV_ARM_POLL}. */
export const DM_DEV_ARM_POLL_CMD: u32 = 16;
/** Number of {@link DM_GET_TARGET_VERSION}. */
export const DM_GET_TARGET_VERSION_CMD: u32 = 17;
/** Number of {@link DM_MPATH_PROBE_PATHS}. */
export const DM_MPATH_PROBE_PATHS_CMD: u32 = 18;

/** The type byte of every device-mapper ioctl. */
export const DM_IOCTL: u32 = 0xfd;

// _IOWR(DM_IOCTL, nr, struct dm_ioctl): direction 3 at bit 30, size 312 at bit 16, type at bit 8.
// 312 also fits the 13 size bits of mips, powerpc, sparc and alpha, whose _IOWR direction is 6 at
// bit 29: the number is the same everywhere.
const IOWR: u32 = (3 << 30) | (312 << 16) | (DM_IOCTL << 8);
/**
 * Ask for the interface version. The kernel reads and writes the 12 bytes of `version` only, and it
 * writes them also when it refuses the one that it was given.
 */
export const DM_VERSION: u32 = IOWR | DM_VERSION_CMD;
/**
 * Remove every device that nobody has open, whoever made it. The answer is always 0, and no byte
 * but the version comes back.
 */
export const DM_REMOVE_ALL: u32 = IOWR | DM_REMOVE_ALL_CMD;
/**
 * List all devices, or from interface 4.45 on those whose name and uuid begin with the header's.
 */
export const DM_LIST_DEVICES: u32 = IOWR | DM_LIST_DEVICES_CMD;
/** Create a device without a table, by name, and by uuid and minor if they are given. */
export const DM_DEV_CREATE: u32 = IOWR | DM_DEV_CREATE_CMD;
/** Remove a device that nobody has open, with the tables in both of its slots. */
export const DM_DEV_REMOVE: u32 = IOWR | DM_DEV_REMOVE_CMD;
/**
 * Give the device of the header's name another name, or with DM_UUID_FLAG its first and only uuid.
 */
export const DM_DEV_RENAME: u32 = IOWR | DM_DEV_RENAME_CMD;
/**
 * With DM_SUSPEND_FLAG hold a device's I/O back; without, swap in the table of the inactive slot, if
 * there is one, and let I/O go on.
 */
export const DM_DEV_SUSPEND: u32 = IOWR | DM_DEV_SUSPEND_CMD;
/** Describe a device: number, flags, openers, events, targets. */
export const DM_DEV_STATUS: u32 = IOWR | DM_DEV_STATUS_CMD;
/**
 * Sleep until the device's event counter is no longer `event_nr`, then answer as DM_TABLE_STATUS.
 * There is no time-out.
 */
export const DM_DEV_WAIT: u32 = IOWR | DM_DEV_WAIT_CMD;
/** Build a table and put it into the device's inactive slot, in place of the one that was there. */
export const DM_TABLE_LOAD: u32 = IOWR | DM_TABLE_LOAD_CMD;
/** Drop the table in the device's inactive slot, if there is one. */
export const DM_TABLE_CLEAR: u32 = IOWR | DM_TABLE_CLEAR_CMD;
/** Tell the numbers of the block devices that a table has open. */
export const DM_TABLE_DEPS: u32 = IOWR | DM_TABLE_DEPS_CMD;
/** Tell each target's status, or with DM_STATUS_TABLE_FLAG its row of the table. */
export const DM_TABLE_STATUS: u32 = IOWR | DM_TABLE_STATUS_CMD;
/** List the target types that are loaded now, with their versions. Since interface 4.1. */
export const DM_LIST_VERSIONS: u32 = IOWR | DM_LIST_VERSIONS_CMD;
/**
 * Send a text to the target that covers a sector, or if it begins with @ to the device. Since
 * interface 4.2.
 */
export const DM_TARGET_MSG: u32 = IOWR | DM_TARGET_MSG_CMD;
/**
 * Set what the device tells of cylinders, heads and sectors. No byte but the version comes back.
 * Since interface 4.6.
 */
export const DM_DEV_SET_GEOMETRY: u32 = IOWR | DM_DEV_SET_GEOMETRY_CMD;
/**
 * Have poll() of this descriptor of the control node wait for what happens from now on. Since
 * interface 4.37.
 */
export const DM_DEV_ARM_POLL: u32 = IOWR | DM_DEV_ARM_POLL_CMD;
/** Tell the version of one target type, whose module is loaded for it. Since interface 4.41. */
export const DM_GET_TARGET_VERSION: u32 = IOWR | DM_GET_TARGET_VERSION_CMD;
/**
 * Have a multipath device try its paths. Sent to that device itself, without a struct: _IO(DM_IOCTL,
 * 18). On mips, powerpc, sparc and alpha, where _IO has a direction bit, it is 0x2000fd12. Since
 * interface 4.50.
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

/** In a record of LIST_DEVICES, from interface 4.45 on: a uuid follows. */
export const DM_NAME_LIST_FLAG_HAS_UUID: u32 = 1;
/** In a record of LIST_DEVICES, from interface 4.45 on: the device has no uuid. */
export const DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID: u32 = 2;

/** The only major version of the interface that kernels since Linux 2.6 speak. */
export const DM_VERSION_MAJOR: u32 = 4;
/** Bytes of the field `name`: 127 and the NUL. */
export const DM_NAME_LEN: u32 = 128;
/** Bytes of the field `uuid`: 128 and the NUL. */
export const DM_UUID_LEN: u32 = 129;
/** Bytes of the field `target_type`: 15 and the NUL. */
export const DM_MAX_TYPE_NAME: u32 = 16;
/** The most targets that a kernel takes in one table (drivers/md/dm-ioctl.c). */
export const DM_MAX_TARGETS: u32 = 1048576;
/** Bytes that DM_MAX_DATA_SIZE counts on per target; one target alone may have more. */
export const DM_MAX_TARGET_PARAMS: u32 = 1024;
/** DM_MAX_TARGETS * DM_MAX_TARGET_PARAMS: the largest data_size that a kernel takes. */
export const DM_MAX_DATA_SIZE: u32 = 1073741824;

/**
 * `event_nr` of a resume, rename or remove holds udev's cookie: the number to wait by in the low 16
 * bits, and the DM_UDEV flags shifted by this above them.
 */
export const DM_UDEV_FLAGS_SHIFT: u32 = 16;
/** In a cookie: udev makes no link in /dev/mapper. */
export const DM_UDEV_DISABLE_DM_RULES_FLAG: u32 = 0x0001;
/** In a cookie: udev does not run the rules of LVM, multipath and their like. */
export const DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG: u32 = 0x0002;
/** In a cookie: udev makes no links in /dev/disk. */
export const DM_UDEV_DISABLE_DISK_RULES_FLAG: u32 = 0x0004;
/** In a cookie: what is above device-mapper leaves the device alone. */
export const DM_UDEV_DISABLE_OTHER_RULES_FLAG: u32 = 0x0008;
/** In a cookie: the device's links give way to those of other devices, as a snapshot's should. */
export const DM_UDEV_LOW_PRIORITY_FLAG: u32 = 0x0010;
/** In a cookie: libdevmapper does not make nodes by itself. */
export const DM_UDEV_DISABLE_LIBRARY_FALLBACK: u32 = 0x0020;
/** In a cookie: the event is of a real change, and not a replayed one. */
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
export const HEADER_OPEN_COUNT: u32 = offsetof<DmIoctl>('open_count');
export const HEADER_FLAGS: u32 = offsetof<DmIoctl>('flags');
export const HEADER_EVENT_NR: u32 = offsetof<DmIoctl>('event_nr');
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
export const SPEC_NEXT: u32 = offsetof<DmTargetSpec>('next');
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

//   0 next   4 version[3]   16 name, NUL; the next record is 8-aligned
@unmanaged
export class DmTargetVersions {
  next: u32;
  version_major: u32;
  version_minor: u32;
  version_patch: u32;
}
export const TARGET_VERSIONS_NAME: u32 = offsetof<DmTargetVersions>();

//   0 sector (u64)   8 message, NUL
@unmanaged
export class DmTargetMsg {
  sector: u64;
}
export const TARGET_MSG_TEXT: u32 = offsetof<DmTargetMsg>();
