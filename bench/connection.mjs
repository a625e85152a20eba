import { once } from 'node:events';
import { connect } from 'node:net';

const LF = 0x0a;
const CR = 0x0d;
const MINUS = 0x2d;

/** @typedef {string | Reply[]} Reply */

/**
 * A connection to a server under test, as small as can be: it asks one thing at a time, or sends a long pipeline of
 * commands that each have a reply of one line.
 */
export class Connection {
  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.setNoDelay(true);
  }

  /**
   * Connects, once the server listens.
   * @param {number} port
   */
  static async open(port) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /**
   * Sends a command and returns its reply; all but arrays are text (latin1), a null is the text '-1'.
   * @param {string[]} words
   * @returns {Promise<Reply>}
   * @throws {Error} with the text of an error reply
   */
  async ask(...words) {
    this.socket.write(encodeCommand(words), 'latin1');
    let received = '';
    for (;;) {
      const [chunk] = await once(this.socket, 'data');
      received += chunk.toString('latin1');
      const parsed = parseReply(received, 0);
      if (parsed !== undefined) return parsed.reply;
    }
  }

  /**
   * Sends the commands `make(first)` to `make(last − 1)`, at most `pipeline` at a time, and waits for their replies,
   * each of one line.
   * @param {number} first
   * @param {number} last
   * @param {(index: number) => string[]} make
   * @param {number} pipeline
   * @throws {Error} when a reply is an error
   */
  async send(first, last, make, pipeline) {
    for (let start = first; start < last; start += pipeline) {
      const end = Math.min(start + pipeline, last);
      let batch = '';
      for (let i = start; i < end; i++) batch += encodeCommand(make(i));
      this.socket.write(batch, 'latin1');
      await this.#receiveLines(end - start);
    }
  }

  /**
   * Runs commands, each with a reply of one line, as a transaction.
   * @param {string[][]} commands
   * @throws {Error} when a reply is an error
   */
  async transaction(commands) {
    this.socket.write([['MULTI'], ...commands, ['EXEC']].map(encodeCommand).join(''), 'latin1');
    // OK, QUEUED for each, and the header of the array with the replies.
    await this.#receiveLines(commands.length * 2 + 2);
  }

  /** Reads what comes from now on, and forgets it. */
  ignore() {
    this.socket.resume();
  }

  close() {
    this.socket.destroy();
  }

  /** @param {number} count */
  async #receiveLines(count) {
    let left = count;
    let previous = LF;
    while (left > 0) {
      const [chunk] = await once(this.socket, 'data');
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i];
        if (byte === MINUS && previous === LF) throw new Error(chunk.toString('latin1', i).split('\r')[0]);
        if (byte === LF && previous === CR) left--;
        previous = byte;
      }
    }
  }
}

/** @param {string[]} words */
function encodeCommand(words) {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${word.length}\r\n${word}\r\n`;
  return text;
}

/**
 * The RESP2 reply that starts at a position, and where it ends; undefined while more of it is to come.
 * @param {string} text
 * @param {number} start
 * @returns {{ reply: Reply, end: number } | undefined}
 */
function parseReply(text, start) {
  const lineEnd = text.indexOf('\r\n', start);
  if (lineEnd < 0) return undefined;
  const line = text.slice(start + 1, lineEnd);
  let end = lineEnd + 2;
  if (text[start] === '-') throw new Error(line);
  if (line === '-1' || (text[start] !== '$' && text[start] !== '*')) return { reply: line, end };
  if (text[start] === '$') {
    const length = Number(line);
    return text.length < end + length + 2
      ? undefined
      : { reply: text.slice(end, end + length), end: end + length + 2 };
  }
  /** @type {Reply[]} */
  const replies = [];
  for (let i = 0; i < Number(line); i++) {
    const element = parseReply(text, end);
    if (element === undefined) return undefined;
    replies.push(element.reply);
    end = element.end;
  }
  return { reply: replies, end };
}
