import { copyOf } from '../../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../../memory/reference.js';
import type { Endpoints } from '../endpoints.js';
import { HandleConnection, HandleWrites } from '../handle-connection.js';
import type { StreamBinding, StreamHandle } from '../stream-binding.js';
import type { EventPoll, Readable } from './event-poll.js';
import type { Address } from './system-calls.js';

/** `EAGAIN` and `EINTR` of Linux. */
const TRY_AGAIN = 11;
const INTERRUPTED = 4;

/** What all connections of a transport share: one buffer to read into, and where bytes lie. */
export class EpollResources extends HandleWrites {
  readonly poll: EventPoll;
  readonly readBuffer: Uint8Array;
  readonly readAddress: Address;
  /** The buffer that was sent from last, which is the turn's most often, and where it lies. */
  private sentFrom: Uint8Array;
  private sentFromAddress: Address;

  constructor(binding: StreamBinding, poll: EventPoll, readBuffer: Uint8Array) {
    super(binding);
    this.poll = poll;
    this.readBuffer = readBuffer;
    this.readAddress = poll.calls.addressOf(readBuffer);
    this.sentFrom = readBuffer;
    this.sentFromAddress = this.readAddress;
  }

  /** Where the bytes lie. */
  addressOf(bytes: Uint8Array): Address {
    if (bytes !== this.sentFrom) {
      this.sentFromAddress = this.poll.calls.addressOf(bytes);
      this.sentFrom = bytes;
    }
    return this.sentFromAddress;
  }
}

/**
 * A connection that is read when our epoll says so, and is written to by the system's own call. Its descriptor does not
 * block, and a broken connection raises no signal: libuv and Node see to that.
 */
export class EpollConnection extends HandleConnection implements Readable {
  private readonly resources: EpollResources;
  /** What the next read goes into. */
  private target: Uint8Array;
  private targetAddress: Address;

  constructor(handle: StreamHandle, endpoints: Endpoints, resources: EpollResources) {
    super(handle, endpoints, resources);
    this.resources = resources;
    this.target = resources.readBuffer;
    this.targetAddress = resources.readAddress;
  }

  override readInto(bytes: Uint8Array | undefined): boolean {
    if (!this.isInRead) return false;
    const { resources } = this;
    this.target = bytes ?? resources.readBuffer;
    this.targetAddress = bytes === undefined ? resources.readAddress : resources.poll.calls.addressOf(bytes);
    return true;
  }

  /** One read a round, however much there is, so that a client that sends without end does not hold up the others. */
  readable(): void {
    const { target } = this;
    const { calls } = this.resources.poll;
    const length = calls.read(this.fd, this.targetAddress, target.length);
    if (length > 0) {
      this.isInRead = true;
      this.listener?.received(target, length);
      this.isInRead = false;
      return;
    }
    if (length < 0 && isTemporary(calls.errorNumber())) return;
    this.stopReading();
    this.inputEnded();
  }

  protected override startReading(): void {
    if (!this.resources.poll.watch(this)) this.destroy();
  }

  protected override stopReading(): void {
    this.resources.poll.unwatch(this);
  }

  protected override sendNow(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    const { resources } = this;
    const { calls } = resources.poll;
    let sent = calls.write(this.fd, resources.addressOf(bytes) + offset, length);
    if (sent === length) return;
    if (sent < 0) {
      if (!isTemporary(calls.errorNumber())) {
        this.destroy();
        return;
      }
      sent = 0;
    }
    this.write(copyOf(bytes, offset + sent, length - sent));
  }
}

function isTemporary(errorNumber: number): boolean {
  return errorNumber === TRY_AGAIN || errorNumber === INTERRUPTED;
}
