// A process that runs test files over a mutant: whoever instantiates the codec's module gets the mutant in
// its place. For each message `{ wasm, names }` it answers the name of the first test that fails, or ''.

import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const ROOT = new URL('../../', import.meta.url);
const codec = readFileSync(new URL('dist/codec.wasm', ROOT));
const { Module, Instance } = WebAssembly;
const originals = new WeakSet();
let mutant;

WebAssembly.Module = class extends Module {
  constructor(bytes) {
    super(bytes);
    if (codec.equals(new Uint8Array(bytes))) originals.add(this);
  }
};
WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    super(originals.has(module) ? mutant : module, imports);
  }
};

globalThis.UVU_DEFER = 1;
const { runFile } = await import(new URL('build/js/test/harness.js', ROOT));
let round = 0;

async function judge({ wasm, names }) {
  mutant = new Module(wasm);
  round++;
  for (const name of names) {
    let test = '';
    // A file that was imported before would not run again.
    const file = new URL(`build/js/test/${name}.test.js?${round}`, ROOT);
    const { failed, failures } = await runFile(file.href, 60_000, (next) => {
      test = next;
    });
    if (failed > 0) return firstOf(failures) ?? test;
  }
  return '';
}

/** As in 'exact: a header has its size', from what uvu prints of the tests that failed. */
function firstOf([text = '']) {
  const [, suite, name] = /FAIL\s+(.+?)\s+"(.+)"/.exec(stripVTControlCharacters(text)) ?? [];
  return name === undefined ? undefined : `${suite}: ${name}`;
}

process.on('message', (job) => {
  void judge(job).then((why) => process.send(why));
});
