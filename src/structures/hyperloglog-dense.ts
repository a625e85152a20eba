import type { ByteOffset } from '../memory/reference.js';
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
 * `start` is where the registers start, behind the header.
 */

const VALUE_MASK = REGISTER_VALUES - 1;

/** From this bit of a byte on, a register reaches into the next byte. */
const SPLIT_SHIFT = 8 - REGISTER_BITS + 1;

/** Registers are read and written in groups of four, which take three bytes. */
const GROUP_REGISTERS = 4;
const GROUP_BYTES = 3;

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

/** Counts in `histogram` how many registers have each value. */
export function countDenseRegisters(bytes: Uint8Array, start: ByteOffset, histogram: Int32Array): void {
  const end = start + (REGISTERS / GROUP_REGISTERS) * GROUP_BYTES;
  for (let position = start; position < end; position += GROUP_BYTES) {
    const group = bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16);
    histogram[group & VALUE_MASK]++;
    histogram[(group >>> REGISTER_BITS) & VALUE_MASK]++;
    histogram[(group >>> (2 * REGISTER_BITS)) & VALUE_MASK]++;
    histogram[group >>> (3 * REGISTER_BITS)]++;
  }
}

/** Raises each of `registers`, a byte a register, to the value that it has here. */
export function mergeDenseRegisters(bytes: Uint8Array, start: ByteOffset, registers: Uint8Array): void {
  let position = start;
  for (let register = 0; register < REGISTERS; register += GROUP_REGISTERS, position += GROUP_BYTES) {
    const group = bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16);
    const first = group & VALUE_MASK;
    const second = (group >>> REGISTER_BITS) & VALUE_MASK;
    const third = (group >>> (2 * REGISTER_BITS)) & VALUE_MASK;
    const fourth = group >>> (3 * REGISTER_BITS);
    if (first > registers[register]) registers[register] = first;
    if (second > registers[register + 1]) registers[register + 1] = second;
    if (third > registers[register + 2]) registers[register + 2] = third;
    if (fourth > registers[register + 3]) registers[register + 3] = fourth;
  }
}

/** Writes registers that are given a byte a register. */
export function packDenseRegisters(registers: Uint8Array, bytes: Uint8Array, start: ByteOffset): void {
  let position = start;
  for (let register = 0; register < REGISTERS; register += GROUP_REGISTERS, position += GROUP_BYTES) {
    const group =
      registers[register] |
      (registers[register + 1] << REGISTER_BITS) |
      (registers[register + 2] << (2 * REGISTER_BITS)) |
      (registers[register + 3] << (3 * REGISTER_BITS));
    bytes[position] = group;
    bytes[position + 1] = group >>> 8;
    bytes[position + 2] = group >>> 16;
  }
}
