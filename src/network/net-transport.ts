import { chmodSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Connection, ListenAddress, Listener, Transport } from './connection.js';
import { type Endpoints, endpointsOf } from './endpoints.js';
import { EpollConnection, EpollResources } from './epoll/epoll-connection.js';
import { eventPoll } from './epoll/event-poll.js';
import { LibuvConnection, LibuvResources } from './libuv-connection.js';
import { type StreamHandle, streamBinding } from './stream-binding.js';
import { StreamConnection } from './stream-connection.js';

/**
 * What one read may bring, and so how much of one client's work comes before another's (Redis reads as much). All
 * connections share one buffer of this size, as requests are executed at once.
 */
const READ_BYTES = 16 * 1024;

/** How connections are read and written: by our own epoll, by libuv, or by the streams of `node:net`. */
export type ConnectionKind = 'epoll' | 'libuv' | 'streams';

/** Makes a connection of an accepted handle. */
type ConnectionMaker = (handle: StreamHandle, endpoints: Endpoints) => Connection;

/**
 * TCP and unix sockets. Node listens and accepts; what reads and writes the connections is the fastest that there is
 * here: see `makerOf`.
 */
export class NetTransport implements Transport {
  private readonly connect: ConnectionMaker;

  /** @param fastest the fastest kind that may be used; the next one where that is not to be had */
  constructor(fastest: ConnectionKind = 'epoll') {
    this.connect = makerOf(fastest);
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
    return this.connect(handle, endpoints);
  }
}

/**
 * The best way to read and write connections up to `fastest`. Server CPU of a PING without pipelining, 50 clients: 2.4 µs
 * by our own epoll and 2.8 by libuv, where redis-server takes 2.3 (November 2026, Node 20).
 */
function makerOf(fastest: ConnectionKind): ConnectionMaker {
  const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const binding = fastest === 'streams' ? undefined : streamBinding();
  if (binding === undefined) {
    return (handle, endpoints) => new StreamConnection(handle, endpoints, readBuffer);
  }
  const poll = fastest === 'epoll' ? eventPoll() : null;
  if (poll === null) {
    const resources = new LibuvResources(binding, readBuffer);
    return (handle, endpoints) => new LibuvConnection(handle, endpoints, resources);
  }
  const resources = new EpollResources(binding, poll, readBuffer);
  return (handle, endpoints) => new EpollConnection(handle, endpoints, resources);
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
