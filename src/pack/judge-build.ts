import type { Manifest } from '../domain/manifest.ts';
import { OtaError } from '../errors.ts';
import { type Complaint, judge } from '../preflight/judge.ts';
import type { RuleId } from '../preflight/registry.ts';

/** Of this the pipeline speaks itself, and says why there is no proof (`settleEnforcement`). */
const saidElsewhere: RuleId = 'enforcement-unproven';

/**
 * Asks the rules that need no device. What they refuse in every artefact stops the build; what they refuse in some is for the planner,
 * which sends others.
 *
 * @param path of the image, for messages
 * @returns what should be said of the build, one line each
 * @throws OtaError PREFLIGHT_REFUSED
 */
export function judgeBuild(release: Manifest, path: string, allowed: ReadonlySet<string>): readonly string[] {
  const complaints = release.artefacts
    .map((artefact) => judge({ release, artefact, facts: undefined }))
    .map((found) => found.filter(({ rule }) => rule !== saidElsewhere));
  const [first = []] = complaints;
  const fatal = first.filter(
    ({ rule, severity }) =>
      severity === 'refuse' && !allowed.has(rule) && complaints.every((found) => refuses(found, rule)),
  );
  if (fatal.length > 0) throw new OtaError('PREFLIGHT_REFUSED', { path, refused: fatal });
  const lines = complaints.flat().map(({ rule, message, instead }) => `${path}: ${message}; ${instead} (${rule})`);
  return [...new Set(lines)];
}

function refuses(complaints: readonly Complaint[], wanted: RuleId): boolean {
  return complaints.some(({ rule, severity }) => rule === wanted && severity === 'refuse');
}
