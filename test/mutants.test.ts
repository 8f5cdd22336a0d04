// What a mutation run takes for granted: each argument is of a mutant that there is, and can be read.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assert, suite } from './harness.js';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Mutant {
  readonly key: string;
  bytes(): Uint8Array;
}

const { mutantsOf, staleOf } = (await import(
  pathToFileURL(join(root, 'test/mutate/mutants.mjs')).href
)) as {
  readonly mutantsOf: (wasm: string, wat: string) => readonly Mutant[];
  readonly staleOf: (known: object, mutants: readonly Mutant[]) => readonly string[];
};

const Mutants = suite('mutants');
const mutants = mutantsOf(join(root, 'dist/codec.wasm'), join(root, 'build/codec.wat'));
const known = JSON.parse(read('test/mutate/equivalent.json')) as Record<string, string>;

Mutants('each argument is of one that there is', () => {
  assert.equal(staleOf(known, mutants), []);
  assert.equal(staleOf({ 'nothing 1 Eq to Ne': '' }, mutants), ['nothing 1 Eq to Ne']);
});

Mutants('each is another module, that can be made', () => {
  const module = readFileSync(join(root, 'dist/codec.wasm'));
  const some = mutants.filter((_, i) => i % 400 === 0);
  for (const mutant of some) {
    const changed = mutant.bytes();
    assert.ok(WebAssembly.validate(changed as BufferSource), mutant.key);
    assert.not.ok(module.equals(changed), mutant.key);
  }
});

Mutants.run();
