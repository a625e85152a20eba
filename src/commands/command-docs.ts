/** How COMMAND DOCS shows a command. */
import type { ReplyWriter } from '../protocol/reply-writer.js';
import type { RegisteredCommand } from '../server/registered-command.js';
import { type ArgumentDoc, parseSyntax } from '../server/syntax.js';
import { replyStatusSet } from './command-info.js';

/** Writes a map of all that is documented about a command; what it lacks is left out. */
export function replyCommandDocs(reply: ReplyWriter, command: RegisteredCommand): void {
  const { entry, subcommands } = command;
  const map = new ReplyMap(reply);
  map.text('summary', entry.summary);
  map.text('since', entry.since);
  map.text('group', entry.group);
  map.text('complexity', entry.complexity);
  map.statusSet('doc_flags', entry.docFlags);
  map.text('deprecated_since', entry.deprecatedSince);
  map.text('replaced_by', entry.replacedBy);
  if (entry.history !== undefined) {
    map.key('history');
    reply.setHeader(entry.history.length);
    for (const [version, change] of entry.history) {
      reply.arrayHeader(2);
      reply.bulkText(version);
      reply.bulkText(change);
    }
  }
  if (entry.syntax !== undefined) {
    map.key('arguments');
    replyArguments(reply, parseSyntax(entry.syntax));
  }
  if (subcommands.length > 0) {
    map.key('subcommands');
    reply.mapHeader(subcommands.length);
    for (const subcommand of subcommands) {
      reply.bulkText(subcommand.fullName);
      replyCommandDocs(reply, subcommand);
    }
  }
  map.end();
}

function replyArguments(reply: ReplyWriter, docs: readonly ArgumentDoc[]): void {
  reply.arrayHeader(docs.length);
  for (const doc of docs) {
    const map = new ReplyMap(reply);
    map.text('name', doc.name);
    map.text('type', doc.type);
    map.text('display_text', doc.displayText);
    if (doc.keySpecIndex !== undefined) {
      map.key('key_spec_index');
      reply.integer(doc.keySpecIndex);
    }
    map.text('token', doc.token);
    map.text('since', doc.since);
    map.text('deprecated_since', doc.deprecatedSince);
    map.statusSet('flags', argumentFlags(doc));
    if (doc.arguments.length > 0) {
      map.key('arguments');
      replyArguments(reply, doc.arguments);
    }
    map.end();
  }
}

function argumentFlags(doc: ArgumentDoc): readonly string[] | undefined {
  const flags: string[] = [];
  if (doc.optional) flags.push('optional');
  if (doc.multiple) flags.push('multiple');
  if (doc.multipleToken) flags.push('multiple_token');
  return flags.length === 0 ? undefined : flags;
}

/** A map whose size is known when its last pair is written. */
class ReplyMap {
  readonly #reply: ReplyWriter;
  readonly #start: ReturnType<ReplyWriter['beginDeferred']>;
  #pairs = 0;

  constructor(reply: ReplyWriter) {
    this.#reply = reply;
    this.#start = reply.beginDeferred();
  }

  /** Begins a pair; its value is what is written next. */
  key(name: string): void {
    this.#pairs++;
    this.#reply.bulkText(name);
  }

  /** A pair, unless there is no text. */
  text(name: string, value: string | undefined): void {
    if (value === undefined) return;
    this.key(name);
    this.#reply.bulkText(value);
  }

  /** A pair, unless there is no set. */
  statusSet(name: string, values: readonly string[] | undefined): void {
    if (values === undefined) return;
    this.key(name);
    replyStatusSet(this.#reply, values);
  }

  end(): void {
    this.#reply.endDeferredMap(this.#start, this.#pairs);
  }
}
