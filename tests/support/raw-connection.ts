/**
 * A connection that shows replies as they are on the wire. Client libraries hide whether something came as a status or
 * as a bulk string, as an array, a set or a map; tests of the protocol want to know.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A reply. A bulk string is a string (latin1), an integer a number, an array an array; all others say what they are. */
export type RawReply =
  | string
  | number
  | readonly RawReply[]
  | { readonly status: string }
  | { readonly error: string }
  | { readonly set: readonly RawReply[] }
  | { readonly map: readonly (readonly [RawReply, RawReply])[] }
  | { readonly push: readonly RawReply[] }
  | { readonly verbatim: string }
  | { readonly other: string };

/** Whether a reply is an array (the standard `Array.isArray` does not tell the compiler so of read-only ones). */
export function isArrayReply(reply: RawReply): reply is readonly RawReply[] {
  return Array.isArray(reply);
}

/** RESP2's `$-1` and `*-1` and RESP3's `_`, as they are shown in `other`. */
export const NULL_BULK: RawReply = { other: '$-1' };
export const NULL_ARRAY: RawReply = { other: '*-1' };
export const NULL: RawReply = { other: '_' };

/** Sends commands one at a time and waits for the reply of each. */
export class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #isClosed = false;
  /** Called when something arrives or the connection ends. */
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Connects to a port of this machine or to a Unix socket. */
  static async open(address: number | string): Promise<RawConnection> {
    const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** Whether the other side has closed the connection, or `close` was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Waits until the other side closes the connection. */
  async closed(): Promise<void> {
    this.#socket.resume();
    if (!this.#isClosed) await once(this.#socket, 'close');
  }

  /** The reply to a command, whose arguments are latin1. Rejects when the connection ends before. */
  async call(...command: readonly string[]): Promise<RawReply> {
    this.send(command);
    return await this.next();
  }

  /** Sends commands in one go, without waiting for their replies: `next` has them. */
  send(...commands: readonly (readonly string[])[]): void {
    const requests = commands.map((command) => {
      const bulks = command.map((argument) => `$${argument.length}\r\n${argument}\r\n`);
      return `*${command.length}\r\n${bulks.join('')}`;
    });
    this.#socket.write(requests.join(''), 'latin1');
  }

  /** Sends bytes (latin1) that are no whole requests, or wrong ones. */
  sendText(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Reads nothing any more, so that replies pile up on the other side. */
  pause(): void {
    this.#socket.pause();
  }

  /** The next reply or message that comes. Rejects when the connection ends before. */
  async next(): Promise<RawReply> {
    for (;;) {
      const text = this.#received.toString('latin1');
      const parser = new ReplyParser(text);
      const reply = parser.reply();
      if (reply !== undefined) {
        this.#received = this.#received.subarray(parser.position);
        return reply;
      }
      if (this.#isClosed) throw new Error('the connection was closed before the reply');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }
}

/** Reads a reply from the beginning of a text; undefined means that more of it must arrive first. */
class ReplyParser {
  position = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reply(): RawReply | undefined {
    const line = this.#line();
    if (line === undefined) return undefined;
    const rest = line.slice(1);
    const length = Number(rest);
    switch (line[0]) {
      case '+':
        return { status: rest };
      case '-':
        return { error: rest };
      case ':':
        return length;
      case '$':
        return length === -1 ? { other: line } : this.#bytes(length);
      case '=': {
        const text = this.#bytes(length);
        return text === undefined ? undefined : { verbatim: text };
      }
      case '*':
        return length === -1 ? { other: line } : this.#replies(length);
      case '~':
        return mapDefined(this.#replies(length), (set) => ({ set }));
      case '>':
        return mapDefined(this.#replies(length), (push) => ({ push }));
      case '%':
        return mapDefined(this.#replies(length * 2), (flat) => ({ map: pairs(flat) }));
      default:
        return { other: line };
    }
  }

  #line(): string | undefined {
    const end = this.#text.indexOf('\r\n', this.position);
    if (end === -1) return undefined;
    const line = this.#text.slice(this.position, end);
    this.position = end + 2;
    return line;
  }

  #bytes(length: number): string | undefined {
    const end = this.position + length;
    if (this.#text.length < end + 2) return undefined;
    const bytes = this.#text.slice(this.position, end);
    this.position = end + 2;
    return bytes;
  }

  #replies(count: number): RawReply[] | undefined {
    const replies: RawReply[] = [];
    for (let i = 0; i < count; i++) {
      const reply = this.reply();
      if (reply === undefined) return undefined;
      replies.push(reply);
    }
    return replies;
  }
}

function mapDefined<T, U>(value: T | undefined, change: (value: T) => U): U | undefined {
  return value === undefined ? undefined : change(value);
}

function pairs(flat: readonly RawReply[]): [RawReply, RawReply][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
}
