/**
 * The bytes of a listpack, as Redis lays them out in memory, in RDB files and in DUMP payloads
 * (https://github.com/antirez/listpack, and listpack.c of Redis).
 *
 *     byte 0            4           6
 *     ┌─────────────────┬───────────┬─────────┬─────────┬─ ─ ┬──────┐
 *     │ total bytes u32 │ count u16 │ entry 0 │ entry 1 │    │ 0xFF │     little endian
 *     └─────────────────┴───────────┴─────────┴─────────┴─ ─ ┴──────┘
 *
 * The total counts every byte, from the header to the end. A count of 65535 means "that many or more: count them".
 *
 *     entry:  ┌──────────┬─────────┬─────────┐
 *             │ encoding │ content │ backlen │      "encoded length" is that of encoding and content
 *             └──────────┴─────────┴─────────┘
 *
 *     0xxxxxxx                                           integer 0 … 127
 *     10LLLLLL  content                                  string of up to 63 bytes
 *     110xxxxx  xxxxxxxx                                 integer −4096 … 4095, high bits first
 *     1110LLLL  LLLLLLLL  content                        string of up to 4095 bytes, high bits first
 *     11110000  u32 length, little endian  content       longer string
 *     11110001  11110010  11110011  11110100             integer of 16, 24, 32, 64 bits, little endian
 *     11111111                                           end of the listpack
 *
 * Integers are in two's complement. What spells a canonical integer is stored as one, in the shortest encoding.
 *
 * The backlen is the encoded length in groups of 7 bits, high group first; every byte but the first has its top bit
 * set, so that a reader that comes from the right knows where it starts:
 *
 *     encoded length 300 = 0b10_0101100:   ┌──────────┬──────────┐
 *                                          │ 00000010 │ 10101100 │
 *                                          └──────────┴──────────┘
 */

import { copyBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Int32Word } from '../protocol/integers.js';

/** Where the first entry starts: behind the header. */
export const LISTPACK_HEADER_BYTES: ByteLength = 6;

/** Bytes of a listpack without entries: header and end. */
export const LISTPACK_EMPTY_BYTES: ByteLength = LISTPACK_HEADER_BYTES + 1;

/** The count in the header that stands for "this many or more". */
export const LISTPACK_COUNT_UNKNOWN = 65535;

/** No listpack may take more, 1 GiB: Redis's limit too. */
export const LISTPACK_BYTES_MAX: ByteLength = 2 ** 30;

/** Where the count stands in the header. */
const COUNT_OFFSET: ByteOffset = 4;

/** The byte behind the last entry. */
export const LISTPACK_END = 0xff;

/** The first byte of an entry is below this for an integer of 7 bits, … */
export const STRING_6 = 0x80;
/** … below this for a string with a length of 6 bits, … */
export const INTEGER_13 = 0xc0;
/** … below this for an integer of 13 bits, … */
export const STRING_12 = 0xe0;
/** … and below this for a string with a length of 12 bits. The encodings from here on are single values. */
export const STRING_32 = 0xf0;
const INTEGER_16 = 0xf1;
const INTEGER_24 = 0xf2;
const INTEGER_32 = 0xf3;
const INTEGER_64 = 0xf4;

const STRING_6_LENGTH_MAX = 63;
const STRING_12_LENGTH_MAX = 4095;

/** The encoded length where the backlen takes 2, 3, 4 and 5 bytes; Redis gives each a byte a value early. */
const BACKLEN_2 = 128;
const BACKLEN_3 = 16383;
const BACKLEN_4 = 2097151;
const BACKLEN_5 = 268435455;

/** The total in the header of the listpack that starts at `start`. */
export function readTotalBytes(bytes: Uint8Array, start: ByteOffset): ByteLength {
  return (bytes[start] | (bytes[start + 1] << 8) | (bytes[start + 2] << 16) | (bytes[start + 3] << 24)) >>> 0;
}

/** Sets the total in the header of the listpack that starts at `start`. */
export function writeTotalBytes(bytes: Uint8Array, start: ByteOffset, total: ByteLength): void {
  bytes[start] = total;
  bytes[start + 1] = total >> 8;
  bytes[start + 2] = total >> 16;
  bytes[start + 3] = total >> 24;
}

/** The count in the header of the listpack that starts at `start`: LISTPACK_COUNT_UNKNOWN says nothing exact. */
export function readCount(bytes: Uint8Array, start: ByteOffset): number {
  return bytes[start + COUNT_OFFSET] | (bytes[start + COUNT_OFFSET + 1] << 8);
}

/** Sets the count in the header of the listpack that starts at `start`; what it cannot hold becomes unknown. */
export function writeCount(bytes: Uint8Array, start: ByteOffset, count: number): void {
  const stored = Math.min(count, LISTPACK_COUNT_UNKNOWN);
  bytes[start + COUNT_OFFSET] = stored;
  bytes[start + COUNT_OFFSET + 1] = stored >> 8;
}

/** Whether the entry at `at` holds an integer. */
export function isIntegerEntry(bytes: Uint8Array, at: ByteOffset): boolean {
  const head = bytes[at];
  if (head < STRING_12) return head < STRING_6 || head >= INTEGER_13;
  return head > STRING_32;
}

/**
 * The encoded length of the entry at `at`, from its first bytes; 1 for the end of the listpack, and 0 for a byte that
 * starts no entry.
 */
export function encodedLengthAt(bytes: Uint8Array, at: ByteOffset): ByteLength {
  const head = bytes[at];
  if (head < STRING_6) return 1;
  if (head < INTEGER_13) return 1 + (head & 0x3f);
  if (head < STRING_12) return 2;
  if (head < STRING_32) return 2 + (((head & 0x0f) << 8) | bytes[at + 1]);
  switch (head) {
    case STRING_32:
      return 5 + readTotalBytes(bytes, at + 1);
    case INTEGER_16:
      return 3;
    case INTEGER_24:
      return 4;
    case INTEGER_32:
      return 5;
    case INTEGER_64:
      return 9;
    case LISTPACK_END:
      return 1;
    default:
      return 0;
  }
}

/** How many bytes the backlen of an entry of this encoded length takes, 1 to 5. */
export function backlenLength(encodedLength: ByteLength): ByteLength {
  if (encodedLength < BACKLEN_2) return 1;
  if (encodedLength < BACKLEN_3) return 2;
  if (encodedLength < BACKLEN_4) return 3;
  return encodedLength < BACKLEN_5 ? 4 : 5;
}

/** The bytes of a whole entry of this encoded length, backlen included. */
export function entryLength(encodedLength: ByteLength): ByteLength {
  return encodedLength + backlenLength(encodedLength);
}

/** The length of the whole entry at `at`. */
export function entryLengthAt(bytes: Uint8Array, at: ByteOffset): ByteLength {
  return entryLength(encodedLengthAt(bytes, at));
}

/** Writes the backlen of an entry of this encoded length at `at`. */
export function writeBacklen(bytes: Uint8Array, at: ByteOffset, encodedLength: ByteLength): void {
  let position = at + backlenLength(encodedLength) - 1;
  let rest = encodedLength;
  for (; position > at; position--) {
    bytes[position] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at] = rest;
}

/** The encoded length that the backlen says whose last byte is at `last`, or −1 when it is longer than 5 bytes. */
export function readBacklen(bytes: Uint8Array, last: ByteOffset): ByteLength {
  let length = 0;
  let position = last;
  for (let shift = 0; shift <= 28; shift += 7, position--) {
    const byte = bytes[position];
    length += (byte & 0x7f) * (1 << shift);
    if (byte < 0x80) return length;
  }
  return -1;
}

/** The encoded length of a string that does not spell an integer. */
export function encodedStringLength(length: ByteLength): ByteLength {
  if (length <= STRING_6_LENGTH_MAX) return 1 + length;
  return length <= STRING_12_LENGTH_MAX ? 2 + length : 5 + length;
}

/** Writes encoding and content of a string at `at`. */
export function writeString(
  bytes: Uint8Array,
  at: ByteOffset,
  source: Uint8Array,
  sourceOffset: ByteOffset,
  length: ByteLength,
): void {
  let content = at + 1;
  if (length <= STRING_6_LENGTH_MAX) {
    bytes[at] = STRING_6 | length;
  } else if (length <= STRING_12_LENGTH_MAX) {
    bytes[at] = STRING_12 | (length >> 8);
    bytes[at + 1] = length;
    content = at + 2;
  } else {
    bytes[at] = STRING_32;
    writeTotalBytes(bytes, at + 1, length);
    content = at + 5;
  }
  copyBytes(source, sourceOffset, bytes, content, length);
}

/** The encoded length of an integer, which is given in two words. */
export function encodedIntegerLength(low: Int32Word, high: Int32Word): ByteLength {
  if (high !== low >> 31) return 9;
  if (low >= -4096 && low <= 4095) return low >= 0 && low <= 127 ? 1 : 2;
  if (low >= -32768 && low <= 32767) return 3;
  return low >= -8388608 && low <= 8388607 ? 4 : 5;
}

/** Writes encoding and content of an integer at `at`, given the length that `encodedIntegerLength` says. */
export function writeInteger(
  bytes: Uint8Array,
  at: ByteOffset,
  low: Int32Word,
  high: Int32Word,
  encodedLength: ByteLength,
): void {
  if (encodedLength === 1) {
    bytes[at] = low;
    return;
  }
  if (encodedLength === 2) {
    bytes[at] = INTEGER_13 | ((low >> 8) & 0x1f);
    bytes[at + 1] = low;
    return;
  }
  bytes[at + 1] = low;
  bytes[at + 2] = low >> 8;
  if (encodedLength === 3) {
    bytes[at] = INTEGER_16;
    return;
  }
  bytes[at + 3] = low >> 16;
  if (encodedLength === 4) {
    bytes[at] = INTEGER_24;
    return;
  }
  bytes[at + 4] = low >> 24;
  if (encodedLength === 5) {
    bytes[at] = INTEGER_32;
    return;
  }
  bytes[at] = INTEGER_64;
  writeTotalBytes(bytes, at + 5, high);
}

/** The low word of the integer entry at `at`. */
export function integerLow(bytes: Uint8Array, at: ByteOffset): Int32Word {
  const head = bytes[at];
  if (head < STRING_6) return head;
  if (head < STRING_12) return ((((head & 0x1f) << 8) | bytes[at + 1]) << 19) >> 19;
  const low16 = bytes[at + 1] | (bytes[at + 2] << 8);
  if (head === INTEGER_16) return (low16 << 16) >> 16;
  if (head === INTEGER_24) return low16 | ((bytes[at + 3] << 24) >> 8);
  return low16 | (bytes[at + 3] << 16) | (bytes[at + 4] << 24);
}

/** The high word of the integer entry at `at`, whose low word is `low`. */
export function integerHigh(bytes: Uint8Array, at: ByteOffset, low: Int32Word): Int32Word {
  return bytes[at] === INTEGER_64 ? readTotalBytes(bytes, at + 5) | 0 : low >> 31;
}
