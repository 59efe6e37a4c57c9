/** Attacks on real servers and commands; `npm run test:attack` also prints how many were tried (test/attack/run.ts). */
import unitTests from './ava.config.js';

export default {
  ...unitTests,
  files: ['build/tests/files/attack/**/*.test.js'],
};
