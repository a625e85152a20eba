import type { RecordReference } from '../keyspace/record.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import { type ListpackPosition, type ListpackReference, NO_POSITION } from '../structures/listpack-reader.js';
import { QuicklistCursor } from '../structures/quicklist-reader.js';
import type { Lists } from './list.js';

/**
 * Goes through a list from any element in either direction, without allocation.
 *
 *     cursor.start(record, 0, true);
 *     while (cursor.next()) {
 *       cursor.read();
 *       element.spell();
 *       reply.bulk(element.bytes, element.offset, element.length);
 *     }
 *     cursor.end();
 *
 * One instance serves one walk at a time, again and again. A walk that `next` did not end must be ended with `end`: it
 * may hold memory. It is valid until the list changes, but for what it changes itself; an element that was read, until
 * the cursor moves.
 */
export class ListCursor {
  private readonly lists: Lists;
  private record: RecordReference = NULL_REFERENCE;
  /** Whether it is already where `next` goes. */
  private isAhead = false;
  private isForward = true;
  private isListpack = true;
  private listpack: ListpackReference = NULL_REFERENCE;
  private position: ListpackPosition = NO_POSITION;
  /** The walk through a quicklist. */
  private readonly walk = new QuicklistCursor();

  constructor(lists: Lists) {
    this.lists = lists;
  }

  /**
   * Begins a walk at element `index`, which counts from the end when it is negative; there may be none.
   * @throws OutOfMemoryError when the node of the element cannot be decompressed; there is no walk then.
   */
  start(record: RecordReference, index: number, isForward: boolean): void {
    const { records, listpacks, quicklists } = this.lists;
    this.record = record;
    this.isForward = isForward;
    this.isAhead = true;
    this.isListpack = this.lists.isListpack(record);
    const value = records.slot(record);
    if (this.isListpack) {
      this.listpack = value;
      this.position = listpacks.seek(value, index);
    } else {
      quicklists.seek(this.walk, value, index, isForward);
    }
  }

  /**
   * Goes to the next element, the first time to that which the walk begins at. False, and the walk is over, when there
   * is none.
   * @throws OutOfMemoryError when the node of the element cannot be decompressed; the walk is over then.
   */
  next(): boolean {
    const isThere = this.isAhead;
    this.isAhead = false;
    if (!this.isListpack) {
      return isThere ? this.walk.node !== NULL_REFERENCE : this.lists.quicklists.advance(this.walk);
    }
    if (!isThere) {
      const { listpacks } = this.lists;
      const { listpack, position } = this;
      this.position = this.isForward
        ? listpacks.next(listpack, position)
        : listpacks.previous(listpack, position);
    }
    return this.position !== NO_POSITION;
  }

  /** Reads the element into that of the lists. */
  read(): void {
    if (this.isListpack) this.lists.listpacks.read(this.listpack, this.position);
    else this.lists.quicklists.read(this.walk);
  }

  /** The listpack that the element is in, of which nothing may be changed; NULL_REFERENCE: it is alone in a node. */
  get presentListpack(): ListpackReference {
    if (this.isListpack) return this.listpack;
    const { entry, node } = this.walk;
    return this.lists.quicklists.nodes.isPlain(node) ? NULL_REFERENCE : entry;
  }

  /** Where the element is in `presentListpack`. */
  get presentPosition(): ListpackPosition {
    return this.isListpack ? this.position : this.walk.position;
  }

  /**
   * Leaves out all further elements of the present listpack: `next` goes to the one behind them.
   * @throws OutOfMemoryError as `next`
   */
  skipListpack(): void {
    this.isAhead = true;
    if (this.isListpack) this.position = NO_POSITION;
    else this.lists.quicklists.advanceNode(this.walk);
  }

  /** Whether the element is these bytes. */
  equals(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    this.read();
    return this.lists.element.equals(bytes, offset, length);
  }

  /**
   * Removes the element; the walk goes on.
   * @throws OutOfMemoryError when the next node cannot be decompressed; the element is removed, and the walk is over.
   */
  remove(): void {
    this.isAhead = true;
    if (!this.isListpack) {
      this.lists.quicklists.removeAt(this.walk);
      return;
    }
    const { listpacks, records } = this.lists;
    const { position } = this;
    const listpack = listpacks.remove(this.listpack, position);
    records.setSlot(this.record, listpack);
    this.listpack = listpack;
    this.position = this.isForward
      ? listpacks.entryAt(listpack, position)
      : listpacks.previous(listpack, position);
  }

  /**
   * Adds an element behind the present one, or before it if not `isAfter`, and ends the walk.
   * @throws OutOfMemoryError, and the list is as it was.
   */
  insert(isAfter: boolean, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    const { records, listpacks, quicklists } = this.lists;
    if (!this.isListpack) {
      quicklists.insertAt(this.walk, isAfter, bytes, offset, length);
      return;
    }
    const { listpack, position } = this;
    const changed = isAfter
      ? listpacks.insertAfter(listpack, position, bytes, offset, length)
      : listpacks.insertBefore(listpack, position, bytes, offset, length);
    records.setSlot(this.record, changed);
  }

  /**
   * Puts an element in the place of the present one, and ends the walk.
   * @throws OutOfMemoryError, and the list is as it was.
   */
  replace(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    const { records, listpacks, quicklists } = this.lists;
    if (!this.isListpack) quicklists.replaceAt(this.walk, bytes, offset, length);
    else records.setSlot(this.record, listpacks.replace(this.listpack, this.position, bytes, offset, length));
  }

  /** Ends the walk; harmless if it is over. */
  end(): void {
    if (!this.isListpack) this.lists.quicklists.release(this.walk);
  }
}
