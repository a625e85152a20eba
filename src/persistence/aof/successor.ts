import type { ByteLength } from '../../memory/reference.js';
import type { ReplicationOffset } from './manifest.js';

/**
 * An increment that is written to already, though the manifest does not name it yet: the one before it must be on the
 * disk first, or a power cut would leave a torn file in the middle. A file of its own tells of it, for a process that is
 * killed meanwhile:
 *
 *     increment 2 begins at offset 1234, behind byte 56789 of increment 1
 *
 * The next start goes on with it if all of those bytes are there. After a power cut they may not be: what came behind
 * them is then lost as well, like all that was not synced.
 */
export interface Successor {
  /** The number of the increment. */
  readonly sequence: number;
  /** Where in the stream of changes it begins. */
  readonly startOffset: ReplicationOffset;
  /** The size of the increment before it, which does not change any more. */
  readonly precedingBytes: ByteLength;
}

const TEXT = /^increment (\d+) begins at offset (\d+), behind byte (\d+) of increment \d+\n$/;

/** The text of the file. */
export function formatSuccessor({ sequence, startOffset, precedingBytes }: Successor): string {
  return `increment ${sequence} begins at offset ${startOffset}, behind byte ${precedingBytes} of increment ${sequence - 1}\n`;
}

/** Reads the text of the file; undefined when it is not whole. */
export function parseSuccessor(text: string): Successor | undefined {
  const match = TEXT.exec(text);
  if (match === null) return undefined;
  const [sequence, startOffset, precedingBytes] = match.slice(1).map(Number);
  return { sequence, startOffset, precedingBytes };
}
