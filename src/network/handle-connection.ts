import { copyOf } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Connection, ConnectionListener } from './connection.js';
import type { Endpoints } from './endpoints.js';
import type { StreamBinding, StreamHandle, WriteRequest } from './stream-binding.js';

/** What connections on handles share to write. */
export class HandleWrites {
  readonly binding: StreamBinding;
  /** The request of the next write. Only one that does not complete at once takes it away. */
  request: WriteRequest;

  constructor(binding: StreamBinding) {
    this.binding = binding;
    this.request = new binding.WriteWrap();
  }
}

/**
 * A connection on one of Node's stream handles, without the stream objects of `node:net` in between. How it reads, and
 * writes what the system takes at once, is its transport's; what the system does not take waits in libuv's queue.
 */
export abstract class HandleConnection implements Connection {
  listener: ConnectionListener | undefined;
  readonly fd: number;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly isUnixSocket: boolean;
  readonly isLoopback: boolean;
  queuedBytes: ByteLength = 0;

  protected readonly handle: StreamHandle;
  protected isClosed = false;
  protected isInRead = false;
  private readonly writes: HandleWrites;
  private isPaused = true;
  private isEnding = false;

  constructor(handle: StreamHandle, endpoints: Endpoints, writes: HandleWrites) {
    this.handle = handle;
    this.writes = writes;
    this.fd = handle.fd ?? -1;
    this.remoteAddress = endpoints.remoteAddress;
    this.localAddress = endpoints.localAddress;
    this.isUnixSocket = endpoints.isUnixSocket;
    this.isLoopback = endpoints.isLoopback;
  }

  abstract readInto(bytes: Uint8Array | undefined): boolean;

  /** Has what comes in read and handed to the listener. */
  protected abstract startReading(): void;
  protected abstract stopReading(): void;
  /** Sends bytes now as far as the system takes them, when nothing is queued, and queues the rest by `write`. */
  protected abstract sendNow(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void;

  send(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    if (this.isClosed || this.isEnding) return;
    if (this.queuedBytes > 0) this.write(copyOf(bytes, offset, length));
    else this.sendNow(bytes, offset, length);
  }

  pause(): void {
    this.isPaused = true;
    if (!this.isClosed) this.stopReading();
  }

  resume(): void {
    this.isPaused = false;
    this.readAgain();
  }

  setKeepAlive(seconds: number): void {
    if (!this.isClosed) this.handle.setKeepAlive?.(seconds > 0, seconds);
  }

  end(): void {
    this.isEnding = true;
    if (this.queuedBytes === 0) this.finish();
  }

  destroy(): void {
    if (this.isClosed) return;
    this.stopReading();
    this.isClosed = true;
    this.handle.close();
    this.listener?.closed();
  }

  /** Reads on, unless something else holds it up. */
  protected readAgain(): void {
    if (!this.isClosed && !this.isPaused) this.startReading();
  }

  /** The end of input: what was received before it is still replied to, at the end of this turn. */
  protected inputEnded(): void {
    this.listener?.inputEnded();
    setImmediate(() => this.destroy());
  }

  /** Writes bytes that stay as they are until all is written. Returns whether it is already. */
  protected write(bytes: Uint8Array): boolean {
    const { writes } = this;
    const { binding, request } = writes;
    if (this.handle.writeBuffer(request, bytes) !== 0) {
      this.destroy();
      return true;
    }
    if (binding.streamBaseState[binding.kLastWriteWasAsync] === 0) return true;
    writes.request = new binding.WriteWrap();
    this.queuedBytes += bytes.length;
    request.bytes = bytes;
    request.oncomplete = (status) => this.written(bytes.length, status);
    return false;
  }

  private written(length: ByteLength, status: number): void {
    this.queuedBytes -= length;
    if (this.isClosed) return;
    if (status < 0) this.destroy();
    else if (this.isEnding && this.queuedBytes === 0) this.finish();
    else if (this.queuedBytes === 0) this.listener?.drained();
  }

  /**
   * Closes, but tells the other side first. A system that closes with input which nobody has read only resets the
   * connection: a client that goes on writing behind QUIT, when it has the reply, would get an error and not the end.
   */
  private finish(): void {
    if (this.isClosed) return;
    this.stopReading();
    this.isClosed = true;
    const request = new this.writes.binding.ShutdownWrap();
    request.oncomplete = () => this.handle.close();
    if (this.handle.shutdown(request) !== 0) this.handle.close();
    this.listener?.closed();
  }
}
