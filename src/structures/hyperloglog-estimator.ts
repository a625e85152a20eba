import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { HEADER_BYTES, isDense, PATTERN_BITS, REGISTERS } from './hyperloglog.js';
import { countDenseRegisters } from './hyperloglog-dense.js';
import { countSparseRegisters } from './hyperloglog-sparse.js';

/**
 * How many elements HyperLogLog registers have probably seen, from how many of them have which value. The estimator is
 * the improved raw one of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches"
 * (arXiv:1702.01284, algorithm 6): unbiased from 0 on, so that nothing is corrected by tables. Every operation on
 * doubles comes in the order in which Redis does it, so that the integers are the same.
 */

/** 1 / (2 ln 2), the limit of alpha for many registers. */
const ALPHA = 0.7213475204444817;

/**
 * Counts in `histogram` how many registers of a HyperLogLog have each value. Returns false when its runs are corrupt; the
 * histogram means nothing then.
 */
export function countRegisters(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
  histogram: Int32Array,
): boolean {
  const start = offset + HEADER_BYTES;
  histogram.fill(0);
  if (!isDense(bytes, offset)) return countSparseRegisters(bytes, start, offset + length, histogram);
  countDenseRegisters(bytes, start, histogram);
  return true;
}

/**
 * The estimate, a whole number.
 * @param histogram how many registers have each value; those above 51 are as if they were not there
 * @returns 2^63 or more, even Infinity, only for registers that no elements make
 */
export function estimateCardinality(histogram: Int32Array): number {
  let sum = REGISTERS * tau((REGISTERS - histogram[PATTERN_BITS + 1]) / REGISTERS);
  for (let value = PATTERN_BITS; value >= 1; value--) sum = (sum + histogram[value]) * 0.5;
  sum += REGISTERS * sigma(histogram[0] / REGISTERS);
  return Math.round((ALPHA * REGISTERS * REGISTERS) / sum);
}

/** x + Σ x^(2^k) · 2^(k-1) for k from 1 on, for the share x of registers that have seen nothing. */
function sigma(share: number): number {
  if (share === 1) return Infinity;
  let power = share;
  let factor = 1;
  let sum = share;
  for (;;) {
    const before = sum;
    power *= power;
    sum += power * factor;
    factor += factor;
    if (sum === before) return sum;
  }
}

/** (1 - x - Σ (1 - x^(2^-k))² · 2^-k) / 3 for k from 1 on, for the share x of registers that are not full. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let root = share;
  let factor = 1;
  let sum = 1 - share;
  for (;;) {
    const before = sum;
    root = Math.sqrt(root);
    factor *= 0.5;
    sum -= (1 - root) * (1 - root) * factor;
    if (sum === before) return sum / 3;
  }
}
