import {
  ENCODING_INT,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_LISTPACK_EX,
  ENCODING_RAW,
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
import { finishSlices, type RdbOutput, type Slices, STRING_SLICE_BYTES } from './output.js';

/** Elements of a table or skiplist between two pauses. */
const ELEMENTS_PER_SLICE = 64;
/** A value that takes more memory takes longer to write than all clients should have to wait for. */
const LARGE_BYTES = 64 * 1024;
/** Elements that are looked at to estimate how many bytes all take. */
const SAMPLES = 5;

/**
 * Writes the values of keys in the RDB format. What is a listpack or intset in memory is written as it is; only tables
 * and skiplists are written element by element.
 */
export class ValueWriter {
  private readonly types: Types;
  private readonly records: Records;
  private readonly memory: Memory;
  private readonly digits = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);

  constructor(types: Types) {
    this.types = types;
    this.records = types.hashes.records;
    this.memory = types.hashes.records.memory;
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

  /**
   * Whether a value is worth being written in slices: one of many pieces, or one piece that is long. The others are
   * written in some microseconds.
   */
  isSliceable(record: RecordReference): boolean {
    const { records } = this;
    if (!records.hasSlot(record)) return false;
    switch (records.encoding(record)) {
      case ENCODING_INT:
        return false;
      case ENCODING_RAW:
        return records.slotExtra(record) > STRING_SLICE_BYTES;
      case ENCODING_INTSET:
        return this.types.sets.intsets.byteLength(records.slot(record)) > STRING_SLICE_BYTES;
      case ENCODING_LISTPACK:
      case ENCODING_LISTPACK_EX:
        return this.types.listpacks.byteLength(records.slot(record)) > STRING_SLICE_BYTES;
      default:
        return true;
    }
  }

  /** Whether writing a value is likely to take longer than half a millisecond. */
  isLarge(record: RecordReference): boolean {
    if (!this.isSliceable(record)) return false;
    const { records } = this;
    const operations = this.types.hashes.keyspace.operationsOf(records.type(record));
    const value = records.slot(record);
    const extra = records.slotExtra(record);
    return operations.memoryUsage(value, extra, records.encoding(record), SAMPLES) > LARGE_BYTES;
  }

  /** Writes the value, without its type. */
  write(record: RecordReference, output: RdbOutput): void {
    if (this.isSliceable(record)) finishSlices(this.writeInSlices(record, output));
    else if (this.records.type(record) === TYPE_STRING) this.writeString(record, output);
    else this.writeCompact(record, output);
  }

  /** The same for a value that is sliceable, with a pause after each slice. The value must not change meanwhile. */
  *writeInSlices(record: RecordReference, output: RdbOutput): Slices {
    const { records, types } = this;
    const value = records.slot(record);
    switch (this.rdbType(record)) {
      case RDB_STRING:
        yield* this.block(value, records.slotExtra(record), output);
        break;
      case RDB_LIST_QUICKLIST_2:
        yield* this.writeList(record, output);
        break;
      case RDB_SET_INTSET:
        yield* this.block(value, types.sets.intsets.byteLength(value), output);
        break;
      case RDB_HASH_LISTPACK_EX:
        output.milliseconds(this.firstFieldDeadline(record));
        yield* this.block(value, types.listpacks.byteLength(value), output);
        break;
      case RDB_SET_LISTPACK:
      case RDB_ZSET_LISTPACK:
      case RDB_HASH_LISTPACK:
        yield* this.block(value, types.listpacks.byteLength(value), output);
        break;
      case RDB_SET:
        yield* this.writeSet(record, output);
        break;
      case RDB_ZSET_2:
        yield* this.writeSortedSet(record, output);
        break;
      default:
        yield* this.writeHash(record, output);
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
      const block = records.slot(record);
      const bytes = this.memory.bytes[block >>> SEGMENT_SHIFT];
      output.string(bytes, byteOffset(block), records.slotExtra(record));
    }
  }

  /** A value that is one short block. */
  private writeCompact(record: RecordReference, output: RdbOutput): void {
    const { records, types } = this;
    const value = records.slot(record);
    const isIntset = records.encoding(record) === ENCODING_INTSET;
    if (records.type(record) === TYPE_LIST) {
      output.length(1);
      output.length(QUICKLIST_PACKED);
    } else if (records.encoding(record) === ENCODING_LISTPACK_EX) {
      output.milliseconds(this.firstFieldDeadline(record));
    }
    const length = isIntset ? types.sets.intsets.byteLength(value) : types.listpacks.byteLength(value);
    output.string(this.memory.bytes[value >>> SEGMENT_SHIFT], byteOffset(value), length);
  }

  private *writeList(record: RecordReference, output: RdbOutput): Slices {
    const { lists, listpacks } = this.types;
    const list = this.records.slot(record);
    if (lists.isListpack(record)) {
      output.length(1);
      output.length(QUICKLIST_PACKED);
      yield* this.block(list, listpacks.byteLength(list), output);
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
        yield* this.block(entry, nodes.byteLength(node), output);
      }
      yield;
    }
  }

  private *writeSet(record: RecordReference, output: RdbOutput): Slices {
    const cursor = new SetCursor(this.types.sets);
    const { element } = cursor;
    output.length(this.types.sets.count(record));
    cursor.start(record);
    for (let written = 1; cursor.next(); written++) {
      element.spell();
      if (element.length <= STRING_SLICE_BYTES) {
        output.string(element.bytes, element.offset, element.length);
      } else {
        yield* output.stringInSlices(element.bytes, element.offset, element.length);
      }
      if (written % ELEMENTS_PER_SLICE === 0) yield;
    }
  }

  /** From the highest score down, so that whoever loads it always inserts at the front. */
  private *writeSortedSet(record: RecordReference, output: RdbOutput): Slices {
    const cursor = new SortedSetCursor(this.types.sortedSets, this.types.listpacks);
    const count = this.types.sortedSets.count(record);
    output.length(count);
    cursor.selectRanks(record, 0, count, true);
    for (let written = 1; cursor.next(); written++) {
      if (cursor.length <= STRING_SLICE_BYTES) output.string(cursor.bytes, cursor.offset, cursor.length);
      else yield* output.stringInSlices(cursor.bytes, cursor.offset, cursor.length);
      output.double(cursor.score);
      if (written % ELEMENTS_PER_SLICE === 0) yield;
    }
  }

  private *writeHash(record: RecordReference, output: RdbOutput): Slices {
    const cursor = new HashCursor(this.types.hashes);
    const firstMs = this.firstFieldDeadline(record);
    if (firstMs !== 0) output.milliseconds(firstMs);
    output.length(this.types.hashes.count(record));
    cursor.start(record);
    for (let written = 1; cursor.next(); written++) {
      // Relative to the first, plus one: zero is a field without a deadline.
      if (firstMs !== 0) {
        output.length(cursor.deadlineMs === NO_DEADLINE ? 0 : cursor.deadlineMs - firstMs + 1);
      }
      cursor.readField();
      if (cursor.length <= STRING_SLICE_BYTES) output.string(cursor.bytes, cursor.offset, cursor.length);
      else yield* output.stringInSlices(cursor.bytes, cursor.offset, cursor.length);
      cursor.readValue();
      if (cursor.length <= STRING_SLICE_BYTES) output.string(cursor.bytes, cursor.offset, cursor.length);
      else yield* output.stringInSlices(cursor.bytes, cursor.offset, cursor.length);
      if (written % ELEMENTS_PER_SLICE === 0) yield;
    }
  }

  /** The earliest deadline of a hash's fields, 0 when none has one. */
  private firstFieldDeadline(record: RecordReference): number {
    const deadlineMs = this.types.hashes.keyspace.fieldDeadline(record);
    return deadlineMs === NO_DEADLINE ? 0 : deadlineMs;
  }

  private *block(block: Reference, length: ByteLength, output: RdbOutput): Slices {
    const bytes = this.memory.bytes[block >>> SEGMENT_SHIFT];
    if (length <= STRING_SLICE_BYTES) output.string(bytes, byteOffset(block), length);
    else yield* output.stringInSlices(bytes, byteOffset(block), length);
  }
}
