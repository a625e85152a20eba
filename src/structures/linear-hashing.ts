/**
 * The arithmetic of the hash table's growth by one bucket at a time: which chunk of buckets has which.
 * Chunk 0 has bucket 0, chunk k the 2^(k−1) buckets from 2^(k−1); from bucket CHUNK_BUCKETS on, all are equal.
 */

/** Buckets of a full chunk are 2 to this power. */
export const CHUNK_SHIFT = 10;
/** Buckets of a full chunk. */
export const CHUNK_BUCKETS = 1 << CHUNK_SHIFT;
/** The first chunk that is full: those before it double. */
export const FIRST_FULL_CHUNK = CHUNK_SHIFT + 1;

/** The chunk that bucket `index` is in. */
export function chunkOf(index: number): number {
  if (index >= CHUNK_BUCKETS) return FIRST_FULL_CHUNK - 1 + (index >>> CHUNK_SHIFT);
  return index === 0 ? 0 : 32 - Math.clz32(index);
}

/** How many buckets the chunk has that begins with bucket `index`; 0 when none begins there. */
export function chunkStartingAt(index: number): number {
  if (index >= CHUNK_BUCKETS) return (index & (CHUNK_BUCKETS - 1)) === 0 ? CHUNK_BUCKETS : 0;
  return (index & (index - 1)) === 0 ? Math.max(index, 1) : 0;
}

/** How many buckets the chunks have that hold the first `buckets`. */
export function bucketsWithChunks(buckets: number): number {
  if (buckets > CHUNK_BUCKETS) return (buckets + CHUNK_BUCKETS - 1) & -CHUNK_BUCKETS;
  return buckets === 1 ? 1 : 1 << (32 - Math.clz32(buckets - 1));
}

/**
 * As many places as the chain of hardly any bucket has entries, when `count` entries are in `buckets` buckets by chance:
 * five standard deviations above the mean.
 */
export function placesFor(count: number, buckets: number): number {
  const mean = count / buckets;
  return Math.min(count, Math.ceil(mean + 5 * Math.sqrt(mean) + 3));
}

/** The 32 bits of a number in opposite order. */
export function reverseBits(value: number): number {
  let bits = value;
  bits = ((bits >>> 1) & 0x55555555) | ((bits & 0x55555555) << 1);
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2);
  bits = ((bits >>> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4);
  bits = ((bits >>> 8) & 0x00ff00ff) | ((bits & 0x00ff00ff) << 8);
  return (bits >>> 16) | (bits << 16);
}
