import type { Memory } from '../memory/memory.js';
import type { ByteLength } from '../memory/reference.js';

/** What is to be asked or noted from time to time about memory, as INFO alone comes too late or too often. */
export class MemorySamples {
  /** Bytes in use when the server was ready, without any data. */
  readonly startupBytes: ByteLength;
  /** What the system says of the process. Asking takes some microseconds. */
  residentBytes: ByteLength;
  /** How much of the segments was ever in use: what is beyond has no memory of the machine behind it yet. */
  touchedBytes: ByteLength = 0;
  private readonly memory: Memory;

  constructor(memory: Memory) {
    this.memory = memory;
    this.startupBytes = memory.usedBytes;
    this.residentBytes = process.memoryUsage.rss();
  }

  /** Takes a sample: ten times a second. */
  sample(): void {
    this.residentBytes = process.memoryUsage.rss();
    this.noteTouched();
  }

  /** Brings `touchedBytes` up to date. */
  noteTouched(): void {
    const { occupiedBytes, segmentBytes } = this.memory;
    this.touchedBytes = Math.min(Math.max(this.touchedBytes, occupiedBytes), segmentBytes);
  }
}
