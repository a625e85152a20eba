import { readSync, writeSync } from 'node:fs';
import { REDIS_VERSION } from '../../config/redis-version.js';
import { BUILD_ID } from '../../observability/build-id.js';
import { createLog } from '../../observability/log.js';

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;

/** Thrown to end a check with exit code 1, when what is to be said has been said. */
export class CheckFailedError extends Error {
  override name = 'CheckFailedError';
}

/** What the checking programs have of the outside: their output, a yes or no from the user, and the log of a server. */
export interface CheckTerminal {
  /** Prints text, a character a byte. */
  print(text: string): void;
  /** Reads the first character that the user types; '' when there is none. */
  readAnswer(): string;
  /** Prints a line as a server that is not started logs a warning. */
  warn(text: string): void;
}

/** The terminal of this process. */
export function processTerminal(): CheckTerminal {
  return {
    print: (text) => {
      const bytes = Buffer.from(text, 'latin1');
      for (let at = 0; at < bytes.length; ) at += writeSync(STANDARD_OUTPUT, bytes, at);
    },
    readAnswer: () => {
      const byte = Buffer.alloc(1);
      return readSync(STANDARD_INPUT, byte, 0, 1, null) === 0 ? '' : byte.toString('latin1');
    },
    warn: (text) => createLog('text', 'notice', '', () => 'C').warn(text),
  };
}

/** What `--version` prints behind the name of a program. */
export function versionText(): string {
  return `v=${REDIS_VERSION} sha=00000000:0 malloc=libc bits=64 build=${BUILD_ID}`;
}
