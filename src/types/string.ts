import type { Database } from '../keyspace/database.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import {
  EMBEDDED_BYTES_MAX,
  ENCODING_EMBSTR,
  ENCODING_INT,
  ENCODING_RAW,
  type Encoding,
  type RecordReference,
  type Records,
  TYPE_STRING,
} from '../keyspace/record.js';
import { KEEP_DEADLINE, NO_DEADLINE } from '../keyspace/record-store.js';
import type { ValueOperations } from '../keyspace/value-type.js';
import { copyBytes } from '../memory/bytes.js';
import { byteOffset, type Memory, OutOfMemoryError } from '../memory/memory.js';
import { type ByteLength, type ByteOffset, type Reference, SEGMENT_SHIFT } from '../memory/reference.js';
import {
  bigintFromWords,
  highWord,
  highWordOfBigint,
  INT64_DECIMAL_LENGTH_MAX,
  lowWord,
  lowWordOfBigint,
  parseInt64,
  parseInt64Words,
  parseSafeInteger,
  safeIntegerFromWords,
  writeInt64FromWords,
} from '../protocol/integers.js';
import type { TimestampMs } from '../structures/deadlines.js';

/** The longest string that Redis calls `embstr`. */
const EMBSTR_BYTES_MAX = 44;
/** The longest string: its length is an int32 in the slot. */
const LENGTH_MAX = 2 ** 31 - 1;
/** The most that a growing string gets beyond what it needs. */
const SPARE_BYTES_MAX = 1 << 20;

/**
 * Strings, in the three encodings of Redis:
 *
 *     int           an int64 in the record's slot
 *     embstr, raw   up to 255 bytes: in the record, behind the key
 *     raw           above: a block of its own; slot = its reference, slot's second word = the length
 *
 * `raw` is what a string is called that is longer than 44 bytes or that was changed in place.
 *
 * `read` tells where the bytes of a value are, without copying or allocating: in `bytes`, `offset`, `length`.
 */
export class Strings implements ValueOperations {
  /** Where the value that was read last is; valid until the next change of any data. */
  bytes: Uint8Array;
  offset: ByteOffset = 0;
  length: ByteLength = 0;

  /** The words of the integer that was parsed last. */
  low = 0;
  high = 0;

  private readonly keyspace: Keyspace;
  private readonly memory: Memory;
  private readonly records: Records;
  /** The digits of an integer that is read as bytes. */
  private readonly digits = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
    this.memory = keyspace.memory;
    this.records = keyspace.records;
    this.bytes = this.digits;
    keyspace.registerType(TYPE_STRING, this);
  }

  /** Points `bytes`, `offset` and `length` at a string's content. */
  read(record: RecordReference): void {
    const { records } = this;
    if (!records.hasSlot(record)) {
      this.bytes = this.memory.bytes[record >>> SEGMENT_SHIFT];
      this.offset = records.embeddedOffset(record);
      this.length = records.embeddedLength(record);
    } else if (records.encoding(record) === ENCODING_INT) {
      this.bytes = this.digits;
      this.offset = 0;
      this.length = writeInt64FromWords(this.digits, 0, records.slot(record), records.slotExtra(record));
    } else {
      const block = records.slot(record);
      this.bytes = this.memory.bytes[block >>> SEGMENT_SHIFT];
      this.offset = byteOffset(block);
      this.length = records.slotExtra(record);
    }
  }

  /** The length in bytes of a string as it is read. */
  byteLength(record: RecordReference): ByteLength {
    const { records } = this;
    if (!records.hasSlot(record)) return records.embeddedLength(record);
    if (records.encoding(record) !== ENCODING_INT) return records.slotExtra(record);
    this.read(record);
    return this.length;
  }

  /** The content of a string as a view that is valid until the next change of any data. Cold paths. */
  content(record: RecordReference): Uint8Array {
    this.read(record);
    const view = this.bytes.subarray(this.offset, this.offset + this.length);
    return this.bytes === this.digits ? view.slice() : view;
  }

  /**
   * A new string for a key that the database does not have, in the encoding that fits it.
   * @param deadlineMs positive, or negative for none
   * @throws OutOfMemoryError, and nothing is added.
   */
  add(
    database: Database,
    hash: number,
    key: Uint8Array,
    keyOffset: ByteOffset,
    keyLength: ByteLength,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    deadlineMs: TimestampMs,
  ): RecordReference {
    if (!this.parseAsInteger(source, offset, length)) {
      return this.addBytes(
        database,
        hash,
        key,
        keyOffset,
        keyLength,
        source,
        offset,
        length,
        encodingOf(length),
        deadlineMs,
      );
    }
    return this.keyspace.add(
      database,
      hash,
      key,
      keyOffset,
      keyLength,
      TYPE_STRING,
      ENCODING_INT,
      this.low,
      this.high,
      deadlineMs,
    );
  }

  /** The same in the encoding `embstr` or `raw` as told, even of an integer. */
  addBytes(
    database: Database,
    hash: number,
    key: Uint8Array,
    keyOffset: ByteOffset,
    keyLength: ByteLength,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    encoding: Encoding,
    deadlineMs: TimestampMs,
  ): RecordReference {
    const { keyspace } = this;
    if (length <= EMBEDDED_BYTES_MAX) {
      const record = keyspace.addEmbedded(
        database,
        hash,
        key,
        keyOffset,
        keyLength,
        TYPE_STRING,
        encoding,
        length,
        deadlineMs,
      );
      this.fillEmbedded(record, source, offset, length);
      return record;
    }
    const block = this.newBlock(source, offset, length);
    try {
      return keyspace.add(
        database,
        hash,
        key,
        keyOffset,
        keyLength,
        TYPE_STRING,
        ENCODING_RAW,
        block,
        length,
        deadlineMs,
      );
    } catch (error) {
      this.memory.free(block);
      throw error;
    }
  }

  /**
   * A new string of `length` zero bytes, to be written to: as after `resize`.
   * @throws OutOfMemoryError, and nothing is added.
   */
  addZeros(
    database: Database,
    hash: number,
    key: Uint8Array,
    keyOffset: ByteOffset,
    keyLength: ByteLength,
    length: ByteLength,
  ): RecordReference {
    const { digits } = this;
    const record = this.addBytes(
      database,
      hash,
      key,
      keyOffset,
      keyLength,
      digits,
      0,
      0,
      ENCODING_RAW,
      NO_DEADLINE,
    );
    try {
      return this.resize(database, record, length);
    } catch (error) {
      this.keyspace.remove(database, record);
      throw error;
    }
  }

  /**
   * Puts a string in the place of whatever value the record has. Returns the record, perhaps moved.
   * @param deadlineMs positive, NO_DEADLINE or KEEP_DEADLINE
   * @throws OutOfMemoryError, and the record is as it was.
   */
  replace(
    database: Database,
    record: RecordReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    deadlineMs: TimestampMs,
  ): RecordReference {
    if (this.parseAsInteger(source, offset, length)) {
      return this.replaceSlot(database, record, ENCODING_INT, this.low, this.high, deadlineMs);
    }
    return this.replaceBytes(database, record, source, offset, length, deadlineMs);
  }

  /** The same in the encoding `embstr` or `raw` as told, even of an integer. */
  replaceBytes(
    database: Database,
    record: RecordReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    deadlineMs: TimestampMs,
    encoding: Encoding = encodingOf(length),
  ): RecordReference {
    if (length <= EMBEDDED_BYTES_MAX) {
      const { keyspace } = this;
      const moved = keyspace.reshape(database, record, TYPE_STRING, encoding, length, deadlineMs);
      this.fillEmbedded(moved, source, offset, length);
      return moved;
    }
    return this.replaceBlock(database, record, source, offset, length, deadlineMs);
  }

  /**
   * Puts other bytes, which are not in this memory, in the place of a string's. It is `raw` from now on and its deadline
   * stays; unlike after `resize`, it has no room to spare. Returns the record, perhaps moved.
   * @throws OutOfMemoryError, and the record is as it was.
   */
  overwrite(
    database: Database,
    record: RecordReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): RecordReference {
    const { keyspace, records, memory } = this;
    if (records.hasSlot(record) && records.encoding(record) !== ENCODING_INT) {
      const block = records.slot(record);
      if (length <= memory.blockBytes(block)) {
        copyBytes(source, offset, memory.bytes[block >>> SEGMENT_SHIFT], byteOffset(block), length);
        records.setSlotExtra(record, length);
        return record;
      }
    } else if (length <= EMBEDDED_BYTES_MAX) {
      const moved = keyspace.reshape(database, record, TYPE_STRING, ENCODING_RAW, length, KEEP_DEADLINE);
      this.fillEmbedded(moved, source, offset, length);
      return moved;
    }
    return this.replaceBlock(database, record, source, offset, length, KEEP_DEADLINE);
  }

  /**
   * A draft (keyspace/drafts.ts) of a `raw` string of `length` undefined bytes in a block of its own, to be written to.
   * @throws OutOfMemoryError
   */
  createDraft(length: ByteLength): RecordReference {
    const draft = this.keyspace.drafts.create(TYPE_STRING, ENCODING_RAW, this.memory.allocate(length));
    this.records.setSlotExtra(draft, length);
    return draft;
  }

  /** An integer's value when a double holds it exactly, NaN when not or when the string is no integer. */
  safeInteger(record: RecordReference): number {
    const { records } = this;
    if (records.encoding(record) === ENCODING_INT) {
      return safeIntegerFromWords(records.slot(record), records.slotExtra(record));
    }
    this.read(record);
    return parseSafeInteger(this.bytes, this.offset, this.length);
  }

  /** An integer's value, undefined when the string is none in 64 bits. Cold. */
  bigInteger(record: RecordReference): bigint | undefined {
    const { records } = this;
    if (records.encoding(record) === ENCODING_INT) {
      return bigintFromWords(records.slot(record), records.slotExtra(record));
    }
    this.read(record);
    return parseInt64(this.bytes, this.offset, this.length);
  }

  /**
   * Makes a string an integer; its deadline stays. Returns the record, perhaps moved.
   * @throws OutOfMemoryError, and the record is as it was.
   */
  setSafeInteger(database: Database, record: RecordReference, value: number): RecordReference {
    const { records } = this;
    if (records.encoding(record) === ENCODING_INT) {
      records.setSlot(record, lowWord(value));
      records.setSlotExtra(record, highWord(value));
      return record;
    }
    return this.replaceSlot(database, record, ENCODING_INT, lowWord(value), highWord(value), KEEP_DEADLINE);
  }

  /** The same for any 64-bit integer. Cold. */
  setBigInteger(database: Database, record: RecordReference, value: bigint): RecordReference {
    const low = lowWordOfBigint(value);
    return this.replaceSlot(database, record, ENCODING_INT, low, highWordOfBigint(value), KEEP_DEADLINE);
  }

  /**
   * Makes a string `length` bytes long, to be written to: its first bytes stay, new ones are zero, it is `raw`
   * from now on and its deadline stays. `bytes`, `offset` and `length` point at it afterwards. Returns the
   * record, perhaps moved.
   * @throws OutOfMemoryError, and the record is as it was.
   */
  resize(database: Database, record: RecordReference, length: ByteLength): RecordReference {
    const { records } = this;
    if (length > LENGTH_MAX) throw new OutOfMemoryError(`a string of ${length} bytes is too long`);
    if (records.hasSlot(record) && records.encoding(record) !== ENCODING_INT) {
      this.resizeBlock(record, length);
      this.read(record);
      return record;
    }
    this.read(record);
    const kept = Math.min(this.length, length);
    const resized =
      length <= EMBEDDED_BYTES_MAX
        ? this.resizeEmbedded(database, record, length, kept)
        : this.moveToBlock(database, record, length, kept);
    this.read(resized);
    this.bytes.fill(0, this.offset + kept, this.offset + length);
    return resized;
  }

  release(value: Reference): number {
    this.memory.free(value);
    return 1;
  }

  releaseEffort(): number {
    return 1;
  }

  duplicate(value: Reference, extra: number): Reference {
    const copy = this.memory.allocate(extra);
    this.memory.copyBlock(value, 0, copy, 0, extra);
    return copy;
  }

  memoryUsage(value: Reference): ByteLength {
    return this.memory.blockBytes(value);
  }

  /** Resizes a string that has a block of its own, which it keeps however short it gets. */
  private resizeBlock(record: RecordReference, length: ByteLength): void {
    const { records, memory } = this;
    let block = records.slot(record);
    const old = records.slotExtra(record);
    if (length > memory.blockBytes(block)) {
      block = memory.reallocate(block, old, length + Math.min(length, SPARE_BYTES_MAX));
      records.setSlot(record, block);
    }
    if (length > old) {
      const start = byteOffset(block);
      memory.bytes[block >>> SEGMENT_SHIFT].fill(0, start + old, start + length);
    }
    records.setSlotExtra(record, length);
  }

  /** Resizes a string that is in the record, before and after, with its first `kept` bytes. */
  private resizeEmbedded(
    database: Database,
    record: RecordReference,
    length: ByteLength,
    kept: ByteLength,
  ): RecordReference {
    const { keyspace, digits } = this;
    const fromDigits = this.bytes === digits;
    const keptInRecord = fromDigits ? 0 : kept;
    const raw = ENCODING_RAW;
    const moved = keyspace.reshape(database, record, TYPE_STRING, raw, length, KEEP_DEADLINE, keptInRecord);
    if (fromDigits) this.fillEmbedded(moved, digits, 0, kept);
    return moved;
  }

  /** Moves the first `kept` bytes of a string that was just read from the record to a block with spare room. */
  private moveToBlock(
    database: Database,
    record: RecordReference,
    length: ByteLength,
    kept: ByteLength,
  ): RecordReference {
    const { memory } = this;
    const block = memory.allocate(length + Math.min(length, SPARE_BYTES_MAX));
    copyBytes(this.bytes, this.offset, memory.bytes[block >>> SEGMENT_SHIFT], byteOffset(block), kept);
    try {
      return this.replaceSlot(database, record, ENCODING_RAW, block, length, KEEP_DEADLINE);
    } catch (error) {
      memory.free(block);
      throw error;
    }
  }

  private replaceSlot(
    database: Database,
    record: RecordReference,
    encoding: Encoding,
    value: number,
    extra: number,
    deadlineMs: TimestampMs,
  ): RecordReference {
    const moved = this.keyspace.reshape(database, record, TYPE_STRING, encoding, -1, deadlineMs);
    this.records.setSlot(moved, value);
    this.records.setSlotExtra(moved, extra);
    return moved;
  }

  /** Puts a block of its own, with a copy of the bytes, in the place of what a record has. */
  private replaceBlock(
    database: Database,
    record: RecordReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    deadlineMs: TimestampMs,
  ): RecordReference {
    const block = this.newBlock(source, offset, length);
    try {
      return this.replaceSlot(database, record, ENCODING_RAW, block, length, deadlineMs);
    } catch (error) {
      this.memory.free(block);
      throw error;
    }
  }

  private newBlock(source: Uint8Array, offset: ByteOffset, length: ByteLength): Reference {
    const block = this.memory.allocate(length);
    copyBytes(source, offset, this.memory.bytes[block >>> SEGMENT_SHIFT], byteOffset(block), length);
    return block;
  }

  private fillEmbedded(
    record: RecordReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    copyBytes(
      source,
      offset,
      this.memory.bytes[record >>> SEGMENT_SHIFT],
      this.records.embeddedOffset(record),
      length,
    );
  }

  /** Whether the bytes are an integer that would be printed as the same bytes; it is in `low` and `high` then. */
  private parseAsInteger(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    if (length > INT64_DECIMAL_LENGTH_MAX || length === 0) return false;
    const first = bytes[offset];
    if (first > 0x39 || (first < 0x30 && first !== 0x2d)) return false;
    return parseInt64Words(bytes, offset, length, this);
  }
}

/** The encoding of a string that is not an integer and was not changed in place. */
export function encodingOf(length: ByteLength): Encoding {
  return length <= EMBSTR_BYTES_MAX ? ENCODING_EMBSTR : ENCODING_RAW;
}
