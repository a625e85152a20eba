import type { ByteLength } from '../../memory/reference.js';
import { RdbOutput } from './output.js';

/** What was written and cannot go into the file yet. It stays in memory until it is released. */
export class HeldOutput {
  readonly output: RdbOutput;
  private chunks: Uint8Array[] = [];
  private chunkBytes: ByteLength = 0;

  /** @param compresses `rdbcompression` */
  constructor(compresses: boolean) {
    this.output = new RdbOutput((bytes, length) => {
      // Not `slice`, which of a Buffer is no copy.
      this.chunks.push(new Uint8Array(bytes.subarray(0, length)));
      this.chunkBytes += length;
    }, false);
    this.output.compresses = compresses;
  }

  /** Bytes that are held, but for less than a chunk. */
  get byteLength(): ByteLength {
    return this.chunkBytes;
  }

  /** Moves what is held to where it belongs. */
  release(target: RdbOutput): void {
    this.output.flush();
    for (const chunk of this.chunks) target.raw(chunk, 0, chunk.length);
    this.chunks = [];
    this.chunkBytes = 0;
  }
}
