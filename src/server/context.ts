import type { Arguments } from '../protocol/arguments.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';

/** What a command handler works on. One instance a server, filled anew for each command. */
export interface CommandContext {
  readonly arguments: Arguments;
  readonly reply: ReplyWriter;
}
