/** LPOS: where in a list a value stands. */
import { type RecordReference, TYPE_LIST } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';

export const searchingCommands: readonly Command[] = [
  {
    name: 'lpos',
    summary: 'Where in a list a value stands.',
    syntax: 'key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@list'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '6.0.6',
    group: 'list',
    complexity: 'O(N) for N elements in the list; less when the match is near the end searched from',
    handler: replyPositions,
  },
];

const ERROR_RANK_ZERO =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from " +
  'the end of the list';
const ERROR_COUNT = "ERR COUNT can't be negative";
const ERROR_LENGTH_MAX = "ERR MAXLEN can't be negative";

/** Which matches are asked for. One command at a time uses it. */
const search = {
  /** The number of the first match that is wanted, from 1. */
  rank: 1,
  isForward: true,
  /** How many matches are wanted in an array, 0: all; -1: one, not in an array. */
  count: -1,
  /** How many elements are looked at; 0: all. */
  lengthMax: 0,
};

/** LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len] */
function replyPositions(context: CommandContext): void {
  const { reply } = context;
  if (!parseSearch(context)) return;
  const record = context.readTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (search.count === -1) {
    const index = record === NULL_REFERENCE ? -1 : findFirst(context, record);
    if (index < 0) reply.nullBulk();
    else reply.integer(index);
  } else {
    const start = reply.beginDeferred();
    const found = record === NULL_REFERENCE ? 0 : replyMatches(context, record);
    reply.endDeferredArray(start, found);
  }
}

/** Reads the options into `search`. False when they are wrong and the error is replied. */
function parseSearch(context: CommandContext): boolean {
  const { arguments: request, options, reply } = context;
  search.rank = 1;
  search.isForward = true;
  search.count = -1;
  search.lengthMax = 0;
  options.begin(request, 3);
  while (options.hasMore) {
    if (options.takeWithArgument('RANK')) {
      const rank = context.signedCount(options.argument);
      if (Number.isNaN(rank)) return false;
      if (rank === 0) {
        reply.error(ERROR_RANK_ZERO);
        return false;
      }
      search.rank = Math.abs(rank);
      search.isForward = rank > 0;
    } else if (options.takeWithArgument('COUNT')) {
      search.count = notNegative(context, options.argument, ERROR_COUNT);
      if (Number.isNaN(search.count)) return false;
    } else if (options.takeWithArgument('MAXLEN')) {
      search.lengthMax = notNegative(context, options.argument, ERROR_LENGTH_MAX);
      if (Number.isNaN(search.lengthMax)) return false;
    } else {
      reply.error(ERROR_SYNTAX);
      return false;
    }
  }
  return true;
}

function notNegative(context: CommandContext, index: number, error: string): number {
  const value = context.integer(index, error);
  if (value >= 0 || Number.isNaN(value)) return value;
  context.reply.error(error);
  return NaN;
}

/** The index of the match that is wanted, or -1. */
function findFirst(context: CommandContext, record: RecordReference): number {
  const { listCursor: cursor } = context.types;
  startSearch(context, record);
  let matches = 0;
  for (let step = nextMatch(context, -1); step >= 0; step = nextMatch(context, step)) {
    if (++matches < search.rank) continue;
    cursor.end();
    return indexOfStep(context, record, step);
  }
  return -1;
}

/** Replies the index of each match that is wanted. Returns how many there are. */
function replyMatches(context: CommandContext, record: RecordReference): number {
  const { rank, count } = search;
  startSearch(context, record);
  let matches = 0;
  let replied = 0;
  for (let step = nextMatch(context, -1); step >= 0; step = nextMatch(context, step)) {
    if (++matches < rank) continue;
    context.reply.integer(indexOfStep(context, record, step));
    if (++replied === count) break;
  }
  context.types.listCursor.end();
  return replied;
}

function startSearch({ types }: CommandContext, record: RecordReference): void {
  types.listCursor.start(record, search.isForward ? 0 : -1, search.isForward);
}

/** Goes on behind element `step` of the walk to the next one that matches. Its number in the walk; -1: there is none. */
function nextMatch({ types, arguments: request }: CommandContext, step: number): number {
  const { listCursor: cursor } = types;
  const { bytes, offsets, lengths } = request;
  const end = search.lengthMax === 0 ? Number.MAX_SAFE_INTEGER : search.lengthMax;
  for (let i = step + 1; i < end && cursor.next(); i++) {
    if (cursor.equals(bytes, offsets[2], lengths[2])) return i;
  }
  cursor.end();
  return -1;
}

/** The index in the list of element `step` of the walk. */
function indexOfStep({ types }: CommandContext, record: RecordReference, step: number): number {
  return search.isForward ? step : types.lists.length(record) - 1 - step;
}
