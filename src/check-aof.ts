#!/usr/bin/env node
import { encodeByteString } from './config/byte-string.js';
import { checkAof } from './persistence/checks/check-aof.js';
import { processTerminal } from './persistence/checks/check-program.js';

process.exitCode = checkAof(process.argv.slice(1).map(encodeByteString), processTerminal());
