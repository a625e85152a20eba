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

/**
 * The command that writes to a trace what decides which files a manifest may name, and holds up each sync in the
 * background for so many microseconds.
 */
export function witnessOrder(trace: string, delayMicroseconds = 0): string[] {
  const calls = 'write,writev,pwrite64,fsync,fdatasync,rename';
  const options = ['--seccomp-bpf', '-y', '-s', '4096', '-e', 'signal=none', '-e', `trace=${calls}`];
  if (delayMicroseconds > 0) options.push('-e', `inject=fdatasync:delay_enter=${delayMicroseconds}`);
  return [...TRACER, ...options, '-o', trace];
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
  return writtenIn(readFileSync(trace, 'latin1').split('\n'), pathEnd);
}

function writtenIn(lines: readonly string[], pathEnd: string): Written {
  let bytes = 0;
  let syncedBytes = 0;
  /** Calls under way, by thread: which, and what had been written when it began. */
  const begun = new Map<string, { readonly name: string; readonly bytes: number }>();
  for (const line of lines) {
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

/** A manifest that is written before it is renamed: `1234 write(20</path/temp-x.manifest>, "file x.1.base.rdb seq 1 …"`. */
const MANIFEST_TEXT = /^\d+ +write\(\d+<[^>]*\.manifest>, "([^"]*)"/;
const MANIFEST_RENAMED = /^\d+ +rename\(".*\.manifest", /;
const INCREMENT = /file (\S+) seq \d+ type i/g;

/**
 * What a trace says of manifests that took their place: for each the increments, and those of them, but for the last,
 * that were not wholly on the disk at that moment. There a power cut would leave files that do not load.
 */
export function namedIn(trace: string): { readonly increments: string[]; readonly unsynced: string[] }[] {
  const named: { increments: string[]; unsynced: string[] }[] = [];
  const lines = readFileSync(trace, 'latin1').split('\n');
  let increments: string[] = [];
  for (const [index, line] of lines.entries()) {
    const text = MANIFEST_TEXT.exec(line)?.[1];
    if (text !== undefined) increments = [...text.matchAll(INCREMENT)].map(([, name]) => name);
    if (!MANIFEST_RENAMED.test(line)) continue;
    const before = lines.slice(0, index);
    const unsynced = increments.slice(0, -1).filter((name) => {
      const { bytes, syncedBytes } = writtenIn(before, `/${name}`);
      return syncedBytes < bytes;
    });
    named.push({ increments, unsynced });
  }
  return named;
}
