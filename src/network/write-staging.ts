import { copyBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';

/** Up to this length, writes are staged. */
export const STAGED_BYTES_MAX: ByteLength = 16 * 1024;
/** Up to this length, the view of a staged write is kept for the next of the same length. */
const KEPT_VIEW_BYTES_MAX: ByteLength = 256;

/**
 * Where the bytes of small writes are put together, because what is handed to libuv must be a view, and must
 * stay as it is when the system does not take all of it.
 *
 *     buffer   │ $5\r\nhello\r\n │ …
 *              └─ a view of 11 ──┘   views of its beginnings are made once for each short length
 */
export class WriteStaging {
  private buffer = new Uint8Array(STAGED_BYTES_MAX);
  private views: (Uint8Array | undefined)[] = new Array(KEPT_VIEW_BYTES_MAX + 1).fill(undefined);

  /** A view of a copy of the bytes, which is valid until the next call. `length` ≤ STAGED_BYTES_MAX. */
  stage(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): Uint8Array {
    copyBytes(bytes, offset, this.buffer, 0, length);
    if (length > KEPT_VIEW_BYTES_MAX) return this.buffer.subarray(0, length);
    let view = this.views[length];
    if (view === undefined) {
      view = this.buffer.subarray(0, length);
      this.views[length] = view;
    }
    return view;
  }

  /** Leaves the last view to whoever still reads from it: what is staged from now on goes elsewhere. */
  giveAway(): void {
    this.buffer = new Uint8Array(STAGED_BYTES_MAX);
    this.views.fill(undefined);
  }
}
