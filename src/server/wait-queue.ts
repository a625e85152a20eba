import type { Database } from '../keyspace/database.js';

/** A place in the queue of a key. A waiter has one for each of the keys that it waits for. */
export interface Place<Waiter> {
  readonly waiter: Waiter;
  readonly queue: WaitQueue<Waiter>;
  previous: Place<Waiter> | undefined;
  next: Place<Waiter> | undefined;
  isLeft: boolean;
}

/** Those who wait for a key, in the order in which they came. All operations take constant time. */
export class WaitQueue<Waiter> {
  readonly database: Database;
  /** The key as latin1 text. */
  readonly key: string;
  /** Whether the key appeared, and nobody has looked after it since. */
  isReady = false;
  length = 0;
  private head: Place<Waiter> | undefined;
  private tail: Place<Waiter> | undefined;

  constructor(database: Database, key: string) {
    this.database = database;
    this.key = key;
  }

  /** The place of the one who has waited longest. */
  get first(): Place<Waiter> | undefined {
    return this.head;
  }

  /** Queues a waiter. */
  join(waiter: Waiter): Place<Waiter> {
    const place = { waiter, queue: this, previous: this.tail, next: undefined, isLeft: false };
    if (this.tail === undefined) this.head = place;
    else this.tail.next = place;
    this.tail = place;
    this.length++;
    return place;
  }

  /** Gives a place up. */
  leave(place: Place<Waiter>): void {
    const { previous, next } = place;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.tail = previous;
    else next.previous = previous;
    place.isLeft = true;
    this.length--;
  }
}

/** The buckets of `KeyFilter`: a power of two. */
const FILTER_BUCKETS = 4096;

/**
 * Tells of most keys at once, without making a string of them, that nobody waits for them: by counting the keys that
 * are waited for by their lengths and outer bytes.
 */
export class KeyFilter {
  private readonly counts = new Uint32Array(FILTER_BUCKETS);

  add(key: string): void {
    this.counts[bucketOf(key)]++;
  }

  remove(key: string): void {
    this.counts[bucketOf(key)]--;
  }

  /** False when the key in `length` bytes from `offset` was not added. */
  mayHave(bytes: Uint8Array, offset: number, length: number): boolean {
    if (length === 0) return this.counts[0] > 0;
    return this.counts[bucket(length, bytes[offset], bytes[offset + length - 1])] > 0;
  }
}

function bucketOf(key: string): number {
  return key.length === 0 ? 0 : bucket(key.length, key.charCodeAt(0), key.charCodeAt(key.length - 1));
}

function bucket(length: number, first: number, last: number): number {
  return (Math.imul(length, 0x9e3779b1) ^ Math.imul(first, 0x85ebca6b) ^ (last * 31)) & (FILTER_BUCKETS - 1);
}
