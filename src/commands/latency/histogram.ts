import type { CommandContext } from '../../server/context.js';
import type { RegisteredCommand } from '../../server/registered-command.js';

/** LATENCY HISTOGRAM: for each command how many calls took how long at most, in buckets of twice the time each. */
export function latencyHistogram(context: CommandContext): void {
  const { reply } = context;
  const start = reply.beginDeferred();
  let count = 0;
  for (const command of wantedCommands(context)) count += replyCommand(context, command);
  reply.endDeferredMap(start, count);
}

/** All commands, or those that are named with their subcommands; names of none are skipped. */
function wantedCommands({ arguments: request, commands }: CommandContext): RegisteredCommand[] {
  if (request.count === 2) return commands.commands.flatMap((command) => [command, ...command.subcommands]);
  const wanted: RegisteredCommand[] = [];
  for (let i = 2; i < request.count; i++) {
    const command = commands.findByFullName(request.cString(i));
    if (command !== undefined) wanted.push(command, ...command.subcommands);
  }
  return wanted;
}

/** Replies the histogram of a command. Returns how many that were: 0 when it was not called. */
function replyCommand({ reply, server }: CommandContext, command: RegisteredCommand): number {
  const histogram = server.commandTimes.latenciesOf(command);
  if (histogram === undefined) return 0;
  const buckets = histogram.doublings();
  reply.bulkText(command.fullName);
  reply.mapHeader(2);
  reply.bulkText('calls');
  reply.integer(histogram.count);
  reply.bulkText('histogram_usec');
  reply.mapHeader(buckets.length);
  for (const { upTo, calls } of buckets) {
    reply.integer(Math.floor(upTo / 1000));
    reply.integer(calls);
  }
  return 1;
}
