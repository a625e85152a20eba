import { writeSync } from 'node:fs';
import type { ByteLength, ByteOffset } from '../memory/reference.js';

/** What `sendNow` returns when the connection is broken. */
export const SEND_FAILED = -1;

/** Writes to a non-blocking descriptor what the system takes at once: how many bytes, or SEND_FAILED. */
export function sendNow(fd: number, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
  try {
    return writeSync(fd, bytes, offset, length);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EAGAIN' || code === 'EWOULDBLOCK' ? 0 : SEND_FAILED;
  }
}
