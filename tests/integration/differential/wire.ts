/** Commands and replies as bytes: what the differential test sends, and what it compares. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What a command is made of; text stands for its UTF-8 bytes. */
export type Argument = string | number | Buffer;

/** A reply taken apart, for comparisons that are looser than byte for byte. */
export type Reply =
  | { readonly kind: '+' | '-' | ':' | '$' | '_' | '#' | ',' | '(' | '='; readonly text: string }
  | { readonly kind: '*' | '%' | '~' | '>'; readonly items: readonly Reply[] };

/** A connection on which many commands can be under way. Replies are the bytes that came, one buffer each. */
export class Wire {
  readonly #socket: Socket;
  /** Bytes that came and are not a whole reply yet. */
  #pending: Buffer<ArrayBuffer> = Buffer.alloc(0);
  readonly #waiting: ((reply: Buffer) => void)[] = [];
  #fail: (error: Error) => void = () => {};
  readonly #failure: Promise<never>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failure.catch(() => {});
    socket.on('data', (chunk) => this.#receive(Buffer.from(chunk)));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Connects to a port of this machine or to a Unix socket. */
  static async open(address: number | string): Promise<Wire> {
    const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address);
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** Sends commands in one go; their replies, in order. Rejects when the connection ends before. */
  async send(commands: readonly (readonly Argument[])[]): Promise<Buffer[]> {
    const replies = commands.map(() => new Promise<Buffer>((resolve) => this.#waiting.push(resolve)));
    this.#socket.write(Buffer.concat(commands.map(encodeCommand)));
    return await Promise.race([Promise.all(replies), this.#failure]);
  }

  async close(): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }

  #receive(chunk: Buffer<ArrayBuffer>): void {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let start = 0;
    for (;;) {
      const end = endOfReply(bytes, start);
      if (end < 0) break;
      this.#waiting.shift()?.(Buffer.from(bytes.subarray(start, end)));
      start = end;
    }
    this.#pending = bytes.subarray(start);
  }
}

/** The bytes of an argument. */
export function bytesOf(argument: Argument): Buffer {
  return Buffer.isBuffer(argument) ? argument : Buffer.from(String(argument));
}

/** An argument or reply as redis-cli would show it, shortened in the middle when it is long. */
export function printable(bytes: Buffer): string {
  const shown = bytes.length > 200 ? Buffer.concat([bytes.subarray(0, 100), bytes.subarray(-50)]) : bytes;
  const text = shown
    .toString('latin1')
    .replace(/["\\]/g, '\\$&')
    .replace(/\r/g, '\\r')
    .replace(/\n/g, '\\n')
    .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return bytes.length > 200
    ? `"${text.slice(0, 100)}…${text.slice(-50)}" (${bytes.length} bytes)`
    : /^[!#-~]+$/.test(text)
      ? text
      : `"${text}"`;
}

/** Takes a reply apart. */
export function parseReply(bytes: Buffer): Reply {
  return parseAt(bytes, 0)[0];
}

/** A command as it is sent. */
export function encodeCommand(args: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = bytesOf(arg);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

const CRLF = Buffer.from('\r\n');

/** Where the reply ends that starts at `start`, or -1 when more of it must come. */
export function endOfReply(bytes: Buffer, start: number): number {
  const lineEnd = bytes.indexOf(CRLF, start);
  if (lineEnd < 0) return -1;
  const kind = String.fromCharCode(bytes[start]);
  const next = lineEnd + 2;
  if ('$=!'.includes(kind)) {
    const length = lengthIn(bytes, start, lineEnd);
    if (length < 0) return next;
    return next + length + 2 <= bytes.length ? next + length + 2 : -1;
  }
  if (!'*%~>'.includes(kind)) return next;
  let end = next;
  for (let left = childrenIn(bytes, start, lineEnd); left > 0; left--) {
    end = endOfReply(bytes, end);
    if (end < 0) return -1;
  }
  return end;
}

function parseAt(bytes: Buffer, start: number): [Reply, end: number] {
  const lineEnd = bytes.indexOf(CRLF, start);
  const kind = String.fromCharCode(bytes[start]);
  if ('*%~>'.includes(kind)) {
    const items: Reply[] = [];
    let end = lineEnd + 2;
    for (let left = childrenIn(bytes, start, lineEnd); left > 0; left--) {
      const [item, next] = parseAt(bytes, end);
      items.push(item);
      end = next;
    }
    if (lengthIn(bytes, start, lineEnd) < 0) return [{ kind: '_', text: '' }, end];
    return [{ kind: kind as '*', items }, end];
  }
  if (!'$='.includes(kind)) {
    return [{ kind: kind as '+', text: bytes.toString('latin1', start + 1, lineEnd) }, lineEnd + 2];
  }
  const length = lengthIn(bytes, start, lineEnd);
  if (length < 0) return [{ kind: '_', text: '' }, lineEnd + 2];
  const end = lineEnd + 2 + length;
  return [{ kind: kind as '$', text: bytes.toString('latin1', lineEnd + 2, end) }, end + 2];
}

function lengthIn(bytes: Buffer, start: number, lineEnd: number): number {
  return Number(bytes.toString('latin1', start + 1, lineEnd));
}

function childrenIn(bytes: Buffer, start: number, lineEnd: number): number {
  const length = lengthIn(bytes, start, lineEnd);
  return bytes[start] === 0x25 ? length * 2 : length;
}
