// What the codec takes of memory, and gives back.

import { Codec } from '#internal';
import { decodeReply, encodeReply, encodeRequest, type Target } from 'devicemapper/codec';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assert, suite } from './harness.js';

const path = fileURLToPath(import.meta.resolve('devicemapper/codec.wasm'));
const MIB = 1 << 20;

/** The memories of the instances that `run` makes. */
function memoriesOf(run: () => void): WebAssembly.Memory[] {
  const { Instance } = WebAssembly;
  const made: WebAssembly.Memory[] = [];
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      made.push(this.exports.memory as WebAssembly.Memory);
    }
  };
  try {
    run();
  } finally {
    WebAssembly.Instance = Instance;
  }
  return made;
}

const linear = (count: number): Target[] =>
  Array.from({ length: count }, (_, i) => ({
    startSector: i * 2048,
    length: 2048,
    type: 'linear',
    parameters: `253:3 ${2048 + i * 2048}`,
  }));

const Memory = suite('memory');

Memory('a load, and a reply, take up to three times their bytes', () => {
  const targets = linear(100_000);
  const reply = encodeReply('TABLE_STATUS', { targets });
  for (const call of [
    (codec: Codec) => codec.encodeRequest('TABLE_LOAD', { targets }),
    (codec: Codec) => codec.decodeReply('TABLE_STATUS', reply),
  ]) {
    const [memory] = memoriesOf(() => call(new Codec(new Uint8Array(readFileSync(path)))));
    const { byteLength } = memory!.buffer;
    assert.ok(byteLength <= 3 * reply.length, `${byteLength} for ${reply.length}`);
  }
});

Memory(
  'a text takes up to three times the bytes of its request, however short its lines are',
  () => {
    const text = linear(100_000)
      .map(({ startSector, length, type, parameters }) =>
        [startSector, length, type, parameters].join(' '),
      )
      .join('\n');
    const short = '0 1 a\n'.repeat(100_000);
    for (const targets of [text, short]) {
      const run = (): Uint8Array =>
        new Codec(new Uint8Array(readFileSync(path))).encodeRequest('TABLE_LOAD', { targets });
      let bytes = 0;
      const [memory] = memoriesOf(() => (bytes = run().length));
      const { byteLength } = memory!.buffer;
      assert.ok(byteLength <= 3 * bytes, `${byteLength} for ${bytes}`);
    }
  },
);

Memory('what a large call took is given back, and that of a small one kept', () => {
  const small = (): unknown => encodeRequest('DEV_STATUS', { name: 'small' });
  const targets = '0 1 a\n'.repeat(MIB);
  memoriesOf(small);
  let made = memoriesOf(() => encodeRequest('TABLE_LOAD', { targets }));
  assert.is(made.length, 0);
  made = memoriesOf(small);
  assert.is(made.length, 1);
  assert.ok(made[0]!.buffer.byteLength <= MIB);
  assert.is(memoriesOf(small).length, 0);

  const message = 'a'.repeat(70 * MIB);
  const reply = encodeReply('TARGET_MSG', { message });
  memoriesOf(small);
  assert.is(decodeReply('TARGET_MSG', reply).message, message);
  assert.is(memoriesOf(small).length, 1);
});

Memory.run();
