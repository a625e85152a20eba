// A reporter of mocha, and its hooks: one JSON line per event, written at once, so that a run which is killed keeps its
// results. Only tests that talk to a server are reported: most of node-redis' look at a command's arguments.
const fs = require('node:fs');

const progress = fs.openSync(process.env.RESPITE_TEST_PROGRESS ?? '', 'a');
const finished = new Set(JSON.parse(fs.readFileSync(process.env.RESPITE_TESTS_FINISHED ?? '', 'utf8')));
const excluded = JSON.parse(process.env.RESPITE_TESTS_EXCLUDED ?? '');

/** What the body of a test made by testWithClient and testWithCluster of node-redis' test tools contains. */
const SERVER_TEST = /dockers?Promise/;

const isHook = (test) => test.type === 'hook';
const isReported = (test) => isHook(test) || (SERVER_TEST.test(test.body) && !finished.has(test.fullTitle()));

function write(test, status, error) {
  if (!isReported(test)) return;
  const event = { name: test.fullTitle(), status, error: error?.message?.split('\n')[0] };
  fs.writeSync(progress, `${JSON.stringify(event)}\n`);
}

/** @param {import('node:events').EventEmitter} runner */
module.exports = function Results(runner) {
  runner.on('test', (test) => write(test, 'started'));
  runner.on('pass', (test) => write(test, 'passed'));
  runner.on('pending', (test) => write(test, 'skipped'));
  runner.on('fail', (test, error) => write(test, 'failed', error));
  runner.on('test end', (test) => write(test, 'ended'));
};

/** Skips what has been run before, and what is excluded by its name or the beginning of it. */
module.exports.mochaHooks = {
  beforeEach() {
    const name = this.currentTest.fullTitle();
    if (finished.has(name) || excluded.some((start) => name.startsWith(start))) this.skip();
  },
};
