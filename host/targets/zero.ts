import { defineTarget } from './define.js';
import { argumentsRule } from './rules.js';

/**
 * Reads zeros, and forgets what is written.
 *
 * @example
 * zero({ startSector: 0, length: 2048 })
 * @since Linux 2.6.4
 * @see drivers/md/dm-zero.c
 */
export const zero = /* @__PURE__ */ defineTarget('zero', () => ({
  parameters: [],
  rules: [
    argumentsRule(
      {
        code: 'zero-arguments',
        expected: 'no parameters',
        why: 'zero takes no parameters (dm-zero.c zero_ctr).',
        example: '0 8 zero 0',
        fix: 'leave them out',
        log: 'No arguments required',
      },
      (count) => count === 0,
    ),
  ],
}));
