#!/usr/bin/env node
/**
 * `npm run bench`: Respite side by side with a real server. See `command-line.mjs` for what can be asked for, and
 * `rows/` for what is measured.
 */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { readOptions } from './command-line.mjs';
import { measureCommand } from './cpu.mjs';
import { measureMemory } from './memory.mjs';
import { measurePersistence } from './persistence.mjs';
import { requireLinux } from './process-figures.mjs';
import { Report } from './report.mjs';
import { families } from './rows/all.mjs';
import { peer, RunningServer, respite } from './server.mjs';
import { measureStalls } from './stalls.mjs';

/**
 * @typedef {import('./server.mjs').Program} Program
 * @typedef {import('./rows/row.mjs').Family} Family
 * @typedef {'cpu' | 'memory' | 'stalls'} Kind
 */

const options = readOptions(process.argv.slice(2));

/** @type {{ cpu: object[], memory: object[], stalls: object[], persistence: object[] }} */
const results = { cpu: [], memory: [], stalls: [], persistence: [] };

/**
 * Whether a row was asked for: by the name of its family or its kind, or the beginning of its own.
 * @param {Family} family
 * @param {Kind} kind
 * @param {string} name
 */
function isWanted(family, kind, name) {
  if (options.rows.length === 0) return true;
  return options.rows.some((wanted) => wanted === family.name || wanted === kind || name.startsWith(wanted));
}

/**
 * The rows of a kind that were asked for and that both servers can run; says which cannot be run.
 * @template {Kind} K
 * @param {K} kind
 * @param {readonly RunningServer[]} servers
 * @param {Report} report
 */
async function runnableRows(kind, servers, report) {
  /** @type {{ family: Family, row: Family[K][number] }[]} */
  const runnable = [];
  for (const family of families) {
    for (const row of family[kind].filter((one) => isWanted(family, kind, one.name))) {
      const needs = 'command' in row ? [row.command[0], ...(row.needs ?? [])] : row.needs;
      const missing = await missingCommands(servers, needs);
      if (missing === '') runnable.push({ family, row });
      else report.note(`left out: ${row.name}, as ${missing}`);
    }
  }
  return runnable;
}

/**
 * @param {readonly RunningServer[]} servers
 * @param {readonly string[]} names
 */
async function missingCommands(servers, names) {
  for (const server of servers) {
    const unknown = await server.unknownCommands(names);
    if (unknown.length > 0) return `${server.program.name} has no ${unknown.join(', ')}`;
  }
  return '';
}

/**
 * @param {[ours: RunningServer, theirs: RunningServer]} servers
 * @param {Report} report
 */
async function measureCpuRows(servers, report) {
  const rows = await runnableRows('cpu', servers, report);
  if (rows.length === 0) return;
  report.beginCpu();
  for (const { family, row } of rows) {
    const pipelines = options.pipelines.length > 0 ? options.pipelines : family.pipelines;
    for (const pipeline of pipelines) {
      const result = await measureCommand(family.name, row, pipeline, servers, options.isQuick);
      results.cpu.push(result);
      report.cpu(result);
    }
  }
}

/**
 * @param {[ours: Program, theirs: Program]} programs
 * @param {readonly RunningServer[]} servers
 * @param {Report} report
 */
async function measureMemoryRows(programs, servers, report) {
  const rows = await runnableRows('memory', servers, report);
  if (rows.length === 0) return;
  report.beginMemory();
  for (const { family, row } of rows) {
    const result = await measureMemory(family.name, row, programs);
    results.memory.push(result);
    report.memory(result);
  }
}

/**
 * @param {[ours: Program, theirs: Program]} programs
 * @param {readonly RunningServer[]} servers
 * @param {Report} report
 */
async function measureStallRows(programs, servers, report) {
  const rows = await runnableRows('stalls', servers, report);
  if (rows.length === 0) return;
  report.beginStalls();
  for (const { family, row } of rows) {
    for (const result of await measureStalls(family.name, row, programs)) {
      results.stalls.push(result);
      report.stall(result);
    }
  }
}

/** @param {Report} report */
async function measurePersistenceRows(report) {
  if (options.rows.length > 0 && !options.rows.includes('persistence')) return;
  report.beginPersistence();
  await measurePersistence(programs, options.isQuick, (result) => {
    results.persistence.push(result);
    report.persistence(result);
  });
}

requireLinux();
/** @type {[Program, Program]} */
const programs = [respite(), peer(options.peer)];
const report = new Report(programs, options.asMarkdown);
report.heading();
/** @type {[RunningServer, RunningServer]} */
const servers = [await RunningServer.start(programs[0]), await RunningServer.start(programs[1])];
await measureCpuRows(servers, report);
await measureMemoryRows(programs, servers, report);
await measureStallRows(programs, servers, report);
await measurePersistenceRows(report);
for (const server of servers) await server.stop();
if (options.jsonFile !== undefined) {
  const about = { date: new Date().toISOString(), programs, cpus: os.cpus().length };
  writeFileSync(options.jsonFile, `${JSON.stringify({ ...about, ...results }, undefined, 2)}\n`);
}
