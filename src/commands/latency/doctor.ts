import type { DirectiveValues } from '../../config/directives.js';
import type { LatencyMonitor, LatencySeries } from '../../observability/latency-monitor.js';

/** What may help against an event. */
interface Advice {
  readonly events: readonly string[];
  readonly isFitting: (values: DirectiveValues) => boolean;
  readonly text: (values: DirectiveValues) => string;
}

const always = () => true;
const logsNothing = (values: DirectiveValues) =>
  values['slowlog-log-slower-than'] < 0 || values['slowlog-max-len'] === 0;

const DISK_EVENTS = ['aof-write-pending-fsync', 'aof-write-active-child', 'aof-write-alone', 'aof-rename'];

const ADVICE: readonly Advice[] = [
  {
    events: ['command'],
    isFitting: logsNothing,
    text: (values) =>
      `Some commands take long, and the slow log is off. CONFIG SET slowlog-log-slower-than ${latencyMicroseconds(values)} ` +
      'would show which.',
  },
  {
    events: ['command'],
    isFitting: (values) =>
      !logsNothing(values) && values['slowlog-log-slower-than'] > latencyMicroseconds(values),
    text: (values) =>
      'The slow log leaves out commands that the latency monitor counts. ' +
      `CONFIG SET slowlog-log-slower-than ${latencyMicroseconds(values)} would make both agree.`,
  },
  {
    events: ['command'],
    isFitting: (values) => !logsNothing(values),
    text: () =>
      'SLOWLOG GET shows the commands that took long. Those that go through large values, such as KEYS, SORT or ' +
      'LRANGE of a whole list, can often be replaced by SCAN or by ranges.',
  },
  {
    events: ['fast-command'],
    isFitting: always,
    text: () =>
      'Commands that cannot take long did: the process was kept from running. Look for other processes that use the ' +
      'same processors, for a virtual machine whose host is busy, and for swapping.',
  },
  {
    events: DISK_EVENTS,
    isFitting: always,
    text: () =>
      'Writing the append-only file takes long. A local disk that nothing else uses, and a solid state drive, help; so ' +
      'does no-appendfsync-on-rewrite where losing some seconds of writes is acceptable.',
  },
  {
    events: ['aof-fsync-always'],
    isFitting: (values) => values.appendfsync === 'always',
    text: () => "Every write waits for the disk, as appendfsync is 'always'. 'everysec' does not.",
  },
  {
    events: ['eviction-cycle', 'eviction-del'],
    isFitting: always,
    text: () =>
      'Many keys were evicted at once: maxmemory was lowered, or a command stored a large value. Make such steps smaller.',
  },
];

/** LATENCY DOCTOR: what the latency monitor has seen, and what may help, in words. */
export function latencyReport(monitor: LatencyMonitor, values: DirectiveValues): string {
  if (monitor.series.size === 0 && monitor.thresholdMs === 0) {
    return (
      'Latency monitoring is off, so there is nothing to tell. ' +
      'CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n'
    );
  }
  if (monitor.series.size === 0) {
    return `Nothing has taken ${monitor.thresholdMs} ms or more since latency monitoring is on. All is well.\n`;
  }
  const lines = ['These events took long:', ''];
  let number = 0;
  for (const [event, series] of monitor.series) lines.push(`${++number}. ${describe(event, series)}`);
  const advice = ADVICE.filter(
    ({ events, isFitting }) => events.some((event) => monitor.series.has(event)) && isFitting(values),
  );
  if (advice.length > 0) lines.push('', 'What may help:', '');
  for (const { text } of advice) lines.push(`- ${text(values)}`);
  return `${lines.join('\n')}\n`;
}

function describe(event: string, { samples, maxMs }: LatencySeries): string {
  const average = Math.floor(mean(samples.map(({ milliseconds }) => milliseconds)));
  const deviation = Math.floor(mean(samples.map(({ milliseconds }) => Math.abs(milliseconds - average))));
  const periodSeconds = Math.max(1, Math.floor(Date.now() / 1000) - samples[0].timeSeconds);
  const every = (periodSeconds / samples.length).toFixed(2);
  return (
    `${event}: ${samples.length} latency spikes (average ${average}ms, mean deviation ${deviation}ms, ` +
    `period ${every} sec). Worst all time event ${maxMs}ms.`
  );
}

function latencyMicroseconds(values: DirectiveValues): number {
  return values['latency-monitor-threshold'] * 1000;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
