import type { ByteLength, ByteOffset } from '../memory/reference.js';
import {
  encodedLengthAt,
  entryLength,
  LISTPACK_COUNT_UNKNOWN,
  LISTPACK_EMPTY_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  readBacklen,
  readCount,
  readTotalBytes,
  STRING_12,
  STRING_32,
} from './listpack-encoding.js';

/**
 * Whether `length` bytes from `offset` are a listpack: what comes from a DUMP payload or an RDB file is not trusted.
 * Always checks the header and the end; `isDeep`, every entry and that their count is the header's. Only a listpack
 * that passed the deep check can be read without reading bytes that are not its own. As lpValidateIntegrity of Redis.
 */
export function isValidListpack(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
  isDeep: boolean,
): boolean {
  if (length < LISTPACK_EMPTY_BYTES || readTotalBytes(bytes, offset) !== length) return false;
  const end = offset + length - 1;
  if (bytes[end] !== LISTPACK_END) return false;
  return !isDeep || hasValidEntries(bytes, offset, end);
}

function hasValidEntries(bytes: Uint8Array, offset: ByteOffset, end: ByteOffset): boolean {
  let count = 0;
  let at = offset + LISTPACK_HEADER_BYTES;
  for (; bytes[at] !== LISTPACK_END; count++) {
    if (at + prefixLength(bytes[at]) > end) return false;
    const encoded = encodedLengthAt(bytes, at);
    if (encoded === 0) return false;
    at += entryLength(encoded);
    if (at > end || readBacklen(bytes, at - 1) !== encoded) return false;
  }
  const stated = readCount(bytes, offset);
  return at === end && (stated === LISTPACK_COUNT_UNKNOWN || stated === count);
}

/** How many bytes at the start of an entry say how long it is. */
function prefixLength(head: number): ByteLength {
  if (head === STRING_32) return 5;
  return head >= STRING_12 && head < STRING_32 ? 2 : 1;
}
