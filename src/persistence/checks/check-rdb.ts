import { RdbInput } from '../rdb/input.js';
import { type CheckTerminal, versionText } from './check-program.js';
import { LineFile } from './line-file.js';
import { RdbCheck, type RdbCheckResult } from './rdb-check.js';

/**
 * The program respite-check-rdb: checks an RDB file, with the output of redis-check-rdb. Returns the exit code.
 * @param argv what the program was called with, its own name first, a character a byte
 */
export function checkRdb(argv: readonly string[], terminal: CheckTerminal): number {
  const [program, name] = argv;
  if (argv.length !== 2) {
    process.stderr.write(`Usage: ${program} <rdb-file-name>\n`);
    return 1;
  }
  if (name === '-v' || name === '--version') {
    terminal.print(`redis-check-rdb ${versionText()}\n`);
    return 0;
  }
  let file: LineFile;
  try {
    file = new LineFile(name, 'r');
  } catch {
    terminal.print(`[offset 0] Checking RDB file ${name}\n`);
    return 1;
  }
  try {
    return checkRdbIn(file, name, terminal) === 'fine' ? 0 : 1;
  } finally {
    file.close();
  }
}

/** Checks what an open file begins with, and leaves the file behind it. */
export function checkRdbIn(file: LineFile, name: string, terminal: CheckTerminal): RdbCheckResult {
  let position = 0;
  const input = new RdbInput((target, offset, length) => {
    const count = readOrNothing(file, target, offset, length, position);
    position += count;
    return count;
  }, true);
  const result = new RdbCheck(input, (text) => terminal.print(text)).run(name);
  file.position = input.position;
  if (result === 'corrupt') terminal.warn('Terminating server after rdb file reading failure.');
  return result;
}

/** What cannot be read (a directory) is as good as its end. */
function readOrNothing(
  file: LineFile,
  target: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  try {
    return file.readAt(target, offset, length, position);
  } catch {
    return 0;
  }
}
