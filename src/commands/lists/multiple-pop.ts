/** What LMPOP and BLMPOP have in common: several keys, an end, and a count. */
import { TYPE_LIST } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { LPOP, RPOP } from '../../server/propagated-words.js';
import type { ListEnd } from '../../types/list.js';
import { listEnd, popElements } from './storing.js';

const ERROR_KEY_COUNT = 'ERR numkeys should be greater than 0';
const ERROR_COUNT = 'ERR count should be greater than 0';

/** What `parseMultiplePop` found. One command at a time uses it. */
export const multiplePop = {
  /** The arguments that are the first and the last key. */
  firstKey: 0,
  lastKey: 0,
  end: 'first' as ListEnd,
  count: 1,
};

/**
 * Reads `numkeys key [key ...] <LEFT | RIGHT> [COUNT count]` from argument `index` on into `multiplePop`. False when it
 * is wrong and the error is replied.
 */
export function parseMultiplePop(context: CommandContext, index: number): boolean {
  const { arguments: request, options, reply } = context;
  const keyCount = context.integer(index, ERROR_KEY_COUNT);
  if (Number.isNaN(keyCount)) return false;
  if (keyCount < 1) {
    reply.error(ERROR_KEY_COUNT);
    return false;
  }
  const endIndex = index + keyCount + 1;
  if (endIndex >= request.count) {
    reply.error(ERROR_SYNTAX);
    return false;
  }
  const end = listEnd(context, endIndex);
  if (end === undefined) return false;
  let count = 0;
  options.begin(request, endIndex + 1);
  while (options.hasMore) {
    if (count !== 0 || !options.takeWithArgument('COUNT')) {
      reply.error(ERROR_SYNTAX);
      return false;
    }
    count = context.integer(options.argument, ERROR_COUNT);
    if (Number.isNaN(count)) return false;
    if (count < 1) {
      reply.error(ERROR_COUNT);
      return false;
    }
  }
  multiplePop.firstKey = index + 1;
  multiplePop.lastKey = index + keyCount;
  multiplePop.end = end;
  multiplePop.count = count === 0 ? 1 : count;
  return true;
}

/**
 * Takes elements from the first of the keys that exists, as `multiplePop` says, and replies the key with them; or replies
 * the error when it is no list. False, and nothing is replied, when there is none.
 */
export function popFromFirst(context: CommandContext): boolean {
  const { arguments: request, reply } = context;
  const { firstKey, lastKey, end, count } = multiplePop;
  for (let i = firstKey; i <= lastKey; i++) {
    const record = context.writeTyped(i, TYPE_LIST);
    if (record === WRONG_TYPE) return true;
    if (record === NULL_REFERENCE) continue;
    reply.arrayHeader(2);
    reply.bulk(request.bytes, request.offsets[i], request.lengths[i]);
    const popped = Math.min(count, context.types.lists.length(record));
    popElements(context, i, record, end, count);
    context.propagateAs(end === 'first' ? LPOP : RPOP, i, popped);
    return true;
  }
  return false;
}
