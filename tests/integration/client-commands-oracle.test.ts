import { expect, test } from 'vitest';
import { createServer } from '../../src/index.js';
import { RawConnection, type RawReply } from '../support/raw-connection.js';
import { RealRedis } from '../support/real-redis.js';

/** CLIENT and HELLO next to the real server: every way of asking, right and wrong, on a connection of its own. */

const KILL_FILTERS = [
  'ID 0',
  'ID -1',
  'ID x',
  'ID 999999',
  'ID 888888 ID 999999',
  'ID',
  'ID 1 2',
  'TYPE replica',
  'TYPE slave',
  'TYPE master',
  'TYPE pubsub',
  'TYPE x',
  'TYPE',
  'USER nobody',
  'ADDR 127.0.0.1:1',
  'LADDR 127.0.0.1:1',
  'ADDR x LADDR y',
  'SKIPME x',
  'SKIPME',
  'MAXAGE 100000',
  'MAXAGE 0',
  'MAXAGE -1',
  'MAXAGE x',
  'MAXAGE 9223372036854775808',
  'MAXAGE 100000 ID 999999 SKIPME yes',
  'FOO bar',
  'FOO bar baz',
  '127.0.0.1:1',
  'x',
];

const CALLS = [
  ...KILL_FILTERS.map((filter) => `CLIENT KILL ${filter}`),
  'CLIENT KILL',
  'CLIENT LIST TYPE',
  'CLIENT LIST TYPE x',
  'CLIENT LIST TYPE pubsub',
  'CLIENT LIST TYPE replica',
  'CLIENT LIST TYPE master',
  'CLIENT LIST ID',
  'CLIENT LIST ID x',
  'CLIENT LIST ID 1 x',
  'CLIENT LIST ID 0',
  'CLIENT LIST ID -5',
  'CLIENT LIST ID 999999 888888',
  'CLIENT LIST TYPE normal ID 1',
  'CLIENT LIST x',
  'CLIENT LIST x y',
  'CLIENT',
  'CLIENT x',
  'CLIENT GETNAME x',
  'CLIENT SETNAME',
  'CLIENT SETNAME a b',
  'CLIENT SETINFO lib-name',
  'CLIENT SETINFO lib-name x y',
  'CLIENT SETINFO foo x',
  'CLIENT SETINFO LIB-VER 1.2.3',
  'CLIENT NO-EVICT',
  'CLIENT NO-EVICT on',
  'CLIENT NO-EVICT OFF',
  'CLIENT NO-EVICT x',
  'CLIENT NO-TOUCH on',
  'CLIENT NO-TOUCH x',
  'CLIENT REPLY',
  'CLIENT REPLY x',
  'CLIENT REPLY on',
  'CLIENT PAUSE',
  'CLIENT PAUSE x',
  'CLIENT PAUSE -1',
  'CLIENT PAUSE 0 x',
  'CLIENT PAUSE 0 WRITE',
  'CLIENT PAUSE 0 ALL x',
  'CLIENT PAUSE 9223372036854775807',
  'CLIENT UNPAUSE',
  'CLIENT UNPAUSE x',
  'CLIENT UNBLOCK',
  'CLIENT UNBLOCK x',
  'CLIENT UNBLOCK 999999',
  'CLIENT UNBLOCK 1 x',
  'CLIENT UNBLOCK 1 TIMEOUT x',
  'CLIENT UNBLOCK 999999 ERROR',
  'CLIENT GETREDIR',
  'CLIENT CACHING',
  'CLIENT CACHING yes',
  'CLIENT CACHING x',
  'CLIENT TRACKING',
  'CLIENT TRACKING x',
  'CLIENT TRACKING on REDIRECT 999999',
  'CLIENT TRACKING on REDIRECT x',
  'CLIENT TRACKING on REDIRECT',
  'CLIENT TRACKING on OPTIN OPTOUT',
  'CLIENT TRACKING on PREFIX a',
  'CLIENT TRACKING on BCAST PREFIX a PREFIX ab',
  'CLIENT TRACKING off',
  'CLIENT TRACKINGINFO',
  'CLIENT ID x',
  'CLIENT INFO x',
  'HELLO x',
  'HELLO 1',
  'HELLO 4',
  'HELLO 3 x',
  'HELLO 3 AUTH',
  'HELLO 3 AUTH default',
  'HELLO 3 AUTH nobody x',
  'HELLO 3 SETNAME',
  "HELLO 3 SETNAME 'a b'",
  'CLIENT PAUSE 9223372036854775808',
  'RESET x',
  'RESET',
  'QUIT x',
  'AUTH',
  'AUTH x',
  'AUTH a b c',
  'AUTH default x',
  'AUTH nobody x',
  'ECHO',
  'PING a b',
  'SELECT',
  'SELECT x',
  'SELECT 16',
  'SELECT -1',
  'SELECT 99999999999',
  'CLUSTER INFO',
  'CLUSTER',
  'CLUSTER NOSUCH',
  'CLUSTER KEYSLOT',
  'READONLY',
  'READWRITE x',
  'ASKING',
];

test('every call has the same reply', async () => {
  const [respite, real] = await Promise.all([createServer(), RealRedis.start()]);
  try {
    const ours = await repliesOf(respite.port);
    expect(ours).toEqual(await repliesOf(real.socketPath));
  } finally {
    await Promise.all([respite.close(), real.stop()]);
  }
});

/** What is replied to each call, and to one after it where the connection is still there. */
async function repliesOf(address: number | string): Promise<Record<string, RawReply>> {
  const replies: Record<string, RawReply> = {};
  // They stay, as some calls count who is there.
  const connections: RawConnection[] = [];
  for (const call of CALLS) {
    const connection = await RawConnection.open(address);
    connection.sendText(`${call}\r\nPING\r\n`);
    const both = [await next(connection), await next(connection)];
    replies[call] = both;
    connections.push(connection);
  }
  await Promise.all(connections.map((connection) => connection.close()));
  return replies;
}

async function next(connection: RawConnection): Promise<RawReply> {
  return await connection.next().catch(() => ({ other: 'closed' }));
}
