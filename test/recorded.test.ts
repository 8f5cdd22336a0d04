// Some 5,400 ioctls with what Linux 5.10, 6.1 and 6.12 made of them, good ones and bad, are read by the
// codec and written again. Each line of recordings/kernels.jsonl.gz has the caller's buffer before and
// after (base64, zeros at the end left out), its size, and the errno.

import {
  DM_BUFFER_FULL_FLAG,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type Command,
  type Request,
} from 'devicemapper/codec';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { assert, suite } from './harness.js';

interface Recorded {
  readonly kernel: string;
  readonly step: string;
  readonly command: Command;
  readonly size: number;
  readonly in: string;
  readonly out: string;
  /** 0, or the errno's name. */
  readonly errno: string | 0;
}

const HEADER_SIZE = 312;
/** What carries something behind the header of its request. */
const SENDS = new Set<Command>(['TABLE_LOAD', 'DEV_RENAME', 'DEV_SET_GEOMETRY', 'TARGET_MSG']);
const file = new URL('../../../test/recordings/kernels.jsonl.gz', import.meta.url);
const recorded = gunzipSync(readFileSync(file))
  .toString()
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

function bytesOf(base64: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  return bytes;
}

/** The steps that do not come out as they went in, by what becomes of them. */
type Odd = Record<'refused' | 'other', Set<string>>;

function collect(
  records: readonly Recorded[],
  errorName: string,
  isSame: (record: Recorded) => boolean,
): Record<'refused' | 'other', string[]> {
  const odd: Odd = { refused: new Set(), other: new Set() };
  for (const record of records) {
    try {
      if (!isSame(record)) odd.other.add(record.step);
    } catch (error) {
      assert.is((error as Error).name, errorName, `${record.kernel} ${record.step}`);
      const { offset, path } = error as { offset?: number; path?: string };
      assert.ok(offset !== undefined || path !== undefined, `${record.step} has no place`);
      odd.refused.add(record.step);
    }
  }
  const found = { refused: [...odd.refused].sort(), other: [...odd.other].sort() };
  const count = records.length;
  console.log(`${count} ioctls; malformed: ${found.refused.join(', ') || 'none'}`);
  return found;
}

const Recordings = suite('recorded');

Recordings('every command is there, from every kernel', () => {
  const seen = new Set(recorded.map(({ kernel, command }) => `${kernel} ${command}`));
  assert.is(seen.size, 3 * 18);
});

Recordings('requests that a kernel takes', () => {
  const taken = recorded.filter(({ errno }) => errno === 0);
  const odd = collect(taken, 'InputError', ({ command, size, in: given }) => {
    const bytes = bytesOf(given, size);
    const { dataSize, ...request } = decodeRequest(command, bytes, { bigint: true });
    const again = encodeRequest(command, { ...request, dataSize });
    // What follows the header of the others is room for the answer.
    const length = Math.min(dataSize, SENDS.has(command) ? size : HEADER_SIZE);
    return bytes.subarray(0, length).every((byte, at) => byte === again[at]);
  });
  assert.equal(odd, {
    refused: [
      // The kernel cuts these off at the field's end.
      'create/128-no-nul',
      'create/uuid-129-no-nul',
      // Past the end of its buffer.
      'load/size-beyond-buffer',
      // VERSION looks at nothing but the version.
      'version/name-no-nul',
      'version/uuid-no-nul',
    ],
    other: [],
  });
});

Recordings('requests that a kernel refuses are read or refused, and nothing else', () => {
  const refused = recorded.filter(({ errno }) => errno !== 0);
  assert.ok(refused.length > 500);
  collect(refused, 'InputError', ({ command, size, in: given }) => {
    const bytes = bytesOf(given, size);
    const request = decodeRequest(command, bytes, { bigint: true });
    return encodeRequest(command, request as Request).length === request.dataSize;
  });
});

Recordings('replies', () => {
  const answered = recorded.filter(({ errno }) => errno === 0);
  const odd = collect(answered, 'ReplyError', ({ command, size, in: given, out }) => {
    const before = bytesOf(given, size);
    const bytes = bytesOf(out, size);
    const reply = decodeReply(command, bytes, { bigint: true });
    const again = encodeReply(command, reply);
    const full = (reply.flags & DM_BUFFER_FULL_FLAG) !== 0;
    const end = Math.min(size, reply.dataSize, full ? again.length : size);
    // Padding is not written: what the caller had there stays.
    const isOurs = (byte: number, at: number): boolean =>
      byte === (again[at] ?? 0) || ((again[at] ?? 0) === 0 && byte === before[at]);
    return bytes.subarray(0, end).every(isOurs);
  });
  assert.equal(odd, {
    // The caller's own header, of which the kernel writes the version alone.
    refused: ['version/name-no-nul', 'version/uuid-no-nul'],
    // The answer does not fit, and ends within a row.
    other: ['query/status-500'],
  });
});

Recordings.run();
