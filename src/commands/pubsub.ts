import { type Command, keyAt, keysFrom } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { wrongSubcommandArity } from '../server/errors.js';
import { PROPAGATE_REPLICAS } from '../server/propagation.js';
import type { SubscriptionKind } from '../server/pubsub.js';
import { matchGlob } from '../structures/glob.js';
import { replyHelp } from './help.js';

export const pubsubCommands: readonly Command[] = [
  {
    name: 'subscribe',
    summary: 'Get the messages sent to channels.',
    syntax: 'channel...',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    since: '2.0.0',
    group: 'pubsub',
    complexity: 'O(N) for N channels',
    handler: subscribe,
  },
  {
    name: 'unsubscribe',
    summary: 'Get no more messages of channels.',
    syntax: '[channel...]',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    since: '2.0.0',
    group: 'pubsub',
    complexity: 'O(N) for N channels',
    handler: unsubscribe,
  },
  {
    name: 'psubscribe',
    summary: 'Get the messages sent to channels that match patterns.',
    syntax: 'pattern...',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    since: '2.0.0',
    group: 'pubsub',
    complexity: 'O(N) for N patterns',
    handler: psubscribe,
  },
  {
    name: 'punsubscribe',
    summary: 'Get no more messages for patterns.',
    syntax: '[pattern...]',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    since: '2.0.0',
    group: 'pubsub',
    complexity: 'O(N) for N patterns',
    handler: punsubscribe,
  },
  {
    name: 'publish',
    summary: 'Send a message to a channel.',
    syntax: 'channel message',
    arity: 3,
    flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
    since: '2.0.0',
    group: 'pubsub',
    complexity: 'O(N+M) for N subscribers of the channel and M patterns in all',
    handler: publish,
  },
  {
    name: 'ssubscribe',
    summary: 'Get the messages sent to shard channels.',
    syntax: 'shardchannel...',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: [keysFrom(1, 'not_key')],
    since: '7.0.0',
    group: 'pubsub',
    complexity: 'O(N) for N channels',
    handler: ssubscribe,
  },
  {
    name: 'sunsubscribe',
    summary: 'Get no more messages of shard channels.',
    syntax: '[shardchannel...]',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: [keysFrom(1, 'not_key')],
    since: '7.0.0',
    group: 'pubsub',
    complexity: 'O(N) for N channels',
    handler: sunsubscribe,
  },
  {
    name: 'spublish',
    summary: 'Send a message to a shard channel.',
    syntax: 'shardchannel message',
    arity: 3,
    flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
    keys: [keyAt(1, 'not_key')],
    since: '7.0.0',
    group: 'pubsub',
    complexity: 'O(N) for N subscribers of the channel',
    handler: spublish,
  },
  {
    name: 'pubsub',
    summary: 'Look at channels and their subscribers.',
    arity: -2,
    since: '2.8.0',
    group: 'pubsub',
    complexity: 'depends on the subcommand',
    subcommands: [
      {
        name: 'channels',
        summary: 'The channels that have subscribers.',
        syntax: '[pattern]',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        since: '2.8.0',
        group: 'pubsub',
        complexity: 'O(N) for N such channels',
        handler: pubsubChannels,
      },
      {
        name: 'help',
        summary: 'List the subcommands.',
        arity: 2,
        flags: ['loading', 'stale'],
        since: '6.2.0',
        group: 'pubsub',
        complexity: 'O(1)',
        handler: replyHelp,
      },
      {
        name: 'numpat',
        summary: 'How many patterns have subscribers.',
        arity: 2,
        flags: ['pubsub', 'loading', 'stale'],
        since: '2.8.0',
        group: 'pubsub',
        complexity: 'O(1)',
        handler: pubsubNumPat,
      },
      {
        name: 'numsub',
        summary: 'How many subscribers channels have.',
        syntax: '[channel...]',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        since: '2.8.0',
        group: 'pubsub',
        complexity: 'O(N) for N channels asked for',
        handler: pubsubNumSub,
      },
      {
        name: 'shardchannels',
        summary: 'The shard channels that have subscribers.',
        syntax: '[pattern]',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        since: '7.0.0',
        group: 'pubsub',
        complexity: 'O(N) for N such channels',
        handler: pubsubShardChannels,
      },
      {
        name: 'shardnumsub',
        summary: 'How many subscribers shard channels have.',
        syntax: '[shardchannel...]',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        since: '7.0.0',
        group: 'pubsub',
        complexity: 'O(N) for N channels asked for',
        handler: pubsubShardNumSub,
      },
    ],
  },
];

function subscribe(context: CommandContext): void {
  subscribeTo(context, 'channel');
}

function psubscribe(context: CommandContext): void {
  subscribeTo(context, 'pattern');
}

function ssubscribe(context: CommandContext): void {
  subscribeTo(context, 'shard');
}

function unsubscribe(context: CommandContext): void {
  unsubscribeFrom(context, 'channel');
}

function punsubscribe(context: CommandContext): void {
  unsubscribeFrom(context, 'pattern');
}

function sunsubscribe(context: CommandContext): void {
  unsubscribeFrom(context, 'shard');
}

function subscribeTo(context: CommandContext, kind: SubscriptionKind): void {
  const { arguments: request, client, server } = context;
  for (let i = 1; i < request.count; i++) server.pubsub.subscribe(client, kind, request.text(i));
}

function unsubscribeFrom(context: CommandContext, kind: SubscriptionKind): void {
  const { arguments: request, client, server } = context;
  if (request.count === 1) server.pubsub.unsubscribeAll(client, kind);
  for (let i = 1; i < request.count; i++) server.pubsub.unsubscribe(client, kind, request.text(i));
}

function publish(context: CommandContext): void {
  publishTo(context, 'channel');
}

function spublish(context: CommandContext): void {
  publishTo(context, 'shard');
}

function publishTo(context: CommandContext, kind: 'channel' | 'shard'): void {
  const { bytes, offsets, lengths } = context.arguments;
  const channel = { bytes, offset: offsets[1], length: lengths[1] };
  const message = { bytes, offset: offsets[2], length: lengths[2] };
  context.reply.integer(context.server.pubsub.publish(kind, channel, message));
  context.propagateAnyway(PROPAGATE_REPLICAS);
}

function pubsubChannels(context: CommandContext): void {
  replyNames(context, 'channel');
}

function pubsubShardChannels(context: CommandContext): void {
  replyNames(context, 'shard');
}

function replyNames(context: CommandContext, kind: SubscriptionKind): void {
  const { arguments: request, reply, server } = context;
  if (request.count > 3) {
    reply.error(wrongSubcommandArity(request.cString(1), 'pubsub'));
    return;
  }
  const start = reply.beginDeferred();
  let count = 0;
  for (const name of server.pubsub.names(kind)) {
    const bytes = Buffer.from(name, 'latin1');
    const isWanted =
      request.count < 3 ||
      matchGlob(request.bytes, request.offsets[2], request.lengths[2], bytes, 0, bytes.length, false);
    if (!isWanted) continue;
    reply.bulkBytes(bytes);
    count++;
  }
  reply.endDeferredArray(start, count);
}

function pubsubNumSub(context: CommandContext): void {
  replyCounts(context, 'channel');
}

function pubsubShardNumSub(context: CommandContext): void {
  replyCounts(context, 'shard');
}

function replyCounts({ arguments: request, reply, server }: CommandContext, kind: SubscriptionKind): void {
  reply.arrayHeader((request.count - 2) * 2);
  for (let i = 2; i < request.count; i++) {
    reply.bulk(request.bytes, request.offsets[i], request.lengths[i]);
    reply.integer(server.pubsub.subscriberCount(kind, request.text(i)));
  }
}

function pubsubNumPat(context: CommandContext): void {
  context.reply.integer(context.server.pubsub.count('pattern'));
}
