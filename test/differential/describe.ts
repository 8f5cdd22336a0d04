// A difference in words, and the steps that show it.

import { inspect } from 'devicemapper/model';
import { COMMAND_OF, nameOf } from './compare.js';
import type { Shrunk } from './shrink.js';
import { bytesOf, type Step } from './script.js';

/** The steps one a line, what differs, and the same as JSON for a program. */
export function describe(
  { sequence, difference }: Shrunk,
  [left, right]: readonly [string, string],
): string {
  const { command, field, target, offset, left: ours, right: theirs } = difference;
  const place = offset === undefined ? '' : ` at offset ${offset}`;
  const what = target === undefined ? field : `${field} of ${target}`;
  return [
    `${command}: ${what}${place} differs`,
    ...sequence.map((step) => `  ${describeStep(step)}`),
    `  ${left}: ${ours}`,
    `  ${right}: ${theirs}`,
    `  ${JSON.stringify(sequence)}`,
  ].join('\n');
}

/** What of a step says something: the fields that are not as they usually are. */
export function describeStep(step: Step): string {
  if (step.do === 'open') return `open ${step.path} as ${step.id}`;
  if (step.do === 'close') return `close ${step.id}`;
  const command = COMMAND_OF.get(step.request);
  const fields = inspect(bytesOf(step), {
    direction: 'request',
    ...(command && { command }),
    secrets: true,
  });
  const words = fields.flatMap(({ name, value, meaning, offset }) => {
    const usual = USUAL[name];
    const isUsual = value === 0 || value === '' || (offset < 312 && value === usual);
    if (isUsual || name === 'padding') return [];
    return [`${name} ${typeof value === 'string' ? JSON.stringify(value) : (meaning ?? value)}`];
  });
  return [nameOf(step), ...words].join(', ');
}

const USUAL: Readonly<Record<string, number>> = {
  'version[0]': 4,
  data_size: 312,
  data_start: 312,
};
