#!/usr/bin/env node
import { runProgram } from './process/program.js';

await runProgram(process.argv.slice(2));
