import type { Memory } from '../memory/memory.js';
import { NULL_REFERENCE, type Reference, type WordOffset } from '../memory/reference.js';

/** A moment in milliseconds since 1970-01-01 UTC, a whole number. Exact up to 2^53 (the year 287396). */
export type TimestampMs = number;

/** Bytes of the node that an owner embeds in its block, at a multiple of 8 bytes. */
export const DEADLINE_NODE_BYTES = 16;

const NEXT: WordOffset = 0;
const PREVIOUS: WordOffset = 1;
/** Position of the deadline in a node, in units of 8 bytes. */
const DEADLINE = 1;

const LEVEL_COUNT = 8;
/** Slots of one level that make a slot of the level above: half a ring. */
const SLOTS_PER_PARENT = 256;
const RING_SHIFT = 9;
const RING_SLOTS = 1 << RING_SHIFT;
const RING_MASK = RING_SLOTS - 1;
/** 32 slots share a word of the occupancy bitmap. */
const RING_WORDS = RING_SLOTS / 32;
/** The list of nodes whose deadline was over when they came; it is no slot of the wheel. */
const PAST_SLOT = LEVEL_COUNT * RING_SLOTS;
const NO_SLOT = -1;

/** By level, the milliseconds of a slot: 1, 256, 256², … Powers of two, so that dividing by them is exact. */
const SLOT_MS = Float64Array.from({ length: LEVEL_COUNT }, (_, level) => SLOTS_PER_PARENT ** level);
const SLOTS_PER_MS = SLOT_MS.map((milliseconds) => 1 / milliseconds);

/**
 * An index of off-heap nodes by deadline: a hierarchical timing wheel (Varghese and Lauck, 1987), with which
 * things expire on the millisecond however many others wait.
 *
 * A node is 16 bytes in a block of its owner, so that the index itself takes nothing that grows:
 *
 *     word 0             word 1                 words 2 and 3
 *     ┌──────────────────┬──────────────────────┬─────────────────────────────┐
 *     │ next node or 0   │ previous, or slot ¹  │ deadline: float64, ms       │
 *     └──────────────────┴──────────────────────┴─────────────────────────────┘
 *     ¹ The first node of a slot has the slot's number here. It may look like a reference, but only the
 *       first node of slot s is `heads[s]`.
 *
 * A level is a ring of 512 slots; a slot spans 1 ms at level 0 and 256 slots of the level below elsewhere:
 *
 *     level   slot      ring                        `time`
 *     0       1 ms      0.5 s                ───────┤▒▒▒▒▒▒▒▒▒▒▒▒▒▒├───────────────────────▶
 *     1       256 ms    2.2 min              ───────┤  P  │ P+1 │▒▒▒▒▒▒▒▒▒▒▒▒▒▒├──────────▶
 *     2       66 s      9.3 h                ───────┤     P      │     P+1    │▒▒▒▒▒▒▒▒▒▒▒▒▶
 *     …
 *     7       2.3 M years                    ▒ where nodes are added; P is the slot that `time` is in
 *
 * A node goes to the lowest level whose ring reaches its deadline. A ring is two slots of the level above
 * long, so slots P and P+1 of levels above 0 get no new nodes, and the nodes in P+1 can be moved down in
 * small steps during all of P: even a million in one slot are in their place when their time comes.
 *
 * Invariants, outside the list of past ones and but for nodes that are postponed:
 * - No deadline is before `time`, which therefore waits at a slot until its owner has removed the due nodes.
 * - A node is in the slot of its deadline or in an earlier one (where `update` left it, or because a clock
 *   set back made a slot stand for an earlier time). Deadlines are compared before a node is called due; a
 *   node that is early is put where it belongs.
 */
export class Deadlines {
  /** Number of nodes. */
  count = 0;
  /**
   * When `advance` will have something to do: at the earliest deadline or before it, Infinity without nodes.
   * A timer set for then may find that the node is gone, or only needs to be moved down, and is set anew.
   */
  wakeMs: TimestampMs = Number.POSITIVE_INFINITY;

  private readonly memory: Memory;
  private readonly heads = new Int32Array(PAST_SLOT + 1).fill(NULL_REFERENCE);
  /** A bit a slot, the past one too: it has nodes. */
  private readonly occupied = new Int32Array(LEVEL_COUNT * RING_WORDS + 1);
  /** By level, how many slots have nodes. */
  private readonly occupiedSlots = new Int32Array(LEVEL_COUNT + 1);
  /** By level, `time` in slots: `positions[0]` is `time`. */
  private readonly positions = new Float64Array(LEVEL_COUNT);
  /** By level, the slot of the ring that `time` is in. */
  private readonly cursors = new Int32Array(LEVEL_COUNT);

  /** An empty index over nodes in `memory`, at time `nowMs`. */
  constructor(memory: Memory, nowMs: TimestampMs) {
    this.memory = memory;
    this.setTime(nowMs);
  }

  /** The deadline of a node. */
  deadline(node: Reference): TimestampMs {
    return this.memory.double(node, DEADLINE);
  }

  /**
   * Adds a node that is not in the index. One whose deadline is over is due at once.
   * @throws RangeError unless the deadline is a whole number or Infinity; nothing has changed then.
   */
  add(node: Reference, deadlineMs: TimestampMs): void {
    assertWhole(deadlineMs);
    this.memory.setDouble(node, DEADLINE, deadlineMs);
    this.link(node, this.slotFor(deadlineMs));
    this.count++;
  }

  /** Takes out a node, due or not. */
  remove(node: Reference): void {
    this.unlink(node);
    if (--this.count === 0) this.wakeMs = Number.POSITIVE_INFINITY;
  }

  /**
   * Gives a node of the index another deadline. A later one touches nothing but the node.
   * @throws RangeError as `add`.
   */
  update(node: Reference, deadlineMs: TimestampMs): void {
    assertWhole(deadlineMs);
    const earlier = deadlineMs < this.deadline(node);
    this.memory.setDouble(node, DEADLINE, deadlineMs);
    if (!earlier) return;
    this.unlink(node);
    this.link(node, this.slotFor(deadlineMs));
  }

  /**
   * Has a node that is due be so again at `untilMs`, with the deadline that it has: its owner cannot do now what is to be
   * done. Until then a deadline that `update` gives it is late when it is before `untilMs`.
   * @param untilMs after the `nowMs` that it is due at; when it is half a second or more, the node may be due before
   */
  postpone(node: Reference, untilMs: TimestampMs): void {
    this.unlink(node);
    this.link(node, this.slotFor(untilMs));
  }

  /** The owner's block moved: the node that was at `from` is, byte for byte, at `to`. `from` is not read. */
  moved(from: Reference, to: Reference): void {
    const next = this.memory.word(to, NEXT);
    const previous = this.memory.word(to, PREVIOUS);
    if (this.isFirst(from, previous)) this.heads[previous] = to;
    else this.memory.setWord(previous, NEXT, to);
    if (next !== NULL_REFERENCE) this.memory.setWord(next, PREVIOUS, to);
  }

  /**
   * A node whose deadline is `nowMs` or before, or NULL_REFERENCE when none is at hand; `advance` may bring
   * more to hand. The node stays in the index: remove (or update) it, or the next call returns it again.
   */
  takeDue(nowMs: TimestampMs): Reference {
    const past = this.heads[PAST_SLOT];
    if (past !== NULL_REFERENCE && this.deadline(past) <= nowMs) return past;
    const node = this.heads[this.cursors[0]];
    if (node !== NULL_REFERENCE && this.deadline(node) <= nowMs) return node;
    return NULL_REFERENCE;
  }

  /**
   * Brings the time to `nowMs`, or to the first due node on the way, and moves nodes that come near to lower
   * levels, at most `stepsMax` of them. Returns whether there is more to do now: take due nodes, or call
   * again. A clock set back or far forward costs no more at once than any other.
   */
  advance(nowMs: TimestampMs, stepsMax: number): boolean {
    if (nowMs < this.positions[0]) {
      this.setTime(nowMs);
      this.wakeMs = Math.min(this.wakeMs, nowMs);
    }
    let steps = stepsMax;
    while (this.wakeMs <= nowMs) {
      if (this.takeDue(nowMs) !== NULL_REFERENCE) return true;
      const slot = this.slotToMove(nowMs);
      if (slot === NO_SLOT) break;
      if (steps <= 0) return true;
      steps -= this.relocate(slot, steps);
    }
    if (nowMs > this.positions[0]) this.setTime(nowMs);
    return false;
  }

  /**
   * A slot whose nodes must move to where they belong before time can go on, or already may because they are
   * near. When there is neither, NO_SLOT, and `wakeMs` is after `nowMs`.
   */
  private slotToMove(nowMs: TimestampMs): number {
    if (this.heads[PAST_SLOT] !== NULL_REFERENCE) return PAST_SLOT;
    const startMs = this.nextSlotMs();
    if (startMs <= nowMs) {
      if (startMs > this.positions[0]) this.setTime(startMs);
      return this.slotAt(0);
    }
    this.setTime(nowMs);
    const near = this.slotAt(1);
    if (near === NO_SLOT) this.wakeMs = this.nextWorkMs();
    return near;
  }

  /** The start of the first slot of any level that has nodes, but not before `time`. */
  private nextSlotMs(): TimestampMs {
    let first = Number.POSITIVE_INFINITY;
    for (let level = 0; level < LEVEL_COUNT; level++) {
      if (this.occupiedSlots[level] === 0) continue;
      const position = this.positions[level] + this.distanceToNodes(level);
      first = Math.min(first, position * SLOT_MS[level]);
    }
    return Math.max(first, this.positions[0]);
  }

  /** When a slot becomes due, or near enough for its nodes to move down, if none is now. */
  private nextWorkMs(): TimestampMs {
    let first = Number.POSITIVE_INFINITY;
    for (let level = 0; level < LEVEL_COUNT; level++) {
      if (this.occupiedSlots[level] === 0) continue;
      first = Math.min(first, workMs(level, this.positions[level] + this.distanceToNodes(level)));
    }
    return first;
  }

  /** A slot that has nodes and is `distance` slots of its level from `time` (not level 0 when near), or NO_SLOT. */
  private slotAt(distance: 0 | 1): number {
    for (let level = distance; level < LEVEL_COUNT; level++) {
      const slot = level * RING_SLOTS + ((this.cursors[level] + distance) & RING_MASK);
      if (this.heads[slot] !== NULL_REFERENCE) return slot;
    }
    return NO_SLOT;
  }

  /** How many slots from `time` the first slot of a level is that has nodes. The level has one. */
  private distanceToNodes(level: number): number {
    const cursor = this.cursors[level];
    const base = level * RING_WORDS;
    let word = cursor >> 5;
    let bits = this.occupied[base + word] & (-1 << (cursor & 31));
    // Once round the ring, the slots of the first word that are behind the cursor come last.
    while (bits === 0) {
      word = (word + 1) % RING_WORDS;
      bits = this.occupied[base + word];
    }
    const slot = (word << 5) + (31 - Math.clz32(bits & -bits));
    return (slot - cursor) & RING_MASK;
  }

  /**
   * Moves up to `stepsMax` nodes of a slot to where they belong, until it is empty or a node belongs there,
   * which then is due. Returns the number moved.
   */
  private relocate(slot: number, stepsMax: number): number {
    for (let steps = 0; steps < stepsMax; steps++) {
      const node = this.heads[slot];
      if (node === NULL_REFERENCE) return steps;
      const target = this.slotFor(this.deadline(node));
      if (target === slot) return steps;
      this.unlink(node);
      this.link(node, target);
    }
    return stepsMax;
  }

  /** The slot for a deadline, with `wakeMs` brought forward to when that slot needs work. */
  private slotFor(deadlineMs: TimestampMs): number {
    if (deadlineMs < this.positions[0]) {
      this.wakeMs = Math.min(this.wakeMs, deadlineMs);
      return PAST_SLOT;
    }
    let level = 0;
    let distance = deadlineMs - this.positions[0];
    while (distance >= RING_SLOTS) {
      if (level === LEVEL_COUNT - 1) {
        distance = RING_SLOTS - 1; // beyond all rings: it will be looked at again when that slot comes
        break;
      }
      level++;
      distance = Math.floor(deadlineMs * SLOTS_PER_MS[level]) - this.positions[level];
    }
    this.wakeMs = Math.min(this.wakeMs, workMs(level, this.positions[level] + distance));
    return level * RING_SLOTS + ((this.cursors[level] + distance) & RING_MASK);
  }

  private link(node: Reference, slot: number): void {
    const next = this.heads[slot];
    this.memory.setWord(node, NEXT, next);
    this.memory.setWord(node, PREVIOUS, slot);
    this.heads[slot] = node;
    if (next === NULL_REFERENCE) {
      this.occupied[slot >> 5] |= 1 << (slot & 31);
      this.occupiedSlots[slot >> RING_SHIFT]++;
    } else {
      this.memory.setWord(next, PREVIOUS, node);
    }
  }

  private unlink(node: Reference): void {
    const next = this.memory.word(node, NEXT);
    const previous = this.memory.word(node, PREVIOUS);
    if (next !== NULL_REFERENCE) this.memory.setWord(next, PREVIOUS, previous);
    if (!this.isFirst(node, previous)) {
      this.memory.setWord(previous, NEXT, next);
      return;
    }
    this.heads[previous] = next;
    if (next === NULL_REFERENCE) {
      this.occupied[previous >> 5] &= ~(1 << (previous & 31));
      this.occupiedSlots[previous >> RING_SHIFT]--;
    }
  }

  /** Whether `previous`, from a node, is the number of the slot that it is first in. */
  private isFirst(node: Reference, previous: number): boolean {
    return previous >= 0 && previous <= PAST_SLOT && this.heads[previous] === node;
  }

  private setTime(timeMs: TimestampMs): void {
    for (let level = 0; level < LEVEL_COUNT; level++) {
      const position = Math.floor(timeMs * SLOTS_PER_MS[level]);
      this.positions[level] = position;
      this.cursors[level] = position % RING_SLOTS;
    }
  }
}

/** When the slot at `position` of a level has to do with the present: when it comes, or its parent's neighbour. */
function workMs(level: number, position: number): TimestampMs {
  return level === 0 ? position : (position - 1) * SLOT_MS[level];
}

function assertWhole(deadlineMs: TimestampMs): void {
  if (Math.floor(deadlineMs) !== deadlineMs) throw new RangeError(`${deadlineMs} is no whole number of ms`);
}
