import { REDIS_VERSION } from '../config/redis-version.js';
import { ALLOCATOR_NAME, BUILD_ID } from '../observability/build-id.js';
import type { LogFormat } from '../observability/log.js';
import { checkSystem } from './system-check.js';

/** What is left of the command line for the configuration, and what was for Respite alone. */
export interface OwnOptions {
  readonly argv: readonly string[];
  readonly logFormat: LogFormat;
}

const USAGE = `Usage: respite-server [/path/to/redis.conf] [--directive value ...] [-]

Takes the command line of redis-server: a configuration file, then directives as they stand in one, then "-" to read
more of them from standard input. The last word counts.`;

const EXAMPLES: [string, string][] = [
  ['respite-server', 'with the default configuration'],
  ['respite-server /etc/redis/6379.conf --loglevel verbose', 'with a file, and a directive more'],
  ["echo 'maxmemory 128mb' | respite-server -", 'with the configuration from standard input'],
];

const LOG_FORMAT = '--log-format';

/**
 * Takes Respite's own options out of a command line. Those that only tell something must come first, as in
 * redis-server; they are answered, and the process ends. `--log-format` may be anywhere.
 */
export async function takeOwnOptions(argv: readonly string[]): Promise<OwnOptions> {
  switch (argv[0]) {
    case '-v':
    case '--version':
      process.stdout.write(
        `Redis server v=${REDIS_VERSION} sha=00000000:0 malloc=${ALLOCATOR_NAME} bits=64 build=${BUILD_ID}\n`,
      );
      return process.exit(0);
    case '-h':
    case '--help':
      process.stdout.write(`${await (await optionParser([])).getHelp()}\n`);
      return process.exit(0);
    case '--check-system':
      return process.exit(checkSystem() ? 0 : 1);
    case '--test-memory':
      process.stderr.write('respite-server does not test memory; programs such as memtester do.\n');
      return process.exit(1);
    default:
      return takeLogFormat(argv);
  }
}

async function takeLogFormat(argv: readonly string[]): Promise<OwnOptions> {
  const start = argv.findIndex(
    (argument) => argument === LOG_FORMAT || argument.startsWith(`${LOG_FORMAT}=`),
  );
  if (start === -1) return { argv, logFormat: 'text' };
  const end = start + (argv[start] === LOG_FORMAT ? 2 : 1);
  // Only this goes to yargs, which would make options of values such as -1.
  const parsed = (await optionParser(argv.slice(start, end))).parseSync();
  return { argv: [...argv.slice(0, start), ...argv.slice(end)], logFormat: parsed['log-format'] };
}

/** yargs, for the options above. It is loaded when it is needed, as that takes longer than the rest of the start. */
async function optionParser(argv: readonly string[]) {
  const { default: yargs } = await import('yargs');
  return yargs([...argv])
    .scriptName('respite-server')
    .usage(USAGE)
    .example(EXAMPLES)
    .wrap(120)
    .option('log-format', {
      choices: ['text', 'json'] as const,
      default: 'text' as const,
      requiresArg: true,
      describe: 'Log lines as Redis writes them, or as JSON',
    })
    .option('check-system', { type: 'boolean', describe: 'Look for what may slow the server down' })
    .help('help')
    .alias('help', 'h')
    .version(REDIS_VERSION)
    .alias('version', 'v')
    .fail((message) => {
      process.stderr.write(`${message}\n`);
      process.exit(1);
    });
}
