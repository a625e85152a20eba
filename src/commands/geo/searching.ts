/** Commands that search for places: GEOSEARCH, and the GEORADIUS family that it replaces. */
import { type KeyEvent, keyEvent, NOTIFY_SORTED_SET } from '../../keyspace/events.js';
import { ENCODING_SKIPLIST, type RecordReference, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { Arguments } from '../../protocol/arguments.js';
import { type Command, keyAfter, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import type { KeyList } from '../../server/key-specs.js';
import { Place } from '../../structures/geohash.js';
import { removeDestination, storeResult } from '../stored-result.js';
import { FoundPlaces } from './found-places.js';
import { replyDistance, replyPlace } from './reading.js';
import { type SearchForm, SearchRequest } from './search-request.js';

const EVENT_GEOSEARCHSTORE = keyEvent(NOTIFY_SORTED_SET, 'geosearchstore');
const EVENT_GEORADIUSSTORE = keyEvent(NOTIFY_SORTED_SET, 'georadiusstore');

const GEOSEARCH: SearchForm = { source: 1, around: 'options', stores: 'never' };
const GEOSEARCHSTORE: SearchForm = { source: 2, around: 'options', stores: 'always' };
const GEORADIUS: SearchForm = { source: 1, around: 'place', stores: 'option' };
const GEORADIUS_READ_ONLY: SearchForm = { source: 1, around: 'place', stores: 'never' };
const GEORADIUS_BY_MEMBER: SearchForm = { source: 1, around: 'member', stores: 'option' };
const GEORADIUS_BY_MEMBER_READ_ONLY: SearchForm = { source: 1, around: 'member', stores: 'never' };

export const searchingPlacesCommands: readonly Command[] = [
  {
    name: 'geosearch',
    summary: 'The members inside a circle or a box.',
    syntax:
      'key from:(FROMMEMBER member | FROMLONLAT {longitude latitude}) by:(circle:{BYRADIUS radius unit:(M | KM | FT | MI)} | box:{BYBOX width height unit:(M | KM | FT | MI)}) [order:(ASC | DESC)] [count-block:{COUNT count [ANY]}] [WITHCOORD] [WITHDIST] [WITHHASH]',
    arity: -7,
    flags: ['readonly'],
    categories: ['@geo'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '6.2.0',
    group: 'geo',
    complexity: 'O(N+log(M)) for N members in the grid cells around the area, M inside it',
    history: [['7.0.0', 'units in capital letters']],
    handler: (context) => searchPlaces(context, GEOSEARCH),
  },
  {
    name: 'geosearchstore',
    summary: 'Store the members inside a circle or a box.',
    syntax:
      'destination source from:(FROMMEMBER member | FROMLONLAT {longitude latitude}) by:(circle:{BYRADIUS radius unit:(M | KM | FT | MI)} | box:{BYBOX width height unit:(M | KM | FT | MI)}) [order:(ASC | DESC)] [count-block:{COUNT count [ANY]}] [STOREDIST]',
    arity: -8,
    flags: ['write', 'denyoom'],
    categories: ['@geo'],
    keys: [keyAt(1, 'OW', 'update'), keyAt(2, 'RO', 'access')],
    since: '6.2.0',
    group: 'geo',
    complexity: 'O(N+log(M)) for N members in the grid cells around the area, M inside it',
    history: [['7.0.0', 'units in capital letters']],
    handler: (context) => searchPlaces(context, GEOSEARCHSTORE),
  },
  {
    name: 'georadius',
    summary: 'The members around a point, stored if asked to.',
    syntax:
      'key longitude latitude radius unit:(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:{COUNT count [ANY@6.2.0]}] [order:(ASC | DESC)] [store:(STORE storekey/key:key | STOREDIST storedistkey/key:key)]',
    arity: -6,
    flags: ['write', 'denyoom'],
    categories: ['@geo'],
    keys: [
      keyAt(1, 'RO', 'access'),
      keyAfter('STORE', 6, 'OW', 'update'),
      keyAfter('STOREDIST', 6, 'OW', 'update'),
    ],
    findKeys: findGeoradiusKeys,
    since: '3.2.0',
    group: 'geo',
    complexity: 'O(N+log(M)) for N members in the box around the circle, M in the index',
    history: [
      ['6.2.0', 'ANY with COUNT'],
      ['7.0.0', 'units in capital letters'],
    ],
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument',
    handler: (context) => searchPlaces(context, GEORADIUS),
  },
  {
    name: 'georadius_ro',
    summary: 'The members around a point.',
    syntax:
      'key longitude latitude radius unit:(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:{COUNT count [ANY@6.2.0]}] [order:(ASC | DESC)]',
    arity: -6,
    flags: ['readonly'],
    categories: ['@geo'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '3.2.10',
    group: 'geo',
    complexity: 'O(N+log(M)) for N members in the box around the circle, M in the index',
    history: [
      ['6.2.0', 'ANY with COUNT'],
      ['7.0.0', 'units in capital letters'],
    ],
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`GEOSEARCH` with the `BYRADIUS` argument',
    handler: (context) => searchPlaces(context, GEORADIUS_READ_ONLY),
  },
  {
    name: 'georadiusbymember',
    summary: 'The members around another member, stored if asked to.',
    syntax:
      'key member radius unit:(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:{COUNT count [ANY]}] [order:(ASC | DESC)] [store:(STORE storekey/key:key | STOREDIST storedistkey/key:key)]',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['@geo'],
    keys: [
      keyAt(1, 'RO', 'access'),
      keyAfter('STORE', 5, 'OW', 'update'),
      keyAfter('STOREDIST', 5, 'OW', 'update'),
    ],
    findKeys: findGeoradiusKeys,
    since: '3.2.0',
    group: 'geo',
    complexity: 'O(N+log(M)) for N members in the box around the circle, M in the index',
    history: [
      ['6.2.0', 'ANY with COUNT'],
      ['7.0.0', 'units in capital letters'],
    ],
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments',
    handler: (context) => searchPlaces(context, GEORADIUS_BY_MEMBER),
  },
  {
    name: 'georadiusbymember_ro',
    summary: 'The members around another member.',
    syntax:
      'key member radius unit:(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:{COUNT count [ANY]}] [order:(ASC | DESC)]',
    arity: -5,
    flags: ['readonly'],
    categories: ['@geo'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '3.2.10',
    group: 'geo',
    complexity: 'O(N+log(M)) for N members in the box around the circle, M in the index',
    history: [
      ['6.2.0', 'ANY with COUNT'],
      ['7.0.0', 'units in capital letters'],
    ],
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments',
    handler: (context) => searchPlaces(context, GEORADIUS_BY_MEMBER_READ_ONLY),
  },
];

const request = new SearchRequest();
const places = new FoundPlaces();
const place = new Place();

/** GEORADIUS and GEORADIUSBYMEMBER: the key, and that of the last STORE or STOREDIST. */
function findGeoradiusKeys(call: Arguments, found: KeyList): void {
  found.add(1, 0);
  let destination = 0;
  for (let index = 5; index + 1 < call.count; index++) {
    if (call.is(index, 'STORE') || call.is(index, 'STOREDIST')) destination = ++index;
  }
  if (destination > 0) found.add(destination, 0);
}

/**
 * GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit | BYBOX width height unit
 *   [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]
 * GEOSEARCHSTORE destination source … [STOREDIST]
 * GEORADIUS and GEORADIUS_RO key longitude latitude radius unit … [STORE key | STOREDIST key]
 * GEORADIUSBYMEMBER and GEORADIUSBYMEMBER_RO key member radius unit … [STORE key | STOREDIST key]
 */
function searchPlaces(context: CommandContext, form: SearchForm): void {
  const record = context.readTyped(form.source, TYPE_SORTED_SET);
  if (record === WRONG_TYPE || !request.read(context, form, record)) return;
  const { destination } = request;
  places.count = 0;
  if (record !== NULL_REFERENCE) places.search(context.types, record, request);
  if (destination === 0) {
    replyFound(context, record);
  } else if (places.count === 0) {
    removeDestination(context, destination);
  } else {
    const event = form.around === 'options' ? EVENT_GEOSEARCHSTORE : EVENT_GEORADIUSSTORE;
    storeFound(context, record, destination, event);
  }
}

/** An array of what was found: members, or arrays of a member and what else was asked for. */
function replyFound(context: CommandContext, record: RecordReference): void {
  const { reply, types } = context;
  const { sortedSetCursor: cursor } = types;
  const { withDistances, withHashes, withCoordinates, area } = request;
  const further = Number(withDistances) + Number(withHashes) + Number(withCoordinates);
  reply.arrayHeader(places.count);
  for (let i = 0; i < places.count; i++) {
    const index = places.order[i];
    const score = places.scores[index];
    cursor.read(record, places.members[index]);
    if (further > 0) reply.arrayHeader(further + 1);
    reply.bulk(cursor.bytes, cursor.offset, cursor.length);
    if (withDistances) replyDistance(context, places.distance(index) / area.unitMeters);
    if (withHashes) replyHash(context, score);
    if (withCoordinates) {
      place.decode(score);
      replyPlace(context, place);
    }
  }
}

/** A score as an integer. The geohashes of 180 degrees, and no others, are beyond 2^53. */
function replyHash({ reply }: CommandContext, score: number): void {
  const whole = Math.trunc(score);
  if (Number.isSafeInteger(whole)) reply.integer(whole);
  else reply.bigInteger(BigInt(whole));
}

function storeFound(
  context: CommandContext,
  record: RecordReference,
  destination: number,
  event: KeyEvent,
): void {
  const { sortedSets, sortedSetCursor: cursor } = context.types;
  const { storesDistances, area } = request;
  const { count } = places;
  const draft = sortedSets.createDraft(ENCODING_SKIPLIST);
  try {
    for (let i = 0; i < count; i++) {
      const index = places.order[i];
      const score = storesDistances ? places.scoredDistance(index) / area.unitMeters : places.scores[index];
      cursor.read(record, places.members[index]);
      sortedSets.add(draft, score, cursor.bytes, cursor.offset, cursor.length);
    }
    sortedSets.compact(draft);
  } catch (error) {
    context.keyspace.drafts.discard(draft);
    throw error;
  }
  storeResult(context, destination, draft, count, event, count);
}
