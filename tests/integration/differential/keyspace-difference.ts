/** Compares all that two servers hold: the keys of every database, their types, encodings, deadlines and values. */
import { type Comparison, inAnyOrder, millisecondsAlike, pairsInAnyOrder } from './comparisons.js';
import type { Difference, Differential, Step } from './differential.js';
import { type Argument, parseReply } from './wire.js';

const DATABASES = 16;

/** By type, the command that reads the whole value, its arguments behind the key, and how its replies compare. */
const READERS: Readonly<
  Record<string, readonly [name: string, args: readonly Argument[], alike?: Comparison]>
> = {
  string: ['GET', []],
  list: ['LRANGE', [0, -1]],
  set: ['SMEMBERS', [], inAnyOrder],
  zset: ['ZRANGE', [0, -1, 'WITHSCORES']],
  hash: ['HGETALL', [], pairsInAnyOrder],
  stream: ['XRANGE', ['-', '+']],
};

/** The first difference of what the two servers hold, as the command that shows it; undefined when there is none. */
export async function keyspaceDifference(servers: Differential): Promise<Difference | undefined> {
  for (let database = 0; database < DATABASES; database++) {
    const keys: Step = { args: ['KEYS', '*'], alike: inAnyOrder };
    const difference =
      (await servers.compare([{ args: ['SELECT', database] }, keys])) ?? (await valueDifference(servers));
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** The first difference of the values in the selected database. */
async function valueDifference(servers: Differential): Promise<Difference | undefined> {
  const [reply] = await servers.theirs.send([['KEYS', '*']]);
  const keys = parseReply(reply);
  if (!('items' in keys) || keys.items.length === 0) return undefined;
  const names = keys.items.map((key) => Buffer.from('text' in key ? key.text : '', 'latin1'));
  const types = await servers.theirs.send(names.map((name) => ['TYPE', name]));
  const steps = names.flatMap((name, i): Step[] => {
    const type = parseReply(types[i]);
    const [reader, args, alike] = READERS['text' in type ? type.text : ''];
    return [
      { args: ['TYPE', name] },
      { args: ['OBJECT', 'ENCODING', name] },
      { args: ['PTTL', name], alike: millisecondsAlike },
      { args: [reader, name, ...args], ...(alike === undefined ? {} : { alike }) },
    ];
  });
  return await servers.compare(steps);
}
