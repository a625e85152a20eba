/** How sorted sets are combined: the members of a union, an intersection or a difference, with their scores. */
import type { RecordReference } from '../../keyspace/record.js';
import { NO_MEMBER, type SortedSets } from '../../types/sorted-set.js';
import type { Types } from '../../types/types.js';
import type { Aggregate, CombinationRequest } from './combination-request.js';
import type { CombinationSource } from './combination-source.js';

/** Adds to an empty sorted set the members that any source has. @throws OutOfMemoryError */
export function addUnion({ sortedSets }: Types, request: CombinationRequest, result: RecordReference): void {
  request.sortBySize();
  for (const source of request.sources) {
    source.start();
    while (source.next()) addToUnion(sortedSets, request.aggregate, result, source);
  }
}

function addToUnion(
  sortedSets: SortedSets,
  aggregate: Aggregate,
  result: RecordReference,
  source: CombinationSource,
): void {
  const { bytes, offset, length } = source;
  const score = numberOrZero(source.score * source.weight);
  const member = sortedSets.find(result, bytes, offset, length);
  if (member === NO_MEMBER) {
    sortedSets.add(result, score, bytes, offset, length);
  } else {
    const former = sortedSets.score(result, member);
    const combined = aggregated(aggregate, former, score);
    if (!Object.is(combined, former)) sortedSets.update(result, member, combined);
  }
}

/** Adds to an empty sorted set the members that all sources have. @throws OutOfMemoryError */
export function addIntersection(
  { sortedSets }: Types,
  request: CombinationRequest,
  result: RecordReference,
): void {
  request.sortBySize();
  const [first] = request.sources;
  if (first.count === 0) return;
  first.start();
  while (first.next()) {
    const score = intersectionScore(request);
    if (Number.isNaN(score)) continue;
    sortedSets.add(result, score, first.bytes, first.offset, first.length);
  }
}

/** How many members all sources have, but no more than the limit. */
export function countIntersection(_types: Types, request: CombinationRequest): number {
  request.sortBySize();
  const [first] = request.sources;
  let count = 0;
  first.start();
  while (first.next()) {
    if (!Number.isNaN(intersectionScore(request)) && ++count === request.limit) break;
  }
  return count;
}

/** The score that the member of the first source has in the intersection; NaN when one of the others lacks it. */
function intersectionScore({ sources, aggregate }: CombinationRequest): number {
  const [first] = sources;
  let score = numberOrZero(first.score * first.weight);
  for (let i = 1; i < sources.length; i++) {
    const source = sources[i];
    if (!source.find(first.bytes, first.offset, first.length)) return NaN;
    score = aggregated(aggregate, score, source.score * source.weight);
  }
  return score;
}

/** Adds to an empty sorted set the members that only the first source has. @throws OutOfMemoryError */
export function addDifference(
  { sortedSets }: Types,
  { sources }: CombinationRequest,
  result: RecordReference,
): void {
  const [first, ...others] = sources;
  if (first.count === 0 || others.some((source) => source.record === first.record)) return;
  const probes = first.count * sources.length;
  const members = sources.reduce((sum, source) => sum + source.count, 0);
  // Probing the other sources for each member takes fewer steps as a rule, and half the time for each.
  const isProbing = probes / 2 <= members;
  first.start();
  while (first.next()) {
    const { bytes, offset, length } = first;
    if (isProbing && others.some((source) => source.find(bytes, offset, length))) continue;
    sortedSets.add(result, first.score, bytes, offset, length);
  }
  if (isProbing) return;
  for (const source of others) {
    source.start();
    while (source.next() && sortedSets.count(result) > 0) {
      const member = sortedSets.find(result, source.bytes, source.offset, source.length);
      if (member !== NO_MEMBER) sortedSets.remove(result, member);
    }
  }
}

/** Two scores of a member as one. `score` may be NaN, of a weight of infinity and a score of 0; the result never is. */
function aggregated(aggregate: Aggregate, former: number, score: number): number {
  if (aggregate === 'sum') return numberOrZero(former + score);
  const isTaken = aggregate === 'min' ? score < former : score > former;
  return isTaken ? score : former;
}

/** 0 for NaN, as a sorted set has no such score. */
function numberOrZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}
