#!/usr/bin/env node
import { allCommands } from './commands/all.js';
import { loadConfiguration } from './config/file.js';
import { NetTransport } from './network/net-transport.js';
import { createLog } from './observability/log.js';
import { Listeners } from './server/listeners.js';
import { Server } from './server/server.js';

const configuration = loadConfiguration({ argv: process.argv.slice(2) });
const log = createLog('text', 'notice', configuration.values.logfile, () => 'M');
const server = new Server({ configuration, commands: allCommands, log });
const listeners = new Listeners(server, new NetTransport(), false);
server.onShutdown = () => process.exit(0);
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
log.info(`oO0OoO0OoO0Oo Respite is starting oO0OoO0OoO0Oo PID: ${process.pid}`);
log.info(` PID: ${process.pid} Server initialized`);
await listeners.open();
log.info('Ready to accept connections tcp');
