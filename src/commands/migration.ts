import { EVENT_DEL } from '../keyspace/events.js';
import { NO_DEADLINE } from '../keyspace/record-store.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import { Arguments, latin1 } from '../protocol/arguments.js';
import type { Client } from '../server/client.js';
import { type Command, keyAt } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_SYNTAX } from '../server/errors.js';
import { KEY_ACCESS, KEY_DELETE, KEY_WRITE, type KeyList } from '../server/key-specs.js';
import type { Migration, MigrationOutcome, MovedKey } from '../server/migration-sockets.js';
import { DEL } from '../server/propagated-words.js';

export const migrationCommands: readonly Command[] = [
  {
    name: 'migrate',
    summary: 'Move keys to another server.',
    syntax:
      'host port key-selector:(key | empty-string:"") destination-db:integer timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] [authentication:(AUTH auth/password@4.0.7 | AUTH2 {username password}@6.0.0)] [KEYS keys/key:key...@3.0.6]',
    arity: -6,
    flags: ['write'],
    categories: ['@keyspace', '@dangerous'],
    keys: [
      keyAt(3, 'RW', 'access', 'delete'),
      {
        flags: ['RW', 'access', 'delete', 'incomplete'],
        begin: { keyword: 'KEYS', startFrom: -2 },
        find: { lastKey: -1, step: 1, limit: 0 },
      },
    ],
    findKeys: findMigrateKeys,
    findSecrets,
    since: '2.6.0',
    group: 'generic',
    complexity: 'as DUMP and DEL here and RESTORE there, plus O(N) to send N bytes',
    history: [
      ['3.0.0', 'COPY and REPLACE'],
      ['3.0.6', 'KEYS'],
      ['4.0.7', 'AUTH'],
      ['6.0.0', 'AUTH2'],
    ],
    hints: ['nondeterministic_output'],
    handler: migrate,
  },
];

const FIRST_OPTION = 6;
/** What a timeout of none means, in ms. */
const TIMEOUT_MS = 1000;
/** The longest that a timer can run. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** The arguments of MIGRATE. */
interface MigrateOptions {
  copies: boolean;
  replaces: boolean;
  /** The AUTH command, its name included; empty without a password. */
  authentication: Uint8Array[];
  firstKey: number;
  lastKey: number;
}

/** The migrations whose client has yet to have its reply. */
const outcomes = new WeakMap<Client, MigrationOutcome>();

/**
 * Sends the keys, and waits for the other server without holding anybody up; then it runs a second time, and does here
 * what has come of it. Inside EXEC, where nothing may happen between two commands, everybody waits.
 */
function migrate(context: CommandContext): void {
  const { client, reply, server } = context;
  const options = parseOptions(context);
  if (options === undefined) return;
  const outcome = outcomes.get(client);
  if (outcome !== undefined) {
    outcomes.delete(client);
    conclude(context, options, outcome);
    return;
  }
  const timeoutMs = context.integer(5);
  if (Number.isNaN(timeoutMs)) return;
  const databaseNumber = context.integer(4);
  if (Number.isNaN(databaseNumber)) return;
  const keys = keysToMove(context, options);
  if (keys === undefined) {
    reply.simpleString('NOKEY');
    return;
  }
  const { authentication } = options;
  const migration: Migration = {
    host: context.arguments.text(1),
    port: context.arguments.text(2),
    databaseNumber,
    timeoutMs: timeoutMs <= 0 ? TIMEOUT_MS : Math.min(timeoutMs, TIMEOUT_MS_MAX),
    authentication: authentication.length === 0 ? undefined : requestOf(authentication),
    keys,
  };
  if (client.deniesBlocking) conclude(context, options, server.migrations.runBlocking(migration));
  else suspend(context, options, migration);
}

function parseOptions({ arguments: request, reply }: CommandContext): MigrateOptions | undefined {
  const options: MigrateOptions = {
    copies: false,
    replaces: false,
    authentication: [],
    firstKey: 3,
    lastKey: 3,
  };
  for (let i = FIRST_OPTION; i < request.count; i++) {
    const further = request.count - 1 - i;
    if (request.is(i, 'COPY')) {
      options.copies = true;
    } else if (request.is(i, 'REPLACE')) {
      options.replaces = true;
    } else if (request.is(i, 'AUTH') && further >= 1) {
      options.authentication = [Buffer.from('AUTH'), request.copy(++i)];
    } else if (request.is(i, 'AUTH2') && further >= 2) {
      options.authentication = [Buffer.from('AUTH'), request.copy(++i), request.copy(++i)];
    } else if (request.is(i, 'KEYS')) {
      if (request.lengths[3] > 0) {
        reply.error('ERR When using MIGRATE KEYS option, the key argument must be set to the empty string');
        return undefined;
      }
      options.firstKey = i + 1;
      options.lastKey = request.count - 1;
      break;
    } else {
      reply.error(ERROR_SYNTAX);
      return undefined;
    }
  }
  return options;
}

/** The keys that there are, with the commands that make them elsewhere; undefined when there is none. */
function keysToMove(context: CommandContext, options: MigrateOptions): MovedKey[] | undefined {
  const { arguments: request, keyspace, server } = context;
  const keys: MovedKey[] = [];
  for (let index = options.firstKey; index <= options.lastKey; index++) {
    const record = context.lookupRead(index);
    if (record === NULL_REFERENCE) continue;
    const deadlineMs = keyspace.deadline(record);
    const ttlMs = deadlineMs === NO_DEADLINE ? 0 : Math.max(1, deadlineMs - keyspace.nowMs);
    const parts = [
      Buffer.from('RESTORE'),
      request.copy(index),
      Buffer.from(String(ttlMs)),
      server.dumpPayloads.create(record),
    ];
    if (options.replaces) parts.push(Buffer.from('REPLACE'));
    keys.push({ index, command: requestOf(parts) });
  }
  return keys.length === 0 ? undefined : keys;
}

/** Has the keys sent, and the client wait for it. */
function suspend(context: CommandContext, options: MigrateOptions, migration: Migration): void {
  const { arguments: request, client, command, server } = context;
  const { migrations } = server;
  const own = new Arguments();
  own.assign(Array.from({ length: request.count }, (_, i) => request.copy(i)));
  const names = new Map(migration.keys.map(({ index }) => [index, latin1Of(request, index)]));
  const release = options.copies
    ? () => new Set<string>()
    : migrations.hold(context.database, [...names.values()]);
  // It cannot be unblocked: the keys may be there by now.
  client.unblock = () => {};
  void migrations.run(migration).then(({ taken, error }) => {
    const changed = release();
    outcomes.set(client, { taken: taken.filter((index) => !changed.has(names.get(index) ?? '')), error });
    client.unblock = undefined;
    server.rerun(client, command, own);
    // In case that it was refused: the keys are in both places then.
    outcomes.delete(client);
    server.resumeLater(client);
  });
}

/** Removes what is elsewhere now, and replies. */
function conclude(
  context: CommandContext,
  options: MigrateOptions,
  { taken, error }: MigrationOutcome,
): void {
  const { keyspace, database, reply, arguments: request } = context;
  const removed: number[] = [];
  for (const index of options.copies ? [] : taken) {
    const record = context.lookupWrite(index);
    if (record === NULL_REFERENCE) continue;
    keyspace.remove(database, record);
    context.changed(EVENT_DEL, index);
    removed.push(index);
  }
  if (removed.length > 0 && context.propagation.isActive) {
    const deletion = context.propagateInstead(removed.length + 1);
    deletion.word(DEL);
    for (const index of removed) deletion.argument(request, index);
  }
  if (error === '') reply.ok();
  else reply.error(error);
}

/** The bytes of a request. */
function requestOf(parts: readonly Uint8Array[]): Uint8Array {
  const pieces: Uint8Array[] = [Buffer.from(`*${parts.length}\r\n`)];
  for (const part of parts) pieces.push(Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n'));
  return Buffer.concat(pieces);
}

function latin1Of({ bytes, offsets, lengths }: Arguments, index: number): string {
  return latin1(bytes, offsets[index], lengths[index]);
}

/** MIGRATE: the key, or those behind KEYS. */
function findMigrateKeys(call: Arguments, found: KeyList): void {
  const flags = KEY_WRITE | KEY_ACCESS | KEY_DELETE;
  for (let index = FIRST_OPTION; index < call.count; index++) {
    if (call.is(index, 'KEYS')) {
      // With KEYS the third argument must be empty; the command itself reports that error.
      if (call.lengths[3] > 0) return;
      for (let key = index + 1; key < call.count; key++) found.add(key, flags);
      return;
    }
    if (call.is(index, 'AUTH')) index++;
    else if (call.is(index, 'AUTH2')) index += 2;
  }
  found.add(3, flags);
}

/** The password and the name of the user. */
function findSecrets(call: Arguments): readonly number[] {
  for (let index = FIRST_OPTION; index < call.count; index++) {
    if (call.is(index, 'AUTH')) return [index + 1];
    if (call.is(index, 'AUTH2')) return [index + 1, index + 2];
    if (call.is(index, 'KEYS')) return [];
  }
  return [];
}
