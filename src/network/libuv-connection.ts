import { copyOf } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Endpoints } from './endpoints.js';
import { HandleConnection, HandleWrites } from './handle-connection.js';
import { SEND_FAILED, sendNow } from './send-now.js';
import type { StreamBinding, StreamHandle } from './stream-binding.js';
import { STAGED_BYTES_MAX, WriteStaging } from './write-staging.js';

/** What all connections of a transport share: bytes are handled at once, so that one buffer each way will do. */
export class LibuvResources extends HandleWrites {
  readonly readBuffer: Uint8Array;
  readonly staging = new WriteStaging();

  constructor(binding: StreamBinding, readBuffer: Uint8Array) {
    super(binding);
    this.readBuffer = readBuffer;
  }
}

/** A connection that libuv reads and writes. */
export class LibuvConnection extends HandleConnection {
  private readonly resources: LibuvResources;
  /** What the next read goes into. */
  private target: Uint8Array;

  constructor(handle: StreamHandle, endpoints: Endpoints, resources: LibuvResources) {
    super(handle, endpoints, resources);
    this.resources = resources;
    this.target = resources.readBuffer;
    handle.useUserBuffer(this.target);
    handle.onread = () => this.read();
  }

  override readInto(bytes: Uint8Array | undefined): boolean {
    if (!this.isInRead) return false;
    this.target = bytes ?? this.resources.readBuffer;
    return true;
  }

  protected override startReading(): void {
    this.handle.readStart();
  }

  protected override stopReading(): void {
    this.handle.readStop();
  }

  protected override sendNow(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    if (length <= STAGED_BYTES_MAX) {
      const { staging } = this.resources;
      if (!this.write(staging.stage(bytes, offset, length))) staging.giveAway();
    } else {
      const sent = this.fd < 0 ? 0 : sendNow(this.fd, bytes, offset, length);
      if (sent === SEND_FAILED) this.destroy();
      else if (sent < length) this.write(copyOf(bytes, offset + sent, length - sent));
    }
  }

  private read(): Uint8Array | undefined {
    const { streamBaseState, kReadBytesOrError } = this.resources.binding;
    const length = streamBaseState[kReadBytesOrError];
    if (length > 0) return this.receive(length);
    if (length < 0) this.inputEnded();
    return undefined;
  }

  private receive(length: ByteLength): Uint8Array | undefined {
    const { target } = this;
    this.isInRead = true;
    this.listener?.received(target, length);
    this.isInRead = false;
    if (length === target.length) this.letOthersRead();
    return this.target === target ? undefined : this.target;
  }

  /**
   * Reads no more in this turn. libuv would go on reading as long as buffers get full, up to 32 times, and a
   * client that sends without end would hold up all others for as long.
   */
  private letOthersRead(): void {
    if (this.isClosed) return;
    this.handle.readStop();
    setImmediate(() => this.readAgain());
  }
}
