import type { Command } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { replyHelp } from '../help.js';
import { latencyReport } from './doctor.js';
import { latencyGraph } from './graph.js';
import { latencyHistogram } from './histogram.js';

export const latencyCommands: readonly Command[] = [
  {
    name: 'latency',
    summary: 'Look at what took long.',
    arity: -2,
    since: '2.8.13',
    group: 'server',
    complexity: 'depends on the subcommand',
    subcommands: [
      {
        name: 'doctor',
        summary: 'Advice on latency problems.',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(1)',
        hints: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        handler: latencyDoctor,
      },
      {
        name: 'graph',
        summary: 'The latest samples of an event as a graph.',
        syntax: 'event',
        arity: 3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(1)',
        hints: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        handler: latencyGraphCommand,
      },
      {
        name: 'help',
        summary: 'List the subcommands.',
        arity: 2,
        flags: ['loading', 'stale'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(1)',
        handler: replyHelp,
      },
      {
        name: 'histogram',
        summary: 'How the latencies of commands are distributed.',
        syntax: '[command...]',
        arity: -2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '7.0.0',
        group: 'server',
        complexity: 'O(N) for N commands returned',
        hints: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        handler: latencyHistogram,
      },
      {
        name: 'history',
        summary: 'The samples of an event.',
        syntax: 'event',
        arity: 3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(1)',
        hints: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        handler: latencyHistory,
      },
      {
        name: 'latest',
        summary: 'The latest sample of every event.',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(1)',
        hints: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        handler: latencyLatest,
      },
      {
        name: 'reset',
        summary: 'Delete the samples of events.',
        syntax: '[event...]',
        arity: -2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(1)',
        hints: ['request_policy:all_nodes', 'response_policy:agg_sum'],
        handler: latencyReset,
      },
    ],
  },
];

function latencyDoctor({ reply, server }: CommandContext): void {
  reply.verbatim('txt', latencyReport(server.slowCommands.latencies, server.configuration.values));
}

function latencyGraphCommand({ arguments: request, reply, server }: CommandContext): void {
  const event = request.cString(2);
  const series = server.slowCommands.latencies.series.get(event);
  if (series === undefined) reply.error(`ERR No samples available for event '${event}'`);
  else reply.verbatim('txt', latencyGraph(event, series));
}

function latencyHistory({ arguments: request, reply, server }: CommandContext): void {
  const samples = server.slowCommands.latencies.series.get(request.cString(2))?.samples ?? [];
  reply.arrayHeader(samples.length);
  for (const { timeSeconds, milliseconds } of samples) {
    reply.arrayHeader(2);
    reply.integer(timeSeconds);
    reply.integer(milliseconds);
  }
}

function latencyLatest({ reply, server }: CommandContext): void {
  const { series } = server.slowCommands.latencies;
  reply.arrayHeader(series.size);
  for (const [event, { samples, maxMs }] of series) {
    const last = samples[samples.length - 1];
    reply.arrayHeader(4);
    reply.bulkText(event);
    reply.integer(last.timeSeconds);
    reply.integer(last.milliseconds);
    reply.integer(maxMs);
  }
}

function latencyReset({ arguments: request, reply, server }: CommandContext): void {
  const { latencies } = server.slowCommands;
  let count = request.count === 2 ? latencies.reset() : 0;
  for (let i = 2; i < request.count; i++) count += latencies.reset(request.cString(i));
  reply.integer(count);
}
