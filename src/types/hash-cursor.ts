import { ENCODING_HASHTABLE, ENCODING_LISTPACK_EX, type RecordReference } from '../keyspace/record.js';
import { NO_DEADLINE } from '../keyspace/record-store.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE, type Reference } from '../memory/reference.js';
import { ReferenceList } from '../memory/reference-list.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { ScanCursor } from '../structures/hashtable.js';
import { type ListpackPosition, NO_POSITION } from '../structures/listpack-reader.js';
import { type FieldHandle, type Hashes, NO_FIELD } from './hash.js';

/**
 * Reads the fields of a hash one after the other, without allocation, expired ones too.
 *
 *     cursor.start(record);
 *     while (cursor.next()) {
 *       if (cursor.isExpired) continue;
 *       cursor.readField();
 *       reply.bulk(cursor.bytes, cursor.offset, cursor.length);
 *       cursor.readValue();
 *       reply.bulk(cursor.bytes, cursor.offset, cursor.length);
 *     }
 *
 * One instance serves one walk at a time, again and again. A walk is valid until the hash changes; what was read, until
 * the next thing is.
 */
export class HashCursor {
  /** What was read last. */
  bytes: Uint8Array = new Uint8Array(0);
  offset: ByteOffset = 0;
  length: ByteLength = 0;
  /** When the field expires, or NO_DEADLINE. */
  deadlineMs: TimestampMs = NO_DEADLINE;

  private readonly hashes: Hashes;
  private isTable = false;
  private hasDeadlines = false;
  private hash: Reference = NULL_REFERENCE;
  /** The field: an entry of a table, or a position in a listpack. */
  private field: FieldHandle = NO_FIELD;
  /** In a listpack: where the value of the field is, and the next field. */
  private valueAt: ListpackPosition = NO_POSITION;
  private upcoming: ListpackPosition = NO_POSITION;
  /** In a table: the fields that were met together, the next one's index, and where it goes on. */
  private readonly entries = new ReferenceList();
  private index = 0;
  private scanCursor: ScanCursor = 0;
  private hasMoreEntries = false;

  constructor(hashes: Hashes) {
    this.hashes = hashes;
  }

  /** Begins a walk over all fields. */
  start(record: RecordReference): void {
    const { records, listpacks } = this.hashes;
    const encoding = records.encoding(record);
    this.hash = records.slot(record);
    this.isTable = encoding === ENCODING_HASHTABLE;
    this.hasDeadlines = encoding === ENCODING_LISTPACK_EX;
    this.deadlineMs = NO_DEADLINE;
    this.entries.clear();
    this.index = 0;
    this.scanCursor = 0;
    this.hasMoreEntries = true;
    if (!this.isTable) this.upcoming = listpacks.first(this.hash);
  }

  /** Goes to the next field. False when there is none. */
  next(): boolean {
    if (this.isTable) return this.nextEntry();
    const position = this.upcoming;
    if (position === NO_POSITION) return false;
    const { listpacks, small } = this.hashes;
    this.field = position;
    this.valueAt = listpacks.next(this.hash, position);
    let last = this.valueAt;
    if (this.hasDeadlines) {
      last = listpacks.next(this.hash, last);
      this.deadlineMs = small.readDeadline(this.hash, last);
    }
    this.upcoming = listpacks.next(this.hash, last);
    return true;
  }

  /** Whether the field is past its deadline, and to be hidden. */
  get isExpired(): boolean {
    return this.deadlineMs !== NO_DEADLINE && this.hashes.keyspace.isPast(this.deadlineMs);
  }

  /** Points `bytes`, `offset` and `length` at the name of the field. */
  readField(): void {
    if (!this.isTable) {
      this.readElement(this.field);
      return;
    }
    const { entries } = this.hashes.large;
    entries.locate(this.field);
    this.bytes = entries.bytes;
    this.offset = entries.offset;
    this.length = entries.length;
  }

  /** Points `bytes`, `offset` and `length` at its value. */
  readValue(): void {
    if (!this.isTable) {
      this.readElement(this.valueAt);
      return;
    }
    const { entries } = this.hashes.large;
    entries.locate(this.field);
    this.bytes = entries.valueBytes;
    this.offset = entries.valueOffset;
    this.length = entries.valueLength;
  }

  private nextEntry(): boolean {
    while (this.index === this.entries.count) {
      if (!this.hasMoreEntries) return false;
      this.nextEntries();
    }
    this.field = this.entries.items[this.index++];
    this.deadlineMs = this.hashes.large.entries.deadline(this.field);
    return true;
  }

  private nextEntries(): void {
    const { entries } = this;
    const { hashTable } = this.hashes;
    entries.clear();
    this.index = 0;
    this.scanCursor = hashTable.scan(this.hash, this.scanCursor);
    // Copied: whoever works on another table during the walk scans that too.
    for (let i = 0; i < hashTable.scanned.count; i++) entries.push(hashTable.scanned.items[i]);
    this.hasMoreEntries = this.scanCursor !== 0;
  }

  private readElement(position: ListpackPosition): void {
    const { listpacks } = this.hashes;
    listpacks.read(this.hash, position);
    const { element } = listpacks;
    element.spell();
    this.bytes = element.bytes;
    this.offset = element.offset;
    this.length = element.length;
  }
}
