import type { Configuration } from '../config/configuration.js';
import type { Database } from '../keyspace/database.js';
import type { KeyEvent } from '../keyspace/events.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { RecordReference, ValueType } from '../keyspace/record.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import type { Arguments } from '../protocol/arguments.js';
import { INT64_MAX, INT64_MIN, parseInt64, parseSafeInteger } from '../protocol/integers.js';
import { OptionReader } from '../protocol/option-reader.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import type { Types } from '../types/types.js';
import type { Client } from './client.js';
import type { CommandTable } from './command-table.js';
import { ERROR_DB_INDEX, ERROR_NOT_INTEGER, ERROR_WRONG_TYPE, notBetween } from './errors.js';
import { DEL, type PropagatedWord, UNLINK } from './propagated-words.js';
import type { Propagation } from './propagation.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Server } from './server.js';

/** What `readTyped` and `writeTyped` return when the key has another type and the error is replied. */
export const WRONG_TYPE: RecordReference = -1;

const ERROR_SIGNED_COUNT = `ERR value is out of range, value must between ${-INT64_MAX} and ${INT64_MAX}`;

/**
 * What a command handler works on: its arguments, where the reply goes, and the data.
 *
 * There is one instance a server, filled anew for each command; handlers keep nothing of it.
 */
export class CommandContext {
  readonly server: Server;
  readonly keyspace: Keyspace;
  readonly types: Types;
  readonly commands: CommandTable;
  readonly configuration: Configuration;
  readonly reply: ReplyWriter;
  readonly propagation: Propagation;
  /** For commands with options. */
  readonly options = new OptionReader();
  arguments: Arguments;
  client: Client;
  command: RegisteredCommand;
  database: Database;
  /** The hash of the key that was looked up last: what `Keyspace.add` needs for that key. */
  keyHash = 0;

  constructor(server: Server, client: Client, command: RegisteredCommand, first: Arguments) {
    this.server = server;
    this.keyspace = server.keyspace;
    this.types = server.types;
    this.commands = server.commands;
    this.configuration = server.configuration;
    this.reply = server.outbox.reply;
    this.propagation = server.propagation;
    this.arguments = first;
    this.client = client;
    this.command = command;
    this.database = client.database;
  }

  /** The record of the key in argument `index` for reading, or NULL_REFERENCE. */
  lookupRead(index: number): RecordReference {
    const { bytes, offsets, lengths } = this.arguments;
    this.keyHash = this.keyspace.hash(bytes, offsets[index], lengths[index]);
    return this.keyspace.lookupRead(this.database, this.keyHash, bytes, offsets[index], lengths[index]);
  }

  /** The record of the key in argument `index` for changing, or NULL_REFERENCE. */
  lookupWrite(index: number): RecordReference {
    const { bytes, offsets, lengths } = this.arguments;
    this.keyHash = this.keyspace.hash(bytes, offsets[index], lengths[index]);
    return this.keyspace.lookupWrite(this.database, this.keyHash, bytes, offsets[index], lengths[index]);
  }

  /** The record of the key in argument `index` for a command that looks at the key, but does not use the value. */
  lookupUntouched(index: number): RecordReference {
    const { bytes, offsets, lengths } = this.arguments;
    this.keyHash = this.keyspace.hash(bytes, offsets[index], lengths[index]);
    return this.keyspace.lookupUntouched(this.database, this.keyHash, bytes, offsets[index], lengths[index]);
  }

  /** The record of the key in argument `index` without any effect on it or the statistics, or NULL_REFERENCE. */
  peek(index: number): RecordReference {
    const { bytes, offsets, lengths } = this.arguments;
    this.keyHash = this.keyspace.hash(bytes, offsets[index], lengths[index]);
    return this.keyspace.peek(this.database, this.keyHash, bytes, offsets[index], lengths[index]);
  }

  /** As `lookupRead`; WRONG_TYPE when the value is not of the type, with the error replied. */
  readTyped(index: number, type: ValueType): RecordReference {
    const record = this.lookupRead(index);
    return record === NULL_REFERENCE || this.keyspace.records.type(record) === type
      ? record
      : this.wrongType();
  }

  /** As `lookupWrite`; WRONG_TYPE when the value is not of the type, with the error replied. */
  writeTyped(index: number, type: ValueType): RecordReference {
    const record = this.lookupWrite(index);
    return record === NULL_REFERENCE || this.keyspace.records.type(record) === type
      ? record
      : this.wrongType();
  }

  /**
   * A new record with a value slot for the key in argument `index`, which the last lookup did not find.
   * @throws OutOfMemoryError
   */
  add(index: number, type: ValueType, encoding: number, value: number, extra: number): RecordReference {
    const { bytes, offsets, lengths } = this.arguments;
    const { keyspace, database, keyHash } = this;
    return keyspace.add(
      database,
      keyHash,
      bytes,
      offsets[index],
      lengths[index],
      type,
      encoding,
      value,
      extra,
    );
  }

  /** Says that the key in argument `index` changed, in as many places as `changes`: members added, and the like. */
  changed(event: KeyEvent, index: number, changes = 1): void {
    const { bytes, offsets, lengths } = this.arguments;
    this.keyspace.changed(this.database, event, bytes, offsets[index], lengths[index], changes);
  }

  /** Tells of a further event of a change of the key in argument `index` that `changed` has counted. */
  notify(event: KeyEvent, index: number): void {
    const { bytes, offsets, lengths } = this.arguments;
    this.keyspace.notify(this.database, event, bytes, offsets[index], lengths[index]);
  }

  /** Sees to it that the command is not propagated as it is, for it is nothing that others need to repeat. */
  propagateNothing(): void {
    this.propagation.prevent();
  }

  /** Sees to it that the command is propagated to these targets (PROPAGATE_ bits) even if it has changed nothing. */
  propagateAnyway(targets: number): void {
    this.propagation.force(targets);
  }

  /**
   * Has `word`, the key in argument `index` and perhaps a number propagated instead of the command: what it came to,
   * whenever it is repeated.
   */
  propagateAs(word: PropagatedWord, index: number, number?: number): void {
    if (!this.propagation.isActive) return;
    const command = this.propagateInstead(number === undefined ? 2 : 3);
    command.word(word).argument(this.arguments, index);
    if (number !== undefined) command.integer(number);
  }

  /** Has a deletion of the key in argument `index` propagated instead of the command: by UNLINK if the directive says so. */
  propagateDeletion(index: number, directive: 'lazyfree-lazy-expire' | 'lazyfree-lazy-server-del'): void {
    this.propagateAs(this.configuration.values[directive] ? UNLINK : DEL, index);
  }

  /**
   * Begins any other command that is propagated instead of the one that runs, with so many arguments. What the
   * handler's changes propagate by themselves comes before. Only while `propagation.isActive`; see `Propagation.replace`.
   */
  propagateInstead(argumentCount: number): Propagation {
    return this.propagation.replace(this.database, argumentCount);
  }

  /**
   * Argument `index` as an integer; NaN when it is none of 64 bits, with `error` replied. One that a double does
   * not hold exactly becomes the nearest that it does, ±(2^53 - 1): to counts and indexes that is the same.
   */
  integer(index: number, error: string = ERROR_NOT_INTEGER): number {
    const { bytes, offsets, lengths } = this.arguments;
    const value = parseSafeInteger(bytes, offsets[index], lengths[index]);
    if (!Number.isNaN(value)) return value;
    const exact = parseInt64(bytes, offsets[index], lengths[index]);
    if (exact !== undefined) return exact < 0n ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
    this.reply.error(error);
    return NaN;
  }

  /** As `integer`, for a count whose sign has a meaning of its own: -2^63, which has no opposite, is refused. */
  signedCount(index: number): number {
    const count = this.integer(index);
    if (count !== Number.MIN_SAFE_INTEGER) return count;
    const { bytes, offsets, lengths } = this.arguments;
    if (parseInt64(bytes, offsets[index], lengths[index]) !== INT64_MIN) return count;
    this.reply.error(ERROR_SIGNED_COUNT);
    return NaN;
  }

  /** Argument `index` as the number of a database; undefined when there is no such, with the error replied. */
  databaseNumbered(index: number): Database | undefined {
    const number = this.integer(index);
    if (Number.isNaN(number)) return undefined;
    const database = this.keyspace.databases[number];
    if (database === undefined) {
      const isInt32 = number === (number | 0);
      this.reply.error(isInt32 ? ERROR_DB_INDEX : notBetween(-(2 ** 31), 2 ** 31 - 1));
    }
    return database;
  }

  private wrongType(): RecordReference {
    this.reply.error(ERROR_WRONG_TYPE);
    return WRONG_TYPE;
  }
}
