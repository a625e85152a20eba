import type { DirectiveValues } from '../config/directives.js';
import type { Database } from '../keyspace/database.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { RecordReference } from '../keyspace/record.js';
import { type ByteLength, NULL_REFERENCE } from '../memory/reference.js';
import type { LatencyMonitor } from '../observability/latency-monitor.js';
import type { ScanCursor } from '../structures/hashtable.js';

/** How long one command, or one slice of the cron, may spend on making room, in ms. */
const SLICE_MS = 0.5;
/** Evictions between two looks at the clock. */
const EVICTIONS_PER_LOOK = 16;
/** Deleted values that are freed with every key that goes, so that their memory counts as soon as it can. */
const RELEASES_PER_EVICTION = 128;
/** How many random keys are looked at for one with a deadline, before the table is walked for it. */
const VOLATILE_TRIES = 64;
/**
 * How many keys are looked at, when all of them had better stay for now, before one of them goes nevertheless. Of keys
 * with a deadline, which may be hard to find, no more than otherwise.
 */
const POSTPONED_MAX = 16;

/**
 * `maxmemory`: removes keys when the data takes more than that, by `maxmemory-policy`.
 *
 * As in Redis, nothing is kept per key but its access bits: some keys are drawn at random (`maxmemory-samples`), and
 * the one goes that was used the longest ago, the least often, or would expire first. Only the data counts, which the
 * allocator knows exactly, and never the clients' buffers. Work without an end is done in slices: while there is
 * more to remove, commands that need memory go on, and so does the removing.
 */
export class Eviction {
  /** Keys removed: `evicted_keys`. */
  evictedKeys = 0;
  /** Whether there is a limit. */
  isLimited = false;

  /** How long the limit was passed, in ms, but for the time that it may be now. */
  private exceededMs = 0;
  /** Since when it is passed, by the clock of the process; NaN while it is not. */
  private exceededSinceMs = Number.NaN;
  private readonly keyspace: Keyspace;
  private readonly latencies: LatencyMonitor;
  private maxBytes: ByteLength = 0;
  private policy: DirectiveValues['maxmemory-policy'] = 'noeviction';
  private samples = 5;
  /** Where the walk for keys with a deadline goes on, when drawing lots finds none. */
  private cursor: ScanCursor = 0;

  constructor(keyspace: Keyspace, latencies: LatencyMonitor) {
    this.keyspace = keyspace;
    this.latencies = latencies;
  }

  /** Takes the limit and the policy from the configuration. */
  configure(values: DirectiveValues): void {
    this.maxBytes = values.maxmemory;
    this.policy = values['maxmemory-policy'];
    this.samples = values['maxmemory-samples'];
    this.isLimited = this.maxBytes > 0;
  }

  /** Whether the data takes more than it may. */
  get isOverLimit(): boolean {
    return this.isLimited && this.keyspace.memory.usedBytes > this.maxBytes;
  }

  /** Removes keys for a short while. False when the limit is passed and nothing is left that may go. */
  makeRoom(): boolean {
    const startMs = performance.now();
    const hasRoom = this.evictFor(startMs + SLICE_MS);
    this.latencies.note('eviction-cycle', performance.now() - startMs);
    this.noteExcess();
    return hasRoom;
  }

  /** Looks whether the limit is passed, for the times that INFO shows: after making room, and now and then. */
  noteExcess(): void {
    const isExceeding = !Number.isNaN(this.exceededSinceMs);
    if (this.isOverLimit === isExceeding) return;
    this.exceededMs += this.currentExcessMs;
    this.exceededSinceMs = isExceeding ? Number.NaN : performance.now();
  }

  /** For how long the limit is passed now, in ms; 0 while it is not. */
  get currentExcessMs(): number {
    return Number.isNaN(this.exceededSinceMs) ? 0 : performance.now() - this.exceededSinceMs;
  }

  /** How long it was and is passed altogether, in ms. */
  get totalExcessMs(): number {
    return this.exceededMs + this.currentExcessMs;
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.evictedKeys = 0;
    this.exceededMs = 0;
    this.exceededSinceMs = Number.NaN;
  }

  /** Removes keys until the clock of the process shows `end`. False when nothing is left that may go. */
  private evictFor(end: number): boolean {
    for (let count = 1; this.isOverLimit; count++) {
      const hasFreed = this.keyspace.lazyFree.step(RELEASES_PER_EVICTION);
      if (!this.isOverLimit) break;
      if (!this.evictOne() && !hasFreed) return false;
      if (count % EVICTIONS_PER_LOOK === 0 && performance.now() >= end) break;
    }
    return true;
  }

  /** Removes the best of some keys. False when there is none that may go. */
  private evictOne(): boolean {
    if (this.policy === 'noeviction') return false;
    const onlyVolatile = this.policy.startsWith('volatile');
    const database = this.drawDatabase(onlyVolatile);
    if (database === undefined) return false;
    const best = this.drawBest(database, onlyVolatile);
    if (best === NULL_REFERENCE) return false;
    this.evictedKeys++;
    this.keyspace.evict(database, best);
    return true;
  }

  /**
   * The best of some keys; NULL_REFERENCE when there is none that may go. One whose removal is postponed is none of them,
   * unless hardly any others are met.
   */
  private drawBest(database: Database, onlyVolatile: boolean): RecordReference {
    const isRandom = this.policy.endsWith('random');
    const samples = isRandom ? 1 : this.samples;
    const most = onlyVolatile ? this.samples : POSTPONED_MAX;
    let best: RecordReference = NULL_REFERENCE;
    let bestScore = Number.NEGATIVE_INFINITY;
    let postponed: RecordReference = NULL_REFERENCE;
    for (let i = 0; i < samples || (best === NULL_REFERENCE && i < most); i++) {
      const record = onlyVolatile ? this.drawVolatile(database) : this.draw(database);
      if (record === NULL_REFERENCE) break;
      const score = isRandom ? 0 : this.score(record);
      if (score <= bestScore) continue;
      if (this.keyspace.postponesRemoval(database, record)) {
        postponed = record;
        continue;
      }
      best = record;
      bestScore = score;
    }
    return best === NULL_REFERENCE ? postponed : best;
  }

  /** How much a key deserves to go: the more, the higher. */
  private score(record: RecordReference): number {
    const { accessClock, records } = this.keyspace;
    if (this.policy === 'volatile-ttl') return -this.keyspace.deadline(record);
    const access = records.access(record);
    return accessClock.isLfu ? -accessClock.frequency(access) : accessClock.idleSeconds(access);
  }

  /** A database with keys that may go, the larger ones more often. */
  private drawDatabase(onlyVolatile: boolean): Database | undefined {
    const size = (database: Database) => (onlyVolatile ? database.deadlines.count : database.size);
    const { databases } = this.keyspace;
    let place = Math.floor(Math.random() * databases.reduce((sum, database) => sum + size(database), 0));
    return databases.find((database) => {
      place -= size(database);
      return place < 0;
    });
  }

  private draw(database: Database): RecordReference {
    return this.keyspace.hashTable.randomEntry(database.table, Math.random);
  }

  private drawVolatile(database: Database): RecordReference {
    const { hashTable, records } = this.keyspace;
    for (let i = 0; i < VOLATILE_TRIES; i++) {
      const record = this.draw(database);
      if (records.hasDeadline(record)) return record;
    }
    // Few keys have one: the walk goes on where it stopped, so that it costs little on average.
    for (let buckets = hashTable.bucketCount(database.table) * 2; buckets > 0; buckets--) {
      this.cursor = hashTable.scan(database.table, this.cursor);
      const { items, count } = hashTable.scanned;
      for (let i = 0; i < count; i++) if (records.hasDeadline(items[i])) return items[i];
    }
    return NULL_REFERENCE;
  }
}
