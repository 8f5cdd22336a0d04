// Names of devices: as libdm has them in the kernel, so that udev can make a link of any, and as LVM
// puts them together.

import { InputError, show } from './errors.js';
import { DM_NAME_LEN } from './generated/uapi.js';
import { textOf, toBytes } from './wire.js';

/**
 * How libdm has a name in the kernel (DM_DEFAULT_NAME_MANGLING_MODE): 'auto' hides each byte that udev
 * has no place for as `\xNN`, and keeps what is hidden already; 'hex' hides it also where it looks
 * hidden; 'none' takes every name as it is.
 */
export type ManglingMode = 'auto' | 'hex' | 'none';

/** A logical volume's device, in its parts. */
export interface LvmName {
  /** The volume group. */
  readonly vg: string;
  /** The logical volume; '' if there is none. */
  readonly lv: string;
  /** What lies below it, as in 'real' or 'cow'; '' if it is the volume itself. */
  readonly layer: string;
}

/** Bytes that stand for themselves, in the characters of udev's links. */
const WHITELIST = /[0-9A-Za-z#+\-.:=@_]/;
const HIDDEN = /\\x[0-9a-fA-F]{2}/g;

/**
 * A device's name as the kernel is to have it.
 *
 * @param name - what people call it: no `/`, and no NUL
 * @returns at most 127 bytes, all of them in libdm's whitelist or `\xNN`, unless mode is 'none'
 * @throws {InputError} a name that is none; in 'auto' one that is hidden in part only, or twice
 * @example mangleName('my disk') // 'my\\x20disk'
 * @see lvm2 libdm/libdm-common.c mangle_string()
 */
export function mangleName(name: string, mode: ManglingMode = 'auto'): string {
  const bytes = checkName(name, mode);
  let mangled = name;
  if (mode === 'hex' || (mode === 'auto' && !name.match(HIDDEN))) mangled = hide(bytes);
  else if (mode === 'auto') {
    refuseTwice(name);
    const rest = name.replaceAll(HIDDEN, '');
    if (hide(toBytes(rest, 'name')) !== rest) {
      throw new InputError(
        { path: 'name' },
        `expected a name hidden as \\xNN in all its parts or in none, got ${show(name)}`,
      );
    }
  }
  const { length } = toBytes(mangled, 'name');
  if (length >= DM_NAME_LEN) {
    throw new InputError(
      { path: 'name' },
      `expected at most ${DM_NAME_LEN - 1} bytes, got ${length}; DM_NAME_LEN is ${DM_NAME_LEN} with its NUL`,
    );
  }
  return mangled;
}

/**
 * What people call a device, by the name that the kernel has.
 *
 * @throws {InputError} what {@link mangleName} would not have made in that mode: a byte that is to be
 * hidden and is not; in 'auto' a name that is hidden twice
 * @example unmangleName('my\\x20disk') // 'my disk'
 * @see lvm2 libdm/libdm-common.c unmangle_string()
 */
export function unmangleName(name: string, mode: ManglingMode = 'auto'): string {
  checkName(name, mode);
  if (mode === 'none') return name;
  if (mode === 'auto') refuseTwice(name);
  const bare = name.replaceAll('\\', '');
  if (hide(toBytes(bare, 'name')) !== bare) {
    throw new InputError(
      { path: 'name' },
      `expected what may not stand in a link of udev's to be hidden as \\xNN, got ${show(name)}`,
    );
  }
  const bytes = name
    .replaceAll(HIDDEN, (hidden) => String.fromCharCode(parseInt(hidden.slice(2), 16)))
    .split('')
    .map((character) => character.charCodeAt(0));
  return textOf(Uint8Array.from(bytes));
}

function checkName(name: string, mode: ManglingMode): Uint8Array {
  if (typeof name !== 'string' || name === '') {
    throw new InputError({ path: 'name' }, `expected a name, got ${show(name)}`);
  }
  if (!['auto', 'hex', 'none'].includes(mode)) {
    throw new InputError({ path: 'mode' }, `expected 'auto', 'hex' or 'none', got ${show(mode)}`);
  }
  const bad = /[/\0]/.exec(name);
  if (bad !== null) {
    const what = bad[0] === '/' ? '"/"' : 'NUL';
    throw new InputError({ path: 'name' }, `expected a name without ${what}, got ${show(name)}`);
  }
  return toBytes(name, 'name');
}

/** Hidden twice, the backslash of the first time being hidden itself. */
function refuseTwice(name: string): void {
  if (!name.includes('\\x5cx')) return;
  throw new InputError(
    { path: 'name' },
    `expected a name hidden as \\xNN at most once, got ${show(name)}; mode 'hex' takes it as it is`,
  );
}

function hide(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return WHITELIST.test(character) ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

/**
 * The parts of a device's name that LVM made.
 *
 * @param name - as the kernel has it, or as its node in /dev/mapper
 * @example splitLvmName('my--vg-home') // { vg: 'my-vg', lv: 'home', layer: '' }
 * @see lvm2 libdm/libdm-string.c dm_split_lvm_name()
 */
export function splitLvmName(name: string): LvmName {
  const bare = name.replace(/^\/dev\/mapper\//, '');
  // A hyphen of a name stands twice, one alone parts it from the next.
  const [vg = '', lv = '', layer = ''] = (bare.match(/(?:--|[^-])+|-/g) ?? [])
    .reduce<string[]>((parts, part) => (part === '-' ? [...parts, ''] : parts.with(-1, part)), [''])
    .map((part) => part.replaceAll('--', '-'));
  return { vg, lv, layer };
}

/**
 * The name of a logical volume's device.
 *
 * @example joinLvmName({ vg: 'my-vg', lv: 'home' }) // 'my--vg-home'
 * @throws {InputError} a part that LVM has no name for: other characters than a–z A–Z 0–9 + _ . -
 * @see lvm2 libdm/libdm-string.c dm_build_dm_name()
 */
export function joinLvmName({
  vg,
  lv,
  layer = '',
}: Pick<LvmName, 'vg' | 'lv'> & { readonly layer?: string }): string {
  const parts = Object.entries({ vg, lv, layer }).filter(
    ([part, value]) => part !== 'layer' || value !== '',
  );
  return parts
    .map(([path, part]) => {
      if (/^[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]*$/.test(part)) return part.replaceAll('-', '--');
      const letters = 'letters, digits, "+", "_", "." and "-", which is not the first';
      throw new InputError({ path }, `expected ${letters}, got ${show(part)}`);
    })
    .join('-');
}
