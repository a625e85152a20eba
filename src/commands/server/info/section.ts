import type { Server } from '../../../server/server.js';

/** One line of INFO. The value is written as it is: ratios and times are formatted by who gives them. */
export type InfoField = readonly [name: string, value: string | number];

/** A section of INFO: what it is called, and how its lines are made. */
export interface InfoSection {
  /** What clients ask for, in any case. */
  readonly name: string;
  /** The headline, without `# `. */
  readonly title: string;
  /**
   * Which calls show it besides those that name it: `default` is INFO without arguments (and `all` and `everything`),
   * `all` the latter two alone, `named` none.
   */
  readonly shownBy: 'default' | 'all' | 'named';
  fields(server: Server): Iterable<InfoField>;
}

/** A share or ratio as INFO prints it; of a division by zero, what C's printf makes of it. */
export function twoDecimals(value: number): string {
  if (Number.isNaN(value)) return '-nan';
  return Number.isFinite(value) ? value.toFixed(2) : value > 0 ? 'inf' : '-inf';
}

/** A number of bytes for people: `703.38K`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes;
  let unit = -1;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${value.toFixed(2)}${UNITS[unit]}`;
}

const UNITS = 'KMGTP';

/** A name from outside, without the characters that mean something in a line of INFO. */
export function safeName(name: string): string {
  return name.replace(/[#:\n\r]/g, '_');
}
