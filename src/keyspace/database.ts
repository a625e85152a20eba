import type { Memory } from '../memory/memory.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { Deadlines, type TimestampMs } from '../structures/deadlines.js';
import type { HashTable, TableReference } from '../structures/hashtable.js';
import type { RecordReference } from './record.js';

/**
 * One numbered database: a hash table of key records, the deadlines of those that expire, and those of the
 * hashes with fields that do (each has one, that of the field which comes first).
 */
export class Database {
  readonly index: number;
  table: TableReference;
  deadlines: Deadlines;
  fieldDeadlines: Deadlines;
  private readonly hashTable: HashTable;

  constructor(index: number, hashTable: HashTable, memory: Memory, nowMs: TimestampMs) {
    this.index = index;
    this.hashTable = hashTable;
    this.table = hashTable.create();
    this.deadlines = new Deadlines(memory, nowMs);
    this.fieldDeadlines = new Deadlines(memory, nowMs);
  }

  /** The number of keys, those that are past their deadline but not yet removed included. */
  get size(): number {
    return this.hashTable.count(this.table);
  }

  /** Prepares for so many keys to come, a little at a time: as `HashTable.reserve`. */
  reserve(keys: number): boolean {
    return this.hashTable.reserve(this.table, keys);
  }

  /** The record with the key, expired or not. Commands look keys up through the keyspace instead. */
  find(hash: number, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): RecordReference {
    return this.hashTable.find(this.table, hash, bytes, offset, length);
  }
}
