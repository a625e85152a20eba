/** Commands that add members to sorted sets and change their scores. */
import { type Command, keyAt } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_NOT_FLOAT, ERROR_SYNTAX } from '../../server/errors.js';
import { addition } from './addition.js';

const ERROR_NX_XX = 'ERR XX and NX options at the same time are not compatible';
const ERROR_GT_LT_NX = 'ERR GT, LT, and/or NX options at the same time are not compatible';
const ERROR_ONE_INCREMENT = 'ERR INCR option supports a single increment-element pair';

export const addingCommands: readonly Command[] = [
  {
    name: 'zadd',
    summary: 'Add members to a sorted set, or change their scores.',
    syntax:
      'key [condition:(NX | XX)@3.0.2] [comparison:(GT | LT)@6.2.0] [change:CH@3.0.2] [increment:INCR@3.0.2] data:{score member}...',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for each member, N members in the sorted set',
    history: [
      ['2.4.0', 'several members in one call'],
      ['3.0.2', 'XX, NX, CH and INCR'],
      ['6.2.0', 'GT and LT'],
    ],
    handler: (context) => addScores(context, false),
  },
  {
    name: 'zincrby',
    summary: 'Add to the score of a member.',
    syntax: 'key increment:integer member',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for N members in the sorted set',
    // Whoever calls a member of ZINCRBY "NX" gets what ZADD would say to it: Redis reads the arguments of both alike.
    handler: (context) => addScores(context, true),
  },
];

/**
 * ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]
 * ZINCRBY key increment member
 */
function addScores(context: CommandContext, increments: boolean): void {
  const first = readOptions(context, increments);
  const { pairs, scores } = addition;
  const error = mistake();
  if (error !== '') context.reply.error(error);
  else if (scores.read(context, first, 2, pairs, ERROR_NOT_FLOAT)) addition.run(context);
}

/** Has the addition do what the options say. Returns the argument that is the first score. */
function readOptions(context: CommandContext, increments: boolean): number {
  const { options } = context;
  addition.reset();
  addition.increments = increments;
  options.begin(context.arguments, 2);
  while (options.hasMore) {
    if (options.take('NX')) addition.addsOnly = true;
    else if (options.take('XX')) addition.updatesOnly = true;
    else if (options.take('CH')) addition.countsUpdates = true;
    else if (options.take('INCR')) addition.increments = true;
    else if (options.take('GT')) addition.raisesOnly = true;
    else if (options.take('LT')) addition.lowersOnly = true;
    else break;
  }
  const first = options.position;
  addition.firstMember = first + 1;
  addition.memberStep = 2;
  addition.pairs = (context.arguments.count - first) / 2;
  return first;
}

/** What is wrong with the options and the count of arguments: an error text, or ''. */
function mistake(): string {
  const { addsOnly, raisesOnly, lowersOnly, pairs } = addition;
  if (pairs === 0 || !Number.isInteger(pairs)) return ERROR_SYNTAX;
  if (addsOnly && addition.updatesOnly) return ERROR_NX_XX;
  if ((raisesOnly && addsOnly) || (lowersOnly && addsOnly) || (raisesOnly && lowersOnly)) {
    return ERROR_GT_LT_NX;
  }
  return addition.increments && pairs > 1 ? ERROR_ONE_INCREMENT : '';
}
