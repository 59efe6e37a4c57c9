import test from 'ava';
import { projectRules, rulesAllowedByProject } from '../../../src/core/preflight/project-rules.ts';
import { rules } from '../../../src/core/preflight/registry.ts';
import type { Release } from '../../../src/core/preflight/release.ts';

/** Rules about proof, keys and signatures. */
const commandLineRules = [
  'ec-key',
  'embedded-key-missing',
  'embedded-key-other',
  'enforcement-unproven',
  'flash-mode-signed',
  'format-boundary',
  'fs-signed-size',
  'guard-metadata',
  'guard-no-metadata',
  'guard-product',
  'guard-security-version',
  'gz-signed-old-core',
  'gz-signed-unaligned',
  'gz-signed-unsigned-device',
  'lockout-key',
  'lockout-product',
  'lockout-security-version',
  'unsigned-to-signed',
  'wrong-key',
];

test('every rule is either allowable by a project or concerns proof, keys or signatures', (t) => {
  t.deepEqual([...projectRules, ...commandLineRules].sort(), rules.map(({ id }) => id).sort());
});

test('a manifest that allows rules about proof, keys and signatures has no effect on these rules', (t) => {
  const allowedRules = rules.map(({ id }) => ({ rule: id, reason: 'a pull request' }));
  const release: Release = {
    image: { kind: 'sketch', contentBytes: 0, findings: [] },
    embeddedKeys: [],
    enforcement: 'unproven',
    signing: {},
    artifacts: [],
    allowedRules,
  };
  t.deepEqual(rulesAllowedByProject(release), projectRules);
});
