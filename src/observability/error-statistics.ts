/** Counting more different codes than this would let scripts fill the memory with their error texts. */
const CODES_MAX = 128;
/** The code that is left when there were too many. */
const DISABLED_CODE = 'ERRORSTATS_DISABLED';
/** A code ends in a space within so many bytes, the `-` before it included. */
const CODE_BYTES_MAX = 32;

/** How often each error code was replied: `errorstats` of INFO. */
export class ErrorStatistics {
  readonly counts = new Map<string, number>();
  /** All error replies: `total_error_replies`. */
  total = 0;
  private isDisabled = false;
  private readonly disabled: (codes: readonly string[]) => void;

  /** @param disabled is told the codes when there are too many, and counting stops until the next reset */
  constructor(disabled: (codes: readonly string[]) => void) {
    this.disabled = disabled;
  }

  /** Counts an error reply by its first word, or as ERR when it has none. */
  count(text: string): void {
    this.total++;
    if (this.isDisabled) return;
    const space = text.indexOf(' ');
    const code = space > 0 && space < CODE_BYTES_MAX - 1 ? text.slice(0, space) : 'ERR';
    const count = this.counts.get(code) ?? 0;
    if (count > 0 || this.counts.size < CODES_MAX) this.counts.set(code, count + 1);
    else this.disable();
  }

  /** Back to zero, and counting again. */
  reset(): void {
    this.counts.clear();
    this.total = 0;
    this.isDisabled = false;
  }

  private disable(): void {
    this.disabled([...this.counts.keys()].sort());
    this.counts.clear();
    this.counts.set(DISABLED_CODE, 1);
    this.isDisabled = true;
  }
}
