import { describe, expect, test } from 'vitest';
import { Manifest, ManifestError } from '../../../../src/persistence/aof/manifest.js';

function parse(text: string): Manifest {
  return Manifest.parse(Buffer.from(text, 'latin1'));
}

function text(manifest: Manifest): string {
  return Buffer.from(manifest.format()).toString('latin1');
}

function errorOf(manifest: string): ManifestError {
  try {
    parse(manifest);
  } catch (error) {
    if (error instanceof ManifestError) return error;
    throw error;
  }
  throw new Error('the manifest was taken');
}

const BASE = 'file appendonly.aof.1.base.rdb seq 1 type b\n';
const INCREMENT = 'file appendonly.aof.1.incr.aof seq 1 type i\n';

describe('reading', () => {
  test('a base, history and increments keep their order and numbers', () => {
    const manifest = parse(
      `${BASE}# a comment\nfile x.3.incr.aof seq 3 type h\n${INCREMENT}` +
        'file b seq 4 type i startoffset 100 endoffset 200\n',
    );
    expect(manifest.base?.name).toBe('appendonly.aof.1.base.rdb');
    expect(manifest.history.map(({ name }) => name)).toEqual(['x.3.incr.aof']);
    expect(manifest.increments.map(({ sequence }) => sequence)).toEqual([1, 4]);
    expect(manifest.increments[1]).toMatchObject({ startOffset: 100, endOffset: 200 });
    expect([manifest.baseSequence, manifest.incrementSequence]).toEqual([1, 4]);
  });

  test('names may be quoted, words may be in any case, and further pairs are skipped', () => {
    const manifest = parse('FILE " a\\n\\xc3\\xa9" Seq 1 TYPE b newkey newvalue\r\n');
    expect(manifest.base?.name).toBe(' a\né');
  });

  test.each([
    ['', 'Found an empty AOF manifest'],
    ['\n', 'Invalid AOF manifest file format'],
    [`${BASE}file a seq 1 type b\n`, 'Found duplicate base file information'],
    ['file b seq 2 type i\nfile a seq 1 type i\n', 'Found a non-monotonic sequence number'],
    ['file b seq 1 type i\nfile a seq 1 type i\n', 'Found a non-monotonic sequence number'],
    ['file a seq 1 type x\n', 'Unknown AOF file type'],
    ['filx a seq 1 type b\n', 'Invalid AOF manifest file format'],
    ['file a seq 0 type b\n', 'Invalid AOF manifest file format'],
    ['file a type i\n', 'Invalid AOF manifest file format'],
    ['file a seq 1 type i newkey\n', 'Invalid AOF manifest file format'],
    ['file "a seq 1 type i\n', 'Invalid AOF manifest file format'],
    ['file a/b seq 1 type i\n', "File can't be a path, just a filename"],
    [`file ${'a'.repeat(1024)} seq 1 type i\n`, 'The AOF manifest file contains too long line'],
    [BASE.trim(), 'The AOF manifest file contains too long line'],
  ])('%j is refused', (manifest, reason) => {
    expect(errorOf(manifest).message).toBe(reason);
  });

  test('an error names its line', () => {
    expect(errorOf(`${BASE} file a seq 1 type x \n`).line).toEqual({
      number: 2,
      text: 'file a seq 1 type x',
    });
    expect(errorOf(BASE.trim()).line).toBeUndefined();
  });

  test('a line of 1024 bytes is not too long', () => {
    const rest = ' seq 1 type i\n';
    const name = 'a'.repeat(1024 - 'file '.length - rest.length);
    expect(parse(`file ${name}${rest}`).increments[0].name).toBe(name);
  });
});

describe('changing', () => {
  test('the life of an append-only file', () => {
    const fresh = Manifest.empty().withNewBase('a', 'rdb').withNewIncrement('a', 0);
    expect(text(fresh)).toBe(
      'file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i startoffset 0\n',
    );
    const rewriting = fresh.withNewIncrement('a', 7).withNewIncrement('a', 8);
    const done = rewriting.withNewBase('a', 'aof').withRewrittenIncrements(true);
    expect(text(done)).toBe(
      'file a.2.base.aof seq 2 type b\n' +
        'file a.1.incr.aof seq 1 type h startoffset 0\n' +
        'file a.2.incr.aof seq 2 type h startoffset 7\n' +
        'file a.1.base.rdb seq 1 type h\n' +
        'file a.3.incr.aof seq 3 type i startoffset 8\n',
    );
    expect(text(done.withoutHistory().withEndOffset(9))).toBe(
      'file a.2.base.aof seq 2 type b\nfile a.3.incr.aof seq 3 type i startoffset 8 endoffset 9\n',
    );
    expect(done.withRewrittenIncrements(false).increments).toEqual([]);
    expect(fresh.increments.length).toBe(1);
  });

  test('a file of before Redis 7 becomes the base', () => {
    const manifest = Manifest.empty().withOldFile('old.aof');
    expect(text(manifest)).toBe('file old.aof seq 1 type b\n');
    expect(text(manifest.withNewBase('old.aof', 'rdb').withoutHistory())).toBe(
      'file old.aof.2.base.rdb seq 2 type b\n',
    );
  });

  test('every name survives', () => {
    for (const name of [' file seq \n\n.aof ', '"', "it's", 'é€', 'plain', '\x01']) {
      const written = Manifest.empty().withNewBase(name, 'rdb').withNewIncrement(name, 5);
      expect(Manifest.parse(written.format())).toEqual(written);
    }
  });
});
