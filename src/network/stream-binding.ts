import type { ByteOffset } from '../memory/reference.js';

/** A write that the system has not completed: Node's `WriteWrap`, with what is put on it. */
export interface WriteRequest {
  /** Called when the write is complete; a negative status is an error of libuv. */
  oncomplete?: (status: number) => void;
  /** Keeps the bytes alive that libuv reads from. */
  bytes?: Uint8Array;
}

/** The end of what is sent: Node's `ShutdownWrap`. */
export interface ShutdownRequest {
  /** Called when the other side has been told. */
  oncomplete?: () => void;
}

/** The methods of Node's stream handles (libuv's `uv_stream_t`) that are used here. */
export interface StreamHandle {
  readonly fd?: number;
  /** Called for each read; `streamBaseState` says how much it brought. Returns the buffer of the next read, if another. */
  onread: () => Uint8Array | undefined;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** Writes as much as the system takes at once, and the rest by and by: `streamBaseState` says whether there is one. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  setKeepAlive?(enable: boolean, seconds: number): number;
  /** Ends what is sent, by and by. Not 0 when that cannot be. */
  shutdown(request: ShutdownRequest): number;
  close(closed?: () => void): void;
}

/**
 * Node's own binding to libuv's streams, on which `node:net` is built. Node 20 to 26 have it, and no permission
 * is needed for it unless Node runs with `--permission`.
 */
export interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  /** What the last read or write did, at the positions below. */
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: ByteOffset;
  readonly kLastWriteWasAsync: ByteOffset;
}

/** The binding, or undefined where this Node does not give it as expected. */
export function streamBinding(): StreamBinding | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
  try {
    const streams = binding?.('stream_wrap');
    const isComplete =
      typeof streams?.WriteWrap === 'function' &&
      typeof streams.ShutdownWrap === 'function' &&
      streams.streamBaseState instanceof Int32Array &&
      typeof streams.kReadBytesOrError === 'number' &&
      typeof streams.kLastWriteWasAsync === 'number';
    return isComplete ? (streams as StreamBinding) : undefined;
  } catch {
    return undefined;
  }
}
