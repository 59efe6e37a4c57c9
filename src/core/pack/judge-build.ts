import { OtaError } from '../../errors/ota-error.ts';
import type { Manifest } from '../model/manifest.ts';
import { judgeRelease } from '../preflight/judge-release.ts';
import type { RuleId } from '../preflight/registry.ts';

/** Rule omitted here, because `settleEnforcement` reports the missing proof together with its reason. */
const saidElsewhere: RuleId = 'enforcement-unproven';

/**
 * Evaluates the preflight rules that do not need a device.
 *
 * @param path image path for messages
 * @returns a list of warnings about the build
 * @throws OtaError UPDATE_BLOCKED
 */
export function judgeBuild(manifest: Manifest, path: string, allow: ReadonlySet<string>): readonly string[] {
  const { blockedBy, warnings } = judgeRelease(manifest, { allow });
  if (blockedBy.length > 0) throw new OtaError('UPDATE_BLOCKED', { path, blockedBy });
  return warnings
    .filter(({ rule }) => rule !== saidElsewhere)
    .map(({ rule, message, fix }) => `${path}: ${message}; ${fix} (${rule})`);
}
