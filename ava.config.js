import { availableParallelism } from 'node:os';

/** These tests wait more than they compute. Started last, they would leave the machine idle at the end, for 13 s in a measured run. */
const first = ['delivery/espota/schedule', 'cli/interrupts', 'commands', 'cli', 'server/verifier'];
const isFirst = (path) => first.some((name) => path.endsWith(`/${name}.test.js`));

const namesFiles = process.argv.some((argument) => argument.startsWith('build/tests/files/'));

/** Unit tests run from build/tests, where `node test/bundle.mjs` puts them; `npm test` does both. */
export default {
  // The full suite runs the small test files of a folder together (test/bundle.mjs); a file named on the command line runs by itself.
  files: [`build/tests/${namesFiles ? 'files' : 'suite'}/**/*.test.js`, '!build/tests/files/e2e/**'],
  // Most test code runs a few times, so V8's baseline compiler pays: with it, two suites took 7% less CPU time than with the interpreter.
  nodeArguments: ['--enable-source-maps', '--always-sparkplug'],
  // Some tests change the environment of their process or wait for signals to it.
  workerThreads: false,
  // Test files that wait for a device leave a core idle: on two cores, the suite took 247 s with two files at a time and 231 s with four.
  concurrency: availableParallelism() + 1,
  sortTestFiles: (one, other) => isFirst(other) - isFirst(one) || one.localeCompare(other),
  timeout: '2m',
};
