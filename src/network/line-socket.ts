import { connect, type Socket } from 'node:net';

/** Thrown when the other side closes, or does not take or say something in time. */
export class LineSocketError extends Error {
  override name = 'LineSocketError';
  readonly isTimeout: boolean;
  /** Whether there is such a machine, but nobody listens. */
  readonly isRefused: boolean;

  constructor(reason: string, isTimeout: boolean, isRefused = false) {
    super(reason);
    this.isTimeout = isTimeout;
    this.isRefused = isRefused;
  }
}

/** So many bytes are sent at a time; each lot has the whole timeout. */
export const CHUNK_BYTES = 64 * 1024;

const LINE_FEED = 0x0a;
/** Longer lines are nothing that we asked for. */
const LINE_BYTES_MAX = 64 * 1024;

/** A connection to another server, on which we speak first and it answers by lines. One question at a time. */
export class LineSocket {
  private readonly socket: Socket;
  private received = Buffer.alloc(0);
  private failure: LineSocketError | undefined;
  /** Called when something has happened that somebody may wait for. */
  private whenMoved: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes]);
      if (this.received.length > LINE_BYTES_MAX) this.fail('too long an answer');
      this.whenMoved?.();
    });
    socket.on('error', (error) => this.fail(error.message));
    socket.on('close', () => this.fail('closed'));
  }

  /** Connects. Rejects with LineSocketError. */
  static connect(host: string, port: number, timeoutMs: number): Promise<LineSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      const fail = (error: LineSocketError) => {
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(new LineSocketError('connecting took too long', true)), timeoutMs);
      const failed = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        fail(new LineSocketError(error.message, false, error.code === 'ECONNREFUSED'));
      };
      socket.once('error', failed);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', failed);
        resolve(new LineSocket(socket));
      });
    });
  }

  /** Whether nothing can be said any more. */
  get isBroken(): boolean {
    return this.failure !== undefined;
  }

  /** Sends bytes. Rejects with LineSocketError when a chunk of them is not taken in time. */
  async write(bytes: Uint8Array, timeoutMs: number): Promise<void> {
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      if (this.failure !== undefined) throw this.failure;
      let isTaken = false;
      this.socket.write(bytes.subarray(start, start + CHUNK_BYTES), (error) => {
        isTaken = error === undefined || error === null;
        this.whenMoved?.();
      });
      await this.chunkTaken(() => isTaken, timeoutMs);
    }
  }

  /** The next line without its end (latin1). Rejects with LineSocketError when there is none for so long. */
  async readLine(timeoutMs: number): Promise<string> {
    for (;;) {
      const end = this.received.indexOf(LINE_FEED);
      if (end >= 0) {
        const line = this.received.toString('latin1', 0, end).replace(/\r$/, '');
        this.received = this.received.subarray(end + 1);
        return line;
      }
      if (this.failure !== undefined) throw this.failure;
      const hasMoved = await this.moved(timeoutMs);
      if (!hasMoved) throw this.fail('reading took too long', true);
    }
  }

  close(): void {
    this.fail('closed');
  }

  private fail(reason: string, isTimeout = false): LineSocketError {
    this.failure ??= new LineSocketError(reason, isTimeout);
    this.socket.destroy();
    this.whenMoved?.();
    return this.failure;
  }

  /** Waits until a chunk is taken; that something is received meanwhile gives it no more time. */
  private async chunkTaken(isTaken: () => boolean, timeoutMs: number): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    while (!isTaken()) {
      const hasMoved = await this.moved(Math.max(1, untilMs - performance.now()));
      if (this.failure !== undefined) throw this.failure;
      if (!hasMoved) throw this.fail('writing took too long', true);
    }
  }

  /** Waits until something happens. False when nothing does for so long. */
  private moved(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasMoved: boolean) => {
        clearTimeout(timer);
        this.whenMoved = undefined;
        resolve(hasMoved);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      this.whenMoved = () => end(true);
    });
  }
}
