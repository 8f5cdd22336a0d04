// The model answers what kernels were recorded to answer: each section of the recordings on a model just
// made, each ioctl's bytes, errno and log compared. What differs is listed, with the reason: what is counted
// of data that the model does not hold, and what varies from run to run of one kernel.

import {
  ModelKernel,
  REQUEST_CODE,
  decodeRequest,
  encodeRequest,
  type ModelHolder,
  type Release,
} from 'devicemapper/model';
import { assert, suite } from '../harness.js';
import { entriesOf, type Action, type Entry, type Ioctl } from './recordings.js';

const KERNELS: readonly Release[] = ['5.10', '6.1', '6.12'];

/** Bytes of struct dm_ioctl that an allowed difference may be in. */
const DATA_SIZE = [12, 16] as const;
const FLAGS = [28, 32] as const;
const EVENT_NR = [32, 36] as const;
const HEADER_SIZE = 312;

interface Allowed {
  readonly reason: string;
  /** Steps, on some of the kernels at least. */
  readonly steps: RegExp;
  /** What may differ there. */
  readonly what: readonly ('status' | 'event' | 'suspended' | 'errno' | 'log' | 'bytes')[];
}

const ALLOWED: readonly Allowed[] = [
  {
    reason: 'counts I/O: what was written to or read from the device',
    steps:
      /^(snap\/status-after-write(-2)?|snap\/suspended|thin\/(vol-written|pool-written|pool-noflush|snap-status|snap-written|pool-after-snap|pool-inactive|pool-suspended)|target\/(cache\/(st|suspended)|clone\/st|writecache\/st|log-writes\/(status-after-write|suspended)))$/,
    what: ['status'],
  },
  {
    reason: 'a snapshot that overflows when its origin is written to',
    steps: /^snapfull\/(resume|status|devstatus|table|origin-status)$/,
    what: ['status', 'event', 'log'],
  },
  {
    reason: 'a block that was spoilt on the disk itself, behind the target',
    steps: /^(verity\/corrupted|target\/thin-pool-garbage\/(load|remove-after-failed-load))$/,
    what: ['status', 'errno', 'log', 'bytes'],
  },
  {
    reason: 'how far a resync, a merge or a hydration has come by then',
    steps:
      /^(target\/(mirror-plain\/status|raid5\/status|raid1-missing\/status|clone\/(inactive|suspended))|merge\/status)$/,
    what: ['status', 'event'],
  },
  {
    reason: 'events that targets raise from a work queue',
    steps: /^target\/mirror(-plain|-disk)?\/[\w-]+$|^target\/raid1\/message (frozen|nonsense)$/,
    what: ['event'],
  },
  {
    reason: 'a check that still runs, or is already done',
    steps: /^target\/raid1\/message (frozen|nonsense)$/,
    what: ['errno'],
  },
  {
    reason: 'in which block the metadata snapshot is',
    steps: /^thin\/pool-held$/,
    what: ['status'],
  },
  {
    reason: 'when a DEV_WAIT that removal has woken looks at the device',
    steps: /^(wait\/current(-table)?|mp\/wait-remove|nt\/wait)\/done$/,
    what: ['suspended'],
  },
  {
    reason: 'a number of md, of which a module makes a device when it is opened',
    steps: /^target\/multipath\/message fail_path 9:9$/,
    what: ['errno', 'log'],
  },
];

/** A caller without CAP_SYS_ADMIN. */
const NOT_A_MODEL = 'version/unprivileged';

interface Run {
  readonly model: ModelKernel;
  readonly holders: ModelHolder[];
  /** Waits in flight, by the step that started them. */
  readonly waits: Map<string, { readonly buffer: Uint8Array; readonly errno: Promise<number> }>;
}

/** How the model differs in one ioctl, as a list of what; empty if not at all. */
function differences(entry: Ioctl, buffer: Uint8Array, errno: number, log: readonly string[]) {
  const found = new Set<string>();
  // A message to a device without a table makes the ioctl return 2 until 6.1, which a Transport tells as EINVAL.
  const wanted = NUMBER_OF[entry.errno === 2 ? 'EINVAL' : entry.errno];
  if (errno !== wanted) found.add('errno');
  if (!entry.waited && log.join('\n') !== entry.log.join('\n')) found.add('log');
  if (errno === wanted) {
    for (const [at, byte] of buffer.entries()) {
      if (byte === entry.after[at]) continue;
      const is = ([from, to]: readonly [number, number]): boolean => at >= from && at < to;
      const isSuspend = is(FLAGS) && ((byte ^ entry.after[at]!) & ~2) === 0;
      if (is(EVENT_NR)) found.add('event');
      else if (is(DATA_SIZE) || at >= HEADER_SIZE) found.add('status');
      else found.add(isSuspend ? 'suspended' : 'bytes');
    }
  }
  return [...found];
}

const NUMBER_OF: Readonly<Record<string, number>> = {
  0: 0,
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  ENXIO: 6,
  EAGAIN: 11,
  ENOMEM: 12,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOTTY: 25,
  ENODATA: 61,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ENOKEY: 126,
};

/** Do what was done besides ioctls. */
function act(run: Run, { step, action, events }: Action, later: readonly Entry[]): void {
  const { model, holders, waits } = run;
  const [, path] = /^open (\S+)$/.exec(action) ?? [];
  if (path !== undefined) holders.push(model.open(path));
  else if (action.startsWith('close')) for (const holder of holders.splice(0)) holder.close();
  else if (action.startsWith('add_key')) model.addKey('logon', 'dm:key1');
  else if (action === 'poll') {
    const isReadable = model.pollSync(1) === 1;
    assert.is(isReadable, events?.[0] === 1, `poll at ${step}`);
  } else if (action.startsWith('DEV_WAIT') && action !== 'DEV_WAIT still waiting') {
    const done = later.find(
      (entry): entry is Ioctl => entry.kind === 'ioctl' && entry.step === `${step}/done`,
    )!;
    const buffer = done.before.slice();
    waits.set(`${step}/done`, { buffer, errno: model.ioctlAsync(done.request, buffer) });
  }
}

/** What was done before an ioctl, and told only behind it or not at all. */
function prepare(model: ModelKernel, section: string, { step, request, before }: Ioctl): void {
  if (request !== REQUEST_CODE.DEV_CREATE) return;
  // A disk was wiped.
  if (section === 'caches') model.wipe('/dev/ubdc');
  if (step === 'snapPO/create') model.wipe('/dev/ubdb');
  const isLast =
    step === 'order/many-create' && decodeRequest('DEV_CREATE', before).name === 'dev119';
  for (let i = 2; isLast && i <= 118; i++) {
    const name = `dev${String(i).padStart(3, '0')}`;
    assert.is(model.ioctl(request, encodeRequest('DEV_CREATE', { name })), 0);
  }
}

/** Reasons that were needed so far. */
const used = new Set<string>();

const Recorded = suite('model on recordings');

for (const kernel of KERNELS) {
  Recorded(`${kernel} answers as it was recorded`, async () => {
    const entries = entriesOf(kernel);
    let run: Run | undefined;
    let section = '';
    let [same, all] = [0, 0];
    const counts = new Map<string, number>();
    const wrong: string[] = [];
    for (const [i, entry] of entries.entries()) {
      if (entry.kind === 'boot') {
        const { major } = entry;
        section = entry.section;
        // A discard of User-Mode Linux's disks is smaller than any target's block.
        const blockDevices = Object.fromEntries(
          Object.entries(entry.disks).map(([path, disk]) => [path, { ...disk, discardSectors: 1 }]),
        );
        const model = new ModelKernel({ release: kernel, major, blockDevices });
        run = { model, holders: [], waits: new Map() };
        continue;
      }
      if (run === undefined) throw new Error('the recording begins without a boot');
      if (entry.kind === 'action') {
        act(run, entry, entries.slice(i));
        // Who waits is asked only now.
        await Promise.resolve();
        continue;
      }
      if (entry.step === NOT_A_MODEL) continue;
      const { model, waits } = run;
      prepare(model, section, entry);
      let buffer: Uint8Array = entry.before.slice();
      let errno: number;
      const wait = waits.get(entry.step);
      if (wait !== undefined) {
        errno = await wait.errno;
        ({ buffer } = wait);
      } else if (entry.step.startsWith('device-fd/') && entry.errno === 'ENOTTY') {
        errno = model.deviceIoctlSync('/dev/dm-0', entry.request);
      } else errno = model.ioctl(entry.request, buffer);
      const found = differences(entry, buffer, errno, model.kernelLog());
      all++;
      if (found.length === 0) {
        same++;
        continue;
      }
      const allowed = ALLOWED.filter(({ steps }) => steps.test(entry.step));
      const rest = found.filter((what) => !allowed.some((one) => one.what.includes(what as never)));
      if (rest.length > 0) {
        const wanted = `errno ${entry.errno} log ${JSON.stringify(entry.log)}`;
        const had = `errno ${errno} log ${JSON.stringify(model.kernelLog())}`;
        wrong.push(`${section} ${entry.step}: ${rest.join(', ')}: has ${had}, recorded ${wanted}`);
      }
      for (const one of allowed) {
        if (one.what.some((what) => found.includes(what))) used.add(one.reason);
      }
      const reason = allowed[0]?.reason ?? 'not allowed';
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    console.log(`${kernel}: ${same} of ${all} the same`);
    for (const [reason, count] of counts) console.log(`  ${count}: ${reason}`);
    assert.equal(wrong, []);
    assert.ok(same > 0.95 * all);
  });
}

Recorded('every difference that is allowed is there', () => {
  const unused = ALLOWED.filter(({ reason }) => !used.has(reason)).map(({ reason }) => reason);
  assert.equal(unused, []);
});

Recorded.run();
