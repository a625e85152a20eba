import type { ByteLength, ByteOffset } from '../memory/reference.js';

/** Hears of what happens on a connection. The server's client is one. */
export interface ConnectionListener {
  /** `length` bytes came in, at the start of `bytes`, which the transport uses again after this returns. */
  received(bytes: Uint8Array, length: ByteLength): void;
  /** A read found that nothing more comes in: the other side has sent its last, or is gone. `closed` follows. */
  inputEnded(): void;
  /** Everything that was queued has been handed to the system. */
  drained(): void;
  /** The connection is gone. Called once, whoever closed it. */
  closed(): void;
}

/**
 * A connection of any transport: TCP or unix socket, however it is read and written. What is above knows no more.
 */
export interface Connection {
  listener: ConnectionListener | undefined;
  /** A file descriptor, for CLIENT LIST; −1 where there is none. */
  readonly fd: number;
  /** `address:port`, or `path:0` of a unix socket. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly isUnixSocket: boolean;
  /** Whether the other end is on this machine, for protected mode. */
  readonly isLoopback: boolean;
  /** Bytes that were sent here and the system has not taken yet. */
  readonly queuedBytes: ByteLength;
  /** Sends bytes now as far as the system takes them; copies and queues the rest. They may be reused after. */
  send(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void;
  /** Stops reading, so that the sender is held up. */
  pause(): void;
  resume(): void;
  /**
   * Reads what comes next straight into `bytes`, for an argument too large to be copied twice; undefined goes
   * back to the transport's own buffer. Only while `received` is called: else, and where the transport cannot,
   * it returns false and nothing changes.
   */
  readInto(bytes: Uint8Array | undefined): boolean;
  /** TCP keep-alive probes after `seconds` of silence; 0: none. */
  setKeepAlive(seconds: number): void;
  /** Closes after what is queued is sent. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

/** Where a transport listens. */
export type ListenAddress =
  | { readonly host: string; readonly port: number; readonly backlog: number }
  | { readonly path: string; readonly permissions: number; readonly backlog: number };

/** A listening socket. */
export interface Listener {
  /** The port that was bound, also when 0 was asked for; 0 of a unix socket. */
  readonly port: number;
  /** Stops listening. Connections stay. */
  close(): Promise<void>;
}

/** A way to take connections. */
export interface Transport {
  /** @throws the system's error (EADDRINUSE, EACCES, …) when it cannot listen there. */
  listen(address: ListenAddress, accept: (connection: Connection) => void): Promise<Listener>;
}
