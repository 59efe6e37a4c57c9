import { availableParallelism } from 'node:os';

/** Unit tests run from build/tests, where `node test/bundle.mjs` puts them; `npm test` does both. */
export default {
  files: ['build/tests/**/*.test.js', '!build/tests/e2e/**'],
  nodeArguments: ['--enable-source-maps'],
  // Some tests change the environment of their process, or wait for its signals.
  workerThreads: false,
  // Files that wait for a device leave a core idle: on two cores the suite took 247 s with two files at a time, and 231 s with four.
  concurrency: availableParallelism() + 1,
  timeout: '2m',
};
