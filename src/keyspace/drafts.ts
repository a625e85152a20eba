import type { ByteLength, ByteOffset, Reference } from '../memory/reference.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { Database } from './database.js';
import { type Encoding, type RecordReference, Records, slotFlags, type ValueType } from './record.js';
import { NO_DEADLINE, type RecordStore } from './record-store.js';

/**
 * Values that commands build before they have a key, such as the result of SINTERSTORE. A draft is a record without a
 * key in no database, so that a type works on it as on any other. It ends with `store` or with `discard`.
 */
export class Drafts {
  private readonly keyspace: RecordStore;
  private readonly noKey = new Uint8Array(0);

  constructor(keyspace: RecordStore) {
    this.keyspace = keyspace;
  }

  /**
   * A draft that holds a value.
   * @throws OutOfMemoryError, and the value is freed.
   */
  create(type: ValueType, encoding: Encoding, value: Reference): RecordReference {
    const { records, memory } = this.keyspace;
    let draft: RecordReference;
    try {
      draft = memory.allocate(Records.byteLength(0, 0, slotFlags(type)));
    } catch (error) {
      this.keyspace.operationsOf(type).release(value, 0, encoding, Number.POSITIVE_INFINITY);
      throw error;
    }
    records.initialize(draft, type, encoding, slotFlags(type), this.noKey, 0, 0, 0);
    records.setSlot(draft, value);
    records.setSlotExtra(draft, 0);
    return draft;
  }

  /**
   * Makes the value of a draft that of a key, and ends the draft. `replaced` is the record that has the key, which
   * `lookupWrite` gave, or NULL_REFERENCE.
   * @param deadlineMs NO_DEADLINE or KEEP_DEADLINE
   * @throws OutOfMemoryError, and everything is as it was.
   */
  store(
    draft: RecordReference,
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    replaced: RecordReference,
    deadlineMs: TimestampMs = NO_DEADLINE,
  ): RecordReference {
    const { keyspace } = this;
    const { records, memory } = keyspace;
    const type = records.type(draft);
    const encoding = records.encoding(draft);
    const value = records.slot(draft);
    const extra = records.slotExtra(draft);
    let record: RecordReference;
    if (replaced === NULL_REFERENCE) {
      record = keyspace.add(database, hash, bytes, offset, length, type, encoding, value, extra);
    } else {
      record = keyspace.reshape(database, replaced, type, encoding, -1, deadlineMs);
      records.setSlot(record, value);
      records.setSlotExtra(record, extra);
    }
    memory.free(draft);
    return record;
  }

  /** Ends a draft and frees its value, a large one in slices. */
  discard(draft: RecordReference): void {
    this.keyspace.releaseValue(draft);
    this.keyspace.memory.free(draft);
  }
}
