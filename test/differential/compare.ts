// Two answers to one step are the same, or differ in a field that has a name.
//
// Rule: a mask names commands, target types and a field, and has a reason. What is masked is what moves by
// itself behind the answers: data. errno, flags and log lines are never masked, nor is the event number of a
// device without such a target; a data_size differs by the length of masked words and by nothing else.

import {
  DM_STATUS_TABLE_FLAG,
  REQUEST_CODE,
  inspect,
  type Command,
  type Field,
} from 'devicemapper/model';
import { bytesOf, replyOf, type Answer, type Sequence, type Step } from './script.js';

/** What may differ. */
export interface Mask {
  readonly commands: readonly Command[];
  readonly targets: readonly string[];
  /** 'parameters' are those of a status, never of a table. */
  readonly field: 'parameters' | 'event_nr';
  /** Which words of them, counted from 0, as far as they are numbers; the whole text if left out. */
  readonly words?: readonly number[];
}

/** Their data move, and with it what their status tells and when they raise events. */
const MOVING = ['mirror', 'raid', 'clone', 'snapshot', 'log-writes', 'integrity', 'writecache'];
const STATUS: readonly Command[] = ['TABLE_STATUS', 'DEV_WAIT'];

export const MASKS: readonly Mask[] = [
  { commands: STATUS, targets: MOVING, field: 'parameters' },
  // Where a metadata snapshot is depends on whether the pool's timer, of a second, has committed before it.
  { commands: STATUS, targets: ['thin-pool'], field: 'parameters', words: [3] },
  // Its worker digests one era after another, block by block; where a metadata snapshot is depends on all
  // that was written before it.
  { commands: STATUS, targets: ['era'], field: 'parameters', words: [1, 3] },
  {
    commands: [...STATUS, 'DEV_STATUS', 'DEV_SUSPEND', 'TABLE_LOAD', 'TABLE_CLEAR', 'TABLE_DEPS'],
    targets: MOVING,
    field: 'event_nr',
  },
  { commands: ['TARGET_MSG', 'DEV_RENAME', 'LIST_DEVICES'], targets: MOVING, field: 'event_nr' },
];

/** Of a target, in bytes (dm-ioctl.c next_target). */
const ALIGNMENT = 8;

/** What is behind the words of a target, up to the next or the end. */
const FILLING = ['padding', 'unknown'];

/** Where two answers part. */
export interface Difference {
  /** Which step of the sequence. */
  readonly step: number;
  /** The command's name, or its code if it has none; 'open' or 'close'. */
  readonly command: string;
  /** As in dm-ioctl.h, and 'errno' and 'log'. */
  readonly field: string;
  /** The type of the target in whose part of the reply it stands. */
  readonly target?: string;
  readonly offset?: number;
  readonly left: string;
  readonly right: string;
}

export const COMMAND_OF: ReadonlyMap<number, Command> = new Map(
  Object.entries(REQUEST_CODE).map(([command, code]) => [code, command as Command]),
);

/** The first difference between what two worlds answered to a sequence; one answer less is one, too. */
export function compare(
  sequence: Sequence,
  left: readonly Answer[],
  right: readonly Answer[],
): Difference | undefined {
  /** Devices on which a moving target was loaded, by number. */
  const moving = new Set<number>();
  for (const [index, step] of sequence.entries()) {
    const [ours, theirs] = [left[index], right[index]];
    const found =
      ours === undefined || theirs === undefined
        ? ours === theirs
          ? undefined
          : { field: 'answer', left: told(ours), right: told(theirs) }
        : compareStep(step, ours, theirs, moving);
    if (found !== undefined) return { step: index, command: nameOf(step), ...found };
    if (ours !== undefined) noteMoving(step, ours, moving);
  }
  return undefined;
}

const told = (answer: Answer | undefined): string => (answer === undefined ? 'none' : 'one');

export function nameOf(step: Step): string {
  return step.do === 'ioctl'
    ? (COMMAND_OF.get(step.request) ?? `0x${step.request.toString(16)}`)
    : step.do;
}

type Found = Omit<Difference, 'step' | 'command'>;

function compareStep(
  step: Step,
  left: Answer,
  right: Answer,
  moving: ReadonlySet<number>,
): Found | undefined {
  const [before, after] = [left.errno, right.errno];
  if (before !== after) {
    const [a, b] = [left, right].map(({ errno, log = [] }) => [errno, ...log].join('; '));
    return { field: 'errno', left: a!, right: b! };
  }
  if (step.do === 'ioctl' && left.out !== right.out) {
    const found = compareReplies(step, left, right, moving);
    if (found !== undefined) return found;
  }
  const [a, b] = [left, right].map(({ log = [] }) => log.join('\n'));
  return a === b ? undefined : { field: 'log', left: a!, right: b! };
}

function compareReplies(
  step: Step & { readonly do: 'ioctl' },
  left: Answer,
  right: Answer,
  moving: ReadonlySet<number>,
): Found | undefined {
  const [ours, theirs] = [replyOf(step, left), replyOf(step, right)];
  const command = COMMAND_OF.get(step.request);
  const what = { direction: 'reply', ...(command && { command }), secrets: true } as const;
  const [a, b] = [inspect(ours, what), inspect(theirs, what)];
  let target: string | undefined;
  let isMoving = false;
  let size: Found | undefined;
  let isShifted = false;
  /** By how many bytes our masked words are longer, and by how many our sizes say to be. */
  let [longer, larger] = [0, 0];
  for (const [index, field] of a.entries()) {
    const other = b[index];
    if (field.name === 'target_type') target = String(field.value);
    if (field.name === 'dev') isMoving = moving.has(Number(field.value));
    const end = field.offset + field.size;
    const isSame =
      other?.name === field.name &&
      other.size === field.size &&
      isEqual(ours.subarray(field.offset, end), theirs.subarray(field.offset, end));
    // Masked words of another length leave more, or less, of the same behind them.
    const isFilled = isShifted && FILLING.includes(field.name) && other?.name === field.name;
    isShifted = false;
    if (
      isSame ||
      (isFilled &&
        areSameAtEnd(
          ours.subarray(field.offset, end),
          theirs.subarray(other.offset, other.offset + other.size),
        ))
    )
      continue;
    // A reply's own event_nr stands before its dev.
    const owner = field.offset < 48 ? moving.has(devOf(ours)) : isMoving;
    const whose = { command, target, isMoving: owner };
    if (other !== undefined && isMasked(step, whose, field, other)) {
      isShifted = field.name === 'parameters';
      if (isShifted) longer += field.size - other.size;
      continue;
    }
    const found = {
      field: field.name,
      offset: field.offset,
      ...(target !== undefined && { target }),
      left: show(field),
      right: other === undefined ? 'nothing' : show(other),
    };
    // A size that differs says little: what is behind it says why.
    if (field.name !== 'data_size' && field.name !== 'next') return found;
    size ??= found;
    if (field.name === 'data_size') larger = Number(field.value) - Number(other?.value);
  }
  // The end of the last target is not aligned, others are.
  return longer !== 0 && Math.abs(larger - longer) < ALIGNMENT ? undefined : size;
}

/** Whose field it is. */
interface Owner {
  readonly command: Command | undefined;
  /** The type in whose part it stands. */
  readonly target: string | undefined;
  readonly isMoving: boolean;
}

function isMasked(
  step: Step & { readonly do: 'ioctl' },
  { command, target, isMoving }: Owner,
  ours: Field,
  theirs: Field,
): boolean {
  return MASKS.some(({ commands, targets, field, words }) => {
    if (command === undefined || !commands.includes(command) || field !== ours.name) return false;
    if (field === 'event_nr') return isMoving;
    const [a, b] = [String(ours.value), String(theirs.value)];
    if (!targets.includes(target ?? '') || !isStatus(step, a)) return false;
    return words === undefined || isSameBut(words, a, b);
  });
}

/** Are two texts the same but for numbers that begin the words at `places`? */
function isSameBut(places: readonly number[], ours: string, theirs: string): boolean {
  const [a, b] = [ours, theirs].map((text) =>
    text.split(' ').map((word, i) => (places.includes(i) ? word.replace(/^\d+/, '#') : word)),
  );
  return a!.join(' ') === b!.join(' ');
}

/** No table, nor a measurement; of which Linux 5.10 knows nothing, and tells the status. */
function isStatus(step: Step & { readonly do: 'ioctl' }, text: string): boolean {
  const flags = new DataView(bytesOf(step).buffer).getUint32(28, true);
  return (flags & DM_STATUS_TABLE_FLAG) === 0 && !text.startsWith('target_name=');
}

function devOf(reply: Uint8Array): number {
  return new DataView(reply.buffer).getUint32(40, true);
}

/** Kernels take tables that a codec does not: the type is looked for in the bytes. */
function noteMoving(step: Step, answer: Answer, moving: Set<number>): void {
  if (step.do !== 'ioctl' || step.request !== REQUEST_CODE.TABLE_LOAD || answer.errno !== 0) return;
  const text = atob(step.in);
  if (MOVING.some((type) => text.includes(`${type}\0`))) moving.add(devOf(replyOf(step, answer)));
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Is one of them the end of the other? */
function areSameAtEnd(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  return isEqual(a.subarray(a.length - length), b.subarray(b.length - length));
}

function show({ value, meaning, size }: Field): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return meaning === undefined ? `${text} (${size} bytes)` : `${text} (${meaning})`;
}
