import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RealRedis } from '../support/real-redis.js';
import type { Family, Step } from './differential/differential.js';
import { fieldExpiryFamily, smallFieldExpiryFamily } from './differential/hash-field-expiry.js';
import { hashesFamily } from './differential/hashes.js';
import { Random } from './differential/random.js';
import { type Argument, parseReply, Wire } from './differential/wire.js';

const ROUNDS = 12;
const ROUND_STEPS = 100;
const TIME_TO_LIVE_MS = 10;
const BOTH_SET = '*2\r\n:1\r\n:1\r\n';
const END_CHANNEL = 'end of round';
/** Commands that meet fields which have expired: `a` and `b`, of a hash that may have `c` too; `names` is a list. */
const MEETINGS: readonly (readonly string[])[] = [
  ['HGET', 'k', 'a'],
  ['HMGET', 'k', 'a', 'b', 'c'],
  ['HMGET', 'k', 'c', 'b', 'b', 'a'],
  ['HEXISTS', 'k', 'b'],
  ['HSTRLEN', 'k', 'a'],
  ['HLEN', 'k'],
  ['HGETALL', 'k'],
  ['HKEYS', 'k'],
  ['HVALS', 'k'],
  ['HSCAN', 'k', '0'],
  ['HRANDFIELD', 'k'],
  ['HRANDFIELD', 'k', '5', 'WITHVALUES'],
  ['HRANDFIELD', 'k', '-3'],
  ['HSET', 'k', 'a', '7'],
  ['HSETNX', 'k', 'a', '7'],
  ['HSETNX', 'k', 'c', '7'],
  ['HDEL', 'k', 'a', 'b'],
  ['HINCRBY', 'k', 'a', '7'],
  ['HINCRBYFLOAT', 'k', 'b', '7.5'],
  ['HTTL', 'k', 'FIELDS', '2', 'a', 'c'],
  ['HPERSIST', 'k', 'FIELDS', '2', 'a', 'c'],
  ['HEXPIRE', 'k', '100', 'NX', 'FIELDS', '2', 'a', 'c'],
  ['HEXPIRE', 'k', '100', 'GT', 'FIELDS', '2', 'a', 'c'],
  ['HGETDEL', 'k', 'FIELDS', '1', 'a'],
  ['HGETDEL', 'k', 'FIELDS', '3', 'a', 'b', 'c'],
  ['HGETEX', 'k', 'FIELDS', '2', 'a', 'b'],
  ['HGETEX', 'k', 'PERSIST', 'FIELDS', '3', 'a', 'b', 'c'],
  ['HGETEX', 'k', 'EX', '100', 'FIELDS', '3', 'a', 'b', 'c'],
  ['HGETEX', 'k', 'PXAT', '1', 'FIELDS', '3', 'a', 'b', 'c'],
  ['HSETEX', 'k', 'FIELDS', '1', 'a', '7'],
  ['HSETEX', 'k', 'KEEPTTL', 'FIELDS', '1', 'a', '7'],
  ['HSETEX', 'k', 'FNX', 'FIELDS', '2', 'a', '7', 'b', '8'],
  ['HSETEX', 'k', 'FNX', 'FIELDS', '2', 'a', '7', 'c', '8'],
  ['HSETEX', 'k', 'FXX', 'FIELDS', '1', 'a', '7'],
  ['HSETEX', 'k', 'FXX', 'EX', '100', 'FIELDS', '2', 'c', '7', 'b', '8'],
  ['HSETEX', 'k', 'FNX', 'PX', '0', 'FIELDS', '2', 'a', '7', 'b', '8'],
  ['COPY', 'k', 'l'],
  ['RENAME', 'k', 'l'],
  ['SORT', 'names', 'BY', '*->a', 'ALPHA'],
  ['SORT_RO', 'names', 'BY', '*->a', 'GET', '*->b', 'GET', '*->c'],
];

/** A server's keyspace events, and what sends it commands. */
class Observed {
  /** What was replied to the last commands of `eventsOf`. */
  replies: string[] = [];

  private constructor(
    private readonly subscriber: Redis,
    private readonly wire: Wire,
  ) {}

  static async open(client: Redis, wire: Wire): Promise<Observed> {
    await client.psubscribe('__key*', END_CHANNEL);
    await wire.send([['CONFIG', 'SET', 'notify-keyspace-events', 'KEA']]);
    return new Observed(client, wire);
  }

  /** The events of commands, as `channel event`. */
  async eventsOf(commands: readonly (readonly Argument[])[]): Promise<string[]> {
    const events: string[] = [];
    const { subscriber } = this;
    const hasEnded = new Promise<void>((resolve) => {
      const listener = (_: unknown, channel: Buffer, message: Buffer) => {
        if (channel.toString() !== END_CHANNEL) {
          events.push(`${channel.toString('latin1')} ${message.toString('latin1')}`);
          return;
        }
        subscriber.off('pmessageBuffer', listener);
        resolve();
      };
      subscriber.on('pmessageBuffer', listener);
    });
    const replies = await this.wire.send([...commands, ['PUBLISH', END_CHANNEL, '']]);
    this.replies = replies.slice(0, -1).map(String);
    await hasEnded;
    return events;
  }

  async send(commands: readonly (readonly Argument[])[]): Promise<Buffer[]> {
    return await this.wire.send(commands);
  }

  /** The time of the server, in ms since the epoch. */
  async now(): Promise<number> {
    const time = parseReply((await this.wire.send([['TIME']]))[0]);
    const [seconds, micros] =
      'items' in time ? time.items.map((item) => ('text' in item ? Number(item.text) : 0)) : [];
    return seconds * 1000 + Math.floor(micros / 1000);
  }

  async close(): Promise<void> {
    this.subscriber.disconnect();
    await this.wire.close();
  }
}

describe('keyspace events of commands on hashes', () => {
  let respite: RespiteServer;
  let real: RealRedis;
  let ours: Observed;
  let theirs: Observed;

  beforeAll(async () => {
    [respite, real] = await Promise.all([
      createServer({ directives: { 'enable-debug-command': 'yes' } }),
      RealRedis.start('--enable-debug-command', 'yes'),
    ]);
    ours = await Observed.open(new Redis(respite.port), await Wire.open(respite.port));
    theirs = await Observed.open(new Redis(real.socketPath), await Wire.open(real.socketPath));
  });

  afterAll(async () => {
    await Promise.all([ours?.close(), theirs?.close()]);
    await Promise.all([respite?.close(), real?.stop()]);
  });

  it.each([hashesFamily, fieldExpiryFamily, smallFieldExpiryFamily])('$name', async (family) => {
    const random = new Random(5);
    for (let round = 0; round < ROUNDS; round++) {
      const steps = [...(family.before ?? []), ['FLUSHALL'], ...commandsOf(family, random)];
      const events = await ours.eventsOf(steps);
      expect(events.length).toBeGreaterThan(ROUND_STEPS / 4);
      expect(events).toEqual(await theirs.eventsOf(steps));
    }
  });

  const entries: readonly number[] = [512, 0];
  const cases = entries.flatMap((limit) =>
    [true, false].flatMap((hasMore) =>
      MEETINGS.map((args) => ({ limit, hasMore, args, name: args.join(' ') })),
    ),
  );
  it.each(cases)('a hash with expired fields, $limit, $hasMore: $name', async ({ limit, hasMore, args }) => {
    const setup: Argument[][] = [
      ['DEBUG', 'SET-ACTIVE-EXPIRE', 0],
      ['CONFIG', 'SET', 'hash-max-listpack-entries', limit],
      ['FLUSHALL'],
      ['RPUSH', 'names', 'k'],
      ['HSET', 'k', 'a', 1, 'b', 2, ...(hasMore ? ['c', 3] : [])],
    ];
    const found = await Promise.all(
      [ours, theirs].map(async (server) => {
        let deadlineMs = 0;
        // Again when the machine was so busy that the time was over before the server heard of it.
        for (let outcome = ''; outcome !== BOTH_SET; ) {
          deadlineMs = (await server.now()) + TIME_TO_LIVE_MS;
          const expire = ['HPEXPIREAT', 'k', deadlineMs, 'FIELDS', 2, 'a', 'b'];
          outcome = String((await server.send([...setup, expire])).at(-1));
        }
        await server.eventsOf([]);
        // Redis sees a field in the millisecond of its deadline, or not, as the command goes.
        while ((await server.now()) <= deadlineMs + 1);
        const events = await server.eventsOf([args]);
        const { replies } = server;
        const after = [
          ['HLEN', 'k'],
          ['HTTL', 'k', 'FIELDS', 3, 'a', 'b', 'c'],
          ['EXISTS', 'k', 'l'],
        ];
        return { events, replies, after: (await server.send(after)).map(String) };
      }),
    );
    expect(found[0]).toEqual(found[1]);
  });
});

function commandsOf({ kinds }: Family, random: Random): (readonly Argument[])[] {
  return Array.from({ length: ROUND_STEPS }, () => {
    const made: Step | readonly Argument[] = random.weighted(kinds)(random);
    return 'args' in made ? made.args : made;
  });
}
