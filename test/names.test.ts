// Names as libdm has them in the kernel, judged by what its own tests say, and as LVM makes them.

import {
  joinLvmName,
  mangleName,
  splitLvmName,
  unmangleName,
  type ManglingMode,
} from 'devicemapper/codec';
import * as fc from 'fast-check';
import { factsOf } from './facts.js';
import { assert, suite } from './harness.js';
import * as naive from './naive.js';
import { cText } from './values.js';

const FAILURES: Readonly<Record<string, RegExp>> = {
  FAIL_MIXED: /in all its parts or in none/,
  FAIL_MULTI: /at most once/,
  FAIL_BLACK: /hidden as \\xNN/,
};

function is(call: () => string, wanted: string, label: string): void {
  const failure = FAILURES[wanted];
  if (failure === undefined) assert.is(call(), wanted, label);
  else
    assert.throws(
      call,
      (error: Error) => error.name === 'InputError' && failure.test(error.message),
      label,
    );
}

const Names = suite('names');

Names('names go to the kernel as libdm has them', () => {
  const cases = factsOf('name-mangling', 'create') as readonly {
    mode: ManglingMode;
    input: string;
    kernel_name: string;
  }[];
  assert.is(cases.length, 12);
  for (const { mode, input, kernel_name } of cases) {
    is(() => mangleName(input, mode), kernel_name, `${mode}: ${input}`);
  }
});

Names('and come from it as libdm tells them', () => {
  const cases = factsOf('name-mangling', 'read_back') as readonly {
    mode: ManglingMode;
    kernel_name: string;
    name: string;
  }[];
  assert.is(cases.length, 15);
  for (const { mode, kernel_name, name } of cases) {
    is(() => unmangleName(kernel_name, mode), name, `${mode}: ${kernel_name}`);
  }
});

Names('`dmsetup mangle` in its own mode says the same', () => {
  const cases = factsOf('name-mangling', 'dmsetup_mangle') as readonly {
    mode: ManglingMode;
    kernel_name: string;
    result: string;
  }[];
  // In the other two modes it takes a name in the kernel for one that is to be told, and first reads it.
  for (const { kernel_name, result } of cases.filter(({ mode }) => mode === 'auto')) {
    is(() => mangleName(kernel_name), result === 'OK' ? kernel_name : result, kernel_name);
  }
});

Names('any name comes back, in each mode', () => {
  const name = cText(30).filter((text) => text !== '' && !text.includes('/'));
  const each = fc.property(name, (text) => {
    for (const mode of ['hex', 'none', 'auto'] as const) {
      if (mode === 'auto' && text.includes('\\x')) continue;
      assert.is(unmangleName(mangleName(text, mode), mode), text);
    }
    assert.match(mangleName(text, 'hex'), /^(?:[0-9A-Za-z#+\-.:=@_]|\\x[0-9a-f]{2})+$/);
  });
  fc.assert(each, { numRuns: 1000 });
});

Names('what is no name is refused', () => {
  for (const mode of ['auto', 'hex', 'none'] as const) {
    for (const bad of ['', 'a/b', 'a\0', 'a'.repeat(128), '\ud800']) {
      assert.throws(
        () => mangleName(bad, mode),
        (error: Error) => error.name === 'InputError',
        bad,
      );
    }
    assert.is(mangleName('a'.repeat(127), mode).length, 127);
  }
  // What counts is what the kernel gets.
  assert.throws(() => mangleName(' '.repeat(32)), /at most 127 bytes, got 128/);
  assert.is(mangleName(' '.repeat(32), 'none').length, 32);
  assert.throws(() => mangleName('a', 'other' as ManglingMode), /'auto', 'hex' or 'none'/);
  assert.equal(naive.bytesOf(unmangleName('\\xff')), Uint8Array.of(0xff));
});

Names("LVM's names are split and joined", () => {
  assert.equal(splitLvmName('vg--a-lv'), { vg: 'vg-a', lv: 'lv', layer: '' });
  assert.equal(splitLvmName('/dev/mapper/vg-lv--1-real'), { vg: 'vg', lv: 'lv-1', layer: 'real' });
  assert.equal(splitLvmName('vg---lv'), { vg: 'vg-', lv: 'lv', layer: '' });
  assert.equal(splitLvmName('plain'), { vg: 'plain', lv: '', layer: '' });
  const part = fc.stringMatching(/^[a-z0-9+_.][a-z0-9+_.-]{0,8}$/);
  const each = fc.property(part, part, fc.oneof(fc.constant(''), part), (vg, lv, layer) => {
    assert.equal(splitLvmName(joinLvmName({ vg, lv, layer })), { vg, lv, layer });
  });
  fc.assert(each);
  for (const bad of ['', '-a', 'a b', 'ä']) {
    assert.throws(
      () => joinLvmName({ vg: 'vg', lv: bad }),
      (error: { path?: string }) => error.path === 'lv',
    );
  }
});

Names.run();
