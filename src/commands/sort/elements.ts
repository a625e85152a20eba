/** What SORT sorts: the elements of a list, a set or a sorted set. */
import { type RecordReference, TYPE_LIST, TYPE_SET, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { Types } from '../../types/types.js';
import type { ByteStrings } from './byte-strings.js';

/** How elements of one type are counted and read. */
interface ElementSource {
  /** Whether elements have an order of their own. */
  readonly isOrdered: boolean;
  count(types: Types, record: RecordReference): number;
  /**
   * Appends the elements from index `start` to below `end`, counted in the order of reading, which begins at the last
   * one if `isReversed`. Those without an order are always read whole.
   */
  read(
    types: Types,
    record: RecordReference,
    start: number,
    end: number,
    isReversed: boolean,
    into: ByteStrings,
  ): void;
}

const listSource: ElementSource = {
  isOrdered: true,
  count: ({ lists }, record) => lists.length(record),
  read({ lists, listCursor: cursor }, record, start, end, isReversed, into) {
    if (start === end) return;
    const { element } = lists;
    cursor.start(record, isReversed ? -1 - start : start, !isReversed);
    try {
      for (let left = end - start; left > 0; left--) {
        cursor.next();
        cursor.read();
        element.spell();
        into.push(element.bytes, element.offset, element.length);
      }
    } finally {
      cursor.end();
    }
  },
};

const setSource: ElementSource = {
  isOrdered: false,
  count: ({ sets }, record) => sets.count(record),
  read({ setCursor: cursor }, record, _start, _end, _isReversed, into) {
    const { element } = cursor;
    cursor.start(record);
    while (cursor.next()) {
      element.spell();
      into.push(element.bytes, element.offset, element.length);
    }
  },
};

const sortedSetSource: ElementSource = {
  isOrdered: true,
  count: ({ sortedSets }, record) => sortedSets.count(record),
  read({ sortedSets, sortedSetCursor: cursor }, record, start, end, isReversed, into) {
    // Redis sorts skiplists only, and leaves the sorted set as one.
    sortedSets.expect(record, Number.POSITIVE_INFINITY);
    const count = sortedSets.count(record);
    cursor.selectRanks(
      record,
      isReversed ? count - end : start,
      isReversed ? count - start : end,
      isReversed,
    );
    while (cursor.next()) into.push(cursor.bytes, cursor.offset, cursor.length);
  },
};

/** For a key that is not there. */
const noSource: ElementSource = {
  isOrdered: true,
  count: () => 0,
  read: () => {},
};

/** How the elements of a record are read; undefined when it has a value that has no elements to sort. */
export function sourceOf({ sets }: Types, record: RecordReference): ElementSource | undefined {
  if (record === NULL_REFERENCE) return noSource;
  switch (sets.records.type(record)) {
    case TYPE_LIST:
      return listSource;
    case TYPE_SET:
      return setSource;
    case TYPE_SORTED_SET:
      return sortedSetSource;
    default:
      return undefined;
  }
}
