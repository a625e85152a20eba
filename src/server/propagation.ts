import type { Database } from '../keyspace/database.js';
import type { DeletionListener, Keyspace } from '../keyspace/keyspace.js';
import { copyBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Arguments } from '../protocol/arguments.js';
import { SAFE_INTEGER_DECIMAL_LENGTH_MAX, writeSafeInteger } from '../protocol/integers.js';
import { FLAG_TOUCHES_ARBITRARY_KEYS } from './command-flags.js';
import { DEL, HDEL, type PropagatedWord, SELECT, UNLINK } from './propagated-words.js';
import type { RegisteredCommand } from './registered-command.js';

/** Whom a command is passed on to, as bits: the append-only file, and the replicas. */
export const PROPAGATE_AOF = 1;
export const PROPAGATE_REPLICAS = 2;

/** Both: what changes data goes to whoever keeps a copy of it. */
export const PROPAGATE_ALL = PROPAGATE_AOF | PROPAGATE_REPLICAS;

/** Whoever is to repeat the commands that change data: the append-only file, or the stream to the replicas. */
export interface PropagationSink {
  /** The PROPAGATE_ bit that it listens to. */
  readonly target: number;
  /**
   * Takes one execution unit, as RESP arrays of bulk strings: SELECT, MULTI and EXEC are in it where they are needed.
   * The bytes, `length` from the start, are valid during the call only. `commands` is how many they are, SELECT apart.
   */
  write(bytes: Uint8Array, length: ByteLength, commands: number): void;
}

/** What is passed on says in which way a key goes; these directives decide. */
export interface DeletionSettings {
  readonly 'lazyfree-lazy-expire': boolean;
  readonly 'lazyfree-lazy-eviction': boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const ARRAY = 0x2a; // *
const BULK = 0x24; // $
const ZERO = 0x30;

/** A type byte, digits and CRLF. */
const HEADER_BYTES_MAX = 1 + SAFE_INTEGER_DECIMAL_LENGTH_MAX + 2;
/** What an argument takes beyond its own bytes. */
const ARGUMENT_BYTES_MAX = HEADER_BYTES_MAX + 2;

const INITIAL_BYTES = 16 * 1024;
/** A buffer that has grown beyond this is not used again. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** Commands of a unit that have a place from the start. */
const INITIAL_COMMANDS = 64;

/** No database is selected, as far as a sink knows. */
const NO_DATABASE = -1;

const MULTI_COMMAND = Buffer.from('*1\r\n$5\r\nMULTI\r\n', 'latin1');
const EXEC_COMMAND = Buffer.from('*1\r\n$4\r\nEXEC\r\n', 'latin1');

/** Bytes that grow. */
class UnitBuffer {
  bytes: Uint8Array = new Uint8Array(new ArrayBuffer(INITIAL_BYTES));
  position: ByteOffset = 0;

  reserve(length: ByteLength): void {
    if (this.position + length > this.bytes.length) this.grow(this.position + length);
  }

  append(source: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.reserve(length);
    copyBytes(source, offset, this.bytes, this.position, length);
    this.position += length;
  }

  /** A type byte, a count or length, and CRLF, for which there is room. */
  header(type: number, value: number): void {
    const { bytes } = this;
    let { position } = this;
    bytes[position++] = type;
    if (value < 10) bytes[position++] = ZERO + value;
    else position = writeSafeInteger(bytes, position, value);
    bytes[position] = CR;
    bytes[position + 1] = LF;
    this.position = position + 2;
  }

  /** A bulk string. */
  bulk(source: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.reserve(length + ARGUMENT_BYTES_MAX);
    this.header(BULK, length);
    copyBytes(source, offset, this.bytes, this.position, length);
    const end = this.position + length;
    this.bytes[end] = CR;
    this.bytes[end + 1] = LF;
    this.position = end + 2;
  }

  clear(): void {
    this.position = 0;
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = new Uint8Array(new ArrayBuffer(INITIAL_BYTES));
  }

  private grow(needed: ByteLength): void {
    const larger = new Uint8Array(new ArrayBuffer(Math.max(needed, this.bytes.length * 2)));
    larger.set(this.bytes.subarray(0, this.position));
    this.bytes = larger;
  }
}

/** A sink, and what it has been told. */
interface Attachment {
  readonly sink: PropagationSink;
  /** The database that its last SELECT named, or NO_DATABASE. */
  selected: number;
}

/**
 * Passes on what changes the data to whoever has to repeat it: the append-only file and, later, replicas.
 *
 * A command is passed on as it came when it has changed something (`Keyspace.dirty` grew), unless its handler said
 * otherwise: that nothing is to be passed on, or something else that has the same effect whenever it is repeated (an
 * absolute time for one that counts from now, the chosen members for a random choice). What goes by itself is passed on
 * as a deletion, in the order in which things happened.
 *
 * All commands of one execution unit (a command with the keys that it found expired, an EXEC, a client served that
 * waited) reach a sink in one piece, in MULTI and EXEC if they are several. Expiry by the clock and eviction are units
 * of their own, a key each.
 *
 *     call ─▶ handler ─▶ [command][command]…   pending, one behind the other
 *                           end of the unit ─▶ SELECT? ─▶ sink.write
 *
 * While no sink is attached, `isActive` is false and nothing else is looked at.
 */
export class Propagation implements DeletionListener {
  /** Whether anybody listens. */
  isActive = false;

  private readonly keyspace: Keyspace;
  private readonly settings: DeletionSettings;
  private readonly attachments: Attachment[] = [];
  /** The PROPAGATE_ bits of all sinks. */
  private targets = 0;
  /** Nothing is passed on for the time being. */
  private isSuspended = false;

  /** The commands of this unit, and by number where each ends, its database and its PROPAGATE_ bits. */
  private readonly pending = new UnitBuffer();
  private count = 0;
  private ends = new Float64Array(INITIAL_COMMANDS);
  private databases = new Int32Array(INITIAL_COMMANDS);
  private commandTargets = new Uint8Array(INITIAL_COMMANDS);
  /** Arguments that the command which is being written still lacks. */
  private missing = 0;
  /** Where the unit is put together as a sink gets it. */
  private readonly unit = new UnitBuffer();

  /** Units that are open around the command that runs: EXEC. */
  private depth = 0;
  /** What the handler of the command that runs said about it, and the first command that it said instead, or −1. */
  private isPrevented = false;
  private forced = 0;
  private firstInstead = -1;

  constructor(keyspace: Keyspace, settings: DeletionSettings) {
    this.keyspace = keyspace;
    this.settings = settings;
  }

  /** Attaches a sink: it gets what happens from now on. */
  addSink(sink: PropagationSink): void {
    this.attachments.push({ sink, selected: NO_DATABASE });
    this.update();
  }

  /** Detaches a sink. What the unit that is open has done is lost to it. */
  removeSink(sink: PropagationSink): void {
    const index = this.attachments.findIndex((attachment) => attachment.sink === sink);
    if (index >= 0) this.attachments.splice(index, 1);
    this.update();
  }

  /** The next command for this sink is preceded by SELECT: it writes elsewhere from now on. */
  forgetDatabase(sink: PropagationSink): void {
    for (const attachment of this.attachments) {
      if (attachment.sink === sink) attachment.selected = NO_DATABASE;
    }
  }

  /**
   * Passes nothing on until `resume`: while data is loaded, of which all sinks know. They get what the unit that is open
   * has done so far, as it is about to be loaded from one of them.
   */
  suspend(): void {
    if (this.count > 0) this.flush();
    this.isSuspended = true;
    this.update();
  }

  /** Ends `suspend`. */
  resume(): void {
    this.isSuspended = false;
    this.update();
  }

  /** Begins a unit of several commands (EXEC): they are passed on together at the end of the command around them. */
  beginUnit(): void {
    this.depth++;
  }

  /** Ends what `beginUnit` began. */
  endUnit(): void {
    this.depth--;
  }

  /** The command that runs is not to be passed on as it is. */
  prevent(): void {
    this.isPrevented = this.isActive;
  }

  /** The command that runs is passed on whether it changes something or not. */
  force(targets: number): void {
    if (this.isActive) this.forced |= targets;
  }

  /**
   * Begins a command that is passed on instead of the one that runs, of so many arguments, its name included; they
   * follow by `word`, `argument` and their like. Only while `isActive`. There may be several.
   */
  replace(database: Database, argumentCount: number): this {
    this.isPrevented = true;
    if (this.firstInstead < 0) this.firstInstead = this.count;
    return this.begin(database, argumentCount);
  }

  /**
   * Begins a further command of this unit, of so many arguments, its name included; they follow by `word`, `argument`,
   * `bytes` and `integer`. Only while `isActive`.
   */
  begin(database: Database, argumentCount: number, targets = PROPAGATE_ALL): this {
    if (this.missing !== 0) throw new Error('a propagated command is begun within another');
    if (this.count === this.ends.length) this.growIndex();
    this.databases[this.count] = database.index;
    this.commandTargets[this.count] = targets;
    this.missing = argumentCount;
    this.pending.reserve(HEADER_BYTES_MAX);
    this.pending.header(ARRAY, argumentCount);
    return this;
  }

  /** The next argument: a name or option. */
  word(word: PropagatedWord): this {
    this.pending.append(word, 0, word.length);
    return this.argumentWritten();
  }

  /** The next argument: one of a request. */
  argument(request: Arguments, index: number): this {
    return this.bytes(request.bytes, request.offsets[index], request.lengths[index]);
  }

  /** The next arguments: those of a request from `first` to below `end`. */
  arguments(request: Arguments, first: number, end = request.count): this {
    for (let i = first; i < end; i++) this.argument(request, i);
    return this;
  }

  /** The next argument: any bytes. */
  bytes(source: Uint8Array, offset: ByteOffset, length: ByteLength): this {
    this.pending.bulk(source, offset, length);
    return this.argumentWritten();
  }

  /** The next argument: an integer; one that a double does not hold exactly is spelled as the double that it is. */
  integer(value: number): this {
    if (Number.isSafeInteger(value)) {
      const length = writeSafeInteger(digits, 0, value);
      return this.bytes(digits, 0, length);
    }
    const text = Buffer.from(BigInt(value).toString(), 'latin1');
    return this.bytes(text, 0, text.length);
  }

  /**
   * A command has run. It is passed on if it has changed something or its handler insists, and does not object; and
   * the unit ends, unless the command is one of several.
   */
  commandRan(database: Database, command: RegisteredCommand, request: Arguments, hasChanged: boolean): void {
    if (this.missing !== 0) throw new Error(`${command.fullName} propagates a command without its end`);
    const wanted = this.isPrevented ? 0 : hasChanged ? PROPAGATE_ALL : this.forced;
    if ((wanted & this.targets) !== 0) this.pass(database, request, wanted);
    this.forgetSayings();
    if (this.depth > 0 || this.count === 0) return;
    if (command.has(FLAG_TOUCHES_ARBITRARY_KEYS)) this.flushSingly();
    else this.flush();
  }

  /** The command that runs has failed by a bug, or for want of memory: what its handler said is dropped. */
  commandFailed(): void {
    if (this.firstInstead >= 0) this.count = this.firstInstead;
    this.pending.position = this.count === 0 ? 0 : this.ends[this.count - 1];
    this.missing = 0;
    this.forgetSayings();
  }

  /** A turn ends: nothing is left over, whoever began it. */
  commit(): void {
    if (this.count > 0) this.flushSingly();
  }

  /** Passes on what has happened outside of commands, each key by itself. */
  flushSingly(): void {
    if (this.count === 0) return;
    for (const attachment of this.attachments) this.send(attachment, false);
    this.clear();
  }

  /** See DeletionListener. */
  keyExpired(database: Database, key: Uint8Array): void {
    const isLazy = this.settings['lazyfree-lazy-expire'];
    this.begin(database, 2)
      .word(isLazy ? UNLINK : DEL)
      .bytes(key, 0, key.length);
  }

  /** See DeletionListener. Eviction comes before a command or between commands: it is never part of their unit. */
  keyEvicted(database: Database, key: Uint8Array): void {
    const isLazy = this.settings['lazyfree-lazy-eviction'];
    this.begin(database, 2)
      .word(isLazy ? UNLINK : DEL)
      .bytes(key, 0, key.length);
    if (this.depth === 0) this.flushSingly();
  }

  /** See DeletionListener. */
  fieldExpired(
    database: Database,
    key: Uint8Array,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    this.begin(database, 3).word(HDEL).bytes(key, 0, key.length).bytes(bytes, offset, length);
  }

  /** Adds a command to the unit as it came. */
  private pass(database: Database, request: Arguments, targets: number): void {
    const { bytes, offsets, lengths, count } = request;
    this.begin(database, count, targets);
    for (let i = 0; i < count; i++) this.pending.bulk(bytes, offsets[i], lengths[i]);
    this.missing = 1;
    this.argumentWritten();
  }

  private argumentWritten(): this {
    if (this.missing === 0) throw new Error('a propagated command has more arguments than it said');
    if (--this.missing === 0) this.ends[this.count++] = this.pending.position;
    return this;
  }

  /** Ends the unit: all sinks get it, as a transaction if it has several commands. */
  private flush(): void {
    for (const attachment of this.attachments) this.send(attachment, this.count > 1);
    this.clear();
  }

  private send(attachment: Attachment, isTransaction: boolean): void {
    const { sink } = attachment;
    const { pending, unit } = this;
    const isFirstMeant = (this.commandTargets[0] & sink.target) !== 0;
    if (this.count === 1 && isFirstMeant && this.databases[0] === attachment.selected) {
      sink.write(pending.bytes, pending.position, 1);
      return;
    }
    unit.clear();
    if (isTransaction) unit.append(MULTI_COMMAND, 0, MULTI_COMMAND.length);
    const empty = unit.position;
    let start = 0;
    let commands = isTransaction ? 2 : 0;
    for (let i = 0; i < this.count; i++) {
      const end = this.ends[i];
      if ((this.commandTargets[i] & sink.target) !== 0) {
        this.select(attachment, this.databases[i]);
        unit.append(pending.bytes, start, end - start);
        commands++;
      }
      start = end;
    }
    if (unit.position === empty) return;
    if (isTransaction) unit.append(EXEC_COMMAND, 0, EXEC_COMMAND.length);
    sink.write(unit.bytes, unit.position, commands);
  }

  /** Writes SELECT, if the sink is at another database. */
  private select(attachment: Attachment, database: number): void {
    if (attachment.selected === database) return;
    attachment.selected = database;
    const { unit } = this;
    unit.reserve(HEADER_BYTES_MAX);
    unit.header(ARRAY, 2);
    unit.append(SELECT, 0, SELECT.length);
    unit.bulk(digits, 0, writeSafeInteger(digits, 0, database));
  }

  private clear(): void {
    this.count = 0;
    this.pending.clear();
    this.unit.clear();
  }

  private growIndex(): void {
    const { ends, databases, commandTargets } = this;
    const length = ends.length * 2;
    this.ends = new Float64Array(length);
    this.ends.set(ends);
    this.databases = new Int32Array(length);
    this.databases.set(databases);
    this.commandTargets = new Uint8Array(length);
    this.commandTargets.set(commandTargets);
  }

  private update(): void {
    this.targets = this.attachments.reduce((targets, { sink }) => targets | sink.target, 0);
    this.isActive = this.targets !== 0 && !this.isSuspended;
    this.keyspace.deletionListener = this.isActive ? this : undefined;
    if (this.isActive) return;
    this.clear();
    this.missing = 0;
    this.forgetSayings();
  }

  private forgetSayings(): void {
    this.isPrevented = false;
    this.forced = 0;
    this.firstInstead = -1;
  }
}

const digits = new Uint8Array(SAFE_INTEGER_DECIMAL_LENGTH_MAX);
