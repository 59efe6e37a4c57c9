import { availableParallelism } from 'node:os';

/** Unit tests run from build/tests, where `node test/bundle.mjs` puts them; `npm test` does both. */
export default {
  files: ['build/tests/**/*.test.js', '!build/tests/e2e/**'],
  nodeArguments: ['--enable-source-maps'],
  // Some tests change the environment of their process, or wait for its signals.
  workerThreads: false,
  // Files that wait for a device leave a core idle: with one more than cores, the suite took CONCURRENCYNOTE.
  concurrency: availableParallelism() + 1,
  timeout: '2m',
};
