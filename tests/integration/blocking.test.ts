/** Clients that wait for elements, next to redis-server 8.0: who is served what, when and in which order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { InMemoryClient } from '../support/in-memory-client.js';
import type { RawReply } from '../support/raw-connection.js';
import { type Actor, type Scenario, SideBySide, type Stage } from '../support/side-by-side.js';
import { Random } from './differential/random.js';

/** Whether the client that a line of CLIENT LIST describes waits. */
function isWaiting(line: string): boolean {
  return / flags=[A-Za-z]*b/.test(line);
}

/** Waits until a client waits. */
async function blocked(prompter: Actor, actor: Actor): Promise<void> {
  while (!isWaiting(String(await prompter.ask('CLIENT', 'LIST', 'ID', actor.id))));
}

/** Waits until a number of clients wait. */
async function blockedCount(prompter: Actor, count: number): Promise<void> {
  for (;;) {
    const info = String(await prompter.ask('INFO', 'clients'));
    if (info.includes(`blocked_clients:${count}\r\n`)) return;
  }
}

/** Opens connections that send a command each, in order; each waits before the next one comes. */
async function queue(stage: Stage, prompter: Actor, ...commands: readonly string[]): Promise<Actor[]> {
  const actors: Actor[] = [];
  for (const [i, command] of commands.entries()) {
    const actor = await stage.enter(`waiter ${i}`, i % 2 === 0 ? 2 : 3);
    actor.send(command.split(' '));
    await blocked(prompter, actor);
    actors.push(actor);
  }
  return actors;
}

async function hearAll(actors: readonly Actor[]): Promise<void> {
  for (const actor of actors) await actor.hear();
}

const words = (line: string) => line.split(' ');

/**
 * What makes the key `k`, from `l` = [x] in database 0, or from `k` = [x] in database 1: each must wake who waits for it,
 * or not, as in Redis.
 */
const MAKERS: readonly (readonly string[])[] = [
  ['LPUSH k a'],
  ['RPUSH k a b c'],
  ['LPUSHX k a'],
  ['RENAME l k'],
  ['RENAMENX l k'],
  ['COPY l k'],
  ['COPY l k REPLACE'],
  ['SELECT 1', 'MOVE k 0'],
  ['SELECT 1', 'COPY k k DB 0'],
  ['LMOVE l k LEFT LEFT'],
  ['RPOPLPUSH l k'],
  ['SORT l ALPHA STORE k'],
  ['SWAPDB 0 1'],
  ['SWAPDB 1 0'],
  ['SWAPDB 1 2', 'SWAPDB 2 0'],
  ['FLUSHALL', 'RPUSH k y'],
  ['MULTI', 'RPUSH k a', 'RPUSH k b', 'LPUSH k c', 'EXEC'],
  ['MULTI', 'RPUSH k a', 'DEL k', 'EXEC'],
  ['MULTI', 'RPUSH k a', 'DEL k', 'RPUSH k b', 'EXEC'],
  ['MULTI', 'RPUSH k a', 'RPOP k', 'EXEC'],
  ['MULTI', 'RPUSH k a', 'DEL k', 'SET k text', 'EXEC'],
  ['MULTI', 'RPUSH k a', 'PEXPIREAT k 1', 'EXEC'],
  ['MULTI', 'RPUSH k a', 'DISCARD'],
  // Another type is in the way, which is not what they wait for; and then it is not any more.
  ['SET k text', 'RPUSH k a', 'DEL k', 'RPUSH k b'],
  ['SET k text', 'RENAME l k'],
  ['SADD k member', 'SORT l ALPHA STORE k', 'LLEN k', 'DEL k', 'RPUSH k b'],
  ['ZADD k 1 member', 'COPY l k REPLACE'],
  ['SET k text', 'SWAPDB 0 1'],
];

describe('lists that are waited for', () => {
  let servers: SideBySide;

  beforeAll(async () => {
    servers = await SideBySide.start({ 'enable-debug-command': 'yes' });
  });

  afterAll(async () => {
    await servers?.stop();
  });

  it.each(MAKERS.map((lines) => [lines.join(', '), lines] as const))('come with %s', async (_, lines) => {
    await servers.play(async (stage) => {
      const prompter = await stage.enter('prompter');
      await prompter.pipeline(words('RPUSH l x'), words('SELECT 1'), words('RPUSH k x'), words('SELECT 0'));
      const waiters = await queue(
        stage,
        prompter,
        'BLPOP k 0',
        'BLMOVE k m RIGHT LEFT 0',
        'BLMPOP 0 1 k LEFT COUNT 2',
      );
      for (const line of lines) await prompter.call(...words(line));
      // Whoever is still waiting is served in the end.
      const elements = ['1', '2', '3', '4', '5', '6'];
      await prompter.pipeline(words('SELECT 0'), words('DEL k'), ['RPUSH', 'k', ...elements]);
      await hearAll(waiters);
      for (const key of ['k', 'l', 'm']) {
        await prompter.call('TYPE', key);
        await prompter.call('LLEN', key);
      }
    });
  });

  const scenarios: readonly (readonly [name: string, scenario: Scenario])[] = [
    [
      'serve who came first, each as much as it asks for',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const waiters = await queue(
          stage,
          prompter,
          'BLPOP k 0',
          'BRPOP k 0',
          'BLMPOP 0 2 j k RIGHT COUNT 2',
          'BRPOPLPUSH k l 0',
          'BLPOP k 0',
          'BLPOP k 0',
        );
        await prompter.call(...words('RPUSH k 1 2 3 4 5 6'));
        await hearAll(waiters.slice(0, 5));
        await prompter.call(...words('LRANGE l 0 -1'));
        await prompter.call(...words('LPUSH k 7 8'));
        await hearAll(waiters.slice(5));
        await prompter.call(...words('LRANGE k 0 -1'));
      },
    ],
    [
      'serve from the first of several keys, whichever appeared',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        for (const lines of [
          ['MULTI', 'RPUSH b 1', 'RPUSH a 2', 'EXEC'],
          ['MULTI', 'RPUSH c 1', 'RPUSH b 2', 'EXEC'],
          ['RPUSH c 1'],
        ]) {
          const waiters = await queue(
            stage,
            prompter,
            'BLPOP a b c 0',
            'BRPOP c b a a 0',
            'BLMPOP 0 3 c a b LEFT COUNT 9',
          );
          for (const line of lines) await prompter.call(...words(line));
          await prompter.call(...words('RPUSH a 3 4 5'));
          await hearAll(waiters.slice(0, 3));
          await prompter.call('FLUSHALL');
        }
      },
    ],
    [
      'stop at a key of another type before that which appeared',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const waiters = await queue(stage, prompter, 'BLPOP a b 0', 'BLMPOP 0 2 a b LEFT', 'BLPOP b 0');
        await prompter.pipeline(words('SET a text'), words('RPUSH b 1'));
        await hearAll(waiters);
      },
    ],
    [
      'pass elements along a chain, and around',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const chain = await queue(
          stage,
          prompter,
          'BLMOVE c d LEFT LEFT 0',
          'BLMOVE b c LEFT RIGHT 0',
          'BLMOVE a b LEFT LEFT 0',
          'BLPOP d 0',
        );
        await prompter.call(...words('RPUSH a 1'));
        await hearAll(chain);
        const circle = await queue(stage, prompter, 'BRPOPLPUSH a b 0', 'BRPOPLPUSH b a 0');
        await prompter.call(...words('RPUSH a 2'));
        await hearAll(circle);
        const own = await queue(stage, prompter, 'BLMOVE e e LEFT RIGHT 0', 'BLPOP e 0');
        await prompter.call(...words('RPUSH e 3 4'));
        await hearAll(own);
        for (const key of words('a b c d e')) await prompter.call('LRANGE', key, '0', '-1');
      },
    ],
    [
      'leave the element where it is when there is a wrong type at the destination',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        await prompter.call(...words('SET d text'));
        const waiters = await queue(stage, prompter, 'BLMOVE k d LEFT LEFT 0', 'BRPOPLPUSH k l 0');
        await prompter.call(...words('RPUSH k 1'));
        await hearAll(waiters);
        await prompter.call(...words('LRANGE l 0 -1'));
      },
    ],
    [
      'serve nobody before EXEC, and nobody in it',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const waiters = await queue(stage, prompter, 'BLPOP k 0');
        await prompter.pipeline(
          ['MULTI'],
          words('BLPOP k 0'),
          words('BLMPOP 0 1 k LEFT'),
          words('BLMOVE k l LEFT LEFT 0'),
          words('BRPOPLPUSH k l 0'),
          words('RPUSH k 1 2 3'),
          words('BLPOP k 0'),
          words('BLMPOP 0 1 k RIGHT'),
          words('LRANGE k 0 -1'),
          ['EXEC'],
        );
        await hearAll(waiters);
        await prompter.call(...words('EXISTS k'));
      },
    ],
    [
      'see EXEC fail when the key that was watched is taken by who waited',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const watcher = await stage.enter('watcher');
        const waiters = await queue(stage, prompter, 'BRPOPLPUSH k l 0');
        await watcher.pipeline(words('WATCH l'), ['MULTI'], ['PING']);
        await prompter.call(...words('RPUSH k 1'));
        await hearAll(waiters);
        await watcher.call('EXEC');
      },
    ],
    [
      'end by timeouts, that of each, even if it was served in vain before',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const actors = [await stage.enter('a', 2), await stage.enter('b', 3), await stage.enter('c', 2)];
        for (const line of [
          'BLPOP k 0.05',
          'BRPOP k l 0.001',
          'BLMPOP 1e-2 1 k LEFT',
          'BLMOVE k l LEFT LEFT .01',
        ]) {
          for (const actor of actors) await actor.call(...words(line));
        }
        await prompter.pipeline(words('RPUSH k 1'), words('LRANGE k 0 -1'));
        await blockedCount(prompter, 0);
      },
    ],
    [
      'end by CLIENT UNBLOCK, and what was sent behind goes on',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        for (const how of [[], ['TIMEOUT'], ['error'], ['nosuch']]) {
          const [one, two] = await queue(stage, prompter, 'BLPOP k 0', 'BLMOVE k l LEFT LEFT 10');
          one.send(['PING'], words('RPUSH m 1'));
          for (const { id } of [one, two, one]) {
            prompter.send(['CLIENT', 'UNBLOCK', id, ...how]);
            await prompter.hear();
          }
          if (how[0] === 'nosuch') await prompter.call(...words('RPUSH k 1 2'));
          await one.hear(3);
          await two.hear();
          await prompter.call(...words('LPOP m'));
        }
        await prompter.call(...words('CLIENT UNBLOCK 1000000'));
        await prompter.call(...words('CLIENT UNBLOCK x'));
      },
    ],
    [
      'go on with what was sent behind, in order',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const [one] = await queue(stage, prompter, 'BLPOP k 0');
        one.send(words('GET x'), words('BRPOP l 0'), words('SET x 2'), words('GET x'));
        await prompter.pipeline(words('SET x 1'), words('RPUSH k a b'), words('GET x'));
        await one.hear(2);
        await blocked(prompter, one);
        await prompter.pipeline(words('GET x'), words('RPUSH l c'), words('SET x 3'));
        await one.hear(3);
      },
    ],
    [
      'keep their order when the one who pushes then waits itself',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const [one] = await queue(stage, prompter, 'BLPOP k 0');
        const other = await stage.enter('other');
        other.send(words('LPUSH k 1'), words('BLPOP k 0'));
        await one.hear();
        await other.hear();
        await blocked(prompter, other);
        await prompter.call(...words('LPUSH k 2'));
        await other.hear();
      },
    ],
    [
      'stay when who waited is gone',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const [one, two, three] = await queue(stage, prompter, 'BLPOP k 0', 'BLPOP k 0', 'BLPOP k 0');
        prompter.send(['CLIENT', 'KILL', 'ID', one.id]);
        await prompter.hear();
        await one.closed();
        await prompter.call(...words('RPUSH k 1'));
        await two.hear();
        prompter.send(['MULTI'], ['CLIENT', 'KILL', 'ID', three.id], words('RPUSH k 2'), ['EXEC']);
        await prompter.hear(3);
        await prompter.ask('PING');
        await three.closed();
        await prompter.call(...words('LRANGE k 0 -1'));
      },
    ],
    [
      'are taken in silence by who wants no replies',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const quiet = await stage.enter('quiet');
        const [one, two] = await queue(stage, prompter, 'BLPOP k 0', 'BLPOP l 0');
        quiet.send(
          words('CLIENT REPLY OFF'),
          words('RPUSH k 1'),
          ['CLIENT', 'UNBLOCK', two.id],
          words('BLPOP m 0'),
        );
        await hearAll([one, two]);
        await blocked(prompter, quiet);
        await prompter.call(...words('RPUSH m 2'));
        quiet.send(words('CLIENT REPLY ON'), ['PING']);
        await quiet.hear(2);
        quiet.send(words('CLIENT REPLY SKIP'), words('BLPOP m 0'), words('LLEN m'));
        await blocked(prompter, quiet);
        await prompter.call(...words('RPUSH m 3 4'));
        await quiet.hear();
      },
    ],
    [
      'come with RESTORE, whatever held the key',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        await prompter.call(...words('RPUSH l a b c'));
        const payload = String(await prompter.ask('DUMP', 'l'));
        for (const maker of [[], ['SET', 'k', 'text'], ['ZADD', 'k', '1', 'member']]) {
          const [one, two] = await queue(stage, prompter, 'BLPOP k 0', 'BRPOP k 0');
          if (maker.length > 0) await prompter.call(...maker);
          prompter.send(['RESTORE', 'k', '0', payload, 'REPLACE']);
          await prompter.hear();
          await hearAll([one, two]);
          await prompter.call(...words('DEL k'));
        }
      },
    ],
    [
      'wait for the end of a pause',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const [one, two] = await queue(stage, prompter, 'BLPOP k 0', 'BLPOP k 0');
        await prompter.pipeline(['MULTI'], words('CLIENT PAUSE 1000000 WRITE'), words('RPUSH k 1 2'), [
          'EXEC',
        ]);
        const other = await stage.enter('other');
        other.send(words('RPUSH k 3'));
        await prompter.call(...words('LRANGE k 0 -1'));
        await prompter.pipeline(words('CLIENT UNPAUSE'), ['PING']);
        await hearAll([one, two]);
        await other.hear();
      },
    ],
    [
      'are told of in the order of what happened',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        const listener = await stage.enter('listener');
        await prompter.call(...words('CONFIG SET notify-keyspace-events KEA'));
        await listener.call(...words('PSUBSCRIBE __key*__:*'));
        const waiters = await queue(
          stage,
          prompter,
          'BLMOVE k l LEFT LEFT 0',
          'BLMPOP 0 1 l LEFT COUNT 3',
          'BRPOP k 0',
        );
        await prompter.call(...words('RPUSH k 1 2'));
        await hearAll(waiters);
        // Two for each: lpush k, lpop k, lpush l, lpop l, del l, rpop k, del k, with `new` left out of KEA.
        await listener.hear(14);
        await prompter.call(...words('CONFIG SET notify-keyspace-events'), '');
      },
    ],
    [
      'count as called once, when they are served or not',
      async (stage) => {
        const prompter = await stage.enter('prompter');
        await prompter.ask('CONFIG', 'RESETSTAT');
        const waiters = await queue(stage, prompter, 'BLPOP k 0', 'BLMOVE k l LEFT LEFT 0', 'BRPOP k 0');
        await prompter.ask(...words('RPUSH k 1'));
        await prompter.ask('CLIENT', 'UNBLOCK', waiters[1].id);
        await prompter.ask('CLIENT', 'UNBLOCK', waiters[2].id, 'ERROR');
        await hearAll(waiters);
        const info = String(await prompter.ask(...words('INFO everything')));
        const calls = /cmdstat_(b[lr][a-z]*|rpush):calls=(\d+),.*rejected_calls=(\d+),failed_calls=(\d+)/g;
        const counts = [...info.matchAll(calls)].map(([, ...figures]) => figures.join(' '));
        const errors = info.match(/errorstat_.*|total_error_replies.*/g) ?? [];
        await prompter.call('ECHO', [...counts, ...errors].sort().join(', '));
      },
    ],
  ];

  it.each(scenarios)('%s', async (_, scenario) => {
    await servers.play(scenario);
  });

  const RANDOM_STEPS = 250;

  it.each([1, 2, 3, 4])('go to the same ones after random commands (seed %i)', async (seed) => {
    await servers.play((stage) => playAtRandom(stage, seed, RANDOM_STEPS));
  });
});

/** Random commands of several clients, of whom one more may wait after each. */
async function playAtRandom(stage: Stage, seed: number, steps: number): Promise<void> {
  const random = new Random(seed);
  const prompter = await stage.enter('prompter');
  const actors: Actor[] = [];
  for (let i = 0; i < 6; i++) actors.push(await stage.enter(`client ${i}`, i % 2 === 0 ? 2 : 3));
  /** What those who wait will be sent. */
  const waiting = new Map<Actor, Promise<RawReply>>();
  const key = () => random.pick(['a', 'b', 'c', 'd']);
  const keys = () => random.several(1, 3, key);
  const end = () => random.pick(['LEFT', 'RIGHT']);
  let element = 0;
  const elements = () => random.several(1, 3, () => String(element++));
  const pushing = () => [random.pick(['LPUSH', 'RPUSH']), key(), ...elements()];
  // Not SWAPDB: the keys that appear by it are looked at in no particular order in Redis.
  const making = () =>
    random.weighted<() => string[]>([
      [8, pushing],
      [2, () => ['LMOVE', key(), key(), end(), end()]],
      [2, () => [random.pick(['RENAME', 'COPY']), key(), key()]],
      [1, () => ['COPY', key(), key(), 'REPLACE']],
      [1, () => ['SORT', key(), 'ALPHA', 'STORE', key()]],
      [1, () => ['SET', key(), 'text']],
      [2, () => ['ZADD', key(), '1', String(element++)]],
      [2, () => ['DEL', ...keys()]],
      [1, () => ['PEXPIREAT', key(), '1']],
    ])();
  const waitingFor = () =>
    random.weighted<() => string[]>([
      [3, () => [random.pick(['BLPOP', 'BRPOP']), ...keys(), '0']],
      [2, () => ['BLMOVE', key(), key(), end(), end(), '0']],
      [1, () => ['BRPOPLPUSH', key(), key(), '0']],
      [1, () => ['BZPOPMIN', ...keys(), '0']],
      [
        2,
        () => {
          const several = keys();
          const count = String(random.integerBetween(1, 3));
          return ['BLMPOP', '0', String(several.length), ...several, end(), 'COUNT', count];
        },
      ],
    ])();

  /** Hears all who wait no longer. */
  const settle = async () => {
    const lines = String(await prompter.ask('CLIENT', 'LIST')).split('\n');
    for (const [i, actor] of actors.entries()) {
      const reply = waiting.get(actor);
      const line = lines.find((text) => text.startsWith(`id=${actor.id} `)) ?? '';
      if (reply === undefined || isWaiting(line)) continue;
      waiting.delete(actor);
      stage.transcript.push(`client ${i} got ${JSON.stringify(await reply)}`);
    }
  };

  for (let step = 0; step < steps; step++) {
    const free = actors.filter((actor) => !waiting.has(actor));
    const kind = random.next();
    if (free.length > 0 && kind < 0.45) {
      const actor = random.pick(free);
      let isServed = false;
      const reply = actor.ask(...waitingFor()).finally(() => {
        isServed = true;
      });
      waiting.set(actor, reply);
      while (!isServed && !isWaiting(String(await prompter.ask('CLIENT', 'LIST', 'ID', actor.id))));
    } else if (kind < 0.85) {
      await prompter.call(...making());
    } else if (kind < 0.95) {
      const commands = random.several(1, 4, making);
      await prompter.pipeline(['MULTI'], ...commands, ['EXEC']);
    } else if (waiting.size > 0) {
      const actor = random.pick([...waiting.keys()]);
      prompter.send(['CLIENT', 'UNBLOCK', actor.id, random.pick(['TIMEOUT', 'ERROR'])]);
      await prompter.hear();
    }
    await settle();
  }
  for (const name of words('a b c d')) {
    await prompter.call('TYPE', name);
    await prompter.call('EXISTS', name);
  }
  for (const actor of waiting.keys()) await prompter.ask('CLIENT', 'UNBLOCK', actor.id);
  await settle();
}

describe('ten thousand clients that wait', () => {
  const CLIENTS = 10_000;
  let respite: RespiteServer;

  beforeAll(async () => {
    respite = await createServer({ directives: { maxclients: '20000' } });
  });

  afterAll(async () => {
    await respite?.close();
  });

  it('are served in order, and leave nothing behind', async () => {
    const { server } = respite;
    const clients = Array.from({ length: CLIENTS }, () => InMemoryClient.enter(server));
    for (const client of clients) client.command('BLPOP', 'queue', `own:${client.id}`, '0');
    expect(server.blocking.count).toBe(CLIENTS);
    expect(server.blocking.keyCount).toBe(CLIENTS + 1);
    const pusher = InMemoryClient.enter(server);
    for (let i = 0; i < CLIENTS; i++)
      pusher.command('RPUSH', i % 2 === 0 ? 'queue' : `own:${clients[i].id}`, String(i));
    await pusher.turn();
    clients.forEach((client, i) => {
      const key = i % 2 === 0 ? 'queue' : `own:${client.id}`;
      expect(client.received).toBe(`*2\r\n$${key.length}\r\n${key}\r\n$${String(i).length}\r\n${i}\r\n`);
    });
    expect(server.blocking.count).toBe(0);
    expect(server.blocking.keyCount).toBe(0);
    expect(server.keyspace.databases[0].size).toBe(0);
    for (const client of [...clients, pusher]) client.leave();
  });

  it('have no timers, and are not looked at by commands on other keys', async () => {
    const { server } = respite;
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const clients = Array.from({ length: CLIENTS }, () => InMemoryClient.enter(server));
    for (const client of clients) client.command('BLPOP', 'queue', client.id % 2 === 0 ? '0' : '100000');
    expect(server.blocking.count).toBe(CLIENTS);
    expect(server.blocking.timedCount).toBe(CLIENTS / 2);
    expect(timers()).toBe(before);
    const other = InMemoryClient.enter(server);
    for (let i = 0; i < 1000; i++) other.command('RPUSH', `other:${i}`, 'x');
    expect(server.blocking.hasReady).toBe(false);
    for (const client of clients) client.leave();
    expect(server.blocking.count).toBe(0);
    expect(server.blocking.keyCount).toBe(0);
    other.command('RPUSH', 'queue', 'x');
    await other.turn();
    expect(other.received.endsWith(':1\r\n')).toBe(true);
    other.leave();
  });
});
