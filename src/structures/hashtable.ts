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
import { EntryKeys } from './hashtable-entry.js';
import {
  bucketsWithChunks,
  CHUNK_BUCKETS,
  CHUNK_SHIFT,
  chunkOf,
  chunkStartingAt,
  FIRST_FULL_CHUNK,
  placesFor,
  reverseBits,
} from './linear-hashing.js';

/**
 * A hash table outside V8's heap, grown and shrunk by one bucket at a time (linear hashing), so that no
 * operation ever rehashes more than one bucket and the table is always about as large as its content.
 *
 * A bucket is one cache line, with the references of up to 12 entries and 8 bits of each one's hash:
 *
 *     word  0        11 12   14     15
 *     ┌────────────────┬───────┬──────────┐
 *     │ 12 references  │ 12    │ overflow │   entries fill a bucket, then its overflow buckets, from the
 *     │ (0: no entry)  │ tags  │ bucket   │   start without gaps
 *     └────────────────┴───────┴──────────┘
 *
 * With n buckets and 2^L ≤ n < 2^(L+1), the buckets below n − 2^L and from 2^L are addressed by L + 1 bits
 * of the hash, the others by L. Growing splits bucket n − 2^L into itself and the new bucket n.
 *
 * Buckets come in chunks, so that none moves: chunk 0 has bucket 0, chunk k the 2^(k−1) buckets from 2^(k−1),
 * and from bucket 1024 on, every chunk has 1024. The directory lists the chunks.
 *
 * The table's own block:
 *
 *     word   0       1         2           3                  4                5
 *     ┌───────┬─────────┬───────────┬──────────────────┬────────────────┬─────────────┐
 *     │ count │ buckets │ directory │ overflow buckets │ directory size │ the owner's │
 *     └───────┴─────────┴───────────┴──────────────────┴────────────────┴─────────────┘
 *
 * An entry is a block of its owner's, that says where its key is (hashtable-entry.ts).
 *
 * The idea of a bucket in a cache line with tags is Valkey's; linear hashing is Litwin's (1980).
 */

/** The block of a hash table. */
export type TableReference = Reference;

/** Where a SCAN goes on: a bucket number with its bits reversed, as an unsigned 32-bit integer; 0 at both ends. */
export type ScanCursor = number;

const COUNT: WordOffset = 0;
const BUCKETS: WordOffset = 1;
const DIRECTORY: WordOffset = 2;
const OVERFLOWS: WordOffset = 3;
const DIRECTORY_SIZE: WordOffset = 4;
const OWNER: WordOffset = 5;
const TABLE_BYTES = 24;

const BUCKET_BYTES = 64;
const BUCKET_ENTRIES = 12;
const TAGS: WordOffset = 12;
const OVERFLOW: WordOffset = 15;

/** A bucket is split when the entries a bucket exceed this, on average, and merged below the other. */
const ENTRIES_PER_BUCKET_MAX = 9;
const ENTRIES_PER_BUCKET_MIN = 3;
/** Buckets that one call of `reserve` makes at most: it takes a fraction of a millisecond. */
const RESERVED_BUCKETS_MAX = 4096;

export { KEY_LENGTH_BYTE, KEY_OFFSET_BYTE, LONG_KEY } from './hashtable-entry.js';

/** Operations on the hash tables of one memory. All tables share the hash function and its seed. */
export class HashTable {
  /** Whether tables grow and shrink with their content. False only for tests (DEBUG DICT-RESIZING). */
  resizes = true;
  /** The entries that the last `scan` or `releaseBucket` met. */
  readonly scanned = new ReferenceList();

  private readonly memory: Memory;
  private readonly hasher: KeyedHash;
  private readonly keys: EntryKeys;
  /** The entry that was found last, with its place: forgotten when any table changes. */
  private foundEntry: Reference = NULL_REFERENCE;
  private foundBucket: Reference = NULL_REFERENCE;
  private foundSlot = 0;
  /** The first bucket of the chain that it is in. */
  private foundFirst: Reference = NULL_REFERENCE;
  /** The entries and buckets of a chain that is being divided or joined. */
  private readonly chainEntries = new ReferenceList();
  private readonly chainTags = new ReferenceList();
  private readonly chainBuckets: Reference[] = [];

  /** @param isBare whether entries are bare keys */
  constructor(memory: Memory, hasher: KeyedHash, isBare = false) {
    this.memory = memory;
    this.hasher = hasher;
    this.keys = new EntryKeys(memory, isBare);
  }

  /** Operations on tables of the same memory, with the same hash function, whose entries are bare keys. */
  forBareKeys(): HashTable {
    return new HashTable(this.memory, this.hasher, true);
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

  /** The hash of a key, to be passed to the other operations: computed once per command. */
  hash(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
    return this.hasher.hash(bytes, offset, length);
  }

  /** The entry with the key, or NULL_REFERENCE. */
  find(
    table: TableReference,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): Reference {
    const { memory } = this;
    const pattern = Math.imul(hash >>> 24, 0x01010101);
    const first = this.bucketOf(table, hash);
    let bucket = first;
    do {
      const words = memory.words[bucket >>> SEGMENT_SHIFT];
      const base = wordOffset(bucket);
      for (let group = 0; group < 3; group++) {
        const difference = words[base + TAGS + group] ^ pattern;
        // A byte of `difference` is zero where a tag is equal: this finds at least all of those.
        let matches = (difference - 0x01010101) & ~difference & 0x80808080;
        while (matches !== 0) {
          const slot = (group << 2) + ((31 - Math.clz32(matches & -matches)) >> 3);
          matches &= matches - 1;
          const entry = words[base + slot];
          if (entry !== NULL_REFERENCE && this.keys.equals(entry, bytes, offset, length)) {
            this.foundEntry = entry;
            this.foundBucket = bucket;
            this.foundSlot = slot;
            this.foundFirst = first;
            return entry;
          }
        }
      }
      bucket = words[base + OVERFLOW];
    } while (bucket !== NULL_REFERENCE);
    return NULL_REFERENCE;
  }

  /**
   * Adds an entry whose key the table does not have.
   * @throws OutOfMemoryError, and the table is as it was.
   */
  insert(table: TableReference, hash: number, entry: Reference): void {
    const { memory } = this;
    this.foundEntry = NULL_REFERENCE;
    const count = memory.word(table, COUNT);
    if (count >= memory.word(table, BUCKETS) * ENTRIES_PER_BUCKET_MAX && this.resizes) this.grow(table);
    let bucket = this.bucketOf(table, hash);
    for (;;) {
      const words = memory.words[bucket >>> SEGMENT_SHIFT];
      const base = wordOffset(bucket);
      if (words[base + BUCKET_ENTRIES - 1] === NULL_REFERENCE) break;
      let next = words[base + OVERFLOW];
      if (next === NULL_REFERENCE) {
        next = this.newBuckets(1);
        words[base + OVERFLOW] = next;
        memory.setWord(table, OVERFLOWS, memory.word(table, OVERFLOWS) + 1);
      }
      bucket = next;
    }
    this.append(bucket, entry, hash >>> 24);
    memory.setWord(table, COUNT, count + 1);
  }

  /** Puts another block with the same key in the place of `entry`, which is in the table. */
  replace(table: TableReference, entry: Reference, other: Reference): void {
    if (this.foundEntry !== entry) this.locate(table, entry);
    this.memory.setWord(this.foundBucket, this.foundSlot, other);
    this.foundEntry = other;
  }

  /** Takes `entry` out of the table that it is in. Its block stays the owner's to free. */
  remove(table: TableReference, entry: Reference): void {
    const { memory } = this;
    if (this.foundEntry !== entry) this.locate(table, entry);
    this.foundEntry = NULL_REFERENCE;
    // The last entry of the chain fills the gap.
    let last = this.foundFirst;
    let beforeLast: Reference = NULL_REFERENCE;
    for (let next = memory.word(last, OVERFLOW); next !== NULL_REFERENCE; ) {
      beforeLast = last;
      last = next;
      next = memory.word(last, OVERFLOW);
    }
    let slot = BUCKET_ENTRIES - 1;
    while (memory.word(last, slot) === NULL_REFERENCE) slot--;
    memory.setWord(this.foundBucket, this.foundSlot, memory.word(last, slot));
    this.setTag(this.foundBucket, this.foundSlot, this.tag(last, slot));
    memory.setWord(last, slot, NULL_REFERENCE);
    if (slot === 0 && beforeLast !== NULL_REFERENCE) {
      memory.setWord(beforeLast, OVERFLOW, NULL_REFERENCE);
      memory.free(last);
      memory.setWord(table, OVERFLOWS, memory.word(table, OVERFLOWS) - 1);
    }
    const count = memory.word(table, COUNT) - 1;
    memory.setWord(table, COUNT, count);
    const buckets = memory.word(table, BUCKETS);
    if (buckets > 1 && count < buckets * ENTRIES_PER_BUCKET_MIN && this.resizes) this.shrink(table);
  }

  /**
   * Collects in `scanned` the entries of the next bucket of a scan, and returns the cursor of the step after,
   * 0 at the end. An entry that is in the table from the first step of a scan to the last is met at least
   * once, however the table grows and shrinks in between (the cursor counts in reversed bits, as in Redis).
   */
  scan(table: TableReference, cursor: ScanCursor): ScanCursor {
    this.scanned.clear();
    const buckets = this.memory.word(table, BUCKETS);
    const lower = 1 << (31 - Math.clz32(buckets));
    const bucket = cursor & (lower - 1);
    this.collect(this.bucketAt(table, bucket), this.scanned);
    if (bucket + lower < buckets) this.collect(this.bucketAt(table, bucket + lower), this.scanned);
    return reverseBits((reverseBits(cursor | -lower) + 1) | 0) >>> 0;
  }

  /**
   * An entry chosen fairly: each has the same chance. NULL_REFERENCE when there is none.
   * @param random gives a float from 0 to below 1.
   */
  randomEntry(table: TableReference, random: () => number): Reference {
    const { memory } = this;
    const count = memory.word(table, COUNT);
    if (count === 0) return NULL_REFERENCE;
    const buckets = memory.word(table, BUCKETS);
    const lower = 1 << (31 - Math.clz32(buckets));
    const divided = buckets - lower;
    // A bucket that is divided has about half as many entries as one that is not. Choosing one of as many places for
    // each of a kind as hardly any has entries, and again when there is none, favours no entry.
    const dividedPlaces = placesFor(count, lower * 2);
    const undividedPlaces = placesFor(count, lower);
    const dividedTotal = divided * 2 * dividedPlaces;
    const total = dividedTotal + (lower - divided) * undividedPlaces;
    for (;;) {
      let place = Math.floor(random() * total);
      let index: number;
      if (place < dividedTotal) {
        index = Math.floor(place / dividedPlaces);
        place -= index * dividedPlaces;
        if (index >= divided) index += lower - divided;
      } else {
        place -= dividedTotal;
        index = Math.floor(place / undividedPlaces);
        place -= index * undividedPlaces;
        index += divided;
      }
      if (this.findAt(this.bucketAt(table, index), place)) return this.foundEntry;
    }
  }

  /**
   * Takes the entries of the last bucket out of a table that is no longer used, into `scanned`, and frees
   * the bucket; the owner frees the entries. False when there is nothing left, and the table itself is freed.
   */
  releaseBucket(table: TableReference): boolean {
    const { memory } = this;
    const buckets = memory.word(table, BUCKETS);
    this.scanned.clear();
    this.foundEntry = NULL_REFERENCE;
    if (buckets === 0) {
      memory.free(memory.word(table, DIRECTORY));
      memory.free(table);
      return false;
    }
    const bucket = this.bucketAt(table, buckets - 1);
    this.collect(bucket, this.scanned);
    this.freeOverflows(bucket);
    memory.setWord(table, BUCKETS, buckets - 1);
    memory.setWord(table, COUNT, memory.word(table, COUNT) - this.scanned.count);
    this.freeChunkAfter(table, buckets - 1);
    return true;
  }

  /** Where an entry's key starts, as a position in `memory.bytes[entry >>> SEGMENT_SHIFT]`. */
  keyOffset(entry: Reference): ByteOffset {
    return this.keys.offset(entry);
  }

  /** The length of an entry's key. */
  keyLength(entry: Reference): ByteLength {
    return this.keys.length(entry);
  }

  /** Finds the entry at a place in a chain. False when there is none. */
  private findAt(first: Reference, place: number): boolean {
    const { memory } = this;
    let bucket = first;
    let slot = place;
    for (; slot >= BUCKET_ENTRIES; slot -= BUCKET_ENTRIES) {
      bucket = memory.word(bucket, OVERFLOW);
      if (bucket === NULL_REFERENCE) return false;
    }
    const entry = memory.word(bucket, slot);
    if (entry === NULL_REFERENCE) return false;
    this.foundEntry = entry;
    this.foundBucket = bucket;
    this.foundSlot = slot;
    this.foundFirst = first;
    return true;
  }

  /** Finds the place of an entry that is in the table, by the hash of its key. */
  private locate(table: TableReference, entry: Reference): void {
    const bytes = this.memory.bytes[entry >>> SEGMENT_SHIFT];
    const hash = this.hasher.hash(bytes, this.keyOffset(entry), this.keyLength(entry));
    const first = this.bucketOf(table, hash);
    let bucket = first;
    while (bucket !== NULL_REFERENCE) {
      for (let slot = 0; slot < BUCKET_ENTRIES; slot++) {
        if (this.memory.word(bucket, slot) !== entry) continue;
        this.foundEntry = entry;
        this.foundBucket = bucket;
        this.foundSlot = slot;
        this.foundFirst = first;
        return;
      }
      bucket = this.memory.word(bucket, OVERFLOW);
    }
    throw new Error(`entry ${entry} is not in hash table ${table}`);
  }

  private bucketOf(table: TableReference, hash: number): Reference {
    const buckets = this.memory.word(table, BUCKETS);
    const lower = 1 << (31 - Math.clz32(buckets));
    let index = hash & ((lower << 1) - 1);
    if (index >= buckets) index &= lower - 1;
    return this.bucketAt(table, index);
  }

  private bucketAt(table: TableReference, index: number): Reference {
    const directory = this.memory.word(table, DIRECTORY);
    if (index >= CHUNK_BUCKETS) {
      const chunk = this.memory.word(directory, FIRST_FULL_CHUNK - 1 + (index >>> CHUNK_SHIFT));
      return (chunk + ((index & (CHUNK_BUCKETS - 1)) << 3)) | 0;
    }
    if (index === 0) return this.memory.word(directory, 0);
    const doubling = 31 - Math.clz32(index);
    return (this.memory.word(directory, doubling + 1) + ((index - (1 << doubling)) << 3)) | 0;
  }

  private newBuckets(count: number): Reference {
    const chunk = this.memory.allocate(count * BUCKET_BYTES);
    const base = wordOffset(chunk);
    this.memory.words[chunk >>> SEGMENT_SHIFT].fill(0, base, base + count * (BUCKET_BYTES >> 2));
    return chunk;
  }

  /** Appends an entry to a bucket that has room. */
  private append(bucket: Reference, entry: Reference, tag: number): void {
    let slot = 0;
    const words = this.memory.words[bucket >>> SEGMENT_SHIFT];
    const base = wordOffset(bucket);
    while (words[base + slot] !== NULL_REFERENCE) slot++;
    words[base + slot] = entry;
    this.setTag(bucket, slot, tag);
  }

  private tag(bucket: Reference, slot: number): number {
    return this.memory.byte(bucket, (TAGS << 2) + slot);
  }

  private setTag(bucket: Reference, slot: number, tag: number): void {
    this.memory.setByte(bucket, (TAGS << 2) + slot, tag);
  }

  /** Adds the entries of a chain to `list`, and makes `chainTags` their tags: they save hashing the keys again. */
  private collect(first: Reference, list: ReferenceList): void {
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
  private grow(table: TableReference): void {
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
  private shrink(table: TableReference): void {
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

  /** Frees the chunk that starts with bucket `index`, if one does, as the table now ends before it. */
  private freeChunkAfter(table: TableReference, index: number): void {
    if (index !== 0 && chunkStartingAt(index) === 0) return;
    this.memory.free(this.memory.word(this.memory.word(table, DIRECTORY), chunkOf(index)));
  }
}

const UNIT_BYTES_OF_DIRECTORY = 8;
