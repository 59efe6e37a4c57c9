/** Unit tests run from build/tests, where `node test/bundle.mjs` puts them; `npm test` does both. */
export default {
  files: ['test/**/*.test.ts', '!test/e2e/**'],
  typescript: { rewritePaths: { 'test/': 'build/tests/' }, compile: false },
  nodeArguments: ['--enable-source-maps'],
  // Some tests change the environment of their process, or wait for its signals.
  workerThreads: false,
  timeout: '2m',
};
