import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8's optimizing compiler inline more than it does by default. Its limits (920 bytes of bytecode in all a function,
 * 460 a callee) are made for web pages, where compiling takes time that nobody has. A server compiles its few hot paths
 * once, and they are chains of small functions: beyond the limits every accessor of a word of memory becomes a call.
 * What a command takes without its socket, measured in November 2026 on Node 20: LLEN 165 → 130 ns, RPOP 325 → 265,
 * PING 70 → 60, ZADD 1310 → 1150; higher limits still gain nothing.
 *
 * Only the program does so: in a process that others own the compiler is theirs.
 */
export function raiseInliningLimits(): void {
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');
  setFlagsFromString('--max-inlined-bytecode-size-absolute=20000');
  setFlagsFromString('--max-inlined-bytecode-size=1000');
}
