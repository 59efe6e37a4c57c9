import { isDeepStrictEqual } from 'node:util';
import type { DeviceFacts } from '../model/device-facts.ts';
import { type Allowances, choose, type Step } from './choice.ts';
import { type BlockedArtifact, type BlockingFinding, explainBlock, type RestOfBuild } from './explanation.ts';
import type { Release, ReleaseArtifact } from './release.ts';
import { factsAfter } from './running.ts';

export interface PlanInput<Candidate extends Release> {
  /** Known facts about the device. An absent fact is unknown. */
  readonly facts: DeviceFacts;
  /** Release to install. */
  readonly target: Candidate;
  /** Complete build, if the target contains only some of its artifacts. A fix can send another artifact of the build. */
  readonly build?: Release | undefined;
  /** Candidates for intermediate releases, in order of preference. Only sketch releases are used. */
  readonly intermediateReleases?: readonly Candidate[] | undefined;
  /** Names of rules that do not block the update. */
  readonly allow?: ReadonlySet<string> | undefined;
  /** Names of rules that do not block this release. */
  readonly allowFor?: ((release: Candidate) => readonly string[]) | undefined;
}

/**
 * Update plan for a device. `send`: send this artifact. `hops`: send these artifacts in order, each after the device runs the previous
 * artifact. `blocked`: no artifact is safe. `blockedBy` contains the errors of the best candidate: of the artifacts whose form the device
 * can use, the one that the fewest rules block. `artifacts` contains the errors of every artifact, the best candidate first. With hops,
 * they explain why no direct update is possible.
 */
export type Plan<Candidate extends Release> =
  | ({ readonly kind: 'send' } & Step<Candidate>)
  | ({ readonly kind: 'hops'; readonly hops: readonly Step<Candidate>[] } & PlanBlock)
  | ({ readonly kind: 'blocked' } & PlanBlock);

/** Explanation why no artifact of a release is safe. */
export interface PlanBlock {
  readonly blockedBy: readonly BlockingFinding[];
  readonly artifacts: readonly BlockedArtifact[];
}

/**
 * Decides what to send to a device: the smallest safe artifact, else an upgrade path through intermediate releases, else nothing. Upload
 * and the server both use this function, so that they make the same decision.
 */
export function plan<Candidate extends Release>(question: PlanInput<Candidate>): Plan<Candidate> {
  const { facts, target, intermediateReleases = [] } = question;
  const allow = allowances(question);
  const choice = choose(facts, target, allow(target));
  const [step] = choice.steps;
  if (step !== undefined) return { kind: 'send', ...step };
  const artifacts = explainBlock(choice.blocked, restOfBuild(question));
  const block: PlanBlock = { blockedBy: artifacts[0]?.findings ?? [], artifacts };
  const hops = findHops(facts, target, intermediateReleases, allow);
  return hops === undefined ? { kind: 'blocked', ...block } : { kind: 'hops', hops, ...block };
}

/** Checks the artifacts of the complete build. */
function restOfBuild<Candidate extends Release>(question: PlanInput<Candidate>): RestOfBuild | undefined {
  const { facts, target, build, allow = new Set() } = question;
  if (build === undefined) return undefined;
  const isOther = ({ file }: ReleaseArtifact) => target.artifacts.every((artifact) => artifact.file !== file);
  const artifacts = build.artifacts.filter(isOther);
  const { steps, blocked } = choose(facts, { ...build, artifacts }, allow);
  return { safe: steps.map(({ artifact }) => artifact), blocked };
}

/** Returns the rules that do not block a release, by release. */
export function allowances<Candidate extends Release>({
  allow = new Set(),
  allowFor,
}: PlanInput<Candidate>): Allowances<Candidate> {
  return (release) => (allowFor === undefined ? allow : new Set([...allow, ...allowFor(release)]));
}

interface UpgradePath<Candidate extends Release> {
  readonly facts: DeviceFacts;
  readonly hops: readonly Step<Candidate>[];
}

/**
 * Finds the shortest upgrade path to the target with a breadth-first search. The number of paths is limited by the number of different facts
 * that the releases leave a device with, because a longer path to the same facts is not followed.
 */
function findHops<Candidate extends Release>(
  facts: DeviceFacts,
  target: Candidate,
  intermediateReleases: readonly Candidate[],
  allow: Allowances<Candidate>,
): readonly Step<Candidate>[] | undefined {
  const candidates = intermediateReleases.filter(
    (candidate) => candidate !== target && candidate.image.kind === 'sketch',
  );
  const reached: DeviceFacts[] = [facts];
  let paths: readonly UpgradePath<Candidate>[] = [{ facts, hops: [] }];
  while (paths.length > 0) {
    paths = paths.flatMap((path) => extended(path, candidates, allow, reached));
    for (const { facts: there, hops } of paths) {
      const [step] = choose({ ...there, kind: facts.kind }, target, allow(target)).steps;
      if (step !== undefined) return [...hops, step];
    }
  }
  return undefined;
}

/**
 * Extends a path by one hop. The artifacts of an intermediate release can leave the device with different facts: gzip installs the flash mode
 * of the image, and raw keeps the mode of the device. One path is returned for each result that no other path has reached, and the results are
 * added to `reached`.
 */
function extended<Candidate extends Release>(
  { facts, hops }: UpgradePath<Candidate>,
  candidates: readonly Candidate[],
  allow: Allowances<Candidate>,
  reached: DeviceFacts[],
): readonly UpgradePath<Candidate>[] {
  const paths: UpgradePath<Candidate>[] = [];
  for (const candidate of candidates) {
    for (const step of choose({ ...facts, kind: 'sketch' }, candidate, allow(candidate)).steps) {
      const after = factsAfter(facts, candidate, step.artifact);
      if (reached.some((other) => isDeepStrictEqual(other, after))) continue;
      reached.push(after);
      paths.push({ facts: after, hops: [...hops, step] });
    }
  }
  return paths;
}
