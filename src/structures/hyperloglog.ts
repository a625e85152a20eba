import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Int32Word } from '../protocol/integers.js';
import { MurmurHash } from './murmur-hash.js';

/**
 * HyperLogLogs: how many different elements were seen, in at most 12 kB and with an error of 0.81 %. They are strings,
 * with these bytes, which are Redis's:
 *
 *     byte 0         4          5             8                    16
 *     ┌──────────────┬──────────┬─────────────┬────────────────────┬─ ─
 *     │ "HYLL"       │ encoding │ unused (3)  │ cardinality u64    │ registers
 *     └──────────────┴──────────┴─────────────┴────────────────────┴─ ─
 *       encoding      0: dense (hyperloglog-dense.ts), 1: sparse (hyperloglog-sparse.ts)
 *       cardinality   what was counted last, little endian; the top bit of its last byte says that it is out of date
 *
 * There are 2^14 registers. The hash of an element chooses one with its low 14 bits; the register keeps the longest run
 * of zeros, plus one, that any of its elements had in the other 50 bits, from the lowest on. Algorithm: Flajolet, Fusy,
 * Gandouet and Meunier, "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm", 2007; with a
 * 64-bit hash after Heule, Nunkesser and Hall, "HyperLogLog in practice", 2013.
 */

/** The bytes before the registers. */
export const HEADER_BYTES: ByteLength = 16;

/** How many bits of the hash choose the register. */
const REGISTER_NUMBER_BITS = 14;

/** How many registers there are. */
export const REGISTERS = 1 << REGISTER_NUMBER_BITS;

/** The bits of the hash in which zeros are counted. */
export const PATTERN_BITS = 64 - REGISTER_NUMBER_BITS;

/** The bits of a register in the dense encoding: values to 63, though elements make none above 51. */
export const REGISTER_BITS = 6;

/** Values that a register of 6 bits can have. */
export const REGISTER_VALUES = 1 << REGISTER_BITS;

/** The length of every HyperLogLog in the dense encoding. */
export const DENSE_BYTES: ByteLength = HEADER_BYTES + (REGISTERS * REGISTER_BITS) / 8;

/** The encodings, as the header has them. */
export const ENCODING_DENSE = 0;
export const ENCODING_SPARSE = 1;

/** The value of one register: 0 while it has seen nothing. */
export type RegisterValue = number;

const ENCODING_OFFSET: ByteOffset = 4;
const CARDINALITY_OFFSET: ByteOffset = 8;
/** The byte whose top bit says that the cardinality is out of date. */
const VALIDITY_OFFSET: ByteOffset = 15;
const OUT_OF_DATE = 0x80;

/** "HYLL", by bytes. */
const MAGIC = [0x48, 0x59, 0x4c, 0x4c] as const;

/** Redis's seed of the hash. */
const HASH_SEED = 0xadc83b19;

/** Whether a string may be a HyperLogLog: it has such a header, and when it is dense, the length. */
export function isHyperLogLog(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
  if (length < HEADER_BYTES) return false;
  const hasMagic =
    bytes[offset] === MAGIC[0] &&
    bytes[offset + 1] === MAGIC[1] &&
    bytes[offset + 2] === MAGIC[2] &&
    bytes[offset + 3] === MAGIC[3];
  if (!hasMagic) return false;
  const encoding = bytes[offset + ENCODING_OFFSET];
  return encoding === ENCODING_DENSE ? length === DENSE_BYTES : encoding === ENCODING_SPARSE;
}

/** Writes the header of a HyperLogLog that has seen nothing, with its cardinality, which is 0. */
export function writeHeader(bytes: Uint8Array, encoding: number): void {
  for (let i = 0; i < HEADER_BYTES; i++) bytes[i] = i < MAGIC.length ? MAGIC[i] : 0;
  bytes[ENCODING_OFFSET] = encoding;
}

/** Whether the registers are in the dense encoding; they are in the sparse one when not. */
export function isDense(bytes: Uint8Array, offset: ByteOffset): boolean {
  return bytes[offset + ENCODING_OFFSET] === ENCODING_DENSE;
}

/** Copies a header as the one of a HyperLogLog in the dense encoding. */
export function copyHeaderAsDense(source: Uint8Array, target: Uint8Array): void {
  target.set(source.subarray(0, HEADER_BYTES));
  target[ENCODING_OFFSET] = ENCODING_DENSE;
}

/** Says that registers have changed since the cardinality was counted. */
export function invalidateCardinality(bytes: Uint8Array, offset: ByteOffset): void {
  bytes[offset + VALIDITY_OFFSET] |= OUT_OF_DATE;
}

/** Whether the header has the cardinality of the registers as they are. */
export function hasCardinality(bytes: Uint8Array, offset: ByteOffset): boolean {
  return (bytes[offset + VALIDITY_OFFSET] & OUT_OF_DATE) === 0;
}

/** The low word of the cardinality in the header. */
export function cardinalityLow(bytes: Uint8Array, offset: ByteOffset): Int32Word {
  return readWord(bytes, offset + CARDINALITY_OFFSET);
}

/** The high word of the cardinality in the header. */
export function cardinalityHigh(bytes: Uint8Array, offset: ByteOffset): Int32Word {
  return readWord(bytes, offset + CARDINALITY_OFFSET + 4);
}

/** Keeps the cardinality in the header. A negative one, which no real registers have, is out of date at once. */
export function setCardinality(bytes: Uint8Array, offset: ByteOffset, low: Int32Word, high: Int32Word): void {
  writeWord(bytes, offset + CARDINALITY_OFFSET, low);
  writeWord(bytes, offset + CARDINALITY_OFFSET + 4, high);
}

/** What an element does: it raises a register to a value, if that has less. */
export class HyperLogLogElement {
  /** The number of the register. */
  register = 0;
  /** 1 to 51. */
  value: RegisterValue = 0;
  private readonly murmur = new MurmurHash();

  /** Finds the register and the value of an element. */
  read(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    const { murmur } = this;
    murmur.hash(bytes, offset, length, HASH_SEED);
    const { low, high } = murmur;
    this.register = low & (REGISTERS - 1);
    const lowPattern = low >>> REGISTER_NUMBER_BITS;
    if (lowPattern !== 0) this.value = trailingZeros(lowPattern) + 1;
    else if (high !== 0) this.value = 32 - REGISTER_NUMBER_BITS + trailingZeros(high) + 1;
    else this.value = PATTERN_BITS + 1;
  }
}

/** The zero bits below the lowest one of a word that is not 0. */
function trailingZeros(word: Int32Word): number {
  return 31 - Math.clz32(word & -word);
}

function readWord(bytes: Uint8Array, offset: ByteOffset): Int32Word {
  return bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24);
}

function writeWord(bytes: Uint8Array, offset: ByteOffset, word: Int32Word): void {
  bytes[offset] = word;
  bytes[offset + 1] = word >>> 8;
  bytes[offset + 2] = word >>> 16;
  bytes[offset + 3] = word >>> 24;
}
