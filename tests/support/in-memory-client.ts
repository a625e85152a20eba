import type { ByteLength, ByteOffset } from '../../src/memory/reference.js';
import { NoConnection } from '../../src/network/no-connection.js';
import { Client } from '../../src/server/client.js';
import type { Server } from '../../src/server/server.js';

/** A client of a server in this process, without a socket: thousands of them cost little, and nothing is left to chance. */
export class InMemoryClient extends NoConnection {
  /** The client's number: CLIENT ID. */
  readonly id: number;
  /** All that it was sent (latin1). */
  received = '';
  override readonly remoteAddress = '127.0.0.1:1';
  override readonly localAddress = '127.0.0.1:2';

  private constructor(server: Server) {
    super();
    server.accept(this);
    if (!(this.listener instanceof Client)) throw new Error('the server did not accept the client');
    this.id = this.listener.id;
  }

  /** Connects to a server. */
  static enter(server: Server): InMemoryClient {
    return new InMemoryClient(server);
  }

  /** Sends a command, which is executed at once; its reply comes at the end of the turn. */
  command(...command: readonly string[]): void {
    const bulks = command.map((argument) => `$${argument.length}\r\n${argument}\r\n`);
    const bytes = Buffer.from(`*${command.length}\r\n${bulks.join('')}`, 'latin1');
    this.listener?.received(bytes, bytes.length);
  }

  /** Waits for the end of the turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Closes the connection. */
  leave(): void {
    this.destroy();
  }

  override send(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.received += Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
  }

  override end(): void {
    this.destroy();
  }

  override destroy(): void {
    const { listener } = this;
    this.listener = undefined;
    listener?.closed();
  }
}
