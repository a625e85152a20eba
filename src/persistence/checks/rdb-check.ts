import { Keyspace } from '../../keyspace/keyspace.js';
import { Types } from '../../types/types.js';
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
  RDB_MODULE,
  RDB_MODULE_2,
  RDB_VERSION,
  type RdbType,
} from '../rdb/format.js';
import { RdbError, type RdbInput } from '../rdb/input.js';
import { readModuleHeader, skipModuleValue } from '../rdb/module-values.js';
import { isValueType, RDB_TYPE_NAMES } from '../rdb/type-names.js';
import { EmptyValueError, ValueReader } from '../rdb/value-reader.js';

/**
 * How a check ended: the file is fine; it ends too early or is no RDB file; or what is in it cannot be, upon which
 * redis-check-rdb ends at once.
 */
export type RdbCheckResult = 'fine' | 'broken' | 'corrupt';

/** Takes what a check says, a line or a part of one at a time; a character a byte. */
export type CheckOutput = (text: string) => void;

/** Files before this version have no checksum. */
const FIRST_VERSION_WITH_CHECKSUM = 5;
const HEADER_BYTES = 9;
/** Longer messages are cut off. */
const MESSAGE_BYTES_MAX = 1023;

/** Thrown when a file is broken in a way that is not a matter of reading. */
class BrokenFileError extends Error {
  override name = 'BrokenFileError';
}

/**
 * Checks an RDB file as redis-check-rdb does, and says what it finds in the same words: every value is read as for
 * loading, and thrown away.
 */
export class RdbCheck {
  private readonly input: RdbInput;
  private readonly print: CheckOutput;
  private readonly values: ValueReader;
  /** What is being read, for the report of an error. */
  private doing = 'start';
  private key: string | undefined;
  /** The type of the key that is being read; -1 between keys, and 0 before the first. */
  private type: RdbType = 0;
  private keys = 0;
  private expires = 0;
  private alreadyExpired = 0;
  private keysWithExpiringFields = 0;

  constructor(input: RdbInput, print: CheckOutput) {
    this.input = input;
    this.print = print;
    const keyspace = new Keyspace({ databases: 1, nowMs: Date.now() });
    keyspace.ignoresDeadlines = true;
    this.values = new ValueReader(new Types(keyspace));
    this.values.checksDuplicates = true;
  }

  /** Checks the file. The input is behind its end when it is fine. */
  run(name: string): RdbCheckResult {
    this.inform(`Checking RDB file ${name}`);
    try {
      this.readFile();
    } catch (error) {
      this.report(error);
      return error instanceof RdbError && !error.isTruncation ? 'corrupt' : 'broken';
    }
    this.inform('\\o/ RDB looks OK! \\o/');
    this.printCounts();
    return 'fine';
  }

  private readFile(): void {
    const version = this.readVersion();
    let deadlineMs = -1;
    for (;;) {
      this.doing = 'read-type';
      const type = this.input.byte();
      if (type === OPCODE_EOF) break;
      if (type === OPCODE_EXPIRETIME || type === OPCODE_EXPIRETIME_MS) {
        this.doing = 'read-expire';
        deadlineMs = type === OPCODE_EXPIRETIME ? this.input.seconds() * 1000 : this.input.milliseconds();
      } else if (!this.readOpcode(type, version)) {
        this.readKey(type, deadlineMs);
        deadlineMs = -1;
      }
    }
    if (version >= FIRST_VERSION_WITH_CHECKSUM) this.checkChecksum();
  }

  private readVersion(): number {
    const { input } = this;
    input.raw(HEADER_BYTES);
    const header = latin1(input.bytes.subarray(input.offset, input.offset + HEADER_BYTES));
    if (!header.startsWith('REDIS')) {
      throw new BrokenFileError('Wrong signature trying to load DB from file');
    }
    const version = Number.parseInt(header.slice(5), 10) || 0;
    if (version < 1 || version > RDB_VERSION) {
      throw new BrokenFileError(`Can't handle RDB format version ${version}`);
    }
    return version;
  }

  /** Reads what is neither a key nor about one. False when it is a key. */
  private readOpcode(type: RdbType, version: number): boolean {
    const { input } = this;
    switch (type) {
      case OPCODE_FREQ:
        input.byte();
        return true;
      case OPCODE_IDLE:
        input.skipLength();
        return true;
      case OPCODE_SELECTDB:
        this.doing = 'read-len';
        this.inform(`Selecting DB ID ${input.readLength64()}`);
        return true;
      case OPCODE_RESIZEDB:
        this.doing = 'read-len';
        for (let i = 0; i < 2; i++) input.skipLength();
        return true;
      case OPCODE_SLOT_INFO:
        for (let i = 0; i < 3; i++) input.skipLength();
        return true;
      case OPCODE_AUX:
        this.doing = 'read-aux';
        this.inform(`AUX FIELD ${this.text()} = '${this.text()}'`);
        return true;
      case OPCODE_MODULE_AUX:
        this.doing = 'read-module-aux';
        this.inform(`MODULE AUX for: ${readModuleHeader(input)}`);
        skipModuleValue(input);
        return true;
      case OPCODE_FUNCTION2:
        this.doing = 'read-functions';
        input.string();
        return true;
      case OPCODE_FUNCTION_OF_7_0_RC:
        throw new BrokenFileError(`Pre-release function format not supported ${version}`);
      default:
        return false;
    }
  }

  private readKey(type: RdbType, deadlineMs: number): void {
    const { input, values } = this;
    if (!isValueType(type)) throw new BrokenFileError(`Invalid object type: ${type}`);
    this.type = type;
    this.doing = 'read-key';
    this.key = this.text();
    this.keys++;
    this.doing = 'read-object-value';
    if (type === RDB_MODULE) throw input.error('Pre-release module format not supported');
    if (type === RDB_MODULE_2) {
      input.readLength64();
      skipModuleValue(input);
    } else {
      values.read(input, type);
      if (values.hasFieldDeadlines) this.keysWithExpiringFields++;
      values.discard();
    }
    if (deadlineMs !== -1) {
      this.expires++;
      if (deadlineMs < Date.now()) this.alreadyExpired++;
    }
    this.key = undefined;
    this.type = -1;
  }

  private checkChecksum(): void {
    this.doing = 'check-sum';
    const state = this.input.readChecksum();
    if (state === 'none') {
      this.inform('RDB file was saved with checksum disabled: no check performed.');
    } else if (state === 'wrong') {
      throw new BrokenFileError('RDB CRC error');
    } else {
      this.inform('Checksum OK');
    }
  }

  private report(error: unknown): void {
    this.print('--- RDB ERROR DETECTED ---\n');
    this.inform(this.reasonOf(error));
    this.print(`[additional info] While doing: ${this.doing}\n`);
    if (this.key !== undefined) this.print(`[additional info] Reading key '${this.key}'\n`);
    if (this.type !== -1) {
      this.print(`[additional info] Reading type ${this.type} (${RDB_TYPE_NAMES[this.type]})\n`);
    }
    this.printCounts();
  }

  private reasonOf(error: unknown): string {
    if (error instanceof BrokenFileError) return error.message;
    if (error instanceof EmptyValueError) return 'Unexpected EOF reading RDB file';
    if (!(error instanceof RdbError)) throw error;
    if (error.isTruncation) return 'Unexpected EOF reading RDB file';
    return `Internal error in RDB reading offset ${error.position} -> ${error.reason}`;
  }

  private inform(message: string): void {
    this.print(`[offset ${this.input.position}] ${message.slice(0, MESSAGE_BYTES_MAX)}\n`);
  }

  private printCounts(): void {
    this.print(`[info] ${this.keys} keys read\n`);
    this.print(`[info] ${this.expires} expires\n`);
    this.print(`[info] ${this.alreadyExpired} already expired\n`);
    this.print(`[info] ${this.keysWithExpiringFields} subexpires\n`);
  }

  /** A string up to its first zero byte, as C prints it. */
  private text(): string {
    const { input } = this;
    input.string();
    const [text] = latin1(input.bytes.subarray(input.offset, input.offset + input.length)).split('\0', 1);
    return text;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
