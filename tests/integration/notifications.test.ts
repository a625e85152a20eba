import { afterAll, beforeAll, describe, test } from 'vitest';
import { SideBySide } from '../support/side-by-side.js';

/** Commands after each other, and what may be selected by `notify-keyspace-events`. */
const COMMANDS: readonly (readonly string[])[] = [
  ['SET', 's', '1'],
  ['SET', 's', '2', 'EX', '100'],
  ['SET', 's', '3', 'KEEPTTL', 'GET'],
  ['SETEX', 's', '100', '1'],
  ['GETEX', 's', 'PERSIST'],
  ['GETEX', 's', 'EX', '100'],
  ['GETEX', 's', 'PXAT', '1'],
  ['GET', 's'],
  ['GETSET', 's', '1'],
  ['INCR', 's'],
  ['DECRBY', 's', '5'],
  ['INCRBYFLOAT', 's', '1.5'],
  ['APPEND', 's', 'x'],
  ['SETRANGE', 's', '1', 'y'],
  ['SETRANGE', 'nosuch', '1', ''],
  ['MSET', 's', '1', 't', '2'],
  ['MSETNX', 's', '1', 'u', '2'],
  ['MSETNX', 'u', '1', 'v', '2'],
  ['SETNX', 'w', '1'],
  ['GETDEL', 'w'],
  ['MGET', 's', 'nosuch'],
  ['STRLEN', 'nosuch'],
  ['EXISTS', 's', 'nosuch'],
  ['TTL', 'nosuch'],
  ['TYPE', 'nosuch'],
  ['OBJECT', 'ENCODING', 'nosuch'],
  ['DUMP', 'nosuch'],
  ['TOUCH', 'nosuch'],
  ['EXPIRE', 's', '100'],
  ['EXPIRE', 's', '100', 'NX'],
  ['PEXPIREAT', 's', '1'],
  ['PERSIST', 's'],
  ['EXPIRE', 't', '100'],
  ['PERSIST', 't'],
  ['RENAME', 't', 's'],
  ['RENAME', 's', 's'],
  ['RENAMENX', 's', 'u'],
  ['COPY', 's', 'c'],
  ['COPY', 's', 'c', 'REPLACE'],
  ['COPY', 's', 'c', 'DB', '3'],
  ['MOVE', 'c', '3'],
  ['MOVE', 'u', '4'],
  ['SELECT', '4'],
  ['DEL', 'u', 'nosuch'],
  ['SELECT', '0'],
  ['HSET', 'h', 'f', '1', 'g', '2'],
  ['HSET', 'h', 'f', '1'],
  ['HSETNX', 'h', 'f', '1'],
  ['HINCRBY', 'h', 'f', '1'],
  ['HINCRBYFLOAT', 'h', 'f', '1.5'],
  ['HEXPIRE', 'h', '100', 'FIELDS', '1', 'f'],
  ['HPERSIST', 'h', 'FIELDS', '1', 'f'],
  ['HGET', 'nosuch', 'f'],
  ['HDEL', 'h', 'f'],
  ['HDEL', 'h', 'g'],
  ['SADD', 'x', '1', '2', '3'],
  ['SADD', 'x', '1'],
  ['SADD', 'y', '2', '3', '4'],
  ['SMOVE', 'x', 'y', '1'],
  ['SMOVE', 'x', 'y', '1'],
  ['SREM', 'x', '2'],
  ['SREM', 'x', '2'],
  ['SINTERSTORE', 'z', 'x', 'y'],
  ['SINTERSTORE', 'z', 'x', 'nosuch'],
  ['SUNIONSTORE', 'z', 'x', 'y'],
  ['SDIFFSTORE', 'z', 'z', 'z'],
  ['SPOP', 'y', '10'],
  ['SREM', 'x', '3'],
  ['ZADD', 'z', '1', 'a', '2', 'b'],
  ['ZADD', 'z', '1', 'a'],
  ['ZADD', 'z', 'INCR', '1', 'a'],
  ['ZINCRBY', 'z', '1', 'a'],
  ['ZUNIONSTORE', 'zz', '1', 'z'],
  ['ZINTERSTORE', 'zz', '2', 'z', 'nosuch'],
  ['ZRANGESTORE', 'zz', 'z', '0', '-1'],
  ['ZRANGESTORE', 'zz', 'nosuch', '0', '-1'],
  ['ZPOPMIN', 'z'],
  ['ZREMRANGEBYRANK', 'z', '5', '6'],
  ['ZREM', 'z', 'a', 'b'],
  ['ZADD', 'z', '1', 'a', '2', 'b'],
  ['ZREMRANGEBYSCORE', 'z', '-inf', 'inf'],
  ['RPUSH', 'l', 'a', 'b', 'c'],
  ['LPUSHX', 'nosuch', 'a'],
  ['LPUSH', 'l', 'x'],
  ['LINSERT', 'l', 'BEFORE', 'a', 'y'],
  ['LINSERT', 'l', 'BEFORE', 'nosuch', 'y'],
  ['LSET', 'l', '0', 'z'],
  ['LREM', 'l', '0', 'nosuch'],
  ['LREM', 'l', '0', 'y'],
  ['LTRIM', 'l', '0', '2'],
  ['RPOPLPUSH', 'l', 'm'],
  ['LMOVE', 'm', 'l', 'LEFT', 'RIGHT'],
  ['LMPOP', '2', 'm', 'l', 'LEFT', 'COUNT', '2'],
  ['BLPOP', 'm', 'l', '0'],
  ['LPOP', 'l'],
  ['SORT', 'nosuch', 'STORE', 'sorted'],
  ['RPUSH', 'l', '3', '1'],
  ['SORT', 'l', 'STORE', 'sorted'],
  ['SORT', 'nosuch', 'STORE', 'sorted'],
  ['SWAPDB', '0', '1'],
  ['SWAPDB', '0', '1'],
  ['UNLINK', 'l', 'c'],
  ['FLUSHDB'],
  ['SET', 'n', '1', 'PX', '1'],
];

describe('keyspace events, next to redis-server', () => {
  let servers: SideBySide;

  beforeAll(async () => {
    servers = await SideBySide.start();
  });

  afterAll(async () => {
    await servers?.stop();
  });

  test.each(['KEA', 'KEAnm', 'Kn', 'Em', 'E$lshz', 'Kgx', 'A', 'nm', ''])('of the classes %o', (classes) =>
    servers.play(async (stage) => {
      const [a, b] = [await stage.enter('a'), await stage.enter('b')];
      await a.call('CONFIG', 'SET', 'notify-keyspace-events', classes);
      await a.call('CONFIG', 'GET', 'notify-keyspace-events');
      await b.call('PSUBSCRIBE', '*');
      for (const command of COMMANDS) {
        await a.call(...command);
        // What the command brought stands before this.
        await a.ask('PUBLISH', 'end', command.join(' '));
        while (
          JSON.stringify(await b.hear()) !== JSON.stringify(['pmessage', '*', 'end', command.join(' ')])
        );
      }
      if (classes.includes('E') && /[Ax]/.test(classes)) {
        // The last key expires by itself.
        await b.hear(1);
      }
      await a.call('CONFIG', 'SET', 'notify-keyspace-events', '');
    }),
  );
});
