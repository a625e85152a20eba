import { expect } from 'vitest';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { type Encoding, type RecordReference, TYPE_SORTED_SET } from '../../../src/keyspace/record.js';
import { Memory } from '../../../src/memory/memory.js';
import { ReferenceList } from '../../../src/memory/reference-list.js';
import { Listpacks } from '../../../src/structures/listpack.js';
import type { LexRange, ScoreRange } from '../../../src/structures/sorted-ranges.js';
import { NO_MEMBER, SortedSets } from '../../../src/types/sorted-set.js';
import { SortedSetCursor } from '../../../src/types/sorted-set-cursor.js';
import { checkSkiplist } from '../structures/skiplist-invariants.js';

/** A member of the model. */
export interface Pair {
  readonly member: Buffer;
  score: number;
}

/** How many members are skipped and read, in the ranges that are checked. */
const LIMITS = [
  [0, 1],
  [2, 3],
  [0, 0],
  [1, 31],
  [1, 100],
] as const;

/** One sorted set of a keyspace beside the sorted array that it must equal. */
export class SortedSetModel {
  readonly memory = new Memory({ debug: true });
  readonly keyspace = new Keyspace({ databases: 1, memory: this.memory, seed: [1, 2], nowMs: 0 });
  readonly listpacks = new Listpacks(this.memory);
  readonly sets: SortedSets;
  readonly cursor: SortedSetCursor;
  readonly record: RecordReference;
  pairs: Pair[] = [];
  private readonly blocksBefore: number;

  constructor(entriesMax = 128, valueMax = 64, encoding?: Encoding) {
    this.blocksBefore = this.memory.blockCount;
    this.sets = new SortedSets(this.keyspace, this.listpacks, 1);
    this.sets.listpackEntriesMax = entriesMax;
    this.sets.listpackValueMax = valueMax;
    this.cursor = new SortedSetCursor(this.sets, this.listpacks);
    this.record = this.addRecord('key', encoding ?? this.sets.encodingFor(0, 0));
  }

  /** Adds a member, or gives it another score when the set has it. */
  set(member: Buffer, score: number): void {
    const handle = this.find(member);
    if (handle === NO_MEMBER) {
      const source = Buffer.concat([Buffer.from('<'), member]);
      this.sets.add(this.record, score, source, 1, member.length);
      this.pairs.push({ member, score });
    } else {
      this.sets.update(this.record, handle, score);
      for (const pair of this.pairs) if (pair.member.equals(member)) pair.score = score;
    }
    this.pairs.sort((a, b) => (a.score === b.score ? Buffer.compare(a.member, b.member) : a.score - b.score));
  }

  removeAt(rank: number): void {
    this.sets.remove(this.record, this.find(this.pairs[rank].member));
    this.pairs.splice(rank, 1);
  }

  removeRange(start: number, end: number): void {
    this.sets.removeRange(this.record, start, end);
    this.pairs.splice(start, end - start);
  }

  find(member: Buffer): number {
    return this.sets.find(this.record, member, 0, member.length);
  }

  /** The members that a selection reads, as text, with their scores; -0 as 0. */
  read(): [member: string, score: number][] {
    const found: [string, number][] = [];
    const expected = this.cursor.remaining;
    while (this.cursor.next()) found.push([this.member(), withoutSign(this.cursor.score)]);
    expect(found).toHaveLength(expected);
    return found;
  }

  /** What `read` should give for the pairs from rank `start` to below `end`. */
  expected(start: number, end: number, reverse: boolean): [member: string, score: number][] {
    const found = this.pairs
      .slice(start, end)
      .map(({ member, score }): [string, number] => [member.toString('latin1'), withoutSign(score)]);
    return reverse ? found.reverse() : found;
  }

  /** Checks everything that can be asked of the set against the model. */
  check(): void {
    const { sets, record, pairs, cursor } = this;
    if (!sets.isListpack(record)) checkSkiplist(this.memory, sets.skiplist, sets.records.slot(record));
    expect(sets.count(record)).toBe(pairs.length);
    expect(this.find(Buffer.from('a member that is not there'))).toBe(NO_MEMBER);
    for (const [rank, { member, score }] of pairs.entries()) {
      const handle = this.find(member);
      expect(handle).not.toBe(NO_MEMBER);
      expect(sets.score(record, handle) === score).toBe(true);
      expect(sets.rank(record, handle)).toBe(rank);
      cursor.read(record, handle);
      expect(this.member()).toBe(member.toString('latin1'));
    }
    for (const reverse of [false, true]) {
      cursor.selectRanks(record, 0, pairs.length, reverse);
      expect(this.read()).toEqual(this.expected(0, pairs.length, reverse));
    }
    expect(this.scan().sort()).toEqual(pairs.map(({ member }) => member.toString('latin1')).sort());
  }

  checkScores(range: ScoreRange, reverse: boolean): void {
    const start = this.pairs.filter(({ score }) => !range.reachesMin(score)).length;
    const end = this.pairs.filter(({ score }) => range.reachesMax(score)).length;
    this.cursor.selectScores(this.record, range, reverse);
    this.checkSelection(start, end, reverse);
    for (const [skipped, count] of LIMITS) {
      this.cursor.selectScores(this.record, range, reverse, skipped, count);
      this.checkLimited(start, end, reverse, skipped, count);
    }
  }

  /** As `checkScores`; all members have the same score. */
  checkMembers(range: LexRange, reverse: boolean): void {
    const start = this.pairs.filter(({ member }) => !range.reachesMin(member, 0, member.length)).length;
    const end = this.pairs.filter(({ member }) => range.reachesMax(member, 0, member.length)).length;
    this.cursor.selectMembers(this.record, range, reverse);
    this.checkSelection(start, end, reverse);
    for (const [skipped, count] of LIMITS) {
      this.cursor.selectMembers(this.record, range, reverse, skipped, count);
      this.checkLimited(start, end, reverse, skipped, count);
    }
  }

  /** A record for another key. */
  addRecord(key: string, encoding: Encoding, value = this.sets.create(encoding)): RecordReference {
    const name = Buffer.from(key);
    const hash = this.keyspace.hash(name, 0, name.length);
    const [database] = this.keyspace.databases;
    const length = name.length;
    return this.keyspace.add(database, hash, name, 0, length, TYPE_SORTED_SET, encoding, value, 0);
  }

  /** Removes the key and checks that no block of it is left. */
  end(): void {
    this.keyspace.remove(this.keyspace.databases[0], this.record);
    while (this.keyspace.lazyFree.step(5));
    expect(this.memory.blockCount).toBe(this.blocksBefore);
  }

  private checkSelection(start: number, end: number, reverse: boolean): void {
    expect(this.cursor.remaining).toBe(Math.max(0, end - start));
    if (end > start) expect([this.cursor.start, this.cursor.end]).toEqual([start, end]);
    expect(this.read()).toEqual(this.expected(start, end, reverse));
  }

  private checkLimited(start: number, end: number, reverse: boolean, skipped: number, count: number): void {
    const from = reverse ? Math.max(start, end - skipped - count) : start + skipped;
    const to = reverse ? end - skipped : Math.min(end, from + count);
    this.checkSelection(Math.max(0, from), Math.max(0, from, to), reverse);
  }

  private member(): string {
    const { bytes, offset, length } = this.cursor;
    return Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
  }

  private scan(): string[] {
    const members: string[] = [];
    const found = new ReferenceList();
    let position = 0;
    do {
      found.clear();
      position = this.sets.scan(this.record, position, found);
      for (const handle of found.items.subarray(0, found.count)) {
        this.cursor.read(this.record, handle);
        members.push(this.member());
      }
    } while (position !== 0);
    return members;
  }
}

/** 0 for -0, the sign of which a listpack does not keep; else the score. */
function withoutSign(score: number): number {
  return score === 0 ? 0 : score;
}
