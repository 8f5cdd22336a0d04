// Tables as text: what others wrote is read and printed back, what is read is what a request says of it,
// and the first mistake has its place.

import { Flaw, ScannedText } from '#internal';
import {
  decodeRequest,
  encodeRequest,
  formatTable,
  InputError,
  parseListing,
  parseTable,
  type Target,
} from 'devicemapper/codec';
import * as fc from 'fast-check';
import { factsOf } from './facts.js';
import { assert, suite } from './harness.js';
import * as naive from './naive.js';
import { cText, sector, target, type } from './values.js';

interface Lines {
  readonly id: string;
  readonly lines: readonly string[];
}

const Text = suite('text');

for (const file of ['kernel-doc-tables', 'tool-test-tables']) {
  Text(`every table of ${file} prints back to the same text`, () => {
    const cases = factsOf(file) as readonly Lines[];
    assert.ok(cases.length > 40);
    for (const { id, lines } of cases) {
      const text = lines.join('\n');
      const table = parseTable(text);
      assert.equal(
        table.map(({ startSector, length, type: name, parameters }) =>
          `${startSector} ${length} ${name} ${parameters}`.trimEnd(),
        ),
        lines,
        id,
      );
      assert.is(formatTable(table), text, id);
      assert.is(formatTable(text), text, id);
      assert.equal(parseTable(new TextEncoder().encode(text)), table, id);
    }
  });
}

const row = (
  startSector: number | bigint,
  length: number | bigint,
  name: string,
  parameters = '',
) => ({
  startSector,
  length,
  type: name,
  parameters,
});

Text('comments, blank lines, tabs, carriage returns and any spacing are read', () => {
  const text =
    '# a table\r\n\r\n \t0\t 8  linear   8:16  0 \t# the first\r\n  # none\n008 8 zero\r\n\v16 8 crypt a\\b\f\t c';
  assert.equal(parseTable(text), [
    row(0, 8, 'linear', '8:16  0'),
    row(8, 8, 'zero'),
    row(16, 8, 'crypt', 'a\\b\f\t c'),
  ]);
  assert.equal(parseTable(''), []);
  assert.equal(parseTable('\n# nothing'), []);
});

Text('numbers are told exactly up to the last below 2^64', () => {
  const [first, second] = parseTable(
    `9007199254740991 9007199254740992 zero\n18446744073709551615 0 zero`,
  );
  assert.equal([first!.startSector, first!.length], [9007199254740991, 9007199254740992n]);
  assert.equal([second!.startSector, second!.length], [18446744073709551615n, 0]);
});

const WRONG: readonly (readonly [text: string, line: number, column: number, message: RegExp])[] = [
  ['-8 8 zero', 1, 1, /number of 512-byte sectors, got "-8"/],
  ['0 8 zero\n 4k 8 zero', 2, 2, /got "4k"/],
  ['0 0x10 zero', 1, 3, /got "0x10"/],
  ['0 8zero', 1, 3, /got "8zero"/],
  ['18446744073709551616 8 zero', 1, 1, /below 2\^64/],
  ['0 99999999999999999999999x zero', 1, 3, /below 2\^64/],
  ['# a\r\n0\r\n', 2, 3, /number of 512-byte sectors$/],
  ['0 8  ', 1, 6, /target type$/],
  ['0 8 a234567890123456', 1, 5, /at most 15 bytes, got "a234567890123456"/],
  ['0 8 äöüäöüäöü', 1, 5, /at most 15 bytes/],
  ['0 8 zero ä\0', 1, 11, /NUL/],
  ['0 8 ze\0ro', 1, 7, /NUL/],
  ['0 8 zero \ud800', 1, 10, /lone surrogate U\+D800/],
];

Text('the first mistake has its place', () => {
  for (const [text, line, column, message] of WRONG) {
    let error: unknown;
    try {
      parseTable(text);
    } catch (caught) {
      error = caught;
    }
    assert.instance(error, InputError, text);
    assert.equal([(error as InputError).line, (error as InputError).column], [line, column], text);
    assert.match((error as InputError).message, message);
    const begin =
      text
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0);
    assert.is((error as InputError).offset, begin + column - 1);
  }
});

Text('places in bytes are counted in bytes', () => {
  const bytes = new TextEncoder().encode('0 8 zero é\n8 8k zero\n');
  try {
    parseTable(bytes);
    assert.unreachable();
  } catch (error) {
    const { offset, line, column } = error as InputError;
    assert.equal([offset, line, column], [14, 2, 3]);
  }
  assert.equal(parseTable(bytes.subarray(0, 12)), [row(0, 8, 'zero', 'é')]);
  // A byte that is no UTF-8 stays what it is.
  assert.equal(parseTable(Uint8Array.of(...new TextEncoder().encode('0 8 zero '), 0xff)), [
    row(0, 8, 'zero', '\udcff'),
  ]);
});

/** Text that is nearly a table, so that each mistake is met. */
const nearly = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '0',
        ' ',
        '8',
        '\t',
        '\n',
        '#',
        '\\',
        'zero',
        'linear',
        '\r',
        '\0',
        'é',
        '\v',
      ),
      fc.constantFrom(
        '18446744073709551615',
        '18446744073709551616',
        'a23456789012345',
        '\udc80',
        'à',
      ),
      fc.constantFrom('0 8 zero', '8 8 linear 8:16 0', '\n0 8 '),
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(''));

function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if ((error as Error).name !== 'InputError') throw error;
    const { message, offset, line, column } = error as InputError;
    return { message, offset, line, column };
  }
}

Text('a table is read as a request from the same text reads it', () => {
  const each = fc.property(nearly, (text) => {
    const asRequest = outcome(() =>
      decodeRequest('TABLE_LOAD', encodeRequest('TABLE_LOAD', { targets: text }), {
        bigint: true,
      }).targets.map(({ startSector, length, type: name, parameters }) => [
        startSector,
        length,
        name,
        naive.textOf(parameters),
      ]),
    );
    const parsed = outcome(() => parseTable(text));
    if (Array.isArray(parsed) && parsed.length === 0) return;
    assert.equal(
      Array.isArray(parsed)
        ? (parsed as Target[]).map(({ startSector, length, type: name, parameters }) => [
            BigInt(startSector),
            BigInt(length),
            name,
            naive.textOf(naive.line(parameters as string)),
          ])
        : parsed,
      asRequest,
    );
  });
  fc.assert(each, { numRuns: 3000 });
});

Text('text and its bytes are read alike', () => {
  const each = fc.property(nearly, (text) => {
    const fromText = outcome(() => parseTable(text));
    const fromBytes = outcome(() => parseTable(naive.bytesOf(text)));
    if (Array.isArray(fromText)) assert.equal(fromBytes, fromText);
    else assert.is((fromBytes as InputError).line, (fromText as InputError).line);
  });
  fc.assert(each, { numRuns: 1000 });
});

Text('what is printed is read again as the same table, or it is refused', () => {
  const each = fc.property(fc.array(target, { maxLength: 5 }), (table) => {
    const text = outcome(() => formatTable(table));
    if (typeof text !== 'string') return;
    const loaded = (targets: readonly Target[]) =>
      targets.map((one) => {
        const request = encodeRequest('TABLE_LOAD', { targets: [one] });
        const [sent] = decodeRequest('TABLE_LOAD', request, { bigint: true }).targets;
        return { ...sent, parameters: naive.split(sent!.parameters) };
      });
    assert.equal(loaded(parseTable(text)), loaded(table));
  });
  fc.assert(each, { numRuns: 2000 });
});

Text('what a line cannot say is refused, with its path', () => {
  const refused: readonly (readonly [Partial<Target>, string, RegExp])[] = [
    [{ parameters: ['a b'] }, 'table[0].parameters[0]', /blank, which parts words/],
    [{ parameters: ['a', 'b#'] }, 'table[0].parameters[1]', /"#", which begins a comment/],
    [{ parameters: ['à'] }, 'table[0].parameters[0]', /0xA0/],
    [{ parameters: [''] }, 'table[0].parameters[0]', /got ""/],
    [{ parameters: 'a\nb' }, 'table[0].parameters', /line feed/],
    [{ parameters: 'a #b' }, 'table[0].parameters', /comment/],
    [{ parameters: new TextEncoder().encode('a\\ b') }, 'table[0].parameters', /blank/],
    [{ parameters: '\ud800' }, 'table[0].parameters', /surrogate/],
    [{ type: 'a b' }, 'table[0].type', /blank/],
    [{ type: 'a234567890123456' }, 'table[0].type', /at most 15 bytes, got 16/],
    [{ startSector: -8 }, 'table[0].startSector', /sectors, got -8/],
    [{ length: 2n ** 64n }, 'table[0].length', /sectors/],
  ];
  for (const [change, path, message] of refused) {
    try {
      formatTable([{ ...row(0, 8, 'zero'), ...change }]);
      assert.unreachable(path);
    } catch (error) {
      assert.is((error as InputError).path, path);
      assert.match((error as InputError).message, message);
    }
  }
  assert.is(formatTable([{ ...row(0, 8, 'x'), parameters: ['a\\b', 1, 2n] }]), '0 8 x a\\b 1 2');
  assert.is(
    formatTable([{ ...row(0, 8, 'x'), parameters: new TextEncoder().encode('a\\\\b  \\c') }]),
    '0 8 x a\\b c',
  );
});

Text('all mistakes of all lines are told, and nothing is thrown', () => {
  const scanned = new ScannedText(
    '0 8 zero\nx -1 a234567890123456 b\0c\n\n8\n# no\n\ud800 1 \ud800',
  );
  const said = Array.from({ length: scanned.count }, (_, line) =>
    scanned.mistakes(line).map(({ kind, from, to }) => [kind, scanned.cut(from, to)]),
  );
  assert.equal(said, [
    [],
    [
      ['LINE_NO_START', 'x'],
      ['LINE_NO_LENGTH', '-1'],
      ['TYPE_TOO_LONG', 'a234567890123456'],
      ['LINE_HAS_NUL', '\0'],
    ],
    [
      ['LINE_NO_LENGTH', ''],
      ['LINE_NO_TYPE', ''],
    ],
    [
      ['LINE_NO_START', '\ud800'],
      ['LONE_SURROGATE', '\ud800'],
    ],
  ]);
  assert.ok(Object.values(Flaw).every((flaw) => (flaw & (flaw - 1)) === 0));
});

// ── Listings ─────────────────────────────────────────────────────────────────────────────────────

Text('status lines of real machines are read, with their names', () => {
  const cases = factsOf('real-status') as readonly {
    id: string;
    line: string;
    facts?: { name?: string };
    note?: string;
  }[];
  for (const { id, line, facts } of cases) {
    if (id === 'real-008') continue;
    const [device, ...more] = parseListing(`${line}\n`);
    assert.equal(more, [], id);
    assert.is(device!.targets.length, 1, id);
    const name = facts?.name ?? /^(\S+): /.exec(line)?.[1];
    assert.is(device!.name, name, id);
    const rest = name === undefined ? line : line.slice(name.length + 2);
    assert.is(formatTable(device!.targets), rest, id);
  }
  // One of them is cut off, which is said and not thrown away.
  const cutOff = cases.find(({ id }) => id === 'real-008')!.line;
  try {
    parseListing(cutOff);
    assert.unreachable();
  } catch (error) {
    assert.is((error as InputError).column, cutOff.length + 1);
    assert.match((error as InputError).message, /target type/);
  }
});

Text('one device or many, with names or without, and without tables', () => {
  assert.equal(parseListing('0 8 zero \n8 8 error \n'), [
    { targets: [row(0, 8, 'zero'), row(8, 8, 'error')] },
  ]);
  assert.equal(parseListing('0 8 zero \n0 8 error \n').length, 2);
  assert.equal(
    parseListing('a: 0 8 zero \na: 8 8 zero \nb c: d: 0 8 zero \nempty: \n#x: 0 8 linear a#b\n'),
    [
      { name: 'a', targets: [row(0, 8, 'zero'), row(8, 8, 'zero')] },
      { name: 'b c: d', targets: [row(0, 8, 'zero')] },
      { name: 'empty', targets: [] },
      { name: '#x', targets: [row(0, 8, 'linear', 'a#b')] },
    ],
  );
  // The description of a key may end with a colon.
  const crypt = '0 8 crypt capi:x :36:logon:logkey: 0 179:3 0 1 sector_size:512';
  assert.equal(parseListing(crypt)[0]!.name, undefined);
  assert.equal(parseListing('No devices found\n'), []);
  assert.equal(parseListing(''), []);
  assert.equal(parseListing('\n'), [{ targets: [] }]);
});

Text('any devices listed are read back', () => {
  const name = cText(20).filter(
    (text) => /^[^\n\0]*[^\n\0 \d][^\n\0]*$/.test(text) && !text.includes(': '),
  );
  const parameters = cText(20).filter((text) => !/[\n]|^[\t-\r ]|[\t-\r ]$/.test(text));
  const rows = fc.array(
    fc.record({
      startSector: sector,
      length: sector,
      type: type.filter((t) => !/[\t-\r ]|:$/.test(t)),
      parameters,
    }),
    { maxLength: 3 },
  );
  const devices = fc.uniqueArray(fc.record({ name, targets: rows }), {
    maxLength: 4,
    selector: (d) => d.name,
  });
  const each = fc.property(devices, (list) => {
    const text = list
      .flatMap(({ name: n, targets }) =>
        targets.length === 0
          ? [`${n}: `]
          : targets.map((t) => `${n}: ${t.startSector} ${t.length} ${t.type} ${t.parameters}`),
      )
      .map((line) => `${line}\n`)
      .join('');
    const wide = ({ startSector, length, ...rest }: Target) => ({
      ...rest,
      startSector: BigInt(startSector),
      length: BigInt(length),
    });
    if (list.length === 0) return;
    const flat = (one: readonly { name?: string; targets: readonly Target[] }[]) =>
      one.map((device) => ({ name: device.name, targets: device.targets.map(wide) }));
    assert.equal(flat(parseListing(text)), flat(list));
  });
  fc.assert(each, { numRuns: 500 });
});

// ── Hostile text ─────────────────────────────────────────────────────────────────────────────────

Text('hostile text takes linear time', () => {
  const kinds = [
    ' ',
    '\n',
    '0',
    'a',
    ': ',
    ': 0 ',
    '#',
    '0 8 zero\n',
    '\0',
    '\ud800',
    'é',
    '0 8 x ',
    '\t\r',
    'x: ',
  ];
  for (const kind of kinds) {
    for (const read of [parseTable, parseListing]) {
      // Of a megabyte what is not linear takes minutes, and a test has one.
      const text = kind.repeat((1 << 20) / kind.length);
      outcome(() => read(text));
    }
  }
});

Text.run();
