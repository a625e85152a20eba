import type { ByteLength } from '../memory/reference.js';
import { HEADER_BYTES, HyperLogLogElement, REGISTER_VALUES, REGISTERS } from './hyperloglog.js';
import { denseRegister, raiseDenseRegister, setDenseRegister } from './hyperloglog-dense.js';
import { HyperLogLogDraft } from './hyperloglog-draft.js';
import { countRegisters, estimateCardinality } from './hyperloglog-estimator.js';
import { CORRUPT } from './hyperloglog-sparse.js';

/** How often all registers are written and read. */
const REGISTER_ROUNDS = 100;

/** So many elements are added; a tenth of what Redis adds, as everybody waits meanwhile: about 100 ms. */
const ELEMENTS = 1_000_000;

/** The standard error of an estimate, and how many times of it are taken for a failure. */
const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);
const ERRORS_MAX = 6;

/**
 * Tests HyperLogLogs on random data: that registers are kept apart, that both encodings count the same, and that this is
 * right. Returns what is wrong, in the words of Redis, or undefined.
 * @param sparseBytesMax `hll-sparse-max-bytes`
 */
export function selfTestFailure(sparseBytesMax: ByteLength): string | undefined {
  return registersFailure() ?? estimatesFailure(sparseBytesMax);
}

function registersFailure(): string | undefined {
  const dense = denseDraft();
  const expected = new Uint8Array(REGISTERS);
  for (let round = 0; round < REGISTER_ROUNDS; round++) {
    for (let register = 0; register < REGISTERS; register++) {
      expected[register] = Math.random() * REGISTER_VALUES;
      setDenseRegister(dense.bytes, HEADER_BYTES, register, expected[register]);
    }
    for (let register = 0; register < REGISTERS; register++) {
      const value = denseRegister(dense.bytes, HEADER_BYTES, register);
      if (value !== expected[register]) {
        return `Register ${register} should be ${expected[register]} but is ${value}`;
      }
    }
  }
  return undefined;
}

function estimatesFailure(sparseBytesMax: ByteLength): string | undefined {
  const dense = denseDraft();
  const draft = new HyperLogLogDraft();
  draft.begin();
  const element = new HyperLogLogElement();
  // The low word of an element counts, so that no two are alike.
  const words = globalThis.crypto.getRandomValues(new Uint32Array(2));
  const bytes = new Uint8Array(words.buffer);
  const seed = words[0];
  let checkpoint = 1;
  for (let added = 1; added <= ELEMENTS; added++) {
    words[0] = seed ^ added;
    element.read(bytes, 0, bytes.length);
    raiseDenseRegister(dense.bytes, HEADER_BYTES, element.register, element.value);
    if (draft.add(bytes, 0, bytes.length, sparseBytesMax) === CORRUPT) return 'sparse encoding corrupted';
    if (added < checkpoint) continue;
    if (added < sparseBytesMax / 2 && draft.isDense) return 'sparse encoding not used';
    const estimate = estimateOf(dense);
    if (estimate !== estimateOf(draft)) return 'dense/sparse disagree';
    const error = Math.abs(checkpoint - estimate);
    if (error > allowedError(checkpoint)) return `Too big error. card:${checkpoint} abserr:${error}`;
    checkpoint *= 10;
  }
  return undefined;
}

function denseDraft(): HyperLogLogDraft {
  const draft = new HyperLogLogDraft();
  draft.begin();
  draft.makeDense();
  return draft;
}

function estimateOf(draft: HyperLogLogDraft): number {
  const histogram = new Int32Array(REGISTER_VALUES);
  countRegisters(draft.bytes, 0, draft.length, histogram);
  return estimateCardinality(histogram);
}

/** Of ten elements, two can meet in a register, which is far more than the standard error says. */
function allowedError(cardinality: number): number {
  return cardinality === 10 ? 1 : Math.ceil(STANDARD_ERROR * ERRORS_MAX * cardinality);
}
