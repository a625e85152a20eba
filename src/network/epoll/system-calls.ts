import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type { ByteLength } from '../../memory/reference.js';

/** Where something lies in the memory of the process. Node's addresses are below 2^53. */
export type Address = number;

/** The functions of the system and of libuv that the epoll transport calls, without anything in between. */
export interface SystemCalls {
  /** A new epoll, or −1. */
  epollCreate(flags: number): number;
  epollControl(epoll: number, operation: number, fd: number, event: Address): number;
  /** How many events were written to `events`, or −1. */
  epollWait(epoll: number, events: Address, eventsMax: number, timeoutMs: number): number;
  /** How many bytes came; 0: the end of input; −1: see `errorNumber`. */
  read(fd: number, bytes: Address, length: ByteLength): number;
  /** How many bytes were taken; −1: see `errorNumber`. */
  write(fd: number, bytes: Address, length: ByteLength): number;
  /** The `errno` of the last call that returned −1. */
  errorNumber(): number;
  /** Where the bytes lie. They stay there as long as the view, or its buffer, is referenced. */
  addressOf(bytes: Uint8Array | Int32Array): Address;
  /** Has libuv's loop return to Node whenever `fd` is readable. For the rest of the process. */
  wakeLoopBy(fd: number): LoopWaker;
}

/** What wakes the loop. */
export interface LoopWaker {
  /** libuv's handle. It must stay where it is, and so be referenced, to the end of the process. */
  readonly handle: Uint8Array;
  /** The process lives on as long as this is so. */
  keepsAlive(keeps: boolean): void;
}

/** `uv_handle_type` of a poll handle, and its event of being readable (libuv 1, uv.h). */
const UV_POLL = 8;
const UV_READABLE = 1;

/** Of koffi, what is used here; it is an optional dependency. */
interface ForeignFunctions {
  load(path: null): {
    func(prototype: string): (...values: number[]) => number;
    symbol(name: string): unknown;
  };
  address(value: unknown): bigint;
  errno(): number;
}

/** Loads them; undefined where that cannot be: no Linux, another processor, a worker, or koffi is not installed. */
export function loadSystemCalls(): SystemCalls | undefined {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch) || !isMainThread)
    return undefined;
  try {
    return bind(createRequire(import.meta.url)('koffi') as ForeignFunctions);
  } catch {
    return undefined; // not installed, or this Node does not show libuv
  }
}

function bind(foreign: ForeignFunctions): SystemCalls {
  const library = foreign.load(null);
  // Lengths and results fit 32 bits: no buffer that we read to or write from is as long.
  return {
    epollCreate: library.func('int epoll_create1(int flags)'),
    epollControl: library.func('int epoll_ctl(int epoll, int operation, int fd, uintptr_t event)'),
    epollWait: library.func('int epoll_wait(int epoll, uintptr_t events, int eventsMax, int timeoutMs)'),
    read: library.func('int read(int fd, uintptr_t bytes, size_t length)'),
    write: library.func('int write(int fd, uintptr_t bytes, size_t length)'),
    errorNumber: () => foreign.errno(),
    addressOf: (bytes) => Number(foreign.address(bytes)),
    wakeLoopBy: (fd) => wakeLoopBy(foreign, library, fd),
  };
}

/**
 * A poll handle of libuv, whose callback has nothing to do: the loop comes back from waiting, and the immediates run,
 * those that keep nobody waiting as well. So the callback is a function of libuv that only looks at its argument.
 */
function wakeLoopBy(
  foreign: ForeignFunctions,
  library: ReturnType<ForeignFunctions['load']>,
  fd: number,
): LoopWaker {
  const handleBytes = library.func('size_t uv_handle_size(int type)')(UV_POLL);
  const handle = Buffer.alloc(handleBytes);
  const address = Number(foreign.address(handle));
  const loop = library.func('uintptr_t uv_default_loop()')();
  const nothing = Number(foreign.address(library.symbol('uv_is_active')));
  const created = library.func('int uv_poll_init(uintptr_t loop, uintptr_t handle, int fd)')(
    loop,
    address,
    fd,
  );
  if (created !== 0) throw new Error(`libuv cannot poll: ${created}`);
  const start = library.func('int uv_poll_start(uintptr_t handle, int events, uintptr_t callback)');
  const started = start(address, UV_READABLE, nothing);
  if (started !== 0) throw new Error(`libuv cannot poll: ${started}`);
  const reference = library.func('void uv_ref(uintptr_t handle)');
  const unreference = library.func('void uv_unref(uintptr_t handle)');
  return { handle, keepsAlive: (keeps) => (keeps ? reference : unreference)(address) };
}
