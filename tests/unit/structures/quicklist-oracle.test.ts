/**
 * Lists against redis-server 8.0: after every command, DUMP must have the nodes that quicklists have here. The commands
 * are done here as t_list.c does them, with the least that this takes.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Memory } from '../../../src/memory/memory.js';
import { NULL_REFERENCE, type Reference } from '../../../src/memory/reference.js';
import { Listpacks } from '../../../src/structures/listpack.js';
import { FIRST_POSITION, NO_POSITION } from '../../../src/structures/listpack-reader.js';
import { lzfDecompress } from '../../../src/structures/lzf.js';
import { Quicklists } from '../../../src/structures/quicklist.js';
import { exceedsFill } from '../../../src/structures/quicklist-limits.js';
import { QuicklistCursor } from '../../../src/structures/quicklist-reader.js';
import { RealRedis } from '../../support/real-redis.js';
import { dumpedNodes } from './dump-payload.js';
import { blockContent } from './listpack-invariants.js';
import { elements } from './listpack-model.js';
import { checkQuicklist, type NodeContent, nodeContents } from './quicklist-invariants.js';

type End = 'LEFT' | 'RIGHT';

type Command =
  | { readonly name: 'push'; readonly end: End; readonly values: readonly Buffer[] }
  | { readonly name: 'pop'; readonly end: End; readonly count: number }
  | { readonly name: 'set'; readonly index: number; readonly value: Buffer }
  | { readonly name: 'insert'; readonly isAfter: boolean; readonly pivot: Buffer; readonly value: Buffer }
  | { readonly name: 'remove'; readonly count: number; readonly value: Buffer }
  | { readonly name: 'trim'; readonly start: number; readonly stop: number }
  | { readonly name: 'rotate'; readonly from: End; readonly to: End };

interface Options {
  readonly fill: number;
  readonly depth: number;
  readonly threshold: number;
}

/** A list that is a listpack or a quicklist, by the rules of t_list.c. */
class List {
  readonly memory = new Memory({ debug: true });
  readonly listpacks = new Listpacks(this.memory);
  readonly quicklists = new Quicklists(this.memory, this.listpacks);
  private readonly cursor = new QuicklistCursor();
  private isListpack = true;
  private block: Reference = NULL_REFERENCE;

  constructor(private readonly options: Options) {
    this.quicklists.limits.setPackedThreshold(options.threshold);
  }

  get encoding(): string | null {
    if (this.block === NULL_REFERENCE) return null;
    return this.isListpack ? 'listpack' : 'quicklist';
  }

  run(command: Command): void {
    if (this.block === NULL_REFERENCE) {
      if (command.name !== 'push') return;
      this.block = this.listpacks.create();
      this.isListpack = true;
    }
    this.perform(command);
    if (this.length() > 0) return;
    this.free();
  }

  nodes(): NodeContent[] {
    if (this.block === NULL_REFERENCE) return [];
    if (!this.isListpack) {
      checkQuicklist(this.memory, this.listpacks, this.quicklists, this.block);
      return nodeContents(this.memory, this.quicklists, this.block);
    }
    return [
      { isPlain: false, bytes: blockContent(this.memory, this.block, this.listpacks.byteLength(this.block)) },
    ];
  }

  free(): void {
    if (this.block === NULL_REFERENCE) return;
    if (this.isListpack) this.listpacks.free(this.block);
    else while (!this.quicklists.freeStep(this.block, 10));
    this.block = NULL_REFERENCE;
  }

  private length(): number {
    return this.isListpack ? this.listpacks.length(this.block) : this.quicklists.length(this.block);
  }

  private perform(command: Command): void {
    switch (command.name) {
      case 'push':
        this.grow(command.values);
        for (const value of command.values) this.push(command.end, value);
        break;
      case 'pop':
        this.removeRange(command.end === 'LEFT' ? 0 : -Math.min(command.count, this.length()), command.count);
        this.shrink();
        break;
      case 'set':
        this.grow([command.value]);
        this.set(command.index, command.value);
        break;
      case 'insert':
        this.grow([command.value]);
        this.insert(command.isAfter, command.pivot, command.value);
        break;
      case 'remove':
        if (this.remove(command.count, command.value)) this.shrink();
        break;
      case 'trim':
        this.trim(command.start, command.stop);
        this.shrink();
        break;
      case 'rotate':
        this.rotate(command.from, command.to);
        this.shrink();
    }
  }

  private grow(values: readonly Buffer[]): void {
    if (!this.isListpack) return;
    const added = values.reduce((sum, value) => sum + value.length, 0);
    this.growTo(this.listpacks.byteLength(this.block) + added, this.length() + values.length);
  }

  private growTo(length: number, count: number): void {
    const { fill, depth } = this.options;
    if (!exceedsFill(fill, length, count)) return;
    this.block = this.quicklists.createFromListpack(this.block, fill, depth);
    this.isListpack = false;
  }

  private shrink(): void {
    if (this.isListpack || !this.quicklists.canBecomeListpack(this.block, this.options.fill, true)) return;
    this.block = this.quicklists.becomeListpack(this.block);
    this.isListpack = true;
  }

  /** As `grow`, when the element at one end is popped and pushed again. */
  private growFor(end: End): void {
    const { listpacks } = this;
    const position = end === 'LEFT' ? FIRST_POSITION : listpacks.last(this.block);
    const without = listpacks.byteLength(this.block) - listpacks.entryLengthAt(this.block, position);
    listpacks.read(this.block, position);
    listpacks.element.spell();
    this.growTo(without + listpacks.element.length, this.length());
  }

  private push(end: End, value: Buffer): void {
    const { listpacks, quicklists } = this;
    if (this.isListpack) {
      this.block =
        end === 'LEFT'
          ? listpacks.prepend(this.block, value, 0, value.length)
          : listpacks.append(this.block, value, 0, value.length);
    } else if (end === 'LEFT') quicklists.pushFirst(this.block, value, 0, value.length);
    else quicklists.pushLast(this.block, value, 0, value.length);
  }

  private removeRange(index: number, count: number): void {
    if (this.isListpack) {
      this.block = this.listpacks.removeRange(this.block, index, count);
    } else if (count === 1) {
      if (index === 0) this.quicklists.removeFirst(this.block);
      else this.quicklists.removeLast(this.block);
    } else {
      this.quicklists.removeRange(this.block, index, count);
    }
  }

  private set(index: number, value: Buffer): void {
    const { listpacks, quicklists, cursor } = this;
    if (this.isListpack) {
      const position = listpacks.seek(this.block, index);
      if (position === NO_POSITION) return;
      this.block = listpacks.replace(this.block, position, value, 0, value.length);
    } else if (quicklists.seek(cursor, this.block, index, true)) {
      quicklists.replaceAt(cursor, value, 0, value.length);
      this.shrink();
    }
  }

  private insert(isAfter: boolean, pivot: Buffer, value: Buffer): void {
    const { listpacks, quicklists, cursor } = this;
    if (this.isListpack) {
      const position = listpacks.find(this.block, FIRST_POSITION, pivot, 0, pivot.length, 0);
      if (position === NO_POSITION) return;
      this.block = isAfter
        ? listpacks.insertAfter(this.block, position, value, 0, value.length)
        : listpacks.insertBefore(this.block, position, value, 0, value.length);
      return;
    }
    for (let is = quicklists.seek(cursor, this.block, 0, true); is; is = quicklists.advance(cursor)) {
      quicklists.read(cursor);
      if (!quicklists.element.equals(pivot, 0, pivot.length)) continue;
      quicklists.insertAt(cursor, isAfter, value, 0, value.length);
      return;
    }
  }

  private remove(count: number, value: Buffer): number {
    const { listpacks, quicklists, cursor } = this;
    const most = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
    let removed = 0;
    if (this.isListpack) {
      let position = count < 0 ? listpacks.last(this.block) : listpacks.first(this.block);
      while (position !== NO_POSITION && removed < most) {
        const isEqual = listpacks.equals(this.block, position, value, 0, value.length);
        if (isEqual) {
          this.block = listpacks.remove(this.block, position);
          removed++;
        }
        if (count < 0) position = listpacks.previous(this.block, position);
        else if (isEqual) position = listpacks.entryAt(this.block, position);
        else position = listpacks.next(this.block, position);
      }
      return removed;
    }
    let isThere = quicklists.seek(cursor, this.block, count < 0 ? -1 : 0, count >= 0);
    while (isThere && removed < most) {
      quicklists.read(cursor);
      if (quicklists.element.equals(value, 0, value.length)) {
        isThere = quicklists.removeAt(cursor);
        removed++;
      } else {
        isThere = quicklists.advance(cursor);
      }
    }
    quicklists.release(cursor);
    return removed;
  }

  private trim(start: number, stop: number): void {
    const length = this.length();
    const from = Math.max(0, start < 0 ? start + length : start);
    const to = Math.min(stop < 0 ? stop + length : stop, length - 1);
    const isEmpty = from > to;
    const left = isEmpty ? length : from;
    const right = isEmpty ? 0 : length - to - 1;
    if (this.isListpack) {
      this.block = this.listpacks.removeRange(this.block, 0, left);
      this.block = this.listpacks.removeRange(this.block, -right, right);
    } else {
      this.quicklists.removeRange(this.block, 0, left);
      this.quicklists.removeRange(this.block, -right, right);
    }
  }

  private rotate(from: End, to: End): void {
    if (this.isListpack) this.growFor(from);
    const operations = this.isListpack ? this.listpacks : this.quicklists;
    if (from !== to) {
      if (from === 'RIGHT') operations.rotateLastToFirst(this.block);
      else operations.rotateFirstToLast(this.block);
    } else if (!this.isListpack) {
      this.quicklists.repush(this.block, from === 'LEFT');
    }
  }
}

function words(command: Command, key: string): (string | Buffer)[] {
  switch (command.name) {
    case 'push':
      return [command.end === 'LEFT' ? 'LPUSH' : 'RPUSH', key, ...command.values];
    case 'pop': {
      const name = command.end === 'LEFT' ? 'LPOP' : 'RPOP';
      return command.count === 1 ? [name, key] : [name, key, String(command.count)];
    }
    case 'set':
      return ['LSET', key, String(command.index), command.value];
    case 'insert':
      return ['LINSERT', key, command.isAfter ? 'AFTER' : 'BEFORE', command.pivot, command.value];
    case 'remove':
      return ['LREM', key, String(command.count), command.value];
    case 'trim':
      return ['LTRIM', key, String(command.start), String(command.stop)];
    case 'rotate':
      return ['LMOVE', key, key, command.from, command.to];
  }
}

/** Few different elements, so that LREM and LINSERT find some, of all sizes that matter to the limits. */
const values = () =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('1', '-5', '300', 'a', 'bc', '70000').map(Buffer.from) },
    { weight: 3, arbitrary: elements(5000) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(
          fc.constantFrom(10, 50, 99, 100, 101, 700, 1000, 2000, 4080, 4096, 4097, 8170, 8192, 8193),
          fc.nat(2),
        )
        .map(([length, seed]) => Buffer.from(Array.from({ length }, (_, at) => (at * seed) % 11))),
    },
  );

function commands(): fc.Arbitrary<Command> {
  const end = fc.constantFrom<End>('LEFT', 'RIGHT');
  const index = fc.integer({ min: -30, max: 30 });
  const name = <Name extends Command['name']>(text: Name) => fc.constant(text);
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        name: name('push'),
        end,
        values: fc.array(values(), { minLength: 1, maxLength: 6 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ name: name('pop'), end, count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 4, arbitrary: fc.record({ name: name('set'), index, value: values() }) },
    {
      weight: 6,
      arbitrary: fc.record({ name: name('insert'), isAfter: fc.boolean(), pivot: values(), value: values() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ name: name('remove'), count: fc.integer({ min: -2, max: 2 }), value: values() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        name: name('trim'),
        start: fc.integer({ min: -40, max: 6 }),
        stop: fc.integer({ min: -6, max: 40 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ name: name('rotate'), from: end, to: end }) },
  );
}

describe('redis-server', () => {
  let redis: RealRedis;

  beforeAll(async () => {
    redis = await RealRedis.start('--rdbcompression', 'no', '--enable-debug-command', 'yes');
  });

  afterAll(async () => {
    await redis.stop();
  });

  /** The nodes and the encoding of the list after each command. */
  async function runThere(sequence: readonly Command[]): Promise<[string | null, Buffer | null][]> {
    const pipeline = redis.client.pipeline().del('list');
    for (const command of sequence) {
      const [name, ...rest] = words(command, 'list');
      pipeline
        .call(String(name), ...rest)
        .object('ENCODING', 'list')
        .dumpBuffer('list');
    }
    const replies = (await pipeline.exec()) ?? [];
    return sequence.map((_, at) => {
      const [error, encoding] = replies[at * 3 + 2];
      return [
        error === null ? String(encoding ?? '') || null : null,
        replies[at * 3 + 3][1] as Buffer | null,
      ];
    });
  }

  async function configure(options: Options): Promise<void> {
    await redis.client.config('SET', 'list-max-listpack-size', options.fill);
    await redis.client.config('SET', 'list-compress-depth', options.depth);
    await redis.client.call('DEBUG', 'QUICKLIST-PACKED-THRESHOLD', String(options.threshold));
  }

  async function compare(options: Options, sequence: readonly Command[]): Promise<void> {
    const list = new List(options);
    const there = await runThere(sequence);
    for (const [index, command] of sequence.entries()) {
      list.run(command);
      const [encoding, payload] = there[index];
      expect([index, command.name, list.encoding]).toEqual([index, command.name, encoding]);
      expect(list.nodes().map(nodeText)).toEqual(payload === null ? [] : dumped(payload).map(nodeText));
    }
    list.free();
    expect([...list.memory.liveBlocks().values()]).toEqual([]);
  }

  it.each([
    { fill: -1, depth: 0, threshold: 0 },
    { fill: -2, depth: 0, threshold: 0 },
    { fill: -1, depth: 1, threshold: 0 },
    { fill: 1, depth: 0, threshold: 0 },
    { fill: 3, depth: 0, threshold: 0 },
    { fill: 4, depth: 2, threshold: 0 },
    { fill: 20, depth: 0, threshold: 0 },
    { fill: 5, depth: 0, threshold: 100 },
    { fill: -2, depth: 1, threshold: 10 },
  ])('has the same nodes after any commands, with %o', async (options) => {
    await configure(options);
    await fc.assert(
      fc.asyncProperty(fc.array(commands(), { minLength: 1, maxLength: 80, size: 'max' }), async (sequence) =>
        compare(options, sequence),
      ),
      // RESPITE_QUICKLIST_SEED repeats a run that failed; without it every run is another.
      {
        numRuns: 25,
        ...(process.env.RESPITE_QUICKLIST_SEED && { seed: Number(process.env.RESPITE_QUICKLIST_SEED) }),
      },
    );
  });

  it('makes a large element that it takes out of a listpack and puts back a plain node', async () => {
    const options = { fill: -2, depth: 1, threshold: 10 };
    const absent = Buffer.from('absent');
    await configure(options);
    await compare(options, [
      { name: 'push', end: 'RIGHT', values: [Buffer.alloc(4080, 'a')] },
      // Makes it a quicklist, though nothing is added.
      { name: 'insert', isAfter: true, pivot: absent, value: Buffer.alloc(8170, 'b') },
      { name: 'rotate', from: 'LEFT', to: 'LEFT' },
      { name: 'set', index: 0, value: Buffer.from('c') },
    ]);
  });

  it('rotates within the only node when the element fits in again', async () => {
    const options = { fill: -1, depth: 0, threshold: 0 };
    const list = [1, 2, 3, 4, 5].map((seed) => Buffer.alloc(1000, seed));
    await configure(options);
    await compare(options, [
      { name: 'push', end: 'RIGHT', values: list },
      { name: 'pop', end: 'RIGHT', count: 1 },
      { name: 'rotate', from: 'RIGHT', to: 'LEFT' },
      { name: 'rotate', from: 'LEFT', to: 'RIGHT' },
      { name: 'rotate', from: 'LEFT', to: 'LEFT' },
    ]);
  });
});

/** The nodes of a payload, uncompressed. */
function dumped(payload: Buffer): NodeContent[] {
  return dumpedNodes(payload).map(({ isPlain, bytes, uncompressedLength }) => {
    if (uncompressedLength === undefined) return { isPlain, bytes };
    const target = Buffer.alloc(uncompressedLength);
    lzfDecompress(bytes, 0, bytes.length, target, 0, uncompressedLength);
    return { isPlain, bytes: target };
  });
}

function nodeText({ isPlain, bytes }: NodeContent): string {
  return `${isPlain ? 'plain' : 'packed'} ${bytes.length} ${bytes.subarray(0, 2000).toString('hex')}`;
}
