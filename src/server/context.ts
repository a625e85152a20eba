import type { Configuration } from '../config/configuration.js';
import type { Database } from '../keyspace/database.js';
import type { KeyEvent } from '../keyspace/events.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { RecordReference, ValueType } from '../keyspace/record.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import type { Arguments } from '../protocol/arguments.js';
import { parseSafeInteger } from '../protocol/integers.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import type { Types } from '../types/types.js';
import type { Client } from './client.js';
import type { CommandTable } from './command-table.js';
import { ERROR_NOT_INTEGER, ERROR_WRONG_TYPE } from './errors.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Server } from './server.js';

/** What `readTyped` and `writeTyped` return when the key has another type and the error is replied. */
export const WRONG_TYPE: RecordReference = -1;

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

  /** Says that the key in argument `index` changed. */
  changed(event: KeyEvent, index: number): void {
    const { bytes, offsets, lengths } = this.arguments;
    this.keyspace.changed(this.database, event, bytes, offsets[index], lengths[index]);
  }

  /**
   * Argument `index` as an integer that a double holds exactly; NaN when it is none, with `error` replied.
   * (Counts, indexes and times beyond 2^53 are out of range for every command that takes them so.)
   */
  integer(index: number, error: string = ERROR_NOT_INTEGER): number {
    const { bytes, offsets, lengths } = this.arguments;
    const value = parseSafeInteger(bytes, offsets[index], lengths[index]);
    if (Number.isNaN(value)) this.reply.error(error);
    return value;
  }

  private wrongType(): RecordReference {
    this.reply.error(ERROR_WRONG_TYPE);
    return WRONG_TYPE;
  }
}
