/**
 * The writes of one connection: write number n is always the same, so that from what is found after a crash it can be
 * told how many of them there were, and whether one is half there, twice there, or in the wrong order.
 */

/** The number of a write of one connection; they are sent in this order. */
export type WriteNumber = number;

/** What a key holds, as texts. A string's text has its deadline at its end. */
export type ModelValue =
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'list'; readonly items: string[] }
  | { readonly type: 'set'; readonly members: Set<string> }
  | { readonly type: 'hash' | 'zset'; readonly entries: Map<string, string> };

/** The keys of one connection. A missing key has no entry, and no value is empty. */
export type Model = Map<string, ModelValue>;

/** A write: the commands to send, each of which is answered, and what they do. */
export interface NumberedWrite {
  readonly commands: readonly (readonly string[])[];
  /** Makes the same change in a model, and returns the names of the keys that it may have changed. */
  apply(model: Model): readonly string[];
}

type Command = readonly string[];

const LARGE_BYTES = 20_000;
const FAR_MS = 4_000_000_000_000;

/** Writes of one key, by what they do to it. */
const SINGLE_WRITES: readonly ((key: (name: string) => string, n: WriteNumber) => Command)[] = [
  (key, n) => ['SET', key(`string:${n % 20}`), `${n}`],
  (key, n) => ['APPEND', key(`text:${n % 3}`), `,${n}`],
  (key, n) => ['DEL', key(`text:${n % 3}`)],
  (key) => ['INCR', key('counter')],
  (key, n) => ['INCRBYFLOAT', key('float'), `${n % 9}.5`],
  (key, n) => ['SET', key(`deadline:${n % 5}`), `${n}`, 'PXAT', `${FAR_MS + n}`],
  (key, n) => ['SET', key(`large:${n % 3}`), `${n} `.repeat(LARGE_BYTES).slice(0, LARGE_BYTES)],
  (key, n) => ['HSET', key('hash'), `${n % 50}`, `${n}`],
  (key, n) => ['HDEL', key('hash'), `${n % 50}`],
  (key, n) => ['HINCRBY', key('hash'), 'counter', `${n % 10}`],
  (key, n) => ['RPUSH', key(`list:${n % 3}`), `${n}`, `${-n}`],
  (key, n) => ['LPUSH', key(`list:${n % 3}`), `${n}`],
  (key, n) => ['LPOP', key(`list:${n % 3}`)],
  (key, n) => ['DEL', key(`list:${n % 3}`)],
  (key, n) => ['SADD', key('set'), `${n % 80}`, `word:${n % 7}`],
  (key, n) => ['SREM', key('set'), `${(n * 7) % 80}`],
  (key, n) => ['SADD', key(`single:${n % 7}`), 'only'],
  (key, n) => ['SPOP', key(`single:${n % 7}`)],
  (key, n) => ['ZADD', key('zset'), `${n}`, `member:${n % 60}`],
  (key, n) => ['ZREM', key('zset'), `member:${(n * 11) % 60}`],
];

/** Write number n of a connection. Which kind it is, is as good as random. */
export function numberedWrite(connection: number, n: WriteNumber): NumberedWrite {
  const key = (name: string) => `${connection}:${name}`;
  const kind = (Math.imul(n + connection * 7919, 0x9e3779b1) >>> 16) % (SINGLE_WRITES.length + 4);
  if (kind >= SINGLE_WRITES.length) return transaction(key, n);
  const command = SINGLE_WRITES[kind](key, n);
  return { commands: [command], apply: (model) => applyAll(model, [command]) };
}

/** One number to several keys: all of them have it, or none. */
function transaction(key: (name: string) => string, n: WriteNumber): NumberedWrite {
  const body: readonly Command[] = [
    ['SET', key('together:string'), `${n}`],
    ['HSET', key('together:hash'), 'number', `${n}`],
    ['RPUSH', key('together:list'), `${n}`],
    ['LTRIM', key('together:list'), '-10', '-1'],
    ['ZADD', key('together:zset'), `${n}`, 'number'],
  ];
  return { commands: [['MULTI'], ...body, ['EXEC']], apply: (model) => applyAll(model, body) };
}

function applyAll(model: Model, commands: readonly Command[]): string[] {
  for (const command of commands) applyCommand(model, command);
  return commands.map((command) => command[1]);
}

function applyCommand(model: Model, [name, key, first, ...rest]: Command): void {
  switch (name) {
    case 'SET':
      model.set(key, { type: 'string', text: rest[0] === 'PXAT' ? `${first} until ${rest[1]}` : first });
      return;
    case 'APPEND':
      model.set(key, { type: 'string', text: textOf(model, key, '') + first });
      return;
    case 'INCR':
      model.set(key, { type: 'string', text: `${Number(textOf(model, key, '0')) + 1}` });
      return;
    case 'INCRBYFLOAT':
      model.set(key, { type: 'string', text: `${Number(textOf(model, key, '0')) + Number(first)}` });
      return;
    case 'DEL':
    case 'SPOP':
      model.delete(key);
      return;
    case 'HSET':
      entriesOf(model, key, 'hash').set(first, rest[0]);
      return;
    case 'HINCRBY': {
      const entries = entriesOf(model, key, 'hash');
      entries.set(first, `${Number(entries.get(first) ?? 0) + Number(rest[0])}`);
      return;
    }
    case 'ZADD':
      entriesOf(model, key, 'zset').set(rest[0], first);
      return;
    case 'HDEL':
    case 'ZREM':
      removeFrom(model, key, entriesOf(model, key, name === 'HDEL' ? 'hash' : 'zset'), first);
      return;
    case 'SADD':
      for (const member of [first, ...rest]) membersOf(model, key).add(member);
      return;
    case 'SREM':
      removeFrom(model, key, membersOf(model, key), first);
      return;
    default:
      applyListCommand(model, name, key, first, rest);
  }
}

function applyListCommand(
  model: Model,
  name: string,
  key: string,
  first: string,
  rest: readonly string[],
): void {
  const value = model.get(key) ?? { type: 'list', items: [] };
  if (value.type !== 'list') throw new Error(`${key} is no list`);
  const { items } = value;
  if (name === 'RPUSH') items.push(first, ...rest);
  else if (name === 'LPUSH') items.unshift(first);
  else if (name === 'LPOP') items.shift();
  else if (name === 'LTRIM') items.splice(0, Math.max(0, items.length + Number(first)));
  else throw new Error(`no model of ${name}`);
  if (items.length === 0) model.delete(key);
  else model.set(key, value);
}

function textOf(model: Model, key: string, absent: string): string {
  const value = model.get(key);
  return value?.type === 'string' ? value.text : absent;
}

function entriesOf(model: Model, key: string, type: 'hash' | 'zset'): Map<string, string> {
  let value = model.get(key);
  if (value === undefined) {
    value = { type, entries: new Map() };
    model.set(key, value);
  }
  if (value.type !== type) throw new Error(`${key} is no ${type}`);
  return value.entries;
}

function membersOf(model: Model, key: string): Set<string> {
  let value = model.get(key);
  if (value === undefined) {
    value = { type: 'set', members: new Set() };
    model.set(key, value);
  }
  if (value.type !== 'set') throw new Error(`${key} is no set`);
  return value.members;
}

function removeFrom(
  model: Model,
  key: string,
  from: { delete(name: string): boolean; readonly size: number },
  name: string,
): void {
  from.delete(name);
  if (from.size === 0) model.delete(key);
}

/** A value as one text, the same whatever order the server lists its elements in. */
export function spellValue(value: ModelValue | undefined): string {
  if (value === undefined) return 'none';
  switch (value.type) {
    case 'string':
      return `string ${value.text}`;
    case 'list':
      return `list ${value.items.join(' ')}`;
    case 'set':
      return `set ${[...value.members].sort().join(' ')}`;
    default:
      return `${value.type} ${[...value.entries]
        .map(([name, content]) => `${name}=${content}`)
        .sort()
        .join(' ')}`;
  }
}
