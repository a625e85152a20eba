import type { Configuration } from '../config/configuration.js';
import { LatencyMonitor } from '../observability/latency-monitor.js';
import { SlowLog } from '../observability/slow-log.js';
import type { Arguments } from '../protocol/arguments.js';
import type { Client } from './client.js';
import { FLAG_FAST, FLAG_SKIP_SLOWLOG } from './command-flags.js';
import type { RegisteredCommand } from './registered-command.js';
import { REDACTED, secretArguments } from './secret-arguments.js';

/** Words of a slow command that are kept, and bytes of each. */
const WORDS_MAX = 32;
const WORD_BYTES_MAX = 128;

/** What happens with commands that took long: the slow log, and the latency monitor. */
export class SlowCommands {
  readonly log = new SlowLog();
  readonly latencies = new LatencyMonitor();
  /** From how many microseconds on `note` is to be called. */
  thresholdMicroseconds = Number.POSITIVE_INFINITY;
  private readonly configuration: Configuration;
  /** In microseconds. */
  private logSlowerThan = Number.POSITIVE_INFINITY;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
    const { values } = configuration;
    const apply = () => {
      const slowerThan = values['slowlog-log-slower-than'];
      this.logSlowerThan = slowerThan < 0 ? Number.POSITIVE_INFINITY : slowerThan;
      this.log.limit(values['slowlog-max-len']);
      const latencyMs = values['latency-monitor-threshold'];
      this.latencies.thresholdMs = latencyMs;
      this.thresholdMicroseconds = Math.min(
        this.logSlowerThan,
        latencyMs === 0 ? Number.POSITIVE_INFINITY : latencyMs * 1000,
      );
      return undefined;
    };
    apply();
    configuration.onChange(
      ['slowlog-log-slower-than', 'slowlog-max-len', 'latency-monitor-threshold'],
      apply,
    );
  }

  /** Notes a command that took at least `thresholdMicroseconds`. */
  note(client: Client, command: RegisteredCommand, request: Arguments, microseconds: number): void {
    this.latencies.note(command.has(FLAG_FAST) ? 'fast-command' : 'command', microseconds / 1000);
    if (microseconds < this.logSlowerThan || command.has(FLAG_SKIP_SLOWLOG)) return;
    this.log.add({
      timeSeconds: Math.floor(Date.now() / 1000),
      microseconds: Math.round(microseconds),
      words: this.keptWords(command, request),
      address: client.connection.remoteAddress,
      clientName: client.name,
    });
  }

  private keptWords(command: RegisteredCommand, request: Arguments): string[] {
    const secrets = secretArguments(command, request, this.configuration);
    const shown = request.count > WORDS_MAX ? WORDS_MAX - 1 : request.count;
    const words: string[] = [];
    for (let i = 0; i < shown; i++) words.push(secrets.includes(i) ? REDACTED : keptWord(request, i));
    if (shown < request.count) words.push(`... (${request.count - shown} more arguments)`);
    return words;
  }
}

function keptWord(request: Arguments, index: number): string {
  const length = request.lengths[index];
  if (length <= WORD_BYTES_MAX) return request.text(index);
  return `${request.text(index).slice(0, WORD_BYTES_MAX)}... (${length - WORD_BYTES_MAX} more bytes)`;
}
