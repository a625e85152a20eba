#!/usr/bin/env node
// Writes redis-compat.md, and the table of supported commands in README.md, from what the server itself says:
// its command table, its directive table, and the recorded results of the official suites.
//
//   scripts/write-compat.mjs          writes both
//   scripts/write-compat.mjs --check  writes nothing; exit code 1 when they are not up to date
//   scripts/write-compat.mjs --record run.json   first keeps the results of a run of scripts/run-tcl-suite
//   scripts/write-compat.mjs --record-clients run.json…   first keeps the results of runs of scripts/run-client-suite
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientScoreboardSection, recordClientRuns } from './client-suites/scoreboard.mjs';
import { causeOfError } from './failure-causes.mjs';
import { harnessPattern } from './tcl-suite/compat-data.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const COMPAT = join(ROOT, 'tests/compat');

const { allCommands } = await import(join(ROOT, 'dist/commands/all.js'));
const { refuseWithoutCluster } = await import(join(ROOT, 'dist/commands/cluster.js'));
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

/** The full names of all commands that the server has, and does not only refuse. */
function supportedCommands() {
  const names = new Set();
  for (const command of allCommands) {
    if (command.handler === refuseWithoutCluster || command.name === 'cluster') continue;
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

/**
 * Causes that the error does not tell: tests/compat/tcl-causes.tsv, by file and name of the test ("*" is special).
 * @type {{ file: string, name: RegExp, cause: string }[]}
 */
const KNOWN_CAUSES = readTable('tcl-causes.tsv').map(([file, test, cause]) => ({
  file,
  name: new RegExp(harnessPattern(test).slice(1)),
  cause,
}));

/** @param {string} file @param {string} test @param {string} error */
function causeOf(file, test, error) {
  const known = KNOWN_CAUSES.find((entry) => entry.file === file && entry.name.test(test));
  return known === undefined ? causeOfError(error) : known.cause;
}

/** Keeps what the documents need of a run of scripts/run-tcl-suite. @param {string} path of its JSON */
function recordScoreboard(path) {
  const run = JSON.parse(readFileSync(path, 'utf8'));
  const heading = `# ${run.suite}, against Respite, on ${run.startedAt.slice(0, 10)}, Node ${process.versions.node}\n`;
  const files = run.files.map((/** @type {any} */ file) =>
    [file.file, file.passed, file.failed, file.notRun, file.outOf].join('\t'),
  );
  writeFileSync(
    join(COMPAT, 'tcl-scoreboard.tsv'),
    `${heading}file\tpassed\tfailed\tnot reached\tof\n${files.join('\n')}\n`,
  );
  const failures = run.files.flatMap((/** @type {any} */ file) =>
    file.details.tests
      .filter((/** @type {any} */ test) => test.status === 'failed')
      .map((/** @type {any} */ test) => {
        const error = String(test.error ?? '')
          .split('\n')[0]
          .replaceAll('\t', ' ')
          .replace(/[^\x20-\x7e]/g, '?');
        const name = test.name.replace(/[^\x20-\x7e]/g, '?');
        return [file.file, name, causeOf(file.file, test.name, error), error.slice(0, 120)].join('\t');
      }),
  );
  writeFileSync(
    join(COMPAT, 'tcl-failures.tsv'),
    `${heading}file\ttest\tcause\terror\n${failures.join('\n')}\n`,
  );
}

function scoreboardSection() {
  const path = join(COMPAT, 'tcl-scoreboard.tsv');
  if (!existsSync(path)) return 'Not recorded yet: run `npm run compat`.';
  const about = readFileSync(path, 'utf8').split('\n')[0].slice(2);
  const rows = readTable('tcl-scoreboard.tsv');
  const total = (/** @type {number} */ column) => rows.reduce((sum, row) => sum + Number(row[column]), 0);
  /** @type {Map<string, number>} */
  const causes = new Map();
  for (const [, , cause] of readTable('tcl-failures.tsv')) causes.set(cause, (causes.get(cause) ?? 0) + 1);
  const sorted = [...causes].sort(([, a], [, b]) => b - a);
  return [
    `The official Tcl suite of ${about}. "Of" is what the real server passes, without the tests that only a C server`,
    'can pass (`tests/compat/tcl-c-internals.tsv`). Files that only concern what is not built yet are left out.',
    '',
    '| File | Passed | Failed | Not reached | Of |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    `| **total** | **${total(1)}** | ${total(2)} | ${total(3)} | **${total(4)}** |`,
    '',
    'Every failed test is in `tests/compat/tcl-failures.tsv` with its cause:',
    '',
    '| Failed tests | Cause |',
    '| --- | --- |',
    ...sorted.map(([cause, count]) => `| ${count} | ${cause} |`),
  ].join('\n');
}

function differencesSection() {
  const rows = readTable('differences.tsv').map(([what, reason]) => `| ${what} | ${reason} |`);
  return ['| Difference | Reason |', '| --- | --- |', ...rows].join('\n');
}

const record = process.argv.indexOf('--record');
if (record > 0) recordScoreboard(process.argv[record + 1]);
const recordClients = process.argv.indexOf('--record-clients');
if (recordClients > 0) recordClientRuns(process.argv.slice(recordClients + 1));

const compat = `# Compatibility with Redis ${REDIS_VERSION}

Generated by \`scripts/write-compat.mjs\` from the command table, the directive table and the recorded results of
the official suites. Do not edit by hand.

## Commands

${commandSections()}
## Directives

${directiveSection()}

## Official test suites

${scoreboardSection()}

## Test suites of clients

${clientScoreboardSection()}

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
