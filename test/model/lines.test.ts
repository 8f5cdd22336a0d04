// What a constructor's rules let through, the model makes of a line: by the lines of the agreement runs, of which
// kernels have said what they do with them.

import { DeviceMapperSync, ModelKernel, type KernelError } from 'devicemapper/model';
import { changed, isSendable, type Line } from '../agreement/generator.js';
import { generators } from '../agreement/run.js';
import { Random } from '../fuzz/random.js';
import { assert, suite } from '../harness.js';

const PLAIN = ['/dev/sda', '/dev/sdb', '/dev/sdc', '/dev/sdd'];
const blockDevices = Object.fromEntries(PLAIN.map((path) => [path, { sectors: 131072 }]));

const Lines = suite('the model and lines of every type');

for (const [type, { good, around, odd = [] }] of await generators()) {
  Lines(`${type} is made, or refused by a rule`, () => {
    const random = new Random(20261128);
    const disks = { plain: PLAIN };
    const lines: Line[] = [];
    for (const pairOf of Object.values(around)) {
      for (let i = 0; i < 4; i++) {
        const { bad, well } = pairOf(random, disks);
        lines.push(bad, well);
      }
    }
    for (let i = 0; i < 60; i++) {
      const line = good(random, disks);
      lines.push(line, changed(line, odd, random));
    }
    for (const release of ['5.10', '6.1', '6.12'] as const) {
      for (const { length, words } of lines.filter(isSendable)) {
        const dm = new DeviceMapperSync(new ModelKernel({ release, blockDevices }));
        dm.createDevice('x');
        try {
          dm.loadTable('x', [{ startSector: 0, length, type, parameters: words }]);
        } catch (error) {
          const { name, message } = error as KernelError;
          const isTold = name === 'KernelError' && !message.includes('Unknown error');
          assert.ok(isTold, `${release}: ${length} ${type} ${words.join(' ')}: ${message}`);
        }
      }
    }
  });
}

Lines.run();
