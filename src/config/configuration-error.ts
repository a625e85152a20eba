import { type ByteString, decodeByteString } from './byte-string.js';
import { REDIS_VERSION } from './redis-version.js';

/** The line of a configuration that is at fault. */
export interface FaultyLine {
  /** From 1. The lines of standard input and of the command line count on from those of the file. */
  readonly number: number;
  readonly text: ByteString;
}

/** A configuration that the server must not start with. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /**
   * Where Redis shows the message: `stderr` as it is, between an empty line and a line break; `log` as a warning in the
   * log.
   */
  readonly destination: 'stderr' | 'log';

  private constructor(message: string, destination: 'stderr' | 'log') {
    super(message);
    this.destination = destination;
  }

  /** An error in a line, or, without one, in the configuration as a whole. */
  static inLine(line: FaultyLine | undefined, reason: string): ConfigurationError {
    const place =
      line === undefined
        ? ''
        : `Reading the configuration file, at line ${line.number}\n>>> '${decodeByteString(line.text)}'\n`;
    return new ConfigurationError(
      `*** FATAL CONFIG FILE ERROR (Redis ${REDIS_VERSION}) ***\n${place}${reason}`,
      'stderr',
    );
  }

  /** A file that cannot be read. */
  static cannotOpen(path: string, reason: string): ConfigurationError {
    return new ConfigurationError(`Fatal error, can't open config file '${path}': ${reason}`, 'log');
  }

  /** A module is asked for; Respite has none. */
  static cannotLoadModule(path: ByteString): ConfigurationError {
    return new ConfigurationError(`Can't load module from ${decodeByteString(path)}: server aborting`, 'log');
  }

  /** Lines that are no directive; Redis takes them for directives of a module, and misses the module. */
  static unresolved(statements: ReadonlyMap<ByteString, ByteString>): ConfigurationError {
    const lines = [...statements].map(([name, value]) => `>>> '${decodeByteString(`${name} ${value}`)}'\n`);
    return new ConfigurationError(
      `Unresolved Configuration(s) Detected:\n${lines.join('')}` +
        'Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting',
      'log',
    );
  }
}
