import { type Memory, OutOfMemoryError, wordOffset } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
  type WordOffset,
} from '../memory/reference.js';
import { ReferenceList } from '../memory/reference-list.js';
import type { KeyedHash } from '../memory/sip-hash.js';
import type { TableReference } from './hashtable.js';
import { EntryKeys } from './hashtable-entry.js';
import {
  bucketsWithChunks,
  CHUNK_BUCKETS,
  CHUNK_SHIFT,
  chunkOf,
  chunkStartingAt,
  FIRST_FULL_CHUNK,
} from './linear-hashing.js';

/** The words of a table's own block: its entries, its buckets, and its overflow buckets. */
export const COUNT: WordOffset = 0;
/** See COUNT. */
export const BUCKETS: WordOffset = 1;
const DIRECTORY: WordOffset = 2;
/** See COUNT. */
export const OVERFLOWS: WordOffset = 3;
const DIRECTORY_SIZE: WordOffset = 4;
const OWNER: WordOffset = 5;
const TABLE_BYTES = 24;
const UNIT_BYTES_OF_DIRECTORY = 8;

const BUCKET_BYTES = 64;
/** How many entries a bucket holds, in its first words. */
export const BUCKET_ENTRIES = 12;
/** The word of a bucket where the tags begin. */
export const TAGS: WordOffset = 12;
/** The word of a bucket where its overflow bucket is. */
export const OVERFLOW: WordOffset = 15;

/** A bucket is split when the entries a bucket exceed this, on average. */
export const ENTRIES_PER_BUCKET_MAX = 9;
/** Buckets that one call of `reserve` makes at most: it takes a fraction of a millisecond. */
const RESERVED_BUCKETS_MAX = 4096;

/**
 * The buckets of the hash tables of one memory (hashtable.ts draws them): where they lie, and how a table gets one more
 * or one less.
 *
 * Buckets come in chunks, so that none moves: chunk 0 has bucket 0, chunk k the 2^(k−1) buckets from 2^(k−1), and from
 * bucket 1024 on, every chunk has 1024. The directory lists the chunks.
 */
export class HashTableBuckets {
  protected readonly memory: Memory;
  protected readonly hasher: KeyedHash;
  protected readonly keys: EntryKeys;
  /** The entries and buckets of a chain that is being divided or joined. */
  private readonly chainEntries = new ReferenceList();
  private readonly chainTags = new ReferenceList();
  private readonly chainBuckets: Reference[] = [];

  /** @param isBare whether entries are bare keys */
  constructor(memory: Memory, hasher: KeyedHash, isBare: boolean) {
    this.memory = memory;
    this.hasher = hasher;
    this.keys = new EntryKeys(memory, isBare);
  }

  /**
   * A table without entries, with one bucket.
   * @throws OutOfMemoryError
   */
  create(): TableReference {
    const { memory } = this;
    const table = memory.allocate(TABLE_BYTES);
    let directory: Reference = NULL_REFERENCE;
    try {
      directory = memory.allocate(UNIT_BYTES_OF_DIRECTORY);
      memory.setWord(directory, 0, this.newBuckets(1));
    } catch (error) {
      if (directory !== NULL_REFERENCE) memory.free(directory);
      memory.free(table);
      throw error;
    }
    memory.setWord(table, COUNT, 0);
    memory.setWord(table, BUCKETS, 1);
    memory.setWord(table, DIRECTORY, directory);
    memory.setWord(table, OVERFLOWS, 0);
    memory.setWord(table, DIRECTORY_SIZE, UNIT_BYTES_OF_DIRECTORY >> 2);
    memory.setWord(table, OWNER, 0);
    return table;
  }

  /** Gives a table without entries some of the buckets for so many. False when it has all, or memory is full. */
  reserve(table: TableReference, entries: number): boolean {
    const { memory } = this;
    if (memory.word(table, COUNT) !== 0) return false;
    const wanted = Math.ceil(entries / ENTRIES_PER_BUCKET_MAX);
    let index = memory.word(table, BUCKETS);
    for (const end = Math.min(wanted, index + RESERVED_BUCKETS_MAX); index < end; index++) {
      if (!this.makeChunkFor(table, index)) return false;
      memory.setWord(table, BUCKETS, index + 1);
    }
    return index < wanted;
  }

  /** A word that belongs to the table's owner; 0 at first. */
  owner(table: TableReference): number {
    return this.memory.word(table, OWNER);
  }

  /** Sets the word that belongs to the table's owner. */
  setOwner(table: TableReference, value: number): void {
    this.memory.setWord(table, OWNER, value);
  }

  /** The number of entries. */
  count(table: TableReference): number {
    return this.memory.word(table, COUNT);
  }

  /** The number of buckets, without overflow buckets. */
  bucketCount(table: TableReference): number {
    return this.memory.word(table, BUCKETS);
  }

  /** Bytes that the table takes besides its entries, buckets that it has but does not use yet included. */
  overheadBytes(table: TableReference): ByteLength {
    const { memory } = this;
    const buckets = bucketsWithChunks(memory.word(table, BUCKETS)) + memory.word(table, OVERFLOWS);
    return TABLE_BYTES + memory.word(table, DIRECTORY_SIZE) * 4 + buckets * BUCKET_BYTES;
  }

  /** Where an entry's key starts, as a position in `memory.bytes[entry >>> SEGMENT_SHIFT]`. */
  keyOffset(entry: Reference): ByteOffset {
    return this.keys.offset(entry);
  }

  /** The length of an entry's key. */
  keyLength(entry: Reference): ByteLength {
    return this.keys.length(entry);
  }

  protected bucketOf(table: TableReference, hash: number): Reference {
    const buckets = this.memory.word(table, BUCKETS);
    const lower = 1 << (31 - Math.clz32(buckets));
    let index = hash & ((lower << 1) - 1);
    if (index >= buckets) index &= lower - 1;
    return this.bucketAt(table, index);
  }

  protected bucketAt(table: TableReference, index: number): Reference {
    const directory = this.memory.word(table, DIRECTORY);
    if (index >= CHUNK_BUCKETS) {
      const chunk = this.memory.word(directory, FIRST_FULL_CHUNK - 1 + (index >>> CHUNK_SHIFT));
      return (chunk + ((index & (CHUNK_BUCKETS - 1)) << 3)) | 0;
    }
    if (index === 0) return this.memory.word(directory, 0);
    const doubling = 31 - Math.clz32(index);
    return (this.memory.word(directory, doubling + 1) + ((index - (1 << doubling)) << 3)) | 0;
  }

  protected newBuckets(count: number): Reference {
    const chunk = this.memory.allocate(count * BUCKET_BYTES);
    const base = wordOffset(chunk);
    this.memory.words[chunk >>> SEGMENT_SHIFT].fill(0, base, base + count * (BUCKET_BYTES >> 2));
    return chunk;
  }

  /** Appends an entry to a bucket that has room. */
  protected append(bucket: Reference, entry: Reference, tag: number): void {
    let slot = 0;
    const words = this.memory.words[bucket >>> SEGMENT_SHIFT];
    const base = wordOffset(bucket);
    while (words[base + slot] !== NULL_REFERENCE) slot++;
    words[base + slot] = entry;
    this.setTag(bucket, slot, tag);
  }

  protected tag(bucket: Reference, slot: number): number {
    return this.memory.byte(bucket, (TAGS << 2) + slot);
  }

  protected setTag(bucket: Reference, slot: number, tag: number): void {
    this.memory.setByte(bucket, (TAGS << 2) + slot, tag);
  }

  /** Adds the entries of a chain to `list`, and makes `chainTags` their tags: they save hashing the keys again. */
  protected collect(first: Reference, list: ReferenceList): void {
    this.chainTags.clear();
    for (let bucket = first; bucket !== NULL_REFERENCE; bucket = this.memory.word(bucket, OVERFLOW)) {
      for (let slot = 0; slot < BUCKET_ENTRIES; slot++) {
        const entry = this.memory.word(bucket, slot);
        if (entry === NULL_REFERENCE) break;
        list.push(entry);
        this.chainTags.push(this.tag(bucket, slot));
      }
    }
  }

  /** Splits the next bucket in turn. Without memory for the new one the table stays, only fuller. */
  protected grow(table: TableReference): void {
    const { memory } = this;
    const buckets = memory.word(table, BUCKETS);
    if (!this.makeChunkFor(table, buckets)) return;
    const lower = 1 << (31 - Math.clz32(buckets));
    memory.setWord(table, BUCKETS, buckets + 1);
    this.divide(table, this.bucketAt(table, buckets - lower), this.bucketAt(table, buckets), lower);
  }

  /** Moves the entries of bucket `from` whose hash has the bit `bit` to the empty bucket `to`. */
  private divide(table: TableReference, from: Reference, to: Reference, bit: number): void {
    const { memory, chainBuckets, hasher } = this;
    this.chainEntries.clear();
    this.collect(from, this.chainEntries);
    // Both chains together never need more overflow buckets than the one had.
    this.takeOverflows(from);
    const had = chainBuckets.length;
    this.clearBucket(from);
    let fromEnd = from;
    let toEnd = to;
    for (let i = 0; i < this.chainEntries.count; i++) {
      const entry = this.chainEntries.items[i];
      const bytes = memory.bytes[entry >>> SEGMENT_SHIFT];
      const hash = hasher.hash(bytes, this.keyOffset(entry), this.keyLength(entry));
      if ((hash & bit) === 0) fromEnd = this.appendToChain(fromEnd, entry, hash >>> 24);
      else toEnd = this.appendToChain(toEnd, entry, hash >>> 24);
    }
    this.freeSpareBuckets(table, had, had);
  }

  /** Joins the last bucket with the one it was split from. Without memory for that the table stays. */
  protected shrink(table: TableReference): void {
    const { memory, chainBuckets } = this;
    const last = memory.word(table, BUCKETS) - 1;
    const from = this.bucketAt(table, last);
    const into = this.bucketAt(table, last - (1 << (31 - Math.clz32(last))));
    let spare: Reference;
    try {
      spare = this.newBuckets(1); // two chains joined may need one overflow bucket more than they had
    } catch (error) {
      if (error instanceof OutOfMemoryError) return;
      throw error;
    }
    this.chainEntries.clear();
    this.collect(from, this.chainEntries);
    this.takeOverflows(from);
    const had = chainBuckets.length;
    chainBuckets.push(spare);
    let end = into;
    for (let next = into; next !== NULL_REFERENCE; next = memory.word(next, OVERFLOW)) end = next;
    for (let i = 0; i < this.chainEntries.count; i++) {
      end = this.appendToChain(end, this.chainEntries.items[i], this.chainTags.items[i]);
    }
    this.freeSpareBuckets(table, had, had + 1);
    this.clearBucket(from); // its chunk may stay, and the bucket come into use again
    memory.setWord(table, BUCKETS, last);
    this.freeChunkAfter(table, last);
  }

  /** Appends to the chain that ends with bucket `end`, going on to a spare bucket; returns the new end. */
  private appendToChain(end: Reference, entry: Reference, tag: number): Reference {
    const { memory } = this;
    let bucket = end;
    if (memory.word(bucket, BUCKET_ENTRIES - 1) !== NULL_REFERENCE) {
      const next = this.chainBuckets.pop();
      if (next === undefined) throw new Error('a chain of hash buckets needs more buckets than it may');
      this.clearBucket(next);
      memory.setWord(bucket, OVERFLOW, next);
      bucket = next;
    }
    this.append(bucket, entry, tag);
    return bucket;
  }

  /** Moves the overflow buckets of a chain to `chainBuckets`, for use by `appendToChain`. */
  private takeOverflows(first: Reference): void {
    this.chainBuckets.length = 0;
    let bucket = this.memory.word(first, OVERFLOW);
    while (bucket !== NULL_REFERENCE) {
      this.chainBuckets.push(bucket);
      bucket = this.memory.word(bucket, OVERFLOW);
    }
    this.memory.setWord(first, OVERFLOW, NULL_REFERENCE);
  }

  /** Frees what is left of the `offered` buckets in `chainBuckets`, `counted` of which were the table's. */
  private freeSpareBuckets(table: TableReference, counted: number, offered: number): void {
    const { memory, chainBuckets } = this;
    const taken = offered - chainBuckets.length;
    memory.setWord(table, OVERFLOWS, memory.word(table, OVERFLOWS) - counted + taken);
    for (let bucket = chainBuckets.pop(); bucket !== undefined; bucket = chainBuckets.pop()) {
      memory.free(bucket);
    }
  }

  private clearBucket(bucket: Reference): void {
    const base = wordOffset(bucket);
    this.memory.words[bucket >>> SEGMENT_SHIFT].fill(0, base, base + (BUCKET_BYTES >> 2));
  }

  private freeOverflows(first: Reference): void {
    const { memory } = this;
    let bucket = memory.word(first, OVERFLOW);
    while (bucket !== NULL_REFERENCE) {
      const next = memory.word(bucket, OVERFLOW);
      memory.free(bucket);
      bucket = next;
    }
  }

  /** Makes sure that bucket `index`, the first after those in use, has memory. False when there is none. */
  private makeChunkFor(table: TableReference, index: number): boolean {
    const size = chunkStartingAt(index);
    if (size === 0) return true;
    const { memory } = this;
    const place = chunkOf(index);
    try {
      const directorySize = memory.word(table, DIRECTORY_SIZE);
      if (place >= directorySize) {
        const bytes = directorySize * 8;
        const directory = memory.reallocate(memory.word(table, DIRECTORY), directorySize * 4, bytes);
        memory.setWord(table, DIRECTORY, directory);
        memory.setWord(table, DIRECTORY_SIZE, bytes >> 2);
      }
      memory.setWord(memory.word(table, DIRECTORY), place, this.newBuckets(size));
      return true;
    } catch (error) {
      if (error instanceof OutOfMemoryError) return false;
      throw error;
    }
  }

  /**
   * Takes the entries of the last bucket out of a table that is no longer used, into `entries`, and frees the bucket.
   * False when there is none left, and the table itself is freed.
   */
  protected releaseLastBucket(table: TableReference, entries: ReferenceList): boolean {
    const { memory } = this;
    const buckets = memory.word(table, BUCKETS);
    if (buckets === 0) {
      memory.free(memory.word(table, DIRECTORY));
      memory.free(table);
      return false;
    }
    const bucket = this.bucketAt(table, buckets - 1);
    this.collect(bucket, entries);
    this.freeOverflows(bucket);
    memory.setWord(table, BUCKETS, buckets - 1);
    memory.setWord(table, COUNT, memory.word(table, COUNT) - entries.count);
    this.freeChunkAfter(table, buckets - 1);
    return true;
  }

  /** Frees the chunk that starts with bucket `index`, if one does, as the table now ends before it. */
  private freeChunkAfter(table: TableReference, index: number): void {
    if (index !== 0 && chunkStartingAt(index) === 0) return;
    this.memory.free(this.memory.word(this.memory.word(table, DIRECTORY), chunkOf(index)));
  }
}
