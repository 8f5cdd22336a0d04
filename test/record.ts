// Makes the recordings that the quick tests replay. After a build, with the two disks of a guest:
//   npm run guest -- --disk 64M --disk 64M -- node build/js/test/record.js

import { DeviceMapperSync, KernelTransport, record } from 'devicemapper';
import { mkdirSync, writeFileSync } from 'node:fs';
import { DISKS, machine } from './scenarios/machine.js';
import { scenarios } from './scenarios/scenarios.js';

const target = new URL('../../../test/recordings/', import.meta.url);
mkdirSync(target, { recursive: true });
for (const [title, scenario] of Object.entries(scenarios)) {
  const recorder = record(KernelTransport.open());
  const over = (transport: typeof recorder): DeviceMapperSync => new DeviceMapperSync(transport);
  const dm = over(recorder);
  await scenario({
    dm,
    transport: recorder,
    over: (transport) => new DeviceMapperSync(transport),
    disks: DISKS,
    machine,
  });
  const lines = recorder.lines();
  dm.close();
  const file = `${title.replace(/\W+/g, '-')}.scenario.jsonl`;
  writeFileSync(new URL(file, target), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  console.log(`${file}: ${lines.length} calls`);
}
