// The nodes in /dev/mapper, by which devices are opened, and udev, whose rules make and remove the
// same ones. Rule: udev is waited for where it runs, within bounds, and needed nowhere.

import { NodeError } from './errors.js';
import {
  DM_UDEV_FLAGS_SHIFT,
  DM_UDEV_PRIMARY_SOURCE_FLAG,
  DM_UEVENT_GENERATED_FLAG,
} from './generated/uapi.js';
import { ask, hasNode, pathOf, type Operation } from './steps.js';
import type { Transport, UdevMode } from './transport.js';
import type { DeviceInfo } from './types.js';
import type { Header } from './wire.js';

/** udev's rules take events of resume, rename and remove for genuine with this one, as libdm's. */
const PRIMARY_SOURCE = (DM_UDEV_PRIMARY_SOURCE_FLAG << DM_UDEV_FLAGS_SHIFT) >>> 0;

/** How long udev's rules are given for an event: they may run programs, and stand in line. */
const COOKIE_MS = 30_000;
/** How long udev is given for a node, where we cannot know whether it is at work. */
const NODE_MS = 3_000;

function* udevMode(): Operation<UdevMode> {
  return yield* ask((transport) => transport.udev?.mode() ?? 'none');
}

/** Look again and again, less and less often, until it is so, `limitMs` have gone by or an abort came. */
function* untilSo(limitMs: number, isSo: (transport: Transport) => boolean): Operation<void> {
  for (let waited = 0, ms = 1; waited < limitMs; waited += ms, ms = Math.min(2 * ms, 50)) {
    if (yield* ask(isSo)) return;
    if ((yield { kind: 'wait', ms }) === true) return;
  }
}

/**
 * An ioctl of which udev is told, and in 'cookie' mode the wait for its rules to end.
 *
 * @param send - the ioctl, with the cookie in `event_nr`
 */
export function* announced<R extends Header>(
  send: (eventNr: number) => Operation<R>,
): Operation<R> {
  const wanted = (yield* udevMode()) === 'cookie';
  // 0 where no semaphore is to be had: then there is none to wait for.
  const cookie = wanted ? yield* ask((transport) => transport.udev?.create() ?? 0) : 0;
  if (cookie === 0) return yield* send(PRIMARY_SOURCE);
  try {
    const reply = yield* send((PRIMARY_SOURCE | cookie) >>> 0);
    // Without this flag no event was sent, and nobody counts the semaphore down.
    if ((reply.flags & DM_UEVENT_GENERATED_FLAG) !== 0) {
      yield* untilSo(COOKIE_MS, ({ udev }) => udev?.completed(cookie) !== false);
    }
    return reply;
  } finally {
    yield* ask((transport) => transport.udev?.remove(cookie));
  }
}

/** What stands at a device's path that is not the device's is refused before it is in the way. */
export function* checkNode(name: string): Operation<void> {
  if (!hasNode(name)) return;
  const path = pathOf(name, 0);
  if ((yield* ask((transport) => transport.nodes?.state(path))) === 'other') throw taken(path);
}

function taken(path: string): NodeError {
  return new NodeError(path, 'something that is no device-mapper node stands here; move it away');
}

/**
 * Have the device's path open as the device, at once: the link that udev makes is made here if udev
 * has not come to it, and udev leaves it as it is.
 */
export function* provideNode({ name, path, dev }: DeviceInfo): Operation<void> {
  if (!hasNode(name)) return;
  if ((yield* udevMode()) === 'poll') {
    yield* untilSo(NODE_MS, ({ nodes }) => nodes?.state(path, dev) !== 'absent');
  }
  // A few tries, as udev may be making the same link at the same time.
  for (let tries = 0; tries < 5; tries++) {
    const state = yield* ask((transport) => transport.nodes?.state(path, dev));
    if (state === undefined || state === 'ours') return;
    if (state === 'other') throw taken(path);
    yield* ask((transport) => transport.nodes?.make(path, dev));
  }
  throw new NodeError(path, 'the node keeps changing under our hands; what else makes it?');
}

/**
 * Take away the node of a device that is gone, unless a new device has the name by now.
 *
 * @param find - looks a device up by its name
 */
export function* dropNode(
  name: string,
  find: (name: string) => Operation<DeviceInfo | undefined>,
): Operation<void> {
  yield { kind: 'commit' };
  if (!hasNode(name)) return;
  const path = pathOf(name, 0);
  if ((yield* udevMode()) === 'poll') {
    yield* untilSo(NODE_MS, ({ nodes }) => nodes?.settled() !== false);
  }
  if ((yield* ask((transport) => transport.nodes?.state(path))) !== 'stale') return;
  if ((yield* find(name)) !== undefined) return;
  yield* ask((transport) => transport.nodes?.remove(path));
  // Somebody may have made a device of this name, and its node, just before we took the node away.
  const next = yield* find(name);
  if (next?.liveTable === true) yield* provideNode(next);
}
