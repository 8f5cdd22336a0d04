// The scenarios on recordings of a real kernel, byte for byte, with both clients; test/record.ts makes
// the recordings.

import {
  DeviceMapper,
  DeviceMapperSync,
  replay,
  type RecordedCall,
  type Transport,
} from 'devicemapper/model';
import { readFileSync, readdirSync } from 'node:fs';
import { assert, suite } from '../harness.js';
import { scenarios } from './scenarios.js';

/** Beside the sources: this file runs from build/js/test/scenarios. */
const RECORDINGS = new URL('../../../../test/recordings/', import.meta.url);

const Replay = suite('replay');

for (const [title, scenario] of Object.entries(scenarios)) {
  for (const Client of [DeviceMapper, DeviceMapperSync]) {
    Replay(`${title}, ${Client.name}`, async () => {
      const transport = replay(linesOf(title));
      const over = (other: Transport): InstanceType<typeof Client> => new Client(other);
      await scenario({
        dm: over(transport),
        transport,
        over,
        disks: ['/dev/ubda', '/dev/ubdb'],
      });
    });
  }
}

Replay('there is no recording without its scenario', () => {
  const names = readdirSync(RECORDINGS).filter((name) => name.endsWith('.scenario.jsonl'));
  assert.equal(names.sort(), Object.keys(scenarios).map(fileOf).sort());
});

Replay('a call that was not recorded throws and names the first byte', () => {
  const dm = new DeviceMapperSync(replay(linesOf('devices are listed, all and by prefix')));
  assert.equal(dm.listDevices(), []);
  const place = /^replay: call \d+, .*nodes.state|replay: call \d+/;
  assert.throws(() => dm.createDevice('list-x', { uuid: 'TEST-a' }), place);
  const other = new DeviceMapperSync(replay(linesOf('devices are listed, all and by prefix')));
  assert.throws(
    () => other.listDevices({ namePrefix: 'x' }),
    /^replay: call 0, ioctl 0xc138fd02: byte 48 is 120, the recording has 0$/,
  );
});

function fileOf(title: string): string {
  return `${title.replace(/\W+/g, '-')}.scenario.jsonl`;
}

function linesOf(title: string): RecordedCall[] {
  const text = readFileSync(new URL(fileOf(title), RECORDINGS), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedCall);
}

Replay.run();
