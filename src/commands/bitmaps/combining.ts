/** BITOP: bitwise combinations of whole strings. */
import { EMBEDDED_BYTES_MAX, ENCODING_RAW, TYPE_STRING } from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../../memory/reference.js';
import { ReferenceList } from '../../memory/reference-list.js';
import { type Command, keyAt, keysFrom } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import {
  type BitCombination,
  COMBINE_AND,
  COMBINE_OR,
  COMBINE_XOR,
  combineBits,
  invertBits,
} from '../../structures/bitmap.js';
import type { Strings } from '../../types/string.js';
import { removeDestination, storeResult } from '../stored-result.js';
import { EVENT_SET } from '../strings/storing.js';

export const combiningCommands: readonly Command[] = [
  {
    name: 'bitop',
    summary: 'Store the bitwise combination of strings.',
    syntax: 'operation:(AND | OR | XOR | NOT) destkey key...',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['@bitmap'],
    keys: [keyAt(2, 'OW', 'update'), keysFrom(3, 'RO', 'access')],
    since: '2.6.0',
    group: 'bitmap',
    complexity: 'O(N)',
    handler: combine,
  },
];

/** What BITOP does: one of the COMBINE_ constants, or this. */
type Operation = BitCombination;

const INVERT: Operation = 3;
const NO_OPERATION: Operation = -1;

/** Bytes of the result that all sources are brought into before the next ones: so that they stay in the CPU's cache. */
const CHUNK_BYTES: ByteLength = 1 << 16;

/** The strings that are combined, in the order of the arguments; NULL_REFERENCE for a key that is not there. */
const sources = new ReferenceList();

/** A result that is short enough for the record that it will be in. */
const shortResult = new Uint8Array(EMBEDDED_BYTES_MAX);

/** BITOP AND | OR | XOR | NOT destination key [key ...] */
function combine(context: CommandContext): void {
  const { reply } = context;
  const operation = operationOf(context);
  if (operation === NO_OPERATION) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  if (operation === INVERT && context.arguments.count !== 4) {
    reply.error('ERR BITOP NOT must be called with a single source key.');
    return;
  }
  if (!readSources(context)) return;
  const { strings } = context.types;
  const length = longestSource(strings);
  if (length === 0) {
    removeDestination(context, 2);
  } else if (length <= EMBEDDED_BYTES_MAX) {
    combineSources(strings, operation, shortResult, 0, length);
    storeShortResult(context, length);
  } else {
    const draft = strings.createDraft(length);
    strings.read(draft);
    combineSources(strings, operation, strings.bytes, strings.offset, length);
    storeResult(context, 2, draft, length, EVENT_SET);
  }
}

function operationOf({ arguments: call }: CommandContext): Operation {
  if (call.is(1, 'AND')) return COMBINE_AND;
  if (call.is(1, 'OR')) return COMBINE_OR;
  if (call.is(1, 'XOR')) return COMBINE_XOR;
  return call.is(1, 'NOT') ? INVERT : NO_OPERATION;
}

/** Looks up the strings that are combined. False when one has another type and the error is replied. */
function readSources(context: CommandContext): boolean {
  sources.clear();
  for (let index = 3; index < context.arguments.count; index++) {
    const record = context.readTyped(index, TYPE_STRING);
    if (record === WRONG_TYPE) return false;
    sources.push(record);
  }
  return true;
}

/** The length of the result. */
function longestSource(strings: Strings): ByteLength {
  let longest = 0;
  for (let i = 0; i < sources.count; i++) {
    const record = sources.items[i];
    if (record !== NULL_REFERENCE) longest = Math.max(longest, strings.byteLength(record));
  }
  return longest;
}

/** Writes the combination of the sources, each as if it had zeros behind it, to `length` bytes of `target`. */
function combineSources(
  strings: Strings,
  operation: Operation,
  target: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
): void {
  for (let start = 0; start < length; start += CHUNK_BYTES) {
    const size = Math.min(CHUNK_BYTES, length - start);
    const chunk = offset + start;
    const copied = readChunk(strings, 0, start, size);
    target.set(strings.bytes.subarray(strings.offset, strings.offset + copied), chunk);
    target.fill(0, chunk + copied, chunk + size);
    if (operation === INVERT) {
      invertBits(target, chunk, size);
      continue;
    }
    for (let source = 1; source < sources.count; source++) {
      const read = readChunk(strings, source, start, size);
      combineBits(operation, target, chunk, strings.bytes, strings.offset, read);
      if (operation === COMBINE_AND) target.fill(0, chunk + read, chunk + size);
    }
  }
}

/** Points `strings` at up to `size` bytes of a source, from its byte `start` on; returns how many there are. */
function readChunk(strings: Strings, source: number, start: ByteOffset, size: ByteLength): ByteLength {
  const record = sources.items[source];
  if (record === NULL_REFERENCE) return 0;
  strings.read(record);
  strings.offset += start;
  return Math.max(0, Math.min(size, strings.length - start));
}

/** What `storeResult` does with a draft, with a result that gets no block of its own. */
function storeShortResult(context: CommandContext, length: ByteLength): void {
  const record = context.lookupWrite(2);
  const { database, keyHash } = context;
  const { strings } = context.types;
  const raw = ENCODING_RAW;
  if (record !== NULL_REFERENCE) {
    strings.replaceBytes(database, record, shortResult, 0, length, NO_DEADLINE, raw);
  } else {
    const { bytes, offsets, lengths } = context.arguments;
    const key = offsets[2];
    strings.addBytes(database, keyHash, bytes, key, lengths[2], shortResult, 0, length, raw, NO_DEADLINE);
  }
  context.changed(EVENT_SET, 2);
  context.reply.integer(length);
}
