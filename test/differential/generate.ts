// Sequences of ioctls that nobody thought of, from a seed. An author has a rough idea of what devices there
// are by now, so that most of what it asks for makes sense, and the rest nearly does.
//
// Rule: what hangs or crashes a kernel stays out, each with its reason at its place: a guest is lost by it,
// and the kernel's faults are not a model's to show.

import {
  DM_DEFERRED_REMOVE,
  DM_IMA_MEASUREMENT_FLAG,
  DM_NOFLUSH_FLAG,
  DM_PERSISTENT_DEV_FLAG,
  DM_QUERY_INACTIVE_TABLE_FLAG,
  DM_READONLY_FLAG,
  DM_SECURE_DATA_FLAG,
  DM_SKIP_BDGET_FLAG,
  DM_SKIP_LOCKFS_FLAG,
  DM_STATUS_TABLE_FLAG,
  DM_SUSPEND_FLAG,
  DM_UUID_FLAG,
  REQUEST_CODE,
  makeDev,
  type Command,
} from 'devicemapper/model';
import { Random } from '../fuzz/random.js';
import * as naive from '../naive.js';
import { KINDS, MAJOR, MODULES, SLICES, UNKNOWN, spoil, type Row } from './tables.js';
import { ioctlStep, type Sequence, type Step } from './script.js';

/** What sequences are made for. */
export interface Occasion {
  /** As in '6.1': some of what crashes one kernel is harmless to another. */
  readonly kernel: string;
  readonly seed: number;
  /** How many steps in all; the last sequence is not cut short. */
  readonly steps: number;
}

const HEADER_SIZE = 312;
/** Enough for any answer here. */
const ROOM = 16384;

/** The first loads every type, in an order of the seed's; then each begins anew. */
export function generate({ kernel, seed, steps }: Occasion): Sequence[] {
  const random = new Random(seed);
  const sequences: Sequence[] = [prologue(random)];
  for (let made = sequences[0]!.length; made < steps;) {
    const sequence = new Author(kernel, random).write(5 + random.below(45));
    sequences.push(sequence);
    made += sequence.length;
  }
  return sequences;
}

/** Modules stay loaded: where all of them are, a sequence is the same wherever it stands in a run. */
export function prologue(random: Random): Sequence {
  const types = Object.keys(KINDS);
  for (let i = types.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [types[i], types[j]] = [types[j]!, types[i]!];
  }
  const asked = types.flatMap((name) => [
    step('GET_TARGET_VERSION', encode({ name, dataSize: 512 })),
    step('LIST_VERSIONS', encode({ dataSize: ROOM })),
  ]);
  // What a table names may be a module, too.
  const name = 'modules';
  const loaded = MODULES.map((row) => {
    const payload = encodeRows([{ startSector: 0, ...row }]);
    return step('TABLE_LOAD', encode({ name, targetCount: 1, payload }));
  });
  return [...asked, step('DEV_CREATE', encode({ name })), ...loaded];
}

function step(command: Command, bytes: Uint8Array): Step {
  return ioctlStep(REQUEST_CODE[command], bytes);
}

interface Request {
  readonly name?: string;
  readonly uuid?: string;
  readonly dev?: number;
  readonly flags?: number;
  readonly eventNr?: number;
  readonly targetCount?: number;
  /** The least, if what is behind the header is more. */
  readonly dataSize?: number;
  readonly payload?: readonly number[];
  /** What the bytes hold that say nothing. */
  readonly fill?: number;
}

/** By the naive codec: it refuses nothing. */
function encode({ payload = [], fill = 0, ...request }: Request): Uint8Array {
  const dataSize = Math.max(request.dataSize ?? HEADER_SIZE, HEADER_SIZE + payload.length);
  const usual = { dev: 0, flags: 0, eventNr: 0, name: '', uuid: '', targetCount: 0, openCount: 0 };
  const whole = { version: [4, 0, 0], dataStart: HEADER_SIZE, ...usual, ...request, dataSize };
  const bytes = new Uint8Array(dataSize).fill(fill);
  // Where a target tells nothing, Linux takes what the buffer held for it, up to a NUL (dm-unstripe.c unstripe_status).
  bytes[dataSize - 1] = 0;
  bytes.set(naive.encodeHeader(whole as never));
  bytes.set(payload, HEADER_SIZE);
  return bytes;
}

/** Each character a byte. */
const latin = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

function encodeRows(rows: readonly (Row & { readonly startSector: number })[]): number[] {
  const targets = rows.map(({ startSector, length, type, parameters }) => ({
    startSector: BigInt(startSector),
    length: BigInt(length),
    type,
    parameters: latin(parameters),
  }));
  return naive.encodeChain(targets, false);
}

/** A device as the author believes it to be. */
interface Known {
  name: string;
  uuid: string;
  readonly minor: number;
  live: Row[] | undefined;
  inactive: Row[] | undefined;
  suspended: boolean;
}

const NAMES = ['a', 'b', 'c', 'dev', 'dev-2', 'data disk', 'a\udcff\u00e0', 'x'.repeat(127)];
const BAD_NAMES = ['', '.', '..', 'control', 'no/slash', 'nobody'];
const UUIDS = ['', '', 'LVM-a', 'LVM-ab', 'TEST-1', 'u'.repeat(128)];
const STRAY = [0x4, 0x20, 0x40, 0x80, 0x100, 0x2000, 0x10000, 0x20000, 0x40000, 0x80000000];
/** Some of what devices of tables can be on; the last ones are not there. */
const PLACES = ['/dev/ubda', '/dev/ubdb', '98:0', '98:16', '/dev/ubda', '98:0'];
const NO_PLACES = [
  '/dev/nothing',
  '9999:0',
  '8:0',
  `${MAJOR}:99`,
  '98',
  'ubda',
  '98:1048576',
  '98:0x',
];
/** Types that may be anywhere in a stack: they do nothing by themselves. */
const PLAIN = Object.keys(KINDS).filter((type) => KINDS[type]!.busy === undefined);
const BUSY = Object.keys(KINDS).filter((type) => KINDS[type]!.busy === true);

type Target = { readonly name: string } | { readonly uuid: string } | { readonly dev: number };

class Author {
  readonly #kernel: string;
  readonly #random: Random;
  readonly #steps: Step[] = [];
  #known: Known[] = [];
  #open: number[] = [];
  #opened = 0;
  /** All rows that were loaded anywhere. */
  readonly #loaded: Row[] = [];
  /** The one busy type that this sequence is about. */
  readonly #busy: string | undefined;

  constructor(kernel: string, random: Random) {
    this.#kernel = kernel;
    this.#random = random;
    if (random.below(3) === 0) this.#busy = random.pick(BUSY);
  }

  write(length: number): Sequence {
    if (this.#busy !== undefined) {
      this.#slices();
      this.#begin(this.#busy);
    }
    const end = this.#steps.length + length;
    while (this.#steps.length < end) {
      // Nothing much can be said of no device.
      if (this.#known.length === 0 && !this.chance(4)) this.create();
      else this.#random.pick(ACTIONS)(this);
    }
    return this.#steps;
  }

  // ── Ingredients ────────────────────────────────────────────────────────────────────────────────

  chance(of: number): boolean {
    return this.#random.below(of) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return this.#random.pick(values);
  }

  /** A u32 that says nothing. */
  number(): number {
    return this.pick([0, 1, 2, 77, 0x400000, 0x7fffffff, 0x80000000, 0xffffffff]);
  }

  flags(...choices: readonly number[]): number {
    let flags = 0;
    for (const choice of choices) if (this.chance(3)) flags |= choice;
    if (this.chance(12)) flags |= this.pick(STRAY);
    if (this.chance(40)) flags |= DM_SECURE_DATA_FLAG;
    return flags >>> 0;
  }

  /** How a device is named in a request: mostly by its name. */
  target(known: Known | undefined): Target {
    if (known === undefined || this.chance(15)) {
      const nobody = [
        { name: this.pick(BAD_NAMES) },
        { name: this.pick(NAMES) },
        { uuid: 'TEST-nobody' },
        { dev: makeDev(MAJOR, 99) },
        { dev: makeDev(98, 0) },
      ];
      return this.pick(nobody);
    }
    const { name, uuid, minor } = known;
    const ways: Target[] = [{ name }, { name }, { dev: makeDev(MAJOR, minor) }];
    if (uuid !== '') ways.push({ uuid });
    const target = this.pick(ways);
    // More than one is a mistake, and each pair a different one.
    if (this.chance(25)) return { name, dev: makeDev(MAJOR, minor) };
    if (uuid !== '' && this.chance(25)) return { name, uuid };
    return target;
  }

  device(): Known | undefined {
    return this.#known.length === 0 ? undefined : this.pick(this.#known);
  }

  /**
   * A device beneath `above`. A busy target waits for what is beneath it: only what never stops is named to
   * it. And only one with a smaller minor: what stands in a ring cannot be removed.
   */
  place(above: Known | undefined): string {
    if (this.chance(20)) return this.pick(NO_PLACES);
    const beneath = this.#known.filter(
      ({ live, minor }) => live !== undefined && minor < (above?.minor ?? 0),
    );
    // On itself: before Linux 6.12 it loads.
    if (above !== undefined && this.chance(40) && !['5.10', '6.1'].includes(this.#kernel)) {
      return `${MAJOR}:${above.minor}`;
    }
    if (this.#busy === undefined && beneath.length > 0 && this.chance(3)) {
      const { minor } = this.pick(beneath);
      return this.pick([`${MAJOR}:${minor}`, `/dev/dm-${minor}`]);
    }
    return this.pick(PLACES);
  }

  #row(above: Known | undefined, like?: string): Row {
    if (this.chance(30)) return { type: this.pick(UNKNOWN), length: 8, parameters: '' };
    const usual = this.#busy !== undefined && !this.chance(3) ? this.#busyType() : this.pick(PLAIN);
    const type = like ?? usual;
    const { length, parameters } = KINDS[type]!.make(this.#random, () =>
      this.#beneath(type, above),
    );
    const isSpoilt = this.chance(7);
    return {
      type,
      length: this.chance(25) ? this.pick([0, 1, 7, 131072, 200000, 2 ** 52]) : length,
      parameters: isSpoilt ? spoil(parameters, this.#random) : parameters,
    };
  }

  /** Thins lie on a pool, and a merge on a snapshot. */
  #busyType(): string {
    if (this.#busy === 'thin') return this.pick(['thin', 'thin-pool']);
    if (this.#busy?.startsWith('snapshot') === true) {
      return this.pick([this.#busy, 'snapshot', 'snapshot-origin']);
    }
    return this.#busy!;
  }

  #beneath(type: string, above: Known | undefined): string {
    if (type !== 'thin') return this.place(above);
    const pool = this.#known.find(({ live }) => live?.[0]?.type === 'thin-pool');
    return pool === undefined ? this.place(above) : `${MAJOR}:${pool.minor}`;
  }

  table(above: Known | undefined): Row[] {
    const rows = [this.#row(above)];
    // Mostly of one type: others beside it are a mistake with many.
    while (this.chance(4) && rows.length < 6) {
      const { type } = rows[0]!;
      // A snapshot reads from its origin, and what opens that for writing in the same table frees what it
      // has open (dm-table.c upgrade_mode).
      const isAlike = type in KINDS && (type.startsWith('snapshot') || !this.chance(4));
      rows.push(this.#row(above, isAlike ? type : undefined));
    }
    return rows;
  }

  /**
   * Do devices lie on others? What is beneath is closed while all are removed, and if it is to go when that
   * happens, a worker and the ioctl both remove it, in any order (dm-ioctl.c dm_hash_remove_all).
   */
  isStacked(): boolean {
    const onMapped = ({ parameters }: Row): boolean =>
      parameters.includes(`${MAJOR}:`) || parameters.includes('/dev/dm-');
    return this.#busy !== undefined || this.#loaded.some(onMapped);
  }

  /** Does it matter that this device is never suspended? */
  mayStop(known: Known): boolean {
    // A pool that is suspended keeps whoever suspends or resumes a thin (dm.c dm_internal_suspend); era's
    // status comes from a worker that a suspend stops (dm-era-target.c era_status).
    return !['thin', 'thin-pool', 'era'].includes(this.#busy ?? '') || known.live === undefined;
  }

  // ── Writing ────────────────────────────────────────────────────────────────────────────────────

  /** The pieces of disk that a busy target lies on. */
  #slices(): void {
    for (const { minor, disk, offset, sectors } of SLICES) {
      const name = `slice${minor}`;
      const dev = makeDev(0, minor);
      this.#steps.push(step('DEV_CREATE', encode({ name, dev, flags: DM_PERSISTENT_DEV_FLAG })));
      const parameters = `${disk} ${offset}`;
      const payload = encodeRows([{ startSector: 0, length: sectors, type: 'linear', parameters }]);
      this.#steps.push(step('TABLE_LOAD', encode({ name, targetCount: 1, payload })));
      this.#steps.push(step('DEV_SUSPEND', encode({ name })));
    }
  }

  /** A device with the busy target, so that most of the sequence is about one that there is. */
  #begin(type: string): void {
    if (type === 'thin') {
      const pool = this.#activate('thin-pool');
      for (const message of ['create_thin 0', 'create_thin 1']) {
        const payload = naive.encodeMessage(0n, latin(message));
        this.#steps.push(step('TARGET_MSG', encode({ name: pool.name, payload, dataSize: ROOM })));
      }
    }
    this.#activate(type);
  }

  #activate(type: string): Known {
    const name = `${type} here`;
    const minor = this.#freeMinor();
    const known: Known = {
      name,
      uuid: '',
      minor,
      live: undefined,
      inactive: undefined,
      suspended: false,
    };
    this.#known.push(known);
    const row = KINDS[type]!.make(this.#random, () => this.#beneath(type, known));
    const payload = encodeRows([{ startSector: 0, type, ...row }]);
    this.#steps.push(
      step('DEV_CREATE', encode({ name })),
      step('TABLE_LOAD', encode({ name, targetCount: 1, payload })),
      step('DEV_SUSPEND', encode({ name })),
    );
    known.live = [{ type, ...row }];
    return known;
  }

  /** Send it; now and then spoilt. */
  send(command: Command, request: Request): void {
    // Bytes that nobody writes must come back as they were.
    const fill = (request.dataSize ?? 0) < 1024 && this.chance(2) ? 0xaa : 0;
    const bytes = encode({ eventNr: this.number(), fill, ...request });
    this.#steps.push(step(command, this.chance(12) ? this.#hostile(command, bytes) : bytes));
  }

  #hostile(command: Command, bytes: Uint8Array): Uint8Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const set = (offset: number, value: number): void => {
      view.setUint32(offset, value, true);
    };
    // No size that is beyond the buffer: a kernel reads there, and clears all of it when it has no memory for
    // secure data.
    const ways: (() => void)[] = [
      () => {
        set(0, this.pick([0, 3, 5, 0xffffffff]));
      },
      () => {
        set(4, this.pick([0, 43, 47, 48, 50, 51, 99, 0xffffffff]));
      },
      () => {
        set(8, this.number());
      },
      () => {
        set(12, this.pick([0, 1, 304, 305, 306, 311, 312, bytes.length]));
      },
      () => {
        set(16, this.pick([0, 1, 304, 305, 311, 312, 313, 320, bytes.length, 0xffffffff]));
      },
      () => {
        set(20, this.pick([0, 2, 3, 1048576, 1048577, 0xffffffff]));
      },
      () => {
        set(36, this.number());
      },
      () => bytes.fill(0x61, 48, 176),
      () => bytes.fill(0x62, 176, 305),
      () => bytes.fill(0x55, 305, HEADER_SIZE),
    ];
    if (command === 'TABLE_LOAD' && bytes.length >= HEADER_SIZE + 40) {
      ways.push(() => {
        set(HEADER_SIZE + 20, this.pick([0, 1, 39, 40, 41, 44, 48, 52, 56, 0xffffffff]));
      });
      ways.push(() => {
        set(HEADER_SIZE + 16, this.number());
      });
      ways.push(() => bytes.fill(0x78, HEADER_SIZE + 24, HEADER_SIZE + 40));
      ways.push(() => bytes.fill(0x20, bytes.length - 8));
      ways.push(() => {
        set(HEADER_SIZE + 4, this.pick([1, 0x7fffffff, 0xffffffff]));
      });
      ways.push(() => {
        set(HEADER_SIZE + 12, this.pick([1, 0x7fffff, 0xffffffff]));
      });
    }
    if (['DEV_RENAME', 'TARGET_MSG', 'DEV_SET_GEOMETRY'].includes(command)) {
      ways.push(() => bytes.fill(0x79, HEADER_SIZE));
      ways.push(() => bytes.fill(0, HEADER_SIZE));
    }
    this.pick(ways)();
    if (this.#isOverrun(command) && view.getUint32(12, true) < ROOM) set(12, 0);
    return bytes;
  }

  /** Linux 5.10 writes more than there is room for, in its own memory too, and crashes at the next call. */
  #isOverrun(command: Command): boolean {
    return this.#kernel === '5.10' && (command === 'TABLE_STATUS' || command === 'DEV_WAIT');
  }

  /** Room for an answer, often too little. */
  room(command: Command): number {
    if (this.#isOverrun(command) || !this.chance(3)) return ROOM;
    return (
      HEADER_SIZE + this.pick([0, 1, 7, 8, 16, 24, 32, 40, 41, 56, 64, 80, 96, 100, 128, 200, 400])
    );
  }

  push(one: Step): void {
    this.#steps.push(one);
  }

  // ── What it believes ───────────────────────────────────────────────────────────────────────────

  create(): void {
    const name = this.chance(12) ? this.pick(BAD_NAMES) : this.pick(NAMES);
    const uuid = this.pick(UUIDS);
    const isChosen = this.chance(5);
    const free = this.#freeMinor();
    const minor = isChosen ? this.pick([free, 3, 20, 1048575, 40]) : free;
    const flags = this.flags() | (isChosen ? DM_PERSISTENT_DEV_FLAG : 0);
    const dev = makeDev(isChosen ? this.pick([0, MAJOR, 7]) : 0, isChosen ? minor : 0);
    this.send('DEV_CREATE', { name, uuid, flags: flags >>> 0, dev });
    const isTaken = this.#known.some(
      (one) => one.name === name || one.minor === minor || (uuid !== '' && one.uuid === uuid),
    );
    if (isTaken || BAD_NAMES.includes(name)) return;
    this.#known.push({ name, uuid, minor, live: undefined, inactive: undefined, suspended: false });
  }

  #freeMinor(): number {
    for (let minor = 0; ; minor++)
      if (!this.#known.some((one) => one.minor === minor)) return minor;
  }

  forget(known: Known): void {
    this.#known = this.#known.filter((one) => one !== known);
  }

  forgetAll(): void {
    this.#known = [];
  }

  load(): void {
    const known = this.device();
    const rows = this.table(known);
    let startSector = this.chance(30) ? 8 : 0;
    const payload = encodeRows(
      rows.map((row) => {
        const target = { startSector, ...row };
        startSector += row.length + (this.chance(40) ? 1 : 0);
        return target;
      }),
    );
    // A merge opens for writing what others of a read-only table have open, and those then put what is no more
    // there (dm-table.c upgrade_mode): the log names a device that was freed.
    const mayBeReadOnly = !rows.some(({ type }) => type === 'snapshot-merge');
    const isReadOnly = this.chance(6) || rows[0]!.type === 'verity';
    const flags = this.flags() | (mayBeReadOnly && isReadOnly ? DM_READONLY_FLAG : 0);
    this.send('TABLE_LOAD', {
      ...this.target(known),
      targetCount: rows.length,
      payload,
      flags: flags >>> 0,
    });
    this.#loaded.push(...rows);
    if (known !== undefined) known.inactive = rows;
  }

  resume(): void {
    const known = this.device();
    this.send('DEV_SUSPEND', {
      ...this.target(known),
      flags: (this.flags(DM_NOFLUSH_FLAG, DM_SKIP_LOCKFS_FLAG) & ~DM_SUSPEND_FLAG) >>> 0,
    });
    if (known === undefined) return;
    known.live = known.inactive ?? known.live;
    known.inactive = undefined;
    known.suspended = false;
  }

  suspend(): void {
    const known = this.device();
    if (known === undefined || !this.mayStop(known)) return;
    const flags = this.flags(DM_NOFLUSH_FLAG, DM_SKIP_LOCKFS_FLAG) | DM_SUSPEND_FLAG;
    this.send('DEV_SUSPEND', { ...this.target(known), flags: flags >>> 0 });
    known.suspended = true;
  }

  message(): void {
    const known = this.device();
    const rows = known?.live ?? [];
    const own = rows.flatMap(({ type }) => KINDS[type]?.messages ?? []);
    const message =
      own.length > 0 && !this.chance(3)
        ? this.pick(own)
        : this.pick([...CORE, ...Object.values(KINDS).flatMap(({ messages = [] }) => messages)]);
    const sector = message.startsWith('@') ? 0 : this.pick([0, 0, 0, 8, 1 << 20]);
    this.send('TARGET_MSG', {
      ...this.target(known),
      payload: naive.encodeMessage(BigInt(sector), latin(message)),
      flags: this.flags(),
      dataSize: this.room('TARGET_MSG'),
    });
  }

  rename(): void {
    const known = this.device();
    if (this.chance(3)) {
      const newUuid = this.pick(['LVM-a', 'TEST-1', 'TEST-new', 'u'.repeat(128)]);
      const flags = (this.flags() | DM_UUID_FLAG) >>> 0;
      this.send('DEV_RENAME', { ...this.target(known), payload: [...latin(newUuid), 0], flags });
      if (known?.uuid === '' && !this.#known.some(({ uuid }) => uuid === newUuid)) {
        known.uuid = newUuid;
      }
      return;
    }
    const newName = this.chance(8)
      ? this.pick(BAD_NAMES.slice(1))
      : this.pick([...NAMES, 'renamed']);
    this.send('DEV_RENAME', {
      ...(known === undefined || this.chance(6) ? this.target(known) : { name: known.name }),
      payload: [...naive.bytesOf(newName), 0],
      flags: (this.flags() & ~DM_UUID_FLAG) >>> 0,
    });
    if (known === undefined || this.#known.some(({ name }) => name === newName)) return;
    if (!BAD_NAMES.includes(newName)) known.name = newName;
  }

  open(): void {
    const known = this.device();
    if (known === undefined) return;
    const id = this.#opened++;
    this.#steps.push({ do: 'open', path: `/dev/dm-${known.minor}`, id });
    this.#open.push(id);
  }

  close(): void {
    const id = this.#open.shift();
    if (id !== undefined) this.#steps.push({ do: 'close', id });
  }
}

const CORE = [
  ...['@stats_list', '@stats_create - /1', '@stats_create 0+8 4 me my', '@stats_create - 0'],
  ...[
    '@stats_print 0',
    '@stats_print 0 0 1',
    '@stats_print_clear 0',
    '@stats_clear 0',
    '@stats_clear 9',
  ],
  ...[
    '@stats_delete 0',
    '@stats_delete 9',
    '@stats_set_aux 0 aux',
    '@stats_list me',
    '@STATS_LIST',
  ],
  ...['@stats_create - /3 2 precise_timestamps histogram:1,2 me', '@stats_create - /1 1 nonsense'],
  ...['@stats_create - 1 1 histogram:2,1', '@stats_create', '@stats_print x', '@stats_nonsense'],
  ...['@stats_create 8+0 1', '@stats_create - /99999999999', '@stats_print 0 0', '@stats_create -'],
  ...[
    '@cancel_deferred_remove',
    '@cancel_deferred_remove x',
    '@nonsense',
    '',
    ' ',
    'hello',
    'a\\ b c',
  ],
];

const GEOMETRIES = [
  ...[
    '1 2 3 4',
    '65535 255 255 0',
    '1 1 1 2',
    '65536 1 1 0',
    '1 256 1 0',
    '1 2 3',
    '1 2 3 4 5',
    'x',
  ],
  ...['1 2 3 4 ', ' 1\t2\n3 4', '-1 1 1 0', '0 0 0 0', '1 1 1 99999999999999999999', ''],
];

/** Each as often as it is to come. */
const ACTIONS: readonly ((author: Author) => void)[] = Object.entries<
  [number, (author: Author) => void]
>({
  create: [
    14,
    (a) => {
      a.create();
    },
  ],
  load: [
    26,
    (a) => {
      a.load();
    },
  ],
  resume: [
    16,
    (a) => {
      a.resume();
    },
  ],
  suspend: [
    6,
    (a) => {
      a.suspend();
    },
  ],
  message: [
    14,
    (a) => {
      a.message();
    },
  ],
  rename: [
    6,
    (a) => {
      a.rename();
    },
  ],
  open: [
    3,
    (a) => {
      a.open();
    },
  ],
  close: [
    2,
    (a) => {
      a.close();
    },
  ],
  remove: [
    5,
    (a) => {
      const known = a.device();
      a.send('DEV_REMOVE', { ...a.target(known), flags: a.flags(DM_DEFERRED_REMOVE) });
      if (known !== undefined) a.forget(known);
    },
  ],
  removeAll: [
    1,
    (a) => {
      a.send('REMOVE_ALL', { flags: a.isStacked() ? 0 : a.flags(DM_DEFERRED_REMOVE) });
      a.forgetAll();
    },
  ],
  status: [
    6,
    (a) => {
      const flags = a.flags(DM_QUERY_INACTIVE_TABLE_FLAG, DM_SKIP_BDGET_FLAG);
      a.send('DEV_STATUS', { ...a.target(a.device()), flags });
    },
  ],
  tableStatus: [
    14,
    (a) => {
      const flags = a.flags(
        DM_STATUS_TABLE_FLAG,
        DM_STATUS_TABLE_FLAG,
        DM_QUERY_INACTIVE_TABLE_FLAG,
        DM_NOFLUSH_FLAG,
        DM_IMA_MEASUREMENT_FLAG,
      );
      const dataSize = a.room('TABLE_STATUS');
      a.send('TABLE_STATUS', { ...a.target(a.device()), flags, dataSize });
    },
  ],
  wait: [
    3,
    (a) => {
      // Never the number that it has: nobody would end the wait.
      const flags = a.flags(DM_STATUS_TABLE_FLAG, DM_QUERY_INACTIVE_TABLE_FLAG);
      const dataSize = a.room('DEV_WAIT');
      a.send('DEV_WAIT', { ...a.target(a.device()), flags, dataSize, eventNr: 0x7ffffff0 });
    },
  ],
  clear: [
    3,
    (a) => {
      a.send('TABLE_CLEAR', { ...a.target(a.device()), flags: a.flags() });
    },
  ],
  deps: [
    5,
    (a) => {
      const flags = a.flags(DM_QUERY_INACTIVE_TABLE_FLAG);
      const dataSize = a.room('TABLE_DEPS');
      a.send('TABLE_DEPS', { ...a.target(a.device()), flags, dataSize });
    },
  ],
  list: [
    6,
    (a) => {
      const filter = a.pick([
        {},
        {},
        {},
        { name: 'd' },
        { uuid: 'LVM-' },
        { name: 'a', uuid: 'T' },
      ]);
      a.send('LIST_DEVICES', {
        ...filter,
        flags: a.flags(DM_UUID_FLAG, DM_UUID_FLAG),
        dataSize: a.room('LIST_DEVICES'),
      });
    },
  ],
  versions: [
    2,
    (a) => {
      a.send('LIST_VERSIONS', { flags: a.flags(), dataSize: a.room('LIST_VERSIONS') });
    },
  ],
  targetVersion: [
    2,
    (a) => {
      const name = a.pick([...PLAIN, ...BUSY, ...UNKNOWN, 'x'.repeat(20)]);
      const dataSize = a.room('GET_TARGET_VERSION');
      a.send('GET_TARGET_VERSION', { name, flags: a.flags(), dataSize });
    },
  ],
  geometry: [
    3,
    (a) => {
      const payload = [...latin(a.pick(GEOMETRIES)), 0];
      a.send('DEV_SET_GEOMETRY', { ...a.target(a.device()), payload, flags: a.flags() });
    },
  ],
  version: [
    1,
    (a) => {
      a.send('VERSION', { flags: a.flags() });
    },
  ],
  arm: [
    1,
    (a) => {
      a.send('DEV_ARM_POLL', { ...(a.chance(4) && { name: 'a' }), flags: a.flags() });
    },
  ],
  unknown: [
    1,
    (a) => {
      const bytes = encode({ name: 'a' });
      a.push(ioctlStep(a.pick([0xc138fd12, 0xfd12, 0xc138fd7f, 0xc138fe07, 0xc134fd07]), bytes));
    },
  ],
}).flatMap(([, [weight, action]]) => Array.from({ length: weight }, () => action));
