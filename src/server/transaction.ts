import { copyBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Arguments } from '../protocol/arguments.js';
import { type Client, RESTRICTED_IN_MULTI } from './client.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Watching } from './watching.js';

/** What a command takes in the queue beyond the bytes of its arguments: references and index. */
const QUEUED_COMMAND_BYTES = 32;
const QUEUED_ARGUMENT_BYTES = 8;
/** A queue that has grown beyond this is not used again. */
const KEPT_BYTES_MAX = 64 * 1024;

/**
 * A client's transaction between MULTI and EXEC: the commands, and their arguments copied one behind the other.
 *
 *     bytes     │SET│key│value│GET│key│      lengths   3 3 5 3 3
 *               command 0 (3)   command 1 (2)           counts    3 2
 */
export class Transaction {
  readonly commands: RegisteredCommand[] = [];
  /** How many arguments each command has. */
  private readonly counts: number[] = [];
  private readonly lengths: number[] = [];
  private bytes = new Uint8Array(new ArrayBuffer(512));
  private usedBytes: ByteLength = 0;
  /** All flags of the commands that wait, for CLIENT PAUSE WRITE. */
  commandFlags = 0;
  /** A command could not be queued: EXEC will run none. */
  isAborted = false;
  /** Where `read` is: the next argument, and its bytes. */
  private nextArgument = 0;
  private nextOffset: ByteOffset = 0;

  /** About how much memory the queue takes: `multi-mem`. */
  get byteLength(): ByteLength {
    return (
      this.usedBytes +
      this.commands.length * QUEUED_COMMAND_BYTES +
      this.lengths.length * QUEUED_ARGUMENT_BYTES
    );
  }

  /** Whether the memory is little enough to be kept for another transaction. */
  get isSmall(): boolean {
    return this.bytes.length <= KEPT_BYTES_MAX;
  }

  /** Queues a command. Its arguments are copied. */
  add(command: RegisteredCommand, request: Arguments): void {
    const { count, offsets, lengths } = request;
    this.commands.push(command);
    this.commandFlags |= command.flags;
    this.counts.push(count);
    for (let i = 0; i < count; i++) {
      const length = lengths[i];
      this.reserve(length);
      copyBytes(request.bytes, offsets[i], this.bytes, this.usedBytes, length);
      this.lengths.push(length);
      this.usedBytes += length;
    }
  }

  /** Reads the arguments of command `index` into `request`. Commands are read in order, each once between rewinds. */
  read(index: number, request: Arguments): void {
    request.clear();
    request.bytes = this.bytes;
    for (let left = this.counts[index]; left > 0; left--) {
      const length = this.lengths[this.nextArgument++];
      request.push(this.nextOffset, length);
      this.nextOffset += length;
    }
  }

  /** Goes back to the first command. */
  rewind(): void {
    this.nextArgument = 0;
    this.nextOffset = 0;
  }

  /** Makes it a new, empty one. */
  clear(): void {
    this.commands.length = 0;
    this.counts.length = 0;
    this.lengths.length = 0;
    this.usedBytes = 0;
    this.commandFlags = 0;
    this.isAborted = false;
    this.rewind();
  }

  private reserve(length: ByteLength): void {
    const needed = this.usedBytes + length;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(new ArrayBuffer(Math.max(needed, this.bytes.length * 2)));
    larger.set(this.bytes.subarray(0, this.usedBytes));
    this.bytes = larger;
  }
}

/** Ends a client's transaction, run or not: it watches no keys any more. */
export function endTransaction({ watching }: { readonly watching: Watching }, client: Client): void {
  client.transaction = undefined;
  client.restrictions &= ~RESTRICTED_IN_MULTI;
  watching.unwatch(client);
}
