import type { Connection, Listener, Transport } from '../network/connection.js';
import type { Server } from './server.js';

/** Thrown when no address could be listened on; the message is Redis's. */
export class ListenError extends Error {
  override name = 'ListenError';
}

/** The sockets that a server listens on, as its configuration says: bind, port, unixsocket. */
export class Listeners {
  private readonly server: Server;
  private readonly transport: Transport;
  private tcp: Listener[] = [];
  private unix: Listener | undefined;
  private readonly accept: (connection: Connection) => void;

  private choosesPort: boolean;

  /** @param choosesPort whether port 0 means any free port, as in a library, or no TCP at all, as in redis.conf */
  constructor(server: Server, transport: Transport, choosesPort: boolean) {
    this.server = server;
    this.transport = transport;
    this.choosesPort = choosesPort;
    this.accept = (connection) => server.accept(connection);
    server.configuration.onChange('port', () => this.reopenTcp(ERROR_PORT));
    server.configuration.onChange('bind', () => this.reopenTcp(ERROR_BIND));
  }

  /** Opens all of them. @throws ListenError */
  async open(): Promise<void> {
    await this.openTcp();
    const { values } = this.server.configuration;
    if (values.unixsocket === '') return;
    try {
      this.unix = await this.transport.listen(
        {
          path: values.unixsocket,
          permissions: values.unixsocketperm,
          backlog: values['tcp-backlog'],
        },
        this.accept,
      );
    } catch (error) {
      throw new ListenError(`Failed opening Unix socket: bind: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    const open = this.unix === undefined ? this.tcp : [...this.tcp, this.unix];
    this.tcp = [];
    this.unix = undefined;
    await Promise.all(open.map((listener) => listener.close()));
  }

  private async openTcp(): Promise<void> {
    const { values } = this.server.configuration;
    const { log } = this.server;
    let { port } = values;
    if (values.bind.length === 0 || (port === 0 && !this.choosesPort)) {
      this.server.port = 0;
      return;
    }
    const opened: Listener[] = [];
    for (const name of values.bind) {
      const isOptional = name.startsWith('-');
      const address = isOptional ? name.slice(1) : name;
      const host = address === '*' ? '0.0.0.0' : address === '::*' ? '::' : address;
      try {
        const listener = await this.transport.listen(
          { host, port, backlog: values['tcp-backlog'] },
          this.accept,
        );
        opened.push(listener);
        port = listener.port; // one port for all addresses, also when the first was free to choose
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (isOptional && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) continue;
        log.warn(
          `Warning: Could not create server TCP listening socket ${address}:${port}: ${(error as Error).message}`,
        );
        await closeAll(opened);
        throw new ListenError(`Failed listening on port ${port} (tcp), aborting.`, { cause: error });
      }
    }
    this.tcp = opened;
    this.server.port = port;
    this.choosesPort = false; // from now on, port 0 is what CONFIG SET says to close them
  }

  /** CONFIG SET port or bind: opens the new addresses before the old ones are given up. */
  private async reopenTcp(problem: string): Promise<string | undefined> {
    const before = this.tcp;
    if (this.server.port === this.server.configuration.values.port) await closeAll(before);
    this.tcp = [];
    try {
      await this.openTcp();
    } catch {
      this.tcp = before;
      return problem;
    }
    await closeAll(before);
    return undefined;
  }
}

const ERROR_PORT = 'Unable to listen on this port. Check server logs.';
const ERROR_BIND = 'Failed to bind to specified addresses.';

async function closeAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}
