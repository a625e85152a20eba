import { byteOffset, type Memory, wordOffset } from '../memory/memory.js';
import { type ByteLength, type ByteOffset, type Reference, SEGMENT_SHIFT } from '../memory/reference.js';
import { KEY_LENGTH_BYTE, KEY_OFFSET_BYTE, LONG_KEY } from '../structures/hashtable.js';

/**
 * A key record: one block with the key and, when it is short, its value.
 *
 *     byte  0            1            2            3            4 5 6          7
 *     ┌───────────────┬────────────┬────────────┬────────────┬──────────────┬───────┐
 *     │ type,encoding │ key offset │ key length │ value      │ access       │ flags │
 *     │ (4 bits each) │            │ or 255     │ length     │ (LRU or LFU) │       │
 *     └───────────────┴────────────┴────────────┴────────────┴──────────────┴───────┘
 *     ┌──────────────────────────────┐
 *     │ deadline node, 16 bytes      │  when HAS_DEADLINE: a node of structures/deadlines.ts (unused when
 *     ├──────────────────────────────┤  only HAS_FIELD_DEADLINE, so that the one below is always in its place)
 *     │ value slot, 4 or 8 bytes     │  when HAS_SLOT: a reference; with HAS_WIDE_SLOT, also a word of its
 *     │                              │  owner's, or an int64; 8 bytes with HAS_FIELD_DEADLINE, too
 *     ├──────────────────────────────┤
 *     │ field deadline node, 16 bytes│  when HAS_FIELD_DEADLINE: the earliest deadline of the fields of a hash
 *     ├──────────────────────────────┤
 *     │ u32 key length               │  when the length byte is 255
 *     ├──────────────────────────────┤
 *     │ key                          │
 *     ├──────────────────────────────┤
 *     │ value                        │  when not HAS_SLOT: a string of `value length` bytes, at most 255
 *     └──────────────────────────────┘
 */
export type RecordReference = Reference;

/** What kind of value a key has: a TYPE_ constant. */
export type ValueType = number;

/** The types; the numbers are those of Redis's object types. */
export const TYPE_STRING: ValueType = 0;
export const TYPE_LIST: ValueType = 1;
export const TYPE_SET: ValueType = 2;
export const TYPE_SORTED_SET: ValueType = 3;
export const TYPE_HASH: ValueType = 4;
export const TYPE_STREAM: ValueType = 6;

/** The names that TYPE replies, by number. */
export const TYPE_NAMES: readonly string[] = ['string', 'list', 'set', 'zset', 'hash', 'module', 'stream'];

/** How a value is kept: an ENCODING_ constant. */
export type Encoding = number;

/** The encodings; the numbers are those of Redis's object encodings. */
export const ENCODING_RAW: Encoding = 0;
export const ENCODING_INT: Encoding = 1;
export const ENCODING_HASHTABLE: Encoding = 2;
export const ENCODING_INTSET: Encoding = 6;
export const ENCODING_SKIPLIST: Encoding = 7;
export const ENCODING_EMBSTR: Encoding = 8;
export const ENCODING_QUICKLIST: Encoding = 9;
export const ENCODING_STREAM: Encoding = 10;
export const ENCODING_LISTPACK: Encoding = 11;
export const ENCODING_LISTPACK_EX: Encoding = 12;

/** The names that OBJECT ENCODING replies, by number; the encodings that Redis no longer makes have none. */
export const ENCODING_NAMES: readonly string[] = [
  'raw',
  'int',
  'hashtable',
  '',
  '',
  '',
  'intset',
  'skiplist',
  'embstr',
  'quicklist',
  'stream',
  'listpack',
  'listpackex',
];

/** Bytes before whatever a record's flags say it has. */
export const RECORD_HEADER_BYTES = 8;
/** Bytes of the deadline node. */
export const DEADLINE_BYTES = 16;
/** Bytes of a value slot that is wide, or has to be as long as one. */
const SLOT_BYTES = 8;
/** Bytes of any other value slot. */
const NARROW_SLOT_BYTES = 4;
/** The longest string that is kept in the record itself. */
export const EMBEDDED_BYTES_MAX = 255;

/** Flag: the deadline node is there. */
export const HAS_DEADLINE = 1;
/** Flag: the value slot is there, and no value after the key. */
export const HAS_SLOT = 2;
/** Flag: the slot has a second word, as those of strings do. Only with HAS_SLOT. */
export const HAS_WIDE_SLOT = 8;
/** Flag: there is room for a field deadline. Only with HAS_SLOT. */
export const HAS_FIELD_DEADLINE = 4;
/** The bit of the flags byte that has nothing to do with the layout: the snapshot's phase, see `Records.phase`. */
const PHASE_BIT = 0x80;
/** Either flag says that there is a deadline node before the slot, used or not. */
const HAS_DEADLINE_ROOM = HAS_DEADLINE | HAS_FIELD_DEADLINE;

/** Where the field deadline node is, in units of 8 bytes: behind the header, the other node and the slot. */
const FIELD_DEADLINE_UNITS = (RECORD_HEADER_BYTES + DEADLINE_BYTES + SLOT_BYTES) >> 3;

const VALUE_LENGTH_BYTE: ByteOffset = 3;
const FLAGS_BYTE: ByteOffset = 7;
const ACCESS_WORD = 1;
const ACCESS_MASK = 0xffffff;

/** Reads and writes the parts of key records. Stateless but for the memory that the records are in. */
export class Records {
  readonly memory: Memory;
  /**
   * What a record that is new or has moved is marked with, 0 or PHASE_BIT. A snapshot that begins turns it over, so that
   * exactly the records that were there before do not have it, until they are written.
   */
  private phase = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  type(record: RecordReference): ValueType {
    return this.memory.byte(record, 0) >> 4;
  }

  encoding(record: RecordReference): Encoding {
    return this.memory.byte(record, 0) & 15;
  }

  /** Changes how the value is kept; the caller has put the other form in the slot. */
  setEncoding(record: RecordReference, encoding: Encoding): void {
    this.memory.setByte(record, 0, (this.memory.byte(record, 0) & 0xf0) | encoding);
  }

  hasDeadline(record: RecordReference): boolean {
    return (this.memory.byte(record, FLAGS_BYTE) & HAS_DEADLINE) !== 0;
  }

  hasSlot(record: RecordReference): boolean {
    return (this.memory.byte(record, FLAGS_BYTE) & HAS_SLOT) !== 0;
  }

  /** The HAS_ flags. */
  flags(record: RecordReference): number {
    return this.memory.byte(record, FLAGS_BYTE) & ~PHASE_BIT;
  }

  /** Begins a snapshot: every record is one to be written, until it is marked. */
  turnPhase(): void {
    this.phase ^= PHASE_BIT;
  }

  /** Whether a record was there when the snapshot began, and has not been written since. */
  isUnwritten(record: RecordReference): boolean {
    return (this.memory.byte(record, FLAGS_BYTE) & PHASE_BIT) !== this.phase;
  }

  /** Marks a record as written. */
  markWritten(record: RecordReference): void {
    this.memory.setByte(record, FLAGS_BYTE, this.flags(record) | this.phase);
  }

  /** The deadline node of a record that has one. */
  deadlineNode(record: RecordReference): Reference {
    return (record + 1) | 0;
  }

  /** The record that a deadline node is in. */
  recordOfNode(node: Reference): RecordReference {
    return (node - 1) | 0;
  }

  /** Whether there is room for the earliest deadline of a hash's fields. */
  hasFieldDeadline(record: RecordReference): boolean {
    return (this.memory.byte(record, FLAGS_BYTE) & HAS_FIELD_DEADLINE) !== 0;
  }

  /** The field deadline node of a record that has room for it. */
  fieldDeadlineNode(record: RecordReference): Reference {
    return (record + FIELD_DEADLINE_UNITS) | 0;
  }

  /** The record that a field deadline node is in. */
  recordOfFieldNode(node: Reference): RecordReference {
    return (node - FIELD_DEADLINE_UNITS) | 0;
  }

  /** The position of the value slot, in words of the record. */
  slotWord(record: RecordReference): number {
    const hasRoom = (this.memory.byte(record, FLAGS_BYTE) & HAS_DEADLINE_ROOM) !== 0;
    return hasRoom ? (RECORD_HEADER_BYTES + DEADLINE_BYTES) >> 2 : RECORD_HEADER_BYTES >> 2;
  }

  /** The first word of the value slot: the reference of the value, or the low half of an int64. */
  slot(record: RecordReference): Reference {
    return this.memory.word(record, this.slotWord(record));
  }

  /** The second word of the value slot: what the type makes of it, or the high half of an int64; 0 when narrow. */
  slotExtra(record: RecordReference): number {
    const isWide = (this.memory.byte(record, FLAGS_BYTE) & HAS_WIDE_SLOT) !== 0;
    return isWide ? this.memory.word(record, this.slotWord(record) + 1) : 0;
  }

  setSlot(record: RecordReference, value: Reference): void {
    this.memory.setWord(record, this.slotWord(record), value);
  }

  /** Sets the second word of the value slot, which must be 0 when there is none. */
  setSlotExtra(record: RecordReference, extra: number): void {
    if ((this.memory.byte(record, FLAGS_BYTE) & HAS_WIDE_SLOT) !== 0) {
      this.memory.setWord(record, this.slotWord(record) + 1, extra);
    } else if (extra !== 0) {
      throw new Error('a narrow slot has no second word');
    }
  }

  /** Where the key starts, as a position in `memory.bytes[record >>> SEGMENT_SHIFT]`. */
  keyOffset(record: RecordReference): ByteOffset {
    return byteOffset(record) + this.memory.byte(record, KEY_OFFSET_BYTE);
  }

  keyLength(record: RecordReference): ByteLength {
    const length = this.memory.byte(record, KEY_LENGTH_BYTE);
    return length === LONG_KEY ? this.longKeyLength(record) : length;
  }

  /** The key as a copy. Cold paths only. */
  key(record: RecordReference): Uint8Array {
    const offset = this.keyOffset(record);
    return this.memory.bytes[record >>> SEGMENT_SHIFT].slice(offset, offset + this.keyLength(record));
  }

  /** Where a value in the record itself starts, as a position in `memory.bytes[record >>> SEGMENT_SHIFT]`. */
  embeddedOffset(record: RecordReference): ByteOffset {
    return this.keyOffset(record) + this.keyLength(record);
  }

  embeddedLength(record: RecordReference): ByteLength {
    return this.memory.byte(record, VALUE_LENGTH_BYTE);
  }

  setEmbeddedLength(record: RecordReference, length: ByteLength): void {
    this.memory.setByte(record, VALUE_LENGTH_BYTE, length);
  }

  /** The 24 bits of eviction's record of access: seconds (LRU), or minutes and a counter (LFU). */
  access(record: RecordReference): number {
    return this.memory.word(record, ACCESS_WORD) & ACCESS_MASK;
  }

  setAccess(record: RecordReference, access: number): void {
    const words = this.memory.words[record >>> SEGMENT_SHIFT];
    const at = wordOffset(record) + ACCESS_WORD;
    words[at] = (words[at] & ~ACCESS_MASK) | access;
  }

  /** The bytes that a record needs for a key, a value of `embedded` bytes, and what `flags` say. */
  static byteLength(keyLength: ByteLength, embedded: ByteLength, flags: number): ByteLength {
    return headerBytes(keyLength, flags) + keyLength + embedded;
  }

  /**
   * Fills a fresh block with a header and a key. The slot or embedded value, the deadline node and the
   * access bits are the caller's to fill.
   */
  initialize(
    record: RecordReference,
    type: ValueType,
    encoding: Encoding,
    flags: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    embedded: ByteLength,
  ): void {
    const target = this.memory.bytes[record >>> SEGMENT_SHIFT];
    const start = byteOffset(record);
    const keyOffset = headerBytes(length, flags);
    target[start] = (type << 4) | encoding;
    target[start + KEY_OFFSET_BYTE] = keyOffset;
    target[start + VALUE_LENGTH_BYTE] = embedded;
    target[start + FLAGS_BYTE] = flags | this.phase;
    const key = start + keyOffset;
    if (length < LONG_KEY) {
      target[start + KEY_LENGTH_BYTE] = length;
    } else {
      target[start + KEY_LENGTH_BYTE] = LONG_KEY;
      this.memory.setWord(record, (keyOffset >> 2) - 1, length);
    }
    if (length <= 64) for (let i = 0; i < length; i++) target[key + i] = bytes[offset + i];
    else target.set(bytes.subarray(offset, offset + length), key);
  }

  private longKeyLength(record: RecordReference): ByteLength {
    return this.memory.word(record, (this.memory.byte(record, KEY_OFFSET_BYTE) >> 2) - 1);
  }
}

/** The flags of a record with a slot for a value of a type. */
export function slotFlags(type: ValueType): number {
  return type === TYPE_STRING ? HAS_SLOT | HAS_WIDE_SLOT : HAS_SLOT;
}

function headerBytes(keyLength: ByteLength, flags: number): ByteLength {
  let bytes = RECORD_HEADER_BYTES;
  if ((flags & HAS_DEADLINE_ROOM) !== 0) bytes += DEADLINE_BYTES;
  if ((flags & (HAS_WIDE_SLOT | HAS_FIELD_DEADLINE)) !== 0) bytes += SLOT_BYTES;
  else if ((flags & HAS_SLOT) !== 0) bytes += NARROW_SLOT_BYTES;
  if ((flags & HAS_FIELD_DEADLINE) !== 0) bytes += DEADLINE_BYTES;
  // Four bytes hold the length; those before them keep the words after a slot aligned.
  return keyLength < LONG_KEY ? bytes : bytes + 4;
}
