import type { Command } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_SYNTAX } from '../server/errors.js';

export const persistenceCommands: readonly Command[] = [
  {
    name: 'bgrewriteaof',
    summary: 'Rewrite the append-only file in the background.',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(1)',
    handler: bgrewriteaof,
  },
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
const ERROR_REWRITING =
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a " +
  'BGSAVE whenever possible.';
/** What Redis replies where the log has to tell more. */
const ERROR_SEE_LOG = 'ERR';

function save({ server: { saving }, reply }: CommandContext): void {
  if (saving.isSaving) reply.error(ERROR_ALREADY_SAVING);
  else if (saving.saveAtOnce()) reply.ok();
  else reply.error(ERROR_SEE_LOG);
}

function bgrewriteaof({ client, server, reply }: CommandContext): void {
  const { appendOnlyFile, saving } = server;
  if (appendOnlyFile.isRewriting) {
    reply.error('ERR Background append only file rewriting already in progress');
  } else if (saving.isSaving || client.deniesBlocking) {
    appendOnlyFile.isScheduled = true;
    // Whoever asks for it need not wait because others have failed.
    appendOnlyFile.limit.succeeded();
    reply.simpleString('Background append only file rewriting scheduled');
  } else if (appendOnlyFile.beginRewrite()) {
    reply.simpleString('Background append only file rewriting started');
  } else {
    reply.error(
      "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
    );
  }
}

function bgsave({ arguments: request, client, server, reply }: CommandContext): void {
  const { saving, appendOnlyFile } = server;
  if (request.count > 2 || (request.count === 2 && !request.is(1, 'SCHEDULE'))) {
    reply.error(ERROR_SYNTAX);
  } else if (saving.isSaving) {
    reply.error(ERROR_ALREADY_SAVING);
  } else if (client.deniesBlocking || (appendOnlyFile.isRewriting && request.count === 2)) {
    // A transaction is not to be saved by half.
    saving.isScheduled = true;
    reply.simpleString('Background saving scheduled');
  } else if (appendOnlyFile.isRewriting) {
    reply.error(ERROR_REWRITING);
  } else {
    saving.saveInBackground();
    reply.simpleString('Background saving started');
  }
}
