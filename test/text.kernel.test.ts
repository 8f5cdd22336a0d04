// The stock dmsetup judges the text forms: what it prints is read back to the same table, and where the
// grammar is in doubt it decides.

import {
  DeviceMapperSync,
  formatConcise,
  formatTable,
  mangleName,
  parseConcise,
  parseListing,
  parseTable,
  splitLvmName,
  type Target,
} from 'devicemapper';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { assert, skipSuite, suite } from './harness.js';
import { DISKS, leftovers } from './scenarios/machine.js';

const DMSETUP = '/sbin/dmsetup';
const [disk, other] = DISKS;
const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';

/** A table of each target that loads on two scratch disks with nothing made ready on them. */
const TABLES: Readonly<Record<string, string>> = {
  linear: `0 8 linear ${disk} 0\n8 8 linear ${other} 34`,
  striped: `0 64 striped 2 8 ${disk} 0 ${other} 0`,
  zero: '0 8 zero',
  error: '0 8 error',
  mixed: `0 8 zero\n8 8 error\n16 8 linear ${disk} 0`,
  crypt: `0 1024 crypt aes-xts-plain64 ${KEY} 0 ${disk} 0 1 allow_discards`,
  delay: `0 8 delay ${disk} 0 5 ${other} 0 5`,
  flakey: `0 8 flakey ${disk} 0 60 1 1 drop_writes`,
  dust: `0 8 dust ${disk} 0 512`,
  'log-writes': `0 8 log-writes ${disk} ${other}`,
  mirror: `0 1024 mirror core 2 64 nosync 2 ${disk} 0 ${other} 0 1 handle_errors`,
  snapshot: `0 1024 snapshot ${disk} ${other} N 16`,
  'snapshot-origin': `0 1024 snapshot-origin ${disk}`,
  unstriped: `0 256 unstriped 2 256 0 ${disk} 0`,
  switch: `0 1024 switch 2 128 0 ${disk} 0 ${other} 0`,
  multipath: `0 8 multipath 0 0 1 1 round-robin 0 2 1 ${disk} 1000 ${other} 1000`,
  'thin-pool': `0 1024 thin-pool ${disk} ${other} 128 0`,
  cache: `0 1024 cache ${disk} ${other} ${other} 128 1 writethrough smq 0`,
  writecache: `0 1024 writecache s ${disk} ${other} 4096 0`,
  integrity: `0 1024 integrity ${other} 0 32 D 1 internal_hash:crc32c`,
  era: `0 1024 era ${disk} ${other} 128`,
};

const dmsetup = (...args: string[]): string => execFileSync(DMSETUP, args, { encoding: 'utf8' });
/** dmsetup's own words, and whether it took it. */
const tried = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(DMSETUP, args, { encoding: 'utf8' });
  return { taken: status === 0, said: stdout + stderr };
};

function clear(): void {
  for (const path of DISKS) {
    const fd = fs.openSync(path, 'r+');
    fs.writeSync(fd, new Uint8Array(1 << 20));
    fs.closeSync(fd);
  }
}

function run(): void {
  const Text = suite('text, as dmsetup has it');

  Text.after.each(() => {
    {
      using dm = DeviceMapperSync.open();
      for (const { name } of dm.listDevices()) dm.removeDevice(name, { retry: true });
    }
    assert.equal(leftovers(), []);
  });

  for (const [type, table] of Object.entries(TABLES)) {
    Text(`what it prints of ${type} makes the same table again`, () => {
      using dm = DeviceMapperSync.open();
      clear();
      dm.createActiveDevice('one', formatTable(parseTable(table)));
      const printed = dmsetup('table', '--showkeys', 'one');
      const [device, ...more] = parseListing(printed);
      assert.equal(more, []);
      assert.is(device!.name, undefined);
      const lines = printed.split('\n').map((line) => line.trimEnd());
      assert.is(`${formatTable(device!.targets)}\n`, lines.join('\n'));
      assert.equal(parseListing(dmsetup('table', '--showkeys')), [{ name: 'one', ...device }]);
      assert.is(parseListing(dmsetup('status', 'one'))[0]!.targets.length, device!.targets.length);
      dm.removeDevice('one', { retry: true });
      dm.createActiveDevice('one', device!.targets);
      assert.is(dmsetup('table', '--showkeys', 'one'), printed);
    });
  }

  Text('many devices, odd names, and one without a table', () => {
    using dm = DeviceMapperSync.open();
    const names = ['#a', 'b c: d', 'x:y', '0 8', 'e\\f'];
    for (const name of names) dm.createActiveDevice(mangleName(name), '0 8 zero\n8 8 error');
    dm.createDevice('empty');
    const rows = ['zero', 'error'].map((type, i) => ({
      startSector: 8 * i,
      length: 8,
      type,
      parameters: '',
    }));
    const found = parseListing(dmsetup('table'));
    const wanted = [
      ...names.map((name) => ({ name, targets: rows })),
      { name: 'empty', targets: [] },
    ];
    const byName = (a: { name?: string }, b: { name?: string }): number =>
      a.name! < b.name! ? -1 : 1;
    assert.equal(found.sort(byName), wanted.sort(byName));
    assert.equal(parseListing(dmsetup('table', 'empty')), [{ targets: [] }]);
  });

  Text('none at all', () => {
    assert.equal(parseListing(dmsetup('table')), []);
  });

  Text('it takes the text that is read, and refuses what is refused', () => {
    const grammar: readonly (readonly [text: string, taken: boolean])[] = [
      ['0 8 zero', true],
      ['\t 0\t8\tzero \r', true],
      ['# a\n\n 0 8 zero # b', true],
      ['00 008 zero', true],
      ['0\v8\fzero', true],
      ['0x0 8 zero', false],
      ['0 8', false],
      ['a 8 zero', false],
      ['0 8 a234567890123456', false],
      [`0 8 linear ${disk} 0#1`, true],
      ['# 0 8 zero', true],
    ];
    for (const [text, taken] of grammar) {
      assert.is(tried('create', 'one', '--table', text).taken, taken, text);
      if (taken) {
        const got = parseListing(dmsetup('table', 'one'))[0]!.targets;
        const ours = parseTable(text);
        assert.equal(shapes(got), shapes(ours), text);
        dmsetup('remove', 'one');
      } else assert.throws(() => parseTable(text), /line 1/);
    }
  });

  Text('what it wraps around is refused here', () => {
    for (const text of ['0 18446744073709551624 zero', '18446744073709551616 8 zero']) {
      const { taken } = tried('create', 'one', '--table', text);
      if (taken) dmsetup('remove', 'one');
      assert.throws(() => parseTable(text), /below 2\^64/);
    }
    assert.throws(() => parseTable('0 -8 zero'), /got "-8"/);
  });

  Text('--concise goes both ways', () => {
    const devices = [
      {
        name: 'a,b',
        uuid: 'TEST-a',
        minor: 7,
        readOnly: true,
        targets: `0 8 linear ${disk} 0\n8 8 zero`,
      },
      { name: 'c;d', targets: '0 8 error' },
    ];
    const text = formatConcise(
      devices.map((device) => ({ ...device, name: mangleName(device.name) })),
    );
    dmsetup('create', '--concise', text);
    const printed = dmsetup('table', '--concise').replace(/\n$/, '');
    const read = parseConcise(printed);
    // Linux 5.10 lists devices in no order.
    const told = read.map(({ name, uuid, readOnly, targets }) => {
      return [name, uuid, readOnly, targets.length] as const;
    });
    assert.equal(
      told.sort(([one], [two]) => (one < two ? -1 : 1)),
      [
        ['a,b', 'TEST-a', true, 2],
        ['c;d', '', false, 1],
      ],
    );
    assert.is(formatConcise(read), printed);
    dmsetup('remove_all');
    dmsetup('create', '--concise', printed);
    assert.is(dmsetup('table', '--concise').replace(/\n$/, ''), printed);
  });

  Text('what it refuses of --concise is refused here', () => {
    for (const text of ['a,,,rw', 'a,,,xx,0 8 zero', 'a,,,rw,0 8 zero\\', 'a,,,rw,0 4k zero']) {
      assert.is(tried('create', '--concise', text).taken, false, text);
      assert.throws(() => parseConcise(text), /line 1/, text);
    }
    // What ends with an escaped character it takes for incomplete: formatConcise ends it.
    const params = `0 8 linear ${disk} 0`;
    assert.is(tried('create', '--concise', `a,,,rw,${params.slice(0, -1)}\\0`).taken, false);
    assert.is(tried('create', '--concise', `a,,,rw,${params.slice(0, -1)}\\0;`).taken, true);
  });

  Text('names are hidden and told as it does', () => {
    for (const name of ['my disk', 'a\\b', 'ä', 'a\\x20b', 'x+y.z:#@=_-', '%']) {
      dmsetup('create', name, '--table', '0 8 zero');
      using dm = DeviceMapperSync.open();
      const [device] = dm.listDevices();
      assert.is(device!.name, mangleName(name), name);
      dmsetup('remove', name);
      const hex = mangleName(name, 'hex');
      dmsetup('create', '--manglename', 'hex', name, '--table', '0 8 zero');
      assert.is(dm.listDevices()[0]!.name, hex, name);
      dmsetup('remove', '--manglename', 'hex', name);
    }
    for (const name of ['a b\\x20c', 'a\\x5cx20b', 'a/b']) {
      assert.is(tried('create', name, '--table', '0 8 zero').taken, false, name);
      assert.throws(() => mangleName(name), /name: expected/);
    }
  });

  Text("LVM's names are split as it does", () => {
    for (const name of ['vg-lv', 'vg--a-lv', 'vg-lv--1-real', 'vg---lv', 'a-b-c-d', 'plain']) {
      const printed = dmsetup(
        'splitname',
        name,
        'LVM',
        '-c',
        '--noheadings',
        '--separator',
        '|',
        '-o',
        'vg_name,lv_name,lv_layer',
      );
      const [vg, lv, layer] = printed.trimEnd().split('|');
      assert.equal(splitLvmName(name), { vg, lv, layer }, name);
    }
  });

  Text.run();
}

const shapes = (targets: readonly Target[]) =>
  targets.map(({ startSector, length, type }) => `${startSector} ${length} ${type}`);

if (fs.existsSync(DMSETUP)) run();
else if (process.env.CI === 'true') throw new Error(`no ${DMSETUP}: npm run setup udev`);
else skipSuite('text, as dmsetup has it', `no ${DMSETUP}: npm run setup udev`);
