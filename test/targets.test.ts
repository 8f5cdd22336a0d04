// Each target type: its options are its words and its words are its options, and what kernels and their
// documentation print reads as they mean it.

import {
  InputError,
  buildTarget,
  crypt,
  joinParameters,
  linear,
  mirror,
  parseStatus,
  parseTarget,
  splitParameters,
  type Target,
} from 'devicemapper/codec';
import * as codec from 'devicemapper/codec';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Parts } from '#internal';
import { optionsOfParts } from './described.js';
import { assert, suite } from './harness.js';

const FACTS = join(import.meta.dirname, '../../../test/facts');

function facts(name: string): unknown {
  return JSON.parse(readFileSync(join(FACTS, `${name}.json`), 'utf8'));
}

/** A target type as one of many. */
interface AnyType {
  (options: object): Target;
  readonly type: string;
  readonly definition: { readonly parameters: Parts };
  parse(target: Target): Record<string, unknown>;
  parseStatus(text: string): Record<string, unknown>;
}

export const TYPES: readonly AnyType[] = Object.values(codec as Record<string, unknown>).filter(
  (value): value is AnyType => typeof value === 'function' && Object.hasOwn(value, 'parseStatus'),
);

const Targets = suite('targets');

function wordsOf({ parameters }: Target): string[] {
  if (typeof parameters === 'string') return splitParameters(parameters.replaceAll('\\', '\\\\'));
  return splitParameters(
    parameters instanceof Uint8Array ? parameters : joinParameters(parameters),
  );
}

// ── Both ways ────────────────────────────────────────────────────────────────────────────────────

for (const target of TYPES) {
  Targets(`${target.type}: any options are words that tell the same options`, () => {
    const range = { startSector: fc.maxSafeNat(), length: fc.integer({ min: 1 }) };
    const options = fc
      .tuple(fc.record(range), optionsOfParts(target.definition.parameters))
      .map(([where, what]) => ({ ...where, ...what }));
    fc.assert(
      fc.property(options, (given) => {
        const row = target(given);
        assert.is(row.type, target.type);
        assert.equal(target.parse(row), given);
        // As text and as bytes, too, and behind a name of any type.
        const text = joinParameters(row.parameters as string[]);
        const bytes = new TextEncoder().encode(text);
        assert.equal(target.parse({ ...row, parameters: bytes }), given);
        const parsed = parseTarget(row);
        assert.equal(parsed, { type: target.type, ...given });
        assert.equal(wordsOf(buildTarget(parsed)), wordsOf(row));
      }),
      { numRuns: 200 },
    );
  });

  Targets(`${target.type}: an option that it has not is refused by its name`, () => {
    assert.throws(
      () => target({ startSector: 0, length: 8, nonsense: 1 }),
      (error: InputError) => error.name === 'InputError' && error.path === 'nonsense',
    );
  });
}

Targets('every row that kernels told is built again to the same words', () => {
  const { kernels } = facts('kernel-rows') as {
    kernels: Record<string, { tables: [type: string, parameters: string][] }>;
  };
  const seen = new Set<string>();
  for (const [kernel, { tables }] of Object.entries(kernels)) {
    for (const [type, parameters] of tables) {
      // An offset that wrapped around at 2^64, which no number holds.
      if (/\d{17}/.test(parameters) && type === 'linear') continue;
      const row = { startSector: 0, length: 2048, type, parameters };
      const parsed = parseTarget(row);
      if (parsed.type === 'unknown') continue;
      seen.add(type);
      assert.equal(wordsOf(buildTarget(parsed)), wordsOf(row), `${kernel}: ${type} ${parameters}`);
      assert.not('rest' in parsed || 'unknownOptions' in parsed, `${type} ${parameters}`);
    }
  }
  assert.ok(seen.size >= 23, [...seen].join());
});

Targets('every status that kernels told is read to its end', () => {
  const { kernels } = facts('kernel-rows') as {
    kernels: Record<string, { statuses: [type: string, text: string][] }>;
  };
  for (const [kernel, { statuses }] of Object.entries(kernels)) {
    for (const [type, text] of statuses) {
      const status = parseStatus(type, text);
      if (status.state === 'unknown') continue;
      assert.is.not(status.state, 'unreadable', `${kernel}: ${type} ${text}`);
      assert.not('rest' in status, `${kernel}: ${type} ${text}`);
    }
  }
});

Targets('a log and a path selector that are not known here are kept in their own words', () => {
  const rows = [
    'mirror nvram 3 /dev/sdb 64 fast 2 8:16 0 8:32 0',
    'multipath 0 0 1 1 least-latency 2 window 8 2 1 8:16 5 8:32 7',
  ];
  const [log, group] = rows.map((row) => {
    const parsed = parseTarget(`0 2048 ${row}`);
    assert.is(`${parsed.type} ${wordsOf(buildTarget(parsed)).join(' ')}`, row);
    return parsed.type === 'mirror' ? parsed.log : parsed.type === 'multipath' && parsed.groups[0];
  });
  assert.equal(log, { type: 'unknown', name: 'nvram', arguments: ['/dev/sdb', '64', 'fast'] });
  assert.equal(group, {
    selector: 'unknown',
    name: 'least-latency',
    arguments: ['window', '8'],
    paths: [
      { device: '8:16', arguments: ['5'] },
      { device: '8:32', arguments: ['7'] },
    ],
  });
  const range = { startSector: 0, length: 8, mirrors: [{ device: '8:16', offset: 0 }] };
  const known = { type: 'unknown', name: 'core', arguments: ['8'] } as const;
  refused(() => mirror({ ...range, log: known }), 'log.type', `expected "core", got 'unknown'`);
});

// ── Wrong input ──────────────────────────────────────────────────────────────────────────────────

function refused(work: () => unknown, path: string, problem: string): void {
  assert.throws(work, (error: InputError) => {
    assert.is(error.message, `${path}: ${problem}`);
    return error.name === 'InputError' && error.path === path;
  });
}

Targets('what types cannot hold is refused with the path of the option', () => {
  const good = { startSector: 0, length: 8, device: '/dev/sdb', offset: 0 };
  refused(
    () => linear({ ...good, offset: -1 }),
    'offset',
    'expected a number of 512-byte sectors, got -1',
  );
  refused(
    () => linear({ ...good, offset: 2 ** 53 }),
    'offset',
    'expected a number of 512-byte sectors, got 9007199254740992',
  );
  refused(
    () => linear({ ...good, length: 0 }),
    'length',
    'expected a number of 512-byte sectors from 1, got 0',
  );
  refused(
    () => linear({ ...good, device: '' }),
    'device',
    'expected a path or major:minor of a block device, got ""',
  );
});

Targets('a key is bytes in, bytes within, and bytes out', () => {
  const key = Uint8Array.from([0, 0x1f, 0xa0, 0xff]);
  const row = crypt({
    startSector: 0,
    length: 8,
    cipher: 'aes-xts-plain64',
    key,
    ivOffset: 0,
    device: '8:16',
    offset: 0,
  });
  const word = (row.parameters as unknown[])[1];
  assert.ok(word instanceof Uint8Array);
  assert.is(new TextDecoder().decode(word), '001fa0ff');
  assert.equal(crypt.parse(row).key, key);
  const { text } = crypt.messages.keySet({ key });
  assert.ok(text instanceof Uint8Array);
  assert.is(new TextDecoder().decode(text), 'key set 001fa0ff');
});

Targets.run();
