import { NO_DEADLINE } from '../keyspace/record-store.js';
import { copyBytes } from '../memory/bytes.js';
import { byteOffset, Memory } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
  type WordOffset,
} from '../memory/reference.js';
import { ENTRY_DEADLINE, HEAP_POSITION } from '../structures/deadline-heap.js';
import type { TimestampMs } from '../structures/deadlines.js';
import { KEY_LENGTH_BYTE, KEY_OFFSET_BYTE, LONG_KEY } from '../structures/hashtable.js';

/** The block of a field of a large hash, with its value. */
export type EntryReference = Reference;

const FLAGS_BYTE: ByteOffset = 0;
const VALUE_LENGTH_BYTE: ByteOffset = 3;
const HEADER_BYTES: ByteLength = 4;
const DEADLINE_BYTES: ByteLength = 12;
const VALUE_SLOT_BYTES: ByteLength = 8;
/** The longest value that is kept in the entry itself. */
const EMBEDDED_BYTES_MAX: ByteLength = 255;

/** Flag: the position and the deadline are there. */
const HAS_DEADLINE = 1;
/** Flag: the value slot is there, and no value behind the field. */
const HAS_VALUE_BLOCK = 2;

/**
 * The fields of large hashes: entries of a hash table (hashtable.ts draws bytes 1 and 2) and, when they expire, of a
 * deadline heap (deadline-heap.ts draws words 1 to 3).
 *
 *     byte  0       1              2              3
 *     ┌───────┬──────────────┬──────────────┬──────────────┐
 *     │ flags │ field offset │ field length │ value length │
 *     │       │              │ or 255       │ if embedded  │
 *     └───────┴──────────────┴──────────────┴──────────────┘
 *     ┌────────────────────────────────────────────┐
 *     │ u32 heap position, float64 deadline        │  when HAS_DEADLINE; the deadline is -1 while there is none
 *     ├────────────────────────────────────────────┤
 *     │ reference of the value's block, u32 length │  when HAS_VALUE_BLOCK
 *     ├────────────────────────────────────────────┤
 *     │ u32 field length                           │  when the length byte is 255
 *     ├────────────────────────────────────────────┤
 *     │ field                                      │
 *     ├────────────────────────────────────────────┤
 *     │ value                                      │  when not HAS_VALUE_BLOCK: up to 255 bytes
 *     └────────────────────────────────────────────┘
 */
export class HashEntries {
  /** Where the field that `locate` was given is: in the array that its entry is in. */
  bytes: Uint8Array = new Uint8Array(0);
  offset: ByteOffset = 0;
  length: ByteLength = 0;
  /** Where its value is. */
  valueBytes: Uint8Array = this.bytes;
  valueOffset: ByteOffset = 0;
  valueLength: ByteLength = 0;

  private readonly memory: Memory;

  /** Entries in `memory`. */
  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** Finds out where the field and the value of an entry are. Valid until the entry changes. */
  locate(entry: EntryReference): void {
    const { memory } = this;
    const bytes = memory.bytes[entry >>> SEGMENT_SHIFT];
    const start = byteOffset(entry);
    const header = bytes[start + KEY_OFFSET_BYTE];
    const length = bytes[start + KEY_LENGTH_BYTE];
    this.bytes = bytes;
    this.offset = start + header;
    this.length = length === LONG_KEY ? memory.word(entry, (header >> 2) - 1) : length;
    if (this.hasValueBlock(entry)) {
      const block = this.valueBlock(entry);
      this.valueBytes = memory.bytes[block >>> SEGMENT_SHIFT];
      this.valueOffset = byteOffset(block);
      this.valueLength = memory.word(entry, this.slotWord(entry) + 1);
    } else {
      this.valueBytes = bytes;
      this.valueOffset = this.offset + this.length;
      this.valueLength = bytes[start + VALUE_LENGTH_BYTE];
    }
  }

  /** When the field expires, or NO_DEADLINE. */
  deadline(entry: EntryReference): TimestampMs {
    return this.hasDeadlineRoom(entry) ? this.memory.double(entry, ENTRY_DEADLINE) : NO_DEADLINE;
  }

  /** Whether there is room for a deadline. */
  hasDeadlineRoom(entry: EntryReference): boolean {
    return (this.memory.byte(entry, FLAGS_BYTE) & HAS_DEADLINE) !== 0;
  }

  /** Says that a field which has room for a deadline has none, and is in no heap. */
  clearDeadline(entry: EntryReference): void {
    this.memory.setDouble(entry, ENTRY_DEADLINE, NO_DEADLINE);
  }

  /** Bytes of the entry and its value. */
  byteLength(entry: EntryReference): ByteLength {
    const own = this.memory.blockBytes(entry);
    return this.hasValueBlock(entry) ? own + this.memory.blockBytes(this.valueBlock(entry)) : own;
  }

  /**
   * An entry without a deadline.
   * @throws OutOfMemoryError
   */
  create(
    field: Uint8Array,
    fieldOffset: ByteOffset,
    fieldLength: ByteLength,
    value: Uint8Array,
    valueOffset: ByteOffset,
    valueLength: ByteLength,
  ): EntryReference {
    const embedded = valueLength <= EMBEDDED_BYTES_MAX;
    const block = embedded ? NULL_REFERENCE : this.newValueBlock(value, valueOffset, valueLength);
    try {
      const flags = embedded ? 0 : HAS_VALUE_BLOCK;
      const entry = this.newEntry(flags, field, fieldOffset, fieldLength, block, valueLength);
      if (embedded) this.writeEmbedded(entry, fieldLength, value, valueOffset, valueLength);
      return entry;
    } catch (error) {
      if (!embedded) this.memory.free(block);
      throw error;
    }
  }

  /**
   * The entry with another value; its deadline and heap position stay. When what is returned is another entry, the old
   * one is only good for its field, and then for `freeMoved`.
   * @throws OutOfMemoryError, and the entry is as it was.
   */
  withValue(
    entry: EntryReference,
    value: Uint8Array,
    valueOffset: ByteOffset,
    valueLength: ByteLength,
  ): EntryReference {
    if (valueLength > EMBEDDED_BYTES_MAX) return this.withBlock(entry, value, valueOffset, valueLength);
    this.locate(entry);
    const fieldLength = this.length;
    const deadlineFlag = this.deadline(entry) === NO_DEADLINE ? 0 : HAS_DEADLINE;
    const size = headerBytes(deadlineFlag, fieldLength) + fieldLength + valueLength;
    const isSameShape = this.memory.byte(entry, FLAGS_BYTE) === deadlineFlag;
    if (isSameShape && Memory.roundedLength(size) === this.memory.blockBytes(entry)) {
      this.memory.setByte(entry, VALUE_LENGTH_BYTE, valueLength);
      this.writeEmbedded(entry, fieldLength, value, valueOffset, valueLength);
      return entry;
    }
    const moved = this.reshaped(entry, deadlineFlag, NULL_REFERENCE, valueLength);
    this.writeEmbedded(moved, fieldLength, value, valueOffset, valueLength);
    if (this.hasValueBlock(entry)) this.memory.free(this.valueBlock(entry));
    return moved;
  }

  /**
   * The entry with room for a deadline, NO_DEADLINE at first; as for `withValue`, perhaps another one.
   * @throws OutOfMemoryError, and the entry is as it was.
   */
  withDeadlineRoom(entry: EntryReference): EntryReference {
    if (this.hasDeadlineRoom(entry)) return entry;
    this.locate(entry);
    const { valueBytes, valueOffset, valueLength } = this;
    const hasBlock = this.hasValueBlock(entry);
    const block = hasBlock ? this.valueBlock(entry) : NULL_REFERENCE;
    const flags = HAS_DEADLINE | (hasBlock ? HAS_VALUE_BLOCK : 0);
    const moved = this.reshaped(entry, flags, block, valueLength);
    if (!hasBlock) this.writeEmbedded(moved, this.length, valueBytes, valueOffset, valueLength);
    return moved;
  }

  /** Frees an entry in whose place there is another one. */
  freeMoved(entry: EntryReference): void {
    this.memory.free(entry);
  }

  /** Frees an entry and its value. */
  free(entry: EntryReference): void {
    if (this.hasValueBlock(entry)) this.memory.free(this.valueBlock(entry));
    this.memory.free(entry);
  }

  private withBlock(
    entry: EntryReference,
    value: Uint8Array,
    valueOffset: ByteOffset,
    valueLength: ByteLength,
  ): EntryReference {
    const { memory } = this;
    const block = this.newValueBlock(value, valueOffset, valueLength);
    if (this.hasValueBlock(entry)) {
      memory.free(this.valueBlock(entry));
      this.setValueBlock(entry, block, valueLength);
      return entry;
    }
    const deadlineFlag = this.deadline(entry) === NO_DEADLINE ? 0 : HAS_DEADLINE;
    this.locate(entry);
    try {
      return this.reshaped(entry, deadlineFlag | HAS_VALUE_BLOCK, block, valueLength);
    } catch (error) {
      memory.free(block);
      throw error;
    }
  }

  /**
   * A new entry with the field, deadline and heap position of `entry`, which `locate` was given, and the value in
   * `block`; with NULL_REFERENCE the embedded value is the caller's to fill.
   */
  private reshaped(
    entry: EntryReference,
    flags: number,
    block: Reference,
    valueLength: ByteLength,
  ): EntryReference {
    const { memory } = this;
    const moved = this.newEntry(flags, this.bytes, this.offset, this.length, block, valueLength);
    if ((flags & HAS_DEADLINE) === 0) return moved;
    memory.setDouble(moved, ENTRY_DEADLINE, this.deadline(entry));
    if (this.hasDeadlineRoom(entry)) {
      memory.setWord(moved, HEAP_POSITION, memory.word(entry, HEAP_POSITION));
    }
    return moved;
  }

  /** A new entry, but for the deadline and an embedded value. */
  private newEntry(
    flags: number,
    field: Uint8Array,
    fieldOffset: ByteOffset,
    fieldLength: ByteLength,
    block: Reference,
    valueLength: ByteLength,
  ): EntryReference {
    const embedded = block === NULL_REFERENCE ? valueLength : 0;
    const header = headerBytes(flags, fieldLength);
    const entry = this.memory.allocate(header + fieldLength + embedded);
    const target = this.memory.bytes[entry >>> SEGMENT_SHIFT];
    const start = byteOffset(entry);
    target[start + FLAGS_BYTE] = flags;
    target[start + KEY_OFFSET_BYTE] = header;
    target[start + VALUE_LENGTH_BYTE] = embedded;
    if (fieldLength < LONG_KEY) {
      target[start + KEY_LENGTH_BYTE] = fieldLength;
    } else {
      target[start + KEY_LENGTH_BYTE] = LONG_KEY;
      this.memory.setWord(entry, (header >> 2) - 1, fieldLength);
    }
    if (block !== NULL_REFERENCE) this.setValueBlock(entry, block, valueLength);
    copyBytes(field, fieldOffset, target, start + header, fieldLength);
    return entry;
  }

  private hasValueBlock(entry: EntryReference): boolean {
    return (this.memory.byte(entry, FLAGS_BYTE) & HAS_VALUE_BLOCK) !== 0;
  }

  private valueBlock(entry: EntryReference): Reference {
    return this.memory.word(entry, this.slotWord(entry));
  }

  private setValueBlock(entry: EntryReference, block: Reference, length: ByteLength): void {
    const word = this.slotWord(entry);
    this.memory.setWord(entry, word, block);
    this.memory.setWord(entry, word + 1, length);
  }

  private slotWord(entry: EntryReference): WordOffset {
    return this.hasDeadlineRoom(entry) ? (HEADER_BYTES + DEADLINE_BYTES) >> 2 : HEADER_BYTES >> 2;
  }

  private writeEmbedded(
    entry: EntryReference,
    fieldLength: ByteLength,
    value: Uint8Array,
    valueOffset: ByteOffset,
    length: ByteLength,
  ): void {
    const bytes = this.memory.bytes[entry >>> SEGMENT_SHIFT];
    const start = byteOffset(entry);
    copyBytes(value, valueOffset, bytes, start + bytes[start + KEY_OFFSET_BYTE] + fieldLength, length);
  }

  private newValueBlock(value: Uint8Array, valueOffset: ByteOffset, length: ByteLength): Reference {
    const block = this.memory.allocate(length);
    copyBytes(value, valueOffset, this.memory.bytes[block >>> SEGMENT_SHIFT], byteOffset(block), length);
    return block;
  }
}

/** Bytes before the field. */
function headerBytes(flags: number, fieldLength: ByteLength): ByteLength {
  let bytes = HEADER_BYTES;
  if ((flags & HAS_DEADLINE) !== 0) bytes += DEADLINE_BYTES;
  if ((flags & HAS_VALUE_BLOCK) !== 0) bytes += VALUE_SLOT_BYTES;
  return fieldLength < LONG_KEY ? bytes : bytes + 4;
}
