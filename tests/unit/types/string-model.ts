import { expect } from 'vitest';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import {
  ENCODING_INT,
  ENCODING_NAMES,
  ENCODING_RAW,
  type Encoding,
  type RecordReference,
} from '../../../src/keyspace/record.js';
import { KEEP_DEADLINE, NO_DEADLINE } from '../../../src/keyspace/record-store.js';
import { Memory } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import { encodingOf, Strings } from '../../../src/types/string.js';

/** What a string of the model is. */
export interface ModelString {
  readonly content: Buffer;
  readonly encoding: Encoding;
  readonly deadlineMs: number;
}

/** The strings of a keyspace beside a `Map` that they must equal. Keys are latin1. */
export class StringModel {
  readonly memory = new Memory({ debug: true });
  readonly keyspace = new Keyspace({ databases: 1, memory: this.memory, seed: [1, 2], nowMs: 0 });
  readonly strings = new Strings(this.keyspace);
  readonly database = this.keyspace.databases[0];
  readonly expected = new Map<string, ModelString>();
  private readonly blocksBefore = this.memory.blockCount;

  /** Stores a string as SET does. */
  set(key: string, content: Buffer, deadlineMs: number): void {
    const [source, offset] = surrounded(content);
    const { length } = content;
    const record = this.find(key);
    if (record !== NULL_REFERENCE) {
      this.strings.replace(this.database, record, source, offset, length, deadlineMs);
    } else {
      const [bytes, hash] = this.keyAndHash(key);
      const { database } = this;
      this.strings.add(database, hash, bytes, 0, bytes.length, source, offset, length, deadlineMs);
    }
    const encoding = isInteger(content) ? ENCODING_INT : encodingOf(length);
    this.expect(key, content, encoding, deadlineMs);
  }

  /** Stores a string as INCRBYFLOAT does, which makes no integers. */
  setBytes(key: string, content: Buffer): void {
    const [source, offset] = surrounded(content);
    const { length } = content;
    const encoding = encodingOf(length);
    const record = this.find(key);
    if (record !== NULL_REFERENCE) {
      this.strings.replaceBytes(this.database, record, source, offset, length, KEEP_DEADLINE);
    } else {
      const [bytes, hash] = this.keyAndHash(key);
      const { database, strings } = this;
      const end = bytes.length;
      strings.addBytes(database, hash, bytes, 0, end, source, offset, length, encoding, NO_DEADLINE);
    }
    this.expect(key, content, encoding, KEEP_DEADLINE);
  }

  /** Makes a string as long, as SETRANGE does, with a last byte of its own. */
  resize(key: string, length: number): void {
    const record = this.find(key);
    const content = Buffer.alloc(length);
    this.expected.get(key)?.content.copy(content);
    if (record !== NULL_REFERENCE) {
      this.strings.resize(this.database, record, length);
    } else {
      const [bytes, hash] = this.keyAndHash(key);
      this.strings.addZeros(this.database, hash, bytes, 0, bytes.length, length);
    }
    expect(this.strings.length).toBe(length);
    if (length > 0) {
      content[length - 1] = 0x7a;
      this.strings.bytes[this.strings.offset + length - 1] = 0x7a;
    }
    this.expect(key, content, ENCODING_RAW, KEEP_DEADLINE);
  }

  /** Puts other bytes in the place of those of an existing string. */
  overwrite(key: string, content: Buffer): void {
    const record = this.find(key);
    if (record === NULL_REFERENCE) return;
    const [source, offset] = surrounded(content);
    this.strings.overwrite(this.database, record, source, offset, content.length);
    this.expect(key, content, ENCODING_RAW, KEEP_DEADLINE);
  }

  /** Makes an existing string an integer. */
  setInteger(key: string, value: bigint): void {
    const record = this.find(key);
    if (record === NULL_REFERENCE) return;
    const isSafe = Number.isSafeInteger(Number(value));
    if (isSafe) this.strings.setSafeInteger(this.database, record, Number(value));
    else this.strings.setBigInteger(this.database, record, value);
    this.expect(key, Buffer.from(String(value)), ENCODING_INT, KEEP_DEADLINE);
  }

  /** Sets or takes the deadline of an existing string. */
  setDeadline(key: string, deadlineMs: number): void {
    const record = this.find(key);
    const expected = this.expected.get(key);
    if (record === NULL_REFERENCE || expected === undefined) return;
    if (deadlineMs < 0) this.keyspace.clearDeadline(this.database, record);
    else this.keyspace.setDeadline(this.database, record, deadlineMs);
    this.expected.set(key, { ...expected, deadlineMs: Math.max(deadlineMs, NO_DEADLINE) });
  }

  /** Gives an existing string another name, replacing what has it. */
  rename(key: string, newKey: string): void {
    const record = this.find(key);
    const expected = this.expected.get(key);
    if (expected === undefined || key === newKey) return;
    const replaced = this.find(newKey);
    const [bytes, hash] = this.keyAndHash(newKey);
    const { database } = this;
    this.keyspace.relocate(database, record, database, hash, bytes, 0, bytes.length, replaced);
    this.expected.delete(key);
    this.expected.set(newKey, expected);
  }

  /** Copies an existing string, replacing what has the other name. */
  copy(key: string, newKey: string): void {
    const record = this.find(key);
    const expected = this.expected.get(key);
    if (expected === undefined || key === newKey) return;
    const replaced = this.find(newKey);
    const [bytes, hash] = this.keyAndHash(newKey);
    this.keyspace.copy(record, this.database, hash, bytes, 0, bytes.length, replaced);
    this.expected.set(newKey, expected);
  }

  remove(key: string): void {
    const record = this.find(key);
    if (record === NULL_REFERENCE) return;
    this.keyspace.remove(this.database, record);
    this.expected.delete(key);
  }

  /** Compares everything. */
  check(): void {
    expect(this.database.size).toBe(this.expected.size);
    let deadlines = 0;
    for (const [key, { content, encoding, deadlineMs }] of this.expected) {
      const record = this.find(key);
      expect(record).not.toBe(NULL_REFERENCE);
      expect(content.equals(this.strings.content(record))).toBe(true);
      expect(this.strings.byteLength(record)).toBe(content.length);
      expect(ENCODING_NAMES[this.keyspace.records.encoding(record)]).toBe(ENCODING_NAMES[encoding]);
      expect(this.keyspace.deadline(record)).toBe(deadlineMs);
      const integer = isInteger(content) ? BigInt(content.toString('latin1')) : undefined;
      expect(this.strings.bigInteger(record)).toBe(integer);
      const isSafe = integer !== undefined && Number.isSafeInteger(Number(integer));
      expect(this.strings.safeInteger(record)).toBe(isSafe ? Number(integer) : NaN);
      if (deadlineMs >= 0) deadlines++;
    }
    expect(this.database.deadlines.count).toBe(deadlines);
  }

  /** Removes everything, and finds that no memory was lost. */
  end(): void {
    for (const key of [...this.expected.keys()]) this.remove(key);
    expect(this.memory.blockCount).toBe(this.blocksBefore);
  }

  /** The record of a key as a command that changes it looks it up. */
  find(key: string): RecordReference {
    const [bytes, hash] = this.keyAndHash(key);
    return this.keyspace.lookupWrite(this.database, hash, bytes, 0, bytes.length);
  }

  private keyAndHash(key: string): [bytes: Buffer, hash: number] {
    const bytes = Buffer.from(key, 'latin1');
    return [bytes, this.keyspace.hash(bytes, 0, bytes.length)];
  }

  private expect(key: string, content: Buffer, encoding: Encoding, deadlineMs: number): void {
    const before = this.expected.get(key)?.deadlineMs ?? NO_DEADLINE;
    this.expected.set(key, {
      content,
      encoding,
      deadlineMs: deadlineMs === KEEP_DEADLINE ? before : deadlineMs,
    });
  }
}

/** Whether Redis keeps it as an integer: it spells an int64 as that would be printed. */
function isInteger(content: Buffer): boolean {
  const text = content.toString('latin1');
  return /^(0|-?[1-9][0-9]{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** The bytes within others, and where they start. */
function surrounded(content: Buffer): [source: Buffer, offset: number] {
  return [Buffer.concat([Buffer.from('<'), content, Buffer.from('>')]), 1];
}
