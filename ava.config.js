import { availableParallelism } from 'node:os';

/** Unit tests run from build/tests, where `node test/bundle.mjs` puts them; `npm test` does both. */
export default {
  files: ['build/tests/**/*.test.js', '!build/tests/e2e/**'],
  nodeArguments: ['--enable-source-maps'],
  // Some tests change the environment of their process, or wait for its signals.
  workerThreads: false,
  // Files that wait for a device leave a core idle: the suite took 189 s with one more file than cores, and 210 s without.
  concurrency: availableParallelism() + 1,
  timeout: '2m',
};
