/** Error replies that more than one family gives, word for word those of Redis. */
export const ERROR_SYNTAX = 'ERR syntax error';
export const ERROR_WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
export const ERROR_NOT_INTEGER = 'ERR value is not an integer or out of range';
export const ERROR_NOT_FLOAT = 'ERR value is not a valid float';
export const ERROR_NOT_POSITIVE = 'ERR value is out of range, must be positive';
export const ERROR_NO_SUCH_KEY = 'ERR no such key';
export const ERROR_OUT_OF_RANGE = 'ERR index out of range';
export const ERROR_SAME_OBJECT = 'ERR source and destination objects are the same';
export const ERROR_DB_INDEX = 'ERR DB index is out of range';
export const ERROR_INVALID_DB_INDEX = 'ERR invalid DB index';
export const ERROR_INVALID_CURSOR = 'ERR invalid cursor';
export const ERROR_STRING_TOO_LONG = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
export const ERROR_OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
export const ERROR_NO_AUTH = 'NOAUTH Authentication required.';
export const ERROR_LOADING = 'LOADING Redis is loading the dataset in memory';
export const ERROR_NO_PROTO = 'NOPROTO unsupported protocol version';
export const ERROR_NO_REPLICAS = 'NOREPLICAS Not enough good replicas to write.';
export const ERROR_CANNOT_SAVE =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may " +
  'modify the data set are disabled, because this instance is configured to report errors during writes if RDB ' +
  'snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB ' +
  'error.';

/** The reply to write commands while the append-only file cannot be written, for a reason in the system's words. */
export function cannotAppend(reason: string): string {
  return `MISCONF Errors writing to the AOF file: ${reason}`;
}

/** The reply to a command with too few or too many arguments. */
export function wrongArity(commandName: string): string {
  return `ERR wrong number of arguments for '${commandName}' command`;
}

/** The reply to a time to live that is not positive or overflows. */
export function invalidExpire(commandName: string): string {
  return `ERR invalid expire time in '${commandName}' command`;
}

/** The reply to an integer that is not in a range. */
export function notBetween(min: number, max: number): string {
  return `ERR value is out of range, value must between ${min} and ${max}`;
}

/** The reply to a subcommand, by its name as it was typed, with too many arguments where only that can be said. */
export function wrongSubcommandArity(name: string, container: string): string {
  const shown = name.slice(0, 128);
  return `ERR unknown subcommand or wrong number of arguments for '${shown}'. Try ${container.toUpperCase()} HELP.`;
}

/** The reply to a subcommand that a container does not have. */
export function unknownSubcommand(name: string, container: string): string {
  return `ERR unknown subcommand '${name.slice(0, 128)}'. Try ${container.toUpperCase()} HELP.`;
}
