import { copyBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { HEADER_BYTES, REGISTERS, type RegisterValue } from './hyperloglog.js';

/**
 * The registers of a HyperLogLog in the sparse encoding: runs of equal registers, in order, which must be 16384
 * altogether.
 *
 *     00LLLLLL             ZERO     L + 1 registers of 0, 1 to 64
 *     01LLLLLL LLLLLLLL    XZERO    the same, 1 to 16384; high bits first
 *     1VVVVVLL             VAL      L + 1 registers of V + 1, 1 to 4 of 1 to 32
 *
 * Clients can write anything into a string, so the runs may be too many, too few, or end in the middle of an XZERO, whose
 * missing byte counts as 0 as in Redis. `start` and `end` are where the runs start and end.
 */

const XZERO = 0x40;
const VAL = 0x80;

const ZERO_LENGTH_MAX = 64;
const VAL_LENGTH_MAX = 4;
/** The greatest value that a VAL can have. */
const VAL_VALUE_MAX = 32;

/** The bits of a VAL that are its value. */
const VAL_VALUE_MASK = 0x7c;

/** The most bytes that one run becomes when a register of it gets another value: XZERO, VAL and XZERO. */
const SPLIT_BYTES_MAX = 5;

/** How many runs are looked at for neighbours of the same value after a register was changed. */
const MERGED_RUNS_MAX = 5;

/** Up to this length a loop is faster than `copyWithin`, which takes some 50 ns whatever the length. */
const LOOP_BYTES_MAX = 60;

/** A run that there is not. */
const NONE = -1;

/** Reads runs one after the other. */
export class SparseRuns {
  /** How many registers the run that was read last has. */
  length = 0;
  /** Their value. */
  value: RegisterValue = 0;
  /** Whether it is an XZERO. */
  isLong = false;
  /** How many registers have been read. */
  registers = 0;

  private bytes: Uint8Array = new Uint8Array(0);
  private position: ByteOffset = 0;
  private end: ByteOffset = 0;

  /** Starts over, with other bytes. */
  begin(bytes: Uint8Array, start: ByteOffset, end: ByteOffset): void {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.registers = 0;
  }

  /** Reads the next run, if there is one. */
  next(): boolean {
    const { bytes, position } = this;
    if (position >= this.end) return false;
    const opcode = bytes[position];
    this.isLong = false;
    if (opcode >= VAL) {
      this.value = valValue(opcode);
      this.length = valLength(opcode);
    } else {
      this.value = 0;
      this.isLong = opcode >= XZERO;
      this.length = this.isLong ? xzeroLength(bytes, position, this.end) : opcode + 1;
    }
    this.position = position + (this.isLong ? 2 : 1);
    this.registers += this.length;
    return true;
  }
}

const runs = new SparseRuns();

/** Counts in `histogram` how many registers have each value. Returns false when the runs are not valid. */
export function countSparseRegisters(
  bytes: Uint8Array,
  start: ByteOffset,
  end: ByteOffset,
  histogram: Int32Array,
): boolean {
  runs.begin(bytes, start, end);
  while (runs.next()) {
    if (runs.registers > REGISTERS) return false;
    histogram[runs.value] += runs.length;
  }
  return runs.registers === REGISTERS;
}

/**
 * Raises each of `registers`, a byte a register, to the value that it has here. Returns false when the runs are not
 * valid; some registers may have been raised then.
 */
export function mergeSparseRegisters(
  bytes: Uint8Array,
  start: ByteOffset,
  end: ByteOffset,
  registers: Uint8Array,
): boolean {
  runs.begin(bytes, start, end);
  while (runs.next()) {
    if (runs.registers > REGISTERS) return false;
    const { value } = runs;
    if (value === 0) continue;
    for (let register = runs.registers - runs.length; register < runs.registers; register++) {
      if (value > registers[register]) registers[register] = value;
    }
  }
  return runs.registers === REGISTERS;
}

/** What became of a register that was to be raised: it has been; it had as much already; */
export const RAISED = 1;
export const UNCHANGED = 0;
/** the runs do not reach it; */
export const CORRUPT = -1;
/** the sparse encoding cannot have it, or not within the length that is allowed. Nothing has changed then. */
export const TOO_LARGE = -2;

/** One of RAISED, UNCHANGED, CORRUPT and TOO_LARGE. */
export type RaiseResult = number;

/**
 * Changes the registers of a HyperLogLog in the sparse encoding, in bytes of its own. Which runs come of it, of the many
 * that would mean the same, is what Redis makes of the same changes: the run with the register is split, and its
 * neighbourhood merged where two VAL of the same value fit into one.
 *
 *     ZERO:20                ──▶  ZERO:7  VAL:2,1  ZERO:12
 *     VAL:2,1 VAL:3,1        ──▶  VAL:3,1 VAL:3,1  ──▶  VAL:3,2
 */
export class SparseEditor {
  /** The whole HyperLogLog, its header first; bytes behind `length` mean nothing. */
  bytes: Uint8Array = new Uint8Array(1024);
  length: ByteLength = 0;

  /** The run that was found last: where it is, the registers at its ends, and where the run before it is. */
  private position: ByteOffset = 0;
  private first = 0;
  private last = 0;
  private previous: ByteOffset = NONE;

  /**
   * Where the next search may start: a run with its first register, and the first register of the run behind it. It is
   * two runs before the one that was found, as a change affects the one before; so that registers that come in ascending
   * order, as PFMERGE has them, are not searched from the start each time.
   */
  private finger: ByteOffset = HEADER_BYTES;
  private fingerFirst = 0;
  private fingerEnd = 0;

  /** What is put in the place of a run. */
  private readonly split = new Uint8Array(SPLIT_BYTES_MAX);

  /** Begins with one that is empty: a single run. `writeHeader` is the caller's. */
  clear(): void {
    this.length = HEADER_BYTES + writeZeros(this.bytes, HEADER_BYTES, REGISTERS);
    this.resetFinger();
  }

  /** Begins with a copy of one, header and all. */
  load(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.length = 0;
    this.reserve(length);
    copyBytes(bytes, offset, this.bytes, 0, length);
    this.length = length;
    this.resetFinger();
  }

  /** Raises a register to `value` unless it has as much; the whole may grow to `bytesMax`, but no further. */
  raise(register: number, value: RegisterValue, bytesMax: ByteLength): RaiseResult {
    if (value > VAL_VALUE_MAX) return TOO_LARGE;
    if (!this.find(register)) return CORRUPT;
    const { bytes, position } = this;
    const opcode = bytes[position];
    if (opcode >= VAL && valValue(opcode) >= value) return UNCHANGED;
    const isAlone = this.first === this.last;
    const isLong = opcode >= XZERO && opcode < VAL;
    if (isAlone && !isLong) writeVal(bytes, position, value, 1);
    else if (!this.splitRun(register, value, bytesMax)) return TOO_LARGE;
    this.mergeRuns();
    // The run that the finger is on may have become another one.
    if (this.finger >= this.previous) this.resetFinger();
    return RAISED;
  }

  /** Makes room for `length` bytes. */
  private reserve(length: ByteLength): void {
    if (length <= this.bytes.length) return;
    const larger = new Uint8Array(length * 2);
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  private resetFinger(): void {
    this.finger = HEADER_BYTES;
    this.fingerFirst = 0;
    this.fingerEnd = 0;
  }

  /** Finds the run with a register. */
  private find(register: number): boolean {
    const { bytes, length } = this;
    if (register < this.fingerEnd) this.resetFinger();
    let position = this.finger;
    let first = this.fingerFirst;
    let previous = NONE;
    let previousFirst = 0;
    let beforePrevious = NONE;
    let beforePreviousFirst = 0;
    while (position < length) {
      const opcode = bytes[position];
      let size = 1;
      let end = first;
      if (opcode < XZERO) {
        end += opcode + 1;
      } else if (opcode >= VAL) {
        end += valLength(opcode);
      } else {
        end += xzeroLength(bytes, position, length);
        size = 2;
      }
      if (register < end) {
        this.position = position;
        this.first = first;
        this.last = end - 1;
        this.previous = previous;
        if (beforePrevious !== NONE) {
          this.finger = beforePrevious;
          this.fingerFirst = beforePreviousFirst;
          this.fingerEnd = previousFirst;
        }
        return true;
      }
      beforePrevious = previous;
      beforePreviousFirst = previousFirst;
      previous = position;
      previousFirst = first;
      position += size;
      first = end;
    }
    return false;
  }

  /** Gives one register of the run that was found a value of its own. Returns false when that would take too much. */
  private splitRun(register: number, value: RegisterValue, bytesMax: ByteLength): boolean {
    const { split, position, first, last } = this;
    const opcode = this.bytes[position];
    const before = register - first;
    const after = last - register;
    let size = 0;
    if (before > 0) size += writeLike(opcode, split, size, before);
    size += writeVal(split, size, value, 1);
    if (after > 0) size += writeLike(opcode, split, size, after);
    const oldSize = opcode >= XZERO && opcode < VAL ? 2 : 1;
    const growth = size - oldSize;
    if (growth > 0 && this.length + growth > bytesMax) return false;
    this.reserve(this.length + SPLIT_BYTES_MAX);
    moveBytes(this.bytes, position + oldSize, position + size, this.length);
    for (let i = 0; i < size; i++) this.bytes[position + i] = split[i];
    this.length += growth;
    return true;
  }

  /** Merges neighbours of the same value, as far as they fit into one VAL, from the run before the changed one on. */
  private mergeRuns(): void {
    const { bytes } = this;
    let position = this.previous === NONE ? HEADER_BYTES : this.previous;
    for (let left = MERGED_RUNS_MAX; left > 0 && position < this.length; left--) {
      const opcode = bytes[position];
      if (opcode < VAL) {
        position += opcode < XZERO ? 1 : 2;
        continue;
      }
      const next = position + 1 < this.length ? bytes[position + 1] : 0;
      const together = valLength(opcode) + valLength(next);
      const isMergeable = next >= VAL && valValue(next) === valValue(opcode) && together <= VAL_LENGTH_MAX;
      if (isMergeable) {
        writeVal(bytes, position, valValue(opcode), together);
        moveBytes(bytes, position + 2, position + 1, this.length);
        this.length--;
      } else {
        position++;
      }
    }
  }
}

/** Moves the bytes from `from` to below `end` so that they start at `to`. */
function moveBytes(bytes: Uint8Array, from: ByteOffset, to: ByteOffset, end: ByteOffset): void {
  if (from === to) return;
  if (end - from > LOOP_BYTES_MAX) {
    bytes.copyWithin(to, from, end);
  } else if (to < from) {
    for (let i = from; i < end; i++) bytes[to - from + i] = bytes[i];
  } else {
    for (let i = end - 1; i >= from; i--) bytes[to - from + i] = bytes[i];
  }
}

function valValue(opcode: number): RegisterValue {
  return ((opcode & VAL_VALUE_MASK) >>> 2) + 1;
}

function valLength(opcode: number): number {
  return (opcode & 3) + 1;
}

function xzeroLength(bytes: Uint8Array, position: ByteOffset, end: ByteOffset): number {
  const low = position + 1 < end ? bytes[position + 1] : 0;
  return (((bytes[position] & 0x3f) << 8) | low) + 1;
}

/** Writes a run of the same value as another one, whose first byte is `opcode`. Returns its bytes. */
function writeLike(opcode: number, bytes: Uint8Array, position: ByteOffset, length: number): ByteLength {
  return opcode >= VAL
    ? writeVal(bytes, position, valValue(opcode), length)
    : writeZeros(bytes, position, length);
}

function writeVal(bytes: Uint8Array, position: ByteOffset, value: RegisterValue, length: number): ByteLength {
  bytes[position] = VAL | ((value - 1) << 2) | (length - 1);
  return 1;
}

function writeZeros(bytes: Uint8Array, position: ByteOffset, length: number): ByteLength {
  if (length <= ZERO_LENGTH_MAX) {
    bytes[position] = length - 1;
    return 1;
  }
  bytes[position] = XZERO | ((length - 1) >>> 8);
  bytes[position + 1] = length - 1;
  return 2;
}
