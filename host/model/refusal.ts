// How the kernel says no.

import { errnoNumber } from '../errors.js';

/** As in 'EINVAL'. */
export type Errno = `E${string}`;

/** An errno, and of a target's constructor what it leaves in `ti->error`. */
export class Refusal extends Error {
  readonly code: Errno;
  readonly text: string;

  constructor(code: Errno, text = 'Unknown error') {
    super(`${code}: ${text}`);
    this.code = code;
    this.text = text;
  }

  /** Positive. */
  get errno(): number {
    return errnoNumber(this.code);
  }
}

/** Say no. */
export function refuse(code: Errno, text?: string): never {
  throw new Refusal(code, text);
}
