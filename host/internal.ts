/**
 * Not a door: what the tests look at behind the doors, built with them so that there is one of each.
 *
 * @module internal
 */

export * from './errors.js';
export * from './events.js';
export * from './generated/abi.js';
export * from './keys.js';
export * from './lint.js';
export * from './meaning.js';
export * from './operations.js';
export * from './text.js';
export { defineTarget, type Parts } from './targets/define.js';
export { device, either, integer, sectors, type Fields, type Shape } from './targets/fields.js';
export { message } from './targets/messages.js';
export { flag, isPart, options } from './targets/parts.js';
export { knownTypes, refusal, traitsOf } from './targets/registry.js';
export * from './targets/rules.js';
export * from './wire.js';
