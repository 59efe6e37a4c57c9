import type { DeviceFacts } from '../model/device-facts.ts';
import { isSigned, type Release, type ReleaseArtifact } from './release.ts';
import { type PreflightFinding, runRules } from './run-rules.ts';

/** Rules that do not block a release. */
export type Allowances<Candidate extends Release> = (release: Candidate) => ReadonlySet<string>;

/** Artifact to send. */
export interface Step<Candidate extends Release> {
  readonly release: Candidate;
  readonly artifact: Candidate['artifacts'][number];
  /** Findings for the artifact, including the errors of allowed rules. */
  readonly warnings: readonly PreflightFinding[];
}

/** Artifact that rules block, and the errors of these rules. */
export interface CheckedArtifact {
  readonly artifact: ReleaseArtifact;
  readonly errors: readonly PreflightFinding[];
}

interface Choice<Candidate extends Release> {
  /** All safe artifacts, in order of preference. */
  readonly steps: readonly Step<Candidate>[];
  /** All other artifacts, in the order of the release. */
  readonly blocked: readonly CheckedArtifact[];
}

interface CheckedStep<Candidate extends Release> extends Step<Candidate> {
  /** Number of errors from allowed rules. */
  readonly allowed: number;
}

/** Checks all artifacts of a release for a device. */
export function choose<Candidate extends Release>(
  facts: DeviceFacts,
  release: Candidate,
  allow: ReadonlySet<string>,
): Choice<Candidate> {
  const steps: CheckedStep<Candidate>[] = [];
  const blocked: CheckedArtifact[] = [];
  for (const artifact of release.artifacts) {
    const findings = runRules({ release, artifact, facts });
    const errors = findings.filter(({ rule, severity }) => severity === 'error' && !allow.has(rule));
    if (errors.length > 0) {
      blocked.push({ artifact, errors });
      continue;
    }
    const warnings = findings.map((finding): PreflightFinding => ({ ...finding, severity: 'warning' }));
    const allowed = findings.filter(({ severity }) => severity === 'error').length;
    steps.push({ release, artifact, warnings, allowed });
  }
  const safe = steps.sort(byPreference);
  return { steps: safe.map(({ artifact, warnings }) => ({ release, artifact, warnings })), blocked };
}

/** Order of safe artifacts: by the number of ignored errors, then by size, number of warnings and signature. */
function byPreference<Candidate extends Release>(a: CheckedStep<Candidate>, b: CheckedStep<Candidate>): number {
  return (
    a.allowed - b.allowed ||
    a.artifact.sizeBytes - b.artifact.sizeBytes ||
    a.warnings.length - b.warnings.length ||
    signatureRank(a.artifact) - signatureRank(b.artifact)
  );
}

/** Order of artifacts by signature: current, none, legacy. */
export function signatureRank(artifact: ReleaseArtifact): number {
  return artifact.signature === 'current' ? 0 : isSigned(artifact) ? 2 : 1;
}
