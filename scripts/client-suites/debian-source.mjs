import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runProgram } from './programs.mjs';

/** The Debian release whose source packages are taken, whatever this machine runs. */
const SUITE = 'trixie';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks a Debian source package with Debian's patches into directory/source.
 * @param {string} name
 * @param {string} upstreamVersion  what the package's version must begin with
 * @param {string} directory
 * @throws when apt or dpkg-dev is missing, or the package or this version of it
 */
export function fetchDebianSource(name, upstreamVersion, directory) {
  const settings = prepareApt(SUITE, directory);
  runProgram('apt-get', [...settings, '-qq', 'source', '--download-only', '--only-source', name], {
    directory,
  });
  const description = fs.readdirSync(directory).find((file) => file.endsWith('.dsc'));
  if (description?.startsWith(`${name}_${upstreamVersion}`) !== true) {
    throw new Error(`Debian ${SUITE} has ${description}, not ${name} ${upstreamVersion}`);
  }
  // apt has checked the files against the signed lists; the uploader's key is not on every machine.
  runProgram('dpkg-source', ['--no-check', '-x', description, 'source'], { directory });
  removeApt(directory);
}

/**
 * Unpacks upstream's tarball of a Debian source package into directory/source, for a package of which a mirror may lack
 * the other parts (apt checks each file that it fetches by itself).
 * @param {string} name
 * @param {string} upstreamVersion  what the package's version must begin with
 * @param {string} suite  the Debian release
 * @param {string} directory
 * @throws when apt is missing, or the tarball
 */
export function fetchDebianTarball(name, upstreamVersion, suite, directory) {
  const settings = prepareApt(suite, directory);
  const download = ['source', '--download-only', '--only-source', '--tar-only', name];
  const { stderr } = spawnSync('apt-get', [...settings, '-qq', ...download], {
    cwd: directory,
    encoding: 'utf8',
  });
  const pattern = /\.orig\.tar\.[a-z0-9]+$/;
  const tarball = fs.readdirSync(directory).find((file) => pattern.test(file));
  if (tarball?.startsWith(`${name}_${upstreamVersion}`) !== true) {
    throw new Error(`Debian ${suite} has ${tarball}, not ${name} ${upstreamVersion}:\n${stderr}`);
  }
  fs.mkdirSync(path.join(directory, 'source'));
  runProgram('tar', ['-xf', tarball, '--strip-components=1', '-C', 'source'], { directory });
  removeApt(directory);
}

/**
 * The settings of an apt for source packages. The mirrors are those that this machine's own apt configuration names; it
 * is read and not changed: lists and cache are private to the directory.
 * @param {string} suite
 * @param {string} directory
 */
function prepareApt(suite, directory) {
  const apt = path.join(directory, 'apt');
  fs.mkdirSync(path.join(apt, 'lists/partial'), { recursive: true });
  fs.mkdirSync(path.join(apt, 'cache/archives/partial'), { recursive: true });
  const signedBy = fs.existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const lines = aptMirrors(directory).map((mirror) => `deb-src ${signedBy}${mirror} ${suite} main\n`);
  fs.writeFileSync(path.join(apt, 'sources.list'), lines.join(''));
  const settings = Object.entries({
    'Dir::Etc::SourceList': path.join(apt, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': path.join(apt, 'lists'),
    'Dir::Cache': path.join(apt, 'cache'),
    'APT::Sandbox::User': os.userInfo().username,
  }).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  // A mirror that lacks the suite is no failure: the package is what counts.
  spawnSync('apt-get', [...settings, '-qq', 'update'], { cwd: directory });
  return settings;
}

/** @param {string} directory */
function removeApt(directory) {
  fs.rmSync(path.join(directory, 'apt'), { recursive: true });
}

/** @param {string} directory */
function aptMirrors(directory) {
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(fs.readFileSync('/etc/os-release', 'utf8'))?.[1];
  const format = ['--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'];
  const targets = runProgram('apt-get', ['indextargets', ...format], { directory });
  const mirrors = targets
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, release, component]) => release === codename && component === 'main')
    .map(([mirror = '']) => mirror);
  if (mirrors.length === 0) throw new Error(`apt has no source for ${codename} to take the mirror from`);
  return [...new Set(mirrors)];
}
