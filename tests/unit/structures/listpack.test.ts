import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Memory, OutOfMemoryError } from '../../../src/memory/memory.js';
import type { Reference } from '../../../src/memory/reference.js';
import { Listpacks } from '../../../src/structures/listpack.js';
import { readCount } from '../../../src/structures/listpack-encoding.js';
import { FIRST_POSITION, NO_POSITION } from '../../../src/structures/listpack-reader.js';
import { isValidListpack } from '../../../src/structures/listpack-validation.js';
import { RealRedis } from '../../support/real-redis.js';
import { dumpedNodes, dumpedString } from './dump-payload.js';
import { blockContent, checkListpack, copyOfElement } from './listpack-invariants.js';
import {
  ALMOST_INTEGERS,
  BORDER_INTEGERS,
  BORDER_LENGTHS,
  elements,
  modelListpack,
} from './listpack-model.js';

let memory: Memory;
let listpacks: Listpacks;

beforeEach(() => {
  memory = new Memory({ debug: true });
  listpacks = new Listpacks(memory);
});

afterEach(() => {
  expect([...memory.liveBlocks().values()]).toEqual([]);
});

function make(list: readonly Buffer[]): Reference {
  return list.reduce(
    (listpack, element) => listpacks.append(listpack, element, 0, element.length),
    listpacks.create(),
  );
}

function content(listpack: Reference): Buffer {
  return blockContent(memory, listpack, listpacks.byteLength(listpack));
}

/** The element at an index, the plain way. */
function elementAt(listpack: Reference, index: number): Buffer | undefined {
  const position = listpacks.seek(listpack, index);
  if (position === NO_POSITION) return undefined;
  listpacks.read(listpack, position);
  return copyOfElement(listpacks.element);
}

const BORDER_ELEMENTS = [
  ...BORDER_LENGTHS.map((length) => Buffer.alloc(length, 'x')),
  ...[...BORDER_INTEGERS, ...ALMOST_INTEGERS].map((text) => Buffer.from(text)),
];

describe('encoding', () => {
  it('gives the bytes of the model for every element on a border, and reads them back', () => {
    for (const element of BORDER_ELEMENTS) {
      const listpack = listpacks.createWith(element, 0, element.length);
      expect(content(listpack)).toEqual(modelListpack([element]));
      expect(checkListpack(memory, listpacks, listpack)).toEqual([element]);
      expect(listpacks.equals(listpack, FIRST_POSITION, element, 0, element.length)).toBe(true);
      expect(listpacks.entryLength(element, 0, element.length)).toBe(listpacks.byteLength(listpack) - 7);
      listpacks.free(listpack);
    }
  });

  it('encodes the longest elements with backlens of 3 and 4 bytes', () => {
    for (const length of [2097151 - 6, 2097151 - 5, 2097151 - 4]) {
      const element = Buffer.alloc(length, 'x');
      const listpack = make([element, Buffer.from('behind')]);
      expect(content(listpack).equals(modelListpack([element, Buffer.from('behind')]))).toBe(true);
      expect(elementAt(listpack, -2)?.equals(element)).toBe(true);
      listpacks.free(listpack);
    }
  });

  it('tells integers from strings', () => {
    const listpack = make(
      ['12', '12a', '9223372036854775807', '-5000000000'].map((text) => Buffer.from(text)),
    );
    const read = [0, 1, 2, 3].map((index) => {
      listpacks.read(listpack, listpacks.seek(listpack, index));
      return listpacks.element.isInteger && listpacks.element.integer;
    });
    expect(read).toEqual([12, false, NaN, -5000000000]);
    listpacks.free(listpack);
  });

  it('encodes integers given as words as their text', () => {
    let fromWords = listpacks.create();
    const all = BORDER_INTEGERS.map((text) => Buffer.from(text));
    for (const text of BORDER_INTEGERS) {
      const value = BigInt(text);
      const low = Number(BigInt.asIntN(32, value));
      const high = Number(BigInt.asIntN(32, value >> 32n));
      fromWords = listpacks.appendInteger(fromWords, low, high);
    }
    expect(content(fromWords)).toEqual(modelListpack(all));
    fromWords = listpacks.replaceInteger(fromWords, FIRST_POSITION, 70000, 0);
    fromWords = listpacks.insertIntegerBefore(fromWords, FIRST_POSITION, -1, -1);
    all.splice(0, 1, Buffer.from('-1'), Buffer.from('70000'));
    expect(content(fromWords)).toEqual(modelListpack(all));
    listpacks.free(fromWords);
  });
});

/** A change, of an array and of a listpack alike. */
type Change = (model: Buffer[], listpack: Reference) => Reference;

const choice = () => fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function changes(): fc.Arbitrary<Change> {
  const element = elements(5000);
  const pick = (model: Buffer[], at: number) => Math.floor(model.length * at);
  return fc.oneof(
    {
      weight: 3,
      arbitrary: element.map<Change>((bytes) => (model, listpack) => {
        model.push(bytes);
        return listpacks.append(listpack, bytes, 0, bytes.length);
      }),
    },
    element.map<Change>((bytes) => (model, listpack) => {
      model.unshift(bytes);
      return listpacks.prepend(listpack, bytes, 0, bytes.length);
    }),
    fc
      .tuple(element, choice(), fc.constantFrom('before', 'after', 'replace'))
      .map<Change>(([bytes, at, where]) => (model, listpack) => {
        if (model.length === 0) return listpack;
        const index = pick(model, at);
        const position = listpacks.seek(listpack, index);
        model.splice(where === 'after' ? index + 1 : index, where === 'replace' ? 1 : 0, bytes);
        if (where === 'before') return listpacks.insertBefore(listpack, position, bytes, 0, bytes.length);
        if (where === 'after') return listpacks.insertAfter(listpack, position, bytes, 0, bytes.length);
        return listpacks.replace(listpack, position, bytes, 0, bytes.length);
      }),
    choice().map<Change>((at) => (model, listpack) => {
      if (model.length === 0) return listpack;
      const index = pick(model, at);
      const position = listpacks.seek(listpack, index);
      model.splice(index, 1);
      const changed = listpacks.remove(listpack, position);
      expect(listpacks.entryAt(changed, position)).toBe(listpacks.seek(changed, index));
      return changed;
    }),
    fc.constant<Change>((model, listpack) => {
      if (model.length === 0) return listpack;
      model.pop();
      return listpacks.removeLast(listpack);
    }),
    fc
      .tuple(choice(), fc.nat(6), fc.boolean())
      .map<Change>(([at, count, isNegative]) => (model, listpack) => {
        if (model.length === 0) return listpack;
        const index = pick(model, at);
        const given = isNegative ? index - model.length : index;
        model.splice(index, count);
        return listpacks.removeRange(listpack, given, count);
      }),
    fc.boolean().map<Change>((isLast) => (model, listpack) => {
      if (isLast) {
        listpacks.rotateLastToFirst(listpack);
        model.unshift(...model.splice(-1));
      } else {
        listpacks.rotateFirstToLast(listpack);
        model.push(...model.splice(0, 1));
      }
      return listpack;
    }),
  );
}

describe('changes', () => {
  it('give the bytes of the model, whatever is done', () => {
    fc.assert(
      fc.property(fc.array(changes(), { maxLength: 60, size: 'max' }), (sequence) => {
        const model: Buffer[] = [];
        let listpack = listpacks.create();
        for (const change of sequence) {
          listpack = change(model, listpack);
          expect(content(listpack).equals(modelListpack(model))).toBe(true);
        }
        expect(checkListpack(memory, listpacks, listpack)).toEqual(model);
        listpacks.free(listpack);
      }),
      { numRuns: 300 },
    );
  });
});

describe('finding', () => {
  it('finds what an array finds, from any start, skipping', () => {
    const element = fc.oneof(
      fc.constantFrom('1', '-1', '300', '01', 'a', 'b', '').map(Buffer.from),
      elements(5000),
    );
    fc.assert(
      fc.property(
        fc.array(element, { maxLength: 30, size: 'max' }),
        element,
        choice(),
        fc.nat(2),
        (list, other, at, skip) => {
          const listpack = make(list);
          const start = Math.floor(list.length * at);
          for (const wanted of [...list, other]) {
            const expected = list.findIndex(
              (candidate, index) =>
                index >= start && (index - start) % (skip + 1) === 0 && candidate.equals(wanted),
            );
            const from = list.length === 0 ? FIRST_POSITION : listpacks.seek(listpack, start);
            const found = listpacks.find(listpack, from, wanted, 0, wanted.length, skip);
            expect(found).toBe(expected < 0 ? NO_POSITION : listpacks.seek(listpack, expected));
          }
          listpacks.free(listpack);
        },
      ),
    );
  });

  it('compares an integer that was stored as a string, as old servers may have, by its bytes', () => {
    const bytes = Buffer.of(14, 0, 0, 0, 2, 0, 0x82, 0x31, 0x32, 3, 12, 1, 0xff);
    bytes[0] = bytes.length;
    expect(isValidListpack(bytes, 0, bytes.length, true)).toBe(true);
    const listpack = listpacks.createFrom(bytes, 0, bytes.length);
    const wanted = Buffer.from('12');
    const first = listpacks.find(listpack, FIRST_POSITION, wanted, 0, 2, 0);
    expect(first).toBe(FIRST_POSITION);
    expect(listpacks.find(listpack, listpacks.next(listpack, first), wanted, 0, 2, 0)).toBe(10);
    listpacks.free(listpack);
  });

  it('picks every multiple of the step at random, and nothing else', () => {
    const listpack = make(['a', '1', 'b', '2', 'c', '3'].map((text) => Buffer.from(text)));
    const picked = new Set(Array.from({ length: 500 }, () => listpacks.random(listpack, 2)));
    expect([...picked].sort()).toEqual([0, 2, 4].map((index) => listpacks.seek(listpack, index)).sort());
    listpacks.free(listpack);
  });
});

describe('many elements', () => {
  it('counts those above 65534, and has a count again below', () => {
    const list = Array.from({ length: 65536 }, (_, index) => Buffer.from(String(index % 100)));
    let listpack = listpacks.createFrom(
      modelListpack(list.slice(0, 65533)),
      0,
      modelListpack(list.slice(0, 65533)).length,
    );
    for (const count of [65534, 65535, 65536]) {
      const element = list[count - 1];
      listpack = listpacks.append(listpack, element, 0, element.length);
      expect(listpacks.length(listpack)).toBe(count);
      expect(content(listpack).equals(modelListpack(list.slice(0, count)))).toBe(true);
    }
    expect(elementAt(listpack, 65535)).toEqual(list[65535]);
    expect(elementAt(listpack, -65536)).toEqual(list[0]);
    expect(elementAt(listpack, 65536)).toBeUndefined();
    for (let removed = 0; removed < 2; removed++) {
      listpack = listpacks.remove(listpack, listpacks.last(listpack));
      expect(readCount(content(listpack), 0)).toBe(65535);
    }
    expect(listpacks.length(listpack)).toBe(65534);
    expect(content(listpack).equals(modelListpack(list.slice(0, 65534)))).toBe(true);
    listpack = listpacks.removeRange(listpack, -65534, 65532);
    expect(checkListpack(memory, listpacks, listpack)).toEqual(list.slice(65532, 65534));
    listpacks.free(listpack);
  });

  it('merges into an unknown count', () => {
    const list = Array.from({ length: 40000 }, (_, index) => Buffer.from(String(index % 128)));
    const bytes = modelListpack(list);
    const first = listpacks.createFrom(bytes, 0, bytes.length);
    const merged = listpacks.merge(first, listpacks.createFrom(bytes, 0, bytes.length));
    expect(listpacks.length(merged)).toBe(80000);
    expect(content(merged).equals(modelListpack([...list, ...list]))).toBe(true);
    listpacks.free(merged);
  });
});

describe('several listpacks', () => {
  it('are copied, cut and joined', () => {
    fc.assert(
      fc.property(
        fc.array(elements(5000), { minLength: 1, maxLength: 20, size: 'max' }),
        choice(),
        (list, at) => {
          const listpack = make(list);
          const index = Math.floor(list.length * at);
          const position = listpacks.seek(listpack, index);
          const copy = listpacks.duplicate(listpack);
          const head = listpacks.createFromRange(listpack, FIRST_POSITION, position, 0);
          const tail = listpacks.removeBetween(copy, FIRST_POSITION, position, index);
          expect(content(head)).toEqual(modelListpack(list.slice(0, index)));
          expect(content(tail)).toEqual(modelListpack(list.slice(index)));
          expect(memory.blockBytes(tail)).toBe(Memory.roundedLength(listpacks.byteLength(tail)));
          const joined = listpacks.merge(head, tail);
          expect(content(joined)).toEqual(content(listpack));
          listpacks.free(joined);
          listpacks.free(listpack);
        },
      ),
    );
  });

  it('has room for what was asked to be spared', () => {
    const listpack = make([Buffer.from('a'), Buffer.from('b')]);
    const element = Buffer.alloc(100, 'x');
    const spare = listpacks.entryLength(element, 0, element.length);
    const created = listpacks.createFromRange(
      listpack,
      FIRST_POSITION,
      listpacks.endPosition(listpack),
      spare,
    );
    memory.allocationsUntilFailure = 0;
    expect(listpacks.prepend(created, element, 0, element.length)).toBe(created);
    expect(checkListpack(memory, listpacks, created)).toHaveLength(3);
    listpacks.free(created);
    listpacks.free(listpack);
  });
});

describe('memory', () => {
  it('can be reserved for what is to come', () => {
    const list = Array.from({ length: 12 }, (_, index) => Buffer.alloc(index * 3, 'x'));
    const added = list.reduce((sum, element) => sum + listpacks.entryLength(element, 0, element.length), 0);
    let listpack = listpacks.reserve(make(list.slice(0, 2)), added);
    memory.allocationsUntilFailure = 0;
    expect(listpacks.reserve(listpack, added)).toBe(listpack);
    for (const element of list) listpack = listpacks.append(listpack, element, 0, element.length);
    expect(content(listpack)).toEqual(modelListpack([...list.slice(0, 2), ...list]));
    expect(() => listpacks.reserve(listpack, 1000)).toThrow(OutOfMemoryError);
    listpacks.free(listpack);
  });

  it('leaves everything as it was when there is no more', () => {
    const listpack = make([Buffer.from('a'), Buffer.alloc(50, 'x'), Buffer.from('7')]);
    const other = make([Buffer.alloc(90, 'y')]);
    const before = [content(listpack), content(other)];
    const long = Buffer.alloc(200, 'z');
    const position = listpacks.seek(listpack, 1);
    memory.allocationsUntilFailure = 0;
    for (const change of [
      () => listpacks.create(),
      () => listpacks.createWith(long, 0, 200),
      () => listpacks.createFrom(before[0], 0, before[0].length),
      () => listpacks.createFromRange(listpack, FIRST_POSITION, position, 0),
      () => listpacks.duplicate(listpack),
      () => listpacks.append(listpack, long, 0, 200),
      () => listpacks.prepend(listpack, long, 0, 200),
      () => listpacks.insertAfter(listpack, position, long, 0, 200),
      () => listpacks.replace(listpack, position, long, 0, 200),
      () => listpacks.merge(listpack, other),
    ]) {
      expect(change).toThrow(OutOfMemoryError);
      expect([content(listpack), content(other)]).toEqual(before);
    }
    expect(memory.blockCount).toBe(2);
    listpacks.free(listpack);
    listpacks.free(other);
  });

  it('is given back when half of it is empty, but removing never fails for want of it', () => {
    const list = Array.from({ length: 40 }, () => Buffer.alloc(90, 'x'));
    let listpack = make(list);
    const full = memory.blockBytes(listpack);
    memory.allocationsUntilFailure = 0;
    for (let i = 0; i < 30; i++) listpack = listpacks.remove(listpack, FIRST_POSITION);
    expect(memory.blockBytes(listpack)).toBe(full);
    memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    listpack = listpacks.remove(listpack, FIRST_POSITION);
    expect(memory.blockBytes(listpack)).toBe(Memory.roundedLength(listpacks.byteLength(listpack)));
    expect(checkListpack(memory, listpacks, listpack)).toEqual(list.slice(31));
    while (listpacks.first(listpack) !== NO_POSITION) {
      listpack = listpacks.remove(listpack, FIRST_POSITION);
      expect(memory.blockBytes(listpack)).toBeLessThanOrEqual(
        Memory.roundedLength(listpacks.byteLength(listpack) * 2),
      );
    }
    listpacks.free(listpack);
  });

  it('has a limit', () => {
    const listpack = listpacks.create();
    expect(listpacks.isSafeToAdd(listpack, 2 ** 30 - 7)).toBe(true);
    expect(listpacks.isSafeToAdd(listpack, 2 ** 30 - 6)).toBe(false);
    listpacks.free(listpack);
  });
});

describe('validation', () => {
  it('accepts what is written here', () => {
    fc.assert(
      fc.property(fc.array(elements(), { maxLength: 10 }), fc.nat(5), (list, before) => {
        const bytes = Buffer.concat([Buffer.alloc(before), modelListpack(list), Buffer.alloc(3, 0xff)]);
        const length = bytes.length - before - 3;
        expect(isValidListpack(bytes, before, length, false)).toBe(true);
        expect(isValidListpack(bytes, before, length, true)).toBe(true);
        expect(isValidListpack(bytes, before, length + 1, false)).toBe(false);
      }),
    );
  });

  it('lets nothing pass in which a walk leaves the listpack', () => {
    const change = fc.tuple(choice(), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(elements(100), { maxLength: 8 }),
        fc.array(change, { maxLength: 3 }),
        (list, damage) => {
          const bytes = modelListpack(list);
          for (const [at, byte] of damage) bytes[Math.floor(bytes.length * at)] = byte;
          if (!isValidListpack(bytes, 0, bytes.length, true)) return;
          const listpack = listpacks.createFrom(bytes, 0, bytes.length);
          checkListpack(memory, listpacks, listpack);
          listpacks.free(listpack);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['no header', [7, 0, 0, 0, 0, 0]],
    ['another total', [8, 0, 0, 0, 0, 0, 0xff]],
    ['no end', [7, 0, 0, 0, 0, 0, 0xfe]],
  ])('refuses %s without looking deep', (_what, bytes) => {
    expect(isValidListpack(Uint8Array.from(bytes), 0, bytes.length, false)).toBe(false);
  });

  it.each([
    ['an unknown encoding', [9, 0, 0, 0, 1, 0, 0xf5, 1, 0xff]],
    ['another count', [9, 0, 0, 0, 2, 0, 5, 1, 0xff]],
    ['another backlen', [9, 0, 0, 0, 1, 0, 5, 2, 0xff]],
    ['an end inside', [10, 0, 0, 0, 1, 0, 5, 1, 0xff, 0xff]],
    ['a string that is too long', [9, 0, 0, 0, 1, 0, 0x83, 0x41, 0xff]],
    ['a length that is cut off', [8, 0, 0, 0, 1, 0, 0xf0, 0xff]],
  ])('refuses %s when looking deep', (_what, bytes) => {
    expect(isValidListpack(Uint8Array.from(bytes), 0, bytes.length, false)).toBe(true);
    expect(isValidListpack(Uint8Array.from(bytes), 0, bytes.length, true)).toBe(false);
  });
});

describe('redis-server', () => {
  let redis: RealRedis;

  beforeAll(async () => {
    redis = await RealRedis.start(
      ...['--rdbcompression', 'no', '--list-max-listpack-size', '-5'],
      ...['--hash-max-listpack-entries', '1000', '--hash-max-listpack-value', '5000'],
    );
  });

  afterAll(async () => {
    await redis.stop();
  });

  it('has the same bytes for a list of everything on a border', async () => {
    const list = BORDER_ELEMENTS.filter((element) => element.length < 5000);
    await redis.client.rpush('list', ...list);
    const nodes = dumpedNodes(await redis.client.dumpBuffer('list'));
    expect(nodes).toHaveLength(1);
    const listpack = make(list);
    expect(content(listpack).equals(nodes[0].bytes)).toBe(true);
    listpacks.free(listpack);
  });

  it('has the same bytes for a hash whose fields come and go', async () => {
    let listpack = listpacks.create();
    const fields = BORDER_ELEMENTS.filter((element) => element.length < 5000);
    for (const [index, field] of fields.entries()) {
      const value = fields[(index * 7) % fields.length];
      await redis.client.hset('hash', field, value);
      let position = listpacks.find(listpack, FIRST_POSITION, field, 0, field.length, 1);
      if (position === NO_POSITION) {
        listpack = listpacks.append(listpack, field, 0, field.length);
        listpack = listpacks.append(listpack, value, 0, value.length);
      } else {
        position = listpacks.next(listpack, position);
        listpack = listpacks.replace(listpack, position, value, 0, value.length);
      }
      if (index % 3 !== 2) continue;
      const removed = fields[Math.floor(index / 2)];
      await redis.client.hdel('hash', removed);
      position = listpacks.find(listpack, FIRST_POSITION, removed, 0, removed.length, 1);
      if (position !== NO_POSITION) listpack = listpacks.removeFrom(listpack, position, 2);
    }
    const dumped = dumpedString(await redis.client.dumpBuffer('hash'));
    expect(content(listpack).equals(dumped.bytes)).toBe(true);
    listpacks.free(listpack);
  });
});
