#!/usr/bin/env node
import { encodeByteString } from './config/byte-string.js';
import { processTerminal } from './persistence/checks/check-program.js';
import { checkRdb } from './persistence/checks/check-rdb.js';

process.exitCode = checkRdb(process.argv.slice(1).map(encodeByteString), processTerminal());
