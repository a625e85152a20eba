import type { Configuration } from '../config/configuration.js';
import type { Arguments } from '../protocol/arguments.js';
import type { RegisteredCommand } from './registered-command.js';

/** What is shown instead of a secret argument. */
export const REDACTED = '(redacted)';

/** The arguments of a call that SLOWLOG and MONITOR must not show: passwords. */
export function secretArguments(
  command: RegisteredCommand,
  request: Arguments,
  configuration: Configuration,
): readonly number[] {
  return command.entry.findSecrets?.(request, configuration) ?? [];
}
