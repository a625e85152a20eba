import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RawConnection } from '../support/raw-connection.js';

/** `client-output-buffer-limit`, and replies that would be longer. */

let respite: RespiteServer;
let control: RawConnection;

beforeEach(async () => {
  respite = await createServer();
  control = await RawConnection.open(respite.port);
  await control.call('HSET', 'hash', 'field', 'value');
  await control.call('SADD', 'set', 'member');
  await control.call('ZADD', 'sorted', '1', 'member');
});

afterEach(async () => {
  await control.close();
  await respite.close();
});

const HUGE_PICKS: readonly (readonly string[])[] = [
  ['HRANDFIELD', 'hash', '-999999999'],
  ['HRANDFIELD', 'hash', '-999999999', 'WITHVALUES'],
  ['SRANDMEMBER', 'set', '-999999999'],
  ['ZRANDMEMBER', 'sorted', '-999999999', 'WITHSCORES'],
];

test.each(HUGE_PICKS)('%s %s %s ends when the client has too much to read', async (...call) => {
  await control.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 1000000 0 0');
  const greedy = await RawConnection.open(respite.port);
  await expect(greedy.call(...call)).rejects.toThrow('closed');
  expect(await control.call('PING')).toEqual({ status: 'PONG' });
});

test.each(HUGE_PICKS)('%s %s %s is refused where nothing would end it', async (...call) => {
  expect(await control.call(...call)).toEqual({ error: expect.stringMatching(/^OOM /) });
});
