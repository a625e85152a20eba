/**
 * Our configuration and a real server's, made comparable.
 */
import type { Redis } from 'ioredis';
import type { Configuration } from '../../src/config/configuration.js';
import { ConfigurationError } from '../../src/config/configuration-error.js';
import { loadConfiguration } from '../../src/config/file.js';
import { call, type Refusal } from '../support/real-redis.js';

/** Groups a flat list by twos. */
export function toPairs(list: readonly string[]): [string, string][] {
  return list.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, list[index + 1]]] : [],
  );
}

/** What CONFIG GET of a real server answers. */
export async function getReal(client: Redis, ...patterns: string[]): Promise<Record<string, string>> {
  return Object.fromEntries(toPairs(await call(client, 'config', 'get', ...patterns)));
}

/** What our CONFIG GET answers. */
export function getOurs(configuration: Configuration, ...patterns: string[]): Record<string, string> {
  return Object.fromEntries(configuration.getMatching(patterns));
}

/** What our loader makes of a start in a directory: a configuration, or the text of its error. */
export function load(directory: string, args: readonly string[], stdin = ''): Configuration | Refusal {
  const before = process.cwd();
  process.chdir(directory);
  try {
    return loadConfiguration({ argv: args, stdin });
  } catch (error) {
    if (error instanceof ConfigurationError) return { message: error.message };
    throw error;
  } finally {
    process.chdir(before);
  }
}
