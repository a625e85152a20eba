import { OutOfMemoryError } from '../memory/memory.js';
import { Arguments } from '../protocol/arguments.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import {
  type Client,
  RESTRICTED_IN_MULTI,
  RESTRICTED_MONITOR,
  RESTRICTED_SUBSCRIBED,
  type ReplyMode,
} from './client.js';
import {
  type CommandFlagBits,
  FLAG_ADMIN,
  FLAG_DENYOOM,
  FLAG_LOADING,
  FLAG_MAY_REPLICATE,
  FLAG_NO_AUTH,
  FLAG_NO_MULTI,
  FLAG_PROTECTED,
  FLAG_READONLY,
  FLAG_SKIP_MONITOR,
  FLAG_WRITE,
} from './command-flags.js';
import { CommandContext } from './context.js';
import {
  ERROR_LOADING,
  ERROR_NO_AUTH,
  ERROR_NO_REPLICAS,
  ERROR_OUT_OF_MEMORY,
  unknownSubcommand,
  wrongArity,
} from './errors.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Server } from './server.js';
import type { SlowCommands } from './slow-commands.js';
import { endTransaction, Transaction } from './transaction.js';

/** What became of a request. */
export const EXECUTED = 0;
/** Its client must wait, and the request is to be decoded and executed again later. */
export const POSTPONED = 1;

/** A reply of more bytes than this took its time, whatever the command. */
const LARGE_REPLY_BYTES = 64 * 1024;

/** Commands that run between MULTI and EXEC instead of being queued. */
const RUNS_INSIDE_MULTI = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset']);

/** Commands that a RESP2 client may use while it is subscribed to something. */
const RUNS_WHILE_SUBSCRIBED = new Set([
  'ping',
  'subscribe',
  'ssubscribe',
  'psubscribe',
  'unsubscribe',
  'sunsubscribe',
  'punsubscribe',
  'quit',
  'reset',
]);

const ERROR_NO_MULTI = 'ERR Command not allowed inside a transaction';
const ERROR_MONITOR = "ERR Replica can't interact with the keyspace";

/** How much of unknown names and arguments an error reply shows. */
const SHOWN_BYTES_MAX = 128;

/**
 * Decides whether a request may run, and runs it.
 *
 * The usual request passes two tests of bits; whatever could stand in its way sets one of them
 * (`server.restrictions`, `client.restrictions`, the command's FLAG_PROTECTED), and only then the reasons are
 * looked at, in the order in which Redis does.
 */
export class Dispatcher {
  private readonly server: Server;
  private context: CommandContext | undefined;
  /** `errorCount` of the reply writer when an error was counted last. */
  private countedErrors = 0;
  private readonly slow: SlowCommands;
  /** A transaction that is over, whose memory is used again. */
  private spareTransaction: Transaction | undefined;
  /** The request of EXEC that runs. */
  private readonly queuedRequest = new Arguments();

  constructor(server: Server) {
    this.server = server;
    this.slow = server.slowCommands;
  }

  /** Runs a request, or replies why not. Returns EXECUTED or POSTPONED. */
  dispatch(client: Client, request: Arguments): number {
    const { outbox } = this.server;
    const start = outbox.reply.position;
    const mode = client.replyMode;
    const result = this.decide(client, request);
    if (client.replyMode !== 'on') this.suppressReply(client, mode, start);
    if (outbox.holdsMessages) outbox.releaseHeld();
    // Only now: the replies to those who are served are not this client's.
    if (this.server.blocking.hasReady) this.server.blocking.serve();
    return result;
  }

  /** Runs a command again whose client waited, unless it may not run any more. */
  rerun(client: Client, command: RegisteredCommand, request: Arguments): void {
    const start = this.server.outbox.reply.position;
    const refusal =
      (client.restrictions | this.server.restrictions) !== 0 ? this.refusal(client, command) : '';
    if (refusal === '') this.call(client, command, request);
    else this.reject(client, command, refusal);
    if (client.replyMode !== 'on') this.suppressReply(client, client.replyMode, start);
    if (client.tracking !== undefined) this.server.tracking.remember(client, command, request);
  }

  /** Ends a command that waited in vain: it counts as called, and has its reply. */
  endWait(
    client: Client,
    command: RegisteredCommand,
    request: Arguments,
    write: (reply: ReplyWriter) => void,
  ): void {
    const { commandTimes: times, outbox } = this.server;
    const { reply } = outbox;
    const start = reply.position;
    const errors = reply.errorCount;
    const depth = times.begin(command);
    write(reply);
    const microseconds = Math.max(0, times.end(depth, false));
    if (microseconds >= this.slow.thresholdMicroseconds) {
      this.slow.note(client, command, request, microseconds);
    }
    this.countError(command, errors);
    if (client.replyMode !== 'on') this.suppressReply(client, client.replyMode, start);
  }

  /** The requests that a client sent together are executed, as far as they came. */
  endPipeline(): void {
    this.server.commandTimes.endPipeline();
  }

  private decide(client: Client, request: Arguments): number {
    const { server } = this;
    const { bytes, offsets, lengths, count } = request;
    let command = server.commands.find(bytes, offsets[0], lengths[0]);
    client.lastCommand = command;
    if (command === undefined) {
      this.reject(client, undefined, unknownCommand(request));
      return EXECUTED;
    }
    if (command.subcommandIndex !== undefined && count > 1) {
      const subcommand = server.commands.findSubcommand(command, bytes, offsets[1], lengths[1]);
      if (subcommand === undefined) {
        this.reject(client, undefined, unknownSubcommand(request.cString(1), command.entry.name));
        return EXECUTED;
      }
      command = subcommand;
      client.lastCommand = command;
    }
    const { arity } = command;
    if (arity > 0 ? count !== arity : count < -arity) {
      this.reject(client, command, wrongArity(command.fullName));
      return EXECUTED;
    }
    if ((client.restrictions | server.restrictions | (command.flags & FLAG_PROTECTED)) !== 0) {
      const refusal = this.refusal(client, command);
      if (refusal !== '') {
        this.reject(client, command, refusal);
        return EXECUTED;
      }
      if (server.isPausedFor(client, command)) return POSTPONED;
      if (client.tracking !== undefined) this.limitTracking();
      if (client.transaction !== undefined && !RUNS_INSIDE_MULTI.has(command.fullName)) {
        // One that cannot succeed need not be kept.
        if (!client.transaction.isAborted && !server.watching.hasFailed(client)) {
          client.transaction.add(command, request);
        }
        server.outbox.reply.simpleString('QUEUED');
        return EXECUTED;
      }
      if (server.changeWaits.holds(client, command, request)) return POSTPONED;
      this.call(client, command, request);
      this.observe(client, command, request);
      this.endCaching(client, command);
      return EXECUTED;
    }
    this.call(client, command, request);
    return EXECUTED;
  }

  /** Runs a command whose arguments are counted and which may run. */
  call(client: Client, command: RegisteredCommand, request: Arguments): void {
    const context = this.context ?? this.makeContext(client, command, request);
    const { reply, keyspace, propagation } = context;
    const { commandTimes: times } = this.server;
    const { dirty } = keyspace;
    const start = reply.position;
    const errors = reply.errorCount;
    context.arguments = request;
    context.client = client;
    context.command = command;
    context.database = client.database;
    keyspace.leavesAccess = client.isNoTouch;
    const depth = times.begin(command);
    try {
      command.handler(context);
    } catch (error) {
      // What was begun of the reply goes: the client gets one error instead.
      reply.position = start;
      propagation.commandFailed();
      if (error instanceof OutOfMemoryError) {
        reply.error(ERROR_OUT_OF_MEMORY);
      } else {
        this.server.log.error(
          { err: error, command: command.fullName },
          'command failed by a bug of the server',
        );
        reply.error('ERR internal error');
      }
    }
    if (client.unblock === undefined) {
      const microseconds = times.end(depth, reply.position - start > LARGE_REPLY_BYTES);
      if (microseconds >= this.slow.thresholdMicroseconds) {
        this.slow.note(client, command, request, microseconds);
      }
    } else {
      times.cancel(depth);
    }
    if (propagation.isActive) {
      propagation.commandRan(client.database, command, request, keyspace.dirty > dirty);
    }
    if (reply.errorCount !== errors) this.countError(command, errors);
  }

  /** What others want to know of a command that has run: MONITOR, and tracking of what was read. */
  observe(client: Client, command: RegisteredCommand, request: Arguments): void {
    const { monitors, tracking } = this.server;
    if (client.tracking !== undefined) tracking.remember(client, command, request);
    if (monitors.isActive && !command.has(FLAG_SKIP_MONITOR | FLAG_ADMIN)) {
      monitors.show(client, command, request);
    }
  }

  /** Begins a transaction of a client (MULTI). */
  beginTransaction(client: Client): void {
    client.transaction = this.spareTransaction ?? new Transaction();
    this.spareTransaction = undefined;
    client.restrictions |= RESTRICTED_IN_MULTI;
  }

  /** Runs the commands of a transaction that has ended, each with its own reply. */
  runTransaction(client: Client, transaction: Transaction): void {
    const { server, queuedRequest: request } = this;
    client.deniesBlocking = true;
    server.propagation.beginUnit();
    for (let i = 0; i < transaction.commands.length; i++) {
      const command = transaction.commands[i];
      transaction.read(i, request);
      const start = server.outbox.reply.position;
      const isSilent = client.replyMode === 'off';
      this.call(client, command, request);
      if (isSilent && client.replyMode === 'off') server.outbox.rewind(start);
      if ((client.restrictions | server.restrictions) !== 0) this.observe(client, command, request);
    }
    server.propagation.endUnit();
    client.deniesBlocking = false;
    if (!transaction.isSmall) return;
    transaction.clear();
    this.spareTransaction = transaction;
  }

  /** Counts the error that a command replied, if it did; `before` is how many there had been before it. */
  private countError(command: RegisteredCommand, before: number): void {
    const { reply } = this.server.outbox;
    // An error that a nested command replied is that command's.
    if (reply.errorCount === before || reply.errorCount === this.countedErrors) return;
    this.countedErrors = reply.errorCount;
    command.failedCalls++;
    this.server.errorStatistics.count(reply.lastError);
  }

  private makeContext(client: Client, command: RegisteredCommand, request: Arguments): CommandContext {
    this.context = new CommandContext(this.server, client, command, request);
    return this.context;
  }

  private reject(client: Client, command: RegisteredCommand | undefined, error: string): void {
    const { server } = this;
    if (client.transaction !== undefined) client.transaction.isAborted = true;
    if (command !== undefined) command.rejectedCalls++;
    this.endCaching(client, command);
    let shown = error;
    if (command?.fullName === 'exec') {
      endTransaction(server, client);
      shown = `EXECABORT Transaction discarded because of: ${error.replace(/^ERR /, '')}`;
    }
    server.outbox.reply.error(shown);
    server.errorStatistics.count(shown);
  }

  /** Gives up keys that are too many to be tracked, before a command; what the client hears of it comes first. */
  private limitTracking(): void {
    const { outbox, tracking } = this.server;
    tracking.limitTable();
    if (outbox.holdsMessages) outbox.releaseHeld();
  }

  /** What CLIENT CACHING said was about the next command, or transaction; others of CLIENT do not count. */
  private endCaching(client: Client, command: RegisteredCommand | undefined): void {
    if (client.tracking === undefined || client.transaction !== undefined) return;
    if (command?.parent?.fullName !== 'client') client.tracking.isCachingGiven = false;
  }

  /** Why a command may not run now: an error text, or ''. */
  private refusal(client: Client, command: RegisteredCommand): string {
    const { server } = this;
    if (command.has(FLAG_PROTECTED) && !server.allowsProtected(client, command)) {
      return protectedCommand(command);
    }
    if (!client.isAuthenticated && !command.has(FLAG_NO_AUTH)) return ERROR_NO_AUTH;
    if (client.transaction !== undefined && command.has(FLAG_NO_MULTI)) return ERROR_NO_MULTI;
    const flags = effectiveFlags(client, command);
    if (server.eviction.isOverLimit && !server.eviction.makeRoom()) {
      // What MULTI queues takes memory as well, whatever it is.
      const isQueued = client.transaction !== undefined && !RUNS_INSIDE_MULTI.has(command.fullName);
      if (isQueued || (flags & FLAG_DENYOOM) !== 0) return ERROR_OUT_OF_MEMORY;
    }
    // PING is refused too, so that whoever watches the server notices.
    if (server.writeRefusal !== '' && ((flags & FLAG_WRITE) !== 0 || command.fullName === 'ping')) {
      return server.writeRefusal;
    }
    if (server.lacksReplicas && (flags & FLAG_WRITE) !== 0) return ERROR_NO_REPLICAS;
    const isSubscribed = (client.restrictions & RESTRICTED_SUBSCRIBED) !== 0;
    if (isSubscribed && client.resp === 2 && !RUNS_WHILE_SUBSCRIBED.has(command.fullName)) {
      return notWhileSubscribed(command.fullName);
    }
    if (server.isLoading && (flags & FLAG_LOADING) === 0) return ERROR_LOADING;
    const isMonitor = (client.restrictions & RESTRICTED_MONITOR) !== 0;
    if (isMonitor && (flags & (FLAG_WRITE | FLAG_READONLY | FLAG_MAY_REPLICATE)) !== 0) return ERROR_MONITOR;
    return '';
  }

  /**
   * CLIENT REPLY OFF and SKIP: the reply is made and forgotten. A command that waits is still to have its reply.
   * @param before the mode when the command began: what comes before CLIENT REPLY in the same EXEC is replied
   */
  private suppressReply(client: Client, before: ReplyMode, start: number): void {
    if (client.unblock !== undefined) return;
    if (before !== 'on') this.server.outbox.rewind(start);
    if (client.replyMode === 'skip-next') client.replyMode = 'skip';
    else if (client.replyMode === 'skip') client.replyMode = 'on';
  }
}

/** The flags of a command; EXEC is what the commands are that wait for it. */
export function effectiveFlags(client: Client, command: RegisteredCommand): CommandFlagBits {
  const { transaction } = client;
  return transaction !== undefined && command.fullName === 'exec'
    ? command.flags | transaction.commandFlags
    : command.flags;
}

function unknownCommand(request: Arguments): string {
  const name = request.cString(0).slice(0, SHOWN_BYTES_MAX);
  let shown = '';
  for (let i = 1; i < request.count && shown.length < SHOWN_BYTES_MAX; i++) {
    shown += `'${request.cString(i).slice(0, SHOWN_BYTES_MAX - shown.length)}' `;
  }
  return `ERR unknown command '${name}', with args beginning with: ${shown}`;
}

function notWhileSubscribed(name: string): string {
  return (
    `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed ` +
    'in this context'
  );
}

function protectedCommand(command: RegisteredCommand): string {
  const name = (command.parent ?? command).entry.name;
  return (
    `ERR ${name.toUpperCase()} command not allowed. If the enable-${name}-command option is set to "local", ` +
    'you can run it from a local connection, otherwise you need to set this option in the configuration file, ' +
    'and then restart the server.'
  );
}
