/** SORT and SORT_RO. */
import { keyEvent, NOTIFY_LIST } from '../../keyspace/events.js';
import { ENCODING_QUICKLIST, type RecordReference, TYPE_LIST } from '../../keyspace/record.js';
import type { Arguments } from '../../protocol/arguments.js';
import { type Command, keyAt } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_WRONG_TYPE } from '../../server/errors.js';
import { KEY_ACCESS, KEY_OVERWRITE, KEY_READ, KEY_UPDATE, type KeyList } from '../../server/key-specs.js';
import { storeResult } from '../stored-result.js';
import { ByteStrings } from './byte-strings.js';
import { sourceOf } from './elements.js';
import { sortedOrder } from './order.js';
import { SortRequest } from './request.js';

const EVENT_SORTSTORE = keyEvent(NOTIFY_LIST, 'sortstore');

export const sortCommands: readonly Command[] = [
  {
    name: 'sort',
    summary: 'Sort the elements of a list, set or sorted set, and store them if asked to.',
    syntax:
      'key [BY by-pattern/pattern:pattern#1] [LIMIT {offset count}] [GET... get-pattern/pattern:pattern#1] [order:(ASC | DESC)] [sorting:ALPHA] [STORE destination#2]',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['@set', '@sortedset', '@list', '@dangerous'],
    keys: [
      keyAt(1, 'RO', 'access'),
      {
        flags: ['RO', 'access'],
        begin: { unknown: true },
        find: { unknown: true },
        notes: 'BY and GET: the names are made from the elements that are sorted',
      },
      {
        flags: ['OW', 'update'],
        begin: { unknown: true },
        find: { unknown: true },
        notes: 'STORE: may stand anywhere among the options',
      },
    ],
    findKeys: findSortKeys,
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(N+M*log(M)) for N elements of which M are returned; O(N) unsorted',
    handler: (context) => sort(context, true),
  },
  {
    name: 'sort_ro',
    summary: 'Sort the elements of a list, set or sorted set.',
    syntax:
      'key [BY by-pattern/pattern:pattern#1] [LIMIT {offset count}] [GET... get-pattern/pattern:pattern#1] [order:(ASC | DESC)] [sorting:ALPHA]',
    arity: -2,
    flags: ['readonly'],
    categories: ['@set', '@sortedset', '@list', '@dangerous'],
    keys: [
      keyAt(1, 'RO', 'access'),
      {
        flags: ['RO', 'access'],
        begin: { unknown: true },
        find: { unknown: true },
        notes: 'BY and GET: the names are made from the elements that are sorted',
      },
    ],
    findKeys: findSortReadOnlyKeys,
    since: '7.0.0',
    group: 'generic',
    complexity: 'O(N+M*log(M)) for N elements of which M are returned; O(N) unsorted',
    handler: (context) => sort(context, false),
  },
];

/** SORT_RO: the keys made from BY and GET depend on the data, so only the first is known. */
function findSortReadOnlyKeys(_call: Arguments, found: KeyList): void {
  found.add(1, KEY_READ | KEY_ACCESS);
}

/** SORT: as SORT_RO, and the key of the last STORE. */
function findSortKeys(call: Arguments, found: KeyList): void {
  found.add(1, KEY_READ | KEY_ACCESS);
  let destination = 0;
  for (let index = 2; index < call.count; index++) {
    if (call.is(index, 'LIMIT')) index += 2;
    else if (call.is(index, 'GET') || call.is(index, 'BY')) index++;
    else if (call.is(index, 'STORE') && index + 1 < call.count) destination = index + 1;
  }
  if (destination > 0) found.add(destination, KEY_OVERWRITE | KEY_UPDATE);
}

/** The result of SORT: some of the elements, in order, each as itself or as what GET finds for it. */
class SortResult {
  private readonly request: SortRequest;
  private readonly elements: ByteStrings;
  /** The indexes of the elements, in order. */
  private readonly order: Int32Array;

  constructor(request: SortRequest, elements: ByteStrings, order: Int32Array) {
    this.request = request;
    this.elements = elements;
    this.order = order;
  }

  /** How many strings there are. */
  get count(): number {
    return this.order.length * Math.max(1, this.request.gets.length);
  }

  reply(context: CommandContext): void {
    const { reply } = context;
    const { bytes, offsets, lengths } = this.elements;
    const { gets } = this.request;
    reply.arrayHeader(this.count);
    for (const index of this.order) {
      if (gets.length === 0) reply.bulk(bytes, offsets[index], lengths[index]);
      for (const get of gets) {
        if (get.find(context, bytes, offsets[index], lengths[index])) {
          reply.bulk(get.bytes, get.offset, get.length);
        } else {
          reply.nullBulk();
        }
      }
    }
  }

  /** Adds the strings to a list; where GET finds nothing, an empty one. */
  addTo(context: CommandContext, list: RecordReference): void {
    const { lists } = context.types;
    const { bytes, offsets, lengths } = this.elements;
    const { gets } = this.request;
    for (const index of this.order) {
      if (gets.length === 0) lists.push(list, 'last', bytes, offsets[index], lengths[index]);
      for (const get of gets) {
        if (get.find(context, bytes, offsets[index], lengths[index])) {
          lists.push(list, 'last', get.bytes, get.offset, get.length);
        } else {
          lists.push(list, 'last', bytes, 0, 0);
        }
      }
    }
  }
}

/** SORT and SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA] [STORE destination] */
function sort(context: CommandContext, allowsStore: boolean): void {
  const request = SortRequest.read(context, allowsStore);
  if (request === undefined) return;
  const { types, reply } = context;
  const record = context.lookupRead(1);
  const source = sourceOf(types, record);
  if (source === undefined) {
    reply.error(ERROR_WRONG_TYPE);
    return;
  }
  if (!source.isOrdered) request.sortUnordered();
  const count = source.count(types, record);
  const start = Math.min(Math.max(request.limitOffset, 0), count);
  const end = request.limitCount < 0 ? count : Math.min(start + request.limitCount, count);
  const elements = new ByteStrings();
  let order: Int32Array | undefined;
  if (request.isUnsorted && source.isOrdered) {
    source.read(types, record, start, end, request.isDescending, elements);
    order = indexes(elements.count);
  } else {
    source.read(types, record, 0, count, false, elements);
    order = request.isUnsorted ? indexes(count) : sortedOrder(context, request, elements, start, end);
    order = order?.subarray(start, end);
  }
  if (order === undefined) return;
  const result = new SortResult(request, elements, order);
  if (request.destination === 0) result.reply(context);
  else storeSorted(context, request.destination, result);
}

function indexes(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => index);
}

function storeSorted(context: CommandContext, destination: number, result: SortResult): void {
  const { lists } = context.types;
  const { drafts } = context.keyspace;
  const draft = drafts.create(TYPE_LIST, ENCODING_QUICKLIST, lists.create(ENCODING_QUICKLIST));
  try {
    result.addTo(context, draft);
    lists.compact(draft, false);
  } catch (error) {
    drafts.discard(draft);
    throw error;
  }
  storeResult(context, destination, draft, result.count, EVENT_SORTSTORE, result.count);
}
