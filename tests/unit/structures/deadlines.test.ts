import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Memory } from '../../../src/memory/memory.js';
import { NULL_REFERENCE, type Reference, SEGMENT_BYTES, UNIT_BYTES } from '../../../src/memory/reference.js';
import { DEADLINE_NODE_BYTES, Deadlines } from '../../../src/structures/deadlines.js';

const NOW_MS = 1_790_000_000_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Redis's last timestamp: 2^63 - 1 ms, the year 292 million. */
const LAST_MS = 2 ** 63;
/** The last time that a clock may show: beyond it a double does not tell one millisecond from the next. */
const LAST_CLOCK_MS = 2 ** 53 - 1;

/** Counts how many deadlines are read: the nodes that a call looked at. */
class CountingMemory extends Memory {
  doublesRead = 0;

  override double(reference: Reference, index: number): number {
    this.doublesRead++;
    return super.double(reference, index);
  }
}

/** An owner of nodes: blocks of different sizes, the node somewhere in them. */
class Owner {
  readonly memory = new CountingMemory({ debug: true });
  readonly deadlines: Deadlines;
  /** The block and the deadline of every node. */
  readonly nodes = new Map<Reference, { block: Reference; deadlineMs: number }>();

  constructor(nowMs: number) {
    this.deadlines = new Deadlines(this.memory, nowMs);
  }

  add(deadlineMs: number, unitsBefore = 0): Reference {
    const block = this.memory.allocate(unitsBefore * UNIT_BYTES + DEADLINE_NODE_BYTES);
    const node = block + unitsBefore;
    this.deadlines.add(node, deadlineMs);
    this.nodes.set(node, { block, deadlineMs });
    return node;
  }

  update(node: Reference, deadlineMs: number): void {
    this.deadlines.update(node, deadlineMs);
    this.entry(node).deadlineMs = deadlineMs;
  }

  remove(node: Reference): void {
    const { block } = this.entry(node);
    this.deadlines.remove(node);
    this.nodes.delete(node);
    this.memory.free(block);
  }

  /** Reallocates the block of a node. The old one is freed, and poisoned, before the index hears of it. */
  move(node: Reference): Reference {
    const { block, deadlineMs } = this.entry(node);
    const bytes = (node - block) * UNIT_BYTES + DEADLINE_NODE_BYTES;
    const moved = this.memory.reallocate(block, bytes, bytes + 256);
    const movedNode = moved + (node - block);
    this.deadlines.moved(node, movedNode);
    this.nodes.delete(node);
    this.nodes.set(movedNode, { block: moved, deadlineMs });
    return movedNode;
  }

  /** Removes all that is due, a few steps at a time, and returns their deadlines as they came. */
  expire(nowMs: number, stepsMax = 3): number[] {
    const expired: number[] = [];
    let idleCalls = 0;
    for (;;) {
      const node = this.deadlines.takeDue(nowMs);
      if (node !== NULL_REFERENCE) {
        expired.push(this.entry(node).deadlineMs);
        this.remove(node);
        idleCalls = 0;
      } else {
        if (!this.deadlines.advance(nowMs, stepsMax)) return expired;
        // A node needs one step a level, twice at most when a clock was set back.
        if (idleCalls++ > 20 + this.nodes.size * 20) throw new Error('advance does not get anywhere');
      }
    }
  }

  /** The earliest deadline, or Infinity. */
  earliestMs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.nodes.values()) earliest = Math.min(earliest, deadlineMs);
    return earliest;
  }

  private entry(node: Reference): { block: Reference; deadlineMs: number } {
    const entry = this.nodes.get(node);
    if (entry === undefined) throw new Error(`${node} is no node of this owner`);
    return entry;
  }
}

describe('Deadlines', () => {
  let owner = new Owner(NOW_MS);

  function start(nowMs: number): Owner {
    owner = new Owner(nowMs);
    return owner;
  }

  afterEach(() => {
    for (const node of [...owner.nodes.keys()]) owner.remove(node);
    expect(owner.deadlines.count).toBe(0);
    expect(owner.memory.liveBlocks().size).toBe(0);
  });

  it('has nothing to do without nodes', () => {
    const { deadlines } = start(NOW_MS);
    expect(deadlines.wakeMs).toBe(Number.POSITIVE_INFINITY);
    expect(deadlines.takeDue(NOW_MS)).toBe(NULL_REFERENCE);
    expect(deadlines.advance(NOW_MS + DAY_MS, 1)).toBe(false);
    expect(deadlines.advance(NOW_MS - DAY_MS, 1)).toBe(false);
  });

  it.each([
    0,
    1,
    2,
    255,
    256,
    511,
    512,
    513,
    767,
    768,
    131_071,
    131_072,
    131_073,
    MINUTE_MS,
    DAY_MS,
    400 * DAY_MS,
  ])('fires a node on its millisecond, %i ms from now', (distanceMs) => {
    const { deadlines } = start(NOW_MS);
    const node = owner.add(NOW_MS + distanceMs);
    let wakes = 0;
    for (let now = NOW_MS; now < NOW_MS + distanceMs; now = Math.min(deadlines.wakeMs, NOW_MS + distanceMs)) {
      expect(owner.expire(now - 1)).toEqual([]);
      expect(owner.expire(now)).toEqual([]);
      expect(deadlines.wakeMs).toBeGreaterThan(now);
      wakes++;
    }
    expect(wakes).toBeLessThan(10);
    expect(deadlines.advance(NOW_MS + distanceMs, 100)).toBe(true);
    expect(deadlines.takeDue(NOW_MS + distanceMs)).toBe(node);
    expect(deadlines.deadline(node)).toBe(NOW_MS + distanceMs);
  });

  it('keeps a due node until it is removed or gets a later deadline', () => {
    const { deadlines } = start(NOW_MS);
    const node = owner.add(NOW_MS);
    expect(deadlines.takeDue(NOW_MS)).toBe(node);
    expect(deadlines.takeDue(NOW_MS)).toBe(node);
    expect(deadlines.takeDue(NOW_MS - 1)).toBe(NULL_REFERENCE);
    owner.update(node, NOW_MS + 1);
    expect(owner.expire(NOW_MS)).toEqual([]);
    expect(owner.expire(NOW_MS + 1)).toEqual([NOW_MS + 1]);
  });

  it('lets those behind a due node that is postponed go first, and tells of it again at that time', () => {
    const { deadlines } = start(NOW_MS);
    const now = NOW_MS + 700;
    // Some of them are in the same slot, or were past when they came.
    const postponed = [-3, 0, 5, 700].map((distanceMs) => owner.add(NOW_MS + distanceMs));
    for (const distanceMs of [-3, 0, 5, 5, 300, 690, 700, 710, 5000]) owner.add(NOW_MS + distanceMs);
    const expired: number[] = [];
    for (let node = deadlines.takeDue(now); ; node = deadlines.takeDue(now)) {
      if (node === NULL_REFERENCE) {
        if (!deadlines.advance(now, 3)) break;
      } else if (postponed.includes(node)) {
        deadlines.postpone(node, now + 20);
      } else {
        expired.push(deadlines.deadline(node) - NOW_MS);
        owner.remove(node);
      }
    }
    expect(expired.sort((a, b) => a - b)).toEqual([-3, 0, 5, 5, 300, 690, 700]);
    expect(deadlines.wakeMs).toBe(now + 10);
    expect(owner.expire(now + 19)).toEqual([NOW_MS + 710]);
    expect(deadlines.wakeMs).toBe(now + 20);
    expect(postponed.map((node) => deadlines.deadline(node) - NOW_MS)).toEqual([-3, 0, 5, 700]);
    // One of them moves, one goes meanwhile.
    owner.move(postponed[1]);
    owner.remove(postponed[2]);
    expect(owner.expire(now + 20).sort()).toEqual([NOW_MS - 3, NOW_MS, NOW_MS + 700]);
    expect(owner.expire(NOW_MS + 5000)).toEqual([NOW_MS + 5000]);
  });

  it('takes deadlines at the ends of time', () => {
    start(NOW_MS);
    for (const deadlineMs of [Number.POSITIVE_INFINITY, LAST_MS, 2 ** 53, 0, -5]) owner.add(deadlineMs);
    expect(owner.expire(NOW_MS).sort()).toEqual([-5, 0]);
    expect(owner.expire(2 ** 53 - 1)).toEqual([]);
    expect(owner.expire(2 ** 53)).toEqual([2 ** 53]);
    expect(owner.expire(LAST_MS)).toEqual([LAST_MS]);
    expect(owner.deadlines.count).toBe(1);
    expect(owner.deadlines.wakeMs).toBeGreaterThan(LAST_MS);
  });

  it.each([0.5, Number.NaN])('refuses %d, which is no whole number', (deadlineMs) => {
    const { deadlines, memory } = start(NOW_MS);
    const node = owner.add(NOW_MS + 7);
    const other = memory.allocate(DEADLINE_NODE_BYTES);
    expect(() => deadlines.add(other, deadlineMs)).toThrow(RangeError);
    expect(() => deadlines.update(node, deadlineMs)).toThrow(RangeError);
    memory.free(other);
    expect(deadlines.count).toBe(1);
    expect(owner.expire(NOW_MS + 7)).toEqual([NOW_MS + 7]);
  });

  it('waits for the clock when it is set back, and neither fires early nor late', () => {
    start(NOW_MS);
    const offsets = [-20, 0, 10, 300, 5000, MINUTE_MS, DAY_MS, 1000 * DAY_MS];
    for (const offset of offsets) owner.add(NOW_MS + offset);
    const earlier = NOW_MS - 3 * DAY_MS;
    expect(owner.expire(earlier)).toEqual([]);
    owner.add(earlier + 5);
    expect(owner.expire(earlier + 4)).toEqual([]);
    expect(owner.expire(earlier + 5)).toEqual([earlier + 5]);
    for (const offset of offsets) {
      expect(owner.expire(NOW_MS + offset - 1)).toEqual([]);
      expect(owner.expire(NOW_MS + offset)).toEqual([NOW_MS + offset]);
    }
  });

  it('moves the nodes of a crowded slot down before their time, a few at a call', () => {
    const { deadlines, memory } = start(NOW_MS);
    const nodeCount = 5000;
    const startMs = Math.ceil(NOW_MS / 65536 + 10) * 65536; // where a slot of level 2 begins
    for (let i = 0; i < nodeCount; i++) owner.add(startMs + (i % 65536));
    expect(owner.expire(startMs - 2 * 65536)).toEqual([]);
    let calls = 0;
    let more = true;
    for (let now = startMs - 65536; now < startMs; now += 256) {
      for (; more; calls++) {
        memory.doublesRead = 0;
        more = deadlines.advance(now, 10);
        expect(memory.doublesRead).toBeLessThanOrEqual(25);
      }
      more = true;
    }
    expect(calls).toBeGreaterThan(nodeCount / 10);
    // All are in place: the first is taken without another step.
    expect(deadlines.advance(startMs, 0)).toBe(true);
    expect(deadlines.takeDue(startMs)).not.toBe(NULL_REFERENCE);
  });

  it('does not touch its neighbours when a deadline is put off, however often', () => {
    const { memory, deadlines } = start(NOW_MS);
    const node = owner.add(NOW_MS + 1000);
    owner.add(NOW_MS + 1000);
    for (let i = 1; i <= 100; i++) owner.update(node, NOW_MS + 1000 + i * 100);
    expect(owner.expire(NOW_MS + 10_999)).toEqual([NOW_MS + 1000]);
    memory.doublesRead = 0;
    deadlines.advance(NOW_MS + 11_000, 10);
    expect(memory.doublesRead).toBeLessThan(10);
    expect(owner.expire(NOW_MS + 11_000)).toEqual([NOW_MS + 11_000]);
  });

  it('does not take a small reference for the number of a slot', () => {
    const memory = new Memory();
    const deadlines = new Deadlines(memory, 0);
    const huge = memory.allocate(SEGMENT_BYTES); // the first segment: its reference is smaller than slots are many
    expect(huge).toBeLessThan(100);
    const behind = memory.allocate(DEADLINE_NODE_BYTES);
    const inSlot = memory.allocate(DEADLINE_NODE_BYTES);
    deadlines.add(behind, 300);
    deadlines.add(huge, 300);
    deadlines.add(inSlot, huge); // the slot with the number that `behind` has as its previous node
    deadlines.remove(behind);
    expect(deadlines.advance(huge, 10)).toBe(true);
    expect(deadlines.takeDue(huge)).toBe(inSlot);
    deadlines.remove(inSlot);
    expect(deadlines.advance(300, 10)).toBe(true);
    expect(deadlines.takeDue(300)).toBe(huge);
  });

  it('survives active expiry being off for a while', () => {
    start(NOW_MS);
    for (let i = 0; i < 100; i++) owner.add(NOW_MS + i * 50);
    for (let i = 0; i < 100; i++) owner.add(NOW_MS + DAY_MS + i * 50);
    const expired = owner.expire(NOW_MS + DAY_MS + 99 * 50);
    expect(expired).toHaveLength(200);
    expect(expired).toEqual([...expired].sort((a, b) => a - b));
  });

  describe('against a model', () => {
    const distance = fc.oneof(
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: 0, max: 140_000 }),
      fc.integer({ min: 0, max: 40_000_000 }),
      fc.integer({ min: 0, max: 400 * DAY_MS }),
      fc.integer({ min: 0, max: 60 }).map((bits) => 2 ** bits),
      fc.constantFrom(0, 1, 255, 256, 511, 512, 65_535, 65_536, 131_071, 131_072),
    );
    const deadline = fc.oneof(
      { weight: 8, arbitrary: distance.map((ms) => ({ after: ms })) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 1000 }).map((ms) => ({ after: -ms })) },
      { weight: 1, arbitrary: fc.constantFrom(0, 1, -1, 2 ** 53, LAST_MS).map((ms) => ({ at: ms })) },
    );
    const operation = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), deadline, units: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('update' as const), deadline, pick: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), pick: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), pick: fc.nat() }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: distance }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('setBack' as const), ms: distance }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('peek' as const), steps: fc.nat(3) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('wake' as const) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
    );

    it('expires exactly the nodes that are due, whatever happens to nodes and clock', () => {
      const run = (
        nowStartMs: number,
        operations: (typeof operation extends fc.Arbitrary<infer T> ? T : never)[],
      ) => {
        const { deadlines } = start(nowStartMs);
        let now = nowStartMs;
        const at = (deadline: { after: number } | { at: number }) =>
          Math.min('at' in deadline ? deadline.at : now + deadline.after, LAST_MS);
        const pick = (index: number) => [...owner.nodes.keys()][index % owner.nodes.size];
        for (const step of operations) {
          if ('pick' in step && owner.nodes.size === 0) continue;
          switch (step.kind) {
            case 'add':
              owner.add(at(step.deadline), step.units);
              break;
            case 'update':
              owner.update(pick(step.pick), at(step.deadline));
              break;
            case 'remove':
              owner.remove(pick(step.pick));
              break;
            case 'move':
              owner.move(pick(step.pick));
              break;
            case 'pass':
              now = Math.min(now + step.ms, LAST_CLOCK_MS);
              break;
            case 'setBack':
              now = Math.max(0, now - step.ms);
              break;
            case 'wake':
              if (deadlines.wakeMs <= LAST_CLOCK_MS) now = Math.max(now, deadlines.wakeMs);
              break;
            case 'peek': {
              const more = deadlines.advance(now, step.steps);
              if (!more) expect(owner.earliestMs()).toBeGreaterThan(now);
              break;
            }
            case 'expire': {
              const due = [...owner.nodes.values()].map((node) => node.deadlineMs).filter((ms) => ms <= now);
              expect(owner.expire(now).sort((a, b) => a - b)).toEqual(due.sort((a, b) => a - b));
              expect(deadlines.wakeMs).toBeGreaterThan(now);
              break;
            }
          }
          expect(deadlines.count).toBe(owner.nodes.size);
          expect(deadlines.wakeMs).toBeLessThanOrEqual(owner.earliestMs());
          const due = deadlines.takeDue(now);
          if (due !== NULL_REFERENCE) expect(owner.nodes.get(due)?.deadlineMs).toBeLessThanOrEqual(now);
        }
        for (const [node, { deadlineMs }] of owner.nodes) expect(deadlines.deadline(node)).toBe(deadlineMs);
        const left = owner.nodes.size;
        expect(owner.expire(LAST_MS)).toHaveLength(left);
        expect(owner.nodes.size).toBe(0);
      };
      const nowStart = fc.oneof(
        fc.constantFrom(0, 511, 65_535, NOW_MS, LAST_CLOCK_MS),
        fc.integer({ min: 0, max: 2 * NOW_MS }),
      );
      fc.assert(fc.property(nowStart, fc.array(operation, { maxLength: 120, size: 'max' }), run), {
        numRuns: 200,
      });
    });
  });
});
