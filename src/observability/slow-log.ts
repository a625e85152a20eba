import Denque from 'denque';

/** A command that took long. Texts are latin1. */
export interface SlowLogEntry {
  readonly id: number;
  /** When it ended, in seconds since the epoch. */
  readonly timeSeconds: number;
  readonly microseconds: number;
  readonly words: readonly string[];
  readonly address: string;
  readonly clientName: string;
}

/** SLOWLOG: the latest commands that took longer than `slowlog-log-slower-than`, at most `slowlog-max-len` of them. */
export class SlowLog {
  private readonly entries = new Denque<SlowLogEntry>();
  private nextId = 0;
  private lengthMax = 0;

  get length(): number {
    return this.entries.length;
  }

  /** Sets how many entries are kept. As in Redis, those that are too many go when the next comes. */
  limit(lengthMax: number): void {
    this.lengthMax = lengthMax;
  }

  /** Notes a command. */
  add(entry: Omit<SlowLogEntry, 'id'>): void {
    if (this.lengthMax === 0) return;
    this.entries.unshift({ id: this.nextId++, ...entry });
    while (this.entries.length > this.lengthMax) this.entries.pop();
  }

  /** Up to `count` entries, the latest first. */
  latest(count: number): SlowLogEntry[] {
    const length = Math.min(count, this.entries.length);
    const result: SlowLogEntry[] = [];
    for (let i = 0; i < length; i++) {
      const entry = this.entries.peekAt(i);
      if (entry !== undefined) result.push(entry);
    }
    return result;
  }

  clear(): void {
    this.entries.clear();
  }
}
