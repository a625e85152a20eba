/**
 * CONFIG GET, SET and REWRITE against a real redis-server 8.0: the same commands on both, and the same answers from both.
 * Needs no Respite server.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Configuration } from '../../src/config/configuration.js';
import { directives } from '../../src/config/directives.js';
import { call, fillInPort, RealRedis, temporaryDirectory } from '../support/real-redis.js';
import { getOurs, getReal, load, toPairs } from './config-comparison.js';

const LOCAL = { isLoading: false, isLocalClient: true };

const { directory, remove } = temporaryDirectory();

afterAll(remove);

describe('configuration, next to redis-server 8.0', () => {
  let real: RealRedis;
  let ours: Configuration;

  beforeAll(async () => {
    writeFileSync(join(directory, 'running.conf'), 'enable-protected-configs local\n');
    const args = ['running.conf', '--port', 'PORT'];
    const { server, port } = await RealRedis.startIn(directory, args);
    if ('message' in server) throw new Error(server.message);
    real = server;
    const loaded = load(directory, fillInPort(args, port));
    if ('message' in loaded) throw new Error(loaded.message);
    ours = loaded;
  });

  afterAll(() => real.stop());

  /** Sends CONFIG SET to both and compares the replies and what is then set. */
  async function compareSet(...args: string[]): Promise<void> {
    const pairs = toPairs(args);
    const names = pairs.map(([name]) => name);
    const [[realReply], realValues] = await Promise.all([
      call(real.client, 'config', 'set', ...args),
      getReal(real.client, ...names),
    ]);
    const outcome = await ours.set(pairs, LOCAL);
    const ourReply = outcome?.replaceAll(/[\r\n]/g, ' ') ?? 'OK';
    expect([args, ourReply, getOurs(ours, ...names)]).toEqual([args, realReply, realValues]);
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

  /** What CONFIG REWRITE makes of a file on both; new lines, which Redis adds in no order, are put in order. */
  async function compareRewrite(text: string, changes: string[], force: boolean): Promise<string> {
    const [realFile, ourFile] = ['real-rewrite.conf', 'our-rewrite.conf'].map((name) =>
      join(directory, name),
    );
    for (const file of [realFile, ourFile]) writeFileSync(file, text, 'latin1');
    const args = ['--port', 'PORT', '--enable-debug-command', 'local', '--dir', directory];
    const started = await RealRedis.startIn(directory, [realFile, ...args]);
    const { server } = started;
    const loaded = load(directory, [ourFile, ...fillInPort(args, started.port)]);
    if ('message' in server) throw new Error(server.message);
    if ('message' in loaded) throw new Error(loaded.message);
    expect(await call(server.client, 'config', 'set', ...changes)).toEqual(['OK']);
    expect(loaded.set(toPairs(changes), LOCAL)).toBeUndefined();
    const rewriting = force ? ['debug', 'config-rewrite-force-all'] : ['config', 'rewrite'];
    expect(await call(server.client, ...rewriting)).toEqual(['OK']);
    const users = ['default on nopass sanitize-payload ~* &* +@all'];
    expect(loaded.rewrite({ force, users })).toBeUndefined();
    await server.stop();

    const [real, ours] = [realFile, ourFile].map((file) => {
      const [head, ...tail] = readFileSync(file, 'latin1').split('# Generated by CONFIG REWRITE\n');
      return [head, ...tail.map((lines) => lines.split('\n').sort())];
    });
    expect(ours).toEqual(real);
    const rewritten = readFileSync(ourFile, 'latin1');
    const reloaded = load(directory, [ourFile]);
    if ('message' in reloaded) throw new Error(reloaded.message);
    expect(getOurs(reloaded, '*')).toEqual(getOurs(loaded, '*'));
    return rewritten;
  }

  const originalFile = `# My server

maxmemory 5mb


# Snapshots:
save 1 1
SAVE 2 2 3 3
timeout 0
timeout 5
slave-priority 7
hash-max-ziplist-entries 5
client-output-buffer-limit pubsub 1mb 1mb 1
user default on nopass sanitize-payload ~* &* +@all
io-threads-do-reads yes
masterauth "x y"
masteruser 'it\\'s'
bind 127.0.0.1
  # trailing
`;

  test.each([
    { changes: ['hz', '20'], force: false },
    { changes: ['save', '', 'masterauth', '', 'bind', '* -::*'], force: false },
    {
      changes: ['save', '1 2 3 4 5 6 7 8', 'maxmemory', '1536', 'latency-tracking-info-percentiles', ''],
      force: false,
    },
    {
      changes: ['masterauth', 'a\nb\0"\\\xff', 'notify-keyspace-events', 'AKE', 'replica-priority', '9'],
      force: false,
    },
    {
      changes: ['client-output-buffer-limit', 'normal 3gb 1500 1', 'maxmemory-clients', '5%'],
      force: false,
    },
    { changes: ['maxmemory', '9223372036854775807', 'oom-score-adj-values', '0 200 801'], force: false },
    { changes: ['shutdown-on-sigint', 'save now', 'set-max-listpack-value', '1024'], force: true },
    { changes: ['hz', '10'], force: true },
  ])('CONFIG REWRITE after $changes, force $force', async ({ changes, force }) => {
    const once = await compareRewrite(originalFile, changes, force);
    expect(once).toContain('# My server\n\nmaxmemory ');
    await compareRewrite(once, changes, force);
  });

  test('CONFIG REWRITE of files that are empty or only comments', async () => {
    await compareRewrite('', ['hz', '20'], false);
    await compareRewrite('# Generated by CONFIG REWRITE', ['hz', '20'], false);
    await compareRewrite('\n\n\n#x\n', ['hz', '20'], true);
  });
});
