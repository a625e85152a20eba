import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CRC64_BYTES, Crc64 } from '../../../src/memory/crc64.js';
import { RandomBytes } from '../../support/random-bytes.js';
import { CrashSite, crashRounds, crashSeed, memoryDirectory, withConnection } from './crash-site.js';
import { LoaderHere, type LoadOutcome, RealLoader, type RealOutcome } from './loaders.js';
import { numberedWrite } from './numbered-writes.js';

/**
 * Files in which a bit has changed. A server must not start on them with less than a reason: it refuses them, or loads
 * what redis-server loads from the same bytes. It never hangs, crashes or takes a value for one of another type.
 */

const FLIPS = crashRounds * 40;
/** Far more than it takes, in ms: many flips take long. */
const TIMEOUT_MS = 60_000 + FLIPS * 100;
const HEADER_BYTES = 9;
/** Starts of the whole program: each takes long. */
const PROGRAM_STARTS = 5;

let site: CrashSite;
let random: RandomBytes;
const loaders: LoaderHere[] = [];

beforeEach(() => {
  site = new CrashSite(memoryDirectory);
  random = new RandomBytes(crashSeed);
});

afterEach(async () => {
  for (const loader of loaders.splice(0)) await loader.stop();
  await site.leave();
});

async function loaderHere(directives: Readonly<Record<string, string>>): Promise<LoaderHere> {
  const loader = await LoaderHere.start(site.directory, directives);
  loaders.push(loader);
  return loader;
}

/** What became of flips. */
interface Tally {
  flips: number;
  loaded: number;
  /** Loaded here, while redis-server crashed on them. */
  crashes: number;
  /** Refused here and not by redis-server: allowed, but good to know. */
  stricter: string[];
}

/** Flips bits of a file, `FLIPS` times one, and has both servers load what comes of it. */
async function flipBits(
  intact: Buffer,
  write: (changed: Buffer) => void,
  directives: Readonly<Record<string, string>>,
  reload: readonly string[],
): Promise<Tally> {
  const args = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value]);
  const real = new RealLoader(site, reload, args);
  write(Buffer.from(intact));
  const here = await loaderHere(directives);
  const tally: Tally = { flips: 0, loaded: 0, crashes: 0, stricter: [] };
  for (; tally.flips < FLIPS; tally.flips++) {
    const at = random.below(intact.length);
    const bit = random.below(8);
    const changed = Buffer.from(intact);
    changed[at] ^= 1 << bit;
    write(changed);
    const ours = await here.load();
    // A loader may have repaired the file.
    write(changed);
    const where = `bit ${bit} of byte ${at} (seed ${crashSeed}, flip ${tally.flips})`;
    if ('reason' in ours) {
      expect(ours.reason, where).not.toBe('');
      // To start redis-server for each would take long: for some it is looked at whether it refuses as well.
      if (tally.flips % 8 !== 0) continue;
      if ('digest' in (await real.load())) tally.stricter.push(`${where}: ${ours.reason}`);
      continue;
    }
    tally.loaded++;
    const theirs = await real.load();
    if ('crash' in theirs) tally.crashes++;
    else expectSame(ours, theirs, where);
  }
  return tally;
}

function expectSame(ours: LoadOutcome, theirs: RealOutcome, where: string): void {
  expect(ours, where).toEqual(theirs);
}

/** What the log of a run shows of those that only we refuse. */
const EXAMPLES_MAX = 2;

function report(what: string, { flips, loaded, crashes, stricter }: Tally): void {
  const examples = stricter
    .slice(0, EXAMPLES_MAX)
    .map((example) => `\n  ${example}`)
    .join('');
  process.stdout.write(
    `${what}: ${flips} flips, ${loaded} loaded as redis-server does (which crashed on ${crashes}); refused only here: ${stricter.length}${examples}\n`,
  );
}

/** Values of every type and encoding. */
async function makeSnapshot(args: readonly string[]): Promise<Buffer> {
  const server = await site.start(args, { kind: 'redis' });
  const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i * i}`);
  await withConnection(server, async (connection) => {
    for (const command of [
      ['MSET', 'int', '-123', 'big', '9223372036854775807', 'short', 'x', 'long', 'abc'.repeat(100)],
      ['RPUSH', 'list', ...words(5), '17', '-70000'],
      ['RPUSH', 'quicklist', ...words(40)],
      ['SADD', 'intset', '1', '-5', '70000', '99999999999'],
      ['SADD', 'words', ...words(5)],
      ['SADD', 'table', ...words(30)],
      ['HSET', 'hash', ...words(10)],
      ['HSET', 'hash-table', ...words(40)],
      ['HSET', 'deadlines', ...words(6)],
      ['HPEXPIREAT', 'deadlines', '4000000000000', 'FIELDS', '2', 'word0', 'word4'],
      ['ZADD', 'zset', '-inf', 'a', '2.5', 'b', '1000', 'c'],
      ['ZADD', 'skiplist', ...words(30).flatMap((word, i) => [`${i / 4}`, word])],
      ['PEXPIREAT', 'short', '4000000000000'],
      ['SELECT', '5'],
      ['SET', 'elsewhere', 'too'],
      ['SAVE'],
    ]) {
      expect(await connection.call(...command)).not.toHaveProperty('error');
    }
  });
  await server.kill();
  return readFileSync(join(site.directory, 'dump.rdb'));
}

/** Gives a file the checksum that it should have, so that the change is met by what reads the values. */
function sealed(file: Buffer): Buffer {
  const checksum = new Crc64();
  checksum.update(file, 0, file.length - CRC64_BYTES);
  checksum.write(file, file.length - CRC64_BYTES);
  return file;
}

describe('in an RDB file', { timeout: TIMEOUT_MS }, () => {
  const SMALL_ENCODINGS = [
    ...[
      '--list-max-listpack-size',
      '16',
      '--set-max-listpack-entries',
      '8',
      '--hash-max-listpack-entries',
      '16',
    ],
    ...['--zset-max-listpack-entries', '8'],
  ];
  const path = () => join(site.directory, 'dump.rdb');
  const reload = ['DEBUG', 'RELOAD', 'NOSAVE'];

  test('the checksum finds them', async () => {
    const intact = await makeSnapshot(SMALL_ENCODINGS);
    const here = await loaderHere({});
    for (let i = 0; i < FLIPS; i++) {
      // Not in the version: the first ones knew no checksum.
      const at = HEADER_BYTES + random.below(intact.length - HEADER_BYTES);
      const changed = Buffer.from(intact);
      changed[at] ^= 1 << random.below(8);
      writeFileSync(path(), changed);
      expect(await here.load(), `byte ${at}`).toEqual({
        reason: expect.stringMatching(/./),
      });
    }
  });

  test('the program ends with exit code 1 and says why', async () => {
    const intact = await makeSnapshot(SMALL_ENCODINGS);
    for (let i = 0; i < PROGRAM_STARTS; i++) {
      const changed = Buffer.from(intact);
      changed[HEADER_BYTES + random.below(intact.length - HEADER_BYTES)] ^= 1 << random.below(8);
      writeFileSync(path(), changed);
      const server = site.launch([], { kind: 'respite' });
      expect(await server.end).toEqual({ code: 1, signal: null });
      expect(server.log).toMatch(
        /Fatal error loading the DB|Terminating server after rdb file reading failure/,
      );
    }
  });

  test.each([
    ['no', 'no'],
    ['no', 'yes'],
    ['yes', 'no'],
    ['yes', 'yes'],
  ])('with a checksum that fits, compression %s, sanitize-dump-payload %s', async (compression, sanitize) => {
    const intact = await makeSnapshot([...SMALL_ENCODINGS, '--rdbcompression', compression]);
    const directives = { 'sanitize-dump-payload': sanitize };
    const write = (changed: Buffer) => writeFileSync(path(), sealed(changed));
    report(
      `RDB, compression ${compression}, sanitize ${sanitize}`,
      await flipBits(intact, write, directives, reload),
    );
  });
});

describe('in an append-only file', { timeout: TIMEOUT_MS }, () => {
  const file = (name: string) => join(site.directory, 'appendonlydir', `appendonly.aof.${name}`);
  const MANIFEST =
    'file appendonly.aof.1.base.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n';
  const reload = ['DEBUG', 'LOADAOF'];
  const directives = { appendonly: 'yes' };

  beforeEach(() => {
    mkdirSync(join(site.directory, 'appendonlydir'));
    writeIntact();
  });

  function writeIntact(): void {
    writeFileSync(file('manifest'), MANIFEST);
    writeFileSync(file('1.base.aof'), commands(0, 40));
    writeFileSync(file('1.incr.aof'), commands(40, 120));
  }

  /** Writes of two connections, as the server would write them. */
  function commands(from: number, to: number): Buffer {
    const words = [['SELECT', '0']];
    for (let n = from; n < to; n++) {
      for (const command of numberedWrite(n % 2, n).commands) {
        if (!command[1]?.includes(':large:')) words.push([...command]);
      }
    }
    return Buffer.from(
      words
        .map((args) => `*${args.length}\r\n${args.map((a) => `$${a.length}\r\n${a}\r\n`).join('')}`)
        .join(''),
    );
  }

  test('as it is, it is loaded', async () => {
    const real = new RealLoader(site, reload, ['--appendonly', 'yes']);
    expectSame(await (await loaderHere(directives)).load(), await real.load(), 'intact');
  });

  test.each(['1.base.aof', '1.incr.aof', 'manifest'])('%s', async (name) => {
    const write = (changed: Buffer) => {
      // All of them: a file that a manifest calls history is removed.
      writeIntact();
      writeFileSync(file(name), changed);
    };
    report(`AOF, ${name}`, await flipBits(readFileSync(file(name)), write, directives, reload));
  });
});
