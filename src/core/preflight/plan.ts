import type { DeviceFacts } from '../model/device-facts.ts';
import { type Complaint, judge } from './judge.ts';
import { isSigned, type Release, type ReleaseArtifact } from './release.ts';
import { factsAfter } from './running.ts';

export interface PlanQuestion<Candidate extends Release> {
  /** Known facts about the device; an absent fact is unknown. */
  readonly facts: DeviceFacts;
  /** Release to install. */
  readonly target: Candidate;
  /** Candidates for intermediate releases, preferred ones first. Only sketches are used. */
  readonly steppingStones?: readonly Candidate[] | undefined;
  /** Names of rules that must not block the update. */
  readonly allow?: ReadonlySet<string> | undefined;
}

/** Artifact to send. */
export interface Step<Candidate extends Release> {
  readonly release: Candidate;
  readonly artifact: Candidate['artifacts'][number];
  /** Includes the errors of allowed rules. */
  readonly warnings: readonly Complaint[];
}

/** Error of a rule that blocks an artifact. */
export interface Refusal extends Complaint {
  readonly artifact: string;
}

/**
 * Update plan of a device. send: send this artifact. hops: send these artifacts in order, each after the device runs the previous one;
 * `refused` has the errors that block a direct update. refuse: the update is blocked by these rules.
 */
export type Plan<Candidate extends Release> =
  | ({ readonly kind: 'send' } & Step<Candidate>)
  | { readonly kind: 'hops'; readonly hops: readonly Step<Candidate>[]; readonly refused: readonly Refusal[] }
  | { readonly kind: 'refuse'; readonly refused: readonly Refusal[] };

/** Maximum number of hops. A longer upgrade path needs manual inspection of the device first. */
const mostHops = 3;

/**
 * Decides what to send to a device: the smallest safe artifact, else an upgrade path through intermediate releases, else nothing. It
 * is the only place for this decision; upload, publish and the server call it.
 */
export function plan<Candidate extends Release>(question: PlanQuestion<Candidate>): Plan<Candidate> {
  const { facts, target, steppingStones = [], allow = new Set() } = question;
  const choice = choose(facts, target, allow);
  if (choice.step !== undefined) return { kind: 'send', ...choice.step };
  const hops = findHops(facts, target, steppingStones, allow);
  return hops === undefined
    ? { kind: 'refuse', refused: choice.refused }
    : { kind: 'hops', hops, refused: choice.refused };
}

interface Choice<Candidate extends Release> {
  readonly step: Step<Candidate> | undefined;
  /** Errors of all artifacts. */
  readonly refused: readonly Refusal[];
}

interface JudgedStep<Candidate extends Release> extends Step<Candidate> {
  /** Number of errors that are ignored because their rules are allowed. */
  readonly allowed: number;
}

function choose<Candidate extends Release>(
  facts: DeviceFacts,
  release: Candidate,
  allow: ReadonlySet<string>,
): Choice<Candidate> {
  const steps: JudgedStep<Candidate>[] = [];
  const refused: Refusal[] = [];
  for (const artifact of release.artifacts) {
    const complaints = judge({ release, artifact, facts });
    const inTheWay = complaints.filter(({ rule, severity }) => severity === 'refuse' && !allow.has(rule));
    refused.push(...inTheWay.map((complaint) => ({ ...complaint, artifact: artifact.file })));
    if (inTheWay.length > 0) continue;
    const warnings = complaints.map((complaint): Complaint => ({ ...complaint, severity: 'warn' }));
    const allowed = complaints.filter(({ severity }) => severity === 'refuse').length;
    steps.push({ release, artifact, warnings, allowed });
  }
  const [best] = steps.sort(byPreference);
  return {
    step: best && { release, artifact: best.artifact, warnings: best.warnings },
    refused: withoutRepetition(refused),
  };
}

/** Orders by ignored errors, then by size, then by number of warnings, then by signature. */
function byPreference<Candidate extends Release>(a: JudgedStep<Candidate>, b: JudgedStep<Candidate>): number {
  return (
    a.allowed - b.allowed ||
    a.artifact.sizeBytes - b.artifact.sizeBytes ||
    a.warnings.length - b.warnings.length ||
    rank(a.artifact) - rank(b.artifact)
  );
}

function rank(artifact: ReleaseArtifact): number {
  return artifact.signature === 'current' ? 0 : isSigned(artifact) ? 2 : 1;
}

function withoutRepetition(refused: readonly Refusal[]): readonly Refusal[] {
  const first = new Map<string, Refusal>();
  for (const refusal of refused) {
    const key = refusal.rule + refusal.message;
    if (!first.has(key)) first.set(key, refusal);
  }
  return [...first.values()];
}

interface Journey<Candidate extends Release> {
  readonly facts: DeviceFacts;
  readonly hops: readonly Step<Candidate>[];
}

/** Finds the shortest upgrade path to the target, breadth first. */
function findHops<Candidate extends Release>(
  facts: DeviceFacts,
  target: Candidate,
  steppingStones: readonly Candidate[],
  allow: ReadonlySet<string>,
): readonly Step<Candidate>[] | undefined {
  const stones = steppingStones.filter((stone) => stone !== target && stone.image.kind === 'sketch');
  let journeys: readonly Journey<Candidate>[] = [{ facts, hops: [] }];
  for (let length = 2; length <= mostHops; length += 1) {
    journeys = journeys.flatMap((journey) => continued(journey, stones, allow));
    for (const { facts: there, hops } of journeys) {
      const { step } = choose({ ...there, kind: facts.kind }, target, allow);
      if (step !== undefined) return [...hops, step];
    }
  }
  return undefined;
}

function continued<Candidate extends Release>(
  { facts, hops }: Journey<Candidate>,
  stones: readonly Candidate[],
  allow: ReadonlySet<string>,
): readonly Journey<Candidate>[] {
  const journeys: Journey<Candidate>[] = [];
  for (const stone of stones) {
    if (hops.some(({ release }) => release === stone)) continue;
    const { step } = choose({ ...facts, kind: 'sketch' }, stone, allow);
    if (step === undefined) continue;
    journeys.push({ facts: factsAfter(facts, stone, step.artifact), hops: [...hops, step] });
  }
  return journeys;
}
