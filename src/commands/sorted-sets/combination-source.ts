import type { RecordReference } from '../../keyspace/record.js';
import type { ByteLength, ByteOffset } from '../../memory/reference.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { NO_MEMBER } from '../../types/sorted-set.js';
import type { Types } from '../../types/types.js';

/**
 * A sorted set, or a set, whose members all have the score 1, that is combined with others; a key that is not there has
 * no members. It is walked with the cursors of the types, so only one source at a time.
 *
 *     source.start();
 *     while (source.next()) …  // source.bytes, offset, length, score
 */
export class CombinationSource {
  readonly record: RecordReference;
  readonly isSet: boolean;
  /** The number of members. */
  readonly count: number;
  /** What each score is multiplied by. */
  weight = 1;

  /** What the member that was read last is in, from `offset` on. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the member starts in `bytes`. */
  offset: ByteOffset = 0;
  /** The length of the member. */
  length: ByteLength = 0;
  /** The score of the member that was read last, or that `find` found. */
  score = 0;

  private readonly types: Types;

  constructor(types: Types, record: RecordReference, isSet: boolean) {
    this.types = types;
    this.record = record;
    this.isSet = isSet;
    if (record === NULL_REFERENCE) this.count = 0;
    else this.count = isSet ? types.sets.count(record) : types.sortedSets.count(record);
  }

  /** Begins a walk over the members; a sorted set is walked from its end, so that adding them goes in front. */
  start(): void {
    if (this.isSet) this.types.setCursor.start(this.record);
    else if (this.count > 0) this.types.sortedSetCursor.selectRanks(this.record, 0, this.count, true);
  }

  /** Reads the next member. False when there is none. */
  next(): boolean {
    if (this.isSet) return this.nextOfSet();
    const { sortedSetCursor: cursor } = this.types;
    if (this.count === 0 || !cursor.next()) return false;
    this.bytes = cursor.bytes;
    this.offset = cursor.offset;
    this.length = cursor.length;
    this.score = cursor.score;
    return true;
  }

  /** Finds a member; its score is in `score` then. */
  find(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    if (this.count === 0) return false;
    const { sets, sortedSets } = this.types;
    if (this.isSet) {
      this.score = 1;
      return sets.has(this.record, bytes, offset, length);
    }
    const member = sortedSets.find(this.record, bytes, offset, length);
    if (member === NO_MEMBER) return false;
    this.score = sortedSets.score(this.record, member);
    return true;
  }

  private nextOfSet(): boolean {
    const { setCursor: cursor } = this.types;
    if (!cursor.next()) return false;
    const { element } = cursor;
    element.spell();
    this.bytes = element.bytes;
    this.offset = element.offset;
    this.length = element.length;
    this.score = 1;
    return true;
  }
}
