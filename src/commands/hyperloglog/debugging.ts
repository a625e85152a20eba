/** Commands for those who test HyperLogLogs. */
import { type RecordReference, TYPE_STRING } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { HEADER_BYTES, REGISTERS } from '../../structures/hyperloglog.js';
import { denseRegister } from '../../structures/hyperloglog-dense.js';
import { selfTestFailure } from '../../structures/hyperloglog-self-test.js';
import { SparseRuns } from '../../structures/hyperloglog-sparse.js';
import { ERROR_CORRUPT, isHyperLogLog } from './counting.js';

export const debuggingCommands: readonly Command[] = [
  {
    name: 'pfdebug',
    summary: 'Look inside a HyperLogLog; for tests.',
    syntax: 'subcommand key',
    arity: 3,
    flags: ['write', 'denyoom', 'admin'],
    categories: ['@hyperloglog'],
    keys: [keyAt(2, 'RW', 'access')],
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'N/A',
    docFlags: ['syscmd'],
    handler: debug,
  },
  {
    name: 'pfselftest',
    summary: 'Test the HyperLogLog code.',
    arity: 1,
    flags: ['admin'],
    categories: ['@hyperloglog'],
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'N/A',
    docFlags: ['syscmd'],
    handler: selfTest,
  },
];

/** What PFDEBUG does with a key: its names, in upper case. */
const SUBCOMMANDS: readonly (readonly [
  name: string,
  handler: (context: CommandContext, record: RecordReference) => void,
])[] = [
  ['GETREG', replyRegisters],
  ['DECODE', replyRuns],
  ['ENCODING', replyEncoding],
  ['TODENSE', convertToDense],
];

/** PFDEBUG subcommand key */
function debug(context: CommandContext): void {
  const { arguments: call, reply, types, database } = context;
  if (call.is(1, 'SIMD')) {
    replySimd(context);
    return;
  }
  const record = context.writeTyped(2, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.error('ERR The specified key does not exist');
    return;
  }
  if (!isHyperLogLog(context, record)) return;
  const raw = types.hyperLogLogs.makeRaw(database, record);
  const subcommand = SUBCOMMANDS.find(([name]) => call.is(1, name));
  if (subcommand === undefined) reply.error(`ERR Unknown PFDEBUG subcommand '${call.cString(1)}'`);
  else subcommand[1](context, raw);
}

/**
 * PFDEBUG SIMD ON | OFF: which kind of instructions Redis shall use for unions, where the machine has both. Here there is
 * one kind, as on machines where Redis has no other.
 */
function replySimd({ arguments: call, reply }: CommandContext): void {
  if (call.is(2, 'ON') || call.is(2, 'OFF')) reply.simpleString('disabled');
  else reply.error('ERR Argument must be ON or OFF');
}

/** PFDEBUG GETREG key: makes it dense, too. */
function replyRegisters(context: CommandContext, record: RecordReference): void {
  if (!makeDense(context, record)) return;
  const { reply } = context;
  const { strings } = context.types;
  const { bytes, offset } = strings;
  reply.arrayHeader(REGISTERS);
  for (let register = 0; register < REGISTERS; register++) {
    reply.integer(denseRegister(bytes, offset + HEADER_BYTES, register));
  }
}

/** PFDEBUG DECODE key: the runs of the sparse encoding as `z:<length>`, `Z:<length>` or `v:<value>,<length>`. */
function replyRuns({ types, reply }: CommandContext, record: RecordReference): void {
  if (types.hyperLogLogs.isDense(record)) {
    reply.error('ERR HLL encoding is not sparse');
    return;
  }
  const { bytes, offset, length } = types.strings;
  const runs = new SparseRuns();
  const words: string[] = [];
  runs.begin(bytes, offset + HEADER_BYTES, offset + length);
  while (runs.next()) {
    if (runs.value > 0) words.push(`v:${runs.value},${runs.length}`);
    else words.push(`${runs.isLong ? 'Z' : 'z'}:${runs.length}`);
  }
  reply.bulkText(words.join(' '));
}

/** PFDEBUG ENCODING key */
function replyEncoding({ types, reply }: CommandContext, record: RecordReference): void {
  reply.simpleString(types.hyperLogLogs.isDense(record) ? 'dense' : 'sparse');
}

/** PFDEBUG TODENSE key */
function convertToDense(context: CommandContext, record: RecordReference): void {
  const wasDense = context.types.hyperLogLogs.isDense(record);
  if (makeDense(context, record)) context.reply.integer(wasDense ? 0 : 1);
}

/**
 * Makes a HyperLogLog dense, and reads it. That is counted as a change, so that it is propagated, but told to nobody: it
 * says the same. Returns false, with an error replied, when its runs are corrupt.
 */
function makeDense({ types, database, keyspace, reply }: CommandContext, record: RecordReference): boolean {
  const { hyperLogLogs, strings } = types;
  if (hyperLogLogs.isDense(record)) return true;
  const dense = hyperLogLogs.makeDense(database, record);
  if (dense === NULL_REFERENCE) {
    reply.error(ERROR_CORRUPT);
    return false;
  }
  keyspace.dirty++;
  strings.read(dense);
  return true;
}

/** PFSELFTEST */
function selfTest({ reply, types }: CommandContext): void {
  const failure = selfTestFailure(types.hyperLogLogs.sparseBytesMax);
  if (failure === undefined) reply.ok();
  else reply.error(`ERR TESTFAILED ${failure}`);
}
