// Devices on one line: dmsetup's --concise and the kernel's boot parameters.

import {
  BOOT_TARGETS,
  formatConcise,
  formatDmModCreate,
  formatDmModWaitfor,
  formatTable,
  InputError,
  parseConcise,
  parseDmModCreate,
  parseDmModWaitfor,
  type ConciseDevice,
} from 'devicemapper/codec';
import * as fc from 'fast-check';
import { factsOf } from './facts.js';
import { assert, suite } from './harness.js';
import { record } from './values.js';

interface Case {
  readonly id: string;
  readonly text: string;
  readonly devices: readonly {
    name: string;
    uuid: string;
    minor: number | null;
    readonly: boolean;
    table: string[];
  }[];
}

const Concise = suite('concise');

const plain = (devices: readonly ConciseDevice[]) =>
  devices.map(({ name, uuid, minor = null, readOnly, targets }) => ({
    name,
    uuid,
    minor,
    readonly: readOnly,
    table: formatTable(targets).split('\n'),
  }));

Concise("the boot parameters of the kernel's documentation and of machines are read", () => {
  const cases = factsOf('dm-mod-create') as readonly Case[];
  assert.is(cases.length, 10);
  for (const { id, text, devices } of cases) {
    assert.equal(plain(parseDmModCreate(text)), devices, id);
    assert.equal(plain(parseDmModCreate(`dm-mod.create="${text}"`)), devices, id);
    const printed = formatDmModCreate(parseDmModCreate(text));
    assert.is(printed, text.replaceAll(/, (?=\d)/g, ','), id);
    // The same text means the same to dmsetup.
    assert.equal(plain(parseConcise(printed)), devices, id);
  }
});

Concise('the targets that may be used at boot are those that dm-init.c names', () => {
  assert.equal(BOOT_TARGETS, factsOf('dm-mod-create', 'boot_targets_allowed'));
  for (const type of factsOf('dm-mod-create', 'boot_targets_constrained') as readonly string[]) {
    assert.throws(() => parseDmModCreate(`a,,,rw,0 8 ${type} 8:1 0`), /may be used at boot/);
    assert.throws(
      () => formatDmModCreate([{ name: 'a', targets: `0 8 ${type} 8:1 0` }]),
      (error: { path?: string }) => error.path === 'devices[0].targets[0].type',
    );
  }
});

Concise('the old dm= is read, with a note', () => {
  const cases = factsOf('legacy-dm-boot') as readonly {
    id: string;
    text: string;
    name?: string;
    facts: { length: number };
  }[];
  assert.is(cases.length, 4);
  for (const { id, text, facts } of cases) {
    const [device, ...more] = parseDmModCreate(`dm="${text}"`);
    assert.equal(more, [], id);
    const { name, uuid, readOnly, targets, note } = device!;
    assert.equal([name, uuid, readOnly, targets.length], ['vroot', '', true, 1], id);
    assert.is(targets[0]!.length, facts.length, id);
    assert.is(formatTable(targets), text.slice(text.indexOf(',') + 1), id);
    assert.match(note!, /dm-mod\.create=/);
  }
  const two = parseDmModCreate('2 a none rw 2,0 8 zero,8 8 zero,b LVM-x ro 1,0 8 error');
  assert.equal(
    two.map(({ name, uuid, targets }) => [name, uuid, targets.length]),
    [
      ['a', '', 2],
      ['b', 'LVM-x', 1],
    ],
  );
  assert.throws(() => parseDmModCreate('1 a none rw 2,0 8 zero'), /so many lines/);
  assert.throws(() => parseDmModCreate('2 a none rw 1,0 8 zero'), /expected 2 devices, got 1/);
});

Concise('escapes, several devices, flags, minors and uuids', () => {
  const text =
    'a\\,b, LVM-x,3, ro,0 8 linear /dev/a\\;b 0,8 8 crypt \\\\x # no; b\\\\,,,,0 8 zero \n8 8 zero;';
  assert.equal(parseConcise(text), [
    {
      name: 'a,b',
      uuid: 'LVM-x',
      minor: 3,
      readOnly: true,
      targets: [
        { startSector: 0, length: 8, type: 'linear', parameters: '/dev/a;b 0' },
        { startSector: 8, length: 8, type: 'crypt', parameters: '\\x' },
      ],
    },
    {
      name: 'b\\',
      uuid: '',
      readOnly: false,
      targets: [
        { startSector: 0, length: 8, type: 'zero', parameters: '' },
        { startSector: 8, length: 8, type: 'zero', parameters: '' },
      ],
    },
  ]);
  assert.equal(parseConcise(''), []);
  // What dmsetup prints of it, and what it would take for incomplete if it had no end.
  assert.is(
    formatConcise(parseConcise(text)),
    'a\\,b,LVM-x,3,ro,0 8 linear /dev/a\\;b 0,8 8 crypt \\\\x;b\\\\,,,rw,0 8 zero ,8 8 zero ',
  );
  assert.is(formatConcise([{ name: 'a', targets: '0 8 x y\\' }]), 'a,,,rw,0 8 x y\\\\;');
});

const WRONG: readonly (readonly [
  read: (text: string) => unknown,
  text: string,
  offset: number,
  message: RegExp,
])[] = [
  [parseConcise, 'a,,0,rw', 0, /five fields.*got 4/],
  [parseConcise, 'a,,0,rw,0 8 zero;b', 17, /five fields.*got 1/],
  [parseConcise, 'a,,0,r,0 8 zero', 5, /'ro', 'rw' or nothing, got "r"/],
  [parseConcise, 'a,, x,,0 8 zero', 4, /minor from 0 to 1048575, got "x"/],
  [parseConcise, 'a,,1048576,,0 8 zero', 3, /minor/],
  [parseConcise, ',,,,0 8 zero', 0, /a name of 1 to 127 bytes, got ""/],
  [parseConcise, 'a,,,,0 8 zero\\', 13, /behind the backslash/],
  [parseConcise, 'a\\,,,,,0 8 x \\,\\,,8 4k zero', 20, /got "4k"/],
  [parseConcise, 'a,,,,0 8 \\x\\y 0,\\x 8 zero', 17, /got "x"/],
  [parseDmModCreate, 'a,,,,0 8 linear 8:1 0', 4, /'ro' or 'rw', got ""/],
  [parseDmModCreate, 'a,,,rw, 0 8 linear', 18, /expected parameters/],
  [parseDmModCreate, 'a,,,rw,0 8 linear 8:1 0, 09 8 linear 8:1 0', 25, /got "09"/],
  [parseDmModCreate, 'dm-mod.create="a,,,rw,', 22, /expected a table/],
  [parseDmModWaitfor, 'dm-mod.waitfor=a,,b', 17, /a device, got nothing/],
];

Concise('the first mistake has its place', () => {
  for (const [read, text, offset, message] of WRONG) {
    try {
      read(text);
      assert.unreachable(text);
    } catch (error) {
      assert.instance(error, InputError, String(error));
      assert.match((error as InputError).message, message, text);
      assert.is((error as InputError).offset, offset, text);
      assert.equal(
        [(error as InputError).line, (error as InputError).column],
        [1, offset + 1],
        text,
      );
    }
  }
});

Concise('numbers at boot are as C reads them', () => {
  const [{ minor, targets }] = parseDmModCreate('a,,0x1f,rw,010 0x20 linear 8:1 0') as [
    ConciseDevice,
  ];
  assert.equal([minor, targets[0]!.startSector, targets[0]!.length], [31, 8, 32]);
});

Concise('the limits of boot parameters are held', () => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, i) => `${i} 1 linear 8:1 0`).join(',');
  assert.throws(() => parseDmModCreate(`a,,,rw,${lines(240)}`), /at most 4095 characters/);
  assert.is(parseDmModCreate(`a,,,rw,${lines(180)}`)[0]!.targets.length, 180);
  for (const bad of ['a,b', 'a;b', 'a"b']) {
    assert.throws(
      () => formatDmModCreate([{ name: bad, targets: '0 8 linear 8:1 0' }]),
      /cannot escape/,
    );
  }
  assert.throws(
    () => formatDmModCreate([{ name: 'a', targets: '0 8 linear' }]),
    (error: { path?: string }) => error.path === 'devices[0].targets[0].parameters',
  );
  assert.equal(parseDmModWaitfor(' /dev/sda1, PARTLABEL=x'), ['/dev/sda1', 'PARTLABEL=x']);
  for (const quoted of [
    'dm-mod.waitfor="/dev/sda1,/dev/sdb"',
    '"dm-mod.waitfor=/dev/sda1,/dev/sdb"',
  ]) {
    assert.equal(parseDmModWaitfor(quoted), ['/dev/sda1', '/dev/sdb'], quoted);
  }
  assert.is(formatDmModWaitfor(['/dev/sda1', 'PARTLABEL=x']), '/dev/sda1,PARTLABEL=x');
  assert.throws(() => formatDmModWaitfor(['a b']), /without comma/);
  assert.throws(() => formatDmModWaitfor([]), /expected 1 to 256/);
});

Concise('any devices come back from what is printed of them', () => {
  const text = (maxLength: number) =>
    fc.string({ unit: fc.constantFrom('a', ',', ';', '\\', 'é', ' ', '"'), maxLength });
  const name = text(12).filter((value) => value !== '' && !value.startsWith(' '));
  const device = record({
    name,
    uuid: text(12).filter((value) => !value.startsWith(' ')),
    minor: fc.option(fc.nat(1048575), { nil: undefined }),
    readOnly: fc.boolean(),
    targets: fc.array(
      record({
        startSector: fc.maxSafeNat(),
        length: fc.maxSafeNat(),
        type: text(7).filter((value) => value !== '' && !value.includes(' ')),
        parameters: text(12).map((value) => value.trim()),
      }),
      { maxLength: 3 },
    ),
  });
  const each = fc.property(fc.array(device, { maxLength: 3 }), (devices) => {
    const wanted = devices.map(({ minor, ...rest }) =>
      minor === undefined ? rest : { ...rest, minor },
    );
    assert.equal(parseConcise(formatConcise(devices)), wanted);
  });
  fc.assert(each, { numRuns: 1000 });
});

Concise('hostile text takes linear time', () => {
  for (const kind of [
    ',',
    ';',
    '\\',
    ' ',
    'a,,,rw,0 8 zero;',
    '\\,',
    ',\n',
    '0 ',
    '1 a b ro 1,',
    '"',
  ]) {
    for (const read of [parseConcise, parseDmModCreate, parseDmModWaitfor]) {
      // Of half a megabyte what is not linear takes minutes, and a test has one.
      try {
        read(kind.repeat((1 << 19) / kind.length));
      } catch (error) {
        assert.instance(error, InputError, String(error));
      }
    }
  }
});

Concise.run();
