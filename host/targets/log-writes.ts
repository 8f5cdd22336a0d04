import { defineTarget } from './define.js';
import { device, integer, oneOf, optional, text } from './fields.js';
import { message } from './messages.js';

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
}));
