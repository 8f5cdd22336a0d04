// test/wire/ is the protocol by example: bytes of real kernels, each field of them named with its
// offset, size and value; lines of zeros are left out. Here each file is read in four ways: its fields
// encode to its bytes, its bytes decode to its fields, and both there and back.

import {
  REQUEST_CODE,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  inspect,
  type Command,
  type ReplyInput,
  type Request,
} from 'devicemapper/codec';
import { readFileSync, readdirSync } from 'node:fs';
import { assert, suite } from './harness.js';

const FOLDER = new URL('../../../test/wire/', import.meta.url);

interface Field {
  readonly offset: number;
  readonly size: number;
  readonly name: string;
  readonly value: string | number;
}

interface Golden {
  readonly command: Command;
  readonly direction: string;
  readonly bytes: Uint8Array;
  readonly fields: readonly Field[];
}

function parse(text: string): Golden {
  const [heading = '', dump = '', list = ''] = text.trimEnd().split('\n\n');
  const [, command, direction, size] = /^(\w+) (\w+), .*, (\d+) bytes$/m.exec(heading) ?? [];
  const bytes = new Uint8Array(Number(size));
  for (const line of dump.split('\n')) {
    const [offset, ...hex] = line.split(/ +/);
    bytes.set(
      hex.map((byte) => parseInt(byte, 16)),
      Number(offset),
    );
  }
  const fields = list.split('\n').map((line) => {
    const [, offset, length, name, value] = /^(\d+) +(\d+) +(\S+) +(.+)$/.exec(line)!;
    const is = value!.startsWith('0x') ? Number(value) : (JSON.parse(value!) as string | number);
    return { offset: Number(offset), size: Number(length), name: name!, value: is };
  });
  return { command: command as Command, direction: direction!, bytes, fields };
}

/** A field's bytes, without the codec: little-endian, or text up to a NUL. */
function valueAt(bytes: Uint8Array, { offset, size, value }: Field): string | number {
  if (typeof value === 'string') {
    const part = bytes.subarray(offset, offset + size);
    return new TextDecoder().decode(part.subarray(0, part.indexOf(0)));
  }
  const view = new DataView(bytes.buffer, offset);
  return size === 4 ? view.getUint32(0, true) : Number(view.getBigUint64(0, true));
}

/** The header as the doors name it, and the payload's records as the file does. */
function valuesOf({ fields }: Golden): {
  header: Record<string, unknown>;
  records: Record<string, string | number>[];
} {
  const header: Record<string, unknown> = {};
  const version: unknown[] = [];
  const records: Record<string, string | number>[] = [];
  /** The field that a record of the payload begins with. */
  let first: string | undefined;
  for (const { offset, name, value } of fields) {
    if (name === 'padding' || name === 'count') continue;
    if (name.startsWith('version') && offset < 312) version.push(value);
    else if (offset < 312) header[name.replace(/_(.)/, (_, c: string) => c.toUpperCase())] = value;
    else if (name === (first ??= name)) records.push({ [name]: value });
    else records.at(-1)![name] = value;
  }
  return { header: { version, ...header }, records };
}

/** What the door takes and gives for a golden file. */
function messageOf(golden: Golden): Record<string, unknown> {
  const { command, direction } = golden;
  const { header, records } = valuesOf(golden);
  const numbers = (dev: number): object => ({
    dev,
    major: (dev >>> 8) & 0xfff,
    minor: (dev & 0xff) | ((dev >>> 12) & 0xfff00),
  });
  const [{ new_name, new_uuid, geometry, sector, message } = {}] = records;
  if (direction === 'request' && command === 'DEV_RENAME') {
    return {
      ...header,
      ...(new_uuid === undefined ? { newName: new_name } : { newUuid: new_uuid }),
    };
  }
  if (direction === 'request' && command === 'DEV_SET_GEOMETRY') {
    const [cylinders, heads, sectors, start] = String(geometry).split(' ').map(Number);
    return { ...header, geometry: { cylinders, heads, sectors, start } };
  }
  if (direction === 'request' && command === 'TARGET_MSG') {
    return { ...header, sector, message: new TextEncoder().encode(String(message)) };
  }
  if (command === 'TARGET_MSG') return { ...header, message };
  if (direction === 'request' && command !== 'TABLE_LOAD') return header;
  if (command === 'LIST_VERSIONS' || command === 'GET_TARGET_VERSION') {
    const versions = records.map(({ name, ...record }) => ({
      name,
      version: [0, 1, 2].map((part) => record[`version[${part}]`]),
    }));
    return { ...header, versions };
  }
  if (command === 'TABLE_LOAD' && direction === 'reply') return header;
  if (['TABLE_LOAD', 'TABLE_STATUS', 'DEV_WAIT'].includes(command)) {
    const targets = records.map(({ sector_start, length, target_type, parameters }) => ({
      startSector: sector_start,
      length,
      type: target_type,
      parameters:
        direction === 'request' ? new TextEncoder().encode(String(parameters)) : parameters,
    }));
    return { ...header, targets };
  }
  if (command === 'TABLE_DEPS') {
    return { ...header, deps: records.map(({ dev }) => numbers(dev as number)) };
  }
  if (command !== 'LIST_DEVICES') return header;
  const devices = records.map(({ dev, name, event_nr, flags, uuid }) => {
    const hasFlags = (header.version as number[])[1]! >= 45 && flags !== 0;
    return {
      name,
      ...numbers(dev as number),
      ...(hasFlags && { uuid: uuid ?? '' }),
      eventNumber: event_nr,
    };
  });
  return { ...header, devices };
}

const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, field: unknown) =>
      field instanceof Uint8Array ? Array.from(field) : field,
    ),
  );

const Wire = suite('golden');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));
const goldens = files.map((file) => {
  return [file, parse(readFileSync(new URL(file, FOLDER), 'utf8'))] as const;
});

for (const [file, golden] of goldens) {
  const { command, direction, bytes, fields } = golden;
  const isRequest = direction === 'request';
  const message = messageOf(golden);
  const encode = (value: unknown): Uint8Array =>
    isRequest
      ? encodeRequest(command, value as Request)
      : encodeReply(command, value as ReplyInput);
  const decode = (given: Uint8Array): unknown =>
    plain(isRequest ? decodeRequest(command, given) : decodeReply(command, given));

  Wire(`${file}: its fields are its bytes, and all of them`, () => {
    const rest = bytes.slice();
    for (const field of fields) {
      assert.is(valueAt(bytes, field), field.value, `${field.offset} ${field.name}`);
      rest.fill(0, field.offset, field.offset + field.size);
    }
    assert.ok(rest.every((byte) => byte === 0));
  });

  Wire(`${file}: its fields are those that inspect names`, () => {
    const named = inspect(bytes, { command, direction: isRequest ? 'request' : 'reply' });
    const at = new Map(named.map((field) => [field.offset, field]));
    for (const { offset, size, name, value } of fields) {
      const found = at.get(offset);
      assert.equal([found?.size, found?.name, found?.value], [size, name, value]);
      at.delete(offset);
    }
    // The rest is nothing, or what the request had there.
    for (const { name, offset } of at.values()) assert.is(name, 'padding', `${offset}`);
  });

  Wire(`${file}: encode, decode, there and back`, () => {
    assert.equal(encode(message), bytes);
    assert.equal(decode(bytes), plain(message));
    assert.equal(
      encode(isRequest ? decodeRequest(command, bytes) : decodeReply(command, bytes)),
      bytes,
    );
    assert.equal(decode(encode(message)), plain(message));
  });
}

Wire('there is one of every command', () => {
  const commands = new Set(goldens.map(([, { command }]) => command));
  assert.equal([...commands].sort(), Object.keys(REQUEST_CODE).sort());
});

Wire.run();
