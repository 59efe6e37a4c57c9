/** End-to-end tests share real tools and two cores: two files run at a time, with a timeout long enough for a first build. */
import unitTests from './ava.config.js';

export default {
  ...unitTests,
  files: ['build/tests/files/e2e/**/*.test.js'],
  concurrency: 2,
  timeout: '10m',
};
