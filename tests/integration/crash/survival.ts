/**
 * What has survived a crash, against what was sent. The keys of each connection must be what they were after some number
 * of its writes, neither more nor less: then none is torn, doubled, or there without those before it.
 */
import { isArrayReply, type RawConnection, type RawReply } from '../../support/raw-connection.js';
import type { Writer } from './load.js';
import { type Model, spellValue } from './numbered-writes.js';

/** What a crash has cost. */
export interface Survival {
  /** Writes that were sent since the last look, those that were acknowledged, and those that are there. */
  readonly sent: number;
  readonly acknowledged: number;
  readonly survived: number;
  /** The same, for each connection. */
  readonly survivedOf: readonly number[];
  /** Writes that had been acknowledged and are not there. */
  readonly lost: number;
  /** The earliest acknowledgement of a lost write, in ms of `performance.now()`; Infinity when none is lost. */
  readonly firstLostMs: number;
}

/** What one connection has left. */
interface Remains {
  /**
   * How many of its writes are there. Some writes change nothing (DEL of no key), so that there is a range: `least` of
   * them must be there, and all of `survived` may be.
   */
  readonly least: number;
  readonly survived: number;
  readonly acknowledged: number;
}

/**
 * Compares what a server holds with what writers sent to the one before it, and takes it as the new state that is known.
 * @throws Error when it is not what it was after some number of writes of each connection
 */
export async function takeSurvival(connection: RawConnection, writers: readonly Writer[]): Promise<Survival> {
  const remains: Remains[] = [];
  for (const writer of writers) remains.push(remainsOf(writer, await readKeys(connection, writer)));
  const survival = sumUp(writers, remains);
  writers.forEach((writer, i) => {
    for (const { write } of writer.sent.slice(0, remains[i].survived)) write.apply(writer.model);
    writer.sent = [];
  });
  return survival;
}

function sumUp(writers: readonly Writer[], remains: readonly Remains[]): Survival {
  let firstLostMs = Number.POSITIVE_INFINITY;
  let lastKeptMs = Number.NEGATIVE_INFINITY;
  const survival = { sent: 0, acknowledged: 0, survived: 0, lost: 0 };
  writers.forEach(({ sent }, i) => {
    const { least, survived, acknowledged } = remains[i];
    survival.sent += sent.length;
    survival.acknowledged += acknowledged;
    survival.survived += survived;
    survival.lost += Math.max(0, acknowledged - survived);
    if (least > 0) lastKeptMs = Math.max(lastKeptMs, sent[least - 1].sentMs);
    firstLostMs = Math.min(firstLostMs, sent[survived]?.acknowledgedMs ?? Number.POSITIVE_INFINITY);
  });
  // Connections are of one time: what was sent after another write was acknowledged does not survive without it.
  if (lastKeptMs > firstLostMs) {
    throw new Error(`a write of ${firstLostMs} ms is lost, and one sent at ${lastKeptMs} ms is there`);
  }
  return { ...survival, survivedOf: remains.map(({ survived }) => survived), firstLostMs };
}

/** Finds the number of writes after which the keys were what they are. */
function remainsOf({ index, model, sent }: Writer, actual: ReadonlyMap<string, string>): Remains {
  const state: Model = structuredClone(model);
  const isWrong = (key: string) => spellValue(state.get(key)) !== (actual.get(key) ?? 'none');
  const wrong = new Set([...state.keys(), ...actual.keys()].filter(isWrong));
  let least = wrong.size === 0 ? 0 : -1;
  let survived = least;
  let nearest = { count: 0, wrong: [...wrong] };
  sent.forEach(({ write }, i) => {
    for (const key of write.apply(state)) {
      if (isWrong(key)) wrong.add(key);
      else wrong.delete(key);
    }
    if (wrong.size === 0) {
      survived = i + 1;
      if (least === -1) least = survived;
    }
    if (wrong.size < nearest.wrong.length) nearest = { count: i + 1, wrong: [...wrong] };
  });
  const acknowledged = sent.filter((write) => write.acknowledgedMs !== undefined).length;
  if (survived >= 0) return { least, survived, acknowledged };
  const keys = nearest.wrong.map((key) => `${key} is ${(actual.get(key) ?? 'none').slice(0, 200)}`);
  throw new Error(
    `connection ${index}: no number of its ${sent.length} writes (${acknowledged} acknowledged, the first is number ` +
      `${sent[0]?.number}) leads to its keys; after ${nearest.count} of them these differ: ${keys.join('; ')}`,
  );
}

/** All keys of a writer with their values spelled, deadlines included. */
async function readKeys(
  connection: RawConnection,
  { index, database }: Writer,
): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  await connection.call('SELECT', String(database));
  for (const key of listOf(await connection.call('KEYS', `${index}:*`))) {
    const value = await readValue(connection, key, statusOf(await connection.call('TYPE', key)));
    const deadline = await connection.call('PEXPIRETIME', key);
    keys.set(key, deadline === -1 ? value : `${value} until ${String(deadline)}`);
  }
  return keys;
}

async function readValue(connection: RawConnection, key: string, type: string): Promise<string> {
  switch (type) {
    case 'string':
      return spellValue({ type, text: String(await connection.call('GET', key)) });
    case 'list':
      return spellValue({ type, items: listOf(await connection.call('LRANGE', key, '0', '-1')) });
    case 'set':
      return spellValue({ type, members: new Set(listOf(await connection.call('SMEMBERS', key))) });
    case 'hash':
      return spellValue({ type, entries: pairsOf(listOf(await connection.call('HGETALL', key))) });
    case 'zset': {
      const flat = listOf(await connection.call('ZRANGE', key, '0', '-1', 'WITHSCORES'));
      return spellValue({ type, entries: pairsOf(flat) });
    }
    default:
      return `a ${type}`;
  }
}

function listOf(reply: RawReply): string[] {
  if (!isArrayReply(reply)) throw new Error(`no array: ${JSON.stringify(reply)}`);
  return reply.map(String);
}

function pairsOf(flat: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) pairs.set(flat[i], flat[i + 1]);
  return pairs;
}

function statusOf(reply: RawReply): string {
  return typeof reply === 'object' && 'status' in reply ? reply.status : JSON.stringify(reply);
}
