import { NoConnection } from '../network/no-connection.js';
import type { CommandReplay } from '../persistence/aof/loading.js';
import type { Arguments } from '../protocol/arguments.js';
import { Client } from './client.js';
import { CommandContext } from './context.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Server } from './server.js';

/** The number of the client that commands of the append-only file run for. No other has it. */
const REPLAY_CLIENT_ID = -1;
/** Bytes of an error reply that the log shows. */
const SHOWN_BYTES_MAX = 4096;

/**
 * Runs commands again that have been recorded: for a client of its own, which is connected with nothing, may do
 * everything and waits for nothing. They are not counted, and nobody is told of them but who listens to the keyspace.
 */
export class Replay implements CommandReplay {
  private readonly server: Server;
  private client: Client;
  private context: CommandContext | undefined;

  constructor(server: Server) {
    this.server = server;
    this.client = this.newClient();
  }

  begin(): void {
    this.client = this.newClient();
  }

  get isInTransaction(): boolean {
    return this.client.transaction !== undefined;
  }

  run(request: Arguments): boolean {
    const { client } = this;
    const command = this.find(request);
    if (command === undefined) return false;
    if (client.transaction !== undefined && command.fullName !== 'exec') {
      client.transaction.add(command, request);
      return true;
    }
    const context = this.contextFor(command, request);
    const { reply, keyspace } = context;
    const start = reply.position;
    const errors = reply.errorCount;
    keyspace.leavesAccess = false;
    try {
      command.handler(context);
    } finally {
      reply.position = start;
    }
    client.deniesBlocking = true;
    if (reply.errorCount !== errors) this.reportError(command, reply.lastError);
    return true;
  }

  /** The command or subcommand that a request names; undefined when there is none, or it has not its arguments. */
  private find({ bytes, offsets, lengths, count }: Arguments): RegisteredCommand | undefined {
    const { commands } = this.server;
    const named =
      commands.find(bytes, offsets[0], lengths[0]) ?? commands.findOriginal(bytes, offsets[0], lengths[0]);
    const command =
      named?.subcommandIndex === undefined || count === 1
        ? named
        : commands.findSubcommand(named, bytes, offsets[1], lengths[1]);
    if (command === undefined) return undefined;
    const { arity } = command;
    return (arity > 0 ? count === arity : count >= -arity) ? command : undefined;
  }

  private contextFor(command: RegisteredCommand, request: Arguments): CommandContext {
    const { client } = this;
    this.context ??= new CommandContext(this.server, client, command, request);
    const { context } = this;
    context.arguments = request;
    context.client = client;
    context.command = command;
    context.database = client.database;
    client.lastCommand = command;
    return context;
  }

  private newClient(): Client {
    const { keyspace } = this.server;
    const client = new Client(
      REPLAY_CLIENT_ID,
      new NoConnection(),
      keyspace.databases[0],
      this.server,
      keyspace.nowMs,
    );
    client.deniesBlocking = true;
    return client;
  }

  private reportError(command: RegisteredCommand, error: string): void {
    const { log, configuration } = this.server;
    const shown = error.slice(0, SHOWN_BYTES_MAX);
    log.warn(
      `== CRITICAL == This server is sending an error to its AOF-loading-client: '${shown}' after processing the ` +
        `command '${command.fullName}'`,
    );
    if (configuration.values['propagation-error-behavior'] === 'panic') {
      throw new Error(
        `This server panicked sending an error to its AOF-loading-client after processing the command '${command.fullName}'`,
      );
    }
  }
}
