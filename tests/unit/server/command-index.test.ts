import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandIndex } from '../../../src/server/command-index.js';

function find<T>(index: CommandIndex<T>, name: string, before = '$3\r\n', after = '\r\n'): T | undefined {
  const bytes = Buffer.from(before + name + after, 'latin1');
  return index.find(bytes, before.length, name.length);
}

function indexOf(names: readonly string[]): CommandIndex<string> {
  return new CommandIndex(new Map(names.map((name) => [name, name])));
}

describe('CommandIndex', () => {
  it('finds names in any case, whatever stands around them', () => {
    const index = indexOf(['get', 'set', 'getset', 'bitfield_ro', 'restore-asking', 'zremrangebyscore', 'a']);
    for (const name of [
      'get',
      'GET',
      'gEt',
      'Getset',
      'BITFIELD_RO',
      'Restore-Asking',
      'ZREMRANGEBYscore',
      'A',
    ]) {
      expect(find(index, name)).toBe(name.toLowerCase());
      expect(find(index, name, '', '')).toBe(name.toLowerCase());
      expect(find(index, name, 'xyz', 'GETSETxyz')).toBe(name.toLowerCase());
    }
  });

  it('takes nothing else for a letter, a dash or an underscore', () => {
    const index = indexOf(['get', 'bitfield_ro', 'restore-asking', 'a@b']);
    const others = [
      'ge',
      'gets',
      '',
      'g\x05t',
      'ge\x14',
      'bitfield\x7fro',
      'restore\rasking',
      'a`b',
      '\xc7et',
    ];
    for (const name of others) expect(find(index, name)).toBeUndefined();
    expect(find(index, 'get\0')).toBeUndefined();
    expect(find(index, 'zremrangebyscorezremrangebyscore')).toBeUndefined();
  });

  it('tells names apart that begin with the same eight bytes', () => {
    const names = ['zremrangebylex', 'zremrangebyrnk', 'zremrang', 'zremrangebyran', 'zremrange'];
    const index = indexOf(names);
    for (const name of names) expect(find(index, name.toUpperCase())).toBe(name);
    expect(find(index, 'zremrangebyrax')).toBeUndefined();
  });

  it('agrees with a map', () => {
    const name = fc.stringMatching(/^[a-z_-]{1,20}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 100 }), fc.array(name), (names, others) => {
        const index = indexOf(names);
        for (const each of [...names, ...others]) {
          expect(find(index, each.toUpperCase())).toBe(names.includes(each) ? each : undefined);
        }
      }),
    );
  });

  it('refuses names that no request can hold', () => {
    expect(() => indexOf([''])).toThrow('impossible command name');
    expect(() => indexOf(['x'.repeat(256)])).toThrow('impossible command name');
  });
});
