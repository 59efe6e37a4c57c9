import type { PreflightFix } from '../model/preflight-fix.ts';
import { type CheckedArtifact, signatureRank } from './choice.ts';
import { fixText } from './fix-text.ts';
import { hasForm } from './fixes.ts';
import type { RuleId } from './registry.ts';
import type { ReleaseArtifact } from './release.ts';
import type { PreflightFinding } from './run-rules.ts';

/** Error of a rule that blocks an artifact. Its fixes are possible for this device and this build. */
export interface BlockingFinding extends PreflightFinding {
  readonly artifact: string;
}

/** Artifact of a blocked update, and the errors of all rules that block it. */
export interface BlockedArtifact {
  readonly artifact: ReleaseArtifact;
  readonly findings: readonly BlockingFinding[];
}

/**
 * Explains a blocked update. The best candidate is the first result: of the artifacts whose form the device can use, the one that the
 * fewest rules block. Its errors are the ones to fix.
 *
 * @param blocked all artifacts of the release
 * @param rest artifacts of the same build that are not in the release
 */
export function explainBlock(blocked: readonly CheckedArtifact[], rest?: RestOfBuild): readonly BlockedArtifact[] {
  const byForm = [...blocked, ...(rest?.blocked ?? [])].sort((a, b) => byCandidacy(a, b));
  const others: OtherArtifacts = { safe: rest?.safe ?? [], blocked: byForm.map(({ artifact }) => artifact) };
  return blocked
    .map(({ artifact, errors }) => ({ artifact, errors: errors.map((error) => resolved(error, artifact, others)) }))
    .sort((a, b) => byCandidacy(a, b, needsBuild))
    .map(({ artifact, errors }) => ({
      artifact,
      findings: errors.map((error) => ({ ...error, artifact: artifact.file })),
    }));
}

/** Artifacts of a build that are not in the release to explain. */
export interface RestOfBuild {
  readonly safe: readonly ReleaseArtifact[];
  readonly blocked: readonly CheckedArtifact[];
}

/** Artifacts that a fix can send. */
interface OtherArtifacts {
  readonly safe: readonly ReleaseArtifact[];
  /** Blocked artifacts, the best candidate first. */
  readonly blocked: readonly ReleaseArtifact[];
}

/** Rules that block the encoding or the signature format of an artifact, for every build. */
const formRules: readonly RuleId[] = [
  'gz-old-device',
  'gz-signed-old-core',
  'gz-signed-unsigned-device',
  'unsigned-to-signed',
  'format-boundary',
  'fs-gz-needs-atomic',
];

/**
 * Order of blocked artifacts: by the number of errors about the form, then by the number of errors. Of artifacts with equally many errors, a
 * raw artifact is the simplest for a device.
 *
 * @param effort number that orders artifacts with equally many errors by what their fixes require
 */
function byCandidacy(
  a: CheckedArtifact,
  b: CheckedArtifact,
  effort: (checked: CheckedArtifact) => number = () => 0,
): number {
  return (
    formErrors(a) - formErrors(b) ||
    a.errors.length - b.errors.length ||
    effort(a) - effort(b) ||
    encodingRank(a.artifact) - encodingRank(b.artifact) ||
    signatureRank(a.artifact) - signatureRank(b.artifact) ||
    a.artifact.sizeBytes - b.artifact.sizeBytes
  );
}

function formErrors({ errors }: CheckedArtifact): number {
  return errors.filter(({ rule }) => formRules.includes(rule)).length;
}

function encodingRank({ encoding }: ReleaseArtifact): number {
  return encoding === 'identity' ? 0 : 1;
}

/** Returns 1 if an error remains unless the image is built, packed or signed again, or a different sketch is sent first; otherwise 0. */
function needsBuild({ errors }: CheckedArtifact): number {
  const isLight = ({ action }: PreflightFix) => lightActions.includes(action);
  return errors.every(({ fixes }) => fixes.some(isLight)) ? 0 : 1;
}

const lightActions: readonly PreflightFix['action'][] = ['send', 'specify', 'transport', 'send-as'];

/** Replaces the fixes that send an artifact of a form by fixes that are possible with this build. */
function resolved(error: PreflightFinding, artifact: ReleaseArtifact, others: OtherArtifacts): PreflightFinding {
  const fixes = error.fixes.map((fix) => resolvedFix(fix, artifact, others));
  const direct = fixes.filter(({ action }) => action !== 'unblock');
  const possible = direct.length > 0 ? direct : fixes;
  return { ...error, fixes: possible, fix: fixText(possible) };
}

function resolvedFix(fix: PreflightFix, artifact: ReleaseArtifact, { safe, blocked }: OtherArtifacts): PreflightFix {
  if (fix.action !== 'send') return fix;
  const isOther = (other: ReleaseArtifact) => other.file !== artifact.file && hasForm(other, fix.form);
  const sent = safe.find(isOther);
  if (sent !== undefined) return { ...fix, artifact: sent.file };
  const other = blocked.find(isOther);
  return other === undefined ? { ...fix, action: 'add' } : { action: 'unblock', artifact: other.file };
}
