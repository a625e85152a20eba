import type { Database } from '../keyspace/database.js';
import { ENCODING_RAW, type RecordReference, type Records } from '../keyspace/record.js';
import { NO_DEADLINE } from '../keyspace/record-store.js';
import { type ByteLength, NULL_REFERENCE } from '../memory/reference.js';
import type { Arguments } from '../protocol/arguments.js';
import { highWord, type Int32Word, lowWord } from '../protocol/integers.js';
import {
  cardinalityHigh,
  cardinalityLow,
  HEADER_BYTES,
  HyperLogLogElement,
  hasCardinality,
  invalidateCardinality,
  isDense,
  isHyperLogLog,
  REGISTER_VALUES,
  REGISTERS,
  setCardinality,
} from '../structures/hyperloglog.js';
import {
  countRegisterBytes,
  mergeDenseRegisters,
  raiseDenseRegister,
} from '../structures/hyperloglog-dense.js';
import { HyperLogLogDraft } from '../structures/hyperloglog-draft.js';
import { countRegisters, estimateCardinality } from '../structures/hyperloglog-estimator.js';
import { CORRUPT, mergeSparseRegisters } from '../structures/hyperloglog-sparse.js';
import type { Strings } from './string.js';

export { CORRUPT } from '../structures/hyperloglog-sparse.js';

/** The argument with the key that a HyperLogLog is stored under. */
const KEY = 1;

/**
 * The HyperLogLogs of a keyspace. To Redis they are strings, and may be written to as strings: nothing is known of one
 * before `isValid`, and even then its runs can be corrupt. Methods take records that are valid in that sense.
 *
 * Registers of the dense encoding are changed in place; anything else is made in a draft and then stored.
 */
export class HyperLogLogs {
  /** `hll-sparse-max-bytes`: one that would grow beyond it becomes dense. */
  sparseBytesMax: ByteLength = 3000;

  /** The words of the cardinality that was read or counted last. */
  low: Int32Word = 0;
  high: Int32Word = 0;

  /** The union that is being made, a byte a register. */
  private readonly union = new Uint8Array(REGISTERS);
  /** Whether one of those that are in the union is dense. */
  private isUnionDense = false;

  private readonly records: Records;
  private readonly strings: Strings;
  private readonly draft = new HyperLogLogDraft();
  private readonly element = new HyperLogLogElement();
  private readonly histogram = new Int32Array(REGISTER_VALUES);

  constructor(records: Records, strings: Strings) {
    this.records = records;
    this.strings = strings;
  }

  /** Whether a string has the header and, if it is dense, the length of a HyperLogLog. */
  isValid(record: RecordReference): boolean {
    const { strings } = this;
    strings.read(record);
    return isHyperLogLog(strings.bytes, strings.offset, strings.length);
  }

  isDense(record: RecordReference): boolean {
    const { strings } = this;
    strings.read(record);
    return isDense(strings.bytes, strings.offset);
  }

  /** Whether a string is `raw`, as Redis makes any that PFADD, PFCOUNT of one key and PFDEBUG look at. */
  isRaw(record: RecordReference): boolean {
    return this.records.encoding(record) === ENCODING_RAW;
  }

  /** Makes a string `raw`. Returns the record, perhaps moved. */
  makeRaw(database: Database, record: RecordReference): RecordReference {
    return this.isRaw(record)
      ? record
      : this.strings.resize(database, record, this.strings.byteLength(record));
  }

  /**
   * Adds the arguments behind the key to the HyperLogLog of its record, or to a new one (NULL_REFERENCE). Returns how
   * many registers that raised, or CORRUPT: what was raised until then stays, as in Redis.
   * @param hash that of the key
   * @throws OutOfMemoryError, and nothing has changed.
   */
  add(database: Database, record: RecordReference, hash: number, call: Arguments): number {
    if (record !== NULL_REFERENCE && this.isDense(record)) return this.addToDense(call);
    const { draft } = this;
    this.beginDraft(record);
    let raised = 0;
    for (let i = KEY + 1; i < call.count; i++) {
      const result = draft.add(call.bytes, call.offsets[i], call.lengths[i], this.sparseBytesMax);
      if (result === CORRUPT) {
        raised = CORRUPT;
        break;
      }
      raised += result;
    }
    // A new one counts as changed.
    if (raised > 0 || record === NULL_REFERENCE) draft.invalidate();
    this.storeDraft(database, record, hash, call);
    return raised;
  }

  /** Whether the header has the cardinality; it is in `low` and `high` then. */
  hasCardinality(record: RecordReference): boolean {
    const { strings } = this;
    strings.read(record);
    const { bytes, offset } = strings;
    if (!hasCardinality(bytes, offset)) return false;
    this.low = cardinalityLow(bytes, offset);
    this.high = cardinalityHigh(bytes, offset);
    return true;
  }

  /** Counts the elements, into `low` and `high`. Returns false when the runs are corrupt. */
  count(record: RecordReference): boolean {
    const { strings, histogram } = this;
    strings.read(record);
    const { bytes, offset, length } = strings;
    if (!countRegisters(bytes, offset, length, histogram)) return false;
    this.estimate();
    return true;
  }

  /** Keeps what was counted last in the header. */
  keepCardinality(record: RecordReference): void {
    const { strings } = this;
    strings.read(record);
    setCardinality(strings.bytes, strings.offset, this.low, this.high);
  }

  /** Begins a union, of none. */
  beginUnion(): void {
    this.union.fill(0);
    this.isUnionDense = false;
  }

  /** Adds one to the union. Returns false when its runs are corrupt. */
  addToUnion(record: RecordReference): boolean {
    const { strings, union } = this;
    strings.read(record);
    const { bytes, offset, length } = strings;
    const start = offset + HEADER_BYTES;
    if (!isDense(bytes, offset)) return mergeSparseRegisters(bytes, start, offset + length, union);
    mergeDenseRegisters(bytes, start, union);
    this.isUnionDense = true;
    return true;
  }

  /** Counts the elements of the union, into `low` and `high`. */
  countUnion(): void {
    const { union, histogram } = this;
    histogram.fill(0);
    countRegisterBytes(union, histogram);
    this.estimate();
  }

  /**
   * Stores the union under the key in argument 1, whose record is part of it, or which is new (NULL_REFERENCE).
   * @param hash that of the key
   * @throws OutOfMemoryError, and nothing has changed.
   */
  storeUnion(database: Database, record: RecordReference, hash: number, call: Arguments): void {
    this.beginDraft(record);
    this.draft.takeUnion(this.union, this.isUnionDense, this.sparseBytesMax);
    this.storeDraft(database, record, hash, call);
  }

  /**
   * Makes one dense; what its header says of the cardinality stays. Returns the record, perhaps moved, or NULL_REFERENCE
   * when its runs are corrupt.
   * @throws OutOfMemoryError, and nothing has changed.
   */
  makeDense(database: Database, record: RecordReference): RecordReference {
    const { draft, strings } = this;
    this.beginDraft(record);
    if (!draft.makeDense()) return NULL_REFERENCE;
    return strings.overwrite(database, record, draft.bytes, 0, draft.length);
  }

  /** Adds arguments to the one that was read last, in its place. */
  private addToDense(call: Arguments): number {
    const { strings, element } = this;
    const { bytes, offset } = strings;
    let raised = 0;
    for (let i = KEY + 1; i < call.count; i++) {
      element.read(call.bytes, call.offsets[i], call.lengths[i]);
      if (raiseDenseRegister(bytes, offset + HEADER_BYTES, element.register, element.value)) raised++;
    }
    if (raised > 0) invalidateCardinality(bytes, offset);
    return raised;
  }

  private beginDraft(record: RecordReference): void {
    const { draft, strings } = this;
    if (record === NULL_REFERENCE) {
      draft.begin();
    } else {
      strings.read(record);
      draft.load(strings.bytes, strings.offset, strings.length);
    }
  }

  private storeDraft(database: Database, record: RecordReference, hash: number, call: Arguments): void {
    const { draft, strings } = this;
    if (record !== NULL_REFERENCE) {
      if (draft.hasChanged) strings.overwrite(database, record, draft.bytes, 0, draft.length);
      else this.makeRaw(database, record);
      return;
    }
    const { bytes, offsets, lengths } = call;
    const keyOffset = offsets[KEY];
    const keyLength = lengths[KEY];
    const { length } = draft;
    strings.addBytes(
      database,
      hash,
      bytes,
      keyOffset,
      keyLength,
      draft.bytes,
      0,
      length,
      ENCODING_RAW,
      NO_DEADLINE,
    );
  }

  /** What the histogram says. As in Redis, more than 63 bits, which no elements make, are -2^63. */
  private estimate(): void {
    const cardinality = estimateCardinality(this.histogram);
    const isTooLarge = cardinality >= 2 ** 63;
    this.low = isTooLarge ? 0 : lowWord(cardinality);
    this.high = isTooLarge ? -(2 ** 31) : highWord(cardinality);
  }
}
