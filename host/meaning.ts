// What an errno means for a command: drivers/md/dm-ioctl.c unless another file is named. A pair that
// is not here falls back to the errno's own text, never to a guess.

/** Of every command. */
const ANY: Readonly<Record<string, string>> = {
  // ctl_ioctl(): capable(CAP_SYS_ADMIN), asked of the calling process at every call
  EACCES: 'needs CAP_SYS_ADMIN in the initial user namespace',
  // lookup_ioctl(), or a node that is no control node at all
  ENOTTY: 'command not known to this kernel',
  // copy_params()
  ENOMEM: 'the kernel is out of memory',
  EFAULT: 'the buffer cannot be read or written',
};

const MEANING: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  VERSION: {
    // check_version()
    EINVAL: 'interface major version is not 4',
  },
  DEV_CREATE: {
    // check_name()
    EINVAL: 'name is not a legal device name',
    // dm_hash_insert()
    EBUSY: 'name or uuid in use',
    // dm_create(), specific_minor()
    ENXIO: 'minor in use, or no device can be allocated',
  },
  DEV_REMOVE: {
    // dev_remove(): __find_device_hash_cell()
    ENXIO: 'no such device',
    // dm_lock_for_deletion() of dm.c
    EBUSY: 'device is open',
  },
  DEV_SUSPEND: {
    // do_suspend(), do_resume(): find_device()
    ENXIO: 'no such device',
    // dm_resume() of dm.c, dm_swap_table() of dm.c
    EINVAL: 'no table to resume, or the device refused the new one',
    // dm_wait_for_completion() of dm.c
    EINTR: 'interrupted while waiting for I/O to drain',
    // crypt_preresume() of dm-crypt.c
    EAGAIN: 'target is not ready to resume',
  },
  DEV_STATUS: {
    ENXIO: 'no such device',
    // lookup: validate_params()
    EINVAL: 'more than one of name, uuid and dev was given',
  },
  TABLE_LOAD: {
    ENXIO: 'no such device, or a target names a block device that is absent',
    // populate_table(), dm_table_add_target() and dm_table_complete() of dm-table.c
    EINVAL: 'table refused',
    // dm_get_device() of dm-table.c
    ENODEV: 'a target names a path that is no block device',
    ENOENT: 'a target names a path or an algorithm that is absent',
    ENOTBLK: 'a target names no block device, or its metadata is damaged',
    EBUSY: 'a device beneath is held by someone else',
    EROFS: 'a device beneath is read-only',
    // populate_table()
    EOVERFLOW: 'too many targets, or a device number out of range',
    // thin_ctr() of dm-thin.c
    ENODATA: 'no such thin device in the pool',
    ENOKEY: 'the key is not in the keyring',
  },
  TABLE_CLEAR: { ENXIO: 'no such device' },
  TABLE_DEPS: { ENXIO: 'no such device' },
  TABLE_STATUS: { ENXIO: 'no such device' },
};

/** What to do about it, where the meaning does not tell. */
const ADVICE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DEV_REMOVE: { EBUSY: 'close what holds it, or pass { deferred: true }' },
};

/** The advice for `code` from `command`, if there is one. */
export function adviceOf(command: string, code: string): string | undefined {
  return ADVICE[command]?.[code];
}

/** The sentence for `code` from `command` (the kernel's name, as in 'DEV_REMOVE'), if there is one. */
export function meaningOf(command: string, code: string): string | undefined {
  return MEANING[command]?.[code] ?? ANY[code];
}
