import { quoteArgument, splitArguments } from '../protocol/inline.js';
import { type ByteString, bytesOf, encodeByteString } from './byte-string.js';

/** What `redis-server`'s arguments say about the configuration. */
export interface CommandLine {
  /** The path of the configuration file, as given. */
  readonly file: string | undefined;
  /** Whether more configuration is to be read from standard input. */
  readonly readsStandardInput: boolean;
  /** The other arguments as lines of a configuration file, which come after the file and standard input. */
  readonly lines: ByteString;
}

/**
 * Reads the arguments that follow the program's name, as `redis-server` does:
 *
 *     [file] [-] [--directive value …] … [-]
 *
 * The first argument is the file unless it starts with `-`. `--directive` starts a line, unless the directive before it
 * has no value yet: then it is that value. Name and value may come as one argument, `"--port 7000"`. `--save` without a
 * value stands for `--save ""`.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const hasFile = argv.length > 0 && !argv[0].startsWith('-');
  let readsStandardInput = false;
  let lines = '';
  let lastDirectiveHasValue = true;
  for (const [index, text] of argv.entries()) {
    if (hasFile && index === 0) continue;
    const isLast = index === argv.length - 1;
    const argument = encodeByteString(text);
    if (argument === '-' && (index === 0 || isLast)) {
      readsStandardInput = true;
    } else if (lastDirectiveHasValue && argument.startsWith('--')) {
      if (lines !== '') lines += '\n';
      lines += `${argument.slice(2)} `;
      const isNameOnly = splitArguments(bytesOf(argument))?.length === 1;
      const isValueMissing = isNameOnly && (isLast || argv[index + 1].startsWith('--'));
      if (isValueMissing && argument.toLowerCase() === '--save') lines += '""';
      lastDirectiveHasValue = !isNameOnly || (isValueMissing && takesNoValue(argument));
    } else {
      lines += `${quoteArgument(bytesOf(argument))} `;
      lastDirectiveHasValue = true;
    }
  }
  return { file: hasFile ? argv[0] : undefined, readsStandardInput, lines };
}

/** Directives that may be followed by another one at once. */
function takesNoValue(argument: ByteString): boolean {
  return ['--save', '--sentinel'].includes(argument.toLowerCase());
}
