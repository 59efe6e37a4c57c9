import type { RuleId } from './registry.ts';
import type { Release } from './release.ts';

/**
 * Rules that a project may allow in its configuration. A pull request can change the configuration, so the other rules, which concern
 * proof, keys and signatures, can be allowed only on the command line.
 */
export const projectRules: readonly RuleId[] = [
  'core-assumed',
  'corrupt-image',
  'trailing-data',
  'kind-mismatch',
  'other-project',
  'gz-old-device',
  'flash-mode-gz',
  'flash-mode-raw-old',
  'flash-mode-md5',
  'flash-size',
  'bad-core-2.7.0',
  'bad-core-2.7.2',
  'inflate-over-fs',
  'inflate-over-input',
  'guard-start',
  'no-space',
  'web-no-data',
  'fs-inflate-size',
  'fs-web-atomic',
  'fs-gz-needs-atomic',
  'fs-size-mismatch',
  'fs-mode-patched',
  'fs-moved',
  'fs-web-old',
  'fs-overwritten-then-rejected',
  'no-ota',
  'eboot-2.5',
];

/** Returns the rules that the project of a release allows. A manifest that names other rules has no effect on them. */
export function rulesAllowedByProject({ allowedRules = [] }: Release): readonly RuleId[] {
  return projectRules.filter((id) => allowedRules.some(({ rule }) => rule === id));
}
