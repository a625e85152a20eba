import { readFileSync, writeFileSync } from 'node:fs';
import type { Configuration } from '../config/configuration.js';
import { systemErrorText } from '../config/system-error.js';
import type { Log } from '../observability/log.js';

/** Where Linux keeps how ready it is to end a process when memory runs out. */
const SCORE_FILE = '/proc/self/oom_score_adj';
/** What Linux takes. */
const SCORE_MAX = 1000;

const FAILURE = 'Failed to set current oom_score_adj. Check server logs.';

/**
 * `oom-score-adj`: how ready Linux is to end this process when memory runs out, now and after each CONFIG SET. `relative`
 * counts from what the process was started with, which comes back when the directive is set to `no`.
 *
 * Of `oom-score-adj-values` the first counts: there are no replicas, and no processes that save.
 */
export function followOomScore(configuration: Configuration, log: Log): void {
  const { values } = configuration;
  /** The score before it was changed here; undefined while it is not. */
  let base: number | undefined;
  const apply = () => {
    const mode = values['oom-score-adj'];
    if (mode === 'no' && base === undefined) return undefined;
    try {
      base ??= Number.parseInt(readFileSync(SCORE_FILE, 'latin1'), 10);
      const wanted = values['oom-score-adj-values'][0] + (mode === 'absolute' ? 0 : base);
      const score = Math.min(Math.max(wanted, -SCORE_MAX), SCORE_MAX);
      writeFileSync(SCORE_FILE, `${mode === 'no' ? base : score}\n`);
      if (mode === 'no') base = undefined;
      return undefined;
    } catch (error) {
      log.warn(`Unable to write oom_score_adj: ${systemErrorText(error)}`);
      return FAILURE;
    }
  };
  apply();
  configuration.onChange(['oom-score-adj', 'oom-score-adj-values'], apply);
}
