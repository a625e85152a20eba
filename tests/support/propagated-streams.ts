/**
 * What two servers propagate: Respite to a sink, which must be what its append-only file has as well, and a real
 * redis-server 8.0 to the incremental file of its own; as lists of commands.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type RespiteServer } from '../../src/index.js';
import { PROPAGATE_AOF, type PropagationSink } from '../../src/server/propagation.js';
import { RealRedis } from './real-redis.js';

/** A command, argument by argument (latin1). */
export type PropagatedCommand = readonly string[];

/** How far clocks may be apart: a machine that does much else takes its time. */
const TOLERANCE_MS = 5000;

/** Directives with which servers write what they propagate at once. */
const APPEND_ONLY_DIRECTIVES: Readonly<Record<string, string>> = {
  appendonly: 'yes',
  'aof-use-rdb-preamble': 'yes',
  appendfsync: 'no',
  'auto-aof-rewrite-percentage': '0',
};

/** Both servers, that have propagated nothing yet. */
export class PropagatingServers {
  private readonly sink = new CommandSink();
  private readonly ownFile: CommandFile;
  private readonly file: CommandFile;
  /** What Respite has propagated, and was not yet found in its own append-only file. */
  private unwritten: PropagatedCommand[] = [];

  private constructor(
    readonly respite: RespiteServer,
    readonly real: RealRedis,
    private readonly ownDirectory: string,
  ) {
    respite.server.propagation.addSink(this.sink);
    this.ownFile = new CommandFile(ownDirectory);
    this.file = new CommandFile(real.directory);
  }

  static async start(directives: Readonly<Record<string, string>> = {}): Promise<PropagatingServers> {
    const ownDirectory = mkdtempSync(join(tmpdir(), 'respite-propagation-'));
    const all = { ...APPEND_ONLY_DIRECTIVES, 'enable-debug-command': 'yes', ...directives };
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
    const [respite, real] = await Promise.all([
      createServer({ directives: { ...all, dir: ownDirectory } }),
      RealRedis.start(...args),
    ]);
    return new PropagatingServers(respite, real, ownDirectory);
  }

  /** Stops both. @throws Error when Respite has propagated what is not in its append-only file */
  async stop(): Promise<void> {
    this.take();
    await Promise.all([this.respite.close(), this.real.stop()]);
    this.takeWritten();
    this.file.close();
    this.ownFile.close();
    rmSync(this.ownDirectory, { recursive: true, force: true });
    if (this.unwritten.length > 0) throw new Error(`${this.unwritten.length} commands are not in the file`);
  }

  /**
   * What has been propagated since the last time, by Respite and by the real server.
   * @throws Error when Respite's append-only file has anything else
   */
  take(): [ours: PropagatedCommand[], theirs: PropagatedCommand[]] {
    const ours = this.sink.take();
    this.unwritten.push(...ours);
    this.takeWritten();
    return [ours, this.file.take()];
  }

  /** Looks into Respite's file. It may be behind by what happened in this turn. */
  private takeWritten(): void {
    const written = this.ownFile.take();
    const difference = streamDifference(written, this.unwritten.splice(0, written.length));
    if (difference !== undefined) throw new Error(`its own file: ${difference}`);
  }
}

/** Notes what Respite propagates. */
class CommandSink implements PropagationSink {
  readonly target = PROPAGATE_AOF;
  private pieces: Buffer[] = [];

  write(bytes: Uint8Array, length: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(0, length)));
  }

  /** What has come since the last time. */
  take(): PropagatedCommand[] {
    const commands = parseCommands(Buffer.concat(this.pieces));
    this.pieces = [];
    return commands;
  }
}

/** Reads what a real server propagates. It writes before it replies. */
class CommandFile {
  private readonly fd: number;
  private position = 0;

  constructor(directory: string) {
    this.fd = openSync(join(directory, 'appendonlydir', 'appendonly.aof.1.incr.aof'), 'r');
  }

  /** What has come since the last time. */
  take(): PropagatedCommand[] {
    const pieces: Buffer[] = [];
    for (;;) {
      const piece = Buffer.alloc(1 << 20);
      const length = readSync(this.fd, piece, 0, piece.length, this.position);
      if (length === 0) break;
      this.position += length;
      pieces.push(piece.subarray(0, length));
    }
    return parseCommands(Buffer.concat(pieces));
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Where two streams first differ, with what comes around it; undefined when they do not. */
export function streamDifference(
  ours: readonly PropagatedCommand[],
  theirs: readonly PropagatedCommand[],
): string | undefined {
  const length = Math.max(ours.length, theirs.length);
  for (let i = 0; i < length; i++) {
    if (ours[i] !== undefined && theirs[i] !== undefined && areSame(ours[i], theirs[i])) continue;
    const shown = (stream: readonly PropagatedCommand[]) =>
      stream
        .slice(Math.max(0, i - 3), i + 4)
        .map((command) => `    ${command.map(shortened).join(' ').slice(0, 400)}`)
        .join('\n');
    return `command ${i}\n  Respite:\n${shown(ours)}\n  Redis:\n${shown(theirs)}`;
  }
  return undefined;
}

function shortened(argument: string): string {
  return JSON.stringify(argument.length > 60 ? `${argument.slice(0, 50)}… (${argument.length})` : argument);
}

function areSame(ours: PropagatedCommand, theirs: PropagatedCommand): boolean {
  if (ours.length !== theirs.length) return false;
  const timeAt = timeIndex(theirs);
  return theirs.every((argument, i) => ours[i] === argument || (i === timeAt && areNear(ours[i], argument)));
}

/** The argument that is a Unix time in ms, which servers may have counted from clocks that differ. */
function timeIndex([name, ...args]: PropagatedCommand): number {
  const pxat = args.indexOf('PXAT') + 1;
  if (name === 'PEXPIREAT' || name === 'HPEXPIREAT') return 2;
  if (name.toUpperCase() === 'RESTORE' && args.at(-1) === 'ABSTTL') return 2;
  return (name === 'SET' || name.toUpperCase() === 'HSETEX') && pxat > 0 ? pxat + 1 : -1;
}

function areNear(ours: string, theirs: string): boolean {
  const isTime = /^\d{13,}$/.test(ours) && /^\d{13,}$/.test(theirs);
  return isTime && Math.abs(Number(ours) - Number(theirs)) <= TOLERANCE_MS;
}

/** The commands in RESP. Throws when it is not RESP from the first to the last byte. */
function parseCommands(bytes: Buffer): PropagatedCommand[] {
  const commands: PropagatedCommand[] = [];
  let position = 0;
  const header = (type: string): number => {
    const end = bytes.indexOf('\r\n', position);
    const line = bytes.toString('latin1', position, end);
    if (end < 0 || line[0] !== type)
      throw new Error(`not a ${type} at byte ${position}: ${line.slice(0, 40)}`);
    position = end + 2;
    return Number(line.slice(1));
  };
  while (position < bytes.length) {
    const command: string[] = [];
    for (let left = header('*'); left > 0; left--) {
      const length = header('$');
      command.push(bytes.toString('latin1', position, position + length));
      position += length + 2;
    }
    commands.push(command);
  }
  return commands;
}
