// The scenarios on a real kernel, with both clients; each leaves nothing behind.

import { DeviceMapper, DeviceMapperSync, KernelTransport, type Transport } from 'devicemapper';
import { release } from 'node:os';
import { assert, suite } from '../harness.js';
import { DISKS, leftovers, machine } from './machine.js';
import { scenarios } from './scenarios.js';
import type { Client } from './world.js';

const Kernel = suite(`Linux ${release()}`);

for (const [title, scenario] of Object.entries(scenarios)) {
  for (const Kind of [DeviceMapper, DeviceMapperSync]) {
    Kernel(`${title}, ${Kind.name}`, async () => {
      const transport = KernelTransport.open();
      const over = (other: Transport): Client => new Kind(other);
      const dm = over(transport);
      await scenario({ dm, transport, over, disks: DISKS, machine });
      await dm.close();
      assert.equal(leftovers(), []);
    });
  }
}

Kernel.run();
