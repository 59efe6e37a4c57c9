/** End-to-end tests share real tools and two cores. A timeout of ten minutes is long enough for a first build. */
import unitTests from './ava.config.js';

/**
 * Files that take longest, longest first: one of them started last would run alone at the end. Those of `upload` and `server/rehearsal`
 * wait for time limits of devices and leave the cores to others.
 */
const longest = [
  ...[
    'api/generated-requests',
    'platformio/upload',
    'package/serve',
    'publish/docs',
    'platformio/layouts',
    'package/types',
    'package/old-node',
  ],
  ...['platformio/failures', 'server/kill', 'server/rollout-docs', 'server/fuzz', 'server/first-start'],
  ...['platformio/artifacts', 'publish/after-build', 'upload/patience', 'platformio/keys', 'newcomer/newcomer'],
  ...['platformio/recorded-keys', 'package/hooks', 'server/kill-rollout', 'dashboard/dashboard', 'server/rehearsal'],
  ...['engines/postgres-store', 'platformio/build', 'server/ciphers', 'engines/postgres-processes', 'upload/schedules'],
];
const rank = (path) => {
  const index = longest.findIndex((name) => path.endsWith(`/e2e/${name}.test.js`));
  return index === -1 ? longest.length : index;
};

export default {
  ...unitTests,
  files: ['build/tests/files/e2e/**/*.test.js'],
  // The installed programs, package managers and devices often wait, so a third file keeps both cores busy, as in ava.config.js.
  concurrency: unitTests.concurrency,
  sortTestFiles: (one, other) => rank(one) - rank(other) || one.localeCompare(other),
  timeout: '10m',
};
