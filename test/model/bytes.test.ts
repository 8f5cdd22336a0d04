// Whatever bytes come with whatever request, the model answers with an errno: no exception, no endless loop,
// and what it remembers still hangs together.

import {
  ModelKernel,
  REQUEST_CODE,
  decodeReply,
  encodeRequest,
  type Command,
  type Release,
} from 'devicemapper/model';
import { knownTypes } from '#internal';
import fc from 'fast-check';
import { assert, suite } from '../harness.js';

const RELEASES: readonly Release[] = ['5.10', '6.1', '6.12', '7.2'];
const COMMANDS = Object.keys(REQUEST_CODE) as Command[];
const NAMES = ['a', 'b', 'pool', 'x/y', ''];

/** Words that targets look for, so that random tables come further than their first word. */
const WORDS = [
  ...['0', '1', '2', '3', '8', '64', '128', '4096', '18446744073709551615', '-', '-1', 'x'],
  ...['8:16', '8:32', '253:0', '253:1', '/dev/sdb', '/dev/dm-0', '/dev/nope', '1:1'],
  ...['core', 'disk', 'nosync', 'sync', 'P', 'PO', 'N', 'handle_errors', 'smq', 'cleaner'],
  ...['raid1', 'raid5_ls', 'raid10', 'round-robin', 'service-time', 'queue_if_no_path'],
  ...[
    'aes-xts-plain64',
    '00'.repeat(32),
    'sha256',
    '11'.repeat(32),
    'J',
    'D',
    'internal_hash:crc32c',
  ],
  ...['writethrough', 'read_only', 'drop_writes', 's', 'p', '\\', 'a\\ b', '\u00a0'],
];
const MESSAGES = [
  ...['@stats_create - /4', '@stats_list', '@stats_print 0', '@cancel_deferred_remove', '@x'],
  ...['create_thin 0', 'create_snap 1 0', 'delete 0', 'fail_path 8:16', 'switch_group 1', 'check'],
  ...['addbadblock 5', 'listbadblocks', 'key wipe', 'migration_threshold 5', 'checkpoint', 'x'],
];

const text = fc
  .array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 8 })), { maxLength: 12 })
  .map((words) => words.join(' ').replaceAll('\0', ''));
const target = fc.record({
  startSector: fc.constantFrom(0, 8, 64, 2 ** 40),
  length: fc.constantFrom(1, 8, 64, 1024, 2 ** 53),
  type: fc.constantFrom(...knownTypes(), 'nosuch'),
  parameters: text.map((words) => new TextEncoder().encode(words)),
});
const header = fc.record(
  {
    name: fc.constantFrom(...NAMES),
    uuid: fc.constantFrom('', 'u', 'v'),
    dev: fc.constantFrom(0, 0xfd00, 0xfd01, 0x810),
    flags: fc.oneof(fc.constant(0), fc.constantFrom(2, 0x10, 0x20000, 0x1000), fc.nat()),
    eventNr: fc.nat(3),
  },
  { requiredKeys: [] },
);

/** A request that is well formed, or nearly. */
const built = fc
  .tuple(
    fc.constantFrom(...COMMANDS),
    header,
    fc.array(target, { minLength: 1, maxLength: 3 }),
    text,
  )
  .map(([command, fields, targets, more]): [number, Uint8Array] => {
    const payloads: Partial<Record<Command, object>> = {
      TABLE_LOAD: { targets },
      DEV_RENAME: { newName: more.slice(0, 20) || 'b' },
      DEV_SET_GEOMETRY: { geometry: { cylinders: 1, heads: 1, sectors: 1, start: 0 } },
      TARGET_MSG: { message: MESSAGES[more.length % MESSAGES.length]! },
    };
    try {
      const request = { ...fields, ...payloads[command] };
      return [REQUEST_CODE[command], encodeRequest(command, request as never)];
    } catch {
      return [REQUEST_CODE[command], new Uint8Array(more.length)];
    }
  });

/** The same with some bytes spoilt, or cut off. */
const spoilt = fc
  .tuple(built, fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { maxLength: 6 }), fc.nat(600))
  .map(([[request, buffer], bytes, cut]): [number, Uint8Array] => {
    const copy = buffer.slice(0, cut > 400 ? buffer.length : cut);
    for (const [at, byte] of bytes) if (at < copy.length) copy[at] = byte;
    return [request, copy];
  });
const noise = fc.tuple(
  fc.oneof(fc.constantFrom(...Object.values(REQUEST_CODE)), fc.nat(0xffffffff)),
  fc.uint8Array({ maxLength: 700 }),
);

const Bytes = suite('model, any bytes');

for (const release of RELEASES) {
  Bytes(`${release} answers any requests with an errno`, () => {
    const run = fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: built }, spoilt, noise), { maxLength: 40 }),
      (requests) => {
        const model = new ModelKernel({
          release,
          blockDevices: {
            '/dev/sdb': { sectors: 4096 },
            '/dev/sdc': { sectors: 65536, logicalBlockSize: 4096 },
          },
        });
        for (const [request, buffer] of requests) {
          const errno = model.ioctl(request, buffer);
          assert.ok(Number.isInteger(errno) && errno >= 0 && errno < 134, `errno ${errno}`);
          assert.ok(model.kernelLog().every((line) => line.includes('device-mapper: ')));
        }
        model.toString();
        model.restore(model.snapshot());
        const list = new Uint8Array(16384);
        list.set(encodeRequest('LIST_DEVICES', { dataSize: list.length }));
        assert.is(model.ioctl(REQUEST_CODE.LIST_DEVICES, list), 0);
        for (const { name } of decodeReply('LIST_DEVICES', list).devices) {
          const status = encodeRequest('DEV_STATUS', { name });
          assert.is(model.ioctl(REQUEST_CODE.DEV_STATUS, status), 0);
          assert.ok(decodeReply('DEV_STATUS', status).openCount >= 0);
        }
      },
    );
    fc.assert(run, { numRuns: 200 });
  });
}

Bytes.run();
