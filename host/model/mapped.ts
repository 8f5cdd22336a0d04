// drivers/md/dm.c and the hash of dm-ioctl.c: how mapped devices suspend, resume, change their table and go.

import type { Core } from './core.js';
import type { Bytes } from './packet.js';
import { refuse } from './refusal.js';
import type { Device, Table } from './state.js';
import {
  calculateLimits,
  destroyTable,
  hasNoDevices,
  postsuspendTargets,
  presuspendTargets,
  resumeTargets,
  sizeOf,
} from './table.js';

// ── Suspending ─────────────────────────────────────────────────────────────────────────────────

/** dm_suspend(): there is no I/O to wait for. */
export function suspend(core: Core, device: Device, { noflush }: Pick<Device, 'noflush'>): void {
  device.noflush = noflush;
  if (device.live !== undefined) presuspendTargets(core, device, device.live);
  device.suspended = true;
  if (device.live !== undefined) postsuspendTargets(core, device, device.live);
}

/** dm_swap_table(): the new table is live, or destroyed with the device left suspended. */
export function swap(core: Core, device: Device, table: Table): Table | undefined {
  const before = device.live;
  const kept = before !== undefined && hasNoDevices(table);
  const limits = kept ? device.limits : calculateLimits(core, device, table);
  const size = sizeOf(table);
  verifyIntegrity(core, device, table);
  if (size !== device.size) device.geometry = [0, 0, 0, 0];
  device.limits = limits;
  device.size = size;
  device.live = table;
  if (table.immutableType === undefined) delete device.immutableType;
  else device.immutableType = table.immutableType;
  core.globalEvent();
  return before;
}

/** dm_table_verify_integrity() */
export function verifyIntegrity(core: Core, device: Device, table: Table): void {
  if (!device.integrityProfile || table.targets.some(({ type }) => type === 'integrity')) return;
  core.log(4, `table: ${core.nameOf(device)}: unable to establish an integrity profile`);
  device.integrityProfile = false;
}

/** dm_resume() */
export function resume(core: Core, device: Device): void {
  const { live } = device;
  if (!device.suspended || live === undefined || sizeOf(live) === 0n) refuse('EINVAL');
  resumeTargets(core, device, live);
  device.suspended = false;
}

// ── Removing ───────────────────────────────────────────────────────────────────────────────────

/** dm-ioctl.c __hash_remove(), dm.c __dm_destroy() */
export function destroy(core: Core, device: Device): void {
  core.state.devices = core.state.devices.filter((one) => one !== device);
  device.removed = true;
  const { live, inactive } = device;
  if (live !== undefined) core.raise(device);
  if (inactive !== undefined) {
    delete device.inactive;
    destroyTable(core, device, inactive);
  }
  if (live === undefined) return;
  if (!device.suspended) {
    presuspendTargets(core, device, live);
    device.suspended = true;
    postsuspendTargets(core, device, live);
  }
  destroyTable(core, device, live);
}

/** The devices as dm_hash_remove_all() and list_devices() go through them. */
export function inOrder(core: Core): Device[] {
  const { devices } = core.state;
  if (!core.is('6.1')) {
    return [...devices].reverse().sort((a, b) => hashOf(a.name) - hashOf(b.name));
  }
  return [...devices].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** dm_hash_remove_all() */
export function removeAll(
  core: Core,
  how: { readonly markDeferred: boolean; readonly onlyDeferred: boolean },
): void {
  for (;;) {
    let skipped = 0;
    let gone: Device | undefined;
    for (const device of inOrder(core)) {
      if (device.openCount > 0) {
        if (how.markDeferred) device.deferredRemove = true;
        skipped++;
      } else if (how.onlyDeferred && !device.deferredRemove) skipped++;
      else {
        gone = device;
        break;
      }
    }
    if (gone === undefined) {
      // The worker that carries out what was put off says nothing on later kernels.
      const isSaid = skipped > 0 && !(how.onlyDeferred && core.is('6.1'));
      if (isSaid) core.log(4, `ioctl: remove_all left ${skipped} open device(s)`);
      return;
    }
    destroy(core, gone);
  }
}

/** dm.c dm_deferred_remove(), which the kernel's own thread does when the last opener is gone. */
export function removeDeferred(core: Core): void {
  removeAll(core, { markDeferred: false, onlyDeferred: true });
}

/** Of 5.10: dm-ioctl.c hash_str(), in a chain of which the newest name stands first. */
export function hashOf(name: Bytes): number {
  let hash = 0;
  for (const character of name) {
    const byte = character.charCodeAt(0);
    hash = Math.imul(hash + (byte < 128 ? byte : byte - 256), 2654435387) | 0;
  }
  return hash & 63;
}
