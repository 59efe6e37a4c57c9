import { isDeepStrictEqual } from 'node:util';
import type { DeviceFacts } from '../model/device-facts.ts';
import type { RuleId } from './registry.ts';
import { isSigned, type Release, type ReleaseArtifact } from './release.ts';
import type { ArtifactForm } from './rule.ts';
import { type PreflightFinding, runRules } from './run-rules.ts';
import { factsAfter } from './running.ts';

export interface PlanInput<Candidate extends Release> {
  /** Known facts about the device. An absent fact is unknown. */
  readonly facts: DeviceFacts;
  /** Release to install. */
  readonly target: Candidate;
  /** Candidates for intermediate releases, in order of preference. Only sketch releases are used. */
  readonly intermediateReleases?: readonly Candidate[] | undefined;
  /** Names of rules that do not block the update. */
  readonly allow?: ReadonlySet<string> | undefined;
  /** Names of rules that do not block this release. */
  readonly allowFor?: ((release: Candidate) => readonly string[]) | undefined;
}

/** Rules that do not block a release. */
type Allowances<Candidate extends Release> = (release: Candidate) => ReadonlySet<string>;

/** Artifact to send. */
export interface Step<Candidate extends Release> {
  readonly release: Candidate;
  readonly artifact: Candidate['artifacts'][number];
  /** Findings for the artifact, including the errors of allowed rules. */
  readonly warnings: readonly PreflightFinding[];
}

/** Error of a rule that blocks an artifact. Lists of errors begin with those of the nearest artifact, see {@link decisiveErrors}. */
export interface BlockingFinding extends PreflightFinding {
  readonly artifact: string;
}

/**
 * Update plan for a device. `send`: send this artifact. `hops`: send these artifacts in order, each after the device runs the previous
 * artifact; `blockedBy` lists the errors that block a direct update. `blocked`: these rules block the update.
 */
export type Plan<Candidate extends Release> =
  | ({ readonly kind: 'send' } & Step<Candidate>)
  | { readonly kind: 'hops'; readonly hops: readonly Step<Candidate>[]; readonly blockedBy: readonly BlockingFinding[] }
  | { readonly kind: 'blocked'; readonly blockedBy: readonly BlockingFinding[] };

/** Maximum number of hops. A longer upgrade path requires a manual inspection of the device. */
const mostHops = 3;

/**
 * Decides what to send to a device: the smallest safe artifact, else an upgrade path through intermediate releases, else nothing. Upload
 * and the server both use this function, so that they make the same decision.
 */
export function plan<Candidate extends Release>(question: PlanInput<Candidate>): Plan<Candidate> {
  const { facts, target, intermediateReleases = [] } = question;
  const allow = allowances(question);
  const choice = choose(facts, target, allow);
  if (choice.step !== undefined) return { kind: 'send', ...choice.step };
  const hops = findHops(facts, target, intermediateReleases, allow);
  return hops === undefined
    ? { kind: 'blocked', blockedBy: choice.blockedBy }
    : { kind: 'hops', hops, blockedBy: choice.blockedBy };
}

function allowances<Candidate extends Release>(question: PlanInput<Candidate>): Allowances<Candidate> {
  const { allow = new Set<string>(), allowFor } = question;
  return (release) => (allowFor === undefined ? allow : new Set([...allow, ...allowFor(release)]));
}

interface Choice<Candidate extends Release> {
  /** Safe artifact to send; undefined if every artifact is blocked. */
  readonly step: Step<Candidate> | undefined;
  /** All safe artifacts, in order of preference. */
  readonly steps: readonly Step<Candidate>[];
  /** Errors for all blocked artifacts. */
  readonly blockedBy: readonly BlockingFinding[];
}

interface CheckedStep<Candidate extends Release> extends Step<Candidate> {
  /** Number of errors from allowed rules. */
  readonly allowed: number;
}

/** Intermediate release that does not help, although the update is blocked. */
export interface UnusableIntermediate<Candidate extends Release> {
  readonly release: Candidate;
  /** Reason, as the end of a sentence about the intermediate release. */
  readonly reason: string;
}

/** Explains why each intermediate release of a blocked update does not help. */
export function unusableIntermediates<Candidate extends Release>(
  question: PlanInput<Candidate>,
): readonly UnusableIntermediate<Candidate>[] {
  const { facts, target, intermediateReleases = [] } = question;
  const allow = allowances(question);
  return intermediateReleases.map((release): UnusableIntermediate<Candidate> => {
    if (release.image.kind !== 'sketch') {
      return { release, reason: `is a ${release.image.kind}, but only a sketch can install the next update` };
    }
    const { step, blockedBy } = choose({ ...facts, kind: 'sketch' }, release, allow);
    if (step === undefined) return { release, reason: `cannot be installed: ${firstOf(blockedBy)}` };
    const after = { ...factsAfter(facts, release, step.artifact), kind: facts.kind };
    const then = choose(after, target, allow).blockedBy;
    return {
      release,
      reason: `can be installed, but then ${then[0]?.artifact ?? 'the update'} is blocked: ${firstOf(then)}`,
    };
  });
}

function firstOf([first]: readonly BlockingFinding[]): string {
  return first === undefined ? 'it has no artifact' : `${first.message} (${first.rule})`;
}

function choose<Candidate extends Release>(
  facts: DeviceFacts,
  release: Candidate,
  allowances: Allowances<Candidate>,
): Choice<Candidate> {
  const allow = allowances(release);
  const steps: CheckedStep<Candidate>[] = [];
  const blocked: { readonly artifact: ReleaseArtifact; readonly errors: readonly BlockingFinding[] }[] = [];
  for (const artifact of release.artifacts) {
    const findings = runRules({ release, artifact, facts });
    const blocking = findings.filter(({ rule, severity }) => severity === 'error' && !allow.has(rule));
    if (blocking.length > 0) {
      blocked.push({ artifact, errors: blocking.map((finding) => possibleFix(finding, artifact, release)) });
      continue;
    }
    const warnings = findings.map((finding): PreflightFinding => ({ ...finding, severity: 'warning' }));
    const allowed = findings.filter(({ severity }) => severity === 'error').length;
    steps.push({ release, artifact, warnings, allowed });
  }
  const safe = steps
    .sort(byPreference)
    .map(({ artifact, warnings }): Step<Candidate> => ({ release, artifact, warnings }));
  return {
    step: safe[0],
    steps: safe,
    blockedBy: withoutRepetition(
      blocked
        .sort(
          (a, b) =>
            formErrors(a.errors) - formErrors(b.errors) ||
            a.errors.length - b.errors.length ||
            rank(a.artifact) - rank(b.artifact),
        )
        .flatMap(({ errors }) => errors),
    ),
  };
}

/** Order of safe artifacts: by the number of ignored errors, then by size, number of warnings and signature. */
function byPreference<Candidate extends Release>(a: CheckedStep<Candidate>, b: CheckedStep<Candidate>): number {
  return (
    a.allowed - b.allowed ||
    a.artifact.sizeBytes - b.artifact.sizeBytes ||
    a.warnings.length - b.warnings.length ||
    rank(a.artifact) - rank(b.artifact)
  );
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

function formErrors(errors: readonly BlockingFinding[]): number {
  return errors.filter(({ rule }) => formRules.includes(rule)).length;
}

/** Replaces a fix that sends an artifact which the release contains: if the release is blocked, this artifact is blocked too. */
function possibleFix(finding: PreflightFinding, { file }: ReleaseArtifact, { artifacts }: Release): BlockingFinding {
  const { sends } = finding;
  const isBlockedToo =
    sends !== undefined && artifacts.some((other) => other.file !== file && hasForm(other, sends.form));
  return { ...finding, fix: isBlockedToo ? sends.otherwise : finding.fix, artifact: file };
}

function hasForm(artifact: ReleaseArtifact, form: ArtifactForm): boolean {
  const isRaw = artifact.encoding === 'identity';
  return form === 'gzip' ? !isRaw : isRaw && (form === 'raw' || isSigned(artifact));
}

function rank(artifact: ReleaseArtifact): number {
  return artifact.signature === 'current' ? 0 : isSigned(artifact) ? 2 : 1;
}

function withoutRepetition(blockedBy: readonly BlockingFinding[]): readonly BlockingFinding[] {
  const first = new Map<string, BlockingFinding>();
  for (const finding of blockedBy) {
    const key = finding.rule + finding.message;
    if (!first.has(key)) first.set(key, finding);
  }
  return [...first.values()];
}

interface UpgradePath<Candidate extends Release> {
  readonly facts: DeviceFacts;
  readonly hops: readonly Step<Candidate>[];
}

/** Finds the shortest upgrade path to the target with a breadth-first search. */
function findHops<Candidate extends Release>(
  facts: DeviceFacts,
  target: Candidate,
  intermediateReleases: readonly Candidate[],
  allow: Allowances<Candidate>,
): readonly Step<Candidate>[] | undefined {
  const candidates = intermediateReleases.filter(
    (candidate) => candidate !== target && candidate.image.kind === 'sketch',
  );
  let paths: readonly UpgradePath<Candidate>[] = [{ facts, hops: [] }];
  for (let length = 2; length <= mostHops; length += 1) {
    paths = paths.flatMap((path) => extended(path, candidates, allow));
    for (const { facts: there, hops } of paths) {
      const { step } = choose({ ...there, kind: facts.kind }, target, allow);
      if (step !== undefined) return [...hops, step];
    }
  }
  return undefined;
}

/**
 * Extends a path by one hop. The artifacts of an intermediate release can leave the device with different facts: gzip installs the flash mode
 * of the image, and raw keeps the mode of the device. One path is returned for each result.
 */
function extended<Candidate extends Release>(
  { facts, hops }: UpgradePath<Candidate>,
  candidates: readonly Candidate[],
  allow: Allowances<Candidate>,
): readonly UpgradePath<Candidate>[] {
  const paths: UpgradePath<Candidate>[] = [];
  for (const candidate of candidates) {
    if (hops.some(({ release }) => release === candidate)) continue;
    const results: DeviceFacts[] = [];
    for (const step of choose({ ...facts, kind: 'sketch' }, candidate, allow).steps) {
      const after = factsAfter(facts, candidate, step.artifact);
      if (results.some((other) => isDeepStrictEqual(other, after))) continue;
      results.push(after);
      paths.push({ facts: after, hops: [...hops, step] });
    }
  }
  return paths;
}

/**
 * Returns the errors of the nearest artifact: the device accepts its form, or else the fewest rules block its form, and among these
 * artifacts, the fewest rules block it. The other errors matter only if these are fixed.
 */
export function decisiveErrors(blockedBy: readonly BlockingFinding[]): readonly BlockingFinding[] {
  return blockedBy.filter(({ artifact }) => artifact === blockedBy[0]?.artifact);
}
