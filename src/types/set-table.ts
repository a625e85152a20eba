import { copyBytes } from '../memory/bytes.js';
import type { Memory } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
} from '../memory/reference.js';
import type { HashTable, TableReference } from '../structures/hashtable.js';
import { bareKeyBytes, writeBareKeyLength } from '../structures/hashtable-entry.js';

/** The block of a member: a bare key of structures/hashtable-entry.ts. */
export type MemberReference = Reference;

/** Large sets: hash tables of bare keys, whose blocks they own. */
export class SetTables {
  private readonly memory: Memory;
  private readonly hashTable: HashTable;

  constructor(memory: Memory, hashTable: HashTable) {
    this.memory = memory;
    this.hashTable = hashTable;
  }

  /** Whether a set has a member. */
  has(table: TableReference, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const { hashTable } = this;
    const hash = hashTable.hash(bytes, offset, length);
    return hashTable.find(table, hash, bytes, offset, length) !== NULL_REFERENCE;
  }

  /**
   * Adds a member. False when the set has it.
   * @throws OutOfMemoryError, and the set is as it was.
   */
  add(table: TableReference, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const { hashTable } = this;
    const hash = hashTable.hash(bytes, offset, length);
    if (hashTable.find(table, hash, bytes, offset, length) !== NULL_REFERENCE) return false;
    const member = this.newMember(bytes, offset, length);
    try {
      hashTable.insert(table, hash, member);
    } catch (error) {
      this.memory.free(member);
      throw error;
    }
    return true;
  }

  /** Removes a member. False when the set does not have it. */
  remove(table: TableReference, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const { hashTable } = this;
    const hash = hashTable.hash(bytes, offset, length);
    const member = hashTable.find(table, hash, bytes, offset, length);
    if (member === NULL_REFERENCE) return false;
    this.removeMember(table, member);
    return true;
  }

  /** Removes a member, given its block. */
  removeMember(table: TableReference, member: MemberReference): void {
    this.hashTable.remove(table, member);
    this.memory.free(member);
  }

  /**
   * A set with the same members.
   * @throws OutOfMemoryError, with nothing left over.
   */
  duplicate(table: TableReference): TableReference {
    const { hashTable, memory } = this;
    const copy = hashTable.create();
    try {
      let cursor = 0;
      do {
        cursor = hashTable.scan(table, cursor);
        const { items, count } = hashTable.scanned;
        for (let i = 0; i < count; i++) {
          const bytes = memory.bytes[items[i] >>> SEGMENT_SHIFT];
          this.add(copy, bytes, hashTable.keyOffset(items[i]), hashTable.keyLength(items[i]));
        }
      } while (cursor !== 0);
    } catch (error) {
      this.release(copy, Number.POSITIVE_INFINITY);
      throw error;
    }
    return copy;
  }

  /** Frees a set with its members, about `budget` of them; it is gone when what is returned is below `budget`. */
  release(table: TableReference, budget: number): number {
    const { hashTable, memory } = this;
    let used = 0;
    while (used < budget) {
      if (!hashTable.releaseBucket(table)) return used;
      const { items, count } = hashTable.scanned;
      for (let i = 0; i < count; i++) memory.free(items[i]);
      used += count + 1;
    }
    return used;
  }

  /** The bytes of a set, from those of `samples` members; 0: of all. */
  memoryUsage(table: TableReference, samples: number): ByteLength {
    const { hashTable, memory } = this;
    let sampled = 0;
    let sampledBytes = 0;
    let cursor = 0;
    do {
      cursor = hashTable.scan(table, cursor);
      const { items, count } = hashTable.scanned;
      for (let i = 0; i < count; i++) sampledBytes += memory.blockBytes(items[i]);
      sampled += count;
    } while (cursor !== 0 && (samples === 0 || sampled < samples));
    const perMember = sampled === 0 ? 0 : sampledBytes / sampled;
    return hashTable.overheadBytes(table) + Math.round(perMember * hashTable.count(table));
  }

  private newMember(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): MemberReference {
    const member = this.memory.allocate(bareKeyBytes(length));
    const start = writeBareKeyLength(this.memory, member, length);
    copyBytes(bytes, offset, this.memory.bytes[member >>> SEGMENT_SHIFT], start, length);
    return member;
  }
}
