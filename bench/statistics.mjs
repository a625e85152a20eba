/**
 * The middle of some figures, or the mean of the two in the middle.
 * @param {readonly number[]} values  at least one
 */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The value that a share of all values does not exceed (nearest rank).
 * @param {readonly number[]} values  at least one
 * @param {number} share  0 to 1
 */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
