import { randomBytes } from 'node:crypto';
import type { Configuration } from '../config/configuration.js';
import { Keyspace } from '../keyspace/keyspace.js';
import type { Memory } from '../memory/memory.js';
import type { ByteLength } from '../memory/reference.js';
import type { Connection } from '../network/connection.js';
import { CommandTimes } from '../observability/command-times.js';
import { ErrorStatistics } from '../observability/error-statistics.js';
import { EventLoopTimes } from '../observability/event-loop-times.js';
import type { Log } from '../observability/log.js';
import { MemorySamples } from '../observability/memory-samples.js';
import { Rates } from '../observability/rates.js';
import { Statistics } from '../observability/statistics.js';
import type { AppendOnlyFile } from '../persistence/aof/append-only-file.js';
import { DumpPayloads } from '../persistence/dump-payload.js';
import { Saving } from '../persistence/saving.js';
import { Snapshots } from '../persistence/snapshots.js';
import type { Arguments } from '../protocol/arguments.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import type { TimestampMs } from '../structures/deadlines.js';
import { Types } from '../types/types.js';
import { newAppendOnlyFile } from './append-only.js';
import { Blocking } from './blocking.js';
import { ChangeWaits } from './change-waits.js';
import {
  Client,
  type ClientOwner,
  RESTRICTED_MONITOR,
  RESTRICTED_SUBSCRIBED,
  RESTRICTED_UNAUTHENTICATED,
} from './client.js';
import { ClientEviction } from './client-eviction.js';
import { Clients } from './clients.js';
import { FLAG_FAST } from './command-flags.js';
import type { CommandTable } from './command-table.js';
import { followConfiguration } from './configuration-effects.js';
import { Cron } from './cron.js';
import { DataLoading } from './data-loading.js';
import { DebugSettings } from './debug-settings.js';
import { Dispatcher, effectiveFlags } from './dispatcher.js';
import { cannotAppend, ERROR_CANNOT_SAVE } from './errors.js';
import { Eviction } from './eviction.js';
import { Migrations } from './migrations.js';
import { Monitors } from './monitors.js';
import { Notifications } from './notifications.js';
import { Outbox } from './outbox.js';
import { OutputLimits } from './output-limits.js';
import { Pause } from './pause.js';
import { Propagation } from './propagation.js';
import { PubSub } from './pubsub.js';
import { QueryBuffers } from './query-buffers.js';
import type { RegisteredCommand } from './registered-command.js';
import { SlowCommands } from './slow-commands.js';
import { SyncWaits } from './sync-waits.js';
import { Tracking } from './tracking.js';
import { Turn } from './turn.js';
import { Watching } from './watching.js';

/** Bits of `Server.restrictions`: why commands of all clients may have to be refused or put off. */
export const RESTRICTED_PAUSED = 1;
export const RESTRICTED_WRITES = 2;
export const RESTRICTED_MONITORED = 4;
export const RESTRICTED_MEMORY = 8;
export const RESTRICTED_LOADING = 16;
export const RESTRICTED_SNAPSHOT = 32;
export const RESTRICTED_MIGRATION = 64;

/** What a server is put together from. */
export interface ServerParts {
  readonly configuration: Configuration;
  readonly commands: CommandTable;
  readonly log: Log;
  /** Off-heap memory, for tests that look into it; by default the server makes its own. */
  readonly memory?: Memory;
  /** The key of the hash function; random by default. */
  readonly seed?: readonly [low: number, high: number];
}

/** Whose end this server's process or owner is told of. */
export interface ShutdownRequest {
  readonly save: 'save' | 'nosave' | 'default';
  readonly now: boolean;
  readonly force: boolean;
}

/**
 * The server: its parts, and the clients that come and go. It knows nothing of sockets but `Connection`;
 * listening is the business of `Listeners`.
 */
export class Server implements ClientOwner {
  readonly configuration: Configuration;
  readonly log: Log;
  readonly commands: CommandTable;
  readonly keyspace: Keyspace;
  readonly types: Types;
  readonly dumpPayloads: DumpPayloads;
  readonly snapshots: Snapshots;
  readonly migrations: Migrations;
  readonly changeWaits: ChangeWaits;
  readonly saving: Saving;
  readonly appendOnlyFile: AppendOnlyFile;
  readonly syncWaits = new SyncWaits(this);
  readonly dataLoading = new DataLoading(this);
  readonly propagation: Propagation;
  readonly outputLimits = new OutputLimits((client) => this.closeForOutput(client));
  readonly outbox = new Outbox(this.outputLimits);
  readonly turn: Turn;
  readonly cron: Cron;
  readonly clients = new Clients();
  readonly dispatcher: Dispatcher;
  readonly queryBuffers: QueryBuffers;
  readonly pause: Pause;
  readonly eviction: Eviction;
  readonly clientEviction: ClientEviction;
  readonly blocking: Blocking;
  readonly watching: Watching;
  readonly pubsub = new PubSub(this.outbox);
  readonly notifications: Notifications;
  readonly tracking: Tracking;
  readonly monitors: Monitors;
  readonly slowCommands: SlowCommands;
  readonly errorStatistics = new ErrorStatistics((codes) => this.reportManyErrors(codes));
  readonly statistics = new Statistics();
  readonly commandTimes: CommandTimes;
  readonly loopTimes = new EventLoopTimes();
  readonly rates = new Rates();
  readonly memorySamples: MemorySamples;
  readonly debugSettings = new DebugSettings();
  /** 40 hexadecimal digits that are new each time the server starts. */
  readonly runId = randomBytes(20).toString('hex');
  readonly startedMs = Date.now();
  /** 40 hexadecimal digits that name the history of this data, for replicas: `master_replid`. */
  replicationId = randomBytes(20).toString('hex');
  /** Whether the data is being loaded, so that most commands are refused. */
  isLoading = false;

  /** RESTRICTED_ bits; 0 while every command may simply run. */
  restrictions = 0;
  /** Why write commands are refused at present, as an error reply; '' while they are not. */
  writeRefusal = '';
  /** Whether write commands are refused for want of replicas. */
  lacksReplicas = false;
  /** Ports and paths that the server listens on; filled by `Listeners`. */
  port = 0;
  /** Who looks after the process: `process_supervised`. */
  supervisor: 'no' | 'upstart' | 'systemd' = 'no';
  /** What SHUTDOWN and signals call; set by whoever owns the server. False when the server cannot end. */
  onShutdown: (request: ShutdownRequest) => boolean = () => true;
  /**
   * What is called when the server cannot keep what replies that wait say, so that it must end with none of them sent;
   * set by whoever owns the server.
   */
  onFatal: (reason: string) => void = (reason) => {
    throw new Error(reason);
  };
  /** What SHUTDOWN ABORT calls. False when no end is under way. */
  onShutdownAbort: () => boolean = () => false;

  constructor(parts: ServerParts) {
    const { configuration } = parts;
    this.configuration = configuration;
    this.log = parts.log;
    this.commands = parts.commands;
    this.keyspace = new Keyspace({
      databases: configuration.values.databases,
      nowMs: Date.now(),
      ...(parts.memory === undefined ? {} : { memory: parts.memory }),
      ...(parts.seed === undefined ? {} : { seed: parts.seed }),
    });
    this.types = new Types(this.keyspace);
    this.dumpPayloads = new DumpPayloads(this.types);
    this.snapshots = new Snapshots(this.keyspace);
    this.snapshots.onActive = (isActive) => this.restrict(RESTRICTED_SNAPSHOT, isActive);
    this.migrations = new Migrations(this.keyspace);
    this.migrations.onActive = (isActive) => this.restrict(RESTRICTED_MIGRATION, isActive);
    this.changeWaits = new ChangeWaits(this);
    this.saving = new Saving({
      configuration,
      types: this.types,
      keyspace: this.keyspace,
      snapshots: this.snapshots,
      log: this.log,
      onOutcome: () => this.refuseWrites(),
    });
    this.turn = new Turn(this.keyspace, this.outbox, {
      sent: (client) => this.checkOutput(client),
      postponed: (client) => {
        if (!this.changeWaits.has(client)) this.pause.add(client);
      },
      executed: () => {
        if (this.blocking.hasReady) this.blocking.serve();
      },
      resumed: (client) => this.queryBuffers.resume(client),
      opened: () => this.loopTimes.opened(this.commandTimes.calls),
      ended: () => {
        this.commandTimes.endPipeline();
        this.loopTimes.ended(this.commandTimes.calls);
        this.clientEviction.makeRoom();
        this.cron.arm();
      },
    });
    this.propagation = new Propagation(this.keyspace, configuration.values);
    this.turn.addCommitter(this.propagation);
    this.slowCommands = new SlowCommands(configuration);
    this.cron = new Cron(this.keyspace, this.turn, this.propagation, this.slowCommands.latencies);
    this.cron.addTask((nowMs) => {
      this.memorySamples.sample();
      this.sampleRates(nowMs);
      this.tracking.limitTable();
      this.outputLimits.checkQueued(nowMs);
      if (this.isLoading) return;
      this.appendOnlyFile.tick(nowMs);
      if (!this.appendOnlyFile.isRewriting) this.saving.tick(nowMs);
    });
    this.memorySamples = new MemorySamples(this.keyspace.memory);
    this.commandTimes = new CommandTimes(longRunning(this.commands.commands));
    this.appendOnlyFile = newAppendOnlyFile(this);
    this.turn.addCommitter(this.appendOnlyFile);
    this.dispatcher = new Dispatcher(this);
    this.queryBuffers = new QueryBuffers(this.dispatcher, this.turn);
    this.eviction = new Eviction(this.keyspace, this.slowCommands.latencies);
    this.cron.addTask(() => this.evict());
    this.cron.addTask((nowMs) => this.closeIdleClients(nowMs));
    this.blocking = new Blocking(this);
    this.watching = new Watching(this.keyspace);
    this.clientEviction = new ClientEviction(this.clients, this.watching, (client) =>
      this.evictClient(client),
    );
    this.notifications = new Notifications(this.keyspace, this.pubsub);
    this.tracking = new Tracking(this);
    this.monitors = new Monitors(configuration, this.outbox, (isActive) =>
      this.restrict(RESTRICTED_MONITORED, isActive),
    );
    this.pause = new Pause(
      (client) => this.turn.resumeLater(client),
      (isActive) => {
        this.keyspace.removesExpired = !isActive;
        this.cron.isExpiryPaused = isActive;
        if (isActive) this.restrictions |= RESTRICTED_PAUSED;
        else this.endPause();
      },
    );
    followConfiguration(this);
  }

  /** Takes a connection, unless there are too many or it may not come from where it does. */
  accept(connection: Connection): void {
    this.turn.open();
    this.statistics.connectionsReceived++;
    const refusal = this.connectionRefusal(connection);
    if (refusal !== '') {
      this.statistics.connectionsRejected++;
      const line = Buffer.from(`-${refusal}\r\n`, 'latin1');
      connection.send(line, 0, line.length);
      connection.end();
      return;
    }
    const client = new Client(
      this.clients.nextId(),
      connection,
      this.keyspace.databases[0],
      this,
      this.keyspace.nowMs,
    );
    if (this.configuration.values.requirepass !== '') client.restrictions |= RESTRICTED_UNAUTHENTICATED;
    connection.listener = client;
    connection.setKeepAlive(this.configuration.values['tcp-keepalive']);
    this.clients.add(client);
    if (this.clientEviction.isLimited) this.clientEviction.measure(client);
  }

  receive(client: Client, bytes: Uint8Array, length: ByteLength): void {
    this.turn.open();
    client.lastActiveMs = this.keyspace.nowMs;
    this.statistics.inputBytes += length;
    this.statistics.reads++;
    const isWithinLimit = this.queryBuffers.receive(client, bytes, length);
    if (this.clientEviction.isLimited) this.clientEviction.measure(client);
    if (isWithinLimit) return;
    this.statistics.queryBufferLimitDisconnections++;
    this.log.warn({ client: client.id }, 'Closing client that reached max query buffer length');
    client.connection.destroy();
  }

  inputEnded(): void {
    this.statistics.reads++;
  }

  drained(client: Client): void {
    this.outputLimits.drained(client);
    if (this.clientEviction.isLimited) this.clientEviction.measure(client);
  }

  disconnected(client: Client): void {
    this.blocking.forget(client);
    this.syncWaits.forget(client);
    this.watching.unwatch(client);
    this.pubsub.forget(client);
    this.tracking.disable(client);
    this.monitors.remove(client);
    this.outputLimits.drained(client);
    this.clients.remove(client);
    this.clientEviction.forget(client);
    this.pause.remove(client);
    this.changeWaits.remove(client);
    client.queryBuffer = new Uint8Array(0);
    client.queryLength = 0;
    client.decoder = undefined;
  }

  /** Goes on with a client whose requests had to wait, within a turn. */
  resume(client: Client): void {
    this.turn.open();
    this.queryBuffers.resume(client);
  }

  /**
   * Replies to a client when something outside of the turn is done. Until then its further requests wait.
   * @param reply resolves to what writes the reply; it must not reject
   */
  replyWhen(client: Client, reply: Promise<(writer: ReplyWriter) => void>): void {
    client.isPostponed = true;
    void reply.then((write) => {
      client.isPostponed = false;
      if (client.isClosed) return;
      this.replyTo(client, write);
      this.resume(client);
    });
  }

  /** Replies to a client outside of a command of its own. */
  replyTo(client: Client, write: (writer: ReplyWriter) => void): void {
    this.turn.open();
    const before = this.outbox.switchTo(client);
    write(this.outbox.reply);
    this.outbox.switchTo(before);
  }

  /** Runs a command for a client that waited, as if it had come now. */
  rerun(client: Client, command: RegisteredCommand, request: Arguments): void {
    this.turn.open();
    const before = this.outbox.switchTo(client);
    this.dispatcher.rerun(client, command, request);
    this.outbox.switchTo(before);
  }

  /** Replies to a client whose command waited in vain. */
  endWait(
    client: Client,
    command: RegisteredCommand,
    request: Arguments,
    write: (writer: ReplyWriter) => void,
  ): void {
    this.turn.open();
    const before = this.outbox.switchTo(client);
    this.dispatcher.endWait(client, command, request, write);
    this.outbox.switchTo(before);
    // Between turns no command runs whose time this could be taken for.
    if (before === undefined) this.dispatcher.endPipeline();
  }

  resumeLater(client: Client): void {
    this.turn.resumeLater(client);
  }

  /** Closes a client: at once, or when it has got the replies of this turn if it is the one that asks. */
  kill(client: Client, current: Client | undefined): void {
    if (client === current) this.turn.closeAfterReply(client);
    else client.connection.destroy();
  }

  /** Whether CLIENT PAUSE holds a command back. */
  isPausedFor(client: Client, command: RegisteredCommand): boolean {
    if (!this.pause.isActive || (client.restrictions & RESTRICTED_MONITOR) !== 0) return false;
    return this.pause.holds(effectiveFlags(client, command));
  }

  /** Whether the command of a blocked client cannot run now. */
  holdsBack(client: Client, command: RegisteredCommand, request: Arguments): boolean {
    return this.isPausedFor(client, command) || this.changeWaits.delaysServing(client, command, request);
  }

  /** Serves the blocked clients that were held back and need be no longer, at the end of the turn. */
  serveLater(): void {
    if (!this.blocking.hasHeld) return;
    this.turn.open();
    this.blocking.releaseHeld();
  }

  /** Whether a client may use a command that the configuration must enable (DEBUG, MODULE). */
  allowsProtected(client: Client, command: RegisteredCommand): boolean {
    const name = (command.parent ?? command).entry.name;
    const { values } = this.configuration;
    const setting = name === 'debug' ? values['enable-debug-command'] : values['enable-module-command'];
    return setting === 'yes' || (setting === 'local' && client.connection.isLoopback);
  }

  /** CONFIG RESETSTAT: sets all statistics back to zero. */
  resetStatistics(): void {
    this.statistics.reset();
    this.outbox.resetStatistics();
    this.errorStatistics.reset();
    this.commands.resetStatistics();
    this.commandTimes.reset();
    this.rates.reset();
    this.loopTimes.reset();
    this.cron.resetStatistics();
    this.keyspace.resetStatistics();
    this.clientEviction.evictedClients = 0;
    this.eviction.resetStatistics();
    this.snapshots.count = 0;
    this.saving.saveCount = 0;
    this.appendOnlyFile.resetStatistics();
  }

  /** Frees everything. Connections are closed at once. */
  stop(): void {
    this.saving.cancel();
    this.appendOnlyFile.end();
    this.appendOnlyFile.cancelRewrite();
    this.cron.stop();
    this.migrations.stop();
    this.pause.end();
    for (const client of [...this.clients]) client.connection.destroy();
  }

  /**
   * Refuses writes while the data cannot be saved, if that is wanted, while the append-only file cannot be written, and
   * while they must reach replicas, of which there are none.
   */
  refuseWrites(): void {
    const { values } = this.configuration;
    const { problem } = this.appendOnlyFile;
    const refuses = this.saving.hasFailed && values['stop-writes-on-bgsave-error'] && values.save.length > 0;
    this.writeRefusal = refuses ? ERROR_CANNOT_SAVE : problem === '' ? '' : cannotAppend(problem);
    this.lacksReplicas = values['min-replicas-to-write'] > 0 && values['min-replicas-max-lag'] > 0;
    if (this.writeRefusal !== '' || this.lacksReplicas) this.restrictions |= RESTRICTED_WRITES;
    else this.restrictions &= ~RESTRICTED_WRITES;
  }

  private restrict(bit: number, isRestricted: boolean): void {
    if (isRestricted) this.restrictions |= bit;
    else this.restrictions &= ~bit;
  }

  private endPause(): void {
    if ((this.restrictions & RESTRICTED_PAUSED) === 0) return;
    this.restrictions &= ~RESTRICTED_PAUSED;
    this.turn.open();
    this.blocking.releaseHeld();
  }

  private connectionRefusal(connection: Connection): string {
    const { values } = this.configuration;
    if (this.clients.count >= values.maxclients) return 'ERR max number of clients reached';
    const isOpenToAll = values.requirepass === '' && values['protected-mode'];
    return isOpenToAll && !connection.isLoopback ? PROTECTED_MODE_ERROR : '';
  }

  /** `timeout`: closes clients that have been silent for longer. Those that wait for something may be. */
  private closeIdleClients(nowMs: TimestampMs): void {
    const { timeout } = this.configuration.values;
    if (timeout === 0) return;
    for (const client of [...this.clients]) {
      const isExempt =
        client.isHeld || (client.restrictions & (RESTRICTED_SUBSCRIBED | RESTRICTED_MONITOR)) !== 0;
      if (isExempt || nowMs - client.lastActiveMs <= timeout * 1000) continue;
      this.log.debug({ client: client.id }, 'Closing idle client');
      client.connection.destroy();
    }
  }

  /** Puts `maxmemory` and what belongs to it into effect. */
  limitMemory(): void {
    this.eviction.configure(this.configuration.values);
    if (this.eviction.isLimited) this.restrictions |= RESTRICTED_MEMORY;
    else this.restrictions &= ~RESTRICTED_MEMORY;
    this.turn.open();
    this.evict();
  }

  /** Goes on with removing keys that no command asks for. */
  private evict(): void {
    if (this.eviction.isOverLimit && !this.isLoading) this.eviction.makeRoom();
    else this.eviction.noteExcess();
  }

  private sampleRates(nowMs: TimestampMs): void {
    this.rates.sample(nowMs, {
      commands: this.commandTimes.calls,
      inputBytes: this.statistics.inputBytes,
      outputBytes: this.outbox.sentBytes,
      cycles: this.loopTimes.cycles,
      cycleDurations: this.loopTimes.durationSum,
    });
  }

  private reportManyErrors(codes: readonly string[]): void {
    this.log.warn(
      'Errorstats stopped adding new errors because the number of errors reached the limit, may be misuse of lua ' +
        'error_reply, please check INFO ERRORSTATS, this can be re-enabled via CONFIG RESETSTAT.',
    );
    this.log.warn(`Current errors code list: ${codes.join(', ')}`);
  }

  private checkOutput(client: Client): void {
    client.lastActiveMs = this.keyspace.nowMs;
    if (client.connection.queuedBytes > 0) this.outputLimits.noteQueued(client, this.keyspace.nowMs);
    if (this.clientEviction.isLimited) this.clientEviction.measure(client);
  }

  private evictClient(client: Client): void {
    this.log.info({ client: client.id }, 'Evicting client');
    client.connection.destroy();
  }

  private closeForOutput(client: Client): void {
    this.statistics.outputBufferLimitDisconnections++;
    this.log.warn({ client: client.id }, 'Client closed for overcoming of output buffer limits.');
    client.connection.destroy();
  }
}

/** By command number, 1 for those that need not end in about the same time whatever the data. */
function longRunning(commands: readonly RegisteredCommand[]): Uint8Array {
  const all = commands.flatMap((command) => [command, ...command.subcommands]);
  const result = new Uint8Array(all.length);
  for (const { id, entry, flags } of all) {
    result[id] = (flags & FLAG_FAST) === 0 && entry.complexity !== 'O(1)' ? 1 : 0;
  }
  return result;
}

const PROTECTED_MODE_ERROR =
  'DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the ' +
  'default user. In this mode connections are only accepted from the loopback interface. If you want to connect ' +
  'from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode ' +
  "sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the " +
  'same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. ' +
  'Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by ' +
  "editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the " +
  'server. 3) If you started the server manually just for testing, restart it with the ' +
  "'--protected-mode no' option. 4) Set up an authentication password for the default user. NOTE: You only need to " +
  'do one of the above things in order for the server to start accepting connections from the outside.';
