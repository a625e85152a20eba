import { NO_DEADLINE } from '../keyspace/record-store.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { highWord, lowWord } from '../protocol/integers.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { Listpacks } from '../structures/listpack.js';
import { encodedIntegerLength, entryLength } from '../structures/listpack-encoding.js';
import {
  FIRST_POSITION,
  type ListpackPosition,
  type ListpackReference,
  NO_POSITION,
} from '../structures/listpack-reader.js';

/** The elements of a field: 2, the field and its value, or 3, with the deadline. */
export type TupleLength = 2 | 3;

/** What stands in the place of a deadline that a field does not have. */
export const NO_DEADLINE_STORED = 0;
/** Bytes that a string takes at most besides its content: prefix and backlen. */
const STRING_OVERHEAD_MAX = 10;

/**
 * Small hashes in a listpack. The bytes are Redis's, in its encodings `listpack` and, once a field was to expire,
 * `listpackex` (its t_hash.c):
 *
 *     listpack     ┌─────────┬─────────┬─────────┬─────────┬ ─ ─
 *                  │ field 0 │ value 0 │ field 1 │ value 1 │         in the order in which they came
 *                  └─────────┴─────────┴─────────┴─────────┴ ─ ─
 *     listpackex   ┌─────────┬─────────┬────────────┬ ─ ─
 *                  │ field 0 │ value 0 │ deadline 0 │              by deadline, in ms since the epoch;
 *                  └─────────┴─────────┴────────────┴ ─ ─          those without (0) at the end, as they came
 *
 * A position is that of a field. What changes the listpack returns the block that it is in then.
 */
export class HashListpacks {
  private readonly listpacks: Listpacks;

  constructor(listpacks: Listpacks) {
    this.listpacks = listpacks;
  }

  /** The number of fields. */
  count(listpack: ListpackReference, tuple: TupleLength): number {
    const elements = this.listpacks.length(listpack);
    return tuple === 2 ? elements >> 1 : elements / 3;
  }

  /** The position of a field, or NO_POSITION. */
  find(
    listpack: ListpackReference,
    tuple: TupleLength,
    field: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): ListpackPosition {
    return this.listpacks.find(listpack, FIRST_POSITION, field, offset, length, tuple - 1);
  }

  /** The deadline of a field in a listpack with deadlines, or NO_DEADLINE. */
  deadline(listpack: ListpackReference, position: ListpackPosition): TimestampMs {
    return this.readDeadline(listpack, this.deadlinePosition(listpack, position));
  }

  /** The first deadline of all in a listpack with deadlines, or NO_DEADLINE. */
  firstDeadline(listpack: ListpackReference): TimestampMs {
    const first = this.listpacks.first(listpack);
    return first === NO_POSITION ? NO_DEADLINE : this.deadline(listpack, first);
  }

  /**
   * Adds a field that the listpack does not have, without a deadline.
   * @throws OutOfMemoryError, and the listpack is as it was.
   */
  append(
    listpack: ListpackReference,
    tuple: TupleLength,
    field: Uint8Array,
    fieldOffset: ByteOffset,
    fieldLength: ByteLength,
    value: Uint8Array,
    valueOffset: ByteOffset,
    valueLength: ByteLength,
  ): ListpackReference {
    const { listpacks } = this;
    const room =
      listpacks.entryLength(field, fieldOffset, fieldLength) +
      listpacks.entryLength(value, valueOffset, valueLength) +
      (tuple === 3 ? deadlineEntryLength(NO_DEADLINE_STORED) : 0);
    // With the room for all of it, the rest cannot fail, and the block stays.
    const roomy = listpacks.reserve(listpack, room);
    listpacks.append(roomy, field, fieldOffset, fieldLength);
    listpacks.append(roomy, value, valueOffset, valueLength);
    if (tuple === 3) this.appendDeadline(roomy, NO_DEADLINE_STORED);
    return roomy;
  }

  /**
   * Gives the field at a position, which stays there, another value.
   * @throws OutOfMemoryError, and the listpack is as it was.
   */
  replace(
    listpack: ListpackReference,
    position: ListpackPosition,
    value: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): ListpackReference {
    const { listpacks } = this;
    return listpacks.replace(listpack, listpacks.next(listpack, position), value, offset, length);
  }

  /** Removes a field. */
  remove(listpack: ListpackReference, position: ListpackPosition, tuple: TupleLength): ListpackReference {
    return this.listpacks.removeFrom(listpack, position, tuple);
  }

  /** Removes the first `count` fields of a listpack with deadlines. */
  removeFirst(listpack: ListpackReference, count: number): ListpackReference {
    return this.listpacks.removeFrom(listpack, FIRST_POSITION, count * 3);
  }

  /** How many fields of a listpack with deadlines have one up to `nowMs`, but not above `max`. */
  countPast(listpack: ListpackReference, nowMs: TimestampMs, max: number): number {
    let count = 0;
    let position = this.listpacks.first(listpack);
    while (position !== NO_POSITION && count < max) {
      const at = this.deadlinePosition(listpack, position);
      const deadlineMs = this.readDeadline(listpack, at);
      if (deadlineMs === NO_DEADLINE || deadlineMs > nowMs) break;
      count++;
      position = this.listpacks.next(listpack, at);
    }
    return count;
  }

  /**
   * Gives a field in a listpack with deadlines another one, or NO_DEADLINE, and its place.
   * @throws OutOfMemoryError, and the listpack is as it was.
   */
  setDeadline(
    listpack: ListpackReference,
    position: ListpackPosition,
    deadlineMs: TimestampMs,
  ): ListpackReference {
    const { listpacks } = this;
    const stored = deadlineMs === NO_DEADLINE ? NO_DEADLINE_STORED : deadlineMs;
    const deadlineAt = this.deadlinePosition(listpack, position);
    const end = deadlineAt + listpacks.entryLengthAt(listpack, deadlineAt);
    const target = this.placeFor(listpack, stored, position, end);
    const changed = listpacks.replaceInteger(listpack, deadlineAt, lowWord(stored), highWord(stored));
    const length = deadlineAt - position + deadlineEntryLength(stored);
    // A place behind the field is where it is now less the old length of the field.
    if (target > position) listpacks.rotate(changed, position, length, target - (end - position));
    else if (target < position) listpacks.rotate(changed, position, length, target);
    return changed;
  }

  /**
   * The same fields with room for deadlines. The old listpack is freed.
   * @throws OutOfMemoryError, and the old listpack is as it was.
   */
  withDeadlines(listpack: ListpackReference): ListpackReference {
    const { listpacks } = this;
    const added = (listpacks.length(listpack) / 2) * deadlineEntryLength(NO_DEADLINE_STORED);
    const triples = listpacks.create(listpacks.byteLength(listpack) + added);
    let position = listpacks.first(listpack);
    while (position !== NO_POSITION) {
      this.appendElement(triples, listpack, position);
      position = listpacks.next(listpack, position);
      this.appendElement(triples, listpack, position);
      this.appendDeadline(triples, NO_DEADLINE_STORED);
      position = listpacks.next(listpack, position);
    }
    listpacks.free(listpack);
    return triples;
  }

  /** Whether a listpack may take a field and value of so many bytes. */
  isSafeToAdd(listpack: ListpackReference, content: ByteLength): boolean {
    return this.listpacks.isSafeToAdd(listpack, content + 3 * STRING_OVERHEAD_MAX);
  }

  /** Appends an element of another listpack to one that has room for it. */
  private appendElement(
    target: ListpackReference,
    source: ListpackReference,
    position: ListpackPosition,
  ): void {
    const { listpacks } = this;
    listpacks.read(source, position);
    const { element } = listpacks;
    if (element.isInteger) listpacks.appendInteger(target, element.low, element.high);
    else listpacks.append(target, element.bytes, element.offset, element.length);
  }

  private appendDeadline(listpack: ListpackReference, stored: TimestampMs): void {
    this.listpacks.appendInteger(listpack, lowWord(stored), highWord(stored));
  }

  /** Where the field from `position` to `end` belongs with another deadline: `position` if it is there already. */
  private placeFor(
    listpack: ListpackReference,
    stored: TimestampMs,
    position: ListpackPosition,
    end: ListpackPosition,
  ): ListpackPosition {
    const { listpacks } = this;
    const endOfAll = listpacks.endPosition(listpack);
    let place = endOfAll;
    if (stored !== NO_DEADLINE_STORED) {
      let at = listpacks.first(listpack);
      while (at !== NO_POSITION) {
        const deadlineAt = this.deadlinePosition(listpack, at);
        if (at !== position) {
          const deadlineMs = this.readDeadline(listpack, deadlineAt);
          if (deadlineMs === NO_DEADLINE || deadlineMs >= stored) {
            place = at;
            break;
          }
        }
        at = listpacks.next(listpack, deadlineAt);
      }
    }
    return place === end ? position : place;
  }

  private deadlinePosition(listpack: ListpackReference, position: ListpackPosition): ListpackPosition {
    return this.listpacks.next(listpack, this.listpacks.next(listpack, position));
  }

  /** The deadline that is the element at a position, or NO_DEADLINE. */
  readDeadline(listpack: ListpackReference, position: ListpackPosition): TimestampMs {
    this.listpacks.read(listpack, position);
    const stored = this.listpacks.element.integer;
    return stored === NO_DEADLINE_STORED ? NO_DEADLINE : stored;
  }
}

/** The bytes that the entry of a deadline takes. */
function deadlineEntryLength(stored: TimestampMs): ByteLength {
  return entryLength(encodedIntegerLength(lowWord(stored), highWord(stored)));
}
