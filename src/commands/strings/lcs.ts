/** LCS: the longest common subsequence of two strings. */
import { type RecordReference, TYPE_STRING } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { Command } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import {
  LongestCommonSubsequence,
  longestCommonSubsequenceLength,
  transientTableBytes,
} from '../../structures/longest-common-subsequence.js';

export const lcsCommands: readonly Command[] = [
  {
    name: 'lcs',
    summary: 'The longest common subsequence of two strings.',
    syntax: 'key1:key key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@string'],
    keys: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { lastKey: 1, step: 1, limit: 0 } }],
    since: '7.0.0',
    group: 'string',
    complexity: 'O(N*M) for strings of N and M bytes',
    handler: lcs,
  },
];

/** LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN] */
function lcs(context: CommandContext): void {
  const { options, reply, configuration } = context;
  const firstRecord = context.lookupRead(1);
  const secondRecord = context.lookupRead(2);
  if (!isStringOrNone(context, firstRecord) || !isStringOrNone(context, secondRecord)) {
    reply.error('ERR The specified keys must contain string values');
    return;
  }
  let onlyLength = false;
  let withRanges = false;
  let withMatchLengths = false;
  let matchLengthMin = 0;
  options.begin(context.arguments, 3);
  while (options.hasMore) {
    if (options.take('IDX')) withRanges = true;
    else if (options.take('LEN')) onlyLength = true;
    else if (options.take('WITHMATCHLEN')) withMatchLengths = true;
    else if (options.takeWithArgument('MINMATCHLEN')) {
      matchLengthMin = context.integer(options.argument);
      if (Number.isNaN(matchLengthMin)) return;
    } else {
      reply.error(ERROR_SYNTAX);
      return;
    }
  }
  if (onlyLength && withRanges) {
    reply.error('ERR If you want both the length and indexes, please just use IDX.');
    return;
  }
  const first = contentOf(context, firstRecord);
  const second = contentOf(context, secondRecord);
  if (transientTableBytes(first.length, second.length) > configuration.values['proto-max-bulk-len']) {
    reply.error('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len');
    return;
  }
  if (onlyLength) {
    reply.integer(longestCommonSubsequenceLength(first, second));
    return;
  }
  const common = new LongestCommonSubsequence(first, second);
  if (withRanges) replyRanges(context, common, matchLengthMin, withMatchLengths);
  else reply.bulkBytes(common.bytes());
}

function replyRanges(
  { reply }: CommandContext,
  common: LongestCommonSubsequence,
  matchLengthMin: number,
  withMatchLengths: boolean,
): void {
  const matches = common.matches(matchLengthMin);
  reply.mapHeader(2);
  reply.bulkText('matches');
  reply.arrayHeader(matches.length);
  for (const { aStart, aEnd, bStart, bEnd, length } of matches) {
    reply.arrayHeader(withMatchLengths ? 3 : 2);
    reply.arrayHeader(2);
    reply.integer(aStart);
    reply.integer(aEnd);
    reply.arrayHeader(2);
    reply.integer(bStart);
    reply.integer(bEnd);
    if (withMatchLengths) reply.integer(length);
  }
  reply.bulkText('len');
  reply.integer(common.length);
}

function isStringOrNone({ keyspace }: CommandContext, record: RecordReference): boolean {
  return record === NULL_REFERENCE || keyspace.records.type(record) === TYPE_STRING;
}

function contentOf({ types }: CommandContext, record: RecordReference): Uint8Array {
  return record === NULL_REFERENCE ? new Uint8Array(0) : types.strings.content(record);
}
