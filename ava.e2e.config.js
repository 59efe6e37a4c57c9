/** End-to-end tests share real tools and two cores: one file at a time, with time for a first build. */
export default {
  files: ['test/e2e/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  // tsx hooks into the main thread of a process only.
  workerThreads: false,
  concurrency: 2,
  timeout: '10m',
};
