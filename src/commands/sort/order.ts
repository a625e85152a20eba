/** The order in which SORT replies elements. */
import { parseDoubleLeniently } from '../../protocol/doubles.js';
import type { CommandContext } from '../../server/context.js';
import { type Compare, partialSort } from '../../structures/partial-sort.js';
import { ByteStrings } from './byte-strings.js';
import type { SortPattern } from './pattern.js';
import type { SortRequest } from './request.js';

/**
 * The indexes of the elements in the order that is asked for, of which at least those from `start` to below `end` are
 * in their places; undefined when what is to be compared is no number and the error is replied.
 */
export function sortedOrder(
  context: CommandContext,
  request: SortRequest,
  elements: ByteStrings,
  start: number,
  end: number,
): Int32Array | undefined {
  const ascending = request.isAlphabetical
    ? alphabetical(context, request, elements)
    : numerical(context, request, elements);
  if (ascending === undefined) return undefined;
  const compare: Compare = request.isDescending ? (a, b) => -ascending(a, b) : ascending;
  const order = Int32Array.from({ length: elements.count }, (_, index) => index);
  const isWhole = start === 0 && end === elements.count;
  // As in Redis, whose order of equal elements follows from how it sorts.
  if (request.by === undefined || isWhole) order.sort(compare);
  else partialSort(order, start, end - 1, compare);
  return order;
}

/** Compares numbers, which the elements are or which stand under keys that are named after them; 0 where there are none. */
function numerical(context: CommandContext, { by }: SortRequest, elements: ByteStrings): Compare | undefined {
  const { count, bytes, offsets, lengths } = elements;
  const numbers = new Float64Array(count);
  let areNumbers = true;
  for (let i = 0; i < count; i++) {
    if (by !== undefined && !by.find(context, bytes, offsets[i], lengths[i])) continue;
    const number =
      by === undefined
        ? parseDoubleLeniently(bytes, offsets[i], lengths[i])
        : parseDoubleLeniently(by.bytes, by.offset, by.length);
    if (number === undefined) areNumbers = false;
    else numbers[i] = number;
  }
  if (!areNumbers) {
    context.reply.error("ERR One or more scores can't be converted into double");
    return undefined;
  }
  return (a, b) => {
    if (numbers[a] === numbers[b]) return elements.compare(a, b);
    return numbers[a] < numbers[b] ? -1 : 1;
  };
}

/**
 * Compares texts, which the elements are or which stand under keys that are named after them; those that have none come
 * first. What is stored is compared byte by byte, what is replied as C does in the POSIX locale, up to a NUL byte.
 */
function alphabetical(
  context: CommandContext,
  { by, destination }: SortRequest,
  elements: ByteStrings,
): Compare {
  const texts = by === undefined ? elements : textsBy(context, by, elements);
  const isBinary = destination !== 0;
  return (a, b) => {
    if (texts.isMissing(a) || texts.isMissing(b))
      return Number(texts.isMissing(b)) - Number(texts.isMissing(a));
    return isBinary ? texts.compare(a, b) : texts.compareText(a, b);
  };
}

function textsBy(context: CommandContext, by: SortPattern, elements: ByteStrings): ByteStrings {
  const { count, bytes, offsets, lengths } = elements;
  const texts = new ByteStrings();
  for (let i = 0; i < count; i++) {
    if (by.find(context, bytes, offsets[i], lengths[i])) texts.push(by.bytes, by.offset, by.length);
    else texts.pushMissing();
  }
  return texts;
}
