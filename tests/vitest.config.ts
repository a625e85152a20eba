import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const ROOT = resolve(import.meta.dirname, '..');

/** Whether scripts/install-peers has installed the servers that Respite is compared with. */
function hasPeers(): boolean {
  try {
    const folder = execFileSync(join(ROOT, 'scripts/install-peers'), ['--path', '8.0'], { encoding: 'utf8' });
    return existsSync(join(folder.trim(), 'redis-server'));
  } catch {
    return false;
  }
}

/** Whether a file, or one of the tests' own files that it imports, starts a server of install-peers. */
function needsPeers(path: string, seen = new Set<string>()): boolean {
  if (seen.has(path) || !existsSync(path)) return false;
  seen.add(path);
  const text = readFileSync(path, 'utf8');
  if (text.includes('install-peers') || text.includes('run-tcl-suite')) return true;
  const imports = [...text.matchAll(/from '(\.[^']+)\.js'/g)].map(
    (match) => `${resolve(dirname(path), match[1])}.ts`,
  );
  return imports.some((target) => !target.startsWith(join(ROOT, 'src')) && needsPeers(target, seen));
}

/**
 * The test files that cannot run on this machine. `npm test` must pass where there is nothing but Node, so the
 * comparisons with real servers are left out there, and that is said.
 */
function filesWithoutPeers(): string[] {
  if (hasPeers()) return [];
  const files = readdirSync(join(ROOT, 'tests'), {
    recursive: true,
    encoding: 'utf8',
  })
    .filter((name) => name.endsWith('.test.ts') && needsPeers(join(ROOT, 'tests', name)))
    .map((name) => join('tests', name));
  process.stderr.write(
    `NOT RUN: ${files.length} test files that compare with a real redis-server; scripts/install-peers installs it:\n` +
      files.map((file) => `  ${file}\n`).join(''),
  );
  return files;
}

export default defineConfig({
  root: ROOT,
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: filesWithoutPeers(),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes when it comes, also on a machine that does much else.
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
  },
});
