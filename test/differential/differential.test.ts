// The judge is judged: on two models that are the same, and on one that lies here and there.

import { DM_STATUS_TABLE_FLAG, REQUEST_CODE } from 'devicemapper/model';
import { assert, suite } from '../harness.js';
import { membersOf } from '../scenarios/world.js';
import { MASKS, compare } from './compare.js';
import { Coverage } from './coverage.js';
import { describe, describeStep } from './describe.js';
import { generate } from './generate.js';
import { modelAnswers, modelWorld } from './model.js';
import { bytesOf, ioctlStep, perform, type Answer, type Sequence, type Step } from './script.js';
import { shrink, type Judge } from './shrink.js';
import { KINDS } from './tables.js';

const KERNEL = '6.1';
const STEPS = 1500;
const sequences = generate({ kernel: KERNEL, seed: 7, steps: STEPS });
const honest = modelAnswers(sequences, KERNEL);

/** What a model answers of whose replies to `request` a byte is changed. */
function liar(given: readonly Sequence[], request: number, at: number): Answer[][] {
  const world = modelWorld(KERNEL);
  const transport = {
    ...membersOf(world.transport),
    ioctl: (code: number, buffer: Uint8Array) => {
      const errno = world.transport.ioctl(code, buffer);
      if (code === request && errno === 0 && at < buffer.length) buffer[at]! ^= 1;
      return errno;
    },
  };
  return given.map((one) => [...perform({ ...world, transport }, one)]);
}

const Judges = suite('the judge of models');

Judges('the same seed makes the same steps, another others', () => {
  const again = generate({ kernel: KERNEL, seed: 7, steps: STEPS });
  assert.equal(again, sequences);
  assert.not.equal(generate({ kernel: KERNEL, seed: 8, steps: STEPS }), sequences);
});

Judges('two models of one kernel do not differ', () => {
  const again = modelAnswers(sequences, KERNEL);
  for (const [i, sequence] of sequences.entries()) {
    assert.is(compare(sequence, honest[i]!, again[i]!), undefined);
  }
});

Judges('models of two kernels differ', () => {
  const other = modelAnswers(sequences, '6.12');
  assert.ok(sequences.some((sequence, i) => compare(sequence, honest[i]!, other[i]!)));
});

for (const [command, at, field] of [
  ['DEV_STATUS', 20, 'target_count'],
  ['DEV_CREATE', 33, 'event_nr'],
  ['LIST_VERSIONS', 12, 'data_size'],
  ['TABLE_STATUS', 30, 'flags'],
] as const) {
  Judges(`a wrong byte is named: ${field} of ${command}`, () => {
    const answers = liar(sequences, REQUEST_CODE[command], at);
    const found = sequences
      .map((sequence, i) => compare(sequence, honest[i]!, answers[i]!))
      .find((one) => one !== undefined);
    assert.equal([found?.command, found?.field], [command, field]);
  });
}

Judges('a log line, an errno and an answer that is missing are differences', () => {
  const at = sequences.findIndex((_, i) => honest[i]!.some(({ log }) => log !== undefined));
  const [sequence, answers] = [sequences[at]!, honest[at]!];
  const step = answers.findIndex(({ log }) => log !== undefined);
  const withAnswer = (answer: Answer): Answer[] => answers.with(step, answer);
  const whole = answers[step]!;
  const silent = compare(sequence, answers, withAnswer({ ...whole, log: [] }));
  assert.equal([silent?.step, silent?.field], [step, 'log']);
  const wrong = compare(sequence, answers, withAnswer({ ...whole, errno: 5 }));
  assert.equal([wrong?.step, wrong?.field], [step, 'errno']);
  const short = compare(sequence, answers, answers.slice(0, step));
  assert.equal([short?.step, short?.field], [step, 'answer']);
});

Judges('a mask hides the status of its targets, and nothing else', () => {
  const make = (
    type: string,
    flags: number,
    statuses: readonly string[],
  ): readonly [Sequence, Answer, Answer] => {
    const bytes = new Uint8Array(400);
    const view = new DataView(bytes.buffer);
    const step = (): Step => ioctlStep(REQUEST_CODE.TABLE_STATUS, bytes);
    view.setUint32(28, flags, true);
    const sequence = [step()];
    // One target at 312, as the kernel writes it.
    [4, 48, 0, 0, 312, 1].forEach((value, i) => {
      view.setUint32(4 * i, value, true);
    });
    view.setUint32(312 + 20, 56, true);
    const text = (at: number, value: string): void => {
      bytes.set(new TextEncoder().encode(value), at);
    };
    text(312 + 24, type);
    const told = statuses.map((status) => {
      text(312 + 40, status);
      view.setUint32(12, 312 + 40 + status.length + 1, true);
      const { in: out } = step() as Step & { readonly do: 'ioctl' };
      return { errno: 0, out };
    });
    return [sequence, told[0]!, told[1]!];
  };
  const isSeen = (type: string, flags: number, ...statuses: string[]): boolean => {
    const [sequence, left, right] = make(type, flags, statuses);
    return compare(sequence, [left], [right]) !== undefined;
  };
  const masked = MASKS.filter(({ words }) => words?.includes(1) !== false).flatMap(
    ({ targets }) => targets,
  );
  for (const type of Object.keys(KINDS)) {
    const numbers = ['8 1/2 4 5', '8 2/2 4 6'] as const;
    assert.is(isSeen(type, 0, ...numbers), !masked.includes(type), type);
    assert.ok(isSeen(type, DM_STATUS_TABLE_FLAG, ...numbers), type);
  }
  for (const other of ['8 1/3 4 5', '8 1/2 5 5', '8 1/2 4 -']) {
    assert.ok(isSeen('era', 0, '8 1/2 4 5', other), other);
  }
  assert.not(isSeen('era', 0, '8 9/12 4 -', '8 10/12 4 -'));
  assert.not(isSeen('thin-pool', 0, '0 9/9 0/4 9', '0 9/9 0/4 10'));
  assert.ok(isSeen('thin-pool', 0, '0 9/9 0/4 9', '0 9/9 0/5 9'));
});

Judges('a difference is cut down to what shows it', async () => {
  const request = REQUEST_CODE.TABLE_CLEAR;
  const answers = liar(sequences, request, 33);
  const at = sequences.findIndex((sequence, i) => compare(sequence, honest[i]!, answers[i]!));
  const sequence = sequences[at]!;
  const judge: Judge = (given) => {
    const [left, right] = [modelAnswers(given, KERNEL), liar(given, request, 33)];
    return Promise.resolve(given.map((_, i) => ({ left: left[i]!, right: right[i]! })));
  };
  const difference = compare(sequence, honest[at]!, answers[at]!)!;
  const small = await shrink(judge, { sequence, difference });
  // Its device must be there, and then be asked for.
  assert.is(small.sequence.length, 2);
  assert.equal([small.difference.command, small.difference.field], ['TABLE_CLEAR', 'event_nr']);
  const [title, create, clear] = describe(small, ['one', 'the other']).split('\n');
  assert.match(title!, /^TABLE_CLEAR: event_nr at offset 32 differs$/);
  assert.match(create!, /^ {2}DEV_CREATE, .*name "/);
  assert.match(clear!, /^ {2}TABLE_CLEAR, /);
});

Judges('a step is told by what is not as usual in it', () => {
  const bytes = new Uint8Array(312);
  const view = new DataView(bytes.buffer);
  [4, 0, 0, 312, 312].forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  view.setUint32(28, 2, true);
  bytes[48] = 0x61;
  const step = ioctlStep(REQUEST_CODE.DEV_SUSPEND, bytes);
  assert.is(describeStep(step), 'DEV_SUSPEND, flags DM_SUSPEND_FLAG, name "a"');
  assert.equal(bytesOf(step as Step & { readonly do: 'ioctl' }), bytes);
});

Judges('a run meets every command, and most of what it can be refused for', () => {
  const coverage = new Coverage();
  for (const [i, sequence] of sequences.entries()) coverage.add(sequence, honest[i]!);
  const { ioctls, commands, pairs } = coverage.told();
  assert.is(commands.length, Object.keys(REQUEST_CODE).length);
  assert.ok(ioctls > STEPS - 200 && pairs.length >= 40, `${ioctls} ioctls, ${pairs.length} pairs`);
});

Judges.run();
