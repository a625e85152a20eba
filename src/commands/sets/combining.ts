/** Commands that make one set of several: intersections, unions and differences. */
import { type KeyEvent, keyEvent, NOTIFY_SET } from '../../keyspace/events.js';
import {
  ENCODING_HASHTABLE,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  type Encoding,
  type RecordReference,
  TYPE_SET,
} from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { ReferenceList } from '../../memory/reference-list.js';
import { type Command, keyAt, keysCountedAt, keysFrom } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { findCountedKeys } from '../../server/key-specs.js';
import type { ListpackElement } from '../../structures/listpack-element.js';
import type { Sets } from '../../types/set.js';
import type { Types } from '../../types/types.js';
import { removeDestination, storeResult } from '../stored-result.js';
import { replyMember, replyMembers } from './reading.js';

const EVENT_SINTERSTORE = keyEvent(NOTIFY_SET, 'sinterstore');
const EVENT_SUNIONSTORE = keyEvent(NOTIFY_SET, 'sunionstore');
const EVENT_SDIFFSTORE = keyEvent(NOTIFY_SET, 'sdiffstore');

const ERROR_NUMKEYS = 'ERR numkeys should be greater than 0';
const ERROR_TOO_MANY_KEYS = "ERR Number of keys can't be greater than number of args";
const ERROR_NEGATIVE_LIMIT = "ERR LIMIT can't be negative";

export const combiningCommands: readonly Command[] = [
  {
    name: 'sinter',
    summary: 'The members that all of the sets have.',
    syntax: 'key...',
    arity: -2,
    flags: ['readonly'],
    categories: ['@set'],
    keys: [keysFrom(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N*M) at worst, N members in the smallest of M sets',
    hints: ['nondeterministic_output_order'],
    handler: replyIntersection,
  },
  {
    name: 'sintercard',
    summary: 'How many members all of the sets have.',
    syntax: 'numkeys key... [LIMIT limit:integer]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@set'],
    keys: [keysCountedAt(1, 'RO', 'access')],
    findKeys: findCountedKeys(1),
    since: '7.0.0',
    group: 'set',
    complexity: 'O(N*M) at worst, N members in the smallest of M sets',
    handler: replyIntersectionCount,
  },
  {
    name: 'sinterstore',
    summary: 'Store the members that all of the sets have.',
    syntax: 'destination key...',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['@set'],
    keys: [keyAt(1, 'OW', 'update'), keysFrom(2, 'RO', 'access')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N*M) at worst, N members in the smallest of M sets',
    handler: storeIntersection,
  },
  {
    name: 'sunion',
    summary: 'The members that any of the sets has.',
    syntax: 'key...',
    arity: -2,
    flags: ['readonly'],
    categories: ['@set'],
    keys: [keysFrom(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members in all sets',
    hints: ['nondeterministic_output_order'],
    handler: replyUnion,
  },
  {
    name: 'sunionstore',
    summary: 'Store the members that any of the sets has.',
    syntax: 'destination key...',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['@set'],
    keys: [keyAt(1, 'OW', 'update'), keysFrom(2, 'RO', 'access')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members in all sets',
    handler: (context) => storeCombination(context, addUnion, EVENT_SUNIONSTORE),
  },
  {
    name: 'sdiff',
    summary: 'The members of the first set that no other has.',
    syntax: 'key...',
    arity: -2,
    flags: ['readonly'],
    categories: ['@set'],
    keys: [keysFrom(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members in all sets',
    hints: ['nondeterministic_output_order'],
    handler: replyDifference,
  },
  {
    name: 'sdiffstore',
    summary: 'Store the members of the first set that no other has.',
    syntax: 'destination key...',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['@set'],
    keys: [keyAt(1, 'OW', 'update'), keysFrom(2, 'RO', 'access')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members in all sets',
    handler: (context) => storeCombination(context, addDifference, EVENT_SDIFFSTORE),
  },
];

/** The records of the sets that are combined, in the order of the arguments; NULL_REFERENCE for a key that is not there. */
const sources = new ReferenceList();

/** Looks up the keys in `count` arguments from `first` on. False when one is no set and the error is replied. */
function readSources(context: CommandContext, first: number, count: number): boolean {
  sources.clear();
  for (let index = first; index < first + count; index++) {
    const record = context.readTyped(index, TYPE_SET);
    if (record === WRONG_TYPE) return false;
    sources.push(record);
  }
  return true;
}

/** Whether one of the sets is not there: then the intersection is empty. */
function isSourceMissing(): boolean {
  return sources.items.subarray(0, sources.count).includes(NULL_REFERENCE);
}

/** Sorts the sets from index `from` on, the smallest first or last. Equal ones stay in order. */
function sortSources(sets: Sets, from: number, smallestFirst: boolean): void {
  const sizeOf = (record: RecordReference) => (record === NULL_REFERENCE ? 0 : sets.count(record));
  const sign = smallestFirst ? 1 : -1;
  const sorted = [...sources.items.subarray(from, sources.count)].sort(
    (a, b) => sign * (sizeOf(a) - sizeOf(b)),
  );
  sources.items.set(sorted, from);
}

/** Whether the sets from the second on all have a member of the first. */
function allHave(sets: Sets, element: ListpackElement): boolean {
  const { items, count } = sources;
  for (let i = 1; i < count; i++) {
    if (items[i] !== items[0] && !sets.hasElement(items[i], element)) return false;
  }
  return true;
}

/** Whether one of the sets from the second on has a member of the first. */
function anyHas(sets: Sets, element: ListpackElement): boolean {
  const { items, count } = sources;
  for (let i = 1; i < count; i++) {
    if (items[i] !== NULL_REFERENCE && sets.hasElement(items[i], element)) return true;
  }
  return false;
}

/** SINTER key [key ...] */
function replyIntersection(context: CommandContext): void {
  if (!readSources(context, 1, context.arguments.count - 1)) return;
  const { reply, types } = context;
  if (isSourceMissing()) {
    reply.setHeader(0);
    return;
  }
  const { sets, setCursor: cursor } = types;
  sortSources(sets, 0, true);
  const start = reply.beginDeferred();
  let count = 0;
  cursor.start(sources.items[0]);
  while (cursor.next()) {
    if (!allHave(sets, cursor.element)) continue;
    replyMember(reply, cursor.element);
    count++;
  }
  reply.endDeferredSet(start, count);
}

/** SINTERCARD numkeys key [key ...] [LIMIT limit] */
function replyIntersectionCount(context: CommandContext): void {
  const { reply, options } = context;
  const keyCount = context.integer(1, ERROR_NUMKEYS);
  if (Number.isNaN(keyCount)) return;
  if (keyCount < 1) {
    reply.error(ERROR_NUMKEYS);
    return;
  }
  if (keyCount > context.arguments.count - 2) {
    reply.error(ERROR_TOO_MANY_KEYS);
    return;
  }
  let limit = 0;
  options.begin(context.arguments, 2 + keyCount);
  while (options.hasMore) {
    if (!options.takeWithArgument('LIMIT')) {
      reply.error(ERROR_SYNTAX);
      return;
    }
    limit = context.integer(options.argument, ERROR_NEGATIVE_LIMIT);
    if (Number.isNaN(limit)) return;
    if (limit < 0) {
      reply.error(ERROR_NEGATIVE_LIMIT);
      return;
    }
  }
  if (!readSources(context, 2, keyCount)) return;
  reply.integer(countIntersection(context.types, limit));
}

/** How many members all of the sets have; `limit` when that is not 0 and they are as many or more. */
function countIntersection({ sets, setCursor: cursor }: Types, limit: number): number {
  if (isSourceMissing()) return 0;
  sortSources(sets, 0, true);
  let count = 0;
  cursor.start(sources.items[0]);
  while (cursor.next()) {
    if (allHave(sets, cursor.element) && ++count === limit) break;
  }
  return count;
}

/** SINTERSTORE destination key [key ...] */
function storeIntersection(context: CommandContext): void {
  if (!readSources(context, 2, context.arguments.count - 2)) return;
  if (isSourceMissing()) {
    removeDestination(context, 1);
    return;
  }
  const { sets, setCursor: cursor } = context.types;
  sortSources(sets, 0, true);
  const isIntset = sets.records.encoding(sources.items[0]) === ENCODING_INTSET;
  const result = sets.createDraft(isIntset ? ENCODING_INTSET : ENCODING_LISTPACK);
  try {
    cursor.start(sources.items[0]);
    while (cursor.next()) {
      if (allHave(sets, cursor.element)) sets.addElement(result, cursor.element);
    }
    sets.compactIntegers(result);
  } catch (error) {
    context.keyspace.drafts.discard(result);
    throw error;
  }
  storeResult(context, 1, result, sets.count(result), EVENT_SINTERSTORE);
}

/** SUNION key [key ...] */
function replyUnion(context: CommandContext): void {
  if (!readSources(context, 1, context.arguments.count - 1)) return;
  replyCombination(context, addUnion);
}

/** SDIFF key [key ...] */
function replyDifference(context: CommandContext): void {
  if (!readSources(context, 1, context.arguments.count - 1)) return;
  const { reply, types } = context;
  const { sets, setCursor: cursor } = types;
  if (isDifferenceEmpty()) {
    reply.setHeader(0);
    return;
  }
  if (!probesOthers(sets)) {
    replyCombination(context, addDifference);
    return;
  }
  sortSources(sets, 1, false);
  const start = reply.beginDeferred();
  let count = 0;
  cursor.start(sources.items[0]);
  while (cursor.next()) {
    if (anyHas(sets, cursor.element)) continue;
    replyMember(reply, cursor.element);
    count++;
  }
  reply.endDeferredSet(start, count);
}

/** Whether the difference is empty at first sight: the first set is not there, or among those that are subtracted. */
function isDifferenceEmpty(): boolean {
  const { items, count } = sources;
  return items[0] === NULL_REFERENCE || items.subarray(1, count).includes(items[0]);
}

/**
 * How a difference is found: by looking for each member of the first set in the others (true), or by removing the
 * members of the others from a copy of the first. The estimate is Redis's, as the encoding of what is stored follows
 * from it.
 */
function probesOthers(sets: Sets): boolean {
  const { items, count } = sources;
  const first = sets.count(items[0]);
  let probes = 0;
  let members = 0;
  for (let i = 0; i < count; i++) {
    if (items[i] === NULL_REFERENCE) continue;
    probes += first;
    members += sets.count(items[i]);
  }
  return Math.floor(probes / 2) <= members;
}

/** Puts the members of a combination of the sets into an empty draft. */
type Combine = (types: Types, result: RecordReference) => void;

/** Replies a combination of the sets. */
function replyCombination(context: CommandContext, combine: Combine): void {
  const { reply, types, keyspace } = context;
  const { sets } = types;
  const result = sets.createDraft(replyEncoding(sets));
  try {
    combine(types, result);
    reply.setHeader(sets.count(result));
    replyMembers(context, result);
  } finally {
    keyspace.drafts.discard(result);
  }
}

/** Of integers alone an intset is made, which is replied in order; otherwise what finds members fastest. */
function replyEncoding(sets: Sets): Encoding {
  const { items, count } = sources;
  for (let i = 0; i < count; i++) {
    if (items[i] !== NULL_REFERENCE && sets.records.encoding(items[i]) !== ENCODING_INTSET) {
      return ENCODING_HASHTABLE;
    }
  }
  return ENCODING_INTSET;
}

/** Stores a combination of the sets from argument 2 on under the key in argument 1. */
function storeCombination(context: CommandContext, combine: Combine, event: KeyEvent): void {
  if (!readSources(context, 2, context.arguments.count - 2)) return;
  const { types } = context;
  const { sets } = types;
  const result = sets.createDraft(ENCODING_INTSET);
  try {
    combine(types, result);
  } catch (error) {
    context.keyspace.drafts.discard(result);
    throw error;
  }
  storeResult(context, 1, result, sets.count(result), event);
}

function addUnion({ sets, setCursor: cursor }: Types, result: RecordReference): void {
  for (let i = 0; i < sources.count; i++) {
    if (sources.items[i] === NULL_REFERENCE) continue;
    cursor.start(sources.items[i]);
    while (cursor.next()) sets.addElement(result, cursor.element);
  }
}

function addDifference({ sets, setCursor: cursor }: Types, result: RecordReference): void {
  if (isDifferenceEmpty()) return;
  const { items, count } = sources;
  const isProbing = probesOthers(sets);
  if (isProbing) sortSources(sets, 1, false);
  cursor.start(items[0]);
  while (cursor.next()) {
    if (!isProbing || !anyHas(sets, cursor.element)) sets.addElement(result, cursor.element);
  }
  if (isProbing) return;
  for (let i = 1; i < count && sets.count(result) > 0; i++) {
    if (items[i] === NULL_REFERENCE) continue;
    cursor.start(items[i]);
    while (cursor.next()) sets.removeElement(result, cursor.element);
  }
}
