import type { CommandContext } from '../server/context.js';
import { type ArgumentDoc, parseSyntax } from '../server/syntax.js';

/**
 * The HELP subcommand of every container: what the table says of its subcommands, each as it is typed with a line on
 * what it is for. The first and the last two lines are Redis's.
 */
export function replyHelp(context: CommandContext): void {
  const { parent } = context.command;
  if (parent === undefined) throw new Error(`'${context.command.fullName}' is no subcommand`);
  const lines = [
    `${parent.entry.name.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...(parent.entry.handler === undefined ? [] : ['(no subcommand)', `    ${parent.entry.summary}`]),
  ];
  for (const { entry } of parent.subcommands) {
    if (entry.name === 'help') continue;
    const typed = entry.syntax === undefined ? '' : ` ${typedArguments(parseSyntax(entry.syntax))}`;
    lines.push(`${entry.name.toUpperCase()}${typed}`, `    ${entry.summary}`);
  }
  lines.push('HELP', '    Print this help.');
  context.reply.arrayHeader(lines.length);
  for (const line of lines) context.reply.simpleString(line);
}

/** Arguments as people type them: `<key> [<field> ...] [NX|XX]`. */
function typedArguments(docs: readonly ArgumentDoc[]): string {
  return docs.map(typedArgument).join(' ');
}

function typedArgument(doc: ArgumentDoc): string {
  const once = typedOnce(doc);
  if (doc.optional) return doc.multiple ? `[${once} ...]` : `[${once}]`;
  return doc.multiple ? `${once} [${once} ...]` : once;
}

function typedOnce(doc: ArgumentDoc): string {
  if (doc.type === 'pure-token') return doc.token ?? '';
  const token = doc.token === undefined ? '' : `${doc.token} `;
  if (doc.type === 'block') return `${token}${typedArguments(doc.arguments)}`;
  if (doc.type !== 'oneof') return `${token}<${doc.displayText}>`;
  const alternatives = doc.arguments.map((each) => typedOnce(each) + (each.multiple ? ' ...' : '')).join('|');
  return doc.optional && token === '' ? alternatives : `${token}(${alternatives})`;
}
