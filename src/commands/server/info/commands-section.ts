import type { RegisteredCommand } from '../../../server/registered-command.js';
import type { Server } from '../../../server/server.js';
import { type InfoField, type InfoSection, safeName, twoDecimals } from './section.js';

/** Calls of each command that was called or refused. */
export const commandStatsSection: InfoSection = {
  name: 'commandstats',
  title: 'Commandstats',
  shownBy: 'all',
  *fields(server) {
    for (const command of allCommands(server)) {
      const { calls, microseconds, rejectedCalls, failedCalls } = command;
      if (calls === 0 && rejectedCalls === 0 && failedCalls === 0) continue;
      const perCall = calls === 0 ? 0 : microseconds / calls;
      yield [
        `cmdstat_${safeName(command.fullName)}`,
        `calls=${calls},usec=${Math.floor(microseconds)},usec_per_call=${twoDecimals(perCall)},` +
          `rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`,
      ];
    }
  },
};

/** Error replies by their code. */
export const errorStatsSection: InfoSection = {
  name: 'errorstats',
  title: 'Errorstats',
  shownBy: 'default',
  fields({ errorStatistics }) {
    return [...errorStatistics.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, count]): InfoField => [`errorstat_${safeName(code)}`, `count=${count}`]);
  },
};

/** How long the calls of each command took, by percentile. */
export const latencyStatsSection: InfoSection = {
  name: 'latencystats',
  title: 'Latencystats',
  shownBy: 'all',
  *fields(server) {
    const { values } = server.configuration;
    if (!values['latency-tracking']) return;
    const percentiles = values['latency-tracking-info-percentiles'];
    for (const command of allCommands(server)) {
      const latencies = server.commandTimes.latenciesOf(command);
      if (latencies === undefined) continue;
      const shown = percentiles.map((percentile) => {
        const microseconds = latencies.valueAt(percentile) / 1000;
        return `p${percentileName(percentile)}=${microseconds.toFixed(3)}`;
      });
      yield [`latency_percentiles_usec_${safeName(command.fullName)}`, shown.join(',')];
    }
  },
};

function* allCommands({ commands }: Server): Generator<RegisteredCommand> {
  for (const command of commands.commands) {
    yield command;
    yield* command.subcommands;
  }
}

/** `50`, `99.9`: at most six decimals, without zeros at the end. */
function percentileName(percentile: number): string {
  return String(Number(percentile.toFixed(6)));
}
