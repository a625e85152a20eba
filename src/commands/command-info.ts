/** How COMMAND and COMMAND INFO show a command. */
import type { ReplyWriter } from '../protocol/reply-writer.js';
import type { BeginSearch, FindKeys, KeySpec } from '../server/command.js';
import { categoryNames } from '../server/command-categories.js';
import { shownCommandFlags } from '../server/command-flags.js';
import { keyFlagNames } from '../server/key-specs.js';
import type { RegisteredCommand } from '../server/registered-command.js';

/** Writes the ten facts about a command, its subcommands being the last. */
export function replyCommandInfo(reply: ReplyWriter, command: RegisteredCommand): void {
  reply.arrayHeader(10);
  reply.bulkText(command.fullName);
  reply.integer(command.arity);
  replyStatusSet(reply, shownCommandFlags(command.flags));
  reply.integer(command.firstKey);
  reply.integer(command.lastKey);
  reply.integer(command.keyStep);
  replyStatusSet(reply, categoryNames(command.categories));
  const hints = command.entry.hints ?? [];
  reply.setHeader(hints.length);
  for (const hint of hints) reply.bulkText(hint);
  reply.setHeader(command.keySpecs.length);
  for (const [index, spec] of (command.entry.keys ?? []).entries()) {
    replyKeySpec(reply, spec, keyFlagNames(command.keySpecs[index].flags));
  }
  // Redis has an array for some subcommands and a set for none.
  if (command.subcommands.length === 0) reply.setHeader(0);
  else reply.arrayHeader(command.subcommands.length);
  for (const subcommand of command.subcommands) replyCommandInfo(reply, subcommand);
}

/** Writes a set of status replies: flags and categories. */
export function replyStatusSet(reply: ReplyWriter, names: readonly string[]): void {
  reply.setHeader(names.length);
  for (const name of names) reply.simpleString(name);
}

function replyKeySpec(reply: ReplyWriter, spec: KeySpec, flags: readonly string[]): void {
  reply.mapHeader(spec.notes === undefined ? 3 : 4);
  if (spec.notes !== undefined) {
    reply.bulkText('notes');
    reply.bulkText(spec.notes);
  }
  reply.bulkText('flags');
  replyStatusSet(reply, flags);
  reply.bulkText('begin_search');
  replyBeginSearch(reply, spec.begin);
  reply.bulkText('find_keys');
  replyFindKeys(reply, spec.find);
}

function replyBeginSearch(reply: ReplyWriter, begin: BeginSearch): void {
  if ('index' in begin) replySearch(reply, 'index', { index: begin.index });
  else if ('keyword' in begin)
    replySearch(reply, 'keyword', { keyword: begin.keyword, startfrom: begin.startFrom });
  else replySearch(reply, 'unknown', {});
}

function replyFindKeys(reply: ReplyWriter, find: FindKeys): void {
  if ('lastKey' in find) {
    replySearch(reply, 'range', { lastkey: find.lastKey, keystep: find.step, limit: find.limit });
  } else if ('keyNumIndex' in find) {
    const { keyNumIndex, firstKey, step } = find;
    replySearch(reply, 'keynum', { keynumidx: keyNumIndex, firstkey: firstKey, keystep: step });
  } else {
    replySearch(reply, 'unknown', {});
  }
}

function replySearch(
  reply: ReplyWriter,
  type: string,
  spec: Readonly<Record<string, string | number>>,
): void {
  reply.mapHeader(2);
  reply.bulkText('type');
  reply.bulkText(type);
  reply.bulkText('spec');
  const parameters = Object.entries(spec);
  reply.mapHeader(parameters.length);
  for (const [name, value] of parameters) {
    reply.bulkText(name);
    if (typeof value === 'number') reply.integer(value);
    else reply.bulkText(value);
  }
}
