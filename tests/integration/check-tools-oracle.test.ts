import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkAof } from '../../src/persistence/checks/check-aof.js';
import type { CheckTerminal } from '../../src/persistence/checks/check-program.js';
import { checkRdb } from '../../src/persistence/checks/check-rdb.js';
import { RandomBytes } from '../support/random-bytes.js';
import { realRedisDirectory, realRedisSource } from '../support/real-redis.js';

/** respite-check-rdb and respite-check-aof next to redis-check-rdb and redis-check-aof: output, exit code, files. */

type Check = (argv: readonly string[], terminal: CheckTerminal) => number;
const TOOLS = { 'redis-check-rdb': checkRdb, 'redis-check-aof': checkAof } as const;

let directory = '';
const bin = realRedisDirectory();
const assets = join(realRedisSource(), 'tests/assets');

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'respite-checks-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What cannot be equal: lines of C source, the clock, and what lay on C's stack. */
function comparable(output: string, code: number | null): string {
  const text = output
    .replace(/reading offset \d+(, function at rdb\.c:\d+)?/g, 'reading')
    .replace(/^\d+:C .*? # /gm, '')
    .replace(/got: 00\w+/g, 'got: 00');
  return `${text}[${code}]`;
}

function ours(check: Check, program: string, args: readonly string[], answer: string): string {
  let output = '';
  const code = check([program, ...args], {
    print: (text) => {
      output += text;
    },
    readAnswer: () => answer.slice(0, 1),
    warn: (text) => {
      output += `${text}\n`;
    },
  });
  return comparable(output, code);
}

function theirs(program: string, args: readonly string[], answer: string): string {
  const { stdout, status } = spawnSync(program, args, { input: answer, encoding: 'latin1', timeout: 10_000 });
  return comparable(stdout, status);
}

/** Runs both programs on the same files; they must say the same, and leave the same. */
function compare(
  tool: keyof typeof TOOLS,
  files: Readonly<Record<string, Uint8Array>>,
  args: readonly string[],
  answer = '',
): void {
  const program = join(bin, tool);
  const prepare = () => {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
  };
  const left = () => Object.keys(files).map((name) => readFileSync(join(directory, name)).toString('latin1'));
  const paths = args.map((arg) => arg.replace('@', `${directory}/`));
  prepare();
  const our = [ours(TOOLS[tool], program, paths, answer), ...left()];
  prepare();
  expect(our).toEqual([theirs(program, paths, answer), ...left()]);
}

const COMMANDS = Buffer.from(
  [
    '#TS:1000\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n',
    '#TS:2000\r\n*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n',
    '#TS:3000\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n',
  ].join(''),
);
const MANIFEST = Buffer.from(
  'file f.1.base.rdb seq 1 type b\nfile f.1.incr.aof seq 1 type i\nfile f.2.incr.aof seq 2 type i\n',
);
/** The bytes of the preamble in the asset. */
const PREAMBLE_BYTES = 117;

test('RDB files, whole and cut off', () => {
  for (const name of readdirSync(assets).filter((file) => file.endsWith('.rdb'))) {
    const bytes = readFileSync(join(assets, name));
    compare('redis-check-rdb', { 'a.rdb': bytes }, ['@a.rdb']);
    const step = Math.max(1, Math.floor(bytes.length / 12));
    for (let length = 0; length < bytes.length; length += step) {
      compare('redis-check-rdb', { 'a.rdb': bytes.subarray(0, length) }, ['@a.rdb']);
    }
  }
});

test('arguments', () => {
  compare('redis-check-rdb', {}, ['@absent']);
  compare('redis-check-aof', {}, ['@absent']);
  compare('redis-check-aof', {}, []);
  compare('redis-check-aof', {}, ['a', 'b']);
  compare('redis-check-aof', { 'a.aof': COMMANDS }, ['--truncate-to-timestamp', 'x', '@a.aof']);
});

test('files of commands, cut off and changed', () => {
  const preamble = readFileSync(join(assets, 'rdb-preamble.aof'));
  const random = new RandomBytes(3);
  for (const body of [COMMANDS, Buffer.concat([preamble, COMMANDS])]) {
    for (let length = 0; length <= body.length; length += 8) {
      const files = { 'a.aof': body.subarray(0, length) };
      compare('redis-check-aof', files, ['@a.aof']);
      if (length % 3 > 0) continue;
      compare('redis-check-aof', files, ['--fix', '@a.aof'], 'y\n');
      compare('redis-check-aof', files, ['--fix', '@a.aof'], 'n\n');
      compare('redis-check-aof', files, ['--truncate-to-timestamp', '2000', '@a.aof']);
      compare('redis-check-aof', files, ['--truncate-to-timestamp', '10', '@a.aof']);
    }
  }
  for (let i = 0; i < 30; i++) {
    const changed = Buffer.from(COMMANDS);
    changed[random.below(changed.length)] ^= 1 << random.below(8);
    compare('redis-check-aof', { 'a.aof': changed }, ['@a.aof']);
  }
});

test('append-only files of several parts', () => {
  const base = readFileSync(join(assets, 'rdb-preamble.aof')).subarray(0, PREAMBLE_BYTES);
  for (let length = 0; length <= COMMANDS.length; length += 11) {
    const part = COMMANDS.subarray(0, length);
    const last = {
      'f.1.base.rdb': base,
      'f.1.incr.aof': COMMANDS,
      'f.2.incr.aof': part,
      'm.manifest': MANIFEST,
    };
    compare('redis-check-aof', last, ['@m.manifest']);
    compare('redis-check-aof', last, ['--fix', '@m.manifest'], 'y');
    compare('redis-check-aof', last, ['--truncate-to-timestamp', '2000', '@m.manifest']);
    const middle = { ...last, 'f.1.incr.aof': part };
    compare('redis-check-aof', middle, ['@m.manifest']);
    compare('redis-check-aof', middle, ['--fix', '@m.manifest'], 'y');
  }
  for (let length = 0; length < MANIFEST.length; length += 5) {
    const files = {
      'f.1.base.rdb': base,
      'f.1.incr.aof': COMMANDS,
      'f.2.incr.aof': COMMANDS,
      'm.manifest': MANIFEST.subarray(0, length),
    };
    compare('redis-check-aof', files, ['@m.manifest']);
  }
});
