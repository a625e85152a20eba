/**
 * Starting with the same command lines and configuration files as a real redis-server 8.0: the same configuration, or
 * the same words of refusal. Needs no Respite server.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillInPort, RealRedis, realRedisSource, temporaryDirectory } from '../support/real-redis.js';
import { getOurs, getReal, load } from './config-comparison.js';

const { directory, remove } = temporaryDirectory();

beforeAll(() => {
  mkdirSync(join(directory, 'sub'));
  mkdirSync(join(directory, 'parts'));
  const stock = readFileSync(join(realRedisSource(), 'redis.conf'), 'utf8');
  const files = {
    'plain.conf':
      '# comment\nsave 900 1\n\n  MaxMemory   100mb\t\nmasterauth "a\\x41\\"b"\r\ntimeout \'5\'\n',
    'includes.conf': 'dir sub\ninclude ../parts/*.conf\ninclude ../parts/none*.conf\nhz 20\n',
    'parts/1.conf': 'timeout 1\nhz 7\n',
    'parts/2.conf': 'timeout 2',
    'parts/.hidden.conf': 'timeout 3\n',
    'bad.conf': '# fine\n  port "x  y"  \nport 5\n',
    'quotes.conf': 'port 1\nrequirepass "abc\n',
    'stock.conf': stock,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
});

afterAll(remove);

/** Cuts the time and process off the log's lines. */
function withoutLogPrefix(output: string): string {
  return output
    .split('\n')
    .map((line) => line.replace(/^[0-9]+:[A-Z] .*? [#*] /, ''))
    .filter((line) => line !== '')
    .join('\n');
}

async function compareStart(args: readonly string[], stdin: string | undefined): Promise<void> {
  const { server, port } = await RealRedis.startIn(directory, args, stdin);
  const ours = load(directory, fillInPort(args, port), stdin);
  if ('message' in server) {
    if (!('message' in ours)) expect.fail(`accepted: ${args.join(' ')}\n${server.message}`);
    expect(withoutLogPrefix(server.message)).toContain(ours.message);
  } else {
    try {
      if ('message' in ours) expect.fail(`refused: ${args.join(' ')}\n${ours.message}`);
      expect(getOurs(ours, '*')).toEqual(await getReal(server.client, '*'));
    } finally {
      await server.stop();
    }
  }
}

describe('starting as redis-server 8.0', () => {
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
    { args: ['stock.conf', '--port', 'PORT'] },
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
  ])('$args', async ({ args, stdin }) => {
    await compareStart(args, stdin);
  });
});
