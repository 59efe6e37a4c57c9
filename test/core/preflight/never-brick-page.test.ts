import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { neverBrickPage, neverBrickPath, testOf } from '../../../docs/generate.ts';
import { notCheckable } from '../../../src/core/preflight/not-checkable.ts';
import { rules } from '../../../src/core/preflight/registry.ts';

/** Known ways in which an update can brick a device, lock its owner out or disable its signature check. Each name is that of a rule. */
const hazards = [
  'gz-signed-old-core',
  'gz-signed-unsigned-device',
  'gz-signed-unaligned',
  'flash-mode-signed',
  'flash-mode-gz',
  'gz-old-device',
  'bad-core-2.7.0',
  'bad-core-2.7.2',
  'kind-mismatch',
  'other-project',
  'inflate-over-fs',
  'inflate-over-input',
  'trailing-data',
  'wrong-key',
  'embedded-key-missing',
  'enforcement-unproven',
  'embedded-key-other',
  'ec-key',
  'format-boundary',
  'unsigned-to-signed',
  'fs-signed-size',
  'fs-inflate-size',
  'fs-web-atomic',
  'fs-overwritten-then-rejected',
  'fs-gz-needs-atomic',
  'fs-size-mismatch',
  'fs-moved',
  'flash-size',
  'no-space',
  'no-ota',
  'corrupt-image',
];

test('docs/never-brick.md matches the preflight rules (regenerate the page with npm run docs)', (t) => {
  t.is(readFileSync(neverBrickPath, 'utf8'), neverBrickPage());
});

test('every known hazard has a preflight rule with a unique name, evidence and a test', (t) => {
  const ids = rules.map(({ id }): string => id);
  for (const hazard of hazards) t.true(ids.includes(hazard), hazard);
  t.is(new Set(ids).size, ids.length);
  for (const { id, evidence } of rules) {
    t.true(evidence.length > 0, id);
    t.true(existsSync(testOf(id)), id);
  }
});

test('the never-brick page lists the checks that a host cannot perform, with the reasons', (t) => {
  t.deepEqual(
    notCheckable.map(({ id }) => id),
    ['power-cut', 'bootstrap-mode', 'puya-gz', 'eboot-2.5.x'],
  );
  for (const { why, evidence } of notCheckable) t.true(why !== '' && evidence.length > 0);
});
