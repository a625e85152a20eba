import type { Reference } from '../../memory/reference.js';
import { parseSafeInteger } from '../../protocol/integers.js';
import type { Listpacks } from '../../structures/listpack.js';

/** What must be true of the elements of a listpack that is a value, besides that it is a listpack. */

/** The latest deadline that a field can have, in ms since the epoch (EB_EXPIRE_TIME_MAX of Redis). */
export const FIELD_DEADLINE_MS_MAX = 2 ** 48 - 2;

/** Whether the first elements of two tuples are equal: such a value would contradict itself. */
export function hasDuplicates(listpacks: Listpacks, listpack: Reference, tuple: 1 | 2 | 3): boolean {
  const { element } = listpacks;
  const seen = new Set<string>();
  let position = listpacks.first(listpack);
  while (position !== 0) {
    listpacks.read(listpack, position);
    element.spell();
    const text = Buffer.from(element.bytes.buffer, element.bytes.byteOffset + element.offset, element.length);
    const key = text.toString('latin1');
    if (seen.has(key)) return true;
    seen.add(key);
    for (let i = 0; i < tuple && position !== 0; i++) position = listpacks.next(listpack, position);
  }
  return false;
}

/** Whether the third elements of a hash's tuples are deadlines in ascending order, and then zeros: no deadline. */
export function hasValidDeadlines(listpacks: Listpacks, listpack: Reference): boolean {
  const { element } = listpacks;
  let before = 0;
  let index = 0;
  for (let at = listpacks.first(listpack); at !== 0; at = listpacks.next(listpack, at)) {
    if (index++ % 3 !== 2) continue;
    listpacks.read(listpack, at);
    element.spell();
    const deadlineMs = parseSafeInteger(element.bytes, element.offset, element.length);
    const place = deadlineMs === 0 ? Number.POSITIVE_INFINITY : deadlineMs;
    const isInRange = deadlineMs >= 0 && deadlineMs <= FIELD_DEADLINE_MS_MAX;
    if (!isInRange || place < before) return false;
    before = place;
  }
  return true;
}
