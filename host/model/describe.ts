// A model kernel as text, for people who look at a failing test.

import { zeroKeys } from '../keys.js';
import { textOf } from '../wire.js';
import type { Core } from './core.js';
import { arrayOf } from './packet.js';
import type { Device, Table } from './state.js';
import { typeOf } from './table.js';
import { devText } from './target.js';

/** Devices by name, each with its tables, and below them the block devices. */
export function describe(core: Core, version: string): string {
  const { devices, blocks } = core.state;
  const lines = [
    `Linux ${core.release}, device-mapper ${version}: ${devices.length} device${devices.length === 1 ? '' : 's'}`,
  ];
  const sorted = [...devices].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const device of sorted) lines.push(...describeDevice(core, device));
  for (const { path, dev, sectors } of blocks) {
    const users = devices.filter(({ opened }) => opened.some((one) => one.dev === dev));
    const names = users.map((user) => text(user.name)).join(', ');
    lines.push(
      `${path} (${devText(dev)}): ${sectors} sectors${names === '' ? '' : `, below ${names}`}`,
    );
  }
  return lines.join('\n');
}

function describeDevice(core: Core, device: Device): string[] {
  const { opened, openCount, eventNr } = device;
  const above = core.state.devices.filter((one) =>
    one.opened.some(({ dev }) => dev === core.devOf(device)),
  );
  const facts = [
    ...(device.uuid === '' ? [] : [`uuid ${text(device.uuid)}`]),
    ...(device.live === undefined ? ['no table'] : [`${device.size} sectors`]),
    ...(device.suspended ? ['suspended'] : []),
    ...(device.internallySuspended > 0 ? ['suspended by the kernel'] : []),
    ...(device.readOnly ? ['read-only'] : []),
    ...(openCount > 0 ? [`open ${openCount}`] : []),
    ...(device.deferredRemove ? ['removal put off'] : []),
    ...(eventNr > 0 ? [`event ${eventNr}`] : []),
    ...(opened.length > 0 ? [`on ${opened.map(({ dev }) => core.diskName(dev)).join(', ')}`] : []),
    ...(above.length > 0 ? [`below ${above.map(({ name }) => text(name)).join(', ')}`] : []),
  ];
  return [
    `${text(device.name)} (${core.nameOf(device)}): ${facts.join(', ')}`,
    ...rowsOf(core, device, 'live', device.live),
    ...rowsOf(core, device, 'inactive', device.inactive),
  ];
}

function rowsOf(core: Core, device: Device, slot: string, table: Table | undefined): string[] {
  return (table?.targets ?? []).map((target) => {
    const query = { kind: 'table' as const, noflush: true };
    const told = typeOf(target).status?.(target as never, query, { core, device, table: table! });
    const parameters = arrayOf(told ?? '');
    zeroKeys(target.type, parameters);
    const row = `${target.begin} ${target.length} ${target.type} ${textOf(parameters)}`;
    return `  ${slot}: ${row.trimEnd()}`;
  });
}

function text(bytes: string): string {
  return textOf(arrayOf(bytes));
}
