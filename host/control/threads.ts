// Places in libuv's pool, for calls that may sleep.

import type { AsyncCall, Signal } from '../transport.js';

/**
 * Places in libuv's pool, which has four threads for the whole process: two for calls that may sleep,
 * one more for those that free them, and so one is always left for the file system.
 */
export class Threads {
  #busy = 0;
  readonly #waiting: { readonly frees: boolean; readonly start: () => void }[] = [];

  /** @returns a function to call when the thread is free again */
  async enter({ frees = false, signal }: AsyncCall): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#hasPlace(frees)) this.#busy++;
    else await this.#wait(frees, signal);
    return () => {
      this.#busy--;
      this.#next();
    };
  }

  #hasPlace(frees: boolean): boolean {
    return this.#busy < (frees ? 3 : 2);
  }

  #wait(frees: boolean, signal: Signal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(call), 1);
        reject(signal?.reason as Error);
      };
      const call = {
        frees,
        start: (): void => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#waiting.push(call);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #next(): void {
    const index = this.#waiting.findIndex(({ frees }) => this.#hasPlace(frees));
    const [call] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (call === undefined) return;
    this.#busy++;
    call.start();
  }
}

/** One for the process, as the pool is. */
export const threads: Threads = new Threads();
