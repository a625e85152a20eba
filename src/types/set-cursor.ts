import {
  ENCODING_HASHTABLE,
  ENCODING_LISTPACK,
  type Encoding,
  type RecordReference,
} from '../keyspace/record.js';
import { NULL_REFERENCE, type Reference, SEGMENT_SHIFT } from '../memory/reference.js';
import { ReferenceList } from '../memory/reference-list.js';
import type { ScanCursor } from '../structures/hashtable.js';
import { ListpackElement } from '../structures/listpack-element.js';
import { type ListpackPosition, NO_POSITION } from '../structures/listpack-reader.js';
import type { SetMemberHandle, Sets } from './set.js';

/**
 * Reads the members of a set one after the other, without allocation.
 *
 *     cursor.start(record);
 *     while (cursor.next()) {
 *       element.spell();
 *       reply.bulk(element.bytes, element.offset, element.length);
 *     }
 *
 * One instance serves one walk at a time, again and again. A walk is valid until the set changes; the element until
 * the next one is read.
 */
export class SetCursor {
  /** The member that was read last. An integer of an intset or a listpack has words; `spell` gives it bytes. */
  readonly element = new ListpackElement();
  /** Where it is. */
  member: SetMemberHandle = 0;

  private readonly sets: Sets;
  private record: RecordReference = NULL_REFERENCE;
  private encoding: Encoding = ENCODING_LISTPACK;
  private value: Reference = NULL_REFERENCE;
  /** The index or position of the next member of an intset or listpack; of a table's, the index in `entries`. */
  private upcoming = 0;
  /** How many members an intset has, or how many of a table's are in `entries`. */
  private end = 0;
  /** The members of a table that were met together, and where it goes on. */
  private readonly entries = new ReferenceList();
  private scanCursor: ScanCursor = 0;
  private hasMoreEntries = false;

  constructor(sets: Sets) {
    this.sets = sets;
  }

  /** Begins a walk over all members. */
  start(record: RecordReference): void {
    const { sets } = this;
    this.select(record);
    if (this.encoding === ENCODING_HASHTABLE) {
      this.upcoming = 0;
      this.end = 0;
      this.scanCursor = 0;
      this.hasMoreEntries = true;
    } else if (this.encoding === ENCODING_LISTPACK) {
      this.upcoming = sets.listpacks.first(this.value);
    } else {
      this.upcoming = 0;
      this.end = sets.intsets.length(this.value);
    }
  }

  /** Reads the next member. False when there is none. */
  next(): boolean {
    if (this.encoding === ENCODING_HASHTABLE) return this.nextEntry();
    const { sets } = this;
    const at = this.upcoming;
    if (this.encoding === ENCODING_LISTPACK) {
      if (at === NO_POSITION) return false;
      this.upcoming = sets.listpacks.next(this.value, at);
      this.readListpack(at);
      return true;
    }
    if (at === this.end) return false;
    this.upcoming = at + 1;
    this.readIntset(at);
    return true;
  }

  /**
   * Removes the member that was read last; the walk goes on behind it. Only of a set in an intset or listpack: the
   * members of a table change their order.
   */
  removeCurrent(): void {
    const { sets, record, member } = this;
    sets.removeMember(record, member);
    this.value = sets.records.slot(record);
    if (this.encoding === ENCODING_LISTPACK) {
      this.upcoming = sets.listpacks.entryAt(this.value, member);
    } else {
      this.upcoming = member;
      this.end--;
    }
  }

  /** Reads one member, given where it is, and ends the walk. */
  read(record: RecordReference, member: SetMemberHandle): void {
    this.select(record);
    if (this.encoding === ENCODING_HASHTABLE) this.readEntry(member);
    else if (this.encoding === ENCODING_LISTPACK) this.readListpack(member);
    else this.readIntset(member);
  }

  private select(record: RecordReference): void {
    const { records } = this.sets;
    this.record = record;
    this.encoding = records.encoding(record);
    this.value = records.slot(record);
  }

  private nextEntry(): boolean {
    while (this.upcoming === this.end) {
      if (!this.hasMoreEntries) return false;
      this.nextEntries();
    }
    this.readEntry(this.entries.items[this.upcoming++]);
    return true;
  }

  private nextEntries(): void {
    const { entries } = this;
    const { hashTable } = this.sets;
    entries.clear();
    this.scanCursor = hashTable.scan(this.value, this.scanCursor);
    // Copied: whoever works on another table during the walk scans that too.
    for (let i = 0; i < hashTable.scanned.count; i++) entries.push(hashTable.scanned.items[i]);
    this.hasMoreEntries = this.scanCursor !== 0;
    this.upcoming = 0;
    this.end = entries.count;
  }

  private readEntry(entry: Reference): void {
    const { hashTable, memory } = this.sets;
    const bytes = memory.bytes[entry >>> SEGMENT_SHIFT];
    this.member = entry;
    this.element.setBytes(bytes, hashTable.keyOffset(entry), hashTable.keyLength(entry));
  }

  private readListpack(position: ListpackPosition): void {
    const { listpacks } = this.sets;
    listpacks.read(this.value, position);
    const { element } = listpacks;
    this.member = position;
    if (element.isInteger) this.element.setInteger(element.low, element.high);
    else this.element.setBytes(element.bytes, element.offset, element.length);
  }

  private readIntset(index: number): void {
    const { intsets } = this.sets;
    intsets.read(this.value, index);
    this.member = index;
    this.element.setInteger(intsets.low, intsets.high);
  }
}
