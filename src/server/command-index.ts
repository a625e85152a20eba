/**
 * Finds a command by the bytes of its name, in any case, without making a string: an open-addressed hash table that is
 * built once and only read afterwards. Nearly every name has at most eight bytes, which are hashed and compared as two
 * 32-bit words; only what a longer name has behind them is compared byte by byte.
 *
 *     #words    | bytes 0–3 | bytes 4–7 | fold of bytes 0–3 | fold of bytes 4–7 |  …  4 words a slot, little endian
 *     #lengths  | length of the name, 0 for an empty slot |  …                       1 byte a slot
 *
 * The fold of a byte is 0x20 for a letter and 0 for anything else. A byte b of a request equals a byte n of a name when
 * (b | fold) = n: for a letter that accepts both cases.
 */
import type { ByteLength, ByteOffset } from '../memory/reference.js';

/** Slots per command, at least: mostly empty slots mean that a name is nearly always in its first slot. */
const SLOTS_PER_COMMAND = 4;
const WORDS_PER_SLOT = 4;
/** The bytes of a name that are hashed, and compared as words. */
const HEAD_BYTES = 8;
const LOWER_CASE_BIT = 0x20;
const LOWER_CASE_BITS = 0x20202020;
/** 2^32 divided by the golden ratio, odd, and another odd number: they spread the bits of what they multiply. */
const MULTIPLIER = 0x9e3779b1;
const SECOND_MULTIPLIER = 0x85ebca6b;

/** What a name of n bytes has of the first and of the second word, n up to 8. */
const FIRST_WORD_MASK = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
const SECOND_WORD_MASK = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);

/** A read-only table from names, which are lower case, to commands. */
export class CommandIndex<T> {
  readonly #words: Int32Array;
  readonly #lengths: Uint8Array;
  /** By slot; those of empty slots are empty and undefined. */
  readonly #names: Uint8Array[];
  readonly #commands: (T | undefined)[];
  readonly #slotMask: number;
  readonly #lengthMax: ByteLength;

  /** Each character of a name is a byte (latin1). Throws an Error when a name is empty or longer than 255 bytes. */
  constructor(byName: ReadonlyMap<string, T>) {
    const slotCount = 2 ** Math.ceil(Math.log2(byName.size * SLOTS_PER_COMMAND + 1));
    this.#slotMask = slotCount - 1;
    this.#words = new Int32Array(slotCount * WORDS_PER_SLOT);
    this.#lengths = new Uint8Array(slotCount);
    this.#names = new Array<Uint8Array>(slotCount).fill(new Uint8Array(0));
    this.#commands = new Array<T | undefined>(slotCount).fill(undefined);
    let lengthMax = 0;
    for (const [name, command] of byName) {
      if (name.length === 0 || name.length > 255) throw new Error(`impossible command name '${name}'`);
      this.#insert(Uint8Array.from(Buffer.from(name, 'latin1')), command);
      lengthMax = Math.max(lengthMax, name.length);
    }
    this.#lengthMax = lengthMax;
  }

  /** The command whose name is the `length` bytes from `offset`, or undefined. */
  find(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): T | undefined {
    if (length > this.#lengthMax) return undefined;
    const first = firstWord(bytes, offset, length);
    const second = secondWord(bytes, offset, length);
    const words = this.#words;
    const lengths = this.#lengths;
    let slot = hash(first, second, length) & this.#slotMask;
    while (lengths[slot] !== 0) {
      const at = slot * WORDS_PER_SLOT;
      if (
        lengths[slot] === length &&
        (first | words[at + 2]) === words[at] &&
        (second | words[at + 3]) === words[at + 1] &&
        (length <= HEAD_BYTES || this.#hasTail(slot, bytes, offset, length))
      ) {
        return this.#commands[slot];
      }
      slot = (slot + 1) & this.#slotMask;
    }
    return undefined;
  }

  /** Whether the bytes behind the first eight are those of the name in `slot`, which has the same length. */
  #hasTail(slot: number, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const name = this.#names[slot];
    for (let i = HEAD_BYTES; i < length; i++) {
      if ((bytes[offset + i] | fold(name[i])) !== name[i]) return false;
    }
    return true;
  }

  #insert(name: Uint8Array, command: T): void {
    const first = firstWord(name, 0, name.length);
    const second = secondWord(name, 0, name.length);
    let slot = hash(first, second, name.length) & this.#slotMask;
    while (this.#lengths[slot] !== 0) slot = (slot + 1) & this.#slotMask;
    const folds = name.map(fold);
    const at = slot * WORDS_PER_SLOT;
    this.#words[at] = first;
    this.#words[at + 1] = second;
    this.#words[at + 2] = firstWord(folds, 0, folds.length);
    this.#words[at + 3] = secondWord(folds, 0, folds.length);
    this.#lengths[slot] = name.length;
    this.#names[slot] = name;
    this.#commands[slot] = command;
  }
}

/** Up to four bytes from `offset` as a word. Bytes behind the name are read too, if there are any, and masked away. */
function firstWord(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
  return (
    (bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)) &
    FIRST_WORD_MASK[length < HEAD_BYTES ? length : HEAD_BYTES]
  );
}

/** The four bytes behind those of `firstWord`, in the same way. */
function secondWord(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
  if (length <= 4) return 0;
  return (
    (bytes[offset + 4] | (bytes[offset + 5] << 8) | (bytes[offset + 6] << 16) | (bytes[offset + 7] << 24)) &
    SECOND_WORD_MASK[length < HEAD_BYTES ? length : HEAD_BYTES]
  );
}

/** Equal for names that differ in case only. Not keyed: nobody else chooses the names in the table. */
function hash(first: number, second: number, length: ByteLength): number {
  const mixed = Math.imul((second | LOWER_CASE_BITS) + length, SECOND_MULTIPLIER) ^ (first | LOWER_CASE_BITS);
  return Math.imul(mixed, MULTIPLIER) >>> 16;
}

function fold(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? LOWER_CASE_BIT : 0;
}
