import { parseArgs } from 'node:util';

const HELP = `Usage: npm run bench -- [options]

Compares Respite with a real Redis or Valkey server, under the same load, from one run: CPU and throughput of
commands, bytes of memory an item, and the longest stall that a client sees.

  --peer PATH        the server to compare with (default: redis-server 8.0 of scripts/install-peers)
  --rows NAME,...    only these rows or families: strings, hashes, lists, sets, sorted-sets, messages, cpu, memory, stalls,
                     persistence, or the beginning of a row's name ('GET', 'memory of 1 million')
  --pipeline N,...   only these pipeline depths (default: 1, 16 and 100; 16 for the commands of aggregate types)
  --quick            fewer requests and rounds: a couple of minutes for --rows strings, and less exact
  --json FILE        also write every figure there
  --markdown         print Markdown tables, as README has them
  --help`;

/**
 * @typedef {object} Options
 * @property {string | undefined} peer  path of the server to compare with
 * @property {string[]} rows  empty: all
 * @property {number[]} pipelines  empty: those of each row
 * @property {boolean} isQuick
 * @property {string | undefined} jsonFile
 * @property {boolean} asMarkdown
 */

/**
 * Reads the command line; prints the help and ends the process when that is asked for or an argument is wrong.
 * @param {string[]} argv
 * @returns {Options}
 */
export function readOptions(argv) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        peer: { type: 'string' },
        rows: { type: 'string' },
        pipeline: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        markdown: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const pipelines = splitList(values.pipeline).map(Number);
    if (pipelines.some((depth) => !(Number.isInteger(depth) && depth > 0))) {
      throw new Error('--pipeline takes positive whole numbers');
    }
    return {
      peer: values.peer,
      rows: splitList(values.rows),
      pipelines,
      isQuick: values.quick,
      jsonFile: values.json,
      asMarkdown: values.markdown,
    };
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${HELP}`);
    process.exit(2);
  }
}

/** @param {string | undefined} list */
function splitList(list) {
  return list === undefined ? [] : list.split(',').map((item) => item.trim());
}
