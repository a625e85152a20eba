/**
 * The keys in the arguments of a call, found from the key specs of its command: what COMMAND GETKEYS replies, what ACL
 * checks and what a cluster routes by.
 *
 *     XREAD COUNT 2 STREAMS a b 0-0 0-0        spec: begin { keyword STREAMS, from 1 }, find { lastKey -1, step 1,
 *                           ^ ^                limit 2 }: of the arguments behind STREAMS the first half
 */
import type { Arguments } from '../protocol/arguments.js';
import { parseSafeInteger } from '../protocol/integers.js';
import type { KeyFinder, KeyFlag, KeySpec } from './command.js';

/** A set of key flags: the sum of `KEY_…` constants. */
export type KeyFlagBits = number;

/** The command reads the value (`RO`). */
export const KEY_READ = 1 << 0;
/** The command changes the value (`RW`). */
export const KEY_WRITE = 1 << 1;
/** The command replaces the value whatever it was (`OW`). */
export const KEY_OVERWRITE = 1 << 2;
/** The command deletes the key (`RM`). */
export const KEY_REMOVE = 1 << 3;
/** The user's data is returned, copied or used (`access`). */
export const KEY_ACCESS = 1 << 4;
/** The user's data is changed (`update`). */
export const KEY_UPDATE = 1 << 5;
/** Data is added, none is changed or deleted (`insert`). */
export const KEY_INSERT = 1 << 6;
/** Some of the user's data is deleted (`delete`). */
export const KEY_DELETE = 1 << 7;
/** No key, but routed like one in a cluster: a shard channel (`not_key`). */
export const KEY_NOT_KEY = 1 << 8;
/** The key spec may miss some keys (`incomplete`). */
export const KEY_INCOMPLETE = 1 << 9;
/** The flags of a call depend on its options, and only the key finder knows them (`variable_flags`). */
export const KEY_VARIABLE_FLAGS = 1 << 10;

/** The names of the key flags, the one of bit n at n; COMMAND replies them in this order. */
const KEY_FLAG_NAMES: readonly KeyFlag[] = [
  'RO',
  'RW',
  'OW',
  'RM',
  'access',
  'update',
  'insert',
  'delete',
  'not_key',
  'incomplete',
  'variable_flags',
];

/** The names of the flags in `bits`, in the order of COMMAND. */
export function keyFlagNames(bits: KeyFlagBits): readonly KeyFlag[] {
  return KEY_FLAG_NAMES.filter((_, bit) => (bits & (1 << bit)) !== 0);
}

/** Key arguments: the index of each in the call, and what the command does with it. Reused, so nothing is allocated. */
export class KeyList {
  indexes: Int32Array = new Int32Array(16);
  flags: Int32Array = new Int32Array(16);
  count = 0;

  /** Adds the argument `index`. The command's name is argument 0 and no key. */
  add(index: number, flags: KeyFlagBits): void {
    if (this.count === this.indexes.length) this.#grow();
    this.indexes[this.count] = index;
    this.flags[this.count] = flags;
    this.count++;
  }

  /** Forgets all keys, and the room for an unusually long call. */
  clear(): void {
    this.count = 0;
    if (this.indexes.length > 1024) {
      this.indexes = new Int32Array(16);
      this.flags = new Int32Array(16);
    }
  }

  #grow(): void {
    const indexes = new Int32Array(this.indexes.length * 2);
    const flags = new Int32Array(indexes.length);
    indexes.set(this.indexes);
    flags.set(this.flags);
    this.indexes = indexes;
    this.flags = flags;
  }
}

/** A key spec with its flags as bits, and of one shape, whichever way it finds its keys. */
export class CompiledKeySpec {
  readonly flags: KeyFlagBits;
  /** The argument that the search begins with; with a keyword where it is looked for; negative from the end. */
  readonly begin: number;
  /** Upper case; empty when the search begins at a fixed index. */
  readonly keyword: string;
  /** The key count's place behind the beginning, or -1 when keys are found as a range. */
  readonly keyNumIndex: number;
  /** The first key's place behind the beginning. */
  readonly firstKey: number;
  /** The last key's place behind the beginning, or from the end of the call when negative. */
  readonly lastKey: number;
  readonly step: number;
  readonly limit: number;
  /** No rule finds the keys. */
  readonly isUnknown: boolean;

  /** Throws an Error when the spec contradicts itself. */
  constructor(spec: KeySpec) {
    const { begin, find } = spec;
    this.flags = keyFlagBits(spec.flags);
    this.begin = 'index' in begin ? begin.index : 'keyword' in begin ? begin.startFrom : 0;
    this.keyword = 'keyword' in begin ? begin.keyword : '';
    this.keyNumIndex = 'keyNumIndex' in find ? find.keyNumIndex : -1;
    this.firstKey = 'keyNumIndex' in find ? find.firstKey : 0;
    this.lastKey = 'lastKey' in find ? find.lastKey : 0;
    this.step = 'unknown' in find ? 1 : find.step;
    this.limit = 'lastKey' in find ? find.limit : 0;
    this.isUnknown = 'unknown' in begin || 'unknown' in find;
    this.#check();
  }

  /** Whether the spec is a plain range from a fixed index, all that COMMAND's first, last and step can express. */
  get isRange(): boolean {
    return !this.isUnknown && this.keyword === '' && this.keyNumIndex === -1;
  }

  #check(): void {
    const wholes = [KEY_READ, KEY_WRITE, KEY_OVERWRITE, KEY_REMOVE].filter((bit) => (this.flags & bit) !== 0);
    if (wholes.length !== 1 && (this.flags & KEY_NOT_KEY) === 0) {
      throw new Error('a key spec needs exactly one of RO, RW, OW and RM');
    }
    if (this.isUnknown) return;
    if (this.keyword === '' ? this.begin < 1 : this.begin === 0) throw new Error('a key spec begins nowhere');
    if (this.keyword !== this.keyword.toUpperCase())
      throw new Error('the keyword of a key spec is not upper case');
    if (this.step < 1) throw new Error('the step of a key spec is not positive');
    if (this.limit < 0 || (this.limit > 1 && this.lastKey !== -1)) {
      throw new Error('the limit of a key spec is for a range up to the last argument');
    }
  }
}

/** What `findKeys` needs of a command. */
export interface KeyedCommand {
  readonly keySpecs: readonly CompiledKeySpec[];
  readonly findKeys: KeyFinder | undefined;
}

/** Whether calls of the command may have keys; channels that are routed like keys do not count. */
export function mayHaveKeys(command: KeyedCommand): boolean {
  return command.findKeys !== undefined || hasKeySpec(command);
}

/**
 * Makes `found` the keys of a call whose arity is right, with their flags; empty when the arguments make no sense.
 * `includesNotKeys` adds what is only routed like a key.
 *
 * The key specs are asked first. When they cannot say, or the flags depend on options, the command's own finder is.
 */
export function findKeys(
  command: KeyedCommand,
  call: Arguments,
  found: KeyList,
  includesNotKeys = false,
): void {
  found.clear();
  const hasSpecs = includesNotKeys ? command.keySpecs.length > 0 : hasKeySpec(command);
  if (hasSpecs && !hasVariableFlags(command)) {
    if (findBySpecs(command.keySpecs, call, found, includesNotKeys)) return;
    found.clear();
  }
  command.findKeys?.(call, found);
}

/**
 * A finder for commands with a key count: at `countIndex` stands how many keys follow it. `destinationIndex`, unless 0,
 * is a further key. Nothing is found when the count is below 1 or more than there are arguments.
 */
export function findCountedKeys(countIndex: number, destinationIndex = 0): KeyFinder {
  return (call, found) => {
    const first = countIndex + 1;
    const count = Number.parseInt(call.text(countIndex), 10);
    if (!(count >= 1 && count <= call.count - first)) return;
    for (let index = first; index < first + count; index++) found.add(index, 0);
    if (destinationIndex > 0) found.add(destinationIndex, 0);
  };
}

function hasKeySpec(command: KeyedCommand): boolean {
  for (const spec of command.keySpecs) if ((spec.flags & KEY_NOT_KEY) === 0) return true;
  return false;
}

function hasVariableFlags(command: KeyedCommand): boolean {
  for (const spec of command.keySpecs) if ((spec.flags & KEY_VARIABLE_FLAGS) !== 0) return true;
  return false;
}

/** Adds the keys of all specs. False when one of them cannot say, or points outside the call. */
function findBySpecs(
  specs: readonly CompiledKeySpec[],
  call: Arguments,
  found: KeyList,
  includesNotKeys: boolean,
): boolean {
  for (const spec of specs) {
    if ((spec.flags & KEY_NOT_KEY) !== 0 && !includesNotKeys) continue;
    if (spec.isUnknown) return false;
    const begin = spec.keyword === '' ? spec.begin : indexBehindKeyword(spec, call);
    if (begin === 0) continue;
    const last = lastKeyIndex(spec, call, begin);
    const first = begin + spec.firstKey;
    if (!(last >= first && last < call.count)) return false;
    for (let index = first; index <= last; index += spec.step) found.add(index, spec.flags);
    if ((spec.flags & KEY_INCOMPLETE) !== 0) return false;
  }
  return true;
}

/** The index of the last key, or NaN when the key count is no count. */
function lastKeyIndex(spec: CompiledKeySpec, call: Arguments, begin: number): number {
  if (spec.keyNumIndex >= 0) {
    const at = begin + spec.keyNumIndex;
    if (at >= call.count) return NaN;
    const count = parseSafeInteger(call.bytes, call.offsets[at], call.lengths[at]);
    return begin + spec.firstKey + count - 1;
  }
  if (spec.lastKey >= 0) return begin + spec.lastKey;
  if (spec.limit === 0) return call.count + spec.lastKey;
  return begin + Math.trunc((call.count - begin) / spec.limit) + spec.lastKey;
}

/**
 * The index behind the spec's keyword, or 0 when the call has none. The search goes forward from a positive start and
 * backward from a negative one. As in Redis, the argument that it ends at (the last or the first) is not looked at.
 */
function indexBehindKeyword(spec: CompiledKeySpec, call: Arguments): number {
  const start = spec.begin > 0 ? spec.begin : call.count + spec.begin;
  const end = spec.begin > 0 ? call.count - 1 : 1;
  const step = start <= end ? 1 : -1;
  for (let index = start; index !== end && index >= 1 && index < call.count; index += step) {
    if (call.is(index, spec.keyword)) return index + 1;
  }
  return 0;
}

function keyFlagBits(flags: readonly KeyFlag[]): KeyFlagBits {
  let bits = 0;
  for (const flag of flags) {
    const bit = KEY_FLAG_NAMES.indexOf(flag);
    if (bit === -1) throw new Error(`unknown key flag '${flag}'`);
    bits |= 1 << bit;
  }
  return bits;
}
