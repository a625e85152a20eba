import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Memory, OutOfMemoryError } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import { KeyedHash } from '../../../src/memory/sip-hash.js';
import { HashTable } from '../../../src/structures/hashtable.js';
import { Skiplist, type SkiplistReference } from '../../../src/structures/skiplist.js';
import type { NodeReference } from '../../../src/structures/skiplist-nodes.js';
import { SkiplistRanges } from '../../../src/structures/skiplist-ranges.js';
import {
  LEX_EXCLUSIVE,
  LEX_HIGHEST,
  LEX_INCLUSIVE,
  LEX_LOWEST,
  type LexEnd,
  LexRange,
  ScoreRange,
} from '../../../src/structures/sorted-ranges.js';
import { checkSkiplist } from './skiplist-invariants.js';

/** A skiplist beside the sorted array that it must equal, with each node's member as its key. */
class Pair {
  readonly memory = new Memory({ debug: true });
  readonly skiplist: Skiplist;
  readonly ranges: SkiplistRanges;
  readonly list: SkiplistReference;
  model: { score: number; member: Buffer; node: NodeReference }[] = [];

  constructor(seed = 1) {
    this.skiplist = new Skiplist(this.memory, seed);
    this.ranges = new SkiplistRanges(this.memory, this.skiplist);
    this.list = this.skiplist.create();
  }

  /** Inserts a member, or gives it another score when the list has it. */
  set(score: number, member: Buffer): void {
    const entry = this.model.find((other) => other.member.equals(member));
    if (entry === undefined) {
      const source = Buffer.concat([Buffer.from('??'), member, Buffer.from('?')]);
      const node = this.skiplist.insert(this.list, score, source, 2, member.length);
      this.model.push({ score, member, node });
    } else {
      this.skiplist.updateScore(this.list, entry.node, score);
      entry.score = score;
    }
    this.model.sort((a, b) => (a.score === b.score ? Buffer.compare(a.member, b.member) : a.score - b.score));
  }

  removeAt(rank: number): void {
    const [removed] = this.model.splice(rank, 1);
    this.skiplist.remove(this.list, removed.node);
  }

  removeRange(start: number, end: number): void {
    const removed = this.model.splice(start, end - start).map(({ node }) => node);
    let node = this.skiplist.detachRange(this.list, start, end);
    for (const expected of removed) {
      expect(node).toBe(expected);
      node = this.skiplist.next(node);
      this.skiplist.free(expected);
    }
    expect(node).toBe(NULL_REFERENCE);
  }

  member(node: NodeReference): Buffer {
    const offset = this.skiplist.memberOffset(node);
    const length = this.skiplist.memberLength(node);
    return Buffer.from(this.skiplist.memberBytes(node).subarray(offset, offset + length));
  }

  check(): void {
    expect(checkSkiplist(this.memory, this.skiplist, this.list)).toEqual(this.model.map(({ node }) => node));
    this.model.forEach(({ score, member, node }, rank) => {
      expect(Object.is(this.skiplist.score(node), score)).toBe(true);
      expect(this.member(node).equals(member)).toBe(true);
      expect(this.skiplist.rank(this.list, node)).toBe(rank);
      expect(this.skiplist.nodeAtRank(this.list, rank)).toBe(node);
    });
    expect(this.skiplist.nodeAtRank(this.list, -1)).toBe(NULL_REFERENCE);
    expect(this.skiplist.nodeAtRank(this.list, this.model.length)).toBe(NULL_REFERENCE);
  }

  /** Frees the list in slices and checks that nothing is left. */
  end(): void {
    while (this.skiplist.freeStep(this.list, 7) === 7);
    expect(this.memory.liveBlocks().size).toBe(0);
  }
}

const scores = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, 0.1, 1e308, -1e308, 5e-324, 2 ** 53),
  fc.integer({ min: -5, max: 5 }),
  fc.double({ noNaN: true }),
  fc.constantFrom(Math.PI, 0.30000000000000004, 1.7976931348623157e308, 2 ** 60 + 256),
);
const members = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 3 }) },
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 300, size: 'max' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 1, 253, 254, 255, 256, 300, 70000).map((length) => new Uint8Array(length)),
  },
);
/** A number from 0 to below 1 that picks a rank. */
const places = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const operations = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('set' as const), score: scores, member: members }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rescore' as const), score: scores, at: places }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: places }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('range' as const), at: places, to: places }) },
);

function apply(pair: Pair, operation: typeof operations extends fc.Arbitrary<infer T> ? T : never): void {
  if (operation.kind === 'set') {
    pair.set(operation.score, Buffer.from(operation.member));
    return;
  }
  const length = pair.model.length;
  if (length === 0) return;
  const at = Math.floor(operation.at * length);
  if (operation.kind === 'rescore') pair.set(operation.score, pair.model[at].member);
  else if (operation.kind === 'remove') pair.removeAt(at);
  else pair.removeRange(at, at + 1 + Math.floor(operation.to * Math.min(20, length - at)));
}

describe('Skiplist', () => {
  it('equals a sorted array, whatever is inserted, moved and removed', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 120, size: 'max' }), fc.integer(), (list, seed) => {
        const pair = new Pair(seed);
        for (const operation of list) apply(pair, operation);
        pair.check();
        pair.end();
      }),
      { numRuns: 150 },
    );
  });

  it('finds ranges of scores as a filter over the array does', () => {
    const ends = fc.record({
      min: scores,
      max: scores,
      minExclusive: fc.boolean(),
      maxExclusive: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(scores, members), { maxLength: 60, size: 'max' }),
        fc.array(ends, { minLength: 10, maxLength: 30 }),
        (content, asked) => {
          const pair = new Pair();
          for (const [score, member] of content) pair.set(score, Buffer.from(member));
          const range = new ScoreRange();
          for (const ends of asked) {
            Object.assign(range, ends);
            const inside = pair.model.filter(
              ({ score }) => range.reachesMin(score) && range.reachesMax(score),
            );
            const start = pair.ranges.scoreRangeStart(pair.list, range);
            if (inside.length > 0) expect(pair.ranges.node).toBe(inside[0].node);
            const end = pair.ranges.scoreRangeEnd(pair.list, range);
            if (inside.length > 0) expect(pair.ranges.node).toBe(inside.at(-1)?.node);
            expect(start).toBe(pair.model.filter(({ score }) => !range.reachesMin(score)).length);
            expect(end).toBe(pair.model.filter(({ score }) => range.reachesMax(score)).length);
          }
          pair.end();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('finds ranges of members as a filter over the array does', () => {
    const kinds = fc.constantFrom<LexEnd>(LEX_LOWEST, LEX_INCLUSIVE, LEX_EXCLUSIVE, LEX_HIGHEST);
    const ends = fc.record({ min: kinds, max: kinds, from: members, to: members });
    fc.assert(
      fc.property(
        fc.uniqueArray(members, {
          maxLength: 60,
          size: 'max',
          selector: (member) => Buffer.from(member).toString('hex'),
        }),
        fc.array(ends, { minLength: 10, maxLength: 30 }),
        (content, asked) => {
          const pair = new Pair();
          for (const member of content) pair.set(1.5, Buffer.from(member));
          const range = new LexRange();
          for (const { min, max, from, to } of asked) {
            range.bytes = Buffer.concat([from, to]);
            Object.assign(range, { min, minOffset: 0, minLength: from.length });
            Object.assign(range, { max, maxOffset: from.length, maxLength: to.length });
            const above = ({ member }: { member: Buffer }) => isAboveMin(member, min, from);
            const below = ({ member }: { member: Buffer }) => isBelowMax(member, max, to);
            const inside = pair.model.filter((entry) => above(entry) && below(entry));
            const start = pair.ranges.lexRangeStart(pair.list, range);
            if (inside.length > 0) expect(pair.ranges.node).toBe(inside[0].node);
            const end = pair.ranges.lexRangeEnd(pair.list, range);
            if (inside.length > 0) expect(pair.ranges.node).toBe(inside.at(-1)?.node);
            expect(start).toBe(pair.model.filter((entry) => !above(entry)).length);
            expect(end).toBe(pair.model.filter(below).length);
            if (range.isEmpty()) expect(end).toBeLessThanOrEqual(start);
          }
          pair.end();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('keeps spans and ranks over thousands of nodes, and as it is emptied by ranges', () => {
    const pair = new Pair(7);
    const { skiplist, memory, list } = pair;
    const nodes: NodeReference[] = [];
    for (let i = 0; i < 5000; i++) {
      const member = Buffer.from(`member:${i}`);
      nodes.push(skiplist.insert(list, (i * 7919) % 1000, member, 0, member.length));
    }
    for (let i = 0; i < 5000; i += 3) skiplist.updateScore(list, nodes[i], (i * 104729) % 500);
    const order = checkSkiplist(memory, skiplist, list);
    expect(new Set(order)).toEqual(new Set(nodes));
    for (const [rank, node] of order.entries()) expect(skiplist.rank(list, node)).toBe(rank);
    while (skiplist.count(list) > 0) {
      const count = skiplist.count(list);
      const start = Math.floor(count / 3);
      const end = Math.min(count, start + 700);
      let node = skiplist.detachRange(list, start, end);
      for (let i = start; i < end; i++) {
        const next = skiplist.next(node);
        skiplist.free(node);
        node = next;
      }
      checkSkiplist(memory, skiplist, list);
    }
    pair.end();
  });

  it('is as it was when memory runs out', () => {
    const pair = new Pair();
    pair.set(1, Buffer.from('a'));
    pair.memory.allocationsUntilFailure = 0;
    expect(() => pair.skiplist.insert(pair.list, 0, Buffer.from('b'), 0, 1)).toThrow(OutOfMemoryError);
    expect(() => pair.skiplist.create()).toThrow(OutOfMemoryError);
    pair.set(2, Buffer.from('a'));
    pair.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    pair.check();
    pair.end();
  });

  it('moves a node without another block', () => {
    const pair = new Pair();
    for (let i = 0; i < 50; i++) pair.set(i, Buffer.from(`m${i}`));
    const blocks = pair.memory.blockCount;
    pair.memory.allocationsUntilFailure = 0;
    for (let i = 0; i < 50; i++) pair.set((i * 31) % 17, Buffer.from(`m${i}`));
    expect(pair.memory.blockCount).toBe(blocks);
    pair.check();
    pair.end();
  });

  it('refuses NaN and ranges that are not there', () => {
    const pair = new Pair();
    pair.set(1, Buffer.from('a'));
    expect(() => pair.skiplist.insert(pair.list, NaN, Buffer.from('b'), 0, 1)).toThrow('NaN');
    expect(() => pair.skiplist.updateScore(pair.list, pair.model[0].node, NaN)).toThrow('NaN');
    expect(() => pair.skiplist.detachRange(pair.list, 0, 2)).toThrow(RangeError);
    expect(() => pair.skiplist.detachRange(pair.list, 1, 1)).toThrow(RangeError);
    pair.check();
    pair.end();
  });

  it('has nodes that a hash table finds by member', () => {
    const pair = new Pair();
    const table = new HashTable(pair.memory, new KeyedHash(1, 2));
    const byMember = table.create();
    const lengths = [0, 1, 11, 254, 255, 300, 70000];
    for (const length of lengths) {
      const member = Buffer.alloc(length, 0x61);
      const node = pair.skiplist.insert(pair.list, length, member, 0, length);
      table.insert(byMember, table.hash(member, 0, length), node);
    }
    for (const length of lengths) {
      const member = Buffer.alloc(length, 0x61);
      const node = table.find(byMember, table.hash(member, 0, length), member, 0, length);
      expect(pair.skiplist.score(node)).toBe(length);
      expect(pair.skiplist.memberLength(node)).toBe(length);
    }
    while (table.releaseBucket(byMember));
    pair.end();
  });

  it('keeps a word for its owner', () => {
    const pair = new Pair();
    expect(pair.skiplist.owner(pair.list)).toBe(0);
    pair.skiplist.setOwner(pair.list, -5);
    pair.set(1, Buffer.from('a'));
    expect(pair.skiplist.owner(pair.list)).toBe(-5);
    pair.end();
  });
});

function isAboveMin(member: Buffer, kind: LexEnd, end: Uint8Array): boolean {
  if (kind === LEX_LOWEST) return true;
  if (kind === LEX_HIGHEST) return false;
  const order = Buffer.compare(member, end);
  return kind === LEX_INCLUSIVE ? order >= 0 : order > 0;
}

function isBelowMax(member: Buffer, kind: LexEnd, end: Uint8Array): boolean {
  if (kind === LEX_HIGHEST) return true;
  if (kind === LEX_LOWEST) return false;
  const order = Buffer.compare(member, end);
  return kind === LEX_INCLUSIVE ? order <= 0 : order < 0;
}
