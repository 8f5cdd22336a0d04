import type { Generator } from './generator.js';
import { goodLines, linesAround } from './lines.js';

/** A key of so many bytes. */
const key = (bytes: number): string => '0123456789abcdef'.repeat(bytes / 8).slice(0, 2 * bytes);
const XTS = `aes-xts-plain64 ${key(64)}`;
const CBC = `aes-cbc-plain ${key(32)}`;
const given = (options: string): string => `8 ${XTS} 0 %a 0 ${options}`;
const both = (bad: string, well: string): readonly [string, string] => [given(bad), given(well)];

export const generator: Generator = {
  type: 'crypt',
  odd: [
    'aes-xts-plain64',
    'aes-cbc-essiv:sha256',
    '-',
    key(16),
    key(32),
    'allow_discards',
    'sector_size:4096',
  ],
  good: goodLines(
    `8 ${XTS} 0 %a %n`,
    `1000 ${CBC} 5 %a 0 0`,
    `%n aes-cbc-essiv:sha256 ${key(16)} 0 %a 0 1 Allow_Discards rest`,
    `64 aes-xts-plain64 ${key(32)} 8 %a 16 2 sector_size:4096 iv_large_sectors`,
    `64 capi:xts(aes)-plain64be ${key(64)} 0 %a 0 3 same_cpu_crypt no_read_workqueue no_write_workqueue`,
    `8 aes-ecb ${key(24)} 0 %a 0`,
    `8 aes-ecb-whatever ${key(16)} 0 %a 0`,
    `8 aes ${key(32)} 0 %a 0`,
    `8 aes:64-cbc-lmk ${key(1024)} 0 %a 0`,
    `8 aes-cbc-tcw ${key(64)} 0 %a 0`,
    `8 aes-cbc-null ${key(32)}0 0 %a 0`,
    `8 aes-xts-benbi ${key(64).toUpperCase()} 0 %a 0 1 submit_from_crypt_cpus`,
    `8 aes-cbc-elephant ${key(64)} 0 %a 0`,
  ),
  around: linesAround({
    'crypt-arguments': [[`8 ${XTS} 0 %a`, `8 ${XTS} 0 %a 0`]],
    'crypt-key-size': [
      ['8 aes-xts-plain64 :logon:disk 0 %a 0', `8 ${XTS} 0 %a 0`],
      ['8 aes-xts-plain64 :64 0 %a 0', `8 ${XTS} 0 %a 0`],
      ['8 aes-xts-plain64 :4294967295:logon:disk 0 %a 0', `8 ${XTS} 0 %a 0`],
    ],
    'crypt-option-count': [
      both('2 allow_discards', '1 allow_discards'),
      both('x', '00'),
      [
        given(`10 ${'allow_discards '.repeat(10).trim()}`),
        given(`8 ${'allow_discards '.repeat(8).trim()}`),
      ],
    ],
    'crypt-integrity': [
      both('1 integrity:0:none', '1 integrity:480:none'),
      both('1 integrity:481:none', '1 integrity:1:NONE'),
    ],
    'crypt-integrity-type': [both('1 integrity:32:hmac', '1 integrity:32:none')],
    'crypt-sector-size': [
      both('1 sector_size:256', '1 sector_size:512'),
      both('1 sector_size:8192', '1 sector_size:4096'),
      both('1 sector_size:1536', '1 sector_size:1024'),
      both('1 sector_size:65536', '1 sector_size:66048'),
    ],
    'crypt-length': [
      [`12 ${XTS} 0 %a 0 1 sector_size:4096`, `16 ${XTS} 0 %a 0 1 sector_size:4096`],
      [`9 ${XTS} 0 %a 0 1 sector_size:1024`, `10 ${XTS} 0 %a 0 1 sector_size:1024`],
    ],
    'crypt-option': [
      both('1 discards', '1 ALLOW_discards'),
      both('1 sector_size:4k', '1 sector_size:0512'),
      both('1 Sector_size:512', '1 sector_size:512'),
    ],
    'crypt-cipher': [
      [`8 xts(aes)-plain64 ${key(64)} 0 %a 0`, `8 capi:xts(aes)-plain64 ${key(64)} 0 %a 0`],
      [`8 ${XTS} 0 %a 0 1 integrity:16:aead`, `8 ${XTS} 0 %a 0 1 integrity:16:none`],
    ],
    'crypt-keys': [
      [`8 aes:3-cbc-plain ${key(96)} 0 %a 0`, `8 aes:2-cbc-plain ${key(64)} 0 %a 0`],
      [`8 aes:0-cbc-plain ${key(32)} 0 %a 0`, `8 aes:1-cbc-plain ${key(32)} 0 %a 0`],
      [`8 aes:x-cbc-plain ${key(32)} 0 %a 0`, `8 aes:04-cbc-plain ${key(64)} 0 %a 0`],
    ],
    'crypt-iv': [
      [`8 aes-xts ${key(64)} 0 %a 0`, `8 ${XTS} 0 %a 0`],
      [`8 aes-cbc ${key(32)} 0 %a 0`, `8 aes-plain ${key(32)} 0 %a 0`],
    ],
    'crypt-essiv': [
      [`8 aes-cbc-essiv ${key(32)} 0 %a 0`, `8 aes-cbc-essiv:sha256 ${key(32)} 0 %a 0`],
      [`8 capi:cbc(aes)-essiv ${key(32)} 0 %a 0`, `8 capi:cbc(aes)-essiv:sha256 ${key(32)} 0 %a 0`],
    ],
    'crypt-algorithm': [[`8 aes--plain ${key(32)} 0 %a 0`, `8 ${CBC} 0 %a 0`]],
    'crypt-iv-mode': [
      [`8 aes-xts-plain32 ${key(64)} 0 %a 0`, `8 aes-xts-plain ${key(64)} 0 %a 0`],
      [`8 aes-cbc- ${key(32)} 0 %a 0`, `8 ${CBC} 0 %a 0`],
    ],
    'crypt-elephant': [
      [`8 aes-cbc-elephant ${key(66)} 0 %a 0`, `8 aes-cbc-elephant ${key(64)} 0 %a 0`],
    ],
    'crypt-key': [
      [`8 aes-xts-plain64 ${key(63)} 0 %a 0`, `8 aes-xts-plain64 ${key(64)} 0 %a 0`],
      [`8 aes-xts-plain64 ${key(16)} 0 %a 0`, `8 aes-xts-plain64 ${key(32)} 0 %a 0`],
      [`8 aes-cbc-plain ${key(64)} 0 %a 0`, `8 aes-cbc-plain ${key(24)} 0 %a 0`],
      ['8 aes-cbc-plain - 0 %a 0', `8 ${CBC} 0 %a 0`],
      ['8 aes-cbc-plain 0 0 %a 0', `8 ${CBC} 0 %a 0`],
      [`8 aes-cbc-plain ${'x'.repeat(32)} 0 %a 0`, `8 ${CBC}x 0 %a 0`],
      ['8 aes-cbc-plain :32:secret:disk 0 %a 0', `8 ${CBC} 0 %a 0`],
      [`8 aes:64-cbc-lmk ${key(1032)} 0 %a 0`, `8 aes:64-cbc-lmk ${key(1040)} 0 %a 0`],
      [`8 aes-cbc-tcw ${key(40)} 0 %a 0`, `8 aes-cbc-tcw ${key(48)} 0 %a 0`],
    ],
    'crypt-iv-sector-size': [
      [
        `8 aes-cbc-tcw ${key(64)} 0 %a 0 1 sector_size:4096`,
        `8 aes-cbc-tcw ${key(64)} 0 %a 0 1 sector_size:512`,
      ],
    ],
    'crypt-iv-offset': [
      [`8 ${XTS} -1 %a 0`, `8 ${XTS} 01 %a 0`],
      [`8 ${XTS} 4 %a 0 1 sector_size:4096`, `8 ${XTS} 8 %a 0 1 sector_size:4096`],
    ],
    'crypt-device': [[`8 ${XTS} 0 4096:0 0`, `8 ${XTS} 0 %a 0`]],
    'crypt-offset': [
      [`8 ${XTS} 0 %a x`, `8 ${XTS} 0 %a %n`],
      [`8 ${XTS} 0 %a +8`, `8 ${XTS} 0 %a 18446744073709551624`],
    ],
    'device-bounds': [[`8 ${XTS} 0 %a 131065`, `8 ${XTS} 0 %a 131064`]],
  }),
  // Where no type stands behind a tag the kernel crashes; which ciphers and keys it has, no line says.
  isLeftOut: ({ words }) =>
    words.some((word) => /^integrity:\d+:?$/.test(word)) ||
    !/^(capi:(xts|cbc)\(aes\)|xts\(aes\)|aes)([-:].*)?$/.test(words[0] ?? 'aes') ||
    /^:\d+:(logon|user|encrypted|trusted):/.test(words[1] ?? ''),
};
