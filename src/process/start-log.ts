import { isatty } from 'node:tty';
import type { DirectiveValues } from '../config/directives.js';
import { REDIS_VERSION } from '../config/redis-version.js';
import type { Log } from '../observability/log.js';

/** Standard output. */
const OUTPUT = 1;

/** The first lines of a server, in the words that tools wait for. */
export function logStarting(log: Log, hasConfiguration: boolean): void {
  log.info('oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo');
  log.info(
    `Redis version=${REDIS_VERSION}, bits=64, commit=00000000, modified=0, pid=${process.pid}, just started`,
  );
  if (hasConfiguration) log.info('Configuration loaded');
  else {
    log.warn(
      'Warning: no config file specified, using the default config. In order to specify a config file use ' +
        `${process.argv[1]} /path/to/redis.conf`,
    );
  }
}

/** What the server is: a picture for people at a terminal, and for those who want it always; otherwise a line. */
export function logMode(log: Log, values: DirectiveValues): void {
  const mode = values['cluster-enabled'] ? 'cluster' : 'standalone';
  const { port } = values;
  const showsPicture = values['always-show-logo'] || (values.logfile === '' && isatty(OUTPUT));
  if (!showsPicture) {
    log.info(`Running mode=${mode}, port=${port}.`);
    return;
  }
  const lines = [
    '',
    '         \\   |   /',
    '      `.  .-"-.  .\'     Respite, standing in for',
    `   -- -  /     \\  - --  Redis ${REDIS_VERSION} (00000000/0) 64 bit`,
    `  ~~~~~~~~~~~~~~~~~~~~~  Running in ${mode} mode`,
    `    ~~ ~~~~~~~~~ ~~~~    Port: ${port}`,
    `       ~~~~ ~~~~~        PID: ${process.pid}`,
    '',
  ];
  for (const line of lines) log.info(line);
}

/** Says that clients may come now. */
export function logReady(log: Log, port: number, unixSocket: string): void {
  if (port > 0) log.info('Ready to accept connections tcp');
  if (unixSocket !== '') log.info('Ready to accept connections unix');
}
