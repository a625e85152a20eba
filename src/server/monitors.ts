import type { Configuration } from '../config/configuration.js';
import type { Arguments } from '../protocol/arguments.js';
import { quoteArgument } from '../protocol/inline.js';
import { type Client, RESTRICTED_MONITOR } from './client.js';
import type { Outbox } from './outbox.js';
import type { RegisteredCommand } from './registered-command.js';
import { REDACTED, secretArguments } from './secret-arguments.js';

/**
 * MONITOR: clients that are shown every command that any client runs, a line each.
 *
 *     +1700000000.123456 [0 127.0.0.1:50000] "set" "key" "value"
 */
export class Monitors {
  private readonly configuration: Configuration;
  private readonly outbox: Outbox;
  private readonly clients = new Set<Client>();
  private readonly activeChanged: (isActive: boolean) => void;

  /** @param activeChanged is told when the first monitor comes, and when the last is gone */
  constructor(configuration: Configuration, outbox: Outbox, activeChanged: (isActive: boolean) => void) {
    this.configuration = configuration;
    this.outbox = outbox;
    this.activeChanged = activeChanged;
  }

  /** Whether somebody watches. */
  get isActive(): boolean {
    return this.clients.size > 0;
  }

  add(client: Client): void {
    this.clients.add(client);
    client.restrictions |= RESTRICTED_MONITOR;
    this.activeChanged(true);
  }

  remove(client: Client): void {
    if (!this.clients.delete(client)) return;
    client.restrictions &= ~RESTRICTED_MONITOR;
    this.activeChanged(this.isActive);
  }

  /** Shows a command of `client`. */
  show(client: Client, command: RegisteredCommand, request: Arguments): void {
    const { connection, database } = client;
    const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1000);
    const seconds = Math.floor(microseconds / 1e6);
    const fraction = String(microseconds % 1e6).padStart(6, '0');
    const path = connection.localAddress.slice(0, -2); // without the `:0` of a unix socket
    const source = connection.isUnixSocket ? `unix:${path}` : connection.remoteAddress;
    const secrets = secretArguments(command, request, this.configuration);
    const words: string[] = [];
    for (let i = 0; i < request.count; i++) {
      words.push(quoteArgument(secrets.includes(i) ? Buffer.from(REDACTED) : request.copy(i)));
    }
    const line = `${seconds}.${fraction} [${database.index} ${source}] ${words.join(' ')}`;
    this.outbox.broadcast(this.clients, (reply) => reply.simpleString(line));
  }
}
