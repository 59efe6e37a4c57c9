/** The property tests that run many cases here and few in `npm test` (test/support/property-runs.ts). */
import unitTests from './ava.config.js';

export default {
  ...unitTests,
  files: [
    'attack/readers/*',
    'core/compression/compressors',
    'project/config/json-error',
    'core/device-model/*',
    'core/firmware/firmware',
    'core/preflight/*',
    'delivery/espota/schedule',
    'publishing/server/upload-blob',
    'server/key-rotation',
    'server/rollout/properties',
    'server/verifier',
  ].map((name) => `build/tests/files/${name}.test.js`),
  environmentVariables: { PROPERTY_CASES: 'many' },
  timeout: '2h',
};
