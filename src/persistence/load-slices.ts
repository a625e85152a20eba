import type { ByteOffset } from '../memory/reference.js';

/** How long clients wait while a file is loaded, in ms. */
const SLICE_MS = 5;
/** How often it is asked whether a slice is over until somebody looks at the clock. */
const ASKED_PER_LOOK = 32;
/** A delay of `key-load-delay` that is shorter than this is made together with others, in microseconds. */
const DELAY_MICROSECONDS_MIN = 1000;

/** The directives that have a say; they may change while a file is loaded. */
export interface LoadSettings {
  /** Clients are served each time that so many bytes have been read. */
  readonly 'loading-process-events-interval-bytes': number;
  /** How long each key or command shall take, in microseconds, for tests; negative for a fraction of one. */
  readonly 'key-load-delay': number;
}

/**
 * Says when whoever loads a file is to let others go ahead: every few ms, and each `loading-process-events-interval-bytes`
 * if these come sooner. (For redis-server they are all that counts.)
 */
export class LoadSlices {
  private readonly settings: LoadSettings;
  private endMs = 0;
  private endPosition: ByteOffset = 0;
  private askedUntilLook = ASKED_PER_LOOK;
  private delayMicroseconds = 0;

  constructor(settings: LoadSettings) {
    this.settings = settings;
  }

  /** Begins a slice at a position in the file. */
  begin(position: ByteOffset): void {
    const interval = this.settings['loading-process-events-interval-bytes'];
    this.endMs = performance.now() + SLICE_MS;
    this.endPosition = (Math.floor(position / interval) + 1) * interval;
    this.askedUntilLook = ASKED_PER_LOOK;
    this.delayMicroseconds = 0;
  }

  /** Whether the slice is to end, now that so many further keys or commands are loaded, up to a position. */
  isOver(position: ByteOffset, units: number): boolean {
    const delay = this.settings['key-load-delay'];
    if (delay !== 0) {
      this.delayMicroseconds += units * (delay > 0 ? delay : -1 / delay);
      if (this.delayMicroseconds >= DELAY_MICROSECONDS_MIN) return true;
    }
    if (position >= this.endPosition) return true;
    if (--this.askedUntilLook > 0) return false;
    this.askedUntilLook = ASKED_PER_LOOK;
    return performance.now() >= this.endMs;
  }

  /** Lets others go ahead, for as long as `key-load-delay` makes of the slice at least. */
  async pause(): Promise<void> {
    const delayMs = this.delayMicroseconds / 1000;
    await new Promise<void>((resolve) => {
      if (delayMs >= 1) setTimeout(resolve, delayMs);
      else setImmediate(resolve);
    });
  }
}
