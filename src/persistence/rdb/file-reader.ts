import type { Database } from '../../keyspace/database.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import type { RecordReference } from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { copyBytes } from '../../memory/bytes.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import type { Log } from '../../observability/log.js';
import type { TimestampMs } from '../../structures/deadlines.js';
import type { Types } from '../../types/types.js';
import {
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRETIME,
  OPCODE_EXPIRETIME_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION_OF_7_0_RC,
  OPCODE_FUNCTION2,
  OPCODE_IDLE,
  OPCODE_MODULE_AUX,
  OPCODE_RESIZEDB,
  OPCODE_SELECTDB,
  OPCODE_SLOT_INFO,
  RDB_MODULE_2,
  RDB_STREAM_LISTPACKS,
  RDB_STREAM_LISTPACKS_2,
  RDB_STREAM_LISTPACKS_3,
  RDB_VERSION,
  type RdbType,
} from './format.js';
import type { RdbInput } from './input.js';
import { readModuleHeader, skipModuleValue } from './module-values.js';
import { EmptyValueError, ValueReader } from './value-reader.js';

/** How a file is loaded. */
export interface RdbLoadOptions {
  /** Whether a key may be there already, and is replaced. */
  readonly allowsDuplicates: boolean;
  /** Whether a wrong checksum is an error. */
  readonly checksChecksum: boolean;
  /** `sanitize-dump-payload`: whether values are searched for duplicates. */
  readonly checksDuplicates: boolean;
  /** Whether keys that are past their deadline are loaded as well: commands that follow may want them. */
  readonly keepsExpired?: boolean;
}

/** Files before this version have no checksum. */
const FIRST_VERSION_WITH_CHECKSUM = 5;
const HEADER_BYTES = 9;
/** The fewest bytes that a key takes: its type, the lengths of key and value. */
const KEY_BYTES_MIN = 3;
/** Empty keys that are named in the log. */
const EMPTY_KEYS_NAMED = 10;

/**
 * Loads an RDB file into a keyspace: `begin`, then `step` until it returns false. Whoever calls decides how much is
 * loaded at a time.
 *
 * What is past its deadline is dropped, as a master does it, and so are values without elements.
 */
export class RdbFileReader {
  keysLoaded = 0;
  keysExpired = 0;
  emptyKeys = 0;

  private readonly keyspace: Keyspace;
  private readonly input: RdbInput;
  private readonly log: Log;
  private readonly options: RdbLoadOptions;
  private readonly values: ValueReader;
  private version = 0;
  private database: Database;
  // What comes before a key and belongs to it.
  private deadlineMs: TimestampMs = NO_DEADLINE;
  private idleSeconds = -1;
  private frequency = -1;
  /** The key that is read: `input` has its value by then. */
  private key = new Uint8Array(256);
  private keyLength: ByteLength = 0;
  /** Whether a part of the value of that key is still to be read. */
  private isInValue = false;
  /** How many keys the table of this database is still to be prepared for; 0: no more. */
  private expectedKeys = 0;
  private readonly fileBytes: ByteLength;

  /** @param fileBytes the length of the file: no more keys are believed to come than it has room for */
  constructor(types: Types, input: RdbInput, fileBytes: ByteLength, log: Log, options: RdbLoadOptions) {
    this.fileBytes = fileBytes;
    this.keyspace = types.hashes.keyspace;
    this.database = this.keyspace.databases[0];
    this.input = input;
    this.log = log;
    this.options = options;
    this.values = new ValueReader(types);
    this.values.checksDuplicates = options.checksDuplicates;
  }

  /** Reads the header. @throws RdbError */
  begin(): void {
    const { input } = this;
    if (!this.options.allowsDuplicates) this.keyspace.functionLibraries = [];
    input.raw(HEADER_BYTES);
    const header = Buffer.from(input.bytes.subarray(input.offset, input.offset + HEADER_BYTES)).toString(
      'latin1',
    );
    if (!header.startsWith('REDIS')) throw input.error('Wrong signature trying to load DB from file');
    this.version = Number.parseInt(header.slice(5), 10) || 0;
    if (this.version < 1 || this.version > RDB_VERSION) {
      throw input.error(`Can't handle RDB format version ${this.version}`);
    }
  }

  /** Reads the next part of the file: a key at most, and of a large one a part. False at its end. @throws RdbError, OutOfMemoryError */
  step(): boolean {
    const { input } = this;
    if (this.isInValue) {
      this.continueValue();
      return true;
    }
    if (this.expectedKeys > 0) {
      if (!this.database.reserve(this.expectedKeys)) this.expectedKeys = 0;
      return true;
    }
    const opcode = input.byte();
    switch (opcode) {
      case OPCODE_EXPIRETIME:
        this.deadlineMs = input.seconds() * 1000;
        return true;
      case OPCODE_EXPIRETIME_MS:
        this.deadlineMs = input.milliseconds();
        return true;
      case OPCODE_FREQ:
        this.frequency = input.byte();
        return true;
      case OPCODE_IDLE:
        this.idleSeconds = input.count();
        return true;
      case OPCODE_SELECTDB:
        this.select(input.count());
        return true;
      case OPCODE_RESIZEDB:
        this.expectedKeys = Math.min(input.count(), (this.fileBytes - input.position) / KEY_BYTES_MIN);
        input.count();
        return true;
      case OPCODE_SLOT_INFO:
        for (let i = 0; i < 3; i++) input.count();
        return true;
      case OPCODE_AUX:
        this.readAuxiliary();
        return true;
      case OPCODE_MODULE_AUX:
        readModuleHeader(input);
        skipModuleValue(input);
        return true;
      case OPCODE_FUNCTION2:
        input.string();
        this.keyspace.functionLibraries.push(input.bytes.slice(input.offset, input.offset + input.length));
        return true;
      case OPCODE_FUNCTION_OF_7_0_RC:
        throw input.error('Pre-release function format not supported.');
      case OPCODE_EOF:
        this.end();
        return false;
      default:
        this.readKey(opcode);
        return true;
    }
  }

  private select(index: number): void {
    const { databases } = this.keyspace;
    if (index >= databases.length) {
      throw this.input.error(
        `FATAL: Data file was created with a Redis server configured to handle more than ${databases.length} databases. Exiting`,
      );
    }
    this.database = databases[index];
  }

  private readAuxiliary(): void {
    const name = this.text();
    const value = this.text();
    if (name === 'redis-ver') this.log.info(`Loading RDB produced by version ${value}`);
    else if (name === 'ctime') {
      this.log.info(`RDB age ${Math.max(0, Math.floor(Date.now() / 1000) - Number(value))} seconds`);
    } else if (name === 'used-mem') {
      this.log.info(`RDB memory usage when created ${(Number(value) / 2 ** 20).toFixed(2)} Mb`);
    } else if (name === 'aof-base' && value === '1') this.log.info('RDB is base AOF');
    else if (name.startsWith('%')) this.log.info(`RDB '${name}': ${value}`);
  }

  private readKey(type: RdbType): void {
    const { input } = this;
    if (type === RDB_STREAM_LISTPACKS || type === RDB_STREAM_LISTPACKS_2 || type === RDB_STREAM_LISTPACKS_3) {
      throw input.error('A stream, a type that cannot be loaded yet,');
    }
    if (type === RDB_MODULE_2) throw input.error('The value of a module, which cannot be loaded,');
    input.string();
    const { length } = input;
    if (length > this.key.length) this.key = new Uint8Array(length * 2);
    const { key } = this;
    copyBytes(input.bytes, input.offset, key, 0, length);
    this.keyLength = length;
    try {
      this.isInValue = !this.values.begin(input, type);
    } catch (error) {
      this.skipEmpty(error);
      return;
    }
    if (!this.isInValue) this.addKey();
  }

  /** Reads the next part of a large value. */
  private continueValue(): void {
    try {
      this.isInValue = !this.values.continue(this.input);
    } catch (error) {
      this.isInValue = false;
      this.skipEmpty(error);
      return;
    }
    if (!this.isInValue) this.addKey();
  }

  /** Leaves out a key, if the error says that its value has no elements. @throws the error, if it is another one */
  private skipEmpty(error: unknown): void {
    if (!(error instanceof EmptyValueError)) throw error;
    if (this.emptyKeys++ < EMPTY_KEYS_NAMED) {
      this.log.info(`rdbLoadObject skipping empty key: ${this.keyText(this.keyLength)}`);
    }
    this.forgetAttributes();
  }

  /** Adds the key and value that have been read. */
  private addKey(): void {
    const { input, options, key, keyLength: length } = this;
    const isExpired = this.deadlineMs !== NO_DEADLINE && this.deadlineMs < this.keyspace.nowMs;
    if (isExpired && options.keepsExpired !== true) {
      this.values.discard();
      this.keysExpired++;
      this.forgetAttributes();
      return;
    }
    const hash = this.keyspace.hash(key, 0, length);
    const existing = this.database.find(hash, key, 0, length);
    if (existing !== NULL_REFERENCE) {
      if (!options.allowsDuplicates) {
        this.values.discard();
        throw input.error(`RDB has duplicated key '${this.keyText(length)}' in DB ${this.database.index}`);
      }
      this.keyspace.announceChange(this.database, existing);
      this.keyspace.remove(this.database, existing);
    }
    this.setAccess(this.values.place(this.database, hash, key, 0, length, NULL_REFERENCE, this.deadlineMs));
    this.keysLoaded++;
    this.forgetAttributes();
  }

  private setAccess(record: RecordReference): void {
    const { accessClock, records } = this.keyspace;
    if (accessClock.isLfu && this.frequency >= 0) {
      records.setAccess(record, accessClock.fromFrequency(this.frequency));
    } else if (!accessClock.isLfu && this.idleSeconds >= 0) {
      records.setAccess(record, accessClock.fromIdleSeconds(this.idleSeconds));
    }
  }

  private forgetAttributes(): void {
    this.deadlineMs = NO_DEADLINE;
    this.idleSeconds = -1;
    this.frequency = -1;
  }

  private end(): void {
    const { input, log, options } = this;
    const isIntact = this.version < FIRST_VERSION_WITH_CHECKSUM || input.readChecksum() !== 'wrong';
    if (!isIntact && options.checksChecksum) throw input.error('RDB CRC error');
    const empty = this.emptyKeys === 0 ? '' : `, empty keys skipped: ${this.emptyKeys}`;
    log.info(`Done loading RDB, keys loaded: ${this.keysLoaded}, keys expired: ${this.keysExpired}${empty}.`);
  }

  private keyText(length: ByteLength): string {
    return Buffer.from(this.key.subarray(0, length)).toString('latin1');
  }

  private text(): string {
    const { input } = this;
    input.string();
    return Buffer.from(input.bytes.subarray(input.offset, input.offset + input.length)).toString('latin1');
  }
}
