import type { DirectiveName } from '../config/directives.js';
import { ENCODING_LIMITS } from '../types/types.js';
import type { Server } from './server.js';

/** A slow log threshold, in microseconds, below which the time of a run of quick commands could hide a slow one. */
const EACH_CALL_TIMED_BELOW = 1000;

/** Copies what the parts of a server need from its configuration, now and whenever it changes. */
export function followConfiguration(server: Server): void {
  const { configuration, queryBuffers, dumpPayloads } = server;
  const { values } = configuration;
  const follow = (names: DirectiveName | readonly DirectiveName[], copy: () => void) => {
    copy();
    configuration.onChange(names, () => {
      copy();
      return undefined;
    });
  };
  follow(['proto-max-bulk-len', 'client-query-buffer-limit'], () => {
    queryBuffers.limits.bulkBytesMax = values['proto-max-bulk-len'];
    queryBuffers.queryBytesMax = values['client-query-buffer-limit'];
  });
  follow(['rdbcompression', 'sanitize-dump-payload'], () => {
    dumpPayloads.compresses = values.rdbcompression;
    dumpPayloads.reader.checksDuplicates = values['sanitize-dump-payload'] !== 'no';
  });
  follow(['maxmemory-policy', 'lfu-log-factor', 'lfu-decay-time'], () => {
    const { accessClock } = server.keyspace;
    accessClock.isLfu = values['maxmemory-policy'].endsWith('lfu');
    accessClock.logFactor = values['lfu-log-factor'];
    accessClock.decayMinutes = values['lfu-decay-time'];
  });
  follow('client-output-buffer-limit', () => server.outputLimits.set(values['client-output-buffer-limit']));
  follow('tracking-table-max-keys', () => {
    server.tracking.tableKeysMax = values['tracking-table-max-keys'];
  });
  follow(['maxmemory', 'maxmemory-policy', 'maxmemory-samples'], () => server.limitMemory());
  follow(['maxmemory-clients', 'maxmemory'], () => {
    server.clientEviction.configure(values);
    server.turn.open();
  });
  follow('notify-keyspace-events', () => server.notifications.select(values['notify-keyspace-events']));
  follow(ENCODING_LIMITS, () => server.types.limitEncodings(values));
  follow(['slowlog-log-slower-than', 'latency-tracking'], () => {
    const slowerThan = values['slowlog-log-slower-than'];
    server.commandTimes.timesEachCall = slowerThan >= 0 && slowerThan < EACH_CALL_TIMED_BELOW;
    server.commandTimes.recordsLatencies = values['latency-tracking'];
  });
  follow(['save', 'stop-writes-on-bgsave-error', 'min-replicas-to-write', 'min-replicas-max-lag'], () =>
    server.refuseWrites(),
  );
  follow('hz', () => server.cron.start(values.hz));
}
