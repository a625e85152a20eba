import Denque from 'denque';

/** Something large that is freed a slice at a time. */
export interface ReleaseJob {
  /** Frees up to about `budget` pieces. Returns how many of the budget were used; below it when done. */
  release(budget: number): number;
  /** How many keys the job frees, for `lazyfreed_objects`. */
  readonly objects: number;
}

/** The values and tables that were deleted and are not yet freed. The cron frees them in slices. */
export class LazyFree {
  private readonly jobs = new Denque<ReleaseJob>();
  /** Objects waiting: `lazyfree_pending_objects`. */
  pendingObjects = 0;
  /** Objects freed since the start or the last CONFIG RESETSTAT: `lazyfreed_objects`. */
  freedObjects = 0;

  get isEmpty(): boolean {
    return this.jobs.isEmpty();
  }

  add(job: ReleaseJob): void {
    this.pendingObjects += job.objects;
    this.jobs.push(job);
  }

  /** Frees up to about `budget` pieces. False when nothing is left. */
  step(budget: number): boolean {
    let left = budget;
    while (left > 0) {
      const job = this.jobs.peekFront();
      if (job === undefined) return false;
      const used = job.release(left);
      if (used >= left) return true;
      left -= Math.max(used, 1);
      this.jobs.shift();
      this.pendingObjects -= job.objects;
      this.freedObjects += job.objects;
    }
    return !this.jobs.isEmpty();
  }

  /** Frees all of it now. */
  drain(): void {
    while (this.step(1 << 20));
  }
}
