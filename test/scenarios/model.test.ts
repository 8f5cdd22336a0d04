// The scenarios on the model of each release, with both clients.

import { DeviceMapper, DeviceMapperSync, ModelKernel, type Transport } from 'devicemapper/model';
import { assert, suite } from '../harness.js';
import { scenarios } from './scenarios.js';
import type { Client } from './world.js';

const DISKS = ['/dev/ubda', '/dev/ubdb'] as const;
/** 64 MiB, as a guest has them. */
const SECTORS = 131072;

const Model = suite('scenarios on the model');

for (const release of ['5.10', '6.1', '6.12', '7.2'] as const) {
  for (const [title, scenario] of Object.entries(scenarios)) {
    for (const Kind of [DeviceMapper, DeviceMapperSync]) {
      Model(`${title}, ${release}, ${Kind.name}`, async () => {
        const blockDevices = Object.fromEntries(DISKS.map((path) => [path, { sectors: SECTORS }]));
        const transport = new ModelKernel({ release, blockDevices });
        const over = (other: Transport): Client => new Kind(other);
        const dm = over(transport);
        await scenario({ dm, transport, over, disks: DISKS });
        assert.equal(await dm.listDevices(), []);
        await dm.close();
      });
    }
  }
}

Model.run();
