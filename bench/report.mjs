import os from 'node:os';

/**
 * @typedef {import('./cpu.mjs').CpuResult} CpuResult
 * @typedef {import('./memory.mjs').MemoryResult} MemoryResult
 * @typedef {import('./stalls.mjs').StallResult} StallResult
 * @typedef {import('./persistence.mjs').PersistenceResult} PersistenceResult
 * @typedef {import('./server.mjs').Program} Program
 *
 * @typedef {object} Table
 * @property {string} title
 * @property {string[]} columns  the first is text, the others are numbers
 */

/** Prints results as they come: lines with aligned columns, or the rows of Markdown tables. */
export class Report {
  /** @type {number[]} */
  #widths = [];

  /**
   * @param {[ours: Program, theirs: Program]} programs
   * @param {boolean} asMarkdown
   */
  constructor(programs, asMarkdown) {
    this.programs = programs;
    this.asMarkdown = asMarkdown;
  }

  heading() {
    for (const line of machineLines(this.programs)) console.log(this.asMarkdown ? `- ${line}` : line);
  }

  /** @param {string} text */
  note(text) {
    // Tables go to standard output; what is only said on the way must not get into a file with them.
    console.error(text);
  }

  beginCpu() {
    const [ours, theirs] = this.programs.map((program) => program.name);
    this.#begin('Server CPU per command (user + system, whole process), and throughput', [
      'command, pipeline',
      `${ours} µs`,
      `${theirs} µs`,
      'CPU ratio',
      `${ours} req/s`,
      `${theirs} req/s`,
      'throughput ratio',
    ]);
  }

  /** @param {CpuResult} result */
  cpu({ row, pipeline, medians: [ours, theirs], cpuRatio, throughputRatio }) {
    this.#line([
      `${row}, ${pipeline}`,
      ours.cpuMicroseconds.toFixed(2),
      theirs.cpuMicroseconds.toFixed(2),
      cpuRatio.toFixed(2),
      ours.requestsPerSecond.toFixed(0),
      theirs.requestsPerSecond.toFixed(0),
      throughputRatio.toFixed(2),
    ]);
  }

  beginMemory() {
    const [ours, theirs] = this.programs.map((program) => program.name);
    this.#begin('Bytes an item', [
      'data',
      `${ours} used_memory`,
      `${theirs} used_memory`,
      'ratio',
      `${ours} resident`,
      `${theirs} resident`,
      'ratio',
    ]);
  }

  /** @param {MemoryResult} result */
  memory({ row, bytes: [ours, theirs], usedRatio, residentRatio }) {
    this.#line([
      row,
      ours.used.toFixed(1),
      theirs.used.toFixed(1),
      usedRatio.toFixed(2),
      ours.resident.toFixed(1),
      theirs.resident.toFixed(1),
      residentRatio.toFixed(2),
    ]);
  }

  beginStalls() {
    const [ours, theirs] = this.programs.map((program) => program.name);
    this.#begin(
      'The longest wait of a client that pings 1000 times a second, in ms; of its own making: without waiting for a core',
      [
        'meanwhile',
        `${ours} own making`,
        `${theirs} own making`,
        `${ours} max`,
        `${theirs} max`,
        `${ours} p99.9`,
        `${theirs} p99.9`,
        `(idle beside ${ours}`,
        `beside ${theirs})`,
      ],
    );
  }

  /** @param {StallResult} result */
  stall({ row, waits: [ours, theirs] }) {
    const figures = [
      ours.ownMax,
      theirs.ownMax,
      ours.max,
      theirs.max,
      ours.p999,
      theirs.p999,
      ours.idleMax,
      theirs.idleMax,
    ];
    this.#line([row, ...figures.map((milliseconds) => milliseconds.toFixed(1))]);
  }

  beginPersistence() {
    const [ours, theirs] = this.programs.map((program) => program.name);
    this.#begin('Files: saving, loading, the append-only file', ['what', ours, theirs, 'ratio']);
  }

  /** @param {PersistenceResult} result */
  persistence({ row, figures: [ours, theirs], digits }) {
    this.#line([row, ours.toFixed(digits), theirs.toFixed(digits), (ours / theirs).toFixed(2)]);
  }

  /**
   * @param {string} title
   * @param {string[]} columns
   */
  #begin(title, columns) {
    console.log(this.asMarkdown ? `\n**${title}**\n` : `\n${title}`);
    this.#widths = columns.map((column, i) => Math.max(column.length, i === 0 ? 24 : 8));
    this.#line(columns);
    if (this.asMarkdown) console.log(`| --- |${' ---: |'.repeat(columns.length - 1)}`);
  }

  /** @param {string[]} cells */
  #line(cells) {
    const aligned = cells.map((cell, i) =>
      i === 0 ? cell.padEnd(this.#widths[0]) : cell.padStart(this.#widths[i]),
    );
    console.log(this.asMarkdown ? `| ${cells.join(' | ')} |` : aligned.join('  '));
  }
}

/** @param {[ours: Program, theirs: Program]} programs */
function machineLines(programs) {
  const cpus = os.cpus();
  return [
    ...programs.map((program) => `${program.name} ${program.version}`),
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `${cpus.length} × ${cpus[0]?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}`,
  ];
}
