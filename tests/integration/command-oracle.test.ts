/**
 * COMMAND on Respite and on a real redis-server 8.0: for every command that Respite has, the same facts, in RESP2 and
 * in RESP3. Respite's summaries, notes and the prose of complexities and histories are its own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { isArrayReply, RawConnection, type RawReply } from '../support/raw-connection.js';
import { RealRedis } from '../support/real-redis.js';

/** Calls whose keys are asked for; also some that are wrong. */
const CALLS_WITH_KEYS = `
GET a | GET | GET a b | MGET a b c | SET a 1 | SET a 1 GET | SET a 1 ex 10 get | SET a 1 NX | SET get 1 | MSET a 1 b 2 c
MSET a 1 b 2 | MSETNX a 1 b 2 | DEL a b | UNLINK a | EXISTS a a | TOUCH a b | RENAME a b | COPY a b DB 1 | MOVE a 1 | LCS a b LEN
GETEX a PERSIST | GETDEL a | SETRANGE a 0 x | EXPIRE a 1 NX | TTL a | KEYS * | SCAN 0 | RANDOMKEY | PING | PING a | TYPE a
OBJECT ENCODING a | OBJECT FREQ a b | OBJECT HELP | OBJECT nosuch a | OBJECT | object | MEMORY USAGE a | MEMORY DOCTOR
CLIENT GETNAME | CLIENT | CONFIG GET a | COMMAND | COMMAND COUNT | COMMAND GETKEYS GET a | DEBUG OBJECT a | INFO | FLUSHALL
HSET a f v | HGETALL a | HRANDFIELD a 3 | HSCAN a 0 | HEXPIRE a 10 FIELDS 1 f | HSETEX a FIELDS 1 f v | HGETDEL a FIELDS 1 f
LPUSH a 1 2 | RPOPLPUSH a b | LMOVE a b LEFT RIGHT | BLPOP a b c 0 | BRPOP a 0 | BLMOVE a b LEFT LEFT 0 | BRPOPLPUSH a b 0
LMPOP 2 a b LEFT | LMPOP 0 a LEFT | LMPOP 3 a b LEFT | LMPOP x a LEFT | LMPOP 1x a LEFT | BLMPOP 0 2 a b LEFT | BLMPOP 0 5 a LEFT
SADD a 1 | SMOVE a b x | SINTER a b c | SINTERSTORE d a b | SUNIONSTORE d a | SDIFF a | SINTERCARD 2 a b | SINTERCARD 0 a | SINTERCARD 3 a b
ZADD a 1 x | ZRANGESTORE d a 0 -1 | ZUNION 2 a b | ZUNION 2 a | ZUNION 0 a | ZUNION 01 a | ZUNIONSTORE d 2 a b WEIGHTS 1 2
ZUNIONSTORE d 0 a | ZINTERSTORE d 1 a | ZINTER 1 a WITHSCORES | ZDIFF 2 a b | ZDIFFSTORE d 2 a b | ZINTERCARD 1 a LIMIT 2
ZMPOP 1 a MIN | ZMPOP 2 a MIN | BZMPOP 0 1 a MAX COUNT 3 | BZPOPMIN a b 0 | BZPOPMAX a 1 | ZRANDMEMBER a 2 WITHSCORES
SORT a | SORT a STORE d | SORT a BY w* GET # GET o* STORE d | SORT a STORE d STORE e | SORT a STORE | SORT a GET STORE x | SORT_RO a BY x*
SORT a LIMIT 0 STORE d | DUMP a | RESTORE a 0 x | MIGRATE h 1 a 0 5 | MIGRATE h 1 "" 0 5 COPY KEYS a b | MIGRATE h 1 a 0 5 KEYS a b
MIGRATE h 1 "" 0 5 AUTH KEYS KEYS a | MIGRATE h 1 "" 0 5 AUTH2 u KEYS KEYS a b | WAIT 1 0
GEOADD a 1 2 m | GEORADIUS a 1 2 3 m | GEORADIUS a 1 2 3 m STORE b | GEORADIUS a 1 2 3 m STOREDIST b STORE c | GEORADIUS a 1 2 3 m STORE
GEORADIUSBYMEMBER a x 3 m STORE b | GEORADIUSBYMEMBER a x 3 m STOREDIST b | GEOSEARCHSTORE d a FROMMEMBER m BYRADIUS 1 m
GEORADIUS_RO a 1 2 3 m | SETBIT a 0 1 | BITOP AND d a b | BITFIELD a GET u8 0 | BITFIELD a SET u8 0 1 | BITFIELD a GET u8 0 INCRBY u8 0 1
BITFIELD a GET u8 | BITFIELD a OVERFLOW SAT GET u8 0 | BITFIELD a | BITFIELD_RO a GET u8 0 | PFADD a 1 | PFCOUNT a b | PFMERGE d a b
PFDEBUG GETREG a | XADD a * f v | XREAD STREAMS a 0 | XREAD COUNT 2 STREAMS a b 0 0 | XREAD STREAMS a | XREAD STREAMS a b 0
XREAD BLOCK 0 STREAMS STREAMS 0 | XREADGROUP GROUP g c STREAMS a > | XREADGROUP GROUP STREAMS c COUNT 1 NOACK STREAMS a b > >
XREADGROUP GROUP g c NOACK x STREAMS a > | XGROUP CREATE a g 0 | XGROUP HELP | XINFO STREAM a | XPENDING a g | XCLAIM a g c 0 1-1
EVAL s 0 | EVAL s 2 a b c | EVAL s 3 a b | EVAL s x a | EVAL s -1 a | EVALSHA s 1 a | EVAL_RO s 1 a | FCALL f 2 a b x | FCALL_RO f 0
SUBSCRIBE c | SPUBLISH c m | SSUBSCRIBE c | PUBLISH c m | WATCH a b | MULTI | EXEC | ACL DRYRUN u GET a | CLUSTER KEYSLOT a | nosuch a
RESTORE-ASKING a 0 x | LATENCY RESET | SLOWLOG GET | SCRIPT LOAD x | FUNCTION LIST | HELLO 3 | AUTH x | SWAPDB 0 1
`
  .split(/[|\n]/)
  .map((line) => line.trim())
  .filter((line) => line !== '')
  .map((line) => line.split(' ').map((word) => (word === '""' ? '' : word)));

const CATEGORIES = (
  'keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow ' +
  'blocking dangerous connection transaction scripting @read READ nosuch'
).split(' ');

const PATTERNS = ['*', '*get*', 'GET', 'client|*', 'CLIENT|GET*', 'h[gs]et', '?ush', '', 'nosuch', '*|help'];

describe.each([2, 3])('COMMAND, next to redis-server 8.0, in RESP%i', (version) => {
  let respite: RespiteServer;
  let real: RealRedis;
  let ours: RawConnection;
  let theirs: RawConnection;
  /** The full names of what Respite has. */
  let names: ReadonlySet<string>;

  beforeAll(async () => {
    [respite, real] = await Promise.all([createServer(), RealRedis.start()]);
    [ours, theirs] = await Promise.all([
      RawConnection.open(respite.port),
      RawConnection.open(real.socketPath),
    ]);
    for (const connection of [ours, theirs]) await connection.call('HELLO', String(version));
    names = new Set(strings(await ours.call('COMMAND', 'LIST')));
  });

  afterAll(async () => {
    await Promise.all([ours?.close(), theirs?.close()]);
    await Promise.all([respite?.close(), real?.stop()]);
  });

  /** Both servers' replies to the same command. */
  async function both(...command: string[]): Promise<[RawReply, RawReply]> {
    return await Promise.all([ours.call(...command), theirs.call(...command)]);
  }

  it('INFO has the same facts about every command and subcommand', async () => {
    for (const name of names) {
      const [our, their] = await both('COMMAND', 'INFO', name);
      expect(comparableInfo(our, names)).toEqual(comparableInfo(their, names));
    }
  });

  it('DOCS has the same facts about every command and subcommand', async () => {
    for (const name of names) {
      const [our, their] = await both('COMMAND', 'DOCS', name);
      expect(comparableDocs(our, names)).toEqual(comparableDocs(their, names));
    }
  });

  it('COMMAND, INFO and DOCS without names are about all', async () => {
    const [count, all, info, docs] = [
      await ours.call('COMMAND', 'COUNT'),
      await ours.call('COMMAND'),
      await ours.call('COMMAND', 'INFO'),
      await ours.call('COMMAND', 'DOCS'),
    ];
    const commands = [...names].filter((name) => !name.includes('|'));
    expect(count).toBe(commands.length);
    expect(all).toEqual(await ours.call('COMMAND', 'INFO', ...commands));
    expect(info).toEqual(all);
    expect(docs).toEqual(await ours.call('COMMAND', 'DOCS', ...commands));
  });

  it('LIST has the same names behind every filter', async () => {
    const filters = [
      ...CATEGORIES.map((category) => ['ACLCAT', category]),
      ...PATTERNS.map((pattern) => ['pattern', pattern]),
      ['Module', 'nosuch'],
    ];
    for (const filter of filters) {
      const [our, their] = await both('COMMAND', 'LIST', 'FILTERBY', ...filter);
      expect([filter, strings(our).sort()]).toEqual([
        filter,
        strings(their)
          .filter((name) => names.has(name))
          .sort(),
      ]);
    }
  });

  it.each(['GETKEYS', 'GETKEYSANDFLAGS'])('%s finds the same keys', async (subcommand) => {
    for (const call of CALLS_WITH_KEYS) {
      const [our, their] = await both('COMMAND', subcommand, ...call);
      if (isKnown(call)) expect([call, our]).toEqual([call, their]);
      else expect([call, our]).toEqual([call, { error: 'ERR Invalid command specified' }]);
    }
  });

  /** Whether Respite has the command that a call runs, or neither server has. */
  function isKnown([name, subcommandName = '']: readonly string[]): boolean {
    const container = name.toLowerCase();
    if (!names.has(container)) return container === 'nosuch';
    const isContainer = [...names].some((each) => each.startsWith(`${container}|`));
    const subcommand = subcommandName.toLowerCase();
    return !isContainer || ['', 'nosuch'].includes(subcommand) || names.has(`${container}|${subcommand}`);
  }

  it.each([
    'INFO nosuch get GET client|id CLIENT|nosuch get|x client|id|x |',
    'DOCS nosuch',
    'DOCS get|x',
    'GETKEYS',
    'GETKEYS nosuch',
    'GETKEYSANDFLAGS nosuch a',
    'LIST FILTERBY',
    'LIST FILTERBY PATTERN',
    'LIST FILTERBY nosuch x',
    'LIST nosuch',
    'LIST FILTERBY PATTERN a FILTERBY PATTERN b',
    'COUNT x',
    'nosuch',
    'HELP x',
  ])('replies as Redis to COMMAND %s', async (line) => {
    const [our, their] = await both('COMMAND', ...line.split(' '));
    const known = (reply: RawReply) =>
      isArrayReply(reply) ? reply.map((r) => comparableInfo([r], names)) : reply;
    expect(known(our)).toEqual(known(their));
  });

  it('HELP of every container begins and ends as in Redis', async () => {
    for (const name of names) {
      // CLUSTER is refused altogether by a server that is in no cluster.
      if (!name.endsWith('|help') || name === 'cluster|help') continue;
      const [our, their] = await both(...name.toUpperCase().split('|'));
      if (!isArrayReply(our) || !isArrayReply(their)) throw new Error(`${name} replies no array`);
      expect([our[0], our.slice(-2)]).toEqual([their[0], their.slice(-2)]);
    }
  });
});

function strings(reply: RawReply): string[] {
  if (!isArrayReply(reply)) throw new Error(`no array: ${JSON.stringify(reply)}`);
  return reply.map(String);
}

/** A map or, in RESP2, an array of keys and values, as pairs. */
function pairsOf(reply: RawReply): readonly (readonly [RawReply, RawReply])[] {
  if (isArrayReply(reply)) {
    return Array.from({ length: reply.length / 2 }, (_, i) => [reply[2 * i], reply[2 * i + 1]]);
  }
  if (typeof reply === 'object' && 'map' in reply) return reply.map;
  throw new Error(`no map: ${JSON.stringify(reply)}`);
}

function members(reply: RawReply): readonly RawReply[] {
  if (isArrayReply(reply)) return reply;
  if (typeof reply === 'object' && 'set' in reply) return reply.set;
  throw new Error(`no set: ${JSON.stringify(reply)}`);
}

/** COMMAND INFO without the notes, and with those subcommands alone that Respite has, in alphabetical order. */
function comparableInfo(reply: RawReply, names: ReadonlySet<string>): unknown {
  return members(reply).map((info) => {
    if (!isArrayReply(info)) return info;
    const keySpecs = members(info[8]).map((spec) => [
      shapeOf(spec),
      pairsOf(spec).filter(([key]) => key !== 'notes'),
    ]);
    const subcommands = members(info[9])
      .filter((each) => isArrayReply(each) && names.has(String(each[0])))
      .sort((a, b) => compareText(String(members(a)[0]), String(members(b)[0])));
    return [
      ...info.slice(0, 8),
      shapeOf(info[8]),
      keySpecs,
      shapeOf(info[9]),
      comparableInfo(subcommands, names),
    ];
  });
}

/** COMMAND DOCS without what Respite says in its own words, and with the subcommands that Respite has. */
function comparableDocs(reply: RawReply, names: ReadonlySet<string>): unknown {
  return [...pairsOf(reply)]
    .filter(([name]) => names.has(String(name)))
    .sort(([a], [b]) => compareText(String(a), String(b)))
    .map(([name, docs]) => [
      name,
      shapeOf(docs),
      pairsOf(docs).map(([key, value]) => {
        if (key === 'summary' || key === 'complexity') return [key, typeof value];
        if (key === 'history')
          return [key, shapeOf(value), members(value).map((change) => members(change)[0])];
        if (key === 'subcommands') return [key, shapeOf(value), comparableDocs(value, names)];
        return [key, value];
      }),
    ]);
}

/** Array, set or map. */
function shapeOf(reply: RawReply): string {
  return isArrayReply(reply) ? 'array' : Object.keys(reply).join();
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
