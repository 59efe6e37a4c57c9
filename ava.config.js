export default {
  files: ['test/**/*.test.ts', '!test/e2e/**'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  // tsx hooks into the main thread of a process only.
  workerThreads: false,
  timeout: '2m',
};
