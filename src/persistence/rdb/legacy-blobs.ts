import type { ByteLength, ByteOffset } from '../../memory/reference.js';

/**
 * The compact forms of Redis before listpacks, of which only the elements are wanted any more.
 *
 *     ziplist:  u32 bytes │ u32 tail │ u16 count │ entry… │ 0xFF
 *     entry:    length of the entry before (1 byte, or 0xFE and u32) │ encoding │ content
 *     zipmap:   u8 count │ (length │ key │ length │ u8 free │ value │ free bytes)… │ 0xFF
 *     length:   1 byte below 0xFE, or 0xFE and u32
 *
 * Both functions return undefined for bytes that are not of the form: nothing outside of them is ever read.
 */

const ZIPLIST_HEADER_BYTES = 10;
const END = 0xff;
const LARGE = 0xfe;

/** The elements of a ziplist, in order; integers as their digits. */
export function readZiplist(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
): Uint8Array[] | undefined {
  if (length < ZIPLIST_HEADER_BYTES + 1) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  if (view.getUint32(0, true) !== length || view.getUint8(length - 1) !== END) return undefined;
  const elements: Uint8Array[] = [];
  let at = ZIPLIST_HEADER_BYTES;
  let previous = 0;
  let tail = ZIPLIST_HEADER_BYTES;
  try {
    while (view.getUint8(at) !== END) {
      const start = at;
      const isLarge = view.getUint8(at) === LARGE;
      const before = isLarge ? view.getUint32(at + 1, true) : view.getUint8(at);
      if (before !== previous) return undefined;
      at += isLarge ? 5 : 1;
      const entry = readZiplistEntry(view, at);
      if (entry === undefined || entry.end > length - 1) return undefined;
      elements.push(entry.element);
      at = entry.end;
      previous = at - start;
      tail = start;
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined; // beyond the end
    throw error;
  }
  if (at !== length - 1 || view.getUint32(4, true) !== tail) return undefined;
  const count = view.getUint16(8, true);
  return count === elements.length || count === 0xffff ? elements : undefined;
}

/** The element whose encoding byte is at `at`, and where it ends. @throws RangeError beyond the end */
function readZiplistEntry(
  view: DataView,
  at: ByteOffset,
): { element: Uint8Array; end: ByteOffset } | undefined {
  const first = view.getUint8(at);
  switch (first >> 6) {
    case 0:
      return slice(view, at + 1, first & 63);
    case 1:
      return slice(view, at + 2, ((first & 63) << 8) | view.getUint8(at + 1));
    case 2:
      return slice(view, at + 5, view.getUint32(at + 1, false));
    default:
      break;
  }
  switch (first) {
    case 0xc0:
      return digits(view.getInt16(at + 1, true), at + 3);
    case 0xd0:
      return digits(view.getInt32(at + 1, true), at + 5);
    case 0xe0:
      return digits(view.getBigInt64(at + 1, true), at + 9);
    case 0xf0:
      return digits(view.getUint16(at + 1, true) | (view.getInt8(at + 3) << 16) | 0, at + 4);
    case 0xfe:
      return digits(view.getInt8(at + 1), at + 2);
    default:
      return first >= 0xf1 && first <= 0xfd ? digits((first & 15) - 1, at + 1) : undefined;
  }
}

/** The keys and values of a zipmap, by turns. */
export function readZipmap(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
): Uint8Array[] | undefined {
  if (length < 2 || bytes[offset + length - 1] !== END) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  const elements: Uint8Array[] = [];
  let at = 1;
  try {
    while (view.getUint8(at) !== END) {
      const key = readZipmapLength(view, at);
      const keyPart = slice(view, key.end, key.length);
      if (keyPart === undefined) return undefined;
      const value = readZipmapLength(view, keyPart.end);
      const free = view.getUint8(value.end);
      const valuePart = slice(view, value.end + 1, value.length);
      if (valuePart === undefined || valuePart.end + free > length - 1) return undefined;
      elements.push(keyPart.element, valuePart.element);
      at = valuePart.end + free;
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const count = view.getUint8(0);
  const isCounted = count === LARGE || count === elements.length / 2;
  return at === length - 1 && isCounted ? elements : undefined;
}

function readZipmapLength(view: DataView, at: ByteOffset): { length: ByteLength; end: ByteOffset } {
  const first = view.getUint8(at);
  if (first < LARGE) return { length: first, end: at + 1 };
  return { length: view.getUint32(at + 1, true), end: at + 5 };
}

function slice(
  view: DataView,
  at: ByteOffset,
  length: ByteLength,
): { element: Uint8Array; end: ByteOffset } | undefined {
  if (at + length > view.byteLength) return undefined;
  return { element: new Uint8Array(view.buffer, view.byteOffset + at, length).slice(), end: at + length };
}

function digits(value: number | bigint, end: ByteOffset): { element: Uint8Array; end: ByteOffset } {
  return { element: Buffer.from(String(value)), end };
}
