/** Replies with elements of a listpack, straight from its bytes: HGETALL of small hashes, and the like. */
import { copyBytes } from '../memory/bytes.js';
import { byteOffset, type Memory } from '../memory/memory.js';
import { type ByteLength, type ByteOffset, SEGMENT_SHIFT } from '../memory/reference.js';
import {
  decimalLength,
  INT64_DECIMAL_LENGTH_MAX,
  writeInt64FromWords,
  writeSafeInteger,
} from '../protocol/integers.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import {
  encodedLengthAt,
  entryLength,
  entryLengthAt,
  INTEGER_13,
  integerHigh,
  integerLow,
  isIntegerEntry,
  LISTPACK_END,
  readTotalBytes,
  STRING_6,
  STRING_32,
} from '../structures/listpack-encoding.js';
import type { ListpackPosition, ListpackReference } from '../structures/listpack-reader.js';

/** An element as a bulk string takes at most so much more than its entry: `$`, a length, line ends, digits. */
const EXPANSION_BYTES_MAX = 32;

const BULK = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const LINE_END = CR | (LF << 8);

/** By length up to 63, the first four bytes of a bulk string's header, in the order of little endian. */
const SHORT_HEADERS = Int32Array.from({ length: 64 }, (_, length) =>
  Buffer.from(`$${length}\r\n`, 'latin1').readInt32LE(0),
);

/** The digits of an integer beyond 32 bits. */
const digits = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);

/**
 * Writes up to `count` elements of a listpack as bulk strings, from a position on: `taken` of them, none of the next
 * `skipped`, and so on. With 1 and 1, the fields of a hash; with 1 and 0, everything. Returns how many there were.
 */
export function replyElements(
  reply: ReplyWriter,
  memory: Memory,
  listpack: ListpackReference,
  position: ListpackPosition,
  count: number,
  taken: number,
  skipped: number,
): number {
  const source = memory.bytes[listpack >>> SEGMENT_SHIFT];
  const start = byteOffset(listpack);
  reply.reserve(longestReply(readTotalBytes(source, start), count));
  const target = reply.bytes;
  const sourceView = memory.views[listpack >>> SEGMENT_SHIFT];
  const targetView = reply.view;
  let to = reply.position;
  let at = start + position;
  let left = taken;
  let written = 0;
  for (let head = source[at]; head !== LISTPACK_END && written < count; head = source[at]) {
    if (left === 0) {
      for (let i = 0; i < skipped && source[at] !== LISTPACK_END; i++) at += entryLengthAt(source, at);
      left = taken;
      continue;
    }
    left--;
    written++;
    if (head >= STRING_6 && head < INTEGER_13) {
      const length = head & 0x3f;
      to = writeShortBulk(targetView, to, sourceView, at + 1, length);
      at += length + 2;
    } else if (isIntegerEntry(source, at)) {
      const low = integerLow(source, at);
      to = writeInteger(target, to, low, integerHigh(source, at, low));
      at += entryLengthAt(source, at);
    } else {
      const prefix = head === STRING_32 ? 5 : 2;
      const encoded = encodedLengthAt(source, at);
      to = writeBulk(target, to, source, at + prefix, encoded - prefix);
      at += entryLength(encoded);
    }
  }
  reply.position = to;
  return written;
}

/** The most bytes that so many elements, or all, of a listpack of so many bytes take in a reply. None has below two. */
function longestReply(listpackBytes: ByteLength, count: number): ByteLength {
  const elements = Math.min(count, listpackBytes >>> 1);
  return listpackBytes + elements * EXPANSION_BYTES_MAX;
}

/**
 * Writes a bulk string of up to 63 bytes, and returns the offset behind it. Four bytes at a time take half the time of
 * single ones: 13 ns instead of 24 for 32 bytes, measured on Node 20.
 */
function writeShortBulk(
  target: DataView,
  to: ByteOffset,
  source: DataView,
  offset: ByteOffset,
  length: ByteLength,
): ByteOffset {
  target.setInt32(to, SHORT_HEADERS[length], true);
  target.setUint8(to + 4, LF);
  let position = (to + (length < 10 ? 4 : 5)) | 0;
  let from = offset | 0;
  const end = (offset + length) | 0;
  for (; from <= end - 16; from = (from + 16) | 0, position = (position + 16) | 0) {
    target.setInt32(position, source.getInt32(from, true), true);
    target.setInt32(position + 4, source.getInt32(from + 4, true), true);
    target.setInt32(position + 8, source.getInt32(from + 8, true), true);
    target.setInt32(position + 12, source.getInt32(from + 12, true), true);
  }
  for (; from <= end - 4; from = (from + 4) | 0, position = (position + 4) | 0) {
    target.setInt32(position, source.getInt32(from, true), true);
  }
  for (; from < end; from = (from + 1) | 0, position = (position + 1) | 0) {
    target.setUint8(position, source.getUint8(from));
  }
  target.setUint16(position, LINE_END, true);
  return position + 2;
}

/** Writes a bulk string, and returns the offset behind it. */
function writeBulk(
  target: Uint8Array,
  to: ByteOffset,
  source: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
): ByteOffset {
  const content = writeHeader(target, to, length);
  copyBytes(source, offset, target, content, length);
  return writeLineEnd(target, content + length);
}

/** Writes an integer of two words as a bulk string of its digits, and returns the offset behind it. */
function writeInteger(target: Uint8Array, to: ByteOffset, low: number, high: number): ByteOffset {
  if (high !== low >> 31) {
    return writeBulk(target, to, digits, 0, writeInt64FromWords(digits, 0, low, high));
  }
  const content = writeHeader(target, to, decimalLength(low));
  return writeLineEnd(target, writeSafeInteger(target, content, low));
}

function writeHeader(target: Uint8Array, to: ByteOffset, length: ByteLength): ByteOffset {
  target[to] = BULK;
  let position = to + 1;
  if (length < 10) target[position++] = ZERO + length;
  else position = writeSafeInteger(target, position, length);
  return writeLineEnd(target, position);
}

function writeLineEnd(target: Uint8Array, to: ByteOffset): ByteOffset {
  target[to] = CR;
  target[to + 1] = LF;
  return to + 2;
}
