/** Samples that a rate is the mean of; taken every 100 ms, they look back 1.6 seconds. */
const SAMPLES = 16;

/**
 * How fast a counter grows: the `instantaneous_…` figures of INFO. The mean of the last 16 samples, each of them the
 * growth since the one before (as in Redis, where they are 0 until 16 samples are taken, too).
 */
export class Rate {
  private readonly samples = new Float64Array(SAMPLES);
  private next = 0;
  private lastValue = 0;
  private lastBase = 0;

  /**
   * Notes the counter's value.
   * @param base what the rate is measured by: the time in ms for a rate per ms, another counter for a quotient
   */
  sample(value: number, base: number): void {
    if (this.lastBase > 0) {
      const grown = base - this.lastBase;
      this.samples[this.next] = grown > 0 ? (value - this.lastValue) / grown : 0;
      this.next = (this.next + 1) % SAMPLES;
    }
    this.lastValue = value;
    this.lastBase = base;
  }

  /** The growth of the counter for each 1 that the base grew by. */
  get mean(): number {
    let sum = 0;
    for (const sample of this.samples) sum += sample;
    return sum / SAMPLES;
  }

  /** Forgets all samples. */
  reset(): void {
    this.samples.fill(0);
    this.next = 0;
    this.lastValue = 0;
    this.lastBase = 0;
  }
}
