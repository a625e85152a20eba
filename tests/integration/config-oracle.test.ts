/**
 * The configuration against a real redis-server 8.0: the same command lines, files, CONFIG SET and GET on both, and the
 * same answers from both. Needs no Respite server.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byteStringOf, bytesOf } from '../../src/config/byte-string.js';
import type { Configuration } from '../../src/config/configuration.js';
import { ConfigurationError } from '../../src/config/configuration-error.js';
import { directives } from '../../src/config/directives.js';
import { loadConfiguration } from '../../src/config/file.js';
import { matchGlob } from '../../src/structures/glob.js';

const LOCAL = { isLoading: false, isLocalClient: true };

function findServer(): string | undefined {
  try {
    const script = new URL('../../scripts/install-peers', import.meta.url).pathname;
    const bin = execFileSync(script, ['--path', '8.0'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return join(bin.trim(), 'redis-server');
  } catch {
    return undefined;
  }
}

const executable = findServer();
const directory = realpathSync(mkdtempSync(join(tmpdir(), 'respite-config-')));
const running = new Set<ChildProcess>();

afterAll(async () => {
  await Promise.all([...running].map(stop));
  rmSync(directory, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface RealServer {
  readonly process: ChildProcess;
  readonly client: Redis;
}

interface Refusal {
  readonly message: string;
}

/** Starts a real server; resolves to what it printed when it ends instead of accepting connections. */
async function start(args: readonly string[], port: number, stdin = ''): Promise<RealServer | Refusal> {
  if (executable === undefined) throw new Error('no redis-server 8.0');
  const child = spawn(executable, args, {
    cwd: directory,
    stdio: [stdin === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  child.stdin?.end(stdin);
  let output = '';
  const isReady = new Promise<boolean>((resolve) => {
    child.stdout?.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Ready to accept connections tcp')) resolve(true);
    });
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', () => resolve(false));
  });
  if (!(await isReady)) {
    running.delete(child);
    return { message: output };
  }
  return { process: child, client: new Redis({ port, host: '127.0.0.1', lazyConnect: false }) };
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}

/** A command's reply as text, an error's included; ioredis gives bytes, and keeps errors' text. */
async function call(client: Redis, ...args: string[]): Promise<string[]> {
  try {
    const reply: unknown = await client.callBuffer(
      args[0],
      ...args.slice(1).map((arg) => Buffer.from(arg, 'latin1')),
    );
    return [reply].flat().map((part) => (part instanceof Buffer ? byteStringOf(part) : String(part)));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function getReal(client: Redis, ...patterns: string[]): Promise<Record<string, string>> {
  const reply = await call(client, 'config', 'get', ...patterns);
  const pairs: [string, string][] = [];
  for (let i = 0; i < reply.length; i += 2) pairs.push([reply[i], reply[i + 1]]);
  return Object.fromEntries(pairs);
}

function getOurs(configuration: Configuration, ...patterns: string[]): Record<string, string> {
  return Object.fromEntries(configuration.getMatching(patterns));
}

/** What our loader makes of a start: a configuration, or the text of its error. */
function load(args: readonly string[], stdin = ''): Configuration | Refusal {
  const before = process.cwd();
  process.chdir(directory);
  try {
    return loadConfiguration({ argv: args, stdin });
  } catch (error) {
    if (error instanceof ConfigurationError) return { message: error.message };
    throw error;
  } finally {
    process.chdir(before);
  }
}

/** Cuts the time and process off the log's lines, and drops those that only a server which starts has. */
function withoutLogPrefix(output: string): string {
  return output
    .split('\n')
    .map((line) => line.replace(/^[0-9]+:[A-Z] .*? [#*] /, ''))
    .filter((line) => line !== '')
    .join('\n');
}

async function compareStart(args: readonly string[], stdin = ''): Promise<void> {
  const port = await freePort();
  const withPort = args.map((arg) => arg.replaceAll('PORT', String(port)));
  const real = await start(withPort, port, stdin);
  const ours = load(withPort, stdin);
  if ('message' in real) {
    if (!('message' in ours)) expect.fail(`accepted: ${withPort.join(' ')}\n${real.message}`);
    expect(withoutLogPrefix(real.message)).toContain(ours.message);
  } else {
    if ('message' in ours) expect.fail(`refused: ${withPort.join(' ')}\n${ours.message}`);
    expect(getOurs(ours, '*')).toEqual(await getReal(real.client, '*'));
    real.client.disconnect();
    await stop(real.process);
  }
}

describe.skipIf(executable === undefined)('configuration, next to redis-server 8.0', () => {
  test.each([
    { args: ['--port', 'PORT'] },
    { args: ['--port', 'PORT', '--save', ''] },
    { args: ['--save', '--port', 'PORT'] },
    { args: ['--port PORT', '--save'] },
    { args: ['--save', '900', '1', '300', '10', '--port', 'PORT'] },
    { args: ['--save', '900 1 300 10', '--save', '60 1', '--port', 'PORT'] },
    { args: ['--save', '900 1', '--save', '', '--save', '60 1', '--port', 'PORT'] },
    { args: ['--PORT', 'PORT', '--maxmemory 700mb', "--maxmemory-policy 'volatile-lru'"] },
    { args: ['--port', 'PORT', '--proc-title-template', '--my--title', '--loglevel', 'verbose'] },
    { args: ['--port', 'PORT', '--proc-title-template', '--save', '--save', '', '--loglevel', 'verbose'] },
    {
      args: [
        '--port',
        'PORT',
        '--shutdown-on-sigint',
        'nosave',
        'force',
        'now',
        '--shutdown-on-sigterm',
        'nosave force',
      ],
    },
    {
      args: [
        '--port',
        'PORT',
        '--client-output-buffer-limit',
        'normal',
        '1mb',
        '500k',
        '10',
        'slave',
        '1',
        '2',
        '3',
      ],
    },
    { args: ['--port', 'PORT', '--client-output-buffer-limit', 'PUBSUB 1g 2g 3'] },
    { args: ['--port', 'PORT', '--bind', '127.0.0.1 -::1', '--unixsocketperm', '755'] },
    { args: ['--port', 'PORT', '--slaveof', '127.0.0.1', '1', '--replica-announce-ip', 'a b'] },
    { args: ['--port', 'PORT', '--replicaof', 'no', 'one', '--hz', '1000'] },
    { args: ['--port', 'PORT', '--notify-keyspace-events', 'AnKEm', '--list-max-ziplist-size', '5'] },
    { args: ['--port', 'PORT', '--oom-score-adj-values', '1 2 3', '--oom-score-adj', 'no'] },
    { args: ['--port', 'PORT', '--latency-tracking-info-percentiles', '', '--cluster-enabled', 'yes'] },
    { args: ['--port', 'PORT', '--latency-tracking-info-percentiles', '50.5', '0.0000001', '1e1'] },
    { args: ['--port', 'PORT', '--dir', 'sub', '--requirepass', ''] },
    { args: ['--port', 'PORT', '--io-threads-do-reads', 'yes', '--dbfilename', 'a b"c\\d\n\u00e9'] },
    { args: ['--port', 'PORT', '-'], stdin: 'maxmemory 5mb\nsave 1 2\n' },
    { args: ['-', '--port', 'PORT', '--maxmemory', '1'], stdin: 'maxmemory 5mb\nsave 1 2' },
    { args: ['plain.conf', '--port', 'PORT'] },
    { args: ['plain.conf', '--save', '1', '1', '--port', 'PORT'] },
    { args: ['plain.conf', 'loglevel', 'verbose', '--port', 'PORT'] },
    { args: ['includes.conf', '--port', 'PORT'] },
    { args: ['source.conf', '--port', 'PORT'] },
    { args: ['--foo'] },
    { args: ['--foo', 'bar', 'baz'] },
    { args: ['missing.conf'] },
    { args: ['--include', 'missing.conf'] },
    { args: ['--include', 'bad.conf'] },
    { args: ['bad.conf', '--port', '1'] },
    { args: ['quotes.conf'] },
    { args: ['-'], stdin: '\n\n port x' },
    { args: ['--port'] },
    { args: ['--port', '-1'] },
    { args: ['--port', '--save'] },
    { args: ['--daemonize', 'foo'] },
    { args: ['--save', 'a'] },
    { args: ['--save', '1 2 3'] },
    { args: ['--loglevel', 'x', 'y'] },
    { args: ['--loglevel', 'x'] },
    { args: ['--shutdown-on-sigint', 'save', 'nosave'] },
    { args: ['--shutdown-on-sigint', 'now foo'] },
    { args: ['--replicaof', 'a', '99999'] },
    { args: ['--replicaof', 'a', '1x'] },
    { args: ['--replicaof', 'a'] },
    { args: ['--cluster-enabled', 'yes', '--replicaof', 'a', '1'] },
    { args: ['--logfile', '/missing/x'] },
    { args: ['--dir', '/missing'] },
    { args: ['--dir', 'plain.conf'] },
    { args: ['--unixsocketperm', '999'] },
    { args: ['--unixsocketperm', '7777'] },
    { args: ['--maxmemory-clients', '200%'] },
    { args: ['--proc-title-template', '{nothing}'] },
    { args: ['--appendfilename', ''] },
    { args: ['--appenddirname', 'a/b'] },
    { args: ['--oom-score-adj-values', '1', '2'] },
    { args: ['--bind', ...Array.from({ length: 17 }, (_, i) => `127.0.0.${i}`)] },
    { args: ['--databases', '0'] },
    { args: ['--lua-replicate-commands', 'yes', 'no'] },
    { args: ['--user'] },
    { args: ['--rename-command', 'a'] },
  ])('starting with $args', async ({ args, stdin }) => {
    mkdirSync(join(directory, 'sub'), { recursive: true });
    mkdirSync(join(directory, 'parts'), { recursive: true });
    const source = execFileSync(
      new URL('../../scripts/install-peers', import.meta.url).pathname,
      ['--source'],
      {
        encoding: 'utf8',
      },
    );
    const files = {
      'plain.conf':
        '# comment\nsave 900 1\n\n  MaxMemory   100mb\t\nmasterauth "a\\x41\\"b"\r\ntimeout \'5\'\n',
      'includes.conf': 'dir sub\ninclude ../parts/*.conf\ninclude ../parts/none*.conf\nhz 20\n',
      'parts/1.conf': 'timeout 1\nhz 7\n',
      'parts/2.conf': 'timeout 2',
      'parts/.hidden.conf': 'timeout 3\n',
      'bad.conf': '# fine\n  port "x  y"  \nport 5\n',
      'quotes.conf': 'port 1\nrequirepass "abc\n',
      'source.conf': readFileSync(join(source.trim(), 'redis.conf'), 'utf8'),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    await compareStart(args, stdin);
  });

  describe('a running server', () => {
    let real: RealServer;
    let ours: Configuration;

    beforeAll(async () => {
      const port = await freePort();
      const file = join(directory, 'running.conf');
      writeFileSync(file, `port ${port}\nenable-protected-configs local\n`);
      const started = await start([file], port);
      if ('message' in started) throw new Error(started.message);
      real = started;
      const loaded = load([file]);
      if ('message' in loaded) throw new Error(loaded.message);
      ours = loaded;
    });

    afterAll(() => real.client.disconnect());

    /** Sends CONFIG SET to both and compares the replies and what is then set. */
    async function compareSet(...args: string[]): Promise<void> {
      const pairs: [string, string][] = [];
      for (let i = 0; i < args.length; i += 2) pairs.push([args[i], args[i + 1]]);
      const names = pairs.map(([name]) => name);
      const [[realReply], realValues] = await Promise.all([
        call(real.client, 'config', 'set', ...args),
        getReal(real.client, ...names),
      ]);
      const outcome = await ours.set(pairs, LOCAL);
      const ourReply = outcome?.replaceAll(/[\r\n]/g, ' ') ?? 'OK';
      expect([args, byteStringOf(bytesOf(ourReply)), getOurs(ours, ...names)]).toEqual([
        args,
        realReply,
        realValues,
      ]);
    }

    test.each([
      '*',
      '*MAX*',
      'Slave*',
      '[a-c]*',
      '?ind',
      'hash-max-*',
      'no-such',
      'HZ',
      'key-load-delay',
      'key-load-dela?',
      '[^a-y]*',
      '[b-a]*-[x-z]*',
      '\\hz',
      '',
      '*\\*',
      'p*-*-*',
    ])('CONFIG GET %s', async (pattern) => {
      expect(getOurs(ours, pattern)).toEqual(await getReal(real.client, pattern));
    });

    test('CONFIG GET of several patterns', async () => {
      const patterns = [
        'maxmemory',
        'MAXMEMORY',
        'maxmemory*',
        'hz',
        'Timeout',
        'timeout',
        'time*',
        'slaveof',
        'watchdog-*',
      ];
      expect(getOurs(ours, ...patterns)).toEqual(await getReal(real.client, ...patterns));
    });

    test.each([
      ['no-such', '1'],
      ['hz', '5', 'no-such', '1', 'daemonize', 'yes'],
      ['hz', '5', 'daemonize', 'yes', 'no-such', '1'],
      ['MaxMemory', '1', 'maxmemory', '2'],
      ['hash-max-ziplist-entries', '3', 'hash-max-listpack-entries', '4'],
      ['hz', '5', 'timeout', 'x', 'maxmemory', '5'],
      ['timeout', '7', 'hz', '1', 'SAVE', 'x'],
      ['save', ''],
      ['save', '1 2 3 4'],
      ['save', ' 1 2'],
      ['save', '+1 2'],
      ['save', '1 '],
      ['save', '0 1'],
      ['save', '1 -1'],
      ['save', '1 4294967297'],
      ['dir', '/nowhere'],
      ['dir', ''],
      ['dir', '/etc/passwd'],
      ['dir', '..', 'dbfilename', 'a/b'],
      ['dbfilename', 'other.rdb'],
      ['client-output-buffer-limit', ''],
      ['client-output-buffer-limit', 'normal 1 2'],
      ['client-output-buffer-limit', 'normal 1 2 3 pubsub 1gb 2k -1'],
      ['client-output-buffer-limit', 'master 1 2 3'],
      ['client-output-buffer-limit', 'pubsub 10mb 2k 3 replica 99999999999999999999 b 4294967295'],
      ['client-output-buffer-limit', 'pubsub 10mb 2k 3 REPLICA 18446744073709551615 1 2147483647'],
      ['notify-keyspace-events', 'KEAn'],
      ['notify-keyspace-events', 'AKE '],
      ['notify-keyspace-events', 'nmtdxegKE$lshz'],
      ['notify-keyspace-events', 'nmtdxegKE$lsh'],
      ['shutdown-on-sigint', 'SAVE Now'],
      ['shutdown-on-sigint', 'default force'],
      ['shutdown-on-sigint', 'save  now'],
      ['shutdown-on-sigint', ''],
      ['shutdown-on-sigint', 'nosave save'],
      ['oom-score-adj-values', '1 2'],
      ['oom-score-adj-values', '1 2 2001'],
      ['oom-score-adj-values', '1 2 x'],
      ['latency-tracking-info-percentiles', '1 2 101'],
      ['latency-tracking-info-percentiles', '-1'],
      ['latency-tracking-info-percentiles', 'nan'],
      ['latency-tracking-info-percentiles', '1 inf'],
      ['latency-tracking-info-percentiles', '5. .5 +5 1e1 99.9999999 33.333333333'],
      ['latency-tracking-info-percentiles', ''],
      ['bind', Array.from({ length: 17 }, () => '127.0.0.1').join(' ')],
      ['proc-title-template', '{title}'],
      ['proc-title-template', '{title'],
      ['proc-title-template', '{{title} {'],
      ['proc-title-template', ' {{title} {port} {server-mode}'],
      ['proc-title-template', '{config-file}'],
      ['proc-title-template', '{}'],
      ['cluster-announce-hostname', 'a_b'],
      ['cluster-announce-hostname', 'x'.repeat(256)],
      ['cluster-announce-hostname', 'x'.repeat(255)],
      ['cluster-announce-human-nodename', 'a b-c/d'],
      ['cluster-announce-human-nodename', 'a=b'],
      ['cluster-announce-human-nodename', 'a@b'],
      ['requirepass', 'p\0q\xff'],
      ['requirepass', ''],
      ['masteruser', 'p\0q\xff'],
    ])('CONFIG SET %j', async (...args) => {
      await compareSet(...args);
    });

    /** Directives whose change reaches beyond the configuration: ports, timers, kernel, files, our own connection. */
    const reachingDirectives = new Set([
      'activedefrag',
      'appendonly',
      'bind',
      'locale-collate',
      'maxclients',
      'oom-score-adj',
      'oom-score-adj-values',
      'port',
      'tls-cluster',
      'tls-port',
      'tls-replication',
      'maxmemory-clients',
      'timeout',
      'watchdog-period',
    ]);

    const anyValues = [
      ...[
        '',
        ' ',
        '0',
        '1',
        '-1',
        '5',
        '+5',
        '007',
        ' 5',
        '5 ',
        '1.5',
        'abc',
        'a b',
        'a\'b"',
        'yes',
        'NO',
        'yes\0no',
        '1\0',
      ],
      ...[
        '1kb',
        '1K',
        '3MB',
        '2gb',
        '2g',
        '1b',
        '1gbx',
        'kb',
        'b',
        '-1kb',
        '17179869184gb',
        '9007199254740993',
      ],
      ...['2147483647', '2147483648', '-2147483648', '-2147483649', '4294967295', '4294967296', '1048577'],
      ...['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809'],
      ...['18446744073709551615', '18446744073709551616', '9'.repeat(30), '1'.repeat(127), '1'.repeat(128)],
      ...['0%', '5%', '100%', '101%', '-5%', '%', '5%%', '/a', '\\', '\xe9', 'a\r\nb', '*', '0x10', '1e3'],
    ];

    test.each([...directives].filter(([name]) => !reachingDirectives.has(name)))(
      'CONFIG SET of all kinds of values for %s',
      async (name, directive) => {
        const [[, before]] = ours.getMatching([name]);
        const words = directive.kind === 'enum' || directive.kind === 'enum-set' ? directive.values : [];
        for (const value of [...anyValues, ...words, ...words.map((word) => word.toUpperCase())]) {
          await compareSet(name, value);
          if (directive.alias !== undefined) await compareSet(directive.alias, value);
        }
        if (!directive.flags?.includes('immutable')) await compareSet(name, before);
      },
    );

    test('all values are still the same, and all can be set to what they are', async () => {
      const values = await getReal(real.client, '*');
      expect(getOurs(ours, '*')).toEqual(values);
      for (const [name, value] of Object.entries(values)) await compareSet(name, value);
      expect(getOurs(ours, '*')).toEqual(values);
    });

    test('matchGlob finds the keys that KEYS finds', async () => {
      const alphabet = 'abAB*?[]^-\\\x80\xff';
      let seed = 12345;
      const random = (below: number): number => {
        seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
        return Math.floor((seed / 0x80000000) * below);
      };
      const text = (lengthMin: number, lengthMax: number): string =>
        Array.from(
          { length: lengthMin + random(lengthMax - lengthMin + 1) },
          () => alphabet[random(alphabet.length)],
        ).join('');
      const keys = [...new Set(Array.from({ length: 300 }, () => text(1, 6)))];
      await call(real.client, 'mset', ...keys.flatMap((key) => [key, '1']));
      for (let i = 0; i < 3000; i++) {
        const pattern = text(1, 8);
        const found = (await call(real.client, 'keys', pattern)).sort();
        const bytes = bytesOf(pattern);
        const ours = keys
          .filter((key) => matchGlob(bytes, 0, bytes.length, bytesOf(key), 0, key.length, false))
          .sort();
        expect([pattern, ours]).toEqual([pattern, found]);
      }
    });
  });
});
