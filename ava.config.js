export default {
  files: ['test/**/*.test.ts', '!test/e2e/**'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  timeout: '2m',
};
