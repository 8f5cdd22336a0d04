// What a run has tried, told by what the kernel answered.

import { DM_SUSPEND_FLAG, REQUEST_CODE, type Command } from 'devicemapper/model';
import { constants } from 'node:os';
import { COMMAND_OF } from './compare.js';
import { bytesOf, type Answer, type Sequence } from './script.js';
import { KINDS } from './tables.js';

/** In numbers and names. */
export interface Covered {
  readonly ioctls: number;
  /** Of how many commands there are. */
  readonly commands: readonly Command[];
  /** As in 'DEV_CREATE EBUSY'; success is 'DEV_CREATE 0'. */
  readonly pairs: readonly string[];
  /** Target types that were loaded, made live, and refused by their constructor. */
  readonly loaded: readonly string[];
  readonly live: readonly string[];
  readonly refused: readonly string[];
}

const ERRNO: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, value]) => [value, name]),
);

export const errnoName = (errno: number): string =>
  errno === 0 ? '0' : (ERRNO.get(errno) ?? `${errno}`);

export class Coverage {
  #ioctls = 0;
  readonly #commands = new Set<Command>();
  readonly #pairs = new Set<string>();
  readonly #loaded = new Set<string>();
  readonly #live = new Set<string>();
  readonly #refused = new Set<string>();

  add(sequence: Sequence, answers: readonly Answer[]): void {
    /** Types in the inactive slots, by the device's number. */
    const waiting = new Map<number, readonly string[]>();
    for (const [i, step] of sequence.entries()) {
      const answer = answers[i];
      if (answer === undefined || step.do !== 'ioctl') continue;
      this.#ioctls++;
      const command = COMMAND_OF.get(step.request);
      if (command !== undefined) this.#commands.add(command);
      this.#pairs.add(`${command ?? 'unknown'} ${errnoName(answer.errno)}`);
      for (const line of answer.log ?? []) {
        const type = /table: \d+:\d+: ([\w-]+): /.exec(line)?.[1];
        if (type !== undefined && type in KINDS) this.#refused.add(type);
      }
      if (answer.errno !== 0) continue;
      const bytes = bytesOf(step);
      const dev = devOf(answer);
      if (step.request === REQUEST_CODE.TABLE_LOAD) {
        const text = atob(step.in);
        const types = Object.keys(KINDS).filter((type) => text.includes(`${type}\0`));
        for (const type of types) this.#loaded.add(type);
        waiting.set(dev, types);
      } else if (step.request === REQUEST_CODE.DEV_SUSPEND) {
        const isResume = (new DataView(bytes.buffer).getUint32(28, true) & DM_SUSPEND_FLAG) === 0;
        if (isResume) for (const type of waiting.get(dev) ?? []) this.#live.add(type);
      }
    }
  }

  told(): Covered {
    return {
      ioctls: this.#ioctls,
      commands: [...this.#commands].sort(),
      pairs: [...this.#pairs].sort(),
      loaded: [...this.#loaded].sort(),
      live: [...this.#live].sort(),
      refused: [...this.#refused].sort(),
    };
  }
}

function devOf({ out = '' }: Answer): number {
  const bytes = Uint8Array.from(atob(out), (character) => character.charCodeAt(0));
  return bytes.length < 48 ? 0 : new DataView(bytes.buffer).getUint32(40, true);
}

/** For a person. */
export function linesOf({ commands, pairs, loaded, live, refused }: Covered): string[] {
  const types = Object.keys(KINDS);
  const share = (what: string, names: readonly string[], all: readonly string[]): string => {
    const missing = all.filter((name) => !names.includes(name));
    const rest = missing.length === 0 ? '' : `, without ${missing.join(', ')}`;
    return `${what.padEnd(20)} ${names.length} of ${all.length}${rest}`;
  };
  return [
    share('commands', commands, Object.keys(REQUEST_CODE)),
    share('targets loaded', loaded, types),
    share('targets made live', live, types),
    share('targets refused', refused, types),
    `${'command and errno'.padEnd(20)} ${pairs.length} pairs`,
  ];
}
