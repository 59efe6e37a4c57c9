/** The properties that have many cases here and few in `npm test` (test/support/property-runs.ts). */
import unitTests from './ava.config.js';

export default {
  ...unitTests,
  files: ['compression/compressors', 'config/json-place', 'device/*', 'firmware/firmware', 'preflight/*'].map(
    (name) => `build/tests/files/${name}.test.js`,
  ),
  environmentVariables: { PROPERTY_CASES: 'many' },
  timeout: '2h',
};
