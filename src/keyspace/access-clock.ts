import type { TimestampMs } from '../structures/deadlines.js';

const BITS_24 = 0xffffff;
const BITS_16 = 0xffff;
/** The counter that a new key starts with under LFU, so that it is not the first to go. */
const LFU_INITIAL = 5;
const MS_PER_MINUTE = 60_000;

/**
 * What the 24 access bits of a record mean, and how they change when a key is used.
 *
 *     LRU   ┌──────────────────────────────┐
 *           │ seconds since the epoch (24) │      wraps after 194 days
 *           └──────────────────────────────┘
 *     LFU   ┌───────────────┬──────────────┐
 *           │ minutes (16)  │ counter (8)  │      a logarithmic counter that decays by the minute
 *           └───────────────┴──────────────┘
 *
 * The algorithm of the counter is Redis's (evict.c).
 */
export class AccessClock {
  /** Whether the bits are LFU's: what `maxmemory-policy` says. */
  isLfu = false;
  /** `lfu-log-factor`: how many uses a step of the counter takes. */
  logFactor = 10;
  /** `lfu-decay-time`: minutes after which an unused counter loses one; 0: never. */
  decayMinutes = 1;
  /** Seconds since the epoch, for everything that only needs those. */
  private seconds = 0;
  private minutes = 0;

  /** Sets the time. Once per turn. */
  tick(nowMs: TimestampMs): void {
    this.seconds = Math.floor(nowMs / 1000) & BITS_24;
    this.minutes = Math.floor(nowMs / MS_PER_MINUTE) & BITS_16;
  }

  /** The bits of a new key. */
  fresh(): number {
    return this.isLfu ? (this.minutes << 8) | LFU_INITIAL : this.seconds;
  }

  /** The bits of a key that is used now and had the bits `access`. */
  touched(access: number): number {
    return this.isLfu ? (this.minutes << 8) | this.increment(this.frequency(access)) : this.seconds;
  }

  /** LFU: the counter after its decay until now. */
  frequency(access: number): number {
    const counter = access & 255;
    if (this.decayMinutes === 0) return counter;
    const elapsed = (this.minutes - (access >> 8)) & BITS_16;
    return Math.max(0, counter - Math.floor(elapsed / this.decayMinutes));
  }

  /** LRU: seconds since the last use. */
  idleSeconds(access: number): number {
    return (this.seconds - access) & BITS_24;
  }

  /** The bits of a key that was last used so many seconds ago (RESTORE … IDLETIME). */
  fromIdleSeconds(seconds: number): number {
    return (this.seconds - seconds) & BITS_24;
  }

  /** The bits of a key with a frequency (RESTORE … FREQ). */
  fromFrequency(counter: number): number {
    return (this.minutes << 8) | counter;
  }

  private increment(counter: number): number {
    if (counter === 255) return 255;
    const base = Math.max(0, counter - LFU_INITIAL);
    return Math.random() < 1 / (base * this.logFactor + 1) ? counter + 1 : counter;
  }
}
