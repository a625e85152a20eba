import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../../src/index.js';
import type { ByteLength } from '../../../src/memory/reference.js';
import { NoConnection } from '../../../src/network/no-connection.js';
import { InMemoryClient } from '../../support/in-memory-client.js';

/** A connection that reads in pieces, straight into the place that it is given, as those on sockets do. */
class ReadingConnection extends NoConnection {
  received = '';
  private readonly ownBuffer = new Uint8Array(16 * 1024);
  private target: Uint8Array = this.ownBuffer;
  private isInRead = false;

  /** Brings some bytes of a text. Returns the rest of it. */
  read(text: string, length: ByteLength): string {
    const piece = Buffer.from(text.slice(0, Math.min(length, this.target.length)), 'latin1');
    this.target.set(piece);
    this.isInRead = true;
    this.listener?.received(this.target, piece.length);
    this.isInRead = false;
    return text.slice(piece.length);
  }

  override readInto(bytes: Uint8Array | undefined): boolean {
    if (!this.isInRead) return false;
    this.target = bytes ?? this.ownBuffer;
    return true;
  }

  override send(bytes: Uint8Array, offset: number, length: ByteLength): void {
    this.received += Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
  }

  override destroy(): void {
    this.listener?.closed();
  }
}

let respite: RespiteServer;

beforeEach(async () => {
  respite = await createServer();
});

afterEach(async () => {
  await respite.close();
});

function encoded(...command: readonly string[]): string {
  const bulks = command.map((argument) => `$${argument.length}\r\n${argument}\r\n`);
  return `*${command.length}\r\n${bulks.join('')}`;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a long argument stays whole when its client was served in the turn in which it begins', async () => {
  const connection = new ReadingConnection();
  respite.server.accept(connection);
  const other = InMemoryClient.enter(respite.server);
  connection.read(encoded('BLPOP', 'list', '0'), 1000);
  await turn();
  other.command('RPUSH', 'list', 'element');
  // Served, and to be resumed at the end of the turn; but more arrives before.
  const value = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(4, '0')).join('');
  let rest = encoded('MSET', 'key', value, 'other', 'x') + encoded('STRLEN', 'key');
  rest = connection.read(rest, 1000);
  await turn();
  while (rest !== '') {
    rest = connection.read(rest, 14_000);
    await turn();
  }
  await turn();
  expect(connection.received).toBe('*2\r\n$4\r\nlist\r\n$7\r\nelement\r\n+OK\r\n:40000\r\n');
  other.command('GET', 'key');
  await turn();
  expect(other.received).toBe(`:1\r\n$40000\r\n${value}\r\n`);
});
