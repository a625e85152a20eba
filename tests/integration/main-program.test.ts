import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Program, type ProgramOptions } from '../support/program.js';
import { RawConnection } from '../support/raw-connection.js';

/** The program as a process: what it prints, what it ends with, what it leaves behind. */

let directory: string;
const programs: Program[] = [];

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'respite-program-')));
});

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill()));
  rmSync(directory, { recursive: true, force: true });
});

function run(args: readonly string[], options: ProgramOptions = {}): Program {
  const program = new Program(args, { cwd: directory, ...options });
  programs.push(program);
  return program;
}

/** A server that listens on nothing but a unix socket, so that no test takes another's port. */
async function startOnSocket(...args: string[]): Promise<Program> {
  const program = run(['--port', '0', '--unixsocket', socketPath(), ...args]);
  await program.prints('Ready to accept connections unix');
  return program;
}

function socketPath(): string {
  return join(directory, 'socket');
}

async function call(...command: string[]): Promise<unknown> {
  const connection = await RawConnection.open(socketPath());
  const reply = await connection.call(...command);
  await connection.close();
  return reply;
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts with a port that nobody had a moment ago; another one when it is taken by now. */
async function startOnPort(...args: string[]): Promise<{ program: Program; port: number }> {
  for (;;) {
    const port = await freePort();
    const program = run(['--port', String(port), '--bind', '127.0.0.1', ...args]);
    try {
      await program.prints('Ready to accept connections tcp');
      return { program, port };
    } catch (error) {
      if (!program.stdout.includes('Failed listening on port')) throw error;
    }
  }
}

describe('a start', () => {
  test('prints what tools wait for, in the order of redis-server', async () => {
    const { program, port } = await startOnPort('--always-show-logo', 'yes');
    const connection = await RawConnection.open(port);
    expect(await connection.call('PING')).toEqual({ status: 'PONG' });
    await connection.close();
    expect(program.stdout).toMatch(
      new RegExp(
        'Redis is starting oO0O[\\s\\S]*Redis version=8\\.0\\.6, bits=64, [^\\n]*just started\\n[\\s\\S]*' +
          `Configuration loaded[\\s\\S]* PID: ${program.pid}\\n[\\s\\S]*Server initialized[\\s\\S]*Ready to accept`,
      ),
    );
    expect(program.stdout).toMatch(/^\d+:C \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} \* oO0O/);
    expect(program.stderr).toBe('');
  });

  test.runIf(process.platform === 'linux')(
    'has its compiler give way to the thread that serves',
    async () => {
      const { pid } = await startOnSocket();
      // The niceness is the 19th value of a stat file, the 17th behind the name.
      const niceness = readdirSync(`/proc/${pid}/task`).map((thread) => {
        const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
        return [Number(thread), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])];
      });
      expect(niceness.find(([thread]) => thread === pid)?.[1]).toBe(0);
      expect(niceness.filter(([, nice]) => nice === 10).length).toBeGreaterThanOrEqual(2);
    },
  );

  test('in JSON when that is wanted', async () => {
    const program = await startOnSocket('--log-format', 'json', '--slowlog-log-slower-than', '-1');
    const events = program.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    expect(events.at(-1)?.msg).toBe('Ready to accept connections unix');
    expect(await call('CONFIG', 'GET', 'slowlog-log-slower-than')).toEqual(['slowlog-log-slower-than', '-1']);
  });

  test('on a port that is taken ends with exit code 1', async () => {
    const { port } = await startOnPort();
    const second = run(['--port', String(port), '--bind', '127.0.0.1', '--pidfile', 'pid']);
    expect(await second.end).toEqual({ code: 1, signal: null });
    expect(second.stdout).toContain(`Failed listening on port ${port} (tcp), aborting.`);
    expect(existsSync(join(directory, 'pid'))).toBe(false);
  });

  test('works in the directory that it is told, and finds its file from where it was started', async () => {
    writeFileSync(
      join(directory, 'redis.conf'),
      'port 0\ndir ./data\nunixsocket ../socket\nlogfile server.log\n',
    );
    mkdirSync(join(directory, 'data'));
    const program = run(['redis.conf']);
    const log = join(directory, 'data', 'server.log');
    await expect
      .poll(() => existsSync(log) && readFileSync(log, 'utf8'))
      .toContain('Ready to accept connections unix');
    expect(await call('CONFIG', 'GET', 'dir')).toEqual(['dir', join(directory, 'data')]);
    expect(await call('CONFIG', 'REWRITE')).toEqual({ status: 'OK' });
    expect(readFileSync(join(directory, 'redis.conf'), 'utf8')).toContain('logfile');
    program.process.kill('SIGTERM');
    expect(await program.end).toEqual({ code: 0, signal: null });
    expect(program.stdout).toBe('');
  });

  test('reads more of its configuration from standard input', async () => {
    const program = run(['-'], { stdin: `port 0\nunixsocket ${socketPath()}\nmaxclients 77\n` });
    await program.prints('Ready to accept connections unix');
    expect(await call('CONFIG', 'GET', 'maxclients')).toEqual(['maxclients', '77']);
  });

  test('renames commands', async () => {
    await startOnSocket('--rename-command', 'FLUSHALL', 'wipe', '--rename-command', 'FLUSHDB', '');
    expect(await call('FLUSHALL')).toMatchObject({ error: expect.stringContaining('unknown command') });
    expect(await call('FLUSHDB')).toMatchObject({ error: expect.stringContaining('unknown command') });
    expect(await call('WIPE')).toEqual({ status: 'OK' });
  });

  test.runIf(process.platform === 'linux')('names its process as the template says', async () => {
    const program = await startOnSocket('--proc-title-template', 'TEST {title} {port}');
    const name = () => readFileSync(`/proc/${program.pid}/cmdline`, 'latin1').replace(/\0/g, ' ').trim();
    expect(name()).toMatch(/^TEST .*main\.js 0$/);
    await call('CONFIG', 'SET', 'proc-title-template', 'OTHER {server-mode}x');
    expect(name()).toBe('OTHER x');
  });

  test('as a daemon leaves nothing but its process id', async () => {
    const started = run(
      ['--daemonize', 'yes', '--pidfile', join(directory, 'pid'), '--logfile', join(directory, 'log'), '-'],
      { stdin: `port 0\nunixsocket ${socketPath()}\n` },
    );
    expect(await started.end).toEqual({ code: 0, signal: null });
    expect(started.stdout).toBe('');
    await expect.poll(() => existsSync(socketPath())).toBe(true);
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
    expect(pid).not.toBe(started.pid);
    const info = String(await call('INFO', 'server'));
    expect(info).toContain(`process_id:${pid}\r\n`);
    process.kill(pid, 'SIGTERM');
    await expect.poll(() => readFileSync(join(directory, 'log'), 'utf8')).toContain('bye bye');
    expect(existsSync(join(directory, 'pid'))).toBe(false);
  });
});

describe('a wrong command line', () => {
  test.each([
    [['--port', 'x'], "argument couldn't be parsed into an integer", '>>> \'port "x"\''],
    [['--no-such-directive', 'x'], 'Unresolved Configuration(s) Detected:', ''],
    [['--maxmemory-policy', 'x'], 'argument(s) must be one of the following', ''],
    [['--rename-command', 'nosuch', 'x'], 'No such command in rename-command', ''],
    [['--user', 'bob', 'on'], 'Users besides the default one are not supported', ''],
    [
      ['/nonexistent/redis.conf'],
      "can't open config file '/nonexistent/redis.conf': No such file or directory",
      '',
    ],
  ])('%s', async (args, reason, line) => {
    const program = run(args);
    expect(await program.end).toEqual({ code: 1, signal: null });
    expect(program.stdout + program.stderr).toContain(reason);
    expect(program.stderr).toContain(line);
    if (program.stderr !== '') {
      expect(program.stderr).toMatch(/^\n\*\*\* FATAL CONFIG FILE ERROR \(Redis 8\.0\.6\) \*\*\*\n/);
    }
  });

  test('of Respite itself', async () => {
    const program = run(['--log-format', 'xml']);
    expect(await program.end).toEqual({ code: 1, signal: null });
    expect(program.stderr).toContain('text');
  });
});

describe('options that only tell something', () => {
  test.each([
    ['--version', 0, /^Redis server v=8\.0\.6 sha=[0-9a-f]{8}:\d malloc=\S+ bits=64 build=[0-9a-f]{16}\n$/],
    ['-v', 0, /^Redis server v=8\.0\.6 /],
    ['--help', 0, /^Usage: respite-server \[\/path\/to\/redis\.conf\]/],
  ])('%s', async (option, code, output) => {
    const program = run([option]);
    expect((await program.end).code).toBe(code);
    expect(program.stdout).toMatch(output);
  });

  test('--check-system', async () => {
    const program = run(['--check-system']);
    const { code } = await program.end;
    expect(program.stdout).toMatch(/^\[node-version\]\.\.\.OK\n/);
    expect(code).toBe(program.stdout.includes('WARNING') ? 1 : 0);
  });

  test('--test-memory is refused', async () => {
    const program = run(['--test-memory', '1']);
    expect((await program.end).code).toBe(1);
    expect(program.stderr).toContain('does not test memory');
  });
});

describe('the end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('by %s is orderly', async (signal) => {
    const program = await startOnSocket('--pidfile', join(directory, 'pid'));
    expect(readFileSync(join(directory, 'pid'), 'utf8')).toBe(`${program.pid}\n`);
    program.process.kill(signal);
    expect(await program.end).toEqual({ code: 0, signal: null });
    expect(program.stdout).toMatch(
      new RegExp(
        `Received ${signal} scheduling shutdown\\.\\.\\.[\\s\\S]*User requested shutdown\\.\\.\\.[\\s\\S]*` +
          'Removing the pid file\\.[\\s\\S]*Redis is now ready to exit, bye bye\\.\\.\\.\\n$',
      ),
    );
    expect(existsSync(join(directory, 'pid'))).toBe(false);
    expect(existsSync(socketPath())).toBe(false);
  });

  test('by SHUTDOWN has exit code 0', async () => {
    const program = await startOnSocket();
    await expect(call('SHUTDOWN', 'NOSAVE')).rejects.toThrow('closed');
    expect(await program.end).toEqual({ code: 0, signal: null });
  });

  test('does not come by SIGHUP or SIGUSR1, and no debugger either', async () => {
    const program = await startOnSocket();
    program.process.kill('SIGHUP');
    program.process.kill('SIGUSR1');
    expect(await call('PING')).toEqual({ status: 'PONG' });
    expect(program.stderr).toBe('');
  });

  test.each([
    ['SEGFAULT', 'SIGSEGV', 'crashed by signal: 11'],
    ['PANIC', 'SIGABRT', 'Guru Meditation: DEBUG PANIC called'],
    ['ASSERT', 'SIGABRT', 'ASSERTION FAILED'],
    ['OOM', 'SIGABRT', 'Out Of Memory'],
  ])('by DEBUG %s leaves a report', async (subcommand, signal, headline) => {
    const program = await startOnSocket('--enable-debug-command', 'yes');
    await expect(call('DEBUG', subcommand)).rejects.toThrow('closed');
    expect(await program.end).toEqual({ code: null, signal });
    expect(program.stdout).toContain('BUG REPORT START');
    expect(program.stdout).toContain(headline);
    expect(program.stdout).toContain('redis_version:8.0.6');
    expect(program.stdout).toContain('STACK TRACE DONE');
  });

  test('by SIGABRT leaves a report', async () => {
    const program = await startOnSocket();
    program.process.kill('SIGABRT');
    expect(await program.end).toEqual({ code: null, signal: 'SIGABRT' });
    expect(program.stdout).toContain('crashed by signal: 6');
  });
});

describe('while it runs', () => {
  test.runIf(process.platform === 'linux')('oom-score-adj follows its directives', async () => {
    const program = await startOnSocket('--oom-score-adj', 'yes', '--oom-score-adj-values', '10', '20', '30');
    const score = (pid: number | 'self') => Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1'));
    const base = score('self');
    expect(score(program.pid)).toBe(base + 10);
    const client = await RawConnection.open(socketPath());
    const set = async (name: string, value: string) => await client.call('CONFIG', 'SET', name, value);
    expect(await set('oom-score-adj-values', '15 20 30')).toEqual({ status: 'OK' });
    expect(score(program.pid)).toBe(base + 15);
    expect(await set('oom-score-adj', 'absolute')).toEqual({ status: 'OK' });
    expect(score(program.pid)).toBe(15);
    expect(await set('oom-score-adj', 'no')).toEqual({ status: 'OK' });
    expect(score(program.pid)).toBe(base);
    await client.close();
  });

  test('CONFIG SET loglevel changes what is logged', async () => {
    const args = ['--port', '0', '--unixsocket', socketPath(), '--enable-debug-command', 'yes'];
    const program = run([...args, '--loglevel', 'warning']);
    await expect.poll(() => existsSync(socketPath())).toBe(true);
    expect(program.stdout).toBe('');
    await call('DEBUG', 'CHANGE-REPL-ID');
    await call('CONFIG', 'SET', 'loglevel', 'notice');
    await call('DEBUG', 'CHANGE-REPL-ID');
    await program.prints('Changing replication IDs');
    expect(program.stdout.split('Changing replication IDs').length).toBe(2);
  });

  test('the log file may be moved away', async () => {
    const log = join(directory, 'log');
    await startOnSocketWithLog(log);
    rmSync(log);
    await call('DEBUG', 'LOG', 'still there');
    expect(readFileSync(log, 'utf8')).toContain('DEBUG LOG: still there');
  });

  async function startOnSocketWithLog(log: string): Promise<void> {
    run(['--port', '0', '--unixsocket', socketPath(), '--enable-debug-command', 'yes', '--logfile', log]);
    await expect
      .poll(() => existsSync(log) && readFileSync(log, 'utf8'))
      .toContain('Ready to accept connections unix');
  }
});
