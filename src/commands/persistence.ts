import type { Command } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_SYNTAX } from '../server/errors.js';

export const persistenceCommands: readonly Command[] = [
  {
    name: 'save',
    summary: 'Save the data now, holding everything else up.',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(N) for N keys in all databases',
    handler: save,
  },
  {
    name: 'bgsave',
    summary: 'Save the data in the background.',
    syntax: '[SCHEDULE@3.2.2]',
    arity: -1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(1)',
    history: [['3.2.2', 'SCHEDULE']],
    handler: bgsave,
  },
];

const ERROR_ALREADY_SAVING = 'ERR Background save already in progress';
/** What Redis replies where the log has to tell more. */
const ERROR_SEE_LOG = 'ERR';

function save({ server: { saving }, reply }: CommandContext): void {
  if (saving.isSaving) reply.error(ERROR_ALREADY_SAVING);
  else if (saving.saveAtOnce()) reply.ok();
  else reply.error(ERROR_SEE_LOG);
}

function bgsave({ arguments: request, client, server: { saving }, reply }: CommandContext): void {
  if (request.count > 2 || (request.count === 2 && !request.is(1, 'SCHEDULE'))) {
    reply.error(ERROR_SYNTAX);
  } else if (saving.isSaving) {
    reply.error(ERROR_ALREADY_SAVING);
  } else if (client.transaction !== undefined) {
    // A transaction is not to be saved by half.
    saving.isScheduled = true;
    reply.simpleString('Background saving scheduled');
  } else {
    saving.saveInBackground();
    reply.simpleString('Background saving started');
  }
}
