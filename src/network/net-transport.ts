import { chmodSync, unlinkSync, writeSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Connection, ConnectionListener, ListenAddress, Listener, Transport } from './connection.js';

/** What one read may bring. All connections share one buffer of this size, as requests are executed at once. */
const READ_BYTES = 64 * 1024;

/** The part of Node's stream handle that is used here, where it exists. */
interface StreamHandle {
  readonly fd?: number;
  useUserBuffer?(buffer: Uint8Array): void;
}

/**
 * TCP and unix sockets through `node:net`: the portable transport.
 *
 * Two measured departures from plain streams (2 cores, 50 clients, PING): reading into one shared buffer by
 * the `onread` option, and writing with `fs.writeSync` where the handle has a file descriptor, together take
 * 4.9 µs of CPU a command instead of 6.2. A stream's queue only comes into play when the system takes no more.
 */
export class NetTransport implements Transport {
  private readonly readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

  async listen(address: ListenAddress, accept: (connection: Connection) => void): Promise<Listener> {
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      const path = 'path' in address ? address.path : '';
      const connection = NetConnection.over(socket, this.readBuffer, path);
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

class NetConnection implements Connection {
  listener: ConnectionListener | undefined;
  readonly fd: number;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly isUnixSocket: boolean;
  readonly isLoopback: boolean;

  private readonly socket: Socket;
  private readonly handle: StreamHandle;
  private readonly sharedBuffer: Uint8Array;
  private isClosed = false;

  /** Takes the accepted socket's handle over into a socket that reads into the shared buffer. */
  static over(accepted: Socket, readBuffer: Uint8Array, path: string): NetConnection | undefined {
    const holder = accepted as unknown as { _handle: StreamHandle | null };
    const handle = holder._handle;
    if (handle === null) return undefined; // reset by the other side before it was accepted
    return new NetConnection(accepted, handle, readBuffer, path);
  }

  private constructor(accepted: Socket, handle: StreamHandle, readBuffer: Uint8Array, path: string) {
    this.handle = handle;
    this.sharedBuffer = readBuffer;
    this.fd = process.platform === 'win32' ? -1 : (handle.fd ?? -1);
    const { remoteAddress, localAddress } = accepted;
    this.isUnixSocket = path !== '';
    this.remoteAddress = this.isUnixSocket ? `${path}:0` : formatAddress(remoteAddress, accepted.remotePort);
    this.localAddress = this.isUnixSocket ? `${path}:0` : formatAddress(localAddress, accepted.localPort);
    this.isLoopback = this.isUnixSocket || isLoopbackAddress(remoteAddress ?? '');
    (accepted as unknown as { _handle: StreamHandle | null })._handle = null;
    const options = {
      handle,
      onread: {
        buffer: readBuffer,
        callback: (length: number, bytes: Uint8Array) => {
          this.listener?.received(bytes, length);
          return true;
        },
      },
    };
    this.socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
    this.socket.on('error', () => {}); // 'close' follows, and says what there is to say
    this.socket.on('end', () => this.destroy());
    this.socket.on('drain', () => this.listener?.drained());
    this.socket.on('close', () => this.finish());
  }

  get queuedBytes(): ByteLength {
    return this.socket.writableLength;
  }

  send(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    if (this.isClosed || this.socket.destroyed) return;
    let sent = 0;
    if (this.fd >= 0 && this.socket.writableLength === 0) {
      sent = this.trySend(bytes, offset, length);
      if (sent === length) return;
    }
    // The stream keeps what it is given, and `bytes` is about to be used again.
    this.socket.write(Uint8Array.prototype.slice.call(bytes, offset + sent, offset + length));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  readInto(bytes: Uint8Array | undefined): boolean {
    if (this.handle.useUserBuffer === undefined) return false;
    const target = bytes ?? this.sharedBuffer;
    const fields = this.socket as unknown as Record<symbol, unknown>;
    const field = bufferField(this.socket);
    if (field === undefined) return false;
    fields[field] = target;
    this.handle.useUserBuffer(target);
    return true;
  }

  setKeepAlive(seconds: number): void {
    if (!this.isUnixSocket) this.socket.setKeepAlive(seconds > 0, seconds * 1000);
  }

  end(): void {
    if (this.isClosed) return;
    if (this.socket.writableLength === 0) this.destroy();
    else this.socket.end(() => this.destroy());
  }

  destroy(): void {
    this.socket.destroy();
    this.finish();
  }

  private finish(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.listener?.closed();
  }

  /** Writes to the file descriptor at once. Returns how many bytes the system took. */
  private trySend(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): ByteLength {
    try {
      return writeSync(this.fd, bytes, offset, length);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN' && code !== 'EWOULDBLOCK') this.socket.destroy();
      return code === 'EAGAIN' || code === 'EWOULDBLOCK' ? 0 : length;
    }
  }
}

/** The property in which Node's socket keeps the buffer of its `onread` option; found once. */
let bufferSymbol: symbol | undefined;

function bufferField(socket: Socket): symbol | undefined {
  bufferSymbol ??= Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'kBuffer');
  return bufferSymbol;
}

function formatAddress(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return ':0';
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

function removeStaleSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
