import { chmodSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Connection, ListenAddress, Listener, Transport } from './connection.js';
import { endpointsOf } from './endpoints.js';
import { HandleConnection, HandleResources } from './handle-connection.js';
import { type StreamHandle, streamBinding } from './stream-binding.js';
import { StreamConnection } from './stream-connection.js';

/**
 * What one read may bring, and so how much of one client's work comes before another's (Redis reads as much). All
 * connections share one buffer of this size, as requests are executed at once.
 */
const READ_BYTES = 16 * 1024;

/** How a transport works. */
export interface NetTransportOptions {
  /** Uses the streams of `node:net`, even where their handles could be used alone. */
  readonly usesStreams?: boolean;
}

/** TCP and unix sockets through `node:net`: the portable transport. */
export class NetTransport implements Transport {
  private readonly readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  private readonly resources: HandleResources | undefined;

  constructor(options: NetTransportOptions = {}) {
    const binding = options.usesStreams === true ? undefined : streamBinding();
    if (binding !== undefined) this.resources = new HandleResources(binding, this.readBuffer);
  }

  async listen(address: ListenAddress, accept: (connection: Connection) => void): Promise<Listener> {
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      const connection = this.connectionOver(socket, 'path' in address ? address.path : '');
      if (connection === undefined) return;
      accept(connection);
      connection.resume();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const listening = () => {
        server.removeListener('error', reject);
        resolve();
      };
      if ('path' in address) {
        removeStaleSocket(address.path);
        server.listen({ path: address.path, backlog: address.backlog }, listening);
      } else {
        // '::' must not take IPv4's part of the port as well, which '0.0.0.0' may want beside it.
        const { host, port, backlog } = address;
        server.listen({ host, port, backlog, ipv6Only: true }, listening);
      }
    });
    // Running out of file descriptors refuses one connection; it must not end the process.
    server.on('error', () => {});
    if ('path' in address && address.permissions !== 0) chmodSync(address.path, address.permissions);
    return new NetListener(server);
  }

  /** Takes the accepted socket's handle over into a connection; undefined when it was reset before. */
  private connectionOver(accepted: Socket, path: string): Connection | undefined {
    const holder = accepted as unknown as { _handle: StreamHandle | null };
    const handle = holder._handle;
    if (handle === null) return undefined;
    const endpoints = endpointsOf(accepted, path);
    holder._handle = null;
    return this.resources === undefined
      ? new StreamConnection(handle, endpoints, this.readBuffer)
      : new HandleConnection(handle, endpoints, this.resources);
  }
}

class NetListener implements Listener {
  readonly port: number;
  private readonly server: Server;

  constructor(server: Server) {
    this.server = server;
    const address = server.address();
    this.port = address !== null && typeof address === 'object' ? address.port : 0;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      // The callback waits for connections as well; no longer listening is enough.
      this.server.close();
      this.server.unref();
      resolve();
    });
  }
}

function removeStaleSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
