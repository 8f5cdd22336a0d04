import { defineTarget } from './define.js';
import { device, integer, optional, record, sectors } from './fields.js';
import {
  argumentsRule,
  quoted,
  sscanf32,
  sscanf64,
  walkRules,
  type Arguments,
  type Machine,
  type WalkEnd,
} from './rules.js';

/** A device, an offset and a delay, each for reads, writes and flushes. */
const CLASS = 3;

/** dm-delay.c delay_class_ctr(), for one class after another. */
function walk(line: Arguments, machine: Machine): WalkEnd | undefined {
  for (let at = 0; at < line.count; at += CLASS) {
    const [device, offset, delay] = [line.word(at), line.word(at + 1), line.word(at + 2)];
    if (sscanf64(offset) === undefined) {
      const message = `expected decimal sectors of 512 bytes, got ${quoted(offset)}`;
      return { code: 'delay-offset', message, at: at + 1 };
    }
    if (sscanf32(delay) === undefined) {
      const message = `expected milliseconds in decimal, got ${quoted(delay)}`;
      return { code: 'delay-time', message, at: at + 2 };
    }
    const errno = machine.lookup(device);
    if (typeof errno === 'number') {
      const message = `expected a block device, got ${quoted(device)}`;
      return { code: 'delay-device', message, at, errno };
    }
  }
  return undefined;
}

/**
 * I/O takes longer, each kind by a time of its own.
 *
 * @example
 * delay({
 *   startSector: 0,
 *   length: 2048,
 *   device: '/dev/sdb',
 *   offset: 0,
 *   delay: 50,
 *   write: { device: '/dev/sdc', offset: 0, delay: 100 },
 * })
 * @since Linux 2.6.22
 * @see drivers/md/dm-delay.c delay_ctr(), delay_status()
 */
export const delay = /* @__PURE__ */ defineTarget('delay', () => {
  const target = {
    /** Where I/O goes: reads, and all without a `write` or `flush` of its own. */
    device: device(),
    /** Where on it, in sectors. */
    offset: sectors(),
    /** How long they wait, in milliseconds. */
    delay: integer({ max: 0xffffffff }),
  };
  return {
    parameters: [
      target,
      {
        /** Where writes go, and for how long they wait. */
        write: optional(record(target)),
        /** The same for flushes; as for writes if left out. */
        flush: optional(record(target)),
      },
    ],
    status: [
      {
        /** Reads that wait now. */
        reads: integer(),
        /** Writes that wait now. */
        writes: integer(),
        /** Flushes that wait now. */
        flushes: integer(),
      },
    ],
    rules: [
      argumentsRule(
        {
          code: 'delay-arguments',
          expected: 'DEVICE OFFSET DELAY once, twice or three times',
          why: 'delay takes three words for all I/O, six or nine (dm-delay.c delay_ctr).',
          example: '0 8 delay 8:16 0',
          fix: 'write DEVICE OFFSET DELAY, and the same for writes and for flushes if they differ',
          log: 'Requires exactly 3, 6 or 9 arguments',
        },
        (given) => given === 3 || given === 6 || given === 9,
      ),
      ...walkRules(walk, [
        {
          code: 'delay-offset',
          why: 'The offset is a decimal number (dm-delay.c delay_class_ctr).',
          example: '0 8 delay 8:16 x 50',
          fix: 'write decimal sectors of 512 bytes',
          log: 'Invalid device sector',
        },
        {
          code: 'delay-time',
          why: 'The delay is a decimal number (dm-delay.c delay_class_ctr).',
          example: '0 8 delay 8:16 0 50ms',
          fix: 'write milliseconds in decimal',
          log: 'Invalid delay',
        },
        {
          code: 'delay-device',
          why: 'The kernel has no such block device (dm-delay.c delay_class_ctr).',
          example: '0 8 delay 4096:0 0 50',
          fix: 'write the path or major:minor of a block device',
          log: 'Device lookup failed',
        },
      ]),
    ],
    areas: (line) =>
      Array.from({ length: line.count / CLASS }, (_, i) => {
        const [word, offsetWord] = [CLASS * i, CLASS * i + 1];
        return { word, offsetWord, start: sscanf64(line.word(offsetWord))!, length: line.length };
      }),
  };
});
