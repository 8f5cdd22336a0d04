// Which keys are hidden is dmsetup's to say.

import { DeviceMapperSync } from 'devicemapper';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { assert, skipSuite, suite } from './harness.js';
import { DISKS, leftovers } from './scenarios/machine.js';

const DMSETUP = '/sbin/dmsetup';
const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const [disk, other] = DISKS;

const TABLES: Readonly<Record<string, string>> = {
  'a cipher': `0 1024 crypt aes-xts-plain64 ${KEY} 0 ${disk} 0`,
  'no cipher': `0 1024 crypt cipher_null-ecb - 0 ${disk} 0`,
  'a keyed hash': `0 1024 integrity ${other} 0 32 J 1 internal_hash:hmac(sha256):${KEY}`,
  'a keyed journal':
    `0 1024 integrity ${other} 0 32 J 3 internal_hash:crc32c ` +
    `journal_mac:hmac(sha256):${KEY} journal_crypt:ctr(aes):${KEY}`,
};

function run(): void {
  const Keys = suite('keys, as dmsetup shows them');
  for (const [title, table] of Object.entries(TABLES)) {
    Keys(title, () => {
      using dm = DeviceMapperSync.open();
      // What an integrity target finds in its superblock it takes for its own.
      const fd = fs.openSync(other, 'r+');
      fs.writeSync(fd, new Uint8Array(1 << 20));
      fs.closeSync(fd);
      const { name } = dm.createActiveDevice('keyed', table);
      const [hidden] = dm.getTable(name).targets;
      assert.is(`0 1024 ${hidden!.type} ${hidden!.parameters}`, dmsetup('table', name));
      const [shown] = dm.getTable(name, { showKeys: true }).targets;
      const text = new TextDecoder().decode(shown!.parameters);
      assert.is(`0 1024 ${shown!.type} ${text}`, dmsetup('table', '--showkeys', name));
      dm.removeDevice(name);
    });
  }
  Keys.after(() => {
    assert.equal(leftovers(), []);
  });
  Keys.run();
}

function dmsetup(...args: string[]): string {
  return execFileSync(DMSETUP, args, { encoding: 'utf8' }).trimEnd();
}

if (fs.existsSync(DMSETUP)) run();
else if (process.env.CI === 'true') throw new Error(`no ${DMSETUP}: npm run setup udev`);
else skipSuite('keys, as dmsetup shows them', `no ${DMSETUP}: npm run setup udev`);
