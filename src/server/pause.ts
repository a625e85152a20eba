import type { TimestampMs } from '../structures/deadlines.js';
import type { Client } from './client.js';
import { type CommandFlagBits, FLAG_MAY_REPLICATE, FLAG_WRITE } from './command-flags.js';

/** Which commands CLIENT PAUSE holds back. */
export type PauseMode = 'write' | 'all';

/** CLIENT PAUSE: until when which commands wait, and the clients that do. */
export class Pause {
  private untilMs: TimestampMs = 0;
  private mode: PauseMode = 'write';
  private timer: NodeJS.Timeout | undefined;
  private readonly waiting = new Set<Client>();
  private readonly resume: (client: Client) => void;
  private readonly activeChanged: (isActive: boolean) => void;

  /**
   * @param resume goes on with a client that waited
   * @param activeChanged is told when a pause begins and ends
   */
  constructor(resume: (client: Client) => void, activeChanged: (isActive: boolean) => void) {
    this.resume = resume;
    this.activeChanged = activeChanged;
  }

  get isActive(): boolean {
    return this.timer !== undefined;
  }

  /** How many clients wait for its end. */
  get waitingCount(): number {
    return this.waiting.size;
  }

  /** Milliseconds until the pause ends, or 0; and what waits until then. */
  remainingMs(nowMs: TimestampMs): number {
    return this.isActive ? Math.max(0, this.untilMs - nowMs) : 0;
  }

  get activeMode(): PauseMode {
    return this.mode;
  }

  /** Pauses until `untilMs`. A pause that is longer or stricter than what is asked for stays so. */
  start(mode: PauseMode, untilMs: TimestampMs, nowMs: TimestampMs): void {
    if (this.isActive) {
      if (this.mode === 'write') this.mode = mode;
      this.untilMs = Math.max(this.untilMs, untilMs);
      clearTimeout(this.timer);
    } else {
      this.mode = mode;
      this.untilMs = untilMs;
    }
    this.arm(nowMs);
    this.activeChanged(true);
  }

  /** Ends the pause: every client that waited goes on. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.activeChanged(false);
    const clients = [...this.waiting];
    this.waiting.clear();
    for (const client of clients) {
      client.isPostponed = false;
      if (!client.isClosed) this.resume(client);
    }
  }

  /** Whether a command with some flags has to wait. */
  holds(flags: CommandFlagBits): boolean {
    if (!this.isActive) return false;
    return this.mode === 'all' || (flags & (FLAG_WRITE | FLAG_MAY_REPLICATE)) !== 0;
  }

  /** Notes a client whose command waits. */
  add(client: Client): void {
    this.waiting.add(client);
  }

  remove(client: Client): void {
    this.waiting.delete(client);
  }

  private arm(nowMs: TimestampMs): void {
    const delayMs = Math.min(Math.max(this.untilMs - nowMs, 0), 0x7fffffff);
    this.timer = setTimeout(() => {
      const now = Date.now();
      if (now < this.untilMs) this.arm(now);
      else this.end();
    }, delayMs);
    this.timer.unref();
  }
}
