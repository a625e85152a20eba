/** GEOADD: a ZADD whose scores are geohashes. */
import { INT64_DECIMAL_LENGTH_MAX, writeInt64FromWords } from '../../protocol/integers.js';
import { type Command, keyAt } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { propagatedWord } from '../../server/propagated-words.js';
import { InterleavedBits, Place } from '../../structures/geohash.js';
import { addition } from '../sorted-sets/addition.js';
import { readPlace } from './place-arguments.js';

/** In small letters, as Redis propagates it from here. */
const ZADD = propagatedWord('zadd');

export const addingPlacesCommands: readonly Command[] = [
  {
    name: 'geoadd',
    summary: 'Add places to a geospatial index.',
    syntax: 'key [condition:(NX | XX)@6.2.0] [change:CH@6.2.0] data:{longitude latitude member}...',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['@geo'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '3.2.0',
    group: 'geo',
    complexity: 'O(log(N)) for each member, N members in the index',
    history: [['6.2.0', 'CH, NX and XX']],
    handler: addPlaces,
  },
];

const place = new Place();
const bits = new InterleavedBits();
const digits = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);

/** GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...] */
function addPlaces(context: CommandContext): void {
  const first = readOptions(context);
  const { pairs, addsOnly, updatesOnly } = addition;
  if (pairs === 0 || !Number.isInteger(pairs) || (addsOnly && updatesOnly)) {
    context.reply.error(ERROR_SYNTAX);
    return;
  }
  const { scores } = addition;
  scores.reserve(pairs);
  for (let pair = 0; pair < pairs; pair++) {
    if (!readPlace(context, first + 3 * pair, place)) return;
    place.encode(bits);
    scores.values[pair] = bits.plus(0);
  }
  const changes = addition.run(context);
  if (changes > 0 && context.propagation.isActive) propagateScores(context, first, pairs);
}

/** Has the addition do what the options say. Returns the argument that is the first longitude. */
function readOptions(context: CommandContext): number {
  const { options } = context;
  addition.reset();
  options.begin(context.arguments, 2);
  while (options.hasMore) {
    if (options.take('NX')) addition.addsOnly = true;
    else if (options.take('XX')) addition.updatesOnly = true;
    else if (options.take('CH')) addition.countsUpdates = true;
    else break;
  }
  const first = options.position;
  addition.firstMember = first + 2;
  addition.memberStep = 3;
  addition.pairs = (context.arguments.count - first) / 3;
  return first;
}

/** Propagates the ZADD that this was. The geohash of 180 degrees has more bits than a score, and is spelled in full. */
function propagateScores(context: CommandContext, first: number, pairs: number): void {
  const { arguments: call } = context;
  const command = context.propagateInstead(first + 2 * pairs);
  command.word(ZADD).arguments(call, 1, first);
  for (let pair = 0; pair < pairs; pair++) {
    const index = first + 3 * pair;
    readPlace(context, index, place);
    place.encode(bits);
    command.bytes(digits, 0, writeInt64FromWords(digits, 0, bits.low, bits.high));
    command.argument(call, index + 2);
  }
}
