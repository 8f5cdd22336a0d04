// udev, and its cookies: the way in which its rules say that they have done with an event.
//
// A cookie is the low half of the key of a System V semaphore, 0x0D4D << 16 | cookie. The kernel puts it
// into the uevent (DM_COOKIE), and the last of Debian's rules (95-dm-notify.rules) runs `dmsetup
// udevcomplete DM_COOKIE`, which counts the semaphore down. libdm counts one up per event and waits for
// zero in a call that blocks; here it begins at one, for one event, and is looked at.

import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import type { Udev, UdevMode } from '../transport.js';
import type { Libc } from './libc.js';

const KEY_PREFIX = 0x0d4d << 16;
const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
const IPC_RMID = 0;
const GETVAL = 12;
const SETVAL = 16;
/** Cookies that are in use, by us or by libdm, are few. */
const TRIES = 100;

/** What udevd listens on while it runs. */
const CONTROL = '/run/udev/control';
const RULES = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].map(
  (root) => `${root}/udev/rules.d`,
);

/** Cookies as libdm's; those that are left when the process dies `dmsetup udevcookies` shows. */
export class UdevCookies implements Udev {
  readonly #libc: Libc;
  readonly #wanted: UdevMode | 'auto';
  /** The semaphores that are there, by their cookies. */
  readonly #semaphores = new Map<number, number>();
  #rules: UdevMode | undefined;
  /** No semaphore could be had: there will be none later. */
  #failed = false;

  constructor(libc: Libc, wanted: UdevMode | 'auto') {
    this.#libc = libc;
    this.#wanted = wanted;
  }

  mode(): UdevMode {
    const wanted = this.#wanted === 'auto' ? this.#found() : this.#wanted;
    return wanted === 'cookie' && this.#failed ? 'poll' : wanted;
  }

  #found(): UdevMode {
    if (!existsSync(CONTROL)) return 'none';
    this.#rules ??= modeOfRules();
    return this.#rules;
  }

  create(): number {
    for (let i = 0; i < TRIES; i++) {
      const cookie = randomInt(1, 0x10000);
      const id = this.#libc.semget(KEY_PREFIX | cookie, 1, IPC_CREAT | IPC_EXCL | 0o600);
      if (id < 0) {
        if (this.#libc.errno() === EEXIST) continue;
        break;
      }
      this.#semaphores.set(cookie, id);
      if (this.#libc.semctl(id, 0, SETVAL, 1) === 0) return cookie;
      this.remove(cookie);
      break;
    }
    this.#failed = true;
    return 0;
  }

  completed(cookie: number): boolean {
    const id = this.#semaphores.get(cookie);
    // Gone (EINVAL, EIDRM): `dmsetup udevcomplete_all` takes them all away.
    return id === undefined || this.#libc.semctl(id, 0, GETVAL, 0) <= 0;
  }

  remove(cookie: number): void {
    const id = this.#semaphores.get(cookie);
    if (id === undefined) return;
    this.#semaphores.delete(cookie);
    this.#libc.semctl(id, 0, IPC_RMID, 0);
  }

  /** Take away all that are left. */
  close(): void {
    for (const cookie of [...this.#semaphores.keys()]) this.remove(cookie);
  }
}

const EEXIST = 17;

/** What can be expected of the rules that are installed; without any for us nobody makes a node. */
function modeOfRules(): UdevMode {
  const files = RULES.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
  if (files.some((file) => /^\d+-dm-notify\.rules$/.test(file))) return 'cookie';
  return files.some((file) => /^\d+-dm\.rules$/.test(file)) ? 'poll' : 'none';
}
