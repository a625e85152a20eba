import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Configuration } from '../../../src/config/configuration.js';
import { ConfigurationError } from '../../../src/config/configuration-error.js';
import { type LoadOptions, loadConfiguration } from '../../../src/config/file.js';

let directory: string;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'respite-file-')));
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, 'latin1');
  return path;
}

function load(text: string, options: LoadOptions = {}): Configuration {
  return loadConfiguration({ ...options, file: write('redis.conf', text) });
}

function errorOf(action: () => unknown): ConfigurationError {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  return expect.fail('no error');
}

describe('loadConfiguration', () => {
  test('gives defaults without any source', () => {
    const configuration = loadConfiguration({});
    expect(configuration.get('port')).toBe(6379);
    expect(configuration.get('dir')).toBe(realpathSync('.'));
    expect(configuration.file).toBeUndefined();
  });

  test('lets the last source win: file, standard input, command line', () => {
    const file = write('a.conf', 'hz 11\ntimeout 11\nmaxmemory 11\n');
    const configuration = loadConfiguration({ argv: [file, '--hz', '13', '-'], stdin: 'hz 12\ntimeout 12' });
    const { hz, timeout, maxmemory } = configuration.values;
    expect([hz, timeout, maxmemory]).toEqual([13, 12, 11]);
    expect(configuration.file).toBe(file);
  });

  test('takes a file that is not among the arguments', () => {
    const file = write('a.conf', 'hz 11');
    const configuration = loadConfiguration({ file, argv: ['timeout', '5', '--maxclients', '7'] });
    const { hz, timeout, maxclients } = configuration.values;
    expect([hz, timeout, maxclients]).toEqual([11, 5, 7]);
  });

  test('lets lines of save add up, starting anew from the defaults', () => {
    expect(load('').text('save')).toBe('3600 1 300 100 60 10000');
    expect(load('save 1 2\nhz 5\nsave 3 4 5 6').text('save')).toBe('1 2 3 4 5 6');
    expect(load('save 1 2\nsave ""\nsave 3 4').text('save')).toBe('3 4');
    expect(load('save 1 2', { argv: ['--save', ''] }).text('save')).toBe('');
  });

  test('keeps bytes that are no UTF-8, and decodes those that are', () => {
    const configuration = load('masterauth "\\xff\xe9"\ndbfilename \xc3\xa9.rdb');
    expect(configuration.get('masterauth')).toBe('\xff\xe9');
    expect(configuration.get('dbfilename')).toBe('é.rdb');
    expect(configuration.text('dbfilename')).toBe('\xc3\xa9.rdb');
  });

  test('includes files, relative to dir, with wildcards', () => {
    mkdirSync(join(directory, 'd'));
    write('d/b.conf', 'hz 7');
    write('d/a.conf', 'hz 6\ntimeout 6\n');
    write('d/.c.conf', 'hz 8');
    const configuration = load(`dir ${directory}\ninclude d/[a-z].conf\ninclude none*`);
    const { hz, timeout } = configuration.values;
    expect([hz, timeout]).toEqual([7, 6]);
    expect(load(`dir ${directory}\ninclude */a.conf\ninclude d`).get('hz')).toBe(6);
  });

  test('does not include for ever', () => {
    const file = write('loop.conf', `include ${join(directory, 'loop.conf')}`);
    expect(errorOf(() => loadConfiguration({ file })).message).toContain("can't open config file");
  });

  test('limits a cluster to one database, with a warning', () => {
    const warnings: string[] = [];
    const configuration = load('cluster-enabled yes', { warn: (message) => warnings.push(message) });
    expect(configuration.get('databases')).toBe(1);
    expect(warnings).toEqual([
      'WARNING: Changing databases number from 16 to 1 since we are in cluster mode',
    ]);
  });

  test('hands statements that are no directives to their owners', () => {
    const calls: unknown[] = [];
    load('rename-command CONFIG ""\nUser alice on "a b"\nsentinel\nio-threads-do-reads yes', {
      renameCommand: (...names) => {
        calls.push(names);
        return undefined;
      },
      declareUser: (args) => {
        calls.push(args);
        return undefined;
      },
    });
    expect(calls).toEqual([
      ['CONFIG', ''],
      ['User', 'alice', 'on', 'a b'],
    ]);
  });
});

describe('a configuration that is refused', () => {
  test('names the line, the lines of all sources counted on', () => {
    const error = errorOf(() => load('# one\nhz 5', { argv: ['--port', 'x'] }));
    expect(error.message).toBe(
      [
        '*** FATAL CONFIG FILE ERROR (Redis 8.0.6) ***',
        'Reading the configuration file, at line 3',
        `>>> 'port "x"'`,
        "argument couldn't be parsed into an integer",
      ].join('\n'),
    );
    expect(error.destination).toBe('stderr');
  });

  test('gives what the owners of statements say', () => {
    const renamed = errorOf(() => load('rename-command a b', { renameCommand: () => 'No such command' }));
    expect(renamed.message).toContain(">>> 'rename-command a b'\nNo such command");
    const declareUser: LoadOptions['declareUser'] = (args) => ({ reason: 'Unknown', argument: args[2] });
    const user = errorOf(() => load('user a \xc3\xa9', { declareUser }));
    expect(user.message).toContain(">>> 'user a é'\nError in user declaration 'é': Unknown");
  });

  test('gives errors of the whole without a line', () => {
    const head = '*** FATAL CONFIG FILE ERROR (Redis 8.0.6) ***\n';
    expect(errorOf(() => load('cluster-enabled yes\nreplicaof a 1')).message).toBe(
      `${head}replicaof directive not allowed in cluster mode`,
    );
    expect(errorOf(() => load('logfile /nowhere/log')).message).toBe(
      `${head}Can't open the log file: No such file or directory`,
    );
  });

  test('tells through the log of files that are missing, modules, and what is no directive', () => {
    const missing = errorOf(() => loadConfiguration({ argv: ['/nowhere/redis.conf'] }));
    expect(missing.message).toBe(
      "Fatal error, can't open config file '/nowhere/redis.conf': No such file or directory",
    );
    expect(missing.destination).toBe('log');
    expect(errorOf(() => load('loadmodule /x.so a')).message).toBe(
      "Can't load module from /x.so: server aborting",
    );
    expect(errorOf(() => load('foo bar baz\nhz 5\nqux 1\nFOO 2')).message).toBe(
      [
        'Unresolved Configuration(s) Detected:',
        ">>> 'foo 2'",
        ">>> 'qux 1'",
        'Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting',
      ].join('\n'),
    );
  });
});
