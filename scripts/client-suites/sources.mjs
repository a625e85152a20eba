import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Where the published sources live, beside the peers and outside the tree. */
const CACHE = path.join(
  process.env.RESPITE_PEERS ?? path.join(os.homedir(), '.cache/respite-peers'),
  'client-suites',
);

/**
 * The directory of a suite, made once. A directory under its final name is complete: it is built under another one and
 * renamed, so a run that was cut short is repeated and two runs at once do not meet.
 * @param {string} name  with the version: another version is another directory
 * @param {(directory: string) => void} build  fills the directory; nothing in it may remember the directory's name
 * @returns {string}
 */
export function preparedDirectory(name, build) {
  const directory = path.join(CACHE, name);
  if (fs.existsSync(directory)) return directory;
  fs.mkdirSync(CACHE, { recursive: true });
  const partial = path.join(CACHE, `${name}.partial-${randomBytes(4).toString('hex')}`);
  fs.mkdirSync(partial);
  process.stderr.write(`run-client-suite: preparing ${name} in ${CACHE}\n`);
  try {
    build(partial);
    if (!fs.existsSync(directory)) fs.renameSync(partial, directory);
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return directory;
}

/**
 * Changes one place of a file in a prepared directory.
 * @param {string} filePath
 * @param {string} from  stands there exactly once
 * @param {string} to
 * @throws when the file is not the one that we know
 */
export function replaceOnce(filePath, from, to) {
  const parts = fs.readFileSync(filePath, 'utf8').split(from);
  if (parts.length !== 2) throw new Error(`${filePath} is not the file we know: ${from}`);
  fs.writeFileSync(filePath, parts.join(to));
}
