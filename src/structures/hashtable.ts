import { type Memory, wordOffset } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
} from '../memory/reference.js';
import { ReferenceList } from '../memory/reference-list.js';
import type { KeyedHash } from '../memory/sip-hash.js';
import {
  BUCKET_ENTRIES,
  BUCKETS,
  COUNT,
  ENTRIES_PER_BUCKET_MAX,
  HashTableBuckets,
  OVERFLOW,
  OVERFLOWS,
  TAGS,
} from './hashtable-buckets.js';
import { placesFor, reverseBits } from './linear-hashing.js';

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
 * Where buckets lie, and how one is split, is in hashtable-buckets.ts.
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

/** Two buckets are joined again below so many entries a bucket, on average. */
const ENTRIES_PER_BUCKET_MIN = 3;

export { KEY_LENGTH_BYTE, KEY_OFFSET_BYTE, LONG_KEY } from './hashtable-entry.js';

/** Operations on the hash tables of one memory. All tables share the hash function and its seed. */
export class HashTable extends HashTableBuckets {
  /** Whether tables grow and shrink with their content. False only for tests (DEBUG DICT-RESIZING). */
  resizes = true;
  /** The entries that the last `scan` or `releaseBucket` met. */
  readonly scanned = new ReferenceList();

  /**
   * The entry that was found last, with its place: forgotten when any table changes. A client often names the same key
   * again (a queue, a counter, HSET and then EXPIRE), which then is neither hashed nor looked up.
   */
  private foundEntry: Reference = NULL_REFERENCE;
  /** The table that it is in, and the hash of its key; NULL_REFERENCE when they are not known. */
  private foundTable: TableReference = NULL_REFERENCE;
  private foundHash = 0;
  /** Whether it was found twice in a row: only then it is worth a comparison whether it is asked for once more. */
  private isRepeated = false;
  private foundBucket: Reference = NULL_REFERENCE;
  private foundSlot = 0;
  /** The first bucket of the chain that it is in. */
  private foundFirst: Reference = NULL_REFERENCE;

  /** @param isBare whether entries are bare keys */
  constructor(memory: Memory, hasher: KeyedHash, isBare = false) {
    super(memory, hasher, isBare);
  }

  /** Operations on other tables of the same memory, with the same hash function: they do not share what they find. */
  forOtherTables(): HashTable {
    return new HashTable(this.memory, this.hasher);
  }

  /** The same for tables whose entries are bare keys. */
  forBareKeys(): HashTable {
    return new HashTable(this.memory, this.hasher, true);
  }

  /** The hash of a key, to be passed to the other operations: computed once per command. */
  hash(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
    if (this.isRepeated && this.hasFoundLast(bytes, offset, length)) return this.foundHash;
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
    if (
      this.isRepeated &&
      hash === this.foundHash &&
      table === this.foundTable &&
      this.hasFoundLast(bytes, offset, length)
    ) {
      return this.foundEntry;
    }
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
            this.isRepeated = entry === this.foundEntry;
            this.foundEntry = entry;
            this.foundBucket = bucket;
            this.foundSlot = slot;
            this.foundFirst = first;
            this.foundTable = table;
            this.foundHash = hash;
            return entry;
          }
        }
      }
      bucket = words[base + OVERFLOW];
    } while (bucket !== NULL_REFERENCE);
    return NULL_REFERENCE;
  }

  /** Forgets what was found last: who finds it now does not ask for it once more. */
  forgetFound(): void {
    this.foundEntry = NULL_REFERENCE;
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
    this.scanned.clear();
    this.foundEntry = NULL_REFERENCE;
    return this.releaseLastBucket(table, this.scanned);
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
    this.foundTable = NULL_REFERENCE;
    return true;
  }

  /** Whether a key is that of the entry that was found last, whatever table it is in. */
  private hasFoundLast(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    return (
      this.foundEntry !== NULL_REFERENCE &&
      this.foundTable !== NULL_REFERENCE &&
      this.keys.equals(this.foundEntry, bytes, offset, length)
    );
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
        this.foundTable = table;
        this.foundHash = hash;
        return;
      }
      bucket = this.memory.word(bucket, OVERFLOW);
    }
    throw new Error(`entry ${entry} is not in hash table ${table}`);
  }
}
