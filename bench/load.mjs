import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { Connection } from './connection.mjs';
import { toolsDirectory } from './server.mjs';

const run = promisify(execFile);

/** redis-benchmark's default number of connections. */
const CLIENTS = 50;
/** Both sides see the same random keys. */
const SEED = 20260101;

/**
 * Puts the load of redis-benchmark on a server.
 * @param {number} port
 * @param {readonly string[]} command  in which `__rand_int__` stands for 12 digits below `keys`
 * @param {{ requests: number, pipeline: number, keys: number }} load
 * @param {readonly string[]} [options]  further options of redis-benchmark
 * @returns {Promise<number>} requests a second
 */
export async function benchmark(port, command, { requests, pipeline, keys }, options = []) {
  const load = ['-c', CLIENTS, '-P', pipeline, '-n', requests, '-r', keys, '--seed', SEED].map(String);
  const args = ['-h', '127.0.0.1', '-p', String(port), ...load, '--csv', ...options, ...command];
  const { stdout } = await run(path.join(toolsDirectory(), 'redis-benchmark'), args);
  // The last line is "name","rps",…; a name may contain commas, numbers do not.
  const match = /","([\d.]+)"(,"[\d.]+")*\s*$/.exec(stdout);
  if (match === null) throw new Error(`redis-benchmark printed no figures:\n${stdout}`);
  return Number(match[1]);
}

/** How `fill` loads: one connection and long pipelines. */
const FILL = { connections: 1, pipeline: 1000 };
/** How a busy service loads, for those who measure what else happens meanwhile. */
const TRAFFIC = { connections: CLIENTS, pipeline: 16 };

/** Fills a server with data. */
export class Loader {
  /** @param {number} port */
  constructor(port) {
    this.port = port;
  }

  /**
   * Sends the commands `make(0)` to `make(count − 1)`, as fast as one connection can.
   * @param {number} count
   * @param {(index: number) => string[]} make
   */
  fill(count, make) {
    return this.#send(count, make, FILL);
  }

  /**
   * The same from many connections with moderate pipelines.
   * @param {number} count
   * @param {(index: number) => string[]} make
   */
  traffic(count, make) {
    return this.#send(count, make, TRAFFIC);
  }

  /**
   * Runs transactions, one at a time on each of many connections.
   * @param {number} count
   * @param {(index: number) => string[][]} make  the commands between MULTI and EXEC, each with a reply of one line
   * @returns {Promise<number>} transactions a second
   */
  async transactions(count, make) {
    const start = performance.now();
    const share = Math.ceil(count / TRAFFIC.connections);
    const parts = Array.from({ length: TRAFFIC.connections }, async (_, i) => {
      const connection = await Connection.open(this.port);
      const end = Math.min((i + 1) * share, count);
      try {
        for (let at = i * share; at < end; at++) await connection.transaction(make(at));
      } finally {
        connection.close();
      }
    });
    await Promise.all(parts);
    return count / ((performance.now() - start) / 1000);
  }

  /**
   * @param {number} count
   * @param {(index: number) => string[]} make
   * @param {{ connections: number, pipeline: number }} shape
   */
  async #send(count, make, { connections, pipeline }) {
    const share = Math.ceil(count / connections);
    const parts = Array.from({ length: connections }, async (_, i) => {
      const connection = await Connection.open(this.port);
      try {
        await connection.send(Math.min(i * share, count), Math.min((i + 1) * share, count), make, pipeline);
      } finally {
        connection.close();
      }
    });
    await Promise.all(parts);
  }
}
