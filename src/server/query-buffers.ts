import type { ByteLength } from '../memory/reference.js';
import { COMMAND, type DecoderLimits, INCOMPLETE, RequestDecoder } from '../protocol/request-decoder.js';
import type { Client } from './client.js';
import { type Dispatcher, POSTPONED } from './dispatcher.js';
import type { Turn } from './turn.js';

/** From this length on, an argument is read straight into the query buffer, which is made just large enough. */
const LARGE_ARGUMENT_BYTES = 32 * 1024;
/** The least that is allocated for a request in pieces. */
const QUERY_BUFFER_BYTES_MIN = 1024;
/**
 * A turn whose replies take more than this is ended before the next command: the buffer of replies need not grow
 * beyond what it keeps from turn to turn (see ReplyWriter.reset), and stays in the processor's cache.
 */
const TURN_REPLY_BYTES_MAX = 512 << 10;

const NO_BYTES = new Uint8Array(0);

/**
 * Takes what clients send and executes it: straight from the transport's buffer when whole requests are there,
 * else from the client's own query buffer, where a request in pieces, or one that must wait, is collected.
 */
export class QueryBuffers {
  readonly limits: DecoderLimits = { bulkBytesMax: 512 << 20, isUnauthenticated: false };
  /** `client-query-buffer-limit` in bytes: a client that needs more is closed. */
  queryBytesMax: ByteLength = 1 << 30;

  private readonly decoder = new RequestDecoder();
  private readonly dispatcher: Dispatcher;
  private readonly turn: Turn;

  constructor(dispatcher: Dispatcher, turn: Turn) {
    this.dispatcher = dispatcher;
    this.turn = turn;
  }

  /** Executes what `length` bytes bring. Returns false when the client sent more than it may keep waiting. */
  receive(client: Client, bytes: Uint8Array, length: ByteLength): boolean {
    client.inputBytes += length;
    if (client.decoder === undefined && !client.isHeld) {
      this.decoder.position = 0;
      this.run(client, this.decoder, bytes, length);
      if (this.decoder.position < length || this.decoder.isInRequest) this.keep(client, bytes, length);
    } else {
      if (client.readsDirectly) client.queryLength += length;
      else this.append(client, bytes, length);
      // Counted before it is executed: the request that is complete now may be too long itself.
      if (client.queryLength > this.queryBytesMax) return false;
      this.resume(client);
    }
    // What waits for EXEC was sent, too, and is not executed yet.
    return client.queryLength + (client.transaction?.byteLength ?? 0) <= this.queryBytesMax;
  }

  /** Executes what waits in a client's query buffer, as far as it can be. */
  resume(client: Client): void {
    const { decoder } = client;
    if (decoder === undefined || client.isHeld) return;
    if (decoder.missingBytes(client.queryLength) === 0) {
      this.run(client, decoder, client.queryBuffer, client.queryLength);
    }
    if (client.isClosed) return;
    if (decoder.position >= client.queryLength && !decoder.isInRequest) this.discard(client);
    else this.prepareRead(client, decoder);
  }

  /** Frees the query buffer of a client. */
  discard(client: Client): void {
    client.queryBuffer = NO_BYTES;
    client.queryLength = 0;
    client.decoder = undefined;
    if (client.readsDirectly) {
      client.connection.readInto(undefined);
      client.readsDirectly = false;
    }
  }

  private run(client: Client, decoder: RequestDecoder, bytes: Uint8Array, end: ByteLength): void {
    const { limits, turn } = this;
    const { outbox } = turn;
    outbox.switchTo(client);
    while (!client.isHeld) {
      limits.isUnauthenticated = !client.isAuthenticated;
      const status = decoder.decode(bytes, end, limits);
      if (status === COMMAND) {
        if (decoder.arguments.count === 0) continue;
        if (this.dispatcher.dispatch(client, decoder.arguments) === POSTPONED) {
          decoder.postpone();
          turn.postpone(client);
          break;
        }
        if (outbox.pendingBytes > TURN_REPLY_BYTES_MAX) turn.endEarly();
      } else if (status === INCOMPLETE) {
        break;
      } else {
        outbox.reply.error(`ERR ${decoder.error}`);
        turn.closeAfterReply(client);
      }
    }
    outbox.switchTo(undefined);
    this.dispatcher.endPipeline();
    if (client.closesAfterReply) decoder.position = end; // the rest is not looked at
  }

  /** Copies what is left of the transport's buffer, and the state of decoding it, to the client. */
  private keep(client: Client, bytes: Uint8Array, end: ByteLength): void {
    const { decoder } = this;
    const start = decoder.requestStart();
    const length = end - start;
    const capacity = Math.max(QUERY_BUFFER_BYTES_MIN, length * 2, length + decoder.missingBytes(end));
    const buffer = new Uint8Array(new ArrayBuffer(capacity));
    buffer.set(bytes.subarray(start, end));
    decoder.rebase(bytes, buffer, start);
    client.queryBuffer = buffer;
    client.queryLength = length;
    client.decoder = new RequestDecoder();
    client.decoder.takeOver(decoder);
    this.prepareRead(client, client.decoder);
  }

  private append(client: Client, bytes: Uint8Array, length: ByteLength): void {
    client.decoder ??= new RequestDecoder();
    this.makeRoom(client, client.decoder, length);
    client.queryBuffer.set(bytes.subarray(0, length), client.queryLength);
    client.queryLength += length;
  }

  /** Makes room for `length` more bytes, letting go those that are executed. */
  private makeRoom(client: Client, decoder: RequestDecoder, length: ByteLength): void {
    const { queryBuffer } = client;
    if (client.queryLength + length <= queryBuffer.length) return;
    const start = Math.min(decoder.requestStart(), client.queryLength);
    const kept = client.queryLength - start;
    if (start > 0 && kept + length <= queryBuffer.length) {
      queryBuffer.copyWithin(0, start, client.queryLength);
      decoder.rebase(queryBuffer, queryBuffer, start);
    } else {
      const capacity = length >= LARGE_ARGUMENT_BYTES ? kept + length : (kept + length) * 2;
      const larger = new Uint8Array(new ArrayBuffer(Math.max(capacity, QUERY_BUFFER_BYTES_MIN)));
      larger.set(queryBuffer.subarray(start, client.queryLength));
      decoder.rebase(queryBuffer, larger, start);
      client.queryBuffer = larger;
    }
    client.queryLength = kept;
  }

  /** Has a large argument read into its place, or goes back to the transport's buffer. */
  private prepareRead(client: Client, decoder: RequestDecoder): void {
    const missing = decoder.missingBytes(client.queryLength);
    if (missing >= LARGE_ARGUMENT_BYTES || (client.readsDirectly && missing > 0)) {
      this.makeRoom(client, decoder, missing);
      const target = client.queryBuffer.subarray(client.queryLength, client.queryLength + missing);
      // Outside of a read it is as it was: nothing has come since this was called last.
      if (client.connection.readInto(target)) client.readsDirectly = true;
    } else if (client.readsDirectly) {
      client.connection.readInto(undefined);
      client.readsDirectly = false;
    }
  }
}
