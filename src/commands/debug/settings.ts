import { randomBytes } from 'node:crypto';
import { parseMemory } from '../../config/numbers.js';
import type { CommandContext } from '../../server/context.js';
import { REPLY_BUFFER_PEAK_RESET_MS } from '../../server/debug-settings.js';
import { type DebugSubcommand, FIRST_ARGUMENT, leadingNumber, wrongSubcommand } from './subcommand.js';

export const settingSubcommands: readonly DebugSubcommand[] = [
  {
    name: 'aof-flush-sleep',
    syntax: '<microseconds>',
    summary: 'Hold every write to the append-only file up for so long.',
    least: 1,
    most: 1,
    handler: ({ arguments: request, server, reply }) => {
      server.appendOnlyFile.writer.sleepMicroseconds = leadingNumber(request.text(FIRST_ARGUMENT));
      reply.ok();
    },
  },
  {
    name: 'change-repl-id',
    syntax: '',
    summary: 'Give the history of the data a new name, so that replicas have to copy all of it.',
    least: 0,
    most: 0,
    handler: changeReplicationId,
  },
  {
    name: 'config-rewrite-force-all',
    syntax: '',
    summary: 'CONFIG REWRITE, with the directives that have their default value.',
    least: 0,
    most: 0,
    handler: rewriteAll,
  },
  toggle('dict-resizing', 'Let hash tables grow and shrink.', ({ keyspace, types }, isOn) => {
    keyspace.hashTable.resizes = isOn;
    types.sets.hashTable.resizes = isOn;
  }),
  {
    name: 'log',
    syntax: '<message>',
    summary: 'Write a message to the log.',
    least: 1,
    most: 1,
    handler: ({ arguments: request, server, reply }) => {
      server.log.warn(`DEBUG LOG: ${request.text(FIRST_ARGUMENT)}`);
      reply.ok();
    },
  },
  toggle('pause-cron', 'Stop the periodic tasks.', ({ server }, isOn) => {
    server.cron.isPaused = isOn;
  }),
  {
    name: 'quicklist-packed-threshold',
    syntax: '<size>',
    summary: 'The size from which on an element of a list has a node of its own; 0: as usual.',
    least: 1,
    most: 1,
    handler: setPackedThreshold,
  },
  {
    name: 'replybuffer',
    syntax: 'PEAK-RESET-TIME <NEVER|RESET|milliseconds> | RESIZING <0|1>',
    summary: 'When reply buffers shrink, where they are kept.',
    least: 2,
    most: 2,
    handler: setReplyBuffer,
  },
  toggle(
    'set-active-expire',
    'Expire keys when their time comes, not only when they are used.',
    setActiveExpire,
  ),
  toggle('set-skip-checksum-validation', 'Take checksums for right.', ({ server }, isOn) => {
    server.debugSettings.skipsChecksums = isOn;
  }),
  {
    name: 'sleep',
    syntax: '<seconds>',
    summary: 'Do nothing, for anybody, for some time. Decimals are allowed.',
    least: 1,
    most: 1,
    handler: sleep,
  },
];

/** A subcommand that takes 0 or 1. */
function toggle(
  name: string,
  summary: string,
  set: (context: CommandContext, isOn: boolean) => void,
): DebugSubcommand {
  const handler = (context: CommandContext) => {
    set(context, leadingNumber(context.arguments.text(FIRST_ARGUMENT)) !== 0);
    context.reply.ok();
  };
  return { name, syntax: '<0|1>', summary, least: 1, most: 1, handler };
}

function setActiveExpire({ server }: CommandContext, isOn: boolean): void {
  // What is due by now is looked for at the end of this turn.
  server.cron.expiresActively = isOn;
}

function changeReplicationId({ server, reply }: CommandContext): void {
  server.log.info('Changing replication IDs after receiving DEBUG change-repl-id');
  server.replicationId = randomBytes(20).toString('hex');
  reply.ok();
}

function rewriteAll({ configuration, reply }: CommandContext): void {
  const failure = 'ERR CONFIG-REWRITE-FORCE-ALL failed';
  if (configuration.file === undefined) {
    reply.error(`${failure}: Bad address`);
    return;
  }
  const problem = configuration.rewrite({ force: true });
  if (problem === undefined) reply.ok();
  else reply.error(problem.replace('ERR Rewriting config file', failure));
}

function setPackedThreshold({ arguments: request, types, reply }: CommandContext): void {
  const size = parseMemory(request.cString(FIRST_ARGUMENT));
  if (size !== undefined && types.lists.quicklists.limits.setPackedThreshold(Number(size))) reply.ok();
  else reply.error('ERR argument must be a memory value bigger than 1 and smaller than 4gb');
}

function setReplyBuffer(context: CommandContext): void {
  const { arguments: request, server, reply } = context;
  const value = FIRST_ARGUMENT + 1;
  if (request.is(FIRST_ARGUMENT, 'RESIZING')) {
    server.debugSettings.resizesReplyBuffers = leadingNumber(request.text(value)) !== 0;
  } else if (request.is(FIRST_ARGUMENT, 'PEAK-RESET-TIME')) {
    let time = REPLY_BUFFER_PEAK_RESET_MS;
    if (request.is(value, 'NEVER')) time = -1;
    else if (!request.is(value, 'RESET')) time = context.integer(value);
    if (Number.isNaN(time)) return;
    server.debugSettings.replyBufferPeakResetMs = time;
  } else {
    reply.error(wrongSubcommand(context));
    return;
  }
  reply.ok();
}

function sleep({ arguments: request, server, reply }: CommandContext): void {
  const seconds = Number.parseFloat(request.text(FIRST_ARGUMENT));
  if (seconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
  server.turn.readClock();
  reply.ok();
}
