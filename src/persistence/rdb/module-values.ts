import type { RdbInput } from './input.js';

/**
 * What modules write, of which only the extent can be told:
 *
 *     key:    module │ (opcode │ content)… │ END
 *     aside:  module │ UNSIGNED │ when │ (opcode │ content)… │ END
 *
 * The module is a 64-bit number: nine characters of six bits each, and ten bits of a version.
 */

const MODULE_END = 0;
const MODULE_SIGNED = 1;
const MODULE_UNSIGNED = 2;
const MODULE_FLOAT = 3;
const MODULE_DOUBLE = 4;
const MODULE_STRING = 5;

const NAME_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const NAME_LENGTH = 9;
const VERSION_BITS = 10n;

/** Reads what comes before the value that a module wrote besides its keys. Returns its name. @throws RdbError */
export function readModuleHeader(input: RdbInput): string {
  const name = moduleName(input.readLength64());
  if (input.count() !== MODULE_UNSIGNED) throw input.error('bad when_opcode');
  input.skipLength();
  return name;
}

/** Skips a value, its end mark included. @throws RdbError */
export function skipModuleValue(input: RdbInput): void {
  for (;;) {
    const opcode = input.count();
    if (opcode === MODULE_END) return;
    if (opcode === MODULE_SIGNED || opcode === MODULE_UNSIGNED) input.skipLength();
    else if (opcode === MODULE_FLOAT) input.raw(4);
    else if (opcode === MODULE_DOUBLE) input.raw(8);
    else if (opcode === MODULE_STRING) input.string();
    else throw input.error('Unknown part of the data of a module');
  }
}

/** The name in the number of a module. */
export function moduleName(module: bigint): string {
  let name = '';
  let rest = module >> VERSION_BITS;
  for (let i = 0; i < NAME_LENGTH; i++) {
    name = NAME_CHARACTERS.charAt(Number(rest & 63n)) + name;
    rest >>= 6n;
  }
  return name;
}
