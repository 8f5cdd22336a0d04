// A page creates, reloads and removes devices: the clients over the model, in a browser.

import type * as Model from 'devicemapper/model';
import { NO_CHROMIUM, hasChromium, withPage } from './chromium.js';
import { assert, skipSuite, suite } from './harness.js';

if (hasChromium()) {
  const Browser = suite('Chromium');

  Browser('a page has a kernel of its own', async () => {
    const told = await withPage((page) =>
      page.evaluate(async () => {
        const load = (path: string): Promise<unknown> => import(path);
        const model = (await load('/dist/model.js')) as typeof Model;
        const kernel = new model.ModelKernel({
          blockDevices: { '/dev/sda': { sectors: 4096, dev: '8:0' } },
        });
        const dm = new model.DeviceMapper(kernel);
        const events: string[] = [];
        const stop = new AbortController();
        const watching = (async () => {
          for await (const { type, name } of dm.watchEvents({ signal: stop.signal })) {
            events.push(`${type} ${name}`);
            if (type === 'removed') stop.abort();
          }
        })().catch(() => undefined);

        const made = await dm.createActiveDevice('disk', '0 64 linear /dev/sda 0');
        const { targets } = await dm.getTable('disk');
        const refused = await dm.reloadTable('disk', '0 64 striped 0').catch((error: unknown) => {
          const { name, code, kernelLog } = error as Model.KernelError;
          return [name, code, ...kernelLog];
        });
        const swapped = await dm.reloadTable('disk', '0 128 linear /dev/sda 64');
        const dependencies = await dm.getDependencies('disk');
        const removed = await dm.removeDevice('disk');
        await watching;
        const left = await dm.listDevices();
        await dm.close();
        return {
          made: [made.path, made.liveTable],
          table: targets.map(({ type, parameters }) => `${type} ${parameters}`),
          refused,
          swapped: [swapped.liveTable, swapped.suspended],
          dependencies: dependencies.map(({ major, minor }) => `${major}:${minor}`),
          removed,
          left,
          events,
        };
      }),
    );
    assert.equal(told, {
      made: ['/dev/mapper/disk', true],
      table: ['linear 8:0 0'],
      refused: told.refused,
      swapped: [true, false],
      dependencies: ['8:0'],
      removed: 'removed',
      left: [],
      events: told.events,
    });
    assert.equal((told.refused as string[]).slice(0, 2), ['KernelError', 'EINVAL']);
    assert.match((told.refused as string[])[2]!, /table: 253:0: striped: /);
    assert.is(told.events.at(-1), 'removed disk');
  });

  Browser.run();
} else skipSuite('Chromium', NO_CHROMIUM);
