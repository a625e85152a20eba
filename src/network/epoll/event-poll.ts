import { beginRound, endRound } from '../after-reads.js';
import { type Address, type LoopWaker, loadSystemCalls, type SystemCalls } from './system-calls.js';

/** Who hears that a descriptor can be read. */
export interface Readable {
  readonly fd: number;
  /** Something can be read, or is over. Called until it is read. */
  readable(): void;
}

/** `EPOLL_CTL_ADD`, `EPOLL_CTL_DEL`, `EPOLLIN` and `EPOLL_CLOEXEC` (Linux, sys/epoll.h). */
const ADD = 1;
const DELETE = 2;
const IN = 1;
const CLOSE_ON_EXEC = 0o2000000;

/** How many connections are read in a round at most; the others come first in the next. */
const EVENTS_MAX = 1024;

/**
 * Waits for many connections at once by an epoll of our own, which libuv's loop waits for in turn:
 *
 *     libuv's epoll ─┬─ timers, signals, listening sockets, files, …
 *                    └─ our epoll ─── connections
 *
 * libuv comes back when one of ours can be read, and the immediate `go` reads all that can, each once: a round. So Node's
 * loop stays in charge of everything else, and still a request costs a read and a write, and no event of libuv's.
 * (Reading further rounds before Node has its turn was no faster: libuv looks twice before it waits, and so finds what
 * came meanwhile.)
 *
 * An event is 12 bytes on x64, where it is packed, and 16 elsewhere:
 *
 *     x64    │ events u32 │ data u64 ────── │        data: the descriptor, in its low half
 *     arm64  │ events u32 │ (4) │ data u64 ─────── │
 */
export class EventPoll {
  readonly calls: SystemCalls;
  private readonly epoll: number;
  /** What `epollWait` writes, and what `epollControl` reads. */
  private readonly events: Int32Array;
  private readonly eventsAddress: Address;
  private readonly wanted: Int32Array;
  private readonly wantedAddress: Address;
  /** Positions in 32-bit units. */
  private readonly eventLength: number;
  private readonly dataPosition: number;
  private readonly waker: LoopWaker;
  /** By descriptor. */
  private readonly watched: (Readable | undefined)[] = [];
  private watchedCount = 0;
  private readonly roundCallbacks: (() => void)[] = [];
  private readonly go = () => this.readRound();

  /** @throws Error when the system gives none. */
  constructor(calls: SystemCalls) {
    this.calls = calls;
    const isPacked = process.arch === 'x64';
    this.eventLength = isPacked ? 3 : 4;
    this.dataPosition = isPacked ? 1 : 2;
    this.events = new Int32Array(EVENTS_MAX * this.eventLength);
    this.eventsAddress = calls.addressOf(this.events);
    this.wanted = new Int32Array(this.eventLength);
    this.wanted[0] = IN;
    this.wantedAddress = calls.addressOf(this.wanted);
    this.epoll = calls.epollCreate(CLOSE_ON_EXEC);
    if (this.epoll < 0) throw new Error(`epoll_create1: ${calls.errorNumber()}`);
    this.waker = calls.wakeLoopBy(this.epoll);
    this.waker.keepsAlive(false);
    setImmediate(this.go).unref();
  }

  /** From now on, `readable` is told. Each descriptor is watched for one only. False when the system cannot. */
  watch(readable: Readable): boolean {
    const { fd } = readable;
    if (this.watched[fd] === readable) return true;
    this.wanted[this.dataPosition] = fd;
    if (this.calls.epollControl(this.epoll, ADD, fd, this.wantedAddress) !== 0) return false;
    this.watched[fd] = readable;
    if (this.watchedCount++ === 0) this.waker.keepsAlive(true);
    return true;
  }

  /** No longer. Before the descriptor is closed. */
  unwatch(readable: Readable): void {
    const { fd } = readable;
    if (this.watched[fd] !== readable) return;
    this.watched[fd] = undefined;
    this.calls.epollControl(this.epoll, DELETE, fd, this.wantedAddress);
    if (--this.watchedCount === 0) this.waker.keepsAlive(false);
  }

  private readRound(): void {
    setImmediate(this.go).unref();
    const { events, eventLength, dataPosition, watched } = this;
    const count = this.calls.epollWait(this.epoll, this.eventsAddress, EVENTS_MAX, 0);
    if (count <= 0) return;
    beginRound(this.roundCallbacks);
    for (let i = 0; i < count; i++) watched[events[i * eventLength + dataPosition]]?.readable();
    endRound();
  }
}

/** The one of this process, which all servers in it share; null where there cannot be one. */
let shared: EventPoll | null | undefined;

/** The event poll of this process; null where there cannot be one. */
export function eventPoll(): EventPoll | null {
  if (shared === undefined) {
    const calls = loadSystemCalls();
    try {
      shared = calls === undefined ? null : new EventPoll(calls);
    } catch {
      shared = null; // no descriptor is left for it, or libuv does not wait for one: then libuv reads
    }
  }
  return shared;
}
