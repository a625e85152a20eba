/**
 * What commands do besides replying: the keyspace events that they send, in order, and how many changes they count
 * (`rdb_changes_since_last_save`).
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Argument, encodeCommand, endOfReply, parseReply, type Wire } from './wire.js';

/**
 * All classes of events of all types but `x` and `e`: Respite expires keys when their time comes, Redis when it finds
 * them, so those events come at different moments.
 */
const EVENT_CLASSES = 'Eg$lshztdnm';
const END_CHANNEL = 'respite:end';

/** Follows the effects of all commands on one server. */
export class Effects {
  readonly #wire: Wire;
  readonly #socket: Socket;
  #pending: Buffer<ArrayBuffer> = Buffer.alloc(0);
  #events: string[] = [];
  #ended: () => void = () => {};
  #failed: (error: Error) => void = () => {};
  #changesBefore = 0;

  private constructor(wire: Wire, socket: Socket) {
    this.#wire = wire;
    this.#socket = socket;
    socket.on('data', (chunk) => this.#receive(Buffer.from(chunk)));
    socket.on('error', () => {});
    socket.on('close', () => this.#failed(new Error('the server closed the connection of a subscriber')));
  }

  /** Follows the server that `wire` is connected to, at an address as `Wire.open` takes it. */
  static async follow(address: number | string, wire: Wire): Promise<Effects> {
    const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address);
    await once(socket, 'connect');
    const effects = new Effects(wire, socket);
    await wire.send([['CONFIG', 'SET', 'notify-keyspace-events', EVENT_CLASSES]]);
    const subscribed = effects.#message();
    socket.write(encodeCommand(['PSUBSCRIBE', '__keyevent@*']));
    socket.write(encodeCommand(['SUBSCRIBE', END_CHANNEL]));
    await subscribed;
    return effects;
  }

  /** Forgets what was until now. */
  async begin(): Promise<void> {
    await this.end();
    this.#changesBefore = await this.#changes();
  }

  /** The effects since `begin`, each as a line. */
  async end(): Promise<string[]> {
    const changes = (await this.#changes()) - this.#changesBefore;
    const ended = this.#message();
    await this.#wire.send([['PUBLISH', END_CHANNEL, '']]);
    await ended;
    const events = withoutOrderOfMisses(this.#events);
    this.#events = [];
    return [...events, `${changes} changes`];
  }

  async close(): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }

  /** The next message about the channel that ends a round. */
  #message(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ended = resolve;
      this.#failed = reject;
    });
  }

  async #changes(): Promise<number> {
    const [info] = await this.#wire.send([['INFO', 'persistence']]);
    return Number(/rdb_changes_since_last_save:(\d+)/.exec(info.toString('latin1'))?.[1]);
  }

  #receive(chunk: Buffer<ArrayBuffer>): void {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let start = 0;
    for (let end = endOfReply(bytes, start); end >= 0; end = endOfReply(bytes, start)) {
      const message = parseReply(bytes.subarray(start, end));
      start = end;
      if (!('items' in message)) continue;
      const texts = message.items.map((item) => ('text' in item ? item.text : ''));
      if (texts[0] === 'pmessage') this.#events.push(`${texts[2].replace('__keyevent', '')} ${texts[3]}`);
      else if (texts[1] === END_CHANNEL) this.#ended();
    }
    this.#pending = bytes.subarray(start);
  }
}

/** Sorts keys that were missed one after the other: SORT looks them up in the order of a hash table. */
function withoutOrderOfMisses(events: readonly string[]): string[] {
  const result: string[] = [];
  let misses: string[] = [];
  for (const event of events) {
    if (event.includes(':keymiss ')) {
      misses.push(event);
      continue;
    }
    result.push(...misses.sort(), event);
    misses = [];
  }
  return [...result, ...misses.sort()];
}

/** The first difference of two servers' effects: what each did there. */
export function effectsDifference(
  ours: readonly string[],
  theirs: readonly string[],
): { args: readonly Argument[]; ours: Buffer; theirs: Buffer } | undefined {
  const at = ours.findIndex((effect, i) => effect !== theirs[i]);
  if (at < 0 && ours.length === theirs.length) return undefined;
  const first = at < 0 ? ours.length : at;
  // The last line counts the changes, so both have one where they differ.
  const shown = (effects: readonly string[]) =>
    Buffer.from(effects.slice(first, first + 2).join(' | '), 'latin1');
  return { args: ['(keyspace events and changes)'], ours: shown(ours), theirs: shown(theirs) };
}
