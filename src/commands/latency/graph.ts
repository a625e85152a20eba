import type { LatencySeries } from '../../observability/latency-monitor.js';

const COLUMNS = 80;
const ROWS = 4;
/** What fills a third, two thirds and all of a row of a column; what stands below the top. */
const LEVELS = '_o#';
const FILL = '|';

/**
 * The samples of an event as columns of characters, with how long ago each was written downwards below it: LATENCY
 * GRAPH. The picture is that of Redis's `sparkline.c`.
 */
export function latencyGraph(event: string, series: LatencySeries): string {
  const { samples, maxMs } = series;
  const values = samples.map(({ milliseconds }) => milliseconds);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const labels = samples.map(({ timeSeconds }) => timeAgo(nowSeconds - timeSeconds));
  const high = Math.max(...values);
  const low = Math.min(...values);
  const parts: string[] = [];
  for (let start = 0; start < values.length; start += COLUMNS) {
    const columns = values
      .slice(start, start + COLUMNS)
      .map((value, i) => column((value - low) / Math.max(high - low, 1), labels[start + i]));
    parts.push(turned(columns));
  }
  const title = `${event} - high ${high} ms, low ${low} ms (all time high ${maxMs} ms)`;
  return `${title}\n${'-'.repeat(COLUMNS)}\n${parts.join('\n')}`;
}

/** A column from the top down: its bar, an empty row and its label. `height` is from 0 to 1. */
function column(height: number, label: string): string {
  const step = Math.min(Math.trunc(height * LEVELS.length * ROWS), LEVELS.length * ROWS - 1);
  let text = '';
  for (let row = ROWS - 1; row >= 0; row--) {
    const level = step - row * LEVELS.length;
    text += level < 0 ? ' ' : level < LEVELS.length ? LEVELS[level] : FILL;
  }
  return `${text} ${label}`;
}

/** Columns as lines. */
function turned(columns: readonly string[]): string {
  const length = Math.max(...columns.map((text) => text.length));
  let text = '';
  for (let row = 0; row < length; row++) {
    for (const each of columns) text += each[row] ?? ' ';
    text += '\n';
  }
  return text;
}

function timeAgo(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}
