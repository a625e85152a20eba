import { type Command, keyAt } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { replyHelp } from '../help.js';
import { memoryDoctor } from './doctor.js';
import { memoryStats } from './stats.js';
import { memoryUsage } from './usage.js';

export const memoryCommands: readonly Command[] = [
  {
    name: 'memory',
    summary: 'Look at how memory is used.',
    arity: -2,
    since: '4.0.0',
    group: 'server',
    complexity: 'depends on the subcommand',
    subcommands: [
      {
        name: 'doctor',
        summary: 'Advice on memory problems.',
        arity: 2,
        since: '4.0.0',
        group: 'server',
        complexity: 'O(1)',
        hints: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        handler: memoryDoctor,
      },
      {
        name: 'help',
        summary: 'List the subcommands.',
        arity: 2,
        flags: ['loading', 'stale'],
        since: '4.0.0',
        group: 'server',
        complexity: 'O(1)',
        handler: replyHelp,
      },
      {
        name: 'malloc-stats',
        summary: "The allocator's own statistics.",
        arity: 2,
        since: '4.0.0',
        group: 'server',
        complexity: 'grows with the memory in use and may be slow',
        hints: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        handler: mallocStats,
      },
      {
        name: 'purge',
        summary: 'Ask the allocator to give memory back.',
        arity: 2,
        since: '4.0.0',
        group: 'server',
        complexity: 'grows with the memory in use and may be slow',
        hints: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        handler: purge,
      },
      {
        name: 'stats',
        summary: 'What memory is used for.',
        arity: 2,
        since: '4.0.0',
        group: 'server',
        complexity: 'O(1)',
        hints: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        handler: memoryStats,
      },
      {
        name: 'usage',
        summary: 'The bytes that a key and its value take.',
        syntax: 'key [SAMPLES count]',
        arity: -3,
        flags: ['readonly'],
        keys: [keyAt(2, 'RO')],
        since: '4.0.0',
        group: 'server',
        complexity: 'O(N) for N elements sampled',
        handler: memoryUsage,
      },
    ],
  },
];

function purge({ keyspace, reply }: CommandContext): void {
  keyspace.memory.purge();
  reply.ok();
}

function mallocStats({ keyspace, reply }: CommandContext): void {
  const { usedBytes, usedBytesPeak, blockCount, occupiedBytes, segmentBytes } = keyspace.memory;
  const heap = process.memoryUsage();
  reply.verbatim(
    'txt',
    [
      '___ Begin respite statistics ___',
      `Blocks: ${blockCount}, allocated: ${usedBytes}, peak: ${usedBytesPeak}`,
      `Pages with blocks: ${occupiedBytes}, segments: ${segmentBytes}`,
      `V8 heap: ${heap.heapUsed} of ${heap.heapTotal}, buffers: ${heap.arrayBuffers}, external: ${heap.external}`,
      '--- End respite statistics ---',
      '',
    ].join('\n'),
  );
}
