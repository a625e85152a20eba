import {
  ENCODING_INT,
  type RecordReference,
  type Records,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STRING,
} from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { byteOffset } from '../../memory/memory.js';
import { type ByteLength, type ByteOffset, SEGMENT_SHIFT } from '../../memory/reference.js';
import { DOUBLE_LENGTH_MAX, writeShortestDouble } from '../../protocol/doubles.js';
import {
  INT64_DECIMAL_LENGTH_MAX,
  SAFE_INTEGER_DECIMAL_LENGTH_MAX,
  writeInt64FromWords,
  writeSafeInteger,
} from '../../protocol/integers.js';
import type { ListpackElement } from '../../structures/listpack-element.js';
import { HashCursor } from '../../types/hash-cursor.js';
import { ListCursor } from '../../types/list-cursor.js';
import { SetCursor } from '../../types/set-cursor.js';
import { SortedSetCursor } from '../../types/sorted-set-cursor.js';
import type { Types } from '../../types/types.js';
import type { SnapshotFileWriter } from '../background-rdb.js';
import { HeldOutput } from '../rdb/held-output.js';
import { type ByteSink, finishSlices, RdbOutput, type Slices, STRING_SLICE_BYTES } from '../rdb/output.js';
import { ValueWriter } from '../rdb/value-writer.js';

/** Elements of a list, set, sorted set or hash in one command, as Redis limits them. */
const ELEMENTS_PER_COMMAND = 64;

const CR = 0x0d;
const LF = 0x0a;
const ARRAY = 0x2a; // *
const BULK = 0x24; // $

const SELECT = word('SELECT');
const SET = word('SET');
const RPUSH = word('RPUSH');
const SADD = word('SADD');
const ZADD = word('ZADD');
const HMSET = word('HMSET');
const PEXPIREAT = word('PEXPIREAT');
const HPEXPIREAT = word('HPEXPIREAT');
const FIELDS = word('FIELDS');
const ONE = word('1');

function word(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/**
 * Writes keys as the commands that make them: the base of the append-only file with `aof-use-rdb-preamble no`.
 *
 *     SELECT 0 │ SET key value │ PEXPIREAT key time │ RPUSH list … 64 elements │ RPUSH list … the rest │ …
 */
export class CommandWriter implements SnapshotFileWriter {
  keyCount = 0;

  private readonly types: Types;
  private readonly records: Records;
  private readonly values: ValueWriter;
  private readonly output: RdbOutput;
  private readonly held: HeldOutput;
  /** Where commands go: `output`, or `held` while the commands of a key are being written in slices. */
  private target: RdbOutput;
  private database = -1;
  private readonly digits = new Uint8Array(Math.max(INT64_DECIMAL_LENGTH_MAX, DOUBLE_LENGTH_MAX));
  private readonly header = new Uint8Array(1 + SAFE_INTEGER_DECIMAL_LENGTH_MAX + 2);

  constructor(types: Types, sink: ByteSink) {
    this.types = types;
    this.records = types.hashes.records;
    this.values = new ValueWriter(types);
    this.output = new RdbOutput(sink, false);
    this.held = new HeldOutput(false);
    this.target = this.output;
  }

  get heldBytes(): ByteLength {
    return this.held.byteLength;
  }

  /** Writes the annotation that says when the file was begun: `aof-timestamp-enabled`. */
  annotate(second: number): void {
    const line = word(`#TS:${second}\r\n`);
    this.output.raw(line, 0, line.length);
  }

  isSliceable(record: RecordReference): boolean {
    return this.values.isSliceable(record);
  }

  isLarge(record: RecordReference): boolean {
    return this.values.isLarge(record);
  }

  write(database: number, record: RecordReference): void {
    const { target } = this;
    finishSlices(this.keepingElement(this.writeKey(database, record, target)));
    this.keyCount++;
  }

  *writeInSlices(database: number, record: RecordReference): Slices {
    this.target = this.held.output;
    yield* this.keepingElement(this.writeKey(database, record, this.output));
    this.target = this.output;
    this.keyCount++;
    this.held.release(this.output);
  }

  end(): undefined {
    this.output.flush();
  }

  /**
   * Leaves the element that listpacks are read into as it was after each slice: a key may have to be written in the
   * middle of a command that has just read one.
   */
  private *keepingElement(slices: Slices): Slices {
    const { element } = this.types.listpacks;
    for (;;) {
      const kept = new KeptElement(element);
      const isOver = slices.next().done === true;
      kept.restore(element);
      if (isOver) return;
      yield;
    }
  }

  private *writeKey(database: number, record: RecordReference, target: RdbOutput): Slices {
    const { records, types } = this;
    if (database !== this.database) {
      this.database = database;
      this.begin(target, 2, SELECT);
      this.integer(target, database);
    }
    switch (records.type(record)) {
      case TYPE_STRING:
        yield* this.writeString(record, target);
        break;
      case TYPE_LIST:
        yield* this.writeList(record, target);
        break;
      case TYPE_SET:
        yield* this.writeSet(record, target);
        break;
      case TYPE_SORTED_SET:
        yield* this.writeSortedSet(record, target);
        break;
      case TYPE_HASH:
        yield* this.writeHash(record, target);
        break;
      default:
        throw new Error(`there is no command that makes a value of type ${records.type(record)}`);
    }
    const deadlineMs = types.hashes.keyspace.deadline(record);
    if (deadlineMs === NO_DEADLINE) return;
    this.begin(target, 3, PEXPIREAT);
    this.key(target, record);
    this.integer(target, deadlineMs);
  }

  private *writeString(record: RecordReference, target: RdbOutput): Slices {
    const { records, digits } = this;
    this.begin(target, 3, SET);
    this.key(target, record);
    if (!records.hasSlot(record)) {
      const bytes = records.memory.bytes[record >>> SEGMENT_SHIFT];
      this.bulk(target, bytes, records.embeddedOffset(record), records.embeddedLength(record));
    } else if (records.encoding(record) === ENCODING_INT) {
      const length = writeInt64FromWords(digits, 0, records.slot(record), records.slotExtra(record));
      this.bulk(target, digits, 0, length);
    } else {
      const block = records.slot(record);
      const bytes = records.memory.bytes[block >>> SEGMENT_SHIFT];
      yield* this.longBulk(target, bytes, byteOffset(block), records.slotExtra(record));
    }
  }

  private *writeList(record: RecordReference, target: RdbOutput): Slices {
    const { lists } = this.types;
    const cursor = new ListCursor(lists);
    let left = lists.length(record);
    cursor.start(record, 0, true);
    for (let written = 0; cursor.next(); written++) {
      if (written % ELEMENTS_PER_COMMAND === 0) {
        if (written > 0) yield;
        this.beginBatch(target, RPUSH, record, left, 1);
        left -= ELEMENTS_PER_COMMAND;
      }
      cursor.read();
      this.element(target, lists.element);
    }
    cursor.end();
  }

  private *writeSet(record: RecordReference, target: RdbOutput): Slices {
    const { sets } = this.types;
    const cursor = new SetCursor(sets);
    let left = sets.count(record);
    cursor.start(record);
    for (let written = 0; cursor.next(); written++) {
      if (written % ELEMENTS_PER_COMMAND === 0) {
        if (written > 0) yield;
        this.beginBatch(target, SADD, record, left, 1);
        left -= ELEMENTS_PER_COMMAND;
      }
      this.element(target, cursor.element);
    }
  }

  private *writeSortedSet(record: RecordReference, target: RdbOutput): Slices {
    const { sortedSets, listpacks } = this.types;
    const cursor = new SortedSetCursor(sortedSets, listpacks);
    const count = sortedSets.count(record);
    let left = count;
    cursor.selectRanks(record, 0, count, false);
    for (let written = 0; cursor.next(); written++) {
      if (written % ELEMENTS_PER_COMMAND === 0) {
        if (written > 0) yield;
        this.beginBatch(target, ZADD, record, left, 2);
        left -= ELEMENTS_PER_COMMAND;
      }
      this.bulk(target, this.digits, 0, writeShortestDouble(this.digits, 0, cursor.score));
      this.bulk(target, cursor.bytes, cursor.offset, cursor.length);
    }
  }

  /** Fields with deadlines come one by one, each with its own, as Redis writes them. */
  private *writeHash(record: RecordReference, target: RdbOutput): Slices {
    const { hashes } = this.types;
    const cursor = new HashCursor(hashes);
    const isSingly = hashes.keyspace.fieldDeadline(record) !== NO_DEADLINE;
    let left = hashes.count(record);
    cursor.start(record);
    for (let written = 0; cursor.next(); written++) {
      if (written > 0 && written % ELEMENTS_PER_COMMAND === 0) yield;
      if (isSingly) {
        this.beginBatch(target, HMSET, record, 1, 2);
      } else if (written % ELEMENTS_PER_COMMAND === 0) {
        this.beginBatch(target, HMSET, record, left, 2);
        left -= ELEMENTS_PER_COMMAND;
      }
      cursor.readField();
      this.bulk(target, cursor.bytes, cursor.offset, cursor.length);
      cursor.readValue();
      this.bulk(target, cursor.bytes, cursor.offset, cursor.length);
      if (cursor.deadlineMs === NO_DEADLINE) continue;
      this.begin(target, 6, HPEXPIREAT);
      this.key(target, record);
      this.integer(target, cursor.deadlineMs);
      this.bulk(target, FIELDS, 0, FIELDS.length);
      this.bulk(target, ONE, 0, ONE.length);
      cursor.readField();
      this.bulk(target, cursor.bytes, cursor.offset, cursor.length);
    }
  }

  /** A command with a name and so many arguments, the name included. */
  private begin(target: RdbOutput, argumentCount: number, name: Uint8Array): void {
    this.line(target, ARRAY, argumentCount);
    this.bulk(target, name, 0, name.length);
  }

  /** A command with a key and as many of `left` elements, of some arguments each, as one may have. */
  private beginBatch(
    target: RdbOutput,
    name: Uint8Array,
    record: RecordReference,
    left: number,
    argumentsPerElement: number,
  ): void {
    this.begin(target, 2 + Math.min(left, ELEMENTS_PER_COMMAND) * argumentsPerElement, name);
    this.key(target, record);
  }

  private key(target: RdbOutput, record: RecordReference): void {
    const { records } = this;
    const bytes = records.memory.bytes[record >>> SEGMENT_SHIFT];
    this.bulk(target, bytes, records.keyOffset(record), records.keyLength(record));
  }

  private element(target: RdbOutput, element: ListpackElement): void {
    element.spell();
    this.bulk(target, element.bytes, element.offset, element.length);
  }

  private integer(target: RdbOutput, value: number): void {
    this.bulk(target, this.digits, 0, writeSafeInteger(this.digits, 0, value));
  }

  private bulk(target: RdbOutput, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.line(target, BULK, length);
    target.raw(bytes, offset, length);
    target.byte(CR);
    target.byte(LF);
  }

  /** The same with a pause after each slice. */
  private *longBulk(target: RdbOutput, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): Slices {
    this.line(target, BULK, length);
    for (let at = 0; at < length; at += STRING_SLICE_BYTES) {
      if (at > 0) yield;
      target.raw(bytes, offset + at, Math.min(STRING_SLICE_BYTES, length - at));
    }
    target.byte(CR);
    target.byte(LF);
  }

  /** A type byte, a number, CRLF. */
  private line(target: RdbOutput, type: number, value: number): void {
    const { header } = this;
    header[0] = type;
    const end = writeSafeInteger(header, 1, value);
    header[end] = CR;
    header[end + 1] = LF;
    target.raw(header, 0, end + 2);
  }
}

/** What an element said. */
class KeptElement {
  private readonly isInteger: boolean;
  private readonly low: number;
  private readonly high: number;
  private readonly bytes: Uint8Array;
  private readonly offset: ByteOffset;
  private readonly length: ByteLength;

  constructor(element: ListpackElement) {
    this.isInteger = element.isInteger;
    this.low = element.low;
    this.high = element.high;
    // An integer that was spelled lies in a buffer of the element's own.
    const isSpelled = element.bytes.length === INT64_DECIMAL_LENGTH_MAX;
    this.bytes = isSpelled ? element.bytes.slice() : element.bytes;
    this.offset = element.offset;
    this.length = element.length;
  }

  restore(element: ListpackElement): void {
    element.isInteger = this.isInteger;
    element.low = this.low;
    element.high = this.high;
    element.bytes = this.bytes;
    element.offset = this.offset;
    element.length = this.length;
  }
}
