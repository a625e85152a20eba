import { equalBytes } from '../memory/bytes.js';
import { byteOffset, type Memory } from '../memory/memory.js';
import { type ByteLength, type ByteOffset, type Reference, SEGMENT_SHIFT } from '../memory/reference.js';

/**
 * An entry of a hash table is a block of its owner's, that says where its key is. There are two forms. In the usual one
 * the rest of the block is the owner's:
 *
 *     byte   1             2
 *     ┌ ─ ┬────────────┬──────────────────┬ ─ ─ ─ ─ ┬──────────────────────────┬ ─ ─ ─ ┬─────┬ ─ ─
 *       … │ key offset │ key length or 255│         │ u32 key length (when 255)│       │ key │
 *     └ ─ ┴────────────┴──────────────────┴ ─ ─ ─ ─ ┴──────────────────────────┴ ─ ─ ─ ┴─────┴ ─ ─
 *                                            the u32 is at key offset − 4
 *
 * A bare key is nothing but its length and the key:
 *
 *     byte   0        1                        0     1        4            8
 *     ┌────────────┬─────┐                   ┌─────┬────────┬────────────┬─────┐
 *     │ key length │ key │                   │ 255 │ unused │ u32 length │ key │      from 255 bytes on
 *     └────────────┴─────┘                   └─────┴────────┴────────────┴─────┘
 */

/** The key offset of an entry of the usual form, for those who write entries. */
export const KEY_OFFSET_BYTE: ByteOffset = 1;
/** The byte of an entry of the usual form that holds the key's length, or LONG_KEY. */
export const KEY_LENGTH_BYTE: ByteOffset = 2;
/** In place of a length: it is the 32-bit word that ends where the key starts, or 4 bytes before. */
export const LONG_KEY = 255;

/** Where a bare key starts, and where a long one does. */
const BARE_KEY_OFFSET: ByteOffset = 1;
const BARE_LONG_KEY_OFFSET: ByteOffset = 8;
const BARE_LONG_LENGTH_WORD = 1;

/** Reads the keys of entries, which all have one form. */
export class EntryKeys {
  private readonly memory: Memory;
  private readonly isBare: boolean;
  private readonly lengthByte: ByteOffset;

  constructor(memory: Memory, isBare: boolean) {
    this.memory = memory;
    this.isBare = isBare;
    this.lengthByte = isBare ? 0 : KEY_LENGTH_BYTE;
  }

  /** Where an entry's key starts, as a position in `memory.bytes[entry >>> SEGMENT_SHIFT]`. */
  offset(entry: Reference): ByteOffset {
    return this.start(this.memory.bytes[entry >>> SEGMENT_SHIFT], byteOffset(entry));
  }

  /** The length of an entry's key. */
  length(entry: Reference): ByteLength {
    const bytes = this.memory.bytes[entry >>> SEGMENT_SHIFT];
    const at = byteOffset(entry);
    const length = bytes[at + this.lengthByte];
    return length === LONG_KEY ? longKeyLength(bytes, this.start(bytes, at)) : length;
  }

  /** Whether an entry's key is these bytes. */
  equals(entry: Reference, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const stored = this.memory.bytes[entry >>> SEGMENT_SHIFT];
    const at = byteOffset(entry);
    const storedLength = stored[at + this.lengthByte];
    const key = this.start(stored, at);
    if (length < LONG_KEY) {
      if (storedLength !== length) return false;
    } else if (storedLength !== LONG_KEY || longKeyLength(stored, key) !== length) {
      return false;
    }
    return equalBytes(stored, key, bytes, offset, length);
  }

  private start(bytes: Uint8Array, at: ByteOffset): ByteOffset {
    if (!this.isBare) return at + bytes[at + KEY_OFFSET_BYTE];
    return at + (bytes[at] === LONG_KEY ? BARE_LONG_KEY_OFFSET : BARE_KEY_OFFSET);
  }
}

/** The bytes of the block for a bare key. */
export function bareKeyBytes(length: ByteLength): ByteLength {
  return length + (length < LONG_KEY ? BARE_KEY_OFFSET : BARE_LONG_KEY_OFFSET);
}

/** Writes the length of a bare key; returns where the key goes, as a position in the block's segment. */
export function writeBareKeyLength(memory: Memory, entry: Reference, length: ByteLength): ByteOffset {
  if (length < LONG_KEY) {
    memory.setByte(entry, 0, length);
    return byteOffset(entry) + BARE_KEY_OFFSET;
  }
  memory.setByte(entry, 0, LONG_KEY);
  memory.setWord(entry, BARE_LONG_LENGTH_WORD, length);
  return byteOffset(entry) + BARE_LONG_KEY_OFFSET;
}

function longKeyLength(bytes: Uint8Array, keyStart: ByteOffset): ByteLength {
  return (
    (bytes[keyStart - 4] |
      (bytes[keyStart - 3] << 8) |
      (bytes[keyStart - 2] << 16) |
      (bytes[keyStart - 1] << 24)) >>>
    0
  );
}
