import { defineTarget } from './define.js';
import { device, integer, oneOf, optional, text } from './fields.js';
import { message } from './messages.js';
import { readerRules } from './reader.js';

/**
 * What is written is logged on another device, in order.
 *
 * @example
 * logWrites({ startSector: 0, length: 2048, device: '/dev/sdb', logDevice: '/dev/sdc' })
 * @since Linux 4.1
 * @see drivers/md/dm-log-writes.c log_writes_ctr(), log_writes_status(), log_writes_message()
 */
export const logWrites = /* @__PURE__ */ defineTarget('log-writes', () => ({
  parameters: [
    {
      /** What lies beneath. */
      device: device(),
      /** Where the log is written. */
      logDevice: device(),
    },
  ],
  status: [
    {
      /** Entries of the log, as far as it is written. */
      entries: integer(),
      /** The last sector of the log. */
      highestSector: integer(),
      /** The log is full, or could not be written. */
      logging: optional(oneOf('logging_disabled')),
    },
  ],
  messages: {
    /** Put a mark into the log. */
    mark: message('mark', { text: text() }),
  },
  rules: readerRules(
    (reader) => {
      if (reader.line.count < 2)
        reader.refuse(
          'log-writes-arguments',
          `expected DEVICE LOG, got ${reader.line.count} words`,
        );
      reader.device(0, 'log-writes-device');
      reader.device(1, 'log-writes-log-device');
    },
    [
      {
        code: 'log-writes-arguments',
        why: 'Two words are needed (dm-log-writes.c log_writes_ctr).',
        example: '0 8 log-writes 8:16',
        fix: 'write DEVICE LOG',
        log: 'Invalid argument count',
      },
      {
        code: 'log-writes-device',
        why: 'The kernel has no such block device (dm-log-writes.c log_writes_ctr).',
        example: '0 8 log-writes 4096:0 8:32',
        fix: 'write the path or major:minor of a block device',
        log: 'Device lookup failed',
      },
      {
        code: 'log-writes-log-device',
        why: 'The kernel has no such block device (dm-log-writes.c log_writes_ctr).',
        example: '0 8 log-writes 8:16 4096:0',
        fix: 'write the path or major:minor of a block device',
        log: 'Log device lookup failed',
      },
    ],
  ),
  areas: ({ length }) => [{ word: 0, start: 0n, length }],
}));
