import type { Drafts } from '../keyspace/drafts.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import {
  ENCODING_LISTPACK,
  ENCODING_SKIPLIST,
  type Encoding,
  type RecordReference,
  type Records,
  TYPE_SORTED_SET,
} from '../keyspace/record.js';
import type { ValueOperations } from '../keyspace/value-type.js';
import type { Memory } from '../memory/memory.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE, type Reference } from '../memory/reference.js';
import type { ReferenceList } from '../memory/reference-list.js';
import type { HashTable, ScanCursor, TableReference } from '../structures/hashtable.js';
import type { Listpacks } from '../structures/listpack.js';
import { LISTPACK_BYTES_MAX } from '../structures/listpack-encoding.js';
import { type ListpackReference, NO_POSITION } from '../structures/listpack-reader.js';
import { type Rank, Skiplist, type SkiplistReference } from '../structures/skiplist.js';
import { SkiplistRanges } from '../structures/skiplist-ranges.js';
import { SortedSetListpacks } from './sorted-set-listpack.js';
import { SortedSetListpackRanges } from './sorted-set-listpack-ranges.js';

/**
 * Where a member is in its sorted set: a position in a listpack, or a node of a skiplist. NO_MEMBER is none.
 * Valid until the set changes.
 */
export type MemberHandle = number;

/** The handle of no member. */
export const NO_MEMBER: MemberHandle = 0;

/** No set can have more members: references do not reach so far. V8 holds it without an object. */
export const MEMBERS_MAX = 2 ** 31 - 1;

/**
 * The sorted sets of a keyspace: in a listpack while they are small, then in a skiplist whose nodes a hash table finds
 * by member. A set becomes a skiplist when it grows past the limits, and stays one.
 *
 *     record ── slot ──▶ listpack
 *     record ── slot ──▶ skiplist ── owner's word ──▶ hash table ──▶ nodes of the skiplist
 *
 * All methods take the record of the key. Those that change a set leave it as it was when they throw.
 * Ranges are walked with a `SortedSetCursor`.
 */
export class SortedSets implements ValueOperations {
  /** `zset-max-listpack-entries`: a listpack has at most so many members. */
  listpackEntriesMax = 128;
  /** `zset-max-listpack-value`: a listpack has no longer members than this, in bytes. */
  listpackValueMax: ByteLength = 64;

  readonly records: Records;
  readonly skiplist: Skiplist;
  readonly ranges: SkiplistRanges;
  readonly listpack: SortedSetListpacks;
  readonly listpackRanges: SortedSetListpackRanges;
  private readonly memory: Memory;
  private readonly listpacks: Listpacks;
  private readonly hashTable: HashTable;
  private readonly drafts: Drafts;

  /** `seed`: see `Skiplist`. */
  constructor(keyspace: Keyspace, listpacks: Listpacks, seed: number) {
    this.records = keyspace.records;
    this.memory = keyspace.memory;
    this.hashTable = keyspace.hashTable.forOtherTables();
    this.drafts = keyspace.drafts;
    this.listpacks = listpacks;
    this.listpack = new SortedSetListpacks(this.memory, listpacks);
    this.listpackRanges = new SortedSetListpackRanges(listpacks, this.listpack);
    this.skiplist = new Skiplist(this.memory, seed);
    this.ranges = new SkiplistRanges(this.memory, this.skiplist);
    keyspace.registerType(TYPE_SORTED_SET, this);
  }

  /** The encoding for a new set that is about to get `count` members, the longest of `longest` bytes. */
  encodingFor(count: number, longest: ByteLength): Encoding {
    return count <= this.listpackEntriesMax && longest <= this.listpackValueMax
      ? ENCODING_LISTPACK
      : ENCODING_SKIPLIST;
  }

  /**
   * An empty set, for the slot of a record with this encoding.
   * @throws OutOfMemoryError
   */
  create(encoding: Encoding): Reference {
    return encoding === ENCODING_LISTPACK ? this.listpacks.create() : this.createSkiplist();
  }

  /**
   * An empty set in a draft, which see.
   * @throws OutOfMemoryError
   */
  createDraft(encoding: Encoding): RecordReference {
    return this.drafts.create(TYPE_SORTED_SET, encoding, this.create(encoding));
  }

  /** The number of members. */
  count(record: RecordReference): number {
    const value = this.records.slot(record);
    return this.isListpack(record) ? this.listpack.count(value) : this.skiplist.count(value);
  }

  /** Where a member is; NO_MEMBER when the set does not have it. */
  find(record: RecordReference, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): MemberHandle {
    const value = this.records.slot(record);
    if (this.isListpack(record)) return this.listpack.find(value, bytes, offset, length);
    const hash = this.hashTable.hash(bytes, offset, length);
    return this.hashTable.find(this.table(value), hash, bytes, offset, length);
  }

  /** The score of a member. */
  score(record: RecordReference, member: MemberHandle): number {
    return this.isListpack(record)
      ? this.listpack.score(this.records.slot(record), member)
      : this.skiplist.score(member);
  }

  /** How many members come before one. */
  rank(record: RecordReference, member: MemberHandle): Rank {
    const value = this.records.slot(record);
    return this.isListpack(record) ? this.listpack.rank(value, member) : this.skiplist.rank(value, member);
  }

  /** The member before which there are `rank` others; NO_MEMBER when there are not so many. */
  atRank(record: RecordReference, rank: Rank): MemberHandle {
    const value = this.records.slot(record);
    if (this.isListpack(record)) return this.listpack.positionAtRank(value, rank);
    const { skiplist } = this;
    if (rank === 0) return skiplist.first(value);
    return rank === skiplist.count(value) - 1 ? skiplist.last(value) : skiplist.nodeAtRank(value, rank);
  }

  /**
   * Adds a member that the set does not have. The score is not NaN.
   * @throws OutOfMemoryError
   */
  add(
    record: RecordReference,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const value = this.records.slot(record);
    if (!this.isListpack(record)) {
      this.addNode(value, score, bytes, offset, length);
    } else if (this.fitsListpack(value, length)) {
      this.records.setSlot(record, this.listpack.insert(value, score, bytes, offset, length));
    } else {
      const list = this.copyToSkiplist(value);
      try {
        this.addNode(list, score, bytes, offset, length);
      } catch (error) {
        this.releaseSkiplist(list);
        throw error;
      }
      this.replaceValue(record, list, ENCODING_SKIPLIST);
    }
  }

  /**
   * Gives a member another score, not NaN.
   * @throws OutOfMemoryError
   */
  update(record: RecordReference, member: MemberHandle, score: number): void {
    const { records } = this;
    const value = records.slot(record);
    if (this.isListpack(record)) records.setSlot(record, this.listpack.update(value, member, score));
    else this.skiplist.updateScore(value, member, score);
  }

  /** Removes a member. Whoever removes the last one removes the key. */
  remove(record: RecordReference, member: MemberHandle): void {
    const { records } = this;
    const value = records.slot(record);
    if (this.isListpack(record)) {
      records.setSlot(record, this.listpack.remove(value, member));
    } else {
      this.hashTable.remove(this.table(value), member);
      this.skiplist.remove(value, member);
    }
  }

  /**
   * Removes the members from rank `start` to below rank `end`, which is above `start`. To remove all of them, remove
   * the key: that is freed in slices.
   */
  removeRange(record: RecordReference, start: Rank, end: Rank): void {
    const { records, skiplist, hashTable } = this;
    const value = records.slot(record);
    if (this.isListpack(record)) {
      records.setSlot(record, this.listpack.removeRange(value, start, end));
      return;
    }
    if (end - start === 1) {
      this.remove(record, this.atRank(record, start));
      return;
    }
    const table = this.table(value);
    let node = skiplist.detachRange(value, start, end);
    while (node !== NULL_REFERENCE) {
      const next = skiplist.next(node);
      hashTable.remove(table, node);
      skiplist.free(node);
      node = next;
    }
  }

  /**
   * Says that so many members are about to be added, so that a set which will be too large for a listpack is converted
   * before they are.
   * @throws OutOfMemoryError
   */
  expect(record: RecordReference, added: number): void {
    if (!this.isListpack(record) || added <= this.listpackEntriesMax) return;
    this.replaceValue(record, this.copyToSkiplist(this.records.slot(record)), ENCODING_SKIPLIST);
  }

  /**
   * Makes a set that a command built, and is done with, a listpack if it is small enough for one.
   * @throws OutOfMemoryError
   */
  compact(record: RecordReference): void {
    if (this.isListpack(record)) return;
    const { skiplist } = this;
    const list = this.records.slot(record);
    if (skiplist.count(list) > this.listpackEntriesMax) return;
    let total = 0;
    for (let node = skiplist.first(list); node !== NULL_REFERENCE; node = skiplist.next(node)) {
      const length = skiplist.memberLength(node);
      if (length > this.listpackValueMax) return;
      total += length;
    }
    if (total <= LISTPACK_BYTES_MAX) this.convertToListpack(record);
  }

  /** A member picked at random, each with the same chance. The set must not be empty. */
  random(record: RecordReference): MemberHandle {
    const value = this.records.slot(record);
    if (!this.isListpack(record)) return this.hashTable.randomEntry(this.table(value), Math.random);
    return this.atRank(record, Math.floor(Math.random() * this.listpack.count(value)));
  }

  /**
   * One step of a ZSCAN. Adds to `found` the handles of the members that it meets: all of them for a listpack.
   * Returns the cursor of the next step, 0 at the end.
   */
  scan(record: RecordReference, cursor: ScanCursor, found: ReferenceList): ScanCursor {
    const value = this.records.slot(record);
    if (this.isListpack(record)) {
      const { listpack } = this;
      for (let at = listpack.first(value); at !== NO_POSITION; at = listpack.next(value, at)) found.push(at);
      return 0;
    }
    const { hashTable } = this;
    const next = hashTable.scan(this.table(value), cursor);
    for (let i = 0; i < hashTable.scanned.count; i++) found.push(hashTable.scanned.items[i]);
    return next;
  }

  /** Gives a record another value, whose encoding may be another too, and frees the one that it has. */
  replaceValue(record: RecordReference, value: Reference, encoding: Encoding): void {
    const { records } = this;
    this.release(records.slot(record), 0, records.encoding(record), Number.POSITIVE_INFINITY);
    records.setSlot(record, value);
    records.setEncoding(record, encoding);
  }

  /** Whether a set is kept in a listpack. */
  isListpack(record: RecordReference): boolean {
    return this.records.encoding(record) === ENCODING_LISTPACK;
  }

  /** See ValueOperations: the budget counts buckets of the table, and then members. */
  release(value: Reference, _extra: number, encoding: Encoding, budget: number): number {
    if (encoding === ENCODING_LISTPACK) {
      this.listpacks.free(value);
      return 0;
    }
    let used = 0;
    const table = this.table(value);
    if (table !== NULL_REFERENCE) {
      while (this.hashTable.releaseBucket(table)) if (++used >= budget) return used;
      this.skiplist.setOwner(value, NULL_REFERENCE);
    }
    return used + this.skiplist.freeStep(value, budget - used);
  }

  /** See ValueOperations. */
  releaseEffort(value: Reference, _extra: number, encoding: Encoding): number {
    return encoding === ENCODING_LISTPACK ? 1 : this.skiplist.count(value);
  }

  /** See ValueOperations. */
  duplicate(value: Reference, _extra: number, encoding: Encoding): Reference {
    if (encoding === ENCODING_LISTPACK) return this.listpacks.duplicate(value);
    const { skiplist } = this;
    const copy = this.createSkiplist();
    try {
      // From the last on, every node goes in front: that takes no search.
      for (let node = skiplist.last(value); node !== NULL_REFERENCE; node = skiplist.previous(node)) {
        const offset = skiplist.memberOffset(node);
        const length = skiplist.memberLength(node);
        this.addNode(copy, skiplist.score(node), skiplist.memberBytes(node), offset, length);
      }
    } catch (error) {
      this.releaseSkiplist(copy);
      throw error;
    }
    return copy;
  }

  /** See ValueOperations. */
  memoryUsage(value: Reference, _extra: number, encoding: Encoding, samples: number): ByteLength {
    const { memory, skiplist } = this;
    const own = memory.blockBytes(value);
    if (encoding === ENCODING_LISTPACK) return own;
    let sampled = 0;
    let sampledBytes = 0;
    let node = skiplist.first(value);
    while (node !== NULL_REFERENCE && (samples === 0 || sampled < samples)) {
      sampledBytes += memory.blockBytes(node);
      sampled++;
      node = skiplist.next(node);
    }
    const nodeBytes = sampled === 0 ? 0 : Math.round((sampledBytes / sampled) * skiplist.count(value));
    return own + this.hashTable.overheadBytes(this.table(value)) + nodeBytes;
  }

  /** The hash table that finds the nodes of a skiplist; NULL_REFERENCE once `release` has freed it. */
  private table(list: SkiplistReference): TableReference {
    return this.skiplist.owner(list);
  }

  private releaseSkiplist(list: SkiplistReference): void {
    this.release(list, 0, ENCODING_SKIPLIST, Number.POSITIVE_INFINITY);
  }

  private fitsListpack(listpack: ListpackReference, added: ByteLength): boolean {
    return (
      this.listpack.count(listpack) < this.listpackEntriesMax &&
      added <= this.listpackValueMax &&
      this.listpacks.isSafeToAdd(listpack, added)
    );
  }

  private createSkiplist(): SkiplistReference {
    const list = this.skiplist.create();
    try {
      this.skiplist.setOwner(list, this.hashTable.create());
    } catch (error) {
      this.memory.free(list);
      throw error;
    }
    return list;
  }

  private addNode(
    list: SkiplistReference,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const node = this.skiplist.insert(list, score, bytes, offset, length);
    try {
      this.hashTable.insert(this.table(list), this.hashTable.hash(bytes, offset, length), node);
    } catch (error) {
      this.skiplist.remove(list, node);
      throw error;
    }
  }

  private copyToSkiplist(value: ListpackReference): SkiplistReference {
    const { listpack, listpacks } = this;
    const list = this.createSkiplist();
    try {
      // From the last on, every node goes in front: that takes no search.
      for (let at = listpack.last(value); at !== NO_POSITION; at = listpack.previous(value, at)) {
        const score = listpack.score(value, at);
        listpacks.read(value, at);
        const { element } = listpacks;
        element.spell();
        this.addNode(list, score, element.bytes, element.offset, element.length);
      }
    } catch (error) {
      this.releaseSkiplist(list);
      throw error;
    }
    return list;
  }

  private convertToListpack(record: RecordReference): void {
    const { skiplist } = this;
    const list = this.records.slot(record);
    let value = this.listpacks.create();
    try {
      for (let node = skiplist.first(list); node !== NULL_REFERENCE; node = skiplist.next(node)) {
        const offset = skiplist.memberOffset(node);
        const length = skiplist.memberLength(node);
        value = this.listpack.append(value, skiplist.score(node), skiplist.memberBytes(node), offset, length);
      }
    } catch (error) {
      this.listpacks.free(value);
      throw error;
    }
    this.replaceValue(record, value, ENCODING_LISTPACK);
  }
}
