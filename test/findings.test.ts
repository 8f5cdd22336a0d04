// What fuzzing has found, one file each, is found no more.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TARGETS } from './fuzz/targets.js';
import { assert, suite } from './harness.js';

const folder = resolve(import.meta.dirname, '../../../test/findings');

interface Found {
  readonly engine: string;
  readonly target: string;
  readonly input: string;
}

const Findings = suite('findings');

Findings('every target holds of what it begins with', () => {
  for (const [name, { seeds, check }] of Object.entries(TARGETS)) {
    const inputs = seeds();
    assert.ok(inputs.length > 0, name);
    // Some are thousands; a part is enough to see that the target works.
    for (const input of inputs.slice(0, 50)) check(input);
  }
});

/** libFuzzer's side, with what it lacks here, if anything. */
const native = (await import(pathToFileURL(resolve(folder, '../fuzz/native.mjs')).href)) as {
  readonly whyNot: () => string | undefined;
  readonly replayNative: (target: string, input: Uint8Array) => Promise<string | undefined>;
};

for (const file of existsSync(folder) ? readdirSync(folder) : []) {
  const { engine, target, input } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Found;
  const bytes = Uint8Array.from(input.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  const title = `${target}: ${file}`;
  const lacks = engine === 'native' ? native.whyNot() : undefined;
  if (lacks !== undefined && process.env.CI !== 'true') Findings.skip(title, lacks);
  else if (engine === 'native') {
    Findings(title, async () => {
      assert.is(await native.replayNative(target, bytes), undefined);
    });
  } else {
    Findings(title, () => {
      TARGETS[target]!.check(bytes);
    });
  }
}

Findings.run();
