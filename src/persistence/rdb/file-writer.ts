import { REDIS_VERSION } from '../../config/redis-version.js';
import type { RecordReference } from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { Crc64 } from '../../memory/crc64.js';
import { shiftedCrc64 } from '../../memory/crc64-shift.js';
import { type ByteLength, SEGMENT_SHIFT } from '../../memory/reference.js';
import type { Types } from '../../types/types.js';
import {
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRETIME_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION2,
  OPCODE_IDLE,
  OPCODE_RESIZEDB,
  OPCODE_SELECTDB,
  RDB_HASH_LISTPACK_EX,
  RDB_HASH_METADATA,
  RDB_SET_LISTPACK,
  RDB_VERSION,
  RDB_VERSION_WITHOUT_FIELD_EXPIRY,
  RDB_VERSION_WITHOUT_SET_LISTPACKS,
} from './format.js';
import { HeldOutput } from './held-output.js';
import { type ByteSink, RdbOutput, type Slices } from './output.js';
import { ValueWriter } from './value-writer.js';

/** What a file says besides its keys, and how it is written. */
export interface RdbFileOptions {
  /** `rdbcompression` */
  readonly compresses: boolean;
  /** `rdbchecksum` */
  readonly hasChecksum: boolean;
  /** What a key's access bits are written as, as `maxmemory-policy` wants them: not at all, IDLE or FREQ. */
  readonly access: 'none' | 'idle' | 'frequency';
  /** Bytes that the data takes in memory: `used-mem`. */
  readonly usedMemory: number;
  /** Whether the file is the base of an append-only file. */
  readonly isAofBase: boolean;
}

/** The bytes of a file that `end` says are to be replaced: the digits of its version. */
export interface VersionPatch {
  readonly position: number;
  readonly bytes: Uint8Array;
}

const MAGIC = 'REDIS';
const VERSION_DIGITS = 4;

/**
 * Writes an RDB file: `begin`, the keys in any order of databases, `end`.
 *
 * A large value can be written in slices; keys that have to be written meanwhile wait in memory, and come behind it:
 *
 *     output    … │ key │ large value ▒▒▒▒░░░░                  ← the slices that are still to come
 *     held                                    │ key │ value │ key │ value │
 *
 * Which is the lowest version that holds the data is only known at the end, so the file begins as the lowest of all, and
 * `end` returns what is to be overwritten. The checksum is that of the file as it is then.
 */
export class RdbFileWriter {
  /** Keys written so far. */
  keyCount = 0;
  readonly output: RdbOutput;

  private readonly types: Types;
  private readonly values: ValueWriter;
  private readonly options: RdbFileOptions;
  private version = RDB_VERSION_WITHOUT_SET_LISTPACKS;
  private database = -1;
  /** Whether the value of a key is being written in slices, and what is to come behind it. */
  private isInValue = false;
  private readonly held: HeldOutput;
  /** By database: how many keys it had at the start, and how many of those expire. */
  private readonly sizes = new Map<number, { keys: number; expiring: number }>();

  constructor(types: Types, sink: ByteSink, options: RdbFileOptions) {
    this.types = types;
    this.options = options;
    this.values = new ValueWriter(types);
    this.output = new RdbOutput(sink, options.hasChecksum);
    this.output.compresses = options.compresses;
    this.held = new HeldOutput(options.compresses);
  }

  /** Writes what comes before the keys. */
  begin(): void {
    const { output, options } = this;
    const magic = Buffer.from(MAGIC + versionDigits(this.version));
    output.raw(magic, 0, magic.length);
    this.auxiliary('redis-ver', REDIS_VERSION);
    this.auxiliary('redis-bits', '64');
    this.auxiliary('ctime', String(Math.floor(Date.now() / 1000)));
    this.auxiliary('used-mem', String(options.usedMemory));
    this.auxiliary('aof-base', options.isAofBase ? '1' : '0');
    for (const code of this.types.hashes.keyspace.functionLibraries) {
      output.byte(OPCODE_FUNCTION2);
      output.string(code, 0, code.length);
    }
  }

  /** Tells how large a database will be; to be called before its first key is written. */
  announceDatabase(index: number, keys: number, expiring: number): void {
    this.sizes.set(index, { keys, expiring });
  }

  /** Bytes that wait for the end of a value that is being written in slices. */
  get heldBytes(): ByteLength {
    return this.held.byteLength;
  }

  /** Whether `writeInSlices` is for this key. */
  isSliceable(record: RecordReference): boolean {
    return this.values.isSliceable(record);
  }

  /** Whether writing this key is likely to take longer than half a millisecond. */
  isLarge(record: RecordReference): boolean {
    return this.values.isLarge(record);
  }

  /** Writes a key of a database. Behind the value that is being written in slices, if there is one. */
  write(database: number, record: RecordReference): void {
    const output = this.isInValue ? this.held.output : this.output;
    this.writeKey(database, record, output);
    this.values.write(record, output);
    this.keyCount++;
  }

  /**
   * Writes a sliceable key with a pause after each slice; the key must not change meanwhile, and no other one be written
   * so.
   */
  *writeInSlices(database: number, record: RecordReference): Slices {
    this.writeKey(database, record, this.output);
    this.isInValue = true;
    yield* this.values.writeInSlices(record, this.output);
    this.isInValue = false;
    this.keyCount++;
    this.held.release(this.output);
  }

  /** Writes what comes after the keys. Returns what is to be overwritten then, or undefined. */
  end(): VersionPatch | undefined {
    const { output, version } = this;
    output.byte(OPCODE_EOF);
    if (version === RDB_VERSION_WITHOUT_SET_LISTPACKS) {
      output.checksumBytes(0n);
      output.flush();
      return undefined;
    }
    const bytes = Buffer.from(versionDigits(version));
    const before = Buffer.from(versionDigits(RDB_VERSION_WITHOUT_SET_LISTPACKS));
    const difference = new Crc64();
    difference.update(
      bytes.map((byte, i) => byte ^ before[i]),
      0,
      VERSION_DIGITS,
    );
    const following = output.byteLength - MAGIC.length - VERSION_DIGITS;
    output.checksumBytes(shiftedCrc64(difference.value, following));
    output.flush();
    return { position: MAGIC.length, bytes };
  }

  /** What comes before the value. */
  private writeKey(database: number, record: RecordReference, output: RdbOutput): void {
    const { options, types } = this;
    const { records, keyspace } = types.hashes;
    if (database !== this.database) this.select(database, output);
    const deadlineMs = keyspace.deadline(record);
    if (deadlineMs !== NO_DEADLINE) {
      output.byte(OPCODE_EXPIRETIME_MS);
      output.milliseconds(deadlineMs);
    }
    if (options.access === 'idle') {
      output.byte(OPCODE_IDLE);
      output.length(keyspace.accessClock.idleSeconds(records.access(record)));
    } else if (options.access === 'frequency') {
      output.byte(OPCODE_FREQ);
      output.byte(keyspace.accessClock.frequency(records.access(record)));
    }
    const type = this.values.rdbType(record);
    if (type === RDB_HASH_METADATA || type === RDB_HASH_LISTPACK_EX) this.version = RDB_VERSION;
    else if (type === RDB_SET_LISTPACK && this.version < RDB_VERSION_WITHOUT_FIELD_EXPIRY) {
      this.version = RDB_VERSION_WITHOUT_FIELD_EXPIRY;
    }
    output.byte(type);
    const bytes = records.memory.bytes[record >>> SEGMENT_SHIFT];
    output.string(bytes, records.keyOffset(record), records.keyLength(record));
  }

  private select(database: number, output: RdbOutput): void {
    this.database = database;
    output.byte(OPCODE_SELECTDB);
    output.length(database);
    const size = this.sizes.get(database);
    if (size === undefined) return;
    this.sizes.delete(database);
    output.byte(OPCODE_RESIZEDB);
    output.length(size.keys);
    output.length(size.expiring);
  }

  private auxiliary(name: string, value: string): void {
    this.output.byte(OPCODE_AUX);
    this.output.text(name);
    this.output.text(value);
  }
}

function versionDigits(version: number): string {
  return String(version).padStart(VERSION_DIGITS, '0');
}
