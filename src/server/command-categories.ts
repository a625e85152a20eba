/**
 * The ACL categories of commands, as bits of an int32: those that an entry names, and those that follow from its flags.
 */
import type { CommandCategory } from './command.js';
import {
  type CommandFlagBits,
  FLAG_ADMIN,
  FLAG_BLOCKING,
  FLAG_FAST,
  FLAG_PUBSUB,
  FLAG_READONLY,
  FLAG_WRITE,
} from './command-flags.js';

/** A set of ACL categories: bit n stands for `COMMAND_CATEGORIES[n]`. */
export type CategoryBits = number;

/** All categories, in the order of ACL CAT. */
export const COMMAND_CATEGORIES: readonly CommandCategory[] = [
  '@keyspace',
  '@read',
  '@write',
  '@set',
  '@sortedset',
  '@list',
  '@hash',
  '@string',
  '@bitmap',
  '@hyperloglog',
  '@geo',
  '@stream',
  '@pubsub',
  '@admin',
  '@fast',
  '@slow',
  '@blocking',
  '@dangerous',
  '@connection',
  '@transaction',
  '@scripting',
];

const READ = categoryBit('read');
const WRITE = categoryBit('write');
const PUBSUB = categoryBit('pubsub');
const ADMIN = categoryBit('admin');
const FAST = categoryBit('fast');
const SLOW = categoryBit('slow');
const BLOCKING = categoryBit('blocking');
const DANGEROUS = categoryBit('dangerous');
const SCRIPTING = categoryBit('scripting');

/** The bit of the category called `name`, in any case and without its `@`; 0 when there is none. */
export function categoryBit(name: string): CategoryBits {
  const index = COMMAND_CATEGORIES.findIndex((category) => category.slice(1) === name.toLowerCase());
  return index === -1 ? 0 : 1 << index;
}

/** The names of the categories in `bits`, with `@`. */
export function categoryNames(bits: CategoryBits): readonly CommandCategory[] {
  return COMMAND_CATEGORIES.filter((_, index) => (bits & (1 << index)) !== 0);
}

/**
 * All categories of a command: those named in `named` and those that follow from its flags, as Redis derives them. A
 * command is either fast or slow. Scripts that only read are not in `@read`, since what they read is not known.
 * Throws an Error when a category is unknown.
 */
export function categoriesOf(named: readonly CommandCategory[], flags: CommandFlagBits): CategoryBits {
  let bits = 0;
  for (const category of named) {
    const bit = categoryBit(category.slice(1));
    if (bit === 0 || !category.startsWith('@')) throw new Error(`unknown ACL category '${category}'`);
    bits |= bit;
  }
  if ((flags & FLAG_WRITE) !== 0) bits |= WRITE;
  if ((flags & FLAG_READONLY) !== 0 && (bits & SCRIPTING) === 0) bits |= READ;
  if ((flags & FLAG_ADMIN) !== 0) bits |= ADMIN | DANGEROUS;
  if ((flags & FLAG_PUBSUB) !== 0) bits |= PUBSUB;
  if ((flags & FLAG_FAST) !== 0) bits |= FAST;
  if ((flags & FLAG_BLOCKING) !== 0) bits |= BLOCKING;
  if ((bits & FAST) === 0) bits |= SLOW;
  return bits;
}
