import type { ByteLength, ByteOffset } from '../memory/reference.js';
import {
  copyHeaderAsDense,
  DENSE_BYTES,
  ENCODING_SPARSE,
  HEADER_BYTES,
  HyperLogLogElement,
  invalidateCardinality,
  isDense,
  REGISTERS,
  type RegisterValue,
  writeHeader,
} from './hyperloglog.js';
import { packDenseRegisters, raiseDenseRegister } from './hyperloglog-dense.js';
import {
  CORRUPT,
  mergeSparseRegisters,
  RAISED,
  type RaiseResult,
  SparseEditor,
  TOO_LARGE,
  UNCHANGED,
} from './hyperloglog-sparse.js';

/** A draft of more bytes than this is not kept: only strings that clients have spoiled are as long. */
const KEPT_BYTES_MAX: ByteLength = 64 * 1024;

/**
 * A HyperLogLog that is being changed, outside the memory of the data: what comes of it is stored in one go, or not at
 * all. It starts in the sparse encoding and becomes dense when it has to; the way back there is none.
 */
export class HyperLogLogDraft {
  /** Whether it has become dense. */
  isDense = false;
  /** Whether it is another one than it began as. */
  hasChanged = false;

  private sparse = new SparseEditor();
  private readonly dense = new Uint8Array(DENSE_BYTES);
  private readonly registers = new Uint8Array(REGISTERS);
  private readonly element = new HyperLogLogElement();

  /** The bytes of the string, from 0 to `length`; valid until the next change. */
  get bytes(): Uint8Array {
    return this.isDense ? this.dense : this.sparse.bytes;
  }

  get length(): ByteLength {
    return this.isDense ? DENSE_BYTES : this.sparse.length;
  }

  /** Begins with one that has seen nothing, as PFADD makes it: its cardinality, 0, is known. */
  begin(): void {
    this.isDense = false;
    this.hasChanged = false;
    this.sparse.clear();
    writeHeader(this.sparse.bytes, ENCODING_SPARSE);
  }

  /** Begins with a string that `isHyperLogLog`. */
  load(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.hasChanged = false;
    this.isDense = isDense(bytes, offset);
    if (this.isDense) {
      this.dense.set(bytes.subarray(offset, offset + length));
      return;
    }
    if (this.sparse.bytes.length > KEPT_BYTES_MAX) this.sparse = new SparseEditor();
    this.sparse.load(bytes, offset, length);
  }

  /** Adds an element: RAISED when that changed a register, UNCHANGED when not, or CORRUPT, and nothing has changed. */
  add(bytes: Uint8Array, offset: ByteOffset, length: ByteLength, sparseBytesMax: ByteLength): RaiseResult {
    const { element } = this;
    element.read(bytes, offset, length);
    return this.raise(element.register, element.value, sparseBytesMax);
  }

  /**
   * Takes over the registers of a union of valid HyperLogLogs, this one among them: a byte a register.
   * @param asDense whether it becomes dense at once, rather than when it has to
   * @throws Error when this one is corrupt
   */
  takeUnion(registers: Uint8Array, asDense: boolean, sparseBytesMax: ByteLength): void {
    if (asDense) {
      if (!this.makeDense()) throw corrupted();
      packDenseRegisters(registers, this.dense, HEADER_BYTES);
    } else {
      for (let register = 0; register < REGISTERS; register++) {
        const value = registers[register];
        if (value !== 0 && this.raise(register, value, sparseBytesMax) === CORRUPT) throw corrupted();
      }
    }
    this.invalidate();
  }

  /** Says that the cardinality is to be counted again. */
  invalidate(): void {
    invalidateCardinality(this.bytes, 0);
    this.hasChanged = true;
  }

  /** Changes to the dense encoding, with the header as it is. Returns false, with nothing changed, for corrupt runs. */
  makeDense(): boolean {
    if (this.isDense) return true;
    const { sparse, dense, registers } = this;
    registers.fill(0);
    if (!mergeSparseRegisters(sparse.bytes, HEADER_BYTES, sparse.length, registers)) return false;
    packDenseRegisters(registers, dense, HEADER_BYTES);
    copyHeaderAsDense(sparse.bytes, dense);
    this.isDense = true;
    this.hasChanged = true;
    return true;
  }

  /** Raises a register to `value` unless it has as much. */
  private raise(register: number, value: RegisterValue, sparseBytesMax: ByteLength): RaiseResult {
    if (!this.isDense) {
      const result = this.sparse.raise(register, value, sparseBytesMax);
      if (result === RAISED) this.invalidate();
      if (result !== TOO_LARGE) return result;
      if (!this.makeDense()) return CORRUPT;
    }
    if (!raiseDenseRegister(this.dense, HEADER_BYTES, register, value)) return UNCHANGED;
    this.hasChanged = true;
    return RAISED;
  }
}

function corrupted(): Error {
  return new Error('a HyperLogLog that went into a union has corrupt runs');
}
