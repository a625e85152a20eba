import type { Socket } from 'node:net';

/** Who is connected with whom, as `Connection` tells it. */
export interface Endpoints {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly isUnixSocket: boolean;
  readonly isLoopback: boolean;
}

/** The endpoints of a socket, which came in by the unix socket `path` unless that is ''. */
export function endpointsOf(socket: Socket, path: string): Endpoints {
  const { remoteAddress, localAddress } = socket;
  if (path !== '') {
    return { remoteAddress: `${path}:0`, localAddress: `${path}:0`, isUnixSocket: true, isLoopback: true };
  }
  return {
    remoteAddress: formatAddress(remoteAddress, socket.remotePort),
    localAddress: formatAddress(localAddress, socket.localPort),
    isUnixSocket: false,
    isLoopback: isLoopbackAddress(remoteAddress ?? ''),
  };
}

function formatAddress(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return ':0';
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
