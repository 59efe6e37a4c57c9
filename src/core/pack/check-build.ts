import { OtaError } from '../../errors/ota-error.ts';
import type { Manifest } from '../model/manifest.ts';
import { checkRelease } from '../preflight/check-release.ts';
import type { RuleId } from '../preflight/registry.ts';

/** Rule omitted here, because `settleEnforcement` reports the missing proof together with its reason. */
const reportedElsewhere: RuleId = 'enforcement-unproven';

/**
 * Evaluates the preflight rules that do not need a device.
 *
 * @param path image path for messages
 * @param previous manifest of the sketch that devices run now
 * @returns a list of warnings about the build
 * @throws OtaError UPDATE_BLOCKED
 */
export function checkBuild(
  manifest: Manifest,
  path: string,
  allow: ReadonlySet<string>,
  previous?: Manifest | undefined,
): readonly string[] {
  const { blockedBy, warnings } = checkRelease(manifest, { allow, previous });
  if (blockedBy.length > 0) throw new OtaError('UPDATE_BLOCKED', { path, blockedBy });
  return warnings
    .filter(({ rule }) => rule !== reportedElsewhere)
    .map(({ rule, message, fix }) => `${path}: ${message}; ${fix} (${rule})`);
}
