/** Commands that read places by the members that they belong to. */
import { type RecordReference, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { FOUR_DECIMALS_LENGTH_MAX, writeFourDecimals } from '../../protocol/fixed-point.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { GEOHASH_TEXT_LENGTH, Place, writeGeohashText } from '../../structures/geohash.js';
import { greatCircleDistance } from '../../structures/great-circle.js';
import { NO_MEMBER } from '../../types/sorted-set.js';
import { unitAt } from './place-arguments.js';

export const readingPlacesCommands: readonly Command[] = [
  {
    name: 'geodist',
    summary: 'The distance between two members.',
    syntax: 'key member1 member2 [unit:(M | KM | FT | MI)]',
    arity: -4,
    flags: ['readonly'],
    categories: ['@geo'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '3.2.0',
    group: 'geo',
    complexity: 'O(1)',
    handler: replyDistanceBetween,
  },
  {
    name: 'geohash',
    summary: 'The geohash strings of members.',
    syntax: 'key [member...]',
    arity: -2,
    flags: ['readonly'],
    categories: ['@geo'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '3.2.0',
    group: 'geo',
    complexity: 'O(1) for each member',
    handler: replyGeohashes,
  },
  {
    name: 'geopos',
    summary: 'The longitudes and latitudes of members.',
    syntax: 'key [member...]',
    arity: -2,
    flags: ['readonly'],
    categories: ['@geo'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '3.2.0',
    group: 'geo',
    complexity: 'O(1) for each member',
    handler: replyPlaces,
  },
];

const place = new Place();
const otherPlace = new Place();
const geohashText = new Uint8Array(GEOHASH_TEXT_LENGTH);
const distanceText = new Uint8Array(FOUR_DECIMALS_LENGTH_MAX);

/** Reads the place of the member in argument `index`. False when the sorted set does not have it, or is none. */
export function readPlaceOf(
  { arguments: call, types }: CommandContext,
  record: RecordReference,
  index: number,
  into: Place,
): boolean {
  if (record === NULL_REFERENCE) return false;
  const { sortedSets } = types;
  const member = sortedSets.find(record, call.bytes, call.offsets[index], call.lengths[index]);
  if (member === NO_MEMBER) return false;
  into.decode(sortedSets.score(record, member));
  return true;
}

/** A distance, in any unit, as a bulk string: in RESP3 too. */
export function replyDistance({ reply }: CommandContext, distance: number): void {
  reply.bulk(distanceText, 0, writeFourDecimals(distanceText, 0, distance));
}

/** The coordinates of a place. */
export function replyPlace({ reply }: CommandContext, { longitude, latitude }: Place): void {
  reply.arrayHeader(2);
  reply.double(longitude);
  reply.double(latitude);
}

/** GEODIST key member1 member2 [M | KM | FT | MI] */
function replyDistanceBetween(context: CommandContext): void {
  const { reply, arguments: call } = context;
  if (call.count > 5) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const unitMeters = call.count === 5 ? unitAt(context, 4) : 1;
  if (Number.isNaN(unitMeters)) return;
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  if (!readPlaceOf(context, record, 2, place) || !readPlaceOf(context, record, 3, otherPlace)) {
    reply.nullBulk();
    return;
  }
  const { longitude, latitude } = otherPlace;
  replyDistance(
    context,
    greatCircleDistance(place.longitude, place.latitude, longitude, latitude) / unitMeters,
  );
}

/** GEOHASH key [member ...] */
function replyGeohashes(context: CommandContext): void {
  const { reply, arguments: call } = context;
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  reply.arrayHeader(call.count - 2);
  for (let index = 2; index < call.count; index++) {
    if (!readPlaceOf(context, record, index, place)) {
      reply.nullBulk();
      continue;
    }
    writeGeohashText(geohashText, 0, place);
    reply.bulkBytes(geohashText);
  }
}

/** GEOPOS key [member ...] */
function replyPlaces(context: CommandContext): void {
  const { reply, arguments: call } = context;
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  reply.arrayHeader(call.count - 2);
  for (let index = 2; index < call.count; index++) {
    if (readPlaceOf(context, record, index, place)) replyPlace(context, place);
    else reply.nullArray();
  }
}
