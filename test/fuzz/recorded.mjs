// What kernels were sent and what they answered, and what people wrote, as inputs for libFuzzer: a payload without the header
// before it, behind the settings that native.c reads first.

import {
  HEADER_DATA_SIZE,
  HEADER_FLAGS,
  HEADER_SIZE,
  HEADER_TARGET_COUNT,
  SPEC_SIZE,
  payloadOf,
} from '#internal';
import { DM_BUFFER_FULL_FLAG } from 'devicemapper/codec';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const FILE = new URL('../recordings/kernels.jsonl.gz', import.meta.url);
/** Tables of the kernel's documentation, boot parameters, and what dmsetup printed on machines. */
const [TABLES, BOOT, STATUS] = ['kernel-doc-tables', 'dm-mod-create', 'real-status'].map(
  (name) => new URL(`../facts/${name}.json`, import.meta.url),
);
const VERSION_MINOR = 4;
const WIDE = 2;

/** The target and the settings for what a command carries, if a target takes it. */
function targetOf(payload, direction, u32) {
  switch (payload) {
    case 'targets': {
      const full = (u32(HEADER_FLAGS) & DM_BUFFER_FULL_FLAG) === 0 ? 0 : 1;
      return [`table-${direction}`, [WIDE | full, u32(HEADER_TARGET_COUNT) & 0xff, 0, 0]];
    }
    case 'devices':
      return ['devices', [u32(VERSION_MINOR), 0, 0]];
    case 'deps':
    case 'versions':
      return [payload, [0, 0]];
    case 'rename':
    case 'geometry':
    case 'message':
      return ['string', [0, 0]];
    default:
      return [undefined, []];
  }
}

/** By the name of a target: its inputs in base64, of `longest` bytes at the most. */
export function recordedInputs(longest) {
  const found = {};
  const add = (target, bytes) => {
    if (bytes.length <= longest)
      (found[target] ??= new Set()).add(Buffer.from(bytes).toString('base64'));
  };
  for (const line of gunzipSync(readFileSync(FILE)).toString().trimEnd().split('\n')) {
    const { command, size, in: sent, out, errno } = JSON.parse(line);
    for (const [direction, base64] of Object.entries({ request: sent, reply: out })) {
      if (size < HEADER_SIZE || (direction === 'reply' && errno !== 0)) continue;
      const bytes = Buffer.alloc(size);
      bytes.set(Buffer.from(base64, 'base64').subarray(0, size));
      const u32 = (offset) => bytes.readUInt32LE(offset);
      add('header', bytes.subarray(0, HEADER_SIZE));
      const payload = bytes.subarray(HEADER_SIZE, Math.max(HEADER_SIZE, u32(HEADER_DATA_SIZE)));
      const [target, settings] = targetOf(payloadOf(command, direction), direction, u32);
      if (target === undefined) continue;
      add(target, [...settings, ...payload]);
      // The first row's parameters, and a line of a table that has them.
      if (target.startsWith('table')) {
        const [parameters] = payload.subarray(SPEC_SIZE).toString('latin1').split('\0');
        add('split', Buffer.from(parameters, 'latin1'));
        add('text', Buffer.from(`0 2048 linear ${parameters}`, 'latin1'));
      }
    }
  }
  for (const { lines } of JSON.parse(readFileSync(TABLES)).cases) {
    for (const settings of [1, 2])
      add('lines', Buffer.from(`${String.fromCharCode(settings, 0)}${lines.join('\n')}`));
    for (const line of lines) add('text', Buffer.from(line));
  }
  for (const { text } of JSON.parse(readFileSync(BOOT)).cases) {
    add('separators', Buffer.from(`\x01\0${text}`));
  }
  for (const { line } of JSON.parse(readFileSync(STATUS)).cases) {
    add('lines', Buffer.from(`\x02\0${line}`));
  }
  return Object.fromEntries(Object.entries(found).map(([target, inputs]) => [target, [...inputs]]));
}
