import type { ByteLength } from '../memory/reference.js';
import { Arguments } from '../protocol/arguments.js';
import { type Client, RESTRICTED_IN_MULTI } from './client.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Watching } from './watching.js';

/** A command that waits for EXEC, with its arguments in memory of their own. */
export interface QueuedCommand {
  readonly command: RegisteredCommand;
  readonly request: Arguments;
}

/** What a command takes in the queue beyond its arguments, in bytes: objects and index. */
const QUEUED_COMMAND_BYTES = 200;

/** A client's transaction between MULTI and EXEC. */
export class Transaction {
  readonly commands: QueuedCommand[] = [];
  /** About how much memory the queue takes: `multi-mem`. */
  byteLength: ByteLength = 0;
  /** All flags of the commands that wait, for CLIENT PAUSE WRITE. */
  commandFlags = 0;
  /** A command could not be queued: EXEC will run none. */
  isAborted = false;

  /** Queues a command. Its arguments are copied. */
  add(command: RegisteredCommand, request: Arguments): void {
    const own = new Arguments();
    own.assign(Array.from({ length: request.count }, (_, i) => request.copy(i)));
    this.commands.push({ command, request: own });
    this.commandFlags |= command.flags;
    this.byteLength += own.bytes.length + QUEUED_COMMAND_BYTES;
  }
}

/** Ends a client's transaction, run or not: it watches no keys any more. */
export function endTransaction({ watching }: { readonly watching: Watching }, client: Client): void {
  client.transaction = undefined;
  client.restrictions &= ~RESTRICTED_IN_MULTI;
  watching.unwatch(client);
}
