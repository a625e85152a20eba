#!/usr/bin/env node
// Writes redis-compat.md, and the table of supported commands in README.md, from what the server itself says:
// its command table, its directive table, and the recorded results of the official suites.
//
//   scripts/write-compat.mjs          writes both
//   scripts/write-compat.mjs --check  writes nothing; exit code 1 when they are not up to date
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const COMPAT = join(ROOT, 'tests/compat');

const { allCommands } = await import(join(ROOT, 'dist/commands/all.js'));
const { directiveThemes } = await import(join(ROOT, 'dist/config/directives.js'));
const { REDIS_VERSION } = await import(join(ROOT, 'dist/config/redis-version.js'));

/** @typedef {{ group: string, command: string, since: string }} KnownCommand */

/** @param {string} name @returns {string[][]} the rows of a data file, without its heading */
function readTable(name) {
  const path = join(COMPAT, name);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .slice(1)
    .map((line) => line.split('\t'));
}

/** The full names of all commands that the server has. */
function supportedCommands() {
  const names = new Set();
  for (const command of allCommands) {
    names.add(command.name);
    for (const subcommand of command.subcommands ?? []) names.add(`${command.name}|${subcommand.name}`);
  }
  return names;
}

const supported = supportedCommands();
/** @type {KnownCommand[]} */
const known = readTable('redis-commands.tsv').map(([group, command, since]) => ({ group, command, since }));
const groups = [...new Set(known.map(({ group }) => group))];

/** @param {string} name */
function shown(name) {
  return `\`${name.toUpperCase().replace('|', ' ')}\``;
}

/** @param {(command: KnownCommand) => boolean} isWanted */
function commandsByGroup(isWanted) {
  return groups.map((group) => ({
    group,
    all: known.filter((command) => command.group === group),
    wanted: known.filter((command) => command.group === group && isWanted(command)),
  }));
}

function readmeTable() {
  const rows = commandsByGroup(({ command }) => supported.has(command)).map(({ group, all, wanted }) => {
    const names = wanted.filter(({ command }) => !command.includes('|')).map(({ command }) => shown(command));
    return `| ${group} | ${wanted.length} of ${all.length} | ${names.join(' ') || 'none yet'} |`;
  });
  return ['| Group | Commands and subcommands | Supported |', '| --- | --- | --- |', ...rows].join('\n');
}

function commandSections() {
  const have = known.filter(({ command }) => supported.has(command)).length;
  const parts = [
    `${have} of the ${known.length} commands and subcommands of Redis ${REDIS_VERSION} are supported.`,
  ];
  for (const { group, all } of commandsByGroup(() => true)) {
    parts.push(`### ${group}`, '');
    const rows = all.map(({ command, since }) => {
      return `| ${shown(command)} | ${since} | ${supported.has(command) ? 'yes' : '**no**'} |`;
    });
    parts.push(['| Command | Since Redis | Supported |', '| --- | --- | --- |', ...rows].join('\n'), '');
  }
  return parts.join('\n');
}

function directiveSection() {
  const parts = [
    'Every directive of a stock `redis.conf` is accepted, checked, shown by `CONFIG GET` and written by',
    '`CONFIG REWRITE` as in Redis. Those in the second list have no further effect yet.',
    '',
  ];
  /** @type {string[]} */
  const acting = [];
  /** @type {string[]} */
  const accepted = [];
  for (const theme of Object.values(directiveThemes)) {
    for (const [name, directive] of Object.entries(theme)) {
      if (directive.flags?.includes('hidden')) continue;
      (directive.actedOn === true ? acting : accepted).push(`\`${name}\``);
    }
  }
  parts.push(`**Acted on (${acting.length}):** ${acting.sort().join(', ')}`, '');
  parts.push(`**Accepted, without effect yet (${accepted.length}):** ${accepted.sort().join(', ')}`);
  return parts.join('\n');
}

function scoreboardSection() {
  const path = join(COMPAT, 'tcl-scoreboard.json');
  if (!existsSync(path)) return 'Not recorded yet: run `npm run compat`.';
  const { date, server, peer, files } = JSON.parse(readFileSync(path, 'utf8'));
  const rows = files.map(
    (/** @type {any} */ file) =>
      `| ${file.file} | ${file.passed} | ${file.failed} | ${file.notRun} | ${file.outOf} |`,
  );
  const total = (/** @type {string} */ field) =>
    files.reduce((/** @type {number} */ sum, /** @type {any} */ file) => sum + file[field], 0);
  return [
    `The official Tcl suite of ${peer}, run against ${server} on ${date}. "Of" is what the real server passes,`,
    'without the tests that only a C server can (`tests/compat/tcl-c-internals.tsv`).',
    '',
    '| File | Passed | Failed | Not reached | Of |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    `| **total** | **${total('passed')}** | ${total('failed')} | ${total('notRun')} | **${total('outOf')}** |`,
  ].join('\n');
}

function differencesSection() {
  const rows = readTable('differences.tsv').map(([what, reason]) => `| ${what} | ${reason} |`);
  return ['| Difference | Reason |', '| --- | --- |', ...rows].join('\n');
}

const compat = `# Compatibility with Redis ${REDIS_VERSION}

Generated by \`scripts/write-compat.mjs\` from the command table, the directive table and the recorded results of
the official suites. Do not edit by hand.

## Commands

${commandSections()}
## Directives

${directiveSection()}

## Official test suites

${scoreboardSection()}

## Knowing differences

${differencesSection()}
`;

const readmePath = join(ROOT, 'README.md');
const readme = readFileSync(readmePath, 'utf8').replace(
  /(<!-- support:begin -->\n)[\s\S]*(<!-- support:end -->)/,
  (_, begin, end) => `${begin}${readmeTable()}\n${end}`,
);

const outputs = [
  [join(ROOT, 'redis-compat.md'), compat],
  [readmePath, readme],
];
let isStale = false;
for (const [path, text] of outputs) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  isStale = true;
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else process.stderr.write(`${path} is not up to date: run scripts/write-compat.mjs\n`);
}
if (isStale && process.argv.includes('--check')) process.exitCode = 1;
