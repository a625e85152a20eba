import type { RecordReference } from '../../keyspace/record.js';
import { GeoCoverage } from '../../structures/geo-area.js';
import { type Geohash, type GeohashCell, Place } from '../../structures/geohash.js';
import { DISTANCE_MAX_METERS, type Meters } from '../../structures/great-circle.js';
import { type Compare, partialSort } from '../../structures/partial-sort.js';
import { ScoreRange } from '../../structures/sorted-ranges.js';
import type { MemberHandle } from '../../types/sorted-set.js';
import type { Types } from '../../types/types.js';
import type { SearchRequest } from './search-request.js';

/** So many places are kept room for; that of a larger result is let go. */
const CAPACITY_KEPT = 1024;

/**
 * The places of a sorted set that a search has found. One instance is reused for every search.
 *
 *     order      2 0 1            the places in the order that is asked for, of which only `count` are wanted
 *     members, scores, distances  what was found, in the order of the cells that were searched
 */
export class FoundPlaces {
  members: Int32Array<ArrayBufferLike> = new Int32Array(64);
  scores = new Float64Array(64);
  distances = new Float64Array(64);
  /** The places that are wanted, by their index in what was found. */
  order: Int32Array<ArrayBufferLike> = new Int32Array(0);
  /** How many are wanted. */
  count = 0;

  private found = 0;
  private readonly place = new Place();
  private readonly coverage = new GeoCoverage();
  private readonly range = new ScoreRange();
  private readonly ascending: Compare = (a, b) => compare(this.distances[a], this.distances[b]);
  private readonly descending: Compare = (a, b) => -compare(this.distances[a], this.distances[b]);

  constructor() {
    this.range.maxExclusive = true;
  }

  /** Searches a sorted set. What is found is valid until that changes. */
  search(types: Types, record: RecordReference, request: SearchRequest): void {
    if (this.members.length > CAPACITY_KEPT) this.reserve(CAPACITY_KEPT);
    this.found = 0;
    this.searchCells(types, record, request);
    this.count = request.count === 0 ? this.found : Math.min(this.found, request.count);
    this.sort(request);
  }

  /** The distance of a place from the middle of the area. */
  distance(index: number): Meters {
    return this.distances[index];
  }

  /** The same for a score, which cannot be NaN. */
  scoredDistance(index: number): Meters {
    const distance = this.distances[index];
    return Number.isNaN(distance) ? DISTANCE_MAX_METERS : distance;
  }

  /** Searches the cells that cover the area, until any are enough. */
  private searchCells(types: Types, record: RecordReference, request: SearchRequest): void {
    const { coverage } = this;
    const { cells } = coverage;
    const limit = request.any ? request.count : Number.POSITIVE_INFINITY;
    coverage.cover(request.area);
    let previous: GeohashCell | undefined;
    for (const cell of cells) {
      if (cell.step === 0) continue;
      // Where a cell is half the map, what is east of it is also west of it.
      if (previous !== undefined && previous !== cells[0] && cell.equals(previous)) continue;
      if (this.found >= limit) return;
      this.searchCell(types, record, request, cell, limit);
      previous = cell;
    }
  }

  private searchCell(
    { sortedSetCursor: cursor }: Types,
    record: RecordReference,
    { area }: SearchRequest,
    cell: GeohashCell,
    limit: number,
  ): void {
    const { range, place } = this;
    range.min = cell.start;
    range.max = cell.end;
    cursor.selectScores(record, range, false);
    while (cursor.advance()) {
      const { score } = cursor;
      place.decode(score);
      if (!area.contains(place)) continue;
      this.push(cursor.member, score, area.distance);
      if (this.found >= limit) return;
    }
  }

  private push(member: MemberHandle, score: Geohash, distance: Meters): void {
    const { found } = this;
    if (found === this.members.length) this.reserve(found * 2);
    this.members[found] = member;
    this.scores[found] = score;
    this.distances[found] = distance;
    this.found++;
  }

  /** As in Redis, whose order of places at the same distance follows from how it sorts. */
  private sort({ order }: SearchRequest): void {
    const { found, count } = this;
    const indexes = new Int32Array(found);
    for (let i = 0; i < found; i++) indexes[i] = i;
    this.order = indexes;
    if (order === 'found') return;
    const compareTwo = order === 'ascending' ? this.ascending : this.descending;
    if (count === found) indexes.sort(compareTwo);
    else partialSort(indexes, 0, count - 1, compareTwo);
  }

  /** Makes room for `capacity` places, and keeps as many as fit. */
  private reserve(capacity: number): void {
    const members = new Int32Array(capacity);
    const scores = new Float64Array(capacity);
    const distances = new Float64Array(capacity);
    const kept = Math.min(this.found, capacity);
    members.set(this.members.subarray(0, kept));
    scores.set(this.scores.subarray(0, kept));
    distances.set(this.distances.subarray(0, kept));
    this.members = members;
    this.scores = scores;
    this.distances = distances;
  }
}

/** Below 0 when one of them is NaN, in either order, as in Redis. */
function compare(a: Meters, b: Meters): number {
  if (a > b) return 1;
  return a === b ? 0 : -1;
}
