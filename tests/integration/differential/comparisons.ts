/**
 * Ways in which two replies may differ and still say the same. Replies with the same bytes are never compared further,
 * and an error is only ever the same as the same error.
 */
import type { Reply } from './wire.js';

/** Whether the replies of Respite and Redis to the same command are as good as equal. */
export type Comparison = (ours: Reply, theirs: Reply) => boolean;

/** Arrays and sets whose order means nothing: KEYS, SMEMBERS. */
export const inAnyOrder: Comparison = (ours, theirs) =>
  'items' in ours &&
  'items' in theirs &&
  ours.kind === theirs.kind &&
  sorted(ours.items) === sorted(theirs.items);

/** Pairs whose order means nothing, as a map or as an array of both in turn: HGETALL. */
export const pairsInAnyOrder: Comparison = (ours, theirs) =>
  'items' in ours &&
  'items' in theirs &&
  ours.kind === theirs.kind &&
  sorted(pairs(ours.items)) === sorted(pairs(theirs.items));

/** Integers that are apart by no more than `tolerance`, or by what a double's 53 bits leave out: times. */
export function within(tolerance: number): Comparison {
  return (ours, theirs) => {
    if (ours.kind !== ':' || theirs.kind !== ':') return false;
    const [our, their] = [Number(ours.text), Number(theirs.text)];
    if (our < 0 || their < 0) return false; // -1 and -2 are no times
    return Math.abs(our - their) <= Math.max(tolerance, their * 2 ** -52);
  };
}

/** Times in seconds, and in milliseconds: the two servers did not get the command at the same moment. */
export const secondsAlike = within(10);
export const millisecondsAlike = within(10_000);

/** The same kind of reply, and the same number of items: random choices. */
export const sameShape: Comparison = (ours, theirs) => {
  if (ours.kind !== theirs.kind || ours.kind === '-') return false;
  return !('items' in ours && 'items' in theirs) || ours.items.length === theirs.items.length;
};

/**
 * The reply of SCAN and its like. When a cursor is not 0, the servers may be at different places; the guarantee of a
 * whole walk is tested elsewhere. To have the elements compared, scan with a COUNT that covers everything.
 */
export const scanned: Comparison = (ours, theirs) => {
  if (!('items' in ours && 'items' in theirs)) return false;
  const [ourCursor, ourItems] = ours.items;
  const [theirCursor, theirItems] = theirs.items;
  if (!('text' in ourCursor && 'text' in theirCursor)) return false;
  return ourCursor.text !== '0' || theirCursor.text !== '0' || inAnyOrder(ourItems, theirItems);
};

function sorted(items: readonly unknown[]): string {
  return items
    .map((item) => JSON.stringify(item))
    .sort()
    .join();
}

function pairs(items: readonly Reply[]): Reply[][] {
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]]);
}
