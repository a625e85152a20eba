/** Counting more different codes than this would let clients fill the memory with scripts' error texts. */
const CODES_MAX = 128;

/** How often each error code was replied: INFO errorstats. */
export class ErrorStatistics {
  readonly counts = new Map<string, number>();
  /** All error replies: `total_error_replies`. */
  total = 0;

  /** Counts an error reply by its first word, or as ERR when it has none. */
  count(text: string): void {
    this.total++;
    const space = text.indexOf(' ');
    const code = space > 0 ? text.slice(0, space) : 'ERR';
    const count = this.counts.get(code);
    if (count === undefined && this.counts.size >= CODES_MAX) return;
    this.counts.set(code, (count ?? 0) + 1);
  }

  reset(): void {
    this.counts.clear();
    this.total = 0;
  }
}
