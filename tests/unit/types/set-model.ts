import { expect } from 'vitest';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import {
  ENCODING_HASHTABLE,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  type Encoding,
  type RecordReference,
  TYPE_SET,
} from '../../../src/keyspace/record.js';
import { Memory } from '../../../src/memory/memory.js';
import { ReferenceList } from '../../../src/memory/reference-list.js';
import { INT64_MAX, INT64_MIN } from '../../../src/protocol/integers.js';
import { Listpacks } from '../../../src/structures/listpack.js';
import { Sets } from '../../../src/types/set.js';
import { SetCursor } from '../../../src/types/set-cursor.js';

/** The thresholds of a model's sets. */
export interface SetLimits {
  readonly intsetEntriesMax: number;
  readonly listpackEntriesMax: number;
  readonly listpackValueMax: number;
}

/** One set of a keyspace beside the `Set` of texts (latin1) that it must equal, and the encoding that Redis gives it. */
export class SetModel {
  readonly memory = new Memory({ debug: true });
  readonly keyspace = new Keyspace({ databases: 1, memory: this.memory, seed: [1, 2], nowMs: 0 });
  readonly sets = new Sets(this.keyspace, new Listpacks(this.memory));
  readonly cursor = new SetCursor(this.sets);
  readonly record: RecordReference;
  readonly members = new Set<string>();
  encoding: Encoding;
  private readonly blocksBefore = this.memory.blockCount;

  constructor(limits: SetLimits, encoding: Encoding) {
    Object.assign(this.sets, limits);
    this.encoding = encoding;
    this.record = this.addRecord('key', encoding, this.sets.create(encoding));
  }

  /** Adds a member to both. */
  add(member: Buffer): void {
    const source = Buffer.concat([Buffer.from('<'), member]);
    const isNew = !this.members.has(text(member));
    expect(this.sets.add(this.record, source, 1, member.length)).toBe(isNew);
    if (!isNew) return;
    this.encoding = this.encodingWith(member);
    this.members.add(text(member));
  }

  /** Removes a member from both; one that is not there too. */
  remove(member: Buffer): void {
    expect(this.sets.remove(this.record, member, 0, member.length)).toBe(this.members.delete(text(member)));
  }

  /** Removes a member picked by chance from both. */
  removeRandom(): void {
    const handle = this.sets.random(this.record);
    this.cursor.read(this.record, handle);
    const member = this.read();
    expect(this.members.delete(member)).toBe(true);
    this.sets.removeMember(this.record, handle);
  }

  /** Checks everything that can be asked of the set against the model. */
  check(): void {
    const { sets, record, members } = this;
    expect(sets.count(record)).toBe(members.size);
    expect(sets.records.encoding(record)).toBe(this.encoding);
    for (const member of members) {
      const bytes = Buffer.from(member, 'latin1');
      expect(sets.has(record, bytes, 0, bytes.length)).toBe(true);
    }
    for (const absent of [
      '',
      'absent',
      '77777777',
      '-1',
      '01',
      '9223372036854775807',
      '9223372036854775808',
    ]) {
      const bytes = Buffer.from(absent);
      expect(sets.has(record, bytes, 0, bytes.length)).toBe(members.has(absent));
    }
    expect(this.walk(record)).toEqual([...members].sort());
    if (this.encoding === ENCODING_HASHTABLE) expect(this.scan()).toEqual([...members].sort());
  }

  /** The members of a set, sorted. */
  walk(record: RecordReference): string[] {
    const { cursor } = this;
    const found: string[] = [];
    cursor.start(record);
    while (cursor.next()) found.push(this.read());
    expect(cursor.next()).toBe(false);
    return found.sort();
  }

  /** The text of the member that the cursor read last. */
  read(): string {
    const { element } = this.cursor;
    element.spell();
    return text(element.bytes.subarray(element.offset, element.offset + element.length));
  }

  /** A record for another key. */
  addRecord(key: string, encoding: Encoding, value: number): RecordReference {
    const name = Buffer.from(key);
    const hash = this.keyspace.hash(name, 0, name.length);
    const [database] = this.keyspace.databases;
    return this.keyspace.add(database, hash, name, 0, name.length, TYPE_SET, encoding, value, 0);
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

  /** The encoding after a new member is added: the rules of setTypeAddAux of Redis. */
  private encodingWith(member: Buffer): Encoding {
    const { intsetEntriesMax, listpackEntriesMax, listpackValueMax } = this.sets;
    const { encoding, members } = this;
    const fitsListpack = members.size < listpackEntriesMax && member.length <= listpackValueMax;
    if (encoding === ENCODING_LISTPACK) return fitsListpack ? ENCODING_LISTPACK : ENCODING_HASHTABLE;
    if (encoding === ENCODING_HASHTABLE) return ENCODING_HASHTABLE;
    if (isInteger(text(member)))
      return members.size < intsetEntriesMax ? ENCODING_INTSET : ENCODING_HASHTABLE;
    const areShort = [...members].every(({ length }) => length <= listpackValueMax);
    return fitsListpack && areShort ? ENCODING_LISTPACK : ENCODING_HASHTABLE;
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
        members.push(this.read());
      }
    } while (position !== 0);
    return members.sort();
  }
}

/** Whether a text is what printing a 64-bit integer gives. */
export function isInteger(member: string): boolean {
  if (!/^(0|-?[1-9][0-9]*)$/.test(member)) return false;
  const value = BigInt(member);
  return value >= INT64_MIN && value <= INT64_MAX;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
