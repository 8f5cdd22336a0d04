// What an errno means for a command: drivers/md/dm-ioctl.c unless another file is named. A pair that
// is not here falls back to the errno's own text, never to a guess.

/** Of every command. */
const ANY: Readonly<Record<string, string>> = {
  // ctl_ioctl(): capable(CAP_SYS_ADMIN), asked of the calling process at every call
  EACCES: 'needs CAP_SYS_ADMIN in the initial user namespace',
  // lookup_ioctl(), or a node that is no control node at all
  ENOTTY: 'command not known to this kernel',
  // copy_params(): kvmalloc()
  ENOMEM: 'the kernel is out of memory',
  // copy_params(), ctl_ioctl(): copy_from_user(), copy_to_user()
  EFAULT: 'the buffer cannot be read or written',
  // check_version(), copy_params(), validate_params()
  EINVAL: 'request malformed, its version too new, or both a name and a uuid given',
};

/** find_device(), __find_device_hash_cell(): of every command that looks a device up. */
const NO_DEVICE = 'no such device';

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
    // dev_create(): dm_create(); dm.c specific_minor(), next_free_minor()
    ENXIO: 'minor in use, or no device can be allocated',
  },
  DEV_REMOVE: {
    ENXIO: NO_DEVICE,
    // dm.c dm_lock_for_deletion()
    EBUSY: 'device is open',
  },
  DEV_RENAME: {
    // dm_hash_rename()
    ENXIO: NO_DEVICE,
    EBUSY: 'the new name or uuid is in use',
    // dev_rename(): invalid_str(), check_name(); dm_hash_rename()
    EINVAL: 'not a legal name, or the device has a uuid already',
  },
  DEV_SUSPEND: {
    ENXIO: NO_DEVICE,
    // dm.c dm_resume(), dm_swap_table(), and the preresume of targets
    EINVAL: 'no table to resume, or the device refused the new one',
    // dm.c dm_wait_for_completion()
    EINTR: 'interrupted while waiting for I/O to drain',
    // dm-crypt.c crypt_preresume()
    EAGAIN: 'target is not ready to resume',
    // dm.c lock_fs(): freeze_bdev(); dm-thin.c, dm-raid.c and others, their preresume
    EBUSY: 'the file system cannot be frozen, as somebody else holds it',
    EIO: 'the file system or a target failed to write what it had',
    EROFS: 'the file system cannot be frozen, as it is read-only',
    // dm-thin.c maybe_resize_data_dev(), dm-cache-target.c cache_preresume()
    ENOSPC: 'a target has no space left for its metadata',
  },
  DEV_STATUS: {
    ENXIO: NO_DEVICE,
    // validate_params(), lookup
    EINVAL: 'more than one of name, uuid and dev was given',
  },
  DEV_WAIT: {
    ENXIO: NO_DEVICE,
    // dm.c dm_wait_event()
    EINTR: 'interrupted by a signal',
  },
  TABLE_LOAD: {
    ENXIO: 'no such device, or a target names a block device that is absent',
    // populate_table(); dm-table.c dm_table_add_target(), dm_table_complete()
    EINVAL: 'table refused',
    // dm-table.c dm_get_device(): lookup_bdev()
    ENODEV: 'a target names a path that is no block device',
    // the same; dm-crypt.c, dm-verity-target.c, dm-integrity.c: crypto_alloc_…()
    ENOENT: 'a target names a path or an algorithm that is absent',
    // the same; dm-thin-metadata.c, dm-cache-metadata.c: the superblock's check
    ENOTBLK: 'a target names no block device, or its metadata is damaged',
    // the same; ctl_ioctl() answers it too
    EACCES: 'no right to open a device beneath, or no CAP_SYS_ADMIN in the initial user namespace',
    // dm.c open_table_device(): blkdev_get_by_dev()
    EBUSY: 'a device beneath is held by someone else',
    EROFS: 'a device beneath is read-only',
    // populate_table(); dm-table.c dm_get_device()
    EOVERFLOW: 'too many targets, or a device number out of range',
    // dm-thin.c thin_ctr()
    ENODATA: 'no such thin device in the pool',
    // dm-crypt.c crypt_set_keyring_key(), dm-verity-verify-sig.c
    ENOKEY: 'the key is not in the keyring',
    EKEYEXPIRED: 'the key in the keyring has expired',
    EKEYREVOKED: 'the key in the keyring has been revoked',
    EKEYREJECTED: 'the signature does not match a key in the keyring',
    // the constructors of dm-zoned-target.c, dm-raid.c and others
    EOPNOTSUPP: 'a target cannot do this on the devices beneath',
    ENOSPC: 'a device beneath is too small',
    EIO: 'a device beneath cannot be read or written',
  },
  TABLE_CLEAR: { ENXIO: NO_DEVICE },
  TABLE_DEPS: { ENXIO: NO_DEVICE },
  TABLE_STATUS: { ENXIO: NO_DEVICE },
  TARGET_MSG: {
    ENXIO: 'no such device, or it is being removed',
    // target_message(), message_for_md(); a target's own parsing
    EINVAL: 'message not known here, its arguments wrong, no table, or the sector outside of it',
    // dm-stats.c message_stats_delete() and its like
    ENOENT: 'no statistics with this number',
    // dm-stats.c dm_stats_create()
    EOVERFLOW: 'too many areas',
    ENFILE: 'all numbers of statistics are taken',
    // dm-thin.c pool_message(), dm-cache-target.c cache_message()
    EOPNOTSUPP: 'the pool or cache is read-only, or has failed',
    // dm-thin-metadata.c __create_thin(), __create_snap()
    EEXIST: 'a thin device with this number exists',
    // dm-thin-metadata.c __open_device()
    ENODATA: 'no such thin device in the pool',
    // dm-thin-metadata.c __delete_device(); dm-mpath.c multipath_message(); dm-raid.c raid_message()
    EBUSY: 'busy: in use, suspended, or at work on something like it',
    // dm-thin-metadata.c: dm_pool_create_thin() and its like
    ENOSPC: 'no space left for metadata',
    // dm-cache-target.c process_invalidate_cblocks_message()
    EPERM: 'only in passthrough mode',
    // dm-crypt.c crypt_message()
    ENOKEY: 'the key is not in the keyring',
    EKEYEXPIRED: 'the key in the keyring has expired',
    EKEYREVOKED: 'the key in the keyring has been revoked',
    EIO: 'a device beneath cannot be read or written',
    EINTR: 'interrupted by a signal; it may have had an effect',
  },
  DEV_SET_GEOMETRY: {
    ENXIO: NO_DEVICE,
    // dev_set_geometry(); dm.c dm_set_geometry()
    EINVAL: 'geometry out of range, or its start beyond its end',
  },
  GET_TARGET_VERSION: {
    // get_target_version(): dm_get_target_type()
    EINVAL: 'no such target type',
  },
  MPATH_PROBE_PATHS: {
    // dm-mpath.c multipath_ioctl(), probe_active_paths()
    ENOTCONN: 'no path works',
    // dm.c dm_blk_ioctl(): handed on to the device beneath, which knows nothing of it
    ENOTTY: 'not a multipath device',
    EINVAL: 'not a multipath device',
    EIO: 'no path to send it down',
  },
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
