// Lines of a target type, at random: good ones, and pairs on either side of each rule's bound. Each type
// has a file of its own here, test/agreement/TYPE.ts, which exports `generator`.

import type { DeviceMapperSync, LintDevice } from 'devicemapper';
import type { Random } from '../fuzz/random.js';

/** One line: how many sectors, and its words. */
export interface Line {
  readonly length: number;
  readonly words: readonly string[];
}

/** Has less than half of what was tried been refused? */
export type IsLagging = () => boolean;

/** Two lines that differ in what one rule looks at. */
export interface Pair {
  /** This one breaks the rule. */
  readonly bad: Line;
  /** This one just does not. */
  readonly well: Line;
}

/** The devices that lines may name; what a line does not name is not there. */
export interface Disks {
  /** Scratch disks of 64 MiB with blocks of 512 bytes. */
  readonly plain: readonly string[];
}

/** What makes the lines of a target type. */
export interface Generator {
  readonly type: string;
  /** A line that every kernel loads. */
  readonly good: (random: Random, disks: Disks) => Line;
  /** By the code of a rule. */
  readonly around: Readonly<Record<string, (random: Random, disks: Disks) => Pair>>;
  /** Is what stands at the start of the disks of a line taken for its own, so that zeros belong there? */
  readonly isWiped?: true;
  /** Is the table loaded read-only? */
  readonly isReadOnly?: true;
  /** Make what the lines stand on; which devices that are, by path. */
  readonly beneath?: (dm: DeviceMapperSync, disks: Disks) => Readonly<Record<string, LintDevice>>;
  /** Words of this type that a random change puts anywhere. */
  readonly odd?: readonly string[];
  /** A line that is left out: the kernel would crash, or judge by what no line says. */
  readonly isLeftOut?: (line: Line, release: string) => boolean;
}

/** Can a table have it? An empty word cannot be sent, nor one of blanks. */
export function isSendable({ length, words }: Line): boolean {
  return length > 0 && words.every((word) => /[^\t-\r \xa0]/.test(word));
}

/** A line with one word in place of another. */
export function withWord(line: Line, at: number, word: string): Line {
  return { ...line, words: line.words.with(at, word) };
}

/** The same line with one word bad, and well. */
export function pairAt(line: Line, at: number, bad: string, well: string): Pair {
  return { bad: withWord(line, at, bad), well: withWord(line, at, well) };
}

/** A line with one word less. */
export function shorter(line: Line): Line {
  return { ...line, words: line.words.slice(0, -1) };
}

/** What a number of sectors is not, and what it is although it does not look so. */
export const NO_SECTORS = ['-1', '+1', '1x', '0x10', '1.0', 'x', '1\n', '8 ', '１'] as const;
/** The last is 2^64 + 8. */
export const SECTORS = ['0', '08', ' 8', '\t8', '18446744073709551624'] as const;
/** What kstrtouint() does not take as a number, what it does not take as one from 1, and what it takes as 1. */
export const NO_NUMBERS = ['-1', '1x', '0x1', ' 1', '1 ', '4294967296', '++1', '1\n\n'] as const;
export const NO_COUNTS = ['0', '+0', ...NO_NUMBERS] as const;
export const COUNTS = ['1', '01', '+1', '1\n'] as const;
/** No kernel finds them: they do not fit into a device number. */
export const NO_DEVICES = ['4096:0', '8:1048576', '4294967295:1'] as const;

/** Words that look like others, and the edges of numbers. */
export const ODD = [
  ...[
    '0',
    '1',
    '2',
    '00',
    '+1',
    '-1',
    '1x',
    '0x1',
    '1.0',
    '4294967295',
    '4294967296',
    '4294967297',
  ],
  ...[
    '18446744073709551615',
    '18446744073709551616',
    '1 ',
    ' 1',
    '\t1',
    '1\n',
    '\n1',
    '-',
    'r',
    'W',
  ],
  ...['\\', 'a\\b', '\xa01', 'à', '４'],
];

/** A line with one change of those that people make, and of those that nobody does. */
export function changed(line: Line, odd: readonly string[], random: Random): Line {
  const { length, words } = line;
  const at = random.below(words.length);
  const other = random.below(words.length);
  const word = random.pick([...ODD, ...odd]);
  switch (random.below(7)) {
    case 0:
      return { length, words: words.toSpliced(at, 1) };
    case 1:
      return { length, words: words.toSpliced(at, 0, words[other] ?? word) };
    case 2:
      return { length, words: words.toSpliced(at, 0, word) };
    case 3:
      return { length: length + random.pick([-1, 1, 4, 8]), words };
    case 4:
      return { length, words: [...words, word] };
    default:
      if (words.length === 0) return { length, words: [word] };
      return { length, words: words.with(at, random.below(4) === 0 ? words[other]! : word) };
  }
}
