import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The runner is tried with servers whose score is known: the real one, one that cannot start, and the real one with
// commands taken away. What it prints is what people and CI read, so it is run as a program.

const repositoryRoot = path.resolve(import.meta.dirname, '../..');
let directory: string;
let realServer: string;

beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'respite-runner-'));
  const bin = execFileSync(path.join(repositoryRoot, 'scripts/install-peers'), ['--path', '8.0'], {
    encoding: 'utf8',
  });
  realServer = path.join(bin.trim(), 'redis-server');
});

afterAll(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

function runSuite(...args: string[]) {
  return spawnSync(path.join(repositoryRoot, 'scripts/run-tcl-suite'), args, { encoding: 'utf8' });
}

function writeServerScript(name: string, command: string): string {
  const script = path.join(directory, name);
  fs.writeFileSync(script, `#!/bin/sh\nexec ${command}\n`, { mode: 0o755 });
  return script;
}

describe('scripts/run-tcl-suite', () => {
  it('counts what the real server passes, and writes it as JSON', () => {
    const jsonPath = path.join(directory, 'results.json');
    const run = runSuite('--server', realServer, '--file', 'unit/quit', '--json', jsonPath);
    expect(run.stdout).toMatch(/^unit\/quit +3 +3 +0 +0 +0 /m);
    expect(run.status).toBe(0);
    const results = JSON.parse(fs.readFileSync(jsonPath, 'utf8'));
    expect(results.suite).toMatch(/^Redis 8\.0\./);
    expect(results.total).toMatchObject({ files: 1, passed: 3, failed: 0, notRun: 0, outOf: 3 });
    expect(results.files[0].details.tests).toHaveLength(3);
  });

  it('scores a server that dies at start-up as not run, with what it wrote', () => {
    const server = writeServerScript('dies', 'sh -c "echo no such feature >&2; exit 1"');
    const run = runSuite('--server', server, '--file', 'unit/quit');
    expect(run.stdout).toMatch(/^unit\/quit +0 +3 +0 +3 +0 /m);
    expect(run.stdout).toContain("Can't start the server: it ended before it was initialized");
    expect(run.stdout).toContain('no such feature');
  });

  it('counts an exception in a test as one failure and goes on', () => {
    const server = writeServerScript('without-debug', `${realServer} "$@" --rename-command DEBUG ""`);
    const run = runSuite('--server', server, '--file', 'unit/type/incr');
    expect(run.stdout).toMatch(/^unit\/type\/incr +32 +33 +1 +0 +0 /m);
    expect(run.stdout).toContain('FAILED INCR can modify objects in-place (line ');
    expect(run.stdout).toContain("ERR unknown command 'debug'");
  });

  it('has a test that fails within MULTI fail alone', () => {
    const server = writeServerScript('without-brpop', `${realServer} "$@" --rename-command BRPOP ""`);
    const names = ['Blocking commands ignores the timeout', 'MULTI with SAVE', 'MULTI with config error'];
    const run = runSuite(
      '--server',
      server,
      '--file',
      'unit/multi',
      ...names.flatMap((name) => ['--only', name]),
    );
    expect(run.stdout).toContain('FAILED Blocking commands ignores the timeout');
    expect(run.stdout).toContain('2 passed, 1 failed');
  });

  it('runs a single test by name', () => {
    const name = 'INCR against non existing key';
    const run = runSuite('--server', realServer, '--file', 'unit/type/incr', '--only', name);
    expect(run.stdout).toContain('1 passed, 0 failed');
    expect(run.status).toBe(0);
  });

  it('raises the floor, and fails a file that falls below it', () => {
    const floor = path.join(directory, 'floor.tsv');
    fs.writeFileSync(floor, 'file\tpassed\nunit/auth\t7\nunit/quit\t1\n');
    runSuite('--server', realServer, '--file', 'unit/quit', '--floor', floor, '--raise-floor');
    expect(fs.readFileSync(floor, 'utf8')).toBe('file\tpassed\nunit/auth\t7\nunit/quit\t3\n');

    fs.writeFileSync(floor, 'file\tpassed\nunit/quit\t4\n');
    const run = runSuite('--server', realServer, '--floor', floor);
    expect(run.stdout).toContain('BELOW ITS FLOOR: unit/quit passes 3 tests, 4 before');
    expect(run.status).toBe(1);
  });

  it('refuses a floor for single tests', () => {
    const run = runSuite('--only', 'x', '--floor', 'y');
    expect(run.status).toBe(2);
  });
});
