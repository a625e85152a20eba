import { expect, test } from 'vitest';
import { Configuration } from '../../../src/config/configuration.js';
import { expandProcessTitle } from '../../../src/config/process-title.js';

test('expandProcessTitle', () => {
  const configuration = new Configuration();
  const expand = (template: string) =>
    expandProcessTitle(template, { values: configuration.values, file: undefined, title: 'redis-server' });
  expect(expand('{title} {listen-addr} {server-mode}')).toBe('redis-server *:6379');
  expect(expand('{{{title}} {port}-{tls-port} {config-file}{unixsocket}')).toBe('{redis-server} 6379-0 -');
  configuration.override('port', ['0']);
  configuration.override('unixsocket', ['/s']);
  configuration.override('cluster-enabled', ['yes']);
  expect(expand(' {listen-addr} {server-mode} ')).toBe('unixsocket:/s [cluster]');
  for (const template of ['{', '{title', '{nothing}', '{}', '{constructor}'])
    expect(expand(template)).toBeUndefined();
  expect(expand('')).toBe('');
});
