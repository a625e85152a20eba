import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type PropagatedCommand,
  PropagatingServers,
  streamDifference,
} from '../support/propagated-streams.js';
import { RawConnection, type RawReply } from '../support/raw-connection.js';

/**
 * What is propagated where several clients, the clock, the limit of memory or chance are at work, next to what a real
 * redis-server 8.0 writes to its append-only file. (Random commands of one client: propagation-oracle.test.ts.)
 */

let servers: PropagatingServers;

beforeAll(async () => {
  servers = await PropagatingServers.start();
});

afterAll(async () => {
  await servers?.stop();
});

/** Commands on connections of a server, and what is waited for. */
type Scenario = (open: () => Promise<RawConnection>) => Promise<void>;
type Stream = readonly PropagatedCommand[];

/** Plays a scenario on both servers, with empty databases. Returns what each has propagated. */
async function play(scenario: Scenario): Promise<[ours: Stream, theirs: Stream]> {
  for (const address of [servers.respite.port, servers.real.socketPath]) {
    const connections: RawConnection[] = [];
    const open = async () => {
      const connection = await RawConnection.open(address);
      connections.push(connection);
      return connection;
    };
    const first = await open();
    await first.call('FLUSHALL');
    await first.call('SET', 'a key', 'of database 0');
    await first.call('DEL', 'a key');
    servers.take();
    try {
      await scenario(open);
    } finally {
      for (const connection of connections) await connection.close();
    }
    if (address === servers.respite.port) ours = servers.take()[0];
  }
  return [ours, servers.take()[1]];
}
let ours: Stream = [];

/** The same for a scenario after which both must have propagated the same. Returns that. */
async function playAlike(scenario: Scenario): Promise<string[]> {
  const [own, theirs] = await play(scenario);
  const difference = streamDifference(own, theirs);
  if (difference !== undefined) throw new Error(difference);
  return own.map((command) => command.join(' '));
}

/** Sends commands, and waits for their replies. */
async function run(connection: RawConnection, ...commands: readonly string[]): Promise<RawReply[]> {
  connection.send(...commands.map((command) => command.split(' ')));
  const replies: RawReply[] = [];
  for (const _ of commands) replies.push(await connection.next());
  return replies;
}

/** Waits until so many clients wait for keys. */
async function blocked(connection: RawConnection, count: number): Promise<void> {
  for (;;) {
    const info = String(await connection.call('INFO', 'clients'));
    if (info.includes(`blocked_clients:${count}\r`)) return;
  }
}

/** Time enough for what expires in a millisecond, as both servers count: nothing tells of it when nobody looks. */
async function pastDeadlines(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10));
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  while (!(await isDone()));
}

describe('clients that waited', () => {
  test.each([
    ['BLPOP a b 0', ['RPUSH b 1 2']],
    ['BRPOP a b 0', ['RPUSH b 1 2']],
    ['BLMOVE a b left Right 0', ['RPUSH a 1 2']],
    ['BLMOVE a a LEFT RIGHT 0', ['RPUSH a 1 2']],
    ['BRPOPLPUSH a b 0', ['LPUSH a 1 2']],
    ['BLMPOP 0 2 a b LEFT', ['RPUSH b 1 2 3']],
    ['BLMPOP 0 2 a b RIGHT COUNT 10', ['RPUSH b 1 2 3']],
    ['BZPOPMIN a b 0', ['ZADD b 1 x 2 y']],
    ['BZPOPMAX a b 0', ['ZADD b 1 x']],
    ['BZMPOP 0 2 a b MIN COUNT 2', ['ZADD b 1 x 2 y 3 z']],
    ['BLPOP a b 0', ['MULTI', 'RPUSH b 1', 'RPUSH a 2', 'SET c 3', 'EXEC']],
    ['BLPOP a b 0', ['SET c list', 'DEL b', 'RPUSH c2 1', 'RENAME c2 b']],
    ['BLPOP a 0', ['SELECT 3', 'RPUSH a 1', 'SWAPDB 3 0']],
    ['BLPOP a 0', ['SELECT 3', 'RPUSH a 1', 'MOVE a 0']],
  ])('%s, served by %j', async (waiting, serving) => {
    const propagated = await playAlike(async (open) => {
      const [waiter, server] = [await open(), await open()];
      waiter.send(waiting.split(' '));
      await blocked(server, 1);
      await run(server, ...serving);
      await waiter.next();
      await run(server, 'SET after 1');
    });
    expect(propagated.length).toBeGreaterThan(2);
  });

  test('several, of several databases, by one command and after each other', async () => {
    const propagated = await playAlike(async (open) => {
      const server = await open();
      const waiters = [await open(), await open(), await open(), await open()];
      await run(waiters[3], 'SELECT 5');
      for (const [i, command] of [
        'BLMOVE a b LEFT LEFT 0',
        'BLPOP b 0',
        'BLPOP a 0',
        'BLPOP a 0',
      ].entries()) {
        waiters[i].send(command.split(' '));
        await blocked(server, i + 1);
      }
      await run(server, 'RPUSH a 1 2 3');
      for (const waiter of waiters.slice(0, 3)) await waiter.next();
      await run(server, 'SELECT 5', 'RPUSH a 1');
      await waiters[3].next();
    });
    expect(propagated).toContain('LMOVE a b LEFT LEFT');
  });

  test('who waits in vain propagates nothing, and neither does a destination of another type', async () => {
    const propagated = await playAlike(async (open) => {
      const [waiter, server] = [await open(), await open()];
      await run(waiter, 'BLPOP a 0.01');
      await run(server, 'SET b string');
      waiter.send('BLMOVE a b LEFT LEFT 0'.split(' '));
      await blocked(server, 1);
      await run(server, 'RPUSH a 1');
      await waiter.next();
      await run(server, 'MULTI', 'BLPOP nosuch 0', 'BZPOPMIN nosuch 0', 'EXEC');
    });
    expect(propagated).toEqual(['SET b string', 'RPUSH a 1']);
  });
});

describe('what goes by itself', () => {
  test.each(['no', 'yes'])('keys expire by the clock, a unit each (lazily freed: %s)', async (isLazy) => {
    const propagated = await playAlike(async (open) => {
      const client = await open();
      await run(client, `CONFIG SET lazyfree-lazy-expire ${isLazy}`, 'SELECT 2', 'SET a 1 PX 20');
      await until(async () => (await client.call('DBSIZE')) === 0);
      await run(client, 'SET after 1', 'CONFIG SET lazyfree-lazy-expire no');
    });
    expect(propagated.slice(2)).toEqual([`${isLazy === 'yes' ? 'UNLINK' : 'DEL'} a`, 'SET after 1']);
  });

  test('several keys that expire at once are no transaction', async () => {
    const [own, theirs] = await play(async (open) => {
      const client = await open();
      await run(client, 'MULTI', 'SET a 1 PX 20', 'SET b 1 PX 20', 'SET c 1 PX 20', 'EXEC');
      await until(async () => (await client.call('DBSIZE')) === 0);
    });
    const ends = (stream: Stream) =>
      stream
        .slice(5)
        .map((command) => command.join(' '))
        .sort();
    expect(ends(own)).toEqual(['DEL a', 'DEL b', 'DEL c']);
    expect(ends(theirs)).toEqual(ends(own));
  });

  test('fields expire by the clock, and the hash with the last', async () => {
    const propagated = await playAlike(async (open) => {
      const client = await open();
      await run(client, 'HSET h f 1 g 2', 'HPEXPIRE h 20 FIELDS 1 f');
      await until(async () => (await client.call('HLEN', 'h')) === 1);
      await run(client, 'HPEXPIRE h 20 FIELDS 1 g');
      await until(async () => (await client.call('DBSIZE')) === 0);
      await run(client, 'SET after 1');
    });
    expect(propagated.filter((command) => command.startsWith('HDEL'))).toEqual(['HDEL h f', 'HDEL h g']);
  });

  test('keys that SCAN and RANDOMKEY find expired are no transaction, but in EXEC they are', async () => {
    const [own, theirs] = await play(async (open) => {
      const client = await open();
      await run(client, 'DEBUG SET-ACTIVE-EXPIRE 0', 'SET a 1 PX 1', 'SET b 1 PX 1', 'SET c 1 PX 1');
      await pastDeadlines();
      await run(client, 'SCAN 0 COUNT 100', 'SET d 1 PX 1', 'SET e 1');
      await pastDeadlines();
      await run(client, 'RANDOMKEY', 'TTL d', 'SET f 1 PX 1', 'SET g 1 PX 1');
      await pastDeadlines();
      await run(client, 'MULTI', 'SCAN 0 COUNT 100', 'EXEC', 'DEBUG SET-ACTIVE-EXPIRE 1');
    });
    const names = (stream: Stream) =>
      stream.map(([name, key]) => (name === 'SET' ? 'SET' : `${name} ${key}`));
    const parts = (stream: Stream) => [
      names(stream).slice(0, 3),
      names(stream).slice(3, 6).sort(),
      names(stream).slice(6, 12),
      names(stream).slice(12).sort(),
    ];
    expect(parts(own)).toEqual(parts(theirs));
    expect(parts(own)).toEqual([
      ['SET', 'SET', 'SET'],
      ['DEL a', 'DEL b', 'DEL c'],
      ['SET', 'SET', 'DEL d', 'SET', 'SET', 'MULTI undefined'],
      ['DEL f', 'DEL g', 'EXEC undefined'],
    ]);
  });

  test.each(['no', 'yes'])('keys are evicted, a unit each (lazily freed: %s)', async (isLazy) => {
    const propagated = await playAlike(async (open) => {
      const client = await open();
      await run(
        client,
        `CONFIG SET lazyfree-lazy-eviction ${isLazy} maxmemory-policy allkeys-lru`,
        'SET a 1',
      );
      await run(client, 'CONFIG SET maxmemory 1');
      await until(async () => (await client.call('DBSIZE')) === 0);
      await run(client, 'SET b 1', 'CONFIG SET maxmemory 0', 'SET after 1');
      await run(client, 'CONFIG SET lazyfree-lazy-eviction no');
    });
    expect(propagated).toEqual(['SET a 1', `${isLazy === 'yes' ? 'UNLINK' : 'DEL'} a`, 'SET after 1']);
  });
});

describe('chance', () => {
  test.each([
    ['an intset', 20, 5],
    ['most of an intset', 20, 19],
    ['a table', 5000, 1000],
    ['more than goes into one command', 5000, 2100],
    ['most of a table', 5000, 4900],
  ])('SPOP of %s: what was taken goes', async (_, members, count) => {
    const replies: RawReply[] = [];
    const [own, theirs] = await play(async (open) => {
      const client = await open();
      const all = Array.from({ length: members }, (_member, i) => `${i}`);
      await run(client, `SADD s ${all.join(' ')}`);
      replies.push(...(await run(client, `SPOP s ${count}`)));
    });
    const shape = (stream: Stream) => stream.slice(1).map((command) => [command[0], command.length]);
    expect(shape(own)).toEqual(shape(theirs));
    const removed = own.slice(1).flatMap(([name, , ...rest]) => (name === 'SREM' ? rest : []));
    expect(removed).toEqual(replies[0]);
  });

  test.each(['no', 'yes'])('SPOP of one, and of all (lazily freed: %s)', async (isLazy) => {
    const propagated = await playAlike(async (open) => {
      const client = await open();
      await run(
        client,
        `CONFIG SET lazyfree-lazy-server-del ${isLazy}`,
        'SADD s x',
        'SPOP s',
        'SADD s x y',
        'SPOP s 2',
      );
      await run(client, 'SADD t x y', 'SPOP t 0', 'SPOP nosuch', 'SPOP nosuch 1', 'SPOP t 3');
      await run(client, 'CONFIG SET lazyfree-lazy-server-del no');
    });
    const removal = isLazy === 'yes' ? 'UNLINK' : 'DEL';
    expect(propagated).toEqual([
      ...['SADD s x', 'SREM s x', 'SADD s x y', `${removal} s`, 'SADD t x y', `${removal} t`],
    ]);
  });
});

describe('single commands and transactions', () => {
  test.each<readonly string[]>([
    ['FLUSHALL', 'FLUSHDB', 'flushdb async', 'FLUSHALL SYNC', 'SELECT 3', 'FLUSHDB', 'FLUSHDB nonsense'],
    ['MULTI', 'FLUSHALL', 'FLUSHDB', 'EXEC'],
    ['SWAPDB 0 0', 'SWAPDB 0 1', 'SWAPDB 1 99', 'MULTI', 'SWAPDB 1 2', 'EXEC'],
    ['PUBLISH c m', 'SPUBLISH c m', 'MULTI', 'PUBLISH c m', 'SET a 1', 'EXEC'],
    ['MULTI', 'PUBLISH c m', 'SPUBLISH c m', 'EXEC', 'SET a 1'],
    ['MULTI', 'EXEC', 'MULTI', 'GET a', 'EXEC', 'MULTI', 'SET a 1', 'EXEC', 'SET b 1'],
    ['MULTI', 'SELECT 4', 'SET a 1', 'SELECT 5', 'SET a 1', 'SELECT 4', 'EXEC', 'SET b 1'],
    ['MULTI', 'SET a 1', 'LPUSH a 1', 'INCR a', 'NOSUCH', 'EXEC', 'SET b 1'],
    ['MULTI', 'SET a 1', 'LPUSH a 1', 'INCR a', 'EXEC', 'SET b 1'],
    ['MULTI', 'SET a 1', 'DISCARD', 'WATCH a', 'SET a 2', 'MULTI', 'SET a 3', 'EXEC'],
    ['MULTI', 'SETEX a 100 1', 'GETEX a PERSIST', 'GETDEL a', 'INCRBYFLOAT a 1.5', 'GETSET a 1', 'EXEC'],
    ['SAVE', 'SET a 1', 'SAVE', 'SET b 1', 'MULTI', 'SET c 1', 'DEL a b', 'EXEC'],
    ['DEBUG POPULATE 10', 'DEL key:1', 'DEBUG CHANGE-REPL-ID', 'SET a 1', 'DEBUG JMAP'],
    ['DEBUG STRINGMATCH-LEN 10 a', 'DEBUG SLEEP 0', 'SET a 1', 'DEBUG OBJECT a', 'DEBUG DIGEST'],
    ['CONFIG SET hz 20', 'CLIENT SETNAME x', 'SET a 1', 'OBJECT ENCODING a', 'MEMORY USAGE a', 'TOUCH a'],
    [
      'SET a 1',
      'set a 2 gEt',
      'SET a 3 Get ex 100 GET',
      'SET a 4 PXAT 9999999999999 GET',
      'SET a 5 GET KEEPTTL',
    ],
    ['SET a 1 EXAT 9999999999', 'SET a 1 NX GET', 'SET a 1 XX PX 100000', 'setex a 10 1', 'PSETEX a 1000 1'],
    [
      'SET a 1',
      'expire a 100 NX',
      'EXPIRE a 100 nx',
      'PEXPIREAT a 9999999999999 GT',
      'EXPIREAT a 9999999999 lt',
    ],
    [
      'SET a 1',
      'EXPIRE a -1',
      'SET a 1',
      'PEXPIREAT a 1',
      'SET a 1',
      'GETEX a EXAT 1',
      'SET a 1 PXAT 1',
      'GET a',
    ],
    [
      'SET a 1',
      'GETEX a EX 10',
      'GETEX a PXAT 9999999999999',
      'GETEX a',
      'getex a persist',
      'GETEX a PERSIST',
    ],
    ['HSET h f 1 g 2', 'HGETEX h EX 100 FIELDS 2 f nosuch', 'hgetex h PXAT 9999999999999 FIELDS 1 f'],
    ['HSET h f 1 g 2', 'HGETEX h EXAT 1 FIELDS 2 f g', 'HGETEX h PERSIST FIELDS 1 f', 'HGETDEL h FIELDS 1 f'],
    [
      'HSET h f 1',
      'HEXPIRE h 10 FIELDS 2 f nosuch',
      'hgetex h persist FIELDS 2 nosuch f',
      'HGETDEL h FIELDS 2 f nosuch',
    ],
    ['HSETEX h FNX EX 100 FIELDS 1 f 1', 'hsetex h keepttl fields 1 f 2', 'HSETEX h EXAT 1 FIELDS 2 f 1 g 2'],
    [
      'HSET h f 1 g 2',
      'hpexpireat h 9999999999999 FIELDS 2 f g',
      'HPEXPIREAT h 9999999999998 GT FIELDS 2 f nosuch',
    ],
    [
      'HSET h f 1 g 2',
      'HEXPIREAT h 1 FIELDS 1 f',
      'HPEXPIREAT h 1 FIELDS 1 g',
      'HINCRBYFLOAT h f 0.1',
      'HPERSIST h FIELDS 1 f',
    ],
    [
      'RPUSH a 1 2 3',
      'lmpop 2 b a left count 5',
      'LMPOP 1 a LEFT',
      'ZADD z 1 x 2 y',
      'ZMPOP 2 b z MAX',
      'zmpop 1 z min count 9',
    ],
    [
      'RPUSH a 1 2 3',
      'BLPOP a 0',
      'BRPOPLPUSH a b 0',
      'blmove a b LEFT RIGHT 0',
      'BLMPOP 0 1 b LEFT COUNT 9',
    ],
    [
      'SET a 1',
      'COPY a b',
      'COPY a b DB 3',
      'MOVE a 3',
      'MOVE a 3',
      'MOVE b 4',
      'RENAMENX b a',
      'SORT a STORE b',
    ],
    [
      'RPUSH a 3 1 2',
      'SORT a STORE b',
      'SORT nosuch STORE b',
      'SORT nosuch STORE b',
      'DEL nosuch',
      'UNLINK a nosuch',
    ],
  ])('%s …', async (...commands) => {
    await playAlike(async (open) => {
      const client = await open();
      await run(client, ...commands);
      await run(client, 'SELECT 0', 'SET after 1');
    });
  });

  test('RESTORE, with a time or without', async () => {
    await playAlike(async (open) => {
      const client = await open();
      await run(client, 'SET a value');
      const payload = String(await client.call('DUMP', 'a'));
      await client.call('RESTORE', 'b', '0', payload);
      await client.call('restore', 'c', '100000', payload, 'FREQ', '5');
      await client.call('RESTORE', 'c', '9999999999999', payload, 'REPLACE', 'ABSTTL');
      await client.call('RESTORE', 'c', '1', payload, 'ABSTTL', 'REPLACE');
      await client.call('RESTORE', 'd', '1', payload, 'ABSTTL');
      await client.call('RESTORE', 'a', '0', payload);
    });
  });

  test('a key that one command finds expired comes before it', async () => {
    const propagated = await playAlike(async (open) => {
      const client = await open();
      await run(
        client,
        'DEBUG SET-ACTIVE-EXPIRE 0',
        'SET a 1 PX 1',
        'RPUSH b 1',
        'PEXPIRE b 1',
        'HSET h f 1 g 1',
      );
      await run(client, 'HPEXPIRE h 1 FIELDS 1 f');
      await pastDeadlines();
      await run(client, 'SET a 2', 'RPUSH b 2', 'HINCRBY h f 1', 'DEBUG SET-ACTIVE-EXPIRE 1');
    });
    expect(propagated.slice(-12)).toEqual([
      ...['MULTI', 'DEL a', 'SET a 2', 'EXEC', 'MULTI', 'DEL b', 'RPUSH b 2', 'EXEC'],
      ...['MULTI', 'HDEL h f', 'HINCRBY h f 1', 'EXEC'],
    ]);
  });
});
