/** Nanoseconds, as a whole number. */
export type Nanoseconds = number;

/** The longest latency that is told apart from longer ones: a second. */
const LATENCY_MAX: Nanoseconds = 1_000_000_000;
/** Values below this have a place each; above, every doubling has half as many, for two significant digits. */
const EXACT_VALUES = 256;
const HALF = EXACT_VALUES / 2;
/** Where the first bucket of `doublings` ends: about a microsecond. */
const FIRST_DOUBLING: Nanoseconds = 1024;
/** Doublings from EXACT_VALUES to LATENCY_MAX, and the exact values. */
const BUCKETS = 23;

/**
 * How often a command took how long, from 1 ns to 1 s in steps of under 1 %: a high dynamic range histogram with two
 * significant digits (Gil Tene's HdrHistogram; the places are those that Redis's has, so percentiles come out alike).
 *
 *     place    0 … 255        256 … 383       384 … 511       512 …
 *     value    0 … 255 by 1   256 … 511 by 2  512 … 1023 by 4 1024 … by 8
 */
export class LatencyHistogram {
  /** How many values were recorded. */
  count = 0;
  /** Their sum. */
  sum: Nanoseconds = 0;
  private readonly counts = new Float64Array((BUCKETS + 1) * HALF);

  /** Records `times` calls that took `value` each. */
  record(value: Nanoseconds, times: number): void {
    const place = placeOf(Math.min(Math.max(Math.round(value), 1), LATENCY_MAX));
    this.counts[place] += times;
    this.count += times;
    this.sum += value * times;
  }

  /** The latency that `percentile` percent of the calls did not exceed: the upper end of its step. */
  valueAt(percentile: number): Nanoseconds {
    const wanted = Math.max(1, Math.floor((Math.min(percentile, 100) / 100) * this.count + 0.5));
    let seen = 0;
    for (let place = 0; place < this.counts.length; place++) {
      seen += this.counts[place];
      if (seen >= wanted) return percentile === 0 ? lowestOf(place) : highestOf(place);
    }
    return 0;
  }

  /**
   * Buckets that end at 1.024 µs and then at twice the one before, each with the calls up to its end. (The end is that
   * of the step that begins there.) A bucket that adds no call is left out.
   */
  doublings(): LatencyBucket[] {
    const buckets: LatencyBucket[] = [];
    const last = this.counts.length - 1;
    let end = FIRST_DOUBLING;
    let calls = 0;
    let reported = 0;
    for (let place = 0; place <= last && reported < this.count; place++) {
      calls += this.counts[place];
      if (lowestOf(place) < end && place < last) continue;
      end *= 2;
      if (calls > reported) buckets.push({ upTo: highestOf(place), calls });
      reported = calls;
    }
    return buckets;
  }
}

/** How many calls took up to so long, all shorter ones included. */
export interface LatencyBucket {
  readonly upTo: Nanoseconds;
  readonly calls: number;
}

/** How far values of a bucket are shifted: 0 for the exact ones. */
function shiftOf(value: Nanoseconds): number {
  return value < EXACT_VALUES ? 0 : 31 - Math.clz32(value) - 7;
}

function placeOf(value: Nanoseconds): number {
  const shift = shiftOf(value);
  return shift * HALF + (value >>> shift);
}

function lowestOf(place: number): Nanoseconds {
  if (place < EXACT_VALUES) return place;
  const shift = Math.floor(place / HALF) - 1;
  return (place - shift * HALF) * 2 ** shift;
}

function highestOf(place: number): Nanoseconds {
  return place < EXACT_VALUES ? place : lowestOf(place + 1) - 1;
}
