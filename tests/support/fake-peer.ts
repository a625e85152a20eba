import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Somebody who takes connections, says what a test wants, and is no server: for those who speak with other servers. */
export interface FakePeer {
  readonly port: number;
  /** Ends it, and its connections. */
  stop(): void;
}

/** Takes connections at a free port of loopback, and hands each to `onSocket`. */
export async function startFakePeer(onSocket: (socket: Socket) => void): Promise<FakePeer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
