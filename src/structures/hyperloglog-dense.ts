import type { ByteOffset } from '../memory/reference.js';
import type { Int32Word } from '../protocol/integers.js';
import { REGISTER_BITS, REGISTER_VALUES, REGISTERS, type RegisterValue } from './hyperloglog.js';

/**
 * The registers of a HyperLogLog in the dense encoding: 6 bits each, from the lowest bit of the first byte on. Four
 * registers are three bytes, so the last register ends with the last byte.
 *
 *     byte 0     1        2
 *     ┌────────┬────────┬────────┐
 *     │11000000│22221111│33333322│      the digit is the number of the register; the highest bit of a byte is on the left
 *     └────────┴────────┴────────┘
 *
 * `start` is where the registers start, behind the header. Whoever reads or writes all registers does it by words, which
 * are little endian on the machines that this runs on.
 */

const VALUE_MASK = REGISTER_VALUES - 1;

/** From this bit of a byte on, a register reaches into the next byte. */
const SPLIT_SHIFT = 8 - REGISTER_BITS + 1;

/** All registers together are read and written in groups of four, which take three bytes; four groups are three words. */
const GROUP_REGISTERS = 4;
const WORDS = (REGISTERS * REGISTER_BITS) / 32;

/** The top bit, and the lowest, of each byte of a word. */
const TOP_BITS = 0x80808080 | 0;
const LOW_BITS = 0x01010101;

/**
 * How often each value was met, apart for each of the four registers of a group: neighbours often have the same value,
 * and counting it in one place would make each wait for the one before.
 */
const lanes = new Int32Array(GROUP_REGISTERS * REGISTER_VALUES);

/** The value of a register. */
export function denseRegister(bytes: Uint8Array, start: ByteOffset, register: number): RegisterValue {
  const bit = register * REGISTER_BITS;
  const position = start + (bit >>> 3);
  const shift = bit & 7;
  const lower = bytes[position] >>> shift;
  return (shift < SPLIT_SHIFT ? lower : lower | (bytes[position + 1] << (8 - shift))) & VALUE_MASK;
}

/** Sets a register, whatever it has. */
export function setDenseRegister(
  bytes: Uint8Array,
  start: ByteOffset,
  register: number,
  value: RegisterValue,
): void {
  const bit = register * REGISTER_BITS;
  const position = start + (bit >>> 3);
  const shift = bit & 7;
  bytes[position] = (bytes[position] & ~(VALUE_MASK << shift)) | (value << shift);
  if (shift < SPLIT_SHIFT) return;
  const rest = 8 - shift;
  bytes[position + 1] = (bytes[position + 1] & ~(VALUE_MASK >>> rest)) | (value >>> rest);
}

/** Sets a register if that makes it greater; returns whether it has. */
export function raiseDenseRegister(
  bytes: Uint8Array,
  start: ByteOffset,
  register: number,
  value: RegisterValue,
): boolean {
  if (denseRegister(bytes, start, register) >= value) return false;
  setDenseRegister(bytes, start, register, value);
  return true;
}

/** Counts in `histogram` how many registers have each value. `start` is a multiple of 4. */
export function countDenseRegisters(bytes: Uint8Array, start: ByteOffset, histogram: Int32Array): void {
  const words = wordsOf(bytes, start);
  lanes.fill(0);
  for (let i = 0; i < WORDS; i += 3) {
    const first = words[i];
    const second = words[i + 1];
    const third = words[i + 2];
    countInLanes(spread(first));
    countInLanes(spread((first >>> 24) | (second << 8)));
    countInLanes(spread((second >>> 16) | (third << 16)));
    countInLanes(spread(third >>> 8));
  }
  addLanes(histogram);
}

/** The same for registers that are given a byte a register. */
export function countRegisterBytes(registers: Uint8Array, histogram: Int32Array): void {
  const words = new Int32Array(registers.buffer, registers.byteOffset, REGISTERS / GROUP_REGISTERS);
  lanes.fill(0);
  for (let i = 0; i < words.length; i++) countInLanes(words[i]);
  addLanes(histogram);
}

/** Raises each of `registers`, a byte a register, to the value that it has here. `start` is a multiple of 4. */
export function mergeDenseRegisters(bytes: Uint8Array, start: ByteOffset, registers: Uint8Array): void {
  const words = wordsOf(bytes, start);
  const groups = new Int32Array(registers.buffer, registers.byteOffset, REGISTERS / GROUP_REGISTERS);
  let group = 0;
  for (let i = 0; i < WORDS; i += 3, group += 4) {
    const first = words[i];
    const second = words[i + 1];
    const third = words[i + 2];
    groups[group] = greatest(groups[group], spread(first));
    groups[group + 1] = greatest(groups[group + 1], spread((first >>> 24) | (second << 8)));
    groups[group + 2] = greatest(groups[group + 2], spread((second >>> 16) | (third << 16)));
    groups[group + 3] = greatest(groups[group + 3], spread(third >>> 8));
  }
}

/** Writes registers that are given a byte a register. `start` is a multiple of 4. */
export function packDenseRegisters(registers: Uint8Array, bytes: Uint8Array, start: ByteOffset): void {
  const words = wordsOf(bytes, start);
  const groups = new Int32Array(registers.buffer, registers.byteOffset, REGISTERS / GROUP_REGISTERS);
  let group = 0;
  for (let i = 0; i < WORDS; i += 3, group += 4) {
    const second = pack(groups[group + 1]);
    const third = pack(groups[group + 2]);
    words[i] = pack(groups[group]) | (second << 24);
    words[i + 1] = (second >>> 8) | (third << 16);
    words[i + 2] = (third >>> 16) | (pack(groups[group + 3]) << 8);
  }
}

function wordsOf(bytes: Uint8Array, start: ByteOffset): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset + start, WORDS);
}

/** A byte a register, of the group of four in the low 24 bits; what is above does not matter. */
function spread(group: Int32Word): Int32Word {
  return (
    (group & VALUE_MASK) |
    ((group & (VALUE_MASK << 6)) << 2) |
    ((group & (VALUE_MASK << 12)) << 4) |
    ((group & (VALUE_MASK << 18)) << 6)
  );
}

/** The opposite of `spread`. */
function pack(group: Int32Word): Int32Word {
  return (
    (group & VALUE_MASK) |
    ((group >>> 2) & (VALUE_MASK << 6)) |
    ((group >>> 4) & (VALUE_MASK << 12)) |
    ((group >>> 6) & (VALUE_MASK << 18))
  );
}

/**
 * The greater of each two bytes, none of which is above 127: the top bit of each byte is free to tell, after a
 * subtraction, whether the first one was at least as great.
 */
function greatest(first: Int32Word, second: Int32Word): Int32Word {
  const isFirst = (((first | TOP_BITS) - second) >>> 7) & LOW_BITS;
  const ofFirst = (isFirst << 8) - isFirst;
  return (first & ofFirst) | (second & ~ofFirst);
}

/** Adds four registers, a byte each, to the counts. */
function countInLanes(group: Int32Word): void {
  lanes[group & 0xff]++;
  lanes[REGISTER_VALUES + ((group >>> 8) & 0xff)]++;
  lanes[2 * REGISTER_VALUES + ((group >>> 16) & 0xff)]++;
  lanes[3 * REGISTER_VALUES + (group >>> 24)]++;
}

function addLanes(histogram: Int32Array): void {
  for (let i = 0; i < lanes.length; i++) histogram[i & VALUE_MASK] += lanes[i];
}
