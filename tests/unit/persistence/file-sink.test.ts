import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileSink } from '../../../src/persistence/file-sink.js';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'respite-sink-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const temporary = () => join(directory, 'temp.rdb');
const path = () => join(directory, 'dump.rdb');

/** Bytes that say where they are. */
function piece(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255);
}

test.each([true, false])(
  'what is written comes in order, and the patch over it (syncs: %s)',
  async (syncs) => {
    const sink = new FileSink(temporary(), syncs);
    const pieces = Array.from({ length: 300 }, (_, i) => piece((i * 997) % 70_000, i));
    for (const [i, bytes] of pieces.entries()) {
      sink.write(bytes, bytes.length);
      if (i % 40 === 0) await new Promise((resolve) => sink.onRoom(() => setImmediate(resolve)));
    }
    await sink.finish(path(), { position: 5, bytes: Buffer.from('patch') });
    const expected = Buffer.concat(pieces);
    expected.set(Buffer.from('patch'), 5);
    expect(readFileSync(path()).equals(expected)).toBe(true);
    expect(readdirSync(directory)).toEqual(['dump.rdb']);
  },
);

test('far too much at once is written at once, and still in order', async () => {
  const sink = new FileSink(temporary(), true);
  const bytes = piece(65_536, 1);
  const count = 1200; // 75 MB
  // The file must be open before it can be written at once.
  sink.write(bytes, bytes.length);
  while (sink.queuedBytes > 0) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < count; i++) {
    bytes[0] = i & 255;
    sink.write(bytes, bytes.length);
  }
  expect(sink.queuedBytes).toBeLessThan(70_000_000);
  await sink.finish(path(), undefined);
  const written = readFileSync(path());
  expect(written.length).toBe((count + 1) * bytes.length);
  for (let i = 0; i < count; i++) expect(written[(i + 1) * bytes.length]).toBe(i & 255);
});

test('one that is given up leaves the file that there was, and the next may have its name', async () => {
  writeFileSync(path(), 'before');
  const sink = new FileSink(temporary(), false);
  sink.write(piece(200_000, 3), 200_000);
  sink.cancel(false);
  const ended = sink.finish(path(), undefined).catch((error: Error) => error.message);
  const next = new FileSink(temporary(), false);
  next.write(Buffer.from('after'), 5);
  await next.finish(path(), undefined);
  expect(await ended).toBe('the file has been given up');
  expect(readFileSync(path(), 'latin1')).toBe('after');
  expect(existsSync(temporary())).toBe(false);
});

test('what goes wrong is told at the end', async () => {
  const sink = new FileSink(join(directory, 'absent', 'temp.rdb'), false);
  sink.write(Buffer.from('abc'), 3);
  await expect(sink.finish(path(), undefined)).rejects.toThrow('ENOENT');
  expect(readdirSync(directory)).toEqual([]);
});
