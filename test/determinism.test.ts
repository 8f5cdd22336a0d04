// The same inputs make the same bytes, values and errors wherever the codec runs, and however its module
// was compiled.

import { Codec, RULES, knownTypes, traitsOf } from '#internal';
import * as codec from 'devicemapper/codec';
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { NO_CHROMIUM, hasChromium, withPage } from './chromium.js';
import { factsOf } from './facts.js';
import { assert, suite } from './harness.js';
import {
  textTranscript,
  transcript,
  type CodecLike,
  type Input,
  type TextLike,
} from './transcript.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Every seventh of what kernels were given and answered, and a table's text. */
const inputs: readonly Input[] = [
  { command: 'TABLE_LOAD', bytes: btoa('0 8 linear 8:16 0 # first\r\n8 8 crypt \\ \xc3\xb6\n') },
  ...gunzipSync(readFileSync(join(root, 'test/recordings/kernels.jsonl.gz')))
    .toString()
    .trimEnd()
    .split('\n')
    .filter((_, i) => i % 7 === 0)
    .map((line) => JSON.parse(line) as { command: string; in: string; out: string })
    .flatMap(({ command, in: given, out }) => [given, out].map((bytes) => ({ command, bytes })))
    .map(({ command, bytes }) => ({ command, bytes: btoa(atob(bytes).padEnd(320, '\0')) })),
];
const here = transcript(codec, inputs);

/** Tables of documents and of tools, and one that breaks each rule. */
const texts: readonly string[] = [
  ...['kernel-doc-tables', 'tool-test-tables'].flatMap((file) =>
    (factsOf(file) as readonly { lines?: string[] }[]).map(({ lines = [] }) => lines.join('\n')),
  ),
  ...Object.values(RULES).map((rule) => ('example' in rule ? rule.example : '')),
  ...knownTypes().flatMap((type) => traitsOf(type).rules.map(({ example }) => example)),
  '0 8 linear /dev/\u00e0 0\u00a01\r\n8 8 crypt \\ \u00f6\ud83d\ude00 x # end\n\t\v16\f8 zero\0',
  '0 18446744073709551615 linear /dev/sdb 18446744073709551616\n4 4k x',
];
const hereText = textTranscript(codec, texts);

/** Compile the sources, with `flags` over those of a target. */
async function compile(
  target: 'release' | 'debug',
  ...flags: string[]
): Promise<Uint8Array<ArrayBuffer>> {
  const directory = mkdtempSync(join(tmpdir(), 'codec-'));
  const asc = fileURLToPath(import.meta.resolve('assemblyscript/asc'));
  try {
    const output = join(directory, 'codec.wasm');
    const args = ['--target', target, '--outFile', output, '--textFile', `${output}.wat`, ...flags];
    const child = spawn(process.execPath, [asc.replace(/dist\/asc\.js$/, 'bin/asc.js'), ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.is(code, 0, 'asc failed');
    return new Uint8Array(readFileSync(output));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const Determinism = suite('determinism');

Determinism('it is the same module whenever it is compiled', async () => {
  const shipped = readFileSync(fileURLToPath(import.meta.resolve('devicemapper/codec.wasm')));
  assert.equal(
    Buffer.from(await compile('release')).toString('base64'),
    shipped.toString('base64'),
  );
});

for (const level of ['0', '3']) {
  Determinism(`a module compiled at level ${level}, for speed alone, says the same`, async () => {
    // The release's passes go on until nothing changes, which takes longer than all else here.
    const bytes = await compile('debug', '--optimizeLevel', level, '--shrinkLevel', '0');
    assert.equal(transcript(new Codec(bytes), inputs), here);
  });
}

Determinism('texts are read, printed and judged', () => {
  assert.ok(texts.length > 150, `${texts.length} texts`);
  const codes = new Set(hereText.join().match(/"code":"[\w-]+"/g));
  assert.ok(codes.size > 50, `${codes.size} rules`);
});

Determinism('a worker says the same', async () => {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    Promise.all([import('devicemapper/codec'), import(workerData.transcript)]).then(
      ([codec, { transcript }]) => parentPort.postMessage(transcript(codec, workerData.inputs)),
    );`;
  const url = new URL('transcript.js', import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { inputs, transcript: url } });
  const [there] = (await once(worker, 'message')) as [string[]];
  await worker.terminate();
  assert.equal(there, here);
});

if (hasChromium()) {
  Determinism('Chromium says the same', async () => {
    await withPage(async (page) => {
      const there = await page.evaluate(async (given) => {
        const load = (path: string): Promise<unknown> => import(path);
        const own = (await load('/dist/codec.js')) as CodecLike;
        const { transcript } = (await load('/build/js/test/transcript.js')) as {
          transcript: (codec: CodecLike, inputs: readonly Input[]) => string[];
        };
        return transcript(own, given);
      }, inputs);
      assert.equal(there, here);
      const thereText = await page.evaluate(async (given) => {
        const load = (path: string): Promise<unknown> => import(path);
        const own = (await load('/dist/codec.js')) as TextLike;
        const transcripts = (await load('/build/js/test/transcript.js')) as {
          textTranscript: (door: TextLike, texts: readonly string[]) => string[];
        };
        return transcripts.textTranscript(own, given);
      }, texts);
      assert.equal(thereText, hereText);
    });
  });
} else Determinism.skip('Chromium says the same', NO_CHROMIUM);

Determinism.run();
