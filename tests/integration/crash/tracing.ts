/** strace as a witness of what is on the disk for sure, and as a killer that strikes at a chosen system call. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether processes can be traced here. */
export const canTrace =
  process.platform === 'linux' &&
  spawnSync('strace', ['-D', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', 'true']).status === 0;

/** What both uses have in common: the server is our child, the tracer its, and ends with it. */
const TRACER = ['strace', '-D', '-f', '-qq'];

/** The command that writes the system calls of a server that write and sync files to a trace. */
export function witness(trace: string): string[] {
  const calls = 'write,writev,pwrite64,pwritev,fsync,fdatasync';
  return [
    ...TRACER,
    '--seccomp-bpf',
    '-y',
    '-s',
    '0',
    '-e',
    'signal=none',
    '-e',
    `trace=${calls}`,
    '-o',
    trace,
  ];
}

/** The command that kills a server when one of its threads makes a system call for the `count`th time. */
export function killAtCall(call: string, count: number): string[] {
  return [
    ...TRACER,
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:signal=SIGKILL:when=${count}`,
    '-o',
    '/dev/null',
  ];
}

/** Bytes that were appended to a file, and how many of them a sync that succeeded has put on the disk. */
export interface Written {
  readonly bytes: number;
  readonly syncedBytes: number;
}

/** A call of a trace, as it begins: `1234 fdatasync(21</path/file>`. */
const CALL = /^(\d+) +(\w+)\(\d+<([^>]*)>/;
/** The rest of one that another thread interrupted: `1234 <... fdatasync resumed>) = 0`. */
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>/;
const RESULT = / = (-?\d+)/;

/** What a trace says of the files whose path has an end. */
export function writtenTo(trace: string, pathEnd: string): Written {
  let bytes = 0;
  let syncedBytes = 0;
  /** Calls under way, by thread: which, and what had been written when it began. */
  const begun = new Map<string, { readonly name: string; readonly bytes: number }>();
  for (const line of readFileSync(trace, 'latin1').split('\n')) {
    const call = CALL.exec(line);
    const thread = call?.[1] ?? RESUMED.exec(line)?.[1];
    if (thread === undefined) continue;
    if (call !== null) {
      begun.delete(thread);
      if (call[3].endsWith(pathEnd)) begun.set(thread, { name: call[2], bytes });
    }
    const entry = begun.get(thread);
    const result = Number(RESULT.exec(line)?.[1] ?? -1);
    if (entry === undefined || result < 0) continue;
    begun.delete(thread);
    if (entry.name.endsWith('sync')) syncedBytes = Math.max(syncedBytes, entry.bytes);
    else bytes += result;
  }
  return { bytes, syncedBytes };
}
