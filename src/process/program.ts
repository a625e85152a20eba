import { readFileSync } from 'node:fs';
import { allCommands } from '../commands/all.js';
import type { Configuration } from '../config/configuration.js';
import { ConfigurationError } from '../config/configuration-error.js';
import { loadConfiguration } from '../config/file.js';
import { expandProcessTitle } from '../config/process-title.js';
import { NetTransport } from '../network/net-transport.js';
import { createLog, type Log, type LogFormat, pinoLevel } from '../observability/log.js';
import { AppendOnlyFileError } from '../persistence/aof/directory.js';
import { CommandTable } from '../server/command-table.js';
import { ListenError, Listeners } from '../server/listeners.js';
import { Server } from '../server/server.js';
import { raiseInliningLimits } from './compiler-limits.js';
import { startDaemon, takeDaemonMark } from './daemon.js';
import { followOomScore } from './oom-score.js';
import { takeOwnOptions } from './own-options.js';
import { pidFilePath, removePidFile, writePidFile } from './pid-file.js';
import { Shutdown } from './shutdown.js';
import { handleSignals } from './signals.js';
import { logMode, logReady, logStarting } from './start-log.js';
import { findSupervisor, reportReady, type Supervisor } from './supervisor.js';
import { lowerThreadPriorities } from './thread-priorities.js';
import { UserDeclarations } from './user-declarations.js';

/**
 * The program: from the command line to a server that clients can talk to. Its end is the business of `Shutdown`.
 * @param commandLine the arguments after the program's name
 */
export async function runProgram(commandLine: readonly string[]): Promise<void> {
  raiseInliningLimits();
  lowerThreadPriorities();
  const isDaemon = takeDaemonMark();
  const { argv, logFormat } = await takeOwnOptions(commandLine);
  const stdin = argv[0] === '-' || argv.at(-1) === '-' ? readFileSync(0, 'latin1') : '';
  const commands = new CommandTable(allCommands);
  const configuration = load(argv, stdin, commands, logFormat);
  const { values } = configuration;

  // The role of a process in log lines: C until it is a server.
  let role = 'C';
  const logFile = values.logfile === '' ? '' : configuration.resolvePath(values.logfile);
  const log = createLog(logFormat, values.loglevel, logFile, () => role);
  const supervisor = findSupervisor(log, values);
  if (values.daemonize && supervisor === 'no' && !isDaemon) {
    await startDaemon(stdin);
    return;
  }
  process.chdir(values.dir);
  logStarting(log, commandLine.length > 0);
  role = 'M';
  await start(new Server({ configuration, commands, log }), supervisor);
}

/** The configuration that the command line leads to. One that is wrong ends the process. */
function load(
  argv: readonly string[],
  stdin: string,
  commands: CommandTable,
  format: LogFormat,
): Configuration {
  const log = createLog(format, 'notice', '', () => 'C');
  const users = new UserDeclarations();
  try {
    const configuration = loadConfiguration({
      argv,
      stdin: Buffer.from(stdin, 'latin1'),
      renameCommand: (name, newName) => renameCommand(commands, name, newName),
      declareUser: (args) => users.declare(args),
      warn: (message) => log.warn(message),
    });
    users.apply(configuration);
    return configuration;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    if (error.destination === 'stderr') process.stderr.write(`\n${error.message}\n`);
    else log.warn(error.message);
    return process.exit(1);
  }
}

function renameCommand(commands: CommandTable, name: string, newName: string): string | undefined {
  try {
    commands.rename(name, newName);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Has a server listen, and tells the world. */
async function start(server: Server, supervisor: Supervisor): Promise<void> {
  const { configuration, log } = server;
  const { values } = configuration;
  server.supervisor = supervisor;
  const pidFile = pidFilePath(values);
  if (pidFile !== undefined) writePidFile(log, pidFile);
  logMode(log, values);
  followConfiguration(configuration, log);
  handleSignals(server, new Shutdown(server, pidFile));
  await listen(new Listeners(server, new NetTransport(), false), log, pidFile);
  log.info('Server initialized');
  await loadData(server, pidFile);
  logReady(log, server.port, values.unixsocket);
  reportReady(log, supervisor);
}

/** Loads what was saved, or ends the process. */
async function loadData(server: Server, pidFile: string | undefined): Promise<void> {
  const { log } = server;
  try {
    await server.dataLoading.load();
  } catch (error) {
    // Of the append-only file, the log has told.
    if (!(error instanceof AppendOnlyFileError)) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn(`Fatal error loading the DB, check server logs. Exiting. ${reason}`);
    }
    if (pidFile !== undefined) removePidFile(log, pidFile);
    process.exit(1);
  }
}

/** Opens all sockets, or ends the process. */
async function listen(listeners: Listeners, log: Log, pidFile: string | undefined): Promise<void> {
  try {
    await listeners.open();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    log.warn(error.message);
    if (pidFile !== undefined) removePidFile(log, pidFile);
    process.exit(1);
  }
}

/** Puts into effect what concerns the process, now and when CONFIG SET changes it. */
function followConfiguration(configuration: Configuration, log: Log): void {
  const { values } = configuration;
  followOomScore(configuration, log);
  configuration.onChange('loglevel', () => {
    log.level = pinoLevel(values.loglevel);
    return undefined;
  });
  configuration.onChange('dir', () => {
    process.chdir(values.dir);
    return undefined;
  });
  const setTitle = () => {
    const facts = { values, file: configuration.file, title: process.argv[1] };
    const title = expandProcessTitle(values['proc-title-template'], facts);
    if (title !== undefined) process.title = title;
    return undefined;
  };
  if (!values['set-proc-title']) return;
  setTitle();
  configuration.onChange(['proc-title-template', 'port', 'bind'], setTitle);
}
