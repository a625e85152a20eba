import {
  ENCODING_INT,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_LISTPACK_EX,
  type RecordReference,
  type Records,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STRING,
} from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { byteOffset, type Memory } from '../../memory/memory.js';
import { type ByteLength, NULL_REFERENCE, type Reference, SEGMENT_SHIFT } from '../../memory/reference.js';
import { INT64_DECIMAL_LENGTH_MAX, writeInt64FromWords } from '../../protocol/integers.js';
import { HashCursor } from '../../types/hash-cursor.js';
import { SetCursor } from '../../types/set-cursor.js';
import { SortedSetCursor } from '../../types/sorted-set-cursor.js';
import type { Types } from '../../types/types.js';
import {
  QUICKLIST_PACKED,
  QUICKLIST_PLAIN,
  RDB_HASH,
  RDB_HASH_LISTPACK,
  RDB_HASH_LISTPACK_EX,
  RDB_HASH_METADATA,
  RDB_LIST_QUICKLIST_2,
  RDB_SET,
  RDB_SET_INTSET,
  RDB_SET_LISTPACK,
  RDB_STRING,
  RDB_ZSET_2,
  RDB_ZSET_LISTPACK,
  type RdbType,
} from './format.js';
import type { RdbOutput } from './output.js';

/**
 * Writes the values of keys in the RDB format. What is a listpack or intset in memory is written as it is; only tables
 * and skiplists are written element by element.
 */
export class ValueWriter {
  private readonly types: Types;
  private readonly records: Records;
  private readonly memory: Memory;
  private readonly digits = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);
  // Cursors of its own: commands may be in the middle of a walk.
  private readonly hashCursor: HashCursor;
  private readonly setCursor: SetCursor;
  private readonly sortedSetCursor: SortedSetCursor;

  constructor(types: Types) {
    this.types = types;
    this.records = types.hashes.records;
    this.memory = types.hashes.records.memory;
    this.hashCursor = new HashCursor(types.hashes);
    this.setCursor = new SetCursor(types.sets);
    this.sortedSetCursor = new SortedSetCursor(types.sortedSets, types.listpacks);
  }

  /** The RDB type in which a record's value is written. */
  rdbType(record: RecordReference): RdbType {
    const encoding = this.records.encoding(record);
    switch (this.records.type(record)) {
      case TYPE_STRING:
        return RDB_STRING;
      case TYPE_LIST:
        return RDB_LIST_QUICKLIST_2;
      case TYPE_SET:
        if (encoding === ENCODING_INTSET) return RDB_SET_INTSET;
        return encoding === ENCODING_LISTPACK ? RDB_SET_LISTPACK : RDB_SET;
      case TYPE_SORTED_SET:
        return encoding === ENCODING_LISTPACK ? RDB_ZSET_LISTPACK : RDB_ZSET_2;
      case TYPE_HASH:
        if (encoding === ENCODING_LISTPACK) return RDB_HASH_LISTPACK;
        if (encoding === ENCODING_LISTPACK_EX) return RDB_HASH_LISTPACK_EX;
        return this.types.hashes.keyspace.fieldDeadline(record) === NO_DEADLINE
          ? RDB_HASH
          : RDB_HASH_METADATA;
      default:
        throw new Error(`there is no RDB type for value type ${this.records.type(record)}`);
    }
  }

  /** Writes the value, without its type. */
  write(record: RecordReference, output: RdbOutput): void {
    const { types, records } = this;
    switch (this.rdbType(record)) {
      case RDB_STRING:
        this.writeString(record, output);
        break;
      case RDB_LIST_QUICKLIST_2:
        this.writeList(record, output);
        break;
      case RDB_SET_INTSET:
        this.block(records.slot(record), types.sets.intsets.byteLength(records.slot(record)), output);
        break;
      case RDB_HASH_LISTPACK_EX:
        output.milliseconds(this.firstFieldDeadline(record));
        this.listpack(records.slot(record), output);
        break;
      case RDB_SET_LISTPACK:
      case RDB_ZSET_LISTPACK:
      case RDB_HASH_LISTPACK:
        this.listpack(records.slot(record), output);
        break;
      case RDB_SET:
        this.writeSet(record, output);
        break;
      case RDB_ZSET_2:
        this.writeSortedSet(record, output);
        break;
      default:
        this.writeHash(record, output);
    }
  }

  /** Without `Strings.read`: a command may hold what that has read. */
  private writeString(record: RecordReference, output: RdbOutput): void {
    const { records, memory, digits } = this;
    if (!records.hasSlot(record)) {
      const bytes = memory.bytes[record >>> SEGMENT_SHIFT];
      output.string(bytes, records.embeddedOffset(record), records.embeddedLength(record));
    } else if (records.encoding(record) === ENCODING_INT) {
      const length = writeInt64FromWords(digits, 0, records.slot(record), records.slotExtra(record));
      output.string(digits, 0, length);
    } else {
      this.block(records.slot(record), records.slotExtra(record), output);
    }
  }

  private writeList(record: RecordReference, output: RdbOutput): void {
    const { lists } = this.types;
    const list = this.records.slot(record);
    if (lists.isListpack(record)) {
      output.length(1);
      output.length(QUICKLIST_PACKED);
      this.listpack(list, output);
      return;
    }
    const { nodes } = lists.quicklists;
    output.length(lists.quicklists.nodeCount(list));
    for (let node = lists.quicklists.head(list); node !== NULL_REFERENCE; node = nodes.next(node)) {
      output.length(nodes.isPlain(node) ? QUICKLIST_PLAIN : QUICKLIST_PACKED);
      const entry = nodes.entry(node);
      if (nodes.isCompressed(node)) {
        const bytes = this.memory.bytes[entry >>> SEGMENT_SHIFT];
        output.compressed(bytes, byteOffset(entry), nodes.storedLength(node), nodes.byteLength(node));
      } else {
        this.block(entry, nodes.byteLength(node), output);
      }
    }
  }

  private writeSet(record: RecordReference, output: RdbOutput): void {
    const { setCursor } = this;
    output.length(this.types.sets.count(record));
    setCursor.start(record);
    while (setCursor.next()) {
      const { element } = setCursor;
      element.spell();
      output.string(element.bytes, element.offset, element.length);
    }
  }

  /** From the highest score down, so that whoever loads it always inserts at the front. */
  private writeSortedSet(record: RecordReference, output: RdbOutput): void {
    const { sortedSetCursor: cursor } = this;
    const count = this.types.sortedSets.count(record);
    output.length(count);
    cursor.selectRanks(record, 0, count, true);
    while (cursor.next()) {
      output.string(cursor.bytes, cursor.offset, cursor.length);
      output.double(cursor.score);
    }
  }

  private writeHash(record: RecordReference, output: RdbOutput): void {
    const { hashCursor: cursor } = this;
    const firstMs = this.firstFieldDeadline(record);
    if (firstMs !== 0) output.milliseconds(firstMs);
    output.length(this.types.hashes.count(record));
    cursor.start(record);
    while (cursor.next()) {
      // Relative to the first, plus one: zero is a field without a deadline.
      if (firstMs !== 0) {
        output.length(cursor.deadlineMs === NO_DEADLINE ? 0 : cursor.deadlineMs - firstMs + 1);
      }
      cursor.readField();
      output.string(cursor.bytes, cursor.offset, cursor.length);
      cursor.readValue();
      output.string(cursor.bytes, cursor.offset, cursor.length);
    }
  }

  /** The earliest deadline of a hash's fields, 0 when none has one. */
  private firstFieldDeadline(record: RecordReference): number {
    const deadlineMs = this.types.hashes.keyspace.fieldDeadline(record);
    return deadlineMs === NO_DEADLINE ? 0 : deadlineMs;
  }

  private listpack(listpack: Reference, output: RdbOutput): void {
    this.block(listpack, this.types.listpacks.byteLength(listpack), output);
  }

  private block(block: Reference, length: ByteLength, output: RdbOutput): void {
    output.string(this.memory.bytes[block >>> SEGMENT_SHIFT], byteOffset(block), length);
  }
}
