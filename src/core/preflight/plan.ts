import type { DeviceFacts } from '../model/device-facts.ts';
import { type Complaint, judge } from './judge.ts';
import { isSigned, type Release, type ReleaseArtifact } from './release.ts';
import { factsAfter } from './running.ts';

export interface PlanQuestion<Candidate extends Release> {
  /** What is known of the device; an absent fact is unknown. */
  readonly facts: DeviceFacts;
  /** What the device shall have in the end. */
  readonly target: Candidate;
  /** Other sketches that it may go through on the way, the preferred ones first. */
  readonly steppingStones?: readonly Candidate[] | undefined;
  /** Names of rules that may not stand in the way. */
  readonly allow?: ReadonlySet<string> | undefined;
}

/** One artifact that is sent. */
export interface Step<Candidate extends Release> {
  readonly release: Candidate;
  readonly artifact: Candidate['artifacts'][number];
  /** Also what would have been refused without being allowed. */
  readonly warnings: readonly Complaint[];
}

/** A rule in the way, and of which artifact it speaks. */
export interface Refusal extends Complaint {
  readonly artifact: string;
}

/**
 * What is to be done with a device. send: this artifact. hops: these artifacts, one after the other, each when the device has come back
 * with the one before; `refused` says why not at once. refuse: nothing, and these rules are in the way.
 */
export type Plan<Candidate extends Release> =
  | ({ readonly kind: 'send' } & Step<Candidate>)
  | { readonly kind: 'hops'; readonly hops: readonly Step<Candidate>[]; readonly refused: readonly Refusal[] }
  | { readonly kind: 'refuse'; readonly refused: readonly Refusal[] };

/** More hops than that are a journey that nobody should start without a look at the device. */
const mostHops = 3;

/**
 * Decides what is sent to a device: the smallest artifact that is safe, or else hops through other sketches, or else nothing. Upload,
 * publish and server ask it, and nothing else decides.
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
  /** Of all artifacts. */
  readonly refused: readonly Refusal[];
}

interface JudgedStep<Candidate extends Release> extends Step<Candidate> {
  /** How many rules had to be allowed for it. */
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

/** What needs no permission first, then the smallest, then what there is least to say of. */
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

/** The shortest way to the target, breadth first. */
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
