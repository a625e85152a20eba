import { expect } from 'vitest';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import type { RecordReference } from '../../../src/keyspace/record.js';
import { ENCODING_LISTPACK, TYPE_LIST } from '../../../src/keyspace/record.js';
import { Memory } from '../../../src/memory/memory.js';
import { Listpacks } from '../../../src/structures/listpack.js';
import { type ListEnd, Lists } from '../../../src/types/list.js';
import { ListCursor } from '../../../src/types/list-cursor.js';
import { copyOfElement } from '../structures/listpack-invariants.js';
import { modelListpack } from '../structures/listpack-model.js';
import { checkQuicklist } from '../structures/quicklist-invariants.js';

/** `list-max-listpack-size` and `list-compress-depth`. */
export interface ListLimits {
  readonly fill: number;
  readonly compressDepth: number;
}

/** One list of a keyspace beside the array that it must equal. */
export class ListModel {
  readonly memory: Memory;
  readonly keyspace: Keyspace;
  readonly lists: Lists;
  readonly cursor: ListCursor;
  readonly record: RecordReference;
  elements: Buffer[] = [];
  private readonly listpacks: Listpacks;
  private readonly blocksBefore: number;

  constructor({ fill, compressDepth }: ListLimits, memory = new Memory({ debug: true })) {
    this.memory = memory;
    this.keyspace = new Keyspace({ databases: 1, memory, seed: [1, 2], nowMs: 0 });
    this.listpacks = new Listpacks(memory);
    this.lists = new Lists(this.keyspace, this.listpacks);
    this.lists.fill = fill;
    this.lists.compressDepth = compressDepth;
    this.cursor = new ListCursor(this.lists);
    this.blocksBefore = memory.blockCount;
    this.record = this.addRecord('key', ENCODING_LISTPACK, this.lists.create(ENCODING_LISTPACK));
  }

  get isListpack(): boolean {
    return this.lists.isListpack(this.record);
  }

  /** Adds elements as RPUSH does. */
  push(end: ListEnd, values: readonly Buffer[]): void {
    const { lists, record } = this;
    const total = values.reduce((sum, { length }) => sum + length, 0);
    const outgrows = this.isListpack && this.exceedsLimits(total, values.length);
    lists.expect(record, values.length, total);
    if (outgrows) expect(this.isListpack).toBe(false);
    for (const value of values) {
      lists.push(record, end, Buffer.concat([Buffer.from('<'), value]), 1, value.length);
      if (end === 'first') this.elements.unshift(value);
      else this.elements.push(value);
    }
  }

  /** Removes an element as RPOP does. */
  pop(end: ListEnd): void {
    const { lists, record } = this;
    lists.readEnd(record, end);
    expect(this.read()).toEqual(end === 'first' ? this.elements.shift() : this.elements.pop());
    lists.removeEnd(record, end);
    this.shrink();
  }

  /** Removes some, but not all, as LTRIM does. */
  removeRange(index: number, count: number): void {
    this.lists.removeRange(this.record, index, count);
    this.elements.splice(index, count);
    this.shrink();
  }

  rotate(from: ListEnd, to: ListEnd): void {
    this.lists.rotate(this.record, from, to);
    const [moved] = from === 'first' ? this.elements.splice(0, 1) : this.elements.splice(-1, 1);
    if (to === 'first') this.elements.unshift(moved);
    else this.elements.push(moved);
    this.shrink();
  }

  /** Replaces an element as LSET does. */
  replace(index: number, value: Buffer): void {
    const { lists, record, cursor, elements } = this;
    lists.expect(record, 1, value.length);
    cursor.start(record, index, true);
    const at = index < 0 ? index + elements.length : index;
    const isThere = at in elements;
    expect(cursor.next()).toBe(isThere);
    if (!isThere) return;
    cursor.replace(value, 0, value.length);
    elements[at] = value;
    this.shrink();
  }

  /** Adds an element beside the first that equals another, as LINSERT does. */
  insert(isAfter: boolean, pivot: Buffer, value: Buffer): void {
    const { lists, record, cursor, elements } = this;
    lists.expect(record, 1, value.length);
    cursor.start(record, 0, true);
    for (let index = 0; cursor.next(); index++) {
      expect(cursor.equals(pivot, 0, pivot.length)).toBe(elements[index].equals(pivot));
      if (!elements[index].equals(pivot)) continue;
      cursor.insert(isAfter, value, 0, value.length);
      elements.splice(isAfter ? index + 1 : index, 0, value);
      return;
    }
    expect(elements.some((element) => element.equals(pivot))).toBe(false);
  }

  /** Removes up to `count` elements that equal another, from one end, as LREM does. */
  removeEqual(isForward: boolean, count: number, value: Buffer): void {
    const { record, cursor } = this;
    const rest = isForward ? [...this.elements] : [...this.elements].reverse();
    let removed = 0;
    cursor.start(record, isForward ? 0 : -1, isForward);
    while (removed < count && cursor.next()) {
      if (!cursor.equals(value, 0, value.length)) continue;
      cursor.remove();
      rest.splice(
        rest.findIndex((element) => element.equals(value)),
        1,
      );
      removed++;
    }
    cursor.end();
    this.elements = isForward ? rest : rest.reverse();
    this.shrink();
  }

  /** Gives lists other limits, which this one meets when it changes next. */
  limit({ fill, compressDepth }: ListLimits): void {
    this.lists.fill = fill;
    this.lists.compressDepth = compressDepth;
  }

  /** Checks everything that can be asked of the list against the model. */
  check(): void {
    const { lists, record, elements } = this;
    expect(lists.length(record)).toBe(elements.length);
    const value = lists.records.slot(record);
    if (!this.isListpack) {
      const found = checkQuicklist(this.memory, this.listpacks, lists.quicklists, value);
      expect(Buffer.concat(found).equals(Buffer.concat(elements))).toBe(true);
    }
    expect(this.walk(record, 0, true)).toEqual(elements);
    expect(this.walk(record, -1, false)).toEqual([...elements].reverse());
  }

  /** The elements that a walk from an index meets. */
  walk(record: RecordReference, index: number, isForward: boolean): Buffer[] {
    const { cursor } = this;
    const found: Buffer[] = [];
    cursor.start(record, index, isForward);
    while (cursor.next()) {
      cursor.read();
      found.push(this.read());
    }
    return found;
  }

  /** A record for another key. */
  addRecord(key: string, encoding: number, value: number): RecordReference {
    const name = Buffer.from(key);
    const hash = this.keyspace.hash(name, 0, name.length);
    const [database] = this.keyspace.databases;
    return this.keyspace.add(database, hash, name, 0, name.length, TYPE_LIST, encoding, value, 0);
  }

  /** Removes a key, a large value in slices. */
  removeRecord(record: RecordReference): void {
    this.keyspace.remove(this.keyspace.databases[0], record);
    while (this.keyspace.lazyFree.step(5));
  }

  /** Removes the key and checks that no block of it is left. */
  end(): void {
    this.removeRecord(this.record);
    expect(this.memory.blockCount).toBe(this.blocksBefore);
  }

  private read(): Buffer {
    return copyOfElement(this.lists.element);
  }

  /** What t_list.c does after elements were removed: a quicklist of one node below half of the limits is a listpack. */
  private shrink(): void {
    const { lists, record, elements } = this;
    const wasListpack = this.isListpack;
    const nodes = wasListpack ? 0 : lists.quicklists.nodeCount(lists.records.slot(record));
    lists.compact(record, true);
    const bytes = modelListpack(elements).length;
    const { fill } = lists;
    const fits =
      fill < 0 ? bytes <= (2048 << Math.min(-fill, 5)) / 2 : elements.length <= Math.floor(fill / 2);
    // An element that was large once has a node without a listpack however the limits are now.
    if (wasListpack || nodes > 1 || !fits) expect(this.isListpack).toBe(wasListpack);
  }

  private exceedsLimits(total: number, count: number): boolean {
    const { fill } = this.lists;
    const bytes = modelListpack(this.elements).length + total;
    if (fill < 0) return bytes > 2048 << Math.min(-fill, 5);
    return bytes > 8192 || this.elements.length + count > Math.max(fill, 1);
  }
}
