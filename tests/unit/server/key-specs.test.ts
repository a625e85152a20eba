import { describe, expect, it } from 'vitest';
import { Arguments } from '../../../src/protocol/arguments.js';
import {
  type KeySpec,
  keyAfter,
  keyAt,
  keyPairsFrom,
  keysCountedAt,
  keysFrom,
  keysFromButLast,
} from '../../../src/server/command.js';
import {
  CompiledKeySpec,
  findCountedKeys,
  findKeys,
  KEY_ACCESS,
  KEY_READ,
  type KeyedCommand,
  KeyList,
  keyFlagNames,
  mayHaveKeys,
} from '../../../src/server/key-specs.js';

function command(keys: readonly KeySpec[], finder?: KeyedCommand['findKeys']): KeyedCommand {
  return { keySpecs: keys.map((spec) => new CompiledKeySpec(spec)), findKeys: finder };
}

function callOf(line: string): Arguments {
  const call = new Arguments();
  call.assign(line.split(' ').map((word) => Buffer.from(word)));
  return call;
}

/** The keys of a call, each with its flags. */
function keysIn(keyed: KeyedCommand, line: string, includesNotKeys = false): string[] {
  const call = callOf(line);
  const found = new KeyList();
  findKeys(keyed, call, found, includesNotKeys);
  return Array.from({ length: found.count }, (_, position) =>
    [call.text(found.indexes[position]), ...keyFlagNames(found.flags[position])].join(' '),
  );
}

describe('findKeys', () => {
  it('finds keys by index and to the end of the call', () => {
    expect(keysIn(command([keyAt(1, 'RO', 'access')]), 'get a')).toEqual(['a RO access']);
    expect(keysIn(command([keysFrom(1, 'RM', 'delete')]), 'del a b')).toEqual(['a RM delete', 'b RM delete']);
    expect(keysIn(command([keyPairsFrom(1, 'OW')]), 'mset a 1 b 2')).toEqual(['a OW', 'b OW']);
    expect(keysIn(command([keysFromButLast(1, 'RW')]), 'blpop a b 0')).toEqual(['a RW', 'b RW']);
  });

  it('joins the keys of several specs', () => {
    const smove = command([keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')]);
    expect(keysIn(smove, 'smove a b x')).toEqual(['a RW access delete', 'b RW insert']);
  });

  it('finds as many keys as the call says, and none when it says nonsense', () => {
    const zunion = command([keysCountedAt(1, 'RO', 'access')]);
    expect(keysIn(zunion, 'zunion 2 a b WITHSCORES')).toEqual(['a RO access', 'b RO access']);
    for (const count of ['0', '-1', '4', 'x', '2x', '01', '99999999999999999999']) {
      expect(keysIn(zunion, `zunion ${count} a b c`)).toEqual([]);
    }
  });

  it('finds keys behind a word, in any case, forward and backward', () => {
    const store = command([keyAt(1, 'RO'), keyAfter('STORE', 6, 'OW')]);
    expect(keysIn(store, 'georadius a 1 2 3 m store b')).toEqual(['a RO', 'b OW']);
    expect(keysIn(store, 'georadius a 1 2 3 m asc')).toEqual(['a RO']);
    const keys = command([
      { flags: ['RW'], begin: { keyword: 'KEYS', startFrom: -2 }, find: { lastKey: -1, step: 1, limit: 0 } },
    ]);
    expect(keysIn(keys, 'migrate h p e 0 5 copy Keys a b c')).toEqual(['a RW', 'b RW', 'c RW']);
  });

  it('divides what follows a word by the limit', () => {
    const xread = command([
      {
        flags: ['RO'],
        begin: { keyword: 'STREAMS', startFrom: 1 },
        find: { lastKey: -1, step: 1, limit: 2 },
      },
    ]);
    expect(keysIn(xread, 'xread count 2 streams a b 0-0 0-0')).toEqual(['a RO', 'b RO']);
    expect(keysIn(xread, 'xread streams a 0-0')).toEqual(['a RO']);
  });

  it('leaves out what is only routed like a key, unless asked for', () => {
    const spublish = command([keyAt(1, 'not_key')]);
    expect(keysIn(spublish, 'spublish c m')).toEqual([]);
    expect(keysIn(spublish, 'spublish c m', true)).toEqual(['c not_key']);
    expect(mayHaveKeys(spublish)).toBe(false);
  });

  it("asks the command's own finder when the specs cannot say", () => {
    const finder: KeyedCommand['findKeys'] = (_call, found) => found.add(2, KEY_READ | KEY_ACCESS);
    const unknown: KeySpec = { flags: ['OW'], begin: { unknown: true }, find: { unknown: true } };
    expect(keysIn(command([keyAt(1, 'RO'), unknown], finder), 'sort a b')).toEqual(['b RO access']);
    expect(keysIn(command([keyAt(1, 'RO', 'incomplete')], finder), 'x a b')).toEqual(['b RO access']);
    expect(keysIn(command([keyAt(1, 'RW', 'variable_flags')], finder), 'set a b')).toEqual(['b RO access']);
    expect(keysIn(command([keyAt(1, 'RO')], finder), 'get a b')).toEqual(['a RO']);
    expect(keysIn(command([keyAt(1, 'RO'), unknown]), 'sort a b')).toEqual([]);
    expect(mayHaveKeys(command([], finder))).toBe(true);
  });

  it('finds counted keys and a destination', () => {
    const zunionstore = command([], findCountedKeys(2, 1));
    expect(keysIn(zunionstore, 'zunionstore d 2 a b AGGREGATE min')).toEqual(['a', 'b', 'd']);
    expect(keysIn(zunionstore, 'zunionstore d 3 a b')).toEqual([]);
    expect(keysIn(zunionstore, 'zunionstore d 0 a b')).toEqual([]);
    expect(keysIn(command([], findCountedKeys(1)), 'zunion 1 a b')).toEqual(['a']);
  });

  it('has room for any number of keys, and gives it back', () => {
    const found = new KeyList();
    const keys = Array.from({ length: 5000 }, (_, index) => `k${index}`);
    findKeys(command([keysFrom(1, 'RO')]), callOf(`del ${keys.join(' ')}`), found);
    expect(found.count).toBe(5000);
    expect(found.indexes[4999]).toBe(5000);
    findKeys(command([keysFrom(1, 'RO')]), callOf('del a'), found);
    expect(found.count).toBe(1);
    expect(found.indexes.length).toBe(16);
  });
});

describe('CompiledKeySpec', () => {
  it.each<[string, KeySpec]>([
    ['exactly one of RO, RW, OW and RM', keyAt(1, 'access')],
    ['exactly one of RO, RW, OW and RM', keyAt(1, 'RO', 'RW')],
    ['begins nowhere', keyAt(0, 'RO')],
    ['not upper case', keyAfter('store', 5, 'OW')],
    ['step', { flags: ['RO'], begin: { index: 1 }, find: { lastKey: -1, step: 0, limit: 0 } }],
    ['limit', { flags: ['RO'], begin: { index: 1 }, find: { lastKey: 2, step: 1, limit: 2 } }],
    ["unknown key flag 'ro'", { ...keyAt(1), flags: ['ro' as 'RO'] }],
  ])('refuses a spec: %s', (problem, spec) => {
    expect(() => new CompiledKeySpec(spec)).toThrow(problem);
  });
});
