import { beforeEach, describe, expect, test } from 'vitest';
import { allCommands } from '../../../src/commands/all.js';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { Arguments } from '../../../src/protocol/arguments.js';
import { CommandTable } from '../../../src/server/command-table.js';
import { DEL, propagatedWord } from '../../../src/server/propagated-words.js';
import {
  PROPAGATE_AOF,
  PROPAGATE_REPLICAS,
  Propagation,
  type PropagationSink,
} from '../../../src/server/propagation.js';

/** Notes the units that it gets, as text: a command a word list, without the framing. */
class NotingSink implements PropagationSink {
  readonly units: string[] = [];

  constructor(readonly target = PROPAGATE_AOF) {}

  write(bytes: Uint8Array, length: number): void {
    const text = Buffer.from(bytes.subarray(0, length)).toString('latin1');
    const commands = text.split(/\*\d+\r\n/).slice(1);
    this.units.push(
      commands
        .map((command) =>
          command
            .split('\r\n')
            .filter((_, i) => i % 2 === 1)
            .join(' '),
        )
        .join('; '),
    );
  }
}

const table = new CommandTable(allCommands);

function commandNamed(name: string) {
  const bytes = Buffer.from(name);
  const command = table.find(bytes, 0, bytes.length);
  if (command === undefined) throw new Error(`no command ${name}`);
  return command;
}

function request(...words: readonly string[]): Arguments {
  const made = new Arguments();
  made.assign(words.map((word) => Buffer.from(word)));
  return made;
}

describe('Propagation', () => {
  let keyspace: Keyspace;
  let settings: { 'lazyfree-lazy-expire': boolean; 'lazyfree-lazy-eviction': boolean };
  let propagation: Propagation;
  let sink: NotingSink;

  beforeEach(() => {
    keyspace = new Keyspace({ databases: 16, nowMs: 1000 });
    settings = { 'lazyfree-lazy-expire': false, 'lazyfree-lazy-eviction': false };
    propagation = new Propagation(keyspace, settings);
    sink = new NotingSink();
  });

  function run(words: readonly string[], database = 0, hasChanged = true): void {
    const command = commandNamed(words[0]);
    propagation.commandRan(keyspace.databases[database], command, request(...words), hasChanged);
  }

  test('is active while a sink is attached and it is not suspended', () => {
    expect(propagation.isActive).toBe(false);
    propagation.addSink(sink);
    expect(propagation.isActive).toBe(true);
    expect(keyspace.deletionListener).toBe(propagation);
    propagation.suspend();
    expect(propagation.isActive).toBe(false);
    propagation.resume();
    expect(propagation.isActive).toBe(true);
    propagation.removeSink(sink);
    expect(propagation.isActive).toBe(false);
    expect(keyspace.deletionListener).toBeUndefined();
  });

  test('writes the bytes of RESP, with SELECT before the first command', () => {
    let written = '';
    propagation.addSink({
      target: PROPAGATE_AOF,
      write: (bytes, length) => {
        written += Buffer.from(bytes.subarray(0, length)).toString('latin1');
      },
    });
    run(['SET', 'key', '\r\n']);
    run(['set', 'key', '']);
    expect(written).toBe(
      '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$2\r\n\r\n\r\n' +
        '*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$0\r\n\r\n',
    );
  });

  test('a command that changed nothing is not propagated, unless it is forced', () => {
    propagation.addSink(sink);
    run(['SET', 'a', '1'], 0, false);
    propagation.force(PROPAGATE_AOF);
    run(['FLUSHALL'], 0, false);
    run(['FLUSHALL'], 0, false);
    expect(sink.units).toEqual(['SELECT 0; FLUSHALL']);
  });

  test('SELECT comes when the database changes, and when a sink forgets it; each sink has its own', () => {
    propagation.addSink(sink);
    run(['SET', 'a', '1'], 3);
    run(['SET', 'b', '1'], 3);
    const late = new NotingSink(PROPAGATE_REPLICAS);
    propagation.addSink(late);
    run(['SET', 'c', '1'], 3);
    run(['SET', 'd', '1'], 12);
    propagation.forgetDatabase(sink);
    run(['SET', 'e', '1'], 12);
    expect(sink.units).toEqual([
      'SELECT 3; SET a 1',
      'SET b 1',
      'SET c 1',
      'SELECT 12; SET d 1',
      'SELECT 12; SET e 1',
    ]);
    expect(late.units).toEqual(['SELECT 3; SET c 1', 'SELECT 12; SET d 1', 'SET e 1']);
  });

  test('a handler replaces its command, or prevents it; the next one is not concerned', () => {
    propagation.addSink(sink);
    propagation.replace(keyspace.databases[0], 3).word(DEL).bytes(Buffer.from('key'), 0, 3).integer(-12);
    run(['GETDEL', 'key']);
    propagation.prevent();
    run(['SET', 'a', '1']);
    run(['SET', 'b', '1']);
    expect(sink.units).toEqual(['SELECT 0; DEL key -12', 'SET b 1']);
  });

  test('integers beyond those that are exact are spelled out', () => {
    propagation.addSink(sink);
    const word = propagatedWord('PEXPIREAT');
    propagation
      .begin(keyspace.databases[0], 2)
      .word(word)
      .integer(2 ** 63 - 1024);
    propagation.commit();
    expect(sink.units).toEqual(['SELECT 0; PEXPIREAT 9223372036854774784']);
  });

  test('several commands of a unit are a transaction, with SELECT inside', () => {
    propagation.addSink(sink);
    propagation.beginUnit();
    run(['SET', 'a', '1']);
    run(['SET', 'b', '1'], 1);
    run(['GET', 'b'], 1, false);
    propagation.endUnit();
    propagation.prevent();
    run(['EXEC'], 1);
    propagation.beginUnit();
    run(['SET', 'c', '1'], 1);
    propagation.endUnit();
    run(['EXEC'], 1, false);
    expect(sink.units).toEqual(['MULTI; SELECT 0; SET a 1; SELECT 1; SET b 1; EXEC', 'SET c 1']);
  });

  test('more commands in a unit than there is room for at first, and long ones', () => {
    propagation.addSink(sink);
    const long = 'x'.repeat(30_000);
    propagation.beginUnit();
    for (let i = 0; i < 300; i++) run(['SET', `${i}`, long]);
    propagation.endUnit();
    propagation.prevent();
    run(['EXEC']);
    const sets = Array.from({ length: 300 }, (_, i) => `SET ${i} ${long}; `);
    expect(sink.units).toEqual([`MULTI; SELECT 0; ${sets.join('')}EXEC`]);
  });

  test('keys that a command finds expired come before it, in its unit', () => {
    propagation.addSink(sink);
    propagation.keyExpired(keyspace.databases[0], Buffer.from('old'));
    settings['lazyfree-lazy-expire'] = true;
    propagation.keyExpired(keyspace.databases[0], Buffer.from('older'));
    propagation.fieldExpired(keyspace.databases[0], Buffer.from('hash'), Buffer.from('-field-'), 1, 5);
    run(['SET', 'a', '1']);
    propagation.keyExpired(keyspace.databases[0], Buffer.from('old'));
    run(['GET', 'old'], 0, false);
    expect(sink.units).toEqual([
      'MULTI; SELECT 0; DEL old; UNLINK older; HDEL hash field; SET a 1; EXEC',
      'UNLINK old',
    ]);
  });

  test('what expires by itself, and what SCAN and RANDOMKEY find expired, is no transaction', () => {
    propagation.addSink(sink);
    propagation.keyExpired(keyspace.databases[0], Buffer.from('a'));
    propagation.keyExpired(keyspace.databases[1], Buffer.from('b'));
    propagation.flushSingly();
    propagation.keyExpired(keyspace.databases[1], Buffer.from('c'));
    propagation.keyExpired(keyspace.databases[1], Buffer.from('d'));
    run(['SCAN', '0'], 1, false);
    expect(sink.units).toEqual(['SELECT 0; DEL a; SELECT 1; DEL b', 'DEL c; DEL d']);
  });

  test('an evicted key is a unit of its own, unless it goes within an EXEC', () => {
    propagation.addSink(sink);
    propagation.keyEvicted(keyspace.databases[0], Buffer.from('a'));
    settings['lazyfree-lazy-eviction'] = true;
    propagation.keyEvicted(keyspace.databases[0], Buffer.from('b'));
    run(['SET', 'c', '1']);
    propagation.beginUnit();
    propagation.keyEvicted(keyspace.databases[0], Buffer.from('d'));
    run(['SET', 'e', '1']);
    propagation.endUnit();
    run(['EXEC'], 0, false);
    expect(sink.units).toEqual(['SELECT 0; DEL a', 'UNLINK b', 'SET c 1', 'MULTI; UNLINK d; SET e 1; EXEC']);
  });

  test('a sink gets what is for its target only', () => {
    const replicas = new NotingSink(PROPAGATE_REPLICAS);
    propagation.addSink(sink);
    propagation.force(PROPAGATE_REPLICAS);
    run(['PUBLISH', 'channel', 'nobody hears'], 0, false);
    propagation.addSink(replicas);
    propagation.force(PROPAGATE_REPLICAS);
    run(['PUBLISH', 'channel', 'message'], 0, false);
    run(['SET', 'a', '1']);
    expect(sink.units).toEqual(['SELECT 0; SET a 1']);
    expect(replicas.units).toEqual(['SELECT 0; PUBLISH channel message', 'SET a 1']);
  });

  test('a command that a handler did not finish is dropped when it fails, and a bug when it does not', () => {
    propagation.addSink(sink);
    propagation.begin(keyspace.databases[0], 3).word(DEL);
    propagation.commandFailed();
    run(['SET', 'a', '1']);
    expect(sink.units).toEqual(['SELECT 0; SET a 1']);
    propagation.begin(keyspace.databases[0], 3).word(DEL);
    expect(() => run(['SET', 'a', '1'])).toThrow('without its end');
    propagation.commandFailed();
    propagation.begin(keyspace.databases[0], 1).word(DEL);
    expect(() => propagation.word(DEL)).toThrow('more arguments');
    propagation.commit();
    propagation.keyExpired(keyspace.databases[0], Buffer.from('old'));
    propagation.replace(keyspace.databases[0], 1).word(DEL);
    propagation.replace(keyspace.databases[0], 3).word(DEL);
    propagation.commandFailed();
    run(['SPOP', 'set', '5'], 0, false);
    expect(sink.units.at(-1)).toBe('DEL old');
  });

  test('what was said while nobody listened is forgotten', () => {
    propagation.prevent();
    propagation.force(PROPAGATE_AOF);
    propagation.addSink(sink);
    run(['GET', 'a'], 0, false);
    run(['SET', 'a', '1']);
    propagation.prevent();
    propagation.removeSink(sink);
    propagation.addSink(sink);
    run(['SET', 'b', '1']);
    expect(sink.units).toEqual(['SELECT 0; SET a 1', 'SELECT 0; SET b 1']);
  });
});
