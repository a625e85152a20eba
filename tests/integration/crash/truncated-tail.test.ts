import { cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CrashSite, crashRounds, crashSeed, memoryDirectory } from './crash-site.js';
import { digestOf, LoaderHere } from './loaders.js';

/**
 * The append-only file, cut off at every byte of its last commands, as a crash of the machine may leave it: with
 * `aof-load-truncated yes` the whole commands are there, a transaction being one, and the rest is cut off; with `no` the
 * server refuses to start. redis-server is asked about some of the bytes, or all when there are many rounds.
 */

const ASKED_STEP = crashRounds >= 30 ? 1 : 10;
/** Bytes at which the whole program is started: each start takes long. */
const PROGRAM_STARTS = 3;

const NAME = 'appendonly.aof.1.incr.aof';
const MANIFEST = `file ${NAME} seq 1 type i\n`;
const UNEXPECTED_END =
  `Unexpected end of file reading the append only file ${NAME}. You can: 1) Make a backup of your AOF file, then use ` +
  './redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the ' +
  "'aof-load-truncated' configuration option to yes and restart the server.";

function spell(...command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

const HEAD = [spell('SELECT', '0'), spell('SET', 'string', 'before'), spell('RPUSH', 'list', '1', '2')];
/** What is cut off somewhere: each is there as a whole or not at all. */
const TAIL = [
  spell('SET', 'string', 'first'),
  [spell('MULTI'), spell('SET', 'a', '1'), spell('INCR', 'counter'), spell('EXEC')].join(''),
  '#TS:1700000000\r\n',
  spell('HSET', 'hash', 'field', 'value'),
  spell('SELECT', '3'),
  spell('SADD', 'set', 'x', ''),
  [spell('MULTI'), spell('SET', 'a', '2'), spell('ZADD', 'zset', '2', 'm'), spell('EXEC')].join(''),
  spell('SET', 'string', 'last'),
];
const start = HEAD.join('').length;
const whole = Buffer.from(HEAD.join('') + TAIL.join(''));
/** Behind each part: only there the file ends as it should. */
const ends = TAIL.map((_, i) => start + TAIL.slice(0, i + 1).join('').length);
/** Where the parts are transactions. */
const transactions = TAIL.flatMap((text, i) =>
  text.startsWith(spell('MULTI')) ? [{ from: ends[i] - text.length, to: ends[i] }] : [],
);

let site: CrashSite;
const loaders: LoaderHere[] = [];

beforeEach(() => {
  site = new CrashSite(memoryDirectory);
});

afterEach(async () => {
  for (const loader of loaders.splice(0)) await loader.stop();
  await site.leave();
});

const path = (directory: string) => join(directory, 'appendonlydir', NAME);

function writeFiles(directory: string, content: Buffer): void {
  mkdirSync(join(directory, 'appendonlydir'), { recursive: true });
  writeFileSync(join(directory, 'appendonlydir', 'appendonly.aof.manifest'), MANIFEST);
  writeFileSync(path(directory), content);
}

async function loaderHere(loadsTruncated: string): Promise<LoaderHere> {
  writeFiles(site.directory, whole);
  const directives = { appendonly: 'yes', 'aof-load-truncated': loadsTruncated };
  const loader = await LoaderHere.start(site.directory, directives);
  loaders.push(loader);
  return loader;
}

/** What redis-server makes of a file, in a directory of its own. */
async function askRedis(content: Buffer, loadsTruncated: string): Promise<{ log: string; digest: string }> {
  const directory = `${site.directory}-of-redis`;
  writeFiles(directory, content);
  const args = [
    '--enable-debug-command',
    'yes',
    '--appendonly',
    'yes',
    '--aof-load-truncated',
    loadsTruncated,
  ];
  const server = site.launch(args, { kind: 'redis', directory });
  try {
    await server.prints('Ready to accept connections');
  } catch {
    expect(await server.end).toEqual({ code: 1, signal: null });
    return { log: server.log, digest: '' };
  }
  const digest = await digestOf(server);
  await server.kill();
  return { log: server.log, digest };
}

/** The lengths to which the file is cut. */
const lengths = Array.from({ length: whole.length - start + 1 }, (_, i) => start + i);
/** Behind the last whole command or transaction that ends within a length; a comment goes with what follows it. */
const validEnd = (length: number) =>
  length === ends[2] ? length : [start, ...ends].findLast((end) => end <= length && end !== ends[2]);
/**
 * redis-server is asked about some lengths. Not about those within the comment: it takes half of one for a whole one, and
 * what it appends then is part of the comment. We cut the half off, or refuse it.
 */
const isAsked = (length: number) => {
  const isInComment = length > ends[1] && length < ends[2];
  return !isInComment && (length + crashSeed) % ASKED_STEP === 0;
};

test('what is whole is loaded, and nothing else', async () => {
  const digests = new Set<string>();
  const here = await loaderHere('yes');
  let asked = 0;
  for (const length of lengths) {
    const content = whole.subarray(0, length);
    writeFiles(site.directory, content);
    const outcome = await here.load();
    if ('reason' in outcome) throw new Error(`cut to ${length} bytes: ${outcome.reason}`);
    const size = statSync(path(site.directory)).size;
    expect(size, `cut to ${length} bytes`).toBe(validEnd(length));
    digests.add(outcome.digest);
    if (!isAsked(length)) continue;
    asked++;
    const real = await askRedis(content, 'yes');
    expect(outcome.digest, `cut to ${length} bytes`).toBe(real.digest);
    const realSize = statSync(path(`${site.directory}-of-redis`)).size;
    // redis-server leaves a MULTI in the file when it ends within a command of the transaction, and what is appended
    // then belongs to it. We cut off all of it.
    const isInTransaction = transactions.some(({ from, to }) => length > from && length < to);
    if (!isInTransaction) expect(size).toBe(realSize);
  }
  // One for each state, the comment and SELECT making none.
  expect(digests.size).toBe(TAIL.length - 1);
  process.stdout.write(`${lengths.length} truncations loaded, ${asked} of them by redis-server as well\n`);
});

test('without aof-load-truncated it is refused', async () => {
  const here = await loaderHere('no');
  for (const length of lengths) {
    const content = whole.subarray(0, length);
    writeFiles(site.directory, content);
    const isWhole = length === start || ends.includes(length);
    const outcome = await here.load();
    if (isWhole) expect(outcome, `cut to ${length} bytes`).toHaveProperty('digest');
    else expect(outcome, `cut to ${length} bytes`).toEqual({ reason: UNEXPECTED_END });
    expect(statSync(path(site.directory)).size).toBe(length);
    if (!isAsked(length)) continue;
    const real = await askRedis(content, 'no');
    expect(real.log.includes(UNEXPECTED_END), `cut to ${length} bytes`).toBe(!isWhole);
  }
});

describe('the program', () => {
  const lines = (log: string) =>
    [...log.matchAll(/ # (.*)/g)].map((match) => match[1]).filter((line) => /AOF|append|MULTI/i.test(line));

  test.each(['yes', 'no'])('says what redis-server says, aof-load-truncated %s', async (loadsTruncated) => {
    for (let i = 0; i < PROGRAM_STARTS; i++) {
      // In a plain command, or at the end of a command in a transaction: elsewhere redis-server cuts too little off.
      const { from } = transactions[1];
      const length = [ends[3] - 1 - (crashSeed % 9), from + spell('MULTI').length, whole.length - 5][i];
      const content = whole.subarray(0, length);
      const real = await askRedis(content, loadsTruncated);
      writeFiles(site.directory, content);
      const args = ['--appendonly', 'yes', '--aof-load-truncated', loadsTruncated];
      const server = site.launch(args, { kind: 'respite' });
      if (loadsTruncated === 'yes') {
        await server.prints('Ready to accept connections');
        await server.kill();
      } else {
        expect(await server.end).toEqual({ code: 1, signal: null });
      }
      expect(lines(server.log)).toEqual(lines(real.log));
    }
  });
});

test('a file that is not the last one must be whole', async () => {
  const manifest = join(site.directory, 'appendonlydir', 'appendonly.aof.manifest');
  const here = await loaderHere('yes');
  cpSync(path(site.directory), path(site.directory).replace('.1.', '.2.'));
  writeFileSync(manifest, `${MANIFEST}file ${NAME.replace('.1.', '.2.')} seq 2 type i\n`);
  expect(await here.load()).toHaveProperty('digest');
  for (const length of lengths.filter((end) => end !== start && !ends.includes(end))) {
    writeFileSync(path(site.directory), whole.subarray(0, length));
    expect(await here.load()).toEqual({ reason: 'Fatal error: the truncated file is not the last file' });
  }
});
