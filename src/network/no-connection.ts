import type { Connection, ConnectionListener } from './connection.js';

/** The connection of a client that has none: nothing comes in, and what is sent goes nowhere. */
export class NoConnection implements Connection {
  listener: ConnectionListener | undefined;
  readonly fd = -1;
  readonly remoteAddress: string = '';
  readonly localAddress: string = '';
  readonly isUnixSocket = false;
  readonly isLoopback = true;
  readonly queuedBytes = 0;
  send(_bytes: Uint8Array, _offset: number, _length: number): void {}
  pause(): void {}
  resume(): void {}
  readInto(_bytes: Uint8Array | undefined): boolean {
    return false;
  }
  setKeepAlive(): void {}
  end(): void {}
  destroy(): void {}
}
