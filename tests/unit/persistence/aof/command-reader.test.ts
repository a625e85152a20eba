import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  BAD_FORMAT,
  COMMAND,
  CommandReader,
  END,
  TRUNCATED,
} from '../../../../src/persistence/aof/command-reader.js';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'respite-reader-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function command(...args: (string | Buffer)[]): Buffer {
  const parts = args.map((arg) => Buffer.from(arg as string, 'latin1'));
  return Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
  ]);
}

interface Reading {
  readonly commands: string[][];
  readonly status: number;
  /** Behind the last whole command. */
  readonly end: number;
}

function read(content: Buffer | string, position = 0): Reading {
  const path = join(directory, 'file');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  try {
    const reader = new CommandReader(fd, Buffer.byteLength(content), position);
    const commands: string[][] = [];
    let end = position;
    for (;;) {
      const status = reader.next();
      if (status !== COMMAND) return { commands, status, end };
      const { arguments: request } = reader;
      commands.push(Array.from({ length: request.count }, (_, i) => request.text(i)));
      end = reader.position;
    }
  } finally {
    closeSync(fd);
  }
}

describe('reading the commands of a file', () => {
  test('whole files', () => {
    expect(read('')).toEqual({ commands: [], status: END, end: 0 });
    const two = Buffer.concat([command('SET', 'a', 'b'), command('DEL', '')]);
    expect(read(two)).toEqual({
      commands: [
        ['SET', 'a', 'b'],
        ['DEL', ''],
      ],
      status: END,
      end: two.length,
    });
    expect(read(Buffer.concat([Buffer.from('RDB…'), two]), Buffer.byteLength('RDB…')).commands.length).toBe(
      2,
    );
  });

  test('annotations are skipped', () => {
    const content = Buffer.concat([
      Buffer.from('#TS:1628217470\r\n'),
      command('SET', 'a', '#'),
      Buffer.from('#TS:1628217471\r\n#TS:1628217472\r\n'),
      command('SET', 'b', '\n#x'),
      Buffer.from('# the end\n'),
    ]);
    expect(read(content)).toMatchObject({
      commands: [
        ['SET', 'a', '#'],
        ['SET', 'b', '\n#x'],
      ],
      status: END,
    });
  });

  test('commands longer than the buffer, and many that lie across its end', () => {
    const long = 'x'.repeat(700_000);
    const commands = [command('SET', 'long', long)];
    for (let i = 0; i < 5000; i++)
      commands.push(command('RPUSH', `list${i}`, 'v'.repeat(i % 300), long.slice(0, i % 7)));
    commands.push(command('MSET', ...Array.from({ length: 60_000 }, (_, i) => `k${i}`)));
    const { commands: found, status } = read(Buffer.concat(commands));
    expect(status).toBe(END);
    expect(found.length).toBe(5002);
    expect(found[0][2].length).toBe(700_000);
    expect(found[2501]).toEqual(['RPUSH', 'list2500', 'v'.repeat(100), 'x']);
    expect(found[5001].length).toBe(60_001);
  });

  test('a file that is cut off at any byte ends behind its last whole command', () => {
    const parts = [
      command('SET', 'a', '1'),
      Buffer.from('#TS:1628217470\r\n'),
      command('INCRBY', 'counter', '17'),
      command('SET', 'b', 'x'.repeat(30)),
    ];
    const content = Buffer.concat(parts);
    const ends = [0, parts[0].length, parts[0].length + parts[1].length + parts[2].length, content.length];
    for (let length = 0; length <= content.length; length++) {
      const { commands, status, end } = read(content.subarray(0, length));
      const whole = ends.filter((at) => at <= length && at > 0).length;
      expect(commands.length).toBe(whole);
      expect(end).toBe(ends[whole]);
      const isBetween = ends.includes(length) || length === ends[1] + parts[1].length;
      expect(status).toBe(isBetween ? END : TRUNCATED);
    }
  });

  test.each([
    '!!!',
    'SET a b\r\n',
    '*0\r\n',
    '*-1\r\n',
    '*x\r\n',
    '*1\r\n!3\r\nSET\r\n',
    '*2\r\n$3\r\nSET\r\n!!!',
    '*1\r\n$-1\r\n',
    '*1\r\n$x\r\nSET\r\n',
    '*1\r\n$3\r\tSET\r\n',
    '*1\r\t$3\r\nSET\r\n',
  ])('%j is no command', (content) => {
    expect(read(content)).toMatchObject({ commands: [], status: BAD_FORMAT });
    const before = command('PING');
    expect(read(Buffer.concat([before, Buffer.from(content)]))).toMatchObject({
      status: BAD_FORMAT,
      end: before.length,
    });
  });

  test('a length that the file cannot have takes no memory', () => {
    expect(read('*1\r\n$1000000000\r\nabc')).toMatchObject({ status: TRUNCATED });
  });
});
