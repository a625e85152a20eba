import { beforeEach, describe, expect, test } from 'vitest';
import { Configuration } from '../../../src/config/configuration.js';

const CLIENT = { isLoading: false, isLocalClient: false };

let configuration: Configuration;

beforeEach(() => {
  configuration = new Configuration();
});

function failure(name: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
}

describe('CONFIG GET', () => {
  test('answers names as they were given, once', () => {
    expect(configuration.getMatching(['MaxMemory', 'maxmemory', 'nothing'])).toEqual([['MaxMemory', '0']]);
  });

  test('answers aliases and hidden directives', () => {
    expect(configuration.getMatching(['slave-read-only', 'key-load-delay'])).toEqual([
      ['slave-read-only', 'yes'],
      ['key-load-delay', '0'],
    ]);
    expect(configuration.getMatching(['key-load-dela?', 'lua-*'])).toEqual([['lua-time-limit', '5000']]);
  });
});

describe('CONFIG SET', () => {
  test('sets values, typed and as text', () => {
    const pairs: [string, string][] = [
      ['MAXMEMORY', '18446744073709551615'],
      ['maxmemory-clients', '5%'],
      ['oom-score-adj', 'Relative'],
      ['shutdown-on-sigterm', 'now save'],
      ['save', '1 2 3 4'],
      ['requirepass', '\xff\0'],
      ['notify-keyspace-events', 'Kg'],
      ['client-output-buffer-limit', 'replica 1mb 2kb 3'],
    ];
    expect(configuration.set(pairs, CLIENT)).toBeUndefined();
    const { values } = configuration;
    expect(values.maxmemory).toBe(2 ** 64);
    expect(values['maxmemory-clients']).toBe(-5);
    expect(values['oom-score-adj']).toBe('yes');
    expect(values['shutdown-on-sigterm']).toEqual(['save', 'now']);
    expect(values.save).toEqual([
      { seconds: 1, changes: 2 },
      { seconds: 3, changes: 4 },
    ]);
    expect(values.requirepass).toBe('\xff\0');
    expect(values['notify-keyspace-events']).toBe(0b101);
    expect(values['client-output-buffer-limit'].replica).toEqual({
      hardBytes: 1048576,
      softBytes: 2048,
      softSeconds: 3,
    });
    expect(configuration.text('maxmemory')).toBe('18446744073709551615');
    expect(configuration.text('shutdown-on-sigterm')).toBe('save now');
  });

  test('sets all or nothing', () => {
    const reason = 'percentage argument must be less or equal to 100';
    const pairs: [string, string][] = [
      ['maxmemory', '1'],
      ['maxmemory-clients', '200%'],
      ['hz', 'invalid'],
    ];
    expect(configuration.set(pairs, CLIENT)).toBe(failure('maxmemory-clients', reason));
    expect(configuration.values.maxmemory).toBe(0);
  });

  test('refuses unknown, immutable, protected and repeated names', () => {
    const set = (...names: string[]) =>
      configuration.set(
        names.map((name) => [name, '1']),
        CLIENT,
      );
    expect(set('hz', 'Nothing')).toBe("ERR Unknown option or number of arguments for CONFIG SET - 'Nothing'");
    expect(set('Databases')).toBe(failure('Databases', "can't set immutable config"));
    expect(set('dbfilename')).toBe(failure('dbfilename', "can't set protected config"));
    expect(set('hz', 'HZ')).toBe(failure('HZ', 'duplicate parameter'));
    expect(set('slave-priority', 'replica-priority')).toBeUndefined();
  });

  test('lets local clients set protected directives when that is enabled', () => {
    const set = (isLocalClient: boolean) =>
      configuration.set([['dbfilename', 'x']], { isLoading: false, isLocalClient });
    configuration.override('enable-protected-configs', ['local']);
    expect(set(false)).toBe(failure('dbfilename', "can't set protected config"));
    expect(set(true)).toBeUndefined();
    configuration.override('enable-protected-configs', ['yes']);
    expect(set(false)).toBeUndefined();
  });

  test('refuses some directives while loading', () => {
    const pairs: [string, string][] = [['repl-diskless-load', 'swapdb']];
    expect(configuration.set(pairs, { isLoading: true, isLocalClient: true })).toBe(
      'LOADING Redis is loading the dataset in memory',
    );
    expect(configuration.set([['hz', '5']], { isLoading: true, isLocalClient: true })).toBeUndefined();
  });

  test('resolves dir against the one before', () => {
    configuration.override('enable-protected-configs', ['yes']);
    expect(configuration.set([['dir', '/']], CLIENT)).toBeUndefined();
    expect(configuration.set([['dir', 'usr']], CLIENT)).toBeUndefined();
    expect(configuration.get('dir')).toBe('/usr');
    expect(configuration.resolvePath('x.rdb')).toBe('/usr/x.rdb');
    expect(configuration.set([['dir', 'nothing']], CLIENT)).toBe(failure('dir', 'No such file or directory'));
  });

  test('knows what to hide from logs', () => {
    expect(
      ['RequirePass', 'masterauth', 'hz', 'nothing'].map((name) => configuration.isSensitive(name)),
    ).toEqual([true, true, false, false]);
  });
});

describe('values from the program itself', () => {
  test('are read as CONFIG SET reads them, whatever the flags', () => {
    expect(configuration.assign('Databases', '4')).toBeUndefined();
    expect(configuration.assign('requirepass', 'a é')).toBeUndefined();
    expect(configuration.assign('bind', '127.0.0.1 ::1')).toBeUndefined();
    expect(configuration.assign('save', '')).toBeUndefined();
    const { databases, requirepass, bind, save } = configuration.values;
    expect([databases, requirepass, bind, save]).toEqual([4, 'a \xc3\xa9', ['127.0.0.1', '::1'], []]);
    expect(configuration.assign('nothing', '1')).toBe('no such directive');
    expect(configuration.assign('hz', 'x')).toBe("argument couldn't be parsed into an integer");
    expect(configuration.override('hz', ['1', '2'])).toBe('wrong number of arguments');
  });
});

describe('listeners', () => {
  test('are called once for a change of several directives, with all values in place', () => {
    const seen: unknown[] = [];
    configuration.onChange(['hz', 'timeout'], () => {
      seen.push([configuration.get('hz'), configuration.get('timeout')]);
      return undefined;
    });
    configuration.set(
      [
        ['hz', '20'],
        ['timeout', '5'],
      ],
      CLIENT,
    );
    configuration.set([['hz', '20']], CLIENT);
    configuration.set([['maxmemory', '20']], CLIENT);
    expect(seen).toEqual([[20, 5]]);
  });

  test('are called for the same value again where it may mean something new', () => {
    let calls = 0;
    configuration.onChange(['tls-cert-file', 'save'], () => {
      calls++;
      return undefined;
    });
    configuration.set([['tls-cert-file', '']], CLIENT);
    configuration.set([['save', '1 1']], CLIENT);
    configuration.set([['save', '1 1']], CLIENT);
    expect(calls).toBe(3);
  });

  test('can reject a change, which is taken back and applied again', () => {
    const seen: unknown[] = [];
    configuration.onChange('hz', () => {
      seen.push(configuration.get('hz'));
      return undefined;
    });
    configuration.onChange('port', () => (configuration.get('port') === 1 ? 'Unable to listen' : undefined));
    const pairs: [string, string][] = [
      ['hz', '20'],
      ['Port', '1'],
    ];
    expect(configuration.set(pairs, CLIENT)).toBe(failure('port', 'Unable to listen'));
    expect(seen).toEqual([20, 10]);
    expect(configuration.getMatching(['hz', 'port'])).toEqual([
      ['hz', '10'],
      ['port', '6379'],
    ]);
  });

  test('can answer later; changes meanwhile wait their turn', async () => {
    const applied: number[] = [];
    configuration.onChange('port', async () => {
      const port = configuration.get('port');
      await Promise.resolve();
      applied.push(port);
      return port === 1 ? 'Unable to listen' : undefined;
    });
    const outcomes = ['1', '2', '1', '3'].map((port) => configuration.set([['port', port]], CLIENT));
    expect(outcomes.every((outcome) => outcome instanceof Promise)).toBe(true);
    const rejected = failure('port', 'Unable to listen');
    expect(await Promise.all(outcomes)).toEqual([rejected, undefined, rejected, undefined]);
    expect(applied).toEqual([1, 6379, 2, 1, 2, 3]);
    expect(configuration.get('port')).toBe(3);
    expect(configuration.set([['hz', '5']], CLIENT)).toBeUndefined();
  });
});
