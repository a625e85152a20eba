import type { ByteLength, Reference } from '../memory/reference.js';
import type { Database } from './database.js';
import type { Encoding, RecordReference } from './record.js';

/**
 * What the keyspace must be able to do with the value in a record's slot, whatever its type. One a type,
 * registered with `Keyspace.registerType`.
 */
export interface ValueOperations {
  /**
   * Frees up to about `budget` elements of a value that no record names any more.
   * Returns how much of the budget was used; the value is gone when it is below `budget`.
   */
  release(value: Reference, extra: number, encoding: Encoding, budget: number): number;
  /** How many pieces `release` has to free: a small value is freed at once, a large one in slices. */
  releaseEffort(value: Reference, extra: number, encoding: Encoding): number;
  /**
   * A copy of the value for another record. Returns its slot; the second word of the slot is the same.
   * @throws OutOfMemoryError, with nothing left over.
   */
  duplicate(value: Reference, extra: number, encoding: Encoding): Reference;
  /** The bytes that the value takes, from up to `samples` elements; 0: all of them. */
  memoryUsage(value: Reference, extra: number, encoding: Encoding, samples: number): ByteLength;
}

/** What the keyspace asks of the one type whose values have parts that expire by themselves: hashes. */
export interface FieldExpiry {
  /**
   * Removes up to `limit` fields that are past their deadline, and the hash with its last field. The record's
   * field deadline is right afterwards. Returns how many fields were removed.
   */
  expireFields(database: Database, record: RecordReference, limit: number): number;
}
