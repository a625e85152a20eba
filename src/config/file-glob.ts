import { existsSync, readdirSync } from 'node:fs';
import { join, parse, resolve, sep } from 'node:path';
import { matchGlob } from '../structures/glob.js';

const WILDCARDS = /[*?[]/;

/** Whether a path has wildcards, so that it may stand for any number of files. */
export function hasWildcards(path: string): boolean {
  return WILDCARDS.test(path);
}

/**
 * The files that a path with wildcards stands for, in order of their names; none is no error. A wildcard does not match
 * `/`, nor the dot that a name starts with (as in the shell, and C's `glob`).
 *
 * @param directory what a relative path is relative to
 */
export function findFiles(pattern: string, directory: string): string[] {
  const absolute = resolve(directory, pattern);
  const { root } = parse(absolute);
  let paths = [root];
  for (const part of absolute.slice(root.length).split(sep)) {
    paths = hasWildcards(part)
      ? paths.flatMap((path) => matchingNames(path, part).map((name) => join(path, name)))
      : paths.map((path) => join(path, part));
  }
  return paths.filter((path) => existsSync(path));
}

function matchingNames(directory: string, pattern: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  const glob = Buffer.from(pattern.replaceAll('[!', '[^'));
  return names
    .filter((name) => name.startsWith('.') === pattern.startsWith('.') && isMatch(glob, Buffer.from(name)))
    .sort((a, b) => (a < b ? -1 : 1));
}

function isMatch(glob: Uint8Array, name: Uint8Array): boolean {
  return matchGlob(glob, 0, glob.length, name, 0, name.length, false);
}
